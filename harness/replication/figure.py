"""What is printed and what is measured, as data:
the figures that a criterion of `harness.replication.verdict` can judge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.experiment.digits import number


@dataclass(frozen=True)
class Measured:
    """What came of our own runs."""

    value: float
    low: float
    """Ends of its interval: 95 %, or 99 % where a criterion looks at the interval itself."""
    high: float
    n: int
    """Replicas."""
    text: str
    hits: int | None = None
    """Of a rate: how many of the n."""
    least: NDArray[np.float64] = field(default_factory=lambda: np.array([]))
    """Of every replica, no less than this: its own value,
    or where watching it ended; ∞ if it will never come to it.
    """
    most: NDArray[np.float64] = field(default_factory=lambda: np.array([]))
    """And no more than this: its own value, or ∞."""
    digits: tuple[float, ...] = ()
    """Numbers without chance in them."""


# What is printed


@dataclass(frozen=True)
class Order:
    """The `rank`-th smallest of what came of so many `runs`:
    a median, a quartile, the longest; of one run, its value.
    """

    value: float
    rank: int
    runs: int
    text: str


def one_run(value: float, unit: str) -> Order:
    """The figure of a single run."""
    return Order(value, 1, 1, f"{plain(value)} {unit}, one run")


def quantile_of(share: float, value: float, runs: int, unit: str, name: str) -> Order:
    """A quantile of so many runs: `share` of them lie at or below it.

    Of an extreme, that there is nothing beyond.
    """
    return Order(value, max(1, round(share * runs)), runs, f"{name} {plain(value)} {unit}, {runs:,} runs")


def once(what: str) -> Order:
    """One run of which something is true; a replica counts 1 where it is true of it, else 0."""
    return Order(1.0, 1, 1, f"{what}, one run")


def middle_of(value: float, solved: int, runs: int, unit: str) -> Order:
    """The median over those of the runs that were solved."""
    return Order(value, solved // 2, runs, f"median {plain(value)} {unit} of {solved} of {runs} runs")


@dataclass(frozen=True)
class Rate:
    """`hits` of `n` runs.

    A replica counts 1 where it is a hit, else 0; who was not watched long enough may come to either.
    """

    hits: int
    n: int
    what: str = "solved"

    @property
    def text(self) -> str:
        return f"{self.hits} of {self.n} {self.what}"


@dataclass(frozen=True)
class Mean:
    """The mean of so many runs."""

    value: float
    runs: int
    unit: str

    @property
    def text(self) -> str:
        return f"mean {plain(self.value)} {self.unit} of {self.runs:,} runs"


@dataclass(frozen=True)
class Digits:
    """Numbers that follow from other printed numbers, each good to half a `digit`."""

    values: tuple[float, ...]
    digit: float
    text: str


@dataclass(frozen=True)
class Side:
    """On which side of a bound something lies."""

    bound: float
    above: bool
    text: str


@dataclass(frozen=True)
class Range:
    """Between two values."""

    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Elsewhere:
    """A figure of a setting that is not run here, and why."""

    text: str
    reason: str


class Fact(NamedTuple):
    """One thing that a text says: what, of what, and how much."""

    what: str
    of: str
    value: Any
    """True where it is said without a figure: `of` is a `what`."""

    def __str__(self) -> str:
        return (
            f"{self.of} as {self.what}"
            if self.value is True
            else f"{self.what} of {self.of}: {said(self.value)}"
        )


class Source(NamedTuple):
    """A text, and what it prints of all that is asked of it here."""

    name: str
    facts: tuple[Fact, ...]

    def prints(self, fact: Fact) -> bool:
        """Whether it prints just that."""
        return any(own == fact for own in self.facts)

    def nearest(self, fact: Fact) -> tuple[Fact, ...]:
        """What it prints of the same quantity of the same thing."""
        return tuple(own for own in self.facts if own[:2] == fact[:2])

    def of(self, *what: str) -> tuple[Fact, ...]:
        """What it prints of some quantities, of whatever thing."""
        return tuple(own for own in self.facts if own.what in what)


@dataclass(frozen=True)
class Attributed:
    """What a write-up says that a source prints; `then` is the figure to be judged if the source does."""

    asserted: tuple[Fact, ...]
    source: Source
    then: Any = None
    beside: tuple[str, ...] = ()
    """Quantities of the source that are told in its stead."""

    @property
    def text(self) -> str:
        return "; ".join(map(str, self.asserted))


def said(value: Any) -> str:
    """A fact's value in words."""
    if isinstance(value, tuple):
        return ", ".join(map(said, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(value) if isinstance(value, int | float) else str(value)


def plain(value: float) -> str:
    """A number in words: whole ones in full, others to four digits."""
    return number(value) if float(value).is_integer() else f"{value:.4g}"
