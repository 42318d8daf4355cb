"""Rows on rules that settle: equilibrium propagation, contrastive Hebbian learning, GeneRec."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from algorithms._at_rest import gradient_at_rest
from algorithms._settling import Settling
from algorithms.backprop import Backprop
from algorithms.contrastive_hebbian import ContrastiveHebbian, Generec
from algorithms.equilibrium_propagation import EquilibriumPropagation
from algorithms.mean_field import MeanField
from harness.core.algorithm import added
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.losses import CrossEntropy
from harness.core.network import Network
from harness.identities.enumeration import on_bits
from harness.identities.feedback import hidden

Sides = tuple[Any, Any]
LAYER, TANH = Network.chain(3, 2), Network.chain(2, 3, 2, hidden="tanh", output="tanh")
SHORTCUT = Network.chain(3, 4, 3, 2, shortcut=True)
HARD = Network.chain(3, 4, 3, 2, hidden="hard_sigmoid", output="hard_sigmoid")
BENT = Network.chain(3, 4, 3, 2, hidden="tanh")
SCELLIER, XIE, OREILLY = "Scellier & Bengio 2017", "Xie & Seung 2003", "O'Reilly 1996"
LABORIEUX = {1: SCELLIER, 2: "Laborieux et al. 2021", 3: "Laborieux & Zenke 2022, eq. 8"}
NUDGES = {1: (1e-2, 3e-3, 1e-3), 2: (3e-2, 1e-2, 3e-3), 3: (0.2, 0.1, 0.05), 4: (0.4, 0.2, 0.1)}
BY = {1: "one-sided", 2: "centred", 3: "three", 4: "four"}


def to_rest(rule: Any) -> Any:
    """A settling rule with as many steps as rest within rounding takes."""
    return replace(rule, tolerance=1e-14, steps=2000, steps_taught=2000)


EP = to_rest(EquilibriumPropagation())
HEBB, GENEREC = to_rest(ContrastiveHebbian(gamma=1.0)), to_rest(Generec())
BOTH_WAYS = replace(GENEREC, midpoint=True, symmetric=True)


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


def any_step(p: Problem) -> Sides:
    """All activities at rest by small steps, and by whole ones."""
    return tuple(
        {g.name: y for g, y in replace(EP, epsilon=e).rest(p.net, p.params, p.batch.x).state.items()}
        for e in (0.3, 1.0)
    )  # type: ignore[return-value]


def of_output_errors(p: Problem) -> Problem:
    """The problem with a loss whose blame is y − d at sigmoid outputs."""
    return p._replace(batch=p.batch._replace(loss=CrossEntropy("sigmoid")))


def weakly_back(p: Problem, gamma: float) -> Sides:
    """Contrastive Hebbian learning with a weak way back, and backprop of y − d."""
    return p.credit(replace(HEBB, gamma=gamma)), of_output_errors(p).credit(Backprop())


def clamped(p: Problem) -> Sides:
    """Equilibrium propagation with the outputs held at their targets, and contrastive Hebbian learning."""
    return p.credit(replace(EP, teach="clamp", beta=1.0, points=1)), p.credit(HEBB)


def alone(p: Problem, rule: Settling) -> Sides:
    """A rule without hidden units, and backprop of y − d."""
    return p.credit(rule), of_output_errors(p).credit(Backprop())


def as_means(p: Problem) -> Sides:
    """A step of mean field, and of contrastive Hebbian learning on units of ±1."""
    p = on_bits(p)
    params = {k.name: w for k, w in p.params.items()}
    rule = MeanField(lr=1.0, times=(5, 300), temperatures=(3.0, 1.0))
    new = p.after(rule, 1, {"params": params})["params"]
    batch = p.batch._replace(x=2 * p.batch.x - 1, target=2 * p.batch.target - 1)
    step = {k.name: g for k, g in p._replace(batch=batch).credit(HEBB).items()}
    return {k: new[k] - w for k, w in params.items()}, {k: -step[k] / p.batch.x.shape[-2] for k in params}


def downhill(p: Problem, rule: Settling) -> Sides:
    """Hidden credit of a rule that clamps, and the gradient at rest of a loss whose blame is y − d."""
    found, exact = hidden(p, p.credit(rule)), at_rest(of_output_errors(p))
    return found, {key: exact[key.name] for key in found}


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
        "rest_whatever_the_step",
        "exact",
        "the state of rest is the same whatever share of the way a step goes",
        "Hopfield 1984",
        any_step,
    ),
    Identity(
        "contrastive_hebbian_of_a_weak_way_back",
        "limit",
        "contrastive Hebbian learning tends to backprop of y − d as the way back gets weak",
        XIE,
        weakly_back,
        nets=(CHAIN, BENT),
        parameter="γ",
        at=(0.1, 0.03, 0.01),
    ),
    Identity(
        "contrastive_learning_is_a_full_clamp",
        "exact",
        "equilibrium propagation clamped at the targets is contrastive Hebbian learning of γ = 1",
        "Movellan 1991",
        clamped,
        nets=(CHAIN, SHORTCUT, TANH),
    ),
    Identity(
        "generec_with_midpoint_and_symmetric",
        "exact",
        "GeneRec with midpoint and symmetric is contrastive Hebbian learning of γ = 1",
        OREILLY,
        lambda p: (p.credit(BOTH_WAYS), p.credit(HEBB)),
        nets=(CHAIN, SHORTCUT, TANH),
    ),
    Identity(
        "mean_field_is_contrastive_hebbian",
        "exact",
        "mean field at T = 1 is contrastive Hebbian learning of γ = 1 with tanh units and bits of ±1",
        "Peterson & Anderson 1987; Movellan 1991",
        as_means,
        nets=(TANH,),
        within=1e-11,
    ),
    *(
        Identity(
            f"{rule.name}_without_hidden_units",
            "exact",
            f"{said} is backprop of y − d where there are no hidden units",
            "algebra",
            partial(alone, rule=rule),
            nets=(LAYER,),
        )
        for rule, said in ((HEBB, "contrastive Hebbian learning"), (GENEREC, "GeneRec"))
    ),
    *(
        Identity(
            f"{rule.name}_points_downhill",
            "direction",
            f"hidden credit of {said} points the way of cross-entropy's gradient at rest",
            source,
            partial(downhill, rule=rule),
            statistic="cosine",
        )
        for rule, said, source in (
            (GENEREC, "GeneRec", OREILLY),
            (HEBB, "contrastive Hebbian learning of γ = 1", "Movellan 1991"),
        )
    ),
)
