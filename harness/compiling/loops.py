"""Loops and random numbers of the compiled reading: `repeat` and `rand` while a source is traced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from harness.compiling.arrays import Traced, values
from harness.compiling.behind import DEPTH, Behind, refuse
from harness.compiling.lanes import exp, kept
from harness.core.readings import Reading
from harness.core.settling import Rest, Settled, Step, begun, stepped
from harness.core.tree import leaves, rebuilt, tree_map

Array = Any


def loop(n: int, body: Callable[[Any, Any], Any], carry: Any, lanes: int = 0) -> Any:
    """`harness.core.loops.repeat`, compiled: one loop, whatever n; `lanes` as of `Compiled`."""
    carried: dict[str, Array] = dict(leaves(carry))
    arrays = list(carried.values())
    own = [not isinstance(a, Traced) or (a._own and a._base is None and a._at == DEPTH[0]) for a in arrays]
    roots: list[Behind | None] = [a.root if isinstance(a, Traced) else None for a in arrays]

    def step(i: Array, now: list[Array]) -> list[Array]:
        with _deeper():
            handed = [Traced(v, own=mine, lanes=lanes > 0) for v, mine in zip(now, own, strict=True)]
            reads = [0 if root is None else root._reads for root in roots]
            returned: dict[str, Array] = dict(leaves(body(Traced(i, own=False), rebuilt(carry, handed))))
            _check_returned(dict(zip(carried, handed, strict=True)), returned)
            _check_written(handed, roots, reads)
            return [values(returned[name], lanes) for name in carried]

    first = [values(a, lanes) for a in arrays]
    last = lax.fori_loop(0, n, step, first)
    for a in arrays:
        if isinstance(a, Traced) and a._own:
            a._spent = True
            a._writes += 1  # a view of it is none of what came out
    return rebuilt(carry, [Traced(v, lanes=lanes > 0) for v in last])


def settled(most: int, step: Step, state: Any, around: Any, rest: Rest, lanes: int) -> Settled:
    """`harness.core.loops.settle`, compiled: a loop that ends when all networks in it have settled."""
    first = tree_map(lambda a: a if isinstance(a, Traced) else Traced(jnp.asarray(a)), begun(state))
    names = [name for name, _ in leaves(first)]

    def handed(now: list[Array]) -> Settled:
        return rebuilt(first, [Traced(v, own=False, lanes=lanes > 0) for v in now])

    def go_on(carried: tuple[Array, list[Array]]) -> Array:
        i, now = carried
        return (i < most) & jnp.any(values(rest.moves(handed(now)), lanes))

    def body(carried: tuple[Array, list[Array]]) -> tuple[Array, list[Array]]:
        i, now = carried
        with _deeper():
            old = handed(now)
            new = dict(leaves(stepped(step, old, around, rest)))
            _check_returned(dict(leaves(old)), new)
            return i + 1, [values(new[name], lanes) for name in names]

    _, last = lax.while_loop(go_on, body, (0, [values(a, lanes) for _, a in leaves(first)]))
    return rebuilt(first, [Traced(v, lanes=lanes > 0) for v in last])


def _check_returned(carried: dict[str, Array], returned: dict[str, Array]) -> None:
    """Refuse a body that returns other arrays than it was handed, or others of that name."""
    if sorted(returned) != sorted(carried):
        raise refuse(
            f"a loop carries {len(carried)} arrays, but its body returned {len(returned)}, or others"
        )
    for name, old in carried.items():
        new = returned[name]
        if old.shape != np.shape(new) or old.dtype != new.dtype:
            raise refuse(
                f"a loop carries {old.dtype}{old.shape}, but its body returned {new.dtype}{np.shape(new)}"
            )


def _check_written(handed: list[Traced], roots: list[Behind | None], reads: list[int]) -> None:
    """Refuse a body that writes to an array which it also knows from outside, or under two names.

    `roots` are what the carried arrays were before the loop, `reads` how often each had been read then.
    """
    for array, root, before in zip(handed, roots, reads, strict=True):
        if root is None or not array._writes:
            continue
        times = sum(other is root for other in roots)
        if root._reads > before or times > 1:
            raise refuse(
                "a loop writes to an array that its body also knows by another name: carry it once, or a copy"
            )


class Compiled(Reading):
    """The source is read by JAX: plain expressions, and loops of one piece."""

    def __init__(self, lanes: int = 0) -> None:
        """`lanes`: replicas beside one another on a last axis; 0 where they are on the first."""
        self.lanes = lanes

    def repeat(self, n: int, body: Callable[[Any, Any], Any], carry: Any) -> Any:
        return loop(n, body, carry, self.lanes)

    def settle(self, most: int, step: Step, state: Any, around: Any, rest: Rest) -> Settled:
        return settled(most, step, state, around, rest, self.lanes)

    def sigmoid(self, x: Array) -> Array:
        if not self.lanes or x.dtype != np.float64:
            return super().sigmoid(x)
        return 1.0 / (1.0 + Traced(exp(values(-x, self.lanes)), lanes=True))

    def shown(self, y: Mapping[Any, Array]) -> Mapping[Any, Array]:
        return {group: self.kept(a) for group, a in y.items()}

    def pull(self, unit: Any, y: Array, blame: Array) -> Array:
        return self.kept(super().pull(unit, y, blame))

    def kept(self, a: Array) -> Array:
        """Where many will read it: computed once."""
        has = isinstance(a, Traced) and a._lanes
        return Traced(kept(a.value), own=a._own, lanes=True) if has else a


@contextmanager
def _deeper() -> Iterator[None]:
    DEPTH[0] += 1
    try:
        yield
    finally:
        DEPTH[0] -= 1


class TracedRand:
    """Random streams of an update: numbers that were drawn before, handed out in the same order."""

    def __init__(self, uniform: Array, normal: Array, dtype: Any, beside: bool = False) -> None:
        """Numbers for this update, (R, how many) each, or (1, how many, lanes).

        `dtype` is the precision of the run.
        """
        self._ahead, self._dtype, self._beside = (
            {"uniform": uniform, "normal": normal},
            np.dtype(dtype),
            beside,
        )
        self.taken, self.ranked = {"uniform": 0, "normal": 0}, False

    def _take(self, kind: str, shape: tuple[int, ...]) -> Array:
        if DEPTH[0]:
            raise refuse("random numbers are drawn in a loop: draw them all before it, and index them")
        start, ahead = self.taken[kind], self._ahead[kind]
        self.taken[kind] = stop = start + prod(shape)
        whole = (ahead.shape[0], *shape, *ahead.shape[2:])
        if stop > ahead.shape[1]:  # while the numbers are being counted
            return jnp.zeros(whole, ahead.dtype)
        return ahead[:, start:stop].reshape(whole)

    def _traced(self, value: Array) -> Traced:
        return Traced(value, lanes=self._beside)

    def uniform(self, *shape: int) -> Traced:
        """As `Rand.uniform`."""
        below_one = np.nextafter(self._dtype.type(1), self._dtype.type(0))
        return self._traced(jnp.minimum(self._take("uniform", shape).astype(self._dtype), below_one))

    def normal(self, *shape: int) -> Traced:
        """As `Rand.normal`."""
        return self._traced(self._take("normal", shape).astype(self._dtype))

    def zeros(self, *shape: int) -> Traced:
        """As `Rand.zeros`."""
        some = self._ahead["uniform"].shape
        return self._traced(jnp.zeros((some[0], *shape, *some[2:]), self._dtype))

    def permutation(self, n: int) -> Traced:
        """As `Rand.permutation`."""
        self.ranked = True
        return self._traced(jnp.argsort(self._take("uniform", (n,)), axis=1, stable=True))
