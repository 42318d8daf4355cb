"""What hidden units stand for, held to published weights and codes, to the family tree as drawn, to scipy and
to chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.inspection import hidden_units as rep
from harness.tasks.family_tree import PEOPLE, FamilyTree

PDP_SYMMETRY = np.array(  # PDP vol. 1 ch. 8: weights of the six bits into two hidden units
    [[-3.18, 3.16], [6.32, -6.34], [-12.56, 12.52], [12.56, -12.51], [-6.33, 6.31], [3.17, -3.17]]
)
TABLE_5 = np.array(  # PDP vol. 1 ch. 8: codes of the 8-3-8 encoder
    [[0.5, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1], [0, 1, 1], [0.5, 0, 1], [1, 0, 0.5], [0, 0, 0.5]]
)
GRANDPARENTS = {"Christopher", "Penelope", "Andrew", "Christine", "Roberto", "Maria", "Pierro", "Francesca"}
GRANDCHILDREN = {"Colin", "Charlotte", "Alfonso", "Sophia"}
RIGHT = {
    "Andrew",
    "Christine",
    "James",
    "Jennifer",
    "Charles",
    "Pierro",
    "Francesca",
    "Marco",
    "Angela",
    "Tomaso",
}


def test_the_published_weights_are_antisymmetric_in_ratios_1_2_4() -> None:
    found = rep.mirror(PDP_SYMMETRY[None])
    np.testing.assert_allclose(
        found.ratios[0], [[1, 1.99, 3.95]] * 2, atol=0.02
    )  # worked out from them elsewhere
    assert (found.antisymmetry < 0.005).all()
    assert rep.opposition(PDP_SYMMETRY[None])[0] < -0.9999


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_ratios_know_no_order_sign_or_scale(seed: int) -> None:
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(2, 6, 3))
    order = rng.permutation(3)
    mixed = np.concatenate([w[:, order], w[:, ::-1][:, :3][:, order][:, ::-1]], axis=1) * -2.5
    np.testing.assert_allclose(rep.mirror(mixed).ratios, rep.mirror(w).ratios, rtol=1e-12)
    np.testing.assert_allclose(rep.mirror(mixed).antisymmetry, rep.mirror(w).antisymmetry, rtol=1e-12)
    symmetric = np.concatenate([w[:, :3], w[:, :3][:, ::-1]], axis=1)
    np.testing.assert_allclose(rep.mirror(symmetric).antisymmetry, 1.0)


def test_a_dead_pair_has_no_ratio() -> None:
    w = PDP_SYMMETRY.copy()
    w[[0, 5]] = 0.0
    assert np.isnan(rep.mirror(w[None]).ratios).all()


def test_table_5_needs_its_values_between() -> None:
    """Counted by hand: four .5 in it; read as off or all as on, two of its eight codes become the same."""
    assert rep.intermediate(TABLE_5[None])[0] == 4
    assert [rep.distinct((TABLE_5 + shift)[None])[0] for shift in (-0.01, 0.01)] == [7, 7]
    assert rep.distinct(np.zeros((1, 8, 3)))[0] == 1


def test_features_are_those_of_the_drawn_trees() -> None:
    found = rep.features()
    for i, person in enumerate(PEOPLE):
        assert found["nationality"][i] == (i >= 12)
        assert found["generation"][i] == (
            0 if person in GRANDPARENTS else 2 if person in GRANDCHILDREN else 1
        ), person
        assert found["branch"][i] == (None if person in GRANDCHILDREN else int(person in RIGHT)), person


def test_separation_is_the_f_test_of_the_best_unit() -> None:
    """η² = F (G − 1) / (F (G − 1) + n − G), F from scipy's one-way analysis of variance."""
    rng = np.random.default_rng(3)
    y, feature = rng.normal(size=(2, 24, 6)), rep.features()["generation"]
    found = rep.separation(y, feature, 9)
    labels = np.array(feature)
    for r in range(2):
        each = []
        for unit in y[r].T:
            f = stats.f_oneway(*(unit[labels == g] for g in (0, 1, 2))).statistic
            each.append(2 * f / (2 * f + 24 - 3))
        assert found.ratio[r] == pytest.approx(max(each))
        assert found.unit[r] == int(np.argmax(each))


@pytest.mark.parametrize("name", ["nationality", "generation", "branch"])
def test_p_is_uniform_without_a_feature_and_small_with_one(name: str) -> None:
    """n = 400 networks of noise, 199 permutations: P(p ≤ .05) = .05, within 4 binomial standard errors (false
    alarm 6e-5)."""
    rng = np.random.default_rng(11)
    feature = rep.features()[name]
    noise = rng.normal(size=(400, 24, 6))
    p = rep.separation(noise, feature, 199).p
    assert abs((p <= 0.05).mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 400)
    told = noise[:20].copy()
    told[:, :, 4] = [0.5 if value is None else value for value in feature] + 0.1 * told[:, :, 4]
    found = rep.separation(told, feature, 199)
    assert (found.p == 1 / 200).all()
    assert (found.unit == 4).all()
    assert (found.ratio > 0.8).all()


def test_a_silent_unit_separates_nothing() -> None:
    """Units that never vary have an F of 0/0, which must read as no separation, not as NaN."""
    found = rep.separation(np.full((1, 24, 6), 0.3), rep.features()["nationality"], 19)
    assert (found.ratio[0], found.p[0]) == (0.0, 1.0)


def test_the_code_of_a_person_is_read_off_any_of_its_patterns() -> None:
    x = FamilyTree().patterns().x[:, :24]
    codes: Any = np.random.default_rng(0).normal(size=(2, 24, 6))
    seen = {"person1_code": codes[:, x.argmax(axis=1)]}
    np.testing.assert_array_equal(rep.code_of_people(seen, x), codes)
