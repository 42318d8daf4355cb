"""Symmetry: is a row of bits its own mirror image? Two hidden units are enough, whatever its length.

Rumelhart, Hinton & Williams 1986, Nature 323:533-536 (Fig. 1), and PDP vol. 1 ch. 8, pp. 340-341. The
solution is a surprise: both hidden units weigh the two halves by equal and opposite weights, so that a
palindrome cancels, and by magnitudes 1 : 2 : 4, so that nothing else does; their signs are opposite, so that
one of them sees whatever the other misses. Only when both are off does the output come on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.core.data import Patterns, Published, Spec, Usual, binary_inputs, bit_names
from harness.core.features import feature
from harness.core.network import Network
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

NATURE = "Nature 323:533-536"


@feature
def pair_differences(x: Any) -> Any:
    """1 for each pair of mirrored bits that differ, else 0: only a palindrome has none."""
    return np.abs(signed_differences(x))


@feature
def signed_differences(x: Any) -> Any:
    """The left bit of each pair less the right one: a palindrome is in the middle of all, so that no line
    parts it from them.
    """
    pairs = x.shape[-1] // 2
    return x[..., :pairs] - np.flip(x, axis=-1)[..., :pairs]


@dataclass(frozen=True)
class Symmetry(Task):
    """Output on when the bits read the same backwards: N-H-1."""

    bits: int = setting(6, "Input bits N; patterns are all 2^bits words of them.", at_least=2, below=17)
    hidden: int = setting(2, "Hidden units.", at_least=1)
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(
        lr=0.1,
        momentum=0.9,
        scale=0.3,
        epochs=20000,
        features=("pair_differences", "signed_differences"),
        rules="mirror",
    )
    published: ClassVar[tuple[Published, ...]] = (
        Published("6-2-1, ε=.1, α=.9, ±.3, full batches", "1,425 sweeps", NATURE, "found"),
        Published(
            "6-2-1",
            "weights antisymmetric about the middle, magnitudes 1 : 2 : 4",
            f"{NATURE}, Fig. 1",
            "found",
        ),
        Published("6-2-1", "weights ±3.6, ±7.1, ±14.2; biases −1.1 and 6.4", f"{NATURE}, Fig. 1", "memory"),
        Published("6-2-1, η=.1", "1,208 presentations of the 64 patterns", "PDP vol. 1 ch. 8", "memory"),
        Published(
            "6-2-1, ε=.1, α=.9, ±.3, full batches",
            "median 2,715 sweeps, quartiles 1,127 and 7,830, from 333 to 54,770",
            "an independent reproduction, 1,000 runs in Octave",
            "found",
        ),
    )

    def network(self) -> Network:
        return Network.chain(self.bits, self.hidden, 1, hidden=self.activation, output=self.output_unit)

    def spec(self) -> Spec:
        return Spec(patterns=2**self.bits, kind="bits")

    def patterns(self) -> Patterns:
        x = binary_inputs(self.bits)
        return Patterns(x, (x == x[:, ::-1]).all(axis=1, keepdims=True), bit_names(x))
