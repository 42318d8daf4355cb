"""Rows on single layers: the delta rule, the perceptron, and Rosenblatt's machine."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from algorithms.delta_rule import DeltaRule
from algorithms.perceptron import Perceptron, RandomFeaturePerceptron
from harness.core.identity import Identity, Problem
from harness.core.network import Network
from harness.core.optimisers import GradientDescent

Sides = tuple[Any, Any]
LAYER = Network.chain(3, 2, output="linear")


def delta_rule(p: Problem) -> Sides:
    """Steps of the delta rule and of backprop from zero weights."""
    zero = p.moved({k: np.zeros_like(w) for k, w in p.params.items()})
    named = {
        getattr(k, "name", k): w for k, w in zero.after(Backprop(GradientDescent(0.1)), 5)["params"].items()
    }
    return zero.after(DeltaRule(0.1), 5)["params"], named


def thresholded(p: Problem) -> Sides:
    """A step of the perceptron, and of the delta rule with the perceptron's outputs put for its own."""
    start = p.after(Perceptron(), 3)
    y = Perceptron().predict(p.net, start, p.batch.x)
    linear = p.batch.x @ start["params"]["input-output"] + start["params"]["output"]
    shifted = p._replace(batch=p.batch._replace(target=p.batch.wanted + linear - y))
    return p.after(Perceptron(0.5), 1, start)["params"], shifted.after(DeltaRule(0.5), 1, start)["params"]


def any_rate(p: Problem) -> Sides:
    """Weights of two rates after ten sweeps from zero, the one's divided by it."""
    slow, usual = (p.after(Perceptron(lr), 10)["params"] for lr in (0.25, 1.0))
    return {k: 4.0 * w for k, w in slow.items()}, usual


def on_features(p: Problem) -> Sides:
    """Rosenblatt's machine, and the perceptron on what its association units say."""
    rule = RandomFeaturePerceptron(a_units=9)
    start = rule.init(p.net, p.params, p.rand)
    seen = p._replace(
        net=Network.chain(9, p.net.output.size), batch=p.batch._replace(x=rule.seen(start, p.batch.x))
    )
    plain = seen.after(Perceptron(), 5, Perceptron().init(seen.net, {}, p.rand))["params"]
    return p.after(rule, 5)["params"], {
        "association-output": plain["input-output"],
        "output": plain["output"],
    }


ROWS = (
    Identity(
        "delta_rule_without_hidden_units",
        "exact",
        "the delta rule is backprop of linear outputs without hidden units",
        "PDP vol. 1 ch. 8",
        delta_rule,
        nets=(LAYER,),
    ),
    Identity(
        "perceptron_is_a_thresholded_delta_rule",
        "exact",
        "the perceptron is the delta rule whose outputs are thresholded",
        "Rosenblatt 1958; Widrow & Hoff 1960",
        thresholded,
        nets=(LAYER,),
    ),
    Identity(
        "perceptron_at_any_rate",
        "exact",
        "from zero weights the perceptron's rate scales its weights and changes no decision",
        "Novikoff 1962",
        any_rate,
        nets=(LAYER,),
        within=0,
    ),
    Identity(
        "random_features",
        "exact",
        "Rosenblatt's machine is the perceptron on its association units",
        "Rosenblatt 1962",
        on_features,
        nets=(LAYER,),
        within=0,
    ),
)
