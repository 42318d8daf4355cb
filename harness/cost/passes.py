"""A budget in forward passes: the same for every rule, whatever an epoch of it takes."""

from __future__ import annotations

from dataclasses import replace

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.cost.sheet import CostSheet, sheet


def within(cell: Cell, passes: float, setting: str) -> tuple[Cell, CostSheet]:
    """The cell with as many epochs as so many forward passes over all patterns pay for, and what one costs.

    Args:
        cell: one that can be run.
        passes: the budget of a network; an epoch of backprop takes about three.
        setting: what the budget is called, for the message.

    Raises:
        InputError: where the budget ends before the first epoch.
    """
    counted = sheet(cell)
    epochs = int(passes / counted.forward_passes)
    if epochs < 1:
        raise InputError(
            f"a budget of {passes:g} forward passes ends before the first epoch of {cell.algorithm.name} on "
            f"{cell.task.name}, which takes {counted.forward_passes:.1f}: raise {setting}"
        )
    return replace(cell, settings=replace(cell.settings, epochs=epochs)), counted
