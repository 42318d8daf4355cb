"""Mutated command lines, held to the promise on bad input: whatever is typed, it runs, or is refused in one
sentence with exit code 2 and nothing written; and what is stated to be nonsense is refused."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cells.cell import Cell
from harness.store.store import Store
from harness.studies.attempt import attempt
from helpers.mutations import Line, lines
from hydra_plugins.harness_launcher import ProcessLauncher

Harness = Callable[..., tuple[int, str, str]]
SEED = 1986
SECONDS = 240  # for one line: more is a line that does not end


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Sweeps run in this process, nothing is sent to MLflow, and what is written goes to a folder of ours."""

    def here(self: Any, cells: list[Cell]) -> dict[str, str]:
        for cell in cells[:2]:
            attempt(cell, Store.at(self.config.store))
        return {}

    monkeypatch.setattr(ProcessLauncher, "run", here)
    monkeypatch.setattr("harness.cli.conduct.follow_up", lambda *_: None)
    monkeypatch.setattr("harness.cli.app.follow_up", lambda *_: None)
    monkeypatch.chdir(tmp_path)


def fault(line: Line, harness: Harness, folder: Path) -> str:
    """What is wrong with the answer to a line, '' if nothing is."""
    before = sorted(folder.rglob("*"))
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)
    try:
        code, out, err = harness(*line.arguments, tracking=True)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    if "Traceback" in err or "Traceback" in out:
        return f"a traceback: {err or out}"
    if code == 2:
        if out or not err.startswith("harness: ") or err.count("\n") != 1 or len(err.strip()) < 20:
            return f"not one sentence: {out}{err}"
        return "something was written" if sorted(folder.rglob("*")) != before else ""
    if line.nonsense:
        return f"taken, with exit code {code}: {err}"
    # of a sweep two cells are run here: the others are said to be lost, but none may fail
    return "" if code == 0 or (code == 1 and " failed: " not in err) else f"exit code {code}: {err}"


def _too_long(*_: object) -> None:
    raise TimeoutError(f"no end within {SECONDS} s")


def faults(count: int, harness: Harness, folder: Path) -> list[str]:
    """What is wrong with the answers to so many lines."""
    found = ((line, fault(line, harness, folder)) for line in lines(SEED, count))
    return [f"{line.arguments} ({line.what}): {wrong}" for line, wrong in found if wrong]


@pytest.mark.usefixtures("quick")
def test_a_mutated_command_line_runs_or_is_refused_in_one_sentence(harness: Harness, tmp_path: Path) -> None:
    assert faults(60, harness, tmp_path) == []


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_1500_mutated_command_lines_run_or_are_refused_in_one_sentence(
    harness: Harness, tmp_path: Path
) -> None:
    """`make fuzz`."""
    assert faults(1500, harness, tmp_path) == []


def test_a_line_that_is_nonsense_is_known_to_be(harness: Harness) -> None:
    """The generator makes enough of each: lines that are all refused for one reason test that reason."""
    drawn = list(lines(SEED, 1500))
    assert sum(line.nonsense for line in drawn) > 500
    assert sum(not line.nonsense for line in drawn) > 300
    assert len({tuple(line.arguments) for line in drawn}) > 1400
