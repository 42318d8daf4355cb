"""Credit through time against loops written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from algorithms.bptt import Bptt
from algorithms.eprop import EProp
from algorithms.rflo import Rflo
from algorithms.rtrl import Rtrl
from algorithms.snap import Snap
from algorithms.uoro import Uoro
from harness.core.algorithm import Batch
from harness.core.errors import InputError
from harness.core.exact_gradient import exact_gradient
from harness.core.network import Network
from harness.core.rand import NOISE, Rand
from harness.core.recurrent import KINDS, recurrent

Array = Any
RAND = Rand(0, [0], NOISE)


def drawn(net: Network, steps: int, asked: int) -> tuple[dict[Any, Array], Batch]:
    rng = np.random.default_rng(5)
    params = {k: 0.7 * rng.normal(size=(1, *shape)) for k, shape in net.shapes.items()}
    x = rng.normal(size=(1, steps, 3, net.input_size))
    target = rng.uniform(size=(1, asked, 3, net.output.size))
    return params, Batch(x, target, target > 0.5, np.zeros(()), time=True)


def far(found: Any, want: Any) -> float:
    return max(float(np.abs(found[k] - g).max()) for k, g in want.items())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("asked", [1, 5])
def test_influence_and_a_whole_window_are_the_gradient(kind: str, asked: int) -> None:
    net = recurrent(2, 3, 2, kind)
    params, batch = drawn(net, 5, asked)
    exact = exact_gradient(net, params, batch).gradient
    for rule in (Rtrl(), Bptt(window=5, every=2), Bptt(window=9), Snap(reach=9), Snap(reach=10**12)):
        assert far(rule.credit(net, params, {}, batch, RAND).gradient, exact) < 1e-13


@pytest.mark.parametrize(("window", "every"), [(1, 1), (2, 1), (3, 2), (3, 3)])
def test_a_window_is_a_loop_over_steps_and_lags(window: int, every: int) -> None:
    """BPTT(h; h′) of tanh units: the loss of step s goes back to step end − h + 1 of the pass that has it."""
    net = recurrent(2, 3, 2)
    params, batch = drawn(net, 5, 5)
    own = next(e for e in net.edges if e.delay)
    w = {k.name: a[0] for k, a in params.items()}
    h = [np.zeros((3, 3))]
    for t in range(5):
        h.append(np.tanh(batch.x[0, t] @ w["input-hidden"] + h[-1] @ w["hidden-hidden:1"] + w["hidden"]))
    want = np.zeros((3, 3))
    for s in range(5):
        y = 1 / (1 + np.exp(-h[s + 1] @ w["hidden-output"] - w["output"]))
        back = ((y - batch.target[0, s]) * y * (1 - y)) @ w["hidden-output"].T
        end = min((s // every + 1) * every - 1, 4)
        for r in range(s, max(end - window, -1), -1):
            delta = back * (1 - h[r + 1] ** 2)
            want += h[r].T @ delta
            back = delta @ w["hidden-hidden:1"].T
    found = Bptt(window=window, every=every).credit(net, params, {}, batch, RAND).gradient
    np.testing.assert_allclose(found[own][0], want, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("rule", [EProp(), Rflo(feedback="symmetric")])
def test_traces_are_their_recursion(rule: EProp) -> None:
    """Leaky units: ε ← J_jj ε + κ f′ y; with the weight to itself in J (e-prop), or the leak alone (RFLO)."""
    net, k = recurrent(2, 3, 2, "leaky", leak=0.3), 0.3
    params, batch = drawn(net, 5, 3)
    own = next(e for e in net.edges if e.delay)
    w = {key.name: a[0] for key, a in params.items()}
    h, trace, want = np.zeros((3, 3)), np.zeros((3, 3, 3)), np.zeros((3, 3))
    for t in range(5):
        f = np.tanh(batch.x[0, t] @ w["input-drive"] + h @ w["hidden-drive:1"] + w["drive"])
        slope = k * (1 - f**2)
        itself = (not isinstance(rule, Rflo)) * slope * np.diag(w["hidden-drive:1"])
        trace = (1 - k + itself)[..., None, :] * trace + h[:, :, None] * slope[:, None, :]
        h = (1 - k) * h + k * f
        if t >= 2:
            y = 1 / (1 + np.exp(-h @ w["hidden-output"] - w["output"]))
            signal = ((y - batch.target[0, t - 2]) * y * (1 - y)) @ w["hidden-output"].T
            want += (signal[:, None, :] * trace).sum(0)
    found = rule.credit(net, params, {}, batch, RAND).gradient
    np.testing.assert_allclose(found[own][0], want, rtol=1e-11, atol=1e-13)


def test_eprop_of_a_loss_at_the_end_is_exact_for_two_steps_and_not_for_three() -> None:
    net = recurrent(2, 3, 2)
    own = next(e for e in net.edges if e.delay)
    for steps, same in ((2, True), (3, False)):
        params, batch = drawn(net, steps, 1)
        found = EProp().credit(net, params, {}, batch, RAND).gradient[own]
        assert np.allclose(found, exact_gradient(net, params, batch).gradient[own], rtol=1e-10) is same


@pytest.mark.parametrize("kind", ["tanh", "lstm"])
def test_uoro_is_the_gradient_in_the_mean(kind: str) -> None:
    """n = 4,000 draws; the largest |z| of at most 80 numbers is below 5 but for one run in 20,000."""
    net, n = recurrent(2, 3, 2, kind), 4000
    params, batch = drawn(net, 4, 2)
    many = {k: np.repeat(w, n, axis=0) for k, w in params.items()}
    found = Uoro().credit(net, many, {}, batch, Rand(1, range(n), NOISE)).gradient
    for key, g in exact_gradient(net, params, batch).gradient.items():
        error = found[key].std(axis=0) / np.sqrt(n)
        assert (np.abs(found[key].mean(axis=0) - g[0]) <= 5 * error + 1e-10).all(), key.name


def test_losses_are_not_lost_between_windows() -> None:
    with pytest.raises(InputError, match="every must be at most the window of 2 steps"):
        Bptt(window=2, every=3)


def test_a_random_way_back_is_used() -> None:
    """With B the forward weights it is the symmetric rule, with another B it is not."""
    net = recurrent(2, 3, 2)
    params, batch = drawn(net, 4, 4)
    rule, own = EProp(feedback="random"), next(e for e in net.edges if e.delay)
    drawn_b = rule.remember(net, params, Rand(0, [0], NOISE))
    same = {e.name: params[e] for e in net.edges if e.name in drawn_b}
    symmetric = EProp().credit(net, params, {}, batch, RAND).gradient[own]
    np.testing.assert_allclose(rule.credit(net, params, same, batch, RAND).gradient[own], symmetric)
    assert not np.allclose(rule.credit(net, params, drawn_b, batch, RAND).gradient[own], symmetric)
