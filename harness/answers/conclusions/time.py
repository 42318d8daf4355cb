"""The study `time` in three sentences: how far back, what of blame and memory, how much history."""

from __future__ import annotations

from collections.abc import Sequence

from harness.answers import blame_by_lag, growth_in_time
from harness.answers.conclusions import fitting
from harness.answers.history import PLAIN, Course, at_hours, sides
from harness.answers.middle import LESS, median
from harness.answers.time import CONTROLS, Reach
from harness.answers.words import amount, correlation, few, n_of, several

BASE = "backprop"
SHOWN = ("bptt", "rtrl", "eprop")
"""Whose memory is told: of all steps kept, of all influence, of a trace for each weight."""
FORWARD = ("eprop", "rflo", "uoro", "rtrl", "snap")
"""Rules that carry what they need forwards, and keep no step."""


def conclusions(
    reaches: Sequence[Reach],
    left: Sequence[blame_by_lag.Left],
    grown: Sequence[growth_in_time.Growth],
    courses: Sequence[Course],
) -> list[str]:
    """How many steps back is learnt by blame through time, by a rule that runs forward, and by the control;
    by what a step multiplies blame, and how memory grows; how much history a forecast of traffic takes.
    """
    found = [*_lags(reaches), *_blame(left, grown), *_history(courses)]
    return found or ["Nothing is concluded: no network in time was trained, and no blame looked at."]


def _lags(some: Sequence[Reach]) -> list[str]:
    """The longest lag of backprop, of the best rule that runs forward and of the control, by kind of unit."""
    parts = []
    for units in dict.fromkeys(r.units for r in some):
        own = [r for r in some if r.units == units]
        base = next((r for r in own if r.rule == BASE), None)
        forward = max((r for r in own if r.rule.startswith(FORWARD)), key=lambda r: r.lag, default=None)
        control = next((r for r in own if r.rule in CONTROLS), None)
        if base is None:
            continue
        beside = [
            f"{r.lag} by {name}"
            for name, r in ((forward and forward.rule, forward), ("the control", control))
            if r
        ]
        parts.append(f"{base.lag} with {units}" + (f" ({several(beside)})" if beside else ""))
    if not parts:
        return []
    head = "More than half of the networks learn delayed exclusive or by backprop through time to a lag of "
    tail = (
        f"; {max(r.tried for r in some)} was tried (control: blame goes no step back; "
        f"{n_of(r.n for r in some)} networks, Wilson's interval)."
    )
    return [fitting(lambda most: f"{head}{few(parts, most + 1)}{tail}")]


def _blame(left: Sequence[blame_by_lag.Left], grown: Sequence[growth_in_time.Growth]) -> list[str]:
    """The least and the most that a step back leaves of blame, and the powers of memory."""
    texts = []
    if left:
        found = sorted(
            zip(left, blame_by_lag.factors(left), strict=True), key=lambda each: float(each[1].value)
        )
        ends = [f"×{median(f)} with {one.units} units" for one, f in [found[0], *found[1:][-1:]]]
        texts.append(
            f"before training a step back leaves of blame {' to '.join(ends)} "
            f"({n_of(len(one.shares) for one in left)} networks)"
        )
    memory = [g for g in grown if g.quantity == "memory"]
    parts = [(rule, [g for g in memory if g.rule == rule]) for rule in SHOWN]
    names = [
        f"{' '.join(f'{g.size}^{correlation(g.measured)}' for g in own)} by {rule}"
        for rule, own in parts
        if own
    ]
    if names:
        texts.append(f"memory grows as {several(names)}")
    return [_sentence("; ".join(texts))] if texts else []


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _hours(course: Course) -> str:
    window = course.windows[course.needed]
    longest = ", the longest tried" if window == course.windows[-1] else ""
    return f"{window} hour{'s' * (window != 1)} of history{longest}"


def _history(some: Sequence[Course]) -> list[str]:
    """How much history the best kind of unit needs, how much plain units get, who is better and where."""
    if not some:
        return []
    best = min(some, key=lambda c: float(c.middle[c.best].value))
    plain = next((c for c in some if c.units == PLAIN), None)
    error = amount(best.middle[best.needed])
    parts = [f"A traffic model needs {_hours(best)} ({best.units}, error {error})"]
    if plain is not None and plain is not best:
        parts.append(
            f"{PLAIN} units trained by backprop through time get "
            f"{_hours(plain)} ({amount(plain.middle[plain.needed])})"
        )
    firsts = {name: at for name, at in sides(some, LESS).items() if at}
    over = [f"{name} at {at_hours(at)}" for name, at in sorted(firsts.items(), key=lambda each: each[1][0])]

    def said(most: int) -> str:
        above = (
            f"; lower by whole intervals are {few(over, most)}"
            if over
            else ("; no gate, state-space layer or attention is lower by its whole interval")
        )
        return f"{' and '.join(parts)}{above} ({n_of(c.n for c in some)} networks)."

    return [fitting(said)]
