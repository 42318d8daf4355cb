"""The study `replication` in words: which published figures come out again,
where ours differ, and which were never printed.

`rows` is the frame of `harness.replication.rows`: every verdict in it is computed, and so is what is said of
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.answers.words import each, listed, several
from harness.replication.claim import TRUST
from harness.replication.evidence import STUDY
from harness.replication.rows import rows as rows_of
from harness.replication.verdict import NO_SUCH_FIGURE, NOT_REPRODUCED, REPRODUCED, VERDICTS
from harness.results.gathering import Place, store_of

if TYPE_CHECKING:
    import pandas as pd

COMMAND = "python -m harness.replicate"


def rows(source: Place = None) -> pd.DataFrame:
    """The table in a store (usually HARNESS_STORE, else ./results), of the form that was run.

    Raises `InputError` if none was.
    """
    store = store_of(source)
    return rows_of(store, bool(store.study(STUDY).get("small")))


def counts(rows: pd.DataFrame) -> list[str]:
    """How many claims got each verdict, all together and by trust;
    and of those that could have failed how many hold.
    """
    said = [f"**Of {len(rows)} claims** {_numbers(rows)}. {_tested(rows)}"]
    by_trust = {trust: rows[rows["trust"] == trust] for trust in TRUST}
    return said + [
        f"{TRUST[trust]}, {len(own)}: {_numbers(own)}." for trust, own in by_trust.items() if len(own)
    ]


def differ(rows: pd.DataFrame) -> list[str]:
    """A sentence for each figure that is not reproduced:
    what was printed, what we measured, and what the criterion saw.
    """
    some = each(rows[rows["verdict"] == NOT_REPRODUCED])
    if not some:
        return ["No figure is contradicted by what was measured."]
    return [
        listed(
            f"**{r.source}** ({r.trust}), {r.claim}",
            [f"published {r.published}", f"measured {r.measured}", r.because],
        )
        for r in some
    ]


def absent(rows: pd.DataFrame) -> list[str]:
    """A sentence for each figure that its source does not print:
    what it prints instead, and what we measure there.
    """
    some = each(rows[rows["verdict"] == NO_SUCH_FIGURE])
    measured = [[] if r.measured == "–" else [f"measured: {r.measured}"] for r in some]
    said = [listed(f"*{r.claim}*", [r.because, *ours]) for r, ours in zip(some, measured, strict=True)]
    return said or ["Every figure stands where it is said to stand."]


def texts(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for people."""
    import pandas as pd

    return pd.DataFrame(
        {
            "claim": f"{r.claim} ({r.source}, {r.trust})",
            "published": r.published,
            "measured": r.measured,
            "verdict": f"**{r.verdict}**",
            "because": r.because,
        }
        for r in each(rows)
    )


def _numbers(rows: pd.DataFrame) -> str:
    count = {verdict: int((rows["verdict"] == verdict).sum()) for verdict in VERDICTS}
    return several([f"{n} {verdict}" for verdict, n in count.items() if n])


def _tested(rows: pd.DataFrame) -> str:
    held, failed = (int((rows["verdict"] == verdict).sum()) for verdict in (REPRODUCED, NOT_REPRODUCED))
    return (
        f"Of the {held + failed} that could have failed {held} hold."
        if held + failed
        else "None could have failed."
    )
