"""Somebody who looks on while a batch is trained, and takes no part: weights are read, nothing is changed.

Training knows only this form. The credit probe (`harness.credit.probe`) has it, and `harness.experiment`
hands it in.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.core.algorithm import Algorithm, Batch, State
from harness.core.network import Network


class Moment(NamedTuple):
    """A batch in training as it stands before the updates of an epoch."""

    epoch: int
    algorithm: Algorithm
    net: Network
    state: State
    batch: Batch
    """All training patterns."""
    rows: NDArray[np.int64]
    """Which of the replicas each row of the batch is."""
    running: NDArray[np.bool_]
    """Which rows are not finished."""


class Watch(Protocol):
    """What the trainer asks of it."""

    @property
    def epochs(self) -> NDArray[np.int64]:
        """The epochs at which it wants to look."""

    def look(self, moment: Moment) -> None:
        """See the batch at one of them."""

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Hear that only the rows in `mask` stay in the batch."""

    @property
    def found(self) -> dict[str, NDArray[np.float64]]:
        """What it saw, by 'quantity/edge': (R, epochs), for `Trained.credit`."""

    def said(self) -> dict[str, Any]:
        """What the record is to say of it, for `Trained.ran`."""

    def saved(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """What it has seen and how far it is: arrays by name, and words, for a snapshot."""

    def put_back(self, arrays: dict[str, NDArray[Any]], words: dict[str, Any]) -> None:
        """Stand where `saved` was asked."""
