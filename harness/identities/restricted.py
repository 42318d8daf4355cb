"""Rows on restricted Boltzmann machines: their predictions, and contrastive divergence."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from algorithms.boltzmann import Boltzmann
from algorithms.restricted_boltzmann import RestrictedBoltzmann
from harness.core.identity import Identity, Problem
from harness.core.network import Network
from harness.identities.enumeration import named, on_bits

Sides = tuple[Any, Any]
Array = Any
NET, NARROW = Network.chain(2, 3, 2), Network.chain(2, 1, 2)
HINTON = "Hinton 2002"


def divergence(w: Array, b: Array, c: Array, v: Array) -> tuple[Array, ...]:
    """CD-1's step in the mean over all that may be drawn, for one restricted machine; b of v, c of h."""

    def sigmoid(x: Array) -> Array:
        return 1 / (1 + np.exp(-x))

    total = [np.zeros_like(a) for a in (w, b, c)]
    dreams = np.array(list(product((0.0, 1.0), repeat=len(b))))
    for row, share in zip(*np.unique(v, axis=0, return_counts=True), strict=True):
        on = sigmoid(row @ w + c)
        likely = np.zeros(len(dreams))
        for h in product((0.0, 1.0), repeat=len(c)):
            chance = np.where(np.array(h) > 0, on, 1 - on).prod()
            seen = sigmoid(w @ h + b)
            likely += chance * np.where(dreams > 0, seen, 1 - seen).prod(axis=1)
        then = sigmoid(dreams @ w + c)
        total[0] += share * (np.outer(row, on) - np.einsum("d,di,dj->ij", likely, dreams, then))
        total[1] += share * (row - likely @ dreams)
        total[2] += share * (on - likely @ then)
    return tuple(t / len(v) for t in total)


def visible(p: Problem) -> Array:
    """Rows of visible units as the restricted machine has them: outputs before inputs."""
    return np.concatenate([p.batch.wanted[0].astype(float), p.batch.x[0]], axis=1)


def as_params(p: Problem, w: Array, b: Array, c: Array) -> dict[str, Array]:
    """Weights (visible, hidden) and biases of a restricted machine by their names."""
    k = p.net.output.size
    parts = {"hidden-output": w[:k].T, "input-hidden": w[k:], "output": b[None, :k], "input": b[None, k:]}
    return {name: a[None] for name, a in (parts | {"hidden": c[None]}).items()}


def restricted_weights(p: Problem) -> tuple[Array, Array, Array]:
    """Random ones: (visible, hidden) and biases."""
    rng, k = np.random.default_rng(p.seed), p.net.output.size + p.net.input_size
    hidden = p.net.hidden[0].size
    return rng.normal(size=(k, hidden)), 0.5 * rng.normal(size=k), 0.5 * rng.normal(size=hidden)


def contrastive(p: Problem) -> Sides:
    """Steps of CD-1, and their mean by enumeration of all that may be drawn."""
    p, n = on_bits(p), 10_000
    own = restricted_weights(p)
    params = {k: np.repeat(a, n, axis=0) for k, a in as_params(p, *own).items()}
    many = p._replace(params={k: np.repeat(w, n, axis=0) for k, w in p.params.items()})
    moved = many.after(RestrictedBoltzmann(lr=1.0), 1, {"params": params, "memory": {}})["params"]
    truth = as_params(p, *divergence(*own, visible(p)))
    draws = [(moved[k] - params[k]).reshape(n, -1) for k in truth]
    return np.concatenate(draws, axis=1), np.concatenate([g.ravel() for g in truth.values()])


def fixed_point(p: Problem) -> Sides:
    """The likelihood's gradient where CD-1's mean step is 0, with one hidden unit; and none.

    All 16 states are shown, three of them more often: no single hidden unit could have made them.
    """
    from scipy.optimize import root

    often = np.random.default_rng(p.seed).integers(2, 9, 3)
    states = np.array(list(product((0.0, 1.0), repeat=4)))
    rows = np.concatenate([states, np.repeat(states[[0, 7, 15]], often, axis=0)])
    batch = p.batch._replace(x=rows[None, :, 2:], target=rows[None, :, :2], wanted=rows[None, :, :2] > 0.5)
    p = p._replace(batch=batch)

    def parts(flat: Array) -> tuple[Array, Array, Array]:
        return flat[:4, None], flat[4:8], flat[8:]

    def step(flat: Array) -> Array:
        return np.concatenate([g.ravel() for g in divergence(*parts(flat), visible(p))])

    there = root(step, np.array([2.0] * 4 + [-1.0] * 4 + [-4.0]), options={"xtol": 1e-14}).x
    params = as_params(p, *parts(there))
    found = RestrictedBoltzmann().own_gradient(p.net, {"params": params}, p.batch) or {}
    return found, {k: 0.0 * g for k, g in found.items()}


def restricted(p: Problem) -> Sides:
    """Predictions of a restricted machine by free energies, and of a Boltzmann machine of its weights."""
    p, params = on_bits(p), named(p, 3.0)
    state = {"params": params | {"input": np.full((1, 1, 2), 0.3)}, "memory": {}}
    plain = Boltzmann(times=(1,), temperatures=(1.0,)).predict(
        p.net, {"params": params, "memory": {}}, p.batch.x
    )
    return RestrictedBoltzmann().predict(p.net, state, p.batch.x), plain


ROWS = (
    Identity(
        "restricted_machine_predicts_alike",
        "exact",
        "with the input given a restricted machine predicts as the Boltzmann machine of its weights",
        "Smolensky 1986, PDP vol. 1 ch. 6",
        restricted,
        nets=(NET,),
    ),
    Identity(
        "contrastive_divergence_in_the_mean",
        "direction",
        "CD-1's step is that of the transition matrix in the mean, by enumeration of what may be drawn",
        HINTON,
        contrastive,
        nets=(NET,),
    ),
    Identity(
        "one_hidden_unit",
        "exact",
        "with one hidden unit CD-1 comes to rest where the likelihood's gradient is 0",
        "algebra, for one hidden unit only",
        fixed_point,
        nets=(NARROW,),
        within=1e-7,
    ),
)
