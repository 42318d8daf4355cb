"""`python -m harness.identities`: a rule is another under a condition, tends to it, or points its way.

    python -m harness.identities [name, pattern or family …] [plugins=[…]] [--list]

Measures the identities that are meant, all where none is named, those of plug-ins included, and prints for
each whether it holds and what was measured. `--list` says what there is. Exit code 1 if one does not hold.
`python docs/identities.py` writes the page.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from harness.cli.arguments import one_sentence, prepare
from harness.core.errors import InputError

MARKS = {True: "✓", False: "✗"}


@one_sentence()
def main(arguments: Sequence[str]) -> None:
    """Measure the identities that the arguments name, and print what came of each."""
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return
    if bad := [each for each in arguments if each.startswith("-") and each != "--list"]:
        raise InputError(f"unknown option {bad[0]!r}: allowed is --list")
    overrides = [each for each in arguments if each.startswith("plugins=")]
    prepare(overrides)
    from harness.identities.lattice import chosen  # with all rules behind it
    from harness.identities.measure import measure
    from harness.identities.page import of_kind

    rows = chosen([each for each in arguments if each != "--list" and each not in overrides])
    if "--list" in arguments:
        widths = [max(map(len, column)) for column in zip(*((r.name, of_kind(r)) for r in rows), strict=True)]
        for row in rows:
            print(f"{row.name:{widths[0]}}  {of_kind(row):{widths[1]}}  {row.statement}")
        return
    broken = idle = 0
    for row in rows:
        found = measure(row)
        broken, idle = broken + (not found.holds and not found.idle), idle + found.idle
        print(
            f"{'–' if found.idle else MARKS[found.holds]} {row.name} ({of_kind(row)}): {found.said}",
            flush=True,
        )
    print(
        f"{len(rows)} identities: {len(rows) - broken - idle} hold, {broken} do not, {idle} were not measured"
    )
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
