"""The study `t_c` in words: what shared kernels became,
which rules found them, and what is known in other positions.

Kernels are counted of replicas that solved the task, one kernel each; shares have Wilson's interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.shares import mean, percents, share
from harness.answers.words import several
from harness.core.outcomes import SOLVED
from harness.experiment.digits import number
from harness.inspection.kernels import KINDS, LEAST, OTHER, kinds
from harness.tasks.t_c import KERNEL, SMALLEST

if TYPE_CHECKING:
    import pandas as pd

    from harness.store.record import Record

Array = Any
LOOSER = 0.8
"""A second threshold beside `LEAST`, to see whether it decides."""
OPTIMISERS = {"gradient_descent": "gradient descent", "adam": "Adam"}
EDGE = "input-hidden"


class Kernels(NamedTuple):
    """What a cell's solved replicas learnt."""

    name: str
    learnt: Array
    """(n, 3, 3)"""
    replicas: int
    """Of the cell, solved or not."""


def how(meta: Any) -> str:
    """How a cell was trained: optimiser, rate, and whether on, until every output was near its target."""
    optimiser = meta["algorithm"]["optimiser"]
    further = f", to within {meta['task']['bound']:g}" if meta["task"]["criterion"] == "margin" else ""
    return f"{OPTIMISERS.get(optimiser['name'], optimiser['name'])} at {optimiser['lr']:g}{further}".replace(
        "0.", "."
    )


def kernels(records: Iterable[Record]) -> list[Kernels]:
    """Of backprop's cells with one shared kernel and one position,
    all ways of training it that a replica solved.
    """
    trained = []
    for record in records:
        task, rule = record.meta["task"], record.meta["algorithm"]["name"]
        if rule == "backprop" and task["shared"] and task["features"] == 1 and task["retina"] == SMALLEST:
            solved = record.replicas["outcome"] == SOLVED
            if solved.any():
                learnt = record.weights[EDGE][solved].reshape(-1, KERNEL, KERNEL)
                trained.append(Kernels(how(record.meta), np.asarray(learnt, float), len(solved)))
    return trained


def counted(trained: Iterable[Kernels]) -> pd.DataFrame:
    """A row of texts for each way of training:
    how many kernels are of each kind, at both thresholds for those of none.
    """
    import pandas as pd

    rows = []
    for cell in trained:
        n, strict, loose = len(cell.learnt), kinds(cell.learnt), kinds(cell.learnt, LOOSER)
        rows.append(
            {"trained by": cell.name, "solved [95 %]": share(n, cell.replicas)}
            | {f"{kind} [95 %]": share(int((strict.kind == kind).sum()), n) for kind in KINDS}
            | {f"other at {LOOSER:g} [95 %]": share(int((loose.kind == OTHER).sum()), n)}
            | {"largest cosine, median": f"{np.median(strict.cosine):.2f}"}
        )
    return pd.DataFrame(rows)


def said(trained: Sequence[Kernels]) -> list[str]:
    """For each way of training: which of the four printed kinds appear,
    which is the most frequent, and how many are of none.
    """
    sentences = []
    for cell in trained:
        kind, n = kinds(cell.learnt).kind, len(cell.learnt)
        counts = {name: int((kind == name).sum()) for name in KINDS if name != OTHER}
        there = sorted((name for name in counts if counts[name]), key=lambda name: -counts[name])
        missing = [name for name in counts if not counts[name]]
        of_one = sum(counts.values())
        sentences.append(
            f"**{cell.name}**, {share(n, cell.replicas)} replicas solved. {share(of_one, n)} kernels "
            f"are within a cosine of {LEAST:g} of one of the four: "
            f"{several([f'{name} {share(counts[name], n)}' for name in there])}"
            + (f"; not one is {several(missing)}." if missing else ".")
        )
    return sentences or ["No replica of backprop solved the task: there is no kernel to look at."]


def rules(cells: pd.DataFrame) -> pd.DataFrame:
    """A row of texts for each rule: the share of replicas
    that solved the task at each of the rates of Adam.
    """
    import pandas as pd

    some = cells[(cells["task.retina"] == SMALLEST) & (cells["algorithm.optimiser"] == "adam")]
    some = some[(some["task.criterion"] == "side") & some["replicas"].notna()]
    rows: dict[str, dict[str, str]] = {}
    for rule, lr, solved, n in zip(
        *(some[c] for c in ("algorithm_name", "algorithm.optimiser.lr", "solved", "replicas")), strict=True
    ):
        row = rows.setdefault(rule, {"algorithm": rule})
        row[f"solved at {lr:g} [95 %]".replace("0.", ".")] = share(int(solved), int(n))
    return pd.DataFrame(list(rows.values())).fillna("–")


def sharing(records: Iterable[Record]) -> list[str]:
    """One kernel beside one for each place: who solves it,
    and how many letters are right in positions that were held out.
    """
    sentences = []
    for record in records:
        task = record.meta["task"]
        if task["retina"] == SMALLEST:
            continue
        solved = record.replicas["outcome"] == SOLVED
        name = "one shared kernel" if task["shared"] else "a kernel for each place"
        where = "all nine positions learnt" if task["positions"] == "all" else "the middle position learnt"
        text = f"**{name}**, {where}: {share(int(solved.sum()), len(solved))} replicas solve it"
        held = np.asarray(record.replicas["held_right"], float)[solved]
        if task["positions"] == "middle" and len(held):
            text += (
                f"; of letters in the other positions these have {percents(mean(held))} right, "
                f"n = {number(len(held))}"
            )
        sentences.append(f"{text}.")
    return sentences
