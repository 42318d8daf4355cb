"""Rows on optimisers: what becomes of one where a setting of it ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from harness.core.identity import Identity, Problem
from harness.core.optimisers import Adam, GradientDescent, Optimiser, SignStep

Sides = tuple[Any, Any]
KINGMA, RUMELHART = "Kingma & Ba 2015, algorithm 1", "Rumelhart, Hinton & Williams 1986, eq. 9"


def step(p: Problem, optimiser: Optimiser, times: int = 1, scale: float = 1.0) -> Any:
    """How far the weights are after some steps along one credit."""
    params, memory = dict(p.params), optimiser.init(p.params)
    credit = {k: scale * g for k, g in p.credit(Backprop()).items()}
    for epoch in range(times):
        params, memory = optimiser.step(params, credit, memory, np.asarray(float(epoch)))  # type: ignore[assignment]
    return {k: w - p.params[k] for k, w in params.items()}


def trained(p: Problem, optimiser: Optimiser, updates: int = 20) -> Any:
    """The weights after some updates of backprop."""
    return p.after(Backprop(optimiser), updates)["params"]


def accumulated(p: Problem) -> Sides:
    """Momentum under a constant gradient for 10 steps, and its closed form."""
    lr, a, t = 0.1, 0.8, 10
    way = lr / (1 - a) * (t - a * (1 - a**t) / (1 - a))
    return step(p, GradientDescent(lr, a, 0.0), t), {k: -way * g for k, g in p.credit(Backprop()).items()}


def long_run(p: Problem, t: float) -> Sides:
    """Momentum under a constant gradient for t steps, and plain descent at ε / (1 − α)."""
    return step(p, GradientDescent(0.1, 0.8, 0.0), int(t)), step(p, GradientDescent(0.5, 0.0, 0.0), int(t))


def only_decay(p: Problem) -> Sides:
    """Weights after 10 updates without error, and (1 − decay)^10 of them."""
    still = p._replace(batch=p.batch._replace(target=p.net.respond(p.params, p.batch.x)))
    zero = {k: 0.0 * g for k, g in still.credit(Backprop()).items()}
    rule, params = GradientDescent(0.1, 0.9, 0.05), dict(p.params)
    memory = rule.init(params)
    for _ in range(10):
        params, memory = rule.step(params, zero, memory, np.zeros(()))  # type: ignore[assignment]
    return params, {k: 0.95**10 * w for k, w in p.params.items()}


def halved(p: Problem, lr: float) -> Sides:
    """Two steps of ε/2 and one of ε."""
    one, two = (trained(p, GradientDescent(lr / n, 0.0, 0.0), n) for n in (1, 2))
    return {k: two[k] - p.params[k] for k in one}, {k: one[k] - p.params[k] for k in one}


def descends(p: Problem, lr: float) -> Sides:
    """How far one step lowers the loss, and ε ‖∇E‖²."""
    new = p.moved(trained(p, GradientDescent(lr, 0.0, 0.0), 1))
    before, after = (q.batch.cost(q.net.respond(q.params, q.batch.x)) for q in (p, new))
    return before - after, lr * np.array([sum(float((g**2).sum()) for g in p.credit(Backprop()).values())])


EARLY = GradientDescent(0.3, 0.9, 0.0, early_sweeps=7, early_lr=0.3, early_momentum=0.9)
ROWS = (
    Identity(
        "no_momentum",
        "exact",
        "the first step with momentum is that of plain gradient descent",
        RUMELHART,
        lambda p: (step(p, GradientDescent(0.1, 0.9, 0.0)), step(p, GradientDescent(0.1, 0.0, 0.0))),
    ),
    Identity(
        "plain_descent",
        "exact",
        "gradient descent without momentum and decay moves weights by −ε ∂E/∂w",
        RUMELHART,
        lambda p: (
            step(p, GradientDescent(0.1, 0.0, 0.0)),
            {k: -0.1 * g for k, g in p.credit(Backprop()).items()},
        ),
    ),
    Identity(
        "momentum_under_a_constant_gradient",
        "exact",
        "under a constant gradient momentum goes −ε/(1 − α) (t − α (1 − α^t)/(1 − α)) ∂E/∂w in t steps",
        RUMELHART,
        accumulated,
    ),
    Identity(
        "momentum_in_the_long_run",
        "limit",
        "under a constant gradient momentum tends to plain descent at ε/(1 − α)",
        RUMELHART,
        long_run,
        parameter="t",
        at=(50, 200, 800),
        power=-1,
    ),
    Identity(
        "early_schedule_of_the_same_numbers",
        "exact",
        "an early rate and momentum that are the later ones change nothing",
        "algebra",
        lambda p: (
            trained(p, EARLY),
            trained(p, GradientDescent(0.3, 0.9, 0.0)),
        ),
        within=0,
    ),
    Identity(
        "decay_alone",
        "exact",
        "where there is no credit to follow weights shrink to (1 − decay)^t of what they were",
        "algebra",
        only_decay,
    ),
    Identity(
        "first_step_of_adam",
        "limit",
        "the first step of Adam tends to a step by the sign of the credit",
        KINGMA,
        lambda p, e: (step(p, Adam(lr=0.1, epsilon=e)), step(p, SignStep(lr=0.1))),
        parameter="ε",
        at=(1e-6, 1e-7, 1e-8),
    ),
    Identity(
        "adam_without_memory",
        "limit",
        "Adam at β₁ = β₂ = 0 tends to a step by the sign of the credit at every update",
        KINGMA,
        lambda p, e: (
            step(p, Adam(lr=0.01, beta1=0.0, beta2=0.0, epsilon=e), 5),
            step(p, SignStep(lr=0.01), 5),
        ),
        parameter="ε",
        at=(1e-6, 1e-7, 1e-8),
    ),
    Identity(
        "adam_under_a_constant_gradient",
        "exact",
        "under a constant gradient Adam goes t times as far as in its first step",
        KINGMA,
        lambda p: (step(p, Adam(lr=0.1), 8), {k: 8 * d for k, d in step(p, Adam(lr=0.1)).items()}),
    ),
    Identity(
        "adam_sees_no_scale",
        "limit",
        "Adam tends to go the same way whatever the scale of the credit",
        f"{KINGMA}, section 2.1",
        lambda p, e: (step(p, Adam(lr=0.1, epsilon=e), scale=100.0), step(p, Adam(lr=0.1, epsilon=e))),
        parameter="ε",
        at=(1e-6, 1e-7, 1e-8),
    ),
    Identity(
        "sign_step_sees_no_scale",
        "exact",
        "a step by the sign is the same whatever the scale of the credit",
        "Peterson & Hartman 1989",
        lambda p: (step(p, SignStep(lr=0.1), scale=100.0), step(p, SignStep(lr=0.1))),
        within=0,
    ),
    Identity(
        "two_half_steps",
        "limit",
        "two steps of ε/2 tend to one of ε",
        "algebra: Taylor",
        halved,
        parameter="ε",
        at=(1e-2, 1e-3, 1e-4),
    ),
    Identity(
        "a_step_goes_down",
        "limit",
        "a step along the gradient lowers the loss by ε ‖∇E‖² in the limit",
        "algebra: Taylor",
        descends,
        parameter="ε",
        at=(1e-2, 1e-3, 1e-4),
    ),
)
