"""How a batch of replicas is trained: what the loop needs to know of a cell's settings, and nothing else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.cells.settings import FULL, Settings


class Plan(NamedTuple):
    """How a batch of replicas is trained; all settings resolved."""

    seed: int
    epochs: int
    seconds: float
    """Budget in seconds of updates for this batch; inf for none."""
    batch: int
    """Patterns per update; 0 for all."""
    shuffle: bool
    dtype: str
    device: str = "cpu"

    @classmethod
    def of(cls, settings: Settings, share: float = 1.0) -> Plan:
        """The plan of a batch that holds this `share` of a cell's replicas,
        and of its seconds; settings resolved.
        """
        seconds = np.inf if settings.seconds is None else settings.seconds * share
        batch = 0 if settings.batch == FULL else int(settings.batch)
        return cls(
            settings.seed,
            int(settings.epochs or 0),
            seconds,
            batch,
            settings.shuffle,
            settings.dtype,
            settings.device,
        )
