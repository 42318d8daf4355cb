"""Rows on targets that come back over feedback weights: target propagation and its kin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from algorithms._way_back import activities, way
from algorithms.backprop import Backprop
from algorithms.feedback_alignment import DirectFeedbackAlignment
from algorithms.target_propagation import TargetPropagation
from harness.core.edges import Edge, Group
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.network import Network
from harness.identities.feedback import hidden

Sides = tuple[Any, Any]
Array = Any
SQUARE = Network.chain(3, 3, 3, 3, hidden="tanh", output="linear")
BENT = Network.chain(3, 4, 3, 2, hidden="tanh", output="linear")
LINEAR = Network.chain(3, 4, 3, 2, hidden="linear", output="linear")
UNDONE = Network.chain(3, 3, 3, 3, hidden="linear", output="linear")
ONE = Network.chain(3, 4, 2)
LEE, MEULEMANS, ERNOULT = "Lee et al. 2015", "Meulemans et al. 2020", "Ernoult et al. 2022"
STRAIGHT = TargetPropagation(variant="ddtp_linear", feedback_steps=0)


@dataclass(frozen=True)
class Given(TargetPropagation):
    """Target propagation over a way back that is handed in, a function of an edge and activity."""

    back: Any = None

    def g(self, net: Network, feedback: Mapping[str, Array], e: Edge, h: Array) -> Array:
        return self.back(e, h)


def well_conditioned(p: Problem) -> Problem:
    """The problem with square weights whose singular values are .7, 1 and 1.4, and small errors."""
    rng = np.random.default_rng(p.seed)
    turned = {e: np.linalg.qr(rng.normal(size=(1, *e.shape)))[0] * [0.7, 1.0, 1.4] for e in p.net.edges}
    p = p.moved({k: turned[k] if isinstance(k, Edge) else 0.3 * w for k, w in p.params.items()})
    x = 0.5 * p.batch.x
    y = p.net.respond(p.params, x)
    return p._replace(batch=p.batch._replace(x=x, target=y - 0.2 * rng.uniform(-1.0, 1.0, y.shape)))


def jacobians(p: Problem, h: Mapping[Group, Array]) -> dict[Group, Array]:
    """∂h_L/∂h_l of every hidden group, (1, N, outputs, size), by the chain rule; of tanh or linear units."""
    found, behind = {}, np.eye(p.net.output.size)[None, None]
    for e in reversed(p.net.edges[1:]):
        slope = 1.0 - h[e.target] ** 2 if e.target.activation == "tanh" else np.ones_like(h[e.target])
        behind = behind @ (slope[..., :, None] * p.params[e].mT[:, None])
        found[e.source] = behind
    return found


def shifts(p: Problem, rule: TargetPropagation, feedback: Any) -> tuple[Any, Any, Any]:
    """Activities, the output's error, and (t_l − h_l) / η̂ of hidden groups by name."""
    h = activities(p.net, p.params, p.batch.x)
    error = p.batch.delta(p.net, {p.net.output: p.net.activity(p.net.output, h[p.net.output])})
    shift = rule.shifts(p.net, p.params, feedback, h, error)
    return h, error, {g.name: shift[g] / rule.target_lr for g in p.net.hidden}


def newton(p: Problem, h: Any, error: Array) -> dict[str, Array]:
    """The Gauss–Newton step −J⁺ e of every hidden group."""
    step = {g: np.linalg.pinv(j) @ error[..., None] for g, j in jacobians(p, h).items()}
    return {g.name: -step[g][..., 0] for g in p.net.hidden}


def exactly_undone(p: Problem, eta: float) -> Sides:
    """Steps to targets over an exact inverse of every layer, and Gauss and Newton's."""
    p = well_conditioned(p)

    def back(e: Edge, h: Array) -> Array:
        x = np.arctanh(h) if e.target in p.net.hidden else h
        return (x - p.params[e.target]) @ np.linalg.inv(p.params[e])

    h, error, found = shifts(p, Given(target_lr=eta, back=back), {})
    return found, newton(p, h, error)


def over(p: Problem, weights: Mapping[Any, Array]) -> dict[str, Any]:
    """What target propagation remembers, with these weights of the way back."""
    kept: dict[str, Any] = dict(TargetPropagation().remember(p.net, p.params, p.rand))
    ways = {way(p.net, "dtp", g) for g in p.net.hidden}
    return {**kept, "feedback": {**kept["feedback"], **{e.name: weights[e] for e in ways}}}


def undone_in_one(p: Problem) -> Sides:
    """Steps to targets in a linear network over W⁻¹, η̂ = 1, and Gauss and Newton's."""
    p = well_conditioned(p)
    inverse = {e: np.linalg.inv(p.params[e]).mT for e in p.net.edges}
    h, error, found = shifts(p, TargetPropagation(target_lr=1.0), over(p, inverse)["feedback"])
    return found, newton(p, h, error)


def over_slopes(p: Problem, eta: float) -> Sides:
    """Credit over a way back that bends and has the slopes J_fᵀ at the activities, and backprop."""
    h = activities(p.net, p.params, p.batch.x)

    def back(e: Edge, here: Array) -> Array:
        slope = 1.0 - h[e.target] ** 2 if e.target in p.net.hidden else 1.0
        moved = ((here - h[e.target]) * slope) @ p.params[e].mT
        return moved + moved**2

    return p.credit(Given(target_lr=eta, back=back)), p.credit(Backprop())


def over_transposed(p: Problem) -> Sides:
    """Credit with linear hidden units over Q = W, η̂ = 1, and backprop."""
    return p.credit(TargetPropagation(target_lr=1.0), over(p, p.params)), p.credit(Backprop())


def straight(p: Problem) -> Sides:
    """ddtp_linear over fixed Q, and direct feedback alignment over Qᵀ."""
    kept = STRAIGHT.remember(p.net, p.params, p.rand)
    b = {g.name: kept["feedback"][way(p.net, "ddtp_linear", g).name].mT for g in p.net.hidden}
    return p.credit(STRAIGHT, kept), p.credit(DirectFeedbackAlignment(), b)


def first_by_gradient(p: Problem) -> Sides:
    """Every variant that has one, with the last hidden target from the gradient, and backprop."""
    rules = [TargetPropagation(variant=v, last_hidden="gradient") for v in ("tp", "dtp", "drl", "l_drl")]
    return {r.variant: p.credit(r) for r in rules}, {r.variant: p.credit(Backprop()) for r in rules}


def no_error(p: Problem, rule: TargetPropagation) -> Any:
    """Credit where the target is what the network says."""
    return p._replace(batch=p.batch._replace(target=p.net.respond(p.params, p.batch.x))).credit(rule)


def of_no_error(p: Problem) -> Sides:
    """Difference target propagation where there is no error, and none."""
    found = no_error(p, TargetPropagation())
    return found, {k: np.zeros_like(g) for k, g in found.items()}


def shifted(p: Problem) -> Sides:
    """In a linear network: target propagation less what it credits without an error, and by differences."""
    plain, target = TargetPropagation(variant="tp"), TargetPropagation(variant="dtp")
    usual = no_error(p, plain)
    return {k: g - usual[k] for k, g in p.credit(plain).items()}, p.credit(target)


def learnt(p: Problem, rule: TargetPropagation) -> Any:
    """What a rule remembers after its lessons at these weights."""
    rand = p.rand
    kept = rule.remember(p.net, p.params, rand)
    return rule.taught(p.net, p.params, kept, activities(p.net, p.params, p.batch.x), rand)


def comes_to_undo(p: Problem, variant: str) -> Sides:
    """Steps to targets over a way back that has learnt, and Gauss and Newton's."""
    rule = TargetPropagation(variant=variant, target_lr=0.01, feedback_lr=0.05, feedback_steps=100, sigma=0.3)
    h, error, found = shifts(p, rule, learnt(p, rule)["feedback"])
    return found, newton(p, h, error)


def comes_to_transpose(p: Problem) -> Sides:
    """Hidden credit of l_drl over a way back that has learnt, and backprop."""
    rule = TargetPropagation(variant="l_drl", target_lr=0.01, feedback_lr=0.05, feedback_steps=100)
    return hidden(p, p.credit(rule, learnt(p, rule))), hidden(p, p.credit(Backprop()))


ROWS = (
    Identity(
        "targets_over_exact_inverses",
        "limit",
        "over exact inverses targets tend to the Gauss–Newton step −J⁻¹ e as η̂ vanishes",
        f"{MEULEMANS}, theorem 1",
        exactly_undone,
        nets=(SQUARE,),
        parameter="η̂",
        at=(1e-2, 1e-3, 1e-4),
    ),
    Identity(
        "targets_over_inverses_of_linear_layers",
        "exact",
        "in a linear network over Q = W⁻ᵀ targets are the Gauss–Newton step, whatever η̂",
        "algebra",
        undone_in_one,
        nets=(UNDONE,),
    ),
    Identity(
        "targets_over_slopes_of_transposed_layers",
        "limit",
        "over a way back of slopes J_fᵀ target propagation tends to backprop as η̂ vanishes",
        ERNOULT,
        over_slopes,
        nets=(BENT,),
        parameter="η̂",
        at=(1e-2, 1e-3, 1e-4),
    ),
    Identity(
        "targets_over_transposed_linear_layers",
        "exact",
        "with linear hidden units over Q = W target propagation is backprop, whatever η̂",
        "algebra",
        over_transposed,
        nets=(LINEAR, Network.chain(4, 4, 3, 2, hidden="linear")),
    ),
    Identity(
        "targets_straight_from_the_output",
        "exact",
        "ddtp_linear over fixed Q is direct feedback alignment over Qᵀ",
        "algebra",
        straight,
        nets=(CHAIN, BENT),
    ),
    Identity(
        "targets_of_the_last_hidden_layer_by_gradient",
        "exact",
        "with one hidden layer, whose target comes by the gradient, target propagation is backprop",
        LEE,
        first_by_gradient,
        nets=(ONE,),
    ),
    Identity(
        "difference_targets_without_an_error",
        "exact",
        "difference target propagation gives no credit where there is no error, whatever its way back",
        LEE,
        of_no_error,
    ),
    Identity(
        "difference_targets_are_shifted_targets",
        "exact",
        "in a linear network dtp is tp less what tp credits without an error",
        "algebra",
        shifted,
        nets=(LINEAR,),
    ),
    Identity(
        "drl_comes_to_undo",
        "direction",
        "after 100 lessons targets of drl point the way of the Gauss–Newton step",
        MEULEMANS,
        partial(comes_to_undo, variant="drl"),
        nets=(BENT,),
        statistic="cosine",
    ),
    Identity(
        "dtp_comes_to_undo",
        "direction",
        "after 100 lessons targets of dtp point the way of the Gauss–Newton step",
        MEULEMANS,
        partial(comes_to_undo, variant="dtp"),
        nets=(BENT,),
        statistic="cosine",
    ),
    Identity(
        "l_drl_comes_to_transpose",
        "direction",
        "after 100 lessons hidden credit of l_drl points the gradient's way",
        ERNOULT,
        comes_to_transpose,
        nets=(BENT,),
        statistic="cosine",
    ),
)
