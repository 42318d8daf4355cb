"""How near the gradient a credit comes, in words: the powers of its error, nudges that are too strong, steps
that are enough, and which gradient it is.

Intervals of powers are at 1 − .05 / m for m courses (`harness.answers.credit_errors`), so that one of them
misses, 5 % at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.answers.credit_errors import (
    FITTED,
    LEFT,
    NEAR,
    STEPS,
    Course,
    agrees,
    enough,
    fitted,
    powers,
)
from harness.answers.middle import MORE, beside, of_values
from harness.answers.words import amount, brief, correlation, listed, several
from harness.core.errors import InputError
from harness.experiment.digits import number
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

WORDS = {
    "beta": "nudge β of the outputs",
    "gamma": "strength γ of the way back",
    "energy_weight": "weight λ of the loss",
    STEPS: "steps T of every phase",
}


def said(some: Sequence[Course]) -> list[str]:
    """By which power each error falls, from where on a nudge is too strong, how many steps are enough, and
    which gradient it is.
    """
    if not some:
        return ["No credit was looked at over the values of a setting."]
    found = list(zip(some, powers(some), strict=True))
    return [*_powers(found), *_too_strong(some), *_steps(found), *_gradients(some)]


def _powers(found: Sequence[tuple[Course, Interval]]) -> list[str]:
    known = [(course, p) for course, p in found if course.setting != STEPS]
    parts = []
    for course, p in known:
        if np.isnan(p.value):
            parts.append(f"{course.name}: too few values of {course.symbol} to fit")
            continue
        at = course.values[fitted(course)]
        parts.append(
            f"{course.name}: {course.symbol} to the power {correlation(p)}, stated {course.stated:g}"
            f"{_verdict(course, p)}, from {brief(at[0])} to {brief(at[-1])}"
        )
    n = dict.fromkeys(number(len(course.errors)) for course, _ in known)
    head = (
        "**By which power does the error fall?** |g − ∇| ÷ |∇| over all weights, before training: the median "
        f"slope over {several(list(n))} networks [95 % of all], where its median is from {FITTED[0]:g} to "
        f"{FITTED[1]:g}"
    )
    return [listed(head, parts)] if parts else []


def _verdict(course: Course, p: Interval) -> str:
    if agrees(course, p):
        return ""
    beyond = p.low > course.stated + NEAR or p.high < course.stated - NEAR
    return f", **{'beyond' if beyond else 'not decided'}** (±{NEAR:g})"


def _too_strong(some: Sequence[Course]) -> list[str]:
    """From which nudge on several points are farther from the gradient than one, network by network."""
    over = [course for course in some if course.setting == "beta"]
    ways = [
        (one, other)
        for one in over
        for other in over
        if one.settings["points"] == 1 < other.settings["points"] and one.task == other.task
    ]
    parts = []
    for one, other in ways:
        at, i, j = np.intersect1d(one.values, other.values, return_indices=True)
        level = 1 - 0.05 / max(len(at) * len(ways), 1)
        ratios = [of_values(other.errors[:, b] / one.errors[:, a], level) for a, b in zip(i, j, strict=True)]
        farther = [k for k, ratio in enumerate(ratios) if beside(ratio, 1.0) == MORE]
        text = f"{other.settings['points']} points: "
        if farther:
            k = farther[0]
            text += (
                f"β = {brief(at[k])}, an error of {brief(other.median[j[k]])} beside "
                f"{brief(one.median[i[k]])}, ×{amount(ratios[k])}"
            )
        else:
            text += f"at no β to {brief(at[-1])}" if len(at) else "at no β in common"
        parts.append(text)
    head = (
        "**From which nudge on is one point nearer to the gradient?** Than so many, by the median ratio of "
        "errors, network by network [95 % of all]"
    )
    return [listed(head, parts)] if parts else []


def _steps(found: Sequence[tuple[Course, Interval]]) -> list[str]:
    parts = []
    for course, p in found:
        if course.setting == STEPS:
            first, last = (f"{brief(course.median[i])} after {number(course.values[i])}" for i in (0, -1))
            rate = f"; till then a step multiplies it by {amount(p)}" if not np.isnan(p.value) else ""
            parts.append(f"{course.name}: {number(enough(course))}, with {last} and {first}{rate}")
    head = (
        f"**How many steps are enough?** For an error of at most {LEFT:g} times what is left after the most, "
        "in the median over networks"
    )
    return [listed(head, parts)] if parts else []


def _gradients(some: Sequence[Course]) -> list[str]:
    parts = []
    for of in dict.fromkeys(course.of for course in some):
        own = [course for course in some if course.of == of]
        text = f"of {of}, for {several(list(dict.fromkeys(course.rule for course in own)))}"
        best = min(own, key=lambda course: float(course.median.min()))
        away = best.to_backprop[:, int(best.median.argmin())]
        if not np.isnan(away).all():
            text += f", whose credit at its nearest is {amount(of_values(away))}° from backprop's gradient"
        parts.append(text)
    return [listed("**Which gradient is it?** That", parts)]


def texts(some: Sequence[Course]) -> pd.DataFrame:
    """The table for people: the power, and the median error where the setting is a power of ten."""
    import pandas as pd

    rows = []
    for course, p in zip(some, powers(some), strict=True):
        if course.setting == STEPS:
            continue
        tens = {
            brief(value): brief(middle)
            for value, middle in zip(course.values, course.median, strict=True)
            if np.isclose(np.log10(value), np.round(np.log10(value)))
        }
        row = {"credit": course.name, "setting": course.symbol, "power [95 % of all]": correlation(p)}
        rows.append(row | {"stated": f"{course.stated:g}"} | tens)
    return pd.DataFrame(rows).fillna("–")


def points(some: Sequence[Course]) -> pd.DataFrame:
    """What `error_figure` draws: a row for each course and value.

    Raises `InputError` where there is none.
    """
    import pandas as pd

    if not some:
        raise InputError("no credit was looked at over the values of a setting: there is nothing to draw")
    made = []
    for course, p in zip(some, powers(some), strict=True):
        low, middle, high = np.quantile(course.errors, (0.25, 0.5, 0.75), axis=0)
        rows = pd.DataFrame(
            {"x": course.values, "low": low, "value": middle, "high": high, "fitted": fitted(course)}
        )
        about = {"setting": course.symbol, "panel": WORDS[course.setting], "series": course.name}
        ends = {"power": p.value, "low_power": p.low, "high_power": p.high, "stated": course.stated}
        made.append(rows.assign(**about, **ends, n=len(course.errors)))
    return pd.concat(made, ignore_index=True)
