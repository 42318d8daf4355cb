"""How long cells are expected to take, held to planted records whose rates are known, and to made ones."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cells.cell import Cell
from harness.store.store import Store
from harness.studies import rates
from harness.studies.attempt import attempt, expected_work
from harness.studies.rates import GUESS, Rate, Spent, expected_seconds, measured, rates_of, usual_seconds


def cell(algorithm: str = "backprop", task: str = "xor", **run: Any) -> Cell:
    return Cell.of({"name": algorithm}, {"name": task}, {"replicas": 3, "epochs": 20} | run)


KNOWN = [
    Spent("backprop", "xor", seconds=6, work=2, budget=4),
    Spent("backprop", "xor", seconds=2, work=2, budget=12),
    Spent("spsa", "xor", seconds=9, work=1, budget=1),
    Spent("hebb", "xor", seconds=30, work=1, budget=2),
    Spent("spsa", "encoder", seconds=5, work=5, budget=10),
]


def test_the_rates_of_a_pair_are_sums_and_of_a_task_medians_by_hand() -> None:
    found = rates_of(KNOWN)
    assert found["backprop", "xor"] == Rate(seconds=8 / 4, share=4 / 16, cell=4)
    assert found["", "xor"] == Rate(seconds=9, share=0.5, cell=9)
    assert found["", "encoder"] == Rate(1, 0.5, 5)
    assert found["", ""] == Rate(seconds=(2 + 9) / 2, share=0.5, cell=(5 + 9) / 2)
    assert rates_of([]) == {}


@pytest.mark.parametrize(
    ("algorithm", "task", "known", "rate"),
    [
        ("backprop", "xor", KNOWN, Rate(2, 0.25, 4)),
        ("weight_mirror", "xor", KNOWN, Rate(9, 0.5, 9)),
        ("backprop", "encoder", KNOWN, Rate(1, 0.5, 5)),
        ("backprop", "symmetry", KNOWN, Rate(5.5, 0.5, 7)),
        ("backprop", "symmetry", [], GUESS),
    ],
)
def test_a_cell_takes_its_work_at_the_nearest_rate(
    algorithm: str, task: str, known: list[Spent], rate: Rate
) -> None:
    one, of = cell(algorithm, task), rates_of(known)
    assert expected_seconds(one, of) == pytest.approx(rate.seconds * rate.share * expected_work(one))
    assert usual_seconds(one.id, of) == rate.cell
    twice = cell(algorithm, task, replicas=6)
    assert expected_seconds(twice, of) == pytest.approx(2 * expected_seconds(one, of))


def test_what_is_not_run_takes_no_time() -> None:
    assert (refused := cell("bptt")).not_applicable
    assert expected_seconds(refused, rates_of(KNOWN)) == 0


def test_a_record_says_what_it_took(store: Store) -> None:
    """Equal to what stands in its own columns: seconds, and the epochs that were spent of the budget."""
    attempt(one := cell(), store)
    record = store.read(one.id)
    said = rates.spent(record)
    assert said is not None
    assert said.seconds == pytest.approx(record.replicas["seconds"].sum())
    assert said.budget == expected_work(one)
    assert said.work == pytest.approx(said.budget * record.replicas["epochs"].sum() / (3 * 20))
    found = measured(store, [one.id])
    assert found["backprop", "xor"] == rates_of([said])["backprop", "xor"]
    assert expected_seconds(one, found) == pytest.approx(said.seconds)


def test_damaged_foreign_and_refused_records_say_nothing(store: Store) -> None:
    for seed in range(3):
        attempt(cell(seed=seed), store)
    ids = [cell(seed=seed).id for seed in range(3)]
    (store.cell_folder(ids[0]) / "replicas.parquet").write_bytes(b"cut")
    meta = store.cell_folder(ids[1]) / "cell.json"
    meta.write_text(meta.read_text(encoding="utf-8").replace('"backprop"', '"nobody"'), encoding="utf-8")
    assert rates.spent(store.read(ids[0])) is None
    assert rates.spent(store.read(ids[1])) is None
    assert measured(store, ids) == rates_of([rates.spent(store.read(ids[2])) or KNOWN[0]])


def test_without_records_of_its_own_a_pair_is_judged_by_the_task_then_by_anything(store: Store) -> None:
    attempt(cell("backprop", "xor"), store)
    attempt(cell("backprop", "encoder"), store)
    near = measured(store, [cell("spsa", "xor").id])
    assert {*near} == {("backprop", "xor"), ("", "xor"), ("", "")}
    far = measured(store, [cell("spsa", "symmetry").id])
    assert {*far} == {("backprop", "xor"), ("backprop", "encoder"), ("", "xor"), ("", "encoder"), ("", "")}
    assert measured(Store(store.path / "none"), [cell().id]) == {}


def test_few_records_are_read_however_many_there_are(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 cells of 500 pairs; of the one that is asked for five are read, of a strange one two dozen."""
    for i in range(10_000):
        (store.path / "cells" / f"task{i % 5}-rule{i % 100}-{i:012x}").mkdir()
    read: list[str] = []
    monkeypatch.setattr(rates, "spent", lambda record: read.append(record.path.name))
    measured(store, [f"task0-rule0-{'a' * 12}"])
    assert len(read) == rates.MOST
    assert {i.rpartition("-")[0] for i in read} == {"task0-rule0"}
    read.clear()
    measured(store, [f"task0-new-{'a' * 12}"])
    assert len({*read}) == len(read) <= rates.OTHERS
    assert {i.partition("-")[0] for i in read} == {"task0"}
