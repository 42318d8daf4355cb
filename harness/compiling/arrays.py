"""Compiling the same source that runs: arrays that stand before JAX's tracers and answer to NumPy.

A `Traced` array hands every operation that NumPy does on it (NEP 13 and 18) to the function of the same name
in `jax.numpy`. JAX knows no writing: `a[index] = …` on an array the algorithm made itself becomes a new value
behind the same name. What that cannot imitate raises `CannotCompile` with the line that did it: a branch on
an array's value, a way out of the array, a write to what was handed in or through a view, a view that is
read after its array was written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from harness.compiling.behind import DEPTH, Behind, plain, refuse
from harness.compiling.calling import called, indexed, product
from harness.core.tree import tree_map

Array = Any
# fmt: off
METHODS = {
    "sum", "prod", "max", "min", "all", "any", "mean", "std", "var", "argmax", "argmin", "argsort", "cumsum",
    "clip", "round", "squeeze", "ravel", "repeat", "take", "swapaxes",
}
REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all",
    "logical_or": "any",
}
# fmt: on


class Traced(Behind, NDArrayOperatorsMixin):
    """An array whose values are not known yet."""

    mT = property(lambda self: self.transpose(*range(self.ndim - 2), self.ndim - 1, self.ndim - 2))
    T = property(lambda self: self.transpose())
    real = property(lambda self: self._seen_as(self.value.real))
    imag = property(lambda self: self._seen_as(self.value.imag))

    def _seen_as(self, value: Array) -> Traced:
        return Traced(value, base=self, lanes=self._lanes)

    def reshape(self, *shape: Any) -> Traced:
        wanted = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        return self._seen_as(self.value.reshape(*wanted, *self._value.shape[self.ndim :]))

    def transpose(self, *axes: Any) -> Traced:
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
        order = order or tuple(range(self.ndim))[::-1]
        return self._seen_as(
            self.value.transpose(*(i % self.ndim for i in order), *range(self.ndim, self._value.ndim))
        )

    def astype(self, dtype: Any, copy: bool = True) -> Traced:
        result = self._seen_as(self.value.astype(dtype))
        return result.copy() if copy or self.dtype != np.dtype(dtype) else result

    def copy(self) -> Traced:
        return Traced(self.value, lanes=self._lanes)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, index: Any) -> Traced:
        parts = index if isinstance(index, tuple) else (index,)
        copies = any(isinstance(part, np.ndarray | list | Traced) and np.ndim(part) for part in parts)
        got, lanes = indexed(lambda a, at: a[at], self, index)
        return Traced(got, base=None if copies else self, lanes=lanes)

    def __setitem__(self, index: Any, value: Any) -> None:
        if self._base is not None:
            raise refuse("an array is written through a view: write to the array itself, a[i] = a[i] + b")
        if not self._own:
            raise refuse("an array that was handed in is written to: make one of your own first")
        if self._at != DEPTH[0]:
            raise refuse("an array from outside is written in a loop: let repeat carry it")
        self._value, self._lanes = indexed(
            lambda a, at, new: a.at[at].set(jnp.asarray(new).astype(a.dtype)), self, index, value
        )
        self._writes += 1

    def __bool__(self) -> bool:
        raise refuse("Python branches on an array's value: use np.where, or repeat a fixed number of times")

    def __array__(self, *_: Any, **__: Any) -> Array:
        raise refuse(
            "an array leaves by np.asarray, or is put into one that np.zeros made: "
            "use np. functions, zeros_like, like="
        )

    def _escape(self, *_: Any) -> Any:
        raise refuse(
            "a number leaves by float(), int(), .item(), .tolist(), "
            "a loop over it or into plain np.zeros: keep it an array"
        )

    __float__ = __int__ = __index__ = __complex__ = item = tolist = __iter__ = _escape

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in METHODS:
            return lambda *arguments, **options: _called(
                name, getattr(jnp, name), (self, *arguments), options
            )
        raise refuse(f"array attribute .{name} has no compiled form")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        out = options.pop("out", (None,))[0]
        if method == "reduce" and name in REDUCTIONS:
            name, options = REDUCTIONS[name], {"axis": 0} | options
        elif method != "__call__" or options:
            raise refuse(
                f"np.{name}{'' if method == '__call__' else '.' + method} "
                "is used in a way that has no compiled form"
            )
        function = product if name == "matmul" else getattr(jnp, name, None)
        result = _called(name, function, inputs, options)
        if out is None:
            return result
        if not isinstance(out, Traced):
            raise refuse(
                f"np.{name} writes into an array that np.zeros or the like made: use zeros_like or like="
            )
        if not np.can_cast(result.dtype, out.dtype, "same_kind"):
            raise refuse(f"np.{name} gives {result.dtype}, which an array of {out.dtype} does not take")
        out[...] = result
        return out

    def __array_function__(
        self, function: Callable[..., Any], _types: Any, arguments: Any, options: Any
    ) -> Any:
        place = jnp.linalg if function.__module__ == "numpy.linalg" else jnp
        return _called(function.__name__, getattr(place, function.__name__, None), arguments, options)


def _called(name: str, function: Callable[..., Any] | None, arguments: Any, options: Any) -> Any:
    """What NumPy's function of that name gives, traced."""
    return _wrapped(*called(name, function, arguments, options))


def _wrapped(a: Any, base: Behind | None, beside: bool) -> Any:
    if isinstance(a, tuple | list) and not all(isinstance(part, int) for part in a):
        parts = [_wrapped(part, base, beside) for part in a]
        return type(a)(*parts) if hasattr(a, "_fields") else parts
    return Traced(a, base=base, lanes=beside) if hasattr(a, "aval") else a


def trace(tree: Any, beside: bool = False) -> Any:
    """The same containers with every JAX array behind a `Traced` one that must not be written to.

    `beside`: the last axis of each is of replicas beside one another, which the source does not see.
    """
    return tree_map(lambda a: Traced(a, own=False, lanes=beside), tree)


def values(tree: Any, beside: int = 0) -> Any:
    """The inverse of `trace`; plain arrays become JAX arrays, each with so many lanes if they have any."""

    def value(a: Any) -> Array:
        if not beside or (isinstance(a, Traced) and a._lanes):
            return jnp.asarray(plain(a))
        return jnp.broadcast_to(jnp.asarray(plain(a))[..., None], (*np.shape(a), beside))

    return tree_map(value, tree)
