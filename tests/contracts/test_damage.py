"""Held to the store's promise on damage: it is said which file it is, no number is taken from it, and the
cell is run again to the same bits.

Every file of a record, and of a study, is spoilt in every way that a disk or a person can.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness import results
from harness.core.errors import InputError
from harness.store.files import FILES, META, SEAL, Damaged, json_text
from harness.store.record import Record
from harness.store.store import Store

Harness = Callable[..., tuple[int, str, str]]
SWEEP = (
    "-m", "hydra/launcher=basic", "run.seed=1,2,3,4,5", "run.replicas=3", "run.epochs=20", "figures=false",
)  # fmt: skip


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def mangled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 255
    path.write_bytes(bytes(data))


def swapped(path: Path) -> None:
    """Numbers that can be read, and are not those that were written."""
    if path.suffix == ".json":
        path.write_text(path.read_text().replace("1", "2", 1))
    else:
        path.write_bytes(path.read_bytes() + b"\0")


def gone(path: Path) -> None:
    path.unlink()


WAYS = (cut, emptied, mangled, swapped, gone)
NAMES = (META, "replicas.parquet", "curves.parquet", "credit.parquet", "cost.json", "weights.npz")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One finished cell with all files that a record can have."""
    from harness.cells.cell import Cell
    from harness.studies.attempt import attempt

    store = Store.at(tmp_path_factory.mktemp("made") / "store").prepare()
    cell = Cell.of({"name": "backprop"}, {"name": "xor"}, {"replicas": 10, "epochs": 30, "probe": 2})
    assert attempt(cell, store)
    store.write_study("s", "", [cell.id])
    return store


@pytest.fixture
def spoilt(made: Store, tmp_path: Path) -> Record:
    """A copy of that record, to be spoilt."""
    (record,) = made.records("s")
    return Record(Path(shutil.copytree(record.path, tmp_path / "cells" / record.id)))


def read_all(record: Record) -> None:
    _ = record.replicas, record.curves, record.credit, record.cost, record.weights


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_no_number_is_taken_from_a_damaged_file(
    spoilt: Record, name: str, way: Callable[[Path], None]
) -> None:
    assert spoilt.damage() == ""
    way(spoilt.path / name)
    with pytest.raises(Damaged, match=rf"{name} is (damaged|missing).*run again sets") as caught:
        read_all(Record(spoilt.path))
    assert "\n" not in str(caught.value)
    assert Record(spoilt.path).damage().startswith(name)


def before_there_were_digests(record: Record) -> None:
    meta = json.loads((record.path / META).read_text())
    (record.path / META).write_text(json_text({n: v for n, v in meta.items() if n not in (FILES, SEAL)}))


@pytest.mark.parametrize("name", ["replicas.parquet", "curves.parquet", "credit.parquet", "weights.npz"])
@pytest.mark.parametrize("way", [cut, emptied])
def test_older_records_are_read_and_checked_by_their_contents(
    spoilt: Record, name: str, way: Callable[[Path], None]
) -> None:
    before_there_were_digests(spoilt)
    read_all(Record(spoilt.path))
    assert Record(spoilt.path).damage() == ""
    way(spoilt.path / name)
    assert Record(spoilt.path).damage().startswith(f"{name} is damaged")


def test_three_of_ten_rows_are_no_cell_of_three(spoilt: Record) -> None:
    from harness.store.files import write_columns

    before_there_were_digests(spoilt)
    rows = {name: column[:3] for name, column in Record(spoilt.path).replicas.items()}
    write_columns(spoilt.path / "replicas.parquet", rows)
    with pytest.raises(Damaged, match="it has 3 rows for 10 replicas"):
        Record(spoilt.path).summary()


def test_a_file_that_cannot_be_read_now_is_not_called_damaged(
    spoilt: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_many(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    _ = spoilt.meta
    monkeypatch.setattr(Path, "open", too_many)
    with pytest.raises(InputError, match=r"cannot be read \(Too many open files\)") as caught:
        _ = spoilt.replicas
    assert not isinstance(caught.value, Damaged)


def test_a_study_sets_damaged_records_aside_and_runs_their_cells_again(
    harness: Harness, store: Store
) -> None:
    code, _, _ = harness(*SWEEP)
    assert code == 0
    records = store.records("scratch")
    before = {record.id: record.weights for record in records}
    files = (META, "replicas.parquet", "curves.parquet", "cost.json", "weights.npz")
    for record, name, way in zip(records, files, WAYS, strict=True):
        way(record.path / name)
    with pytest.raises(InputError, match="run again sets the record aside"):
        results.cells("scratch", store)
    code, out, err = harness(*SWEEP)
    assert code == 0, err
    for record, name in zip(records, files, strict=True):
        assert err.count(f" in the record of {record.path.name}: it is set aside in ") == 1
        assert f"harness: {name} is " in err
    assert "Traceback" not in out + err
    assert len(list((store.path / "damaged").iterdir())) == 5, "nothing is deleted"
    for record in store.records("scratch"):
        assert record.damage() == ""
        for part, weights in before[record.id].items():
            np.testing.assert_array_equal(record.weights[part], weights)
    code, _, err = harness(*SWEEP)
    assert (code, err) == (0, "")


def test_a_single_run_does_the_same(harness: Harness, store: Store) -> None:
    run = ("task=xor", "run.replicas=2", "run.epochs=5")
    harness(*run)
    (record,) = store.records("scratch")
    mangled(record.path / "weights.npz")
    code, out, err = harness(*run)
    assert code == 0
    assert err.startswith(
        "harness: weights.npz is damaged (its contents are not those that were written) in "
    )
    assert "made earlier" not in out
    assert store.read(record.id).damage() == ""


@pytest.mark.parametrize(
    "way", [cut, *(pytest.param(way, marks=pytest.mark.slow) for way in (emptied, mangled))]
)
def test_a_damaged_definition_of_a_study_is_one_sentence_and_is_made_anew(
    harness: Harness, store: Store, way: Callable[[Path], None]
) -> None:
    harness(*SWEEP)
    path = store.study_folder("scratch") / "study.json"
    way(path)
    with pytest.raises(Damaged, match=r"study\.json is damaged .* delete it, and the study") as caught:
        results.cells("scratch", store)
    assert "\n" not in str(caught.value)
    code, out, err = harness("task=encoder", "run.replicas=1", "run.epochs=1")
    assert (code, out, err.count("\n")) == (2, "", 1), "before anything is run"
    assert "study.json is damaged" in err
    code, _, err = harness(*SWEEP)
    assert (code, err) == (0, "")
    assert len(results.cells("scratch", store)) == 5


def test_a_note_of_a_failure_that_cannot_be_read_says_no_more_than_none(store: Store) -> None:
    i = "xor-backprop-0123456789ab"
    (store.path / "failed" / f"{i}.json").write_text("{")
    assert store.failures([i]) == {}
    store.write_study("s", "", [i])
    assert results.cells("s", store)["status"].tolist() == ["not run"]


def test_a_damaged_observation_is_one_sentence_or_made_anew(store: Store) -> None:
    from harness.replication import claims
    from harness.replication.evidence import Agenda, Look, has, keep, read

    jobs = Agenda.of([claim for claim in claims() if claim.id.startswith("pdp")], small=True).jobs
    job = next((job for job in jobs.values() if isinstance(job, Look)), None)
    if job is None:
        jobs = Agenda.of(claims(), small=True).jobs
        job = next(job for job in jobs.values() if isinstance(job, Look))
    keep(store, job, {"x": np.arange(1000.0)})
    assert has(store, job)
    mangled(job.path(store))
    with pytest.raises(InputError, match="delete it, and the next run looks again"):
        read(store, job)
    cut(job.path(store))
    assert not has(store, job), "it is looked again"
