"""Rows on feedback weights that learn to mirror the forward ones."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import ways_back
from algorithms.weight_mirror import KolenPollack, WeightMirror, back
from harness.core.edges import Edge, Group
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.identities.feedback import LINEAR, SHORTCUT, transposed

Sides = tuple[Any, Any]
UNBIASED = Network(
    groups := (
        Group("input", 4, "linear", bias=False),
        Group("hidden", 5, bias=False),
        Group("output", 2, bias=False),
    ),
    tuple(Edge(a, b) for a, b in pairwise(groups)),
)
PHASE = WeightMirror(mirror_lr=0.5, mirror_decay=0.0, sigma=2.0)
AKROUT = "Akrout et al. 2019"


def apart(p: Problem, updates: int = 30) -> Sides:
    """W − Bᵀ after some updates of Kolen and Pollack's rule, and at the start, shrunk by (1 − λ)^t."""
    rule = KolenPollack(GradientDescent(0.3, 0.9), decay=0.02)
    before, after = (p.after(rule, n)["params"] for n in (0, updates))
    shrunk = (1 - 0.02) ** updates
    gap = [{e: state[e] - state[back(e)] for e in ways_back(p.net)} for state in (after, before)]
    return gap[0], {e: shrunk * g for e, g in gap[1].items()}


def from_transposed(p: Problem) -> Sides:
    """Kolen and Pollack's rule from B = W, and backprop with its decay, in a network without biases."""
    rule = KolenPollack(GradientDescent(0.3, 0.5), decay=0.02)
    plain = Backprop(GradientDescent(0.3, 0.5, decay=0.02))
    twice = {**p.params, **{back(e): p.params[e] for e in ways_back(p.net)}}
    start = {"params": twice, "memory": {}, "optimiser": GradientDescent(0.3, 0.5, 0.0).init(twice)}
    found = p.after(rule, 20, start)["params"]
    return {k: found[k] for k in p.params}, p.after(plain, 20)["params"]


def engaged(p: Problem) -> Sides:
    """Weight mirror in engaged mode with the mirror found, and backprop."""
    return p.credit(WeightMirror(), transposed(p)), p.credit(Backprop())


def reflected(p: Problem, count: int, n: int = 1) -> Any:
    """What one phase of so many patterns of noise adds to B, of the last edge, in units of η_B σ²."""
    many, edge = p.many(n), p.net.edges[-1]
    nothing = {e.name: np.zeros((n, *reversed(e.shape))) for e in ways_back(p.net)}
    found = replace(PHASE, noise_patterns=count).mirror(p.net, many.params, nothing, many.rand)
    return found[edge.name] / (PHASE.mirror_lr * PHASE.sigma**2)


def mirrored(p: Problem) -> Sides:
    """Draws of a phase in mirror mode, and Wᵀ."""
    return reflected(p, 4, 4000), p.params[p.net.edges[-1]].mT


ROWS = (
    Identity(
        "kolen_pollack_decay",
        "exact",
        "with Kolen and Pollack's rule W − Bᵀ is (1 − λ)^t of what it was",
        f"{AKROUT}, eqs. 16, 17",
        apart,
        nets=(CHAIN, SHORTCUT),
        within=1e-11,
    ),
    Identity(
        "kolen_pollack_from_transposed_weights",
        "exact",
        "Kolen and Pollack's rule from B = Wᵀ is backprop with its decay, where there are no biases",
        f"{AKROUT}, eqs. 16, 17",
        from_transposed,
        nets=(UNBIASED,),
        within=0,
    ),
    Identity(
        "weight_mirror_engaged",
        "exact",
        "weight mirror whose B has come to Wᵀ is backprop",
        AKROUT,
        engaged,
        nets=(CHAIN,),
        within=0,
    ),
    Identity(
        "weight_mirror_in_the_mean",
        "direction",
        "noise through a linear layer adds η_B σ² Wᵀ to B in the mean",
        f"{AKROUT}, eq. 7",
        mirrored,
        nets=(LINEAR,),
    ),
    Identity(
        "weight_mirror_of_much_noise",
        "limit",
        "a phase of N patterns of noise errs by the root of 1/N",
        f"{AKROUT}, eq. 7",
        lambda p, n: (reflected(p, int(n)), p.params[p.net.edges[-1]].mT),
        nets=tuple([LINEAR] * 4),
        parameter="N",
        at=(16, 256, 4096, 65536),
        power=-0.5,
    ),
)
