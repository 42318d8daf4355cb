"""`python -m harness.replicate`: published claims beside what we measure, and the verdict that a stated criterion gives.

    python -m harness.replicate [claim …] [small=true] [store=…]

Runs the cells that are missing (a study named replication), prints the table, and writes replication.md and replication.csv into
the study's folder. A word picks the claims whose id has it in it, or a section such as 1.3 or 15; then nothing is written.
`small=true` runs few replicas of everything: the same code in seconds, with verdicts that are mostly *not testable*.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from harness.core.errors import one_of, unknown
from harness.core.files import write_atomically
from harness.replication import claims
from harness.replication.claim import TRUST, Claim
from harness.replication.evidence import STUDY, Plan, chosen, run, tell
from harness.replication.verdict import NOT_REPRODUCED, VERDICTS
from harness.store.record import Store

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

HEADER = ("claim", "published", "measured", "verdict", "because")
WIDTH = 100
STYLES = dict(zip(VERDICTS, ("green", "red", "magenta", "yellow"), strict=True))
CAPTION = (
    "Verdicts are computed: not reproduced where what we measured contradicts the figure at a false-alarm rate of 1 % (that of a "
    "single run: 5 %, one true one in twenty), reproduced where it does not although it could have, not testable otherwise. "
    "n: replicas, failures and all. [ ]: 95 % interval, 99 % of ratios, differences and wherever the verdict is about it. Trust: "
) + "; ".join(f"{name}: {what}" for name, what in TRUST.items())


@dataclass(frozen=True)
class Row:
    """A claim in the table."""

    id: str
    section: str
    source: str
    claim: str
    trust: str
    setting: str
    published: str
    measured: str
    value: float
    low: float
    high: float
    n: int
    verdict: str
    because: str
    """What the criterion saw, and where it does not come out, what is known of why."""


def judged(claim: Claim, evidence: tuple[Any, ...] | None) -> Row:
    """A claim's row."""
    measured, finding = claim.judged(evidence)
    known = f" {claim.note}" if claim.note and finding.verdict == NOT_REPRODUCED else ""
    nan = float("nan")
    numbers = (measured.value, measured.low, measured.high, measured.n) if measured else (nan, nan, nan, 0)
    about = claim.id, claim.section, claim.source, claim.claim, claim.trust, claim.setting, claim.figure.text
    return Row(*about, measured.text if measured else "–", *numbers, finding.verdict, f"{finding.why}.{known}")


def rows(store: Store, small: bool = False) -> pd.DataFrame:
    """One row per claim, from what is in the store: nothing is run. What is missing is not testable, and says so."""
    import pandas as pd

    table = claims()
    plan = Plan.of(table, small)
    return pd.DataFrame([asdict(judged(claim, plan.evidence(store, claim))) for claim in table])


def replicate(store: Store, some: Sequence[Claim], small: bool, whole: bool) -> tuple[list[Row], list[str]]:
    """Run what is missing of some claims and judge them; and a sentence for each job that failed."""
    plan = Plan.of(some, small)
    tell(store, plan, whole, small)
    trouble = run(plan, store)
    return [judged(claim, plan.evidence(store, claim)) for claim in some], trouble


def to_csv(table: Sequence[Row]) -> str:
    """The table for machines."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v != v else v for k, v in asdict(row).items()} for row in table)
    return text.getvalue()


def to_markdown(table: Sequence[Row], small: bool) -> str:
    """The table for people: a section per source."""
    parts = ["# Replication", count(table), *(["The small form: few replicas, short budgets."] if small else [])]
    head = ("claim", "trust", "setting", "published", "measured", "verdict", "because")
    for source, group in by_source(table).items():
        lines = [" | ".join(head), " | ".join("---" for _ in head)]
        for row in group:
            texts = row.claim, row.trust, f"`{row.setting}`", row.published, row.measured, f"**{row.verdict}**", row.because
            lines.append(" | ".join(text.replace("|", "\\|").replace("\n", " ") for text in texts))
        parts += [f"## {source}", "\n".join(f"| {line} |" for line in lines)]
    return "\n\n".join([*parts, f"*{CAPTION}*"]) + "\n"


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
        out = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, expand=True, title=Text(source, style="bold"))
        out.title_justify = "left"
        for name, share in zip(HEADER, (26, 16, 24, 13, 21), strict=True):
            out.add_column(name, ratio=share, overflow="fold")
        for row in group:
            about = Text.assemble(row.claim, (f"\n{row.id.partition('/')[2]}, {row.trust}\n{row.setting}", "dim"))
            verdict = Text(row.verdict, style=STYLES[row.verdict])
            out.add_row(about, Text(row.published), Text(row.measured), verdict, Text(row.because))
            out.add_section()
        console.print(out)
        console.print()
    console.print(Text(count(table)))
    console.print(Text(CAPTION, style="dim"))


def count(table: Sequence[Row]) -> str:
    """How many of each verdict."""
    return f"{len(table)} claims: " + ", ".join(f"{sum(row.verdict == v for row in table)} {v}" for v in VERDICTS)


def by_source(table: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each source."""
    groups: dict[str, list[Row]] = {}
    for row in table:
        groups.setdefault(row.source, []).append(row)
    return groups


def parsed(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Words that pick claims, and settings. Raises `InputError` for others."""
    words = [argument for argument in arguments if "=" not in argument]
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    for name in given:
        if name not in ("small", "store"):
            raise unknown("setting of replicate", name, ("small", "store"))
    one_of("small", given.setdefault("small", "false"), ("true", "false"))
    return words, given


def main() -> None:
    """Run what is missing, print, write; exit code 2 for bad input, 1 for a cell that failed."""
    from harness.cli.arguments import cells_of, one_sentence

    trouble: list[str] = []
    with one_sentence():
        words, given = parsed(sys.argv[1:])
        some, small = chosen(claims(), words), given["small"] == "true"
        at = [f"store={given['store']}"] if "store" in given else []
        store = Store.at(cells_of(at)[1].store).prepare()
        table, trouble = replicate(store, some, small, whole=not words)
    show(table)
    if not words:
        folder = store.path / "studies" / STUDY
        write_atomically(folder / "replication.md", to_markdown(table, small))
        write_atomically(folder / "replication.csv", to_csv(table))
        print(f"table: {os.path.relpath(folder / 'replication.md')}")
    for sentence in trouble:
        print(f"harness: {sentence}", file=sys.stderr)
    if trouble:
        sys.exit(1)


if __name__ == "__main__":
    main()
