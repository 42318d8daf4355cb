"""Settling held to a plain loop over one network at a time: the same bits and the same number of steps alone,
in any batch, in both layouts, whoever has settled before; and the same steps compiled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.contrastive_hebbian import ContrastiveHebbian, Generec
from algorithms.equilibrium_propagation import EquilibriumPropagation
from harness import settle
from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.compiling import device
from harness.core import settling
from harness.core.batch import Batch
from harness.core.edges import Edge, Group
from harness.core.initial import initial
from harness.core.lanes import Lanes, laid
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, SPLIT, WEIGHTS, Rand
from harness.core.readings import Interpreted, Reading, read_by, reading
from harness.core.riding import Riding
from harness.experiment.run import run, run_cell
from harness.experiment.together import groups, run_together
from harness.tasks.digits import Digits
from harness.tasks.encoder import Encoder
from harness.tasks.xor import Xor

Array = Any
quick = settings(deadline=None, derandomize=True, max_examples=60)
MOST = 40
UNPOLISHED = {  # compiled in half the time
    "xla_cpu_use_fusion_emitters": False,
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
}
LAYOUTS: dict[str, tuple[type[Reading], Any]] = {"first": (Interpreted, lambda a: a), "last": (Lanes, laid)}
ONE, TWO = Group("one", 3, "tanh"), Group("two", 2, "tanh")
UP, DOWN = Edge(ONE, TWO), Edge(TWO, ONE)


def drawn(replicas: int, seed: int, dtype: str = "float64") -> dict[str, Array]:
    """Networks of two groups that hear each other, of very different haste; three patterns of their own."""
    rng = np.random.default_rng(seed)
    shapes = {"up": (3, 2), "down": (2, 3), "x": (3, 3), "one": (3, 3), "two": (3, 2)}
    made = {name: rng.normal(size=(replicas, *shape)) for name, shape in shapes.items()}
    made["rate"] = rng.uniform(0.05, 1.0, (replicas, 1, 1))
    return {name: a.astype(dtype) for name, a in made.items()}


def step(state: Any, beside: Any) -> Any:
    """Two groups in turn, over edges, as a rule's own step."""
    read = reading()
    one = state["one"] + beside["rate"] * (
        np.tanh(beside["x"] + read.send(DOWN, beside["down"], state["two"])) - state["one"]
    )
    new = np.tanh(read.send(UP, beside["up"], one))
    return {"one": one, "two": state["two"] + beside["rate"] * (new - state["two"])}


def rest(made: dict[str, Array], tolerance: Any, layout: str = "first", most: int = MOST) -> settling.Settled:
    kind, lay = LAYOUTS[layout]
    at = {name: lay(a) for name, a in made.items()}
    around = {name: at[name] for name in ("up", "down", "x", "rate")}
    with read_by(kind()):
        return settle(most, step, {name: at[name] for name in ("one", "two")}, around, tolerance)


def rows_of(at: settling.Settled, rows: Any) -> list[bytes]:
    return [np.asarray(a)[rows].tobytes() for a in (*at.state.values(), at.steps, at.moved)]


@contextmanager
def leave_at(share: float) -> Iterator[None]:
    """Networks that have settled leave the batch at another share of those that still move; 0: never."""
    before, settling.LEAVE_AT = settling.LEAVE_AT, share
    try:
        yield
    finally:
        settling.LEAVE_AT = before


TOLERANCES = st.sampled_from([0.0, 1e-6, 1e-3, 0.03, 0.3])


@pytest.mark.parametrize("layout", LAYOUTS)
@quick
@given(
    st.integers(3, 9),
    st.integers(0, 999),
    TOLERANCES,
    st.sampled_from(["float64", "float32"]),
    st.sampled_from([0.0, 0.4, 0.75, 1.0]),
    st.data(),
)
def test_a_network_has_the_bits_that_it_has_with_others_or_with_none(
    layout: str, replicas: int, seed: int, tolerance: float, dtype: str, share: float, data: st.DataObject
) -> None:
    """In the layout with replicas last no fewer than two are ever looked at; whenever the settled leave."""
    made = drawn(replicas, seed, dtype)
    whole = rest(made, tolerance, layout)
    fewest = 2 if layout == "last" else 1
    some = data.draw(st.lists(st.integers(0, replicas - 1), min_size=fewest, max_size=replicas, unique=True))
    with leave_at(share):
        few = rest({name: a[some] for name, a in made.items()}, tolerance, layout)
    assert rows_of(few, slice(None)) == rows_of(whole, some)


@quick
@given(st.integers(0, 999), st.sampled_from([1e-9, 1e-6, 1e-3, 0.03, 0.3]))
def test_it_is_a_plain_loop_over_one_network_at_a_time(seed: int, tolerance: float) -> None:
    """Steps are those taken: the last of them is the first in which nothing moves further."""
    made = drawn(6, seed)
    found = rest(made, tolerance)
    for i in range(6):
        own = {name: a[i] for name, a in made.items()}
        one, two, steps, moved = own["one"], own["two"], 0, np.inf
        while steps < MOST and moved > tolerance:
            new = one + own["rate"] * (np.tanh(own["x"] + two @ own["down"]) - one)
            last = two + own["rate"] * (np.tanh(new @ own["up"]) - two)
            moved = max(np.abs(new - one).max(), np.abs(last - two).max())
            one, two, steps = new, last, steps + 1
        assert found.steps[i, 0, 0] == steps
        np.testing.assert_allclose(found.moved[i, 0, 0], moved, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(found.state["one"][i], one, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(found.state["two"][i], two, rtol=1e-12, atol=1e-14)


def test_these_networks_settle_at_different_times() -> None:
    """Without some that leave early, and some that never settle, the laws above would be held on nothing."""
    steps = rest(drawn(9, 0), 1e-3).steps.ravel()
    assert len(set(steps)) > 4
    assert steps.min() < 0.5 * MOST
    assert steps.max() == MOST


@pytest.mark.parametrize("tolerance", [1e-3, 0.0])
def test_the_plain_reading_has_the_bits_of_the_one_that_lets_them_leave(tolerance: float) -> None:
    made = drawn(9, 3)

    class Plain(Interpreted):
        settle = Reading.settle

    found = rest(made, tolerance)
    around = {name: made[name] for name in ("up", "down", "x", "rate")}
    with read_by(Plain()):
        plain = settle(MOST, step, {name: made[name] for name in ("one", "two")}, around, tolerance)
    assert rows_of(found, slice(None)) == rows_of(plain, slice(None))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_not_a_number_never_settles_and_leaves_the_others_alone(layout: str) -> None:
    made = drawn(5, 1)
    made["rate"][:] = 0.9
    made["up"] *= 0.3
    sane = rest(made, 1e-3, layout)
    made["x"][2, 0, 0] = np.nan
    found = rest(made, 1e-3, layout)
    assert found.steps[2, 0, 0] == MOST
    assert np.isnan(found.moved[2, 0, 0])
    others = [0, 1, 3, 4]
    assert rows_of(found, others) == rows_of(sane, others)
    assert (sane.steps < MOST).all()


def test_a_tolerance_of_its_own_rides_with_each_network() -> None:
    made, each = drawn(4, 2), [1e-1, 1e-3, 1e-5, 1e-9]
    together = rest(made, Riding(each, np.arange(4)))
    for i, tolerance in enumerate(each):
        alone = rest({name: a[i : i + 1] for name, a in made.items()}, tolerance)
        assert rows_of(together, [i]) == rows_of(alone, [0])


def test_what_all_share_has_one_row_or_none() -> None:
    """Patterns (1, N, k) and a number beside weights of their own."""
    made = drawn(5, 4)
    made["rate"], made["x"] = np.float64(0.7), made["x"][:1]
    shared = rest(made, 1e-3)
    made["x"] = np.repeat(made["x"], 5, axis=0)
    assert rows_of(rest(made, 1e-3), slice(None)) == rows_of(shared, slice(None))


# The rules that settle

RULES = {
    "equilibrium_propagation": EquilibriumPropagation(beta=0.3),
    "contrastive_hebbian": ContrastiveHebbian(gamma=0.3),
    "generec": Generec(midpoint=True, symmetric=True),
}
every_rule = pytest.mark.parametrize("name", RULES)


@every_rule
def test_a_replica_alone_has_the_steps_and_the_bits_that_it_has_in_a_batch(name: str) -> None:
    how: dict[str, Any] = {"epochs": 40, "seed": 2}
    whole = run(RULES[name], Xor(hidden=4, scale=2.0), replicas=6, **how).trained
    assert len(set(whole.told["settling_steps"].tolist())) > 3
    for i in (0, 4):
        alone = run(RULES[name], Xor(hidden=4, scale=2.0), replicas=6, only=[i], **how).trained
        for column, a in whole.told.items():
            assert a[i] == alone.told[column][0], column
        for key, w in whole.weights.items():
            assert w[i].tobytes() == alone.weights[key][0].tobytes(), key


@every_rule
def test_compiled_a_network_takes_the_same_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To rounding, which would have to fall between a movement and the tolerance to change a step; learning
    makes a million of it in 20 epochs."""
    monkeypatch.setattr(device, "QUICKER", UNPOLISHED)
    how: dict[str, Any] = {"replicas": 8, "epochs": 8, "seed": 2}
    one, other = (
        run(RULES[name], Xor(hidden=3, scale=1.5), **how, **more).trained for more in ({}, {"backend": "jax"})
    )
    assert other.ran["backend"] == "jax"
    for column, a in one.told.items():
        np.testing.assert_array_equal(other.told[column], a, err_msg=column)
    for key, w in one.weights.items():
        np.testing.assert_allclose(other.weights[key], w, rtol=1e-8, atol=1e-10, err_msg=key)


@pytest.mark.slow
@every_rule
def test_compiled_a_network_takes_the_same_steps_on_digits(name: str) -> None:
    one, other = (
        run(RULES[name], Digits(hidden=16), replicas=2, epochs=1, batch=64, **more).trained
        for more in ({}, {"backend": "jax"})
    )
    for column, a in one.told.items():
        np.testing.assert_array_equal(other.told[column], a, err_msg=column)
    for key, w in one.weights.items():
        np.testing.assert_allclose(other.weights[key], w, rtol=1e-7, atol=1e-9, err_msg=key)


GRIDS: dict[str, dict[str, tuple[float, ...]]] = {
    "equilibrium_propagation": {"beta": (0.1, 0.5), "epsilon": (0.5, 0.9), "tolerance": (1e-2, 1e-3)},
    "contrastive_hebbian": {"gamma": (0.05, 0.5), "epsilon": (0.5, 0.9), "tolerance": (1e-2, 1e-3)},
    "generec": {"epsilon": (0.5, 0.9), "tolerance": (1e-2, 1e-3)},
}


@every_rule
def test_cells_of_one_batch_that_differ_in_numbers_have_the_bits_they_have_alone(name: str) -> None:
    """Some solve and leave the batch, some settle before others in every phase."""
    grid = GRIDS[name]
    task, how = Xor(hidden=4, scale=1.5), Settings(replicas=3, epochs=60, seed=5)
    cells = [
        Cell.made(replace(RULES[name], **dict(zip(grid, values, strict=True))), task, how)
        for values in product(*grid.values())
    ]
    (job,) = groups(cells)
    assert len(job.places) == len(cells)
    for cell, result in zip(cells, run_together(cells), strict=True):
        alone = run_cell(cell.algorithm, cell.task, cell.settings).trained
        for key, w in alone.weights.items():
            assert result.trained.weights[key].tobytes() == w.tobytes(), key
        for column, a in alone.told.items():
            assert result.trained.told[column].tobytes() == a.tobytes(), column


@every_rule
def test_a_network_that_settles_in_no_phase_is_counted_and_goes_on(name: str) -> None:
    """Steps of ε = .05 and a cap that lets a unit alone come to rest, but no network."""
    rule = replace(RULES[name], epsilon=0.05, tolerance=1e-3, steps=80, steps_taught=80)
    found = run(rule, Encoder(size=4, hidden=3, scale=4.0), replicas=4, epochs=3).trained
    phases = {"equilibrium_propagation": 3, "contrastive_hebbian": 2, "generec": 2}[name]
    assert ((found.told["unsettled"] >= 0) & (found.told["unsettled"] <= 1)).all()
    assert (found.told["settling_steps"] <= 80).all()
    assert found.told["unsettled"].max() > 0
    counts = found.told["unsettled"] * phases * 3
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)


@every_rule
def test_what_is_told_is_the_count_of_the_phases_of_all_updates(name: str) -> None:
    """By hand, over five updates: phases whose last movement was beyond the tolerance, and all their steps;
    the cap of a taught phase is not that of a free one."""
    rule, task, numbers = RULES[name].resolved(Xor().usual), Xor(hidden=4, scale=5.0).resolved(), range(6)
    rule = replace(rule, steps=7, steps_taught=6)
    net, noise = task.network(), Rand(0, numbers, NOISE)
    data = task.data(Rand(0, numbers, SPLIT), np.float64)
    params = initial(net, Rand(0, numbers, WEIGHTS), task.init, task.initial_scale)
    state = rule.init(net, params, noise)
    phases, unsettled, steps = 0, np.zeros(6), np.zeros(6)
    for epoch in range(5):
        batch = Batch.of(data, np.full((), float(epoch)), task.objective)
        for phase in rule.learn(net, state["params"], batch).phases:
            phases, steps = phases + 1, steps + phase.steps.ravel()
            unsettled += ~(phase.moved.ravel() <= rule.at_rest(net))
        state = rule.update(net, state, batch, noise).state
    told = rule.told(state)
    assert 0 < unsettled.sum() < 6 * phases
    np.testing.assert_allclose(told["unsettled"].ravel(), unsettled / phases, rtol=1e-12)
    np.testing.assert_allclose(told["settling_steps"].ravel(), steps / phases, rtol=1e-12)


def test_a_tolerance_of_0_takes_every_step_and_says_nothing_of_rest() -> None:
    rule = EquilibriumPropagation(GradientDescent(0.1, 0.0), tolerance=0.0, steps=7, steps_taught=3)
    told = run(rule, Xor(), replicas=3, epochs=2).trained.told
    assert set(told) == {"settling_steps"}
    np.testing.assert_allclose(told["settling_steps"], (7 + 3 + 3) / 3, rtol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("least", [1, 3, 7])
def test_nothing_is_at_rest_before_as_many_steps_as_are_asked(layout: str, least: int) -> None:
    """A step that halves the way, from where it is: alone it would be at rest after one step, or three."""
    kind, lay = LAYOUTS[layout]
    s = lay(np.array([0.0, 1e-4, 0.4])[:, None, None] * np.ones((3, 2, 2)))
    with read_by(kind()):
        at = settle(20, lambda s, _: 0.5 * s, s, (), 0.06, least)
    alone = np.array([1, 1, 3])
    assert at.steps.ravel().tolist() == np.maximum(alone, least).tolist()
    np.testing.assert_array_equal(at.state[:, 0, 0], s[:, 0, 0] * 0.5 ** np.maximum(alone, least))


X = np.arange(30.0).reshape(5, 2, 3)


@pytest.mark.parametrize("tolerance", [0.0, 1e-2])
@pytest.mark.parametrize(
    ("returns", "said"),
    [
        (lambda s, _: s["a"], r"a: float64\(5, 2, 3\), but its step returned float64\(5, 2, 3\)"),
        (lambda s, _: {"a": s["a"][..., :1]}, r"returned a: float64\(5, 2, 1\)"),
        (lambda s, _: {"a": s["a"][:1]}, r"returned a: float64\(1, 2, 3\)"),
        (lambda s, _: {"a": s["a"].astype(np.float32)}, r"returned a: float32"),
        (lambda s, _: {"a": s["a"], "b": s["a"]}, "returned a: .*, b: "),
        (lambda s, _: {}, "returned nothing"),
        (lambda s, _: {"a": 0.0}, r"returned a: float\(\)"),
        (lambda s, _: None, "returned NoneType"),
    ],
)
def test_a_step_that_returns_other_arrays_is_told_so(returns: Any, said: str, tolerance: float) -> None:
    with pytest.raises(ValueError, match=said):
        settle(9, returns, {"a": X}, (), tolerance)


def test_what_reads_from_outside_what_leaves_is_told_where_to_put_it() -> None:
    with pytest.raises(ValueError, match="handed to it as `around`"):
        settle(9, lambda s, _: np.broadcast_to(s[:1], X.shape).copy(), X[:2] * 1.0, (), 1e-2)


@pytest.mark.parametrize("state", [(), {}, [X], 0.0, None, np.zeros(3)])
def test_what_cannot_be_carried_is_told_so(state: Any) -> None:
    with pytest.raises(ValueError, match=r"settle carries arrays \(…, N, k\), in dicts and tuples, but"):
        settle(9, lambda s, _: s, state, (), 1e-2)


@pytest.mark.parametrize("tolerance", [0.0, 1e-2])
def test_no_step_is_none_and_fewer_are_refused(tolerance: float) -> None:
    at = settle(0, lambda s, _: s + 1.0, X, (), tolerance)
    assert (at.state == X).all()
    assert (at.steps == 0).all()
    assert np.isinf(at.moved).all()
    with pytest.raises(ValueError, match="at least 0, but -1 was given"):
        settle(-1, lambda s, _: s, X, (), tolerance)


@pytest.mark.parametrize("tolerance", [0.0, 1e-2])
def test_a_step_may_return_its_arrays_in_another_order(tolerance: float) -> None:
    """By name they are the same: interpreted, in the plain reading, and as a step by hand."""
    start = {"a": X, "b": -2.0 * X}

    def ordered(s: Any, _: Any) -> Any:
        return {"a": 0.5 * s["a"], "b": 0.9 * s["b"]}

    def turned(s: Any, _: Any) -> Any:
        return dict(reversed(ordered(s, _).items()))

    for kind in (Interpreted, Reading):
        with read_by(kind()):
            one, other = (settle(12, each, start, (), tolerance) for each in (ordered, turned))
        assert list(other.state) == ["a", "b"]
        for name in start:
            assert (one.state[name] == other.state[name]).all()
        assert (one.steps == other.steps).all()
        assert (one.moved == other.moved).all()
