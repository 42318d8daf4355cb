"""What a rule that settles says of itself, held to its way through: columns of a record, words, the table,
more replicas, and the work of the steps that were taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from algorithms.equilibrium_propagation import EquilibriumPropagation
from harness.cells.cell import Cell
from harness.cost.sheet import cost_of
from harness.experiment import chunks
from harness.experiment.run import run, run_cell
from harness.results import replicas as frames
from harness.results import table
from harness.results.columns import HEADER, row_texts
from harness.store.record import Record
from harness.store.store import Store
from harness.studies.attempt import attempt, attempt_together
from harness.tasks.xor import Xor

RULES: dict[str, dict[str, Any]] = {
    "equilibrium_propagation": {"steps": 6, "steps_taught": 6},
    "contrastive_hebbian": {"gamma": 0.5, "steps": 6, "steps_taught": 6},
    "generec": {"symmetric": True, "steps": 6, "steps_taught": 6},
}
every_rule = pytest.mark.parametrize("name", RULES)
UNSETTLED = HEADER.index("unsettled\n%")
TOLD = ("settling_steps", "unsettled")


def cell(name: str, replicas: int = 4, scale: float = 4.0, **run: Any) -> Cell:
    settings = {"replicas": replicas, "epochs": 30, "seed": 3, **run}
    return Cell.of({"name": name, **RULES.get(name, {})}, {"name": "xor", "scale": scale}, settings)


def kept(store: Store, some: Cell) -> Record:
    record = attempt(some, store)
    assert record is not None
    return record


@every_rule
def test_what_is_told_is_in_the_record_as_it_left_training(name: str, store: Store) -> None:
    some = cell(name)
    told = run_cell(some.algorithm, some.task, some.settings).trained.told
    record = store.read(kept(store, some).id)
    assert record.damage() == ""
    for column in TOLD:
        np.testing.assert_array_equal(record.replicas[column], told[column])
    assert ((told["unsettled"] >= 0) & (told["unsettled"] <= 1)).all()
    assert (told["settling_steps"] >= 1).all()
    assert told["unsettled"].max() > 0, "nothing to tell"


def test_it_is_a_column_of_the_frame_of_replicas_empty_for_rules_that_do_not_settle(store: Store) -> None:
    ids = [kept(store, cell(name)).id for name in ("equilibrium_propagation", "backprop")]
    store.write_study("both", "", ids)
    frame = frames("both", source=store)
    for column in TOLD:
        by_rule = frame.groupby("algorithm_name")[column].count()
        assert by_rule["equilibrium_propagation"] == 4
        assert by_rule["backprop"] == 0


@every_rule
def test_work_in_a_record_is_that_of_the_steps_taken(name: str, store: Store) -> None:
    """By hand: the update at its cap, less the share of its settling that was not needed."""
    some = cell(name, scale=1.0)
    record = kept(store, some)
    cap = cost_of(some)
    updates, steps = (np.asarray(record.replicas[c], float) for c in ("updates", "settling_steps"))
    mean = (updates * steps).sum() / updates.sum()
    share = mean * cap["settling.phases"] / cap["settling.steps"]
    assert 0 < share < 1
    expected = cap["update.work"] - (1 - share) * cap["settling.work"]
    assert record.cost["update.work"] == pytest.approx(expected, rel=1e-12)
    assert record.cost["settling.at_most"] == cap["update.work"]
    assert record.cost["forward.work"] == cap["forward.work"]


def test_cells_of_one_batch_have_the_records_that_they_have_alone(store: Store, tmp_path: Any) -> None:
    """Each with its own steps, and the work of these."""
    cells = [
        Cell.made(replace(c.algorithm, beta=beta), c.task, c.settings)  # type: ignore[type-var]
        for c in [cell("equilibrium_propagation")]
        for beta in (0.1, 0.8)
    ]
    attempt_together(cells, store)
    alone = Store.at(tmp_path / "alone").prepare()
    for some in cells:
        one, other = store.read(some.id), kept(alone, some)
        for column in TOLD:
            np.testing.assert_array_equal(one.replicas[column], other.replicas[column])
        assert one.cost["update.work"] == other.cost["update.work"]
    works = [store.read(some.id).cost["update.work"] for some in cells]
    assert works[0] != works[1]


@every_rule
def test_more_replicas_keep_what_the_first_ones_told(name: str, store: Store, tmp_path: Any) -> None:
    kept(store, cell(name, replicas=3))
    record = kept(store, cell(name, replicas=5))
    assert record.meta["ran"]["earlier"]["replicas"] == 3
    at_once = kept(Store.at(tmp_path / "at_once").prepare(), cell(name, replicas=5))
    for column in TOLD:
        np.testing.assert_array_equal(record.replicas[column], at_once.replicas[column])
        assert record.replicas[column].dtype == at_once.replicas[column].dtype
    assert record.cost["update.work"] == at_once.cost["update.work"]


def test_chunks_and_processes_change_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rule, how = EquilibriumPropagation(), {"replicas": 7, "epochs": 12, "seed": 1}
    whole = run(rule, Xor(), **how).trained.told
    for limit, value in (("CACHE", 1), ("SMALLEST", 3), ("LARGEST", 3)):
        monkeypatch.setattr(chunks, limit, value)
    for other in (run(rule, Xor(), **how), run(rule, Xor(), processes=2, **how)):
        for column in TOLD:
            np.testing.assert_array_equal(other.trained.told[column], whole[column])


def test_a_run_says_in_words_how_it_settled(harness: Callable[..., tuple[int, str, str]]) -> None:
    small = ("task=xor", "run.replicas=4", "run.epochs=20")
    code, out, err = harness(*small, "algorithm=equilibrium_propagation", "task.scale=4")
    assert code == 0, err
    (line,) = [line for line in out.splitlines() if line.startswith("settling ")]
    assert " steps a phase, mean; not at rest after them: " in line
    assert line.endswith("of 4 replicas")
    code, out, _ = harness(*small, "algorithm=backprop")
    assert "settling " not in out
    code, out, _ = harness(*small, "algorithm=equilibrium_propagation", "algorithm.tolerance=0")
    assert code == 0
    assert "not at rest" not in out


def test_the_table_has_a_column_for_it_where_something_settles(store: Store) -> None:
    names = ("equilibrium_propagation", "backprop")
    records = {r.id: r for r in (kept(store, cell(name)) for name in names)}
    rows = {row.algorithm: row_texts(row) for row in table.rows_from(list(records), records, {})}
    assert rows["backprop"][UNSETTLED] == ""
    (settles,) = [texts for name, texts in rows.items() if name.startswith("equilibrium")]
    share = next(iter(records.values())).replicas["unsettled"].mean()
    assert float(settles[UNSETTLED]) == pytest.approx(100 * share, rel=0.05)  # two digits
    assert UNSETTLED in table.used_columns(list(rows.values()))
    assert UNSETTLED not in table.used_columns([rows["backprop"]])
