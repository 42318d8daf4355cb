"""The delta rule held to linear algebra: least squares, the bound 2 / λ_max, the fixed point of a sweep, its
formula by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.delta_rule import DeltaRule
from algorithms.perceptron import Perceptron
from harness.core import registry
from harness.core.algorithm import Batch
from harness.core.data import Patterns, Usual
from harness.core.errors import InputError, NotApplicable
from harness.core.losses import SquaredError
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.core.outcomes import DIVERGED, UNSOLVED
from harness.core.rand import NOISE, SPLIT, Rand
from harness.core.task import Task
from harness.experiment.result import Result
from harness.experiment.run import run
from harness.tasks.encoder import Encoder
from harness.tasks.linear_perceptron import LinearPerceptron
from harness.tasks.symmetry import Symmetry
from harness.tasks.xor import Xor

quick = hypothesis_settings(deadline=None, derandomize=True, max_examples=60)
OF_1986 = ("addition", "encoder", "family_tree", "negation", "parity", "singleton", "symmetry", "xor")


def folded(task: Task) -> np.ndarray:
    """Patterns with the bias's input, always 1, as the last column."""
    x = task.patterns().x
    return np.hstack([x, np.ones((len(x), 1))])


def targets(task: Task) -> np.ndarray:
    _, wanted, _, target = task.patterns()
    return np.where(wanted, task.target_on, task.target_off) if target is None else target


def largest_eigenvalue(task: Task) -> float:
    """λ_max of Σ x xᵀ."""
    return float(np.linalg.eigvalsh(folded(task).T @ folded(task)).max())


def weights(result: Result) -> np.ndarray:
    """Final weights with the bias as the last row, (R, inputs + 1, outputs)."""
    return np.concatenate([result.trained.weights["input-output"], result.trained.weights["output"]], axis=-2)


@dataclass(frozen=True)
class Numbers(Task):
    """Random real inputs and targets, more patterns than inputs, so that nothing fits; `twin`: two inputs are
    the same."""

    criterion: str = "error"
    bound: float | None = 1e-9
    twin: bool = False

    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.0, scale=0.5, epochs=100)

    def network(self) -> Network:
        return Network.chain(4, 3, 2, output="sigmoid")

    def patterns(self) -> Patterns:
        rng = np.random.default_rng(3)
        x, target = rng.normal(size=(12, 4)), rng.normal(size=(12, 2))
        if self.twin:
            x[:, 3] = x[:, 0]
        return Patterns(x, target > 0, tuple(map(str, range(12))), target)


def test_one_step_on_one_pattern_by_hand() -> None:
    """y = .5·1 − 1·2 + .25 = −1.25, t − y = 2.25; with η = .1: Δw = .225 (1, 2), Δb = .225."""
    state = {"params": {"input-output": np.array([[0.5], [-1.0]]), "output": np.array([[0.25]])}}
    one = Batch(np.array([[1.0, 2.0]]), np.array([[1.0]]), np.array([[True]]), 0)
    new, y = DeltaRule(lr=0.1).update(Network.chain(2, 1), state, one, Rand(0, [0], NOISE))
    assert y[0, 0] == -1.25
    np.testing.assert_allclose(new["params"]["input-output"].ravel(), [0.725, -0.55], rtol=1e-15)
    np.testing.assert_allclose(new["params"]["output"].ravel(), [0.475], rtol=1e-15)


@quick
@given(
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 3)),
    n=st.integers(1, 5),
    margin=st.sampled_from([None, 0.3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_an_update_is_the_formula_weight_by_weight(
    sizes: tuple[int, int], n: int, margin: float | None, seed: int
) -> None:
    """Δw_ij = η Σ_patterns (t_j − y_j) x_i in plain Python; nothing for an output within its margin of the
    target, or beyond."""
    (inputs, outputs), rng = sizes, np.random.default_rng(seed)
    w, b = rng.normal(size=(inputs, outputs)), rng.normal(size=(1, outputs))
    x, wanted = rng.normal(size=(n, inputs)), rng.integers(0, 2, (n, outputs)) > 0
    batch = Batch(x, wanted.astype(float), wanted, 0, SquaredError(margin))
    state = {"params": {"input-output": w, "output": b}}
    new = (
        DeltaRule(lr=0.2)
        .update(Network.chain(inputs, outputs), state, batch, Rand(0, [0], NOISE))
        .state["params"]
    )
    for j in range(outputs):
        errors = []
        for p in range(n):
            y = sum(float(w[i, j]) * float(x[p, i]) for i in range(inputs)) + float(b[0, j])
            right = margin is not None and (y >= 1 - margin if wanted[p, j] else y <= margin)
            errors.append(0.0 if right else float(wanted[p, j]) - y)
        for i in range(inputs):
            expected = w[i, j] + 0.2 * sum(e * float(x[p, i]) for p, e in enumerate(errors))
            assert new["input-output"][i, j] == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert new["output"][0, j] == pytest.approx(b[0, j] + 0.2 * sum(errors), rel=1e-12, abs=1e-12)


def test_a_step_shrinks_the_error_of_its_own_pattern_by_a_known_factor() -> None:
    """t − y is multiplied by 1 − η (x·x + 1): gone in one step at η = 1 / (x·x + 1), as large again at twice
    that."""
    x, net = np.array([[0.3, -1.2, 2.0]]), Network.chain(3, 1)
    state = {"params": {"input-output": np.array([[0.1], [0.2], [-0.4]]), "output": np.array([[0.7]])}}
    batch, norm = Batch(x, np.array([[1.0]]), np.array([[True]]), 0), float((x * x).sum()) + 1
    before = 1.0 - DeltaRule().predict(net, state, x)[0, 0]
    for share in (0.3, 1.0, 2.0):
        rule = DeltaRule(lr=share / norm)
        after = 1.0 - rule.predict(net, rule.update(net, state, batch, Rand(0, [0], NOISE)).state, x)[0, 0]
        assert after == pytest.approx((1 - share) * before, abs=1e-12)


def test_on_xor_all_it_learns_is_one_half() -> None:
    """w = 0, b = ½, outputs ½, E = ½ · 4 · (½)² = .5; at ½, or a rounding beside it, nothing is on its
    side."""
    result = run(DeltaRule(lr=0.1), Xor(), replicas=5, epochs=1000, batch="full")
    np.testing.assert_allclose(weights(result), np.broadcast_to([[0.0], [0.0], [0.5]], (5, 3, 1)), atol=1e-12)
    np.testing.assert_allclose(result.trained.loss, 0.5, rtol=1e-12)
    assert list(result.trained.outcome) == [UNSOLVED] * 5
    online = run(DeltaRule(), Xor(), replicas=50, epochs=2000)
    assert not online.solved.any()
    np.testing.assert_allclose(online.trained.loss, 0.5, rtol=0.01)  # it wanders, the less the smaller η is


@pytest.mark.parametrize("twin", [False, True])
def test_all_patterns_at_once_end_at_least_squares(twin: bool) -> None:
    """Against `numpy.linalg.lstsq`; where two inputs are the same and many weights are as good, at those of
    smallest norm."""
    task = Numbers(twin=twin)
    best = np.linalg.lstsq(folded(task), targets(task), rcond=None)[0]
    result = run(DeltaRule(lr=1 / largest_eigenvalue(task)), task, replicas=2, epochs=3000, batch="full")
    np.testing.assert_allclose(weights(result), np.broadcast_to(best, (2, *best.shape)), atol=1e-10)
    residual = targets(task) - folded(task) @ best
    np.testing.assert_allclose(result.trained.loss, 0.5 * (residual**2).sum(), rtol=1e-10)


@pytest.mark.parametrize("task", [Xor(), Symmetry(), Numbers()], ids=lambda task: task.name)
def test_two_over_the_largest_eigenvalue_divides_convergence_from_divergence(task: Task) -> None:
    """Beside the steepest direction: errors along it are multiplied by −.98 or −1.02 a sweep, and go or reach
    10⁶ in time."""
    bound = 2 / largest_eigenvalue(task)
    best = np.linalg.lstsq(folded(task), targets(task), rcond=None)[0]
    below = run(DeltaRule(lr=0.99 * bound), task, replicas=2, epochs=3000, batch="full")
    assert list(below.trained.outcome) == [UNSOLVED] * 2
    np.testing.assert_allclose(weights(below), np.broadcast_to(best, (2, *best.shape)), atol=1e-7)
    above = run(DeltaRule(lr=1.01 * bound), task, replicas=2, epochs=3000, batch="full")
    assert list(above.trained.outcome) == [DIVERGED] * 2


@pytest.mark.parametrize("name", OF_1986)
def test_the_usual_rate_is_within_both_bounds_on_the_tasks_of_1986(name: str) -> None:
    task = registry.tasks()[name]()
    assert DeltaRule().lr < 2 / largest_eigenvalue(task)
    assert DeltaRule().lr < 2 / (folded(task) ** 2).sum(axis=1).max()


@pytest.mark.parametrize("task", [Xor(), Numbers()], ids=lambda task: task.name)
def test_one_pattern_at_a_time_ends_at_the_fixed_point_of_a_sweep(task: Task) -> None:
    """In a fixed order a sweep is the affine map that its steps w ← (I − η x xᵀ) w + η x t compose to."""
    x, t, lr = folded(task), targets(task), 0.07
    turn, shift = np.eye(x.shape[1]), np.zeros((x.shape[1], t.shape[1]))
    for row, wanted in zip(x, t, strict=True):
        step = np.eye(len(row)) - lr * np.outer(row, row)
        turn, shift = step @ turn, step @ shift + lr * np.outer(row, wanted)
    fixed = np.linalg.solve(np.eye(len(turn)) - turn, shift)
    result = run(DeltaRule(lr=lr), task, replicas=2, epochs=1500, shuffle=False)
    np.testing.assert_allclose(weights(result), np.broadcast_to(fixed, (2, *fixed.shape)), atol=1e-10)


@dataclass(frozen=True)
class LinearXor(Xor):
    """XOR for one linear unit, from zero weights."""

    init: str = "zero"

    def network(self) -> Network:
        return Network.chain(2, 1, output="linear")


@pytest.mark.parametrize("batch", [1, 3, "full"])
def test_it_is_backpropagation_without_a_way_back(batch: Any) -> None:
    """The same steps as backprop's on one layer of linear units: in the same order of patterns, to
    rounding."""
    settings: dict[str, Any] = {"replicas": 4, "epochs": 40, "seed": 2, "batch": batch}
    ours, theirs = (
        run(DeltaRule(lr=0.1), Xor(), **settings),
        run(Backprop(GradientDescent(0.1, 0.0)), LinearXor(), **settings),
    )
    np.testing.assert_allclose(weights(ours), weights(theirs), atol=1e-13)
    np.testing.assert_allclose(ours.trained.loss_curve, theirs.trained.loss_curve, rtol=1e-12)


def test_it_finds_the_teacher_of_a_linear_map_and_has_no_bias_where_there_is_none() -> None:
    task = LinearPerceptron(inputs=4, outputs=3, size=50, bound=1e-20)
    result = run(DeltaRule(lr=0.05), task, replicas=5, epochs=300)
    x, target, _ = task.data(Rand(0, range(5), SPLIT), "float64")[:3]
    assert result.solved.all()
    start = DeltaRule().init(task.network(), {}, Rand(0, [0], NOISE))
    assert list(start["params"]) == list(result.trained.weights) == ["input-output"]
    for i in range(5):
        np.testing.assert_allclose(
            result.trained.weights["input-output"][i],
            np.linalg.lstsq(x[i], target[i], rcond=None)[0],
            atol=1e-9,
        )


def test_hidden_units_are_not_there_and_what_a_line_can_do_is_done() -> None:
    """Naming each of eight patterns needs no hidden layer: the encoder's identity is linear."""
    result = run(DeltaRule(), Encoder(), replicas=3, epochs=200)
    assert {name: w.shape for name, w in result.trained.weights.items()} == {
        "input-output": (3, 8, 8),
        "output": (3, 1, 8),
    }
    assert result.solved.all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch", [1, 5, "full"])
def test_a_replica_has_the_same_bits_alone_in_a_batch_and_again(batch: Any, dtype: str) -> None:
    def bits(**more: Any) -> dict[int, Any]:
        t = run(
            DeltaRule(), Numbers(), replicas=6, epochs=20, seed=9, batch=batch, dtype=dtype, **more
        ).trained
        assert {w.dtype for w in t.weights.values()} == {np.dtype(dtype)}
        return {
            int(i): (t.loss_curve[r].tobytes(), *(w[r].tobytes() for w in t.weights.values()))
            for r, i in enumerate(t.replica)
        }

    whole = bits()
    assert bits() == whole
    for i in (0, 4):
        assert bits(only=[i]) == {i: whole[i]}
    assert len(set(whole.values())) == (
        1 if batch == "full" else 6
    )  # it starts from zero: only the order differs


@pytest.mark.parametrize("lr", [0.0, -0.1, float("nan"), float("inf")])
def test_a_bad_rate_gets_one_sentence(lr: float) -> None:
    with pytest.raises(InputError, match=r"^lr must be [^\n]*given$"):
        DeltaRule(lr=lr)


def test_targets_that_are_numbers_are_for_the_delta_rule_not_for_the_perceptron() -> None:
    assert DeltaRule().applies_to(Numbers()) is None
    with pytest.raises(NotApplicable, match="outputs are 0 or 1, but the targets of numbers are numbers"):
        run(Perceptron(), Numbers(), replicas=1)
