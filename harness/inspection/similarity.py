"""Do two networks represent the patterns alike? Linear centred kernel alignment of their hidden activities.

    CKA(X, Y) = |Yᵀ X|² / (|Xᵀ X| |Yᵀ Y|),    Frobenius norms, columns centred over the patterns

It does not change when units are permuted or rotated, nor with the scale of either network, and the two need
not have the same number of units. It is 1 for the same representation; of n patterns at random in n
dimensions or more it is near 1 too, so there should be many more patterns than units. Activities come from
`harness.results.trained_networks`.

Kornblith, Norouzi, Lee & Hinton 2019, ICML 97:3519-3529, eq. 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import InputError

Array = Any
CONSTANT = 1e-12  # of an activity's size: what varies less is rounding


class Similarity(NamedTuple):
    """CKA of A algorithms with each other, over pairs of replicas."""

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    """(A, A); NaN where no pair had an answer. The diagonal compares replicas of one algorithm."""
    deviation: NDArray[np.float64]
    """Standard deviation over the pairs (A, A)."""
    pairs: NDArray[np.int64]
    """With an answer (A, A)."""


def linear_cka(x: Array, y: Array) -> Array:
    """Linear CKA (…) of activities (…, N, k) and (…, N, m) on the same N patterns;
    NaN where either does not vary over them.
    """
    a, b = _centred(x), _centred(y)
    own = _squared(a, a), _squared(b, b)
    product = np.sqrt(own[0] * own[1])
    return np.where(product > 0, _squared(a, b) / np.where(product > 0, product, 1.0), np.nan)


def compare(activities: Mapping[str, Array]) -> Similarity:
    """CKA of every two algorithms, from the activities (R, N, k)
    of their replicas on the same patterns; k and R may differ.

    All pairs of *different* replicas are compared, which share nothing: replicas of one number start from the
    same weights. An algorithm with a single replica has no other of its own, and if all have but one, those
    are compared across algorithms.
    """
    names = tuple(activities)
    hidden = [np.asarray(a, float) for a in activities.values()]
    if not hidden or any(a.ndim != 3 or a.shape[1] != hidden[0].shape[1] for a in hidden):
        shapes = ", ".join(f"{name} {a.shape}" for name, a in zip(names, hidden, strict=True)) or "nothing"
        raise InputError(
            "activities must have shape (replicas, patterns, units), "
            f"on the same patterns, but {shapes} was given"
        )
    alone = all(len(a) == 1 for a in hidden)
    size = len(names), len(names)
    mean, deviation, pairs = np.full(size, np.nan), np.full(size, np.nan), np.zeros(size, np.int64)
    for i, j in zip(*np.triu_indices(len(names)), strict=True):
        values = np.stack([linear_cka(one, hidden[j]) for one in hidden[i]])
        rows, columns = np.indices(values.shape)
        apart = rows < columns if i == j else rows != columns
        values = values[(apart | (alone and i != j)) & ~np.isnan(values)]
        pairs[i, j] = pairs[j, i] = len(values)
        if len(values):
            mean[i, j] = mean[j, i] = values.mean()
            deviation[i, j] = deviation[j, i] = values.std()
    return Similarity(names, mean, deviation, pairs)


def _centred(x: Array) -> NDArray[np.float64]:
    values = np.asarray(x, float)
    values = np.where(np.isfinite(values), values, np.nan)  # ∞ − ∞ would warn
    centred = values - values.mean(axis=-2, keepdims=True)
    size = np.abs(values).max(axis=(-1, -2), keepdims=True, initial=0.0)
    largest = np.abs(centred).max(axis=(-1, -2), keepdims=True, initial=0.0)
    varies = largest > CONSTANT * size  # scaled: squares of tiny numbers would vanish
    return np.where(varies, centred / np.where(varies, largest, 1.0), 0.0)


def _squared(a: Array, b: Array) -> NDArray[np.float64]:
    product = a.swapaxes(-1, -2) @ b
    return np.asarray((product**2).sum(axis=(-1, -2)))
