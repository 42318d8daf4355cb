"""Gates, and networks in time made of them: adjoints, the complex step, cells written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import DirectFeedbackAlignment
from harness.cells.settings import Settings, resolve
from harness.core.algorithm import Batch
from harness.core.edges import Edge, Group
from harness.core.errors import InputError, NotApplicable
from harness.core.exact_gradient import exact_gradient
from harness.core.gates import FastWeights, Gate
from harness.core.initial import initial
from harness.core.losses import SquaredError
from harness.core.network import Network
from harness.core.paired import Paired
from harness.core.rand import WEIGHTS, Rand
from harness.core.recurrent import KINDS, attending, recurrent
from harness.core.tangent import tangent
from harness.tasks.traffic_history import TrafficHistory

Array = Any


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def some(net: Network, seed: int = 0) -> dict[Any, Array]:
    rng = np.random.default_rng(seed)
    return {k: 0.7 * rng.normal(size=(2, *shape)) for k, shape in net.shapes.items()}


def batch_of(net: Network, steps: int, asked: int, seed: int = 1, patterns: int = 4) -> Batch:
    rng = np.random.default_rng(seed)
    lead = (steps,) if steps else ()
    told = (asked,) if steps else ()
    target = rng.uniform(size=(1, *told, patterns, net.output.size))
    x = rng.normal(size=(1, *lead, patterns, net.input_size))
    return Batch(x, target, target > 0.5, np.zeros(()), SquaredError(), steps > 0)


def complex_step(net: Network, params: dict[Any, Array], batch: Batch) -> dict[Any, Array]:
    """∂E/∂w of every parameter, by Im E(w + ih) / h."""
    gradient = {k: np.zeros(w.shape) for k, w in params.items()}
    for key, w in params.items():
        for row in range(w.shape[-2]):
            for column in range(w.shape[-1]):
                moved = {k: v.astype(complex) for k, v in params.items()}
                moved[key][:, row, column] += 1e-30j
                y = net.respond(moved, batch.x.astype(complex))
                y = y[..., -batch.target.shape[-3] :, :, :] if batch.time else y
                error = 0.5 * ((y - batch.target) ** 2).sum(axis=(-1, -2))
                gradient[key][:, row, column] = (error.sum(axis=-1) if batch.time else error).imag / 1e-30
    return gradient


@given(kind=st.sampled_from(["gate", "rows", "turned"]), seed=st.integers(0, 2**32 - 1))
def test_a_gate_and_its_two_adjoints(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 5, 2)
    a, b = Group("a", int(n)), Group("b", int(n if kind == "gate" else m))
    by = Group("by", int(n if kind == "gate" else n * m))
    gate = Gate(a, b, by) if kind == "gate" else FastWeights(a, b, by, turned=kind == "turned")
    y, g, blame = (rng.normal(size=(2, 3, group.size)) for group in (a, by, b))
    inner = (gate.send(g, y) * blame).sum()
    np.testing.assert_allclose((y * gate.back(g, blame)).sum(), inner, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose((g * gate.outer(y, blame)).sum(), inner, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("asked", [1, 3, 5])
@pytest.mark.parametrize("kind", [k for k in KINDS if k != "relu"])
def test_the_gradient_through_time_is_the_complex_step(kind: str, asked: int) -> None:
    """Of every kind of hidden units, with targets at all steps, at some and at the last alone."""
    net = recurrent(2, 3, 2, kind)
    params, batch = some(net), batch_of(net, 5, asked)
    found = exact_gradient(net, params, batch).gradient
    assert set(found) == set(net.shapes)
    for key, g in complex_step(net, params, batch).items():
        np.testing.assert_allclose(found[key], g, rtol=1e-10, atol=1e-12, err_msg=f"{kind} {key.name}")


def test_the_gradient_of_an_attention_head_is_the_complex_step() -> None:
    net = attending(slots=3, features=2, hidden=3, outputs=2)
    params, batch = some(net), batch_of(net, 0, 0)
    found = exact_gradient(net, params, batch).gradient
    assert set(found) == set(net.shapes)
    for key, g in complex_step(net, params, batch).items():
        np.testing.assert_allclose(found[key], g, rtol=1e-9, atol=1e-12, err_msg=key.name)


def test_an_output_that_is_heard_a_step_later_is_blamed_for_it() -> None:
    """Jordan's network: the output of the step before is an input, also where it has no target."""
    x, h, y = Group("input", 2, "linear", bias=False), Group("hidden", 3, "tanh"), Group("output", 2)
    net = Network((x, h, y), (Edge(x, h), Edge(h, y), Edge(y, h, delay=1)))
    params = some(net)
    for asked in (1, 4):
        batch = batch_of(net, 4, asked)
        found = exact_gradient(net, params, batch).gradient
        for key, g in complex_step(net, params, batch).items():
            np.testing.assert_allclose(found[key], g, rtol=1e-10, atol=1e-12)


def test_an_lstm_cell_is_its_equations() -> None:
    """Gers, Schmidhuber & Cummins 2000, without peepholes, written out."""
    net = recurrent(2, 3, 1, "lstm")
    params = some(net)
    w = {key.name: a[0] for key, a in params.items()}
    batch = batch_of(net, 6, 6)
    h, c = np.zeros((4, 3)), np.zeros((4, 3))
    for t in range(6):
        pre = {
            g: batch.x[0, t] @ w[f"input-{g}"] + h @ w[f"hidden-{g}:1"] + w[g]
            for g in ("in", "forget", "out", "new")
        }
        c = sigmoid(pre["forget"]) * c + sigmoid(pre["in"]) * np.tanh(pre["new"])
        h = sigmoid(pre["out"]) * np.tanh(c)
        y = sigmoid(h @ w["hidden-output"] + w["output"])
        np.testing.assert_allclose(net.respond(params, batch.x)[0, t], y, rtol=1e-12)


def test_leaky_and_state_space_units_are_their_equations() -> None:
    leaky, space = recurrent(2, 3, 1, "leaky", leak=0.3), recurrent(2, 3, 1, "state_space")
    x = np.random.default_rng(3).normal(size=(1, 5, 4, 2))
    for net in (leaky, space):
        params = some(net)
        w = {key.name: a[0] for key, a in params.items()}
        h = s = np.zeros((4, 3))
        for t in range(5):
            if net is leaky:
                h = 0.7 * h + 0.3 * np.tanh(x[0, t] @ w["input-drive"] + h @ w["hidden-drive:1"] + w["drive"])
            else:
                s = w["state-state:1"] * s + x[0, t] @ w["input-state"]
                h = np.tanh(s @ w["state-hidden"] + w["hidden"])
            y = sigmoid(h @ w["hidden-output"] + w["output"])
            np.testing.assert_allclose(net.respond(params, x)[0, t], y, rtol=1e-12)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "relu"])
def test_a_tangent_through_time_is_the_complex_step_along_it(kind: str) -> None:
    """Every activity of every step, with all weights moving, and with one parameter at a time."""
    net = recurrent(2, 3, 2, kind)
    params, along, x = some(net), some(net, 7), batch_of(net, 5, 5).x
    for keys in (list(along), *([k] for k in along)):
        some_way = {k: along[k] for k in keys}
        moving = {k: w + 1e-30j * (along[k] if k in some_way else 0) for k, w in params.items()}
        exact, steps = net.unrolled(moving, x.astype(complex)), net.unrolled(params, x)
        moved: dict[Group, Array] | None = None
        for t, y in enumerate(steps):
            moved = tangent(net, params, some_way, y, steps[t - 1] if t else None, moved)
            for group in net.free:
                want = exact[t][group].imag / 1e-30
                np.testing.assert_allclose(moved.get(group, 0.0) + 0 * want, want, rtol=1e-9, atol=1e-12)


def test_initial_weights_that_a_network_asks_for() -> None:
    """A forget gate begins one higher, a state-space layer's weights near 1; the rest as a task draws."""
    lstm, space = recurrent(1, 8, 1, "lstm"), recurrent(1, 8, 1, "state_space")
    for net in (lstm, space):
        w = {k.name: a for k, a in initial(net, Rand(0, range(50), WEIGHTS), "uniform", 0.1).items()}
        if net is lstm:
            assert abs(w["forget"].mean() - 1) < 0.01
            assert np.abs(w["forget"] - 1).max() <= 0.1
        else:
            own = w["state-state:1"]
            assert own.min() >= 0.9
            assert own.max() <= 0.999
            assert abs(own.mean() - 0.9495) < 0.01
    assert all(np.abs(a).max() <= 0.1 for name, a in w.items() if name != "state-state:1")


def test_what_cannot_be_gated_so_is_told_in_one_sentence() -> None:
    a, b, two = Group("a", 3), Group("b", 3), Group("two", 2)
    with pytest.raises(
        InputError, match="a gate joins groups of one size, but 'a-b by two' has a 3, b 3, two 2"
    ):
        Gate(a, b, two)
    with pytest.raises(InputError, match="delay must be 0 or 1 time steps, but 2 was given"):
        Gate(a, b, 1.0, delay=2)
    with pytest.raises(InputError, match="fast weights from 3 units to 3 are the activity of a group of 9"):
        FastWeights(a, b, two)
    with pytest.raises(InputError, match="a paired edge joins groups of one size"):
        Paired(a, two)
    x = Group("x", 3, "linear", bias=False)
    with pytest.raises(InputError, match="gate 'x-a by b' hears 'b' within the time step, against the order"):
        Network((x, a, b), (Edge(x, a), Edge(a, b)), gates=(Gate(x, a, b),))
    with pytest.raises(InputError, match="has the group 'c', which is not in the network"):
        Network((x, a, b), (Edge(x, a), Edge(a, b)), gates=(Gate(x, a, Group("c", 3), delay=1),))
    with pytest.raises(InputError, match="unknown hidden units 'gru': allowed are diagonal, leaky, lstm"):
        recurrent(1, 2, 1, "gru")


def test_a_rule_without_a_way_through_gates_says_so() -> None:
    """An attention head has gates and no time."""
    task = TrafficHistory(units="attention")
    with pytest.raises(NotApplicable) as error:
        resolve(DirectFeedbackAlignment(), task, Settings(replicas=1))
    assert str(error.value) == (
        "direct_feedback_alignment does not apply to traffic_history: it has no way through gates, "
        "and the network of traffic_history has some"
    )
    resolve(Backprop(), task, Settings(replicas=1))
