"""Backpropagation with accumulated gradients: a batch goes through in micro-batches, whose gradients add up.

    ∂E/∂w_ij = Σ_k Σ_{patterns of micro-batch k} y_i δ_j

E is a sum over patterns, so this is the gradient of the whole batch, up to the order of the sum; the last
micro-batch may be smaller than asked for. Activities and blames are held of `micro` patterns at a time,
whatever the size of the batch; of the whole batch only the outputs stay. It costs no work but the sums: the
bar for whoever claims to need less memory than backprop. `checkpointed_backprop` saves over layers, this over
patterns. A network whose units looked at other patterns (batch normalisation) would not be served.

Micro-batches as in Huang et al. 2019, GPipe: efficient training of giant neural networks using pipeline
parallelism, arXiv:1811.06965, section 2.2, on one device; the gradient is that of Rumelhart, Hinton &
Williams 1986, Nature 323:533-536.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from algorithms.backprop import Backprop
from harness.core.algorithm import Array, Batch, Credit, Key, Network, Params, Rand, State, Traits
from harness.core.exact_gradient import backpropagated
from harness.core.loops import repeat
from harness.core.setting import setting


@dataclass(frozen=True)
class AccumulatedBackprop(Backprop):
    """The exact gradient of the loss, added up over micro-batches so that few activities are held."""

    micro: int = setting(
        8, "Patterns in a micro-batch; all patterns or more are backprop, bit for bit.", at_least=1
    )

    # every pattern goes forward once, whatever the number of micro-batches
    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=True, local=False, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Huang et al. 2019, arXiv:1811.06965, section 2.2"
    equations: ClassVar[str] = "∂E/∂w_ij = Σ_k Σ_{patterns of micro-batch k} y_i δ_j"
    promise: ClassVar[str] = "exact"
    oracle: ClassVar[str] = "backprop to rounding, and bit for bit on whole numbers; its peak memory"
    through_time: ClassVar[bool] = False

    def held(self, net: Network) -> int:
        return 2 * net.size  # the sum so far, and what a micro-batch adds

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        whole, rest = divmod(batch.patterns, self.micro)
        if whole + bool(rest) <= 1:
            return super().credit(net, params, memory, batch, rand)
        cut = [cut_up(a, whole, self.micro) for a in batch[:3]]

        def of(x: Array, target: Array, wanted: Array) -> tuple[Array, dict[Key, Array]]:
            small = batch._replace(x=x, target=target, wanted=wanted)
            gradient, output = backpropagated(net, params, self.feedback(net, params, memory), small)
            return output, dict(gradient)

        def one(i: Array, carried: tuple[Array, ...]) -> tuple[Array, ...]:
            each, *sums = carried
            each[i + 1], gradient = of(*(a[..., i + 1, :, :] for a in cut))
            return each, *(a + gradient[key] for a, key in zip(sums, keys, strict=True))

        first, gradient = of(*(a[..., 0, :, :] for a in cut))
        keys = tuple(gradient)
        outputs = np.zeros_like(first, shape=(whole, *first.shape))
        outputs[0] = first
        outputs, *sums = repeat(whole - 1, one, (outputs, *gradient.values()))
        output = np.moveaxis(outputs, 0, -3).reshape(*first.shape[:-2], -1, net.output.size)
        if rest:
            last, gradient = of(*(a[..., whole * self.micro :, :] for a in batch[:3]))
            sums = [a + gradient[key] for a, key in zip(sums, keys, strict=True)]
            output = np.concatenate([output, last], axis=-2)
        return Credit(dict(zip(keys, sums, strict=True)), output)


def cut_up(a: Array, count: int, size: int) -> Array:
    """The first count · size patterns of (…, N, k), as micro-batches (…, count, size, k)."""
    return a[..., : count * size, :].reshape(*a.shape[:-2], count, size, a.shape[-1])
