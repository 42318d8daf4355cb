"""The code of a class that has no file, such as one defined in a notebook:
its source, and what that refers to.

A notebook runs its cells in any order and some of them twice, so its text as a whole says nothing. What
counts is the class as it was defined last, and, of the names in it that are the notebook's own, the
functions, classes and values they stand for now.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import pickle
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from harness.cells.syntax import imports
from harness.core.errors import InputError


class Definition(NamedTuple):
    """Something that a class without a file is made of."""

    name: str
    syntax: ast.AST
    imports: frozenset[str]
    """Modules that it is from, or imports itself."""


def file_of(cls: type) -> Path | None:
    """The file that a class is defined in; None if there is none."""
    names = [getattr(sys.modules.get(cls.__module__), "__file__", None)]
    # a module that was loaded from a path need not be known by its name
    names += [method.__code__.co_filename for method in _methods(cls)]
    return next((path for name in names if name and (path := Path(name)).is_file()), None)


def definitions(cls: type) -> Iterator[Definition]:
    """The class, and all that it refers to, directly or not, within its notebook.

    Raises `InputError` if it has no source.
    """
    spaces = [method.__globals__ for method in _methods(cls)] + [
        vars(sys.modules.get(cls.__module__, ModuleType("none")))
    ]
    space = {**spaces[0], cls.__name__: cls}
    waiting, seen = [cls.__name__], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in space:  # of those that are not in it, Python has its own
            continue
        seen.add(name)
        thing = space[name]
        home = (
            thing.__name__
            if isinstance(thing, ModuleType)
            else getattr(thing, "__module__", None) or cls.__module__
        )
        if home == cls.__module__ and isinstance(thing, type | FunctionType):
            syntax = _syntax(thing)
            waiting.extend(node.id for node in ast.walk(syntax) if isinstance(node, ast.Name))
            yield Definition(name, syntax, frozenset(imports(ast.walk(syntax), "")))
        else:
            named = isinstance(thing, type | FunctionType | ModuleType)
            yield Definition(
                name, ast.Constant(f"{home} {thing.__name__}" if named else _value(thing)), frozenset({home})
            )


def _syntax(thing: Any) -> ast.AST:
    """The definition of a class or function."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError):
        pass
    # before Python 3.13 `inspect` asks a class's module for its file, which a notebook has not: its methods
    # know their lines
    for code in (method.__code__ for method in _methods(thing)) if isinstance(thing, type) else ():
        for node in ast.walk(ast.parse("".join(linecache.getlines(code.co_filename)))):
            if isinstance(node, ast.ClassDef) and node.lineno <= code.co_firstlineno <= (
                node.end_lineno or 0
            ):
                return node
    raise InputError(
        f"{thing.__name__} has no source that can be read, "
        "so a record made with it could not be told from one of other code: "
        "define it in a file (in a notebook, a class with a method of its own has a source, too)"
    )


def _methods(cls: type) -> Iterator[FunctionType]:
    """The methods that somebody wrote in the class: those that `dataclass` makes have code from elsewhere."""
    for thing in vars(cls).values():
        # of class methods and properties
        method = inspect.unwrap(getattr(thing, "__func__", getattr(thing, "fget", thing)))
        if isinstance(method, FunctionType) and method.__code__.co_qualname.startswith(
            f"{cls.__qualname__}."
        ):
            yield method


def _value(thing: Any) -> bytes | str:
    """A value by its content."""
    try:
        return pickle.dumps(thing)
    except Exception:
        # it may name an address: then the next session runs its cells again, and none is stale
        return repr(thing)
