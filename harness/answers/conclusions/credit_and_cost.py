"""The study `credit_and_cost` in three sentences: what depth leaves, where credit points, and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.answers import memory
from harness.answers.conclusions import fitting
from harness.answers.credit_and_cost import RIGHT_ANGLE, exact, seen
from harness.answers.middle import LESS, MORE, OPEN, beside, median
from harness.answers.vanishing import HALF, layer_factor
from harness.answers.words import counted, few, n_of, rate, several
from harness.core.errors import InputError
from harness.credit.vanishing import STEEPEST, Left

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ("backprop", "feedback_alignment", "direct_feedback_alignment")
"""Whose credit in depth is told one by one, of those there are."""


def conclusions(
    credit: pd.DataFrame, left: Mapping[str, Sequence[Left]], chains: pd.DataFrame, points: pd.DataFrame
) -> list[str]:
    """What a layer multiplies credit by, whose points along the gradient, and whether memory is saved.

    Args:
        credit: the frame of `results.credit`.
        left: of `harness.answers.vanishing.before_training`.
        chains: of `harness.answers.vanishing.points`.
        points: of `harness.answers.memory_accuracy.points`.
    """
    said = [*_depth(left, chains), *_angles(credit), *_memory(points)]
    return said or ["Nothing is concluded: nothing was run."]


def _angles(credit: pd.DataFrame) -> list[str]:
    same = exact(credit)
    some = [s for s in seen(credit, "angle") if (s.task, s.algorithm) not in same]
    if not some:
        return []
    sides = [beside(s.late.middle, RIGHT_ANGLE) for s in some]
    beyond = [f"{s.algorithm} on {s.task}" for s, side in zip(some, sides, strict=True) if side == MORE]
    head = (
        f"Late in training, of {len(some)} credits that are not the gradient itself {sides.count(LESS)} "
        "lie within 90° of it in the median, "
    )
    tail = (
        f" beyond, and {sides.count(OPEN)} are not decided ({n_of(s.late.n for s in some)}; of the "
        "intervals of a task one misses, 5 % at most)."
    )
    return [fitting(lambda most: f"{head}{counted(beyond, most)}{tail}")]


def _depth(left: Mapping[str, Sequence[Left]], chains: pd.DataFrame) -> list[str]:
    """By what each further layer multiplies credit, and who learns at the deepest chain."""
    level = 1 - 0.05 / max(1, len(left))
    factors = [f"{name} ×{median(layer_factor(left[name], level))}" for name in SHOWN if name in left]
    if not factors:
        return []
    n = max(len(one.ratio) for name in left for one in left[name])
    return [
        f"A further layer of logistic units multiplies the credit before training by {several(factors)} "
        f"(bound of backprop ×{STEEPEST:g}, n = {n}){_deepest(chains)}."
    ]


def _deepest(chains: pd.DataFrame) -> str:
    own = chains[chains["series"] == "backprop"]
    if not len(own):
        return ""
    deepest = chains[chains["x"] == own["x"].max()]
    of_base = rate(own[own["x"] == own["x"].max()].iloc[0]["cell"])
    able = int((deepest["rate_low"] > HALF).sum())
    return (
        f"; trained through {own['x'].max()} hidden layers backprop solves {of_base}, and {able} of "
        f"{len(deepest)} ways more than half"
    )


def _memory(points: pd.DataFrame) -> list[str]:
    """What the lightest rule without backprop that is as accurate takes, beside backprop's least memory."""
    parts, none = [], []
    for task in points["task"].unique():
        try:
            answer = memory.answer(points, str(task))
        except InputError:
            continue
        n = f"n = {answer.best['replicas']}"
        if answer.free is None:
            none.append(f"{task} ({n})")
        else:
            share = answer.free["peak_bytes"] / answer.own["peak_bytes"]
            parts.append(f"×{share:.2f} on {task} ({answer.free['label']}, {n})")
    said = [f"takes, of its least memory, {few(parts, 2)}"] if parts else []
    said += [f"there is none on {few(none, 2)}"] if none else []
    head = "The lightest rule that does without backprop and is as accurate, within its 95 % interval, "
    return [f"{head}{'; '.join(said)}."] if said else []
