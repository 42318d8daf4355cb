"""Weights printed in 1986, and what they do: networks held to a source without training any.

Figures are those of PDP vol. 1 ch. 8 and the values that arithmetic outside this project got from
them; tolerances are half a unit of the last digit given there.
"""

from __future__ import annotations

import numpy as np
import pytest

from algorithms.backprop import Backprop
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, Rand
from harness.replication.printed import (
    FIG2,
    FIG3,
    FIG5,
    SYMMETRY,
    batch_of,
    fig6,
    fig10,
    fig12,
    is_right,
    outputs,
    thresholds,
    weights,
)
from harness.tasks.addition import Addition
from harness.tasks.negation import Negation
from harness.tasks.parity import Parity
from harness.tasks.singleton import Singleton
from harness.tasks.symmetry import Symmetry
from harness.tasks.xor import Xor

DIGITS4, DIGITS3 = (
    0.5e-4 * 1.02,
    0.5e-3 * 1.02,
)  # half a unit of the last digit, and a hair for binary fractions


# Exclusive or: Figs. 2, 3 and 5


def test_fig_2_threshold_units_compute_exclusive_or() -> None:
    task = Xor(hidden=1, shortcut=True)
    net = thresholds(task.network())
    assert outputs(task, net, weights(net, FIG2)).ravel().tolist() == [0, 1, 1, 0]


def test_fig_3_learned_shortcut_network_has_the_computed_outputs() -> None:
    task = Xor(hidden=1, shortcut=True)
    y = outputs(task, task.network(), weights(task.network(), FIG3))
    assert y.ravel() == pytest.approx([0.1032, 0.8767, 0.8767, 0.1091], abs=DIGITS4)
    assert is_right(task, y).all()


def test_fig_5_local_minimum_has_the_computed_outputs() -> None:
    task = Xor()
    y = outputs(task, task.network(), weights(task.network(), FIG5))
    assert y.ravel() == pytest.approx([0.0957, 0.4998, 0.8977, 0.5001], abs=DIGITS4)
    # 01 and 11 sit at the middle: the first just below, where it should be on, the second just above, where
    # off
    assert is_right(task, y).tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("off", "on", "error", "steepest", "digit"),
    [(0.0, 1.0, 0.260, 0.0105, 0.5e-4), (0.1, 0.9, 0.160, 6.1e-4, 0.5e-5)],
)
def test_fig_5_local_minimum_is_wrong_and_flat(
    off: float, on: float, error: float, steepest: float, digit: float
) -> None:
    task = Xor(target_off=off, target_on=on)
    net = task.network()
    params, batch = weights(net, FIG5), batch_of(task)
    credit = Backprop().credit(net, params, {}, batch, Rand(0, [0], NOISE))
    assert batch.cost(credit.output) == pytest.approx(error, abs=DIGITS3)
    assert set(credit.gradient) == set(net.shapes)
    assert max(np.abs(g).max() for g in credit.gradient.values()) == pytest.approx(steepest, abs=digit)


def test_fig_5_local_minimum_keeps_who_is_in_it_at_its_own_learning_rate() -> None:
    """A thousand sweeps at the printed η=.25 change the digits, not the answer: two patterns stay in the
    middle."""
    task = Xor(target_off=0.1, target_on=0.9)
    net, rule, rand = (
        task.network(),
        Backprop(GradientDescent(lr=0.25, momentum=0.0, decay=0.0)),
        Rand(0, [0], NOISE),
    )
    batch = batch_of(task)
    state = rule.init(net, weights(net, FIG5), rand)
    start = float(batch.cost(rule.predict(net, state, batch.x)))
    for _ in range(1000):
        state, _ = rule.update(net, state, batch, rand)
    y = rule.predict(net, state, batch.x)
    assert y.ravel() == pytest.approx([0.1, 0.5, 0.9, 0.5], abs=0.01)
    assert 0 < start - float(batch.cost(y)) < DIGITS3


# Parity: Fig. 6


@pytest.mark.parametrize("bits", range(1, 9))
def test_fig_6_threshold_units_compute_parity_of_any_number_of_bits(bits: int) -> None:
    task = Parity(bits=bits, hidden=bits)
    net = thresholds(task.network())
    y = outputs(task, net, weights(net, fig6(bits)))
    assert y.ravel().tolist() == [bin(i).count("1") % 2 for i in range(2**bits)]


# The singleton: Fig. 8 and Table 7


def test_fig_8_and_table_7_agree_within_the_rounding_of_the_figure() -> None:
    """Fig. 8 prints whole numbers, −6, +4 and bias 0; a bias that prints as 0 gives the four levels of Table
    7."""
    task = Singleton()
    net = task.network()
    single = net.hidden[0]
    assert single.size == 1

    def levels(bias: float) -> list[float]:
        params = {key: np.zeros(shape) for key, shape in net.shapes.items()}
        params[net.into(single)[0]], params[single] = np.array([[-6.0], [4.0]]), np.array([[bias]])
        return sorted(np.round(net.forward(params, task.patterns().x)[single].ravel(), 1).tolist())

    assert [0.0, 0.2, 0.6, 1.0] in [levels(bias) for bias in np.linspace(-0.5, 0.5, 101)]


# Symmetry: the network of PDP


def test_symmetry_weights_classify_all_64_patterns() -> None:
    task = Symmetry()
    y = outputs(task, task.network(), weights(task.network(), SYMMETRY))
    wanted = task.patterns().wanted
    assert is_right(task, y).all()
    on, off = y[wanted], y[~wanted]
    assert (len(on), len(off)) == (8, 56)
    assert [on.min(), on.max()] == pytest.approx([0.857, 0.872], abs=DIGITS3)
    assert off.max() == pytest.approx(0.169, abs=DIGITS3)
    assert 2 * batch_of(task).cost(y) == pytest.approx(0.708, abs=DIGITS3)  # Σ (y − d)²


def test_symmetry_solution_has_the_printed_structure() -> None:
    """Antisymmetric, 1 : 1.99 : 3.95, opposite signs; both hidden units off for palindromes and for nothing
    else."""
    task = Symmetry()
    net = task.network()
    params = weights(net, SYMMETRY)
    w = params[net.into(net.hidden[0])[0]]
    assert w == pytest.approx(-w[::-1], rel=0.01)
    assert w[:, 0] == pytest.approx(-w[:, 1], rel=0.01)
    size = np.abs(w[:3, 0])
    assert size / size[0] == pytest.approx([1, 1.99, 3.95], abs=0.5e-2 * 1.02)
    x, wanted, *_ = task.patterns()
    quiet = (net.forward(params, x)[net.hidden[0]] < 0.5).all(axis=1)
    assert (quiet == wanted.ravel()).all()


def test_symmetry_weights_are_where_training_with_targets_of_a_tenth_and_nine_ends() -> None:
    """Learned weights lie where the gradient vanishes: for targets .1 and .9 they nearly do, for 0 and 1 they
    do not."""
    steepest = {}
    for off, on in ((0.0, 1.0), (0.1, 0.9)):
        task = Symmetry(target_off=off, target_on=on)
        net = task.network()
        credit = Backprop().credit(net, weights(net, SYMMETRY), {}, batch_of(task), Rand(0, [0], NOISE))
        steepest[off] = max(np.abs(g).max() for g in credit.gradient.values())
    assert steepest[0.1] < 0.01
    assert steepest[0.0] > 30 * steepest[0.1]


# Addition: Fig. 10


def test_fig_10_threshold_units_add_with_two_carries() -> None:
    task = Addition(hidden=2, lateral=True)
    net = thresholds(task.network())
    y = outputs(task, net, weights(net, fig10()))
    assert (y @ [4, 2, 1]).tolist() == [(i >> 2) + (i & 3) for i in range(16)]


# Negation: Fig. 12


def test_fig_12_negation_has_all_16_patterns_right_with_the_computed_error() -> None:
    task = Negation(target_off=0.0, target_on=1.0)
    net = task.network()
    y = outputs(task, net, weights(net, fig12()))
    assert is_right(task, y).sum() == 16
    assert np.abs(y - batch_of(task).target).max() == pytest.approx(0.268, abs=DIGITS3)
