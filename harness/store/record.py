"""A record: what the store keeps of a finished cell, read as it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.core.outcomes import FINISHED
from harness.experiment.describe import Facts, describe
from harness.experiment.summary import Summary, summarise
from harness.store.files import (
    FILES,
    META,
    Columns,
    Damaged,
    Read,
    held,
    read_arrays,
    read_columns,
    read_json,
    read_meta,
)


@dataclass(frozen=True)
class Record:
    """A cell as the store holds it. Files are read when asked for, and held to the digests in cell.json.

    What is read raises `Damaged` where it is no longer what was written.
    """

    path: Path
    mend: str = "its study, or its cell, run again sets the record aside and makes it anew"
    """What to do where it is damaged."""

    @cached_property
    def meta(self) -> dict[str, Any]:
        """`id`, `status`, `reason`, `algorithm`, `task`,
        `run` (name and settings of each), `versions`, `ran`, `made`.
        """
        return held(self.path / META, read_meta, mend=self.mend)

    @property
    def id(self) -> str:
        """The cell's id."""
        return str(self.meta["id"])

    @property
    def finished(self) -> bool:
        """Whether the cell was run (and not recorded as not applicable)."""
        return bool(self.meta["status"] == FINISHED)

    @cached_property
    def replicas(self) -> Columns:
        """One entry per replica: the columns of `Result.columns`."""
        return self._read("replicas.parquet", self._rows)

    @cached_property
    def curves(self) -> Columns:
        """One entry per curve epoch: the columns of `Result.curve_columns`."""
        return self._read("curves.parquet", read_columns)

    @cached_property
    def histories(self) -> Columns:
        """The curves of each replica at the curve epochs: loss and right, (R, E)."""
        return self._by_replica("histories.parquet")

    @cached_property
    def probes(self) -> Columns:
        """What the credit probe found in each replica, by 'quantity/edge' (R, its epochs)."""
        return self._by_replica("probes.parquet") if self._has("probes.parquet") else {}

    @cached_property
    def cost(self) -> dict[str, Any]:
        """Counts of one update, prediction and forward pass
        of one network (`CostSheet.numbers`), or the `reason` for none.
        """
        return self._read("cost.json", read_json) if self._has("cost.json") else {}

    @cached_property
    def credit(self) -> Columns:
        """What the credit probe found: the columns of `Result.credit_columns`; none where it was off."""
        return self._read("credit.parquet", read_columns) if self._has("credit.parquet") else {}

    @cached_property
    def weights(self) -> Columns:
        """Final weights by parameter name, (R, rows, columns)."""
        return self._read("weights.npz", read_arrays)

    def damage(self) -> str:
        """What is wrong with its files, all of them read; nothing if they are what was written."""
        try:
            if FILES in self.meta:
                for name in self.meta[FILES]:
                    self._read(name, lambda _: None)
            elif self.finished:  # made before there were digests: read them all, and keep nothing
                record = Record(self.path)
                _ = record.replicas, record.curves, record.cost, record.credit, record.weights
        except Damaged as error:
            return error.what
        return ""

    def _has(self, name: str) -> bool:
        return name in self.meta.get(FILES, {}) or (self.path / name).is_file()

    def _read(self, name: str, read: Callable[[Path], Read]) -> Read:
        return held(self.path / name, read, self.meta.get(FILES, {}).get(name, ""), self.mend)

    def _by_replica(self, name: str) -> Columns:
        count = self.meta["run"]["replicas"]
        return {of: values.reshape(count, -1) for of, values in self._read(name, read_columns).items()}

    def _rows(self, path: Path) -> Columns:
        columns = read_columns(path)
        expected, count = self.meta["run"]["replicas"], len(columns["replica"])
        if count != expected:
            raise ValueError(f"it has {count} rows for {expected} replicas")
        return columns

    def facts(self) -> Facts:
        """What words are made of, for a finished cell."""
        algorithm, task, run = (self.meta[part] for part in ("algorithm", "task", "run"))
        ran, versions = self.meta.get("ran", {}), self.meta.get("versions", {})
        return Facts(algorithm, task, run, self.replicas, self.cost, self.credit, ran, versions)

    def summary(self) -> Summary:
        """The numbers of a finished cell."""
        return self._summary

    @cached_property
    def _summary(self) -> Summary:
        return summarise(self.replicas, self.cost, self.credit)

    def __str__(self) -> str:
        """A finished cell in a few lines; of another, why it was not run."""
        if self.finished:
            return describe(self.facts())
        return (
            f"{self.meta['algorithm']['name']} on {self.meta['task']['name']}: "
            f"{self.meta['status']}\n  {self.meta['reason']}"
        )
