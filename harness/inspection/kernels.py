"""What kind of detector is a kernel? Learnt 3 × 3 kernels beside the four
that a T-C network was printed with.

    centre         − − −     bar    − + −     diagonal   + − −     compactness   + + +
                   − 2 −            − + −                − 2 −                   + + +
                   − − −            − + −                − − +                   + + +

A kernel is of the kind whose template it has the largest |cosine| with, over both directions of the bars, if
that is at least `LEAST`; else it is *other*. The sign does not count: of units between 0 and 1, a kernel and
a bias turned round are the same unit with on and off exchanged, and the output's weight makes up for it.
On-centre and off-centre are one kind so.

A random direction of nine dimensions has a squared cosine ~ Beta(1/2, 4) with each template, so that at most
6 · 0.04 % = 0.23 % of random kernels are given a kind at .9, and 3.3 % at .8.

Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 350-352. The diagonal's 2 is not read but worked out:
of kernels of small whole numbers it is one that turns on 5 units for a T and 3 for a C, as printed; with 1 in
the middle they are 4 and 3.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import InputError

Array = Any
LEAST = 0.9
"""The |cosine| from which a kernel is of a kind."""
OTHER = "other"
CENTRE = np.array([[-1.0, -1.0, -1.0], [-1.0, 2.0, -1.0], [-1.0, -1.0, -1.0]])
BAR = np.array([[-1.0, 1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, 1.0, -1.0]])
DIAGONAL = np.array([[1.0, -1.0, -1.0], [-1.0, 2.0, -1.0], [-1.0, -1.0, 1.0]])
TEMPLATES: dict[str, tuple[NDArray[np.float64], ...]] = {
    "centre": (CENTRE,),
    "bar": (BAR, np.rot90(BAR)),
    "diagonal": (DIAGONAL, np.rot90(DIAGONAL)),
    "compactness": (np.ones((3, 3)),),
}
KINDS = (*TEMPLATES, OTHER)


class Kinds(NamedTuple):
    """Of kernels (…)."""

    kind: NDArray[Any]
    """The kind of each, or `other`."""
    nearest: NDArray[Any]
    """The kind that it is most like, near or not."""
    cosine: NDArray[np.float64]
    """Its |cosine| with that one's template, from 0 to 1; NaN for a kernel of zeros."""


def kinds(kernels: Array, least: float = LEAST) -> Kinds:
    """The kind of each of some kernels (…, 3, 3). Raises `InputError` for another shape."""
    w = np.asarray(kernels, float)
    if w.shape[-2:] != (3, 3):
        raise InputError(f"kernels to be told apart are 3 × 3, but {w.shape[-2:]} was given")
    flat = w.reshape(*w.shape[:-2], 9)
    with np.errstate(invalid="ignore"):  # of a kernel of zeros
        unit = flat / np.linalg.norm(flat, axis=-1, keepdims=True)
    each = np.stack([_most(unit, some) for some in TEMPLATES.values()], axis=-1)
    cosine = each.max(axis=-1)
    nearest = np.array(list(TEMPLATES))[each.argmax(axis=-1)]
    return Kinds(np.where(cosine >= least, nearest, OTHER), nearest, cosine)


def _most(unit: Array, templates: tuple[NDArray[np.float64], ...]) -> Array:
    """The largest |cosine| with some templates of one kind (…)."""
    directions = np.stack([t.ravel() / np.linalg.norm(t) for t in templates])
    return np.abs(unit @ directions.T).max(axis=-1)


def alike(kernels: Array, to: Array) -> NDArray[np.float64]:
    """Each of kernels (n, 3, 3) turned, mirrored and signed so
    that its product with `to` (3, 3) is the largest.

    Eight turns and mirror images times two signs: none of them changes what a T-C network answers.
    """
    w = np.asarray(kernels, float)
    turned = [np.rot90(m, i, axes=(1, 2)) for m in (w, w[:, :, ::-1]) for i in range(4)]
    many = np.stack([*turned, *(-t for t in turned)])
    best = np.argmax((many * to).sum(axis=(-1, -2)), axis=0)
    return np.asarray(many[best, np.arange(len(w))])
