"""Who reads the source: run, counted, compiled or altered are four readings of the same lines.

An algorithm's update is plain NumPy. What a reading may do in its own way is asked of the one on top of the
stack: to send activity over an edge, to bring blame back, to pull it through units, to repeat a loop, and a
few sums that NumPy does faster when they are said differently.

    with read_by(Compiled()):
        algorithm.update(net, state, batch, rand)

`Reading` itself says everything as a plain expression, which any array that answers to NumPy's protocols can
do; so a new reading overrides only what it does differently. `Interpreted`, at the bottom of the stack, is
NumPy at its fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from harness.core import kernels, settling
from harness.core.settling import Rest, Settled, Step

Array = Any
Body = Callable[[Any, Any], Any]
R = TypeVar("R", bound="Reading")


class Reading:
    """Plain expressions for everything that a reading can be asked for."""

    lanes: int = 0
    """Replicas that every array holds beside those that the source sees; 0 where it sees them all."""

    def send(self, edge: Any, w: Array, y: Array) -> Array:
        """What `edge` with weights `w` makes of the activity y (…, N, source size): (…, N, target size)."""
        return edge.send(w, y)

    def push(self, edge: Any, w: Array, change: Array) -> Array:
        """What a change of the activity becomes over `edge`,
        as a tangent asks; as `send`, whose map is linear.
        """
        return edge.send(w, change)

    def back(self, edge: Any, w: Array, blame: Array) -> Array:
        """What comes back over `edge` of the blame (…, N, target size): (…, N, source size)."""
        return edge.back(w, blame)

    def outer(self, edge: Any, y: Array, blame: Array) -> Array:
        """The credit of the weights of `edge` from activity (…, N, source size) and blame (…, N, target
        size).
        """
        return edge.outer(y, blame)

    def pull(self, unit: Any, y: Array, blame: Array) -> Array:
        """∂E/∂x of units at activity y whose ∂E/∂y is `blame`, both (…, N, size)."""
        return unit.pull(y, blame)

    def shown(self, y: Mapping[Any, Array]) -> Mapping[Any, Array]:
        """The activities that a forward pass hands out. Showing them twice gives back what they were."""
        return y

    def repeat(self, n: int, body: Body, carry: Any) -> Any:
        """`carry = body(i, carry)` for i = 0 … n − 1, and the last of them."""
        for i in range(n):
            carry = body(i, carry)
        return carry

    def settle(self, most: int, step: Step, state: Any, around: Any, rest: Rest) -> Settled:
        """`state = step(state, around)` until no network moves, as `rest` has it."""
        return self.repeat(
            most, lambda _, at: settling.stepped(step, at, around, rest), settling.begun(state)
        )

    def sigmoid(self, x: Array) -> Array:
        """1 / (1 + exp(−x)); of complex numbers the same by `tanh`, where `exp` would overflow into NaN."""
        return 0.5 + 0.5 * np.tanh(0.5 * x) if x.dtype.kind == "c" else 1.0 / (1.0 + np.exp(-x))

    def toward(self, s: Array, goal: Array, share: Array) -> Array:
        """s + share · (goal − s)."""
        return s + share * (goal - s)

    def add_bias(self, total: Array, bias: Array) -> Array:
        """(…, N, k) + (…, 1, k); `total` may be written to: hand in an array of your own."""
        return total + bias

    def sum_patterns(self, a: Array) -> Array:
        """The sum over patterns of (…, N, k): (…, 1, k)."""
        return a.sum(axis=-2, keepdims=True)

    def sum_squares(self, a: Array) -> Array:
        """Σ a² over the last two axes: one number for each network."""
        return (a * a).sum(axis=(-1, -2))

    def descend(
        self, weights: Array, velocity: Array, gradient: Array, lr: Array, momentum: Array
    ) -> tuple[Array, Array]:
        """v = momentum · velocity − lr · gradient, and (weights + v, v)."""
        v = momentum * velocity - lr * gradient
        return weights + v, v

    def lessen(self, weights: Array, gradient: Array, lr: Array) -> Array:
        """weights − lr · gradient."""
        return weights - lr * gradient


class Interpreted(Reading):
    """NumPy runs the source: the same values by `kernels`, sums up to the order of summation."""

    fewest: int = 1
    """Networks of a batch that has lost some, at the least: with fewer, sums would be in another order."""

    def settle(self, most: int, step: Step, state: Any, around: Any, rest: Rest) -> Settled:
        return settling.leaving(most, step, state, around, rest, self.picked, self.fewest)

    @staticmethod
    def picked(a: Array, rows: Array) -> Array:
        """Some networks of an array (R, …)."""
        return a[rows]

    sigmoid = staticmethod(kernels.sigmoid)
    toward = staticmethod(kernels.toward)
    add_bias = staticmethod(kernels.add_bias)
    sum_patterns = staticmethod(kernels.sum_patterns)
    sum_squares = staticmethod(kernels.sum_squares)
    descend = staticmethod(kernels.descend)
    lessen = staticmethod(kernels.lessen)


_top: ContextVar[Reading] = ContextVar("reading", default=Interpreted())  # noqa: B039  # it holds no state


reading: Callable[[], Reading] = _top.get  # no function around it: it is asked a dozen times an epoch
"""The reading on top of the stack."""


@contextmanager
def read_by(other: R) -> Iterator[R]:
    """Let `other` read whatever is called inside the block; the one below takes over again afterwards."""
    token = _top.set(other)
    try:
        yield other
    finally:
        _top.reset(token)
