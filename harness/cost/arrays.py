"""Counting the same source that runs: arrays that note every operation NumPy does on them.

A `Tracked` array stands in for an ndarray through NumPy's own protocols (NEP 13 and 18). It computes the
same values, and enters into a `Ledger` what that took. It is strict: a function it does not know, or a way
out of it (`np.asarray`, `float`, `.item`), raises `CostError` with the line that did it, because what is
computed outside is not counted. Arithmetic on constants, which nothing handed in went into, is not seen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from math import ceil, log2, prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from harness.cost.effective import effective_terms
from harness.cost.ledger import KINDS, CostError, Ledger

Array = Any
REDUCTIONS = {
    "sum": np.add,
    "prod": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "all": np.logical_and,
    "any": np.logical_or,
}


class Tracked(NDArrayOperatorsMixin):
    """An array whose operations are counted."""

    def __init__(self, values: Array, ledger: Ledger, span: int = 0, log_span: int = 0) -> None:
        self.values, self.ledger, self.span, self.log_span = np.asarray(values), ledger, span, log_span

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    size = property(lambda self: self.values.size)
    dtype = property(lambda self: self.values.dtype)
    nbytes = property(lambda self: self.values.nbytes)
    mT = property(lambda self: self._moved(self.values.mT))
    T = property(lambda self: self._moved(self.values.T))
    real = property(lambda self: self._moved(self.values.real))

    def _moved(self, values: Array) -> Tracked:
        """The same numbers, elsewhere or in another shape: no operation."""
        return Tracked(values, self.ledger, self.span, self.log_span)

    def reshape(self, *shape: Any) -> Tracked:
        return self._moved(self.values.reshape(*shape))

    def swapaxes(self, a: int, b: int) -> Tracked:
        return self._moved(self.values.swapaxes(a, b))

    def transpose(self, *axes: Any) -> Tracked:
        return self._moved(self.values.transpose(*axes))

    def astype(self, dtype: Any, **options: Any) -> Tracked:
        return self._moved(self.values.astype(dtype, **options))

    def copy(self) -> Tracked:
        return self._moved(self.values.copy())

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tracked:
        return _mean(self, axis, keepdims)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Tracked:
        chosen = self._moved(self.values[_index(index)])
        _follow(chosen, index)
        return chosen

    def __setitem__(self, index: Any, value: Any) -> None:
        try:
            self.values[_index(index)] = _plain(value)
        except ValueError as error:
            if self.values.flags.writeable:
                raise
            raise CostError(
                f"an array that was handed in is written to{_where()}: make one of your own first"
            ) from error
        for source in (value, *(index if isinstance(index, tuple) else (index,))):
            _follow(self, source)

    def __bool__(self) -> bool:
        self.ledger.branches += 1  # on data: counted as it ran
        return bool(self.values)

    def __array__(self, *_: Any, **__: Any) -> Array:
        raise CostError(
            f"an array leaves the count by np.asarray or the like{_where()}: "
            "use np. functions and operators on it"
        )

    def _escape(self, *_: Any) -> Any:
        raise CostError(
            f"a number leaves the count by float(), int(), .item() or .tolist(){_where()}: keep it an array"
        )

    __float__ = __int__ = __index__ = __complex__ = item = tolist = __iter__ = _escape

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise CostError(f"array attribute .{name} is not counted{_where()}: use np. functions and operators")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        out = options.pop("out", (None,))[0]
        if method == "reduce" and name in {u.__name__ for u in REDUCTIONS.values()}:
            reduction = next(n for n, u in REDUCTIONS.items() if u is ufunc)
            result = _reduce(reduction, inputs[0], options.get("axis", 0), options.get("keepdims", False))
        elif method != "__call__" or options or not (name in KINDS or name == "matmul"):
            how = "" if method == "__call__" else f".{method}"
            raise CostError(f"np.{name}{how} is not counted as it is used{_where()}")
        elif name == "matmul":
            result = _matmul(inputs[0], inputs[1])
        else:
            kind = "element-wise" if name == "power" and np.array_equal(_plain(inputs[1]), 2) else KINDS[name]
            values = ufunc(*map(_plain, inputs))
            result = _entered(kind, values.size, inputs, values)
        if out is None:
            return result
        if not isinstance(out, Tracked):
            raise CostError(f"np.{name} writes a counted result into an array that is not{_where()}")
        out[...] = result
        return out

    def __array_function__(
        self, function: Callable[..., Any], _types: Any, arguments: Any, options: Any
    ) -> Any:
        handler = FUNCTIONS.get(function)
        if handler is None:
            name = getattr(function, "__name__", function)
            raise CostError(f"np.{name} is not counted{_where()}: use what harness.cost.arrays knows")
        return handler(*arguments, **options)


for _name in REDUCTIONS:  # .sum, .max and the others, as methods
    setattr(Tracked, _name, lambda self, axis=None, keepdims=False, n=_name: _reduce(n, self, axis, keepdims))


def _plain(a: Any) -> Any:
    return a.values if isinstance(a, Tracked) else a


def _index(index: Any) -> Any:
    return tuple(map(_plain, index)) if isinstance(index, tuple) else _plain(index)


def _follow(later: Tracked, source: Any) -> None:
    """`later` cannot be there before `source`."""
    for part in source if isinstance(source, tuple) else (source,):
        if isinstance(part, Tracked):
            later.span, later.log_span = max(later.span, part.span), max(later.log_span, part.log_span)


def _ledger(inputs: Sequence[Any]) -> Ledger:
    return next(a.ledger for a in inputs if isinstance(a, Tracked))


def _where() -> str:
    """The line outside this file and NumPy that is being counted."""
    here, numpy = __file__, str(Path(np.__file__).parent)
    frame = sys._getframe(1)
    while frame.f_back and (frame.f_code.co_filename == here or frame.f_code.co_filename.startswith(numpy)):
        frame = frame.f_back
    return f" at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def _entered(kind: str, flops: int, inputs: Sequence[Any], values: Any, steps: int = 1) -> Tracked:
    """`values`, made of `inputs` by an operation of `steps` dependent scalar steps,
    with the operation in the ledger.
    """
    tracked, values = [a for a in inputs if isinstance(a, Tracked)], np.asarray(values)
    span, log_span = 1 + max(a.span for a in tracked), steps + max(a.log_span for a in tracked)
    read = sum(np.asarray(_plain(a)).nbytes for a in inputs)
    ledger = tracked[0].ledger
    if ledger.trace is not None:
        ledger.trace.touch(*map(_plain, inputs), values)
    ledger.note(kind, flops, read, values.nbytes, span, log_span)
    return Tracked(values, ledger, span, log_span)


def _matmul(a: Any, b: Any) -> Tracked:
    x, y = np.asarray(_plain(a)), np.asarray(_plain(b))
    ledger, values = _ledger((a, b)), np.matmul(x, y)
    inner = x.shape[-1]
    ledger.multiply_adds += values.size * inner
    ledger.effective_multiply_adds += effective_terms(values.size * inner, x, y)
    return _entered("contraction", 2 * values.size * inner, (a, b), values, 1 + _steps(inner))


def _einsum(subscripts: str, *operands: Any, **options: Any) -> Tracked:
    if options or len(operands) != 2 or "." in subscripts:
        raise CostError(f"np.einsum is counted for two operands with named axes only{_where()}")
    x, y = (np.asarray(_plain(a)) for a in operands)
    values = np.einsum(subscripts, x, y)
    sizes: dict[str, int] = {}
    for names, operand in zip(subscripts.replace(" ", "").split("->")[0].split(","), (x, y), strict=True):
        sizes |= dict(zip(names, operand.shape, strict=True))
    products = prod(sizes.values())
    ledger = _ledger(operands)
    ledger.multiply_adds += products
    ledger.effective_multiply_adds += effective_terms(products, x, y, subscripts)
    steps = 1 + _steps(products // max(values.size, 1))
    return _entered("contraction", 2 * products, operands, values, steps)


def _reduce(name: str, a: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Tracked:
    if options:
        raise CostError(f"np.{name} is not counted with {', '.join(options)}{_where()}")
    ufunc: Any = REDUCTIONS[name]
    values = ufunc.reduce(a.values, axis=_axes(axis, a.ndim), keepdims=keepdims)
    length = a.size // max(np.size(values), 1)
    return _entered("reduction", np.size(values) * max(length - 1, 0), (a,), values, _steps(length))


def _reducing(name: str) -> Callable[..., Tracked]:
    """np.sum and the like, counted."""
    return lambda a, axis=None, keepdims=False, **options: _reduce(name, a, axis, keepdims, **options)


def _mean(a: Any, axis: Any = None, keepdims: bool = False) -> Tracked:
    total = _reduce("sum", a, axis, keepdims)
    result: Tracked = total / (a.size // max(total.size, 1))
    return result


def _axes(axis: Any, ndim: int) -> Any:
    return tuple(range(ndim)) if axis is None else axis


def _steps(n: int) -> int:
    return ceil(log2(n)) if n > 1 else 0


def _where_function(condition: Any, *choices: Any) -> Tracked:
    if len(choices) != 2:
        raise CostError(f"np.where is counted with two choices only{_where()}")
    values = np.where(_plain(condition), *map(_plain, choices))
    return _entered("element-wise", values.size, (condition, *choices), values)


def _argsort(a: Any, axis: int = -1, *, stable: bool = False) -> Tracked:
    """Sorting n numbers is n ⌈log2 n⌉ comparisons, one step or ⌈log2 n⌉ of them."""
    steps = _steps(a.shape[axis])
    return _entered("comparison", a.size * steps, (a,), np.argsort(a.values, axis=axis, stable=stable), steps)


def _cumsum(a: Any, axis: int) -> Tracked:  # n additions, in ⌈log2 n⌉ steps where they can be shared out
    return _entered("element-wise", a.size, (a,), np.cumsum(a.values, axis=axis), _steps(a.shape[axis]))


def _moving(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that only moves or repeats numbers: of one array, or of a sequence of them."""

    def handler(arrays: Any, *arguments: Any, **options: Any) -> Tracked:
        sources = list(arrays) if isinstance(arrays, list | tuple) else [arrays]
        plain = [_plain(a) for a in sources] if isinstance(arrays, list | tuple) else _plain(arrays)
        moved = Tracked(function(plain, *map(_plain, arguments), **options), _ledger(sources))
        for source in (*sources, *arguments, *options.values()):
            _follow(moved, source)
        return moved

    return handler


def _filled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes an array like another, of a constant: it waits for nothing."""
    return lambda a, *arguments, **options: Tracked(function(a.values, *arguments, **options), a.ledger)


# fmt: off
MOVING = (
    np.concatenate, np.stack, np.reshape, np.moveaxis, np.swapaxes, np.transpose, np.expand_dims, np.squeeze,
    np.broadcast_to, np.repeat, np.tile, np.copy, np.roll, np.flip, np.atleast_2d, np.take,
    np.take_along_axis,
)
# fmt: on
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.einsum: _einsum,
    np.where: _where_function,
    np.mean: _mean,
    np.argsort: _argsort,
    np.cumsum: _cumsum,
    np.clip: lambda a, low, high: np.minimum(np.maximum(a, low), high),
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a: a.size,
    **{getattr(np, name): _reducing(name) for name in REDUCTIONS},
    **{f: _filled(f) for f in (np.zeros_like, np.ones_like, np.full_like, np.empty_like)},
    **{f: _moving(f) for f in MOVING},
}
