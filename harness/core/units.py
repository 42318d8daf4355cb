"""What a unit does with its input, and how blame passes back through it.

    y = f(x),      ∂E/∂x_i = Σ_j ∂y_j/∂x_i ∂E/∂y_j

Both are functions of the *activity* y, because that is what a network keeps. Where every unit sees its own
input only, ∂E/∂x = ∂E/∂y · f′(x), and f′ is its slope (for the logistic unit y (1 − y): Rumelhart, Hinton &
Williams 1986, eq. 2). Softmax units see each other: y_i = e^{x_i} / Σ_k e^{x_k}, ∂E/∂x_i = y_i (∂E/∂y_i − Σ_k
y_k ∂E/∂y_k).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from harness.core.readings import reading

Array = Any  # an ndarray, or one of the duck arrays that read the same source


class Unit(NamedTuple):
    """A kind of unit: what it does with its net input, and how blame passes back through it.

    `pull` is the transposed Jacobian times a vector. It must be symmetric, as softmax's is and that of all
    units that see their own input only, so that it also carries a tangent forward.

    Args:
        of: y = f(x), of arrays (…, N, size).
        pull: ∂E/∂x of y and ∂E/∂y, all of them (…, N, size): of the activity, which is what a network keeps.
        low, high: the interval (open, or a set) that y lies in.
        analytic: whether f has a derivative everywhere, as the complex step needs it.

    >>> softsign = Unit(lambda x: x / (1 + abs(x)), lambda y, blame: blame * (1 - abs(y)) ** 2, -1.0, 1.0)
    >>> float(softsign.of(np.ones(1))[0]), float(softsign.pull(np.full(1, 0.5), np.ones(1))[0])
    (0.5, 0.25)
    """

    of: Callable[[Array], Array]
    pull: Callable[[Array, Array], Array]
    low: float
    high: float
    analytic: bool = False
    """Whether f has a derivative everywhere, as the complex step needs it."""


def one_by_one(slope: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    """The `pull` of units that see their own input only: blame times `slope`(y) = f′(x)."""
    return lambda y, blame: blame * slope(y)


def softmax(x: Array) -> Array:
    """e^x over its sum along the last axis; the largest x is taken off first, so that nothing overflows."""
    e = np.exp(x - (x.real if x.dtype.kind == "c" else x).max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


UNITS: dict[str, Unit] = {
    "sigmoid": Unit(
        lambda x: reading().sigmoid(x), one_by_one(lambda y: y * (1.0 - y)), 0.0, 1.0, analytic=True
    ),
    "tanh": Unit(np.tanh, one_by_one(lambda y: 1.0 - y * y), -1.0, 1.0, analytic=True),
    "relu": Unit(
        lambda x: np.maximum(x, 0.0),
        one_by_one(lambda y: np.where(y > 0, 1.0, 0.0).astype(y.dtype)),
        0.0,
        np.inf,
    ),
    "linear": Unit(lambda x: x, one_by_one(np.ones_like), -np.inf, np.inf, analytic=True),
    # The least of ½ y² − u y for y in [0, 1]: what a unit of bounded states settles to. Flat outside.
    "hard_sigmoid": Unit(
        lambda x: np.clip(x, 0.0, 1.0),
        one_by_one(lambda y: np.where((y > 0) & (y < 1), 1.0, 0.0).astype(y.dtype)),
        0.0,
        1.0,
    ),
    # A threshold unit is flat wherever it has a slope at all: gradients through it are zero.
    "heaviside": Unit(
        lambda x: np.where(x > 0, 1.0, 0.0).astype(x.dtype), one_by_one(np.zeros_like), 0.0, 1.0
    ),
    "softmax": Unit(
        softmax,
        lambda y, blame: y * (blame - (y * blame).sum(axis=-1, keepdims=True)),
        0.0,
        1.0,
        analytic=True,
    ),
}
