"""What every command does at a prompt, held to shells' customs: a reader who leaves, a study not yet run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import memory
from harness.cli.arguments import one_sentence
from harness.core.errors import InputError
from harness.results import columns, table

COMMANDS = {
    "harness": ["task=xor", "run.epochs=20", "run.replicas=3", "tracking.enabled=false"],
    "harness.catalog": [],
    "harness.cost": ["task=xor"],
    "harness.credit": ["task=xor"],
    "harness.identities": ["--list"],
    "harness.power": ["rate=.8", "width=.1"],
    "harness.vanishing": ["algorithm=backprop", "task.depth=2,3", "run.replicas=3"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_who_leaves_hears_no_complaint(command: str, tmp_path: Path) -> None:
    """The pipe is closed before the command writes: exit code 141, as of a program that SIGPIPE ends."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        ended = subprocess.run(
            [sys.executable, "-m", command, *COMMANDS[command]],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "HARNESS_STORE": str(tmp_path / "store")},
        )
    assert ended.stderr == ""
    assert ended.returncode == 141


def test_a_study_that_was_not_run_is_said_with_its_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    with pytest.raises(SystemExit) as end:
        memory.main()
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "was not run yet" in said
    assert said.endswith("run it by python -m harness -m study=memory_accuracy\n")


@pytest.mark.parametrize(("error", "code"), [(InputError("no\nway"), 2), (KeyboardInterrupt(), 130)])
def test_what_ends_a_command_is_one_line(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end, one_sentence():
        raise error
    assert end.value.code == code
    assert capsys.readouterr().err.count("\n") == 1


def test_an_error_of_the_code_is_raised() -> None:
    with pytest.raises(ZeroDivisionError), one_sentence():
        raise ZeroDivisionError


def test_the_caption_in_short_is_two_lines_at_most() -> None:
    assert len(columns.SHORT) <= 2 * (table.WIDTH - 10)


@pytest.mark.parametrize(
    ("closed", "code", "said"),
    [
        (">&-", 0, ""),
        ("2>&-", 2, ""),
        (">/dev/full", 1, "harness: what was to be printed could not be written ([Errno 28] No space left"),
    ],
)
def test_a_closed_or_full_stream_is_no_traceback(closed: str, code: int, said: str, tmp_path: Path) -> None:
    wrong = "algorithm=nope" if code == 2 else ""
    given = f"{sys.executable} -m harness {' '.join(COMMANDS['harness'])} {wrong} {closed}"
    done = subprocess.run(
        ["bash", "-c", given],
        capture_output=True,
        text=True,
        env={**os.environ, "HARNESS_STORE": str(tmp_path / "store")},
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == bool(said)
