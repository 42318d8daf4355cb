"""Notes of what runs, held to their promise: who works is said, whoever was killed is not, and a note that is
lost or foreign does no harm."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cells.cell import Cell
from harness.store import running as notes
from harness.store.running import noted, running
from harness.store.store import Store
from harness.studies.attempt import attempt, attempt_together

IDS = ["xor-backprop-0123456789ab", "xor-spsa-0123456789ab"]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "PATIENCE", 0.0)


def eventually(true: Callable[[], object]) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.005)
    return False


def files(store: Store) -> list[Path]:
    return sorted((store.path / "running").glob("*"))


def planted(store: Store, name: str = "", **held: object) -> Path:
    """A note of another machine's, as it would be written there, or nearly so."""
    note = {"cells": IDS, "host": "elsewhere", "pid": 7, "began": "2026-01-31T12:00:00Z"} | held
    path = store.path / "running" / (name or f"elsewhere-7-{'a' * 32}.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(note), encoding="utf-8")
    return path


def aged(path: Path, seconds: float) -> None:
    then = time.time_ns() - int(seconds * 1e9)
    os.utime(path, ns=(then, then))


def test_what_runs_is_said_while_it_runs_and_no_longer(store: Store) -> None:
    assert running(store) == {}
    with noted(store, IDS):
        assert eventually(lambda: running(store))
        found = running(store)
        assert list(found) == IDS
        assert found[IDS[0]].pid == os.getpid()
        assert time.strptime(found[IDS[0]].began, "%Y-%m-%dT%H:%M:%SZ")
        with noted(store, IDS[:1]):
            assert eventually(lambda: len(files(store)) == 2)
        assert list(running(store)) == IDS, "the outer job goes on"
    assert running(store) == {}
    assert files(store) == []


def test_a_job_that_raises_runs_no_longer(store: Store) -> None:
    def interrupted() -> None:
        with noted(store, IDS):
            assert eventually(lambda: running(store))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert files(store) == []


def test_a_short_job_leaves_no_note_and_waits_for_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "PATIENCE", 1000.0)
    for _ in range(100):
        with noted(store, IDS):
            pass
    assert not (store.path / "running").exists()


def test_a_note_is_renewed_and_comes_back_if_it_was_deleted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "EVERY", 0.01)
    with noted(store, IDS):
        assert eventually(lambda: files(store))
        path = next(p for p in files(store) if p.name.endswith(".json"))
        aged(path, 100)
        assert eventually(lambda: list(running(store)) == IDS)
        path.unlink(missing_ok=True)
        assert eventually(path.is_file)


def test_a_note_counts_for_a_minute_by_the_clock_of_the_disk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own clock, an hour wrong, changes nothing."""
    path = planted(store)
    right = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: right() - 3600 * 10**9)
    for seconds, said in ((0, IDS), (50, IDS), (70, []), (10**6, [])):
        path.touch()
        os.utime(path, ns=(right() - seconds * 10**9,) * 2)
        assert list(running(store)) == said, seconds
    assert files(store) == [path], "who asks leaves nothing there"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_killed_is_not_said_to_run(store: Store, end: signal.Signals) -> None:
    """Of this machine at once; of another after a minute, as above."""
    program = (
        "import sys, time; from harness.store import running as r; from harness.store.store import Store\n"
        f"r.PATIENCE = 0\nwith r.noted(Store.at(sys.argv[1]), {IDS}): time.sleep(100)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(store.path)])
    assert eventually(lambda: running(store))
    assert running(store)[IDS[0]].pid == process.pid
    process.send_signal(end)
    process.wait()
    assert len(files(store)) == 1, "else this test could not fail"
    assert running(store) == {}


@pytest.mark.parametrize(
    "held",
    [
        {"cells": ["../../secret"]},
        {"cells": IDS[0]},
        {"cells": 5},
        {"cells": [5]},
        {"host": "../elsewhere"},
        {"host": "other"},
        {"pid": "seven"},
        {"pid": None},
        {"pid": 8},
        {"began": "yesterday"},
        {"name": "elsewhere-7.json"},
        {"name": f"elsewhere-7-{'a' * 31}g.json"},
        {"name": f".unfinished-{'a' * 32}.json"},
    ],
)
def test_what_is_no_note_of_ours_says_nothing(store: Store, held: dict[str, object]) -> None:
    planted(store)
    assert list(running(store)) == IDS
    planted(store).unlink()
    planted(store, **held)  # type: ignore[arg-type]
    assert running(store) == {}


def test_a_mangled_or_giant_note_says_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    path = planted(store)
    for text in ("", "{", "[]", '{"cells": null}', "\0" * 9):
        path.write_text(text, encoding="utf-8")
        assert running(store) == {}
    planted(store)
    monkeypatch.setattr(notes, "LARGEST", 10)
    assert running(store) == {}


def test_a_disk_that_takes_no_note_is_no_loss(store: Store) -> None:
    (store.path / "running").write_text("in the way", encoding="utf-8")
    with noted(store, IDS):
        time.sleep(0.05)
        assert running(store) == {}
    gone = Store(store.path / "gone")
    with noted(gone, IDS):
        time.sleep(0.05)
    assert not gone.path.exists(), "a store that was moved away is not begun anew"


def test_notes_of_the_long_dead_are_removed_by_whoever_writes_one(store: Store) -> None:
    path = planted(store)
    aged(path, 4000)
    (fresh := path.with_name(f"elsewhere-8-{'a' * 32}.json")).touch()
    with noted(store, IDS):
        assert eventually(lambda: not path.exists())
    assert files(store) == [fresh]


def test_cells_are_noted_while_they_are_attempted_alone_and_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []

    def looking(*_: object, **__: object) -> None:
        eventually(lambda: running(store))
        seen.append({*running(store)})
        raise RuntimeError("enough is seen")

    monkeypatch.setattr("harness.studies.attempt.run_cell", looking)
    monkeypatch.setattr("harness.studies.attempt.run_together", looking)
    run = {"replicas": 2, "epochs": 3}
    cells = [Cell.of({"name": "backprop"}, {"name": "xor"}, run | {"seed": seed}) for seed in (1, 2)]
    attempt(cells[0], store)
    assert seen == [{cells[0].id}]
    attempt_together(cells, store)
    assert seen[1:] == [{cell.id for cell in cells}, {cells[0].id}, {cells[1].id}]
    assert files(store) == []
