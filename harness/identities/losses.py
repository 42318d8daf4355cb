"""Rows on losses and units: what cross-entropy, softmax and a margin make of the output's blame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from algorithms.backprop import Backprop
from algorithms.forward_forward import ForwardForward, chain, joined, labels, softmax, squares
from harness.core.edges import Edge, Group
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.losses import CrossEntropy, Loss, SquaredError
from harness.core.network import Network
from harness.core.units import UNITS

Sides = tuple[Any, Any]
LABELS = Network.chain(3, 4, 3, output="softmax")
TWO = Network.chain(3, 4, 2, output="softmax")
BISHOP = "Bishop 1995, sections 6.7 and 6.9"


def with_loss(p: Problem, loss: Any) -> Problem:
    """The problem with another loss; of softmax units, with targets that are distributions."""
    target = p.batch.target
    if p.net.output.activation == "softmax":
        target = target / target.sum(axis=-1, keepdims=True)
    return p._replace(batch=p.batch._replace(loss=loss, target=target))


def made_for_each_other(p: Problem) -> Sides:
    """Cross-entropy's ∂E/∂x, y − d, and its ∂E/∂y pulled through the units."""
    unit = p.net.output.activation
    p = with_loss(p, CrossEntropy(unit))
    y, d = p.net.respond(p.params, p.batch.x), p.batch.target
    return p.batch.loss.delta(unit, y, d, p.batch.wanted), Loss.delta(
        p.batch.loss, unit, y, d, p.batch.wanted
    )


def two_labels(p: Problem) -> Sides:
    """Cross-entropy of softmax over two labels, and of a sigmoid of the difference: E and hidden credit."""
    p = with_loss(p, CrossEntropy("softmax"))
    source, (first, second) = p.net.hidden[0], p.net.edges
    one = Group("output", 1)
    net = Network((*p.net.groups[:-1], one), (first, edge := Edge(source, one)))
    w, b = p.params[second], p.params[p.net.output]
    params = p.params | {edge: w[..., 1:] - w[..., :1], one: b[..., 1:] - b[..., :1]}
    del params[second]
    bit = p.batch._replace(
        target=p.batch.target[..., 1:], wanted=p.batch.wanted[..., 1:], loss=CrossEntropy("sigmoid")
    )
    other = Problem(net, params, bit, p.seed)
    losses = [q.batch.cost(q.net.respond(q.params, q.batch.x)) for q in (p, other)]
    credits = [q.credit(Backprop()) for q in (p, other)]
    return tuple({"E": e, "hidden": c[first]} for e, c in zip(losses, credits, strict=True))  # type: ignore[return-value]


def no_margin(p: Problem) -> Sides:
    """Squared error with a margin of 0 from targets of 0 and 1, and without."""
    bits = p._replace(batch=p.batch._replace(target=p.batch.wanted.astype(float)))
    return with_loss(bits, SquaredError(0.0)).credit(Backprop()), with_loss(bits, SquaredError()).credit(
        Backprop()
    )


def four_times(p: Problem, scale: float) -> Sides:
    """Cross-entropy's credit at weights of a scale, and four times squared error's."""
    p = p.moved({k: scale * w for k, w in p.params.items()})
    both = [with_loss(p, loss).credit(Backprop()) for loss in (CrossEntropy("sigmoid"), SquaredError())]
    return both[0], {k: 4.0 * g for k, g in both[1].items()}


def shifted(p: Problem) -> Sides:
    """Softmax of a net input, and of the same with 5 added to all."""
    x = 3.0 * p.batch.x
    return UNITS["softmax"].of(x), UNITS["softmax"].of(x + 5.0)


def rescaled(p: Problem) -> Sides:
    """Of the net input x, tanh(x) and 2 σ(2x) − 1; and their slopes."""
    x = 3.0 * p.batch.x
    y, s = UNITS["tanh"].of(x), UNITS["sigmoid"].of(2.0 * x)
    ones = np.ones_like(x)
    return {"y": y, "slope": UNITS["tanh"].pull(y, ones)}, {
        "y": 2 * s - 1,
        "slope": 4 * UNITS["sigmoid"].pull(s, ones),
    }


@dataclass(frozen=True)
class Goodness(Loss):
    """The loss of one layer of Forward-Forward: −log p of positive patterns, p = σ(Σ y² − θ)."""

    threshold: float
    __hash__: ClassVar[Any] = object.__hash__

    def error(self, y: Any, target: Any, wanted: Any) -> Any:
        return 2.0 * y * (1.0 / (1.0 + np.exp(self.threshold - squares(y))) - 1.0)

    def of(self, y: Any, target: Any, wanted: Any) -> Any:
        return np.log1p(np.exp(self.threshold - squares(y))).sum(axis=(-1, -2))


def layers_by_themselves(p: Problem) -> Sides:
    """Forward-Forward's credit of right labels, and backprop's of each layer alone under its own loss."""
    rule = ForwardForward()
    own = rule.stack(p.net)
    params = rule.init(p.net, p.params, p.rand)["params"]
    x = joined(p.batch.x, labels(p.batch.wanted[..., :1], float))
    alone: dict[Any, Any] = {}
    for edge, z, _ in rule.passes(own, params, x):
        below = Group("below", edge.source.size, "linear", bias=False)
        layer = Network((below, edge.target), (into := Edge(below, edge.target),))
        batch = p.batch._replace(
            x=z, target=0.0 * z[..., :1], loss=Goodness(edge.target.size * rule.threshold)
        )
        at: dict[Any, Any] = {into: params[edge], edge.target: params[edge.target]}
        credit = Problem(layer, at, batch, 0).credit(Backprop())
        alone |= {edge: credit[into], edge.target: credit[edge.target]}
    return rule.credit(own, params, x, 1.0), alone


def softmax_on_top(p: Problem) -> Sides:
    """What Forward-Forward's softmax gets, and backprop of a softmax layer under cross-entropy."""
    rule = ForwardForward(readout="softmax")
    own = rule.stack(p.net)
    params = rule.init(p.net, p.params, p.rand)["params"]
    right = labels(p.batch.wanted[..., :1], float)
    _, seen = rule.one_pass(own, params, p.batch.x)
    sources = {e: Group(f"seen{i}", e.source.size, "linear", bias=False) for i, e in enumerate(seen)}
    top = Group("output", 2, "softmax")
    edges = {e: Edge(g, top) for e, g in sources.items()}
    net = Network((*sources.values(), top), tuple(edges.values()))
    x = np.concatenate(list(seen.values()), axis=-1)
    batch = p.batch._replace(x=x, target=right, wanted=right > 0.5, loss=CrossEntropy("softmax"))
    at = {edges[e]: params[e] for e in seen} | {top: params[own.output]}
    credit = Problem(net, at, batch, 0).credit(Backprop())
    found = rule.delta_rule(own, params, p.batch.x, right)
    assert len(chain(own)) == len(p.net.hidden)
    return {k.name: g for k, g in found.items()}, {e.name: credit[edges[e]] for e in seen} | {
        "output": credit[top]
    }


def by_the_jacobian(p: Problem) -> Sides:
    """Softmax's pull, and the Jacobian diag(y) − y yᵀ times the blame."""
    y, blame = softmax(3.0 * p.batch.x), p.batch.x
    jacobian = np.eye(y.shape[-1]) * y[..., None] - y[..., :, None] * y[..., None, :]
    return UNITS["softmax"].pull(y, blame), (jacobian @ blame[..., None])[..., 0]


FORWARD = "Hinton 2022, arXiv:2212.13345"
ROWS = (
    Identity(
        "cross_entropy_of_softmax",
        "exact",
        "cross-entropy's blame of softmax units is y − d",
        BISHOP,
        made_for_each_other,
        nets=(LABELS,),
    ),
    Identity(
        "cross_entropy_of_sigmoid",
        "exact",
        "cross-entropy's blame of sigmoid units is y − d",
        BISHOP,
        made_for_each_other,
    ),
    Identity(
        "two_labels_are_one_bit",
        "exact",
        "cross-entropy of softmax over two labels is that of a sigmoid of the difference",
        BISHOP,
        two_labels,
        nets=(TWO,),
    ),
    Identity(
        "softmax_by_its_jacobian",
        "exact",
        "softmax pulls blame through diag(y) − y yᵀ",
        "Bridle 1990",
        by_the_jacobian,
    ),
    Identity(
        "softmax_sees_differences",
        "exact",
        "softmax is the same when every net input grows alike",
        "Bridle 1990",
        shifted,
    ),
    Identity(
        "tanh_is_a_sigmoid",
        "exact",
        "tanh(x) is 2 σ(2x) − 1, slopes included",
        "algebra",
        rescaled,
    ),
    Identity(
        "no_margin",
        "exact",
        "squared error with a margin of 0 is squared error, where targets are 0 and 1",
        "algebra",
        no_margin,
        within=0,
    ),
    Identity(
        "cross_entropy_is_four_squared_errors",
        "limit",
        "at weak weights cross-entropy's credit is four times squared error's",
        "algebra: y (1 − y) = ¼ − (y − ½)²",
        four_times,
        parameter="scale of weights",
        at=(1e-1, 3e-2, 1e-2),
        power=2,
    ),
    Identity(
        "forward_forward_layer_by_layer",
        "exact",
        "Forward-Forward is backprop of each layer alone under the loss of its own goodness",
        FORWARD,
        layers_by_themselves,
        nets=(CHAIN,),
    ),
    Identity(
        "forward_forward_softmax",
        "exact",
        "Forward-Forward's softmax learns by backprop of one layer under cross-entropy",
        FORWARD,
        softmax_on_top,
        nets=(CHAIN,),
    ),
)
