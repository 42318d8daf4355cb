"""Linear CKA held to its invariances, to closed forms, and to the definition by Gram matrices; fronts to
brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import InputError
from harness.inspection.similarity import compare, linear_cka
from harness.statistics.pareto import pareto_front


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def rotation(k, seed=1):
    return np.linalg.qr(normal(k, k, seed=seed))[0]


# Linear CKA


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1.0, 1e200])
def test_the_same_representation_turned_moved_and_scaled_is_alike(scale):
    x = normal(30, 5)
    for other in (x, x @ rotation(5), -x, x[:, ::-1], x + 7.0, np.hstack([x, np.zeros((30, 2))])):
        assert linear_cka(x, scale * other) == pytest.approx(1.0)


def test_it_is_that_of_the_gram_matrices():
    """HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)) with K = X Xᵀ and L = Y Yᵀ centred by H (Gretton et al. 2005; eq.
    3 and 4)."""
    x, y = normal(12, 3), normal(12, 7, seed=1)
    h = np.eye(12) - 1 / 12
    k, m = h @ x @ x.T @ h, h @ y @ y.T @ h
    expected = np.trace(k @ m) / np.sqrt(np.trace(k @ k) * np.trace(m @ m))
    assert linear_cka(x, y) == pytest.approx(expected)
    assert linear_cka(y, x) == pytest.approx(expected)


def test_a_linear_map_of_orthonormal_units_has_the_closed_form():
    """XᵀX = 1: CKA(X, X A) = |A|² / (√k |AᵀA|), of the singular values a of A Σ a² / (√k √Σ a⁴)."""
    x = np.linalg.qr(normal(40, 4) - normal(40, 4).mean(0))[0]
    x = np.linalg.qr(x - x.mean(0))[0]
    a = np.array([3.0, 2.0, 1.0, 0.5])
    expected = (a**2).sum() / (2 * np.sqrt((a**4).sum()))
    assert linear_cka(x, x @ rotation(4) @ np.diag(a) @ rotation(4, seed=2)) == pytest.approx(expected)


def test_orthogonal_representations_have_nothing_in_common():
    both = np.linalg.qr(normal(20, 6) - normal(20, 6).mean(0))[0]
    both = np.linalg.qr(both - both.mean(0))[0]
    assert linear_cka(both[:, :3], both[:, 3:]) == pytest.approx(0.0, abs=1e-12)


def test_independent_representations_have_the_little_that_chance_makes():
    """E CKA ≈ k m / n / √(k (1 + k/n) m (1 + m/n)) for normal units: .0050 at k = m = 5, n = 1,000; bound:
    ten times that."""
    assert linear_cka(normal(1000, 5), normal(1000, 5, seed=1)) < 0.05
    assert (
        linear_cka(normal(6, 50), normal(6, 50, seed=1)) > 0.7
    )  # more units than patterns: near 1 by chance


def test_leading_axes_come_free_and_what_does_not_vary_has_no_answer():
    x, y = normal(4, 10, 3), normal(4, 10, 2, seed=1)
    np.testing.assert_allclose(linear_cka(x, y), [linear_cka(a, b) for a, b in zip(x, y, strict=True)])
    y[1], y[2] = 0.3, np.nan
    assert np.isnan(linear_cka(x, y)).tolist() == [False, True, True, False]


def test_pairs_are_those_of_different_replicas():
    a, b = normal(3, 10, 4), normal(2, 10, 5, seed=1)
    found = compare({"a": a, "b": b})
    across = [linear_cka(a[i], b[j]) for i in range(3) for j in range(2) if i != j]
    within = [linear_cka(a[i], a[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    np.testing.assert_allclose(found.mean[0], [np.mean(within), np.mean(across)])
    np.testing.assert_allclose(found.deviation[1, 0], np.std(across))
    assert found.pairs.tolist() == [[3, 4], [4, 1]]


def test_of_single_replicas_those_of_different_algorithms_are_compared():
    a, b = normal(1, 10, 4), normal(1, 10, 5, seed=1)
    found = compare({"a": a, "b": b})
    np.testing.assert_allclose(
        found.mean, [[np.nan, linear_cka(a[0], b[0])], [linear_cka(a[0], b[0]), np.nan]]
    )
    a[0, 3] = np.inf  # a diverged one
    assert np.isnan(compare({"a": a, "b": b}).mean).all()


def test_activities_on_other_patterns_cannot_be_compared():
    with pytest.raises(InputError, match=r"on the same patterns, but a \(2, 10, 3\), b \(2, 9, 3\)"):
        compare({"a": normal(2, 10, 3), "b": normal(2, 9, 3)})
    with pytest.raises(InputError, match="nothing"):
        compare({})


# Pareto fronts

NUMBER = st.sampled_from([0.0, 1.0, 2.0, 3.0, -1.0, np.inf, np.nan])


@given(st.lists(st.tuples(NUMBER, NUMBER), max_size=12))
def test_the_front_is_that_of_brute_force(points):
    reached = [bool(np.isfinite(c) and np.isfinite(e)) for c, e in points]

    def beats(i, j):
        (a, b), (c, d) = points[i], points[j]
        return reached[i] and ((a < c and b <= d) or (a <= c and b < d))

    expected = [reached[j] and not any(beats(i, j) for i in range(len(points))) for j in range(len(points))]
    cost, error = np.array(points).reshape(-1, 2).T
    assert pareto_front(cost, error).tolist() == expected


def test_equal_points_are_on_the_front_together_and_what_was_never_reached_is_not():
    on = pareto_front([1, 1, 2, 2, 0, 0], [5, 5, 3, 4, np.inf, np.nan])
    assert on.tolist() == [True, True, True, False, False, False]
    with pytest.raises(InputError, match=r"\(2,\) and \(3,\)"):
        pareto_front([1, 2], [1, 2, 3])
