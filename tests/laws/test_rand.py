"""Random streams held to their generators written out in whole numbers, and to the distributions they are
named after."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from math import factorial, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import SFC64, Generator, Philox, SeedSequence
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


MULTIPLIERS, WEYL = (0xD2E7470EE14C6C93, 0xCA5A826395121157), (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
ONES = 2**64 - 1
KNOWN = {  # Random123's known-answer vectors for Philox4x64-10: counter and key, and the four words
    ((0, 0, 0, 0), (0, 0)): (
        *(0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B),
    ),
    ((ONES,) * 4, (ONES,) * 2): (
        *(0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
    ),
    (
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
    ): (*(0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),),
}


def philox(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    """Salmon et al. 2011, section 3.2: ten rounds of two products of 64 bits each, in whole numbers."""
    (a, b, c, d), (first, second) = counter, key
    for _ in range(10):
        left, right = MULTIPLIERS[0] * a, MULTIPLIERS[1] * c
        a, b, c, d = (right >> 64) ^ b ^ first, right & ONES, (left >> 64) ^ d ^ second, left & ONES
        first, second = (first + WEYL[0]) & ONES, (second + WEYL[1]) & ONES
    return a, b, c, d


def sfc(a: int, b: int, c: int) -> Iterator[int]:
    """Doty-Humphrey's sfc64, its counter begun at 1."""
    for count in itertools.count(1):
        drawn = (a + b + count) & ONES
        a, b = b ^ (b >> 11), (c + (c << 3)) & ONES
        c = (((c << 24) & ONES) | (c >> 40)) + drawn & ONES
        yield drawn


def direct(seed: int, replica: int, purpose: int, kind: int) -> Iterator[float]:
    """The definition in docs/core.md, number by number."""
    key = tuple(map(int, SeedSequence(seed, spawn_key=(purpose, kind)).generate_state(2, np.uint64)))
    if kind == UNIFORM:
        for count in range(4 * replica, 4 * replica + 4):
            yield from ((word >> 11) * 2.0**-53 for word in philox((count, 0, 0, 0), key))
    for block in itertools.count(1 if kind == UNIFORM else 0):
        size = min(16 * 16**block, 4096)
        state = philox((replica, block + 1, 0, 0), key)[:3]
        if kind == UNIFORM:
            yield from ((word >> 11) * 2.0**-53 for word in itertools.islice(sfc(*state), size))
        else:
            bits = SFC64(0)
            bits.state = {**bits.state, "state": {"state": np.array([*state, 1], np.uint64)}}
            yield from Generator(bits).standard_normal(size).tolist()


@pytest.mark.parametrize(("given_", "words"), KNOWN.items(), ids=["zeros", "ones", "pi"])
def test_philox_gives_its_known_answers(given_: Any, words: tuple[int, ...]) -> None:
    assert philox(*given_) == words
    counter, key = given_
    number = sum(word << 64 * i for i, word in enumerate(counter))
    bits = Philox(key=np.array(key, np.uint64), counter=(number - 1) % 2**256)  # NumPy counts, then draws
    assert tuple(map(int, bits.random_raw(4))) == words


@quick
@given(seeds, st.lists(st.integers(0, 10**6), min_size=1, max_size=5), st.sampled_from(PURPOSES), shapes)
def test_a_replica_draws_what_is_written(seed: int, replicas: list[int], purpose: int, drawn: Any) -> None:
    """Philox and sfc64 written out in whole numbers; a replica that is named twice draws twice the same."""
    rand = Rand(seed, replicas, purpose)
    mine = [(direct(seed, i, purpose, UNIFORM), direct(seed, i, purpose, NORMAL)) for i in replicas]
    for rows, columns in drawn:
        n = rows * columns
        for draw, kind in ((rand.uniform, UNIFORM), (rand.normal, NORMAL)):
            expected = [list(itertools.islice(each[kind], n)) for each in mine]
            np.testing.assert_array_equal(draw(rows, columns).reshape(-1, n), expected)


@pytest.mark.parametrize("kind", [UNIFORM, NORMAL])
@pytest.mark.parametrize("cuts", [(4, 12, 1), (16, 256), (15, 2, 300), (5000,), (272, 4096, 4096, 1)])
def test_blocks_follow_one_another_without_a_seam(kind: int, cuts: tuple[int, ...]) -> None:
    rand, whole = Rand(3, [7, 8, 12], NOISE), Rand(3, [7, 8, 12], NOISE).block(kind, sum(cuts))
    np.testing.assert_array_equal(np.concatenate([rand.block(kind, n) for n in cuts], axis=1), whole)
    np.testing.assert_array_equal(whole[2], list(itertools.islice(direct(3, 12, NOISE, kind), sum(cuts))))


@quick
@given(seeds, shapes, st.data())
def test_bits_depend_on_no_batch_or_leaver(seed: int, drawn: Any, data: st.DataObject) -> None:
    """A replica that stays sees the same numbers while others are there, or leave between any two draws."""
    replicas = data.draw(st.lists(st.integers(0, 99), min_size=2, max_size=6))
    stays = data.draw(st.sampled_from(replicas))
    alone, crowd = Rand(seed, [stays], NOISE), Rand(seed, replicas, NOISE)
    there = list(replicas)
    for shape in drawn:
        mask = np.array([i == stays or data.draw(st.booleans()) for i in there])
        crowd.keep(mask)
        there = [i for i, left in zip(there, mask, strict=True) if left]
        for row in np.flatnonzero(np.equal(there, stays)):
            for draw in ("uniform", "normal"):
                numbers = getattr(crowd, draw)(*shape)[row]
                again = getattr(alone, draw)(*shape)[0] if row == there.index(stays) else numbers
                np.testing.assert_array_equal(numbers, again)
            break
        np.testing.assert_array_equal(
            crowd.permutation(shape[1])[there.index(stays)], alone.permutation(shape[1])[0]
        )
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


def test_streams_side_by_side_are_independent() -> None:
    """Correlations of 10^6 numbers of 2,000 streams with those of the next replica, purpose, seed and block,
    and a chi-square over pairs in 32 × 32 cells for each; false alarm 1e-5 in all, seeded."""
    n, replicas = 500, range(2000)

    def numbers(seed: int, purpose: int, skip: int = 0) -> np.ndarray:
        return Rand(seed, replicas, purpose).block(UNIFORM, skip + n)[:, skip:]

    own = numbers(5, NOISE)
    others = {
        "replica": np.roll(own, 1, axis=0),
        "purpose": numbers(5, ORDER),
        "seed": numbers(6, NOISE),
        "block": numbers(5, NOISE, skip=272),
    }
    bound = stats.norm.isf(0.5e-6) / sqrt(own.size)
    for other in others.values():
        assert abs(np.corrcoef(own.ravel(), other.ravel())[0, 1]) < bound
        cells = np.bincount(np.ravel((32 * own).astype(int) * 32 + (32 * other).astype(int)), minlength=1024)
        assert stats.chisquare(cells).pvalue > 1e-6


def test_uniform_stays_below_one_in_every_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """[0, 1): the largest number a generator gives, 1 − 2⁻⁵³, must not round up to 1 (one float32 draw in 2²⁵
    would)."""
    monkeypatch.setattr(Rand, "_take", lambda self, kind, shape: np.full((1, *shape), 1 - 2.0**-53))
    for dtype in ("float64", "float32"):
        assert Rand(0, [0], NOISE, dtype).uniform(3).max() < 1


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
        # Kolen-Pollack must decay: by so little that no weight moves
        decay = {"decay": 1e-300} if kind.name == "kolen_pollack" else {}
        result = run(kind(optimiser=Still(lr=1.0), **decay), task, replicas=5, seed=7, epochs=1, batch=batch)
        found = result.trained.weights  # some keep matrices of their own besides
        assert {k.name: found[k.name].tobytes() for k in shared} == {
            k.name: v.tobytes() for k, v in shared.items()
        }
