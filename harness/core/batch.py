"""What an update is given and what it gives back: a batch of patterns, a new state, the credit of weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from harness.core.data import Data, asked
from harness.core.losses import Loss, SquaredError
from harness.core.network import Group, Key, Network

Array = Any


class Batch(NamedTuple):
    """What one update sees: N patterns, or N sequences of T steps where the network lives in time.

    Args:
        x: patterns (…, N, input size), or sequences (…, T, N, input size).
        target: target activity of the output group (…, N, outputs); of sequences (…, K, N, outputs), at their
            last K steps.
        wanted: which outputs should be on, bool, in the shape of `target`.
        epoch: the sweep this update belongs to, from 0.
        loss: what is lowered; its methods are called through `cost`, `error` and `delta`.
        time: whether the axis before the patterns is time.

    >>> import numpy as np
    >>> batch = Batch(np.ones((4, 2)), np.zeros((4, 1)), np.zeros((4, 1), bool), epoch=0)
    >>> batch.patterns, float(batch.cost(np.ones((4, 1))))
    (4, 2.0)
    """

    x: Array
    """Patterns (…, N, input size)."""
    target: Array
    """Target activity of the output group (…, N, outputs); of sequences (…, K, N, outputs), at the last K."""
    wanted: Array
    """Which outputs should be on, bool (…, N, outputs)."""
    epoch: Array
    """The sweep this update belongs to, from 0."""
    loss: Loss = SquaredError()
    time: bool = False
    """Whether the axis before the patterns is time."""

    @classmethod
    def of(cls, data: Data, epoch: Array, loss: Loss) -> Batch:
        """All of some data as an update sees it.

        Args:
            data: arrays (…, N, units), as `Task.data` gives them.
            epoch: the sweep this update belongs to, from 0.
            loss: the task's loss (`Task.objective`).

        Returns:
            A batch of all its patterns.
        """
        return cls(*data[:3], epoch, loss, data.time)

    @property
    def patterns(self) -> int:
        """How many patterns an update goes through: N, or N · T."""
        return self.x.shape[-2] * (self.x.shape[-3] if self.time else 1)

    def error(self, y: Array) -> Array:
        """∂E/∂y of the output.

        Args:
            y: output activities (…, N, outputs).

        Returns:
            ∂E/∂y (…, N, outputs), in units of E a unit of activity.
        """
        return self.loss.error(y, self.target, self.wanted)

    def cost(self, y: Array) -> Array:
        """The loss E, summed over patterns, outputs and the time steps that have a target.

        Args:
            y: output activities (…, N, outputs), or (…, T, N, outputs).

        Returns:
            One number for each network, (…).
        """
        each = self.loss.of(self.asked(y), self.target, self.wanted)
        return each.sum(axis=-1) if self.time else each

    def delta(self, net: Network, y: Mapping[Group, Array]) -> Array:
        """∂E/∂x of the output group: where every way back begins.

        Args:
            net: whose output.
            y: activities (…, N, size) by group.

        Returns:
            ∂E/∂x (…, N, outputs).
        """
        return self.loss.delta(net.output.activation, y[net.output], self.target, self.wanted)

    def asked(self, y: Array) -> Array:
        """Outputs at the steps that have a target: the last K.

        Args:
            y: output activities (…, T, N, outputs); without time (…, N, outputs).

        Returns:
            Those of K steps (…, K, N, outputs); without time, all.
        """
        return asked(y, self.target) if self.time else y

    def delta_at(self, net: Network, y: Mapping[Group, Array], t: int) -> dict[Group, Array]:
        """∂E/∂x of the output group at one time step, by the loss of this step.

        Args:
            net: whose output.
            y: activities (…, N, size) by group at step t.
            t: the step, from 0.

        Returns:
            ∂E/∂x (…, N, outputs) of the output; nothing at a step without a target.
        """
        return {net.output: self.at(t).delta(net, y)} if t >= self.untold else {}

    @property
    def untold(self) -> int:
        """Steps at the start of its sequences that have no target: T − K."""
        return int(self.x.shape[-3] - self.target.shape[-3]) if self.time else 0

    def at(self, t: int) -> Batch:
        """One time step of its sequences that has a target, as a batch of patterns.

        Args:
            t: the step, from 0.

        Returns:
            A batch (…, N, units) without time.
        """
        told = t - self.untold
        x, target, wanted = self.x[..., t, :, :], *(a[..., told, :, :] for a in (self.target, self.wanted))
        return self._replace(x=x, target=target, wanted=wanted, time=False)

    def crowd(self) -> Batch:
        """The same for many networks side by side, as evolution strategies try them.

        Returns:
            A batch with an axis of length 1 where each replica has its individuals.
        """
        own = (slice(None),) * (3 if self.time else 2)
        x, target, wanted = (a[(..., None, *own)] for a in (self.x, self.target, self.wanted))
        return self._replace(x=x, target=target, wanted=wanted)


def added(a: Mapping[Key, Array], b: Mapping[Key, Array]) -> dict[Key, Array]:
    """The credit of two parts of a network: summed where they share weights.

    Args:
        a, b: credit by parameter, each (…, rows, columns).

    Returns:
        Credit of all parameters of both.

    >>> added({"w": 1.0}, {"w": 2.0, "v": 3.0})
    {'w': 3.0, 'v': 3.0}
    """
    return {**a, **{key: a[key] + each if key in a else each for key, each in b.items()}}


class Update(NamedTuple):
    """What `Algorithm.update` returns.

    Args:
        state: the new state; its entry "params" holds the weights.
        output: predictions (…, N, outputs) for the batch at the *old* state, or None. They save the trainer a
            forward pass where an update is a whole sweep.

    >>> Update({"params": {}}, None).output is None
    True
    """

    state: dict[str, Any]
    output: Array | None


class Credit(NamedTuple):
    """What `CreditAlgorithm.credit` returns.

    Args:
        gradient: the estimate of ∂E/∂w (…, rows, columns) by parameter; weights that are left out stay.
        output: the outputs (…, N, outputs) for the batch where they were computed, else None.

    >>> Credit({}, None).gradient
    {}
    """

    gradient: Mapping[Key, Array]
    output: Array | None
