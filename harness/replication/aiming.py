"""Where targets point once the way back has learnt: the angle to the Gauss–Newton target, network by network.

Forward weights stay as they are drawn while the feedback of target propagation learns from noise; then the
shift t_l − h_l of each hidden layer is compared, pattern by pattern, with −J⁺ e, the least change of that
layer that changes the output by −e to first order (J = ∂h_L/∂h_l by the chain rule). Layers grow narrower
towards the output, so that none can be undone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms._way_back import Activity, activities
from algorithms.target_propagation import TargetPropagation
from harness.core.initial import initial
from harness.core.network import Group, Network, Params
from harness.core.rand import NOISE, ORDER, WEIGHTS, Rand
from harness.credit.compare import align

Array = Any
SIZES = (10, 8, 6, 4)
PATTERNS = 32


def aims(variant: str, replicas: int, steps: int) -> dict[str, Array]:
    """The mean angle over patterns, in degrees (R,), by hidden layer and of all (`angle`), after so many
    steps of the feedback weights of a `variant`.
    """
    net, numbers = Network.chain(*SIZES, hidden="tanh", output="linear"), range(replicas)
    params = initial(net, Rand(0, numbers, WEIGHTS), "glorot")
    rule = TargetPropagation(variant=variant, target_lr=1e-3, feedback_lr=0.003, sigma=0.1)
    order, noise = Rand(0, numbers, ORDER), Rand(0, numbers, NOISE)
    memory = rule.remember(net, params, noise)

    def drawn() -> tuple[Any, Array]:
        h = activities(net, params, order.normal(PATTERNS, net.input_size))
        return h, order.normal(PATTERNS, net.output.size)

    for _ in range(steps):
        memory = rule.taught(net, params, memory, drawn()[0], noise)
    h, error = drawn()
    shift = rule.shifts(net, params, memory["feedback"], h, error)
    steps_of = gauss_newton_shifts(net, params, h, error)
    found = {g.name: align(shift[g], step).angle.mean(axis=-1) for g, step in steps_of.items()}
    return {**found, "angle": np.mean(list(found.values()), axis=0)}


def gauss_newton_shifts(net: Network, params: Params, h: Activity, error: Array) -> dict[Group, Array]:
    """−J⁺ e (…, N, size) of the hidden layers of a tanh chain with linear outputs, at activities h."""
    found, behind = {}, np.eye(net.output.size)
    for e in reversed(net.edges[1:]):
        slope = np.ones_like(h[e.target]) if e.target == net.output else 1.0 - h[e.target] ** 2
        behind = behind @ (slope[..., :, None] * params[e].mT[..., None, :, :])
        found[e.source] = -(np.linalg.pinv(behind) @ error[..., None])[..., 0]
    return found
