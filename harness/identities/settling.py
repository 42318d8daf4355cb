"""Rows on networks that settle, weights used both ways: rest, its gradient, equilibrium propagation."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from algorithms._at_rest import gradient_at_rest
from algorithms._settling import Settling
from algorithms.backprop import Backprop
from algorithms.equilibrium_propagation import EquilibriumPropagation
from harness.core.algorithm import added
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.network import Network

Sides = tuple[Any, Any]
LAYER, TANH = Network.chain(3, 2), Network.chain(2, 3, 2, hidden="tanh", output="tanh")
SHORTCUT = Network.chain(3, 4, 3, 2, shortcut=True)
HARD = Network.chain(3, 4, 3, 2, hidden="hard_sigmoid", output="hard_sigmoid")
SCELLIER = "Scellier & Bengio 2017"
LABORIEUX = {1: SCELLIER, 2: "Laborieux et al. 2021", 3: "Laborieux & Zenke 2022, eq. 8"}
NUDGES = {1: (1e-2, 3e-3, 1e-3), 2: (3e-2, 1e-2, 3e-3), 3: (0.2, 0.1, 0.05), 4: (0.4, 0.2, 0.1)}
BY = {1: "one-sided", 2: "centred", 3: "three", 4: "four"}


def to_rest(rule: Any) -> Any:
    """A settling rule with as many steps as rest within rounding takes."""
    return replace(rule, tolerance=1e-14, steps=2000, steps_taught=2000)


EP = to_rest(EquilibriumPropagation())


def at_rest(p: Problem, rule: Settling = EP) -> Any:
    """The gradient of the loss at the free state of rest, by name."""
    return gradient_at_rest(rule, p.net, p.params, p.batch)


def nudged(p: Problem, beta: float, points: int, energy: str) -> Sides:
    """Equilibrium propagation of a nudge, and the gradient at rest."""
    rule = replace(EP, beta=beta, points=points, energy=energy)
    return p.credit(rule), at_rest(p, rule)


def recurrent(p: Problem) -> Sides:
    """δ_j = f′(u_j) (e_j + Σ_k w_jk δ_k) iterated to rest, and the gradient there by linear equations."""
    net, w, y = p.net, p.params, EP.rest(p.net, p.params, p.batch.x).state
    error = {g: np.zeros_like(y[g]) for g in net.free} | {net.output: p.batch.error(y[net.output])}
    delta = dict(error)
    for _ in range(500):
        told = {g: error[g] + net.heard(w, g, delta) + net.blame(w, g, y, delta) for g in net.free}
        delta = {g: net.pull(g, y, blame) for g, blame in told.items()}
    found = net.outer(y, delta)
    for e in net.edges:
        if e.source in delta:
            found = added(found, {e.weights: e.outer(delta[e.source], y[e.target])})
    return found, at_rest(p)


def by_differences(p: Problem, h: float) -> Sides:
    """Central differences of the loss at rest by every weight, and its gradient by linear equations."""

    def cost(params: Any) -> Any:
        return p.batch.cost(EP.predict(p.net, {"params": params}, p.batch.x))

    found = {}
    for key, w in p.params.items():
        many = np.eye(w.size).reshape(-1, *w.shape[1:])  # a network for each weight that moves
        crowd = p.many(w.size).params
        ends = [cost({**crowd, key: w + step * many}) for step in (h, -h)]
        found[key] = ((ends[0] - ends[1]) / (2 * h)).reshape(w.shape)
    return found, at_rest(p)


def weak(p: Problem, scale: float) -> Sides:
    """The gradient at rest where weights between units that settle are weak, and backprop."""
    p = p.moved({e: scale * p.params[e] for e in p.net.edges if e.source in p.net.hidden})
    return at_rest(p), p.credit(Backprop())


def no_error(p: Problem) -> Sides:
    """Credit where the target is what the network says at rest, and none."""
    wanted = p._replace(batch=p.batch._replace(target=EP.predict(p.net, {"params": p.params}, p.batch.x)))
    found = wanted.credit(EP)
    return found, {k: np.zeros_like(g) for k, g in found.items()}


def hard_units(p: Problem) -> Sides:
    """Credit of hard units at either energy, from biases that leave some of them within their bounds."""
    p = p.moved({g: p.params[g] + 0.5 for g in p.net.free})
    return p.credit(replace(EP, energy="scellier")), p.credit(EP)


def rest(p: Problem) -> Sides:
    """States of free groups at rest at each energy, and what its equation makes of their net input u."""
    found: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for rule in (EP, replace(EP, energy="scellier")):
        s = rule.rest(p.net, p.params, p.batch.x).state
        y = rule.activities(p.net, s)
        for g in p.net.free:
            u = p.net.net_input(p.params, g, y) + p.net.blame(p.params, g, y, y)
            found[0][f"{rule.energy} {g.name}"] = s[g]
            found[1][f"{rule.energy} {g.name}"] = p.net.activity(g, u) if rule == EP else p.net.pull(g, y, u)
    return found


def any_step(p: Problem) -> Sides:
    """All activities at rest by small steps, and by whole ones."""
    return tuple(
        {g.name: y for g, y in replace(EP, epsilon=e).rest(p.net, p.params, p.batch.x).state.items()}
        for e in (0.3, 1.0)
    )  # type: ignore[return-value]


def by_power(points: int, energy: str) -> Identity:
    """Equilibrium propagation of so many nudges tends to the gradient at rest."""
    return Identity(
        f"{BY[points].replace('-', '_')}_nudges_of_the_{energy}_energy",
        "limit",
        f"equilibrium propagation by {BY[points]} nudges at energy {energy} tends to the gradient at rest",
        LABORIEUX[min(points, 3)],
        partial(nudged, points=points, energy=energy),
        nets=(CHAIN, TANH) if points < 3 else (CHAIN,),
        parameter="β",
        at=NUDGES[points],
        power=points,
    )


ROWS = (
    *(by_power(points, energy) for energy in ("hopfield", "scellier") for points in BY),
    Identity(
        "recurrent_backpropagation",
        "exact",
        "the gradient at rest is what recurrent backpropagation settles to",
        "Almeida 1987; Pineda 1987",
        recurrent,
        nets=(CHAIN, SHORTCUT),
        within=1e-8,  # slopes of units are differences
    ),
    Identity(
        "differences_at_rest",
        "limit",
        "central differences of the loss at rest tend to the gradient at rest",
        "Press et al. 2007, section 5.7",
        by_differences,
        at=(3e-2, 1e-2, 3e-3),
        power=2,
    ),
    Identity(
        "rest_of_weak_weights",
        "limit",
        "the gradient at rest tends to backprop as weights between units that settle get weak",
        "algebra: u = W f(x) + O(scale)",
        weak,
        parameter="scale of weights",
        at=(3e-2, 1e-2, 3e-3),
    ),
    Identity(
        "nudges_without_hidden_units",
        "limit",
        "without hidden units equilibrium propagation by centred nudges tends to backprop",
        "algebra: y = f(u − β ∂E/∂y)",
        lambda p, beta: (p.credit(replace(EP, beta=beta)), p.credit(Backprop())),
        nets=(LAYER,),
        parameter="β",
        at=(0.2, 0.1, 0.05),
        power=2,
    ),
    Identity(
        "no_error_at_rest",
        "exact",
        "equilibrium propagation gives no credit where outputs at rest meet their targets",
        SCELLIER,
        no_error,
    ),
    Identity(
        "energies_of_hard_units",
        "exact",
        "of hard_sigmoid units both energies of equilibrium propagation settle to the same",
        f"{SCELLIER}; algebra: the least of ½ s² − u s in 0 … 1",
        hard_units,
        nets=(HARD,),
    ),
    Identity(
        "equations_of_rest",
        "exact",
        "at rest y = f(u) at energy hopfield, and s = f′(s) u at energy scellier",
        f"Hopfield 1984; {SCELLIER}",
        rest,
        nets=(CHAIN, TANH),
    ),
    Identity(
        "rest_whatever_the_step",
        "exact",
        "the state of rest is the same whatever share of the way a step goes",
        "Hopfield 1984",
        any_step,
    ),
)
