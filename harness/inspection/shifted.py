"""Traffic that changed after training: what stations carry in the held-out weeks, had the world moved.

    season        every second station's day runs so many hours later
    level         all stations carry so many times the load
    neighbours    stations change places on the ring, 0 2 1 3: bursts reach others than they did

One thing moves, the random numbers of the series (`harness.tasks.traffic`) stay. Loads are standardised by
the
mean and standard deviation of the training weeks as they were, which is all that a network trained on these
can know. No clock is given, so that a day later at all stations would be no change at all.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from harness.core.errors import one_of
from harness.tasks.traffic import PARTS, SEED, WEEK, Traffic, loads, restless, seasonal

Array = Any
MOVED = (1, 3)
PLACES = (0, 2, 1, 3)


class Shift(NamedTuple):
    """What changed, and by how much."""

    kind: str
    """One of `KINDS`."""
    amount: float
    """Hours of `season`, a factor of `level`; of `neighbours` it says nothing."""

    @property
    def name(self) -> str:
        """In words."""
        return {
            "season": f"two stations' day {self.amount:g} h later",
            "level": f"all loads × {self.amount:g}",
            "neighbours": "stations 2 and 3 change places",
        }[self.kind]


KINDS = ("season", "level", "neighbours")
USUAL = (Shift("season", 3), Shift("level", 1.3), Shift("neighbours", 1))


def shifted_loads(shift: Shift) -> Array:
    """Gigabytes an hour (hours, stations) of the twelve weeks, changed from the first hour on.

    Raises `InputError` for a kind that there is none of.
    """
    one_of("kind", shift.kind, KINDS)
    count = PARTS["held"].stop
    hours = np.arange(count)
    season, rest = seasonal(hours), restless(count, SEED)
    if shift.kind == "season":
        later = seasonal(np.maximum(hours - round(shift.amount), 0))
        season = np.stack([(later if c in MOVED else season)[:, c] for c in range(season.shape[1])], axis=1)
    if shift.kind == "level":
        season = season + np.log(shift.amount)
    if shift.kind == "neighbours":
        rest = rest[:, PLACES]
    return np.round(np.exp(season + rest), 1)


def held_out(task: Traffic, shift: Shift | None = None) -> tuple[Array, Array]:
    """Inputs (N, window · stations) and targets (N, horizon · stations) of the held-out weeks; None: as they
    were.
    """
    if shift is None:
        return task.part("held")
    known = loads(PARTS["held"].stop // WEEK)[slice(*PARTS["training"])]
    z = (shifted_loads(shift) - known.mean(axis=0)) / known.std(axis=0)
    last = task.last_seen("held")[:, None]
    hours = last + np.arange(1 - task.window, 1), last + np.arange(1, task.horizon + 1)
    x, target = (z[of].reshape(len(last), -1) for of in hours)
    return x, target


def nrmse(y: Array, target: Array) -> Array:
    """Root mean squared error (R,) of forecasts (R, N, outputs), in standard deviations of the training
    weeks."""
    return np.sqrt(((y - target) ** 2).mean(axis=(-1, -2)))
