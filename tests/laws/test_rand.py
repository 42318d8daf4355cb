"""Random streams held to NumPy's own generators drawn directly, and to the distributions they are named
after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import permutations
from math import factorial, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import PCG64, Generator, SeedSequence
from scipy import stats

from harness.core import registry
from harness.core.algorithm import CreditAlgorithm
from harness.core.initial import initial
from harness.core.network import Edge, Group, Network
from harness.core.optimisers import Optimiser
from harness.core.rand import NOISE, NORMAL, ORDER, SPLIT, UNIFORM, WEIGHTS, Rand
from harness.experiment.run import run
from harness.tasks.xor import Xor

PURPOSES = (WEIGHTS, ORDER, NOISE, SPLIT)
quick = settings(deadline=None, derandomize=True, max_examples=60)
seeds, shapes = (
    st.integers(0, 2**64),
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 7)), min_size=1, max_size=8),
)


def direct(seed: int, replica: int, purpose: int, kind: int) -> Generator:
    """The definition in docs/core.md: one generator per replica, purpose and kind."""
    return Generator(PCG64(SeedSequence(seed, spawn_key=(replica, purpose, kind))))


@quick
@given(seeds, st.lists(st.integers(0, 10**6), min_size=1, max_size=5), st.sampled_from(PURPOSES), shapes)
def test_a_replica_draws_from_its_own_seed_sequence(
    seed: int, replicas: list[int], purpose: int, drawn: Any
) -> None:
    rand = Rand(seed, replicas, purpose)
    mine = [(direct(seed, i, purpose, UNIFORM), direct(seed, i, purpose, NORMAL)) for i in replicas]
    for shape in drawn:
        np.testing.assert_array_equal(rand.uniform(*shape), [u.random(shape) for u, _ in mine])
        np.testing.assert_array_equal(rand.normal(*shape), [z.standard_normal(shape) for _, z in mine])


@quick
@given(seeds, shapes, st.sampled_from([1, 2, 7, 64, 4096]), st.data())
def test_bits_depend_on_no_block_size_batch_or_leaver(
    seed: int, drawn: Any, block: int, data: st.DataObject
) -> None:
    """A replica that stays sees the same numbers while others are there, or leave between any two draws."""
    replicas = data.draw(st.lists(st.integers(0, 99), min_size=2, max_size=6, unique=True))
    stays = data.draw(st.sampled_from(replicas))
    alone, crowd = Rand(seed, [stays], NOISE), Rand(seed, replicas, NOISE, block=block)
    there = list(replicas)
    for shape in drawn:
        mask = np.array([i == stays or data.draw(st.booleans()) for i in there])
        crowd.keep(mask)
        there = [i for i, left in zip(there, mask, strict=True) if left]
        row = there.index(stays)
        for draw in ("uniform", "normal"):
            np.testing.assert_array_equal(getattr(crowd, draw)(*shape)[row], getattr(alone, draw)(*shape)[0])
        np.testing.assert_array_equal(crowd.permutation(shape[1])[row], alone.permutation(shape[1])[0])
        assert len(crowd.zeros(2, 2)) == len(there)


def test_seeds_replicas_purposes_and_kinds_all_differ() -> None:
    """3 × 3 × 4 × 2 streams of 8 numbers: no number twice to 12 digits (by chance: < 1e-6)."""
    numbers = []
    for seed in range(3):
        for purpose in PURPOSES:
            rand = Rand(seed, range(3), purpose)
            numbers += [*rand.uniform(8).ravel(), *stats.norm.cdf(rand.normal(8)).ravel()]
    assert len(set(np.round(numbers, 12))) == 3 * 3 * 4 * 2 * 8


@given(st.integers(1, 40), st.integers(0, 2**32))
@quick
def test_permutation_is_a_permutation(n: int, seed: int) -> None:
    order = Rand(seed, range(4), ORDER).permutation(n)
    np.testing.assert_array_equal(np.sort(order, axis=-1), np.tile(np.arange(n), (4, 1)))


@pytest.mark.parametrize("n", [2, 3, 4])
def test_permutation_is_uniform_over_orders(n: int) -> None:
    """Chi-square over all n! orders, 24,000 draws in 6 streams; false alarm 1e-6 for each n, seeded."""
    rand = Rand(11, range(6), ORDER)
    counts = Counter(tuple(map(int, row)) for _ in range(4000) for row in rand.permutation(n))
    observed = [counts[order] for order in permutations(range(n))]
    assert sum(observed) == 24_000
    assert stats.chisquare(observed, [24_000 / factorial(n)] * factorial(n)).pvalue > 1e-6


def test_uniform_and_normal_have_their_distributions() -> None:
    """Kolmogorov-Smirnov on 100,000 draws of 100 streams, and their correlation with the next draw; false
    alarm 4e-6 in all."""
    rand = Rand(12, range(100), NOISE)
    uniform, normal = rand.uniform(1000), rand.normal(1000)
    assert stats.kstest(uniform.ravel(), "uniform").pvalue > 1e-6
    assert stats.kstest(normal.ravel(), "norm").pvalue > 1e-6
    bound = stats.norm.isf(0.5e-6) / sqrt(99_900)  # a correlation of n independent pairs is N(0, 1/n)
    for draws in (uniform, normal):
        assert abs(np.corrcoef(draws[:, :-1].ravel(), draws[:, 1:].ravel())[0, 1]) < bound


def test_uniform_stays_below_one_in_every_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """[0, 1): the largest number a generator gives, 1 − 2⁻⁵³, must not round up to 1 (one float32 draw in 2²⁵
    would)."""
    monkeypatch.setattr("harness.core.rand.Generator", lambda bits: Largest())
    for dtype in ("float64", "float32"):
        assert Rand(0, [0], NOISE, dtype).uniform(3).max() < 1


class Largest:
    def random(self, n: int) -> np.ndarray:
        return np.full(n, 1 - 2.0**-53)


# two hidden groups of unlike size, so that an edge's in and out cannot be mistaken for each other
WIDE = Network.chain(40, 25, 10)
EDGES = [k for k in WIDE.shapes if isinstance(k, Edge)]
BIASES = [k for k in WIDE.shapes if isinstance(k, Group)]


def drawn(init: str, scale: float = 0.0, dtype: str = "float64") -> dict[Any, Any]:
    return initial(WIDE, Rand(13, range(40), WEIGHTS, dtype), init, scale)


@pytest.mark.parametrize("scale", [0.3, 1.0, 5.0])
def test_uniform_initial_weights_fill_plus_minus_scale_biases_too(scale: float) -> None:
    """Kolmogorov-Smirnov against U(−scale, scale), 40 replicas, ≥ 400 numbers an array; false alarm 1e-6
    each, seeded."""
    for value in drawn("uniform", scale).values():
        assert np.abs(value).max() <= scale
        assert stats.kstest(value.ravel(), stats.uniform(-scale, 2 * scale).cdf).pvalue > 1e-6


@pytest.mark.parametrize("init", ["glorot", "he"])
def test_glorot_and_he_have_their_papers_laws(init: str) -> None:
    """Glorot & Bengio 2010: U(±√(6/(in+out))), variance 2/(in+out); He et al. 2015: N(0, 2/in). False alarm
    2e-6 an array.

    The variance of n numbers has standard error σ² √((κ − 1)/n), κ the kurtosis (9/5 uniform, 3 normal).
    """
    params = drawn(init)
    for e in EDGES:
        rows, columns = e.source.size, e.target.size
        half = sqrt(6 / (rows + columns))
        variance, kurtosis = (half**2 / 3, 1.8) if init == "glorot" else (2 / rows, 3.0)
        law = stats.uniform(-half, 2 * half) if init == "glorot" else stats.norm(0, sqrt(variance))
        w = params[e]
        assert w.shape == (40, rows, columns)
        assert stats.kstest(w.ravel(), law.cdf).pvalue > 1e-6
        assert abs(w.var() / variance - 1) < stats.norm.isf(0.5e-6) * sqrt((kurtosis - 1) / w.size)
    for b in BIASES:
        assert not params[b].any()


def test_zero_is_zero() -> None:
    params = drawn("zero")
    assert set(params) == set(WIDE.shapes)
    assert not any(v.any() for v in params.values())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("init", ["uniform", "glorot", "he", "zero"])
def test_initial_weights_come_in_the_precision_of_the_run(init: str, dtype: str) -> None:
    for value in drawn(init, 0.3 if init == "uniform" else 0.0, dtype).values():
        assert value.dtype == np.dtype(dtype)


@dataclass(frozen=True)
class Still(Optimiser):
    """Takes no step, so that a run ends where it started."""

    def init(self, params: Any) -> Any:
        return {}

    def step(self, params: Any, credit: Any, memory: Any, epoch: Any) -> Any:
        return params, memory


CREDIT = [
    kind
    for kind in registry.algorithms().values()
    if issubclass(kind, CreditAlgorithm) and not kind().applies_to(Xor())
]


@pytest.mark.parametrize("kind", CREDIT, ids=lambda kind: kind.name)
@pytest.mark.parametrize("init", ["uniform", "glorot", "he"])
def test_all_algorithms_start_from_the_same_weights(init: str, kind: Any) -> None:
    """Common random numbers: comparisons are paired, whatever else an algorithm draws and however patterns
    come."""
    task = Xor(init=init)
    shared = initial(task.network(), Rand(7, range(5), WEIGHTS), init, task.initial_scale)
    for batch in ("full", 1):
        # Kolen-Pollack must decay: by so little that no weight moves; and it keeps matrices of its own
        # besides
        decay = {"decay": 1e-300} if kind.name == "kolen_pollack" else {}
        result = run(kind(optimiser=Still(lr=1.0), **decay), task, replicas=5, seed=7, epochs=1, batch=batch)
        assert {name: a.tobytes() for name, a in result.trained.weights.items() if "back" not in name} == {
            k.name: v.tobytes() for k, v in shared.items()
        }
