"""A deep chain: a small problem given to a network far deeper than it needs,
to see what becomes of credit on the way back.

    δ_l = f'(x_l) ⊙ W_{l+1} δ_{l+1}   ⇒   |δ_first| ≤ Π f'_max ‖W_l‖₂ |δ_last|,   f'_max = ¼ if logistic

so that over L hidden layers credit shrinks by at least ¼ ‖W‖₂ a layer: the vanishing gradient (Hochreiter
1991; Bengio, Simard & Frasconi 1994; Glorot & Bengio 2010). `residual` adds what He, Zhang, Ren & Sun 2016
(Identity mappings in deep residual networks) mend it with, the identity from each hidden layer to the next:

    s_l = s_{l-1} + f(s_{l-1} W_l + b_l),   s_1 = f(x W_1 + b_1)

and `norm` layer normalisation (Ba, Kiros & Hinton 2016): mean 0 and variance 1 over the units of a layer in
what leaves it,

    y_l = f(z(y_{l-1}) W_l + b_l),   z(s) = (s − mean s) / √(mean (s − mean s)² + ε),   with `residual`
    s_l = s_{l-1} + f(z(s_{l-1}) W_l + b_l)

Patterns are all words of some bits. The wanted answer is their parity, which needs a hidden layer, or their
majority, which needs none: what a deep network does not learn of it, its depth has spoilt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from harness.core.data import Patterns, Published, Spec, Usual, binary_inputs, bit_names
from harness.core.errors import InputError
from harness.core.network import Network
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

RULES = ("parity", "majority")
EARLIER = (
    "one network of 50 logistic units a layer, inputs not stated: "
    "RMS of ∂E/∂w into the first ÷ the last hidden layer"
)
OURS = "the same, python -m harness.vanishing: median of 60 networks"


@dataclass(frozen=True)
class DeepChain(Task):
    """Parity or majority of a few bits through many hidden layers: N-W-…-W-1."""

    target_off: float = 0.1
    target_on: float = 0.9
    depth: int = setting(4, "Hidden layers.", at_least=1, at_most=1000)
    width: int = setting(10, "Units in each of them; None for `scale` is 1 / √width.", at_least=1)
    bits: int = setting(3, "Input bits; patterns are all 2^bits words of them.", at_least=1, below=12)
    rule: str = setting(
        "parity",
        "Which words turn the output on: parity (an odd number of bits), majority (more than half of them).",
        one_of=RULES,
    )
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)
    residual: bool = setting(
        False,
        "Add the identity from each hidden layer to the next; "
        "blame comes back over every way, at a cost ∝ depth².",
    )
    norm: bool = setting(
        False,
        "Normalise what leaves each hidden layer, "
        "to mean 0 and variance 1 over its units; it has 2 of them or more.",
    )

    usual: ClassVar[Usual] = Usual(lr=0.5, momentum=0.9, scale=1 / math.sqrt(10), epochs=3000)
    published: ClassVar[tuple[Published, ...]] = (
        Published("uniform ±1/√n, depth 2, 4, 6, 10", ".22, 5.0e-3, 1.4e-4, 4.1e-8", EARLIER, "computed"),
        Published("the same on 4 bits", ".14, 2.7e-3, 5.2e-5, 2.1e-8", OURS, "computed"),
        Published("Glorot, depth 2, 4, 6, 10", ".23, 1.2e-2, 8.2e-4, 1.95e-6", EARLIER, "computed"),
        Published("the same on 4 bits", ".24, 1.3e-2, 6.6e-4, 2.1e-6", OURS, "computed"),
        Published(
            "logistic units, Glorot",
            "depth 5 never leaves saturation",
            "Glorot & Bengio 2010, AISTATS",
            "memory",
        ),
    )

    def __post_init__(self) -> None:
        if self.norm and self.width == 1:
            raise InputError(
                "one unit normalised by itself is always 0: "
                "norm=true needs a width of at least 2, but 1 was given"
            )
        super().__post_init__()

    @property
    def initial_scale(self) -> float:
        return 1.0 / math.sqrt(self.width) if self.scale is None else self.scale

    def network(self) -> Network:
        layers = [self.width] * self.depth
        return Network.chain(
            self.bits, *layers, 1, hidden=self.activation, residual=self.residual, normalised=self.norm
        )

    def spec(self) -> Spec:
        return Spec(patterns=2**self.bits, kind="bits")

    def patterns(self) -> Patterns:
        x = binary_inputs(self.bits)
        on = x.sum(axis=1, keepdims=True)
        return Patterns(x, on % 2 == 1 if self.rule == "parity" else 2 * on > self.bits, bit_names(x))
