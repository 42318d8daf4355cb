"""The replicas of a cell in chunks, and chunks joined: how many networks are trained at once.

The activities of a chunk fill the processor's cache and no more; where a network alone fills it, it is
trained alone. A replica has the same bits in every chunk, interpreted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from harness.cells.settings import Settings
from harness.core.task import Task
from harness.training.trained import Trained

CACHE = 5 * 2**20  # bytes of activity that a chunk of replicas may hold: measured, see docs/core.md
SMALLEST, LARGEST = 32, 4096  # replicas in a chunk
MEMORY = 2**30  # bytes of activity beyond which a chunk is made smaller still
HEAVY = 2**16  # weights from which on a network is best trained alone: many would not fit the cache


def chunk_size(task: Task, settings: Settings) -> int:
    """Replicas whose activities together fill the cache, within bounds;
    fewer where patterns are so many that memory counts, and one where its weights alone fill it.
    """
    spec, net = task.spec(), task.network()
    if net.size >= HEAVY:
        return 1
    one = spec.patterns * max(spec.steps, 1) * net.workspace * np.dtype(settings.dtype).itemsize
    return int(np.clip(CACHE // one, min(SMALLEST, max(1, MEMORY // one)), LARGEST))


def split(numbers: list[int], size: int, processes: int) -> list[list[int]]:
    """Replicas in chunks of at most `size`, all processes busy if there are enough."""
    count = min(len(numbers), max(-(-len(numbers) // size), processes))
    return [list(map(int, part)) for part in np.array_split(numbers, count)]


def in_order(trained: Trained, numbers: Sequence[int]) -> Trained:
    """The replicas in the order of `numbers`, whatever the order they were trained in."""
    if trained.replica.tolist() == list(numbers):
        return trained
    place = {i: at for at, i in enumerate(trained.replica.tolist())}
    return trained.rows(np.array([place[i] for i in numbers]))


def join(parts: list[Trained]) -> Trained:
    """Chunks one after another."""
    if len(parts) == 1:
        return parts[0]
    columns = [f.name for f in fields(Trained) if f.name not in ("weights", "credit", "told", "ran")]
    joined: dict[str, Any] = {name: np.concatenate([getattr(p, name) for p in parts]) for name in columns}
    joined["credit"] = {name: np.concatenate([p.credit[name] for p in parts]) for name in parts[0].credit}
    joined["ran"] = dict(parts[0].ran)
    for seconds in ("compile_seconds", "probe_seconds"):
        if seconds in parts[0].ran:
            joined["ran"][seconds] = sum(p.ran[seconds] for p in parts)
    for named in ("weights", "told"):
        first: dict[str, Any] = getattr(parts[0], named)
        joined[named] = {name: np.concatenate([getattr(p, named)[name] for p in parts]) for name in first}
    return Trained(**joined)
