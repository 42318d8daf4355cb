"""What a success costs in each row of a table, with its interval: as ert.png draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.core.outcomes import fates
from harness.results.row import Row
from harness.statistics import Interval, failure_costs, running_time
from harness.store.record import Record

RESAMPLES, SEED = 4000, 0


def running_times(rows: Sequence[Row], records: Mapping[str, Record]) -> dict[str, Interval]:
    """Expected running times in epochs with their 95 % intervals, by the id of the row.

    Args:
        rows: of a table; those without a summary are left out.
        records: by id, those of the rows; of a row of several cells all their replicas count.
    """
    times = {}
    for row in rows:
        if row.summary:
            some = [records[i] for i in row.id.split()]
            epochs = np.concatenate([record.replicas["epochs"] for record in some]).astype(float)
            solved = np.concatenate([fates(record.replicas).solved for record in some])
            budget = failure_costs(epochs, epochs, [record.meta["run"]["epochs"] for record in some])
            time = running_time(epochs, solved, seed=SEED, budget=budget, resamples=RESAMPLES)
            times[row.id] = Interval(*map(float, time))
    return times
