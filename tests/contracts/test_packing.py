"""Held to what jobs of many cells promise: every cell once, in order, as long as was asked for; what a job
that died has left is run again; a scheduler's signal is no cell's failure.

SLURM and Ray themselves are asked in tests/cluster.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.experiment.run import run_cell
from harness.store.parts import Parts
from harness.store.store import Store
from harness.studies.apart import STRIKES, End, run_apart
from harness.studies.attempt import attempt
from harness.studies.packing import job_files, pack, packs, read_file, run_text, text_of
from harness.studies.shards import shards
from harness.studies.signals import aside
from helpers.same_records import same_records

Harness = Callable[..., tuple[int, str, str]]
SECONDS = st.lists(st.floats(0, 1e6), max_size=60)


@given(SECONDS, st.floats(1e-3, 1e6))
def test_every_item_is_in_one_run_in_its_order_and_no_run_of_several_is_too_long(
    seconds: list[float], most: float
) -> None:
    runs = pack(range(len(seconds)), seconds, most)
    assert [i for run in runs for i in run] == list(range(len(seconds)))
    for run in runs:
        assert run
        assert len(run) == 1 or sum(seconds[i] for i in run) <= most * (1 + 1e-9)


@given(SECONDS, st.floats(1e-3, 1e6))
def test_no_run_could_have_taken_the_first_of_the_next(seconds: list[float], most: float) -> None:
    runs = pack(range(len(seconds)), seconds, most)
    for run, following in pairwise(runs):
        assert sum(seconds[i] for i in [*run, following[0]]) > most * (1 - 1e-9)


def cells(count: int, **run: object) -> list[Cell]:
    settings = {"replicas": 3, "epochs": 5} | run
    return [Cell.of({"name": "backprop"}, {"name": "xor"}, settings | {"seed": i}) for i in range(count)]


def rates(count: int) -> list[Cell]:
    """Cells that share a batch."""
    given = (
        {"name": "backprop", "optimiser": {"name": "gradient_descent", "lr": 0.1 + i / 10}}
        for i in range(count)
    )
    return [Cell.of(algorithm, {"name": "xor"}, {"replicas": 3, "epochs": 5}) for algorithm in given]


@pytest.mark.parametrize(("minutes", "jobs"), [(30, 1), (1e-9, 4)])
def test_cells_that_share_a_batch_are_in_one_job(store: Store, minutes: float, jobs: int) -> None:
    batch, alone = rates(3), cells(3, epochs=7)
    made = packs([*batch[:2], *alone, batch[2]], store, minutes)
    assert len(made) == jobs
    assert sorted(len(each) for job in made for each in job) == [1, 1, 1, 3]
    assert {c.id for job in made for each in job for c in each} == {c.id for c in (*batch, *alone)}


def test_a_cell_longer_than_a_job_is_shared_out_and_joined(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.studies.packing.expected_seconds", lambda *_: 200.0)
    big, small = cells(1, replicas=9, epochs=40)[0], cells(2, replicas=1)
    made = packs([small[0], big, small[1]], store, 1)
    lines = [text_of(job).partition(" ")[0] for job in made]
    assert lines[1:5] == ["0:2", "2:4", "4:6", "6:9"]
    assert len(made) == 6
    assert run_apart(made, store, lambda texts: [done(store, text) for text in texts]) == {}
    other = Store.at(tmp_path / "other").prepare()
    for cell in (*small, big):
        attempt(cell, other)
    same_records(store, other, 3)


def done(store: Store, text: str) -> End:
    run_text(str(store.path), text)
    return End()


def test_shards_that_miss_each_other_at_the_end_are_joined(store: Store) -> None:
    cell = cells(1, replicas=6)[0]

    def alone(texts: list[str]) -> list[End]:
        for each in shards(cell, 2):  # as if each had looked before the other wrote
            part = Parts.of(store.path, cell.id)
            some = range(each.first, each.stop)
            part.finish(run_cell(cell.algorithm, cell.task, cell.settings, only=some).trained)
            part.flush()
        return [End() for _ in texts]

    assert run_apart([[[each]] for each in shards(cell, 2)], store, alone) == {}
    assert store.has(cell.id)


def test_a_job_that_made_a_checkpoint_before_it_died_is_run_again(store: Store) -> None:
    """It may be taken away more often than three times: what counts is that it went on."""
    (cell,) = cells(1)
    lives = iter(range(6))

    def launch(texts: list[str]) -> list[End]:
        if (life := next(lives)) == 5:
            return [done(store, text) for text in texts]
        folder = store.path / "parts" / cell.id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"at-{life}-1.npz").write_bytes(b"")
        return [End("its machine was taken away") for _ in texts]

    assert run_apart([[[cell]]], store, launch) == {}
    assert store.has(cell.id)


def test_processes_of_one_machine_get_a_few_jobs_each(store: Store) -> None:
    assert len(packs(cells(40), store, 30)) == 1
    assert 8 <= len(packs(cells(40), store, 30, processes=2)) <= 16


def test_a_job_runs_from_its_text_to_the_records_of_its_cells(store: Store, tmp_path: Path) -> None:
    batch, alone = rates(3), cells(2)
    run_text(str(store.path), text_of([batch, *([cell] for cell in alone)]))
    other = Store.at(tmp_path / "other").prepare()
    for cell in (*batch, *alone):
        attempt(cell, other)
    same_records(store, other, 5)


def test_a_file_of_cells_comes_back_as_it_was_and_goes_with_the_study(store: Store) -> None:
    texts = [text_of([[cell]]) for cell in cells(2)]
    with job_files(store, "mine", texts) as paths:
        assert [read_file(path) for path in paths] == texts
    assert not list((store.path / "jobs").iterdir())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.unlink(), "cannot be read (No such file or directory)"),
        (lambda path: path.write_text("root:x:0:0"), "that a sweep has written: it begins with 'root:x:0:0'"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "that a sweep has written: it is no text"),
        (lambda path: path.write_text(path.read_text()[:-9]), "no longer as it was written: run the sweep"),
        (lambda path: path.write_text(path.read_text().replace("xor", "not")), "no longer as it was written"),
    ],
    ids=["missing", "foreign", "no text", "cut", "changed"],
)  # fmt: skip
def test_a_file_of_cells_that_is_none_is_one_sentence(
    store: Store, change: Callable[[Path], object], said: str
) -> None:
    with job_files(store, "mine", [text_of([[cells(1)[0]]])]) as (path,):
        change(path)
        with pytest.raises(InputError) as refused:
            read_file(path)
    assert str(refused.value).startswith(f"cells={path} ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


class Launcher:
    """Runs jobs up to a deadly cell, as a machine does that is killed by it, or at most so many batches."""

    def __init__(self, store: Store, deadly: str = "", most: int = 1000) -> None:
        self.store, self.deadly, self.most = store, deadly, most
        self.begun: list[str] = []

    def __call__(self, texts: list[str]) -> list[End]:
        return [self.job(text.split("\n\n")) for text in texts]

    def job(self, batches: list[str]) -> End:
        for batch in batches[: self.most]:
            ids = [Cell.parse(line).id for line in batch.splitlines()]
            if self.deadly in ids:
                return End("killed")
            self.begun += ids
            run_text(str(self.store.path), batch)
        return End("" if len(batches) <= self.most else "killed")


def test_what_a_killed_job_has_left_is_run_again_and_nothing_twice(store: Store) -> None:
    some, launcher = cells(7), Launcher(store, most=2)
    assert run_apart([[[cell] for cell in some]], store, launcher) == {}
    assert launcher.begun == [cell.id for cell in some]
    assert len(store.cells()) == 7


@pytest.mark.parametrize("place", [0, 3])
def test_a_cell_that_kills_its_job_is_lost_and_no_other(store: Store, place: int) -> None:
    some = cells(6)
    launcher = Launcher(store, some[place].id)
    assert run_apart([[[cell] for cell in some]], store, launcher) == {some[place].id: "killed"}
    assert len(store.cells()) == 5


def test_a_batch_that_kills_its_job_is_taken_apart(store: Store) -> None:
    batch, alone = rates(3), cells(1)
    launcher = Launcher(store, batch[1].id)
    assert run_apart([[batch, alone]], store, launcher) == {batch[1].id: "killed"}
    assert len(store.cells()) == 3


def test_where_every_job_dies_it_is_given_up(store: Store) -> None:
    """A machine without our packages, say: one that is full of errors is not asked for ever."""
    asked: list[int] = []

    def broken(texts: list[str]) -> list[End]:
        asked.append(len(texts))
        return [End("no Python")] * len(texts)

    lost = run_apart([[[cell] for cell in cells(50)]], store, broken)
    assert len(lost) == 50
    assert len(asked) == STRIKES


def test_what_a_person_took_away_is_not_sent_again(store: Store) -> None:
    asked: list[int] = []

    def gone(texts: list[str]) -> list[End]:
        asked.append(len(texts))
        return [End("cancelled", again=False)]

    assert len(run_apart([[[cell] for cell in cells(4)]], store, gone)) == 4
    assert asked == [1]


def test_a_launcher_that_takes_nothing_is_heard(store: Store) -> None:
    def refuse(_: list[str]) -> list[End]:
        raise InputError("no such partition")

    with pytest.raises(InputError, match="no such partition"):
        run_apart([[[cell] for cell in cells(2)]], store, refuse)


@pytest.mark.parametrize("raised", [SystemExit(-1), RuntimeError("not queued again")])
def test_what_a_signal_raises_is_no_failure_of_the_cell_it_was_at(
    store: Store, monkeypatch: pytest.MonkeyPatch, raised: BaseException
) -> None:
    """submitit's handler has the job queued again, and raises SystemExit: as a cell's own it would be noted
    as the cell's failure, and the job would go on."""
    from algorithms.backprop import Backprop

    def hear(*_: object) -> None:
        raise raised

    def signalled(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGUSR2)

    before = signal.signal(signal.SIGUSR2, hear)
    monkeypatch.setattr(Backprop, "credit", signalled)
    some = cells(3)
    try:
        with pytest.raises(type(raised)) as ended:
            run_text(str(store.path), text_of([[cell] for cell in some]))
        assert signal.getsignal(signal.SIGUSR2) is hear
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert ended.value is raised
    assert store.failures(cell.id for cell in some) == {}


def test_nothing_is_changed_where_nobody_hears_signals() -> None:
    before = signal.getsignal(signal.SIGUSR2)
    with aside():
        assert signal.getsignal(signal.SIGUSR2) == before


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed")
def test_ray_that_is_not_installed_is_one_sentence_and_nothing_is_lost(harness: Harness) -> None:
    code, _, err = harness("-m", "run.replicas=2", "run.epochs=2", "hydra/launcher=ray")
    assert code == 2
    assert err.splitlines() == [
        "harness: hydra/launcher=ray is not installed: pip install 'credit-assignment-harness[ray]', "
        "in a clone '.[ray]'"
    ]


@pytest.mark.skipif(find_spec("submitit") is not None, reason="submitit is installed")
def test_slurm_that_is_not_installed_is_one_sentence(harness: Harness) -> None:
    code, _, err = harness("-m", "run.replicas=2", "run.epochs=2", "hydra/launcher=submitit_slurm")
    assert code == 2
    assert err.splitlines() == [
        "harness: hydra/launcher=submitit_slurm is not installed: "
        "pip install 'credit-assignment-harness[slurm]', in a clone '.[slurm]'"
    ]


def test_a_launcher_of_hydras_is_handed_files_of_cells(
    harness: Harness, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its jobs make the records that our own processes make, and tell nobody."""
    handed: list[str] = []

    def listen(path: str) -> str:
        handed.append(path)
        return read_file(path)

    monkeypatch.setattr("harness.cli.app.read_file", listen)
    sweep = ("-m", "run.seed=1,2", "algorithm=backprop,perceptron", "run.replicas=3", "figures=false")
    code, _, err = harness(*sweep, "hydra/launcher=basic", "jobs.minutes=1e-9", f"store={tmp_path / 'a b'}")
    assert (code, err) == (0, "")
    assert len(set(handed)) == len(handed) == 4
    assert harness(*sweep, "hydra.launcher.n_jobs=1")[0] == 0
    same_records(Store.at(tmp_path / "a b"), store, 4)
    assert not list((tmp_path / "a b" / "jobs").iterdir())
