"""What is kept of a cell before it has a record: checkpoints, shards, and damaged parts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.experiment.run import run_cell
from harness.store import parts as kept
from harness.store.parts import Parts, together
from harness.store.store import Store
from harness.studies.attempt import attempt, attempt_shard, attempt_text
from harness.studies.jobs import in_jobs
from harness.studies.shards import Shard, parse, shards

TIMED = ("seconds",)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(tmp_path / "results").prepare()


def a_cell(**how: Any) -> Cell:
    run = {"replicas": 60, "epochs": 300, "seed": 2} | how
    return Cell.of({"name": "weight_perturbation"}, {"name": "xor"}, run)


def same(one: Store, other: Store, cell: Cell) -> bool:
    """Whether a cell's records have the same bits in two stores, times aside."""
    a, b = one.read(cell.id), other.read(cell.id)
    columns = [a.replicas, a.histories, a.weights], [b.replicas, b.histories, b.weights]
    return all(
        x.keys() == y.keys() and all(np.array_equal(x[k], y[k], equal_nan=x[k].dtype.kind == "f") for k in x
                                     if k not in TIMED)
        for x, y in zip(*columns, strict=True)
    )  # fmt: skip


@pytest.fixture
def whole(tmp_path: Path) -> Store:
    """A store in which cells are run at once."""
    return Store.at(tmp_path / "whole").prepare()


def test_shards_join_to_the_record_of_one_run(store: Store, whole: Store) -> None:
    cell = a_cell()
    pieces = shards(cell, 4)
    assert [(p.first, p.stop) for p in pieces] == [(0, 15), (15, 30), (30, 45), (45, 60)]
    for piece in reversed(pieces):
        assert not store.has(cell.id)
        attempt_text(str(store.path), piece.text())
    attempt(cell, whole)
    assert same(store, whole, cell)
    assert not Parts.of(store.path, cell.id).folder.exists()


def test_a_cell_that_is_run_whole_takes_up_what_shards_have_done(store: Store, whole: Store) -> None:
    cell = a_cell()
    attempt_shard(shards(cell, 3)[1], store)
    before = Parts.of(store.path, cell.id).before()
    assert before.done is not None
    assert before.done.replica.tolist() == list(range(20, 40))
    attempt(cell, store), attempt(cell, whole)
    assert same(store, whole, cell)


def test_two_that_did_the_same_replicas_count_once(store: Store, whole: Store) -> None:
    cell = a_cell(replicas=9)
    for first, stop in ((0, 5), (3, 9)):
        part = Parts.of(store.path, cell.id)
        part.finish(run_cell(cell.algorithm, cell.task, cell.settings, only=range(first, stop)).trained)
        part.flush()
    before = Parts.of(store.path, cell.id).before().done
    assert before is not None
    assert before.replica.tolist() == list(range(9))
    attempt(cell, store), attempt(cell, whole)
    assert same(store, whole, cell)


def test_what_has_no_bits_of_its_own_is_one_piece() -> None:
    assert len(shards(a_cell(backend="jax"), 4)) == 1
    assert len(shards(a_cell(seconds=1.0), 4)) == 1
    assert len(shards(a_cell(replicas=3), 8)) == 3
    assert shards(a_cell(), 1)[0].whole


@pytest.mark.parametrize(
    "line",
    [
        "",
        "0:4",
        "4:2 {cell}",
        "0:61 {cell}",
        "-1:4 {cell}",
        '0:4 {"algorithm": 3}',
        "0:4 {cell} {cell}",
        "[1]",
    ],
)
def test_a_line_that_is_no_job_is_refused_in_a_sentence(line: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(line.replace("{cell}", a_cell().text()))
    assert "\n" not in str(refused.value)


def test_a_shard_is_its_own_text() -> None:
    shard = Shard(a_cell(), 3, 9)
    assert parse(shard.text()) == shard


def test_a_part_of_another_cell_is_refused_and_nothing_is_lost(store: Store) -> None:
    one, other = a_cell(seed=1), a_cell(seed=9)
    attempt_shard(shards(one, 2)[0], store)
    (file,) = Parts.of(store.path, one.id).folder.iterdir()
    target = Parts.of(store.path, other.id).folder
    target.mkdir()
    file.rename(target / file.name)
    assert attempt(other, store) is None
    reason = store.failures([other.id])[other.id]["reason"]
    assert f"is a part of {one.id}, and cannot be joined with those of {other.id}" in reason
    assert (target / file.name).is_file()


@pytest.mark.parametrize("harm", ["cut", "mangled", "empty", "words"])
def test_a_damaged_part_is_done_again(store: Store, whole: Store, harm: str) -> None:
    cell = a_cell()
    attempt_shard(shards(cell, 2)[0], store)
    (file,) = Parts.of(store.path, cell.id).folder.iterdir()
    data = file.read_bytes()
    harmed = {
        "cut": data[: len(data) // 2],
        "mangled": data[:200] + bytes(50) + data[250:],
        "empty": b"",
        "words": b"these are words",
    }
    file.write_bytes(harmed[harm])
    attempt(cell, store), attempt(cell, whole)
    assert same(store, whole, cell)


def test_a_part_that_another_kernel_made_is_done_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = a_cell()
    elsewhere = kept.environment() | {"blas": "another"}
    with monkeypatch.context() as there:
        there.setattr(kept, "environment", lambda: elsewhere)
        attempt_shard(shards(cell, 2)[0], store)
    assert Parts.of(store.path, cell.id).before().done is None


@pytest.mark.parametrize("given", ["soon", "-1", "nan", "inf", ""])
def test_seconds_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(kept.SETTING, given)
    with pytest.raises(InputError, match="must be seconds"):
        kept.every()


def test_nothing_is_written_of_what_is_soon_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_write", None)
    assert attempt(a_cell(), store)


def test_a_disk_that_takes_no_part_is_no_loss(
    store: Store, whole: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = a_cell()
    attempt(cell, whole)
    monkeypatch.setenv(kept.SETTING, "0")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "_write", full)
    attempt(cell, store)
    assert same(store, whole, cell)


CODE = """
import sys
from harness.studies.attempt import attempt_text
attempt_text(sys.argv[1], sys.stdin.read())
"""


def killed_once(store: Store, text: str, where: str) -> None:
    """Run a job in a process that is killed as soon as a checkpoint lies in the store; then to its end."""
    env = os.environ | {kept.SETTING: "0"}
    command = [sys.executable, "-c", CODE, str(store.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=env, text=True) as process:
        assert process.stdin
        process.stdin.write(text)
        process.stdin.close()
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            if list((store.path / "parts").glob(where)):
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.005)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert list((store.path / "parts").glob(where))


def test_a_killed_cell_goes_on_to_the_record_it_would_have_had(store: Store, whole: Store) -> None:
    cell = a_cell(epochs=4000)
    killed_once(store, cell.text(), f"{cell.id}/at-*.npz")
    (begun,) = Parts.of(store.path, cell.id).before().begun
    assert begun == list(range(60))
    attempt(cell, store), attempt(cell, whole)
    assert same(store, whole, cell)
    assert not Parts.of(store.path, cell.id).folder.exists()


def test_a_killed_shared_batch_is_one_again_and_goes_on(store: Store, whole: Store) -> None:
    def at(lr: float) -> Cell:
        optimiser = {"name": "gradient_descent", "lr": lr}
        rule = {"name": "backprop", "optimiser": optimiser}
        return Cell.of(rule, {"name": "xor"}, {"replicas": 20, "epochs": 4000})

    cells = [at(lr) for lr in (0.01, 0.02, 0.03)]
    killed_once(store, "\n".join(cell.text() for cell in cells), "together-*/at-*.npz")
    assert together(store.path) == [[cell.id for cell in cells]]
    others = [at(lr) for lr in (0.04, 0.05)]
    jobs = in_jobs([others[0], *cells, others[1]], store, 8)
    assert [cell.id for cell in jobs[0]] == [cell.id for cell in cells]
    attempt_text(str(store.path), "\n".join(cell.text() for cell in cells))
    for cell in cells:
        attempt(cell, whole)
        assert same(store, whole, cell)
    assert not together(store.path)
