"""The study `tuned` in three sentences: who beats backprop, what the others pay, what giving up is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.answers.conclusions import fitting
from harness.answers.middle import median, of_values
from harness.answers.pairs import work_beside
from harness.answers.words import amount, counted, each, few, n_of
from harness.experiment.digits import number
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 4000


class Beside(NamedTuple):
    """A rule's work to a success beside backprop's on a task, both with restarts."""

    rule: str
    task: str
    pairs: int
    ratio: Interval
    solved: bool


def beside_backprop(cells: pd.DataFrame, replicas: pd.DataFrame) -> list[Beside]:
    """Every rule on every task that backprop solves; intervals at 1 − .05 / m for m of them.

    `cells` and `replicas` are the frames of `harness.results`; the ratios are the first's
    `work_over_backprop`.
    """
    ways = []
    for _, rows in cells[cells["replicas"] > 0].groupby("task", sort=False):
        base = next((r for r in each(rows) if r.algorithm_name == "backprop" and r.solved), None)
        ways += [(r, base) for r in each(rows) if base is not None and r.id != base.id]
    made = []
    for one, base in ways:
        prices = float(one.update_flops), float(base.update_flops)
        level = 1 - 0.05 / len(ways)
        found = work_beside(replicas, one.id, base.id, prices, level=level, resamples=RESAMPLES)
        made.append(Beside(one.algorithm_name, str(one.task), found.replicas, found.ratio, bool(one.solved)))
    return made


def conclusions(cells: pd.DataFrame, besides: Sequence[Beside]) -> list[str]:
    """Of how many rules a success takes less work than of backprop and of how many more, how much more, and
    what restarts are worth.

    Args:
        cells: the frame of `results.cells`.
        besides: of `beside_backprop`.
    """
    found = [*_sides(besides), *_prices(besides), *_restarts(cells[cells["solved"] > 0])]
    return found or ["Nothing is concluded: no replica solves its task."]


def _sides(some: Sequence[Beside]) -> list[str]:
    if not some:
        return []
    less = sorted((b for b in some if b.ratio.high < 1), key=lambda b: b.ratio.value)
    more = [b for b in some if b.ratio.low > 1]
    names = [f"{b.rule} on {b.task} ×{amount(b.ratio)}" for b in less]
    what = f" of {len(some)} pairs of rule and task"
    rest = (
        f", more in {len(more)} ({sum(not b.solved for b in more)} of these never solve it), and "
        f"{len(some) - len(less) - len(more)} are not decided ({n_of(b.pairs for b in some)} networks; of "
        "the intervals one misses, 5 % at most)."
    )
    head = "With each rule at its own best settings, a success takes less work than backprop's in "
    return [fitting(lambda most: f"{head}{counted(names, most, what)}{rest}")]


def _prices(some: Sequence[Beside]) -> list[str]:
    """The median over the rules that solve a task of their work ÷ backprop's."""
    parts = []
    for task in dict.fromkeys(b.task for b in some):
        work = [b.ratio.value for b in some if b.task == task and b.solved]
        parts += [f"{median(of_values(work))} on {task} ({len(work)} rules)"] if work else []
    head = (
        "In the median over the rules that solve a task [95 %], a success takes so many times backprop's work"
    )
    return [fitting(lambda most: f"{head}: {few(parts, most)}.")] if parts else []


def _restarts(solving: pd.DataFrame) -> list[str]:
    """What a success costs if nobody gives up ÷ with restarts at the best cutoff."""
    parts = []
    for task, rows in solving.groupby("task", sort=False):
        gain = rows["ert_epochs"].to_numpy(float) / rows["restart_epochs"].to_numpy(float)
        first = next((r for r in each(rows) if r.algorithm_name == "backprop"), None)
        own = (
            f"; backprop's from {number(first.ert_epochs)} to {number(first.restart_epochs)}" if first else ""
        )
        parts.append(f"{median(of_values(gain))} on {task} ({len(gain)} rules{own})")
    head = (
        "Giving up a try that takes too long, and beginning afresh, divides the epochs of a success, in "
        "the median over rules [95 %], by "
    )
    return [fitting(lambda most: f"{head}{few(parts, most)}.")] if parts else []
