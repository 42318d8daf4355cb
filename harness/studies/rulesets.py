"""Rulesets: which settings a cell has where nobody says.

`usual` are those of the task, `tuned` those that `python -m harness.tune` found for the rule on the task, and
`published` those that a paper printed for it: the preset (`experiment=…`) of the rule on the task, where
there is one.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.studies.request import PUBLISHED, USUAL


def ruled(cell: Cell, ruleset: str, named: Collection[str], store: str) -> Cell:
    """The cell under a ruleset.

    Args:
        cell: as it was composed, under the usual one.
        ruleset: one of `harness.studies.request.RULESETS`.
        named: settings that somebody chose, by dotted name (`algorithm.rate`): they stay as they are.
        store: the folder of the store.

    Raises:
        InputError: where there are no such settings for it, or not one set of them, or a preset says others.
    """
    if ruleset == USUAL or cell.broken:
        return cell
    if "experiment" in named:
        raise InputError(
            f"a preset (experiment=…) has settings of its own, and ruleset={ruleset} others: give one of them"
        )
    if ruleset == PUBLISHED:
        from harness.studies.presets import published  # here, like the next: most runs are usual ones

        return published(cell, named)
    if cell.not_applicable:
        return cell
    from harness.tuning import shelf  # here: most runs are usual ones, and start without it

    return shelf.tuned(cell, named, shelf.shelves(Path(store)))
