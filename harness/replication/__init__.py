"""Published claims held to what is measured:
each with its source, its setting, its figure as data, and a criterion.

`python -m harness.replicate` runs what is missing and prints the table. One file per source; `claims()` is
all of them.
"""

from __future__ import annotations

from importlib import import_module

from harness.replication.claim import Claim

SOURCES = (
    "nature1986", "pdp1986", "pdp1986_in_time", "ackley1985", "hopfield1982", "feedback", "forward_forward",
    "target_propagation", "predictive_coding", "settling", "perturbation", "vanishing", "losses",
    "lecun1989", "sejnowski1987", "mono_forward", "synthetic_and_real", "eggroll", "images", "write_ups",
)  # fmt: skip


def claims() -> list[Claim]:
    """Every claim, sources in the order of the list of published figures.

    Imported when asked for: claims know algorithms.
    """
    return [claim for source in SOURCES for claim in import_module(f"harness.replication.{source}").CLAIMS]
