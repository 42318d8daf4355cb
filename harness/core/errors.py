"""Bad input gets one sentence: what is wrong, what was given, what is allowed, the nearest name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from numbers import Integral


class InputError(ValueError):
    """The user asked for something that cannot be done; the message, one sentence, is the whole answer.

    It says what is wrong, what was given, what is allowed and, of a name, the nearest there is.

    >>> raise unknown("task", "xoor", ["xor", "parity"])
    Traceback (most recent call last):
    harness.core.errors.InputError: unknown task 'xoor': allowed are parity, xor; did you mean 'xor'?
    """


ANYTHING = (Exception, SystemExit)
"""What the code of a plug-in may raise; none of it is to end whoever tries the plug-in."""


class NotApplicable(InputError):
    """This algorithm cannot do this task; the message is the reason, and a study records it."""


class NotReady(InputError):
    """Nothing is known yet of this algorithm on this task that was asked for, or can be; a sweep says so, and
    runs its other cells."""


def unknown(kind: str, given: str, allowed: Iterable[str]) -> InputError:
    """An error for a name that is not among `allowed`, with the nearest one if it looks like a typo."""
    names = sorted(allowed)
    given = str(given)
    folded = {name.casefold(): name for name in reversed(names)}  # capitals are no difference of meaning
    near = difflib.get_close_matches(given.casefold(), folded, n=1, cutoff=0.6)
    hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
    allowed_names = f"allowed are {', '.join(names)}" if names else "there is none to choose from"
    return InputError(f"unknown {kind} {given!r}: {allowed_names}{hint}")


def one_of(kind: str, given: str, allowed: Iterable[str]) -> None:
    """Raise `InputError` unless `given` is one of `allowed`."""
    names = list(allowed)
    if given not in names:
        raise unknown(kind, str(given), names)


def whole(kind: str, given: object, low: int) -> None:
    """Raise `InputError` unless `given` is a whole number ≥ `low`."""
    if type(given) is bool or not isinstance(given, Integral) or int(given) < low:
        raise InputError(f"{kind} must be a whole number, at least {low}, but {given!r} was given")
