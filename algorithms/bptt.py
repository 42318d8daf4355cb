"""Backpropagation through time over a window: blame goes back so many steps, and no further.

    every h′ steps the losses of the last h′ steps go back through the last h steps        BPTT(h; h′)

h is the `window`, h′ is `every`. Without a window, or with one as long as the sequence or longer, it is the
gradient that `backprop` finds. The activity of a step is kept while it is in the window; h′ is counted from
the first step that has a target, and at the end what is left goes back. Credit is summed over the sequence,
and weights move once at its end, as those of all other rules do.

Williams & Peng 1990, An efficient gradient-based algorithm for on-line training of recurrent network
trajectories, Neural Computation 2:490-501.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from algorithms.backprop import Backprop
from harness.core.algorithm import Array, Batch, Credit, Key, Network, Params, Rand, State, added
from harness.core.errors import InputError
from harness.core.exact_gradient import backpropagated, blamed
from harness.core.network import Group, Later
from harness.core.setting import setting


@dataclass(frozen=True)
class Bptt(Backprop):
    """Backpropagation through the last steps of a sequence."""

    window: int | None = setting(
        None, "Steps h that blame goes back through, at the most; None: all.", at_least=1
    )
    every: int = setting(
        1, "Steps h′ after which the losses since then are sent back, at most h.", at_least=1
    )

    paper: ClassVar[str] = "Williams & Peng 1990, Neural Computation 2:490-501"
    equations: ClassVar[str] = (
        "every h′ steps t: δ_i(s) as backprop's for s = t … t − h + 1, from E(t − h′ + 1 … t)"
    )
    oracle: ClassVar[str] = "backprop where the window is the sequence; a loop over steps and lags by hand"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window is not None and self.every > self.window:
            raise InputError(
                f"every must be at most the window of {self.window} steps, or losses would be lost, "
                f"but {self.every} was given"
            )

    def applies_to(self, task: Any) -> str | None:
        if task.network().timed:
            return None
        return f"{task.name} has no time steps, and without them it is backprop: ask for algorithm=backprop"

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        over, length = self.feedback(net, params, memory), batch.x.shape[-3]
        if self.window is None or self.window >= length:
            return backpropagated(net, params, over, batch)
        gradient: dict[Key, Array] = {}
        outputs: list[Array] = []
        kept: list[dict[Group, Array]] = []  # the window, and the step before it
        sent = 0  # steps whose losses have gone back
        for t in range(length):
            kept = [
                *kept[-self.window :],
                net.step(params, batch.x[..., t, :, :], kept[-1] if kept else None),
            ]
            outputs.append(kept[-1][net.output])
            if (t + 1 - sent < self.every and t + 1 < length) or t < batch.untold:
                sent = t + 1 if t < batch.untold else sent
                continue
            later: Later | None = None
            for s in range(t, max(t - self.window, -1), -1):
                y, before = kept[s - t - 1], kept[s - t - 2] if s else None
                told = batch.delta_at(net, y, s) if s >= sent else {}
                delta = blamed(net, over, y, told, later, before)
                gradient = added(gradient, net.outer(y, delta, before))
                later = Later(y, delta)
            sent = t + 1
        return Credit(gradient, np.stack(outputs, axis=-3))
