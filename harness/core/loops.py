"""Loops of a fixed length inside an update: settling, sampling sweeps, many probes.

    s = repeat(steps, lambda i, s: s + rate * (f(s @ w) - s), s)

A plain loop when the source is run or counted; one compiled loop when it is compiled, so that a thousand
steps do not become a thousand copies of the body.
"""

from __future__ import annotations

from typing import Any

from harness.core.readings import Body, reading


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
