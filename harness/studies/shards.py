"""A big cell shared out: each shard trains some of its replicas, and the last to be done joins them.

A shard is a line of text, as a cell is (`Cell.text`), with the replicas before it: `0:250 {"algorithm": …}`.
Only what has the same bits in any batch can be shared out; what is compiled, and what has a budget of
seconds, is one piece.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from harness.cells.cell import Cell
from harness.core.errors import InputError


class Shard(NamedTuple):
    """Some replicas of a cell."""

    cell: Cell
    first: int
    stop: int

    @property
    def id(self) -> str:
        """The cell's id."""
        return self.cell.id

    @property
    def whole(self) -> bool:
        """Whether it is all of them."""
        return self.stop - self.first == self.cell.settings.replicas

    def text(self) -> str:
        """In one line."""
        return f"{self.first}:{self.stop} {self.cell.text()}"


def shards(cell: Cell, count: int) -> list[Shard]:
    """A cell in at most `count` shards of about the same size; in one, where it cannot be shared out."""
    how = cell.settings
    shared = how.backend == "numpy" and how.seconds is None and not how.unchecked
    if cell.not_applicable or cell.broken or not shared:
        count = 1
    ends = np.linspace(0, how.replicas, min(max(count, 1), how.replicas) + 1).astype(int).tolist()
    return [Shard(cell, first, stop) for first, stop in pairwise(ends)]


def parse(line: str) -> Shard:
    """A cell, or a shard, from its line; a cell is a shard of all its replicas.

    Raises `InputError` for what is neither.
    """
    found = re.fullmatch(r"(?:(\d{1,12}):(\d{1,12}) )?(\{.*\})", line.strip())
    if not found:
        raise InputError(f"a job's line is a cell, or FIRST:STOP and a cell, but {line[:60]!r} was given")
    try:
        cell = Cell.parse(found[3])
    except (TypeError, ValueError) as error:
        raise InputError(f"a job's line holds no cell ({error}): {line[:60]!r}") from error
    first, stop = (int(found[1]), int(found[2])) if found[1] else (0, cell.settings.replicas)
    if not 0 <= first < stop <= cell.settings.replicas:
        raise InputError(
            f"a shard's replicas lie between 0 and {cell.settings.replicas}, but {first}:{stop} was given"
        )
    return Shard(cell, first, stop)
