"""The study `local_minima` in words, second part: what gets the stuck out again, from the same weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.answers import pairs
from harness.answers.local_minima import Ends
from harness.answers.shares import points, share
from harness.answers.words import brief, each
from harness.core.outcomes import SOLVED
from harness.experiment.digits import number

if TYPE_CHECKING:
    import pandas as pd


def of(cells: Sequence[Ends], replicas: pd.DataFrame) -> pd.DataFrame:
    """What becomes of the replicas that are stuck as PDP learnt,
    in each other cell that starts from the same weights.

    `replicas` is the frame of `harness.results`. Columns of, other (`Ends`), stuck (of those that both have),
    escaped (solved by the other), lost (others, not solved by it), pairs, rate (`Interval`, 95 %: solved rate
    of the other less that of `of`), p (McNemar's).
    """
    import pandas as pd

    rows = []
    for e, other in _same_start(cells):
        here, there = (_solved(replicas, one) for one in (e.id, other.id))
        both = here.index.intersection(there.index)
        b = there[both].to_numpy(bool)
        left = set(e.stuck.replicas["replica"].tolist())
        stuck = np.array([r in left for r in both], bool)
        pair = pairs.beside(replicas, other.id, e.id, resamples=1000)
        rows.append(
            (
                e,
                other,
                int(stuck.sum()),
                int((stuck & b).sum()),
                int((~stuck & ~b).sum()),
                len(both),
                pair.rate,
                pair.test.p,
            )
        )
    return pd.DataFrame(rows, columns=["of", "other", "stuck", "escaped", "lost", "pairs", "rate", "p"])


def _same_start(cells: Sequence[Ends]) -> list[tuple[Ends, Ends]]:
    bases = [e for e in cells if e.printed and e.start.hidden == 2]
    return [(e, other) for e in bases for other in cells if other is not e and other.start == e.start]


def _solved(replicas: pd.DataFrame, cell: str) -> pd.Series[bool]:
    own = replicas[replicas["id"] == cell].set_index("replica")
    return own["outcome"] == SOLVED


def texts(pairs: pd.DataFrame) -> pd.DataFrame:
    """The table of `of` for people."""
    import pandas as pd

    rows = [
        {
            "instead": f"{r.other.name}, weights within ±{r.of.start.scale:g}",
            "of the stuck solve [95 %]": share(r.escaped, r.stuck),
            "of the others do not": share(r.lost, r.pairs - r.stuck),
            "solved rate, difference [95 %]": points(r.rate),
            "McNemar's p": brief(r.p),
        }
        for r in each(pairs)
    ]
    return pd.DataFrame(rows)


def verdict(pairs: pd.DataFrame) -> list[str]:
    """For each cell beside the one it starts with:
    how many escape, and whether more are solved in all, by the whole interval.
    """
    said = []
    for r in each(pairs):
        more = (
            "**more**"
            if r.rate.low > 0
            else "**fewer**"
            if r.rate.high < 0
            else "**not decided** whether more"
        )
        said.append(
            f"**{r.other.name}** (±{r.of.start.scale:g}): of the stuck "
            f"at {r.of.name} {share(r.escaped, r.stuck)} solve; of the {number(r.pairs - r.stuck)} others "
            f"{number(r.lost)} do not. Solved in all: {more}, {points(r.rate)}."
        )
    return said
