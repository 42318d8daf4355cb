"""The way forward: what every unit of a network does, for a pattern or step by step for a sequence.

    net_input   x_j = Σ_i y_i w_ij + b_j           activity comes in over edges, and through gates
    step        y_j = f(x_j) of all groups in order, in time a step later
    unrolled    a step after the other, for sequences

What leaves a group over its edges is its activity, or with residuals and normalisation what
`harness.core.leaving` makes of it. Rumelhart, Hinton & Williams 1986, eqs. 1 and 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.core import kernels
from harness.core.edges import Group
from harness.core.gates import Gate
from harness.core.leaving import Leaving
from harness.core.readings import reading
from harness.core.units import UNITS
from harness.core.wiring import Key

Array = Any
Params = Mapping[Key, Array]


@dataclass(frozen=True)
class Activity(Leaving):
    """A wiring whose groups are active: net input, and the activity of all units."""

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
            before: activities a time step earlier, which delayed ways hear; None at the first step.

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
            before: activities a time step earlier, for delayed ways; without them these send nothing.

        Returns:
            Net input (…, N, size).
        """
        read = reading()
        heard = {0: y} if before is None else {0: y, 1: before}  # by the delay of the way that hears it
        x = kernels.total(
            read.send(e, params[e.weights], self.sent(e.source, heard[e.delay]))
            for e in self._into[group]
            if e.delay in heard
        )
        for gate in self._gated[group]:
            if gate.delay in heard:
                x = x + gate.send(self.strength(gate, y), heard[gate.delay][gate.source])
        if isinstance(x, float):  # all its ways are delayed, and this is the first step
            some = y[self.inputs[0]]
            x = np.zeros_like(some, shape=(*some.shape[:-1], group.size))
        return read.add_bias(x, self.everywhere(group, params[group])) if group.bias else x

    def strength(self, gate: Gate, y: Mapping[Group, Array]) -> Array:
        """How much passes a gate.

        Args:
            gate: which.
            y: activities (…, N, size) by group.

        Returns:
            What its `by` does (…, N, size), or its number.
        """
        return y[gate.by] if isinstance(gate.by, Group) else gate.by

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
