"""A budget in forward passes: the same for every rule, whatever an epoch of it takes."""

from __future__ import annotations

from dataclasses import replace

from harness.cells.cell import Cell
from harness.core.errors import ANYTHING, InputError, NotReady
from harness.core.source import line_that_raised
from harness.cost.sheet import Work, work


def within(cell: Cell, passes: float, setting: str) -> tuple[Cell, Work]:
    """The cell with as many epochs as so many forward passes over all patterns pay for, and its work.

    Args:
        cell: one that can be run.
        passes: the budget of a network; an epoch of backprop takes two to three.
        setting: what the budget is called, for the message.

    Raises:
        InputError: where the budget ends before the first epoch.
        NotReady: where the algorithm's code cannot be counted, or raises.
    """
    try:
        counted = work(cell)
    except ANYTHING as error:  # a plug-in's code
        raised = f"{type(error).__name__}: {error}{line_that_raised(error)}"
        raise NotReady(
            f"{setting} needs to know what an epoch of {cell.algorithm.name} on {cell.task.name} takes, "
            f"which cannot be counted: {error if isinstance(error, InputError) else raised}"
        ) from error
    epochs = int(passes / counted.forward_passes)
    if epochs < 1:
        raise InputError(
            f"a budget of {passes:g} forward passes ends before the first epoch of {cell.algorithm.name} on "
            f"{cell.task.name}, which takes {counted.forward_passes:.1f}: raise {setting}"
        )
    return replace(cell, settings=replace(cell.settings, epochs=epochs)), counted
