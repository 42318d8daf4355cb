"""Rows on predictive coding: its variants, its equilibrium, and where it is backpropagation."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from algorithms._way_back import activities
from algorithms.backprop import Backprop
from algorithms.predictive_coding import SIDES, PredictiveCoding
from algorithms.shallow import Shallow
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.identities.feedback import hidden
from harness.identities.targets import BENT, LINEAR, jacobians

Sides = tuple[Any, Any]
Array = Any
DEEP = Network.chain(3, 4, 3, 4, 3, 2, hidden="tanh")
SHORTCUT = Network.chain(3, 4, 3, 2, shortcut=True)
SETTLED = PredictiveCoding(inference_rate=0.6, steps=60)
"""Of sigmoid units, whose slopes are small."""
SLOWLY = PredictiveCoding(inference_rate=0.3, steps=200)
MILLIDGE, SONG, WHITTINGTON = "Millidge et al. 2022", "Song et al. 2020", "Whittington & Bogacz 2017"


def in_one_pass(p: Problem, variant: str) -> Sides:
    """Inference at rate 1 for as many steps as there are hidden groups, at any λ, and backprop."""
    steps = max(1, len(p.net.hidden))
    rule = PredictiveCoding(variant=variant, inference_rate=1.0, steps=steps, energy_weight=3.0)
    return p.credit(rule), p.credit(Backprop())


def weighed(p: Problem, weight: float) -> Sides:
    """Settled predictive coding at an output energy of λ, and backprop."""
    return p.credit(replace(SLOWLY, energy_weight=weight)), p.credit(Backprop())


def left_over(p: Problem, weight: float, h: Any) -> Array:
    """(1 + λ Σ_l J_l J_lᵀ)⁻¹ e of each pattern: what hidden groups leave of y − d, linear outputs."""
    gain = np.eye(p.net.output.size) + weight * sum(j @ j.mT for j in jacobians(p, h).values())
    return np.linalg.solve(gain, (h[p.net.output] - p.batch.target)[..., None])[..., 0]


def equilibrium(p: Problem) -> Sides:
    """Settled predictive coding of a linear chain at λ = 1.5, and its closed form.

    Blame comes down from the error that is left; each ε_l = −λ δ_l moves the activity of its group.
    """
    weight, s = 1.5, p.batch.x
    rule = replace(SLOWLY, energy_weight=weight, steps=1000)
    blame = left_over(p, weight, activities(p.net, p.params, p.batch.x))
    delta = {p.net.output: blame}
    for e in reversed(p.net.edges[1:]):
        blame = blame @ p.params[e].mT
        delta[e.source] = blame
    credit: dict[Any, Array] = {}
    for e in p.net.edges:
        credit[e], credit[e.target] = s.mT @ delta[e.target], delta[e.target].sum(axis=-2, keepdims=True)
        s = s @ p.params[e] + p.params[e.target] - weight * delta[e.target]
    return p.credit(rule), credit


def by_errors(p: Problem) -> Sides:
    """Where inference moves the errors, and where it moves the activities."""
    return p.credit(replace(SLOWLY, variant="error_based")), p.credit(SLOWLY)


def nudged(p: Problem, beta: float, side: str) -> Sides:
    """Predictive coding of a small nudge at λ = 2, and backprop of the error that is left."""
    rule = replace(SLOWLY, nudge=beta, side=side, energy_weight=2.0)
    h = activities(p.net, p.params, p.batch.x)
    target = h[p.net.output] - left_over(p, 2.0, h)
    return p.credit(rule), p._replace(batch=p.batch._replace(target=target)).credit(Backprop())


def settled_energy(p: Problem, h: float) -> Sides:
    """Central differences of F where it has settled, by every weight, and the credit."""
    net, x = p.net, p.batch.x

    def energy(params: Any) -> Array:
        s = SETTLED.inferred(net, params, net.forward(params, x), p.batch)[0]
        mu = {g: net.activity(g, net.net_input(params, g, s)) for g in net.free}
        inside = sum(0.5 * ((s[g] - mu[g]) ** 2).sum(axis=(-1, -2)) for g in net.hidden)
        return inside + p.batch.cost(mu[net.output])

    found = {}
    for key, w in p.params.items():
        many, crowd = np.eye(w.size).reshape(-1, *w.shape[1:]), p.many(w.size).params
        ends = [energy({**crowd, key: w + step * many}) for step in (h, -h)]
        found[key] = ((ends[0] - ends[1]) / (2 * h)).reshape(w.shape)
    return found, p.credit(SETTLED)


def no_error(p: Problem) -> Sides:
    """Credit of all variants where the target is what the network says, and none."""
    wanted = p._replace(batch=p.batch._replace(target=p.net.respond(p.params, p.batch.x)))
    variants = ("converged", "fixed_prediction", "z_il", "error_based")
    found = {v: dict(wanted.credit(PredictiveCoding(variant=v))) for v in variants}
    return found, {v: {k: np.zeros_like(g) for k, g in each.items()} for v, each in found.items()}


def first_step(p: Problem) -> Sides:
    """Weights after a single step of incremental predictive coding, and after one of shallow."""
    plain = GradientDescent(0.1, 0.0, 0.0)
    rule = PredictiveCoding(plain, variant="incremental", steps=1)
    return p.after(rule)["params"], p.after(Shallow(plain))["params"]


def one_pass(variant: str, said: str, source: str) -> Identity:
    """A variant that is backprop."""
    return Identity(
        f"{variant}_is_backprop",
        "exact",
        f"predictive coding {said} is backprop, whatever λ",
        source,
        partial(in_one_pass, variant=variant),
        nets=(CHAIN, SHORTCUT, DEEP),
    )


ROWS = (
    one_pass("fixed_prediction", "of fixed predictions at γ = 1, a step for each hidden layer,", MILLIDGE),
    one_pass("z_il", "whose layers learn in turn (Z-IL)", SONG),
    Identity(
        "predictive_coding_without_hidden_units",
        "exact",
        "predictive coding is backprop where there are no hidden units",
        "algebra",
        lambda p: (p.credit(PredictiveCoding()), p.credit(Backprop())),
        nets=(Network.chain(3, 2),),
    ),
    Identity(
        "predictive_coding_of_a_light_output",
        "limit",
        "predictive coding that has settled tends to backprop as the output's energy vanishes",
        WHITTINGTON,
        weighed,
        nets=(BENT,),
        parameter="λ",
        at=(0.03, 0.01, 0.003),
    ),
    Identity(
        "equilibrium_of_a_linear_chain",
        "exact",
        "of a linear chain settled predictive coding is that of the error (1 + λ Σ J Jᵀ)⁻¹ e, in closed form",
        "algebra: least squares",
        equilibrium,
        nets=(LINEAR,),
        within=1e-9,
    ),
    Identity(
        "inference_by_errors",
        "exact",
        "inference that moves errors settles where that of activities does",
        "Goemaere et al. 2025",
        by_errors,
        nets=(CHAIN, BENT),
        within=1e-9,
    ),
    *(
        Identity(
            f"{side}_nudges_of_predictive_coding",
            "limit",
            f"by {side} nudges predictive coding tends to backprop of the error (1 + λ Σ J Jᵀ)⁻¹ e",
            "algebra: least squares to first order",
            partial(nudged, side=side),
            nets=(BENT,),
            parameter="β",
            at=(0.1, 0.03, 0.01),
            power=len(SIDES[side]),
        )
        for side in SIDES
    ),
    Identity(
        "credit_is_the_slope_of_the_settled_energy",
        "limit",
        "differences of the energy that has settled tend to the credit of predictive coding",
        f"{WHITTINGTON}; algebra: ∂F/∂s = 0",
        settled_energy,
        at=(3e-2, 1e-2, 3e-3),
        power=2,
    ),
    Identity(
        "predictive_coding_without_an_error",
        "exact",
        "predictive coding gives no credit where there is no error, whatever its variant",
        WHITTINGTON,
        no_error,
        nets=(CHAIN, SHORTCUT),
    ),
    Identity(
        "first_step_of_incremental_predictive_coding",
        "exact",
        "incremental predictive coding of a single step is shallow",
        "algebra: hidden errors are 0 at first",
        first_step,
        nets=(CHAIN, SHORTCUT),
    ),
    Identity(
        "predictive_coding_points_downhill",
        "direction",
        "hidden credit of predictive coding that has settled points the gradient's way",
        WHITTINGTON,
        lambda p: (hidden(p, p.credit(SLOWLY)), hidden(p, p.credit(Backprop()))),
        nets=(BENT,),
        statistic="cosine",
    ),
)
