"""How many steps a network takes to settle, and how many phases do not, against its depth and its width.

A record has, of each replica, the mean steps of its phases, the cap where one did not come to rest, and the
share of those (`harness.core.settling`). Cells that differ in depth, or in width, alone are a `Course`; the
exponent is the slope of ln steps against ln size, by least squares, over replicas of one number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.middle import median, of_values
from harness.answers.shares import mean, percents
from harness.answers.words import correlation, listed, several
from harness.cells.words import flat, setting_text
from harness.core.errors import InputError
from harness.experiment.digits import number
from harness.statistics import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from harness.store.record import Record

Array = Any
TASK = "deep_chain"
WITH_WIDTH = "scale"  # of initial weights: 1 / √width, unless said
SIZES = {"depth": "hidden layers", "width": "units in each hidden layer"}
SYMBOLS = {"depth": "L", "width": "H"}
TOLD = ("gamma",)
"""Settings that tell the courses of a rule apart."""
FEWEST = 3  # sizes that make a course


class Course(NamedTuple):
    """A rule's networks over the values of one size, all else alike."""

    rule: str
    """With the settings that tell its courses apart."""
    epochs: int
    size: str
    fixed: str
    """The other size, in words."""
    cap: int
    """Steps of a phase, at the most."""
    values: Array
    """(X,), ascending."""
    steps: Array
    """Mean steps of a phase of each replica (R, X)."""
    unsettled: Array
    """Share of the phases of each that did not come to rest (R, X)."""

    @property
    def name(self) -> str:
        """The rule, and whether its weights had been trained."""
        when = "before training" if self.epochs == 1 else f"in {number(self.epochs)} epochs"
        return f"{self.rule}, {when}"


def courses(records: Iterable[Record]) -> list[Course]:
    """All there are in the records, by size and rule, in their order; probed cells are of another part."""
    some = [
        r
        for r in records
        if r.meta["task"]["name"] == TASK and "unsettled" in r.replicas and not r.meta["run"]["probe"]
    ]
    made = []
    for size in SIZES:
        groups: dict[str, list[Record]] = {}
        for record in some:
            task = {k: v for k, v in flat(record.meta["task"]).items() if k not in (size, WITH_WIDTH)}
            own = record.meta["algorithm"]["name"], flat(record.meta["algorithm"]), record.meta["run"]
            groups.setdefault(repr((own, task)), []).append(record)
        made += [course for own in groups.values() if (course := _course(size, own)) is not None]
    return made


def _course(size: str, records: Sequence[Record]) -> Course | None:
    at = {int(record.meta["task"][size]): record for record in records}
    if len(at) < FEWEST:
        return None
    values = sorted(at)
    first = at[values[0]].meta
    told = [setting_text(name, first["algorithm"][name]) for name in TOLD if name in first["algorithm"]]
    (other,) = (name for name in SIZES if name != size)
    steps, unsettled = (
        np.column_stack([np.asarray(at[value].replicas[name], float) for value in values])
        for name in ("settling_steps", "unsettled")
    )
    return Course(
        ", ".join([str(first["algorithm"]["name"]), *told]),
        int(first["run"]["epochs"]),
        size,
        f"{first['task'][other]} {SIZES[other]}",
        int(first["algorithm"]["steps"]),
        np.array(values),
        steps,
        unsettled,
    )


def exponent(course: Course, level: float = 0.95) -> Interval:
    """The power of the size that steps grow with: the median of the slopes of the replicas, its interval."""
    there = np.log(course.steps[np.isfinite(course.steps).all(axis=1)])
    return of_values(np.polyfit(np.log(course.values), there.T, 1)[0], level)


def exponents(some: Sequence[Course]) -> list[Interval]:
    """Of all of them, at a level at which one misses in 5 % of studies."""
    return [exponent(course, 1 - 0.05 / len(some)) for course in some]


def said(some: Sequence[Course]) -> list[str]:
    """How steps grow with each size, and where phases end without rest."""
    if not some:
        return ["No network was settled at several sizes."]
    found = list(zip(some, exponents(some), strict=True))
    sentences = []
    for size, word in SIZES.items():
        own = [(course, p) for course, p in found if course.size == size]
        if own:
            parts = [
                f"{course.name}: {_ends(course)}; {SYMBOLS[size]} to the power {correlation(p)}"
                for course, p in own
            ]
            n = sorted({len(course.steps) for course, _ in own})
            fixed = several(sorted({course.fixed for course, _ in own}))
            head = (
                f"**How many steps with more {word}?** With {fixed}, the median over {number(n[0])} networks "
                f"of the mean steps of a phase [95 %], and the power of their number {SYMBOLS[size]}"
            )
            sentences.append(listed(head, parts))
    return [*sentences, restless(some)]


def _ends(course: Course) -> str:
    low, high = (median(of_values(course.steps[:, i])) for i in (0, -1))
    return f"{low} at {course.values[0]}, {high} at {course.values[-1]}"


def restless(some: Sequence[Course]) -> str:
    """Where most phases of a rule end without rest, of all sizes."""
    parts, never = [], []
    for name in dict.fromkeys(course.name for course in some):
        at = [(c, i) for c in some if c.name == name for i in range(len(c.values))]
        course, i = max(at, key=lambda each: float(each[0].unsettled[:, each[1]].mean()))
        share = percents(mean(course.unsettled[:, i]))
        where = f"{course.values[i]} {SIZES[course.size]}"
        if course.unsettled[:, i].any():
            parts.append(f"{name}: at most {share}, of {where}")
        else:
            never.append(f"{name} ({share} of {number(len(course.steps))})")
    cap = several([number(cap) for cap in sorted({course.cap for course in some})])
    head = f"**Who does not come to rest?** The share of phases that end at the cap of {cap} steps [95 %]"
    return listed(head, [*parts, *([f"not one of {several(never)}"] if never else [])])


def texts(some: Sequence[Course], size: str) -> pd.DataFrame:
    """The table of one size for people: steps of a phase, and the share that did not come to rest."""
    import pandas as pd

    rows = []
    for course in some:
        if course.size == size:
            cells = {
                str(
                    value
                ): f"{median(of_values(course.steps[:, i]))}; {percents(mean(course.unsettled[:, i]))}"
                for i, value in enumerate(course.values)
            }
            rows.append({f"steps of a phase; not at rest, by {SIZES[size]}": course.name} | cells)
    return pd.DataFrame(rows).fillna("–")


def tables(some: Sequence[Course]) -> list[pd.DataFrame]:
    """The `texts` of every size that there is a course of."""
    return [texts(some, size) for size in SIZES if any(course.size == size for course in some)]


def points(some: Sequence[Course]) -> pd.DataFrame:
    """What `steps_figure` draws: a row for each course and size, medians with their intervals.

    Raises `InputError` where there is none.
    """
    import pandas as pd

    if not some:
        raise InputError("no network was settled at several sizes: there is nothing to draw")
    made = []
    for course, p in zip(some, exponents(some), strict=True):
        ends = [of_values(steps) for steps in course.steps.T]
        rows = pd.DataFrame(ends).assign(x=course.values, unsettled=course.unsettled.mean(axis=0))
        about = {"size": SYMBOLS[course.size], "panel": SIZES[course.size], "series": course.name}
        power = {"power": p.value, "low_power": p.low, "high_power": p.high, "cap": course.cap}
        made.append(rows.assign(**about, **power, n=len(course.steps)))
    return pd.concat(made, ignore_index=True)
