"""Where what is done of a cell is kept until all of it is: what `run_cell` asks of whoever has files.

A long cell that is ended goes on from what was kept, with the same bits; so does one whose replicas are
trained by several processes that know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from harness.training.snapshot import Checkpoint
from harness.training.trained import Trained


class Kept(NamedTuple):
    """What is there of a cell before it is run."""

    done: Trained | None
    """Finished replicas, in order."""
    begun: list[list[int]]
    """The replicas of each batch of which there is a checkpoint."""
    backend: str
    """By what they were trained; '' where there are none."""

    def among(self, numbers: Sequence[int]) -> Kept:
        """The part of it that is about some replicas."""
        wanted = set(numbers)
        done = self.done
        if done is not None:
            which = np.isin(done.replica, list(wanted))
            done = done.rows(which) if which.any() else None
        left = wanted - set(done.replica.tolist() if done else ())
        return Kept(done, [some for some in self.begun if left.issuperset(some)], self.backend)

    def left(self, chunks: Sequence[Sequence[int]]) -> list[list[int]]:
        """What is to be trained of some chunks: batches that were begun as they were, then the others."""
        known = {i for some in self.begun for i in some}
        known |= set(self.done.replica.tolist() if self.done else ())
        rest = [[i for i in chunk if i not in known] for chunk in chunks]
        return [*self.begun, *filter(None, rest)]


class Keeper(Protocol):
    """Keeps it."""

    def before(self) -> Kept:
        """What is there already."""

    def batch(self, replicas: Sequence[int]) -> Checkpoint:
        """Where a batch of these replicas is kept while it is trained; can be pickled."""

    def finish(self, trained: Trained) -> None:
        """Hear what became of a batch."""


NOTHING = Kept(None, [], "")
