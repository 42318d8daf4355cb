"""`python -m harness.check algorithm=mine`: is a rule what it must be, and what it says it is?

    python -m harness.check algorithm=mine [task=…] [plugins=[…]] [any setting=…] [--report=FILE]

Prints how many checks ran and came to what, then a sentence for every failure and every check that does not
apply. `--report=FILE` writes all of them as a page to attach to a paper. Exit code 1 if a check failed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from harness.cells.environment import environment
from harness.checks.kit import check_algorithm
from harness.cli.arguments import one_sentence
from harness.core.errors import InputError
from harness.core.files import write_atomically
from harness.studies.compose import cells_of


def main(arguments: Sequence[str]) -> None:
    """Check the algorithm that the overrides describe, and print what came of it."""
    with one_sentence():
        files = [each.partition("=")[2] for each in arguments if each.split("=")[0] == "--report"]
        overrides = [each for each in arguments if each.split("=")[0] != "--report"]
        if len(files) > 1 or "" in files:
            raise InputError("--report=FILE names one file to write")
        if bad := [each for each in overrides if each.startswith("-")]:
            raise InputError(f"unknown option {bad[0]!r}: allowed is --report=FILE")
        cells, _ = cells_of(overrides)
        if len(cells) > 1:
            raise InputError("one algorithm is checked at a time, but several were given")
        if cells[0].broken:
            raise InputError(cells[0].broken)
        chosen = any(each.startswith("task") for each in overrides)
        report = check_algorithm(cells[0].algorithm, cells[0].task if chosen else None)
        if files:
            facts = [f"{name}: {value}" for name, value in (cells[0].versions() | environment()).items()]
            try:
                write_atomically(Path(files[0]), report.markdown(facts))
            except OSError as error:
                raise InputError(f"{files[0]} cannot be written: {error.strerror}") from error
    print(report)
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
