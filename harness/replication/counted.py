"""Observations: what one update costs on digits, counted from the code, of rules side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from algorithms.accumulated_backprop import AccumulatedBackprop
from algorithms.backprop import Backprop
from algorithms.checkpointed_backprop import CheckpointedBackprop
from algorithms.eggroll import Eggroll
from algorithms.evolution_strategies import EvolutionStrategies
from algorithms.forward_forward import ForwardForward
from algorithms.local_losses import MonoForward
from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.core.algorithm import Algorithm
from harness.cost.sheet import CostSheet, sheet
from harness.tasks.digits import Digits

RULES: dict[str, Algorithm] = {
    "forward_forward": ForwardForward(),
    "backprop": Backprop(),
    "checkpointed_backprop": CheckpointedBackprop(),
    "accumulated_backprop": AccumulatedBackprop(),
    "mono_forward": MonoForward(),
}


def counted(rule: Algorithm, layers: int, patterns: int) -> CostSheet:
    """The sheet of a rule on digits: `layers` hidden layers of 64 rectified units, so many patterns."""
    task = Digits(layers=layers, activation="relu")
    settings = replace(Settings(replicas=1), batch=patterns)
    return sheet(Cell(rule.resolved(task.usual), task.resolved(), settings.resolved(rule, task)))


def costs(rules: Sequence[str], sizes: Sequence[int], n: int) -> dict[str, Any]:
    """`peak` and `work` (rules, sizes): bytes that an update of n patterns holds at most, and its FLOPs.

    `sizes` are numbers of hidden layers.
    """
    sheets = [[counted(RULES[name], layers, n) for layers in sizes] for name in rules]
    return {
        "peak": np.array([[s.peak_bytes for s in row] for row in sheets]),
        "work": np.array([[s.update.work for s in row] for row in sheets]),
        "layers": np.array(sizes),
    }


def throughput(sizes: Sequence[int], n: int) -> dict[str, Any]:
    """Training ÷ inference throughput (sizes,) of `eggroll` and `evolution_strategies`, by count.

    FLOPs of a prediction of a pattern ÷ those of an update for every member and pattern; `*_draws` are random
    numbers for every member.
    """
    found: dict[str, Any] = {"layers": np.array(sizes)}
    for name, rule in (("eggroll", Eggroll()), ("evolution_strategies", EvolutionStrategies())):
        members, each = 2 * rule.pairs, [counted(rule, layers, n) for layers in sizes]
        found[name] = np.array([members * s.predict.work / s.update.work for s in each])
        found[f"{name}_draws"] = np.array([s.update.draws.total() / members for s in each])
    return found
