"""Contrastive Hebbian learning and GeneRec held to backpropagation as γ goes to 0, to each other, to
mean-field learning where they are the same machine, and to a network of three units by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms._boltzmann_machine import Machine
from algorithms.contrastive_hebbian import ContrastiveHebbian, Generec
from algorithms.equilibrium_propagation import EquilibriumPropagation
from algorithms.mean_field import MeanField
from harness.core.algorithm import Batch
from harness.core.edges import Edge, Group
from harness.core.identity import Problem
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, Rand
from helpers.delayed_xor import DelayedXor

Array = Any
quick = settings(deadline=None, derandomize=True, max_examples=40)
EXACT: dict[str, Any] = {"tolerance": 1e-14, "steps": 5000, "steps_taught": 5000}


def chain(
    *sizes: int, unit: str = "sigmoid", scale: float = 0.5, seed: int = 0
) -> tuple[Network, Any, Batch]:
    rng, net = np.random.default_rng(seed), Network.chain(*sizes, hidden=unit, output=unit)
    params = {k: rng.normal(0, scale, s) for k, s in net.shapes.items()}
    x, d = rng.uniform(0, 1, (5, sizes[0])), rng.uniform(0.1, 0.9, (5, sizes[-1]))
    return net, params, Batch(x, d, d > 0.5, 0)


def credit(rule: Any, net: Network, params: Any, batch: Batch) -> Any:
    return rule.credit(net, params, {}, batch, Rand(0, [0], NOISE)).gradient


def of_output_error(net: Network, params: Any, batch: Batch) -> Any:
    """Backpropagation by hand of y − d at the output, as of cross-entropy: δ_k = (W δ_{k+1}) f′."""
    y = net.forward(params, batch.x)
    delta = {net.output: y[net.output] - batch.target}
    for g in reversed(net.hidden):
        slope = {"sigmoid": y[g] * (1 - y[g]), "tanh": 1 - y[g] ** 2}[g.activation]
        delta[g] = slope * sum(delta[e.target] @ params[e].T for e in net.out_of(g))
    found = {e: y[e.source].T @ delta[e.target] for e in net.edges}
    return found | {g: delta[g].sum(axis=0, keepdims=True) for g in net.free}


def off(found: Any, truth: Any) -> float:
    a, b = (np.concatenate([np.ravel(v[k]) for k in truth]) for v in (found, truth))
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


@pytest.mark.parametrize("unit", ["sigmoid", "tanh"])
@pytest.mark.parametrize("sizes", [(4, 5, 3), (4, 6, 5, 3), (3, 4, 4, 3, 2)], ids=str)
def test_as_gamma_goes_to_0_it_is_backpropagation_of_the_output_error(sizes: Any, unit: str) -> None:
    """Xie & Seung 2003: off by O(γ), slope 1, in every layer."""
    net, params, batch = chain(*sizes, unit=unit)
    truth, gammas = of_output_error(net, params, batch), np.array([0.003, 0.006, 0.012])
    each = [credit(ContrastiveHebbian(gamma=g, **EXACT), net, params, batch) for g in gammas]
    for key, g in truth.items():
        errors = [off({key: found[key]}, {key: g}) for found in each]
        assert errors[0] < 0.05
        slope = np.polyfit(np.log(gammas), np.log(errors), 1)[0]
        assert slope == pytest.approx(1, abs=0.05), str(key)


def test_over_a_shortcut_activity_comes_back_by_gamma_to_the_layers_that_it_passes() -> None:
    """So that the limit holds there, too."""
    a, b, c, d = (Group(n, k, "sigmoid" if i else "linear", bool(i)) for i, (n, k) in enumerate(
        [("in", 3), ("one", 4), ("two", 3), ("out", 2)]
    ))  # fmt: skip
    net = Network((a, b, c, d), (Edge(a, b), Edge(b, c), Edge(c, d), Edge(b, d), Edge(a, d)))
    rng = np.random.default_rng(0)
    params = {k: rng.normal(0, 0.7, s) for k, s in net.shapes.items()}
    x, wanted = rng.uniform(0, 1, (5, 3)), rng.uniform(0.1, 0.9, (5, 2))
    batch = Batch(x, wanted, wanted > 0.5, 0)
    truth, gammas = of_output_error(net, params, batch), np.array([3e-4, 1e-3, 3e-3])
    errors = [off(credit(ContrastiveHebbian(gamma=g, **EXACT), net, params, batch), truth) for g in gammas]
    assert errors[0] < 0.01
    assert np.polyfit(np.log(gammas), np.log(errors), 1)[0] == pytest.approx(1, abs=0.05)


@quick
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.sampled_from(["sigmoid", "tanh", "hard_sigmoid"]),
    st.booleans(),
    st.integers(0, 999),
)
def test_generec_of_midpoints_made_symmetric_is_contrastive_hebbian_learning_at_gamma_1(
    sizes: list[int], unit: str, settles: bool, seed: int
) -> None:
    """½ (a + b)(d − c) + ½ (d + c)(b − a) = b d − a c: at rest or not, whatever the weights."""
    net, params, batch = chain(*sizes, unit=unit, seed=seed)
    how = EXACT if settles else {"steps": 4, "steps_taught": 4, "tolerance": 0.0}
    ours = credit(Generec(midpoint=True, symmetric=True, **how), net, params, batch)
    theirs = credit(ContrastiveHebbian(gamma=1.0, **how), net, params, batch)
    for key, g in theirs.items():
        np.testing.assert_allclose(ours[key], g, rtol=1e-9, atol=1e-12, err_msg=str(key))


def test_a_network_of_three_units_by_hand() -> None:
    """1-1-1 of hard units in the middle of their range, x = 1, w = (.2, .4), b = (.1, .3), d = .9.

    Alone h = .3 + .4 y and y = .3 + .4 h: h = .42 / .84 = .5, y = .5. With y at .9: h = .66. GeneRec has
    Δv = h⁻ (d − y⁻) = .2, Δw = x (h⁺ − h⁻) = .16; with midpoints Δv = .58 · .4 = .232; symmetric adds
    y (h⁺ − h⁻) to v: .5 · .16 = .08, or ½ (.5 + .9) · .16 = .112 with midpoints.
    """
    net = Network.chain(1, 1, 1, hidden="hard_sigmoid", output="hard_sigmoid")
    (first, second), (hidden,) = net.edges, net.hidden
    params = {
        first: np.array([[0.2]]),
        second: np.array([[0.4]]),
        hidden: np.array([[0.1]]),
        net.output: np.array([[0.3]]),
    }
    d = np.array([[0.9]])
    batch = Batch(np.array([[1.0]]), d, d > 0.5, 0)
    for how, wanted in (
        ({}, 0.2),
        ({"midpoint": True}, 0.232),
        ({"symmetric": True}, 0.2 + 0.08),
        ({"midpoint": True, "symmetric": True}, 0.232 + 0.112),
    ):
        found = credit(Generec(**how, **EXACT), net, params, batch)
        assert found[second].item() == pytest.approx(-wanted, rel=1e-11), how
        assert found[first].item() == pytest.approx(-0.16, rel=1e-11)
        assert found[hidden].item() == pytest.approx(-0.16, rel=1e-11)
        assert found[net.output].item() == pytest.approx(-0.4, rel=1e-11)
    hebbian = credit(ContrastiveHebbian(gamma=0.5, **EXACT), net, params, batch)
    y = (0.3 + 0.4 * 0.3) / (1 - 0.4 * 0.2)  # h = .3 + .2 y, y = .3 + .4 h
    h = 0.3 + 0.2 * y
    plus = 0.3 + 0.2 * 0.9
    assert hebbian[second].item() == pytest.approx(-(plus * 0.9 - h * y), rel=1e-11)
    assert hebbian[first].item() == pytest.approx(-(plus - h) / 0.5, rel=1e-11)


@pytest.mark.parametrize("sizes", [(3, 4, 2), (2, 3, 1)])
def test_at_gamma_1_with_tanh_units_it_is_mean_field_learning(sizes: Any) -> None:
    """Units of ±1 at T = 1, targets −1 and 1, inputs the same: one update of both files."""
    net, rng = Network.chain(*sizes, hidden="tanh", output="tanh"), np.random.default_rng(1)
    params = {k: rng.normal(0, 0.3, s) for k, s in net.shapes.items()}
    bits = rng.random((5, sizes[0])) < 0.5
    wanted = rng.random((5, sizes[-1])) < 0.5
    machine, noise = Machine.of(net, "layered"), Rand(0, [0], NOISE)
    field = MeanField(lr=0.25, times=(200,), temperatures=(1.0,))
    named = field.init(net, {k: a[None] for k, a in params.items()}, noise)["params"]
    batch = Batch(bits.astype(float), wanted.astype(float), wanted, 0)
    moved = field.update(net, {"params": named}, batch._replace(x=batch.x[None]), noise).state["params"]
    before, after = machine.matrix(named)[0], machine.matrix(moved)[0]
    same = batch._replace(x=2.0 * bits - 1, target=2.0 * wanted - 1)
    found = credit(ContrastiveHebbian(gamma=1.0, **EXACT), net, params, same)
    place = {"input": net.inputs[0], "hidden": net.hidden[0], "output": net.output}
    for source, target in (("input", "hidden"), ("hidden", "output")):
        edge = next(e for e in net.edges if (e.source, e.target) == (place[source], place[target]))
        block = machine.place[source], machine.place[target]
        np.testing.assert_allclose(before[block], params[edge], atol=1e-12)
        np.testing.assert_allclose(
            (after - before)[block], -0.25 / 5 * found[edge], rtol=1e-7, atol=1e-10, err_msg=source
        )


@pytest.mark.parametrize(
    "rule", [ContrastiveHebbian(gamma=0.3, **EXACT), Generec(**EXACT), Generec(symmetric=True, **EXACT)]
)
def test_with_the_answer_known_nothing_is_learnt(rule: Any) -> None:
    net, params, batch = chain(4, 5, 3)
    answer = rule.predict(net, {"params": params}, batch.x)
    found = credit(rule, net, params, batch._replace(target=answer))
    assert max(np.abs(g).max() for g in found.values()) < 1e-11


def test_an_update_descends_its_credit() -> None:
    net, params, batch = chain(4, 5, 3)
    rule = Generec(GradientDescent(0.1, 0.0, 0.0))
    state = rule.init(net, {k: a[None] for k, a in params.items()}, Rand(0, [0], NOISE))
    new = rule.update(net, state, batch._replace(x=batch.x[None]), Rand(0, [0], NOISE)).state["params"]
    found = credit(rule, net, params, batch)
    for key, g in found.items():
        np.testing.assert_allclose(new[key][0], params[key] - 0.1 * g, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rule", [ContrastiveHebbian(), Generec()])
def test_a_delayed_edge_has_no_way_back_at_once(rule: Any) -> None:
    sentence = rule.applies_to(DelayedXor())
    assert sentence is not None
    assert "used both ways at once" in sentence
    assert "is delayed" in sentence


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(
    "rule",
    [
        EquilibriumPropagation(beta=0.2),
        EquilibriumPropagation(beta=0.01),
        ContrastiveHebbian(gamma=0.1),
        ContrastiveHebbian(gamma=0.01),
    ],
    ids=lambda rule: f"{rule.name} {getattr(rule, 'beta', getattr(rule, 'gamma', None))}",
)
def test_the_usual_tolerance_and_caps_bring_teaching_to_the_first_layer(rule: Any, layers: int) -> None:
    """The credit of the first weights has that of networks settled within rounding for its direction: the
    median cosine of 12 networks is above .99, at the usual tolerance and at 0."""
    net = Network.chain(4, *[6] * layers, 2)
    first = net.edges[0]
    usual, none = [], []
    for seed in range(12):
        p = Problem.of(net, seed)
        ways: tuple[dict[str, Any], ...] = (
            {},
            {"tolerance": 0.0},
            {"tolerance": 0.0, "steps": 300, "steps_taught": 300},
        )
        a, b, c = (p.credit(replace(rule, **how))[first].ravel() for how in ways)
        for some, found in ((usual, a), (none, b)):
            some.append(found @ c / (np.linalg.norm(found) * np.linalg.norm(c)))
    assert np.median(usual) > 0.99
    assert np.median(none) > 0.999
