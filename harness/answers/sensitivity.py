"""The study `sensitivity` in words: how exactly a rule's rate must be set, and whether one does for all.

`cells` and `replicas` are the frames of `harness.results`. A cell is a rule on a task at one rate; those of a
rule on a task are one `Course`. Costs are epochs of a success with restarts at the best cutoff. With m rules
on a task the intervals are at 1 − .05 / m, so that one of them misses, 5 % at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.middle import LESS, MORE, OPEN, beside, median, of_values
from harness.answers.words import amount, brief, each, listed, several
from harness.core.outcomes import fates
from harness.core.registry import rate_name
from harness.experiment.digits import number
from harness.statistics import Replicas, Sensitivity, sensitivity

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 4000
DECADE = 1.0


class Course(NamedTuple):
    """A rule on a task, over its rates."""

    task: str
    rule: str
    rates: tuple[float, ...]
    n: int
    """Replicas at each, the least of them."""
    found: Sensitivity

    @property
    def solves(self) -> bool:
        """Whether any rate does."""
        return not np.isnan(self.found.best)


def courses(cells: pd.DataFrame, replicas: pd.DataFrame) -> list[Course]:
    """Every rule on every task that was run at two rates or more, in the order of the frame."""
    some = cells[cells["replicas"] > 0].drop_duplicates("id")
    own = {str(i): rows for i, rows in replicas.groupby("id", sort=False)}
    made = []
    for task, of_task in some.groupby("task", sort=False):
        rated = {
            str(rule): sorted((rate, row.id) for row in each(rows) if (rate := _rate(rule, row, rows)) > 0)
            for rule, rows in of_task.groupby("algorithm_name", sort=False)
        }
        rated = {rule: at for rule, at in rated.items() if len(at) > 1}
        for rule, at in rated.items():
            rates, sides = [rate for rate, _ in at], [_replicas(own[i]) for _, i in at]
            n = min(len(own[i]) for _, i in at)
            level = 1 - 0.05 / len(rated)
            found = sensitivity(rates, sides, seed=0, level=level, resamples=RESAMPLES)
            made.append(Course(str(task), rule, tuple(rates), n, found))
    return made


def _rate(rule: Any, row: Any, rows: pd.DataFrame) -> float:
    """The rule's own rate, whatever it is called; NaN where it has none."""
    own = rate_name(str(rule))
    name = f"algorithm.{own}" if own else "algorithm.optimiser.lr"
    return float(rows.loc[rows["id"] == row.id, name].iloc[0]) if name in rows else np.nan


def _replicas(rows: pd.DataFrame) -> Replicas:
    became = fates(rows)
    return Replicas(rows["epochs"].to_numpy(float), became.solved, became.diverged)


def said(some: Sequence[Course]) -> list[str]:
    """How exactly, beside backprop, and whether a rate carries over."""
    return [*exactly(some), beside_backprop(some), carried_over(some)]


def exactly(some: Sequence[Course]) -> list[str]:
    """Who tolerates less than a decade of its rate, who more, by whole intervals."""
    sentences = []
    for task, own in _by_task(some):
        able = [c for c in own if c.solves]
        sides = [beside(c.found.decades, DECADE) for c in able]
        words = {LESS: "less than one", MORE: "more than one"}
        texts = [
            f"{words[side]}: {c.rule} {_decades(c)}"
            for side in words
            for c, own_side in zip(able, sides, strict=True)
            if own_side == side
        ]
        texts += [f"not decided for {number(sides.count(OPEN))}"] if OPEN in sides else []
        never = [c.rule for c in own if not c.solves]
        texts += [f"solved at no rate by {several(never)}"] if never else []
        head = (
            f"**{task}**, decades in which a success costs at most twice the least, from {_n(own)} networks"
        )
        sentences.append(listed(f"{head} at each rate, of the {len(able)} rules that solve it", texts))
    return sentences


def beside_backprop(some: Sequence[Course]) -> str:
    """Whose rate must be set more exactly than backprop's, whose less, by intervals that do not overlap."""
    parts = []
    for task, own in _by_task(some):
        base = next((c for c in own if c.rule == "backprop" and c.solves), None)
        if base is None:
            continue
        others = [c for c in own if c.rule != "backprop" and c.solves]
        sides = [beside(c.found.decades, base.found.decades) for c in others]
        words = {LESS: "more exactly", MORE: "less exactly"}
        texts = [
            f"{word} {several([c.rule for c, s in zip(others, sides, strict=True) if s == side])}"
            for side, word in words.items()
            if side in sides
        ]
        texts += [f"not told apart {number(sides.count(OPEN))} of {len(others)}"] if OPEN in sides else []
        parts.append(f"on {task}, {_decades(base)} decades: {'; '.join(texts) or 'nobody to compare'}")
    return listed("**Beside backprop**", parts or ["it solves nothing at several rates"])


def carried_over(some: Sequence[Course]) -> str:
    """What a success costs at the rate that is best on another task, over the rules that solve both."""
    tasks, parts = list(dict.fromkeys(c.task for c in some)), []
    of = {(c.task, c.rule): c for c in some if c.solves}
    for home in tasks:
        for away in tasks:
            prices = [
                c.found.costs[c.rates.index(of[home, rule].found.best)] / c.found.costs.min()
                for (task, rule), c in of.items()
                if task == away != home and (home, rule) in of and of[home, rule].found.best in c.rates
            ]
            if prices:
                never = f"never for {int(np.isinf(prices).sum())} of {len(prices)}"
                middle = of_values(prices)
                price = f"×{median(middle)}, {never}" if np.isfinite(middle.value) else never
                parts.append(f"from {home} to {away} {price}")
    edges = [f"{c.rule} on {c.task} ({c.found.edge})" for c in some if c.found.edge]
    more = (
        [f"best at an end of the grid, so that a better one may lie beyond: {several(edges)}"]
        if edges
        else []
    )
    return listed(
        "**Does one rate do for all tasks?** With the rate that is best on another, a success costs, as a "
        "multiple of the least, in the median over rules [95 %]",
        [*(parts or ["no rule solves two of them"]), *more],
    )


def texts(some: Sequence[Course]) -> pd.DataFrame:
    """The table of decades for people; > where an end of the grid is among them."""
    import pandas as pd

    rows: dict[str, dict[str, str]] = {}
    for c in some:
        row = rows.setdefault(c.rule, {"rule": c.rule})
        row[f"{c.task}: decades"] = _decades(c)
        least = c.found.costs.min()
        row["at best"] = "∞" if np.isinf(least) else f"{brief(float(least))} epochs at {brief(c.found.best)}"
        row[f"{c.task}: best rate, epochs"] = row.pop("at best")
    return pd.DataFrame(list(rows.values())).fillna("–")


def points(some: Sequence[Course]) -> pd.DataFrame:
    """What `rate_figure` draws: a row for each rule, task and rate, with its cost and n."""
    import pandas as pd

    return pd.DataFrame(
        {"rule": c.rule, "task": c.task, "rate": rate, "cost": cost, "n": c.n}
        for c in some
        for rate, cost in zip(c.rates, c.found.costs, strict=True)
    )


def _decades(c: Course) -> str:
    if not c.solves:
        return "–"
    return ("> " if c.found.at_least else "") + amount(c.found.decades)


def _by_task(some: Sequence[Course]) -> Iterator[tuple[str, list[Course]]]:
    for task in dict.fromkeys(c.task for c in some):
        yield task, [c for c in some if c.task == task]


def _n(some: Sequence[Course]) -> str:
    n = sorted({c.n for c in some})
    return number(n[0]) + (f" to {number(n[-1])}" if len(n) > 1 else "")
