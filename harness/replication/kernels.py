"""What printed and learnt T-C kernels do:
how many units a letter turns on, and which kinds of detector come up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.core.registry import build_task
from harness.inspection.kernels import kinds
from harness.replication.figure import Measured
from harness.replication.measures import exactly, share
from harness.replication.networks import solved
from harness.tasks.t_c import LETTERS, T_C, TURNS

Array = Any
RANDOM = 2 * 0.0004
"""The share of random kernels that a kind of two directions is given
at a |cosine| of .9, at most (`inspection.kernels`).
"""


def turned_on(kernel: Array, threshold: float) -> Array:
    """Threshold units that a T and a C turn on, (letters, rotations),
    of a map with this kernel (3, 3) in all places.
    """
    task = T_C()
    edge = task.network().edges[0]
    net = edge.send(np.asarray(kernel, float).reshape(9, 1), task.patterns().x)
    return (net > threshold).sum(axis=-1).reshape(len(LETTERS), len(TURNS))


def units(kernel: Array, threshold: float, off: bool = False) -> Measured:
    """How many units of a map are on for each letter, or `off`,
    whatever its rotation: NaN where rotations differ.
    """
    on = turned_on(kernel, threshold)
    each = (T_C().network().groups[1].size - on) if off else on
    counts = [float(row[0]) if (row == row[0]).all() else np.nan for row in each]
    text = ", ".join(f"{name} {'/'.join(map(str, row))}" for name, row in zip(LETTERS, each, strict=True))
    return exactly(counts[0], f"units {'off' if off else 'on'} in four rotations: {text}", *counts)


def fewest_of_one_and_most_of_other(kernel: Array, threshold: float) -> Measured:
    """The fewest units that a T turns on in a rotation, and the most that a C does."""
    t, c = turned_on(kernel, threshold)
    return exactly(
        float(t.min()),
        f"a T turns on {t.min()} or more, a C {c.max()} or fewer",
        float(t.min()),
        float(c.max()),
    )


def of_kind(record: Any, kind: str) -> Measured:
    """Solved T-C networks whose shared kernel is a detector of this kind, with a 99 % interval."""
    task: Any = build_task(record.meta["task"])
    learnt = record.weights[task.network().edges[0].name][solved(record)].reshape(-1, 3, 3)
    return share(kinds(learnt).kind == kind, f"kernels of those solved are {kind}", 0.99)
