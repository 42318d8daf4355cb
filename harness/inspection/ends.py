"""Where training ended: the kinds of end that many networks come to, told apart by their outputs.

Networks that end alike answer alike, whatever their weights. On XOR, ends that a symmetry of the task takes
into one another are of one kind: its inputs may change places, and both may be read the other way round.
`kinds` groups ends by the outputs, taken to the first of their mirror images: complete linkage, so that no
two of a kind differ by more than `apart` in any output (Sørensen 1948; scipy.cluster.hierarchy).

An end is a *local minimum* only if it holds still: |∂E/∂w| there is near nothing and no eigenvalue of the
Hessian is below it. One that still slides, however slowly, or runs along a valley to infinite weights, is
neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.credit.compare import TOTAL, exact, vectors
from harness.credit.sharpness import hessian

if TYPE_CHECKING:
    from harness.results.trained_networks import Networks

Array = NDArray[Any]
XOR_MIRRORS = ((0, 1, 2, 3), (0, 2, 1, 3), (3, 2, 1, 0), (3, 1, 2, 0))
"""Orders of the patterns 00, 01, 10, 11 under its symmetries:
none, inputs change places, both are inverted, both of these.
"""
FIG_5 = (0.0957, 0.4998, 0.8977, 0.5001)
"""PDP vol. 1 ch. 8, Fig. 5: outputs of the printed local minimum for 00, 01, 10, 11."""


@dataclass(frozen=True)
class Kind:
    """Ends of one kind."""

    outputs: Array
    """Median of their outputs (N,), patterns in the order of the mirror image they were taken to."""
    members: Array
    """Numbers of the networks among those given."""
    error: float
    """Median of E."""


def canonical(
    outputs: Array, mirrors: tuple[tuple[int, ...], ...] = XOR_MIRRORS, grain: float = 0.05
) -> Array:
    """Each row of outputs (R, N) in that order of `mirrors`
    that comes first, compared in steps of `grain`.
    """
    images = outputs[:, np.array(mirrors)]
    coarse = np.round(images / grain)
    first = [
        sorted(range(len(mirrors)), key=[tuple(image) for image in row].__getitem__)[0] for row in coarse
    ]
    return images[np.arange(len(outputs)), first]


def kinds(
    outputs: Array, error: Array, apart: float = 0.25, mirrors: tuple[tuple[int, ...], ...] = XOR_MIRRORS
) -> list[Kind]:
    """The kinds of end among outputs (R, N) with their E (R,),
    the most frequent first; mirror images are one kind.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    if not len(outputs):
        return []
    rows = canonical(outputs, mirrors)
    if len(rows) == 1:
        return [Kind(rows[0], np.array([0]), float(error[0]))]
    labels = fcluster(linkage(pdist(rows, "chebyshev"), "complete"), apart, "distance")
    groups = [np.flatnonzero(labels == number) for number in np.unique(labels)]
    groups.sort(key=lambda members: (-len(members), float(np.median(error[members]))))
    return [Kind(np.median(rows[g], axis=0), g, float(np.median(error[g]))) for g in groups]


def distance(outputs: Array, printed: Array, mirrors: tuple[tuple[int, ...], ...] = XOR_MIRRORS) -> Array:
    """The largest difference of an output (R,) between rows (R, N)
    and printed outputs (N,), in the nearest mirror image.
    """
    return np.abs(outputs[:, np.array(mirrors)] - np.asarray(printed)).max(axis=-1).min(axis=-1)


def slope(networks: Networks) -> Array:
    """|∂E/∂w| (R,): the length of the whole gradient over all training patterns."""
    gradient = vectors(networks.net, exact(networks.net, networks.params, networks.batch()))[TOTAL]
    return np.sqrt((gradient * gradient).sum(axis=-1))


def curvature(networks: Networks) -> Array:
    """The least eigenvalue of the Hessian ∂²E/∂w² (R,),
    by central differences of the exact gradient, step 1e-5.
    """
    found = hessian(networks.net, networks.params, networks.batch())
    return np.linalg.eigvalsh(found)[:, 0]
