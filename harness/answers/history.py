"""How much history a forecast of traffic takes, by what carries it: units in time, or all at once.

The error is the validation weeks' root mean squared one, in standard deviations, at the end of the same
number of epochs; medians over networks, with an interval that assumes no distribution. With m cells the
intervals are at 1 − .05 / m, so that one of them misses, 5 % at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.memory import errors
from harness.answers.middle import LESS, MORE, beside, median, of_values
from harness.answers.words import listed, several
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

Array = Any
TASK = "traffic_history"
PLAIN = "tanh"
"""Units without a gate, which the other kinds are held to."""


class Course(NamedTuple):
    """The errors of one kind of unit over the hours of history."""

    units: str
    windows: tuple[int, ...]
    """Hours, ascending."""
    n: int
    """Networks at each, the least of them."""
    middle: tuple[Interval, ...]
    """Median errors."""

    @property
    def best(self) -> int:
        """Which of the windows has the least error."""
        return int(np.argmin([m.value for m in self.middle]))

    @property
    def needed(self) -> int:
        """The first of the windows whose error is not above the least one, by whole intervals."""
        least = self.middle[self.best]
        return next(i for i, m in enumerate(self.middle) if beside(m, least) != MORE)


def courses(cells: pd.DataFrame, replicas: pd.DataFrame) -> list[Course]:
    """Every kind of unit that was run, in the order of the cells."""
    some = cells[(cells["replicas"] > 0) & (cells["task_name"] == TASK)]
    level = 1 - 0.05 / max(len(some), 1)
    made = []
    for units, rows in some.groupby("task.units", sort=False):
        at = sorted(zip(rows["task.window"].astype(int), rows["id"], strict=True))
        own = [errors(replicas[replicas["id"] == i], TASK, "validation") for _, i in at]
        middle = tuple(of_values(values, level) for values in own)
        made.append(Course(str(units), tuple(w for w, _ in at), min(map(len, own)), middle))
    return made


def said(some: Sequence[Course]) -> list[str]:
    """How much history each kind needs, and which kinds are below the plain one, and above, at how much."""
    if not some:
        return ["No forecast of traffic was learnt."]
    parts = [_needs(c) for c in sorted(some, key=lambda c: c.middle[c.best].value)]
    head = "**How much history does a forecast need?** The first window whose error is not above the least"
    return [listed(head, parts), *over(some)]


def _needs(c: Course) -> str:
    longest = ", the longest that was run" if c.needed == len(c.windows) - 1 else ""
    first = f"{c.units}: {_hours(c.windows[c.needed])}{longest}, an error of {median(c.middle[c.needed])}"
    if c.needed == c.best:
        return first
    return f"{first}; least {median(c.middle[c.best])} at {_hours(c.windows[c.best])}"


def at_hours(windows: Sequence[int]) -> str:
    """Windows in words.

    >>> at_hours([1]), at_hours([1, 12])
    ('1 hour', '1 and 12 hours')
    """
    return f"{several([str(w) for w in windows])} hour" + "s" * (list(windows) != [1])


def _hours(window: int) -> str:
    return f"{window} hour" + "s" * (window != 1)


def sides(some: Sequence[Course], side: str) -> dict[str, list[int]]:
    """Of each kind the windows at which its error is `less`, or `more`, than the plain units', by whole
    intervals.
    """
    plain = next((c for c in some if c.units == PLAIN), None)
    of = dict(zip(plain.windows, plain.middle, strict=True)) if plain else {}
    return {
        c.units: [w for w, m in zip(c.windows, c.middle, strict=True) if w in of and beside(m, of[w]) == side]
        for c in some
        if c.units != PLAIN
    }


def over(some: Sequence[Course]) -> list[str]:
    """Whether a gate, a state-space layer or the window at once is better than plain units, and where."""
    less, more = sides(some, LESS), sides(some, MORE)
    parts = [f"{name}: {_where(less[name], more[name])}" for name in less]
    return [listed(f"**Beside {PLAIN} units**, by whole intervals", parts)] if parts else []


def _where(less: Sequence[int], more: Sequence[int]) -> str:
    words = {"less error at": less, "more at": more}
    texts = [f"{word} {at_hours(at)}" for word, at in words.items() if at]
    return ", ".join(texts) or "not told apart at any window"


def texts(some: Sequence[Course]) -> pd.DataFrame:
    """The table for people: error by hours of history."""
    import pandas as pd

    rows = [
        {"units": c.units, "n": c.n}
        | {_hours(w): median(m) for w, m in zip(c.windows, c.middle, strict=True)}
        for c in some
    ]
    return pd.DataFrame(rows).fillna("–")


def points(some: Sequence[Course]) -> pd.DataFrame:
    """What `history_figure` draws: a row for each kind of unit and window."""
    import pandas as pd

    rows = [
        {"series": c.units, "x": w, "low": m.low, "value": m.value, "high": m.high, "n": c.n}
        for c in some
        for w, m in zip(c.windows, c.middle, strict=True)
    ]
    return pd.DataFrame(rows, columns=["series", "x", "low", "value", "high", "n"])
