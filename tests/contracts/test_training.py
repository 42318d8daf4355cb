"""The training loop held to its documented outcomes, by algorithms made so that what must happen to each
replica is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.perceptron import Perceptron
from harness.core.algorithm import Algorithm, Batch, Network, Rand, State, Update
from harness.core.data import Patterns, Usual, bit_names
from harness.core.errors import InputError
from harness.core.network import Group
from harness.core.optimisers import GradientDescent, SignStep
from harness.core.outcomes import DIVERGED, SOLVED, UNSOLVED
from harness.core.rand import NOISE, ORDER, SPLIT
from harness.core.task import Task
from harness.experiment import chunks
from harness.experiment.result import Result
from harness.experiment.run import run
from harness.tasks.xor import Xor
from harness.training import trainer as training
from harness.training.curves import curve_epochs, quantiles

NEVER = 10**5  # sweeps: more than any budget here, less than a weight may be
TARGETS = np.array([[0.0], [1.0], [1.0], [0.0]])  # XOR in counting order


def xor_of(x: Any) -> Any:
    return np.abs(x[..., :1] - x[..., 1:])


@dataclass(frozen=True)
class Appointed(Algorithm):
    """Knows the answers to XOR, and gives them after an appointed number of updates; wrong about all patterns
    until then.

    With `spread`, replica i is due after a random number of sweeps below it, else all after `due` updates.
    """

    due: int = 0
    spread: int = 0
    per_sweep: int = 1
    shows_output: bool = True

    def init(self, net: Network, params: Any, rand: Rand) -> State:
        due = rand.zeros(1, 1) + self.due
        if self.spread:
            due = np.floor(rand.uniform(1, 1) * self.spread) * self.per_sweep
        return {"params": {"due": due, "count": rand.zeros(1, 1)}}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        output = self.predict(net, state, batch.x) if self.shows_output else None
        return Update({"params": {**state["params"], "count": state["params"]["count"] + 1}}, output)

    def predict(self, net: Network, state: State, x: Any) -> Any:
        ready = state["params"]["count"] >= state["params"]["due"]
        return np.where(ready, xor_of(x), 1 - xor_of(x))


def due_sweeps(result: Result, per_sweep: int = 1) -> np.ndarray:
    return result.trained.weights["due"][:, 0, 0] / per_sweep


@pytest.mark.parametrize("shows_output", [True, False])
@pytest.mark.parametrize("due", [0, 1, 7, 16, 20])
def test_solved_means_solved_after_exactly_that_many_sweeps(due: int, shows_output: bool) -> None:
    t = run(Appointed(due=due, shows_output=shows_output), Xor(), replicas=3, epochs=20).trained
    assert list(t.outcome) == [SOLVED] * 3
    assert list(t.reason) == [""] * 3
    assert t.epochs.tolist() == t.updates.tolist() == [due] * 3
    assert (t.loss == 0).all()
    assert (t.right == 1).all()
    assert (t.weights["count"] == due).all()


@pytest.mark.parametrize(("batch", "per_sweep"), [(1, 4), (2, 2), (3, 2)])
@pytest.mark.parametrize("sweeps", [0, 1, 6, 20])
def test_online_a_solution_counts_when_its_sweep_is_complete(batch: int, per_sweep: int, sweeps: int) -> None:
    """Ready with the last update of a sweep, or with its first: solved after that sweep; one update later, a
    sweep later."""
    for due in {sweeps * per_sweep, max(0, (sweeps - 1) * per_sweep + 1)}:
        t = run(Appointed(due=due), Xor(), replicas=2, epochs=20, batch=batch).trained
        assert list(t.outcome) == [SOLVED] * 2
        assert t.epochs.tolist() == [sweeps] * 2
        assert t.updates.tolist() == [sweeps * per_sweep] * 2
        assert (t.weights["count"] == sweeps * per_sweep).all()
    late = run(Appointed(due=sweeps * per_sweep + 1), Xor(), replicas=1, epochs=30, batch=batch).trained
    assert late.epochs.tolist() == [sweeps + 1]


@pytest.mark.parametrize("batch", ["full", 1])
def test_unsolved_means_the_budget_was_spent(batch: Any) -> None:
    per_sweep = 4 if batch == 1 else 1
    t = run(Appointed(due=21 * per_sweep), Xor(), replicas=3, epochs=20, batch=batch).trained
    assert list(t.outcome) == [UNSOLVED] * 3
    assert all("budget of epochs" in reason for reason in t.reason)
    assert t.epochs.tolist() == [20] * 3
    assert t.updates.tolist() == [20 * per_sweep] * 3
    assert (t.weights["count"] == 20 * per_sweep).all()
    assert (t.right == 0).all()
    assert (t.loss == 2.0).all()  # ½ Σ 1² over four patterns


@pytest.mark.parametrize(("batch", "per_sweep"), [("full", 1), (1, 4)])
def test_every_replica_has_an_outcome_at_its_own_time(batch: Any, per_sweep: int) -> None:
    """Nothing is dropped, nothing is moved to another replica's place, whoever leaves the batch first."""
    result = run(Appointed(spread=60, per_sweep=per_sweep), Xor(), replicas=80, epochs=40, batch=batch)
    t, due = result.trained, due_sweeps(result, per_sweep)
    assert len(set(due)) > 20
    assert t.replica.tolist() == list(range(80))
    noise = Rand(0, range(80), NOISE)
    np.testing.assert_array_equal(due, np.floor(noise.uniform(1, 1)[:, 0, 0] * 60))
    np.testing.assert_array_equal(t.outcome == SOLVED, due <= 40)
    np.testing.assert_array_equal(t.outcome == UNSOLVED, due > 40)
    np.testing.assert_array_equal(t.epochs, np.minimum(due, 40))
    np.testing.assert_array_equal(t.updates, t.epochs * per_sweep)
    np.testing.assert_array_equal(t.weights["count"][:, 0, 0], t.updates)
    assert result.solved.tolist() == (due <= 40).tolist()
    assert len(result.frame()) == 80


class Clock:
    """One second between any two looks at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.mark.parametrize("batch", ["full", 1])
def test_seconds_are_shared_among_those_running(monkeypatch: pytest.MonkeyPatch, batch: Any) -> None:
    """Every sweep takes one second of this clock: replica i owes Σ over its sweeps of 1 / (replicas still
    running then)."""
    monkeypatch.setattr(training, "perf_counter", Clock())
    per_sweep = 4 if batch == 1 else 1
    result = run(Appointed(spread=30, per_sweep=per_sweep), Xor(), replicas=25, epochs=40, batch=batch)
    due, seconds = due_sweeps(result, per_sweep), result.trained.seconds
    expected = [sum(1 / np.count_nonzero(due > t) for t in range(int(end))) for end in due]
    np.testing.assert_allclose(seconds, expected, rtol=1e-12)
    np.testing.assert_allclose(
        seconds.sum(), due.max(), rtol=1e-12
    )  # shares add up to all the time there was


def test_a_budget_of_seconds_ends_a_run_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps of one second, a budget of 10.5: the eleventh goes past it, and is the last."""
    monkeypatch.setattr(training, "perf_counter", Clock())
    result = run(Appointed(spread=30), Xor(), replicas=25, epochs=1000, seconds=10.5)
    t, due = result.trained, due_sweeps(result)
    np.testing.assert_array_equal(t.outcome == SOLVED, due <= 11)
    np.testing.assert_array_equal(t.epochs, np.minimum(due, 11))
    for reason in t.reason[due > 11]:
        assert "budget of seconds" in reason
    np.testing.assert_allclose(t.seconds.sum(), 11.0, rtol=1e-12)
    assert np.isfinite(t.loss_curve).all()


def test_chunks_share_a_budget_of_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget is for the whole cell: of 10.5 s, four equal chunks get 2.625 each, so three sweeps of one
    second."""
    monkeypatch.setattr(training, "perf_counter", Clock())
    for limit in ("SMALLEST", "LARGEST"):
        monkeypatch.setattr(chunks, limit, 5)
    t = run(Appointed(due=NEVER), Xor(), replicas=20, epochs=1000, seconds=10.5).trained
    assert t.epochs.tolist() == [3] * 20


def test_real_seconds_are_real() -> None:
    """A budget of seconds ends a run by the clock of the machine, not only by the one tests hand in."""
    result = run(Backprop(), Xor(), replicas=2, epochs=10**6, seconds=0.05, seed=3)
    t = result.trained
    assert set(t.outcome) <= {SOLVED, UNSOLVED}
    assert (t.epochs < 10**6).all()
    assert 0 < t.seconds.sum() < 1


@dataclass(frozen=True)
class Growing(Appointed):
    """Wrong for good, with one weight that is multiplied by `factor` at every update, or replaced at update
    `at`."""

    factor: float = 10.0
    at: int = 0
    value: str = "0"  # a word: no setting may be anything but finite
    due: int = NEVER

    def init(self, net: Network, params: Any, rand: Rand) -> State:
        state = super().init(net, params, rand)
        return {"params": {**state["params"], "culprit": rand.zeros(2, 3) + 1.0}}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        params = state["params"]
        new, output = super().update(net, state, batch, rand)
        grown = params["culprit"] * (1.0 if self.at else self.factor)
        culprit = np.where(params["count"] + 1 == self.at, float(self.value), grown)
        return Update({"params": {**new["params"], "culprit": culprit, "due": params["due"]}}, output)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("at", [1, 5, 100])
@pytest.mark.parametrize("batch", ["full", 1])
def test_a_weight_that_is_not_finite_is_divergence(value: str, at: int, batch: Any) -> None:
    """Noticed within 16 epochs of the update that made it, named, without a warning and without an
    exception."""
    t = run(Growing(at=at, value=value), Xor(), replicas=3, epochs=1000, batch=batch).trained
    sweep = -(-at // (4 if batch == 1 else 1))
    assert list(t.outcome) == [DIVERGED] * 3
    assert ((t.epochs >= sweep) & (t.epochs <= sweep + 16)).all()
    assert all("culprit" in reason and "not finite" in reason for reason in t.reason)
    assert np.isinf(t.loss_curve[:, curve_epochs(1000) >= t.epochs[0]]).all()
    assert not np.isnan(t.loss_curve).any()


def test_divergence_between_curve_points_is_noticed_within_16_epochs() -> None:
    """After 3,010 of 100,000 sweeps the curve has a point every 180 or so."""
    t = run(Growing(at=3010, value="nan"), Xor(), replicas=1, epochs=100_000).trained
    assert 3010 <= t.epochs[0] <= 3026


def test_a_weight_beyond_the_bound_is_divergence() -> None:
    """10^t passes 1e6 after 7 sweeps, where every epoch is on the curve and so looked at."""
    t = run(Growing(factor=10.0), Xor(), replicas=3, epochs=1000).trained
    assert list(t.outcome) == [DIVERGED] * 3
    assert t.epochs.tolist() == [7] * 3
    assert all("culprit" in reason and "beyond 1e+06" in reason for reason in t.reason)
    assert (t.weights["culprit"] == 1e7).all()


def test_a_weight_at_the_bound_is_not_divergence() -> None:
    t = run(Growing(at=3, value="1e6"), Xor(), replicas=1, epochs=50).trained
    assert list(t.outcome) == [UNSOLVED]


@dataclass(frozen=True)
class LoudOutput(Appointed):
    """Finite weights, an output that leaves all bounds after five sweeps."""

    def predict(self, net: Network, state: State, x: Any) -> Any:
        return np.where(state["params"]["count"] >= 5, np.inf, 0.0) + 0.0 * x[..., :1]


def test_an_output_that_is_not_finite_is_divergence() -> None:
    t = run(LoudOutput(), Xor(), replicas=2, epochs=100).trained
    assert list(t.outcome) == [DIVERGED] * 2
    assert t.epochs.tolist() == [5] * 2
    assert all("output" in reason and "not finite" in reason for reason in t.reason)


@dataclass(frozen=True)
class Unbounded(Xor):
    """XOR with a linear output, which nothing keeps from growing."""

    def network(self) -> Network:
        return Network.chain(2, 8, 1, hidden="tanh", output="linear")


def test_a_real_divergence_takes_nobody_along() -> None:
    """At a rate that is too much for some: they overflow, a warning would be an error here, the others go on
    to their ends."""
    t = run(
        Backprop(optimiser=GradientDescent(0.15, 0.0)), Unbounded(scale=1.0), replicas=60, epochs=30
    ).trained
    assert set(t.outcome) == {SOLVED, UNSOLVED, DIVERGED}
    diverged = t.outcome == DIVERGED
    assert np.isinf(t.loss_curve[diverged, -1]).all()
    assert np.isfinite(t.loss_curve[~diverged]).all()
    assert not np.isnan(t.loss_curve).any()
    assert all(
        bool(reason) == (outcome != SOLVED) for reason, outcome in zip(t.reason, t.outcome, strict=True)
    )


CRITERIA = [Xor(), Xor(share=0.75), Xor(criterion="margin", bound=0.3), Xor(criterion="error", bound=0.1)]


def predictions(result: Result, x: Any) -> Any:
    """Outputs of a network built again from the weights by name."""
    net = result.task.network()
    return net.forward({k: result.trained.weights[k.name] for k in net.shapes}, x)[net.output]


@pytest.mark.parametrize("batch", ["full", 1])
@pytest.mark.parametrize("task", CRITERIA, ids=["side", "share", "margin", "error"])
def test_final_weights_are_those_that_met_the_criterion(task: Xor, batch: Any) -> None:
    result = run(Backprop(), task, replicas=30, epochs=500, batch=batch, seed=2)
    t = result.trained
    y = predictions(result, task.patterns().x)
    met = {
        "side": ((y > 0.5) == (TARGETS > 0.5)).mean(axis=(1, 2)) >= task.share,
        "margin": (np.abs(y - TARGETS) < 0.3).all(axis=(1, 2)),
        "error": 0.5 * ((y - TARGETS) ** 2).sum(axis=(1, 2)) < 0.1,
    }[task.criterion]
    assert met.any()
    np.testing.assert_array_equal(t.outcome == SOLVED, met)
    np.testing.assert_allclose(t.loss, 0.5 * ((y - TARGETS) ** 2).sum(axis=(1, 2)), rtol=1e-12)
    if task.criterion == "side":
        np.testing.assert_array_equal(t.right, ((y > 0.5) == (TARGETS > 0.5)).all(axis=2).mean(axis=1))


@pytest.mark.parametrize("batch", ["full", 1])
def test_one_sweep_less_is_not_enough(batch: Any) -> None:
    """The epoch of a solution is the first: a budget one sweep short of it leaves the same replica
    unsolved."""
    whole = run(Backprop(), Xor(), replicas=12, epochs=500, batch=batch, seed=2)
    solved = np.flatnonzero(whole.solved)
    assert len(solved) >= 3
    for i in solved[:3]:
        epochs = int(whole.trained.epochs[i])
        less = run(Backprop(), Xor(), only=[int(i)], epochs=epochs - 1, batch=batch, seed=2)
        assert less.trained.outcome[0] == UNSOLVED
        enough = run(Backprop(), Xor(), only=[int(i)], epochs=epochs, batch=batch, seed=2)
        assert (enough.trained.outcome[0], enough.trained.epochs[0]) == (SOLVED, epochs)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.integers(1, 10**7))
def test_curve_epochs_are_few_ordered_and_log_spaced(budget: int) -> None:
    """From 0 to the budget, at most 200; no gap wider than even spacing on log(1 + epoch), give or take
    rounding."""
    points = curve_epochs(budget)
    assert points[0] == 0
    assert points[-1] == budget
    assert len(points) <= 200
    assert (np.diff(points) >= 1).all()
    ratio = (budget + 1) ** (1 / 199)
    assert (np.diff(points) <= np.maximum(1, (ratio - 1) * (points[:-1] + 1.5) + 1)).all()


def test_quantiles_are_values_of_replicas_and_let_some_stand_at_infinity() -> None:
    """Nine finite of ten: the median is the fifth smallest, the highest is infinite, no NaN from inf −
    inf."""
    curves = np.array([[float(i)] for i in range(1, 10)] + [[np.inf]])
    assert quantiles(curves).tolist() == [[1.0, 3.0, 5.0, 8.0, np.inf]]


@pytest.mark.parametrize("batch", ["full", 1])
def test_curves_show_each_replica_until_it_finishes_and_then_keep_its_last_value(batch: Any) -> None:
    per_sweep = 4 if batch == 1 else 1
    result = run(Appointed(spread=60, per_sweep=per_sweep), Xor(), replicas=40, epochs=40, batch=batch)
    due = due_sweeps(result, per_sweep)
    done = result.epochs[None, :] >= due[:, None]
    np.testing.assert_array_equal(result.trained.loss_curve, np.where(done, 0.0, 2.0))
    np.testing.assert_array_equal(result.trained.right_curve, np.where(done, 1.0, 0.0))
    frame = result.curves()
    assert frame["epoch"].tolist() == result.epochs.tolist()
    share = done.mean(axis=0)  # loss is 2 for those not done: the median falls when half are
    np.testing.assert_array_equal(frame["loss_q50"], np.where(share >= 0.5, 0.0, 2.0))


@pytest.mark.parametrize("batch", ["full", 1])
def test_curves_are_the_losses_of_shorter_runs(batch: Any) -> None:
    """An independent look at a curve: the final loss of a run with that budget."""
    whole = run(Backprop(), Xor(), replicas=6, epochs=40, batch=batch, seed=2).trained
    for epochs in (1, 2, 17, 40):
        short = run(Backprop(), Xor(), replicas=6, epochs=epochs, batch=batch, seed=2).trained
        column = list(curve_epochs(40)).index(epochs)
        np.testing.assert_array_equal(whole.loss_curve[:, column], short.loss)
        np.testing.assert_array_equal(whole.right_curve[:, column], short.right)


@dataclass(frozen=True)
class HalfKnown(Task):
    """Eight patterns of three bits, on when the first bit is; three of them held out."""

    usual: ClassVar[Usual] = Usual(lr=0.5, momentum=0.9, scale=0.5, epochs=200)

    def network(self) -> Network:
        return Network.chain(3, 2, 1)

    def patterns(self) -> Patterns:
        x = ((np.arange(8)[:, None] >> np.arange(2, -1, -1)) & 1).astype(float)
        return Patterns(x, x[:, :1] == 1, bit_names(x))

    @property
    def held_out(self) -> int:
        return 3


def test_held_out_patterns_are_each_replicas_own_and_complete_the_rest() -> None:
    data = HalfKnown().data(Rand(0, range(400), SPLIT), "float64")
    code = np.array([[4.0], [2.0], [1.0]])
    kept, held = (data.x @ code)[..., 0], (data.held.x @ code)[..., 0]
    assert kept.shape == (400, 5)
    assert held.shape == (400, 3)
    np.testing.assert_array_equal(np.sort(np.hstack([kept, held])), np.tile(np.arange(8), (400, 1)))
    for part in (data, data.held):
        np.testing.assert_array_equal(part.wanted, part.x[..., :1] == 1)
        np.testing.assert_array_equal(part.target, part.x[..., :1])
    # each pattern is held out with probability 3/8: 5 standard errors, false alarm 8 × 6e-7, seeded
    share = np.array([(held == p).any(axis=1).mean() for p in range(8)])
    assert (np.abs(share - 3 / 8) < 5 * np.sqrt(3 / 8 * 5 / 8 / 400)).all()


@pytest.mark.parametrize("batch", ["full", 1, 2])
def test_held_out_share_is_that_of_the_final_weights(batch: Any) -> None:
    result = run(Backprop(), HalfKnown(), replicas=20, batch=batch, seed=4)
    t, data = result.trained, HalfKnown().data(Rand(4, range(20), SPLIT), "float64")
    right = lambda part: ((predictions(result, part.x) > 0.5) == part.wanted).all(axis=2).mean(axis=1)  # noqa: E731
    np.testing.assert_array_equal(t.right, right(data))
    np.testing.assert_array_equal(t.held_right, right(data.held))
    assert len(set(t.epochs)) > 3  # replicas left at different times, each with its own patterns
    assert result.solved.any()


def test_without_held_out_patterns_there_is_no_share_of_them() -> None:
    assert np.isnan(run(Appointed(), Xor(), replicas=2, epochs=1).trained.held_right).all()


@dataclass(frozen=True)
class Diary(Algorithm):
    """Learns nothing and writes down what it is shown: patterns as numbers 0 to 3, targets, and the sweep."""

    pages: Any = None

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        shape = (*np.shape(state["params"][net.output])[:-2], *batch.x.shape[-2:])
        number = np.broadcast_to(batch.x, shape) @ np.array([2.0, 1.0])
        target = np.broadcast_to(batch.target, (*shape[:-1], 1))[..., 0]
        wanted = np.broadcast_to(batch.wanted, (*shape[:-1], 1))[..., 0]
        self.pages.append((batch.epoch, number, target, wanted))
        return Update(state, None)


def diary(replicas: int, epochs: int, batch: Any, **settings: Any) -> list[Any]:
    pages: list[Any] = []
    # it learns by writing down, and so would be asked before the run, too
    run(Diary(pages), Xor(), replicas=replicas, epochs=epochs, batch=batch, unchecked=True, **settings)
    return pages


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_without_shuffling_patterns_come_in_their_order(batch: int) -> None:
    pages = diary(2, 3, batch, shuffle=False)
    parts = [list(range(start, min(start + batch, 4))) for start in range(0, 4, batch)]
    assert [epoch for epoch, *_ in pages] == [e for e in range(3) for _ in parts]
    for (_, number, *_), part in zip(pages, parts * 3, strict=True):
        assert number.tolist() == [part] * 2


@pytest.mark.parametrize("batch", [1, 3])
def test_shuffled_every_sweep_shows_every_pattern_once_in_each_replicas_own_order(batch: int) -> None:
    pages = diary(5, 8, batch, seed=6)
    order = Rand(6, range(5), ORDER)
    sweeps = []
    for epoch in range(8):
        shown = np.hstack([number for e, number, *_ in pages if e == epoch])
        np.testing.assert_array_equal(np.sort(shown), np.tile(np.arange(4), (5, 1)))
        np.testing.assert_array_equal(shown, order.permutation(4))  # the stream of this purpose, nothing else
        sweeps.append(shown.tolist())
    assert len({str(s) for s in sweeps}) > 4
    assert len({str([s[i] for s in sweeps]) for i in range(5)}) == 5
    for _, number, target, wanted in pages:  # a pattern and its target stay together
        np.testing.assert_array_equal(target, TARGETS[number.astype(int), 0])
        np.testing.assert_array_equal(wanted, target == 1)


def test_full_batches_are_all_patterns_in_their_order() -> None:
    for _, number, *_ in diary(2, 3, "full"):
        assert number.tolist() == [[0, 1, 2, 3]] * 2


def test_a_batch_of_all_patterns_is_a_full_batch() -> None:
    four, full = (
        run(Backprop(), Xor(), replicas=4, epochs=100, batch=b, seed=1).trained for b in (4, "full")
    )
    for name in full.weights:
        assert four.weights[name].tobytes() == full.weights[name].tobytes()
    assert four.epochs.tolist() == full.epochs.tolist()


def test_online_algorithms_are_online_unless_told_otherwise() -> None:
    assert run(Perceptron(), Xor(), replicas=1, epochs=5).trained.updates.tolist() == [20]
    assert run(Perceptron(), Xor(), replicas=1, epochs=5, batch="full").trained.updates.tolist() == [5]
    assert run(Perceptron(), Xor(), replicas=1, epochs=5, shuffle=False).trained.updates.tolist() == [20]


def test_what_is_usual_fills_what_is_left_open_and_nothing_else() -> None:
    """Xor's usual ε = .5, α = .9, 5,000 sweeps, ±.5."""
    result = run(Backprop(), Xor(), replicas=1)
    assert (result.algorithm.optimiser.lr, result.algorithm.optimiser.momentum, result.settings.epochs) == (
        0.5,
        0.9,
        5000,
    )
    assert (result.task.scale, result.settings.batch) == (0.5, "full")
    given_ = run(
        Backprop(optimiser=GradientDescent(0.25, momentum=0.0)), Xor(scale=0.1), replicas=1, epochs=3
    )
    assert (given_.algorithm.optimiser.lr, given_.algorithm.optimiser.momentum, given_.settings.epochs) == (
        0.25,
        0.0,
        3,
    )
    assert given_.task.scale == 0.1
    assert run(Backprop(optimiser=SignStep()), Xor(), replicas=1, epochs=1).algorithm.optimiser.lr == 0.01


def test_float32_stays_float32_to_the_end() -> None:
    for init in ("uniform", "glorot", "he"):
        weights = run(Backprop(), Xor(init=init), replicas=2, epochs=20, dtype="float32").trained.weights
        assert {a.dtype for a in weights.values()} == {np.dtype("float32")}


def test_tick_hears_of_every_epoch() -> None:
    """A progress bar would stand still or run ahead."""
    heard: list[int] = []
    run(Appointed(due=NEVER), Xor(), tick=heard.append, replicas=2, epochs=5)
    assert heard == [1, 2, 3, 4, 5]


BAD = [
    ({"replicas": 0}, "replicas"),
    ({"replicas": -3}, "replicas"),
    ({"replicas": 2.5}, "replicas"),
    ({"seed": -1}, "seed"),
    ({"seed": 0.5}, "seed"),
    ({"epochs": 0}, "epochs"),
    ({"epochs": 2.5}, "epochs"),
    ({"epochs": float("inf")}, "epochs"),
    ({"seconds": 0.0}, "seconds"),
    ({"seconds": float("nan")}, "seconds"),
    ({"processes": 0}, "processes"),
    ({"batch": 0}, "batch"),
    ({"batch": -1}, "batch"),
    ({"batch": 1.5}, "batch"),
    ({"batch": "half"}, "batch"),
    ({"batch": True}, "batch"),
    ({"batch": 5}, "batch"),
    ({"dtype": "float16"}, "float32"),
    ({"dtype": "int64"}, "float64"),
    ({"shuffle": False}, "shuffle"),
    ({"shuffle": False, "batch": "full"}, "shuffle"),
    ({"shuffle": False, "batch": 4}, "shuffle"),
    ({"only": []}, "only"),
    ({"only": [-1]}, "only"),
    ({"replica": 3}, "replicas"),
    ({"epoch": 3}, "epochs"),
    ({"sed": 3}, "seed"),
]


@pytest.mark.parametrize(("given_", "named"), BAD, ids=lambda v: str(v))
def test_a_bad_setting_gets_one_sentence(given_: dict[str, Any], named: str) -> None:
    """What is wrong, what is allowed, and for a misspelt name the one that was meant."""
    with pytest.raises(InputError) as caught:
        run(Backprop(), Xor(), **given_)
    message = str(caught.value)
    assert named in message
    assert "\n" not in message
    assert len(message) < 250
    if set(given_) & {"replica", "epoch", "sed"}:
        assert f"did you mean {named!r}" in message


def test_groups_and_weights_have_the_names_of_the_network() -> None:
    t = run(Backprop(), Xor(), replicas=2, epochs=1).trained
    net = Xor().network()
    assert {n: a.shape for n, a in t.weights.items()} == {
        k.name: (2, *shape) for k, shape in net.shapes.items()
    }
    assert all(isinstance(k, Group) or k.name == f"{k.source.name}-{k.target.name}" for k in net.shapes)
