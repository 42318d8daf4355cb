"""Compiling the same source that runs: arrays that stand before JAX's tracers and answer to NumPy.

A `Traced` array hands every operation that NumPy does on it (NEP 13 and 18) to the function of the same name
in `jax.numpy`. JAX knows no writing: `a[index] = …` on an array the algorithm made itself becomes a new value
behind the same name. What that cannot imitate raises `CannotCompile` with the line that did it: a branch on
an array's value, a way out of the array, a write to what was handed in or through a view, a view that is
read after its array was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from harness.compiling import lanes
from harness.core.errors import InputError
from harness.core.source import line_being_read
from harness.core.tree import tree_map

Array = Any
# functions whose result is nobody's view; what others return is taken for a view of what they were given
# fmt: off
FRESH = {
    "where", "concatenate", "stack", "hstack", "vstack", "take", "take_along_axis", "repeat", "tile", "roll",
    "copy", "outer", "zeros", "ones", "full", "empty", "zeros_like", "ones_like", "full_like", "empty_like",
    "arange", "array", "eye", "dot", "sum", "prod", "max", "min", "amax", "amin", "all", "any", "mean", "std",
    "var", "argmax", "argmin", "sort", "argsort", "cumsum", "cumprod", "diff", "clip", "round", "tensordot",
    "inner", "vecdot", "interp", "norm", "solve", "inv", "svd",
}
SEVERAL = (np.broadcast_arrays, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.meshgrid, np.ix_)
ELEMENTWISE = {"where", "clip", "round", "nan_to_num", "real", "imag"}
AVERAGES = ("mean", "var", "std")
IN_PLACE = {"put", "place", "putmask", "put_along_axis", "fill_diagonal", "copyto"}
METHODS = {
    "sum", "prod", "max", "min", "all", "any", "mean", "std", "var", "argmax", "argmin", "argsort", "cumsum",
    "clip", "round", "squeeze", "ravel", "repeat", "take", "swapaxes",
}
REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all",
    "logical_or": "any",
}
# fmt: on
NARROW = 4
"""Length of a contraction up to which its products, added up, fuse with what is around them: 1.4 × on XOR."""
DEPTH = [0]  # loops around the line that is being read


class CannotCompile(InputError):
    """The source does something that has no compiled form; the message names it and the line."""


def refuse(what: str) -> CannotCompile:
    """The error for `what`, with the line that is being read."""
    return CannotCompile(f"{what}{line_being_read()}")


class Traced(NDArrayOperatorsMixin):
    """An array whose values are not known yet."""

    def __init__(
        self, value: Array, *, own: bool = True, base: Traced | None = None, lanes: bool = False
    ) -> None:
        """`lanes`: whether `value` has one more axis, of replicas beside one another (`lanes`)."""
        self._value, self._own, self._lanes = value, own, lanes
        self._base: Traced | None = None if base is None else base.root
        self._writes, self._reads, self._spent = 0, 0, False
        self._seen = 0 if self._base is None else self._base._writes
        self._at = DEPTH[0]

    @property
    def root(self) -> Traced:
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
        order = order or range(self.ndim)[::-1]
        return self._seen_as(self.value.transpose(*(i % self.ndim for i in order), *range(self.ndim, self._value.ndim)))

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
        got, lanes = _indexed(lambda a, at: a[at], self, index)
        return Traced(got, base=None if copies else self, lanes=lanes)

    def __setitem__(self, index: Any, value: Any) -> None:
        if self._base is not None:
            raise refuse("an array is written through a view: write to the array itself, a[i] = a[i] + b")
        if not self._own:
            raise refuse("an array that was handed in is written to: make one of your own first")
        if self._at != DEPTH[0]:
            raise refuse("an array from outside is written in a loop: let repeat carry it")
        self._value, self._lanes = _indexed(
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
    """What JAX's `function` makes of the arrays that NumPy's function of that name was given."""
    if name in ("shape", "ndim") and isinstance(arguments[0], Traced):
        return getattr(arguments[0], name)
    given = [a for a in (*arguments, *options.values()) if isinstance(a, Traced)]
    beside = any(a._lanes for a in _all_traced((*arguments, *options.values())))
    if function is None or name in IN_PLACE or options.get("out") is not None:
        raise refuse(f"np.{name} has no compiled form{' with out=' if 'out' in options else ''}")
    if len(given) > 1 and getattr(np, name, None) in SEVERAL:
        raise refuse(f"np.{name} of several arrays gives views of each: take them one by one")
    if name == "take":
        _check_take(*arguments, **options)
    if name == "einsum":
        _check_einsum(*arguments)
    if name in AVERAGES and given[0].dtype.kind in "bi":  # NumPy averages whole numbers in float64
        arguments = (given[0].astype(float), *arguments[1:])
    try:
        if beside:
            result = _beside(name, function, tuple(arguments), options)
        else:
            result = function(*plain(tuple(arguments)), **{k: plain(v) for k, v in options.items()})
    except InputError:
        raise
    except Exception as error:
        raise refuse(f"np.{name}: {type(error).__name__}: {str(error).strip().splitlines()[0]}") from error
    return _wrapped(result, _seen_through(name, given), beside)


def _all_traced(parts: Any) -> Iterator[Traced]:
    for part in parts:
        if isinstance(part, Traced):
            yield part
        elif isinstance(part, tuple | list):
            yield from _all_traced(part)


def _beside(name: str, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The same of replicas beside one another: element by element, as sums of slices, or by `jax.vmap`."""
    if name == "matmul" and all(np.ndim(a) >= 2 for a in arguments) and _fit(*arguments):
        return lanes.product(*map(_with_lanes, arguments))
    if name in ELEMENTWISE or getattr(getattr(np, name, None), "signature", "none") is None:  # no product
        return function(*map(_with_lanes, arguments), **{k: _with_lanes(v) for k, v in options.items()})
    if name in lanes.FOLDS and len(arguments) <= 2 and options.keys() <= {"axis", "keepdims"}:
        return lanes.reduced(name, *plain(arguments), **options)
    if name == "mean" and len(arguments) == 1 and options.keys() <= {"axis", "keepdims"}:
        total = lanes.reduced("sum", *plain(arguments), **options)
        return total / (arguments[0].size / prod(total.shape[:-1]) )
    if name in ("concatenate", "stack") and options.keys() <= {"axis"}:
        axis = {"axis": 0, **dict(zip(("axis",), arguments[1:], strict=False)), **options}["axis"]
        return lanes.joined(function, [_with_lanes(a) for a in arguments[0]], axis, int(name == "stack"))
    if name == "take" and not isinstance(arguments[1], Traced) and isinstance(options.get("axis"), int):
        return function(*plain(arguments), axis=options["axis"] % arguments[0].ndim)
    return _each(function, arguments, options)


def _fit(a: Any, b: Any) -> bool:
    """Whether a @ b is a product of something; `jax.numpy` has an error for all others."""
    return 0 < np.shape(a)[-1] == np.shape(b)[-2]


def _with_lanes(a: Any) -> Any:
    """The array behind it, with an axis of lanes, be it of length 1; a single number as it is."""
    value = plain(a)
    return value if not np.ndim(value) or (isinstance(a, Traced) and a._lanes) else jnp.asarray(value)[..., None]


def _each(function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`jax.vmap` of the function over the lanes of all arrays that have any."""
    several = [a for a in _all_traced((arguments, tuple(options.values()))) if a._lanes]

    def of(*values: Array) -> Any:
        left = iter(values)

        def filled(part: Any) -> Any:
            if isinstance(part, tuple | list):
                return type(part)([filled(p) for p in part])
            return next(left) if isinstance(part, Traced) and part._lanes else plain(part)

        return function(*filled(arguments), **{k: filled(v) for k, v in options.items()})

    return jax.vmap(of, in_axes=-1, out_axes=-1)(*(a.value for a in several))


def _indexed(what: Callable[..., Array], a: Traced, index: Any, *more: Any) -> tuple[Array, bool]:
    """What an index does to an array, or `more` with it, and whether that has lanes."""
    at = _index(index, a.shape)
    if not any(part._lanes for part in _all_traced((a, *more, index))):
        return what(a.value, plain(at), *plain(more)), False
    parts = lanes.expanded(at if isinstance(at, tuple) else (at,), a.ndim)
    if any(part._lanes for part in _all_traced(parts)):
        return _each(what, (a, parts, *more), {}), True
    value, new = a.value, [_with_lanes(one) for one in more]
    if not a._lanes:
        width = max(one.shape[-1] for one in new)
        value = jnp.broadcast_to(value[..., None], (*value.shape, width))
    return what(value, plain(parts), *new), True


def _seen_through(name: str, given: list[Traced]) -> Traced | None:
    """The array that the result of a function may be a view of; None where it is nobody's."""
    is_ufunc = isinstance(getattr(np, name, None), np.ufunc)
    contracts = name == "einsum" and len(given) > 1  # einsum of one array may be its diagonal
    return None if not given or name in FRESH or is_ufunc or contracts else given[0]


def _check_take(a: Any, indices: Any, **options: Any) -> None:
    """An index beyond the end is an IndexError, which JAX would clamp."""
    if not isinstance(indices, Traced):
        np.take(np.broadcast_to(False, a.shape), indices, **options)


def _check_einsum(subscripts: Any, *operands: Any) -> None:
    """JAX would stretch an axis of 1, where NumPy would not."""
    sizes: dict[str, int] = {}
    for names, operand in zip(
        str(subscripts).replace(" ", "").split("->")[0].split(","), operands, strict=False
    ):
        if "." not in names:
            for name, size in zip(names, np.shape(operand), strict=True):
                if sizes.setdefault(name, size) != size:
                    raise refuse(f"np.einsum: axis {name!r} is {sizes[name]} and {size} long")


def product(a: Array, b: Array) -> Array:
    """a @ b; a few products are added up."""
    length = a.shape[-1]
    if not (a.ndim >= 2 and b.ndim >= 2 and 0 < length == b.shape[-2] <= NARROW):
        return jnp.matmul(a, b)
    return sum(
        (a[..., :, i, None] * b[..., None, i, :] for i in range(1, length)),
        a[..., :, 0, None] * b[..., None, 0, :],
    )


def plain(a: Any) -> Any:
    """The JAX arrays behind `Traced` ones, in tuples and lists."""
    if isinstance(a, Traced):
        return a.value
    if isinstance(a, tuple | list):
        return type(a)([plain(part) for part in a])
    return a


def _index(index: Any, shape: tuple[int, ...]) -> Any:
    """An index without `Traced` arrays; one beyond the end is an IndexError, which JAX would clamp."""
    parts = index if isinstance(index, tuple) else (index,)
    parts = tuple(
        np.asarray(part) if isinstance(part, list) and not _has_traced(part) else part for part in parts
    )
    if not _has_traced(parts):
        np.broadcast_to(False, shape)[parts]
    return parts


def _has_traced(parts: Any) -> bool:
    return any(_has_traced(p) if isinstance(p, tuple | list) else isinstance(p, Traced) for p in parts)


def _wrapped(a: Any, base: Traced | None, beside: bool) -> Any:
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
    """The inverse of `trace`; plain arrays become JAX arrays, all with so many replicas beside one another."""

    def value(a: Any) -> Array:
        if not beside or (isinstance(a, Traced) and a._lanes):
            return jnp.asarray(plain(a))
        return jnp.broadcast_to(jnp.asarray(plain(a))[..., None], (*np.shape(a), beside))

    return tree_map(value, tree)
