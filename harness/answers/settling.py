"""The study `settling` in words: what rules that settle, or aim, cost beside backprop, all tuned alike.

How near their credit comes to the gradient is in `harness.answers.near_gradient`, how many steps they take in
`harness.answers.settling_steps`, from other cells of the study. Work is in FLOPs, with restarts at the best
cutoff, over the replicas that a rule and backprop both have. An update has the work of the steps that its
phases took in the mean (`harness.cost.settled`); the budget of passes is charged for all that they may take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.answers.middle import LESS, MORE, OPEN, beside
from harness.answers.pairs import work_beside
from harness.answers.settling_steps import TASK
from harness.answers.shares import share
from harness.answers.words import amount, brief, each, listed, several
from harness.experiment.digits import number, percent
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 4000
BASE, CONTROLS = "backprop", ("feedback_alignment", "shallow")
CAPS = ("algorithm.steps", "algorithm.steps_taught")


class Cost(NamedTuple):
    """A rule on a task at its own best settings."""

    task: str
    rule: str
    solved: int
    n: int
    epochs: float
    """Of a success with restarts; ∞ is never."""
    ratio: Interval
    """Its work ÷ that of backprop's; NaN of backprop itself, and where neither solves the task."""
    steps: float
    """Mean steps of a phase; NaN of a rule that has none."""
    caps: str
    """Most steps of the phases, in words; '' for none."""
    unsettled: float
    """Share of the phases that did not come to rest; NaN where none was asked to."""


def learning(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells in which rules learn: neither probed nor settled at several sizes, by plain names, and the
    first of a rule on a task.
    """
    some = cells[(cells["replicas"] > 0) & ~(cells["run.probe"] > 0) & (cells["task_name"] != TASK)]
    some = some.assign(task=some["task_name"], algorithm=some["algorithm_name"])
    return some.drop_duplicates(["task", "algorithm"]).reset_index(drop=True)


def of_learning(replicas: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The replicas of the cells of `learning`, by plain names."""
    some = replicas[replicas["id"].isin(set(cells["id"]))]
    return some.assign(task=some["task_name"], algorithm=some["algorithm_name"])


def costs(cells: pd.DataFrame, replicas: pd.DataFrame) -> list[Cost]:
    """Every rule on every task, from the frames of `learning` and `of_learning`; intervals at 1 − .05 / m for
    m rules beside backprop.
    """
    base = {row.task: row for row in each(cells[cells["algorithm"] == BASE])}
    m = sum(
        task in base and rule != BASE for task, rule in zip(cells["task"], cells["algorithm"], strict=True)
    )
    made = []
    for i, row in enumerate(each(cells)):
        ratio = Interval(np.nan, np.nan, np.nan)
        if row.algorithm != BASE and row.task in base:
            other = base[row.task]
            prices = float(row.update_flops), float(other.update_flops)
            level = 1 - 0.05 / m
            ratio = work_beside(replicas, row.id, other.id, prices, level=level, resamples=RESAMPLES).ratio
        steps, unsettled = (
            float(getattr(row, name, np.nan)) for name in ("settling_steps_mean", "unsettled_mean")
        )
        made.append(
            Cost(
                row.task, row.algorithm, int(row.solved), int(row.replicas), float(row.restart_epochs), ratio,
                steps, _caps(cells, i), unsettled,
            )
        )  # fmt: skip
    return made


def _caps(cells: pd.DataFrame, i: int) -> str:
    known = [float(cells[name].iloc[i]) for name in CAPS if name in cells]
    return several([number(cap) for cap in known if not np.isnan(cap)], none="")


def said(some: Sequence[Cost]) -> list[str]:
    """For each task whose success takes less work than backprop's, whose more, by whole intervals, and who
    never solves it; and how many of their steps phases took.
    """
    sentences = []
    for task in dict.fromkeys(c.task for c in some):
        own = [c for c in some if c.task == task]
        solving = [c for c in own if c.solved and not np.isnan(c.ratio.value)]
        words = {LESS: "less", MORE: "more", OPEN: "not decided"}
        parts = [
            f"{word}: {several([f'{c.rule} ×{amount(c.ratio)}' for c in these])}"
            for side, word in words.items()
            if (these := [c for c in solving if beside(c.ratio, 1.0) == side])
        ]
        never = [f"{c.rule} ({share(0, c.n)})" for c in own if not c.solved]
        parts += [f"never solved by {several(never)}"] if never else []
        first = next((c for c in own if c.rule == BASE), None)
        of_base = f"; it solves {share(first.solved, first.n)}" if first else ", which was not run"
        head = f"**{task}**, work of a success beside backprop's{of_base}"
        sentences.append(listed(head, parts or ["there is nobody to compare"]))
    return [*sentences, *_taken(some)]


def _taken(some: Sequence[Cost]) -> list[str]:
    """What a phase took of the steps that the budget is charged for."""
    parts = []
    for rule in dict.fromkeys(c.rule for c in some if not np.isnan(c.steps)):
        own = [c for c in some if c.rule == rule and not np.isnan(c.steps)]
        texts = [
            f"{brief(c.steps)} on {c.task}"
            + (f" ({percent(c.unsettled)} not at rest)" if c.unsettled > 0 else "")
            for c in own
        ]
        caps = several(list(dict.fromkeys(c.caps for c in own)))
        parts.append(f"{rule}, of at most {caps}: {several(texts)}")
    return (
        [listed("**How many steps did a phase take?** Means over phases and networks", parts)]
        if parts
        else []
    )


def texts(some: Sequence[Cost]) -> pd.DataFrame:
    """The table for people, the cheapest first on each task."""
    import pandas as pd

    order = list(dict.fromkeys(c.task for c in some))
    rows = sorted(some, key=lambda c: (order.index(c.task), c.epochs))
    return pd.DataFrame(
        {
            "task": [c.task for c in rows],
            "rule": [c.rule for c in rows],
            "solved [95 %]": [share(c.solved, c.n) for c in rows],
            "epochs a success": [number(c.epochs) for c in rows],
            "work ÷ backprop's [95 % of all]": [_ratio(c) for c in rows],
            "steps of a phase": ["–" if np.isnan(c.steps) else f"{brief(c.steps)} of {c.caps}" for c in rows],
            "not at rest": [percent(c.unsettled) for c in rows],
        }
    )


def _ratio(c: Cost) -> str:
    return "1" if c.rule == BASE else "–" if np.isnan(c.ratio.value) else amount(c.ratio)
