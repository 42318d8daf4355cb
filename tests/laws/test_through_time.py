"""A task in time, run end to end by every rule that has a way through it; the others say that they have
none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import FeedbackAlignment
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.core import registry
from harness.core.algorithm import Batch
from harness.core.differences import differences
from harness.core.edges import Edge
from harness.core.errors import InputError, NotApplicable
from harness.core.exact_gradient import exact_gradient
from harness.core.initial import initial
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, SPLIT, WEIGHTS, Rand
from harness.cost.sheet import sheet
from harness.credit.gradient_check import check
from harness.credit.traits import observe
from harness.experiment.run import run
from helpers.delayed_xor import STEPS, DelayedXor

Array = Any


LEARNERS = [name for name, kind in registry.algorithms().items() if kind.through_time]
OTHERS = [name for name in registry.algorithms() if name not in LEARNERS]
UNPOLISHED = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
}  # compiled in half the time
SOLVING = Backprop(GradientDescent(lr=0.3, momentum=0.9))


def built(name: str) -> Any:
    return registry.algorithms()[name]()


def asked(name: str, **settings: Any) -> DelayedXor:
    """The task, with units that leak for the rule whose traces do."""
    return DelayedXor(leaky=name == "rflo", **settings)


def test_who_has_a_way_through_time() -> None:
    through = {
        "backprop",
        "feedback_alignment",
        "kolen_pollack",
        "sign_symmetry",
        "finite_differences",
        "genetic",
        "bptt",
        "rtrl",
        "snap",
        "eprop",
        "rflo",
        "uoro",
    }
    assert through | {f"{kind}weight_perturbation" for kind in ("", "sequential_")} | {
        "spsa",
        "evolution_strategies",
    } == set(LEARNERS)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_rule_through_time_runs_and_a_replica_alone_has_its_bits(name: str) -> None:
    """By mini-batches in a new order every sweep, with sequences held out."""
    task, settings = asked(name, kept_back=3), {"replicas": 3, "epochs": 3, "batch": 5}
    trained = run(built(name), task, **settings).trained
    alone = run(built(name), task, **settings, only=[2]).trained
    assert np.isfinite(trained.loss).all()
    assert ((trained.held_right >= 0) & (trained.held_right <= 1)).all()
    for what in ("loss", "right", "held_rmse", "loss_curve"):
        assert getattr(trained, what)[2].tobytes() == getattr(alone, what)[0].tobytes(), what
    for key, w in trained.weights.items():
        assert w[2].tobytes() == alone.weights[key][0].tobytes(), key


def test_backprop_through_time_learns_it() -> None:
    """More than half of 20 networks do, and what is solved is right at all steps of all sequences."""
    result = run(SOLVING, DelayedXor(), replicas=20, epochs=600, seed=1)
    assert result.solved.mean() > 0.5
    assert (result.trained.right[result.solved] == 1).all()


@pytest.mark.parametrize("name", LEARNERS)
def test_a_rule_through_time_is_counted(name: str) -> None:
    """A forward pass: over input and output edges at all 4 steps, over the delayed one at all but the
    first."""
    s = sheet(Cell(*resolve(built(name), asked(name), Settings(replicas=1))))
    assert s.forward.multiply_adds == 16 * (STEPS * (4 + 4) + (STEPS - 1) * 16)
    assert s.update.work > s.forward.work
    if name == "backprop":  # and back: blame over output and delayed edges, products for all three
        back = 16 * (STEPS * 4 + (STEPS - 1) * 16)
        assert s.update.multiply_adds == 2 * s.forward.multiply_adds + back


@pytest.mark.parametrize("name", LEARNERS)
def test_a_rule_through_time_is_compiled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two epochs of the same networks, to rounding; backprop by mini-batches in the same order."""
    pytest.importorskip("jax", reason="JAX is not installed: there is nothing to compile with")
    from harness.compiling import device

    monkeypatch.setattr(device, "QUICKER", UNPOLISHED)
    task, settings = (
        asked(name, kept_back=3),
        {"replicas": 3, "epochs": 2, "batch": 5 if name == "backprop" else "full"},
    )
    plain = run(built(name), task, **settings).trained
    compiled = run(built(name), task, **settings, backend="jax").trained
    assert compiled.ran["backend"] == "jax", compiled.ran
    np.testing.assert_allclose(compiled.held_rmse, plain.held_rmse, rtol=1e-7)
    for key, w in plain.weights.items():
        np.testing.assert_allclose(compiled.weights[key], w, rtol=1e-7, atol=1e-7, err_msg=key)


def test_feedback_alignment_through_time_is_its_definition() -> None:
    """δ_h(t) = f'(x_h(t)) [B_out δ_out(t) + B_h δ_h(t + 1)], written out for an Elman network."""
    task, one = DelayedXor(), [0]
    net, rule = task.network(), FeedbackAlignment().resolved(DelayedXor.usual)
    params = initial(net, Rand(0, one, WEIGHTS), "uniform", 0.7)
    batch = Batch.of(task.data(Rand(0, one, SPLIT), float), np.zeros(()), task.objective)
    memory = rule.remember(net, params, Rand(0, one, NOISE))  # type: ignore[attr-defined]
    found = rule.credit(net, params, memory, batch, Rand(0, one, NOISE)).gradient  # type: ignore[attr-defined]
    into, own, out = net.edges
    w_in, w, w_out, b_h, b_y = (params[k][0] for k in (into, own, out, *net.free))
    x, d = batch.x[0], batch.target[0]
    h, y = [], []
    for t in range(STEPS):
        h.append(np.tanh(x[t] @ w_in + b_h + (h[-1] @ w if t else 0.0)))
        y.append(1 / (1 + np.exp(-h[t] @ w_out - b_y)))
    g = {key: np.zeros(net.shapes[key]) for key in net.shapes}
    later = np.zeros_like(h[0])
    for t in reversed(range(STEPS)):
        e = (y[t] - d[t]) * y[t] * (1 - y[t])
        delta = (1 - h[t] ** 2) * (e @ memory["hidden-output"][0] + later @ memory["hidden-hidden:1"][0])
        g[out] += h[t].T @ e
        g[into] += x[t].T @ delta
        g[own] += h[t - 1].T @ delta if t else 0.0
        g[net.output] += e.sum(0)
        g[net.hidden[0]] += delta.sum(0)
        later = delta
    for key, each in g.items():
        np.testing.assert_allclose(found[key][0], each, rtol=1e-10, atol=1e-12)


class Jordan(DelayedXor):
    """The output is heard again, a step later, by hidden units (Jordan 1986)."""

    def network(self) -> Network:
        x, h, y = super().network().groups
        return Network((x, h, y), (Edge(x, h), Edge(y, h, delay=1), Edge(h, y)))


def test_feedback_over_the_transposed_weights_is_the_gradient_where_outputs_are_heard_again() -> None:
    task, one = Jordan(), [0]
    net, rule = task.network(), FeedbackAlignment().resolved(DelayedXor.usual)
    params = initial(net, Rand(0, one, WEIGHTS), "uniform", 0.7)
    batch = Batch.of(task.data(Rand(0, one, SPLIT), float), np.zeros(()), task.objective)
    memory = {e.name: params[e].mT for e in net.edges}
    found = rule.credit(net, params, memory, batch, Rand(0, one, NOISE)).gradient  # type: ignore[attr-defined]
    for key, each in exact_gradient(net, params, batch).gradient.items():
        np.testing.assert_allclose(found[key], each, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["feedback_alignment", "sign_symmetry", "kolen_pollack"])
def test_rules_of_feedback_run_where_outputs_are_heard_again(name: str) -> None:
    trained = run(built(name), Jordan(), replicas=3, epochs=3).trained
    assert np.isfinite(trained.loss).all()


def test_perturbing_weights_through_time_is_the_gradient_but_for_the_step() -> None:
    task = DelayedXor()
    net = task.network()
    params = initial(net, Rand(0, [0], WEIGHTS), "uniform", 0.7)
    batch = Batch.of(task.data(Rand(0, [0], SPLIT), float), np.zeros(()), task.objective)
    exact = differences(net, params, batch, "complex", 1e-20).gradient
    for name, tolerance in (
        ("backprop", 1e-11),
        ("finite_differences", 1e-7),
        ("sequential_weight_perturbation", 0.05),
    ):
        rule = built(name).resolved(task.usual)
        found = rule.credit(net, params, {}, batch, Rand(0, [0], NOISE)).gradient
        for key, each in exact.items():
            np.testing.assert_allclose(
                found[key], each, rtol=0, atol=tolerance * np.abs(each).max(), err_msg=key.name
            )


@pytest.mark.parametrize("feedback", ["symmetric", "random"])
@pytest.mark.parametrize("name", ["eprop", "rflo"])
def test_traits_follow_what_the_error_comes_back_over(name: str, feedback: str) -> None:
    """Over the weights it transports them, and a trace's own are not all that decide; a random B is local."""
    rule: Any = replace(built(name), feedback=feedback)
    assert rule.traits.local is (feedback == "random")
    observed = observe(rule, asked(name))
    for trait in ("needs_derivative", "transports_weights", "local", "phases"):
        value, why = getattr(observed, trait)
        assert value == getattr(rule.traits, trait), why


@pytest.mark.parametrize("name", OTHERS)
def test_the_others_say_in_one_sentence_that_they_have_none(name: str) -> None:
    with pytest.raises(NotApplicable) as error:
        run(built(name), DelayedXor(), replicas=2)
    assert str(error.value) == (
        f"{name} does not apply to delayed_xor: it has no way through time, and delayed_xor gives sequences "
        "of 4 steps "
        "to a network with delayed edges"
    )


def test_a_task_whose_network_does_not_fit_its_time_is_told_so() -> None:
    with pytest.raises(InputError) as error:
        run(Backprop(), DelayedXor(delayed=False))
    assert (
        str(error.value)
        == "sequences of delayed_xor have 4 time steps, but nothing of its network is delayed"
    )
    with pytest.raises(InputError) as error:
        run(Backprop(), DelayedXor(steps=0))
    message = "patterns of delayed_xor have no time steps, but 'hidden-hidden:1' of its network is delayed"
    assert str(error.value) == message


def test_the_probe_and_the_check_look_through_time() -> None:
    """Backprop is the gradient, by its delayed edge too; there is no Gauss–Newton step of sequences."""
    trained = run(SOLVING, DelayedXor(), replicas=3, epochs=20, probe=3).trained
    edges = {"input-hidden", "hidden-hidden:1", "hidden-output", "total"}
    assert set(trained.credit) == {f"{what}/{edge}" for what in ("angle", "ratio", "signs") for edge in edges}
    for edge in edges:
        assert np.nanmax(np.abs(trained.credit[f"angle/{edge}"])) < 1e-5
    checked = check(Cell(*resolve(SOLVING, DelayedXor(), Settings(replicas=2))))
    assert all(group.central >= 6 and group.complex >= 12 for group in checked.groups.values())


@pytest.mark.parametrize(
    "name",
    [
        *("backprop", "feedback_alignment", "kolen_pollack", "sign_symmetry", "weight_perturbation"),
        *("bptt", "rtrl", "snap", "eprop", "rflo", "uoro"),
    ],
)
def test_traits_are_seen_through_time(name: str) -> None:
    """What is declared, with the passes of a sequence counted once."""
    rule = built(name)
    observed = observe(rule, asked(name))
    for trait in ("needs_derivative", "transports_weights", "phases"):
        value, why = getattr(observed, trait)
        assert value in (None, getattr(rule.traits, trait)), why
    assert observed.transports_weights.value is not None
