"""Networks that settle: a step is repeated until nothing moves any more, for each network by itself.

    moved = max |step(s) − s|  over the units and patterns of a network;   settled where moved ≤ tolerance

A step may be small only because the news has not come far yet, from layer to layer by as much less: who
knows how many steps that takes has them taken first (`least`).

A network that has settled stays as it is, bit for bit, whatever the others beside it still do; so a replica
ends where it ends alone. All patterns of a network settle together. What a step reads besides the state
(weights, patterns, targets, rates) is handed to it as `around`, because NumPy takes networks that have
settled out of the batch: they cost a test and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from harness.core.riding import Riding
from harness.core.tree import leaves, rebuilt, tree_map

Array = Any
Step = Callable[[Any, Any], Any]
LEAVE_AT = 0.75  # networks that have settled leave when at most this share of those held still moves


class Settled(NamedTuple):
    """Where networks came to rest.

    Args:
        state: what was carried, arrays (…, N, k).
        steps: how many steps each network took, (…, 1, 1).
        moved: how far any of its units moved in the last of them, (…, 1, 1); ∞ after none.
    """

    state: Any
    steps: Array
    moved: Array


class Rest(NamedTuple):
    """What counts as rest.

    Args:
        tolerance: how far a unit may move in a step.
        least: steps that are taken before anything counts as rest.
    """

    tolerance: Array
    least: int = 1

    def moves(self, at: Settled) -> Array:
        """Which networks have not settled, bool (…, 1, 1); what is not a number never has."""
        return ~(at.moved <= self.tolerance) | (at.steps < self.least)


def begun(state: Any) -> Settled:
    """Before the first step: nothing has been done, and nothing has settled."""
    none = np.zeros_like(next(a for _, a in leaves(state)).real[..., :1, :1])
    return Settled(state, none, none + np.inf)


def stepped(step: Step, at: Settled, around: Any, rest: Rest) -> Settled:
    """One step of those networks that still move; the others stay as they are."""
    moves = rest.moves(at)
    new = step(at.state, around)
    moved = furthest(new, at.state)
    state = [np.where(moves, a, b) for (_, a), (_, b) in zip(leaves(new), leaves(at.state), strict=True)]
    return Settled(
        rebuilt(at.state, state), at.steps + moves.astype(at.steps.dtype), np.where(moves, moved, at.moved)
    )


def furthest(new: Any, old: Any) -> Array:
    """The largest change of any number of a network, (…, 1, 1)."""
    each = [
        abs(a - b).max(axis=(-1, -2), keepdims=True)
        for (_, a), (_, b) in zip(leaves(new), leaves(old), strict=True)
    ]
    return reduce(np.maximum, each)


def leaving(
    most: int,
    step: Step,
    state: Any,
    around: Any,
    rest: Rest,
    picked: Callable[[Array, Array], Array],
    fewest: int,
) -> Settled:
    """As `stepped`, `most` times: it ends when all have settled, and goes on with those that have not.

    Args:
        most, step, state, around: as of `harness.settle`.
        rest: what counts as rest.
        picked: some rows of an array, as the reading keeps arrays.
        fewest: rows that it goes on with, at the least.
    """
    at, of, whole, rows = begun(state), (around, rest), None, None
    for _ in range(most):
        moves = of[1].moves(at)
        count = np.count_nonzero(moves)
        if not count:
            break
        if count == moves.size:
            new = step(at.state, of[0])
            at = Settled(new, at.steps + 1.0, furthest(new, at.state))
            continue
        if moves.ndim == 3 and count <= LEAVE_AT * moves.size and moves.size > fewest:
            stays = np.flatnonzero(moves)
            if len(stays) < fewest:
                stays = (
                    np.arange(fewest) if stays[-1] < fewest else np.append(np.arange(fewest - 1), stays[-1])
                )
            whole = at if whole is None else _put(whole, rows, at)
            rows = stays if rows is None else rows[stays]
            at, of = (tree_map(_some(stays, moves.size, picked), a) for a in (at, of))
        at = stepped(step, at, *of)
    return at if whole is None else _put(whole, rows, at)


def _some(rows: Array, held: int, picked: Callable[[Array, Array], Array]) -> Callable[[Any], Any]:
    """Takes some rows of what has a row for each of the `held` networks; anything else is for all of them."""

    def some(a: Any) -> Any:
        if isinstance(a, Riding):
            return a[rows]
        return picked(a, rows) if getattr(a, "ndim", 0) >= 3 and len(a) == held > 1 else a

    return some


def _put(whole: Settled, rows: Array, at: Settled) -> Settled:
    """All networks, those of `rows` as they stand now."""

    def put(old: Array, new: Array) -> Array:
        made = old.copy(order="K")
        made[rows] = new
        return made

    return rebuilt(whole, [put(a, b) for (_, a), (_, b) in zip(leaves(whole), leaves(at), strict=True)])
