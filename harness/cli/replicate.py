"""`python -m harness.replicate`: published claims beside what we measure,
and the verdict that a stated criterion gives.

    python -m harness.replicate [claim …] [small=true] [store=…]

Runs the cells that are missing (a study named replication), prints the table, and writes replication.md and
replication.csv into the study's folder. A word picks the claims whose id has it in it, or a section such as
1.3 or 15; then nothing is written. `small=true` runs few replicas of everything: the same code in seconds,
with verdicts that are mostly *not testable*.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from harness.cells.cell import Cell
from harness.cli.arguments import one_sentence
from harness.cli.bars import cells_bar
from harness.cli.conduct import say, say_mended, say_replaced
from harness.core.errors import one_of, unknown
from harness.core.files import write_atomically
from harness.replication import claims
from harness.replication.claim import Claim
from harness.replication.evidence import STUDY, Agenda, chosen, run, tell
from harness.replication.rows import CAPTION, Row, by_source, count, judged, to_csv, to_markdown
from harness.replication.verdict import VERDICTS
from harness.store.store import Store
from harness.studies.compose import cells_of

if TYPE_CHECKING:
    from rich.console import Console

HEADER = ("claim", "published", "measured", "verdict", "because")
WIDTH = 100
STYLES = dict(zip(VERDICTS, ("green", "cyan", "red", "magenta", "yellow"), strict=True))


def replicate(store: Store, some: Sequence[Claim], small: bool, whole: bool) -> tuple[list[Row], list[str]]:
    """Run what is missing of some claims and judge them; and a sentence for each job that failed."""
    agenda = Agenda.of(some, small)
    say_replaced(STUDY, tell(store, agenda, whole, small))
    say_mended(store, agenda.cells)
    jobs = agenda.missing(store)
    cells = [job for job in jobs if isinstance(job, Cell)]
    with cells_bar(store, cells, stays=True) if cells else nullcontext():
        trouble = run(jobs, store)
    return [judged(claim, agenda.evidence(store, claim)) for claim in some], trouble


def show(table: Sequence[Row], console: Console | None = None) -> None:
    """Print the table, readable from 100 columns."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console()
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    for source, group in by_source(table).items():
        out = Table(
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            show_edge=False,
            expand=True,
            title=Text(source, style="bold"),
        )
        out.title_justify = "left"
        for name, share in zip(HEADER, (26, 16, 24, 13, 21), strict=True):
            out.add_column(name, ratio=share, overflow="fold")
        for row in group:
            about = Text.assemble(
                row.claim, (f"\n{row.id.partition('/')[2]}, {row.trust}\n{row.setting}", "dim")
            )
            verdict = Text(row.verdict, style=STYLES[row.verdict])
            out.add_row(about, Text(row.published), Text(row.measured), verdict, Text(row.because))
            out.add_section()
        console.print(out)
        console.print()
    console.print(Text(count(table)))
    console.print(Text(CAPTION, style="dim"))


def parsed(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Words that pick claims, and settings. Raises `InputError` for others."""
    words = [argument for argument in arguments if "=" not in argument]
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    for name in given:
        if name not in ("small", "store"):
            raise unknown("setting of replicate", name, ("small", "store"))
    one_of("small", given.setdefault("small", "false"), ("true", "false"))
    return words, given


@one_sentence()
def main() -> None:
    """Run what is missing, print, write; exit code 2 for bad input, 1 for a cell that failed."""
    words, given = parsed(sys.argv[1:])
    some, small = chosen(claims(), words), given["small"] == "true"
    at = [f"store={given['store']}"] if "store" in given else []
    store = Store.at(cells_of(at)[1].store).prepare()
    table, trouble = replicate(store, some, small, whole=not words)
    for sentence in trouble:  # before the table, which may be long
        say(sentence)
    show(table)
    if not words:
        folder = store.study_folder(STUDY)
        write_atomically(folder / "replication.md", to_markdown(table, small))
        write_atomically(folder / "replication.csv", to_csv(table))
        print(f"table: {os.path.relpath(folder / 'replication.md')}")
    if trouble:
        sys.exit(1)


if __name__ == "__main__":
    main()
