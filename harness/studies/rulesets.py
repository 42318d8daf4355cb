"""Rulesets: which settings a cell has where nobody says.

`usual` are those of the task, `tuned` those that `python -m harness.tune` found for the rule on the task. A
third kind, those that a paper printed, are presets (`experiment=…`).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from harness.cells.cell import Cell
from harness.core.errors import InputError


def ruled(cell: Cell, ruleset: str, named: Collection[str], store: str) -> Cell:
    """The cell under a ruleset.

    Args:
        cell: as it was composed, under the usual one.
        ruleset: `usual` or `tuned`.
        named: settings that somebody chose, by dotted name (`algorithm.rate`): they stay as they are.
        store: the folder of the store.

    Raises:
        InputError: where there are no tuned settings for it, or a preset says others.
    """
    if ruleset == "usual" or cell.not_applicable or cell.broken:
        return cell
    if "experiment" in named:
        raise InputError(
            "a preset (experiment=…) has settings of its own, and ruleset=tuned others: give one of them"
        )
    from harness.tuning import shelf  # here: most runs are usual ones, and start without it

    return shelf.tuned(cell, named, shelf.shelves(Path(store)))
