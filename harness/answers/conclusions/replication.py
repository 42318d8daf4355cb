"""The replication in three sentences: how many figures hold, whose do not, and what was never printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.answers.conclusions import fitting
from harness.answers.shares import share
from harness.answers.words import few
from harness.replication.verdict import NO_SUCH_FIGURE, NOT_REPRODUCED, REPRODUCED

if TYPE_CHECKING:
    import pandas as pd


def conclusions(rows: pd.DataFrame) -> list[str]:
    """How many of the figures that could have failed hold, whose are contradicted, and how many are in no
    source.

    Args:
        rows: of `harness.replication.rows`.
    """
    failed, held, absent = (rows[rows["verdict"] == v] for v in (NOT_REPRODUCED, REPRODUCED, NO_SUCH_FIGURE))
    tested = len(held) + len(failed)
    first = (
        f"Of {len(rows)} published figures {tested} were tested so that they could have failed, and "
        f"{share(len(held), tested)} hold; {len(failed)} are contradicted, at a false-alarm rate of 1 % (5 "
        "% for the figure of a single run)."
    )
    none = f"Of {len(rows)} published figures none was tested so that it could have failed."
    return [first if tested else none, *_failed(failed), *_absent(rows, absent)]


def _failed(failed: pd.DataFrame) -> list[str]:
    """Whose figures they are."""
    names = [f"{source} ({n})" for source, n in failed["source"].value_counts().items()]
    head = f"Contradicted are figures of {len(names)} sources: "
    return [fitting(lambda most: f"{head}{few(names, most)}.")] if names else []


def _absent(rows: pd.DataFrame, absent: pd.DataFrame) -> list[str]:
    attributed = rows[rows["trust"].isin(absent["trust"])]
    names = [f"*{claim}*" for claim in absent["claim"]]
    of = share(len(absent), len(attributed))
    head = f"Of the figures that write-ups attribute to a source {of} are not in it"
    return [fitting(lambda most: f"{head}: {few(names, most)}.")] if names else []
