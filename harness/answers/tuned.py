"""The study `tuned` in words: what a success costs each rule at its own best, beside backprop.

Costs are in FLOPs, with restarts at the best cutoff (`harness.statistics.cutoff`), over the replicas that a
rule and backprop both have: `work_over_backprop` of `results.cells`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.answers.words import few, several
from harness.experiment.digits import number, percent, significant

if TYPE_CHECKING:
    import pandas as pd

NEAR = 2.0  # times backprop's work, or of its: estimates alone put no rule on a side of it
FEW = 4  # rules that are named one by one; of more how many, the first and the last
MOST = 3  # names of rules that never solve a task; the table has all


def said(cells: pd.DataFrame) -> list[str]:
    """For each task two sentences: who is much cheaper than backprop, who about as cheap, who is dearer and
    who never solves it, by estimates (`harness.answers.conclusions.tuned` has their intervals); and what
    giving up in time is worth.

    Args:
        cells: the frame of `results.cells`, of a study with a backprop cell on each task.
    """
    return [sentence for task, own in _by_task(cells) for sentence in (_solvers(task, own), *_restarts(own))]


def solvers(cells: pd.DataFrame) -> list[str]:
    """The first of the two sentences of each task. Args as of `said`."""
    return [_solvers(task, own) for task, own in _by_task(cells)]


def _by_task(cells: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """What was run: of rules that do not apply to a task there is nothing to say."""
    run = cells[cells["replicas"] > 0]
    return [(str(task), own) for task, own in run.groupby("task", sort=False)]


def texts(cells: pd.DataFrame) -> pd.DataFrame:
    """The table for people, the cheapest first on each task."""
    import pandas as pd

    cells = cells[cells["replicas"] > 0]
    order = cells.assign(place=cells.groupby("task").ngroup()).sort_values(["place", "restart_flops"])
    return pd.DataFrame(
        {
            "task": order["task"],
            "rule": order["algorithm_name"],
            "solved": [
                f"{percent(rate)} of {number(n)}"
                for rate, n in zip(order["rate"], order["replicas"], strict=True)
            ],
            "epochs a success": [number(x) for x in order["restart_epochs"]],
            "given up after": [number(x) if np.isfinite(x) else "–" for x in order["cutoff_epochs"]],
            "work ÷ backprop's": [significant(x) for x in order["work_over_backprop"]],
        }
    )


def _solvers(task: str, own: pd.DataFrame) -> str:
    others = own[own["algorithm_name"] != "backprop"].sort_values("work_over_backprop")
    work = others["work_over_backprop"].to_numpy(float)
    name = others["algorithm_name"].astype(str).to_numpy()
    parts = []
    for words, which in (
        (f"for less than 1/{NEAR:g} of backprop's work", work < 1 / NEAR),
        (f"for 1/{NEAR:g} to {NEAR:g} times backprop's work", (work >= 1 / NEAR) & (work <= NEAR)),
        ("for more", (work > NEAR) & np.isfinite(work)),
    ):
        if which.any():
            some = [f"{n} ×{significant(w)}" for n, w in zip(name[which], work[which], strict=True)]
            parts.append(f"{words} by {_listed(some)}")
    never = name[others["solved"].to_numpy(int) == 0]
    if len(never):
        parts.append(f"by no replica of {few(sorted(never), MOST)}")
    return f"**{task}** is solved{', by estimates,' * bool(parts)} {'; '.join(parts) or 'by backprop alone'}."


def _listed(some: list[str]) -> str:
    """All of a few, or of many how many, and the first and the last."""
    return several(some) if len(some) <= FEW else f"{len(some)} rules, from {some[0]} to {some[-1]}"


def _restarts(own: pd.DataFrame) -> list[str]:
    """What a success costs if nobody gives up ÷ with restarts, of backprop and in the median of the rules."""
    solving = own[own["solved"].to_numpy(int) > 0]
    gain = solving["ert_epochs"].to_numpy(float) / solving["restart_epochs"].to_numpy(float)
    first = solving[solving["algorithm_name"] == "backprop"]
    if not len(first):
        return []
    whole, cut, at = (
        float(first[name].iloc[0]) for name in ("ert_epochs", "restart_epochs", "cutoff_epochs")
    )
    more = significant(float(np.median(gain)))
    return [
        f"There a success costs backprop {number(whole)} epochs if nobody gives up, and {number(cut)} if "
        f"every try ends after {number(at)}; in the median of the {len(gain)} rules that solve it {more} "
        "times as much."
    ]
