"""A network's parameters as one row of W numbers, and the loss at many such rows at once.

What perturbs weights (differences, weight perturbation, evolution) works on rows; perturbations are one more
leading axis, gone through in blocks that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from harness.core.algorithm import Batch
from harness.core.loops import repeat
from harness.core.network import Key, Network, Params
from harness.core.readings import reading

Array = Any
WORKSPACE = 2**17  # perturbed activities held at once, in numbers: a few MB, whatever the network


def flatten(net: Network, params: Params) -> Array:
    """All parameters of a network in one row of W numbers.

    Args:
        net: the network; its `shapes` give the order.
        params: weights (…, rows, columns) by edge, biases (…, 1, channels) by group.

    Returns:
        The row (…, 1, W).

    >>> net = Network.chain(2, 3, 1)
    >>> flatten(net, {key: np.zeros(shape) for key, shape in net.shapes.items()}).shape
    (1, 13)
    """
    return np.concatenate([params[k].reshape(*params[k].shape[:-2], 1, -1) for k in net.shapes], axis=-1)


def unflatten(net: Network, flat: Array) -> dict[Key, Array]:
    """The parameters that a row of W numbers stands for: the inverse of `flatten`.

    Args:
        net: the network.
        flat: a row (…, 1, W).

    Returns:
        Weights (…, rows, columns) by edge, biases (…, 1, channels) by group.

    >>> net = Network.chain(2, 3, 1)
    >>> unflatten(net, np.arange(13.0)[None])[net.edges[0]].tolist()
    [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    """
    ends = np.cumsum([prod(shape) for shape in net.shapes.values()])
    return {
        k: flat[..., 0, end - prod(shape) : end].reshape(*flat.shape[:-2], *shape)
        for (k, shape), end in zip(net.shapes.items(), ends, strict=True)
    }


def loss_at(net: Network, flat: Array, batch: Batch) -> Array:
    """E (…) at weights in a row (…, 1, W)."""
    return batch.cost(net.respond(unflatten(net, flat), batch.x))


def at_once(net: Network, flat: Array, batch: Batch) -> int:
    """How many perturbed networks are held at once, so that what they need stays in the cache."""
    replicas = prod(flat.shape[:-2]) * max(reading().lanes, 1)
    per_direction = replicas * max(batch.patterns * net.workspace, net.size)
    return max(1, WORKSPACE // per_direction)


def in_blocks(total: int, count: int, of: Callable[[Array, int], Array], like: Array) -> Array:
    """`of(start, n)`, an array (n, …) for perturbations start … start + n − 1,
    for all of `total`, at most `count` at once.

    `like` (0, …) is an array of the same precision and shape, but for the first axis.
    """
    if total <= count:
        return of(0, total)
    whole, rest = divmod(total, count)

    def block(i: Array, each: Array) -> Array:
        each[i] = of(i * count, count)
        return each

    each = repeat(whole, block, np.zeros_like(like, shape=(whole, count, *like.shape[1:])))
    each = each.reshape(whole * count, *like.shape[1:])
    return np.concatenate([each, of(whole * count, rest)]) if rest else each


def in_a_row(numbers: Array) -> Array:
    """Numbers of P perturbations (P, …) as rows (…, 1, P), in order in memory:
    else products with them have other bits alone.
    """
    return np.moveaxis(numbers, 0, -1)[..., None, :].copy()
