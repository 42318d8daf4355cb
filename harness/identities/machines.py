"""Rows on Boltzmann machines and their means: held to enumeration of all states."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from algorithms._boltzmann_machine import LAYERED, Machine
from algorithms.boltzmann import Boltzmann
from algorithms.mean_field import MeanField
from harness.core.identity import Identity, Problem
from harness.core.network import Network
from harness.identities.enumeration import blocks, chances, everything, exact_change, matrix, named, on_bits

Sides = tuple[Any, Any]
Array = Any
NET, LAYER = Network.chain(2, 3, 2), Network.chain(3, 2)
ACKLEY, PETERSON = "Ackley et al. 1985", "Peterson & Anderson 1987"
QUIET = Boltzmann(rule="gradient", step=1.0, times=(1,), temperatures=(1.0,), noise_off=0.0, noise_on=0.0)


def likelihood(p: Problem) -> Sides:
    """The gradient of a machine's likelihood, and p'_ij − p_ij over T by enumeration."""
    p, rule = on_bits(p), replace(QUIET, temperatures=(1.5,))
    machine, params = Machine.of(p.net, LAYERED), named(p, 3.0)
    exact = exact_change(machine, matrix(machine, params), p, 1.5)
    return rule.own_gradient(p.net, {"params": params}, p.batch), blocks(machine, -exact / 1.5)


def likelihood_of_signs(p: Problem) -> Sides:
    """The gradient that mean field is compared with, and that of the machine of ±1 by enumeration."""
    p, rule = on_bits(p), MeanField(times=(1,), temperatures=(1.5,))
    machine, params = Machine.of(p.net, LAYERED), named(p, 3.0)
    exact = exact_change(machine, matrix(machine, params), p, 1.5, -1.0)
    return rule.own_gradient(p.net, {"params": params}, p.batch), blocks(machine, -exact / 1.5)


def predicted(p: Problem) -> Sides:
    """Predictions of a machine, and P(y_i = 1 | x) by enumeration."""
    p = on_bits(p)
    machine, params = Machine.of(p.net, LAYERED), named(p, 3.0)
    rule, w, s = (
        Boltzmann(times=(1,), temperatures=(2.0,)),
        matrix(machine, params),
        everything(machine.units),
    )
    found = []
    for row in p.batch.x[0]:
        some = s[(s[:, machine.place["input"]] == row).all(axis=1)]
        found.append(chances(w, some, 2.0) @ some[:, machine.place["output"]])
    return rule.predict(p.net, {"params": params, "memory": {}}, p.batch.x)[0], np.array(found)


def cooled(p: Problem) -> Sides:
    """Predictions at temperature 4, and at 1 with a quarter of the weights."""
    rule = Boltzmann(times=(1,), temperatures=(4.0,))
    p, params = on_bits(p), named(p, 3.0)
    states = (
        {"params": params, "memory": {}},
        {"params": {k: w / 4 for k, w in params.items()}, "memory": {}},
    )
    warm, cold = (
        r.predict(p.net, s, p.batch.x)
        for r, s in zip((rule, replace(rule, temperatures=(1.0,))), states, strict=True)
    )
    return warm, cold


def sampled(p: Problem) -> Sides:
    """Steps of a machine without hidden units, and the gradient of its likelihood."""
    p, n = on_bits(p), 4000
    rule = replace(QUIET, statistics=4)
    params = {k: np.repeat(w, n, axis=0) for k, w in named(p, 2.0).items()}
    many = p._replace(params={k: np.repeat(w, n, axis=0) for k, w in p.params.items()})
    moved = many.after(rule, 1, {"params": params, "memory": {}})["params"]
    truth = rule.own_gradient(p.net, {"params": named(p, 2.0)}, p.batch) or {}
    draws = [(params[k] - moved[k]).reshape(n, -1) for k in truth]
    return np.concatenate(draws, axis=1), np.concatenate([g.ravel() for g in truth.values()])


def settled(p: Problem) -> Sides:
    """Means of hidden and output units, and tanh of what they hear."""
    p, rule = on_bits(p), MeanField(times=(5, 300), temperatures=(3.0, 1.5))
    machine = Machine.of(p.net, LAYERED)
    w = matrix(machine, named(p))
    s = rule.settled(machine, w, p.batch.x[0])
    free = slice(0, machine.hidden + machine.output)
    return s[free], np.tanh(w[free] @ s / 1.5)


def own_delta_rule(p: Problem) -> Sides:
    """A step of mean field without hidden units, and the delta rule of its own means."""
    p, rule = on_bits(p), MeanField(lr=0.3)
    params, x, d = named(p), 2 * p.batch.x - 1, 2.0 * p.batch.wanted - 1
    gap = d - np.tanh(x @ params["input-output"] + params["output"])
    step = {"input-output": x.mT @ gap, "output": gap.sum(axis=-2, keepdims=True)}
    new = p.after(rule, 1, {"params": params})["params"]
    return new, {k: w + 0.3 * step[k] / x.shape[-2] for k, w in params.items()}


def means(p: Problem, scale: float) -> Sides:
    """Means at weights of a scale less what biases alone make, and the exact ones of the machine of ±1."""
    p = on_bits(p)
    machine, params = Machine.of(p.net, LAYERED), named(p, scale)
    w, s = matrix(machine, params), everything(machine.units, -1.0)
    found = MeanField(times=(300,), temperatures=(1.0,)).settled(machine, w, p.batch.x[0])
    exact = []
    for row in 2 * p.batch.x[0] - 1:
        some = s[(s[:, machine.place["input"]] == row).all(axis=1)]
        exact.append(chances(w, some) @ some)
    return found, np.array(exact).T


def hot(p: Problem, temperature: float) -> Sides:
    """A step of mean field on AND and OR, and of the machine of ±1 by enumeration."""
    p = on_bits(p)
    wanted = np.stack([p.batch.x.all(axis=-1), p.batch.x.any(axis=-1)], axis=-1)
    p = p._replace(batch=p.batch._replace(target=wanted.astype(float), wanted=wanted))
    machine, params = Machine.of(p.net, LAYERED), named(p)
    rule = MeanField(lr=1.0, times=(5, 300), temperatures=(3 * temperature, temperature))
    new = p.after(rule, 1, {"params": params})["params"]
    exact = exact_change(machine, matrix(machine, params), p, temperature, -1.0)
    return {k: new[k] - params[k] for k in params}, blocks(machine, exact)


ROWS = (
    Identity(
        "likelihood_of_a_boltzmann_machine",
        "exact",
        "the gradient of its likelihood is p'_ij − p_ij over T, by enumeration of all states",
        f"{ACKLEY}, appendix",
        likelihood,
        nets=(NET,),
    ),
    Identity(
        "likelihood_of_a_machine_of_signs",
        "exact",
        "what mean field is compared with is p'_ij − p_ij over T of the machine of ±1, by enumeration",
        PETERSON,
        likelihood_of_signs,
        nets=(NET,),
    ),
    Identity(
        "prediction_of_a_boltzmann_machine",
        "exact",
        "its predictions are P(y = 1 | x), by enumeration of all states",
        ACKLEY,
        predicted,
        nets=(NET,),
    ),
    Identity(
        "temperature_divides_weights",
        "exact",
        "a Boltzmann machine at T is one at 1 whose weights are divided by T",
        "algebra",
        cooled,
        nets=(NET,),
    ),
    Identity(
        "boltzmann_step_in_the_mean",
        "direction",
        "without hidden units a Boltzmann machine's step is the likelihood's gradient in the mean",
        ACKLEY,
        sampled,
        nets=(LAYER,),
    ),
    Identity(
        "settled_means",
        "exact",
        "settled means satisfy s = tanh(W s / T)",
        PETERSON,
        settled,
        nets=(NET,),
    ),
    Identity(
        "mean_field_without_hidden_units",
        "exact",
        "mean field is the delta rule of its own means where there are no hidden units",
        PETERSON,
        own_delta_rule,
        nets=(LAYER,),
    ),
    Identity(
        "mean_field_of_weak_weights",
        "limit",
        "means tend to those of the Boltzmann machine as weights get weak",
        PETERSON,
        means,
        nets=(NET,),
        parameter="scale of weights",
        at=(1e-1, 3e-2, 1e-2),
        power=2,
    ),
    Identity(
        "mean_field_at_high_temperature",
        "limit",
        "where outputs go with inputs mean field's step tends to the Boltzmann machine's as T grows",
        PETERSON,
        hot,
        nets=(NET,),
        parameter="T",
        at=(1e3, 1e4, 1e5),
        power=-1,
    ),
)
