"""Rulesets: which settings a cell has where nobody says.

`usual` are those of the task, `tuned` those that `python -m harness.tune` found for the rule on the task, and
`published` those that a paper printed for it: the preset (`experiment=…`) of the rule on the task, where
there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.studies.request import PUBLISHED, TUNED, USUAL, Request


def ruled(cell: Cell, asked: Request, named: Sequence[str]) -> Cell:
    """The cell under a ruleset and a budget.

    Args:
        cell: as it was composed, under the usual one.
        asked: the ruleset, the budget in forward passes, and the store, in which tuned settings are.
        named: settings that somebody chose, by dotted name (`algorithm.rate`), in their order: they stay as
            they are, and of two budgets the one named last counts.

    Raises:
        NotReady: where nothing is tuned for it, or what it takes cannot be counted.
        InputError: where what is there is not one set of settings for it, a preset says others, or the budget
            ends before the first epoch.
    """
    if asked.ruleset != USUAL and not cell.broken:
        if "experiment" in named:
            raise InputError(
                f"a preset (experiment=…) has settings of its own, and ruleset={asked.ruleset} others: give "
                "one of them"
            )
        # imported here, like what follows: most runs are usual ones
        if asked.ruleset == PUBLISHED:
            from harness.studies.presets import published

            cell = published(cell, named)
        elif asked.ruleset == TUNED and not cell.not_applicable:
            from harness.tuning import shelf

            cell = shelf.tuned(cell, named, shelf.shelves(Path(asked.store)))
    counts = asked.passes is not None and not _later(named, "run.epochs", "passes")
    if asked.passes is None or not counts or cell.broken or cell.not_applicable:
        return cell
    from harness.cost.passes import within

    return within(cell, asked.passes, "passes")[0]


def _later(named: Sequence[str], one: str, other: str) -> bool:
    """Whether one of two settings is named after the other, and so counts, as with all overrides."""
    last = {name: i for i, name in enumerate(named)}
    return one in last and last[one] > last.get(other, -1)
