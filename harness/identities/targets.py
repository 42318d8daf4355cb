"""Rows on targets for every layer: what target propagation is where its way back is known."""

from __future__ import annotations

from typing import Any

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import DirectFeedbackAlignment
from algorithms.target_propagation import TargetPropagation
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.network import Network

Sides = tuple[Any, Any]
LINEAR = Network.chain(4, 4, 3, 2, hidden="linear")
ONE = Network.chain(3, 4, 2)


def over_the_weights(p: Problem) -> Sides:
    """Target propagation whose g goes back over the forward weights, and backprop."""
    rule = TargetPropagation()
    drawn = rule.remember(p.net, p.params, p.rand)["feedback"]
    known = {e.name: p.params[e] for e in p.net.edges if e.name in drawn}
    return p.credit(rule, {"feedback": {**drawn, **known}}), p.credit(Backprop())


def straight(p: Problem) -> Sides:
    """Direct linear targets over Q, and direct feedback alignment over the same."""
    rule = TargetPropagation(variant="ddtp_linear")
    memory = rule.remember(p.net, p.params, p.rand)
    over = {g.name: memory["feedback"][f"{g.name}-{p.net.output.name}"].mT for g in p.net.hidden}
    return p.credit(rule, memory), p.credit(DirectFeedbackAlignment(), over)


def last_by_gradient(p: Problem) -> Sides:
    """Target propagation with one hidden layer, whose target is a step down the gradient; and backprop."""
    return p.credit(TargetPropagation(last_hidden="gradient")), p.credit(Backprop())


ROWS = (
    Identity(
        "targets_over_the_weights",
        "exact",
        "where hidden units are linear target propagation over Q = W is backprop",
        "Ernoult et al. 2022: J_g = J_fᵀ",
        over_the_weights,
        nets=(LINEAR,),
    ),
    Identity(
        "direct_linear_targets",
        "exact",
        "direct linear target propagation is direct feedback alignment over the same matrices",
        "Meulemans et al. 2020",
        straight,
        nets=(CHAIN, ONE),
    ),
    Identity(
        "last_hidden_target_by_the_gradient",
        "exact",
        "target propagation whose last hidden target is a gradient step is backprop with one hidden layer",
        "Lee et al. 2015",
        last_by_gradient,
        nets=(ONE,),
    ),
)
