"""How sharp a minimum is: the Hessian H = ∂²E/∂w² of trained networks, its largest eigenvalue and its trace.

    column i      H e_i ≈ [g(w + h e_i) − g(w − h e_i)] / 2h        g the exact gradient, h = 1e-5
    product       H v   ≈ [g(w + h v/|v|) − g(w − h v/|v|)] |v| / 2h
    largest       the Lanczos method on products (scipy.sparse.linalg.eigsh)
    trace         E zᵀHz = tr H, the z independent and ±1 with equal chances

Products cost two gradients each, so that no network is too large for them. Sharpness belongs to the weights,
not to the function that a network computes: units of ReLU can be scaled so that the one changes and the other
does not (Dinh et al. 2017, arXiv:1703.04933). Hutchinson 1990, Communications in Statistics: Simulation
19:433-450; Pearlmutter 1994, Neural Computation 6:147-160, has products without differences.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.core.algorithm import Batch
from harness.core.errors import whole
from harness.core.exact_gradient import exact_gradient
from harness.core.network import Network, Params
from harness.core.vectors import flatten, unflatten
from harness.statistics import Interval

Array = Any
STEP = 1e-5
TOLERANCE = 1e-4  # of an eigenvalue, relative


def columns(net: Network, params: Params, batch: Batch) -> Iterator[Array]:
    """The W columns of the Hessian, one by one, each (R, W), weights in the order of `flatten`."""
    flat = flatten(net, params)
    for i in range(net.size):
        step = np.zeros(net.size)
        step[i] = STEP
        yield _difference(net, flat, step, batch)[:, 0] / (2 * STEP)


def hessian(net: Network, params: Params, batch: Batch) -> Array:
    """∂²E/∂w² (R, W, W), symmetric, by central differences of the exact gradient, step 1e-5.

    Args:
        net: the network.
        params: weights (R, rows, columns) by edge, biases (R, 1, channels) by group.
        batch: the patterns that E is summed over.
    """
    found = np.stack(list(columns(net, params, batch)), axis=-1)
    return 0.5 * (found + found.mT)


def product(net: Network, params: Params, batch: Batch, vectors: Array) -> Array:
    """H v (R, W) of vectors v (R, W), none of them zero, by two gradients.

    Args:
        net, params, batch: as for `hessian`.
        vectors: one for each network.
    """
    v = np.asarray(vectors, float)[:, None]
    size = np.sqrt((v * v).sum(axis=-1, keepdims=True))
    return (_difference(net, flatten(net, params), STEP * v / size, batch) * size / (2 * STEP))[:, 0]


def largest(net: Network, params: Params, batch: Batch) -> Array:
    """The largest eigenvalue of the Hessian (R,), by the Lanczos method, to a relative 1e-4.

    Args:
        net, params, batch: as for `hessian`; of three weights or more. A network that is not finite has NaN.
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    found = []
    for r in range(len(next(iter(params.values())))):
        one, own = {key: w[r : r + 1] for key, w in params.items()}, _of(batch, r)
        if not all(np.isfinite(w).all() for w in one.values()):
            found.append(np.nan)
            continue
        operator = LinearOperator(
            (net.size, net.size),
            matvec=lambda v, one=one, own=own: product(net, one, own, v.reshape(1, -1))[0],
            dtype=float,
        )
        start = np.random.default_rng(r).normal(size=net.size)
        some = eigsh(operator, k=1, which="LA", v0=start, tol=TOLERANCE, return_eigenvectors=False)
        found.append(float(some[0]))
    return np.array(found)


def traces(net: Network, params: Params, batch: Batch, draws: int, seed: int) -> Array:
    """zᵀHz (R, draws) of random signs z: each has the trace of H as its mean.

    Args:
        net, params, batch: as for `hessian`.
        draws: how many, the same z for every network.
        seed: of the signs.

    Raises:
        InputError: for fewer than one draw.
    """
    whole("draws", draws, 1)
    z = np.random.default_rng(seed).choice([-1.0, 1.0], (draws, net.size))
    count = len(next(iter(params.values())))
    rows = (np.broadcast_to(row, (count, net.size)) for row in z)
    return np.stack([(row * product(net, params, batch, row)).sum(axis=-1) for row in rows], axis=-1)


def trace(drawn: Array, level: float = 0.95) -> Interval:
    """The trace of one network's Hessian from draws of `traces` (draws,), two or more: the mean with
    Student's
    interval.
    """
    from scipy.stats import t as student

    value = float(np.mean(drawn))
    n = len(drawn)
    reach = float(student.ppf((1 + level) / 2, n - 1) * np.std(drawn, ddof=1) / np.sqrt(n))
    return Interval(value, value - reach, value + reach)


def _difference(net: Network, flat: Array, step: Array, batch: Batch) -> Array:
    """g(w + step) − g(w − step) in rows (R, 1, W)."""
    with np.errstate(all="ignore"):  # of networks that diverged
        up, down = (
            flatten(net, exact_gradient(net, unflatten(net, flat + s * step), batch).gradient)
            for s in (1.0, -1.0)
        )
        return up - down


def _of(batch: Batch, r: int) -> Batch:
    """The patterns of one network, where each has its own."""
    own = [a[r : r + 1] if len(a) > 1 else a for a in (batch.x, batch.target, batch.wanted)]
    return batch._replace(x=own[0], target=own[1], wanted=own[2])
