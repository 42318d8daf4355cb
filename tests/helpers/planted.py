"""A task and a rule that only tests know: small, with held-out patterns, and with noise of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from algorithms.backprop import Backprop
from harness.core.algorithm import Batch
from harness.core.data import Patterns, Spec, Usual, binary_inputs, bit_names
from harness.core.network import Network
from harness.core.rand import Rand
from harness.core.task import Task


@dataclass(frozen=True)
class TwoOfFour(Task):
    """On when at least two of four inputs are: separable, so that a single layer finishes; holds out some of
    16 patterns."""

    hidden: int = 2
    kept_back: int = 0
    usual: ClassVar[Usual] = Usual(lr=0.5, momentum=0.5, scale=0.5, epochs=100)

    def network(self) -> Network:
        return Network.chain(4, self.hidden, 1)

    def spec(self) -> Spec:
        return Spec(patterns=16 - self.kept_back, kind="bits")

    def patterns(self) -> Patterns:
        x = binary_inputs(4)
        return Patterns(x, x.sum(axis=1, keepdims=True) >= 2, bit_names(x))

    @property
    def held_out(self) -> int:
        return self.kept_back


@dataclass(frozen=True)
class Noisy(Backprop):
    """Backprop that draws, for its memory once and in every update, as node and weight perturbation do."""

    def remember(self, net: Network, params: Any, rand: Rand) -> Any:
        return {net.output: rand.uniform(1, net.output.size)}

    def credit(self, net: Network, params: Any, memory: Any, batch: Batch, rand: Rand) -> Any:
        exact = super().credit(net, params, memory, batch, rand)
        noise = {k: 0.1 * memory[net.output] * rand.normal(*shape) for k, shape in net.shapes.items()}
        return exact._replace(gradient={k: g + noise[k] for k, g in exact.gradient.items()})
