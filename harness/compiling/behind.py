"""What stands behind a traced array: JAX's own, whose view it is, and what has become of both."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from harness.core.errors import InputError
from harness.core.source import line_being_read

Array = Any
DEPTH = [0]  # loops around the line that is being read


class CannotCompile(InputError):
    """The source does something that has no compiled form; the message names it and the line."""


def refuse(what: str) -> CannotCompile:
    """The error for `what`, with the line that is being read."""
    return CannotCompile(f"{what}{line_being_read()}")


class Behind:
    """An array whose values are not known yet: the one of JAX, and who may see it and write to it."""

    def __init__(
        self, value: Array, *, own: bool = True, base: Behind | None = None, lanes: bool = False
    ) -> None:
        """`lanes`: whether `value` has one more axis, of replicas beside one another (`lanes`)."""
        self._value, self._own, self._lanes = value, own, lanes
        self._base: Behind | None = None if base is None else base.root
        self._writes, self._reads, self._spent = 0, 0, False
        self._seen = 0 if self._base is None else self._base._writes
        self._at = DEPTH[0]

    @property
    def root(self) -> Behind:
        """The array that this is a view of, or itself."""
        return self if self._base is None else self._base

    @property
    def value(self) -> Array:
        """The JAX array behind it."""
        if self._base is not None and self._base._writes != self._seen:
            raise refuse("a view is used after its array was written: take it again")
        if self._spent:
            raise refuse("an array is used after a loop took it over: use what repeat returned")
        self.root._reads += 1
        return self._value

    shape = property(lambda self: self._value.shape[:-1] if self._lanes else self._value.shape)
    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: prod(self.shape))
    dtype = property(lambda self: np.dtype(self._value.dtype))
    nbytes = property(lambda self: self.size * self.dtype.itemsize)


def plain(a: Any) -> Any:
    """The JAX arrays behind traced ones, in tuples and lists."""
    if isinstance(a, Behind):
        return a.value
    if isinstance(a, tuple | list):
        return type(a)([plain(part) for part in a])
    return a
