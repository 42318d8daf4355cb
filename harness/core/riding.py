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
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

Array = Any
T = TypeVar("T")


class Differs(TypeError):
    """Replicas would have to go different ways."""


class Riding(NDArrayOperatorsMixin):
    """One number for each replica, in the place of a float."""

    def __init__(self, values: NDArray[Any], weak: bool = True) -> None:
        """`values` (R,); `weak`: whether it takes the precision of arrays that it meets, as a float does."""
        self.values, self.weak = values, weak

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
        floats = [a.dtype for a in arrays if a.dtype.kind in "fc"]
        rank = max((a.ndim for a in arrays), default=1)
        for a in arrays:
            if a.ndim == rank and len(a) not in (1, len(self.values)):
                raise Differs(f"a number that differs between replicas meets an array {a.shape} without them")

        def along(a: Any) -> Any:
            return a._along(rank, floats) if isinstance(a, Riding) else a

        made = function(*map(along, args), **{name: along(a) for name, a in kwargs.items()})
        if arrays:
            return made
        # numbers alone: one for each replica; a 0-d array has a precision of its own, a float has none
        strong = any(isinstance(a, np.ndarray | np.generic) for a in given)
        return Riding(made, weak=not strong and all(a.weak for a in given if isinstance(a, Riding)))

    def _along(self, rank: int, floats: list[np.dtype[Any]]) -> Array:
        values = self.values.reshape(-1, *(1,) * (rank - 1))
        if self.weak and floats and values.dtype.kind == "f":
            precision = np.result_type(*floats)
            return values.astype(np.finfo(precision).dtype)
        return values

    def astype(self, dtype: Any) -> Riding:
        """In another precision, which it then keeps."""
        return Riding(self.values.astype(dtype), weak=False)

    def __bool__(self) -> bool:
        yes = self.values.astype(bool)
        if yes.all() or not yes.any():
            return bool(yes.all())
        raise Differs("a question that replicas answer differently")

    def __hash__(self) -> int:
        return id(self)

    def __getitem__(self, rows: Any) -> Riding:
        return Riding(self.values[rows], self.weak)

    def __repr__(self) -> str:
        return f"Riding({self.values.min():g} … {self.values.max():g})"


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
        values = np.array([operator.attrgetter(name)(thing) for thing in things], np.float64)
        made = _put(made, name.split("."), Riding(values[rows]))
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
