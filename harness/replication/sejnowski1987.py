"""Claims of Sejnowski & Rosenberg 1987, Parallel networks
that learn to pronounce English text, Complex Systems 1:145-168.
"""

from __future__ import annotations

from typing import Any

from harness.replication.claim import RECALLED, Claim, Setting
from harness.replication.figure import Elsewhere, Measured
from harness.replication.measures import mean

NETTALK = "Sejnowski & Rosenberg 1987"
OTHER = "its words are not free to ship, and outputs are features there; ours are labels of other words"
READ = Setting.of("experiment=sejnowski1987/nettalk", "run.replicas=2 run.epochs=2")


def learnt(record: Any) -> Measured:
    """The share of the letters learnt that are right at the end."""
    return mean(record.replicas["right"], "of the letters of the words learnt")


def others(record: Any) -> Measured:
    """The share of the letters right in the words held out."""
    return mean(record.replicas["held_right"], "of the letters of the words held out")


CLAIMS = (
    Claim("sejnowski1987/learnt", "3", "NETtalk says 95 % of the letters of the words learnt", NETTALK,
          RECALLED, Elsewhere("95 % of the phonemes, one network", OTHER), learnt, (READ,)),
    Claim("sejnowski1987/others", "3", "and 77 to 78 % of those of a text it has not seen", NETTALK, RECALLED,
          Elsewhere("77 to 78 % of the phonemes, one network", OTHER), others, (READ,)),
)  # fmt: skip
