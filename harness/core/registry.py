"""What there is by name: algorithms, tasks, optimisers, units and losses, ours and those of plug-ins.

A class's name in commands and records is its own in snake_case (`FiniteDifferences` → `finite_differences`);
a unit's is that of the variable which holds it. Nothing is registered: what a module defines is found
(`harness.core.plugins`). A class that cannot be an option is named in `broken`, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from harness.core import plugins
from harness.core.algorithm import Algorithm, Traits
from harness.core.errors import InputError, unknown
from harness.core.losses import LOSSES, Loss
from harness.core.naming import snake_case
from harness.core.optimisers import OPTIMISERS, Optimiser
from harness.core.plugins import broken as broken
from harness.core.setting import declaration, fitted
from harness.core.task import Task
from harness.core.units import UNITS, Unit
from harness.core.vetting import fault, hints, is_plain

T = TypeVar("T")
FAMILIES: dict[type, Mapping[str, type]] = {Optimiser: OPTIMISERS}
"""Types of which a setting is chosen by name, with all there are."""
homes: dict[str, str] = {}
"""The module in which a plug-in's unit is, by the unit's name."""


@cache
def algorithms() -> dict[str, type[Algorithm]]:
    """All learning algorithms by name."""
    return dict(sorted(_found()[Algorithm].items()))


@cache
def tasks() -> dict[str, type[Task]]:
    """All tasks by name."""
    return dict(sorted(_found()[Task].items()))


def add_plugins(*given: str) -> list[str]:
    """Load plug-ins beside those there are, here and in processes that are started from now on.

    The command line does the same for `plugins=[…]`.

    Args:
        given: files, folders, or names of modules.

    Returns:
        All plug-ins that are named by now, those of HARNESS_PLUGINS first.

    Raises:
        InputError: for one that does not load, with the reason.

    >>> add_plugins("no_such_rule.py")
    Traceback (most recent call last):
    harness.core.errors.InputError: the plug-in 'no_such_rule.py' does not load: there is no such file
    """
    new = list(dict.fromkeys(each for each in given if each not in plugins.named()))
    if new:
        plugins.name(new)
        for known in (algorithms, tasks, _found, nested, rate_name):
            known.cache_clear()
    algorithms()
    for each in given:
        if each in broken:
            raise InputError(f"the plug-in {each!r} does not load: {plugins.forget(each)}")
    return plugins.named()


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


@cache
def rate_name(algorithm: str) -> str:
    """What an algorithm, by its name, calls a rate of its own, not its optimiser's; '' if it has none."""
    cls: Any = algorithms().get(algorithm)
    return next((f.name for f in fields(cls) if declaration(cls, f.name).rate), "") if cls else ""


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


def an_algorithm(thing: Any) -> Algorithm:
    """What stands for an algorithm: itself, its class, or its name.

    Raises:
        InputError: for anything else.
    """
    return _meant(thing, "algorithm", Algorithm, algorithms, "a task", Task, tasks)


def a_task(thing: Any) -> Task:
    """What stands for a task: itself, its class, or its name.

    Raises:
        InputError: for anything else.
    """
    return _meant(thing, "task", Task, tasks, "an algorithm", Algorithm, algorithms)


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
    choices_of: dict[str, dict[str, type]] = {}
    for f in fields(cls):
        for base, choices in FAMILIES.items():
            if _is_of(hints(cls)[f.name], base):
                choices_of[f.name] = dict(choices)
    return choices_of


def _is_of(hint: Any, base: type) -> bool:
    return isinstance(hint, type) and issubclass(hint, base)


def first_line(thing: object) -> str:
    """The first paragraph of a docstring, as one line; '' for what dataclasses write where there is none."""
    line = " ".join((thing.__doc__ or "").strip().split("\n\n")[0].split())
    return "" if line.startswith(f"{getattr(thing, '__name__', '')}(") else line


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


def _meant(
    thing: Any,
    kind: str,
    base: type[T],
    known: Callable[[], Mapping[str, type[T]]],
    other_kind: str,
    other: type,
    others: Callable[[], Mapping[str, type]],
) -> T:
    if isinstance(thing, base):
        return thing
    if isinstance(thing, other) or (isinstance(thing, type) and issubclass(thing, other)):
        name = getattr(thing, "__name__", type(thing).__name__)
        raise InputError(f"{name} is {other_kind}, and stands where the {kind} is expected")
    if isinstance(thing, str) and thing not in known() and thing in others():
        raise InputError(f"{thing!r} is {other_kind}, and stands where the {kind} is expected")
    if isinstance(thing, str):
        return _build(kind, {"name": thing}, known())
    if isinstance(thing, type) and issubclass(thing, base):
        return thing()
    given = " ".join(repr(thing).split())[:60]
    raise InputError(f"the {kind} must be one, its class or its name, but {given} was given")


@cache
def _found() -> dict[type, dict[str, type]]:
    """Classes by what they are and by name; units and losses are put to the others of their kind."""
    classes: dict[type, dict[str, type]] = {Algorithm: {}, Task: {}, Optimiser: OPTIMISERS}
    broken.clear()
    modules = list(plugins.modules())
    for module in modules:  # first what settings name
        for cls in _own(module, Loss):
            _take(LOSSES, snake_case(cls.__name__), cls, whole_name(cls))
        for name, unit in list(vars(module).items()):
            strange = isinstance(unit, Unit) and not any(unit is other for other in UNITS.values())
            if strange and not name.startswith("_"):
                _take(UNITS, name, unit, f"{module.__name__}.{name}")
                homes.setdefault(name, module.__name__)
    for module in modules:
        for base, known in classes.items():
            for cls in _own(module, base):
                wrong = fault(cls) or _without_default(cls) or _without_traits(cls)
                _take(known, snake_case(cls.__name__), cls, whole_name(cls), wrong)
    return classes


def _own(module: ModuleType, base: type) -> Iterator[type]:
    """The public subclasses that a module defines itself."""
    for thing in list(vars(module).values()):
        own = isinstance(thing, type) and thing.__module__ == module.__name__ and base in thing.__mro__[1:]
        if own and not thing.__name__.startswith("_"):
            yield thing


def _take(known: dict[str, Any], name: str, thing: Any, where: str, wrong: str = "") -> None:
    """Take a thing in under its name, unless something is wrong with it, or another has the name."""
    other = known.get(name, thing)
    if other is not thing:
        whose = whole_name(other) if isinstance(other, type) else homes.get(name, Unit.__module__)
        wrong = f"the name {name!r} is taken by {whose}: give it another"
    if wrong:
        broken[where] = wrong
    else:
        known[name] = thing


def whole_name(cls: type) -> str:
    """The name of a class with its module's."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _without_default(cls: type) -> str:
    """A default that is no value of its setting, or that no record could keep."""
    for f in fields(cls):
        where = f"{cls.__name__}.{f.name}"
        try:
            value = f.default if f.default_factory is MISSING else f.default_factory()
            if is_dataclass(value):
                if not any(_is_of(hints(cls)[f.name], base) for base in FAMILIES):
                    kinds = " or ".join(base.__name__ for base in FAMILIES)
                    return f"{where}: what has settings of its own must be of type {kinds}"
            elif value is not MISSING and not is_plain(fitted(cls, f.name, value, where)):
                return f"the default of {where} is {value!r}, which no command line can say"
        except InputError as error:
            return f"a default cannot be: {error}"
        except Exception as error:
            return f"the default of {where} cannot be made: {type(error).__name__}: {error}"
    return ""


def _without_traits(cls: type) -> str:
    if not issubclass(cls, Algorithm) or isinstance(getattr(cls, "traits", None), Traits):
        return ""
    return (
        f"{cls.__name__} does not say what it needs of its network: give it "
        "traits = Traits(needs_derivative=…, transports_weights=…, local=…, phases=…, global_scalar=…)"
    )
