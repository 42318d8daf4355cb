"""Whether two stores hold the same records, bit for bit, all but seconds and what says how they were made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from harness.store.store import Store


def same_records(one: Store, other: Store, cells: int) -> None:
    """Fail where they do not, or do not hold this many."""
    assert one.cells() == other.cells()
    assert len(one.cells()) == cells
    for i in one.cells():
        a, b = one.cell_folder(i), other.cell_folder(i)
        assert sorted(p.name for p in a.iterdir()) == sorted(p.name for p in b.iterdir())
        for path in sorted(a.glob("*.parquet")):
            same_columns(path, b / path.name)
        with np.load(a / "weights.npz") as mine, np.load(b / "weights.npz") as theirs:
            assert sorted(mine) == sorted(theirs)
            for name in mine:
                assert mine[name].dtype == theirs[name].dtype
                assert mine[name].tobytes() == theirs[name].tobytes(), (i, name)


def same_columns(a: Path, b: Path) -> None:
    mine, theirs = pd.read_parquet(a), pd.read_parquet(b)
    assert list(mine) == list(theirs)
    for name in mine:
        if name != "seconds":
            assert mine[name].to_list() == theirs[name].to_list() or mine[name].equals(theirs[name]), (
                a,
                name,
            )
