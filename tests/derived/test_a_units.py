"""Rosenblatt's frozen A-units held to theorems: Novikoff over them, separability by linear programming,
closed forms, order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import comb
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import binomtest, chisquare

from algorithms.perceptron import Perceptron, RandomFeaturePerceptron
from harness.core.algorithm import Batch
from harness.core.data import Patterns, Usual, binary_inputs, bit_names
from harness.core.errors import InputError, NotApplicable
from harness.core.network import Network
from harness.core.rand import NOISE, Rand
from harness.core.task import Task
from harness.experiment.run import run
from harness.statistics import wilson
from harness.tasks.parity import Parity
from harness.tasks.symmetry import Symmetry
from harness.tasks.xor import Xor

FALSE_ALARM = 1e-4  # of each statistical test; all are seeded


def start(algorithm: Perceptron, task: Task, replicas: int, seed: int = 0, dtype: str = "float64") -> Any:
    """The state that a run of these replicas starts from."""
    return algorithm.init(task.network(), {}, Rand(seed, range(replicas), NOISE, dtype))


def activities(algorithm: RandomFeaturePerceptron, task: Task, replicas: int) -> np.ndarray:
    """What the A-units of each replica say to each pattern, (R, N, A)."""
    return algorithm.seen(start(algorithm, task, replicas), task.patterns().x)


def novikoff(a: np.ndarray, on: np.ndarray) -> float:
    """(R/γ)² by linear programming: min |w|₁ with ±w·a ≥ 1, bias folded in; ∞ if no such w exists, not
    separable.

    γ is the margin of the separator found, at most the largest there is, so the true bound is at least as
    tight.
    """
    folded = np.hstack([a, np.ones((len(a), 1))])
    signed = np.where(on, 1.0, -1.0)[:, None] * folded
    k = folded.shape[1]
    found = linprog(
        np.ones(2 * k), A_ub=-np.hstack([signed, -signed]), b_ub=-np.ones(len(a)), bounds=(0, None)
    )
    assert found.status in (0, 2), found.message
    if found.status == 2:
        return np.inf
    w = found.x[:k] - found.x[k:]
    gamma = (signed @ w).min() / np.linalg.norm(w)
    assert gamma > 0
    return float((np.linalg.norm(folded, axis=1).max() / gamma) ** 2)


@cache
def bounds(units: int, connections: int | None, task: Task, replicas: int) -> np.ndarray:
    """Novikoff's bound of each replica."""
    on = task.patterns().wanted[:, 0]
    return np.array(
        [
            novikoff(a, on)
            for a in activities(RandomFeaturePerceptron(1.0, units, connections), task, replicas)
        ]
    )


def test_every_a_unit_fires_within_a_hamming_distance_and_every_distance_is_equally_likely() -> None:
    """All 32 patterns of 5 bits: a ball of radius 0 … 4 about the pattern its signs ask for, neither empty
    nor everything."""
    algorithm, task = RandomFeaturePerceptron(a_units=2000), Symmetry(bits=5)
    state = start(algorithm, task, 2)
    x = binary_inputs(5)
    fires = algorithm.seen(state, x) == 1.0
    centre = np.array(state["memory"]["signs"]) > 0  # (R, 5, A)
    distance = (x[None, :, :, None] != centre[:, None]).sum(axis=2)  # (R, N, A)
    sizes = np.cumsum([comb(5, r) for r in range(5)])
    radius = np.searchsorted(sizes, fires.sum(axis=1))
    assert (sizes[radius] == fires.sum(axis=1)).all()
    np.testing.assert_array_equal(fires, distance <= radius[:, None, :])
    assert chisquare(np.bincount(radius.ravel(), minlength=5)).pvalue > FALSE_ALARM
    which = (centre * 2 ** np.arange(5)[:, None]).sum(axis=1)
    assert chisquare(np.bincount(which.ravel(), minlength=32)).pvalue > FALSE_ALARM


def test_activities_are_the_textbook_sum_for_any_numbers() -> None:
    algorithm, net = RandomFeaturePerceptron(a_units=7, connections=2), Network.chain(3, 2)
    state = algorithm.init(net, {}, Rand(5, [0], NOISE))
    x = np.random.default_rng(0).normal(size=(9, 3))
    signs, thresholds = (state["memory"][name][0] for name in ("signs", "thresholds"))
    for n, pattern in enumerate(x):
        for j in range(7):
            total = sum(float(signs[i, j]) * float(pattern[i]) for i in range(3))
            assert algorithm.seen(state, x)[0, n, j] == (1.0 if total > thresholds[0, j] else 0.0)


@pytest.mark.parametrize("connections", [1, 2, 4, 6])
def test_an_a_unit_has_its_connections_from_inputs_chosen_at_random(connections: int) -> None:
    algorithm = RandomFeaturePerceptron(a_units=3000, connections=connections)
    signs = start(algorithm, Symmetry(), 1)["memory"]["signs"][0]
    assert set(np.unique(signs)) <= {-1.0, 0.0, 1.0}
    assert (np.abs(signs).sum(axis=0) == connections).all()
    excitatory = int((signs > 0).sum())
    assert binomtest(excitatory, 3000 * connections, 0.5).pvalue > FALSE_ALARM
    for row in signs:
        assert binomtest(int(np.abs(row).sum()), 3000, connections / 6).pvalue > FALSE_ALARM


def test_the_first_a_units_are_the_same_however_many_there_are_and_none_means_all_inputs() -> None:
    few, many, every = (
        start(RandomFeaturePerceptron(1.0, *s), Symmetry(), 3)["memory"] for s in ((9,), (40,), (40, 6))
    )
    for name in few:
        assert few[name].tobytes() == many[name][..., :9].tobytes()
        assert every[name].tobytes() == many[name].tobytes()


@pytest.mark.parametrize(("task", "units"), [(Xor(), 4), (Symmetry(bits=4), 12), (Symmetry(bits=4), 40)])
def test_novikoffs_bound_holds_over_the_a_units(task: Task, units: int) -> None:
    """Mistakes of every replica whose features separate the patterns ≤ (R/γ)², whatever the order; counted
    one by one."""
    replicas, algorithm, net = 30, RandomFeaturePerceptron(a_units=units), task.network()
    bound = bounds(units, None, task, replicas)
    x, wanted, *_ = task.patterns()
    state, rand, rng = (
        start(algorithm, task, replicas),
        Rand(0, range(replicas), NOISE),
        np.random.default_rng(0),
    )
    mistakes = np.zeros(replicas)
    for _ in range(200):
        for i in rng.permutation(len(x)):
            one = slice(i, i + 1)
            state, y = algorithm.update(
                net, state, Batch(x[one], wanted[one].astype(float), wanted[one], 0), rand
            )
            mistakes += (y[:, 0, 0] > 0.5) != wanted[i, 0]
    separable = np.isfinite(bound)
    assert separable.any()
    assert (mistakes[separable] <= bound[separable]).all()
    assert (mistakes[~separable] >= 200).all(), "at least one in every sweep, for ever"


@pytest.mark.parametrize(
    ("task", "units", "connections"),
    [
        *((Xor(), units, None) for units in (1, 2, 3, 4, 8, 32)),
        *((Symmetry(bits=4), units, None) for units in (6, 8, 12, 16, 24, 64)),
        *((Symmetry(bits=4), units, 2) for units in (8, 24)),
        (Parity(bits=3), 6, None),
    ],
)
def test_a_replica_solves_exactly_if_its_features_separate_the_patterns(
    task: Task, units: int, connections: int | None
) -> None:
    """A sweep without a mistake has solved the task, so that separable replicas need at most (R/γ)² + 1
    sweeps: the budget."""
    replicas = 60
    bound = bounds(units, connections, task, replicas)
    separable = np.isfinite(bound)
    budget = int(bound[separable].max(initial=100)) + 1
    assert budget < 4000
    result = run(RandomFeaturePerceptron(1.0, units, connections), task, replicas=replicas, epochs=budget)
    np.testing.assert_array_equal(result.solved, separable)
    assert (result.trained.epochs[separable] <= bound[separable] + 1).all()
    on = task.patterns().wanted
    for a, solved in zip(
        activities(RandomFeaturePerceptron(1.0, units, connections), task, replicas), separable, strict=True
    ):
        if np.linalg.matrix_rank(np.hstack([a, np.ones((len(a), 1))])) == len(on):
            assert solved, "independent features separate anything"


@pytest.mark.parametrize("units", [1, 2, 3, 4, 6, 10])
def test_the_share_of_xor_solved_has_a_closed_form(units: int) -> None:
    """(1 − 2^(1−A))²: with the bias, each A-unit picks out one of the four patterns at random, and both
    on-patterns, or both off-patterns, must be picked: 2 (1 − 2 (3/4)^A + (1/2)^A) − (1 − 4 (3/4)^A + 6
    (1/2)^A − 4 (1/4)^A). n = 1,000 each."""
    result = run(RandomFeaturePerceptron(a_units=units), Xor(), replicas=1000, epochs=160, seed=units)
    expected = (1 - 2.0 ** (1 - units)) ** 2
    assert binomtest(int(result.solved.sum()), 1000, expected).pvalue > FALSE_ALARM


def test_more_a_units_solve_more_of_symmetry() -> None:
    """The first A-units are the same, so that no replica is lost by adding some: 6 bits, separable by linear
    programming.

    At 48 A-units and more nearly all are; n = 40, and each share within the Wilson interval of what is
    separable.
    """
    replicas, before = 40, np.zeros(40, bool)
    rates = []
    for units in (16, 32, 48, 128, 512):
        separable = np.isfinite(bounds(units, None, Symmetry(), replicas))
        solved = run(RandomFeaturePerceptron(a_units=units), Symmetry(), replicas=replicas, epochs=300).solved
        assert not (before & ~separable).any()
        assert not (solved & ~separable).any()
        low, high = wilson(np.count_nonzero(separable), replicas)
        assert low <= solved.mean() <= high
        before = separable
        rates.append(solved.mean())
    assert rates == sorted(rates)
    assert rates[0] < 0.2
    assert rates[-1] == 1.0


@pytest.mark.parametrize(("bits", "connections"), [(2, 1), (3, 2), (4, 3)])
def test_parity_has_the_order_of_its_bits(bits: int, connections: int) -> None:
    """Minsky & Papert 1969: units that see fewer than all bits never do it, however many they are; units that
    see all do."""
    blind = run(RandomFeaturePerceptron(1.0, 400, connections), Parity(bits=bits), replicas=10, epochs=150)
    assert not blind.solved.any()
    assert not np.isfinite(bounds(400, connections, Parity(bits=bits), 3)).any()
    assert run(
        RandomFeaturePerceptron(1.0, 400, bits), Parity(bits=bits), replicas=10, epochs=150
    ).solved.all()


def test_symmetry_has_order_two() -> None:
    """Σ (x_i − x_(7−i))² = 0 is a sum over pairs; one input at a time is the single layer, which cannot."""
    assert not run(RandomFeaturePerceptron(1.0, 256, 1), Symmetry(), replicas=10, epochs=100).solved.any()
    assert run(RandomFeaturePerceptron(1.0, 256, 2), Symmetry(), replicas=10, epochs=300).solved.all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_frozen_units_never_change_and_are_not_among_the_weights(dtype: str) -> None:
    algorithm, task = RandomFeaturePerceptron(a_units=9), Symmetry(bits=4)
    x, wanted, *_ = task.patterns()
    state = first = start(algorithm, task, 5, dtype=dtype)
    before = {name: a.tobytes() for name, a in first["memory"].items()}
    for i in range(40):
        one = slice(i % 16, i % 16 + 1)
        batch = Batch(x[one].astype(dtype), wanted[one].astype(dtype), wanted[one], 0)
        state = algorithm.update(task.network(), state, batch, Rand(0, range(5), NOISE, dtype)).state
    assert {name: a.tobytes() for name, a in state["memory"].items()} == before
    assert any(w.any() for w in state["params"].values())
    assert {a.dtype for part in state.values() for a in part.values()} == {np.dtype(dtype)}
    trained = run(algorithm, task, replicas=5, epochs=3).trained.weights
    assert {name: w.shape for name, w in trained.items()} == {
        "association-output": (5, 9, 1),
        "output": (5, 1, 1),
    }


@dataclass(frozen=True)
class Halves(Task):
    """Real inputs between the bits: on when the sum is above the middle; replicas hold out some."""

    usual: ClassVar[Usual] = Usual(lr=0.5, momentum=0.0, scale=0.5, epochs=30)

    def network(self) -> Network:
        return Network.chain(5, 2)

    def patterns(self) -> Patterns:
        x = np.random.default_rng(1).uniform(size=(20, 5))
        total = x.sum(axis=1, keepdims=True)
        return Patterns(x, np.hstack([total > 2.5, total < 2.2]), bit_names(x))

    @property
    def held_out(self) -> int:
        return 4


@pytest.mark.parametrize("settings", [{}, {"dtype": "float32"}, {"batch": "full"}, {"batch": 3}])
@pytest.mark.parametrize("task", [Halves(), Symmetry(bits=4)], ids=["real", "bits"])
def test_a_replica_has_the_same_bits_alone_in_a_batch_and_again(task: Task, settings: dict[str, Any]) -> None:
    algorithm = RandomFeaturePerceptron(a_units=14, connections=3)

    def bits(**more: Any) -> dict[int, Any]:
        t = run(algorithm, task, replicas=12, epochs=25, seed=7, **settings, **more).trained
        return {
            int(i): (
                t.outcome[r],
                t.epochs[r],
                t.loss_curve[r].tobytes(),
                *(w[r].tobytes() for w in t.weights.values()),
            )
            for r, i in enumerate(t.replica)
        }

    whole = bits()
    assert bits() == whole
    assert len({str(b) for b in whole.values()}) > 3  # each has units of its own
    for i in (0, 5, 11):
        assert bits(only=[i]) == {i: whole[i]}


def test_what_it_cannot_do_it_says() -> None:
    with pytest.raises(
        NotApplicable,
        match="does not apply to xor: its A-units have 3 connections each, but xor has 2 inputs",
    ):
        run(RandomFeaturePerceptron(connections=3), Xor(), replicas=1)
    with pytest.raises(NotApplicable, match="0 or 1, which never meet"):
        run(
            RandomFeaturePerceptron(),
            Xor(target_off=0.1, target_on=0.9, criterion="margin", bound=0.05),
            replicas=1,
        )


@pytest.mark.parametrize(
    "make",
    [
        *(lambda v=v: RandomFeaturePerceptron(a_units=v) for v in (0, -3, 2.5, True, "many")),
        *(lambda v=v: RandomFeaturePerceptron(connections=v) for v in (0, -1, 1.5, False)),
        *(lambda v=v: RandomFeaturePerceptron(lr=v) for v in (0.0, -1.0, float("nan"))),
    ],
)
def test_a_bad_setting_gets_one_sentence(make: Callable[[], Any]) -> None:
    with pytest.raises(InputError, match=r"^(a_units|connections|lr) must be [^\n]*given$"):
        make()
