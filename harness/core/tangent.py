"""Forward-mode derivatives: how every activity moves when the weights move.

    x'_j = Σ_i (y_i v_ij + y'_i w_ij) + v_j,      y'_j = f'(x_j) x'_j

Whatever moves comes in over edges and through gates, within the step or a step later. One direction v for all
weights is a `tangent`; each weight as a direction of its own is the influence that real-time recurrent
learning carries (`algorithms._influence`). They differ in their `Ways`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.core import kernels
from harness.core.edges import Edge, Group
from harness.core.network import Gate, Key, Network, Params
from harness.core.readings import reading

Array = Any


class Ways(Protocol):
    """In what form activities move: with what axes beside (…, N, size), and how much of it is kept."""

    def direct(self, e: Edge, y: Array) -> Array:
        """How the net input of an edge's target moves with its weights, at what leaves its source, y.

        Where biases move too, in an array of its own: they may be added into it.
        """

    def bias(self, net: Network, group: Group, y: Array) -> Array:
        """How the net input of a group moves with its biases, at its activity y."""

    def carried(self, e: Edge, w: Array, change: Array) -> Array:
        """How it moves where an edge with weights w carries a change of what leaves its source."""


@dataclass(frozen=True)
class Along:
    """Ways (…, N, size) along one direction of the weights: v by parameter."""

    direction: Params

    def direct(self, e: Edge, y: Array) -> Array:
        """y v."""
        return e.send(self.direction[e.weights], y)

    def bias(self, net: Network, group: Group, y: Array) -> Array:
        """v itself."""
        return net.everywhere(group, self.direction[group])

    def carried(self, e: Edge, w: Array, change: Array) -> Array:
        """y' w."""
        return reading().push(e, w, change)


def tangent(
    net: Network,
    params: Params,
    along: Params,
    y: Mapping[Group, Array],
    before: Mapping[Group, Array] | None = None,
    moved_before: Mapping[Group, Array] | None = None,
) -> dict[Group, Array]:
    """dy/dh at h = 0, with weights w + h `along`, of every group's activity that moves.

    At the activities `y` that `params` give; what passes a gate moves with its source and with its strength.
    Of a network in time it is one step of the recursion of real-time recurrent learning. Baydin, Pearlmutter,
    Radul & Siskind 2018, JMLR 18(153), section 3.1; Williams & Zipser 1989, Neural Computation 1:270-280,
    eq. 2.

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
    y = reading().shown(y)
    return movement(net, params, along, Along(along), net.free, y, before, moved_before or {})


def movement(
    net: Network,
    params: Params,
    moving: Container[Key],
    ways: Ways,
    groups: Sequence[Group],
    y: Mapping[Group, Array],
    before: Mapping[Group, Array] | None,
    moved_before: Mapping[Group, Array],
) -> dict[Group, Array]:
    """One step of the recursion: how activities move with some parameters, and with what moved before.

    Args:
        net: the network.
        params: weights (…, rows, columns) by edge, biases (…, 1, channels) by group.
        moving: the parameters that move.
        ways: in what form activities move.
        groups: those that are asked for, in forward order, and all between.
        y: activities by group, with the axes of what `ways` give, or such as broadcast along them.
        before: activities a time step earlier; None at the first step, and without time.
        moved_before: what this function returned a time step earlier; empty if nothing had moved.

    Returns:
        The movement of those of the groups that move.
    """
    moved: dict[Group, Array] = {}
    heard = {0: y} if before is None else {0: y, 1: before}  # by the delay of the way that hears it
    shift = {0: moved, 1: moved_before}
    for group in groups:
        into = [e for e in net.into(group) if e.delay in heard]
        new = [e for e in into if e.weights in moving]
        terms = [ways.direct(e, net.sent(e.source, heard[e.delay])) for e in new]
        for e in into:
            if net.known(e.source, shift[e.delay]):
                change = net.through(e, heard[e.delay], net.gathered(e.source, shift[e.delay]))
                terms.append(ways.carried(e, params[e.weights], change))
        for gate in net.gates_into(group):
            if gate.delay in heard:
                terms += _gated(net, gate, y, heard[gate.delay], shift[gate.delay], moved)
        if group.bias and group in moving:
            bias = ways.bias(net, group, y[group])
            terms = [reading().add_bias(kernels.total(terms), bias) if terms else bias]
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
