"""EGGROLL: evolution strategies whose perturbations of a weight matrix have low rank.

    E_i = A_i B_iᵀ / √r,   A_i (rows, r), B_i (columns, r) ~ N(0, 1)        (a perturbation of one matrix)
    forward pass of a member   y W + σ (y A_i) B_iᵀ / √r                     (E_i itself is never made)
    ∂J/∂W ≈ (1/2nσ) Σ_i (F(W + σE_i) − F(W − σE_i)) E_i

A matrix of m × n weights takes r (m + n) random numbers a pair, where evolution strategies take m n, and a
member shares the product y W with all others where their y is the same. The entries of E have mean 0 and
covariance 1 at every rank, so that the estimate is unbiased where the loss is linear; they are not Gaussian:
the fourth moment of an entry is 3 + 6 / r. The sum over members is a matrix of full rank. The n pairs are
mirrored. Biases are no matrices: their perturbations are Gaussian, as in evolution strategies. Here F is the
loss to be lowered, in the paper the fitness to be raised, and what the paper calls N members are 2n.

An edge that is no dense one (a kernel, a fixed pattern of wiring) has a matrix of weights too, perturbed
likewise; there E_i is made, because only the edge knows what its weights do.

Sarkar et al. 2025, Evolution strategies at the hyperscale, arXiv:2511.16652. Ranks of losses in the place of
losses, and whole-number arithmetic, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod, sqrt
from typing import ClassVar

import numpy as np

from harness.core.algorithm import (
    Array,
    Batch,
    Credit,
    CreditAlgorithm,
    Key,
    Network,
    Params,
    Rand,
    State,
    Traits,
    total,
)
from harness.core.loops import repeat
from harness.core.network import Edge
from harness.core.readings import reading
from harness.core.setting import setting

# activities of members held at once, in numbers: two megabytes, whatever their number
WORKSPACE = 2**18


@dataclass(frozen=True)
class Eggroll(CreditAlgorithm):
    """The gradient of the smoothed loss, estimated
    from mirrored pairs of perturbations of low rank.
    """

    sigma: float = setting(
        0.1, "Standard deviation σ of a perturbed weight, in units of a weight.", above=0, search=(0.01, 1)
    )
    pairs: int = setting(25, "Mirrored pairs n of perturbations in an update.", at_least=1)
    rank: int = setting(1, "Rank r of the perturbation of a weight matrix.", at_least=1)

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=50, global_scalar=True
    )
    paper: ClassVar[str] = "Sarkar et al. 2025, arXiv:2511.16652"
    equations: ClassVar[str] = "E_i = A_i B_iᵀ / √r, ∂J/∂W ≈ (1/2nσ) Σ (F(W + σE_i) − F(W − σE_i)) E_i"
    oracle: ClassVar[str] = (
        "perturbed networks one by one; moments of E in closed form; r (m + n) random numbers a matrix"
    )
    through_time: ClassVar[bool] = False

    def held(self, net: Network) -> int:
        return self.pairs * sum(sum(prod(s) for s in shapes) for shapes in self.factors(net).values())

    def factors(self, net: Network) -> dict[Key, tuple[tuple[int, int], ...]]:
        """Shapes of what is drawn for a parameter: A and B of weights, all of the perturbation of a bias."""
        return {
            key: ((m, self.rank), (n, self.rank)) if isinstance(key, Edge) else ((m, n),)
            for key, (m, n) in net.shapes.items()
        }

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        noise = {
            key: tuple(rand.normal(self.pairs, *shape) for shape in shapes)
            for key, shapes in self.factors(net).items()
        }
        odd = self.odd(net, params, noise, batch)[..., None, None] / (2 * self.pairs * self.sigma)
        return Credit({key: weighed(odd, some) for key, some in noise.items()}, None)

    def odd(
        self, net: Network, params: Params, noise: Mapping[Key, tuple[Array, ...]], batch: Batch
    ) -> Array:
        """F(W + σE_i) − F(W − σE_i) of every pair, (…, n); in blocks, the largest that divide n and fit."""
        keys, crowd = tuple(noise), batch.crowd()
        lead = noise[keys[0]][0].shape[:-3]
        each = prod(lead) * batch.patterns * net.workspace
        block = max(
            b for b in range(1, self.pairs + 1) if self.pairs % b == 0 and (b == 1 or b * each <= WORKSPACE)
        )
        centre = {key: value[..., None, :, :] for key, value in params.items()}
        cut = {key: tuple(a.reshape(*lead, -1, block, *a.shape[-2:]) for a in noise[key]) for key in keys}

        def one(i: Array, lost: Array) -> Array:
            some = {key: tuple(a[..., i, :, :, :] for a in cut[key]) for key in keys}
            up, down = (
                crowd.cost(respond(net, centre, some, sign * self.sigma, crowd.x)) for sign in (1.0, -1.0)
            )
            lost[..., i, :] = up - down
            return lost

        like = noise[keys[0]][0]
        lost = repeat(
            self.pairs // block, one, np.zeros_like(like, shape=(*lead, self.pairs // block, block))
        )
        return lost.reshape(*lead, self.pairs)


def respond(
    net: Network, params: Params, noise: Mapping[Key, tuple[Array, ...]], sigma: float, x: Array
) -> Array:
    """Outputs (…, n, N, outputs) of networks whose parameters are `params` + σE, E in its factors."""
    y = net.split(x)
    for group in net.free:
        into = net.net_input(params, group, y) + sigma * total(
            sent(edge, noise[edge.weights], net.sent(edge.source, y)) for edge in net.into(group)
        )
        if group.bias:
            into = into + sigma * net.everywhere(group, noise[group][0])
        y[group] = net.activity(group, into)
    return y[net.output]


def sent(edge: Edge, factors: tuple[Array, ...], y: Array) -> Array:
    """What activity y (…, N, size) sends over an edge of weights A Bᵀ / √r."""
    a, b = factors
    if type(edge) is Edge:
        return (y @ a) @ b.mT / sqrt(a.shape[-1])
    return reading().send(edge, a @ b.mT / sqrt(a.shape[-1]), y)


def weighed(odd: Array, factors: tuple[Array, ...]) -> Array:
    """Σ_i odd_i E_i (…, rows, columns), odd (…, n, 1, 1): one product over all members and ranks."""
    if len(factors) == 1:
        return (odd * factors[0]).sum(axis=-3)
    a, b = (np.moveaxis(each, -3, -2) for each in (odd * factors[0], factors[1]))
    flat = [each.reshape(*each.shape[:-2], -1) for each in (a, b)]
    return flat[0] @ flat[1].mT / sqrt(factors[0].shape[-1])
