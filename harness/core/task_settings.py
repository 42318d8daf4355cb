"""What settings of a task fit one another: one sentence for each way in which they do not."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.core.errors import InputError
from harness.core.units import UNITS


def check_task(task: Any) -> None:
    """Raise `InputError` for settings that would be ignored, and where no output could meet the criterion."""
    if not task.target_off < task.target_on:
        raise InputError(
            "target_off must be below target_on, "
            f"but target_off={task.target_off} and target_on={task.target_on} were given"
        )
    if task.scale is not None and task.init != "uniform":
        raise InputError(
            f"scale={task.scale} would be ignored: it belongs to init=uniform, but init={task.init} was given"
        )
    boundless = task.criterion in ("side", "largest")
    if boundless != (task.bound is None):
        need = "takes no bound" if boundless else "needs a bound"
        raise InputError(f"criterion {task.criterion!r} {need}, but bound={task.bound} was given")
    if task.share < 1 and task.criterion == "error":
        raise InputError(
            f"share={task.share} would be ignored: criterion 'error' looks at all patterns together"
        )
    if task.loss == "cross_entropy":
        check_distribution(task)
    if task.spec().kind != "numbers":
        check_middle(task)
    kind = UNITS[task.network().output.activation]
    tiny = 1e-12  # activities come as close to their limits as you like, but not there
    best = np.clip([task.target_off, task.target_on], kind.low + tiny, kind.high - tiny)
    if not task.meets(*best):
        raise InputError(
            f"no output can meet criterion {task.criterion!r} with target_off={task.target_off}, "
            f"target_on={task.target_on}, bound={task.bound}: "
            f"outputs lie between {kind.low:g} and {kind.high:g}"
        )


def check_middle(task: Any) -> None:
    """Raise `InputError` if outputs that say neither on nor off would be without error, or solve the task."""
    half = 0.5 * (task.target_on - task.target_off)
    for name, distance, allowed in (("margin", task.margin, "below"), ("bound", task.bound, "at most")):
        if distance is None or (name == "bound" and task.criterion != "margin"):
            continue
        if distance > half or (distance == half and name == "margin"):
            raise InputError(
                f"{name} must be {allowed} {half:g}, half of target_on − target_off, "
                f"or outputs on the wrong side would count as right, but {name}={distance} was given"
            )
    if task.criterion == "error" and task.meets(task.middle, task.middle):
        raise InputError(
            f"bound={task.bound} is met by outputs that are all in the middle of the targets: "
            "give a smaller one for criterion 'error'"
        )


def check_distribution(task: Any) -> None:
    """Raise `InputError` unless cross-entropy can be had:
    of targets that are probabilities, without a margin.
    """
    spec, outputs = task.spec(), task.network().output.size
    if spec.kind == "numbers":
        raise InputError(
            f"loss=cross_entropy needs targets that are probabilities, and those of {task.name} are numbers"
        )
    if task.margin is not None:
        raise InputError(
            f"margin={task.margin} would be ignored: "
            f"it belongs to squared_error, but loss={task.loss} was given"
        )
    targets = f"target_off={task.target_off} and target_on={task.target_on} were given"
    if not (task.target_off >= 0 and task.target_on <= 1):
        raise InputError(f"loss=cross_entropy needs targets from 0 to 1, but {targets}")
    total = task.target_on + (outputs - 1) * task.target_off
    if task.output_unit == "softmax" and abs(total - 1) > 1e-9:
        raise InputError(
            f"softmax outputs need targets that sum to 1, but {targets}: {outputs} outputs sum to {total:g}"
        )
