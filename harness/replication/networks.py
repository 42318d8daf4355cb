"""What trained networks look like inside: measures on the weights that a record holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from harness.core import registry
from harness.core.outcomes import fates
from harness.replication.figure import Measured
from harness.replication.measures import share
from harness.results.trained_networks import of

Array = Any
ON = 0.5
ANTISYMMETRIC = 0.05  # of the largest weight, that a weight may miss the negative of its mirror image by
OPPOSITE = 0.1  # the same for the two hidden units
NEAR = 0.05  # of 2 and of 4, that the ratios of magnitudes may miss them by


def solved(record: Any) -> Array:
    """Which replicas solved their task (R,)."""
    return fates(record.replicas).solved


def activity(record: Any) -> dict[str, Array]:
    """Activity of every group for every pattern, of the solved replicas: by group, (R, N, units)."""
    return of(record).chosen(solved(record)).activities()


def mirrored(record: Any) -> Measured:
    """Symmetry networks whose two hidden units are antisymmetric about the middle, each other's negatives,
    with magnitudes 1 : 2 : 4, negative biases of the hidden units and a positive one of the output."""
    which, w = solved(record), record.weights
    into = w["input-hidden"][which]
    largest = np.abs(into).max(axis=(1, 2))
    half = into.shape[1] // 2
    size = np.sort(np.abs(into[:, :half]).mean(axis=2), axis=1)
    ratios = size / size[:, :1]
    as_printed = (
        (np.abs(into + into[:, ::-1]).max(axis=(1, 2)) <= ANTISYMMETRIC * largest)
        & (np.abs(into[..., 0] + into[..., 1]).max(axis=1) <= OPPOSITE * largest)
        & (np.abs(ratios / 2.0 ** np.arange(half) - 1) <= NEAR).all(axis=1)
        & (w["hidden"][which] < 0).all(axis=(1, 2))
        & (w["output"][which] > 0).all(axis=(1, 2))
    )
    middle = " : ".join(f"{r:.3g}" for r in np.median(ratios, axis=0)) if len(ratios) else "–"
    found = share(as_printed, "of those solved are built so")
    return replace(found, text=f"{found.text}; median magnitudes {middle}")


def counting(record: Any) -> Measured:
    """Parity networks whose hidden units each tell, on one side or the other,
    whether at least j inputs are on: j = 1 … bits.
    """
    task: Any = registry.build_task(record.meta["task"])
    on = activity(record)["hidden"] > ON
    count = task.patterns().x.sum(axis=1)
    steps = np.array([count >= j for j in range(1, task.bits + 1)])  # (bits, N)
    # (R, units, bits)
    same = (on.mT[:, :, None] == steps).all(axis=-1) | (on.mT[:, :, None] != steps).all(axis=-1)
    return share(same.any(axis=1).all(axis=-1), "of those solved count so")


def between_codes(record: Any) -> Measured:
    """Encoder networks with hidden units at an intermediate value, from .25 to .75, for some pattern."""
    hidden = activity(record)["hidden"]
    return share(
        ((hidden > 0.25) & (hidden < 0.75)).any(axis=(1, 2)), "of those solved have values from .25 to .75"
    )


def binary_codes(record: Any) -> Measured:
    """Encoder networks with another binary code for every pattern: no intermediate value, all different."""
    hidden = activity(record)["hidden"]
    clear = ~((hidden > 0.25) & (hidden < 0.75)).any(axis=(1, 2))
    bits = hidden > ON
    number = (bits * 2 ** np.arange(bits.shape[-1])).sum(axis=-1)
    different = (np.diff(np.sort(number, axis=1), axis=1) > 0).all(axis=1)
    return share(clear & different, "of those solved have eight clean binary codes")


def level(record: Any, rank: int) -> Measured:
    """A level of the single unit, from the lowest (0) to the highest (3), to the printed digit; of a solution
    and its mirror image, which says 1 − y for y, the one whose middle levels are low."""
    y = np.sort(activity(record)["hidden1"][..., 0], axis=1)
    mirrored = y[:, 1:3].mean(axis=1, keepdims=True) > ON
    values = np.round(np.where(mirrored, 1 - y[:, ::-1], y)[:, rank].astype(float), 1)
    low, middle, high = np.quantile(values, (0.025, 0.5, 0.975), method="inverted_cdf")
    text = f"median {middle:.1f}, 95 % of networks from {low:.1f} to {high:.1f}, n = {len(values)}"
    return Measured(float(middle), float(low), float(high), len(values), text, None, values, values)


def told_apart(record: Any, first: Any, second: Any) -> Measured:
    """Family trees in whose code of the first person a unit is higher for all
    of some people than for all others, or lower.
    """
    w = 1 / (1 + np.exp(-(record.weights["person1-person1_code"] + record.weights["person1_code"])))
    a, b = w[:, first], w[:, second]
    apart = (a.min(axis=1) > b.max(axis=1)) | (a.max(axis=1) < b.min(axis=1))
    return share(apart.any(axis=-1), "networks have such a unit")
