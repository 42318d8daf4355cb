"""Rows on Hopfield's network: what is stored, what stands, and what its rules are of other rules."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from algorithms.delta_rule import DeltaRule
from algorithms.hopfield import Hopfield
from harness.core.edges import Edge, Group
from harness.core.identity import Identity, Problem
from harness.core.network import Network

Sides = tuple[Any, Any]
Array = Any
LOOK = Hopfield(updates="synchronous", sweeps=1)


def of_units(n: int) -> Network:
    """All units hear one another, without thresholds."""
    source, target = Group("input", n, "linear", bias=False), Group("output", n, bias=False)
    return Network((source, target), (Edge(source, target),))


NET, EVEN = of_units(11), of_units(16)
HOPFIELD, PERSONNAZ, STORKEY = "Hopfield 1982", "Personnaz, Guyon & Dreyfus 1985", "Storkey 1997"


def states(p: Problem) -> Array:
    """The problem's patterns as states ξ of −1 and +1, (1, P, N)."""
    return 2.0 * p.batch.wanted - 1.0


def stored(rule: Hopfield, xi: Array) -> Array:
    """The weights (…, N, N) that a rule makes of patterns (…, P, N)."""
    net = of_units(xi.shape[-1])
    (edge,) = net.edges
    bits, nothing = 0.5 * (1.0 + xi), np.zeros((*xi.shape[:-2], xi.shape[-1], xi.shape[-1]))
    p = Problem.of(net, 0)
    batch = p.batch._replace(x=bits, target=bits, wanted=xi > 0)
    return p._replace(params={edge: nothing}, batch=batch).after(rule)["params"][edge]


def orthogonal(seed: int, patterns: int, units: int) -> Array:
    """Some rows of Sylvester's matrix in any order, its columns turned over at random; units a power of 2."""
    rng, rows = np.random.default_rng(seed), np.ones((1, 1))
    while len(rows) < units:
        rows = np.block([[rows, rows], [rows, -rows]])
    return rows[None, rng.permutation(units)[:patterns]] * rng.choice([-1.0, 1.0], units)


def without_diagonal(w: Array) -> Array:
    """Weights, but none of a unit to itself."""
    return w * (1.0 - np.eye(w.shape[-1]))


def sums(p: Problem) -> Sides:
    """Hebb's weights, and (1/N) Σ ξ ξᵀ with nothing on the diagonal."""
    xi = states(p)
    return stored(Hopfield(), xi), without_diagonal(xi.mT @ xi / xi.shape[-1])


def delta_steps(xi: Array, rate: float, steps: int) -> Array:
    """The weights of linear units that give back what they are given, after so many sweeps of the delta rule
    from zero."""
    net = of_units(xi.shape[-1])
    p = Problem.of(net, 0)
    shown = p._replace(batch=p.batch._replace(x=xi, target=xi, wanted=xi > 0))
    return shown.after(DeltaRule(lr=rate), steps)["params"]["input-output"]


def first_step(p: Problem) -> Sides:
    """Hebb's weights, diagonal kept, and the first step of the delta rule at a rate of 1/N."""
    xi = states(p)
    return stored(Hopfield(diagonal=True), xi), delta_steps(xi, 1.0 / xi.shape[-1], 1)


def last_step(p: Problem) -> Sides:
    """The weights of the pseudo-inverse, diagonal kept, and where the delta rule ends."""
    xi = states(p)
    rate = 1.0 / np.linalg.eigvalsh(xi @ xi.mT).max()
    return stored(Hopfield("pseudo_inverse", diagonal=True), xi), delta_steps(xi, float(rate), 5000)


def projection(p: Problem) -> Sides:
    """The weights of the pseudo-inverse, diagonal kept, and the projection on the patterns."""
    xi = states(p)
    return stored(Hopfield("pseudo_inverse", diagonal=True), xi), np.linalg.pinv(xi) @ xi


def of_orthogonal_patterns(p: Problem) -> Sides:
    """The pseudo-inverse's weights, and Hebb's."""
    xi = orthogonal(p.seed, 5, 16)
    return stored(Hopfield("pseudo_inverse"), xi), stored(Hopfield(), xi)


def storkey(p: Problem) -> Sides:
    """Storkey's weights of orthogonal patterns, and Hebb's with pattern μ of P weighed.

    No field hears its own diagonal: h_ij = −S ξ_i − w_ij ξ_j where S sums the weights of patterns so far, so
    that storing another multiplies w_ij by 1 + 2/N, and brings (1 + 2 S)/N of its own; S becomes
    (1 + 4/N) S + 1/N.
    """
    n, found, hebb = p.net.input_size, {}, {}
    for count in (1, 2, 5):
        xi = orthogonal(p.seed, count, n)
        weigh = [0.5 * (1 + (1 + 4 / n) ** m) * (1 + 2 / n) ** (count - 1 - m) for m in range(count)]
        found[count] = stored(Hopfield("storkey"), xi)
        hebb[count] = without_diagonal((xi * np.array(weigh)[:, None]).mT @ xi / n)
    return found, hebb


def storkey_of_many(p: Problem, n: float) -> Sides:
    """Storkey's weights of three orthogonal patterns in N units, and Hebb's."""
    xi = orthogonal(p.seed, 3, int(n))
    return stored(Hopfield("storkey"), xi), stored(Hopfield(), xi)


def mirrored(p: Problem) -> Sides:
    """Where the mirror images of random states end, and the mirror images of where they do, of all rules."""
    s = np.random.default_rng(p.seed).choice([-1.0, 1.0], (1, 20, p.net.input_size))
    found: tuple[dict[str, Array], dict[str, Array]] = ({}, {})
    for rule in ("hebb", "pseudo_inverse", "storkey"):
        for updates in ("asynchronous", "synchronous"):
            w, hopfield = stored(Hopfield(rule), states(p)), Hopfield(rule, updates)
            found[0][f"{rule} {updates}"] = hopfield.settled(w, -s)
            found[1][f"{rule} {updates}"] = -hopfield.settled(w, s)
    return found


def stands(p: Problem) -> Sides:
    """Patterns after a look over the pseudo-inverse's weights, and the patterns."""
    xi = states(p)
    return LOOK.settled(stored(Hopfield("pseudo_inverse"), xi), xi), xi


def repaired(p: Problem, updates: str) -> Sides:
    """Each of five orthogonal patterns in 16 units, each unit flipped in turn, and the patterns.

    The flipped unit hears ξ_i (1 − P/N), every other one at least 1 − 3 P/N of its own sign: P < N/3.
    """
    xi = orthogonal(p.seed, 5, 16)
    cues = (xi[:, :, None] * (1.0 - 2.0 * np.eye(16))).reshape(1, -1, 16)
    found = Hopfield(updates=updates, sweeps=2).settled(stored(Hopfield(), xi), cues)
    return found, np.repeat(xi, 16, axis=1)


def wrong_bits(p: Problem) -> Sides:
    """The share of bits of 10 stored patterns in 50 units that a look turns over, in each of 4,000 networks.

    (P − 1)(N − 1) random signs must outweigh the N − 1 of the pattern itself: a binomial law.
    """
    from scipy.stats import binom

    patterns, units = 10, 50
    xi = np.random.default_rng(p.seed).choice([-1.0, 1.0], (4000, patterns, units))
    wrong = (LOOK.settled(stored(Hopfield(), xi), xi) != xi).mean(axis=(1, 2))
    signs = (patterns - 1) * (units - 1)
    return wrong[:, None], np.array([binom.cdf(np.ceil((signs - units + 1) / 2) - 1, signs, 0.5)])


ROWS = (
    Identity("hebb_sums", "exact", "Hebb's weights are (1/N) Σ ξ ξᵀ, none to itself", HOPFIELD, sums, (NET,)),
    Identity(
        "hebb_is_the_first_step_of_the_delta_rule",
        "exact",
        "Hebb's weights, diagonal kept, are the first step of the delta rule from zero at a rate of 1/N",
        "algebra: y = 0",
        first_step,
        nets=(NET,),
    ),
    Identity(
        "pseudo_inverse_is_the_last_step_of_the_delta_rule",
        "exact",
        "the pseudo-inverse's weights, diagonal kept, are where the delta rule ends from zero",
        "algebra: least squares of smallest norm",
        last_step,
        nets=(NET,),
        within=1e-9,
    ),
    Identity(
        "pseudo_inverse_is_a_projection",
        "exact",
        "the pseudo-inverse's weights, diagonal kept, are the projection on the patterns",
        PERSONNAZ,
        projection,
        nets=(NET,),
    ),
    Identity(
        "pseudo_inverse_of_orthogonal_patterns",
        "exact",
        "of orthogonal patterns the pseudo-inverse's weights are Hebb's",
        PERSONNAZ,
        of_orthogonal_patterns,
        nets=(EVEN,),
    ),
    Identity(
        "storkey_of_orthogonal_patterns",
        "exact",
        "of orthogonal patterns Storkey's weights are Hebb's, pattern μ weighed "
        "½ (1 + (1 + 4/N)^(μ−1)) (1 + 2/N)^(P−μ)",
        f"{STORKEY}; algebra: h_ij = −S ξ_i − w_ij ξ_j",
        storkey,
        nets=(EVEN, of_units(8)),
    ),
    Identity(
        "storkey_of_many_units",
        "limit",
        "of three orthogonal patterns Storkey's weights tend to Hebb's as units get many",
        f"{STORKEY}; algebra",
        storkey_of_many,
        nets=(EVEN,),
        parameter="N",
        at=(32, 64, 128),
        power=-1,
    ),
    Identity(
        "mirror_images",
        "exact",
        "the mirror image of a state ends at the mirror image of where it does, by all rules",
        f"{HOPFIELD}; algebra: sign is odd",
        mirrored,
        nets=(NET,),
        within=0,
    ),
    Identity(
        "patterns_of_the_pseudo_inverse_stand",
        "exact",
        "patterns that the pseudo-inverse has stored stand, fewer than there are units",
        PERSONNAZ,
        stands,
        nets=(NET,),
        within=0,
    ),
    *(
        Identity(
            f"one_unit_off_{updates}",
            "exact",
            f"a flipped unit of orthogonal patterns, fewer than N/3, is repaired by {updates} looks",
            "algebra: 1 − 3 P/N > 0",
            partial(repaired, updates=updates),
            nets=(EVEN,),
            within=0,
        )
        for updates in ("asynchronous", "synchronous")
    ),
    Identity(
        "wrong_bits_at_a_stored_pattern",
        "direction",
        "a look at a stored pattern turns bits over by a binomial law in the mean, Hebb's rule",
        HOPFIELD,
        wrong_bits,
        nets=(NET,),
    ),
)
