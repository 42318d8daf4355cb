"""A cell's settings by dotted name, as commands and frames have them, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from harness.core import registry
from harness.core.errors import InputError
from harness.core.task import Task


class Choice(str):
    """The name of something chosen that has settings of its own."""

    __slots__ = ()


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings by dotted name, without the name of the whole:
    {'optimiser': 'adam', 'optimiser.lr': 0.001, …}.

    What is chosen by name is a `Choice`.
    """

    def walk(inside: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in inside.items():
            if isinstance(value, Mapping):
                yield prefix + name, Choice(value["name"]) if "name" in value else None
                yield from walk({k: v for k, v in value.items() if k != "name"}, f"{prefix}{name}.")
            elif prefix or name != "name":
                yield prefix + name, value

    return dict(walk(settings, ""))


def unusual(task: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in which a task differs from its usual self;
    all of them if this task is not known here.
    """
    try:
        own = registry.build_task(task)
        kind: type = type(own)
        usual = _usual(kind)
    except InputError:
        return flat(task)
    return {name: value for name, value in _settled(own).items() if usual.get(name) != value}


@cache
def _usual(task: type) -> dict[str, Any]:
    """What a task's settings usually are: worked out once, however many cells of a study have it."""
    return _settled(task())


def _settled(task: Task) -> dict[str, Any]:
    return flat(registry.settings_of(task.resolved()))


def setting_text(name: str, value: Any) -> str:
    """`optimiser.lr`, 0.5 → lr=0.5; a choice, such as an optimiser, goes by its name alone."""
    if isinstance(value, Choice):
        return str(value)
    return (
        f"{name.rsplit('.', 1)[-1]}={value:g}"
        if isinstance(value, float)
        else f"{name.rsplit('.', 1)[-1]}={value}"
    )


def in_brackets(name: str, settings: Mapping[str, Any]) -> str:
    """`xor`, {'hidden': 1} → xor (hidden=1)."""
    return f"{name} ({', '.join(setting_text(*item) for item in settings.items())})" if settings else name
