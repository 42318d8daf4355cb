"""How far a credit is from the gradient, against a setting of its rule, and the power that it falls with.

    |g − ∇|² ÷ |∇|² = (1 − r)² + 4 r sin²(θ/2)          r = |g| ÷ |∇|, θ the angle between: what a probe notes

Cells that were probed and differ in one setting alone are a `Course`. Its power is the slope of ln error
against ln setting, by least squares, of each replica over the values at which the median error is within
`FITTED`: above, more than the leading power counts; below, the differences that the gradient at a state of
rest takes do. Of steps no power is stated: a phase comes nearer to rest by a factor a step, until what the
other settings leave is all that is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.middle import of_values
from harness.cells.words import flat, setting_text
from harness.credit.compare import TOTAL
from harness.statistics import Interval

if TYPE_CHECKING:
    from harness.store.record import Record

Array = Any
STEPS = "steps"
SYMBOLS = {"beta": "β", "gamma": "γ", "energy_weight": "λ", STEPS: "T"}
"""The settings that a credit is looked at over, and what theory calls them."""
WITH_STEPS = "steps_taught"  # of the other phases: as many as `steps` where these vary
TOLD = ("points", "beta", "gamma", "energy_weight")
"""Settings that tell the courses of a rule apart."""
FITTED = (1e-9, 0.05)
FEWEST = 3  # values of a setting that make a course, and points of a fit
NEAR = 0.1
"""A power is the stated one where its whole interval is within so much of it."""
LEFT = 2.0  # times what is left after all steps: near enough
LOSS = "the task's loss, by the forward pass"


class Course(NamedTuple):
    """A rule's credit over the values of one setting, all else alike."""

    rule: str
    task: str
    setting: str
    settings: Mapping[str, Any]
    """Of the rule, but for that one."""
    values: Array
    """(X,), ascending."""
    errors: Array
    """|g − ∇| ÷ |∇| of each replica at each value (R, X)."""
    of: str
    """What ∇ is the gradient of."""
    to_backprop: Array
    """Angles to backprop's gradient in degrees (R, X); NaN where ∇ is backprop's."""

    @property
    def name(self) -> str:
        """The rule, and the settings that tell its courses apart."""
        told = [setting_text(name, self.settings[name]) for name in TOLD if name in self.settings]
        return ", ".join([self.rule, *told])

    @property
    def symbol(self) -> str:
        """What theory calls the setting."""
        return SYMBOLS[self.setting]

    @property
    def median(self) -> Array:
        """Over replicas, at each value (X,)."""
        return np.median(self.errors, axis=0)

    @property
    def stated(self) -> float:
        """The power of the setting that theory states; NaN where it states none."""
        if self.setting == STEPS:
            return np.nan
        return float(self.settings["points"]) if self.setting == "beta" else 1.0


def courses(records: Iterable[Record]) -> list[Course]:
    """All there are in the records that were probed, by setting and rule, in their order."""
    probed = [record for record in records if f"angle/{TOTAL}" in record.probes]
    made = []
    for setting in SYMBOLS:
        groups: dict[str, list[Record]] = {}
        for record in probed:
            own = flat(record.meta["algorithm"])
            if setting in own:
                key = record.meta["algorithm"]["name"], record.meta["task"], _rest(own, setting)
                groups.setdefault(repr(key), []).append(record)
        made += [course for some in groups.values() if (course := _course(setting, some))]
    return made


def _rest(settings: Mapping[str, Any], setting: str) -> dict[str, Any]:
    """What is alike along a course."""
    varied = (STEPS, WITH_STEPS) if setting == STEPS else (setting,)
    return {name: settings[name] for name in sorted(settings) if name not in varied}


def _course(setting: str, records: Sequence[Record]) -> Course | None:
    at = {float(record.meta["algorithm"][setting]): record for record in records}
    if len(at) < FEWEST:
        return None
    values = sorted(at)
    first = at[values[0]].meta
    return Course(
        str(first["algorithm"]["name"]),
        str(first["task"]["name"]),
        setting,
        _rest(flat(first["algorithm"]), setting),
        np.array(values),
        np.column_stack([error(at[value].probes) for value in values]),
        str(first["ran"].get("reference", LOSS)),
        np.column_stack([_first(at[value].probes, "backprop") for value in values]),
    )


def error(probes: Mapping[str, Array]) -> Array:
    """|g − ∇| ÷ |∇| of each replica (R,) at the first look of a probe, of all weights together.

    1 where there is no credit, which has no angle; NaN where there is no gradient.
    """
    ratio, half = _first(probes, "ratio"), np.radians(_first(probes, "angle")) / 2
    apart = np.where(ratio == 0, 0.0, 4 * ratio * np.sin(half) ** 2)
    return np.sqrt((1 - ratio) ** 2 + apart)


def _first(probes: Mapping[str, Array], quantity: str) -> Array:
    known = probes.get(f"{quantity}/{TOTAL}")
    return np.full(len(probes[f"ratio/{TOTAL}"]), np.nan) if known is None else known[:, 0]


def fitted(course: Course) -> Array:
    """At which values a course is fitted (X,): for a power, or for a factor of steps those before what is
    left is near.
    """
    middle = course.median
    if course.setting == STEPS:
        return np.logical_and.accumulate(middle > LEFT * middle[-1])
    low, high = FITTED
    return (low <= middle) & (middle <= high)


def power(course: Course, level: float = 0.95) -> Interval:
    """The median over replicas of their slopes, with its interval; of steps the factor of a step.

    NaN where there are too few values to fit.
    """
    inside = fitted(course)
    there = course.errors[:, inside]
    there = np.log(there[np.isfinite(there).all(axis=1) & (there > 0).all(axis=1)])
    if inside.sum() < FEWEST or not len(there):
        return Interval(np.nan, -np.inf, np.inf)
    values = course.values[inside]
    slopes = np.polyfit(values if course.setting == STEPS else np.log(values), there.T, 1)[0]
    found = of_values(slopes, level)
    return Interval(*(float(np.exp(end)) for end in found)) if course.setting == STEPS else found


def powers(some: Sequence[Course]) -> list[Interval]:
    """Of all of them, at a level at which one misses in 5 % of studies."""
    return [power(course, 1 - 0.05 / len(some)) for course in some]


def agrees(course: Course, found: Interval) -> bool:
    """Whether a power is the stated one, by its whole interval."""
    return bool(course.stated - NEAR <= found.low and found.high <= course.stated + NEAR)


def enough(course: Course) -> float:
    """The first number of steps from which on the median error is near what is left after the last."""
    return float(course.values[fitted(course).sum()])
