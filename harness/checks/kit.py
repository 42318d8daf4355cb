"""The check kit: every check on one algorithm, for anyone's.

from harness import check_algorithm
print(check_algorithm(Mine()))

@pytest.mark.parametrize("check", checks_of(Mine()), ids=str)    # and for pytest
def test_mine(check):
    check()
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.checks import bits, claims, learning, symmetries, untouched, words
from harness.checks.subject import Subject
from harness.checks.verdicts import FAILED, IDLE, PASSED, Idle, Report, Verdict
from harness.core import registry
from harness.core.algorithm import Algorithm
from harness.core.errors import ANYTHING, InputError
from harness.core.task import Task

CHECKS: tuple[Callable[[Subject], None], ...] = (
    *words.CHECKS,
    *untouched.CHECKS,
    *bits.CHECKS,
    *symmetries.CHECKS,
    *learning.CHECKS,
    *claims.CHECKS,
)


@dataclass(frozen=True)
class Check:
    """One check of one algorithm. Called, it raises what is wrong; `verdict` says it."""

    asks: Callable[[Subject], None]
    subject: Subject

    def __call__(self) -> None:
        """Raise `Broken` where the check fails; in pytest, skip with the reason where it does not apply."""
        with np.errstate(all="ignore"):
            try:
                self.asks(self.subject)
            except Idle as reason:
                import pytest

                pytest.skip(str(reason))

    def verdict(self) -> Verdict:
        """What came of it; raises nothing."""
        said = (self.asks.__doc__ or "").strip()
        with np.errstate(all="ignore"):
            try:
                self.asks(self.subject)
            except Idle as reason:
                return Verdict(str(self), said, IDLE, str(reason))
            except InputError as fault:
                return Verdict(str(self), said, FAILED, str(fault))
            except ANYTHING as error:
                at = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(at.filename).name}:{at.lineno}"
                text = " ".join(str(error).split())
                return Verdict(str(self), said, FAILED, f"{type(error).__name__}: {text} ({where})")
        return Verdict(str(self), said, PASSED)

    def __str__(self) -> str:
        return self.asks.__name__


def checks_of(
    algorithm: Algorithm | type[Algorithm] | str, task: Task | type[Task] | str | None = None
) -> list[Check]:
    """All checks of an algorithm, for `pytest.mark.parametrize`.

    Args:
        algorithm: one, its class, or its name.
        task: what it is checked on; None for the first of ours that it can do, with several outputs.

    Returns:
        Checks; each is called without arguments, and its name is `str` of it.

    Raises:
        InputError: if it can do none of our tasks, or not the one that is given.

    >>> from algorithms.backprop import Backprop
    >>> str(checks_of(Backprop())[0])
    'settings_are_settings'
    """
    on = None if task is None else registry.a_task(task)
    subject = Subject.of(registry.an_algorithm(algorithm), on)
    return [Check(asks, subject) for asks in CHECKS]


def check_algorithm(
    algorithm: Algorithm | type[Algorithm] | str, task: Task | type[Task] | str | None = None
) -> Report:
    """Hold an algorithm to everything that any must keep, and to what it says of itself.

    Args:
        algorithm: one, its class, or its name.
        task: what it is checked on; None for the first of ours that it can do, with several outputs.

    Returns:
        What came of every check; print it, or ask `ok` and `failures`.

    Raises:
        InputError: if it can do none of our tasks, or not the one that is given.

    >>> from algorithms.backprop import Backprop
    >>> check_algorithm(Backprop()).ok
    True
    """
    checks = checks_of(algorithm, task)
    subject = checks[0].subject
    return Report(subject.algorithm.name, subject.task.name, tuple(check.verdict() for check in checks))
