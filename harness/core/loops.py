"""Loops inside an update: sampling sweeps, many probes, settling.

    s = repeat(steps, lambda i, s: s + rate * (f(s @ w) - s), s)                     so many times
    s = settle(most, lambda s, w: s + rate * (f(s @ w) - s), s, w, tolerance).state  until it has settled

A plain loop when the source is run or counted; one compiled loop when it is compiled, so that a thousand
steps do not become a thousand copies of the body.
"""

from __future__ import annotations

from typing import Any

from harness.core.errors import InputError
from harness.core.readings import Body, reading
from harness.core.settling import Rest, Settled, Step, begun, furthest
from harness.core.tree import leaves, rebuilt

Array = Any


def repeat(n: int, body: Body, carry: Any) -> Any:
    """`carry = body(i, carry)` for i = 0 … n − 1, and the last of them.

    What the body needs and does not change it takes from around it; random numbers are drawn before the loop
    and indexed by `i`. Arrays of one's own in `carry` may be written to; after the loop only what it returns
    is good.

    Args:
        n: how many times, a fixed number.
        body: a function of the step i and what is carried, which returns the next.
        carry: an array, or dicts and tuples of arrays, whose shapes and precision stay.

    Returns:
        What the last step returned; `carry` if n is 0.

    >>> repeat(3, lambda i, s: s + i, 10)
    13
    """
    return reading().repeat(n, body, carry)


def toward(s: Array, goal: Array, share: Array) -> Array:
    """s + share · (goal − s): a step of so much of the way.

    Args:
        s, goal: arrays (…, N, k).
        share: of the way, a number.

    Returns:
        The state after the step, (…, N, k).

    >>> import numpy as np
    >>> toward(np.zeros(2), np.ones(2), 0.5).tolist()
    [0.5, 0.5]
    """
    return reading().toward(s, goal, share)


def settle(most: int, step: Step, state: Any, around: Any, tolerance: Array, least: int = 1) -> Settled:
    """`state = step(state, around)` until no unit of a network moves further than `tolerance`; `most` times.

    Every network ends where it would end alone. Run, it takes the time of those that have not settled;
    counted, it takes `most` steps, which is what it may cost.

    Args:
        most: steps at the most, a fixed number.
        step: a function of the state and of what is around it, which returns the next state.
        state: arrays (…, N, k), in dicts and tuples; every network's own, with all leading axes.
        around: whatever else the step reads that is not the same for all networks (weights, patterns,
            targets, settings), in dicts and tuples; what all share has a leading axis of length 1, or none.
        tolerance: how far a unit may move and count as at rest, in units of the state; 0 takes all steps, and
            looks at none but the last.
        least: steps that are taken whatever moves: as many as it takes for what is new to reach every unit.

    Returns:
        The state, the steps that each network took, and how far it moved in the last.

    Raises:
        InputError: for fewer than 0 steps, a state that is none, or a step that returns other arrays.

    >>> import numpy as np
    >>> x = np.array([[[1.0]], [[0.0]]])
    >>> at = settle(100, lambda s, x: s + 0.5 * (x - s), np.zeros((2, 1, 1)), x, 0.1)
    >>> at.state.ravel().tolist(), at.steps.ravel().tolist()
    ([0.9375, 0.0], [4.0, 1.0])
    """
    carried = [a for _, a in leaves(state)]
    others = [type(a).__name__ for a in carried if getattr(a, "ndim", 0) < 2]
    if others or not carried:
        given = others[0] if others else "nothing"
        raise InputError(f"settle carries arrays (…, N, k), in dicts and tuples, but {given} was given")
    if most < 0:
        raise InputError(f"settle takes a number of steps, at least 0, but {most} was given")

    def kept(now: Any, beside: Any) -> Any:
        return _like(step(now, beside), now)

    if tolerance or not most:
        return reading().settle(most, kept, state, around, Rest(tolerance, least))
    at = repeat(most - 1, lambda _, now: kept(now, around), state)
    last = kept(at, around)
    return Settled(last, begun(last).steps + float(most), furthest(last, at))


def _like(new: Any, old: Any) -> Any:
    """What a step returned, in the order of what it was handed; `InputError` where these are other arrays."""
    if type(new) is dict and list(new) == list(old) and all(map(_same, new.values(), old.values())):
        return new  # in every step: at little cost
    after, before = dict(leaves(new)), dict(leaves(old))
    said, wanted = ({name: _kind(a) for name, a in each.items()} for each in (after, before))
    if said != wanted:
        raise InputError(
            f"settle carries {', '.join(_named(wanted))}, but its step returned {', '.join(_named(said))}; "
            "what it reads and not all networks share is handed to it as `around`"
        )
    return rebuilt(old, [after[name] for name in before])


def _same(a: Any, b: Any) -> bool:
    return hasattr(a, "shape") and hasattr(b, "shape") and a.shape == b.shape and a.dtype == b.dtype


def _kind(a: Any) -> tuple[Any, ...]:
    return (a.dtype, tuple(a.shape)) if hasattr(a, "dtype") else (type(a).__name__, ())


def _named(kinds: dict[str, tuple[Any, ...]]) -> list[str]:
    return [f"{name}: {kind}{shape}".removeprefix(": ") for name, (kind, shape) in kinds.items()] or [
        "nothing"
    ]
