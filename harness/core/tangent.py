"""Forward-mode derivatives: how every activity moves when the weights move along a direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core import kernels
from harness.core.edges import Group
from harness.core.network import Gate, Network, Params
from harness.core.readings import reading

Array = Any


def tangent(
    net: Network,
    params: Params,
    along: Params,
    y: Mapping[Group, Array],
    before: Mapping[Group, Array] | None = None,
    moved_before: Mapping[Group, Array] | None = None,
) -> dict[Group, Array]:
    """dy/dh at h = 0, with weights w + h `along`, of every group's activity that moves.

    x'_j = Σ_i (y_i v_ij + y'_i w_ij) + v_j, y'_j = f'(x_j) x'_j, at the activities `y` that `params` give;
    what passes a gate moves with its source and with its strength. Of a network in time it is one step of
    the recursion of real-time recurrent learning. Baydin, Pearlmutter, Radul & Siskind 2018, JMLR 18(153),
    section 3.1; Williams & Zipser 1989, Neural Computation 1:270-280, eq. 2.

    Args:
        net: the network.
        params: weights (…, rows, columns) by edge, biases (…, 1, channels) by group.
        along: v by parameter, in the same shapes; what is left out does not move.
        y: activities (…, N, size) by group.
        before: activities a time step earlier, by group; None at the first step, and without time.
        moved_before: what this function returned a time step earlier; None if nothing had moved.

    Returns:
        dy/dh (…, N, size) of the groups that move.
    """
    read = reading()
    y = read.shown(y)
    moved: dict[Group, Array] = {}
    heard = {0: y} if before is None else {0: y, 1: before}
    shift = {0: moved, 1: moved_before or {}}
    for group in net.free:
        into = [e for e in net.into(group) if e.delay in heard]
        new = [e for e in into if e.weights in along]
        terms = [e.send(along[e.weights], net.sent(e.source, heard[e.delay])) for e in new]
        for e in into:
            if net.known(e.source, shift[e.delay]):
                change = net.through(e, heard[e.delay], net.gathered(e.source, shift[e.delay]))
                terms.append(read.push(e, params[e.weights], change))
        for gate in net.gates_into(group):
            if gate.delay in heard:
                terms += _gated(net, gate, y, heard[gate.delay], shift[gate.delay], moved)
        if group.bias and group in along:
            bias = net.everywhere(group, along[group])
            terms = [read.add_bias(kernels.total(terms), bias) if terms else bias]
        if terms:
            # Jacobians of units and of the normalisation are symmetric
            moved[group] = net.pull(group, y, kernels.total(terms))
    return moved


def _gated(
    net: Network,
    gate: Gate,
    y: Mapping[Group, Array],
    heard: Mapping[Group, Array],
    shift: Mapping[Group, Array],
    moved: Mapping[Group, Array],
) -> list[Array]:
    """How what passes a gate moves: with what it lets pass, and with its strength."""
    terms = []
    if gate.source in shift:
        terms.append(gate.send(net.strength(gate, y), shift[gate.source]))
    if gate.by in moved:
        terms.append(gate.send(moved[gate.by], heard[gate.source]))  # type: ignore[index]  # a group, not a number
    return terms
