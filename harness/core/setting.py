"""Settings: each field of an algorithm, a task, an optimiser or a run says its range and what it is, once.

    spread: float = setting(0.5, "Feedback weights B are uniform in ±spread.", above=0)

The annotation says the type: bool, int, float, str, a tuple of numbers, a class; `| None` where None is
allowed; Any. `check` holds a thing's fields to both and raises `InputError` with one sentence: the name, what
is allowed, what was given. `described` says the same for --help, the catalog and docs/. A subclass that gives
a field another default (`hidden: int = 100`) keeps range and sentence. Checks across fields stay in a short
`__post_init__`, after `super().__post_init__()`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import MISSING, field, fields, is_dataclass
from functools import cache
from operator import ge, gt, le, lt
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import numpy as np

from harness.core.errors import InputError, unknown
from harness.core.vetting import fault, hints

WORDS = {bool: "True or False", int: "a whole number", float: "a number", str: "a word"}
LISTS = {int: "a list of whole numbers", float: "a list of numbers", str: "a list of words"}
WIDEST = 2**63  # whole numbers from here on are in no column of a frame, and no size of anything
BOUNDS = {"above": gt, "at least": ge, "below": lt, "at most": le}


class Declared(NamedTuple):
    """What `setting` was told of a field; bounds are those given, such as ('above', 0)."""

    sentence: str = ""
    bounds: tuple[tuple[str, float], ...] = ()
    one_of: Collection[str] = ()
    """The words that are allowed; of a family that plug-ins add to, all that there are by now."""
    rate: bool = False
    search: tuple[float, float] | None = None
    """Between which two numbers it is looked for where a rule is tuned; None where it is left as it is."""

    @property
    def range(self) -> str:
        """What is allowed of the type, in words; '' where all of it is."""
        if self.one_of:
            return f"one of {', '.join(self.one_of)}"
        ends = ((word, f"{end:,}" if end >= 10**6 else f"{end:g}") for word, end in self.bounds)
        words = " and ".join(f"{word} {end}" for word, end in ends)
        return words if len(self.bounds) > 1 else words.replace("above", "greater than")


class Described(NamedTuple):
    """A setting in words, with its default as it is."""

    name: str
    type: str
    default: Any
    range: str
    sentence: str
    rate: bool
    search: tuple[float, float] | None
    """Between which two numbers it is looked for; None where it is not."""


def setting(
    default: Any,
    sentence: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    one_of: Collection[str] = (),
    rate: bool = False,
    search: tuple[float, float] | None = None,
    factory: Callable[[], Any] | None = None,
) -> Any:
    """A dataclass field with its range, and a sentence on what it is: said once, read by all.

    The check of what is given, --help, docs/algorithms.md and the error messages read it.

    Args:
        default: its default.
        sentence: what it is, with its unit.
        above, at_least, below, at_most: bounds of a number, or of every number of a list.
        one_of: the words that are allowed.
        rate: marks a rule's learning rate, whatever its paper calls it: `algorithm.rate` stands for it.
        search: between which two numbers `python -m harness.tune` looks for it, along the logarithm if the
            first is above 0; None leaves it as it is.
        factory: makes the default where that has settings of its own, as an optimiser has; `default` is None.

    Returns:
        What a dataclass takes as the default of a field.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Rule:
    ...     spread: float = setting(0.5, "Feedback weights are uniform in ±spread.", above=0)
    >>> [d.range for d in described(Rule)]
    ['greater than 0']
    """
    bounds = (
        (word, end)
        for word, end in zip(BOUNDS, (above, at_least, below, at_most), strict=True)
        if end is not None
    )
    declared = {"setting": Declared(sentence, tuple(bounds), one_of, rate, search)}
    return (
        field(default_factory=factory, metadata=declared)
        if factory
        else field(default=default, metadata=declared)
    )


def check(thing: Any) -> None:
    """Make the fields of a frozen dataclass plain, in place; raise `InputError` for the first that cannot be.

    However a value is said, it is the same cell: NumPy's scalars become Python's, lists tuples, 1 becomes 1.0
    in a float.
    """
    if wrong := fault(type(thing)):  # type: ignore[arg-type]  # a class can be hashed
        raise InputError(wrong)
    for f in fields(thing):
        value = getattr(thing, f.name)
        if is_dataclass(value) and not isinstance(value, type):
            check(value)
        object.__setattr__(thing, f.name, fitted(type(thing), f.name, value))


def fitted(cls: type, name: str, value: Any, called: str = "") -> Any:
    """`value` made plain for a setting of a class, `called` so in messages. Raises `InputError`."""
    (of, several, optional), declared, called = _types(cls)[name], declaration(cls, name), called or name
    if value is None and optional:
        return None
    if not several:
        return _one(of, declared, called, value)
    if not isinstance(value, list | tuple):
        raise InputError(f"{called} must be {LISTS.get(of, 'a list')}, but {value!r} was given")
    return tuple(_one(of, declared, called, each) for each in value)


def _one(of: Any, declared: Declared, called: str, value: Any) -> Any:
    given = value = value.item() if isinstance(value, np.generic) else value
    if of is float and type(value) is int:
        value = float(value) if value.bit_length() < 1024 else math.inf
    fits = of is Any or (isinstance(value, of) and (of is bool or not isinstance(value, bool)))
    if fits and declared.one_of and value not in declared.one_of:
        raise unknown(called, value, declared.one_of)
    finite = of not in (int, float) or (fits and abs(value) < (WIDEST if of is int else math.inf))
    if fits and finite and all(BOUNDS[word](value, end) for word, end in declared.bounds):
        return value
    words, allowed = WORDS.get(of, f"of type {getattr(of, '__name__', of)}"), declared.range
    if of is int and fits and not finite:
        words = f"{words} below 2^63"
    if of is float:
        words = (
            allowed if len(declared.bounds) > 1 else f"finite and {allowed}" if allowed else "a finite number"
        )
    elif allowed:
        words = allowed if declared.one_of else f"{words}, {allowed}"
    raise InputError(f"{called} must be {words}, but {' '.join(repr(given).split())} was given")


def described(cls: type) -> list[Described]:
    """The settings of a class in words, in order."""
    all_of = []
    for f in fields(cls):
        (of, several, optional), said = _types(cls)[f.name], declaration(cls, f.name)
        default = f.default if f.default_factory is MISSING else f.default_factory()
        words, allowed = (
            (LISTS if several else WORDS).get(of, ""),
            ", ".join(filter(None, (said.range, "or None" * optional))),
        )
        all_of.append(Described(f.name, words, default, allowed, said.sentence, said.rate, said.search))
    return all_of


@cache
def declaration(cls: type, name: str) -> Declared:
    """What a class declares of a field, or else the nearest of its bases that says anything."""
    said = (getattr(base, "__dataclass_fields__", {}).get(name) for base in cls.__mro__)
    declared: Declared = next(
        (f.metadata["setting"] for f in said if f is not None and "setting" in f.metadata), Declared()
    )
    hint = hints(cls)[name]
    return declared._replace(one_of=get_args(hint)) if get_origin(hint) is Literal else declared


@cache
def _types(cls: type) -> dict[str, tuple[Any, bool, bool]]:
    """For each field: of which type (or Any) its values are,
    whether there are several of them, and whether None is allowed.
    """
    types = {}
    for name, hint in hints(cls).items():
        rest = [
            h
            for h in (get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,))
            if h is not NoneType
        ]
        if get_origin(rest[0]) is Literal:
            rest = [str]
        several = get_origin(rest[0]) is tuple
        of = get_args(rest[0])[0] if several else rest[0] if len(rest) == 1 else Any
        types[name] = (of if isinstance(of, type) else Any, several, NoneType in get_args(hint))
    return types
