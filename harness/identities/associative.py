"""Rows on Hopfield's network: what its three ways to store patterns are, and where they are one."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.hopfield import Hopfield
from harness.core.edges import Edge, Group
from harness.core.identity import Identity, Problem
from harness.core.network import Network

Sides = tuple[Any, Any]
Array = Any
UNITS = 8
NET = Network(
    (a := Group("input", UNITS, "linear", bias=False), b := Group("output", UNITS, "heaviside", bias=False)),
    (Edge(a, b),),
)
HADAMARD = np.array([[1 - 2 * (bin(i & j).count("1") % 2) for j in range(UNITS)] for i in range(UNITS)])


def shown(p: Problem, patterns: Array) -> Problem:
    """The problem with these patterns (N, units) of ±1 to be given back."""
    bits = patterns[None] > 0
    on = bits.astype(float)
    return p._replace(batch=p.batch._replace(x=on, target=on, wanted=bits))


def drawn(p: Problem, count: int = 3) -> Array:
    """Random patterns of ±1, no two of them each other's or each other's opposite."""
    order = np.random.default_rng(p.seed).permutation(2 ** (UNITS - 1))[:count]
    return 2.0 * ((order[:, None] >> np.arange(UNITS)) & 1) - 1.0


def stored(p: Problem, rule: Hopfield, patterns: Array) -> Array:
    """The weights after an update on these patterns."""
    return shown(p, patterns).after(rule)["params"][p.net.edges[0]]


def hebb(p: Problem) -> Sides:
    """Hebb's weights, and (1/N) Σ ξ ξᵀ without its diagonal."""
    xi = drawn(p)
    return stored(p, Hopfield(), xi), (xi.T @ xi / UNITS * (1 - np.eye(UNITS)))[None]


def projection(p: Problem) -> Sides:
    """The pseudo-inverse rule's weights, diagonal kept, and the projection on the patterns."""
    xi = drawn(p)
    return stored(p, Hopfield(rule="pseudo_inverse", diagonal=True), xi), (np.linalg.pinv(xi) @ xi)[None]


def orthogonal(p: Problem) -> Sides:
    """Pseudo-inverse and Hebb's rule on patterns at right angles."""
    xi = HADAMARD[np.random.default_rng(p.seed).permutation(UNITS)[:3]]
    rules = Hopfield(rule="pseudo_inverse", diagonal=True), Hopfield(diagonal=True)
    return stored(p, rules[0], xi), stored(p, rules[1], xi)


def a_single_one(p: Problem) -> Sides:
    """Storkey's and Hebb's rule on one pattern."""
    xi = drawn(p, 1)
    return stored(p, Hopfield(rule="storkey"), xi), stored(p, Hopfield(), xi)


def opposite(p: Problem) -> Sides:
    """Where opposite cues settle, and the opposites of where cues do."""
    rule, xi = Hopfield(), drawn(p)
    w, cues = stored(p, rule, xi), drawn(p._replace(seed=p.seed + 100), 6)[None]
    return rule.settled(w, -cues), -rule.settled(w, cues)


ROWS = (
    Identity(
        "hebbs_weights",
        "exact",
        "Hebb's weights are (1/N) Σ ξ ξᵀ, zero diagonal",
        "Hopfield 1982",
        hebb,
        (NET,),
    ),
    Identity(
        "pseudo_inverse_is_a_projection",
        "exact",
        "the pseudo-inverse rule with its diagonal is the projection on the patterns",
        "Personnaz, Guyon & Dreyfus 1985",
        projection,
        (NET,),
    ),
    Identity(
        "pseudo_inverse_of_orthogonal_patterns",
        "exact",
        "the pseudo-inverse rule is Hebb's where patterns are at right angles",
        "Personnaz, Guyon & Dreyfus 1985",
        orthogonal,
        (NET,),
    ),
    Identity(
        "storkey_of_one_pattern",
        "exact",
        "Storkey's rule is Hebb's for a single pattern",
        "Storkey 1997",
        a_single_one,
        (NET,),
    ),
    Identity(
        "opposite_cues",
        "exact",
        "the opposite of a cue settles at the opposite of where the cue does",
        "Hopfield 1982",
        opposite,
        (NET,),
        0,
    ),
)
