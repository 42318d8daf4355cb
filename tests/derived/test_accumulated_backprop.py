"""Accumulated backprop held to backprop: exactly where sums are of whole numbers, to rounding elsewhere; and
to its bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.accumulated_backprop import AccumulatedBackprop
from algorithms.backprop import Backprop
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.compiling.driver import refusal
from harness.core.algorithm import Algorithm, Batch
from harness.core.data import Patterns, Usual
from harness.core.errors import InputError
from harness.core.network import Network
from harness.core.rand import NOISE, Rand
from harness.core.task import Task
from harness.cost.sheet import sheet
from harness.experiment.run import run
from harness.tasks.xor import Xor

quick = settings(deadline=None, derandomize=True, max_examples=100)


def credit(algorithm: Any, net: Network, patterns: int, whole: bool) -> Any:
    """Credit at random weights and patterns, whole numbers or not."""
    rng = np.random.default_rng(0)

    def some(*shape: int) -> Any:
        return rng.integers(-3, 4, shape).astype(float) if whole else rng.normal(size=shape)

    params = {k: some(2, *shape) for k, shape in net.shapes.items()}
    x, target = some(patterns, net.input_size), some(patterns, net.output.size)
    return algorithm.credit(net, params, {}, Batch(x, target, target > 0.5, 0), Rand(0, [0], NOISE))


@quick
@given(patterns=st.integers(1, 17), micro=st.integers(1, 18), width=st.integers(1, 4))
def test_of_whole_numbers_it_is_backprop_bit_for_bit(patterns: int, micro: int, width: int) -> None:
    """Linear units, whole weights and patterns: no sum rounds, so its order does not matter."""
    net = Network.chain(3, width, 2, hidden="linear", output="linear")
    found = credit(AccumulatedBackprop(micro=micro), net, patterns, whole=True)
    expected = credit(Backprop(), net, patterns, whole=True)
    np.testing.assert_array_equal(found.output, expected.output)
    assert found.gradient.keys() == expected.gradient.keys()
    for key, value in expected.gradient.items():
        np.testing.assert_array_equal(found.gradient[key], value)


@quick
@given(patterns=st.integers(1, 17), micro=st.integers(1, 18), normalised=st.booleans())
def test_it_is_backprop_to_rounding(patterns: int, micro: int, normalised: bool) -> None:
    net = Network.chain(3, 4, 4, 2, shortcut=True, residual=True, normalised=normalised)
    found = credit(AccumulatedBackprop(micro=micro), net, patterns, whole=False)
    expected = credit(Backprop(), net, patterns, whole=False)
    np.testing.assert_allclose(found.output, expected.output, rtol=1e-12, atol=1e-13)
    for key, value in expected.gradient.items():
        np.testing.assert_allclose(found.gradient[key], value, rtol=1e-10, atol=1e-11)


def test_all_patterns_in_one_micro_batch_are_backprop_bit_for_bit() -> None:
    net = Network.chain(3, 4, 2)
    for micro in (7, 8):
        found, expected = (credit(a, net, 7, False) for a in (AccumulatedBackprop(micro=micro), Backprop()))
        for key, value in expected.gradient.items():
            assert found.gradient[key].tobytes() == value.tobytes()


class Made(Task):
    """8-…-8-1 with 4,000 made-up patterns."""

    usual = Usual(lr=0.1, momentum=0.9, scale=0.5, epochs=10)

    def network(self) -> Network:
        return Network.chain(*[8] * 9, 1)

    def patterns(self) -> Patterns:
        rng = np.random.default_rng(0)
        return Patterns(rng.random((4000, 8)), rng.random((4000, 1)) < 0.5, ("",) * 4000)


def peak(algorithm: Algorithm) -> int:
    return sheet(Cell(*resolve(algorithm, Made(), Settings(replicas=1, batch="full")))).peak_bytes


def test_its_peak_follows_the_micro_batch() -> None:
    """Eight hidden layers: backprop holds 16 arrays of 4,000 × 8 numbers, and the outputs. A micro-batch of
    1/m of the patterns holds 1/m of the arrays; twice the size, twice the arrays."""
    activity = 8 * 4000 * 8
    plain, half, quarter = peak(Backprop()), *(peak(AccumulatedBackprop(micro=n)) for n in (2000, 1000))
    assert plain > 16 * activity
    assert half - quarter > 16 * activity / 4
    assert quarter < plain / 2.5


def test_it_compiles_with_and_without_a_rest() -> None:
    for micro in (1, 2, 3):
        assert refusal(Cell.of({"name": "accumulated_backprop", "micro": micro}, {"name": "xor"}, {})) == ""


def test_compiled_it_takes_backprops_steps() -> None:
    options: dict[str, Any] = {"replicas": 2, "epochs": 5, "backend": "jax"}
    ours, theirs = (run(a, Xor(), **options).trained for a in (AccumulatedBackprop(micro=3), Backprop()))
    for key, value in theirs.weights.items():
        np.testing.assert_allclose(ours.weights[key], value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("micro", [0, -1, 1.5, True])
def test_a_micro_batch_is_a_whole_number_of_patterns(micro: Any) -> None:
    with pytest.raises(InputError, match="micro must be a whole number"):
        AccumulatedBackprop(micro=micro)


@pytest.mark.parametrize("micro", [1, 2, 3])
def test_a_replica_alone_has_the_curve_that_it_has_in_a_batch(micro: int) -> None:
    """Bit for bit: with one output, outputs of micro-batches of one pattern lie apart in memory."""
    rule = AccumulatedBackprop(micro=micro)
    together = run(rule, Xor(), replicas=6, seed=0, epochs=20).trained
    alone = run(rule, Xor(), replicas=6, seed=0, epochs=20, only=[4]).trained
    np.testing.assert_array_equal(alone.loss_curve[0], together.loss_curve[4])
    for name, weights in alone.weights.items():
        np.testing.assert_array_equal(weights[0], together.weights[name][4])
