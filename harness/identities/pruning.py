"""Rows on pruning and on floors: what a deleted weight costs, and the least that the add task leaves."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.core.identity import Identity, Problem
from harness.core.network import Key, Network
from harness.credit.saliency import exact_diagonal, recursion, saliency
from harness.tasks.add_task import floors

Sides = tuple[Any, Any]
LINEAR = Network.chain(3, 2, output="linear")
LAYER = Network.chain(3, 2)
HIDDEN = Network.chain(3, 4, 1)
LECUN = "LeCun, Denker & Solla 1990, eqs. 5, 8-11"


def orthogonal(p: Problem) -> Problem:
    """Patterns all of whose inputs are orthogonal to each other and to the bias: the Hessian is diagonal."""
    x = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])[None]
    target = np.random.default_rng(p.seed).uniform(-1, 1, (1, 4, p.net.output.size))
    return p._replace(batch=p.batch._replace(x=x, target=target, wanted=target > 0))


def deleted(p: Problem) -> Sides:
    """Of a quadratic at its minimum with a diagonal Hessian: ½ h w² of each weight, and the rise of E."""
    p = orthogonal(p)
    (edge,) = p.net.edges
    x, target = p.batch.x, p.batch.target
    best: dict[Key, Any] = {
        edge: x.mT @ target / x.shape[-2],
        p.net.output: target.mean(axis=-2, keepdims=True),
    }
    at = p.moved(best)
    least = at.batch.cost(at.net.respond(best, x))
    rises = np.zeros(best[edge].shape)
    for row, column in np.ndindex(edge.shape):
        w = best[edge].copy()
        w[..., row, column] = 0.0
        rises[..., row, column] = at.batch.cost(at.net.respond({**best, edge: w}, x)) - least
    return saliency(best, recursion(p.net, best, at.batch))[edge], rises


def diagonal(p: Problem) -> Sides:
    """The diagonal of the Hessian by one pass back, and by differences of the gradient."""
    found, expected = recursion(p.net, p.params, p.batch), exact_diagonal(p.net, p.params, p.batch)
    keys = [k for k in found if p.net.output in (k, getattr(k, "target", None))]
    return {k: found[k] for k in keys}, {k: expected[k] for k in keys}


def entropies(p: Problem) -> Sides:
    """The floors of the add task, and the least mean cross-entropy of cases that look alike, searched."""
    from scipy.optimize import minimize_scalar

    def least(*cases: float) -> float:
        def loss(guess: float) -> float:
            return -float(np.mean([y * np.log(guess) + (1 - y) * np.log(1 - guess) for y in cases]))

        found = minimize_scalar(loss, bounds=(1e-12, 1 - 1e-12), method="bounded", options={"xatol": 1e-12})
        return float(found.fun)

    off, on = (0.5, 0.25), (1.0, 0.75)  # without the first bit and with it; the second takes away a quarter
    first = (least(*off) + least(*on)) / 2
    both = sum(least(y) for y in (*off, *on)) / 4
    return np.array([floors()]), np.array([[least(*off, *on), first, both]])


ROWS = (
    Identity(
        "saliency_on_a_quadratic",
        "exact",
        "Optimal Brain Damage's saliency is the rise of the loss, on a quadratic at its minimum with a "
        "diagonal Hessian",
        LECUN,
        deleted,
        nets=(LINEAR,),
        within=1e-12,
    ),
    Identity(
        "saliency_diagonal",
        "exact",
        "the curvature that comes back through the network is the diagonal of the Hessian, into the output",
        LECUN,
        diagonal,
        nets=(LAYER, HIDDEN),
        within=1e-6,
    ),
    Identity(
        "floors_of_the_add_task",
        "exact",
        "the floors of the add task are the least cross-entropies of who knows nothing, one bit, and both",
        "Pitis 2016; by enumeration",
        entropies,
        nets=(LINEAR,),
        within=1e-7,
    ),
)
