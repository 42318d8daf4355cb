"""What a unit does with its input, and how steep it is there.

Slopes are functions of the *activity* y = f(x), because that is what a network keeps
(for the logistic unit, dy/dx = y (1 − y): Rumelhart, Hinton & Williams 1986, eq. 2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from harness.core import kernels

Array = Any  # an ndarray, or one of the duck arrays that read the same source


class Activation(NamedTuple):
    """y = `of`(x), dy/dx = `slope`(y), and the open interval (or set of values) y can take."""

    of: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    low: float
    high: float


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(kernels.sigmoid, lambda y: y * (1.0 - y), 0.0, 1.0),
    "tanh": Activation(np.tanh, lambda y: 1.0 - y * y, -1.0, 1.0),
    "relu": Activation(lambda x: np.maximum(x, 0.0), lambda y: np.where(y > 0, 1.0, 0.0).astype(y.dtype), 0.0, np.inf),
    "linear": Activation(lambda x: x, np.ones_like, -np.inf, np.inf),
    # A threshold unit is flat wherever it has a slope at all: gradients through it are zero.
    "heaviside": Activation(lambda x: np.where(x > 0, 1.0, 0.0).astype(x.dtype), np.zeros_like, 0.0, 1.0),
}
