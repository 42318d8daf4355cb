"""Two studies cell by cell, held to counts by hand and to `tango` over the pairs that they leave."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness.results.compared import Compared, compared, same_bits
from harness.results.gathering import found_in
from harness.statistics import tango
from harness.store.files import META, json_text, read_columns, sealed, write_columns
from harness.store.store import Store
from helpers.kept import XOR, keep, weights
from helpers.made_up import D, S, U


@pytest.fixture
def other(tmp_path: Path) -> Store:
    return Store.at(tmp_path / "other").prepare()


def of(a: Store, b: Store) -> Compared:
    return compared(*(found_in("s", store, numbers=False) for store in (a, b)))


def by_other_code(store: Store, i: str, new: str = 12 * "0") -> str:
    """The record of a cell under the id that it would have in another version of the code; the new id."""
    task, algorithm, _ = i.split("-")
    there = f"{task}-{algorithm}-{new}"
    folder = store.cell_folder(i).rename(store.cell_folder(there))
    meta = json.loads((folder / META).read_text(encoding="utf-8"))
    meta |= {"id": there, "versions": meta["versions"] | {"code": new}}
    (folder / META).write_text(json_text(sealed(meta, folder)), encoding="utf-8")
    return there


def test_cells_are_alike_by_their_settings_and_not_by_their_ids(store: Store, other: Store) -> None:
    """Of seven networks three fare otherwise: two that only A solves, one that only B does."""
    ours, theirs = (S, S, S, S, U, D, U), (S, S, U, D, S, D, U)
    a = keep(store, "backprop", XOR, ours, (1, 2, 3, 4, 100, 6, 100))
    b = by_other_code(other, keep(other, "backprop", XOR, theirs, (1, 2, 100, 4, 5, 6, 100)))
    more = keep(store, "shallow", XOR, (S,))
    rate = {"name": "backprop", "optimiser": {"name": "gradient_descent", "lr": 0.03}}
    less = keep(other, rate, XOR, ours, (1, 2, 3, 4, 100, 6, 100))
    store.write_study("s", "", [a, more])
    other.write_study("s", "", [less, b])
    both = of(store, other)
    (pair,) = both.pairs
    assert (pair.a.row.id, pair.b.row.id) == (a, b)
    assert (pair.fates_a, pair.fates_b) == ((4, 2, 1), (3, 2, 2))
    assert pair.difference is not None
    assert pair.difference.value == pytest.approx((2 - 1) / 7)
    assert pair.difference[1:] == tango(2, 1, 7)
    assert pair.same_bits is False
    assert not pair.differs
    assert [cell.row.id for cell in both.only_a] == [more]
    assert [cell.row.id for cell in both.only_b] == [less]


def test_a_difference_that_is_there_is_told(store: Store, other: Store) -> None:
    """Twenty of twenty against none: no interval of that holds 0."""
    for at, fate in ((store, S), (other, U)):
        at.write_study("s", "", [keep(at, "backprop", XOR, 20 * (fate,), 20 * (10,))])
    (pair,) = of(store, other).pairs
    assert pair.difference is not None
    assert pair.difference.value == 1
    assert pair.differs
    (back,) = of(other, store).pairs
    assert back.difference is not None
    assert back.difference.value == -1
    assert back.difference.low == pytest.approx(-pair.difference.high)


def test_of_two_versions_of_a_cell_each_is_paired_once_the_same_ids_first(store: Store, other: Store) -> None:
    a = keep(store, "backprop", XOR, (S,))
    shutil.copytree(store.cell_folder(a), other.cell_folder(a))
    b = by_other_code(other, a)
    shutil.copytree(store.cell_folder(a), other.cell_folder(a))
    store.write_study("s", "", [a])
    other.write_study("s", "", [b, a])
    both = of(store, other)
    assert [(pair.a.row.id, pair.b.row.id) for pair in both.pairs] == [(a, a)]
    assert [cell.row.id for cell in both.only_b] == [b]


def test_cells_without_numbers_are_paired_too(store: Store, other: Store) -> None:
    i = keep(store, "backprop", XOR, (S,))
    store.write_study("s", "", [i])
    other.write_study("s", "", [i])  # not run there
    (pair,) = of(store, other).pairs
    assert (pair.fates_a, pair.fates_b, pair.difference, pair.same_bits) == ((1, 0, 0), None, None, None)


@pytest.mark.parametrize("what", ["nothing", "seconds", "epochs", "outcome", "loss", "a curve", "a weight"])
def test_bits_are_the_same_but_for_times(what: str, store: Store, other: Store) -> None:
    """One number of one network is the next one to it; times are those of a machine, and any."""
    i = keep(store, "backprop", XOR, (S, U), (10, 100), weights=weights((2, 2, 1), 2))
    folder = Path(shutil.copytree(store.cell_folder(i), other.cell_folder(i)))
    if what in ("seconds", "epochs", "outcome", "loss"):
        columns = read_columns(folder / "replicas.parquet")
        values = columns[what].copy()
        values[1] = {"outcome": D, "epochs": 99}.get(what) or np.nextafter(values[1], np.inf)
        write_columns(folder / "replicas.parquet", columns | {what: values})
    elif what == "a curve":
        columns = read_columns(folder / "histories.parquet")
        values = columns["loss"].copy()
        values[-1] = np.nextafter(values[-1], np.inf)
        write_columns(folder / "histories.parquet", columns | {"loss": values})
    elif what == "a weight":
        arrays = store.read(i).weights
        name = next(iter(arrays))
        changed = arrays[name].copy()
        changed.flat[0] = -changed.flat[0] if changed.flat[0] else 1
        np.savez(folder / "weights.npz", allow_pickle=False, **arrays | {name: changed})
    meta = json.loads((folder / META).read_text(encoding="utf-8"))
    (folder / META).write_text(json_text(sealed(meta, folder)), encoding="utf-8")
    assert same_bits(store.read(i), other.read(i)) is (what in ("nothing", "seconds"))
