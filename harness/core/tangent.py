"""Forward-mode derivatives: how every activity moves when the weights move along a direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core import kernels
from harness.core.edges import Group
from harness.core.network import Network, Params
from harness.core.readings import reading

Array = Any


def tangent(net: Network, params: Params, along: Params, y: Mapping[Group, Array]) -> dict[Group, Array]:
    """dy/dh at h = 0, with weights w + h `along`, of every group's activity but the inputs', (…, N, size).

    x'_j = Σ_i (y_i v_ij + y'_i w_ij) + v_j, y'_j = f'(x_j) x'_j, at the activities `y` that `params` give.
    Not for networks in time. Baydin, Pearlmutter, Radul & Siskind 2018, JMLR 18(153), section 3.1.
    """
    read = reading()
    y = read.shown(y)
    moved: dict[Group, Array] = {}
    for group in net.free:
        into = net.into(group)
        x = kernels.total(e.send(along[e.weights], net.sent(e.source, y)) for e in into)
        changes = {e: net.through(e, y, net.gathered(e.source, moved)) for e in into if e.source in moved}
        x = kernels.total([x, *(read.push(e, params[e.weights], change) for e, change in changes.items())])
        if group.bias:
            x = read.add_bias(x, net.everywhere(group, along[group]))
        moved[group] = net.pull(group, y, x)  # Jacobians of units and of the normalisation are symmetric
    return moved
