"""The exact gradient of the loss, by one pass forward and one back;
through time, where a network lives in it.

    δ_out(t) = ∂E/∂x_out(t),      δ_i(t) = f'(x_i(t)) [Σ_j w_ij δ_j(t) + Σ_k w_ik δ_k(t + 1)],
    ∂E/∂w_ij = Σ_t Σ_patterns y_i(t) δ_j(t)           over delayed edges y_i(t − 1) δ_j(t)

The first sum goes over edges within the step, the second over delayed ones. What every credit is compared
with; and with other weights to come back over, the way back of every rule of the feedback family.
Rumelhart, Hinton & Williams 1986, Nature 323:533-536; through time: PDP vol. 1 ch. 8, pp. 354-361; Werbos
1990.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.core.algorithm import Batch, Credit, added
from harness.core.network import Group, Key, Later, Network, Params

Array = Any


def exact_gradient(net: Network, params: Params, batch: Batch) -> Credit:
    """∂E/∂w of every parameter by backpropagation: what every credit is compared with.

    Rumelhart, Hinton & Williams 1986, Nature 323:533-536.

    Args:
        net: the network.
        params: weights (…, rows, columns) by edge, biases (…, 1, channels) by group.
        batch: the patterns, or sequences, that E is summed over.

    Returns:
        The gradient by parameter, and the outputs.

    >>> net = Network.chain(2, 1, output="linear")
    >>> params = {key: np.zeros(shape) for key, shape in net.shapes.items()}
    >>> batch = Batch(np.ones((1, 2)), np.ones((1, 1)), np.ones((1, 1), bool), epoch=0)
    >>> exact_gradient(net, params, batch).gradient[net.edges[0]].tolist()
    [[-1.0], [-1.0]]
    """
    return backpropagated(net, params, params, batch)


def backpropagated(net: Network, params: Params, over: Params, batch: Batch) -> Credit:
    """The credit of every parameter where blame comes back over weights of one's choice.

    Over the forward weights it is the gradient; over fixed random ones, feedback alignment (Lillicrap et
    al. 2016).

    Args:
        net: the network.
        params: weights (…, rows, columns) by edge, biases (…, 1, channels) by group.
        over: what blame comes back over: weights in the shape of the forward ones, for all edges out of
            hidden groups.
        batch: the patterns, or sequences.

    Returns:
        The credit by parameter, and the outputs (…, N, outputs), of sequences (…, T, N, outputs).

    >>> net = Network.chain(2, 2, 1)
    >>> params = {key: np.ones(shape) for key, shape in net.shapes.items()}
    >>> batch = Batch(np.ones((1, 2)), np.ones((1, 1)), np.ones((1, 1), bool), epoch=0)
    >>> silent = {edge: np.zeros(edge.shape) for edge in net.edges}
    >>> bool(backpropagated(net, params, silent, batch).gradient[net.edges[0]].any())
    False
    """
    if net.timed:
        return through_time(net, params, over, batch)
    y = net.forward(params, batch.x)
    delta = {net.output: batch.delta(net, y)}
    for group in reversed(net.hidden):
        delta[group] = net.pull(group, y, net.blame(over, group, y, delta))
    return Credit(net.outer(y, delta), y[net.output])


def through_time(net: Network, params: Params, over: Params, batch: Batch) -> Credit:
    """`backpropagated` for a network that lives in time: all T steps are kept, and gone through backwards."""
    steps = net.unrolled(params, batch.x)
    gradient: dict[Key, Array] = {}
    later: Later | None = None
    for t in reversed(range(len(steps))):
        y, before = steps[t], steps[t - 1] if t else None
        delta = blamed(net, over, y, batch.delta_at(net, y, t), later, before)
        gradient = added(gradient, net.outer(y, delta, before))
        later = Later(y, delta)
    return Credit(gradient, np.stack([y[net.output] for y in steps], axis=-3))


def blamed(
    net: Network,
    over: Params,
    y: Mapping[Group, Array],
    told: Mapping[Group, Array],
    later: Later | None,
    before: Mapping[Group, Array] | None,
) -> dict[Group, Array]:
    """∂E/∂x of all groups at one time step, from what the output is told there and what comes back later.

    Args:
        net: the network.
        over: what blame comes back over, weights (…, rows, columns) by edge.
        y: activities (…, N, size) at this step, by group.
        told: ∂E/∂x (…, N, outputs) of the output by this step's loss; empty where the step has no target.
        later, before: as of `Network.blame`.

    Returns:
        ∂E/∂x (…, N, size) of hidden groups, and of the output where it is told anything.
    """
    delta = dict(told)
    for group in reversed(net.free):
        if group == net.output:
            if later is not None and group in net.remembered:
                back = net.pull(group, y, net.blame(over, group, y, {}, later))
                delta[group] = delta[group] + back if group in delta else back
            continue
        delta[group] = net.pull(group, y, net.blame(over, group, y, delta, later, before))
    return delta
