"""What a network is trained to lower, and the output's blame ∂E/∂x that follows from it.

A loss belongs to the output: it alone knows which targets are there, and which units make its blame simple.
Losses are sums over patterns, outputs and, of sequences, time steps, not means. All methods take activities
and targets (…, N, outputs), and `wanted`, which outputs should be on (bool, the same shape).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.core.errors import InputError
from harness.core.readings import reading
from harness.core.units import UNITS

Array = Any


class Loss:
    """What a network is trained to lower. A loss of one's own says `error` and `of`; `delta` follows.

    >>> class Absolute(Loss):
    ...     def error(self, y, target, wanted):
    ...         return np.sign(y - target)
    ...     def of(self, y, target, wanted):
    ...         return np.abs(y - target).sum(axis=(-1, -2))
    >>> y, d = np.array([[0.5]]), np.array([[1.0]])
    >>> Absolute().delta("sigmoid", y, d, d > 0.5).tolist()
    [[-0.25]]
    """

    @classmethod
    def made_for(cls, task: Any) -> Loss:
        """The loss as the settings of a task want it: here, the same for all.

        Args:
            task: the task whose loss it is to be.

        Returns:
            A loss.
        """
        return cls()

    def error(self, y: Array, target: Array, wanted: Array) -> Array:
        """∂E/∂y of the outputs.

        Args:
            y, target: activities and targets (…, N, outputs).
            wanted: which outputs should be on, bool, of that shape.

        Returns:
            ∂E/∂y (…, N, outputs).
        """
        raise InputError(f"{type(self).__name__} does not define error")

    def of(self, y: Array, target: Array, wanted: Array) -> Array:
        """The loss.

        Args:
            y, target: activities and targets (…, N, outputs).
            wanted: which outputs should be on, bool, of that shape.

        Returns:
            E (…), one number for each network (and each time step).
        """
        raise InputError(f"{type(self).__name__} does not define of")

    def delta(self, unit: str, y: Array, target: Array, wanted: Array) -> Array:
        """∂E/∂x of the output units: what they make of ∂E/∂y.

        Args:
            unit: the kind of the output units.
            y, target: activities and targets (…, N, outputs).
            wanted: which outputs should be on, bool, of that shape.

        Returns:
            ∂E/∂x (…, N, outputs).
        """
        return reading().pull(UNITS[unit], y, self.error(y, target, wanted))


@dataclass(frozen=True)
class SquaredError(Loss):
    """Half the squared error, E = ½ Σ (y − d)², summed over patterns, outputs and time steps.

    Rumelhart, Hinton & Williams 1986, eq. 3.

    Args:
        margin: an output within it of its target, or beyond, counts as without error (the family-tree recipe:
            on-units above .8 and off-units below .2); None: every error counts.

    >>> y, d = np.array([[1.0]]), np.array([[0.0]])
    >>> float(SquaredError().of(y, d, d > 0.5)), float(SquaredError(margin=2.0).of(y, d, d > 0.5))
    (0.5, 0.0)
    """

    margin: float | None = None

    @classmethod
    def made_for(cls, task: Any) -> Loss:
        return cls(task.margin)

    def error(self, y: Array, target: Array, wanted: Array) -> Array:
        gap = y - target
        if self.margin is None:
            return gap
        return gap * ((gap < -self.margin) & wanted | (gap > self.margin) & ~wanted)

    def of(self, y: Array, target: Array, wanted: Array) -> Array:
        return 0.5 * reading().sum_squares(self.error(y, target, wanted))


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """How surprised the outputs are by their targets, in nats; its blame ∂E/∂x is y − d.

        softmax    E = −Σ d ln y                           d a distribution over the outputs: Σ d = 1
        sigmoid    E = −Σ [d ln y + (1 − d) ln(1 − y)]     every output a bit of its own: 0 ≤ d ≤ 1

    Activities are taken to be at least the smallest normal number from 0 and 1, so that E stays finite where
    an output has saturated on the wrong side (at 708 nats in float64). Bridle 1990; Bishop 1995, Neural
    Networks for Pattern Recognition, sections 6.7 and 6.9.

    Args:
        unit: the output's units, softmax or sigmoid.

    >>> y, d = np.array([[0.25, 0.75]]), np.array([[0.0, 1.0]])
    >>> CrossEntropy().delta("softmax", y, d, d > 0.5).tolist()
    [[0.25, -0.25]]
    """

    unit: str = "softmax"
    """The output's units, softmax or sigmoid."""

    @classmethod
    def made_for(cls, task: Any) -> Loss:
        return cls(task.output_unit)

    def error(self, y: Array, target: Array, wanted: Array) -> Array:
        if self.unit == "softmax":
            return -target / above_zero(y)
        return (1.0 - target) / above_zero(1.0 - y) - target / above_zero(y)

    def of(self, y: Array, target: Array, wanted: Array) -> Array:
        surprise = target * np.log(above_zero(y))
        if self.unit == "sigmoid":
            surprise = surprise + (1.0 - target) * np.log(above_zero(1.0 - y))
        return -surprise.sum(axis=(-1, -2))

    def delta(self, unit: str, y: Array, target: Array, wanted: Array) -> Array:
        if unit == self.unit:  # made for each other
            return y - target
        return super().delta(unit, y, target, wanted)


def above_zero(y: Array) -> Array:
    """y, or the smallest normal number of its precision where y is below that."""
    return np.maximum(y, np.finfo(y.dtype).tiny)


LOSSES: dict[str, type[Loss]] = {"squared_error": SquaredError, "cross_entropy": CrossEntropy}
"""What a task may be trained to lower, by name."""
