"""The study `time` in words: how many steps back each rule learns, with each kind of unit, and at what cost.

Of delayed exclusive or only the lag varies, and a rule learns a lag where more than half of its networks
solve it, by Wilson's interval. How much of blame is left so far back says `harness.answers.blame_by_lag`,
which floor of the add task is reached `harness.answers.add_ladder`, how much history a forecast of traffic
takes `harness.answers.history`, and what memory costs `harness.answers.growth_in_time`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.ablations import ert
from harness.answers.shares import beside, share
from harness.answers.words import amount, each, listed, several
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

TASK = "delayed_xor"
TOLD: Mapping[str, str] = {"bptt": "window", "eprop": "feedback", "snap": "reach"}
"""The setting that tells the cells of a rule apart."""
CONTROLS = ("bptt, window=1",)
"""Whose blame goes no step back."""
HALF = 0.5
COLUMNS = [
    "units", "series", "control", "x", "n", "solved", "rate", "rate_low", "rate_high",
    "ert", "ert_low", "ert_high",
]  # fmt: skip


class Reach(NamedTuple):
    """How far back a rule learns with one kind of unit."""

    units: str
    rule: str
    lag: int
    """The longest lag that more than half of its networks learn, and every shorter one; 0 for none."""
    tried: int
    """The longest that was run."""
    solved: int
    """There; at the shortest lag where `lag` is 0."""
    n: int
    ert: Interval
    """Epochs of a success there."""
    beyond: int
    """The first longer lag that fewer than half learn; 0 for none."""


def rule_of(cell: Mapping[Any, Any]) -> str:
    """A rule by its name and the setting that tells its cells apart; from a row of `results.cells`."""
    name = str(cell["algorithm_name"])
    setting = TOLD.get(name, "")
    value = cell.get(f"algorithm.{setting}")
    if isinstance(value, str):
        return f"{name}, {value}"
    return name if value is None or np.isnan(value) else f"{name}, {setting}={value:g}"


def points(cells: pd.DataFrame, replicas: pd.DataFrame) -> pd.DataFrame:
    """The finished cells of delayed exclusive or: a row for each kind of unit, rule and lag, with the share
    that solved it (Wilson's interval) and the expected running time in epochs.
    """
    import pandas as pd

    rows = []
    some = cells[(cells["replicas"] > 0) & (cells["task_name"] == TASK)]
    for cell in some.to_dict("records"):
        rule, of = rule_of(cell), ert(replicas, str(cell["id"]))
        shares = (cell["rate"], cell["rate_low"], cell["rate_high"])
        counts = int(cell["task.lag"]), int(cell["replicas"]), int(cell["solved"])
        rows.append((str(cell["task.units"]), rule, rule in CONTROLS, *counts, *shares, *of))
    return pd.DataFrame(rows, columns=COLUMNS)


def reaches(points: pd.DataFrame) -> list[Reach]:
    """How far back each rule learns with each kind of unit, in the order of the points."""
    made = []
    for (units, rule), rows in points.groupby(["units", "series"], sort=False):
        at = each(rows.sort_values("x", kind="stable"))
        learnt = next((i for i, row in enumerate(at) if row.rate_low <= HALF), len(at))
        row = at[max(learnt - 1, 0)]
        beyond = next((int(r.x) for r in at[learnt:] if r.rate_high < HALF), 0)
        cost = Interval(float(row.ert), float(row.ert_low), float(row.ert_high))
        lag = int(row.x) if learnt else 0
        made.append(
            Reach(str(units), str(rule), lag, int(at[-1].x), int(row.solved), int(row.n), cost, beyond)
        )
    return made


def said(some: Sequence[Reach]) -> list[str]:
    """For each kind of unit, who learns how far back."""
    sentences = []
    for units in dict.fromkeys(r.units for r in some):
        own = sorted((r for r in some if r.units == units), key=lambda r: -r.lag)
        parts = [_far(r) for r in own if r.lag]
        for side, words in (("fewer", "fewer than half"), ("undecided", "not decided")):
            names = [f"{_named(r)} ({share(r.solved, r.n)})" for r in own if not r.lag and _side(r) == side]
            parts += [f"{words} at the shortest lag: {several(names)}"] if names else []
        sentences.append(listed(f"**{units}**, the longest lag that more than half learn", parts))
    return sentences or ["Delayed exclusive or was not run."]


def _side(r: Reach) -> str:
    return beside(r.solved, r.n, HALF)


def _named(r: Reach) -> str:
    return f"{r.rule} (control)" if r.rule in CONTROLS else r.rule


def _far(r: Reach) -> str:
    end = ", the longest that was run" if r.lag == r.tried else ""
    end = f"; fewer than half at {r.beyond}" if r.beyond else end or "; beyond, not decided"
    return f"{_named(r)}: {r.lag}, by {share(r.solved, r.n)}, {amount(r.ert)} epochs a success{end}"


def texts(points: pd.DataFrame) -> pd.DataFrame:
    """The table for people: how many solved, and epochs of a success, by lag."""
    import pandas as pd

    lags = sorted(points["x"].unique())
    rows = []
    for (units, rule), some in points.groupby(["units", "series"], sort=False):
        of = {row.x: row for row in each(some)}
        found = {f"lag {lag}": _cell(of[lag]) if lag in of else "–" for lag in lags}
        rows.append({"rule": rule, "units": units} | found)
    return pd.DataFrame(rows)


def _cell(row: Any) -> str:
    cost = Interval(float(row.ert), float(row.ert_low), float(row.ert_high))
    return f"{row.solved} of {row.n}, {amount(cost)}"
