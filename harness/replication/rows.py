"""The table of claims: what was published, what we measured,
and the verdict that a stated criterion gives.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from harness.replication import claims
from harness.replication.claim import TRUST, Claim
from harness.replication.evidence import Agenda
from harness.replication.verdict import NOT_REPRODUCED, VERDICTS
from harness.store.store import Store

if TYPE_CHECKING:
    import pandas as pd

CAPTION = (
    "Verdicts are computed: not reproduced where what we measured contradicts the figure "
    "at a false-alarm rate of 1 % (that of a single run: 5 %, one true one in twenty), reproduced "
    "where it does not although half or twice of it would be, not contradicted where these would mostly pass "
    "as well, not testable otherwise. n: replicas, failures and all. [ ]: "
    "95 % interval, 99 % of ratios, differences and wherever the verdict is about it. Trust: "
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
    return Row(
        *about, measured.text if measured else "–", *numbers, finding.verdict, f"{finding.why}.{known}"
    )


def rows(store: Store, small: bool = False) -> pd.DataFrame:
    """One row per claim, from what is in the store: nothing is run.

    What is missing is not testable, and says so.
    """
    import pandas as pd

    table = claims()
    agenda = Agenda.of(table, small)
    return pd.DataFrame([asdict(judged(claim, agenda.evidence(store, claim))) for claim in table])


def to_csv(table: Sequence[Row]) -> str:
    """The table for machines."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v != v else v for k, v in asdict(row).items()} for row in table)
    return text.getvalue()


def to_markdown(table: Sequence[Row], small: bool) -> str:
    """The table for people: a section per source."""
    parts = [
        "# Replication",
        count(table),
        *(["The small form: few replicas, short budgets."] if small else []),
    ]
    head = ("claim", "trust", "setting", "published", "measured", "verdict", "because")
    for source, group in by_source(table).items():
        lines = [" | ".join(head), " | ".join("---" for _ in head)]
        for row in group:
            texts = (
                row.claim,
                row.trust,
                f"`{row.setting}`",
                row.published,
                row.measured,
                f"**{row.verdict}**",
                row.because,
            )
            lines.append(" | ".join(text.replace("|", "\\|").replace("\n", " ") for text in texts))
        parts += [f"## {source}", "\n".join(f"| {line} |" for line in lines)]
    return "\n\n".join([*parts, f"*{CAPTION}*"]) + "\n"


def count(table: Sequence[Row]) -> str:
    """How many of each verdict."""
    return f"{len(table)} claims: " + ", ".join(
        f"{sum(row.verdict == v for row in table)} {v}" for v in VERDICTS
    )


def by_source(table: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each source."""
    groups: dict[str, list[Row]] = {}
    for row in table:
        groups.setdefault(row.source, []).append(row)
    return groups
