"""A claim: what somebody printed, where, how far that can be trusted, and how it is measured here.

No claim holds its verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.replication.figure import Measured
from harness.replication.verdict import NOT_TESTABLE, Finding, judge

FOUND, COMPUTED, RECALLED, WRITE_UP = "found", "computed", "recalled", "write-up"
TRUST = {
    FOUND: "read in the source or a faithful copy",
    COMPUTED: "follows from what is printed, or run before",
    RECALLED: "from memory, unverified",
    WRITE_UP: "said by popular write-ups of the source",
}


@dataclass(frozen=True)
class Setting:
    """A cell by its Hydra overrides; the small form adds others, which win."""

    overrides: tuple[str, ...]
    small: tuple[str, ...]

    @classmethod
    def of(cls, overrides: str, small: str = "run.replicas=8") -> Setting:
        """From words, as on the command line."""
        return cls(tuple(overrides.split()), tuple(small.split()))

    def form(self, small: bool) -> tuple[str, ...]:
        """The overrides of the full or of the small form."""
        return (*self.overrides, *self.small) if small else self.overrides

    def __str__(self) -> str:
        return " ".join(self.overrides)


@dataclass(frozen=True)
class Observation:
    """What no record holds: a pure function of its arguments
    that returns columns (arrays by name), kept like a cell.
    """

    function: Callable[..., Mapping[str, Any]]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)

    def form(self, small: bool) -> dict[str, Any]:
        """The arguments of the full or of the small form."""
        return {**self.arguments, **self.small} if small else dict(self.arguments)

    def __str__(self) -> str:
        module = self.function.__module__.rpartition(".")[2]
        return (
            f"{module}.{self.function.__name__}({', '.join(f'{k}={v}' for k, v in self.arguments.items())})"
        )


@dataclass(frozen=True)
class Claim:
    """One row of the table."""

    id: str
    section: str
    """Of the list of published figures: 1.3, or 15.7 for the seventh claim of the write-ups."""
    claim: str
    source: str
    trust: str
    figure: Any
    measure: Callable[..., Measured]
    """From what `needs` came to, in its order."""
    needs: tuple[Setting | Observation, ...] = ()
    note: str = ""
    """What is known of why it does not come out, shown where it does not."""

    @property
    def setting(self) -> str:
        """What is run for it."""
        return "; ".join(map(str, self.needs)) or "nothing to train"

    def judged(self, evidence: tuple[Any, ...] | None) -> tuple[Measured | None, Finding]:
        """What was measured, and the verdict on it; evidence is None where something is not in the store."""
        if evidence is None:
            return None, Finding(NOT_TESTABLE, "not run yet: python -m harness.replicate")
        measured = self.measure(*evidence)
        return measured, judge(self.figure, measured)


def nothing(*_: Any) -> Measured:
    """Where there is nothing of ours to put beside a figure."""
    return Measured(float("nan"), float("nan"), float("nan"), 0, "–")
