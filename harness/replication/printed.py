"""Weights printed in PDP vol. 1 ch. 8, and what they do: networks held to a source without training any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from harness.core.algorithm import Batch
from harness.core.data import Data
from harness.core.network import Edge, Key, Network, Params
from harness.core.task import Task

Array = Any
# Exclusive or: one hidden unit with shortcuts, of threshold units and learned; the local minimum of two
# hidden units
FIG2 = {"input-hidden": [1, 1], "hidden": -1.5, "input-output": [1, 1], "hidden-output": -2, "output": -0.5}
FIG3 = {
    "input-hidden": [-6.4, -6.4],
    "hidden": 2.2,
    "input-output": [-4.2, -4.2],
    "hidden-output": -9.4,
    "output": 6.3,
}
FIG5 = {
    "input-hidden": [[-2.0, 4.3], [9.2, 8.8]],
    "hidden": [2.0, -0.1],
    "hidden-output": [-4.5, 5.3],
    "output": -0.8,
}
SYMMETRY = {
    "input-hidden": np.array(
        [[-3.18, 6.32, -12.56, 12.56, -6.33, 3.17], [3.16, -6.34, 12.52, -12.51, 6.31, -3.17]]
    ).T,
    "hidden": [-1.0, -1.0],
    "hidden-output": [-9.44, -9.44],
    "output": 6.89,
}


def fig6(bits: int) -> dict[str, Any]:
    """Parity by as many threshold units as there are bits: unit j is on when more than j inputs are."""
    j = np.arange(bits)
    return {
        "input-hidden": np.ones((bits, bits)),
        "hidden": -(j + 0.5),
        "hidden-output": (-1.0) ** j,
        "output": -0.5,
    }


def fig10() -> dict[str, Any]:
    """Two carries add two numbers of two bits: +1, −2, −1.5 and −.5;
    which goes where follows from what a carry is.
    """
    a1, a0, b1, b0 = np.eye(4)
    s2, s1, s0 = np.eye(3)
    return {
        "input-hidden1": a0 + b0,  # the carry out of the low column
        "input-hidden2": a1 + b1,  # the carry out of the high one
        "hidden1-hidden2": 1,
        "hidden1": -1.5,
        "hidden2": -1.5,
        "input-output": [s1, s0, s1, s0],
        "hidden1-output": s1 - 2 * s0,
        "hidden2-output": s2 - 2 * s1,
        "output": [-0.5, -0.5, -0.5],
    }


def fig12() -> dict[str, Any]:
    """Negation: the learned weights, of each bit, and of the flag for all of them."""
    hidden, output = [6, -6, -6], [4, -4, -4]
    return {
        "input-hidden": np.vstack([hidden, np.diag(hidden)]),
        "hidden": [-8, 2, 2],
        "input-output": np.vstack([output, np.diag(output)]),
        "hidden-output": np.diag([-10, -10, -10]),
        "output": [-1, 6, 6],
    }


def weights(net: Network, printed: Mapping[str, Any]) -> dict[Key, Array]:
    """Printed weights as parameters: edges by 'source-target',
    biases by group, every one of them and in its shape.
    """
    assert {key.name for key in net.shapes} == set(printed)
    return {key: np.array(printed[key.name], float).reshape(shape) for key, shape in net.shapes.items()}


def thresholds(net: Network) -> Network:
    """The same network of threshold units."""
    groups = {g.name: g if g in net.inputs else replace(g, activation="heaviside") for g in net.groups}
    return Network(
        tuple(groups.values()), tuple(Edge(groups[e.source.name], groups[e.target.name]) for e in net.edges)
    )


def outputs(task: Task, net: Network, params: Params) -> Array:
    """Activity of the output group for every pattern of the task."""
    return net.forward(params, task.patterns().x)[net.output]


def batch_of(task: Task) -> Batch:
    """All its patterns."""
    x, wanted, *_ = task.patterns()
    return Batch(x, np.where(wanted, task.target_on, task.target_off), wanted, np.array(0), task.objective)


def is_right(task: Task, y: Array) -> Array:
    """Which patterns are right."""
    b = batch_of(task)
    return task.right(y, Data(b.x, b.target, b.wanted))


def computed(task: Task, printed: Mapping[str, Any]) -> Array:
    """What the task's own network puts out at printed weights."""
    net = task.network()
    return outputs(task, net, weights(net, printed))


def worst(task: Task, printed: Mapping[str, Any]) -> float:
    """The largest distance of an output to 0 or 1, whichever it should be."""
    return float(np.abs(computed(task, printed) - task.patterns().wanted).max())
