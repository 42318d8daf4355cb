"""Each part held to something that is not its own code: closed forms, differences, counts, a limit."""

from __future__ import annotations

from itertools import product

import numpy as np
from harness_example.dropped_transport import DroppedTransport
from harness_example.losses import LogCosh
from harness_example.majority import Majority
from harness_example.rms_step import RmsStep
from harness_example.units import softsign

from algorithms.backprop import Backprop
from harness import Batch, Network, Rand, add_plugins, exact_gradient, run
from harness.tasks.xor import Xor

add_plugins()  # those that are installed: a task says units and losses by their names
NOISE = 2  # what the random numbers are for


def test_it_is_backprop_where_no_weight_fails() -> None:
    ours, exact = (
        run(rule, Xor(), replicas=5, epochs=50) for rule in (DroppedTransport(share=0), Backprop())
    )
    for name, weights in exact.trained.weights.items():
        # sums are in another order: a rule that draws numbers has its replicas first in memory
        np.testing.assert_allclose(ours.trained.weights[name], weights, rtol=1e-9, atol=1e-12)


def test_with_one_hidden_layer_its_mean_is_the_gradient() -> None:
    """4,000 draws; 13 weights, each beyond 4.5 standard errors with 7e-6: a false alarm in 11,000 runs.

    Seeded.
    """
    net, draws, rng = Network.chain(2, 3, 1), 4000, np.random.default_rng(0)
    params = {key: np.tile(rng.normal(size=shape), (draws, 1, 1)) for key, shape in net.shapes.items()}
    x = np.array(list(product((0.0, 1.0), repeat=2)))[None]
    wanted = x.sum(axis=-1, keepdims=True) == 1
    batch = Batch(x, wanted.astype(float), wanted, epoch=0)
    found = DroppedTransport(share=0.3).credit(net, params, {}, batch, Rand(0, range(draws), NOISE)).gradient
    for key, exact in exact_gradient(net, params, batch).gradient.items():
        error = found[key].std(axis=0) / draws**0.5
        assert (np.abs(found[key].mean(axis=0) - exact[0]) <= 4.5 * error + 1e-12).all()


def test_half_of_all_patterns_have_a_majority() -> None:
    for bits in (1, 3, 5):
        x, wanted, _, _ = Majority(bits=bits).patterns()
        assert wanted.sum() == 2**bits / 2
        assert (wanted[:, 0] == (np.median(x, axis=1) == 1)).all()


def test_the_first_step_has_the_same_size_for_any_credit() -> None:
    """v = (1 − ρ) g², so that g / √v = ± 1 / √(1 − ρ)."""
    w, g = {"w": np.zeros((1, 2))}, {"w": np.array([[3.0, -0.01]])}
    rule = RmsStep(lr=0.1, rho=0.75)
    new, _ = rule.step(w, g, rule.init(w), epoch=0)
    np.testing.assert_allclose(new["w"], [[-0.2, 0.2]], rtol=1e-5)


def test_slopes_are_those_of_differences() -> None:
    x, h = np.linspace(-3, 3, 7)[:, None] + 0.1, 1e-6
    slope = (softsign.of(x + h) - softsign.of(x - h)) / (2 * h)
    np.testing.assert_allclose(softsign.pull(softsign.of(x), np.ones_like(x)), slope, rtol=1e-8)
    loss, on = LogCosh(), np.ones((1, 1), bool)
    for y in x[:, :1]:
        gap = loss.of(y[None] + h, on, on) - loss.of(y[None] - h, on, on)
        np.testing.assert_allclose(loss.error(y[None], on, on).item(), gap / (2 * h), rtol=1e-6)
