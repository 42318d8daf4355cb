"""Tasks in time held to their definitions, said once more in plain Python for one sequence; the floors of the
add task to enumeration; and all of them learnt by backprop through time."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from harness.core.errors import InputError
from harness.core.optimisers import GradientDescent
from harness.core.rand import SPLIT, Rand
from harness.core.recurrent import KINDS
from harness.core.task import Task
from harness.experiment.run import run
from harness.tasks.add_task import AddTask, floors
from harness.tasks.binary_addition import BinaryAddition
from harness.tasks.copy import Copy
from harness.tasks.delayed_xor import DelayedXor
from harness.tasks.flip_flop import FlipFlop
from harness.tasks.parity_over_time import ParityOverTime
from harness.tasks.sequence_completion import HELD, SequenceCompletion
from harness.tasks.shift_register import ShiftRegister
from harness.tasks.store_recall import StoreRecall
from harness.tasks.traffic import Traffic
from harness.tasks.traffic_history import TrafficHistory

Array = Any
DRAWN = (AddTask, DelayedXor, FlipFlop, StoreRecall)
ALL: tuple[type[Task], ...] = (
    *DRAWN, ParityOverTime, Copy, BinaryAddition, ShiftRegister, SequenceCompletion,
)  # fmt: skip
quickly = settings(max_examples=25, deadline=None)


def sequences(task: Task, seed: int = 0) -> list[tuple[list[list[int]], list[list[float]]]]:
    """Inputs and targets of every training sequence of two replicas, step by step."""
    data = task.data(Rand(seed, [0, 1], SPLIT), float)
    return [
        (x[:, n].astype(int).tolist(), target[:, n].tolist())
        for x, target in zip(data.x, data.target, strict=True)
        for n in range(x.shape[1])
    ]


# Targets by their definitions


@quickly
@given(st.integers(0, 6), st.integers(0, 6), st.integers(1, 5), st.integers(0, 2**31))
def test_the_add_task_adds_a_half_and_takes_a_quarter(t1: int, t2: int, told: int, seed: int) -> None:
    if t1 == t2:
        return
    length = max(t1, t2) + told
    for x, y in sequences(AddTask(t1=t1, t2=t2, length=length, sequences=3), seed):
        assert len(y) == told
        for (target,), t in zip(y, range(length - told, length), strict=True):
            assert target == 0.5 + 0.5 * x[t - t1][0] - 0.25 * x[t - t2][0]


@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("every", [True, False])
def test_parity_over_time_counts_what_has_come(length: int, every: bool) -> None:
    x, wanted, names, _ = ParityOverTime(length=length, every=every).patterns()
    assert names == tuple("".join(word) for word in product("01", repeat=length))
    for n, word in enumerate(names):
        odd = [word[: t + 1].count("1") % 2 == 1 for t in range(length)]
        assert x[:, n, 0].astype(int).tolist() == [int(b) for b in word]
        assert wanted[:, n, 0].tolist() == (odd if every else odd[-1:])


@quickly
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 6), st.integers(0, 2**31))
def test_delayed_xor_compares_a_bit_with_one_before(lag: int, more: int, asked: int, seed: int) -> None:
    length, asked = lag + more, min(asked, more)
    for x, y in sequences(DelayedXor(lag=lag, length=length, asked=asked, sequences=3), seed):
        assert len(y) == (asked or more)
        for (target,), t in zip(y, range(length - len(y), length), strict=True):
            assert target == (x[t] != x[t - lag])


@pytest.mark.parametrize(("symbols", "word", "delay"), [(2, 1, 0), (3, 2, 1), (2, 4, 3)])
def test_copy_says_the_word_again_after_the_cue(symbols: int, word: int, delay: int) -> None:
    seen = set()
    for x, y in sequences(Copy(symbols=symbols, word=word, delay=delay)):
        assert len(x) == 2 * word + delay
        assert y == [step[:-1] for step in x[:word]]
        assert all(sum(step) == 1 for step in x[:word])
        assert [t for t, step in enumerate(x) if step[-1]] == [word + delay]
        assert not np.array(x[word:])[:, :-1].any()
        seen.add(str(x))
    assert len(seen) == symbols**word


@quickly
@given(st.integers(1, 3), st.integers(1, 9), st.floats(0.05, 1.0), st.integers(0, 2**31))
def test_flip_flops_hold_what_was_set_last(channels: int, length: int, pulses: float, seed: int) -> None:
    for x, y in sequences(FlipFlop(channels=channels, length=length, pulses=pulses, sequences=4), seed):
        for c in range(channels):
            last = 0
            for t in range(length):
                on, off = x[t][c], x[t][channels + c]
                assert on + off <= 1
                last = 1 if on else 0 if off else last
                assert y[t][c] == last


@quickly
@given(st.integers(2, 15), st.floats(0.05, 1.0), st.integers(0, 2**31))
def test_what_is_recalled_is_what_was_stored_last(length: int, cues: float, seed: int) -> None:
    for x, y in sequences(StoreRecall(length=length, cues=cues, sequences=4), seed):
        kept: int | None = None
        for (zero, one, store, recall), (said,) in zip(x, y, strict=True):
            assert zero + one == 1
            assert store + recall <= 1
            assert not (store and kept is not None)  # they take turns
            if recall:
                assert said == kept
                kept = None
            else:
                assert said == 0
                kept = one if store else kept


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_binary_addition_is_addition_of_integers(bits: int) -> None:
    seen = set()
    data = BinaryAddition(bits=bits).patterns()
    for n, name in enumerate(data.names):
        power = 2 ** np.arange(bits + 1)
        a, b, total = (int(power @ each) for each in (*data.x[:, n].T, data.wanted[:, n, 0]))
        assert total == a + b
        assert name == f"{a} + {b}"
        seen.add((a, b))
    assert seen == set(product(range(2**bits), repeat=2))


@pytest.mark.parametrize(("size", "length"), [(2, 1), (3, 2), (5, 7)])
def test_a_shift_register_moves_its_pattern_round(size: int, length: int) -> None:
    for x, y in sequences(ShiftRegister(size=size, length=length)):
        assert not np.any(x[1:])
        moved = x[0]
        for state in y:
            moved = [moved[-1], *moved[:-1]]
            assert state == moved


def test_a_shift_register_with_the_weights_of_one_is_one() -> None:
    """Each unit on when the one before it in the ring was: right at all steps, however many."""
    task = ShiftRegister(size=5, length=12)
    net, (shift, again) = task.network(), task.network().edges
    assert again.weights is shift
    ring = np.roll(np.eye(5), 1, axis=1)
    params = {shift: 20.0 * ring, net.output: np.full((1, 5), -10.0)}
    data = task.data(Rand(0, [0], SPLIT), float)
    assert task.met(net.respond(params, data.x), data).all()


def test_letters_are_followed_by_their_digits() -> None:
    """Tables 10 and 11: 25 sequences, and the five that are held out."""
    task = SequenceCompletion()
    x, wanted, names, _ = task.patterns()
    digits = {"A": "12", "B": "23", "C": "31", "D": "21", "E": "13"}
    assert list(names) == [a + b + digits[a] + digits[b] for a, b in product("ABCDE", repeat=2)]
    for n, name in enumerate(names):
        assert ["ABCDE"[i] for i in x[:2, n].argmax(axis=-1)] == list(name[:2])
        assert not x[2:, n].any()
        assert [str(1 + i) for i in wanted[:, n].argmax(axis=-1)] == list(name[2:])
    assert (x.sum(), wanted.sum()) == (50, 100)
    assert {n for n in names if n[:2] in HELD} == {"AD1221", "BE2313", "CA3112", "DB2123", "EC1331"}
    data = task.data(Rand(0, [0, 1], SPLIT), float)
    held = data.held
    assert held is not None
    assert (data.x.shape, held.x.shape) == ((1, 6, 20, 5), (1, 6, 5, 5))
    assert ["".join("ABCDE"[i] for i in held.x[0, :2, n].argmax(axis=-1)) for n in range(5)] == list(HELD)


# The add task's floors


def surprise(p: float) -> float:
    return -sum(q * float(np.log(q)) for q in (p, 1 - p) if q)


def test_floors_of_the_add_task_by_enumeration() -> None:
    """The best prediction is the mean of y over all that looks the same; its cross-entropy, an entropy, of
    all bit strings of eleven steps."""
    t1, t2 = 3, 8
    cases = list(product((0, 1), repeat=11))
    y = {x: 0.5 + 0.5 * x[-1 - t1] - 0.25 * x[-1 - t2] for x in cases}
    for floor, seen in zip(floors(), ((), (t1,), (t1, t2)), strict=True):
        alike: dict[tuple[int, ...], list[float]] = {}
        for x in cases:
            alike.setdefault(tuple(x[-1 - lag] for lag in seen), []).append(y[x])
        least = sum(len(ys) * surprise(sum(ys) / len(ys)) for ys in alike.values()) / len(cases)
        assert floor == pytest.approx(least, abs=1e-12)
    assert [round(floor, 4) for floor in floors()] == [0.6616, 0.5192, 0.4545]


def test_the_add_task_is_solved_by_whoever_knows_both_bits_and_by_nobody_else() -> None:
    """4,096 sequences, of 12 steps each: the mean loss is within .003 of its floor (standard error .0007)."""
    task = AddTask(sequences=4096)
    assert task.bound == pytest.approx((floors().first + floors().both) / 2, abs=1e-4)
    data = task.data(Rand(1, [0], SPLIT), float).validation
    assert data is not None
    first = data.x[:, 5:17]
    best = (np.full_like(data.target, 0.625), 0.375 + 0.5 * first, data.target)
    for y, floor, solved in zip(best, floors(), (False, False, True), strict=True):
        whole = np.concatenate([np.full((1, 8, 4096, 1), 0.5), y], axis=1)
        assert task.met(whole, data).tolist() == [solved]
        assert float(task.cost(whole, data)[0]) / (12 * 4096) == pytest.approx(floor, abs=0.003)
        own = [sum(surprise(p) for p in row) / 12 < 0.4869 for row in data.target[0, :, :50, 0].T]
        if solved:
            assert task.right(whole, data)[0, :50].tolist() == own


# Data


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.name)
def test_sequences_are_other_ones_for_each_replica_and_for_the_criterion(kind: Any) -> None:
    task = kind(sequences=16)
    data = task.data(Rand(0, [0, 1], SPLIT), np.float32)
    judged = data.validation
    assert judged.x.shape == data.x.shape
    assert data.x.dtype == data.target.dtype == np.float32
    assert not np.array_equal(data.x[0], data.x[1])
    assert not np.array_equal(data.x, judged.x)
    np.testing.assert_array_equal(task.patterns().x, data.x[0])
    alone = task.data(Rand(0, [1], SPLIT), np.float32)
    np.testing.assert_array_equal(alone.x[0], data.x[1])
    np.testing.assert_array_equal(alone.validation.target[0], judged.target[1])


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_steps_and_those_that_are_asked_are_as_the_spec_says(kind: Any) -> None:
    task = kind()
    spec, data = task.spec(), task.data(Rand(0, [0], SPLIT), float)
    assert data.x.shape[1] == spec.steps
    assert data.target.shape[1] == (spec.asked or spec.steps)
    assert len(task.patterns().names) == task.patterns().x.shape[1] >= spec.patterns


# Traffic


def test_a_history_is_the_window_of_traffic_hour_by_hour() -> None:
    """Bit for bit, in all three parts; and a chain gets what `traffic` gives it."""
    rand = Rand(0, [0], SPLIT)
    flat, steps, chain, head = (
        kind(window=5, horizon=2, **how).data(rand, float)
        for kind, how in (
            (Traffic, {}), (TrafficHistory, {}), (TrafficHistory, {"units": "chain"}),
            (TrafficHistory, {"units": "attention"}),
        )
    )  # fmt: skip
    for part in ("itself", "validation", "held"):
        a, b, c, d = (
            each if part == "itself" else getattr(each, part) for each in (flat, steps, chain, head)
        )
        n = a.x.shape[1]
        assert b.x.shape == (1, 5, n, 4)
        np.testing.assert_array_equal(b.x.swapaxes(1, 2).reshape(1, n, 20), a.x)
        np.testing.assert_array_equal(b.target[:, 0], a.target)
        np.testing.assert_array_equal(c.x, a.x)
        np.testing.assert_array_equal(d.x, np.concatenate([a.x, a.x[..., -4:]], axis=-1))
        np.testing.assert_array_equal(d.target, a.target)


@pytest.mark.parametrize("units", [*KINDS, "chain", "attention"])
def test_traffic_of_a_day_of_history_runs_with_every_kind_of_unit(units: str) -> None:
    trained = run(Backprop(), TrafficHistory(window=24, hidden=3, units=units), replicas=2, epochs=1).trained
    assert np.isfinite(trained.held_rmse).all()
    assert ((trained.right >= 0) & (trained.right <= 1)).all()


def test_traffic_step_by_step_is_forecast_as_well_as_by_a_chain() -> None:
    """All of four networks within 60 epochs, as printed for a chain at most 150."""
    result = run(Backprop(GradientDescent(lr=0.005)), TrafficHistory(), replicas=4, epochs=60)
    assert result.solved.all()


# Learnt

SMALL: dict[type[Task], dict[str, Any]] = {
    AddTask: {"t1": 1, "t2": 2, "length": 12},
    DelayedXor: {"lag": 1, "length": 6},
    FlipFlop: {"channels": 1, "length": 8},
    StoreRecall: {"cues": 0.5},
    ParityOverTime: {"length": 3},
    Copy: {"symbols": 2, "word": 2, "delay": 1},
    BinaryAddition: {"bits": 2},
    ShiftRegister: {"size": 5},
    SequenceCompletion: {},
}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_backprop_learns_it(kind: Any) -> None:
    """More than half of ten networks in a small case, at the usual settings."""
    usual = kind.usual
    rule = Backprop(GradientDescent(lr=usual.lr, momentum=usual.momentum))
    result = run(rule, kind(**SMALL[kind]), replicas=10, epochs=usual.epochs, seed=1)
    assert result.solved.mean() > 0.5
    assert (result.trained.right[result.solved] > 0).all()


@pytest.mark.parametrize("units", KINDS)
def test_every_kind_of_hidden_unit_learns_to_compare_a_bit_with_the_one_before(units: str) -> None:
    """More than half of ten networks."""
    rule = Backprop(GradientDescent(lr=0.003, momentum=0.9))
    task = DelayedXor(lag=1, length=6, units=units, hidden=12)
    assert run(rule, task, replicas=10, epochs=2000, seed=1).solved.mean() > 0.5


# What cannot be


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: AddTask(length=0), "length must be a whole number, at least 1 and at most 1000, "
                                    "but 0 was given"),
        (lambda: AddTask(t2=20), "t2 must be below the length, or no step has another that long before it, "
                                 "but t2=20 and length=20 were given"),
        (lambda: AddTask(t1=8), "t1 and t2 must be two lags, but both are 8"),
        (lambda: AddTask(criterion="side", bound=None),
         "targets of add_task are probabilities: criterion=error and loss=cross_entropy are for them, "
         "but criterion=side and loss=cross_entropy were given"),
        (lambda: AddTask(bound=0.7), "bound=0.7 is met by outputs that are all in the middle of the targets: "
                                     "give a smaller one for criterion 'error'"),
        (lambda: DelayedXor(lag=10), "lag must be below the length, or no step has another that long before "
                                     "it, but lag=10 and length=10 were given"),
        (lambda: DelayedXor(asked=8), "asked must be at most length − lag, 7, but 8 was given"),
        (lambda: Copy(symbols=26, word=3), "words of 3 of 26 symbols are 17576, "
                                           "and at most 4096 are allowed"),
        (lambda: TrafficHistory(layers=2), "layers=2 would be ignored: it belongs to units=chain, "
                                           "but units=tanh was given"),
    ],
    ids=["length", "lag", "one lag", "criterion", "bound", "xor", "asked", "words", "layers"],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(make: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == said
