"""Finding algorithms and tasks: every file in `algorithms/` and `harness/tasks/`, no registration.

A class's name in commands and records is its own in snake_case (`FiniteDifferences` → `finite_differences`).
A file that fails to import is named in `broken` and the others go on.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar, get_type_hints

from harness.core.algorithm import Algorithm
from harness.core.errors import InputError, unknown
from harness.core.naming import snake_case
from harness.core.optimisers import OPTIMISERS, Optimiser
from harness.core.setting import declaration, fitted
from harness.core.task import Task

T = TypeVar("T")
FAMILIES: dict[type, Mapping[str, type]] = {Optimiser: OPTIMISERS}
"""Types of which a setting is chosen by name, with all there are."""
broken: dict[str, str] = {}
"""Files that could not be imported, with the error."""


@cache
def algorithms() -> dict[str, type[Algorithm]]:
    """All learning algorithms by name."""
    return _subclasses("algorithms", Algorithm)


@cache
def tasks() -> dict[str, type[Task]]:
    """All tasks by name."""
    return _subclasses("harness.tasks", Task)


def build_algorithm(settings: Mapping[str, Any]) -> Algorithm:
    """An algorithm from its settings by name, as in records: {'name': …, 'optimiser': {'name': …, …}, …}.

    A `rate` among them is the rule's own, whatever that is called (`with_rate`); records hold it by its own
    name only.
    """
    values = dict(settings)
    own = getattr(algorithms().get(str(values.get("name"))), "__dataclass_fields__", {})
    rate = None if "rate" in own else values.pop("rate", None)
    algorithm = _build("algorithm", values, algorithms())
    return algorithm if rate is None else with_rate(algorithm, rate)


def rate_path(thing: Any) -> tuple[str, ...]:
    """Where the rate of an algorithm is: ('lr',), ('optimiser', 'lr'), … or () if it has none."""
    cls: type = type(thing)
    for f in fields(thing):
        if declaration(cls, f.name).rate:
            return (f.name,)
    inner = ((f.name, getattr(thing, f.name)) for f in fields(thing))
    return next(
        ((name, *path) for name, each in inner if is_dataclass(each) and (path := rate_path(each))), ()
    )


def with_rate(algorithm: Algorithm, rate: float) -> Algorithm:
    """The algorithm with this rate, whatever its paper calls it.

    Raises `InputError` if it has none, or one that is not its default: then two were given.
    """
    path = rate_path(algorithm)
    if not path:
        raise InputError(f"{algorithm.name} has no rate of its own, but rate={rate} was given: leave it out")
    *outer, name = path
    owner: Any = getattr(algorithm, outer[0]) if outer else algorithm
    given = getattr(owner, name)
    if given != type(owner).__dataclass_fields__[name].default:
        own = ".".join(path)
        raise InputError(
            f"rate is {own} of {algorithm.name}, but rate={rate} "
            f"and {own}={given} were given: give one of them"
        )
    rated = replace(owner, **{name: fitted(type(owner), name, rate, "rate")})
    return replace(algorithm, **{outer[0]: rated}) if outer else rated


def build_task(settings: Mapping[str, Any]) -> Task:
    """A task from its settings by name."""
    return _build("task", settings, tasks())


def settings_of(thing: Any) -> dict[str, Any]:
    """The inverse of `build_…`: name and settings of an algorithm, task or optimiser, in plain values."""
    values = {f.name: getattr(thing, f.name) for f in fields(thing)}
    return {"name": snake_case(type(thing).__name__)} | {
        name: settings_of(v) if is_dataclass(v) else v for name, v in values.items()
    }


@cache
def nested(cls: type) -> dict[str, dict[str, type]]:
    """The settings of a class that are chosen by name and have settings
    of their own, and what there is to choose from.

    A setting is one by its type: {'optimiser': {'adam': Adam, …}} for every algorithm with a field of type
    `Optimiser`.
    """
    hints = get_type_hints(cls)
    found: dict[str, dict[str, type]] = {}
    for f in fields(cls):
        for base, choices in FAMILIES.items():
            if isinstance(hints[f.name], type) and issubclass(hints[f.name], base):
                found[f.name] = dict(choices)
    return found


def first_line(thing: object) -> str:
    """The first paragraph of a docstring, as one line."""
    return " ".join((thing.__doc__ or "").strip().split("\n\n")[0].split())


def _build(kind: str, settings: Mapping[str, Any], known: Mapping[str, type[T]]) -> T:
    values = dict(settings)
    name = str(values.pop("name", ""))
    if name not in known:
        raise unknown(kind, name, known)
    allowed = [f.name for f in fields(known[name])]  # type: ignore[arg-type]  # all of them are dataclasses
    cls: type = known[name]
    for setting in values:
        if setting not in allowed:
            raise unknown(f"setting of {kind} {name}", setting, allowed)
    for setting, choices in nested(cls).items():
        if isinstance(values.get(setting), Mapping):
            values[setting] = _build(setting, values[setting], choices)
    return known[name](**values)


def _subclasses(package: str, base: type[T]) -> dict[str, type[T]]:
    found: dict[str, type[T]] = {}
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        try:
            module = importlib.import_module(info.name)
        except Exception as error:  # one bad file must not take the others away
            broken[info.name] = f"{type(error).__name__}: {error}"
            continue
        for thing in vars(module).values():
            is_own = isinstance(thing, type) and issubclass(thing, base) and thing.__module__ == info.name
            if is_own and not thing.__name__.startswith("_"):
                name = snake_case(thing.__name__)
                if name in found:
                    raise InputError(
                        f"two classes are called {name!r}: in {found[name].__module__} and {info.name}"
                    )
                found[name] = thing
    return dict(sorted(found.items()))
