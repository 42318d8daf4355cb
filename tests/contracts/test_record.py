"""Held to the store's promises: a cell is there whole or not at all, under a name that everything in it
determines."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import numpy as np
import pytest

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.core.files import UNFINISHED
from harness.experiment.run import run_cell
from harness.store import files
from harness.store.read_once import ReadOnce
from harness.store.store import Store
from helpers.kept import keep

BACKPROP: dict[str, Any] = {"name": "backprop"}
XOR: dict[str, Any] = {"name": "xor"}


def small(**run: Any) -> Cell:
    return Cell.of(BACKPROP, XOR, {"replicas": 5, "epochs": 40, **run})


def named(text: str) -> str:
    """An id such as a cell could have."""
    return f"xor-backprop-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def test_what_is_read_is_what_was_written(store: Store) -> None:
    cell = small()
    result = run_cell(cell.algorithm, cell.task, cell.settings)
    record = store.read(store.write(cell, result).id)
    for name, values in result.columns().items():
        np.testing.assert_array_equal(record.replicas[name], values)
    for name, values in result.curve_columns().items():
        np.testing.assert_array_equal(record.curves[name], values)
    assert record.weights.keys() == result.trained.weights.keys()
    for name, weights in result.trained.weights.items():
        np.testing.assert_array_equal(record.weights[name], weights)
    assert Cell.of(record.meta["algorithm"], record.meta["task"], record.meta["run"]).id == cell.id


def test_the_name_follows_everything_that_decides_a_bit() -> None:
    base = small()
    others = [
        small(seed=1),
        small(replicas=6),
        small(epochs=41),
        small(batch=1),
        small(dtype="float32"),
        Cell.of({"name": "backprop", "optimiser": {"name": "adam"}}, XOR, {"replicas": 5, "epochs": 40}),
        Cell.of(
            {"name": "backprop", "optimiser": {"name": "gradient_descent", "lr": 0.25}},
            XOR,
            {"replicas": 5, "epochs": 40},
        ),
        Cell.of({"name": "shallow"}, XOR, {"replicas": 5, "epochs": 40}),
        Cell.of(BACKPROP, {"name": "xor", "scale": 0.3}, {"replicas": 5, "epochs": 40}),
    ]
    assert len({c.id for c in [base, *others]}) == len(others) + 1


def test_the_name_ignores_what_decides_no_bit() -> None:
    base = small()
    assert small(processes=2).id == base.id
    assert small(batch="full").id == base.id, "what is usual, said aloud"
    assert (
        Cell.of(
            {"name": "backprop", "optimiser": {"name": "gradient_descent", "lr": 0.5}},
            XOR,
            base.settings_by_name()["run"],
        ).id
        == base.id
    )


def test_a_full_disk_leaves_nothing_half_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    cell = small()
    result = run_cell(cell.algorithm, cell.task, cell.settings)
    monkeypatch.setattr(files.np, "savez", full)
    with pytest.raises(InputError, match="No space left on device"):
        store.write(cell, result)
    assert not store.has(cell.id)
    assert list((store.path / "cells").iterdir()) == []


def test_the_first_of_two_writers_wins(store: Store) -> None:
    cell = small()
    result = run_cell(cell.algorithm, cell.task, cell.settings)
    first = store.write(cell, result)
    stamp = (first.path / "cell.json").stat().st_mtime_ns
    second = store.write(cell, result)
    assert second.path == first.path
    assert (first.path / "cell.json").stat().st_mtime_ns == stamp
    assert [p.name for p in (store.path / "cells").iterdir()] == [cell.id]


def test_a_cell_that_is_finished_has_failed_no_longer(store: Store) -> None:
    cell = small()
    store.write_failure(cell, "ValueError: once", "Traceback …")
    assert list(store.failures([cell.id])) == [cell.id]
    store.write(cell, run_cell(cell.algorithm, cell.task, cell.settings))
    assert store.failures([cell.id]) == {}


def test_leftovers_of_a_killed_writer_are_invisible_and_go(store: Store) -> None:
    leftover = store.path / "cells" / f"{UNFINISHED}abc"
    leftover.mkdir()
    (leftover / "cell.json").write_text("{")
    store.write_study("s", "", [named("abc")])
    assert store.records("s") == []
    store.prepare()
    assert leftover.exists(), "it may belong to somebody who is still writing"
    os.utime(leftover, (0, 0))
    store.prepare()
    assert not leftover.exists()


def test_a_run_joins_its_study_and_a_sweep_defines_it(store: Store) -> None:
    a, b, c, d, e = map(named, "abcde")
    store.write_study("s", "why?", [a, b])
    for cell_id in (c, a):
        store.join_study("s", "why?", cell_id)
    assert store.study("s")["cells"] == [a, b, c]
    store.write_study("s", "why?", [d])
    assert store.study("s") == {"name": "s", "question": "why?", "cells": [d]}
    store.join_study("t", "", e)
    assert store.study("t")["cells"] == [e]
    assert store.studies()[-1] == "t"


def test_runs_side_by_side_all_join(store: Store) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: store.join_study("s", "", named(str(i))), range(40)))
    assert sorted(store.study("s")["cells"]) == sorted(named(str(i)) for i in range(40))


def test_what_another_writer_finishes_meanwhile_is_no_error(store: Store) -> None:
    """Otherwise a worker that opens the store loses its cell because another has just kept one."""
    from threading import Event, Thread

    done, failed = Event(), []

    def write() -> None:
        for n in range(100_000):
            if done.is_set():
                return
            leftover = store.path / "cells" / f"{UNFINISHED}{n % 7}"
            leftover.mkdir(exist_ok=True)
            leftover.rename(folder := store.cell_folder(named(str(n))))
            folder.rmdir()

    def join() -> None:
        n = 0
        while not done.is_set():
            try:
                store.join_study("s", "", named(str(n := n + 1)))
                store.failures([named("0")])
                store.studies()
            except OSError as error:
                failed.append(error)

    threads = [Thread(target=write), Thread(target=join)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(150):
            store.prepare()
            store.cells()
            store.write_study("s", "", [named("x")])
            store.study("s")
            (note := store.path / "failed" / f"{named('0')}.json").write_text("{}")
            note.unlink()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failed == []


def test_no_record_holds_a_pickle(store: Store) -> None:
    """Reading a record of somebody else must not run code: numbers, parquet and JSON only."""
    cell = small()
    record = store.write(cell, run_cell(cell.algorithm, cell.task, cell.settings))
    files = [
        "cell.json",
        "cost.json",
        *(f"{n}.parquet" for n in ("curves", "histories", "replicas")),
        "weights.npz",
    ]
    assert sorted(p.name for p in record.path.iterdir()) == sorted(files)
    with np.load(record.path / "weights.npz", allow_pickle=False) as file:
        assert all(file[name].dtype.kind == "f" for name in file.files)
    json.loads((record.path / "cell.json").read_text())


def test_settings_that_json_cannot_hold_are_refused() -> None:
    lying = small()
    object.__setattr__(lying.task, "scale", float("nan"))  # past the checks of the task itself
    with pytest.raises(InputError, match="finite"):
        _ = lying.id


def test_a_store_that_reads_once_reads_once_and_finds_what_comes_later(store):
    at = ReadOnce(store.path)
    first = keep(store, "backprop")
    assert at.read(first) is at.read(first)
    assert at.read(first).replicas is at.read(first).replicas
    later = keep(store, "shallow")
    assert at.read(later).id == later
    with pytest.raises(InputError, match="no cell"):
        at.read("xor-backprop-0123456789ab")
