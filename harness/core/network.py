"""A network is groups of units and edges between them; its parameters are a plain mapping.

`params[edge.weights]` is what an edge's map is made of (…, rows, columns) and `params[group]` a bias (…, 1,
channels); leading axes are replicas (and whatever an algorithm adds before them). Edges that share weights
share the key. A chain of dense edges is the common case; a shortcut connection is one more edge. An identity
shortcut of a residual network has no weights: what leaves its target is the target's activity plus what
leaves its source.

What an algorithm asks of it, whatever the kinds of its edges and units:

    net_input   x_j = Σ_i y_i w_ij + b_j           activity comes in over edges
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
from typing import Any

import numpy as np

from harness.core import kernels
from harness.core.edges import Edge, Group
from harness.core.leaving import Leaving
from harness.core.readings import reading
from harness.core.units import UNITS
from harness.core.wiring import Key

__all__ = ["Array", "Edge", "Group", "Key", "Network", "Params"]

Array = Any
Params = Mapping[Key, Array]


@dataclass(frozen=True)
class Network(Leaving):
    """Groups of units and the edges between them: what an algorithm asks for activity and blame.

    Groups without incoming edges are inputs; they split the columns of a pattern in their order. With a
    delayed edge the network lives in time: its patterns are sequences (…, T, N, inputs), and it may have
    circles that take a step.

    Args:
        groups: in the order activity reaches them, the last one the output.
        edges: what joins them.
        residuals: identity shortcuts (a, b) between hidden groups of one size: s_b = y_b + s_a leaves b.
        normalised: whether what leaves a hidden group is first brought to mean 0 and variance 1.

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

    # the way forward
    # ------------------------------------------------------------------------------------------------

    def split(self, x: Array) -> dict[Group, Array]:
        """A pattern matrix cut into the activities of the input groups.

        Args:
            x: patterns (…, N, input size).

        Returns:
            Activity (…, N, size) of each input group.
        """
        if len(self.inputs) == 1:
            return {self.inputs[0]: x}
        ends = np.cumsum([g.size for g in self.inputs])
        return {g: x[..., end - g.size : end] for g, end in zip(self.inputs, ends, strict=True)}

    def step(
        self, params: Params, x: Array, before: Mapping[Group, Array] | None = None
    ) -> dict[Group, Array]:
        """Activity of every group, for one time step: x_j = Σ_i y_i w_ij + b_j, y_j = f(x_j).

        Rumelhart, Hinton & Williams 1986, eqs. 1 and 2.

        Args:
            params: weights (…, rows, columns) by edge, biases (…, 1, channels) by group.
            x: patterns (…, N, input size).
            before: activities a time step earlier, which delayed edges hear; None at the first step.

        Returns:
            Activity (…, N, size) of every group.
        """
        y = self.split(x)
        for group in self.free:
            y[group] = self.activity(group, self.net_input(params, group, y, before))
        return reading().shown(y)  # type: ignore[return-value]  # a mapping like the one it was given

    def forward(self, params: Params, x: Array) -> dict[Group, Array]:
        """`step` without a step before: all activities of a network that does not live in time.

        Args:
            params: weights (…, rows, columns) by edge, biases (…, 1, channels) by group.
            x: patterns (…, N, input size).

        Returns:
            Activity (…, N, size) of every group.
        """
        return self.step(params, x)

    def unrolled(self, params: Params, x: Array) -> list[dict[Group, Array]]:
        """Activities at each time step of sequences.

        Args:
            params: weights (…, rows, columns) by edge, biases (…, 1, channels) by group.
            x: sequences (…, T, N, input size).

        Returns:
            For each of the T steps the activity (…, N, size) of every group.
        """
        steps: list[dict[Group, Array]] = []
        for t in range(x.shape[-3]):
            steps.append(self.step(params, x[..., t, :, :], steps[-1] if steps else None))
        return steps

    def respond(self, params: Params, x: Array) -> Array:
        """The output for patterns, whether the network lives in time or not.

        Args:
            params: weights (…, rows, columns) by edge, biases (…, 1, channels) by group.
            x: patterns (…, N, input size), or sequences (…, T, N, input size) in time.

        Returns:
            Outputs (…, N, outputs), or (…, T, N, outputs) in time.
        """
        if not self.timed:
            return self.forward(params, x)[self.output]
        return np.stack([y[self.output] for y in self.unrolled(params, x)], axis=-3)

    def net_input(
        self,
        params: Params,
        group: Group,
        y: Mapping[Group, Array],
        before: Mapping[Group, Array] | None = None,
    ) -> Array:
        """x_j = Σ_i y_i w_ij + b_j of one group.

        Args:
            params: weights (…, rows, columns) by edge, biases (…, 1, channels) by group.
            group: whose net input.
            y: activities (…, N, size) of the groups that feed it.
            before: activities a time step earlier, for delayed edges; without them these send nothing.

        Returns:
            Net input (…, N, size).
        """
        read = reading()
        heard = {0: y} if before is None else {0: y, 1: before}  # by the delay of the edge that hears it
        x = kernels.total(
            read.send(e, params[e.weights], self.sent(e.source, heard[e.delay]))
            for e in self._into[group]
            if e.delay in heard
        )
        if isinstance(x, float):  # all its edges are delayed, and this is the first step
            some = y[self.inputs[0]]
            x = np.zeros_like(some, shape=(*some.shape[:-1], group.size))
        return read.add_bias(x, self.everywhere(group, params[group])) if group.bias else x

    def heard(self, weights: Params, group: Group, y: Mapping[Group, Array]) -> Array:
        """Σ_i y_i w_ij of one group over the edges from some groups, without bias: a part of its net input.

        Args:
            weights: (…, rows, columns) by edge.
            group: whose net input.
            y: activities (…, N, size) of the groups that are listened to.

        Returns:
            That part (…, N, size); 0.0 if no edge comes from any of them.
        """
        read = reading()
        return kernels.total(
            read.send(e, weights[e.weights], self.sent(e.source, y))
            for e in self._into[group]
            if e.source in y and not e.delay
        )

    def everywhere(self, group: Group, bias: Array) -> Array:
        """A bias at every place of a map.

        Args:
            group: whose bias.
            bias: one number a channel, (…, 1, channels).

        Returns:
            One number a unit, (…, 1, size).
        """
        return bias if group.channels == group.size else np.tile(bias, group.size // group.channels)

    def activity(self, group: Group, x: Array) -> Array:
        """y = f(x) of a group.

        Args:
            group: whose kind of unit f is.
            x: its net input (…, N, size).

        Returns:
            Activity (…, N, size).
        """
        return UNITS[group.activation].of(x)

    # the way back
    # ---------------------------------------------------------------------------------------------------

    def blame(
        self,
        weights: Params,
        group: Group,
        y: Mapping[Group, Array],
        delta: Mapping[Group, Array],
        later: Mapping[Group, Array] | None = None,
    ) -> Array:
        """Σ_j w_ij δ_j over the edges out of a group: what the groups that hear it say back.

        It is ∂E/∂y of the group where `weights` are the forward ones; feedback alignment has others there.
        What comes back over an edge goes through the normalisation of what left its source. Rumelhart,
        Hinton & Williams 1986, eq. 7.

        Args:
            weights: what blame comes back over, (…, rows, columns) by edge.
            group: who is blamed.
            y: activities (…, N, size) by group; read where the network is normalised.
            delta: ∂E/∂x (…, N, size) of groups that hear it within the time step.
            later: ∂E/∂x a time step later, which comes back over delayed edges.

        Returns:
            Blame (…, N, size); 0.0 if nothing comes back.
        """
        read = reading()
        told = {0: delta} if later is None else {0: delta, 1: later}  # by the delay of the edge that tells it
        return kernels.total(
            self.through(e, y, read.back(e, weights[e.weights], told[e.delay][e.target]))
            for e in self._out_of[group]
            if e.delay in told and (e.delay or e.target in delta)
        )

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
