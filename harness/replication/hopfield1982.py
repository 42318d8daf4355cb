"""Claims of Hopfield 1982, PNAS 79:2554-2558:
how many patterns a network of units that are 0 or 1 can hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.replication.capacity import kept
from harness.replication.claim import RECALLED, Claim, Observation, Setting
from harness.replication.figure import Measured, Range
from harness.replication.measures import bootstrapped, mean

HOPFIELD = "Hopfield 1982"
LOADS = Observation(
    kept,
    {"units": 100, "stored": (5, 10, 15, 20, 25, 30), "states": "binary", "replicas": 200},
    {"replicas": 20},
)


def whole(record: Any) -> Measured:
    """The share of patterns that stand without an error."""
    return mean(record.replicas["right"], "of the patterns without an error", 0.99)


def half(seen: Any) -> Measured:
    """Patterns over units where half of the patterns are whole, between loads by straight lines."""
    load = np.asarray(seen["load"], float)

    def crossing(samples: Any) -> Any:
        share = samples[0].mean(axis=-2)
        after = (share < 0.5).argmax(axis=-1)
        high, low = (np.take_along_axis(share, (after - back)[..., None], -1)[..., 0] for back in (1, 0))
        met = (share[..., 0] >= 0.5) & (share[..., -1] < 0.5)
        way = (high - 0.5) / np.where(met, high - low, 1.0)
        return np.where(met, load[after - 1] + way * (load[after] - load[after - 1]), np.nan)

    return bootstrapped(
        crossing, [np.asarray(seen["whole"], float)], "patterns a unit with half of them whole"
    )


CLAIMS = (
    Claim("hopfield1982/without_errors", "2", "ten patterns in a hundred units: .6 stand without an error",
          HOPFIELD, RECALLED, Range(0.55, 0.65, ".6, to half a digit"), whole,
          (Setting.of("experiment=hopfield1982/recall run.replicas=1000", "run.replicas=20"),)),
    Claim("hopfield1982/capacity", "2", "about .15 N patterns before error in recall is severe", HOPFIELD,
          RECALLED, Range(0.1, 0.2, "about .15: from .1 to .2 patterns a unit"), half, (LOADS,),
          "What error is severe is not said; here it is where half of the patterns have one."),
)  # fmt: skip
