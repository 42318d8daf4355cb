"""Observation: what is left of backprop's credit in the first hidden layer,
beside the last, at initial weights.
"""

from __future__ import annotations

from typing import Any

from algorithms.backprop import Backprop
from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.credit.vanishing import left
from harness.tasks.deep_chain import DeepChain


def credit_left(init: str, depth: int, replicas: int) -> dict[str, Any]:
    """`ratio` (R,): RMS credit of the weights into the first ÷ the last hidden layer
    of 50 logistic units, 4 bits of parity.
    """
    algorithm, task = Backprop(), DeepChain(depth=depth, width=50, bits=4, init=init)
    cell = Cell(
        algorithm.resolved(task.usual), task.resolved(), Settings(replicas=replicas).resolved(algorithm, task)
    )
    return {"ratio": left(cell).ratio}
