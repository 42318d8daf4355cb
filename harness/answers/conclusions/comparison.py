"""The study `comparison` in three sentences: beside backprop in work, who solves most, who is cheapest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.answers.comparison import CURRENCIES, HALF, Cheapest, usual
from harness.answers.conclusions import fitting
from harness.answers.words import counted, each, few, n_of, ratio, several

if TYPE_CHECKING:
    import pandas as pd


def conclusions(cells: pd.DataFrame, pairs: pd.DataFrame, cheapest: Sequence[Cheapest]) -> list[str]:
    """How many algorithms need less work than backprop, who solves most tasks, and who is cheapest on most.

    Args:
        cells: the frame of `results.cells`.
        pairs: of `harness.answers.comparison.beside_backprop`.
        cheapest: of `harness.answers.comparison.cheapest`.
    """
    found = [*_beside(pairs), *_solvers(usual(cells)), *_cheapest(cheapest)]
    return found or ["Nothing is concluded: no cell is finished."]


def _beside(pairs: pd.DataFrame) -> list[str]:
    if not len(pairs):
        return []
    less = sorted(each(pairs[pairs["decided"] == "less"]), key=lambda r: float(r.log_ratio.value))
    names = [f"{r.algorithm} on {r.task} ×{ratio(r.log_ratio)}" for r in less]
    more, rest = (int((pairs["decided"] == word).sum()) for word in ("more", "undecided"))
    head, what = (
        "A success takes less work than backprop's in ",
        f" of {len(pairs)} pairs of algorithm and task",
    )
    tail = (
        f", more in {more}, and {rest} are not decided ({n_of(pairs['pairs'])} networks; of the intervals "
        "of a task one misses, 5 % at most)."
    )
    return [fitting(lambda most: f"{head}{counted(names, most, what)}{tail}")]


def _solvers(some: pd.DataFrame) -> list[str]:
    """Who solves more than half of the replicas on how many tasks, and who on none."""
    if not len(some):
        return []
    able = some.assign(able=some["rate_low"] > HALF).groupby("algorithm_name", sort=False)["able"]
    counts = able.agg(["sum", "count"]).sort_values("sum", ascending=False, kind="stable")
    names = [
        f"{row['sum']} of {row['count']} tasks by {name}" for name, row in counts.iterrows() if row["sum"]
    ]
    never = [str(name) for name, row in counts.iterrows() if not row["sum"]]
    head = "More than half of the replicas, by the whole 95 % interval, are solved on "
    tail = f" ({n_of(some['replicas'])} networks)."
    return [fitting(lambda most: f"{head}{few(names, most)}; on no task by {counted(never, most)}{tail}")]


def _cheapest(found: Sequence[Cheapest]) -> list[str]:
    """In each currency, who is most often the cheapest, or not told apart from it."""
    often: dict[str, tuple[list[str], str]] = {}
    for currency, word in CURRENCIES.items():
        some = [one for one in found if one.currency == currency]
        counts = Counter(name for one in some for name in (one.best, *one.close))
        if counts:
            most = max(counts.values())
            often[word] = [name for name, k in counts.items() if k == most], f"{most} of {len(some)}"
    head = "Cheapest on most tasks, or not told apart from the cheapest by their 95 % intervals, are "

    def said(most: int) -> str:
        return several([f"in {word} {few(names, most)} ({k})" for word, (names, k) in often.items()])

    return [fitting(lambda most: f"{head}{said(most)}.")] if often else []
