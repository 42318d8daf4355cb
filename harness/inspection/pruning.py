"""Deleting weights of trained networks, and training on with what is left.

By `saliency` (`harness.credit.saliency`), by `positive saliency`, which is that of the
Levenberg-Marquardt
approximation, by `magnitude` |w|, or at `random`: the least of each network go at once, all layers
together. Biases stay. Deleted weights are held at 0 while the others are trained on. LeCun,
Denker & Solla 1990 delete a few, train on, and delete again; here each share left is one cut of the trained
network, so that shares can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.core.algorithm import Batch
from harness.core.errors import InputError, one_of
from harness.core.exact_gradient import exact_gradient
from harness.core.network import Key, Network, Params
from harness.core.optimisers import Optimiser
from harness.credit.saliency import of_weights, recursion, saliency

Array = Any
Masks = dict[Key, Array]
WAYS = ("saliency", "positive saliency", "magnitude", "random")


def worth(net: Network, params: Params, batch: Batch, way: str, seed: int = 0) -> Array:
    """What each weight is worth (R, M), by one of `WAYS`; `seed` is of `random`.

    Raises:
        InputError: for another way, and for no network at all, as where none was trained.
    """
    one_of("way", way, WAYS)
    if not all(w.size for w in params.values()):
        raise InputError(
            "there is nothing to prune where nothing was trained: of no network weights were given"
        )
    if way.endswith("saliency"):
        diagonal = recursion(net, params, batch, bent=way == "saliency")
        return of_weights(net, saliency(params, diagonal))
    weights = of_weights(net, params)
    if way == "magnitude":
        return np.abs(weights)
    return np.random.default_rng(seed).random(weights.shape)


def masks(net: Network, worth: Array, left: Sequence[float]) -> Masks:
    """1 of weights that stay and 0 of those that go, (F, R, rows, columns) by edge.

    Args:
        net: the network.
        worth: of each weight (R, M): the least go, those first in the network first where it is the same.
        left: F shares of the weights that stay, each from 0 to 1; rounded to whole weights.

    Raises:
        InputError: for a share beyond 0 to 1.

    >>> net = Network.chain(2, 1)
    >>> [m.ravel().tolist() for m in masks(net, np.array([[3.0, 1.0]]), [0.5]).values()]
    [[1.0, 0.0]]
    """
    if any(not 0 <= share <= 1 for share in left):
        raise InputError(f"shares of weights left lie from 0 to 1, but {list(left)} was given")
    count = worth.shape[-1]
    rank = worth.argsort(axis=-1, kind="stable").argsort(axis=-1, kind="stable")
    stays = np.stack([rank >= count - round(share * count) for share in left]).astype(float)
    made: Masks = {}
    start = 0
    for key in dict.fromkeys(edge.weights for edge in net.edges):
        rows, columns = net.shapes[key]
        part = stays[..., start : start + rows * columns]
        made[key] = part.reshape(*part.shape[:-1], rows, columns)
        start += rows * columns
    return made


def pruned(params: Params, kept: Masks) -> dict[Key, Array]:
    """The weights with those deleted at 0, (F, R, rows, columns); biases as they were."""
    lead = next(iter(kept.values())).shape[:-2]
    return {
        key: w * kept[key] if key in kept else np.broadcast_to(w, (*lead, *w.shape[-2:]))
        for key, w in params.items()
    }


def retrained(
    net: Network, params: Params, kept: Masks, batch: Batch, optimiser: Optimiser, epochs: int
) -> dict[Key, Array]:
    """Pruned weights (F, R, rows, columns) after so many full-batch steps of the exact gradient.

    Args:
        net: the network.
        params: of `pruned`.
        kept: of `masks`: what is deleted has no credit and stays at 0.
        batch: the patterns trained on.
        optimiser: its settings given, none left to the task.
        epochs: how many steps.
    """
    weights, memory = dict(params), optimiser.init(params)
    for epoch in range(epochs):
        gradient = exact_gradient(net, weights, batch).gradient
        credit = {key: g * kept[key] if key in kept else g for key, g in gradient.items()}
        stepped, memory = optimiser.step(weights, credit, memory, np.asarray(epoch))
        weights = {key: w * kept[key] if key in kept else w for key, w in stepped.items()}
    return weights
