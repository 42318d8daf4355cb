"""All identities by family: those in the files beside this one, and those that plug-ins declare."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import harness.identities as room
from harness.core import registry
from harness.core.algorithm import Algorithm
from harness.core.errors import InputError
from harness.core.identity import Identity


@cache
def families() -> dict[str, tuple[Identity, ...]]:
    """The rows of each family by its file's name.

    Raises:
        InputError: for two rows of one name.
    """
    modules = {
        each.name: import_module(f"{room.__name__}.{each.name}") for each in iter_modules(room.__path__)
    }
    found = {name: module.ROWS for name, module in modules.items() if hasattr(module, "ROWS")}
    unlike([row for rows in found.values() for row in rows])
    return found


def title(family: str) -> str:
    """What a family is about: the first line of its file, without the words that all begin with."""
    said = import_module(f"{room.__name__}.{family}").__doc__ or family
    return said.splitlines()[0].removeprefix("Rows on ").rstrip(".")


def declared_by(rule: type[Algorithm]) -> tuple[Identity, ...]:
    """The identities that a rule declares itself: its class attribute `identities`.

    Raises:
        InputError: if that is something else, or two of them have one name.
    """
    rows = getattr(rule, "identities", ())
    if not isinstance(rows, tuple) or not all(isinstance(row, Identity) for row in rows):
        raise InputError(f"identities of {rule.__name__} must be a tuple of Identity, but {rows!r} was given")
    unlike(rows)
    return rows


def unlike(rows: Sequence[Identity]) -> None:
    """Raise `InputError` unless every row has a name of its own."""
    names = [row.name for row in rows]
    if again := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"every identity has a name of its own, but {again[0]!r} was given twice")


def everything() -> list[tuple[str, tuple[Identity, ...]]]:
    """All families with their rows, and beside them every rule that declares identities of its own."""
    rules = ((name, declared_by(rule)) for name, rule in registry.algorithms().items())
    return [*families().items(), *((name, rows) for name, rows in rules if rows)]


def chosen(words: Sequence[str]) -> list[Identity]:
    """The identities that are meant by names, patterns (`*`) or families; all for no word.

    Args:
        words: as typed.

    Returns:
        Rows in the order of the families, each once.

    Raises:
        InputError: for a word that none answers to, with the nearest name.
    """
    rows = [(family, row) for family, some in everything() for row in some]
    names = [*(row.name for _, row in rows), *dict(everything())]
    for word in words:
        if not any(fnmatchcase(name, word) for name in names):
            near = difflib.get_close_matches(word, names, n=1, cutoff=0.0)[0]
            raise InputError(
                f"unknown identity {word!r}: --list tells the names of {len(rows)}; the nearest is {near!r}"
            )
    return [
        row
        for family, row in rows
        if not words or any(fnmatchcase(name, word) for name in (row.name, family) for word in words)
    ]
