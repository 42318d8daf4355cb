"""Counts held to closed forms, derived here by hand from the equations, and to the plain run; leaks held to
be caught."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.cli.cost import main
from harness.core import registry
from harness.core.algorithm import Algorithm, Batch, Traits, Update
from harness.core.initial import initial
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, WEIGHTS, Rand
from harness.core.readings import read_by
from harness.core.tree import tree_map
from harness.cost.arrays import Tracked
from harness.cost.growth import exponent, growth_table
from harness.cost.ledger import CostError, Ledger
from harness.cost.rand import TrackedRand
from harness.cost.settled import Counting
from harness.cost.sheet import cost_of as cost_of_cell
from harness.cost.sheet import sheet
from harness.experiment.summary import summarise
from harness.results.table import build, rows_from
from harness.store.store import Store
from harness.studies.attempt import attempt
from helpers.costs import cost_of, task_of, with_shortcuts
from helpers.suited import suited

TRAITS = Traits(needs_derivative=False, transports_weights=False, local=False, phases=1, global_scalar=False)


SIZES = st.lists(st.integers(1, 7), min_size=2, max_size=5)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(sizes=SIZES, patterns=st.integers(1, 6), shortcuts=st.booleans())
def test_forward_and_backprop_equal_their_closed_forms(
    sizes: list[int], patterns: int, shortcuts: bool
) -> None:
    net = with_shortcuts(sizes) if shortcuts else Network.chain(*sizes)
    s = cost_of(Backprop(GradientDescent(decay=0.0)), task_of(net, patterns))
    n = patterns
    edges = [(e.source.size, e.target.size) for e in net.edges]
    units = sum(sizes[1:])
    joins = sum((len(net.into(g)) - 1) * g.size for g in net.groups[1:])  # sums over several incoming edges
    back = [e for e in net.edges if e.source in net.hidden]
    back_joins = sum((len(net.out_of(g)) - 1) * g.size for g in net.hidden)
    weights = sum(a * b for a, b in edges) + units
    # x = Σ y w (+ b), y = 1/(1 + exp(−x)): a sum for the bias; minus, plus, over and exp for the sigmoid
    assert s.forward.flops["contraction"] == 2 * n * sum(a * b for a, b in edges)
    assert s.forward.flops["element-wise"] == n * (joins + units + 3 * units)
    assert s.forward.flops["transcendental"] == n * units
    # error; (1 − y) y · blame for every unit; blame over outgoing edges; y δ per edge; Σ δ per bias; v = αv −
    # εg, w + v
    assert s.update.flops["contraction"] == 2 * n * (
        sum(2 * a * b for a, b in edges) + sum(e.source.size * e.target.size for e in back)
    )
    extra = n * (sizes[-1] + 3 * units + back_joins) + 4 * weights
    assert s.update.flops["element-wise"] == s.forward.flops["element-wise"] + extra
    assert s.update.flops["transcendental"] == n * units
    assert s.update.flops["reduction"] == (n - 1) * units
    assert s.update.flops["comparison"] == 0
    assert s.update.multiply_adds * 2 == s.update.flops["contraction"]
    assert s.weights == weights
    assert s.state_bytes == 2 * 8 * weights, "weights and velocities"


@pytest.mark.parametrize("layers", [1, 2, 3, 6])
def test_the_span_of_backprop_on_a_chain(layers: int) -> None:
    """Forward 6 a layer (product, bias, −, exp, +, ÷); at the output 3 (1 − y, · y, · error); 2 a layer on
    the way back (product, · slope); then y δ, ε g, − and +."""
    s = cost_of(Backprop(GradientDescent(decay=0.0)), task_of(Network.chain(*[3] * (layers + 1)), 4))
    assert s.forward.span == 6 * layers
    assert s.update.span == 6 * layers + 3 + 2 * (layers - 1) + 4
    # a product over 3 units: one product and ⌈log2 3⌉ = 2 sums; over 4 patterns 1 + 2
    assert s.forward.log_span == 8 * layers


@pytest.mark.parametrize("sizes", [(2, 2, 1), (4, 3, 2), (5, 6, 7, 2)])
def test_central_differences_are_two_forward_passes_a_weight(sizes: tuple[int, ...]) -> None:
    net = Network.chain(*sizes)
    s = cost_of(registry.algorithms()["finite_differences"](), task_of(net, 5))
    for kind in ("contraction", "transcendental"):
        assert s.update.flops[kind] == 2 * net.size * s.forward.flops[kind]
    assert 2 * net.size <= s.forward_passes


def test_work_grows_as_theory_says() -> None:
    """Backprop ∝ W at 2 to 3 forward passes, finite differences ∝ W².

    Workspace, where patterns outnumber weights, ∝ depth × patterns.
    """
    wide = [
        Network.chain(n, n, n) for n in (128, 256, 512)
    ]  # where weights outnumber units, as theory has it
    backprop = [cost_of(Backprop(), task_of(net, 32)) for net in wide]
    assert exponent([net.size for net in wide], [s.update.work for s in backprop]) == pytest.approx(
        1, abs=0.05
    )
    assert all(2 < s.forward_passes < 3 for s in backprop)
    narrow = [Network.chain(n, n, n) for n in (8, 16, 32)]
    differences = [cost_of(registry.algorithms()["finite_differences"](), task_of(net, 8)) for net in narrow]
    assert exponent([net.size for net in narrow], [s.update.work for s in differences]) == pytest.approx(
        2, abs=0.2
    )
    many = (1000, 2000, 4000)
    deep = [cost_of(Backprop(), task_of(Network.chain(8, 8, 8, 8), n)) for n in many]
    assert exponent(many, [s.peak_bytes for s in deep]) == pytest.approx(1, abs=0.05)
    depths = (4, 8, 16, 32)
    chains = [cost_of(Backprop(), task_of(Network.chain(*[8] * (d + 1)), 2000)) for d in depths]
    assert [s.depth for s in chains] == list(depths)
    assert exponent(depths, [s.peak_bytes for s in chains]) == pytest.approx(1, abs=0.1)
    assert "∝ W^" in growth_table(backprop)
    assert "∝ depth^" in growth_table(chains)


@pytest.mark.parametrize("name", registry.algorithms())
def test_counting_changes_no_value(name: str) -> None:
    """Every registered algorithm can be counted, and gives what the plain run gives, up to the rounding of
    the kernels (which finite differences divide by 2h, about 1e-5)."""
    rule = registry.algorithms()[name]()
    cell = Cell.made(rule, suited(rule, hidden=2), Settings(replicas=1))
    net, algorithm = cell.task.network(), cell.algorithm
    data = cell.task.data(Rand(0, [0], 3), float)
    weights = initial(net, Rand(0, [0], WEIGHTS), "uniform", 0.5)
    state = algorithm.init(net, weights, Rand(0, [0], NOISE))
    batch = Batch(*data[:3], np.zeros(()), cell.task.objective)
    plain = algorithm.update(net, state, batch, Rand(0, [0], NOISE)).state["params"]
    ledger = Ledger()
    rand = TrackedRand(0, [0], NOISE)
    rand.ledger = ledger
    tracked_state = tree_map(lambda a: Tracked(a, ledger), state)
    tracked_batch = batch._replace(
        **{n: Tracked(getattr(batch, n), ledger) for n in ("x", "target", "wanted")}
    )
    with read_by(Counting(ledger)):
        counted = algorithm.update(net, tracked_state, tracked_batch, rand).state["params"]
    assert counted.keys() == plain.keys()
    for key, w in plain.items():
        np.testing.assert_allclose(counted[key].values, w, rtol=1e-8, atol=1e-10)
    assert ledger.work > 0


def a(*shape: int) -> Tracked:
    values = np.random.default_rng(1).random(shape)
    values.flags.writeable = False
    return Tracked(values, Ledger())


COUNTED = {
    "einsum": (lambda x, y: np.einsum("ij,jk->ik", x, y), "contraction", 2 * 3 * 4 * 5),
    "where": (lambda x, y: np.where(x > 0.5, x, 0.0), "element-wise", 12),
    "mean": (lambda x, y: x.mean(axis=0), "reduction", 2 * 4),
    "sum of all": (lambda x, y: np.sum(x), "reduction", 11),
    "max": (lambda x, y: x.max(axis=-1), "reduction", 3 * 3),
    "square by power": (lambda x, y: x**2, "element-wise", 12),
    "other powers": (lambda x, y: x**1.5, "transcendental", 12),
    "clip": (lambda x, y: np.clip(x, 0.1, 0.9), "element-wise", 24),
    "in place on one's own": (lambda x, y: _in_place(x), "element-wise", 24),
    "out of one's own": (lambda x, y: np.add(x, 1.0, out=x * 2.0), "element-wise", 24),
    "add.reduce": (lambda x, y: np.add.reduce(x, axis=1), "reduction", 9),
    "mixed with constants": (lambda x, y: np.ones((3, 4)) * x, "element-wise", 12),
}


def _in_place(x: Tracked) -> Tracked:
    own = x + 1.0
    own += x
    return own


@pytest.mark.parametrize("case", COUNTED)
def test_counted_right(case: str) -> None:
    """An operation counted wrong would make every cost sheet wrong; beside it, counting changes no value."""
    operation, kind, flops = COUNTED[case]
    x, y = a(3, 4), a(4, 5)
    y.ledger = x.ledger
    result = operation(x, y)
    assert isinstance(result, Tracked)
    assert x.ledger.flops[kind] == flops
    plain = operation(x.values, y.values) if "own" not in case else None
    if plain is not None:
        np.testing.assert_allclose(result.values, plain)


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: np.concatenate([x, x]),
        lambda x: x[[0, 2]],
        lambda x: x[x.values > 0.5],
        lambda x: x.reshape(-1).mT if False else x.mT,
    ],
)
def test_moving_data_is_no_operation(operation) -> None:
    """Transposing, slicing and reshaping cost nothing, or rules would pay for how they are written; and what
    comes of them is there no sooner."""
    x = np.exp(a(3, 4)) + 1.0
    work = x.ledger.work
    result = operation(x)
    assert isinstance(result, Tracked)
    assert x.ledger.work == work
    assert (result.span, result.log_span) == (x.span, x.log_span) == (2, 2)


def test_an_order_takes_a_random_number_for_each_thing() -> None:
    """A permutation is the ranks of uniform numbers."""
    rand = TrackedRand(0, [0], NOISE)
    rand.ledger = Ledger()
    rand.permutation(5)
    assert rand.ledger.draws == {"uniform": 5}
    assert rand.taken == 5


def test_writing_by_index_into_ones_own_waits_for_what_is_written() -> None:
    x = a(3, 4)
    own = np.zeros_like(x)
    own[0] = np.exp(x[0] + 1.0)
    assert own.span == 2
    assert (own + 1.0).span == 3


LEAKS = {
    "np.asarray": (lambda x: np.asarray(x) * 2, "np.asarray"),
    "float": (lambda x: float(x.sum()), "float()"),
    "item": (lambda x: x.sum().item(), ".item()"),
    "np.linalg": (lambda x: np.linalg.norm(x), "norm"),
    "sort": (lambda x: np.sort(x), "np.sort"),
    "unknown method": (lambda x: x.cumsum(), ".cumsum"),
    "unknown ufunc": (lambda x: np.nextafter(x, 1.0), "np.nextafter"),
    "ufunc with where": (lambda x: np.add(x, 1.0, where=x.values > 0.5), "np.add"),
    "accumulate": (lambda x: np.add.accumulate(x), "np.add.accumulate"),
    "einsum of three": (lambda x: np.einsum("ij,ij,ij->i", x, x, x), "np.einsum"),
    "writing to what was handed in": (lambda x: x.__setitem__(0, 1.0), "handed in"),
    "in place on what was handed in": (lambda x: x.__iadd__(1.0), "handed in"),
    "out into an array that is not counted": (
        lambda x: np.add(x, 1.0, out=np.empty((3, 4))),
        "writes a counted result",
    ),
}


@pytest.mark.parametrize("case", LEAKS)
def test_a_leak_is_caught_by_name_and_line(case: str) -> None:
    leak, name = LEAKS[case]
    with pytest.raises(CostError) as caught:
        leak(a(3, 4))
    assert name in str(caught.value)
    assert "at test_cost.py:" in str(caught.value)


def test_a_leaking_algorithm_is_named_with_its_line() -> None:
    class Leaky(Algorithm):
        traits = TRAITS

        def update(self, net, state, batch, rand):
            return Update({"params": {k: np.asarray(w) * 0.5 for k, w in state["params"].items()}}, None)

    with pytest.raises(CostError, match=r"np.asarray.*test_cost.py:\d+"):
        cost_of(Leaky(), task_of(Network.chain(2, 1), 3))


def test_random_numbers_and_data_dependent_loops_are_counted_as_they_ran() -> None:
    class Wanderer(Algorithm):
        traits = TRAITS

        def update(self, net, state, batch, rand):
            step = rand.normal(2, 3) + rand.uniform(1)
            steps = 0
            while (step > 0.01).any():
                step = step * 0.5
                steps += 1
            self.steps.append(steps)
            return Update(state, None)

        steps: ClassVar[list[int]] = []

    wanderer = Wanderer()
    s = cost_of(wanderer, task_of(Network.chain(2, 1), 3))
    assert s.update.draws == {"normal": 6, "uniform": 1}
    steps = wanderer.steps[0]  # it goes on in another run, which is looked at for its memory
    assert s.update.flops["element-wise"] == 6 + 6 * steps
    assert s.update.flops["comparison"] == 6 * (steps + 1)


def test_the_command_prints_the_sheet_its_convention_and_growth(monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr("sys.argv", ["cost", "algorithm=backprop", "task=xor"])
    main()
    out = capsys.readouterr().out
    assert "2 × multiply-adds" in out
    assert "work, FLOPs" in out
    sweep = ["algorithm=backprop,finite_differences", "task=xor", "task.hidden=8,16,32", f"store={tmp_path}"]
    monkeypatch.setattr("sys.argv", ["cost", *sweep])
    main()
    out = capsys.readouterr().out
    assert out.count("∝ W^") == 2
    assert (tmp_path / "costs" / "xor-backprop-finite_differences.png").stat().st_size > 10_000
    beside = ["algorithm=backprop,spsa", "task=xor", f"store={tmp_path / 'beside'}"]
    monkeypatch.setattr("sys.argv", ["cost", *beside])
    main()  # nothing grows: two sheets, and no figure
    out = capsys.readouterr().out
    assert out.count("work, FLOPs") == 2
    assert "figure" not in out
    assert not (tmp_path / "beside").exists()
    monkeypatch.setattr("sys.argv", ["cost", "algorithm=backprob"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "did you mean 'backprop'" in capsys.readouterr().err


def test_contractions_equal_pytorchs_flop_counter() -> None:
    torch = pytest.importorskip(
        "torch", reason="torch is not installed: its FlopCounterMode is a second opinion on contractions"
    )
    from torch.utils.flop_counter import FlopCounterMode

    sizes, n = (5, 7, 3), 11
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    net = torch.nn.Sequential(layers[0], torch.nn.Sigmoid(), layers[1], torch.nn.Sigmoid())
    with FlopCounterMode(display=False) as counter:
        net(torch.rand(n, sizes[0])).square().sum().backward()
    s = cost_of(Backprop(), task_of(Network.chain(*sizes), n))
    assert s.update.flops["contraction"] == counter.get_total_flops()


def test_costs_to_the_criterion_are_updates_times_the_count_of_one(store: Store) -> None:
    cell = Cell.of({"name": "backprop"}, {"name": "xor"}, {"replicas": 30, "epochs": 400})
    record = attempt(cell, store)
    assert record is not None
    s, one = record.summary(), sheet(cell)
    solved = record.replicas["outcome"] == "solved"
    assert 0 < solved.sum() < 30, "failures have to be paid for, too"
    ert_updates = record.replicas["updates"].sum() / solved.sum()
    assert s.ert_flops == pytest.approx(ert_updates * one.update.work)
    assert s.ert_forward_passes == pytest.approx(ert_updates * one.update.work / one.forward.work)
    assert s.ert_span_operations == pytest.approx(ert_updates * one.update.span)
    assert s.ert_random_numbers == 0
    assert "forward passes" in str(record)


def test_work_stands_beside_that_of_backprop_on_the_same_task(store: Store) -> None:
    names = ("finite_differences", "backprop", "perceptron")
    cells = [Cell.of({"name": name}, {"name": "xor"}, {"replicas": 10, "epochs": 500}) for name in names]
    for cell in cells:
        attempt(cell, store)
    store.write_study("s", "", [cell.id for cell in cells])
    rows = {row.algorithm: row for row in build(store, "s")}
    assert rows["backprop"].work_over_backprop == 1
    both = [rows[name].summary for name in names[:2]]
    assert both[0] is not None
    assert both[1] is not None
    assert both[0].ert_epochs == pytest.approx(both[1].ert_epochs, rel=0.02), (
        "the same gradient, the same steps"
    )
    assert rows["finite_differences"].work_over_backprop == pytest.approx(
        both[0].ert_flops / both[1].ert_flops
    )
    assert rows["finite_differences"].work_over_backprop > 9, "18 forward passes and more, against 2 to 3"
    assert rows["perceptron (no hidden units)"].work_over_backprop == np.inf


def test_work_stands_beside_that_of_backprop_itself() -> None:
    """Not of what is only called like it, though it comes first in the study and costs more: of six hidden
    groups it makes some activities twice."""
    names, task = ("checkpointed_backprop", "backprop"), {"name": "deep_chain", "depth": 6, "width": 2}
    cells = [Cell.of({"name": name}, task, {"replicas": 2, "epochs": 2}) for name in names]
    columns = {
        "outcome": np.array(["solved"] * 2),
        "epochs": np.array([10, 10]),
        "updates": np.array([10, 10]),
    }
    columns |= {"seconds": np.ones(2), "loss": np.ones(2), "right": np.ones(2), "held_right": np.ones(2)}
    records = {}
    for each in cells:
        summary = summarise(columns, cost_of_cell(each))
        meta = {**each.settings_by_name(), "status": "finished", "reason": ""}
        records[each.id] = SimpleNamespace(meta=meta, summary=lambda s=summary: s, replicas=columns)
    dear, base = rows_from([each.id for each in cells], records, {})
    work = [sheet(each).update.work for each in cells]
    assert (dear.work_over_backprop, base.work_over_backprop) == (pytest.approx(work[0] / work[1]), 1)
    assert work[0] > work[1]


def test_work_is_compared_over_the_replicas_that_both_have_and_at_the_best_cutoffs() -> None:
    """By hand: of backprop's first four replicas, of which one is stuck for 1,000 epochs, a success costs
    (10 + 10 + 10 + 10) ÷ 3 epochs where tries end after 10, and (20 · 4) ÷ 4 the other; replicas that the
    other has not, however dear, change nothing."""
    names, cells = ("backprop", "backprop"), []
    epochs = [np.array([10, 10, 1000, 10, 999, 999, 999, 999]), np.array([20, 20, 20, 20])]
    for name, rate in zip(names, (0.1, 0.2), strict=True):
        cells.append(Cell.of({"name": name, "rate": rate}, {"name": "xor"}, {"replicas": 4, "epochs": 1000}))
    records = {}
    for each, spent in zip(cells, epochs, strict=True):
        ones = np.ones(len(spent))
        outcome = np.where(spent < 1000, "solved", "unsolved")
        columns = {"outcome": outcome, "epochs": spent, "updates": spent, "seconds": ones, "loss": ones}
        columns |= {"right": ones, "held_right": ones}
        summary = summarise(columns, cost_of_cell(each))
        meta = {**each.settings_by_name(), "status": "finished", "reason": ""}
        records[each.id] = SimpleNamespace(meta=meta, summary=lambda s=summary: s, replicas=columns)
    base, other = rows_from([each.id for each in cells], records, {})
    assert base.work_over_backprop == 1
    assert other.work_over_backprop == pytest.approx(20 / (40 / 3))
    assert (base.learning_rate, other.learning_rate) == (0.1, 0.2)
    assert (base.optimiser, base.budget_epochs) == ("momentum 0.9", 1000)
    assert base.summary is not None
    assert base.summary.cutoff_epochs == 10


def test_a_cell_that_cannot_be_counted_is_a_result_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_update = Backprop.update

    def leaky(self, net, state, batch, rand):
        np.asarray(batch.x)
        return plain_update(self, net, state, batch, rand)

    monkeypatch.setattr(Backprop, "update", leaky)
    record = attempt(Cell.of({"name": "backprop"}, {"name": "xor"}, {"replicas": 3, "epochs": 20}), store)
    assert record is not None
    assert "np.asarray" in record.cost["reason"]
    assert np.isnan(record.summary().ert_flops)
    assert "not counted" in str(record)
