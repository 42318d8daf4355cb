"""What was typed, read one override at a time, so that a sentence can say which one cannot be.

Hydra's grammar is its own: `key=value`, `+key=value`, `~key`, `key=a,b` and functions such as `range(1,5)`.
What it cannot read it says in the words of its parser; what it can read it may still take for a group's name,
and stumble over later. So every override is looked at here before Hydra sees them all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    Override,
    QuotedString,
    RangeSweep,
)

from harness.core.errors import InputError

CHOSEN = ("task", "algorithm", "study", "experiment", "hydra")
"""What is chosen by name; so is whatever has a slash in it, such as algorithm/optimiser."""
MANY = 100_000  # cells of a sweep: hours before the first of them begins


def read(texts: Sequence[Any], loader: ConfigLoader | None = None) -> list[Override]:
    """Overrides as Hydra reads them; with its `loader` their globs can be expanded.

    Raises `InputError` for the first that cannot be.
    """
    parser = OverridesParser.create(config_loader=loader)
    return [_read(text, parser) for text in texts]


def jobs(overrides: Sequence[Override]) -> int:
    """How many jobs the sweeps in `overrides` make. Raises `InputError` for none, and for too many."""
    count = 1
    for each in overrides:
        if not (values := _values(each)):
            raise InputError(
                f"{each.input_line} gives no value at all: nothing is called so, or the range is empty"
            )
        count *= values
        if count > MANY:
            raise InputError(f"a sweep can have {MANY:,} cells, but {each.input_line} makes it {count:,}")
    return count


def shorten(text: str, width: int) -> str:
    """At most so many characters of a text."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _read(text: Any, parser: OverridesParser) -> Override:
    if not isinstance(text, str):
        raise InputError(f"an override is a text such as run.epochs=3, but {text!r} was given")
    shown = shorten(" ".join(text.split()), 80)
    try:
        (override,) = parser.parse_overrides([text])
    except Exception:  # of any kind: the grammar's, or that of a function called in it, such as int(x)
        key, equals, _ = shown.partition("=")
        if not equals and not key.startswith("~"):
            raise InputError(f"override {shown!r} has no value: write it as name=value") from None
        raise InputError(
            f"override {shown!r} cannot be read: put a value that is more than letters, digits and ._-/ "
            f"in quotes, and those in quotes for the shell: '{key}=\"…\"'"
        ) from None
    key = override.key_or_group
    if not key:
        raise InputError(f"override {shown!r} has no name before its =: write it as name=value")
    if override.is_delete() and key.partition("/")[0].partition(".")[0] not in ("hydra", "experiment"):
        raise InputError(f"{shown} would take away what every run needs: leave it out, or give {key} a value")
    if key.startswith("hydra.") and override.value() == "???":  # a part left open is no part to Hydra
        raise InputError(f"{key} was left open (???): give it a value")
    part, _, name = key.partition(".")
    if part in ("task", "algorithm") and (name == "name" or name.endswith(".name")):
        group = key.removesuffix(".name").replace(".", "/")
        raise InputError(f"{key} is not set by itself: choose {group}=… as a whole")
    if key in CHOSEN or "/" in key:
        _check_choice(override, shown)
    return override


def _check_choice(override: Override, shown: str) -> None:
    if override.is_delete():
        return
    value: Any = override.value() if not override.is_sweep_override() else override._value
    for each in value.list if isinstance(value, ChoiceSweep) else [value]:
        lists = isinstance(each, list) and override.key_or_group.startswith("hydra/")  # callbacks
        named = isinstance(each, str | QuotedString | Glob) and str(getattr(each, "text", each)) != ""
        if not (named or lists):
            raise InputError(
                f"{override.key_or_group} is chosen by name, but {shown} was given: "
                "python -m harness.catalog says which there are"
            )


def _values(override: Override) -> int:
    """How many values an override gives."""
    sweep: Any = override._value
    if not override.is_sweep_override():
        return 1
    if isinstance(sweep, IntervalSweep):
        raise InputError(
            f"{override.input_line} has no values to go through one by one: "
            "write range(from,to,step), or a,b,c"
        )
    if isinstance(sweep, RangeSweep):
        start, stop, step = sweep.start or 0, sweep.stop or 0, sweep.step
        if not step or not all(math.isfinite(each) for each in (start, stop, step)):
            raise InputError(
                f"a range has finite ends and a step that is not 0, but {override.input_line} was given"
            )
        return max(0, math.ceil((stop - start) / step))
    return len(list(override.sweep_iterator()))
