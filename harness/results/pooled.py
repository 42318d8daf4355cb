"""Cells that differ in their seed alone, as one: each stays a record, and a table shows them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.credit.probe import probe_epochs, quantile_columns
from harness.experiment.summary import Summary, summarise
from harness.store.record import Record

KEYED = ("code", "data", "numpy", "jax", "jaxlib")  # the versions that make another cell of the same settings


@dataclass(frozen=True)
class Pool:
    """Finished cells of one setting and several seeds, read as one cell with the replicas of all."""

    records: tuple[Record, ...]

    @property
    def meta(self) -> dict[str, Any]:
        """What they have in common (`Record.meta`), without a seed."""
        meta = self.records[0].meta
        return meta | {"run": {name: value for name, value in meta["run"].items() if name != "seed"}}

    @property
    def count(self) -> int:
        """How many seeds there are."""
        return len(self.records)

    @property
    def replicas(self) -> dict[str, Any]:
        """The replicas of all, as `Record.replicas` has those of one."""
        return _stacked([record.replicas for record in self.records])

    def summary(self) -> Summary:
        """The numbers of all replicas together."""
        first, columns = self.records[0], self.replicas
        credit = {}
        if first.probes:
            run = first.meta["run"]
            probes = _stacked([record.probes for record in self.records])
            credit = quantile_columns(probe_epochs(int(run["epochs"]), run["probe"]), probes)
        return summarise(columns, first.cost, credit)


def pooled(ids: Sequence[str], records: Mapping[str, Record]) -> dict[str, Record | Pool | None]:
    """Cells by id, None for those without a record; in the place of the first of a pool all of it, by the
    ids of its cells with blanks between.
    """
    alike: dict[str, list[str]] = {}
    for i in ids:
        alike.setdefault(_setting(records[i]) if i in records else i, []).append(i)
    together: dict[str, Record | Pool | None] = {}
    for some in alike.values():
        known = [records[i] for i in some if i in records]
        together[" ".join(some)] = Pool(tuple(known)) if len(known) > 1 else known[0] if known else None
    return together


def _setting(record: Record) -> str:
    """All that a finished cell is, but its seed; of another, its id."""
    meta = record.meta
    if not record.finished:
        return record.id
    run = {name: value for name, value in meta["run"].items() if name != "seed"}
    return repr([meta["algorithm"], meta["task"], run, *(meta["versions"].get(of) for of in KEYED)])


def _stacked(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
