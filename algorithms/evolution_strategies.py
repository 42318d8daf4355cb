"""Evolution strategies: try random directions either way, and step by how the losses of the two ends differ.

    J(θ) = E_ε[F(θ + σε)],  ε ~ N(0, 1)                                     (the loss, smoothed by a Gaussian)
    ∇J   = E_ε[F(θ + σε) ε] / σ  ≈  (1/2nσ) Σ_i (F(θ + σε_i) − F(θ − σε_i)) ε_i

The n pairs are mirrored, so that even terms of F cancel. With `shaping`, F stands for its centred rank among
the 2n losses, from −½ (lowest) to ½: no longer a gradient of J, but blind to the scale of the loss. Here F is
the loss to be lowered, in the paper the return to be raised. Any optimiser takes the step; the paper's is
Adam. Salimans, Ho, Chen, Sidor & Sutskever 2017, arXiv:1703.03864, algorithm 1 and section 2.1; centred ranks
as in its code, github.com/openai/evolution-strategies-starter, where a tie goes to whoever was tried first.

Defaults: an estimate close enough to the gradient for the usual rates of backpropagation (σ .03-.3 and n 5-50
were tried on XOR and the encoder; few pairs make it too noisy for these, a large σ smooths the valleys away).
With `shaping` it needs an optimiser that sets the scale: algorithm/optimiser=adam algorithm.optimiser.lr=.1
does the encoder in a sixth of the evaluations.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from harness.core.algorithm import Array, Batch, Credit, CreditAlgorithm, Network, Params, Rand, State, Traits
from harness.core.loops import repeat
from harness.core.setting import setting
from harness.core.vectors import flatten, unflatten

# activities of individuals held at once, in numbers: two megabytes, whatever the population
WORKSPACE = 2**18


@dataclass(frozen=True)
class EvolutionStrategies(CreditAlgorithm):
    """The gradient of the smoothed loss, estimated
    from mirrored pairs of random perturbations of all weights.
    """

    sigma: float = setting(
        0.1, "Standard deviation σ of a perturbation, in units of a weight.", above=0, search=(0.01, 1)
    )
    pairs: int = setting(25, "Mirrored pairs n of perturbations in an update.", at_least=1)
    shaping: bool = setting(False, "Centred ranks in the place of losses (fitness shaping).")

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=50, global_scalar=True
    )
    paper: ClassVar[str] = "Salimans, Ho, Chen, Sidor & Sutskever 2017, arXiv:1703.03864, algorithm 1"
    equations: ClassVar[str] = "∇J ≈ (1/2nσ) Σ (F(θ + σε_i) − F(θ − σε_i)) ε_i"
    oracle: ClassVar[str] = (
        "closed form on a quadratic; Gauss–Hermite quadrature on a network; 2n forward passes exactly"
    )
    through_time: ClassVar[bool] = True

    def held(self, net: Network) -> int:
        return 3 * self.pairs * net.size  # the noise, and two mirrored networks

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        noise = rand.normal(self.pairs, net.size)
        centre, step = flatten(net, params), self.sigma * noise
        loss = losses(net, np.concatenate([centre + step, centre - step], axis=-2), batch)
        if self.shaping:
            loss = centred_ranks(loss)
        odd = loss[..., : self.pairs] - loss[..., self.pairs :]
        gradient = odd[..., None, :] @ noise / (2 * self.pairs * self.sigma)
        return Credit(unflatten(net, gradient), None)


def losses(net: Network, genes: Array, batch: Batch) -> Array:
    """E (…, P) of P networks whose parameters are the rows of `genes` (…, P, W):
    individuals are one more leading axis.

    They are tried in blocks, the largest that divide P and fit the workspace.
    """
    *lead, count, size = genes.shape
    crowd = batch.crowd()
    each = prod(lead) * max(batch.patterns * net.workspace, size)
    block = max(n for n in range(1, count + 1) if count % n == 0 and (n == 1 or n * each <= WORKSPACE))

    def tried(some: Array) -> Array:
        return crowd.cost(net.respond(unflatten(net, some[..., None, :]), crowd.x))

    def one(i: Array, each: Array) -> Array:
        each[..., i, :] = tried(blocks[..., i, :, :])
        return each

    blocks = genes.reshape(*lead, count // block, block, size)
    lost = repeat(count // block, one, np.zeros_like(genes, shape=(*lead, count // block, block)))
    return lost.reshape(*lead, count)


def centred_ranks(loss: Array) -> Array:
    """Ranks of losses (…, P) among each other, evenly from −½ for the lowest to ½ for the highest."""
    rank = np.argsort(np.argsort(loss, axis=-1, stable=True), axis=-1, stable=True)
    return rank.astype(loss.dtype) / (loss.shape[-1] - 1) - 0.5
