"""Bytes that an update moves: through caches that hold what was touched last.

Operations need their numbers near; what lies far has to be moved. How much is moved depends on the order of
touches and on the size M of what is near, and one idea says it for all M (Mattson, Gecsei, Slutz & Traiger
1970, "Evaluation techniques for storage hierarchies", IBM Systems Journal 9): order arrays by when they were
touched last, a stack. The *stack distance* of a touch is the bytes from the top of the stack down to the
array, itself included: what was touched since, each array once. A cache of M bytes that gives up what has
waited longest (LRU) holds it just where its distance is at most M; else all its bytes are moved.

Conventions:

- An operation reads its operands one after another, each once, and writes its result: a product of matrices
  is taken as perfectly blocked. Moving operations (a copy, a concatenation) are none, as in the rest of the
  count; what they make is a new array.
- A first touch is moved at any M, read or written. Nothing is written back a second time, and what is no
  longer needed still takes its room.
- Array by array is element by element: of an array of n bytes streamed in one order, each element has waited
  for the rest of the array and for what was touched since, for all of them the distance of the array.
- A transposed or reshaped view is its array. A part chosen by index is an array of its own, so that reuse
  between an array and its parts is not seen. Numbers written in the code are no data.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

KIB = 1024
CACHES = {"32 KiB": 32 * KIB, "1 MiB": KIB**2, "32 MiB": 32 * KIB**2}
"""Sizes of caches that are told, in bytes: about those of a core's first, second and a chip's last level."""
Touch = tuple[Hashable, int]


class Trace:
    """Which arrays were touched, in order, and how many bytes each has."""

    def __init__(self) -> None:
        self.touches: list[Touch] = []
        self._homes: dict[int, tuple[weakref.ref[Any], int]] = {}
        self._seen = 0

    def touch(self, *arrays: Any) -> None:
        """Enter that arrays are read or written, in this order; what is no array is no data."""
        for values in arrays:
            if isinstance(values, np.ndarray):
                self.touches.append(self._named(values))

    def _named(self, values: Any) -> Touch:
        home = values
        while isinstance(home.base, np.ndarray):
            home = home.base
        known = self._homes.get(id(home))
        if known is None or known[0]() is not home:  # an address is used again once its array is gone
            self._seen += 1
            known = self._homes[id(home)] = weakref.ref(home), self._seen
        if values.size >= home.size:  # the whole of it, maybe broadcast
            return known[1], home.nbytes
        return (known[1], values.__array_interface__["data"][0], values.shape), values.nbytes


def moved(trace: Trace | Sequence[Touch] | None, size: int) -> float:
    """Bytes moved into a cache of `size` bytes, which gives up what was touched longest ago.

    Args:
        trace: arrays, by any name, in order, with the bytes of each; the same name has the same bytes.
        size: M, in bytes; 0 is no cache, where every touch is moved.

    Returns:
        The bytes of all touches whose stack distance is above `size`, first touches among them;
        NaN without a trace.
    """
    if trace is None:
        return float("nan")
    near: OrderedDict[Hashable, int] = OrderedDict()
    held = total = 0
    for name, nbytes in trace.touches if isinstance(trace, Trace) else trace:
        if name in near:
            near.move_to_end(name)
            continue
        total += nbytes
        held += nbytes
        near[name] = nbytes
        while held > size:
            held -= near.popitem(last=False)[1]
    return total
