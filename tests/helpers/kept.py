"""Finished cells with made-up replicas and weights, put into a store: for what reads stores."""

from __future__ import annotations

import numpy as np

from harness.cells.cell import Cell
from harness.experiment.result import Result
from harness.training.curves import curve_epochs
from harness.training.trainer import Trained
from helpers.made_up import BUDGET, D, S, U

XOR, STRICT = (
    {"name": "xor"},
    {"name": "xor", "target_off": 0.1, "target_on": 0.9, "criterion": "margin", "bound": 0.05},
)


def keep(
    store,
    algorithm,
    task=XOR,
    outcome=(S,),
    epochs=(10,),
    *,
    weights=None,
    loss=None,
    held=None,
    seconds=0.002,
    **run,
):
    """A finished cell with made-up replicas in the store; its id. Curves are the final loss throughout."""
    algorithm = {"name": algorithm} if isinstance(algorithm, str) else algorithm
    n = len(outcome)
    cell = Cell.of(algorithm, task, {"replicas": n, "epochs": BUDGET, **run})
    made = Trained.empty(range(n), len(curve_epochs(cell.settings.epochs)))
    made.outcome[:], made.epochs[:], made.updates[:] = outcome, epochs, epochs
    made.seconds[:] = seconds * made.epochs
    made.reason[:] = [
        {S: "", U: "budget of epochs spent", D: "output activity not finite"}[o] for o in outcome
    ]
    made.loss[:] = np.where(made.outcome == S, 0.1, 0.5) if loss is None else loss
    made.right[:] = np.where(made.outcome == S, 1.0, 0.75)
    made.held_right[:] = np.nan if held is None else held
    made.loss_curve[:] = np.where(made.outcome == D, np.inf, made.loss)[:, None]
    made.right_curve[:] = made.right[:, None]
    made.weights.update(weights or {})
    store.write(cell, Result(cell.algorithm, cell.task, cell.settings, made))
    return cell.id


def weights(sizes, replicas=1, seed=0):
    """Random weights of a chain as a store names them."""
    rng = np.random.default_rng(seed)
    names = ["input", "hidden", "output"]
    edges = {f"{a}-{b}": (m, n) for a, b, m, n in zip(names, names[1:], sizes, sizes[1:], strict=False)}
    biases = {name: (1, n) for name, n in zip(names[1:], sizes[1:], strict=True)}
    return {name: rng.normal(0, 3, (replicas, *shape)) for name, shape in (edges | biases).items()}
