"""The torture (`bench.torture`, 200 kills by `make torture`) in small: studies killed at drawn moments, by
the same code, held to a calm run's bits; and a tally that was spoilt on purpose must not be sound."""

from __future__ import annotations

import re
from pathlib import Path
from shutil import copytree

import pytest

from bench.torture import HEAD, STRIKES, Tally, storm, unlike
from bench.torture_scenes import Scene
from harness.store.store import Store
from helpers.repository import ROOT


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The study of eight cells, run by nobody but its command."""
    folder = tmp_path_factory.mktemp("calm")
    store = Store.at(folder / "store")
    Scene(folder, small=True).run(store.path)
    return store


@pytest.mark.parametrize("kind", ["machine", "command", pytest.param("worker", marks=pytest.mark.slow)])
def test_a_study_killed_at_drawn_moments_loses_nothing_and_has_a_calm_runs_bits(
    kind: str, calm: Store, tmp_path: Path
) -> None:
    """One kill of each kind, by the moments of seed 1; a worker's alone is test_pool.py's, SLURM's and Ray's
    are tests/cluster's.
    """
    tally = storm(kind, 1, Scene(tmp_path, small=True), calm, seed=1, longest=1.5)
    assert tally.kills == 1
    assert tally.sound, f"{HEAD}\n{tally.row(kind)}"


def test_a_store_that_lost_or_changed_a_bit_is_told_from_a_calm_one(calm: Store, tmp_path: Path) -> None:
    """The instrument itself: another seed's weights under a cell's name are counted, a calm store's not."""
    copytree(calm.path, tmp_path / "copy")
    copy = Store.at(tmp_path / "copy")
    assert unlike(copy, calm) == 0
    one, other = (copy.cell_folder(i) for i in copy.cells()[:2])
    (one / "weights.npz").write_bytes((other / "weights.npz").read_bytes())
    assert unlike(copy, calm) == 1
    assert not Tally(kills=1, other=1).sound


def test_the_page_of_running_prints_a_table_of_the_whole_torture() -> None:
    """Its columns are the instrument's, its kinds are all there are, and the kills add up to at least 200."""
    page = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    head = HEAD.splitlines()[0]
    rows = re.findall(r"^\| (\w+) \| (\d+) \|", page.partition(head)[2].partition("\n\n")[0], re.M)
    assert {kind for kind, _ in rows} == set(STRIKES)
    assert sum(int(kills) for _, kills in rows) >= 200
