"""Does the suite catch faults? Plant them one at a time, in a copy, and see which test falls.

    python -m bench.mutants                # all: writes docs/mutants.md; some twenty minutes on one core
    python -m bench.mutants --only cost    # one area: prints its rows, and writes nothing

A fault is one line as a maintainer might get it wrong: a sign, a factor ½, an axis, a stale value. They stand
in bench/planted, a file an area, each with the tests that ought to know. These are asked first, then the
`--wider` ones; what no test of either notices survives. Two kinds of test are never asked: snapshots of
documents and recorded bits say that something changed, and whoever writes them anew confirms the fault.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PLANTED = ROOT / "bench" / "planted"
PAGE = ROOT / "docs" / "mutants.md"
AREAS = ("rules", "network", "optimisers", "training", "statistics", "cost", "probe", "records", "verdicts")
SNAPSHOTS = ("test_docs.py", "test_recorded_bits.py")
MOST = 2  # that may survive
ENDS = 300  # seconds, after which a test is taken not to end
HEAD = ("| area | file | fault | caught by |", "| --- | --- | --- | --- |")
INTRODUCTION = """\
# Planted faults

Does the suite catch faults? `make mutants` plants one-line faults, one at a time, in a copy of the code
(`bench/planted`, a file an area), and asks the tests that ought to know, then those of `make quick`.
Snapshots of documents and recorded bits are not asked: they say that something changed, not that it is wrong.
This page is what it wrote; `make mutants only=cost` tries one area and writes nothing."""


class Wrong(Exception):
    """A list of faults, or a suite, that cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Mutant:
    """A fault: `was` stands once in `file`, and `now` takes its place."""

    area: str
    file: str
    was: str
    now: str
    fault: str
    """What is wrong, in a few words."""
    ask: tuple[str, ...]
    """Tests that ought to know: files, or single tests of slow ones."""
    survives: str = ""
    """Why no test notices, where none does."""

    def text(self, root: Path) -> str:
        """The file with the fault in it. Raises `Wrong` unless there is one place for it."""
        path = root / self.file
        source = path.read_text(encoding="utf-8") if path.is_file() else ""
        if (count := source.count(self.was)) != 1:
            raise Wrong(
                f"{self.was!r} stands {count} times in {self.file}, but a fault ({self.fault}) "
                f"is planted where it stands once: mend bench/planted/{self.area}.toml"
            )
        return source.replace(self.was, self.now)


class Caught(NamedTuple):
    """A fault, and the first test that fell ('' where none did)."""

    mutant: Mutant
    by: str


def planted() -> list[Mutant]:
    """All faults, area by area."""
    return [
        Mutant(area=area, **{**fault, "ask": tuple(fault["ask"])})
        for area in AREAS
        for fault in tomllib.loads((PLANTED / f"{area}.toml").read_text(encoding="utf-8"))["fault"]
    ]


def copy_of_the_tree(folder: Path) -> None:
    """All files that git tracks, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def import_the_copy_alone(folder: Path) -> None:
    """Whatever Python runs there looks for no other harness: an installed one would bring its own plug-ins
    along."""
    ours = f"p == {str(folder)!r} or not os.path.isfile(os.path.join(p, 'harness', '__init__.py'))"
    line = f"sys.path[:] = [p for p in sys.path if {ours}]"
    (folder / "sitecustomize.py").write_text(f"import os, sys\n\n{line}\n", encoding="utf-8")


def first_failure(folder: Path, tests: Iterable[str], *more: str, seconds: float = ENDS) -> str:
    """The first of these tests that fails on the code in `folder`; '' if all pass. Raises `Wrong`."""
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:xdist", "-p", "no:cacheprovider"]
    command += ["-m", "not slow", "--hypothesis-seed=0", *more, *tests]
    # no byte code: a file that is changed and changed back within a second has the same time and size
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return f"does not end within {seconds:g} s"
    return fallen(done.returncode, done.stdout, done.stderr)


def fallen(code: int, out: str, error: str) -> str:
    """The first test that fell, of what pytest ended with and said; '' if none did. Raises `Wrong`."""
    if code == 0:
        return ""
    if fell := re.search(r"^(?:FAILED|ERROR) (tests/\S+)", out, re.M):
        return fell[1]
    said = (out + error).strip().splitlines() or ["nothing"]
    raise Wrong(f"pytest ended with {code}, no test fell, and it said {said[-1]!r}")


def hunt(mutants: Sequence[Mutant], wider: Sequence[str]) -> list[Caught]:
    """Plant each of the faults, and see what catches it.

    Raises `Wrong` for a fault that has no place, and where a test falls without any fault.
    """
    with tempfile.TemporaryDirectory(prefix="mutants_") as name:
        folder, found = Path(name), []
        copy_of_the_tree(folder)
        import_the_copy_alone(folder)
        faulty = [mutant.text(folder) for mutant in mutants]
        for mutant, text in zip(mutants, faulty, strict=True):
            compile(
                text, mutant.file, "exec"
            )  # what is no Python is no fault that a test should have to find
        asked = dict.fromkeys(test for mutant in mutants for test in mutant.ask)
        if fell := first_failure(folder, asked, "-x", seconds=6 * ENDS):
            raise Wrong(f"{fell} falls without a fault: what is caught would say nothing")
        for i, (mutant, text) in enumerate(zip(mutants, faulty, strict=True), 1):
            path, start = folder / mutant.file, time.monotonic()
            sound = path.read_text(encoding="utf-8")
            path.write_text(text, encoding="utf-8")
            by = first_failure(folder, mutant.ask, "-x")
            if not by and wider:
                by = first_failure(folder, wider, "-x", "-k", "not compiled and not command")
            path.write_text(sound, encoding="utf-8")
            found.append(Caught(mutant, by))
            seconds = time.monotonic() - start
            print(
                f"{i:3} of {len(mutants)}  {seconds:4.0f} s  {mutant.area}: {mutant.fault}: "
                f"{by or 'SURVIVES'}",
                flush=True,
            )
        return found


def page(found: Sequence[Caught]) -> str:
    """docs/mutants.md."""
    survivors = [mutant for mutant, by in found if not by]
    counts = ", ".join(f"{area} {sum(c.mutant.area == area for c in found)}" for area in AREAS)
    parts = [
        INTRODUCTION,
        f"**{len(found)} planted, {len(found) - len(survivors)} caught, {len(survivors)} survive.** "
        f"Planted in {counts}.",
    ]
    if survivors:
        reasons = [f"- {m.file}: {m.fault}. {m.survives or 'No test knows.'}" for m in survivors]
        parts += ["## Survivors", "\n".join(reasons)]
    return "\n\n".join([*parts, "## All of them", table(found)]) + "\n"


def table(found: Iterable[Caught]) -> str:
    """A row for each fault."""
    rows = [f"{row(mutant)} {said(by)} |" for mutant, by in found]
    return "\n".join([*HEAD, *rows])


def row(mutant: Mutant) -> str:
    """What a row says of a fault, whatever catches it."""
    return f"| {mutant.area} | {mutant.file} | {mutant.fault.replace('|', chr(92) + '|')} |"


def said(by: str) -> str:
    """A test in the table: its file and its name, without what it was asked with."""
    file, _, test = by.partition("::")
    return f"{Path(file).name}: {test.partition('[')[0]}" if test else by or "**survives**"


def main() -> None:
    """Count, and write or print what was counted."""
    asked = argparse.ArgumentParser(description="Which test catches which planted fault?")
    asked.add_argument("--only", default="", help=f"one area: {', '.join(AREAS)}")
    asked.add_argument("--wider", default="", help="tests that are asked where those named do not fall")
    given = asked.parse_args()
    if given.only and given.only not in AREAS:
        asked.error(f"only must be one of {', '.join(AREAS)}, but {given.only!r} was given")
    wider = [test for test in given.wider.split() if Path(test).name not in SNAPSHOTS]
    try:
        found = hunt([m for m in planted() if given.only in ("", m.area)], wider)
    except Wrong as error:
        asked.error(str(error))
    if given.only:
        print(table(found))
    else:
        PAGE.write_text(page(found), encoding="utf-8")
    survivors = sum(not by for _, by in found)
    print(f"{len(found)} planted, {len(found) - survivors} caught, {survivors} survive")
    sys.exit(survivors > MOST)


if __name__ == "__main__":
    main()
