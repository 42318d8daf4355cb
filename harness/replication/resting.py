"""Observation: how far the credit of rules that settle is from backprop's as their feedback weakens,
and from the gradient of the loss at rest as their nudge does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from algorithms.contrastive_hebbian import ContrastiveHebbian
from algorithms.equilibrium_propagation import EquilibriumPropagation
from harness.core.algorithm import Batch, Credit
from harness.core.initial import initial
from harness.core.rand import NOISE, SPLIT, WEIGHTS, Rand
from harness.tasks.encoder import Encoder

Array = Any
EXACT: dict[str, Any] = {"tolerance": 1e-13, "steps": 3000, "steps_taught": 3000}
GAMMAS, BETAS = (0.001, 0.002, 0.004), (0.02, 0.04, 0.08)


def limits(replicas: int) -> dict[str, Array]:
    """The encoder 8-5-8 with tanh units, weights ±.3, all patterns at once.

    `weak_feedback` is the relative distance of contrastive Hebbian learning at γ = .001 to backprop of y − d,
    and `gamma` the power of γ by which it goes; `one_sided` and `centred` are the powers of β by which the
    bias of equilibrium propagation goes; all (R,), of each network by itself.
    """
    task = Encoder(size=8, hidden=5, activation="tanh", scale=0.3).resolved()
    net, numbers = task.network(), range(replicas)
    batch = Batch.of(task.data(Rand(0, numbers, SPLIT), np.float64), np.zeros(()), task.objective)
    params = initial(net, Rand(0, numbers, WEIGHTS), task.init, task.initial_scale)

    def vector(gradient: Any) -> Array:
        return np.concatenate([np.reshape(gradient[key], (replicas, -1)) for key in net.shapes], axis=-1)

    def credit(rule: Any) -> Array:
        found: Credit = rule.credit(net, params, {}, batch, Rand(0, numbers, NOISE))
        return vector(found.gradient)

    def far(found: Array, truth: Array) -> Array:
        return np.linalg.norm(found - truth, axis=-1) / np.linalg.norm(truth, axis=-1)

    y = net.forward(params, batch.x)
    delta = {net.output: y[net.output] - batch.target}
    for group in reversed(net.hidden):
        delta[group] = net.pull(group, y, net.blame(params, group, y, delta))
    error = vector(net.outer(y, delta))
    weak = [far(credit(ContrastiveHebbian(gamma=g, **EXACT)), error) for g in GAMMAS]
    rule = EquilibriumPropagation(**EXACT)
    own = rule.own_gradient(net, {"params": params}, batch)
    assert own is not None
    rest = vector({key: own[key.name] for key in net.shapes})
    bias = [[far(credit(replace(rule, beta=b, points=n)), rest) for b in BETAS] for n in (1, 2)]
    one, two = (_power(BETAS, each) for each in bias)
    return {"weak_feedback": weak[0], "gamma": _power(GAMMAS, weak), "one_sided": one, "centred": two}


def _power(at: Any, values: Any) -> Array:
    """The slope of log values over log `at`, of each network."""
    x = np.log(at) - np.mean(np.log(at))
    return np.asarray(np.tensordot(x, np.log(np.array(values)), 1) / (x @ x))
