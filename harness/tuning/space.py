"""Where an algorithm's settings are looked for, and the algorithm with what was found.

Each setting that is worth it says so, `spread: float = setting(0.5, "…", above=0, search=(0.05, 5))`, and the
settings of its optimiser as well: they are looked for together.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

from harness.core.algorithm import Algorithm
from harness.core.errors import InputError, unknown
from harness.core.registry import rate_path
from harness.core.setting import declaration, fitted

Values = Mapping[str, float]
MOST = 4  # settings: the rate and up to three more
DIGITS = 3  # more are not to be had from some tens of networks, and people read them


class Span(NamedTuple):
    """The numbers from `low` to `high`, along their logarithm where `low` is above 0.

    >>> Span(0.01, 100).at(0.5), Span(0, 0.9).at(0.5)
    (1.0, 0.45)
    """

    low: float
    high: float

    def at(self, u: float) -> float:
        """The number at a share u of the way, from 0 to 1, to three significant digits."""
        x = self.low * (self.high / self.low) ** u if self.low > 0 else self.low + u * (self.high - self.low)
        return float(min(max(float(f"{x:.{DIGITS}g}"), self.low), self.high))

    def where(self, x: float) -> float:
        """How far along x is: 0 to 1, less or more outside."""
        if self.low > 0:
            return math.log(x / self.low) / math.log(self.high / self.low) if x > 0 else -math.inf
        return (x - self.low) / (self.high - self.low)


def space_of(algorithm: Algorithm, fixed: Iterable[str] = ()) -> dict[str, Span]:
    """The spans in which an algorithm's settings are looked for, by dotted name.

    Args:
        algorithm: with the optimiser that it will have.
        fixed: dotted names, or `rate`, of settings that somebody chose: they are left as they are.

    Raises:
        InputError: for a span that is none or goes beyond what the setting may be, more than four of them,
            and one without the value that the setting has now, which is its paper's or the task's usual one.
    """
    rate = ".".join(rate_path(algorithm))
    chosen = {rate if name == "rate" else name for name in fixed}
    spans = {path: Span(*map(float, ends)) for path, ends in _declared(algorithm) if path not in chosen}
    if len(spans) > MOST:
        raise InputError(
            f"at most {MOST} settings are searched at once, but {algorithm.name} has {', '.join(spans)}: set "
            "some of them"
        )
    for path, span in spans.items():
        called, now = f"{path} of {algorithm.name}", operator.attrgetter(path)(algorithm)
        if not (span.low < span.high and math.isfinite(span.high - span.low)):
            raise InputError(
                f"{called} must be searched between two numbers, the first the smaller, but {span.low:g} and "
                f"{span.high:g} were given"
            )
        for end in span:
            with_values(algorithm, {path: end})
        if now is not None and not span.low <= now <= span.high:
            raise InputError(
                f"{called} is searched from {span.low:g} to {span.high:g}, which leaves out the {now:g} that "
                f"it has: widen the span, or set it (algorithm.{path}={now:g})"
            )
    return spans


def with_values(algorithm: Algorithm, values: Values) -> Algorithm:
    """The algorithm with other values of some settings, by dotted name.

    Raises `InputError` for a setting that it does not have, and a value that cannot be.
    """
    for name, value in values.items():
        algorithm = _put(algorithm, name.split("."), value, name)
    return algorithm


def _put(thing: Any, path: list[str], value: float, called: str) -> Any:
    first, *rest = path
    known = [f.name for f in fields(thing)] if is_dataclass(thing) else []
    if first not in known:
        raise unknown(f"setting of {getattr(thing, 'name', type(thing).__name__)}", called, known)
    inner = (
        _put(getattr(thing, first), rest, value, called)
        if rest
        else fitted(type(thing), first, value, called)
    )
    return replace(thing, **{first: inner})


def _declared(thing: Any) -> Iterator[tuple[str, tuple[float, float]]]:
    cls: type = type(thing)
    for f in fields(thing):
        part, searched = getattr(thing, f.name), declaration(cls, f.name).search
        if searched:
            yield f.name, searched
        elif is_dataclass(part):
            yield from ((f"{f.name}.{path}", ends) for path, ends in _declared(part))
