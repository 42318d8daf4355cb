"""A network is groups of units and edges between them; its parameters are a plain mapping.

`params[edge.weights]` is what an edge's map is made of (…, rows, columns) and `params[group]` a bias (…, 1,
channels); leading axes are replicas (and whatever an algorithm adds before them). Edges that share weights
share the key. A chain of dense edges is the common case; a shortcut connection is one more edge. An identity
shortcut of a residual network has no weights: what leaves its target is the target's activity plus what
leaves its source.

What an algorithm asks of it, whatever the kinds of its edges and units:

    net_input   x_j = Σ_i y_i w_ij + b_j           activity comes in over edges, and through gates
    blame       ∂E/∂y_i = Σ_j w_ij δ_j             what comes back over edges, by weights of one's choice
    pull        δ_i = ∂E/∂x_i                      blame pulled through the units themselves
    outer       ∂E/∂w_ij = Σ_patterns y_i δ_j      what a weight did, over all places that share it
    step        all of them once, in order         of a network in time, a step later

What leaves a group over its edges is its activity, or with residuals and normalisation what
`harness.core.leaving` makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from harness.core import kernels
from harness.core.activity import Activity, Array, Params
from harness.core.edges import Edge, Group
from harness.core.gates import Gate
from harness.core.readings import reading
from harness.core.units import UNITS
from harness.core.wiring import Key

__all__ = ["Array", "Edge", "Gate", "Group", "Key", "Later", "Network", "Params"]


class Later(NamedTuple):
    """What comes back from a time step later.

    Args:
        y: activities (…, N, size) at that step, by group.
        delta: ∂E/∂x (…, N, size) at that step, of the groups that have one.
    """

    y: Mapping[Group, Array]
    delta: Mapping[Group, Array]


@dataclass(frozen=True)
class Network(Activity):
    """Groups of units and the ways between them: what an algorithm asks for activity and blame.

    Groups that nothing leads to are inputs; they split the columns of a pattern in their order. With a
    delayed edge or gate the network lives in time: its patterns are sequences (…, T, N, inputs), and it may
    have circles that take a step.

    Args:
        groups: in the order activity reaches them, the last one the output.
        edges: what joins them.
        residuals: identity shortcuts (a, b) between hidden groups of one size: s_b = y_b + s_a leaves b.
        normalised: whether what leaves a hidden group is first brought to mean 0 and variance 1.
        gates: ways without weights, whose strength is the activity of a group, or a number.

    Raises:
        InputError: for what cannot be wired so (`harness.core.wiring.check`).

    >>> import numpy as np
    >>> net = Network.chain(2, 3, 1)
    >>> [edge.name for edge in net.edges], net.size
    (['input-hidden', 'hidden-output'], 13)
    >>> params = {key: np.zeros(shape) for key, shape in net.shapes.items()}
    >>> net.respond(params, np.ones((4, 2))).shape
    (4, 1)
    """

    def blame(
        self,
        weights: Params,
        group: Group,
        y: Mapping[Group, Array],
        delta: Mapping[Group, Array],
        later: Later | None = None,
        before: Mapping[Group, Array] | None = None,
    ) -> Array:
        """Σ_j w_ij δ_j over the edges out of a group: what the groups that hear it say back.

        It is ∂E/∂y of the group where `weights` are the forward ones; feedback alignment has others there.
        What comes back over an edge goes through the normalisation of what left its source. Through a gate
        comes what it let pass, times its strength; and to the group that is its strength, times what passed.
        Rumelhart, Hinton & Williams 1986, eq. 7.

        Args:
            weights: what blame comes back over, (…, rows, columns) by edge.
            group: who is blamed.
            y: activities (…, N, size) by group; read where the network is normalised or gated.
            delta: ∂E/∂x (…, N, size) of groups that hear it within the time step.
            later: what comes back over delayed ways from a time step later.
            before: activities a time step earlier, which delayed gates let pass; without them nothing passed.

        Returns:
            Blame (…, N, size); 0.0 if nothing comes back.
        """
        read = reading()
        told = (
            {0: delta} if later is None else {0: delta, 1: later.delta}
        )  # by the delay of the way that tells
        found = kernels.total(
            self.through(e, y, read.back(e, weights[e.weights], told[e.delay][e.target]))
            for e in self._out_of[group]
            if e.delay in told and e.target in told[e.delay]
        )
        for gate in self._passed[group]:
            if gate.delay in told and gate.target in told[gate.delay]:
                strength = self.strength(gate, later.y if later and gate.delay else y)
                found = found + gate.back(strength, told[gate.delay][gate.target])
        for gate in self._letting[group]:
            passed = before if gate.delay else y
            if gate.target in delta and passed is not None:
                found = found + gate.outer(passed[gate.source], delta[gate.target])
        return found

    def pull(self, group: Group, y: Mapping[Group, Array], blame: Array) -> Array:
        """δ = ∂E/∂x of a group from its ∂E/∂y: slope × blame, or the Jacobian of softmax.

        Rumelhart, Hinton & Williams 1986, eq. 5.

        Args:
            group: whose kind of unit.
            y: activities (…, N, size) by group.
            blame: ∂E/∂y (…, N, size).

        Returns:
            ∂E/∂x (…, N, size).
        """
        return reading().pull(UNITS[group.activation], y[group], blame)

    def outer(
        self,
        y: Mapping[Group, Array],
        delta: Mapping[Group, Array],
        before: Mapping[Group, Array] | None = None,
    ) -> dict[Key, Array]:
        """∂E/∂w_ij = Σ_patterns y_i δ_j for every edge into a group in `delta`, and for its bias.

        Where edges share weights, or the places of a map do, it is the sum over all that share. Rumelhart,
        Hinton & Williams 1986, eq. 6.

        Args:
            y: activities (…, N, size) by group.
            delta: ∂E/∂x (…, N, size) of the groups whose weights get credit.
            before: activities a time step earlier, which delayed edges are credited with; without them they
                did nothing.

        Returns:
            Credit by parameter: (…, rows, columns) of weights, (…, 1, channels) of biases.
        """
        read = reading()
        heard = {0: y} if before is None else {0: y, 1: before}
        credit: dict[Key, Array] = {}
        for group, blame in delta.items():
            for e in self._into[group]:
                if e.delay in heard:
                    each = read.outer(e, self.sent(e.source, heard[e.delay]), blame)
                    credit[e.weights] = credit[e.weights] + each if e.weights in credit else each
            if group.bias:
                shared = group.channels != group.size  # one bias a channel: its places are patterns to it
                told = blame.reshape(*blame.shape[:-2], -1, group.channels) if shared else blame
                credit[group] = read.sum_patterns(told)
        return credit
