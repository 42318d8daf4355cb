"""Numbers that ride the replica axis: a setting that differs from replica to replica.

Cells that differ in numbers alone can be trained as one batch, if each replica has its own cell's number
where an algorithm or a task reads one setting. Such a number is a `Riding`: to the lines that read it, it is
what a float is, and where it meets an array it stands along the first axis, which is that of replicas.

    rule.lr * gradient        (R,) · (R, rows, columns), each replica by its own rate
    1.0 - rule.decay          still one number a replica, in float64
    if rule.decay:            what all replicas agree on; else `Differs`, and the cells are run one by one

It takes an array's precision as a float does (NEP 50), so that a replica's bits are those it has alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = Any
T = TypeVar("T")
OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
QUESTIONS = ("lt", "le", "gt", "ge", "eq", "ne")


class Differs(TypeError):
    """Replicas would have to go different ways."""


class Riding:
    """One number for each cell of a batch, in the place of a float: a line does with each what it would.

    Args:
        each: the number of each cell, a float, or whatever came of floats.
        rows: whose each row of the batch is, (R,).
    """

    def __init__(self, each: Sequence[Any], rows: NDArray[np.int64]) -> None:
        self.each, self.rows = list(each), rows
        self._spread: dict[Any, Array] = {}

    @property
    def values(self) -> Array:
        """The number of each row (R,)."""
        return np.array(self.each)[self.rows]

    def spread(self, rank: int, floats: Sequence[np.dtype[Any]]) -> Array:
        """Along the first of `rank` axes, in the precision that a float takes beside arrays of `floats`."""
        dtype = np.array(self.each).dtype
        if floats and isinstance(self.each[0], float) and not isinstance(self.each[0], np.generic):
            dtype = np.finfo(np.result_type(*floats)).dtype
        if (rank, dtype) not in self._spread:
            each = np.array(self.each, dtype)
            self._spread[rank, dtype] = each[self.rows].reshape(-1, *(1,) * (rank - 1))
        return self._spread[rank, dtype]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            raise Differs(f"np.{ufunc.__name__}.{method} of a number that differs between replicas")
        return self._called(ufunc, inputs, kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return self._called(function, args, kwargs)

    def _called(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        given = (*args, *kwargs.values())
        if not any(isinstance(a, Riding) for a in given):
            raise Differs(f"np.{function.__name__} of a list of numbers that differ between replicas")
        arrays = [a for a in given if isinstance(a, np.ndarray) and a.ndim]
        if not arrays:
            return self._each(function, args, kwargs)
        floats = [a.dtype for a in arrays if a.dtype.kind in "fc"]
        rank = max(a.ndim for a in arrays)
        for a in arrays:
            if a.ndim == rank and len(a) not in (1, len(self.rows)):
                raise Differs(f"a number that differs between replicas meets an array {a.shape} without them")

        def along(a: Any) -> Any:
            return a.spread(rank, floats) if isinstance(a, Riding) else a

        return function(*map(along, args), **{name: along(a) for name, a in kwargs.items()})

    def _each(self, function: Callable[..., Any], args: Any, kwargs: Any = {}) -> Riding:  # noqa: B006  # read
        """What is made of numbers alone: for every cell what its float would give."""

        def of(i: int, a: Any) -> Any:
            return a.each[i] if isinstance(a, Riding) else a

        return Riding(
            [
                function(*(of(i, a) for a in args), **{name: of(i, a) for name, a in kwargs.items()})
                for i in range(len(self.each))
            ],
            self.rows,
        )

    def __neg__(self) -> Riding:
        return self._each(operator.neg, [self])

    def __abs__(self) -> Riding:
        return self._each(abs, [self])

    def astype(self, dtype: Any) -> Riding:
        """In another precision, as NumPy's own numbers can be."""
        return self._each(lambda value: np.array(value).astype(dtype)[()], [self])

    def __bool__(self) -> bool:
        answers = {bool(value) for value in self.each}
        if len(answers) == 1:
            return answers.pop()
        raise Differs("a question that replicas answer differently")

    def __hash__(self) -> int:
        return id(self)

    def __getitem__(self, rows: Any) -> Riding:
        return Riding(self.each, self.rows[rows])

    def __repr__(self) -> str:
        return f"Riding({min(self.each):g} … {max(self.each):g})"


def _binary(name: str, *, turned: bool = False) -> Callable[[Riding, Any], Any]:
    """A method for an operator: Python's own between numbers, NumPy's where an array is met."""
    plain = getattr(operator, name)

    def method(self: Riding, other: Any) -> Any:
        args = [other, self] if turned else [self, other]
        if isinstance(other, np.ndarray) and other.ndim:
            return self._called(plain, args, {})
        return self._each(plain, args)

    return method


for _name in (*OPERATORS, *QUESTIONS):
    setattr(Riding, f"__{_name}__", _binary(_name))
for _name in OPERATORS:
    setattr(Riding, f"__r{_name}__", _binary(_name, turned=True))


def numbers(thing: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """The settings of a dataclass that are floats, those of its parts among them, by dotted name."""
    for f in fields(thing):
        value, called = getattr(thing, f.name), f"{name}.{f.name}" if name else f.name
        if type(value) is float:
            yield called, value
        elif is_dataclass(value) and not isinstance(value, type):
            yield from numbers(value, called)


def riding(things: Sequence[T], names: Sequence[str], rows: NDArray[np.int64]) -> T:
    """One thing for a batch, of which row r belongs to `things[rows[r]]`: it has a `Riding` for each name.

    Args:
        things: dataclasses of one type that differ in the settings of these names alone.
        names: dotted, as `numbers` gives them.
        rows: whose each row of the batch is, (R,).
    """
    made = things[0]
    for name in names:
        each = [operator.attrgetter(name)(thing) for thing in things]
        made = _put(made, name.split("."), Riding(each, rows))
    return made


def kept(thing: T, mask: Any) -> T:
    """The same for the replicas in `mask` alone; itself, where no number of it rides."""
    for name in vars(thing).get("_riding", ()):
        number = operator.attrgetter(name)(thing)
        thing = _put(thing, name.split("."), number[mask])
    return thing


def _put(thing: Any, path: list[str], value: Riding) -> Any:
    """A copy with one setting in its place; nothing else is made anew, and nothing checked."""
    first, *rest = path
    made = object.__new__(type(thing))
    for f in fields(thing):
        object.__setattr__(made, f.name, getattr(thing, f.name))
    object.__setattr__(made, first, _put(getattr(thing, first), rest, value) if rest else value)
    names = vars(thing).get("_riding", ())
    object.__setattr__(made, "_riding", tuple(dict.fromkeys((*names, ".".join(path)))))
    return made
