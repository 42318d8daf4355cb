"""Hopfield's network held to closed forms: the binomial law of a bit's error, the projection on the patterns,
an energy that never rises, Storkey's fields by hand.

A share over networks is compared by a t interval over independent networks, whose patterns are not
independent of one another. There are seven such comparisons, each with a false-alarm rate of 1e-3, seeded.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from math import erfc, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, t

from algorithms.hopfield import Hopfield
from harness.core.algorithm import Batch
from harness.core.losses import SquaredError
from harness.core.network import Edge, Network
from harness.core.rand import NOISE, Rand
from harness.replication.hopfield1982 import half
from harness.tasks.recall import Recall

RULES = ("hebb", "pseudo_inverse", "storkey")
FALSE_ALARM = 1e-3
Array = Any
quick = settings(deadline=None, derandomize=True, max_examples=50)


def network(n: int) -> tuple[Network, Edge]:
    net = Recall(units=n, stored=1, flipped=0).network()
    return net, net.edges[0]


def learnt(rule: Hopfield, patterns: Array) -> Array:
    """The weights (…, N, N) after patterns of ±1 (…, P, N)."""
    net, edge = network(patterns.shape[-1])
    wanted = patterns > 0
    batch = Batch(wanted.astype(float), wanted.astype(float), wanted, 0, SquaredError())
    start = {"params": {edge: np.zeros((*patterns.shape[:-2], *edge.shape))}}
    return rule.update(net, start, batch, Rand(0, [0], NOISE)).state["params"][edge]


def drawn(replicas: int, p: int, n: int, seed: int) -> Array:
    return np.random.default_rng(seed).choice([-1.0, 1.0], (replicas, p, n))


def half_width(each: Array) -> float:
    """Of the t interval around the mean over networks."""
    return float(t.ppf(1 - FALSE_ALARM / 2, len(each) - 1) * each.std(ddof=1) / sqrt(len(each)))


def bit_error(n: int, p: int) -> float:
    """Of a unit at the first look at a stored pattern: (P − 1)(N − 1) random signs outweigh its N − 1.

    A tie keeps the state.
    """
    signs = (p - 1) * (n - 1)
    return float(binom.cdf(np.ceil((signs - (n - 1)) / 2) - 1, signs, 0.5))


patterns_of = st.builds(
    lambda p, n, seed: drawn(1, p, n, seed)[0],
    st.integers(1, 8),
    st.integers(2, 9),
    st.integers(0, 2**32 - 1),
)


def symmetric(n: int, seed: int) -> Array:
    w = np.random.default_rng(seed).normal(size=(n, n))
    return (w + w.T) * (1 - np.eye(n))


def energy(w: Array, s: Array) -> Array:
    return -0.5 * np.einsum("pi,ij,pj->p", s, w, s)


# What is stored


@quick
@given(patterns_of)
def test_hebbs_weights_are_the_mean_of_the_outer_products_without_a_diagonal(xi: Array) -> None:
    w = sum(np.outer(x, x) for x in xi) / xi.shape[1]
    np.testing.assert_allclose(learnt(Hopfield(diagonal=True), xi), w, atol=1e-14)
    np.testing.assert_allclose(learnt(Hopfield(), xi), w - np.diag(np.diag(w)), atol=1e-14)


@quick
@given(patterns_of)
def test_the_pseudo_inverse_is_the_projection_on_the_patterns_however_many_and_dependent(xi: Array) -> None:
    projection = np.linalg.pinv(xi) @ xi
    for order in (xi, xi[::-1], np.concatenate([xi, -xi])):
        w = learnt(Hopfield(rule="pseudo_inverse", diagonal=True), order)
        np.testing.assert_allclose(w, projection, atol=1e-9)


def test_storkeys_weights_of_three_units_by_hand() -> None:
    """After (+ + +) every weight is ⅓. Then (+ + −): h_12 = h_21 = w_13 ξ_3 = −⅓ and all other h_ij = ⅓, so
    that w_12 = ⅓ + ⅓ (1 + ⅓ + ⅓) = 8/9, and w_13 = w_23 = ⅓ + ⅓ (−1 − ⅓ + ⅓) = 0."""
    first = [1.0, 1.0, 1.0]
    one = learnt(Hopfield(rule="storkey"), np.array([first]))
    np.testing.assert_allclose(one, (1 - np.eye(3)) / 3, atol=1e-15)
    both = learnt(Hopfield(rule="storkey"), np.array([first, [1.0, 1.0, -1.0]]))
    np.testing.assert_allclose(both, np.array([[0, 8, 0], [8, 0, 0], [0, 0, 0]]) / 9, atol=1e-15)


@quick
@given(patterns_of)
def test_storkeys_weights_are_those_of_his_sums_written_out(xi: Array) -> None:
    n = xi.shape[1]
    w = np.zeros((n, n))
    for x in xi:
        h = np.zeros((n, n))
        for i, j in product(range(n), repeat=2):
            h[i, j] = sum(w[i, k] * x[k] for k in range(n) if k not in (i, j))
        w = w + (np.outer(x, x) - x[:, None] * h.T - h * x) / n
    np.testing.assert_allclose(learnt(Hopfield(rule="storkey", diagonal=True), xi), w, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_storing_again_changes_no_bit_and_a_batch_is_all_that_is_stored(rule: str) -> None:
    net, edge = network(6)
    xi = drawn(1, 3, 6, seed=1)
    wanted = xi > 0
    batch = Batch(wanted.astype(float), wanted.astype(float), wanted, 0, SquaredError())
    noise, hopfield = Rand(0, [0], NOISE), Hopfield(rule=rule)
    once = hopfield.update(net, {"params": {edge: np.ones((1, 6, 6))}}, batch, noise).state
    twice = hopfield.update(net, once, batch, noise).state
    assert once["params"][edge].tobytes() == twice["params"][edge].tobytes()
    last = learnt(hopfield, xi[:, 2:])
    one = batch._replace(**{name: getattr(batch, name)[:, 2:] for name in ("x", "target", "wanted")})
    assert hopfield.update(net, once, one, noise).state["params"][edge].tobytes() == last.tobytes()


# What is recalled


@quick
@given(st.integers(2, 8), st.integers(0, 2**32 - 1), st.booleans())
def test_one_after_another_the_energy_never_rises_and_settles(n: int, seed: int, diagonal: bool) -> None:
    w = symmetric(n, seed) + diagonal * np.diag(np.random.default_rng(seed).random(n))
    s = drawn(1, 5, n, seed)[0]
    before = energy(w, s)
    for _ in range(2**n):
        s = Hopfield(sweeps=1).settled(w, s)
        after = energy(w, s)
        assert (after <= before + 1e-12).all()
        before = after
    assert (Hopfield(sweeps=1).settled(w, s) == s).all()


@quick
@given(st.integers(2, 8), st.integers(0, 2**32 - 1), st.sampled_from(["asynchronous", "synchronous"]))
def test_a_state_and_its_mirror_image_go_the_same_way(n: int, seed: int, updates: str) -> None:
    w, s = symmetric(n, seed), drawn(1, 5, n, seed)[0]
    hopfield = Hopfield(updates=updates, sweeps=3)
    assert (hopfield.settled(w, -s) == -hopfield.settled(w, s)).all()


@quick
@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_a_look_is_the_sign_of_a_sum_over_what_comes_in(n: int, seed: int) -> None:
    """All at once; and one after another, where a later unit sees what an earlier one became."""
    w, s = np.random.default_rng(seed).normal(size=(n, n)), drawn(1, 3, n, seed)[0]
    once = Hopfield(updates="synchronous", sweeps=2).settled(w, s)
    assert (once == np.sign(np.sign(s @ w) @ w)).all()
    expected = s.copy()
    for _, row, unit in product(range(2), range(3), range(n)):
        expected[row, unit] = np.sign(expected[row] @ w[:, unit])
    assert (Hopfield(sweeps=2).settled(w, s) == expected).all()


def test_all_at_once_two_units_take_turns_and_one_after_another_they_settle() -> None:
    """(+ +) is stored, w = ½, and (+ −) is given: each becomes what the other was, for ever."""
    w = learnt(Hopfield(), np.array([[1.0, 1.0]]))
    s = np.array([[1.0, -1.0]])
    for sweeps in range(1, 5):
        turned = Hopfield(updates="synchronous", sweeps=sweeps).settled(w, s)
        assert turned.tolist() == ((-1) ** sweeps * s).tolist()
        assert Hopfield(sweeps=sweeps).settled(w, s).tolist() == [[-1.0, -1.0]]


def test_who_hears_nothing_stays_although_sums_are_rounded() -> None:
    """.1 · 3 − .3 is 5.6e-17 in binary numbers."""
    w = np.zeros((5, 5))
    w[0] = w[:, 0] = [0, 0.1, 0.1, 0.1, 0.3]
    s = np.array([[1.0, 1, 1, 1, -1], [-1.0, 1, 1, 1, -1]])
    hopfield = Hopfield(sweeps=1, updates="synchronous")
    assert hopfield.settled(w, s)[:, 0].tolist() == [1.0, -1.0]
    assert hopfield.settled(w, -s)[:, 0].tolist() == [-1.0, 1.0]


@quick
@given(st.integers(2, 12), st.integers(0, 2**32 - 1), st.sampled_from(["asynchronous", "synchronous"]))
def test_patterns_stored_by_the_pseudo_inverse_are_fixed_points(n: int, seed: int, updates: str) -> None:
    xi = drawn(1, n - 1, n, seed)[0]
    hopfield = Hopfield(rule="pseudo_inverse", updates=updates, sweeps=2)
    for diagonal in (False, True):
        rule = replace(hopfield, diagonal=diagonal)
        assert (rule.settled(learnt(rule, xi), xi) == xi).all()


@pytest.mark.parametrize(("p", "share"), [(40, 0.98), (60, 0.02)])
def test_a_weight_to_itself_holds_a_flipped_bit(p: int, share: float) -> None:
    """A flipped unit of N = 100 hears ξ (1 − 2 w_ii), and ξ (1 − w_ii) without that weight.

    n = 20 networks, every unit of one pattern flipped alone; the shares were computed elsewhere, to .01.
    """
    xi = drawn(20, p, 100, seed=p)
    flipped = xi[:, :1] * (1 - 2 * np.eye(100))
    kept, none = (Hopfield("pseudo_inverse", "synchronous", 1, diagonal) for diagonal in (True, False))
    repaired = np.einsum("rii->ri", kept.settled(learnt(kept, xi), flipped)) == xi[:, 0]
    own = np.einsum("rpi,rip->ri", xi, np.linalg.pinv(xi))
    assert (repaired == (own < 0.5)).all()
    each = repaired.mean(axis=1)
    assert abs(each.mean() - share) <= half_width(each) + 0.01
    assert (np.einsum("rii->ri", none.settled(learnt(none, xi), flipped)) == xi[:, 0]).all()


def test_units_that_are_0_or_1_hear_only_those_that_are_on() -> None:
    """(+ + −) is stored, w_12 = ⅓ and w_13 = w_23 = −⅓. With all off nobody hears anything; unit 3 alone
    keeps the others off; unit 1 alone turns unit 2 on, and hears nothing itself."""
    w = learnt(Hopfield(), np.array([[1.0, 1.0, -1.0]]))
    s = np.array([[-1.0, -1.0, -1.0], [-1.0, -1.0, 1.0], [1.0, -1.0, -1.0]])
    rule = Hopfield(updates="synchronous", states="binary", sweeps=1)
    assert rule.settled(w, s).tolist() == [[-1, -1, -1], [-1, -1, 1], [1, 1, -1]]


@quick
@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_of_units_that_are_0_or_1_the_energy_never_rises_either(n: int, seed: int) -> None:
    w, s = symmetric(n, seed), drawn(1, 5, n, seed)[0]
    for _ in range(4):
        after = Hopfield(states="binary", sweeps=1).settled(w, s)
        assert (energy(w, (1 + after) / 2) <= energy(w, (1 + s) / 2) + 1e-12).all()
        s = after


# How many


def test_the_law_of_a_bits_error_is_hopfields_in_the_limit() -> None:
    """½ erfc(√(N / 2P)): its distance from the binomial law falls as 1 / N at a fixed P / N."""
    gaps = [bit_error(n, n // 5) / (0.5 * erfc(sqrt(2.5))) - 1 for n in (500, 2000, 8000, 32000)]
    assert max(map(abs, gaps)) < 0.1
    for wide, narrow in pairwise(gaps):
        assert abs(narrow) < 0.6 * abs(wide)


def share_wrong(p: int, networks: int) -> Array:
    """Bits that a look at a stored pattern of N = 500 turns over, of each network."""
    hopfield = Hopfield(updates="synchronous", sweeps=1)
    found = []
    for seed in range(networks):
        xi = drawn(1, p, 500, seed)
        found.append((hopfield.settled(learnt(hopfield, xi), xi) != xi).mean())
    return np.array(found)


@pytest.mark.parametrize(("p", "limit"), [(50, 7.8e-4), (70, 3.8e-3), (100, 1.27e-2)])
@pytest.mark.parametrize("networks", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_a_bits_error_at_a_stored_pattern(p: int, limit: float, networks: int) -> None:
    each = share_wrong(p, networks)
    assert abs(each.mean() - bit_error(500, p)) <= half_width(each)
    assert 0.5 * erfc(sqrt(500 / (2 * p))) == pytest.approx(limit, rel=0.01)


def test_a_bits_error_where_units_are_0_or_1() -> None:
    """K of the N − 1 others are on, and (P − 1) K random signs outweigh K. n = 400 networks, 400,000 bits."""
    on, p = np.arange(100), 10
    given_on = binom.cdf(np.ceil((p - 1) * on / 2 - on / 2) - 1, (p - 1) * on, 0.5)
    law = float(given_on @ binom.pmf(on, 99, 0.5))
    rule = Hopfield(updates="synchronous", states="binary", sweeps=1)
    xi = drawn(400, p, 100, seed=2)
    each = (rule.settled(learnt(rule, xi), xi) != xi).mean(axis=(1, 2))
    assert abs(each.mean() - law) <= half_width(each)


def fixed_points(networks: int) -> Array:
    """The share of 14 patterns in 100 units that a look leaves as they are, of each network."""
    hopfield = Hopfield(updates="synchronous", sweeps=1)
    found = []
    for seed in range(networks // 200):
        xi = drawn(200, 14, 100, seed)
        found.append((hopfield.settled(learnt(hopfield, xi), xi) == xi).all(axis=-1).mean(axis=-1))
    return np.concatenate(found)


def stands(draws: int) -> Array:
    """Whether a pattern stands, one of 14 in 100 units a draw. Seen from a pattern that is all +, unit i
    stands where N − P + Σ_μ ξ_i^μ Σ_j ξ_j^μ ≥ 0 over the 13 others: no weights are made."""
    rng = np.random.default_rng(0)
    xi = rng.choice(np.array([-1, 1], np.int16), (draws, 100, 13))
    return (np.einsum("dim,dm->di", xi, xi.sum(axis=1)) >= 14 - 100).all(axis=1)


@pytest.mark.parametrize(
    ("networks", "draws"), [(400, 10_000), pytest.param(4000, 60_000, marks=pytest.mark.slow)]
)
def test_four_fifths_of_fourteen_patterns_in_a_hundred_units_stand(networks: int, draws: int) -> None:
    """Not all of them, and more than if bits erred independently: they share their overlaps."""
    each, alone = fixed_points(networks), stands(draws)
    apart = half_width(each), half_width(alone.astype(float))
    assert abs(each.mean() - alone.mean()) <= sqrt(apart[0] ** 2 + apart[1] ** 2)
    assert abs(each.mean() - 0.803) <= apart[0] + 0.003
    assert each.mean() - apart[0] > (1 - bit_error(100, 14)) ** 100


def test_the_load_of_half_the_patterns_lies_on_a_line_between_two_loads() -> None:
    """From 1 at .1 and ¼ at .2 to ½ at .1 + .1 · ⅔; and nowhere where more than half are whole throughout."""
    seen = {"load": np.array([0.1, 0.2, 0.3]), "whole": np.tile([1.0, 0.25, 0.0], (40, 1))}
    assert half(seen).value == pytest.approx(0.1 + 0.1 * 2 / 3)
    assert np.isnan(half({**seen, "whole": np.ones((40, 3))}).value)
