"""A finished cell in memory: what became of each replica, as columns, frames and words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.cells.settings import Settings
from harness.core.algorithm import Algorithm
from harness.core.outcomes import fates
from harness.core.task import Task
from harness.training.curves import QUANTILES, drawn_at, quantiles
from harness.training.plan import Plan
from harness.training.trained import Trained

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(repr=False)
class Result:
    """A finished cell in memory: `print` it for a summary; `frame` and `curves` are pandas, `plot` draws.

    Args:
        algorithm, task, settings: what was run, with every None filled in.
        trained: what became of each replica, as arrays.

    >>> from harness import run
    >>> from algorithms.backprop import Backprop
    >>> from harness.tasks.xor import Xor
    >>> result = run(Backprop(), Xor(), replicas=4, epochs=10)
    >>> result.solved.tolist(), len(result.frame())
    ([False, False, False, False], 4)
    """

    algorithm: Algorithm
    task: Task
    settings: Settings
    trained: Trained

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Which replicas solved the task."""
        return fates(self.columns()).solved

    @property
    def weights(self) -> dict[str, NDArray[Any]]:
        """Final weights by parameter name, (R, rows, columns)."""
        return self.trained.weights

    @cached_property
    def cost(self) -> dict[str, Any]:
        """What an update, a prediction and a forward pass of one network cost (`CostSheet.numbers`); settling
        at the steps that it took.
        """
        from harness.cells.cell import Cell
        from harness.cost.settled import as_run
        from harness.cost.sheet import cost_of

        return as_run(cost_of(Cell(self.algorithm, self.task, self.settings)), self.columns())

    @property
    def epochs(self) -> NDArray[np.int64]:
        """The epochs at which curves were drawn, (E,)."""
        return drawn_at(self.task, Plan.of(self.settings))

    def columns(self) -> dict[str, NDArray[Any]]:
        """The per-replica table as columns; every outcome is in it.

        Returns:
            Arrays (R,) by name: replica, outcome, epochs (sweeps spent), updates, seconds, reason, loss (E at
            the end), right (share of training patterns), the same of validation and held-out patterns, and
            what the algorithm says of itself (`Algorithm.told`).
        """
        t = self.trained
        names = ["replica", "outcome", "epochs", "updates", "seconds", "reason"]
        names += ["loss", "right", "validation_rmse", "validation_right", "held_rmse", "held_right"]
        return {name: getattr(t, name) for name in names} | t.told

    def curve_columns(self) -> dict[str, NDArray[Any]]:
        """Quantiles over replicas of loss and share of right patterns at each curve epoch.

        Returns:
            Arrays (E,) by name: epoch, loss_q50, right_q25, …
        """
        columns: dict[str, NDArray[Any]] = {"epoch": self.epochs}
        for name, curve in (("loss", self.trained.loss_curve), ("right", self.trained.right_curve)):
            for q, values in zip(QUANTILES, quantiles(curve).T, strict=True):
                columns[f"{name}_q{round(100 * q):02d}"] = values
        return columns

    def credit_columns(self) -> dict[str, NDArray[Any]]:
        """What the probe found: quantiles over the replicas that had something to compare, and how many had.

        Returns:
            Columns by name; docs/credit.md says what the quantities are.
        """
        from harness.credit.probe import probe_epochs, quantile_columns

        return quantile_columns(
            probe_epochs(int(self.settings.epochs or 0), self.settings.probe), self.trained.credit
        )

    def frame(self) -> pd.DataFrame:
        """The per-replica table.

        Returns:
            A frame with a row for each replica, and the columns of `columns`.
        """
        import pandas as pd

        return pd.DataFrame(self.columns())

    def curves(self) -> pd.DataFrame:
        """The curves.

        Returns:
            A frame with a row for each curve epoch, and the columns of `curve_columns`.
        """
        import pandas as pd

        return pd.DataFrame(self.curve_columns())

    def plot(self) -> Figure:
        """How it learned: the loss against epochs, and the share of replicas still unsolved.

        Returns:
            A matplotlib figure, which pyplot does not know of: `plot().savefig("learning.png")` writes it.
        """
        from harness.drawing.learning import learning_figure

        keys = {
            "id": "",
            "task": self.task.name,
            "algorithm": self.algorithm.name,
            "budget_epochs": self.settings.epochs,
        }
        return learning_figure(self.curves().assign(**keys), self.frame().assign(**keys))

    def __str__(self) -> str:
        from harness.core import registry
        from harness.experiment.describe import Facts, describe

        t, named = self.trained, registry.settings_of
        credit = self.credit_columns() if self.settings.probe else {}
        return describe(
            Facts(
                named(self.algorithm),
                named(self.task),
                asdict(self.settings),
                self.columns(),
                {},
                credit,
                t.ran,
            )
        )

    def __repr__(self) -> str:
        n, solved = len(self.solved), int(self.solved.sum())
        return (
            f"<{self.algorithm.name} on {self.task.name}: {solved} of {n} replicas solved; print it for more>"
        )

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"
