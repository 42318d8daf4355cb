"""What NumPy's functions do to traced arrays: JAX's of the same name, element by element, or over lanes.

What JAX would do quietly otherwise than NumPy is refused here: an index beyond the end, which it clamps, an
axis of 1 that an einsum would stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from harness.compiling import lanes
from harness.compiling.behind import Behind, plain, refuse
from harness.core.errors import InputError

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
# fmt: on
NARROW = 4
"""Length of a contraction up to which its products, added up, fuse with what is around them: 1.4 × on XOR."""


def called(
    name: str, function: Callable[..., Any] | None, arguments: Any, options: Any
) -> tuple[Any, Behind | None, bool]:
    """What JAX's `function` makes of the arrays that NumPy's function of that name was given.

    Returns the arrays behind it, what they may be a view of, and whether they have lanes.
    """
    if name in ("shape", "ndim") and isinstance(arguments[0], Behind):
        return getattr(arguments[0], name), None, False
    given = [a for a in (*arguments, *options.values()) if isinstance(a, Behind)]
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
        arguments = (given[0].astype(float), *arguments[1:])  # type: ignore[attr-defined]  # Traced has it
    try:
        if beside:
            result = _beside(name, function, tuple(arguments), options)
        else:
            result = function(*plain(tuple(arguments)), **{k: plain(v) for k, v in options.items()})
    except InputError:
        raise
    except Exception as error:
        raise refuse(f"np.{name}: {type(error).__name__}: {str(error).strip().splitlines()[0]}") from error
    return result, _seen_through(name, given), beside


def _all_traced(parts: Any) -> Iterator[Behind]:
    for part in parts:
        if isinstance(part, Behind):
            yield part
        elif isinstance(part, tuple | list):
            yield from _all_traced(part)


def _beside(
    name: str, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """The same of replicas beside one another: element by element, as sums of slices, or by `jax.vmap`."""
    if name == "matmul" and all(np.ndim(a) >= 2 for a in arguments) and _fit(*arguments):
        return lanes.product(*map(_with_lanes, arguments))
    if name in ELEMENTWISE or getattr(getattr(np, name, None), "signature", "none") is None:  # no product
        return function(*map(_with_lanes, arguments), **{k: _with_lanes(v) for k, v in options.items()})
    if name in lanes.FOLDS and len(arguments) <= 2 and options.keys() <= {"axis", "keepdims"}:
        return lanes.reduced(name, *plain(arguments), **options)
    if name == "mean" and len(arguments) == 1 and options.keys() <= {"axis", "keepdims"}:
        total = lanes.reduced("sum", *plain(arguments), **options)
        return total / (arguments[0].size / prod(total.shape[:-1]))
    if name in ("concatenate", "stack") and options.keys() <= {"axis"}:
        axis = {"axis": 0, **dict(zip(("axis",), arguments[1:], strict=False)), **options}["axis"]
        return lanes.joined(function, [_with_lanes(a) for a in arguments[0]], axis, int(name == "stack"))
    if name == "take" and not isinstance(arguments[1], Behind) and isinstance(options.get("axis"), int):
        return function(*plain(arguments), axis=options["axis"] % arguments[0].ndim)
    return _each(function, arguments, options)


def _fit(a: Any, b: Any) -> bool:
    """Whether a @ b is a product of something; `jax.numpy` has an error for all others."""
    return 0 < np.shape(a)[-1] == np.shape(b)[-2]


def _with_lanes(a: Any) -> Any:
    """The array behind it, with an axis of lanes, be it of length 1; a single number as it is."""
    value = plain(a)
    return (
        value if not np.ndim(value) or (isinstance(a, Behind) and a._lanes) else jnp.asarray(value)[..., None]
    )


def _each(function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`jax.vmap` of the function over the lanes of all arrays that have any."""
    several = [a for a in _all_traced((arguments, tuple(options.values()))) if a._lanes]

    def of(*values: Array) -> Any:
        left = iter(values)

        def filled(part: Any) -> Any:
            if isinstance(part, tuple | list):
                return type(part)([filled(p) for p in part])
            return next(left) if isinstance(part, Behind) and part._lanes else plain(part)

        return function(*filled(arguments), **{k: filled(v) for k, v in options.items()})

    return jax.vmap(of, in_axes=-1, out_axes=-1)(*(a.value for a in several))


def indexed(what: Callable[..., Array], a: Behind, index: Any, *more: Any) -> tuple[Array, bool]:
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


def _seen_through(name: str, given: list[Behind]) -> Behind | None:
    """The array that the result of a function may be a view of; None where it is nobody's."""
    is_ufunc = isinstance(getattr(np, name, None), np.ufunc)
    contracts = name == "einsum" and len(given) > 1  # einsum of one array may be its diagonal
    return None if not given or name in FRESH or is_ufunc or contracts else given[0]


def _check_take(a: Any, indices: Any, **options: Any) -> None:
    """An index beyond the end is an IndexError, which JAX would clamp."""
    if not isinstance(indices, Behind):
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
    """a @ b; a few products are added up.

    One replica's is a product of two matrices to XLA, too, which then reads a transposed one as it stands: in
    a stack of one it would be copied first, three times what the product takes at 2,048 units.
    """
    length = a.shape[-1]
    if not (a.ndim >= 2 and b.ndim >= 2 and 0 < length == b.shape[-2]):
        return jnp.matmul(a, b)
    if length > NARROW:
        lead = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        if prod(lead) == 1:
            one = jnp.matmul(*(m.reshape(m.shape[-2:]) for m in (a, b)))
            return one.reshape(*lead, *one.shape)
        return jnp.matmul(a, b)
    return sum(
        (a[..., :, i, None] * b[..., None, i, :] for i in range(1, length)),
        a[..., :, 0, None] * b[..., None, 0, :],
    )


def _index(index: Any, shape: tuple[int, ...]) -> Any:
    """An index without `Behind` arrays; one beyond the end is an IndexError, which JAX would clamp."""
    parts = index if isinstance(index, tuple) else (index,)
    parts = tuple(
        np.asarray(part) if isinstance(part, list) and not _has_traced(part) else part for part in parts
    )
    if not _has_traced(parts):
        np.broadcast_to(False, shape)[parts]
    return parts


def _has_traced(parts: Any) -> bool:
    return any(_has_traced(p) if isinstance(p, tuple | list) else isinstance(p, Behind) for p in parts)
