"""Rulesets: which settings a cell has where nobody says.

`usual` are those of the task, `tuned` those that `python -m harness.tune` found for the rule on the task. A
third kind, those that a paper printed, are presets (`experiment=…`).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.studies.request import Request


def ruled(cell: Cell, asked: Request, named: Collection[str]) -> Cell:
    """The cell under a ruleset and a budget.

    Args:
        cell: as it was composed, under the usual one.
        asked: the ruleset, the budget in forward passes, and the store, in which tuned settings are.
        named: settings that somebody chose, by dotted name (`algorithm.rate`): they stay as they are.

    Raises:
        InputError: where there are no tuned settings for it, a preset says others, or the budget is given
            twice or ends before the first epoch.
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
    if asked.passes is None:
        return cell
    if "run.epochs" in named:
        raise InputError(
            "passes=… and run.epochs=… are two budgets: give one of them (passes is the same for every rule)"
        )
    from harness.cost.passes import within

    return within(cell, asked.passes, "passes")[0]
