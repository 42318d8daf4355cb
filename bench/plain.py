"""The baseline: the NumPy loop over networks that most people would write, one network at a time.

Same networks, same initial weights, same criterion, same stop as the harness; nothing is batched, and
nothing is made slow on purpose. Its final weights must equal the harness's: the benchmark checks.
"""

from __future__ import annotations

import numpy as np

from harness.core.network import Key, Network
from harness.core.task import Task


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


def train_one(
    net: Network,
    params: dict[Key, np.ndarray],
    task: Task,
    x: np.ndarray,
    wanted: np.ndarray,
    epochs: int,
    lr: float,
    momentum: float,
) -> dict[str, np.ndarray]:
    """Train one network by backpropagation with momentum until it solves the task,
    or for `epochs`; its weights.
    """
    target, middle = np.where(wanted, task.target_on, task.target_off), (task.target_on + task.target_off) / 2
    inputs, groups = len(net.inputs), range(len(net.inputs), len(net.groups))
    # layers by number, so that the loop below looks nothing up but lists
    edges = [(net.groups.index(e.source), net.groups.index(e.target)) for e in net.edges]
    into = [[(k, i) for k, (i, j) in enumerate(edges) if j == g] for g in range(len(net.groups))]
    out_of = [[(k, j) for k, (i, j) in enumerate(edges) if i == g] for g in range(len(net.groups))]
    w = [params[e].copy() for e in net.edges]
    b = [params[g][0].copy() if g in params else np.zeros(g.size) for g in net.groups]
    w_velocity, b_velocity = [np.zeros_like(a) for a in w], [np.zeros_like(a) for a in b]
    y = [*net.split(x).values(), *[x] * len(groups)]
    delta = list(y)
    for _ in range(epochs):
        for g in groups:
            total = b[g]
            for k, i in into[g]:
                total = total + y[i] @ w[k]
            y[g] = sigmoid(total)
        if np.all((y[-1] > middle) == wanted):
            break
        error = y[-1] - target
        if task.margin is not None:
            error = error * np.where(wanted, error < -task.margin, error > task.margin)
        delta[-1] = error * y[-1] * (1 - y[-1])
        for g in reversed(groups[:-1]):
            (k, j), *more = out_of[g]
            back = delta[j] @ w[k].T
            for k, j in more:
                back = back + delta[j] @ w[k].T
            delta[g] = back * y[g] * (1 - y[g])
        for k, (i, j) in enumerate(edges):
            w_velocity[k] = momentum * w_velocity[k] - lr * (y[i].T @ delta[j])
            w[k] = w[k] + w_velocity[k]
        for g in range(inputs, len(net.groups)):
            b_velocity[g] = momentum * b_velocity[g] - lr * delta[g].sum(axis=0)
            b[g] = b[g] + b_velocity[g]
    named = {e.name: w[k] for k, e in enumerate(net.edges)}
    return named | {g.name: b[i][None] for i, g in enumerate(net.groups) if i >= inputs}
