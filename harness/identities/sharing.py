"""Rows on shared weights: the credit of a weight is the sum of what its places get in the dense network."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms._settling import Settling
from algorithms.accumulated_backprop import AccumulatedBackprop
from algorithms.backprop import Backprop
from algorithms.checkpointed_backprop import CheckpointedBackprop
from algorithms.contrastive_hebbian import ContrastiveHebbian, Generec
from algorithms.eggroll import Eggroll
from algorithms.equilibrium_propagation import EquilibriumPropagation
from algorithms.evolution_strategies import EvolutionStrategies
from algorithms.feedback_alignment import (
    DirectFeedbackAlignment,
    DirectRandomTargetProjection,
    FeedbackAlignment,
)
from algorithms.finite_differences import FiniteDifferences
from algorithms.local_losses import LocalLosses, MonoForward
from algorithms.node_perturbation import NodePerturbation, Reinforce
from algorithms.pepita import Pepita
from algorithms.predictive_coding import PredictiveCoding
from algorithms.shallow import Shallow
from algorithms.sign_symmetry import SignSymmetry
from algorithms.signal_propagation import SignalPropagation
from algorithms.target_propagation import TargetPropagation
from algorithms.weight_mirror import KolenPollack, WeightMirror, back
from algorithms.weight_perturbation import (
    ForwardGradient,
    SequentialWeightPerturbation,
    Spsa,
    WeightPerturbation,
)
from harness.core.algorithm import CreditAlgorithm
from harness.core.identity import Identity, Problem
from harness.core.vectors import flatten
from harness.identities.written_out import ROUNDED, SHARED, expanded, matrix, remembered, summed

Sides = tuple[Any, Any]
CHAIN_RULE = "chain rule; Rumelhart et al. 1986, PDP vol. 1 ch. 8, p. 348"
BY_PLACE = {
    "backprop": Backprop(),
    "checkpointed_backprop": CheckpointedBackprop(),
    "accumulated_backprop": AccumulatedBackprop(micro=2),
    "feedback_alignment": FeedbackAlignment(),
    "direct_feedback_alignment": DirectFeedbackAlignment(),
    "direct_random_target_projection": DirectRandomTargetProjection(),
    "sign_symmetry": SignSymmetry(magnitude="frozen"),
    "kolen_pollack": KolenPollack(),
    "weight_mirror": WeightMirror(),
    "shallow": Shallow(),
    "node_perturbation": NodePerturbation(draws=3),
    "reinforce": Reinforce(draws=2),
    "equilibrium_propagation": EquilibriumPropagation(tolerance=0),
    "contrastive_hebbian": ContrastiveHebbian(tolerance=0, gamma=0.5),
    "generec": Generec(tolerance=0),
    "predictive_coding": PredictiveCoding(),
    "target_propagation": TargetPropagation(),
    "pepita": Pepita(),
    "local_losses": LocalLosses(),
    "mono_forward": MonoForward(),
    "signal_propagation": SignalPropagation(),
}
"""Rules that credit a weight with what its own two units carry: place by place they do the same."""
BY_CHANCE = {
    "weight_perturbation": WeightPerturbation(antithetic=True),
    "forward_gradient": ForwardGradient(),
    "evolution_strategies": EvolutionStrategies(sigma=1e-3, pairs=1),
    "eggroll": Eggroll(sigma=1e-3, pairs=1),
}
"""Rules that shake weights, shared ones once: they do the same in the mean."""


def in_places(p: Problem, rule: CreditAlgorithm) -> Sides:
    """A rule's credit of shared weights, and its credit in the network written out, summed over places."""
    wide, rand = expanded(p), p.rand
    state = rule.init(p.net, p.params, rand)
    memory = remembered(p, state["memory"], isinstance(rule, FeedbackAlignment))
    pairs, given = zip(p.net.edges, wide.net.edges, strict=True), state["params"]
    feedback = {back(d): matrix(e, given[back(e.weights)]) for e, d in pairs if back(e.weights) in given}
    own: dict[Any, Any] = {k: w for k, w in given.items() if k not in p.params}  # heads of groups, signals
    wide = wide.moved({**own, **feedback})  # where these are parameters, too
    shared = rule.credit(p.net, state["params"], state["memory"], p.batch, fresh(rule, p))[0]
    dense = rule.credit(wide.net, wide.params, memory, p.batch, fresh(rule, p))[0]
    return shared, {**{k: dense[k] for k in own if k in dense}, **summed(p.net, dense)}


def fresh(rule: CreditAlgorithm, p: Problem) -> Any:
    """The random numbers that come after those which the rule remembers."""
    rand = p.rand
    rule.init(p.net, p.params, rand)
    return rand


def by_differences(p: Problem) -> Sides:
    """Complex steps of shared weights, and backprop in the network written out, summed over places."""
    dense = expanded(p).credit(Backprop())
    return p.credit(FiniteDifferences(scheme="complex")), summed(p.net, dense)


def by_steps(p: Problem, sigma: float) -> Sides:
    """Shared weights shaken one after the other, and backprop in the network written out, summed."""
    dense = expanded(p).credit(Backprop())
    return p.credit(SequentialWeightPerturbation(sigma=sigma)), summed(p.net, dense)


def in_the_mean(p: Problem, rule: Any) -> Sides:
    """Draws of a rule's credit of shared weights, and backprop in the network written out, summed."""
    many = p.many(4000)
    if isinstance(rule, Spsa):
        found = rule.estimate(p.net, many.params, p.batch, many.rand, np.full((4000, 1, 1), 1e-3))
    else:
        found = dict(many.credit(rule))
    truth = summed(p.net, expanded(p).credit(Backprop()))
    return flatten(p.net, found)[:, 0], flatten(p.net, truth)[0, 0]


def response(p: Problem) -> Sides:
    """What a network says, and the same network written out."""
    wide = expanded(p)
    return p.net.respond(p.params, p.batch.x), wide.net.respond(wide.params, p.batch.x)


def an_edge(kind: str) -> Identity:
    """Backprop on one kind of edge."""
    return Identity(
        f"{kind}_edges",
        "exact",
        f"of {kind} edges backprop is that of the dense network, summed over the places of a weight",
        CHAIN_RULE,
        lambda p: in_places(p, Backprop()),
        nets=(SHARED[kind],),
    )


def by_place(name: str) -> Identity:
    """A rule that does the same at every place of a weight."""
    return Identity(
        f"shared_{name}",
        "exact",
        f"{name} of shared weights is {name} of the dense network, summed over the places of a weight",
        "algebra: credit by what a weight's own two units carry",
        lambda p: in_places(p, BY_PLACE[name]),
        within=ROUNDED if isinstance(BY_PLACE[name], Settling) else 1e-12,
        nets=(SHARED["tied"], SHARED["mixed"]),
    )


def by_chance(name: str, rule: Any) -> Identity:
    """A rule that shakes shared weights once for all their places."""
    return Identity(
        f"shared_{name}",
        "direction",
        f"{name} of shared weights is the dense network's gradient in the mean, summed over places",
        CHAIN_RULE,
        lambda p: in_the_mean(p, rule),
        nets=(SHARED["summed"],),
    )


ROWS = (
    Identity(
        "shared_weights_respond_alike",
        "exact",
        "a network of shared weights says what the dense one with the same weights says",
        CHAIN_RULE,
        response,
        nets=tuple(SHARED.values()),
    ),
    *(an_edge(kind) for kind in SHARED if kind != "mixed"),
    *(by_place(name) for name in BY_PLACE),
    Identity(
        "shared_finite_differences",
        "exact",
        "complex steps of shared weights are the dense network's gradient, summed over places",
        CHAIN_RULE,
        by_differences,
        nets=(SHARED["tied"], SHARED["mixed"]),
    ),
    Identity(
        "shared_sequential_weight_perturbation",
        "limit",
        "sequential perturbation of shared weights tends to the dense network's gradient, summed over places",
        CHAIN_RULE,
        by_steps,
        nets=(SHARED["tied"],),
        parameter="σ",
        at=(1e-2, 1e-3, 1e-4),
    ),
    *(by_chance(name, rule) for name, rule in (BY_CHANCE | {"spsa": Spsa()}).items()),
)
