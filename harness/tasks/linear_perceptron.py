"""The linear perceptron: a teacher of the same kind sets the targets,
and what a rule can do about it is known in closed form.

    y = x w,   d = x w*,   E = ½ Σ |y − d|²,   x_i ~ N(0, 1),   w*_ij ~ N(0, 1/N)

for N inputs and M outputs, without biases.

One pattern at a time, a fresh one for each update, learning rate η: the mean squared distance to the teacher
shrinks by 1 − 2η + η² (N + 2) K an update, with K = 1 for the gradient, M + 2 for node and MN + 2 for weight
perturbation. It is stable below η = 2 / ((N + 2) K) and fastest at half of that, where learning takes a time
∝ (N + 2) K: the price of K.

Werfel, Xie & Seung 2005, Learning curves for stochastic gradient descent in linear feedforward networks,
Neural Computation 17:2699-2718. Here each replica has its own teacher and a fixed set of patterns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from harness.core.data import Data, Patterns, Published, Spec, Usual
from harness.core.network import Edge, Group, Network
from harness.core.rand import SPLIT, Rand
from harness.core.setting import setting
from harness.core.task import Task

Array = Any
WERFEL = "Werfel, Xie & Seung 2005"


@dataclass(frozen=True)
class LinearPerceptron(Task):
    """Numbers from a linear teacher on normal inputs: N-M without biases, a pattern at a time."""

    criterion: str = setting(
        "error",
        "Solved when the loss is below a share of where it starts (`error`), "
        "or every output within a `margin` of its target.",
        one_of=("error", "margin"),
    )
    bound: float | None = setting(
        0.01,
        "Criterion `error`: the share of ½ Σ d², "
        "the loss of zero weights; `margin`: the distance per output.",
        at_least=0,
    )
    inputs: int = setting(10, "Input units N.", at_least=1)
    outputs: int = setting(5, "Output units M.", at_least=1)
    size: int = setting(100, "Patterns.", at_least=1)

    usual: ClassVar[Usual] = Usual(lr=0.001, momentum=0.0, scale=0.0, epochs=200, batch=1)
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            "fastest rates",
            "node perturbation slower than the gradient by the number of outputs M",
            WERFEL,
            "found",
        ),
        Published(
            "fastest rates", "weight perturbation slower again by the number of inputs N", WERFEL, "found"
        ),
        Published("small rates", "all three have the same learning curve", WERFEL, "found"),
    )

    def network(self) -> Network:
        source, target = (
            Group(name, n, "linear", bias=False)
            for name, n in (("input", self.inputs), ("output", self.outputs))
        )
        return Network((source, target), (Edge(source, target),))

    def spec(self) -> Spec:
        return Spec(patterns=self.size, kind="numbers", binary=False)

    def patterns(self) -> Patterns:
        """Those of replica 0 under seed 0."""
        x, target, wanted = (a[0] for a in self._drawn(Rand(0, [0], SPLIT)))
        return Patterns(x, wanted, tuple(f"pattern {i}" for i in range(self.size)), target)

    def data(self, rand: Rand, dtype: DTypeLike) -> Data:
        """Inputs and a teacher of its own for each replica."""
        x, target, wanted = self._drawn(rand)
        return Data(x.astype(dtype), target.astype(dtype), wanted)

    def right(self, y: Array, data: Data) -> Array:
        """Criterion `error`: the patterns whose own loss is below
        that share of what they have at the start on average.
        """
        if self.criterion != "error":
            return super().right(y, data)
        left, start = (self.objective.error(a, data.target, data.wanted) for a in (y, np.zeros_like(y)))
        return (left * left).sum(axis=-1) < self.bound * (start * start).sum(axis=-1).mean(
            axis=-1, keepdims=True
        )

    def met(self, y: Array, data: Data, among: Array = True) -> Array:
        if self.criterion != "error":
            return super().met(y, data, among)
        start = self.objective.of(np.zeros_like(y), data.target, data.wanted)
        return (self.objective.of(y, data.target, data.wanted) < self.bound * start) & among

    def _drawn(self, rand: Rand) -> tuple[Array, Array, Array]:
        x, teacher = (
            rand.normal(self.size, self.inputs),
            rand.normal(self.inputs, self.outputs) / self.inputs**0.5,
        )
        target = x @ teacher
        return x, target, target > 0
