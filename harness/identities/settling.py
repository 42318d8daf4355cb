"""Rows on networks that settle, weights used both ways: contrastive Hebbian learning, GeneRec, equilibria."""

from __future__ import annotations

from typing import Any

from algorithms.backprop import Backprop
from algorithms.contrastive_hebbian import ContrastiveHebbian, Generec
from algorithms.equilibrium_propagation import EquilibriumPropagation
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.losses import CrossEntropy
from harness.core.network import Network

Sides = tuple[Any, Any]
STEPS: dict[str, Any] = {"tolerance": 1e-15, "steps": 400, "steps_taught": 400}
TANH = Network.chain(3, 4, 2, hidden="tanh", output="tanh")
SCELLIER, LABORIEUX = "Scellier & Bengio 2017, theorem 1", "Laborieux & Zenke 2022, eq. 8"


def named(credit: Any) -> dict[str, Any]:
    """Credit by names."""
    return {k.name: g for k, g in credit.items()}


def weakly(p: Problem, gamma: float) -> Sides:
    """Contrastive Hebbian learning, and backprop of the output error y − d."""
    error = p._replace(batch=p.batch._replace(loss=CrossEntropy("sigmoid")))
    return p.credit(ContrastiveHebbian(gamma=gamma, **STEPS)), error.credit(Backprop())


def strongly(p: Problem, rule: Any) -> Sides:
    """A rule, and contrastive Hebbian learning at γ = 1."""
    return p.credit(rule), p.credit(ContrastiveHebbian(gamma=1.0, **STEPS))


def at_rest(p: Problem, beta: float, points: int) -> Sides:
    """Equilibrium propagation, and the gradient of the loss at rest by implicit differentiation."""
    rule = EquilibriumPropagation(beta=beta, points=points, **STEPS)
    return named(p.credit(rule)), rule.own_gradient(p.net, {"params": p.params}, p.batch)


def equilibrium(name: str, points: int, at: tuple[float, ...], how: str) -> Identity:
    """A row on equilibrium propagation with so many nudges."""
    return Identity(
        name,
        "limit",
        f"{how} equilibrium propagation tends to the gradient of the loss at rest",
        LABORIEUX if points > 2 else SCELLIER,
        lambda p, beta: at_rest(p, beta, points),
        nets=(CHAIN, TANH) if points < 3 else (CHAIN,),
        parameter="β",
        at=at,
        power=points,
    )


ROWS = (
    Identity(
        "contrastive_hebbian_of_weak_feedback",
        "limit",
        "contrastive Hebbian learning tends to backprop of the output error y − d",
        "Xie & Seung 2003",
        weakly,
        parameter="γ",
        at=(1e-2, 3e-3, 1e-3),
    ),
    Identity(
        "generec_is_contrastive_hebbian",
        "exact",
        "GeneRec with midpoint and symmetric is contrastive Hebbian learning at γ = 1",
        "O'Reilly 1996",
        lambda p: strongly(p, Generec(midpoint=True, symmetric=True, **STEPS)),
        nets=(CHAIN, TANH),
    ),
    Identity(
        "clamped_equilibrium_is_contrastive_hebbian",
        "exact",
        "equilibrium propagation with its outputs clamped at β = 1 is contrastive Hebbian learning at γ = 1",
        "Movellan 1991; Scellier et al. 2023",
        lambda p: strongly(p, EquilibriumPropagation(beta=1.0, points=1, teach="clamp", **STEPS)),
        nets=(CHAIN, TANH),
    ),
    equilibrium("one_sided_equilibrium_propagation", 1, (1e-2, 3e-3, 1e-3), "one-sided"),
    equilibrium("centred_equilibrium_propagation", 2, (3e-2, 1e-2, 3e-3), "centred"),
    equilibrium("holomorphic_equilibrium_propagation", 4, (1.2, 0.6, 0.3), "four-point"),
)
