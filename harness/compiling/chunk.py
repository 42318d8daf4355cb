"""Where a batch of replicas stands between two calls of a program, and what the next call is given."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp

Array = Any
RUNNING, MET, BLOWN, PADDING = range(4)
POINTS = 64  # of the curves in a chunk


class Feed(NamedTuple):
    """What a chunk is given for each of its epochs, on the first axis."""

    look: Array
    """Whether curves are drawn, or weights beyond all bounds looked for (L,)."""
    slot: Array
    """Which row of the curves an epoch's values go to (L,), below POINTS; POINTS where no curve is drawn."""
    order: Array
    """The order of the patterns (L, R, N); (L, R, 0) if they have none."""
    uniform: Array
    """Random numbers of a sweep (L, R, how many)."""
    normal: Array


class Chunk(NamedTuple):
    """Where a batch of R replicas stands."""

    epoch: Array
    state: list[Array]
    how: Array
    """RUNNING, MET, BLOWN or PADDING (R,)."""
    ended: Array
    """The epoch at which it came to that, −1 for those that run (R,)."""
    loss: Array
    """At the epochs of the chunk that are on the curve (POINTS + 1, R)."""
    right: Array


def ended(now: Chunk, which: Array, how: int) -> Chunk:
    """Those of `which` (R,) that were running have come to that."""
    ends = which & (now.how == RUNNING)
    return now._replace(
        how=jnp.where(ends, how, now.how).astype(now.how.dtype), ended=jnp.where(ends, now.epoch, now.ended)
    )
