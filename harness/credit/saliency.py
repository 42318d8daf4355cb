"""What a weight is worth: what the error rises by when it is deleted, foretold from the curvature.

    s_k = ½ h_kk w_k²                        Optimal Brain Damage, eq. 5; h_kk = ∂²E/∂w_k²

It is the rise of E where E is quadratic, training has come to its minimum, and the Hessian is diagonal. The
diagonal comes back through the network as blame does, with squared weights (eqs. 8 to 11):

    ∂²E/∂w_ij² = Σ_patterns h_j y_i²,        h_i = f′(x_i)² Σ_j w_ij² h_j + f″(x_i) ∂E/∂y_i

Second derivatives ∂²E/∂x_j ∂x_k of two units are left out. So it is exact up to the last hidden layer, where
output units do not see each other, and an approximation behind it. The Levenberg-Marquardt approximation
leaves out f″ too, and is never negative. LeCun, Denker & Solla 1990, Advances in Neural Information
Processing Systems 2:598-605.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.core.algorithm import Batch
from harness.core.errors import InputError, unknown
from harness.core.losses import CrossEntropy, SquaredError
from harness.core.network import Group, Key, Network, Params
from harness.core.units import UNITS
from harness.core.vectors import unflatten
from harness.credit.sharpness import columns

Array = Any
BENDS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda y: y * (1 - y) * (1 - 2 * y),
    "tanh": lambda y: -2 * y * (1 - y * y),
    "relu": np.zeros_like,
    "linear": np.zeros_like,
}
"""f″ as a function of the activity."""


def saliency(params: Params, diagonal: Params) -> dict[Key, Array]:
    """½ h w² of every parameter, in their shapes (R, rows, columns), in units of E.

    >>> {key: s.tolist() for key, s in saliency({"w": np.array([2.0])}, {"w": np.array([3.0])}).items()}
    {'w': [6.0]}
    """
    return {key: 0.5 * h * params[key] ** 2 for key, h in diagonal.items()}


def recursion(net: Network, params: Params, batch: Batch, *, bent: bool = True) -> dict[Key, Array]:
    """h of every parameter (R, rows, columns) by one pass back (eqs. 8 to 11).

    Args:
        net: dense, without time, residuals or normalisation; units sigmoid, tanh, relu or linear, softmax
            with its cross-entropy alone, whose outputs are taken as if they did not see each other.
        params: weights (R, rows, columns) by edge, biases (R, 1, channels) by group.
        batch: the patterns that E is summed over.
        bent: False leaves out f″, the Levenberg-Marquardt approximation.

    Raises:
        InputError: for networks, units and losses that are none of these.
    """
    if not net.dense or net.normalised or net.residuals:
        raise InputError(
            "curvature comes back through dense edges alone, but this network shares weights, lives in time, "
            "or has residuals or normalisation: allowed are dense chains and shortcuts"
        )
    y = net.forward(params, batch.x)
    squared = {key: params[key] ** 2 for key in params}
    h = {net.output: _output(net.output, y[net.output], batch, bent)}
    delta = {net.output: batch.delta(net, y)}
    for group in reversed(net.hidden):
        blame = net.blame(params, group, y, delta)
        h[group] = _through(group, y[group], net.blame(squared, group, y, h), blame, bent)
        delta[group] = net.pull(group, y, blame)
    return net.outer({group: a * a for group, a in y.items()}, h)


def exact_diagonal(net: Network, params: Params, batch: Batch) -> dict[Key, Array]:
    """∂²E/∂w² of every parameter (R, rows, columns), by differences of the exact gradient: 2 W gradients.

    Args:
        net, params, batch: as for `recursion`, any network.
    """
    found = [column[:, i] for i, column in enumerate(columns(net, params, batch))]
    return unflatten(net, np.stack(found, axis=-1)[:, None])


def _through(group: Group, y: Array, h: Array, blame: Array, bent: bool) -> Array:
    """h of net inputs from that of activities."""
    if group.activation not in BENDS:
        raise InputError(unknown("unit with a second derivative", group.activation, sorted(BENDS)))
    slope = UNITS[group.activation].pull(y, np.ones_like(y))
    return slope * slope * h + (BENDS[group.activation](y) * blame if bent else 0.0)


def _output(group: Group, y: Array, batch: Batch, bent: bool) -> Array:
    loss = batch.loss
    if isinstance(loss, CrossEntropy) and loss.unit == group.activation:
        return y * (1 - y) * np.ones_like(batch.target)
    if not isinstance(loss, SquaredError):
        raise InputError(
            f"the curvature of {type(loss).__name__} at {group.activation} outputs is not known: allowed are "
            "SquaredError, and CrossEntropy at the units it is made for"
        )
    error = batch.error(y)
    counts = np.ones_like(error) if loss.margin is None else (error != 0).astype(error.dtype)
    return _through(group, y, counts, error, bent)


def of_weights(net: Network, numbers: Mapping[Key, Array]) -> Array:
    """Numbers of all weights (R, M) in a row, those of biases left out."""
    edges = list(dict.fromkeys(edge.weights for edge in net.edges))
    return np.concatenate([numbers[key].reshape(*numbers[key].shape[:-2], -1) for key in edges], axis=-1)
