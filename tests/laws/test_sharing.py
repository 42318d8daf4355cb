"""Every credit rule held to its own credit in the dense network with the same weights, summed by index.

    w = θ[index]   ⇒   ∂E/∂θ_k = Σ over the places of k

That holds of the gradient by the chain rule, and of every rule that credits a weight with what its own two
units carry.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

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
    ways_back,
)
from algorithms.finite_differences import FiniteDifferences
from algorithms.genetic import entered
from algorithms.local_losses import LocalLosses, MonoForward
from algorithms.node_perturbation import NodePerturbation, Reinforce
from algorithms.pepita import Pepita
from algorithms.predictive_coding import VARIANTS, PredictiveCoding
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
from harness.cells.settings import Settings, resolve
from harness.core import registry
from harness.core.algorithm import Algorithm, Batch, CreditAlgorithm
from harness.core.differences import best_step
from harness.core.errors import NotApplicable
from harness.core.exact_gradient import exact_gradient
from harness.core.initial import initial
from harness.core.network import Edge, Network
from harness.core.rand import NOISE, PROBE, SPLIT, WEIGHTS, Rand
from harness.credit.averages import largest, z_scores
from harness.experiment.run import run
from harness.identities import online
from harness.identities.measure import measure
from helpers.kinds import KINDS, Images, expanded, matrix, summed, written_out

Array = Any
BY_OUTER = [
    *(
        Backprop(),
        CheckpointedBackprop(),
        CheckpointedBackprop(segment=1),
        AccumulatedBackprop(micro=2),
        FeedbackAlignment(),
        DirectFeedbackAlignment(),
    ),
    *(
        DirectRandomTargetProjection(),
        SignSymmetry(),
        SignSymmetry(magnitude="frozen"),
        KolenPollack(),
        WeightMirror(),
    ),
    *(PredictiveCoding(variant=word, steps=5) for word in VARIANTS),
    *(Shallow(), NodePerturbation(draws=3), NodePerturbation(antithetic=True), Reinforce(draws=2)),
    *(TargetPropagation(), TargetPropagation(variant="tp"), TargetPropagation(variant="ddtp_linear")),
    *(EquilibriumPropagation(), EquilibriumPropagation(points=4)),
    *(EquilibriumPropagation(teach="clamp"), ContrastiveHebbian(gamma=0.3)),
    *(Generec(), Generec(midpoint=True, symmetric=True)),
    *(Pepita(), LocalLosses(), LocalLosses(loss="sim"), MonoForward(), SignalPropagation()),
]
BY_STEPS = [FiniteDifferences(), SequentialWeightPerturbation()]
BY_CHANCE = [
    *(WeightPerturbation(), ForwardGradient(), Spsa()),
    *(EvolutionStrategies(sigma=1e-3, pairs=1), Eggroll(sigma=1e-3, pairs=1)),
]
IN_TIME = {"bptt", "rtrl", "snap", "eprop", "rflo", "uoro"}
every_kind = pytest.mark.parametrize("kind", KINDS)
FAMILY = "leaves some out"


def rule_name(rule: Any) -> str:
    return str(getattr(rule, "name", rule))


class Case:
    """Some networks of one kind at their initial weights, and the same written out."""

    def __init__(self, kind: str, loss: str = "squared_error", replicas: int = 2) -> None:
        self.task = Images(kind=kind, loss=loss)
        self.net: Network = self.task.network()
        self.dense = written_out(self.net)
        self.batch = Batch.of(
            self.task.data(Rand(0, range(replicas), SPLIT), float), np.zeros(()), self.task.objective
        )
        self.params = initial(self.net, Rand(0, range(replicas), WEIGHTS), "uniform", 0.5)
        self.wide = expanded(self.net, self.params)
        self.replicas = range(replicas)

    def gradient(self) -> dict[Any, Array]:
        """The dense network's gradient, summed by index."""
        return summed(self.net, exact_gradient(self.dense, self.wide, self.batch).gradient)

    def close(self, found: Any, expected: Any, tolerance: float, rounding: float = 0.0) -> None:
        assert set(found) == set(expected)
        for key, g in expected.items():
            near = tolerance * np.abs(g).max() + rounding
            np.testing.assert_allclose(found[key], g, rtol=tolerance, atol=near, err_msg=str(key))


def test_every_credit_rule_is_held_to_its_credit_in_the_dense_network() -> None:
    held = {rule.name for rule in (*BY_OUTER, *BY_STEPS, *BY_CHANCE)}
    assert held.isdisjoint(IN_TIME)
    rules = {name for name, kind in registry.algorithms().items() if issubclass(kind, CreditAlgorithm)}
    assert held | IN_TIME >= rules


@pytest.mark.parametrize("name", sorted(IN_TIME))
def test_a_rule_that_needs_time_is_held_on_a_network_in_time_with_tied_weights(name: str) -> None:
    """These refuse patterns without time, so that no network here is theirs: a row holds each to the sum over
    places on two recurrent groups with the same weights, and UORO to the mean of that."""
    rule = registry.algorithms()[name]()
    assert "no time steps" in str(rule.refusal(Images()))
    (row,) = (each for each in online.ROWS if each.name == f"shared_{name}")
    assert all(any(e.weights != e for e in net.edges) and net.timed for net in row.nets)
    found = measure(row)
    assert found.holds, found.said


@every_kind
def test_a_network_does_what_the_dense_one_does(kind: str) -> None:
    case = Case(kind)
    shared, dense = (
        n.respond(p, case.batch.x) for n, p in ((case.net, case.params), (case.dense, case.wide))
    )
    np.testing.assert_allclose(shared, dense, rtol=1e-12)
    assert case.net.size < case.dense.size


def dense_state(rule: Algorithm, case: Case, state: Any) -> tuple[Any, Any]:
    """Parameters and memory of a rule in the dense network, as they are in the shared one."""
    memory = state["memory"]
    pairs = list(zip(case.net.edges, case.dense.edges, strict=True))
    if isinstance(rule, FeedbackAlignment):
        memory = {
            d.name: matrix(e, memory[e.weights.name].mT).mT for e, d in pairs if e.weights.name in memory
        }
    if isinstance(rule, SignSymmetry):
        memory = {d.name: matrix(e, memory[e.weights.name]) for e, d in pairs if e.weights.name in memory}
    if isinstance(rule, TargetPropagation):
        learnt = memory["feedback"]
        wide = {d.name: matrix(e, learnt[e.weights.name]) for e, d in pairs if e.weights.name in learnt}
        wide |= {g.name: case.net.everywhere(g, learnt[g.name]) for g in case.net.hidden if g.name in learnt}
        memory = {"feedback": {**learnt, **wide}}
    feedback = {
        back(d): matrix(e, state["params"][back(e.weights)])
        for e, d in pairs
        if back(e.weights) in state["params"]
    }
    own = {k: w for k, w in state["params"].items() if k not in case.params}
    return {**case.wide, **own, **feedback}, memory


@every_kind
@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("rule", BY_OUTER, ids=rule_name)
def test_shared_credit_is_the_dense_credit_summed_by_index(
    rule: CreditAlgorithm, kind: str, loss: str
) -> None:
    """To rounding, with the same feedback weights and the same noise; of squared error and of
    cross-entropy."""
    case = Case(kind, loss)
    if isinstance(rule, Reinforce) and loss == "cross_entropy":
        assert "'output' is softmax" in str(rule.refusal(case.task))
        return
    if loss == "cross_entropy" and rule.name in ("equilibrium_propagation", "contrastive_hebbian", "generec"):
        assert "softmax units have no settling form" in str(rule.refusal(case.task))
        return
    rule = rule.resolved(case.task.usual)  # type: ignore[assignment]
    state = rule.init(case.net, case.params, Rand(0, case.replicas, NOISE))
    params, memory = dense_state(rule, case, state)
    shared = rule.credit(
        case.net, state["params"], state["memory"], case.batch, Rand(1, case.replicas, NOISE)
    ).gradient
    dense = rule.credit(case.dense, params, memory, case.batch, Rand(1, case.replicas, NOISE)).gradient
    case.close({k: g for k, g in shared.items() if k in case.net.shapes}, summed(case.net, dense), 1e-8)
    for e in ways_back(case.net) if isinstance(rule, KolenPollack) else []:
        np.testing.assert_array_equal(shared[back(e)], shared[e])


@every_kind
@pytest.mark.parametrize("scheme", ["forward", "central", "complex"])
def test_finite_differences_of_shared_weights_are_the_summed_gradient(kind: str, scheme: str) -> None:
    case = Case(kind, "cross_entropy")
    rule = FiniteDifferences(scheme=scheme).resolved(case.task.usual)
    found = rule.credit(case.net, case.params, {}, case.batch, Rand(0, [0], NOISE)).gradient
    cost = case.batch.cost(case.net.respond(case.params, case.batch.x)).max()
    # a difference of two losses, each rounded to a few parts in 2^53, is divided by the step
    step = {"forward": best_step("forward", "float64"), "central": 2 * best_step("central", "float64")}
    rounded = 8 * np.finfo(float).eps * cost / step.get(scheme, 1.0)
    tolerance = {"forward": 1e-4, "central": 1e-7, "complex": 1e-11}[scheme]
    case.close(found, case.gradient(), tolerance, rounded)


@every_kind
def test_sequential_perturbation_errs_by_half_its_step_times_the_curvature(kind: str) -> None:
    """First order: a tenth of the step, a tenth of the error."""
    case, errors = Case(kind), []
    expected = case.gradient()
    for sigma in (1e-3, 1e-4):
        rule = SequentialWeightPerturbation(sigma=sigma).resolved(case.task.usual)
        found = rule.credit(case.net, case.params, {}, case.batch, Rand(0, [0], NOISE)).gradient
        errors.append(np.sqrt(sum(((found[k] - g) ** 2).sum() for k, g in expected.items())))
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.02)


@every_kind
@pytest.mark.parametrize("rule", BY_CHANCE, ids=rule_name)
def test_the_mean_of_a_stochastic_credit_is_the_summed_gradient(rule: Any, kind: str) -> None:
    """4,000 draws at one network, all weights together: false alarms .001 (Šidák).

    The mean over places, in the place of the sum, is beyond the limit.
    """
    draws, case = 4000, Case(kind, replicas=1)
    params = {k: np.repeat(w, draws, axis=0) for k, w in case.params.items()}
    rand, expected = Rand(7, range(draws), PROBE), case.gradient()
    rule = rule.resolved(case.task.usual)
    if isinstance(rule, Spsa):
        drawn = rule.estimate(case.net, params, case.batch, rand, 1e-3)
    else:
        drawn = rule.credit(case.net, params, {}, case.batch, rand).gradient
    rows = np.concatenate([drawn[k].reshape(draws, -1) for k in case.net.shapes], axis=-1)
    gradient = np.concatenate([expected[k].reshape(-1) for k in case.net.shapes])
    limit = largest(case.net.size, 1e-3)
    assert np.abs(z_scores(rows, gradient)).max() < limit
    times = [case.dense.shapes[d] for d in case.dense.edges]
    shared = max(a * b for a, b in times) / min(e.shape[0] * e.shape[1] for e in case.net.edges)
    assert np.abs(z_scores(rows, gradient / max(2.0, shared))).max() > limit


@pytest.mark.parametrize("kind", ["convolution", "mixed", "tied"])
def test_a_mirror_finds_shared_weights_at_the_size_it_finds_others(kind: str) -> None:
    """ΔB = η_B σ² W of linear units on average, whatever the places: 4,000 phases, false alarms .001.

    Edges between hidden maps without padding, at whose margins a weight stands less often.
    """
    draws, task = 4000, Images(kind=kind, hidden="linear")
    net, rule = task.network(), WeightMirror(noise_patterns=2, sigma=0.7)
    params = initial(net, Rand(0, [0], WEIGHTS), "uniform", 0.5)
    many = {k: np.repeat(w, draws, axis=0) for k, w in params.items()}
    inside = [e for e in ways_back(net) if e.target != net.output and not getattr(e, "padding", 0)]
    assert inside
    nothing = {e.name: np.zeros((draws, *reversed(e.shape))) for e in ways_back(net)}
    found = rule.mirror(net, many, nothing, Rand(3, range(draws), NOISE))
    for e in inside:
        expected = (0.2 * 0.7**2 * params[e].mT).reshape(-1)
        z = z_scores(found[e.name].reshape(draws, -1), expected)
        assert np.abs(z).max() < largest(z.size, 1e-3)


@cache
def said(name: str, kind: str) -> str:
    """Why a rule cannot do it, in one sentence; '' where it can."""
    try:
        resolve(registry.algorithms()[name](), Images(kind=kind), Settings(replicas=2))
    except NotApplicable as reason:
        return str(reason)
    return ""


@every_kind
def test_rules_with_a_machine_of_their_own_say_that_it_shares_nothing(kind: str) -> None:
    """Boltzmann machines, forward-forward and NoProp; who reads the raw input does not ask how hidden groups
    are wired, and who needs time, or what is made by hand, asks for that first."""
    refuse = {name: said(name, kind) for name in registry.algorithms() if said(name, kind)}
    assert "hidden units" in refuse.pop("hopfield"), "however they are wired"
    assert all("no time steps" in refuse.pop(name) for name in IN_TIME), "images have none, however wired"
    assert "features made by hand" in refuse.pop("hand_made")
    assert "rules written by hand" in refuse.pop("rule_base")
    assert set(refuse) == {"boltzmann", "restricted_boltzmann", "mean_field", "forward_forward", "noprop"}
    for name, sentence in refuse.items():
        assert sentence.startswith(f"{name} does not apply to images: ")
        assert "\n" not in sentence
        one_hidden = len(Images(kind=kind).network().hidden) == 1 or name in ("forward_forward", "noprop")
        assert FAMILY in sentence if one_hidden else "hidden units at most" in sentence


@every_kind
@pytest.mark.parametrize("name", registry.algorithms())
def test_every_rule_that_says_no_word_trains_to_the_end(name: str, kind: str) -> None:
    """And a replica alone has the bits it has in a batch."""
    if said(name, kind):
        return
    rule, task = registry.algorithms()[name](), Images(kind=kind)
    trained = run(rule, task, replicas=3, epochs=2, batch=4).trained
    alone = run(rule, task, replicas=3, epochs=2, batch=4, only=[1]).trained
    for key, w in trained.weights.items():
        assert np.isfinite(w).all()
        assert w[1].tobytes() == alone.weights[key][0].tobytes(), key


def test_a_node_of_a_map_is_a_channel() -> None:
    """Convolutional: 2 and 2 channels, 3 outputs. Tied: weights lead into nodes of the edge that lends
    them."""
    net = Images().network()
    nodes = entered(net)
    assert len(nodes) == net.size
    starts = {"maps": 0, "small": 2, "output": 4}
    expected = []
    for key, (rows, columns) in net.shapes.items():
        target = key.target if isinstance(key, Edge) else key
        expected += [starts[target.name] + j for _ in range(rows) for j in range(columns)]
    assert nodes.tolist() == expected
    tied = Images(kind="tied").network()
    assert set(entered(tied).tolist()) == set(range(4 + 4 + 4 + 3)), "the borrower's biases are its own"
