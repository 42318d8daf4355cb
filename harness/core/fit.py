"""Whether a task's network fits its patterns, and a rule both: who has time, who has gates."""

from __future__ import annotations

from typing import Any

from harness.core.errors import InputError


def misfit(task: Any, through_time: bool) -> str | None:
    """Why a rule has no way through a task's network, in one sentence; None if it has.

    Args:
        task: a `Task`.
        through_time: whether the rule trains networks in time, and what is gated.

    Raises:
        InputError: for a network that does not fit its own task: one of the two has time, the other none.
    """
    steps, net = task.spec().steps, task.network()
    if net.timed and not steps:
        raise InputError(
            f"patterns of {task.name} have no time steps, but {net.late[0].name!r} of its network is delayed"
        )
    if steps and not net.timed:
        raise InputError(
            f"sequences of {task.name} have {steps} time steps, but nothing of its network is delayed"
        )
    if through_time:
        return None
    if steps:
        return (
            f"it has no way through time, and {task.name} gives sequences of {steps} steps to a network with "
            "delayed edges"
        )
    return f"it has no way through gates, and the network of {task.name} has some" if net.gates else None
