"""How far a study is, held to planted stores whose state is known, and to real studies, interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.cells.cell import Cell
from harness.cli import bars
from harness.cli.bars import cells_bar, line
from harness.cli.conduct import interrupted
from harness.store import running as notes
from harness.store.running import Note, noted
from harness.store.store import Store
from harness.studies import progress as studies_progress
from harness.studies.attempt import attempt, expected_work
from harness.studies.progress import Progress, Standing, watching
from harness.studies.rates import Rate
from helpers.processes import HEARING, alive, children

RUN = {"replicas": 3, "epochs": 20}
SEVERAL = [
    Cell.of({"name": a}, {"name": t}, RUN)
    for t, a in (("xor", "backprop"), ("xor", "spsa"), ("encoder", "spsa"))
]
NOW = Standing(
    cells=80,
    over=12,
    replicas=8000,
    replicas_over=1200,
    running=("xor by spsa", "symmetry by backprop"),
    waiting="xor by spsa",
    share=0.1,
    left=170.0,
)


def seconds(monkeypatch: pytest.MonkeyPatch, of: dict[str, float], workers: int = 2) -> None:
    """Let cells be expected to take so many seconds by their task, as if records had said so."""
    rates = {
        (cell.algorithm.name, cell.task.name): Rate(of[cell.task.name] / expected_work(cell), 1, 1)
        for cell in SEVERAL
    }
    monkeypatch.setattr(studies_progress, "measured", lambda *_: rates)
    monkeypatch.setattr(studies_progress, "cores", lambda: workers)


def finished(store: Store, cell: Cell) -> None:
    (store.path / "cells" / cell.id).mkdir()


def began(monkeypatch: pytest.MonkeyPatch, found: dict[str, int]) -> None:
    """Let cells run, each in a process of its own, since so many seconds."""
    then = {
        i: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago)) for i, ago in found.items()
    }
    running = {i: Note("here", pid, text) for pid, (i, text) in enumerate(then.items())}
    monkeypatch.setattr(studies_progress, "running", lambda _: running)


def test_a_line_says_cells_replicas_what_runs_and_the_time_left() -> None:
    assert line(NOW) == (
        "12 of 80 cells are over, 1,200 of 8,000 replicas; now xor by spsa, symmetry by backprop; "
        "about 3 min left"
    )
    many = tuple(f"xor by rule{i}" for i in range(7))
    assert line(NOW._replace(running=many)).count("xor by") == bars.NAMES
    assert "and 3 others" in line(NOW._replace(running=many))
    assert line(NOW._replace(running=(), left=None)) == "12 of 80 cells are over, 1,200 of 8,000 replicas"
    assert "left" not in line(NOW._replace(over=80, left=0.0)), "what is over has no time left"


def test_what_is_finished_or_failed_is_over_and_what_failed_before_is_not(store: Store) -> None:
    """A failed cell is tried again: it would be said to be over before it is begun."""
    store.write_failure(SEVERAL[0], "earlier", "")
    progress = Progress(store, SEVERAL)
    assert progress.over() == set()
    finished(store, SEVERAL[1])
    assert progress.over() == {SEVERAL[1].id}
    time.sleep(0.01)
    store.write_failure(SEVERAL[0], "again", "")
    (store.path / "failed" / "xor-backprop-0123456789ab.json").write_text("{}", encoding="utf-8")
    finished(store, Cell.of({"name": "backprop"}, {"name": "xor"}, RUN | {"seed": 9}))  # of another study
    now = progress.look()
    assert progress.over() == {SEVERAL[0].id, SEVERAL[1].id}
    assert (now.cells, now.over, now.replicas, now.replicas_over) == (3, 2, 9, 6)
    assert now.waiting == "encoder by spsa"


def test_without_any_record_no_time_is_said_and_with_one_it_is(store: Store) -> None:
    assert Progress(store, SEVERAL).look().left is None
    attempt(Cell.of({"name": "backprop"}, {"name": "xor"}, RUN | {"seed": 5}), store)
    left = Progress(store, SEVERAL).look().left
    assert left is not None
    assert left > 0


def test_what_runs_is_named_once_the_longest_at_work_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = Cell.of({"name": "backprop"}, {"name": "xor"}, RUN | {"seed": 5})
    began(monkeypatch, {SEVERAL[0].id: 5, twice.id: 6, SEVERAL[2].id: 60, SEVERAL[1].id: 9})
    finished(store, SEVERAL[1])  # its note is taken away in a moment
    now = Progress(store, [*SEVERAL, twice]).look()
    assert now.running == ("encoder by spsa", "xor by backprop")


def test_the_time_left_at_the_beginning_is_that_of_all_cores(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand: two cells of 100 s and one of 60 by two workers are 130 s; one of 1,000 s takes that alone."""
    seconds(monkeypatch, {"xor": 100.0, "encoder": 60.0})
    now = Progress(store, SEVERAL).look()
    assert now.left == pytest.approx(130, rel=0.01)
    assert now.share == 0
    seconds(monkeypatch, {"xor": 10.0, "encoder": 1000.0})
    assert Progress(store, SEVERAL).look().left == pytest.approx(1000, rel=0.01)


def test_what_runs_counts_for_as_long_as_it_ran(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: of 260 s of cells 100 are over, 40 have run; what is overdue needs another quarter."""
    seconds(monkeypatch, {"xor": 100.0, "encoder": 60.0}, workers=1)
    progress = Progress(store, SEVERAL)
    progress.look()
    finished(store, SEVERAL[0])
    began(monkeypatch, {SEVERAL[2].id: 40})
    monkeypatch.setattr(progress, "_began", time.monotonic() - 140)
    now = progress.look()
    assert now.share == pytest.approx(140 / 260, abs=0.02)
    assert now.left == pytest.approx(120, rel=0.05)
    began(monkeypatch, {SEVERAL[2].id: 200})
    monkeypatch.setattr(progress, "_began", time.monotonic() - 300)
    assert progress.look().left == pytest.approx(150, rel=0.05)


def test_a_slow_machine_is_noticed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What should have taken 100 s took 1,000, so that the rest of 160 takes about 1,600."""
    seconds(monkeypatch, {"xor": 100.0, "encoder": 60.0}, workers=1)
    progress = Progress(store, SEVERAL)
    progress.look()
    finished(store, SEVERAL[0])
    monkeypatch.setattr(progress, "_began", time.monotonic() - 1000)
    assert progress.look().left == pytest.approx(1600, rel=0.15)


def test_a_look_that_fails_ends_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    progress, looked = Progress(store, SEVERAL), list[int]()

    def failing() -> Standing:
        looked.append(1)
        raise OSError("the disk is away")

    monkeypatch.setattr(progress, "look", failing)
    with watching(progress, lambda _: None, every=0.001):
        until = time.monotonic() + 30
        while len(looked) < 3 and time.monotonic() < until:
            time.sleep(0.001)
    assert len(looked) >= 3


def test_a_log_has_a_line_a_minute_and_the_first_after_one(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With minutes of a fifth of a second; there is no bar, and shown=False says nothing."""
    assert bars.MINUTE == 60
    monkeypatch.setattr(bars, "MINUTE", 0.2)
    monkeypatch.setattr(notes, "PATIENCE", 0.0)
    for shown, fewest, most in ((True, 1, 5), (False, 0, 0)):
        with noted(store, [SEVERAL[0].id]), cells_bar(store, SEVERAL, shown=shown):
            time.sleep(1.1)
        said = capsys.readouterr().err.splitlines()
        assert fewest <= len(said) <= most
        assert set(said) <= {"harness: 0 of 3 cells are over, 0 of 9 replicas; now xor by backprop"}
    with cells_bar(store, SEVERAL):
        pass
    assert capsys.readouterr().err == ""


def test_who_is_interrupted_hears_what_is_kept_and_what_comes_next(store: Store) -> None:
    finished(store, SEVERAL[0])
    assert interrupted(store, [cell.id for cell in SEVERAL]) == (
        "interrupted: 1 of 3 cells are kept, and the same command does the other 2, "
        "of what is half done the rest"
    )


@contextmanager
def a_study(store: Store, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Of four cells without an end, in a process group of its own, as a shell has it."""
    command = [sys.executable, "-m", "harness", "-m", "run.replicas=400", "run.seed=1,2,3,4", "task=xor"]
    command += ["run.epochs=1000000", "task.criterion=error", "task.bound=1e-9", "tracking.enabled=false"]
    command += ["algorithm=backprop", f"store={store.path}", *more]
    pipe = subprocess.PIPE
    study = subprocess.Popen(HEARING + command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    try:
        yield study
    finally:
        if study.poll() is None:
            os.killpg(study.pid, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="there is no /proc to see processes in")
@pytest.mark.parametrize(
    ("launcher", "end"),
    [
        ("processes", signal.SIGINT),
        pytest.param("processes", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("joblib", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("joblib", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("basic", signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_study_is_one_sentence_and_code_130(
    store: Store, launcher: str, end: signal.Signals
) -> None:
    """SIGINT goes to the whole group, as a terminal's Ctrl-C does; SIGTERM to the one that was started."""
    two = [] if launcher == "basic" else ["hydra.launcher.n_jobs=2"]
    with a_study(store, f"hydra/launcher={launcher}", *two) as study:
        eventually(lambda: notes.running(store) or study.poll() is not None)
        assert study.poll() is None, study.communicate()
        below = children(study.pid)
        os.killpg(study.pid, end) if end == signal.SIGINT else study.send_signal(end)
        _, said = study.communicate(timeout=60)
        assert study.returncode == 130, said
        said = "\n".join(each for each in said.splitlines() if "resource_tracker" not in each)
        assert said.strip() == (
            "harness: interrupted: 0 of 4 cells are kept, and the same command does the other 4, "
            "of what is half done the rest"
        )
        assert eventually(lambda: not any(map(alive, below)))
    assert notes.running(store) == {}


def eventually(true: Callable[[], object], within: float = 60) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.02)
    return False
