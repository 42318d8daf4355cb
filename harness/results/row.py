"""A row of a study's table: a cell, or cells that differ in their seed alone, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.experiment.summary import Summary


@dataclass(frozen=True)
class Row:
    """A cell in the table, or cells that differ in their seed alone, pooled."""

    id: str
    """Of pooled cells all ids, with blanks between."""
    task: str
    algorithm: str
    status: str
    """finished, not applicable, failed or not run"""
    reason: str
    """Why there are no numbers."""
    summary: Summary | None
    learning_rate: float = np.nan
    """The rule's own; NaN where it has none."""
    optimiser: str = ""
    """What takes the steps: `harness.results.asked.optimiser`."""
    hidden_units: float = np.nan
    """Those that the rule learns with, all layers together; NaN, like the next, where they are not known."""
    network_units: float = np.nan
    """Those of the task's network."""
    budget_epochs: float = np.nan
    """The most epochs that a replica may run."""
    tuning_flops: float = np.nan
    """Work of the search that found its settings (`harness.tune`); NaN where they are no tuned ones."""
    work_over_backprop: float = np.nan
    """Expected work with restarts at the best cutoff ÷ that of backprop on the same task in the same study,
    over the replicas that both have, the first of each."""
    decades: float = np.nan
    """Of its learning rate, in which a success costs at most twice the least, with its 95 % interval
    (`harness.results.decades`); NaN where the rate was not varied."""
    decades_low: float = np.nan
    decades_high: float = np.nan
