"""Rows on noise in units: node perturbation, and units that are random themselves."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from algorithms.node_perturbation import NodePerturbation, Reinforce
from harness.core.identity import Identity, Problem
from harness.core.network import Network
from harness.identities.perturbation import DRAWS, MANY, NET, SIZES, WERFEL, averaged, flat, unbiased

Sides = tuple[Any, Any]
TINY = Network.chain(2, 2, 1)


def slopes_of_units(p: Problem, sigma: float) -> Sides:
    """Node perturbation, and its limit: y (δ·ξ) ξ, of the blame δ that backprop finds."""
    y = p.net.forward(p.params, p.batch.x)
    delta = {p.net.output: p.batch.delta(p.net, y)}
    for group in reversed(p.net.hidden):
        delta[group] = p.net.pull(group, y, p.net.blame(p.params, group, y, delta))
    groups = (*p.net.hidden, p.net.output)
    xi = p.rand.normal(p.batch.patterns, 1, sum(g.size for g in groups))[..., 0, :]
    slope = (np.concatenate([delta[g] for g in groups], axis=-1) * xi).sum(axis=-1, keepdims=True)
    parts = np.split(slope * xi, np.cumsum([g.size for g in groups])[:-1], axis=-1)
    limit = p.net.outer(y, dict(zip(groups, parts, strict=True)))
    return p.credit(NodePerturbation(sigma=sigma)), limit


def reinforce(p: Problem) -> Sides:
    """Draws of REINFORCE, and ∇ of the loss in the mean over all states of the random units."""
    (first, second), (hidden, output) = p.net.edges, p.net.groups[1:]
    x, d = p.batch.x[0], p.batch.target[0, :, 0]
    expected = {k: np.zeros(w.shape[1:]) for k, w in p.params.items()}
    step = 1e-20

    def loss(params: Any) -> Any:
        on = 1 / (1 + np.exp(-(x @ params[first] + params[hidden])))
        total: Any = 0.0
        for state in product((0.0, 1.0), repeat=hidden.size):
            h = np.array(state)
            chance = np.where(h > 0, on, 1 - on).prod(axis=1)
            q = 1 / (1 + np.exp(-(h @ params[second] + params[output][0])))
            total = total + (chance * 0.5 * (q * (1 - d) ** 2 + (1 - q) * d**2)).sum()
        return total

    own = {k: w[0].astype(complex) for k, w in p.params.items()}
    for key, slope in expected.items():
        for index in np.ndindex(slope.shape):
            moved = own[key].copy()
            moved[index] += 1j * step
            slope[index] = loss({**own, key: moved}).imag / step
    many = p.many(DRAWS)
    return flat(p, many.credit(Reinforce(draws=4))), flat(p, {k: g[None] for k, g in expected.items()})[0]


ROWS = (
    unbiased(
        "node_perturbation_in_the_mean",
        NodePerturbation(antithetic=True, draws=2),
        "node perturbation of size .001 is the gradient",
        WERFEL,
    ),
    Identity(
        "node_perturbation_tends_to_its_slopes",
        "limit",
        "node perturbation tends to y (δ·ξ) ξ, of backprop's δ",
        WERFEL,
        slopes_of_units,
        parameter="σ",
        at=SIZES,
    ),
    Identity(
        "node_perturbations_averaged",
        "limit",
        "the mean of K node perturbations tends to the gradient",
        WERFEL,
        lambda p, k: averaged(p, NodePerturbation(sigma=1e-5, antithetic=True, draws=int(k))),
        nets=tuple([NET] * 4),
        parameter="K",
        at=MANY,
        power=-0.5,
    ),
    Identity(
        "reinforce_in_the_mean",
        "direction",
        "REINFORCE is the gradient of the random network's expected loss in the mean",
        "Williams 1992, theorem 1",
        reinforce,
        nets=(TINY,),
    ),
)
