"""Rulesets: which settings a cell has where nobody says.

`usual` are those of the task, `tuned` those that `python -m harness.tune` found for the rule on the task. A
third kind, those that a paper printed, are presets (`experiment=…`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.studies.request import Request


def ruled(cell: Cell, asked: Request, named: Sequence[str]) -> Cell:
    """The cell under a ruleset and a budget.

    Args:
        cell: as it was composed, under the usual one.
        asked: the ruleset, the budget in forward passes, and the store, in which tuned settings are.
        named: settings that somebody chose, by dotted name (`algorithm.rate`), in their order: they stay as
            they are, and of two budgets the one named last counts.

    Raises:
        InputError: where there are no tuned settings for it, a preset says others, or the budget ends before
            the first epoch.
    """
    if (asked.ruleset == "usual" and asked.passes is None) or cell.not_applicable or cell.broken:
        return cell
    # imported here: most runs are usual ones, and start without them
    if asked.ruleset == "tuned":
        from harness.tuning import shelf

        if "experiment" in named:
            raise InputError(
                "a preset (experiment=…) has settings of its own, and ruleset=tuned others: give one of them"
            )
        cell = shelf.tuned(cell, named, shelf.shelves(Path(asked.store)))
    if asked.passes is None or _later(named, "run.epochs", "passes"):
        return cell
    from harness.cost.passes import within

    return within(cell, asked.passes, "passes")[0]


def _later(named: Sequence[str], one: str, other: str) -> bool:
    """Whether one of two settings is named after the other, and so counts, as with all overrides."""
    last = {name: i for i, name in enumerate(named)}
    return one in last and last[one] > last.get(other, -1)
