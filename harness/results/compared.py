"""Two studies beside each other, cell by cell: what only one of them has, and where both have the same
settings what came of it in each.

Cells are alike by their settings, not by their ids: another version of the code, or of NumPy, makes another
cell of the same settings. Replica i of both starts from the same weights, so shares are compared in pairs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from harness.core.outcomes import Fates, fates
from harness.results.gathering import Found
from harness.statistics import Interval, tango
from harness.store.files import FILES
from harness.store.record import Record

TIMES = ("seconds",)
"""The columns of a replica that no two runs have in common."""


class Pair(NamedTuple):
    """A cell in both studies."""

    a: Found
    b: Found
    fates_a: tuple[int, int, int] | None
    """Replicas solved, unsolved and diverged; None where it was not run to the end."""
    fates_b: tuple[int, int, int] | None
    difference: Interval | None
    """Share solved in a − that in b, with Tango's 95 % interval over pairs of replicas."""
    same_bits: bool | None
    """Whether every replica ended with the same bits, whatever time it took; None where one was not run."""

    @property
    def name(self) -> str:
        """What the first study calls it."""
        return f"{self.a.row.task} · {self.a.row.algorithm}"

    @property
    def differs(self) -> bool:
        """Whether the interval of the difference leaves 0 out."""
        return self.difference is not None and not self.difference.low <= 0 <= self.difference.high


class Compared(NamedTuple):
    """Two studies cell by cell."""

    pairs: tuple[Pair, ...]
    only_a: tuple[Found, ...]
    only_b: tuple[Found, ...]


def compared(a: Sequence[Found], b: Sequence[Found]) -> Compared:
    """Two studies, as `harness.results.gathering.found_in` finds their cells, beside each other.

    Of several cells with the same settings in a study, by several versions of the code, each is paired once,
    those with the same id first.
    """
    settings = {cell.row.id: _settings(cell.meta) for cell in (*a, *b) if cell.meta}
    waiting: dict[str, list[Found]] = {}
    for cell in b:
        waiting.setdefault(settings.get(cell.row.id, cell.row.id), []).append(cell)
    ids = {cell.row.id for cell in b}
    of: dict[str, Found] = {}
    for cell in sorted(a, key=lambda cell: cell.row.id not in ids):
        alike = waiting.get(settings.get(cell.row.id, cell.row.id), [])
        if alike:
            of[cell.row.id] = alike.pop(
                next((i for i, each in enumerate(alike) if each.row.id == cell.row.id), 0)
            )
    left = {cell.row.id for some in waiting.values() for cell in some}
    return Compared(
        tuple(_pair(cell, of[cell.row.id]) for cell in a if cell.row.id in of),
        tuple(cell for cell in a if cell.row.id not in of),
        tuple(cell for cell in b if cell.row.id in left),
    )


def _settings(meta: Mapping[str, Any]) -> str:
    return json.dumps([meta["algorithm"], meta["task"], meta["run"]], sort_keys=True)


def _pair(a: Found, b: Found) -> Pair:
    if not (a.record and b.record and a.record.finished and b.record.finished):
        return Pair(a, b, _counts(a), _counts(b), None, None)
    solved = [fates(cell.record.replicas).solved for cell in (a, b) if cell.record]
    n = len(solved[0])
    only_a, only_b = int((solved[0] & ~solved[1]).sum()), int((solved[1] & ~solved[0]).sum())
    difference = Interval((only_a - only_b) / n, *tango(only_a, only_b, n))
    return Pair(a, b, _counts(a), _counts(b), difference, same_bits(a.record, b.record))


def _counts(cell: Found) -> tuple[int, int, int] | None:
    if not (cell.record and cell.record.finished):
        return None
    known: Fates = fates(cell.record.replicas)
    return int(known.solved.sum()), int(known.unsolved.sum()), int(known.diverged.sum())


def same_bits(a: Record, b: Record) -> bool:
    """Whether two records hold the same replicas, curves and weights, to the last bit, times apart."""
    return (
        _same(_without_times(a), _without_times(b))
        and (_same_file(a, b, "histories.parquet") or _same(a.histories, b.histories))
        and (_same_file(a, b, "weights.npz") or _same(a.weights, b.weights))
    )


def _without_times(record: Record) -> dict[str, Any]:
    return {name: values for name, values in record.replicas.items() if name not in TIMES}


def _same_file(a: Record, b: Record, name: str) -> bool:
    sealed = [record.meta.get(FILES, {}).get(name) for record in (a, b)]
    return sealed[0] is not None and sealed[0] == sealed[1]


def _same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return a.keys() == b.keys() and all(_alike(a[name], b[name]) for name in a)


def _alike(a: Any, b: Any) -> bool:
    x, y = np.asarray(a), np.asarray(b)
    if x.shape != y.shape or x.dtype != y.dtype:
        return False
    return x.tolist() == y.tolist() if x.dtype == object else x.tobytes() == y.tobytes()
