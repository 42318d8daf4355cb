"""Many replicas of a narrow network beside one another, on a last axis that the source does not see.

The source has one replica (1, N, k), the array behind it many, (1, N, k, lanes): arithmetic on neighbours in
memory, which a processor does four or eight at a time. What is done to elements is done to the array as it
stands; products and reductions are spelled as sums of slices, which run along the lanes where XLA's own run
across them; whatever else there is, is `jax.vmap` over the last axis.

    y (N, k, lanes), w (k, n, lanes):     Σ_i y[:, i, None] * w[None, i]      instead of a dot for every lane

What many read is computed once: XLA fuses cheap operations into all who read them, and a sum of slices costs
more than it thinks. `kept` is where it stops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental.xla_metadata import set_xla_metadata

from harness.core.data import Data
from harness.core.network import Network

Array = Any
MATRIX = 24 * 24  # weights in an edge of a narrow network, at most
BLOCK = 2**17  # bytes of activity of a block of its replicas, about
FEWEST_LANES, MOST_LANES = 64, 256
TERMS = 8  # added up in one expression; longer sums are sums of such sums
FOLDS: dict[str, Callable[[Array, Array], Array]] = {
    "sum": jnp.add,
    "max": jnp.maximum,
    "amax": jnp.maximum,
    "min": jnp.minimum,
    "amin": jnp.minimum,
    "all": jnp.logical_and,
    "any": jnp.logical_or,
}


@jax.jit
def _as_it_is(a: Array) -> Array:
    return lax.optimization_barrier(a)  # type: ignore[no-untyped-call]  # JAX's own


def kept(a: Array) -> Array:
    """The same array, computed once and kept for all who read it."""
    with set_xla_metadata(inlineable="false"):  # type: ignore[no-untyped-call]  # JAX's own
        return _as_it_is(a)


def fold(op: Callable[[Array, Array], Array], terms: Callable[[slice], Array], n: int) -> Array:
    """`op` over n terms, which `terms` gives for a slice of them, on its first axis."""
    if n <= TERMS:
        return reduce(op, [terms(slice(i, i + 1))[0] for i in range(n)])
    whole = n // TERMS * TERMS
    part = kept(reduce(op, [terms(slice(i, whole, TERMS)) for i in range(TERMS)]))
    rest = [terms(slice(i, i + 1))[0] for i in range(whole, n)]
    return reduce(op, rest, fold(op, lambda some: part[some], whole // TERMS))


def reduced(name: str, a: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """A reduction of (…, lanes) over axes of what the source sees."""
    ndim = a.ndim - 1
    axes = range(ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    axes = sorted(i % ndim for i in axes)
    if name in ("all", "any"):
        a = a.astype(bool)
    if name == "sum" and a.dtype == bool:
        a = a.astype(int)
    rest = [i for i in range(ndim) if i not in axes]
    first = a.transpose(*axes, *rest, ndim).reshape(-1, *(a.shape[i] for i in rest), a.shape[-1])
    result = fold(FOLDS[name], lambda some: first[some], len(first))
    return jnp.expand_dims(result, tuple(axes)) if keepdims else result


def product(a: Array, b: Array) -> Array:
    """a @ b of (…, m, n, lanes) and (…, n, k, lanes); lanes may be 1 where all replicas have the same."""
    lead = max(a.ndim, b.ndim) - 3
    left = jnp.moveaxis(a, -2, 0)[..., None, :]
    right = jnp.moveaxis(b, -3, 0)[..., None, :, :]
    left = left.reshape(left.shape[0], *(1,) * (lead - a.ndim + 3), *left.shape[1:])
    right = right.reshape(right.shape[0], *(1,) * (lead - b.ndim + 3), *right.shape[1:])
    result = fold(jnp.add, lambda some: left[some] * right[some], len(left))
    return result if len(left) < TERMS // 2 else kept(result)


def exp(x: Array) -> Array:
    """e^x between ±708, to about an ulp: x = n ln 2 + r, and Taylor's series to r^11 in pairs.

    XLA's own in float64 has a division, which takes as long as all of this.
    """
    x = jnp.where(x > 708.0, 708.0, jnp.where(x < -708.0, -708.0, x))
    n = jnp.round(x * float.fromhex("0x1.71547652b82fep+0"))
    r = x - n * float.fromhex("0x1.62e42fee00000p-1") - n * float.fromhex("0x1.a39ef35793c76p-33")
    r2 = r * r
    r4 = r2 * r2
    low = (1.0 + r) + r2 * (0.5 + r * (1 / 6))
    middle = (1 / 24 + r * (1 / 120)) + r2 * (1 / 720 + r * (1 / 5040))
    high = (1 / 40320 + r * (1 / 362880)) + r2 * (1 / 3628800 + r * (1 / 39916800))
    bits = _bits(low + r4 * middle + (r4 * r4) * high) + (_bits(n + 1.5 * 2.0**52) << 52)
    return lax.bitcast_convert_type(bits, jnp.float64)


def _bits(a: Array) -> Array:
    return lax.bitcast_convert_type(a, jnp.int64)


def expanded(index: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """An index whose `...` is written out for an array of that many axes."""
    if not any(part is Ellipsis for part in index):
        return index
    at = next(i for i, part in enumerate(index) if part is Ellipsis)
    taken = sum(
        0 if part is None or part is Ellipsis else np.ndim(part) if _is_mask(part) else 1 for part in index
    )
    return (*index[:at], *(slice(None),) * (ndim - taken), *index[at + 1 :])


def _is_mask(part: Any) -> bool:
    return getattr(getattr(part, "dtype", None), "kind", "") == "b" and np.ndim(part) > 0


def joined(function: Callable[..., Array], arrays: Sequence[Array], axis: int, more: int) -> Array:
    """`concatenate` (more=0) or `stack` (more=1) along an axis of what the source sees."""
    lanes = max(a.shape[-1] for a in arrays)
    whole = [jnp.broadcast_to(a, (*a.shape[:-1], lanes)) for a in arrays]
    return function(whole, axis=axis % (whole[0].ndim - 1 + more))


def lanes_of(net: Network, data: Data) -> int:
    """Replicas of a narrow network in a block, beside one another; 0 where they are on the first axis.

    It follows from the network and its patterns, never from how many replicas there are. Chains n-n-n on n
    patterns, 256 of them, are 1.35, 1.6, 1.35, 1.35, 1.2 and .8 times as fast beside one another at n = 4, 8,
    12, 16, 24 and 32, family trees 1.9 times: so they are up to MATRIX weights in an edge. A block holds
    about BLOCK bytes of activity: XOR is fastest at 256 lanes (128: 1.3 times as slow), the encoder at 128,
    symmetry at 64 (128: 1.3 times as slow).
    """
    if max(rows * columns for rows, columns in (net.shapes[e.weights] for e in net.edges)) > MATRIX:
        return 0
    patterns = int(np.prod(data.x.shape[1:-1]))
    each = 8 * patterns * sum(group.size for group in net.groups)
    return int(np.clip(2 ** round(np.log2(BLOCK / each)), FEWEST_LANES, MOST_LANES))
