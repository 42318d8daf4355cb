"""Held to rules whose traits are known by construction: planted false declarations are caught, true ones are
not."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest

from algorithms.backprop import Backprop
from algorithms.contrastive_hebbian import Generec
from algorithms.equilibrium_propagation import EquilibriumPropagation
from algorithms.evolution_strategies import EvolutionStrategies
from algorithms.feedback_alignment import (
    DirectFeedbackAlignment,
    DirectRandomTargetProjection,
    FeedbackAlignment,
    ways_back,
)
from algorithms.finite_differences import FiniteDifferences
from algorithms.forward_forward import ForwardForward
from algorithms.genetic import Genetic
from algorithms.local_losses import LocalLosses, MonoForward
from algorithms.mean_field import MeanField
from algorithms.node_perturbation import NodePerturbation, Reinforce
from algorithms.pepita import Pepita
from algorithms.perceptron import Perceptron
from algorithms.shallow import Shallow
from algorithms.sign_symmetry import SignSymmetry
from algorithms.signal_propagation import SignalPropagation
from algorithms.weight_mirror import WeightMirror
from algorithms.weight_perturbation import (
    ForwardGradient,
    SequentialWeightPerturbation,
    Spsa,
    WeightPerturbation,
)
from harness.core import registry
from harness.core.algorithm import Algorithm, Credit, Traits, Update, total
from harness.core.loops import repeat
from harness.core.losses import SquaredError
from harness.core.readings import reading
from harness.credit.altered import Count, Held, Trial
from harness.credit.traits import contradictions, observe, traits_table
from harness.tasks.encoder import Encoder

TRAITS = [f.name for f in fields(Traits)]


@pytest.mark.parametrize("name", registry.algorithms())
def test_no_declaration_is_contradicted(name: str) -> None:
    """What a rule says of itself (local, transports weights, …) is what it is seen to do."""
    algorithm = registry.algorithms()[name]()
    observed = observe(algorithm)
    untestable = [
        f"{trait}: {getattr(observed, trait).why}"
        for trait in TRAITS
        if getattr(observed, trait).value is None
    ]
    print(f"{name}: {untestable or 'all tested'}")
    if len(untestable) == len(TRAITS):
        pytest.skip("; ".join(untestable))
    assert contradictions(algorithm) == []


@pytest.mark.parametrize("rule", [EquilibriumPropagation(), Generec()], ids=lambda rule: rule.name)
def test_weights_that_units_settle_over_are_seen_to_carry_back(rule: Algorithm) -> None:
    """By their equations u_j has Σ_k w_jk y_k: whoever declares otherwise is contradicted."""
    assert observe(rule).transports_weights.value is True
    honest = type(rule).traits
    false = type(
        "False" + type(rule).__name__, (type(rule),), {"traits": replace(honest, transports_weights=False)}
    )
    assert any("transports_weights" in sentence for sentence in contradictions(false()))


@dataclass(frozen=True)
class OneWay(EquilibriumPropagation):
    """Settles over fixed weights back, which are not the forward ones."""

    def feedback(self, net: Any, params: Any) -> Any:
        return {key: np.full_like(w, 0.1) for key, w in params.items()}


def test_settling_over_other_weights_is_seen_to_carry_none_back() -> None:
    assert observe(OneWay()).transports_weights.value is False


# Rules whose traits are plain from their few lines. All but `Honest` ones misdeclare something below.


@dataclass(frozen=True)
class ByEinsum(Backprop):
    """Backprop that never transposes: blame returns by einsum over the weights as they stand."""

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Credit:
        y = net.forward(params, batch.x)
        delta = {net.output: batch.delta(net, y)}
        for group in reversed(net.hidden):
            blame = total(np.einsum("rnj,rij->rni", delta[e.target], params[e]) for e in net.out_of(group))
            delta[group] = net.pull(group, y, blame)
        return Credit(net.outer(y, delta), y[net.output])


@dataclass(frozen=True)
class Sliver(FeedbackAlignment):
    """Feedback alignment with a thousandth of the forward weights mixed in."""

    def feedback(self, net: Any, params: Any, memory: Any) -> Any:
        return {e: 0.999 * b + 0.001 * params[e] for e, b in super().feedback(net, params, memory).items()}


@dataclass(frozen=True)
class LuckyFeedback(FeedbackAlignment):
    """Feedback alignment whose fixed matrices were drawn equal to the initial weights: backprop's very
    numbers, once."""

    def remember(self, net: Any, params: Any, rand: Any) -> Any:
        return {e.name: params[e].mT.copy() for e in ways_back(net)}


@dataclass(frozen=True)
class Peeking(FeedbackAlignment):
    """Credit divided by the mean activity of the whole group: a lateral peep."""

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Credit:
        y = net.forward(params, batch.x)
        gradient, output = super().credit(net, params, memory, batch, rand)
        for group in net.hidden:
            for key in (*net.into(group), group):
                gradient = {
                    **gradient,
                    key: gradient[key] / (1.0 + y[group].mean(axis=(-1, -2), keepdims=True)),
                }
        return Credit(gradient, output)


@dataclass(frozen=True)
class PeekingAtInput(FeedbackAlignment):
    """Weights from one input follow another: each input stands for its left neighbour."""

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Credit:
        gradient, output = super().credit(net, params, memory, batch, rand)
        (edge,) = net.out_of(net.inputs[0])
        return Credit({**gradient, edge: np.roll(gradient[edge], 1, axis=-2)}, output)


@dataclass(frozen=True)
class NormOfAll(Shallow):
    """A step whose size is set by all weights of the network together: no activity peeps, weights do."""

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Credit:
        gradient, output = super().credit(net, params, memory, batch, rand)
        size = total((params[e] ** 2).sum(axis=(-1, -2), keepdims=True) for e in net.edges)
        return Credit({key: g / size for key, g in gradient.items()}, output)


@dataclass(frozen=True)
class Competing(Perceptron):
    """Response units that hear one another's mistakes."""

    def update(self, net: Any, state: Any, batch: Any, rand: Any) -> Update:
        new, output = super().update(net, state, batch, rand)
        shared = {k: w - 0.1 * w.mean(axis=-1, keepdims=True) for k, w in new["params"].items()}
        return Update({**new, "params": shared}, output)


@dataclass(frozen=True)
class LookingAgain(Backprop):
    """Backprop that runs the network a second time for nothing."""

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Credit:
        return (
            super()
            .credit(net, params, memory, batch, rand)
            ._replace(output=net.forward(params, batch.x)[net.output])
        )


@dataclass(frozen=True)
class SidewaysTrials(WeightPerturbation):
    """Three draws at once, as a leading axis."""

    draws: int = 3


@dataclass(frozen=True)
class Settling(Backprop):
    """Activities that relax towards what the group above asks for, then a product of activity and gap."""

    def credit(self, net: Any, params: Any, memory: Any, batch: Any, rand: Any) -> Credit:
        y = net.forward(params, batch.x)
        top, (edge,) = net.hidden[-1], net.into(net.output)

        def step(_: Any, h: Any) -> Any:
            out = net.activity(net.output, net.net_input(params, net.output, {**y, top: h}))
            return h - 0.1 * batch.error(out) @ params[edge].mT

        return Credit(net.outer(y, {top: y[top] - repeat(7, step, y[top])}), y[net.output])


PLANTED: list[tuple[type[Algorithm], str, Any]] = [
    (Backprop, "transports_weights", False),
    (Backprop, "local", True),
    (Backprop, "needs_derivative", False),
    (Backprop, "global_scalar", True),
    (Backprop, "phases", 2),
    (ByEinsum, "transports_weights", False),
    (Sliver, "transports_weights", False),
    (Sliver, "local", True),
    (SignSymmetry, "transports_weights", False),
    (FeedbackAlignment, "transports_weights", True),
    (FeedbackAlignment, "local", False),
    (FeedbackAlignment, "global_scalar", True),
    (LuckyFeedback, "transports_weights", True),
    (Peeking, "local", True),
    (PeekingAtInput, "local", True),
    (NormOfAll, "local", True),
    (Competing, "local", True),
    (DirectFeedbackAlignment, "transports_weights", True),
    (DirectRandomTargetProjection, "global_scalar", True),
    (Shallow, "needs_derivative", False),
    (NodePerturbation, "needs_derivative", True),
    (NodePerturbation, "phases", 1),
    (Reinforce, "global_scalar", False),
    (WeightPerturbation, "global_scalar", False),
    (WeightPerturbation, "local", False),
    (SidewaysTrials, "phases", 2),
    (Spsa, "transports_weights", True),
    (ForwardGradient, "needs_derivative", False),
    (ForwardGradient, "global_scalar", False),
    (SequentialWeightPerturbation, "phases", 48),
    (FiniteDifferences, "needs_derivative", True),
    (EvolutionStrategies, "phases", 1),
    (Genetic, "global_scalar", False),
    (WeightMirror, "transports_weights", True),
    (WeightMirror, "phases", 1),
    (LookingAgain, "phases", 1),
    (MeanField, "transports_weights", False),
    (MeanField, "global_scalar", True),
    (ForwardForward, "transports_weights", True),
    (ForwardForward, "phases", 1),
    (ForwardForward, "global_scalar", True),
    (Pepita, "local", False),
    (Pepita, "phases", 1),
    (LocalLosses, "local", True),
    (LocalLosses, "transports_weights", True),
    (MonoForward, "transports_weights", False),
    (SignalPropagation, "phases", 1),
    (SignalPropagation, "local", True),
    (Perceptron, "local", False),
    (Perceptron, "phases", 2),
    (Perceptron, "global_scalar", True),
]


@pytest.mark.parametrize(("rule", "trait", "claim"), PLANTED, ids=lambda v: getattr(v, "__name__", str(v)))
def test_a_false_declaration_is_caught(
    rule: type[Algorithm], trait: str, claim: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    observed = {f: getattr(observe(rule()), f).value for f in TRAITS}
    truth = {f: getattr(rule.traits, f) if value is None else value for f, value in observed.items()}
    monkeypatch.setattr(rule, "traits", Traits(**truth))
    assert contradictions(rule()) == []
    assert truth[trait] != claim
    monkeypatch.setattr(rule, "traits", replace(rule.traits, **{trait: claim}))
    (sentence,) = contradictions(rule())
    assert sentence.startswith(f"{rule.name} declares {trait}={claim}, but {truth[trait]} was observed: ")


def test_the_control_knows_that_a_population_is_elsewhere() -> None:
    observed = observe(Genetic())
    assert observed.transports_weights.value is None
    assert observed.local.value is None
    assert "does not use the weights" in observed.local.why


def test_settling_activities_are_not_called_local_or_not() -> None:
    observed = observe(Settling())
    assert observed.local.value is None
    assert observed.phases.value is None
    assert observed.settling.value == 7
    assert observed.transports_weights.value is True


def test_settling_steps_are_those_of_the_schedule() -> None:
    assert observe(MeanField(times=(2, 3), temperatures=(2.0, 1.0))).settling.value == 5
    assert observe(Backprop()).settling.value == 0


@pytest.mark.parametrize(
    ("rule", "locked"),
    [
        (Backprop, True),
        (FeedbackAlignment, True),
        (WeightPerturbation, True),  # the loss comes last
        (DirectRandomTargetProjection, False),  # targets are there from the start
        (ForwardForward, False),
        (Pepita, True),
        (LocalLosses, False),
        (SignalPropagation, False),
        (Shallow, False),
        (Perceptron, None),
    ],
)
def test_who_waits_for_what_comes_after(rule: type[Algorithm], locked: bool | None) -> None:
    assert observe(rule()).locked.value is locked


@pytest.mark.parametrize(
    ("rule", "n"), [(NodePerturbation(antithetic=True), 3), (Spsa(draws=4), 8), (Reinforce(), 1)]
)
def test_passes_are_counted_of_settings_too(rule: Algorithm, n: int) -> None:
    assert observe(rule).phases.value == n


def test_with_the_forward_pass_held_the_output_is_what_it_was() -> None:
    trial = Trial(Backprop(), Count())
    for edge in trial.edges:
        new, shift = trial.altered(edge)
        np.testing.assert_allclose(trial.run(new, shift=shift).output, trial.base.output, rtol=1e-12)
        assert np.abs(trial.run(new).output - trial.base.output).max() > 1e-4


def test_backprops_blame_under_altered_weights_is_that_of_the_equations() -> None:
    """δ_i = f′(x_i) Σ_j w′_ij δ_j with activities at w and w′ handed in: written out here, for the last
    hidden group."""
    trial, edge = Trial(Backprop(), Count()), Trial(Backprop(), Count()).edges[-1]
    new, shift = trial.altered(edge)
    y = trial.net.forward(trial.params, trial.batch.x)
    out, hidden = y[trial.net.output], y[edge.source]
    delta = (out - trial.batch.target) * out * (1 - out)
    blame = (delta @ np.swapaxes(new[edge], -1, -2)) * hidden * (1 - hidden)
    expected = -0.1 * blame.sum(axis=-2, keepdims=True)  # the bias of the group, lr .1
    np.testing.assert_allclose(trial.run(new, shift=shift).change[edge.source], expected, rtol=1e-10)


def test_what_comes_before_an_edge() -> None:
    """Weights upstream of an edge: were one missed, a rule that reads it would be called local."""
    trial = Trial(Backprop(), Count())
    first, middle, last = trial.edges
    names = {e: {getattr(k, "name", k) for k in trial.upstream(e)} for e in trial.edges}
    assert names[first] == set()
    assert names[middle] == {"input-hidden1", "hidden1"}
    assert names[last] == {"input-hidden1", "hidden1", "hidden1-hidden2", "hidden2"}


def test_a_held_loss_is_that_of_the_targets_before_they_changed_places() -> None:
    some = np.random.default_rng(0)
    y, target = some.uniform(size=(2, 5, 3)), some.uniform(size=(5, 3))
    wanted = target > 0.5
    for margin in (None, 0.2):
        held = Held(SquaredError(margin)).of(y, np.roll(target, 1, axis=-1), np.roll(wanted, 1, axis=-1))
        np.testing.assert_array_equal(held, SquaredError(margin).of(y, target, wanted))
        assert (
            SquaredError(margin).of(y, np.roll(target, 1, axis=-1), np.roll(wanted, 1, axis=-1)) != held
        ).all()


def test_instruments_are_put_away_even_after_an_error() -> None:
    @dataclass(frozen=True)
    class Broken(Backprop):
        def credit(self, *_: Any) -> Credit:
            raise RuntimeError("broken")

    before = reading()
    with pytest.raises(RuntimeError, match="broken"):
        observe(Broken())
    assert reading() is before


def test_a_task_of_ones_own() -> None:
    """What is observed holds on a task that is handed in, not only on the one it is tried on by default."""
    assert observe(Backprop(), Encoder()).transports_weights.value is True
    assert observe(WeightMirror(), Encoder()).transports_weights.value is False


def test_a_rule_that_applies_nowhere_says_why() -> None:
    @dataclass(frozen=True)
    class Nowhere(Backprop):
        def applies_to(self, task: Any) -> str | None:
            return "it does nothing"

    observed = observe(Nowhere())
    assert all(getattr(observed, f.name) == (None, "not testable: it does nothing") for f in fields(observed))
    assert contradictions(Nowhere()) == []


def test_the_table_has_every_algorithm_with_what_is_declared_and_observed() -> None:
    head, *rows = traits_table()
    assert [row[0] for row in rows] == list(registry.algorithms())
    assert {len(row) for row in rows} == {len(head)}
    cells = dict(zip(head, next(row for row in rows if row[0] == "backprop"), strict=True))
    assert cells["weight transport"] == "✓ ✓"
    assert cells["forward passes"] == "1 1"
    assert next(row for row in rows if row[0] == "genetic")[2] == "✗ –"
