"""Held to the promise that replica i has the same bits however many are run with it: a cell with more
replicas than a finished one runs only those that are missing, and its record is the same as if run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cells.cell import Cell
from harness.store.files import META
from harness.store.record import Record
from harness.store.store import Store
from harness.studies import attempt as attempts
from harness.studies.attempt import attempt

CELLS: list[tuple[dict[str, Any], dict[str, Any], int]] = [
    ({"name": "backprop"}, {"epochs": 40}, 2),
    ({"name": "backprop"}, {"epochs": 40, "backend": "auto"}, 2),
    ({"name": "feedback_alignment"}, {"epochs": 30, "probe": 4}, 2),
    ({"name": "node_perturbation"}, {"epochs": 20, "dtype": "float32"}, 2),
    (
        {"name": "node_perturbation"},
        {"epochs": 20, "probe": 3},
        1,
    ),  # one alone adds up as in a batch
    ({"name": "boltzmann"}, {"epochs": 2, "batch": 1}, 2),
    ({"name": "equilibrium_propagation"}, {"epochs": 15}, 2),
    ({"name": "generec"}, {"epochs": 15, "dtype": "float32"}, 1),
]
TIMED = ("seconds",)


def cell_with(algorithm: dict[str, Any], run: dict[str, Any], replicas: int) -> Cell:
    return Cell.of(algorithm, {"name": "xor"}, run | {"replicas": replicas, "seed": 3})


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Which replicas were run, by each call."""
    asked: list[list[int]] = []

    def watched(rule: Any, task: Any, settings: Any, *, only: Sequence[int] | None = None, **how: Any) -> Any:
        asked.append(list(range(settings.replicas) if only is None else only))
        return original(rule, task, settings, only=only, **how)

    original = attempts.run_cell
    monkeypatch.setattr("harness.experiment.run.run_cell", watched)
    monkeypatch.setattr(attempts, "run_cell", watched)
    return asked


def made(cell: Cell, store: Store) -> Record:
    record = attempt(cell, store)
    assert record is not None
    return record


def same(record: Record, other: Record) -> None:
    for part in ("replicas", "curves", "histories", "credit", "probes", "weights"):
        ours, theirs = getattr(record, part), getattr(other, part)
        assert ours.keys() == theirs.keys()
        for name in ours.keys() - set(TIMED):
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=f"{part} {name}")
            assert ours[name].dtype == theirs[name].dtype
    costs = [{name: n for name, n in each.cost.items() if name != "peak_bytes"} for each in (record, other)]
    assert costs[0] == costs[1]  # the peak is measured, some objects of the interpreter's in it
    assert record.id == other.id


@pytest.mark.parametrize(("algorithm", "run", "missing"), CELLS)
def test_more_replicas_run_only_those_that_are_missing(
    algorithm: dict[str, Any], run: dict[str, Any], missing: int, tmp_path: Path, ran: list[list[int]]
) -> None:
    few, many = cell_with(algorithm, run, 3), cell_with(algorithm, run, 3 + missing)
    store, at_once = Store.at(tmp_path / "s").prepare(), Store.at(tmp_path / "o").prepare()
    first = made(few, store)
    record = made(many, store)
    assert ran == [[0, 1, 2], [3, 4][:missing]]
    same(record, made(many, at_once))
    assert record.meta["ran"]["earlier"] == {"cell": first.id, "replicas": 3}
    assert f"3 replicas are those of {first.id}" in str(record)
    assert record.damage() == ""


def test_fewer_replicas_are_a_part_of_the_record_and_run_nothing(
    tmp_path: Path, ran: list[list[int]]
) -> None:
    store, at_once = Store.at(tmp_path / "s").prepare(), Store.at(tmp_path / "o").prepare()
    few, many = (cell_with({"name": "backprop"}, {"epochs": 40}, n) for n in (3, 5))
    made(many, store)
    record = made(few, store)
    assert ran == [[0, 1, 2, 3, 4]]
    same(record, made(few, at_once))


def test_what_would_have_other_bits_is_run_whole(
    tmp_path: Path, ran: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another seed or budget, a budget of seconds, a compiled run, another kernel, a damaged record."""
    store = Store.at(tmp_path).prepare()
    base = cell_with({"name": "backprop"}, {"epochs": 40}, 3)
    first = made(base, store)
    unchecked = {"unchecked": True}
    made(Cell(base.algorithm, base.task, replace(base.settings, **unchecked)), store)
    others = ({"seed": 4}, {"epochs": 41}, {"seconds": 1e6}, {"dtype": "float32"}, {"backend": "jax"})
    for change in (unchecked, *others):
        other = Cell(base.algorithm, base.task, replace(base.settings, replicas=4, **change))
        made(other, store)
        assert ran[-1] == [0, 1, 2, 3], change
    with monkeypatch.context() as patch:
        patch.setattr("harness.store.kin.made_elsewhere", lambda versions: "openblas of elsewhere")
        made(cell_with({"name": "backprop"}, {"epochs": 40}, 4), store)
        assert ran[-1] == [0, 1, 2, 3]
    for path in store.path.glob("cells/*/weights.npz"):
        path.write_bytes(path.read_bytes()[:-9])
    made(cell_with({"name": "backprop"}, {"epochs": 40}, 5), store)
    assert ran[-1] == [0, 1, 2, 3, 4]
    assert (first.path / META).is_file()


def test_a_command_says_what_was_made_earlier(harness: Callable[..., tuple[int, str, str]]) -> None:
    harness("task=xor", "run.epochs=20", "run.replicas=2")
    code, out, _ = harness("task=xor", "run.epochs=20", "run.replicas=3")
    assert code == 0
    assert "3 replicas, seed 0" in out
    assert "earlier   2 replicas are those of xor-backprop-" in out
