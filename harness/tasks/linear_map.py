"""A linear map to be learnt by a linear network with a hidden layer: the laboratory of feedback alignment.

    y = x W₁ W₂,   d = x T,   E = ½ Σ |y − d|²,   x_i ~ N(0, 1),   T_ij ~ U(−1, 1)

30-20-10 without biases, a pattern at a time: the first task of Lillicrap, Cownden, Tweed & Akerman 2016,
Random synaptic feedback weights support error backpropagation for deep learning, Nature Communications
7:13276. Each replica has its own teacher T and a fixed set of patterns.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from harness.core.data import Published, Usual
from harness.core.network import Edge, Group, Network
from harness.core.rand import Rand
from harness.core.setting import setting
from harness.core.task import Array
from harness.tasks.linear_perceptron import LinearPerceptron

LILLICRAP = "Lillicrap et al. 2016, Nature Communications 7:13276"


@dataclass(frozen=True)
class LinearMap(LinearPerceptron):
    """Targets are a random linear map of random inputs: 30-20-10, all linear, no biases."""

    inputs: int = 30
    hidden: int = setting(20, "Linear hidden units.", at_least=1)
    outputs: int = 10
    size: int = 1000

    usual: ClassVar[Usual] = Usual(lr=0.001, momentum=0.0, scale=0.01, epochs=10, batch=1)
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            "30-20-10 by feedback alignment",
            "angle to backprop from 90° to well under 45°",
            LILLICRAP,
            "memory",
        ),
        Published(
            "the same, η .001, weights ±.01, feedback ±.5: mean over networks",
            "angle from 90° to 28-37° by 1,000 steps, NSE .03 then and < .001 by 2,000",
            "run by us",
            "computed",
        ),
    )

    def network(self) -> Network:
        sizes = (("input", self.inputs), ("hidden", self.hidden), ("output", self.outputs))
        groups = tuple(Group(name, size, "linear", bias=False) for name, size in sizes)
        return Network(groups, tuple(Edge(a, b) for a, b in pairwise(groups)))

    def _drawn(self, rand: Rand) -> tuple[Array, Array, Array]:
        teacher = 2.0 * rand.uniform(self.inputs, self.outputs) - 1.0
        x = rand.normal(self.size, self.inputs)
        target = x @ teacher
        return x, target, target > 0
