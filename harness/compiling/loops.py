"""Loops and random numbers of the compiled reading:
what `harness.loops.repeat` and `rand` are while a source is traced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from harness.compiling.arrays import DEPTH, Traced, plain, refuse
from harness.core.readings import Reading
from harness.core.tree import leaves, rebuilt

Array = Any


def loop(n: int, body: Callable[[Any, Any], Any], carry: Any) -> Any:
    """`harness.loops.repeat`, compiled: one loop, whatever n."""
    carried: dict[str, Array] = dict(leaves(carry))
    names, arrays = list(carried), list(carried.values())
    own = [not isinstance(a, Traced) or (a._own and a._base is None and a._at == DEPTH[0]) for a in arrays]
    roots: list[Traced | None] = [a.root if isinstance(a, Traced) else None for a in arrays]

    def step(i: Array, now: list[Array]) -> list[Array]:
        with _deeper():
            handed = [Traced(v, own=mine) for v, mine in zip(now, own, strict=True)]
            reads = [0 if root is None else root._reads for root in roots]
            found: dict[str, Array] = dict(leaves(body(Traced(i, own=False), rebuilt(carry, handed))))
            if sorted(found) != sorted(names):
                raise refuse(
                    f"a loop carries {len(names)} arrays, but its body returned {len(found)}, or others"
                )
            for name, old in zip(names, now, strict=True):
                new = found[name]
                if old.shape != np.shape(new) or old.dtype != new.dtype:
                    raise refuse(
                        f"a loop carries {old.dtype}{old.shape}, "
                        f"but its body returned {new.dtype}{np.shape(new)}"
                    )
            for root, before, a in zip(roots, reads, handed, strict=True):
                if (
                    root is not None
                    and a._writes
                    and (root._reads > before or sum(r is root for r in roots) > 1)
                ):
                    raise refuse(
                        "a loop writes to an array that its body also knows "
                        "by another name: carry it once, or a copy"
                    )
            return [jnp.asarray(plain(found[name])) for name in names]

    first = [jnp.asarray(plain(a), dtype=a.dtype) for a in arrays]
    last = lax.fori_loop(0, n, step, first)
    for a in arrays:
        if isinstance(a, Traced) and a._own:
            a._spent = True
            a._writes += 1  # a view of it is none of what came out
    return rebuilt(carry, [Traced(v) for v in last])


class Compiled(Reading):
    """The source is read by JAX: plain expressions, and loops of one piece."""

    repeat = staticmethod(loop)


@contextmanager
def _deeper() -> Iterator[None]:
    DEPTH[0] += 1
    try:
        yield
    finally:
        DEPTH[0] -= 1


class TracedRand:
    """Random streams of an update: numbers that were drawn before, handed out in the same order."""

    def __init__(self, uniform: Array, normal: Array, dtype: Any) -> None:
        """Numbers for this update, (R, how many) each; `dtype` is the precision of the run."""
        self._ahead, self._dtype = {"uniform": uniform, "normal": normal}, np.dtype(dtype)
        self.taken = {"uniform": 0, "normal": 0}

    def _take(self, kind: str, shape: tuple[int, ...]) -> Array:
        if DEPTH[0]:
            raise refuse("random numbers are drawn in a loop: draw them all before it, and index them")
        start, ahead = self.taken[kind], self._ahead[kind]
        self.taken[kind] = stop = start + prod(shape)
        if stop > ahead.shape[1]:  # while the numbers are being counted
            return jnp.zeros((ahead.shape[0], *shape), ahead.dtype)
        return ahead[:, start:stop].reshape(ahead.shape[0], *shape)

    def uniform(self, *shape: int) -> Traced:
        """As `Rand.uniform`."""
        below_one = np.nextafter(self._dtype.type(1), self._dtype.type(0))
        return Traced(jnp.minimum(self._take("uniform", shape).astype(self._dtype), below_one))

    def normal(self, *shape: int) -> Traced:
        """As `Rand.normal`."""
        return Traced(self._take("normal", shape).astype(self._dtype))

    def zeros(self, *shape: int) -> Traced:
        """As `Rand.zeros`."""
        return Traced(jnp.zeros((self._ahead["uniform"].shape[0], *shape), self._dtype))

    def permutation(self, n: int) -> Traced:
        """As `Rand.permutation`."""
        return Traced(jnp.argsort(self._take("uniform", (n,)), axis=-1, stable=True))
