"""What came of checks: passed, failed with a sentence, or not applicable with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.core.errors import InputError

PASSED, FAILED, IDLE = "passed", "failed", "not applicable"
MARKS = {PASSED: "✓", FAILED: "✗", IDLE: "–"}


class Idle(InputError):
    """A check has nothing to look at; the message is the reason."""


@dataclass(frozen=True)
class Verdict:
    """What came of one check."""

    check: str
    """Its name."""
    asks: str
    """What it asks, in a sentence."""
    outcome: str
    sentence: str = ""
    """Of a failure: what was found, what was expected, and where; of what is not applicable: why."""

    def __str__(self) -> str:
        said = f": {self.sentence}" if self.sentence else ""
        return f"{MARKS[self.outcome]} {self.check}{said}"


@dataclass(frozen=True)
class Report:
    """What came of all checks of one algorithm."""

    algorithm: str
    task: str
    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failures

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """What failed."""
        return tuple(v for v in self.verdicts if v.outcome == FAILED)

    def count(self) -> str:
        """How many checks came to what, in words."""
        n = Counter(v.outcome for v in self.verdicts)
        return (
            f"{self.algorithm} on {self.task}: {len(self.verdicts)} checks, {n[PASSED]} passed, "
            f"{n[FAILED]} failed, {n[IDLE]} not applicable"
        )

    def __str__(self) -> str:
        """The count, then what failed, then what was not applicable."""
        told = sorted((v for v in self.verdicts if v.outcome != PASSED), key=lambda v: v.outcome != FAILED)
        return "\n".join([self.count(), *map(str, told)])

    def markdown(self, versions: Iterable[str] = ()) -> str:
        """All of it as a page to attach to a paper."""
        rows = [f"| {MARKS[v.outcome]} | {v.check} | {v.asks} | {v.sentence} |" for v in self.verdicts]
        head = ["| | check | asks | |", "| --- | --- | --- | --- |"]
        lines = [f"# Checks of {self.algorithm}", "", self.count() + ".", "", *head, *rows, ""]
        return "\n".join([*lines, *(f"- {each}" for each in versions), ""])
