"""Held to their definitions: tasks decided by the largest output, on validation patterns, or on numbers;
depth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import pytest

from algorithms.backprop import Backprop
from harness.core.data import Data, Patterns, Spec, Usual
from harness.core.errors import InputError
from harness.core.network import Edge, Group, Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import SPLIT, Rand
from harness.core.task import Task
from harness.experiment.result import Result
from harness.experiment.run import run
from harness.tasks.linear_map import LinearMap
from harness.tasks.linear_perceptron import LinearPerceptron
from harness.tasks.parity import Parity
from harness.tasks.symmetry import Symmetry


@dataclass(frozen=True)
class Clusters(Task):
    """Which of three corners is a noisy point near? 60 points to learn from, 30 to decide on, 30 to report
    on."""

    criterion: str = "largest"
    share: float = 0.9
    usual: ClassVar[Usual] = Usual(lr=0.05, momentum=0.0, scale=0.5, epochs=200, batch=10)

    def network(self) -> Network:
        return Network.chain(2, 6, 3)

    def patterns(self) -> Patterns:
        noise = np.random.default_rng(0).normal(size=(120, 2))
        which = np.arange(120) % 3
        corners = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
        return Patterns(corners[which] + noise, which[:, None] == np.arange(3), tuple(map(str, range(120))))

    def spec(self) -> Spec:
        return Spec(patterns=60, kind="labels", binary=False)

    def data(self, rand: Rand, dtype: object) -> Data:
        whole = super().data(rand, dtype)  # type: ignore[arg-type]  # a dtype, as the harness says it
        parts = [
            Data(*(a[..., rows, :] for a in whole[:3])) for rows in (slice(60), slice(60, 90), slice(90, 120))
        ]
        return parts[0]._replace(validation=parts[1], held=parts[2])


@cache
def clustered() -> Result:
    return run(Backprop(), Clusters(), replicas=12)


def test_the_largest_output_decides_and_a_tie_is_wrong() -> None:
    wanted = np.array([[True, False, False], [False, True, False], [False, False, True]])
    data = Data(None, wanted.astype(float), wanted)
    y = np.array([[0.2, 0.1, 0.0], [0.5, 0.5, 0.1], [0.9, 0.8, 0.95]])
    assert Clusters().right(y, data).tolist() == [True, False, True]
    assert not Clusters(share=0.9).met(y[None], data)[0]
    assert Clusters(share=0.6).met(y[None], data)[0]
    assert not Clusters().right(np.full((3, 3), np.nan), data).any()


def test_the_criterion_is_met_on_validation_patterns_and_the_rest_is_reported() -> None:
    """Final outputs recomputed from the final weights, by hand, for all three splits."""
    result, task = clustered(), Clusters()
    t, net = result.trained, task.network()
    assert result.settings.batch == 10
    assert result.solved.any()
    data = task.data(Rand(0, range(12), SPLIT), np.float64)
    params = {k: t.weights[k.name] for k in net.shapes}
    for part, shares in ((data, t.right), (data.validation, t.validation_right), (data.held, t.held_right)):
        y = net.forward(params, part.x)[net.output]
        np.testing.assert_allclose(shares, (y.argmax(-1) == part.wanted.argmax(-1)).mean(-1))
    assert (t.validation_right[result.solved] >= 0.9).all()
    for part, errors in ((data.validation, t.validation_rmse), (data.held, t.held_rmse)):
        gap = net.forward(params, part.x)[net.output] - part.target
        np.testing.assert_allclose(errors, np.sqrt((gap * gap).mean(axis=(-1, -2))), rtol=1e-12)
    before = run(Backprop(), Clusters(), replicas=12, epochs=int(t.epochs[result.solved][0]) - 1)
    assert before.trained.outcome[np.flatnonzero(result.solved)[0]] == "unsolved"


def test_validation_is_the_same_compiled() -> None:
    compiled = run(Backprop(), Clusters(), replicas=12, backend="jax")
    assert compiled.trained.ran["backend"] == "jax"
    np.testing.assert_array_equal(compiled.trained.epochs, clustered().trained.epochs)
    np.testing.assert_array_equal(compiled.trained.held_right, clustered().trained.held_right)


def test_a_linear_map_is_learnt_to_its_teacher() -> None:
    """Without noise and without a hidden layer the weights become the teacher that made the targets."""
    task = LinearPerceptron(inputs=4, outputs=3, size=50, bound=1e-12)
    result = run(Backprop(GradientDescent(lr=0.01)), task, replicas=5, epochs=200, batch="full")
    assert result.solved.all()
    data = task.data(Rand(0, range(5), SPLIT), np.float64)
    teacher = np.linalg.pinv(data.x) @ data.target
    np.testing.assert_allclose(result.trained.weights["input-output"], teacher, atol=1e-5)
    alone = run(Backprop(GradientDescent(lr=0.01)), task, replicas=5, epochs=200, batch="full", only=[3])
    np.testing.assert_array_equal(
        alone.trained.weights["input-output"][0], result.trained.weights["input-output"][3]
    )


def test_what_takes_bits_can_ask() -> None:
    """A Boltzmann machine must be told when inputs are no bits, or it would be run on numbers."""
    assert Symmetry().spec().binary
    assert not LinearMap().spec().binary
    assert not Clusters().spec().binary


def test_depth_counts_the_edges_of_the_longest_way() -> None:
    assert Network.chain(2, 2, 1, shortcut=True).depth == 2
    assert Parity(layers=3).network().depth == 4
    a, b, c, d = (Group(n, 2) for n in "abcd")
    assert Network((a, b, c, d), (Edge(a, c), Edge(b, c), Edge(a, d), Edge(c, d))).depth == 2


def test_hidden_layers_of_parity_are_counted_from_one() -> None:
    with pytest.raises(InputError, match="layers"):
        Parity(layers=0)
