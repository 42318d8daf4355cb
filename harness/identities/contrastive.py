"""Rows on contrastive Hebbian learning and GeneRec: rest without the answer, and rest with it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from algorithms._settling import Settling
from algorithms.backprop import Backprop
from algorithms.contrastive_hebbian import ContrastiveHebbian, Generec
from algorithms.mean_field import MeanField
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.losses import CrossEntropy
from harness.core.network import Network
from harness.identities.enumeration import on_bits
from harness.identities.feedback import hidden
from harness.identities.settling import EP, LAYER, SHORTCUT, TANH, at_rest, to_rest

Sides = tuple[Any, Any]
BENT = Network.chain(3, 4, 3, 2, hidden="tanh")
HEBB, GENEREC = to_rest(ContrastiveHebbian(gamma=1.0)), to_rest(Generec())
BOTH_WAYS = replace(GENEREC, midpoint=True, symmetric=True)
XIE, OREILLY = "Xie & Seung 2003", "O'Reilly 1996"


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


ROWS = (
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
