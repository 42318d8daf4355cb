"""How far back blame gets: what is left of it at the state of k steps ago.

    left_k = |∂E_T / ∂s_{T−k}| ÷ |∂E_T / ∂s_T|     s: units that are heard a step later, over all patterns

E_T is the loss of the last step alone, blame comes back over the forward weights, and the norms are those of
each network. Every step multiplies by the Jacobian of a state in the one before: of logistic units, whose
slope is ¼ at the most, by much less than 1, of a cell with an open gate by about the gate. Hochreiter 1991;
Bengio, Simard & Frasconi 1994, IEEE Transactions on Neural Networks 5:157-166, eq. 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.algorithm import Batch
from harness.core.errors import InputError
from harness.core.exact_gradient import blamed
from harness.core.network import Later, Network, Params

Array = Any


def left_by_lag(net: Network, params: Params, batch: Batch) -> NDArray[np.float64]:
    """What is left of the last step's blame at each lag.

    Args:
        net: a network in time.
        params: weights (R, rows, columns) by edge, biases (R, 1, channels) by group.
        batch: sequences (…, T, N, inputs), T ≥ 1; the targets of their last step count.

    Returns:
        One number for each network and lag k = 0 … T − 1 (R, T), the first 1; NaN where the last step itself
        gets none.

    Raises:
        InputError: for a network without time.

    >>> from harness.core.recurrent import recurrent
    >>> net = recurrent(1, 2, 1)
    >>> params = {key: np.full((3, *shape), 0.1) for key, shape in net.shapes.items()}
    >>> batch = Batch(np.ones((1, 5, 1, 1)), np.ones((1, 5, 1, 1)), np.ones((1, 5, 1, 1), bool), 0, time=True)
    >>> left_by_lag(net, params, batch).shape
    (3, 5)
    """
    if not net.timed:
        raise InputError("blame has no lags in a network without time: none of its edges or gates is delayed")
    steps = net.unrolled(params, batch.x)
    norms: list[Array] = []
    later: Later | None = None
    for t in reversed(range(len(steps))):
        y, before = steps[t], steps[t - 1] if t else None
        told = batch.delta_at(net, y, t) if later is None else {}
        delta = blamed(net, params, y, told, later, before)
        squares = 0.0
        for group in net.remembered:
            back = net.blame(params, group, y, delta, later, before)
            if not isinstance(back, float):
                squares = squares + (np.asarray(back) ** 2).sum(axis=(-1, -2))
        norms.append(np.sqrt(squares))
        later = Later(y, delta)
    last = norms[0]
    some = np.where(last > 0, last, 1.0)
    ratios = np.stack([np.where(last > 0, norm / some, np.nan) for norm in np.broadcast_arrays(*norms)], -1)
    return np.asarray(ratios, float)


def factor(left: NDArray[np.float64]) -> float:
    """By what one more step back multiplies the median of what is left: its logarithm against k, by least
    squares over the lags at which it is there; NaN at fewer than two.
    """
    middle = np.nanmedian(left, axis=0) if np.isfinite(left).any() else np.zeros(left.shape[-1])
    there = middle > 0
    if there.sum() < 2:
        return float("nan")
    return float(np.exp(np.polyfit(np.flatnonzero(there), np.log(middle[there]), 1)[0]))
