"""How far a credit is from the gradient, against a setting of its rule: by which power does the error fall?

    |g − ∇|² ÷ |∇|² = (1 − r)² + 4 r sin²(θ/2)          r = |g| ÷ |∇|, θ the angle between: what a probe notes

Cells that were probed and differ in one setting alone are a `Course`. Its power is the slope of ln error
against ln setting, by least squares, of each replica over the values at which the median error is within
`FITTED`: above them more than the first power counts, below them the differences that the gradient at a state
of rest takes. Of steps no power is stated: a phase comes nearer to rest by a factor a step, until what the
other settings leave is all that is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.middle import MORE, beside, of_values
from harness.answers.words import amount, brief, correlation, listed, several
from harness.cells.words import flat, setting_text
from harness.core.errors import InputError
from harness.credit.compare import TOTAL
from harness.experiment.digits import number
from harness.statistics import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from harness.store.record import Record

Array = Any
SYMBOLS = {"beta": "β", "gamma": "γ", "energy_weight": "λ", "steps": "T"}
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
    def median(self) -> Array:
        """Over replicas, at each value (X,)."""
        return np.median(self.errors, axis=0)

    @property
    def stated(self) -> float:
        """The power of the setting that theory states; NaN where it states none."""
        if self.setting == "steps":
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
                rest = {k: v for k, v in own.items() if not _moves(k, setting)}
                key = repr((record.meta["algorithm"]["name"], record.meta["task"], rest))
                groups.setdefault(key, []).append(record)
        made += [course for some in groups.values() if (course := _course(setting, some))]
    return made


def _moves(name: str, setting: str) -> bool:
    return name == setting or (setting == "steps" and name == WITH_STEPS)


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
        {k: v for k, v in flat(first["algorithm"]).items() if not _moves(k, setting)},
        np.array(values),
        np.column_stack([error(at[value].probes) for value in values]),
        str(first["ran"].get("reference", LOSS)),
        np.column_stack([_first(at[value].probes, "backprop") for value in values]),
    )


def error(probes: Mapping[str, Array]) -> Array:
    """|g − ∇| ÷ |∇| of each replica (R,) before training, of all weights together.

    1 where there is no credit, which has no angle; NaN where there is no gradient.
    """
    ratio, half = _first(probes, "ratio"), np.radians(_first(probes, "angle")) / 2
    apart = np.where(ratio == 0, 0.0, 4 * ratio * np.sin(half) ** 2)
    return np.sqrt((1 - ratio) ** 2 + apart)


def _first(probes: Mapping[str, Array], quantity: str) -> Array:
    known = probes.get(f"{quantity}/{TOTAL}")
    return np.full(len(probes[f"ratio/{TOTAL}"]), np.nan) if known is None else known[:, 0]


def fitted(course: Course) -> Array:
    """Which values a course is fitted at (X,): those of the power; of steps those before what is left."""
    middle = course.median
    if course.setting == "steps":
        return np.logical_and.accumulate(middle > LEFT * middle[-1])
    low, high = FITTED
    return (low <= middle) & (middle <= high)


def power(course: Course, level: float = 0.95) -> Interval:
    """The median over replicas of their slopes, with its interval; of steps the factor of a step.

    NaN where there are too few values to fit.
    """
    inside = fitted(course)
    if inside.sum() < FEWEST:
        return Interval(np.nan, -np.inf, np.inf)
    there = course.errors[:, inside]
    there = there[np.isfinite(there).all(axis=1) & (there > 0).all(axis=1)]
    if course.setting == "steps":
        slopes = np.polyfit(course.values[inside], np.log(there).T, 1)[0]
        return Interval(*(float(end) for end in np.exp([*of_values(slopes, level)])))
    return of_values(np.polyfit(np.log(course.values[inside]), np.log(there).T, 1)[0], level)


def powers(some: Sequence[Course]) -> list[Interval]:
    """Of all of them, at a level at which one misses in 5 % of studies."""
    return [power(course, 1 - 0.05 / len(some)) for course in some]


def agrees(course: Course, found: Interval) -> bool:
    """Whether a power is the stated one, by its whole interval."""
    return bool(course.stated - NEAR <= found.low and found.high <= course.stated + NEAR)


def said(some: Sequence[Course]) -> list[str]:
    """By which power each error falls, from where on a nudge is too strong, how many steps are enough, and
    which gradient it is.
    """
    if not some:
        return ["No credit was looked at over the values of a setting."]
    found = list(zip(some, powers(some), strict=True))
    return [*_powers(found), *_too_strong(some), *_steps(found), *_gradients(some)]


def _powers(found: Sequence[tuple[Course, Interval]]) -> list[str]:
    known = [(c, p) for c, p in found if c.setting != "steps"]
    if not known:
        return []
    parts = []
    for course, p in known:
        if np.isnan(p.value):
            parts.append(f"{course.name}: too few values of {SYMBOLS[course.setting]} to fit")
            continue
        at = course.values[fitted(course)]
        side = "" if agrees(course, p) else f", **not** within {NEAR:g} of it"
        parts.append(
            f"{course.name}: {raised(course)} to {correlation(p)}, stated {course.stated:g}{side}, from "
            f"{brief(at[0])} to {brief(at[-1])}"
        )
    head = (
        "**By which power does the error fall?** |g − ∇| ÷ |∇| over all weights, before training: the median "
        f"slope over {n_of_all([c for c, _ in known])} networks, where the error is between {FITTED[0]:g} and "
        f"{FITTED[1]:g}"
    )
    return [listed(head, parts)]


def raised(course: Course) -> str:
    """The setting by its symbol."""
    return SYMBOLS[course.setting]


def _too_strong(some: Sequence[Course]) -> list[str]:
    """From which nudge on several points are farther from the gradient than one, network by network."""
    parts = []
    for one in (c for c in some if c.setting == "beta" and c.settings["points"] == 1):
        others = [c for c in some if c.setting == "beta" and c.task == one.task and c.settings["points"] > 1]
        for other in others:
            at, i, j = np.intersect1d(one.values, other.values, return_indices=True)
            ratios = [
                of_values(other.errors[:, b] / one.errors[:, a], 1 - 0.05 / (len(at) * len(others)))
                for a, b in zip(i, j, strict=True)
            ]
            farther = [k for k, r in enumerate(ratios) if beside(r, 1.0) == MORE]
            name = f"{other.settings['points']} points"
            if farther:
                k = farther[0]
                errors = brief(other.median[j[k]]), brief(one.median[i[k]])
                parts.append(
                    f"{name}, first at β = {brief(at[k])}: an error of {errors[0]} beside {errors[1]}, "
                    f"×{amount(ratios[k])}"
                )
            else:
                parts.append(f"{name}: at no β to {brief(at[-1])}")
    head = "**From which nudge on is the one-sided estimate the nearer one?** Beside"
    return [listed(head, parts)] if parts else []


def _steps(found: Sequence[tuple[Course, Interval]]) -> list[str]:
    parts = []
    for course, p in found:
        if course.setting == "steps":
            first, last = course.values[0], course.values[-1]
            rate = "" if np.isnan(p.value) else f"; a step multiplies it by {amount(p)} before that"
            parts.append(
                f"{course.name}: {number(enough(course))}, {brief(course.median[-1])} after {number(last)}, "
                f"{brief(course.median[0])} after {number(first)}{rate}"
            )
    head = f"**How many steps are enough?** For an error of at most {LEFT:g} times what is left after the last"
    return [listed(head, parts)] if parts else []


def enough(course: Course) -> float:
    """The first number of steps from which on the median error is near what is left."""
    return float(course.values[fitted(course).sum()])


def _gradients(some: Sequence[Course]) -> list[str]:
    parts = []
    for of in dict.fromkeys(c.of for c in some):
        own = [c for c in some if c.of == of]
        text = f"of {of}: {several(list(dict.fromkeys(c.rule for c in own)))}"
        best = min(own, key=lambda c: float(c.median.min()))
        away = best.to_backprop[:, int(best.median.argmin())]
        if not np.isnan(away).all():
            text += f", whose credit at its nearest is {amount(of_values(away))}° from backprop's gradient"
        parts.append(text)
    return [listed("**Which gradient is it?** ∇ is the gradient", parts)]


def n_of_all(some: Sequence[Course]) -> str:
    """Networks of the courses: 30, or 10 to 30."""
    n = sorted({len(c.errors) for c in some})
    return number(n[0]) + (f" to {number(n[-1])}" if len(n) > 1 else "")


def texts(some: Sequence[Course]) -> pd.DataFrame:
    """The table for people: the power, and the error at each tenth of the setting."""
    import pandas as pd

    rows = []
    for course, p in zip(some, powers(some) if some else [], strict=True):
        if course.setting == "steps":
            continue
        at = {value: brief(e) for value, e in zip(course.values, course.median, strict=True)}
        tens = {brief(v): text for v, text in at.items() if abs(np.log10(v) - round(np.log10(v))) < 1e-9}
        row = {"credit": course.name, "setting": raised(course), "power [95 % of all]": correlation(p)}
        rows.append(row | {"stated": f"{course.stated:g}"} | tens)
    return pd.DataFrame(rows).fillna("–")


def points(some: Sequence[Course]) -> pd.DataFrame:
    """What `error_figure` draws: a row for each course and value."""
    import pandas as pd

    if not some:
        raise InputError("no credit was looked at over the values of a setting: there is nothing to draw")
    rows = []
    for course, p in zip(some, powers(some), strict=True):
        low, middle, high = np.quantile(course.errors, (0.25, 0.5, 0.75), axis=0)
        about = {"setting": raised(course), "series": course.name, "n": len(course.errors)}
        about |= {"power": p.value, "low_power": p.low, "high_power": p.high, "stated": course.stated}
        for x, *quartiles, inside in zip(course.values, low, middle, high, fitted(course), strict=True):
            rows.append(
                about | dict(zip(("x", "low", "value", "high", "fitted"), (x, *quartiles, inside), strict=True))
            )
    return pd.DataFrame(rows)
