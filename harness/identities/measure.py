"""An identity measured: the bound of an exact one, the slope of a limit, the statistic of a direction.

    exact        max |A − B| / max |B| over networks is at most the bound (B all zero: max |A|); 0: same bits
    limit        the slope of log ‖A − B‖/‖B‖ against log h, by least squares in each network: Student's
                 interval of its mean, and .05 beside it because h is finite, holds the power; the error
                 falls at each h
    mean         z of every number's mean over the draws, two-sided, its false alarms shared out among them
                 (Bonferroni); and along B a factor of 1.25 would have been seen
    cosine       Student's lower bound of the mean cosine over networks is above 0
    distribution Kolmogorov and Smirnov's test against the distribution function

A false alarm is a verdict that chance alone would give: of `mean` and `distribution`, that a true identity is
called broken; of `cosine`, that sides at right angles are called aligned. Each has the rate `ALARM`; all is
seeded. scipy is imported where it is used.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from harness.core.identity import Identity, Problem
from harness.core.tree import leaves

Array = Any
ALARM = 1e-4
LEVEL = 0.99  # of the interval of a slope
FINITE = 0.05  # that a slope may differ by because its parameter is finite
WIDEST = 0.5  # interval of a slope: a wider one tells no power from its neighbour
SEEN = 1.25  # a wrong factor that draws must tell from 1
NETWORKS = {"exact": 3, "limit": 12, "cosine": 40}


class Measured(NamedTuple):
    """What came of an identity."""

    identity: Identity
    holds: bool
    said: str
    """What was measured, in words."""
    idle: bool = False
    """Whether it could not be measured here."""


def measure(identity: Identity) -> Measured:
    """Measure an identity, and say whether it holds.

    Args:
        identity: any.

    Returns:
        The verdict, and what was measured.
    """
    if identity.needs and find_spec(identity.needs) is None:
        return Measured(identity, False, f"not measured: {identity.needs} is not installed", idle=True)
    kind = identity.statistic if identity.kind == "direction" else identity.kind
    with np.errstate(all="ignore"):
        holds, said = MEASURES[kind](identity)
    return Measured(identity, bool(holds), said)


def problems(identity: Identity, count: int) -> list[Problem]:
    """Problems on its networks in turn, `count` on each, all of other seeds."""
    nets = identity.nets
    return [Problem.of(nets[seed % len(nets)], seed) for seed in range(count * len(nets))]


def _exact(identity: Identity) -> tuple[bool, str]:
    some = problems(identity, NETWORKS["exact"])
    pairs = [tuple(dict(leaves(side)) for side in identity.sides(p)) for p in some]
    if odd := [a.keys() ^ b.keys() for a, b in pairs if a.keys() != b.keys()]:
        return False, f"one side alone has {', '.join(sorted(odd[0]))}"
    if not identity.within:
        same = all(_bits(a[k]) == _bits(b[k]) for a, b in pairs for k in a)
        return same, f"{'the same bits' if same else 'other bits'} (n = {len(some)})"
    far = max(_far(a, b) for a, b in pairs)
    return far <= identity.within, f"error {far:.1e}, at most {identity.within:.0e} (n = {len(some)})"


def _bits(a: Array) -> tuple[Any, ...]:
    a = np.asarray(a)
    return a.dtype, a.shape, a.tobytes()


def _far(a: dict[str, Array], b: dict[str, Array]) -> float:
    """max |A − B| in units of max |B|; not a number, and another shape, are infinitely far."""
    if any(np.shape(a[k]) != np.shape(b[k]) for k in a):
        return math.inf
    size = max(float(np.abs(b[k]).max(initial=0.0)) for k in b) or 1.0
    far = max(float(np.abs(a[k] - b[k]).max(initial=0.0)) for k in a) / size
    return far if math.isfinite(far) else math.inf


def row(side: Any) -> Array:
    """All numbers of a side in a row, in the order of their names."""
    return np.concatenate([np.ravel(a) for _, a in sorted(leaves(side), key=lambda named: named[0])])


def _limit(identity: Identity) -> tuple[bool, str]:
    some = problems(identity, NETWORKS["limit"])
    errors = np.array([[_relative(*identity.sides(p, h)) for h in identity.at] for p in some])
    if not (np.isfinite(errors) & (errors > 0)).all():
        return False, "the error is no positive number everywhere: the sides are equal, or not finite"
    slopes = np.polyfit(np.log(identity.at), np.log(errors).T, 1)[0]
    mean, low, high = student(slopes, 0.5 * (1 + LEVEL))
    falls = (np.diff(np.log(errors).mean(axis=0)) < 0).all()
    near = low - FINITE <= identity.power <= high + FINITE and high - low < WIDEST
    typical = np.exp(np.log(errors).mean(axis=0))
    said = (
        f"slope {mean:.3f} [{low:.3f}–{high:.3f}], error {typical[0]:.1e} → {typical[-1]:.1e} "
        f"at {identity.parameter} = {identity.at[0]:g} → {identity.at[-1]:g} (n = {len(some)})"
    )
    return near and falls, said


def _relative(a: Any, b: Any) -> float:
    one, other = row(a), row(b)
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


def student(values: Array, share: float) -> tuple[float, float, float]:
    """The mean, and Student's bounds below and above which it lies with probability `share` each."""
    from scipy.stats import t

    mean, n = float(np.mean(values)), len(values)
    reach = float(t.ppf(share, n - 1) * np.std(values, ddof=1) / math.sqrt(n))
    return mean, mean - reach, mean + reach


def _mean(identity: Identity) -> tuple[bool, str]:
    draws, truth = identity.sides(Problem.of(identity.nets[0], 0))
    draws, truth = draws.reshape(len(draws), -1), np.ravel(truth)
    root = math.sqrt(len(draws))
    bound = NormalDist().inv_cdf(1 - ALARM / (truth.size + 1) / 2)
    spread = draws.std(axis=0, ddof=1)
    moves = spread > 0  # what every draw is equal in must be equal to the truth
    if not moves.any():
        return False, "every draw is the same, or none a number: there is no mean to speak of"
    z = np.abs(draws.mean(axis=0) - truth)[moves] / (spread[moves] / root)
    fixed = np.allclose(draws[0, ~moves], truth[~moves], rtol=1e-9, atol=1e-12)
    along = draws @ truth / (truth @ truth)
    factor, error = float(along.mean()), float(along.std(ddof=1)) / root
    worst = max(float(z.max()), abs(factor - 1) / error)
    sharp = bound * error < SEEN - 1
    said = (
        f"largest |z| {worst:.2f} of {truth.size + 1}, at most {bound:.2f}; "
        f"along the mean ×{factor:.3f} ± {error:.3f} (n = {len(draws):,}, false alarms {ALARM:g})"
    )
    return fixed and worst <= bound and sharp, said


def _cosine(identity: Identity) -> tuple[bool, str]:
    pairs = [map(row, identity.sides(p)) for p in problems(identity, NETWORKS["cosine"])]
    cosines = [float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))) for a, b in pairs]
    mean, low, _ = student(np.array(cosines), 1 - ALARM)
    return low > 0, f"mean cosine {mean:.3f}, at least {low:.3f} (n = {len(cosines)}, false alarms {ALARM:g})"


def _distribution(identity: Identity) -> tuple[bool, str]:
    from scipy.stats import kstest

    draws, law = identity.sides(Problem.of(identity.nets[0], 0))
    found = kstest(np.ravel(draws), law)
    said = (
        f"D = {found.statistic:.4f}, p = {found.pvalue:.3f} (n = {np.size(draws):,}, false alarms {ALARM:g})"
    )
    return found.pvalue > ALARM, said


MEASURES = {
    "exact": _exact,
    "limit": _limit,
    "mean": _mean,
    "cosine": _cosine,
    "distribution": _distribution,
}
