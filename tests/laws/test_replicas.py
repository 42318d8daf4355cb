"""Invariances of training: a replica has the same bits alone, in any batch, chunk or process; no unit has a
name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from algorithms.backprop import Backprop
from algorithms.finite_differences import FiniteDifferences
from algorithms.perceptron import Perceptron
from algorithms.shallow import Shallow
from harness.cells.settings import Settings
from harness.core import kernels
from harness.core.algorithm import Algorithm, Batch
from harness.core.data import Patterns
from harness.core.edges import Edge, Group
from harness.core.initial import initial
from harness.core.network import Network
from harness.core.optimisers import Adam, GradientDescent
from harness.core.rand import NOISE, WEIGHTS, Rand
from harness.core.task import Task
from harness.experiment import chunks
from harness.experiment.result import Result
from harness.experiment.run import run
from harness.tasks.xor import Xor
from harness.training import trainer as training
from harness.training.trainer import Trained
from helpers.planted import Noisy, TwoOfFour

REPLICAS = 24
quick = settings(deadline=None, derandomize=True, max_examples=150)
TIMED = (
    "seconds",
    "weights",
    "credit",
    "told",
    "ran",
)  # the clock is nobody's replica; weights are looked at by name
BITWISE = [f.name for f in fields(Trained) if f.name not in TIMED]


class Case(NamedTuple):
    algorithm: Algorithm
    task: Task
    settings: dict[str, Any]


def case(algorithm: Algorithm, task: Task, epochs: int, batch: Any, **more: Any) -> Case:
    return Case(algorithm, task, {"epochs": epochs, "batch": batch, "seed": 3, **more})


CASES = {
    "backprop full": case(Backprop(), Xor(), 600, "full"),
    "backprop full float32": case(Backprop(), Xor(), 600, "full", dtype="float32"),
    "backprop online": case(Backprop(), Xor(hidden=5), 150, 1),
    "backprop online float32": case(Backprop(), Xor(hidden=5), 150, 1, dtype="float32"),
    "backprop mini-batch": case(Backprop(), Xor(hidden=3), 250, 3),
    "backprop adam": case(Backprop(optimiser=Adam(lr=0.1)), Xor(hidden=3), 120, "full"),
    "noisy full": case(Noisy(), Xor(hidden=3), 200, "full"),
    "noisy online float32": case(Noisy(), Xor(hidden=5), 120, 1, dtype="float32"),
    "backprop shortcut": case(Backprop(), Xor(hidden=1, shortcut=True), 450, "full"),
    "backprop held out": case(Backprop(), TwoOfFour(kept_back=3), 60, "full"),
    "backprop held out online": case(Backprop(), TwoOfFour(kept_back=3), 40, 1),
    "shallow full": case(Shallow(), TwoOfFour(hidden=9), 500, "full"),
    "shallow online": case(Shallow(), TwoOfFour(hidden=9), 120, 1),
    "perceptron full": case(Perceptron(), TwoOfFour(kept_back=3), 60, "full"),
    "perceptron online": case(Perceptron(), TwoOfFour(), 10, 1),
    "perceptron mini-batch float32": case(Perceptron(), TwoOfFour(kept_back=3), 20, 3, dtype="float32"),
    "finite differences full": case(FiniteDifferences(), TwoOfFour(), 60, "full"),
    "finite differences mini-batch": case(FiniteDifferences(), TwoOfFour(kept_back=3), 45, 5),
}
every_case = pytest.mark.parametrize("name", CASES)


def train(name: str, only: Sequence[int] | None = None, **changes: Any) -> Result:
    algorithm, task, usual = CASES[name]
    return run(algorithm, task, only=only, **{"replicas": REPLICAS, **usual, **changes})


whole = cache(train)


def bits(result: Result) -> dict[int, dict[str, Any]]:
    """Everything a replica came to, by its number, in a form that == compares bit for bit."""
    t = result.trained
    arrays = {name: getattr(t, name) for name in BITWISE} | {f"weights.{n}": a for n, a in t.weights.items()}
    arrays |= {f"told.{n}": a for n, a in t.told.items()}
    return {
        int(i): {
            n: a[row] if a.dtype == object else (a.dtype.str, a[row].tobytes()) for n, a in arrays.items()
        }
        for row, i in enumerate(t.replica)
    }


@every_case
def test_these_cases_have_replicas_that_finish_at_different_times(name: str) -> None:
    """Without leavers, compaction would be tested on nothing."""
    epochs = whole(name).trained.epochs
    assert len(set(epochs)) >= 3
    assert np.mean(epochs < epochs.max()) > 0.25


@every_case
def test_a_replica_alone_is_itself_in_a_batch(name: str) -> None:
    together = bits(whole(name))
    order = np.argsort(whole(name).trained.epochs)
    for i in (order[0], order[REPLICAS // 2], order[-1]):  # the first to finish, one in the middle, the last
        assert bits(train(name, only=[int(i)])) == {int(i): together[int(i)]}


@every_case
def test_the_order_of_replicas_is_only_an_order(name: str) -> None:
    order = [int(i) for i in np.random.default_rng(0).permutation(REPLICAS)]
    permuted = train(name, only=order)
    assert permuted.trained.replica.tolist() == order
    assert bits(permuted) == bits(whole(name))


@every_case
def test_compaction_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bits of those who go on must not depend on when those who are done leave the batch."""
    expected = bits(whole(name))  # before: made under the patch it would be compared with itself
    monkeypatch.setattr(training, "COMPACT_AT", 0.0)
    assert bits(train(name)) == expected


@every_case
def test_chunks_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bits must not depend on how many replicas fit the cache of the machine at once."""
    expected = bits(whole(name))
    for limit, value in (("CACHE", 1), ("SMALLEST", 5), ("LARGEST", 5)):
        monkeypatch.setattr(chunks, limit, value)
    assert chunks.chunk_size(CASES[name].task, Settings()) == 5
    chunked = train(name)
    assert chunked.trained.replica.tolist() == list(range(REPLICAS))
    assert bits(chunked) == expected


def test_processes_change_nothing() -> None:
    name = "backprop full"
    assert bits(train(name, processes=2)) == bits(whole(name))


@every_case
def test_the_seed_is_all_there_is_to_chance(name: str) -> None:
    assert bits(train(name)) == bits(whole(name))
    assert bits(train(name, seed=4)) != bits(whole(name))


@dataclass(frozen=True)
class Relabelled(Backprop):
    """Backprop from the shared initial weights with the hidden units in another order."""

    order: tuple[int, ...] = ()

    def init(self, net: Network, params: Any, rand: Rand) -> Any:
        first, second = net.edges
        order = list(self.order)
        hidden = net.hidden[0]
        moved = {
            first: params[first][..., order],
            hidden: params[hidden][..., order],
            second: params[second][..., order, :],
        }
        return super().init(net, {**params, **moved}, rand)


@pytest.mark.parametrize("batch", ["full", 1])
def test_hidden_units_have_no_names(batch: Any) -> None:
    """Permuting them at the start permutes them at the end; rounding may differ, so a short run and a
    tolerance."""
    order = (2, 0, 3, 1)
    task, settings = Xor(hidden=4), {"replicas": 6, "epochs": 60, "batch": batch, "seed": 5}
    plain = run(Backprop(), task, **settings).trained.weights
    moved = run(Relabelled(order=order), task, **settings).trained.weights
    expected = {
        "input-hidden": plain["input-hidden"][..., list(order)],
        "hidden": plain["hidden"][..., list(order)],
        "hidden-output": plain["hidden-output"][..., list(order), :],
        "output": plain["output"],
    }
    for name, value in expected.items():
        np.testing.assert_allclose(moved[name], value, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("algorithm", [Backprop(), Shallow(), FiniteDifferences()], ids=lambda a: a.name)
def test_a_pattern_given_twice_counts_twice(algorithm: Any) -> None:
    """Losses are sums over patterns, not means: credit(A ∪ {a}) = credit(A) + credit({a})."""
    task = Xor(hidden=3)
    net, data = task.network(), task.data(Rand(0, [0], NOISE), "float64")
    params = initial(net, Rand(0, range(4), WEIGHTS), "uniform", 1.0)

    def credit(rows: list[int]) -> Any:
        batch = Batch(*(a[..., rows, :] for a in data[:3]), 0)
        return algorithm.credit(net, params, {}, batch, Rand(0, range(4), NOISE)).gradient

    once, twice, alone = credit([0, 1, 2, 3]), credit([0, 1, 2, 3, 2]), credit([2])
    tolerance = 1e-8 if isinstance(algorithm, FiniteDifferences) else 1e-13
    for k in once:
        np.testing.assert_allclose(twice[k], once[k] + alone[k], rtol=tolerance, atol=tolerance)


def test_all_patterns_twice_is_twice_the_learning_rate() -> None:
    """The same through a whole run: two copies of XOR at ε are XOR at 2ε, where momentum carries it on."""

    @dataclass(frozen=True)
    class TwiceXor(Xor):
        def patterns(self) -> Patterns:
            x, wanted, names, *_ = super().patterns()
            return Patterns(np.tile(x, (2, 1)), np.tile(wanted, (2, 1)), names * 2)

    settings = {"replicas": 6, "epochs": 60, "seed": 5}
    twice = run(Backprop(optimiser=GradientDescent(0.25, 0.9)), TwiceXor(), **settings).trained.weights
    once = run(Backprop(optimiser=GradientDescent(0.5, 0.9)), Xor(), **settings).trained.weights
    for name in once:
        np.testing.assert_allclose(twice[name], once[name], rtol=1e-9, atol=1e-11)


LEADS = st.sampled_from([(), (1,), (3,), (2, 3)])
DTYPES = st.sampled_from(["float64", "float32"])
SIZES = st.integers(1, 9)


@quick
@given(
    lead=LEADS,
    n=SIZES,
    k=SIZES,
    dtype=DTYPES,
    shared=st.sampled_from(["none", "total", "bias"]),
    seed=st.integers(0, 2**32),
)
def test_add_bias_is_plus_bit_for_bit(
    lead: tuple[int, ...], n: int, k: int, dtype: str, shared: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    total = rng.normal(size=(*(() if shared == "total" else lead), n, k)).astype(dtype)
    bias = rng.normal(size=(*(() if shared == "bias" else lead), 1, k)).astype(dtype)
    a, b = kernels.add_bias(total.copy(), bias), total + bias
    assert (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())


@quick
@given(lead=LEADS, n=st.integers(1, 100), k=SIZES, dtype=DTYPES, seed=st.integers(0, 2**32))
def test_sum_patterns_is_the_sum_to_rounding(
    lead: tuple[int, ...], n: int, k: int, dtype: str, seed: int
) -> None:
    """Any order of summing n numbers errs by at most (n − 1) ε Σ|a|."""
    a = np.random.default_rng(seed).normal(size=(*lead, n, k)).astype(dtype)
    total = kernels.sum_patterns(a)
    exact = a.astype(np.longdouble).sum(axis=-2, keepdims=True)
    assert (total.shape, total.dtype) == (exact.shape, a.dtype)
    assert (np.abs(total - exact) <= n * np.finfo(dtype).eps * np.abs(a).sum(axis=-2, keepdims=True)).all()


@quick
@given(lead=LEADS, n=SIZES, k=SIZES, m=SIZES, shared=st.booleans(), seed=st.integers(0, 2**32))
def test_outer_is_activity_times_blame_summed_over_patterns(
    lead: tuple[int, ...], n: int, k: int, m: int, shared: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    source, target = rng.normal(size=(*(() if shared else lead), n, k)), rng.normal(size=(*lead, n, m))
    expected = sum(source[..., p, :, None] * target[..., p, None, :] for p in range(n))
    found = Edge(Group("a", k), Group("b", m)).outer(source, target)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [1, 2, 4, 7, 64, 100])
def test_products_of_a_stack_are_the_stack_of_products_bit_for_bit(n: int, dtype: str) -> None:
    """What everything above rests on, and BLAS never promised: forward, back, and outer products, 49 shapes
    each."""
    rng = np.random.default_rng(0)
    replicas, sizes = 5, (1, 2, 3, 6, 12, 24, 65)
    with threadpool_limits(1, user_api="blas"):
        for k in sizes:
            for m in sizes:
                x, w, d = (rng.normal(size=(replicas, *s)).astype(dtype) for s in ((n, k), (k, m), (n, m)))
                shared = x[0].copy()
                for i in range(replicas):
                    for j in ([i], [i, (i + 1) % replicas]):  # alone, and with another neighbour
                        assert (x @ w)[i].tobytes() == (x[j] @ w[j])[0].tobytes()
                        assert (shared @ w)[i].tobytes() == (shared @ w[j])[0].tobytes()
                        assert (d @ w.mT)[i].tobytes() == (d[j] @ w[j].mT)[0].tobytes()
                        assert (x.mT @ d)[i].tobytes() == (x[j].mT @ d[j])[0].tobytes()
                        assert (shared.mT @ d)[i].tobytes() == (shared.mT @ d[j])[0].tobytes()
                        assert kernels.sum_patterns(d)[i].tobytes() == kernels.sum_patterns(d[j])[0].tobytes()
