"""Whether an algorithm, a task or an optimiser can be an option: a sentence for each way in which it cannot.

A fault here would otherwise show late, or never: a setting without a type does not exist, one of a type that
no command line can say ends every command. So a class is looked at once, when it is found or first made, and
what is wrong with it is said by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

PLAIN = (bool, int, float, str)
ALLOWED = (
    "allowed are bool, int, float, str, Literal words, tuples of one of these, | None, Any, and optimisers"
)


@cache
def fault(cls: type) -> str:
    """What keeps a class from having settings, in one sentence; '' if nothing does.

    Args:
        cls: an algorithm, task, optimiser or the like.

    Returns:
        The sentence, which names the class and the field.
    """
    return next(filter(None, (look(cls) for look in (_undecorated, _untyped, _strange))), "")


def own_values(cls: type) -> dict[str, Any]:
    """Public class attributes that are neither methods nor declared by a base."""
    inherited = {n for base in cls.__mro__[1:] for n in (*vars(base), *vars(base).get("__annotations__", {}))}
    return {
        name: value
        for name, value in vars(cls).items()
        if not name.startswith("_") and name not in inherited and not _is_method(value)
    }


def _is_method(value: Any) -> bool:
    return callable(value) or hasattr(value, "__get__") or isinstance(value, Mapping | frozenset | set)


def _undecorated(cls: type) -> str:
    """Settings in a class that was not made a dataclass do not exist."""
    if "__dataclass_params__" in vars(cls):
        return ""
    said = [name for name, hint in vars(cls).get("__annotations__", {}).items() if not _is_class_var(hint)]
    if not said:
        return ""
    return (
        f"{cls.__name__} has the setting {said[0]!r}, but is no dataclass: "
        f"write @dataclass(frozen=True) above the class"
    )


def _untyped(cls: type) -> str:
    """A value without a type is no setting."""
    typed = set(vars(cls).get("__annotations__", {}))
    for name, value in own_values(cls).items():
        if name not in typed and isinstance(value, (*PLAIN, NoneType, np.generic, tuple)):
            return (
                f"{cls.__name__}.{name} has no type, so that it is no setting: write "
                f"{name}: {_type_of(value)} = {value!r}, or {name}: ClassVar = {value!r} if it is none"
            )
    return ""


def _type_of(value: Any) -> str:
    """The type that a value without one may be meant to have, as it is written."""
    if isinstance(value, tuple):
        return f"tuple[{_type_of(value[0]) if value else 'int'}, ...]"
    plain = value.item() if isinstance(value, np.generic) else value
    return "float | None" if plain is None else type(plain).__name__


def _strange(cls: type) -> str:
    """Types and defaults that no command line can say, and names that are taken."""
    if not is_dataclass(cls):
        return ""
    try:
        types = hints(cls)
    except Exception as error:  # a name that is there for type checkers only, or a typo in one
        return f"the types of {cls.__name__}'s settings cannot be read where it is defined: {error}"
    for f in fields(cls):
        where = f"{cls.__name__}.{f.name}"
        if f.name == "name":
            return (
                f"{where}: a setting cannot be called {f.name!r}, which is the name of the class in commands"
            )
        if not f.init:
            return (
                f"{where} has init=False, so that nothing can set it: make it a property, "
                "or a ClassVar where it is the same for all"
            )
        if not is_setting(types[f.name]):
            return f"{where}: {_said(types[f.name])} is no type of a setting: {ALLOWED}"
    return ""


@cache
def hints(cls: type) -> dict[str, Any]:
    """The types of a class's settings by name, as `typing.get_type_hints` reads them, each base's once."""
    return {name: hint for base in reversed(cls.__mro__) for name, hint in _own_hints(base).items()}


@cache
def _own_hints(cls: type) -> dict[str, Any]:
    said = get_annotations(cls)
    # text without quotes names no type that would have to be read in turn: it only has to be evaluated
    if all(isinstance(hint, str) and not {"'", '"'} & set(hint) for hint in said.values()):
        read = get_annotations(cls, eval_str=True)
        return {name: NoneType if hint is None else hint for name, hint in read.items()}
    read = get_type_hints(cls)
    return {name: read[name] for name in said}


def is_setting(hint: Any) -> bool:
    """Whether a type is one that a command line can say, and a record keep."""
    if hint is Any or hint in PLAIN or (isinstance(hint, type) and is_dataclass(hint)):
        return True
    if get_origin(hint) is Literal:
        return all(isinstance(word, str) for word in get_args(hint))
    if get_origin(hint) in (Union, UnionType):
        rest = [each for each in get_args(hint) if each is not NoneType]
        return len(rest) == 1 and is_setting(rest[0])
    if get_origin(hint) is tuple:
        args = get_args(hint)
        return len(args) == 2 and args[1] is Ellipsis and args[0] in PLAIN
    return False


def is_plain(value: Any) -> bool:
    """Whether a value is one that a command line can say, and a record keep."""
    several = isinstance(value, tuple)
    return all(each is None or isinstance(each, PLAIN) for each in (value if several else (value,)))


def _is_class_var(hint: Any) -> bool:
    return (
        get_origin(hint) is ClassVar
        or hint is ClassVar
        or str(hint).startswith(("ClassVar", "typing.ClassVar"))
    )


def _said(hint: Any) -> str:
    return (
        hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")
    )
