"""Observation: who leaves the local minimum of PDP vol. 1 ch. 8,
Fig. 5, trained on from its printed weights.
"""

from __future__ import annotations

import numpy as np

from algorithms.backprop import Backprop
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, ORDER, Rand
from harness.replication.printed import FIG5, batch_of, is_right, weights
from harness.tasks.xor import Xor


def sweeps_to_leave(lr: float, momentum: float, replicas: int, sweeps: int) -> dict[str, np.ndarray]:
    """`left`: whether all four patterns came to be right within so many sweeps (R,),
    one pattern at a time in a new order each.

    Targets .1 and .9, at which the printed weights are flat.
    """
    task = Xor(target_off=0.1, target_on=0.9)
    net, rule = task.network(), Backprop(GradientDescent(lr=lr, momentum=momentum, decay=0.0))
    batch, rand, order = batch_of(task), Rand(0, range(replicas), NOISE), Rand(0, range(replicas), ORDER)
    start = {key: np.repeat(w[None], replicas, axis=0) for key, w in weights(net, FIG5).items()}
    state, left = rule.init(net, start, rand), np.zeros(replicas, bool)
    for _ in range(sweeps):
        rows = order.permutation(4)
        for i in range(4):
            one = batch._replace(x=batch.x[rows[:, i, None]], target=batch.target[rows[:, i, None]])
            state = rule.update(net, state, one._replace(wanted=batch.wanted[rows[:, i, None]]), rand).state
        left |= is_right(task, rule.predict(net, state, batch.x)).all(axis=-1)
    return {"left": left}
