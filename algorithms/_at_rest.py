"""The gradient of the loss at a state of rest, by implicit differentiation.

    s = T(s, u),  y = φ(s),  u = A y + what inputs and biases send         A: all weights, both ways
    λ = ∂T/∂s λ + φ′ (∂C/∂y + A (∂T/∂u λ)),     δ = ∂T/∂u λ         the adjoint, at rest
    ∂C/∂w_ij = Σ_patterns (δ_j y_i + δ_i y_j)                              w sends both ways

δ is what recurrent backpropagation settles to (Almeida 1987; Pineda 1987, Phys. Rev. Lett. 59:2229-2232);
here the linear equations of every pattern are solved at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from harness.core.algorithm import Array, Batch, Network, Params, added
from harness.core.edges import Group
from harness.core.network import Key

NUMBERS = 2**22  # in the equations of one network, at the most
STEPS, AT_REST = 20_000, 1e-13  # to be at rest within rounding
SLOWEST = 0.01  # steps ε with which it still comes to rest in `STEPS`; where it does is the same
WIDTH = 1e-6  # of a difference, for the curvature of units


def gradient_at_rest(rule: Any, net: Network, params: Params, batch: Batch) -> dict[str, Array] | None:
    """∂C/∂w by name at the free state of rest of a settling rule; None for more than `NUMBERS` equations.

    Args:
        rule: a `Settling` rule.
        net, params, batch: as of `Algorithm.own_gradient`.

    Returns:
        The gradient (…, rows, columns) by parameter name.
    """
    units = sum(g.size for g in net.free)
    if units * units * batch.x.shape[-2] > NUMBERS:
        return None
    params = {key: np.asarray(a, np.float64) for key, a in params.items()}  # float32 has no room for WIDTH
    batch = batch._replace(x=np.asarray(batch.x, np.float64), target=np.asarray(batch.target, np.float64))
    step = max(rule.epsilon, SLOWEST)
    exact = replace(rule, epsilon=step, tolerance=AT_REST, steps=STEPS, steps_taught=STEPS)
    states = exact.rest(net, params, batch.x).state
    y = exact.activities(net, states)
    lines = [_lines(exact, net, params, g, states, y) for g in net.free]
    by_state, by_input, shown = (np.concatenate(each, axis=-1) for each in zip(*lines, strict=True))
    ways = _ways(net, params)[..., None, :, :]
    error = np.zeros_like(shown)
    error[..., units - net.output.size :] = batch.error(y[net.output])
    one = np.eye(units, dtype=shown.dtype)
    left = one * (1.0 - by_state)[..., None] - shown[..., :, None] * ways * by_input[..., None, :]
    blame = np.linalg.solve(left, (shown * error)[..., None])[..., 0] * by_input
    ends = np.cumsum([g.size for g in net.free])
    delta = {g: blame[..., end - g.size : end] for g, end in zip(net.free, ends, strict=True)}
    up = net.outer(y, delta)
    down: dict[Key, Array] = {}
    for e in net.edges:
        if e.source in delta:
            down = added(down, {e.weights: e.outer(delta[e.source], y[e.target])})
    return {key.name: a for key, a in added(up, down).items()}


def _lines(rule: Any, net: Network, params: Params, g: Group, states: Any, y: Any) -> tuple[Array, ...]:
    """∂T/∂s, ∂T/∂u and φ′ of the units of a group, each (…, N, size), by differences."""
    u = net.net_input(params, g, y) + net.blame(params, g, y, y)
    s = states[g]

    def slope(f: Any) -> Array:
        return (f(WIDTH) - f(-WIDTH)) / (2.0 * WIDTH)

    return (
        slope(lambda h: rule.drawn(net, g, s + h, u, 1.0)),
        slope(lambda h: rule.drawn(net, g, s, u + h, 1.0)),
        slope(lambda h: rule.shown(net, g, s + h)),
    )


def _ways(net: Network, params: Params) -> Array:
    """A: what each free unit hears from each other one, (…, units, units), symmetric."""
    silent = {key: np.zeros_like(a) if isinstance(key, Group) else a for key, a in params.items()}
    units = sum(g.size for g in net.free)
    one = np.eye(units, dtype=next(iter(params.values())).dtype)
    ends = np.cumsum([g.size for g in net.free])
    y = {g: one[:, end - g.size : end] for g, end in zip(net.free, ends, strict=True)}
    y |= {g: np.zeros((units, g.size), one.dtype) for g in net.inputs}
    rows = [net.net_input(silent, g, y) + net.blame(params, g, y, y) for g in net.free]
    lead = np.broadcast_shapes(*(a.shape[:-1] for a in rows))
    return np.concatenate([np.broadcast_to(a, (*lead, a.shape[-1])) for a in rows], axis=-1)
