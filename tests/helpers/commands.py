"""Many commands in one new process: what they register stays out of this one, and Python starts once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from helpers.repository import ROOT

PROGRAM = """
import contextlib, io, json, os, runpy, shlex, sys, traceback, warnings

sys.path[0] = ""  # as `python -m` has it
for command in json.loads(sys.argv[1]):
    words = shlex.split(command)
    if words[0] == "export":
        os.environ.update([words[1].split("=", 1)])
        continue
    assert words[0] == "python", command
    module = words[1] == "-m"
    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.argv = words[1 + module:]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run = runpy.run_module if module else runpy.run_path
            run(sys.argv[0], run_name="__main__", **{"alter_sys": True} if module else {})
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
            code = 1
    print(json.dumps([command, code, out.getvalue(), err.getvalue()]), flush=True)
"""


class Done(NamedTuple):
    """What came of a command."""

    command: str
    code: int
    out: str
    said: list[str]
    """The lines on stderr, one a sentence."""


def commands(folder: Path, *given: str, path: Sequence[Path] = (ROOT,), **environment: str) -> list[Done]:
    """What comes of commands, `python -m …` or `python file.py`, run one after another in a folder, in one
    process of their own.

    `export NAME=value` sets a variable for those that follow, and has no entry in what is returned. `path` is
    where Python looks first. Results are kept in the folder's store.
    """
    own = {
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "HARNESS_STORE": str(folder / "store"),
        "HARNESS_PLUGINS": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(given)],
        cwd=folder,
        env=os.environ | own | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    came = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["python')]
    return [Done(*each, err.splitlines()) for *each, err in came]
