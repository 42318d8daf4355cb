"""The other baseline: what somebody who knows JAX writes by hand for one task,
`jit(vmap(grad))` over a whole loop.

Gradient descent with momentum on half the squared error, the criterion and the epoch of solution, for a chain
of sigmoid layers. Its final weights must equal the harness's: the benchmark checks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Params = list[tuple[Any, Any]]


def outputs(params: Params, x: Any) -> Any:
    """Activity of the last layer (N, outputs) of one network."""
    for w, b in params:
        x = jax.nn.sigmoid(x @ w + b)
    return x


def loss(params: Params, x: Any, target: Any) -> Any:
    """E = ½ Σ (y − d)²."""
    return 0.5 * jnp.sum((outputs(params, x) - target) ** 2)


@partial(jax.jit, static_argnames=("epochs", "lr", "momentum"))
def train(params: Params, x: Any, target: Any, epochs: int, lr: float, momentum: float) -> tuple[Params, Any]:
    """Final weights and the epoch of solution (R,) of R networks that all run for `epochs`."""

    def one(i: Any, now: Any) -> Any:
        params, velocity, solved = now
        right = jax.vmap(lambda p: jnp.all((outputs(p, x) > 0.5) == (target > 0.5)))(params)
        solved = jnp.where(right & (solved < 0), i, solved)
        gradient = jax.vmap(jax.grad(loss), in_axes=(0, None, None))(params, x, target)
        velocity = jax.tree.map(lambda v, g: momentum * v - lr * g, velocity, gradient)
        return jax.tree.map(jnp.add, params, velocity), velocity, solved

    start = (params, jax.tree.map(jnp.zeros_like, params), jnp.full(len(params[0][0]), -1))
    params, _, solved = lax.fori_loop(0, epochs, one, start)
    return params, solved


def prepared(
    params: list[tuple[Any, Any]], x: Any, target: Any, epochs: int, lr: float, momentum: float
) -> Callable[[], Any]:
    """The same, compiled: a call trains all networks from the start."""
    with jax.enable_x64(True):
        run = train.lower(params, x, target, epochs=epochs, lr=lr, momentum=momentum).compile()

    def once() -> list[tuple[np.ndarray, np.ndarray]]:
        with jax.enable_x64(True):
            return [(np.asarray(w), np.asarray(b)) for w, b in run(params, x, target)[0]]

    return once
