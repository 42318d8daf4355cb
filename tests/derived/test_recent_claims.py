"""Claims of 2025 and 2026: counts held to closed forms, measures to columns that are made up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from algorithms.backprop import Backprop
from algorithms.local_losses import MonoForward
from harness.core.algorithm import Algorithm
from harness.replication import eggroll, mono_forward, synthetic_and_real
from harness.replication.counted import RULES, counted, throughput
from harness.replication.verdict import NOT_REPRODUCED, REPRODUCED, judge

INPUTS, HIDDEN, CLASSES, PATTERNS = 64, 64, 10, 5


@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize("rule", [Backprop(), MonoForward()], ids=["backprop", "mono_forward"])
def test_multiply_adds_of_an_update_are_as_many_as_the_formula_says(rule: Algorithm, layers: int) -> None:
    """Forward and outer products of all weights; back through all but the first layer's. Mono-Forward goes
    back through a head for each hidden layer instead, and all heads but the output's own go forward too."""
    head, between = HIDDEN * CLASSES, (layers - 1) * HIDDEN**2
    both = 2 * (INPUTS * HIDDEN + between + head)
    expected = both + head + between if type(rule) is Backprop else both + head + 3 * (layers - 1) * head
    assert counted(rule, layers, PATTERNS).update.multiply_adds == PATTERNS * expected


def test_a_member_draws_half_of_what_a_pair_does() -> None:
    """Evolution strategies a number for each weight and bias; EGGROLL of rank 1 rows and columns."""
    found = throughput(sizes=(1,), n=PATTERNS)
    biases = HIDDEN + CLASSES
    assert found["evolution_strategies_draws"] == [(INPUTS * HIDDEN + HIDDEN * CLASSES + biases) / 2]
    assert found["eggroll_draws"] == [(INPUTS + HIDDEN + HIDDEN + CLASSES + biases) / 2]


def test_evolution_strategies_train_no_faster_than_their_members_predict() -> None:
    """Every member's forward pass is in the update; EGGROLL may share products among them."""
    assert 0.5 < throughput(sizes=(1,), n=PATTERNS)["evolution_strategies"][0] < 1


def test_the_shares_are_told_of_the_deepest_network() -> None:
    seen = {"layers": np.array([1, 8]), "eggroll": np.array([3.0, 0.9]),
            "evolution_strategies": np.array([0.5, 0.3])}  # fmt: skip
    seen |= {f"{rule}_draws": np.array([10.0, 20.0]) for rule in ("eggroll", "evolution_strategies")}
    assert eggroll.shares(seen, "eggroll").value == 0.9
    assert eggroll.beside(seen).value == pytest.approx(3.0)


def test_peaks_are_those_of_the_rule_that_is_named() -> None:
    assert set(synthetic_and_real.RULES) <= set(RULES)
    seen = {"peak": np.array([[6e6, 8e6], [3e6, 16e6], [2e6, 4e6], [1e6, 2e6]])}
    for beside, depth, ratio in (("accumulated_backprop", 2, 6), ("accumulated_backprop", 8, 4),
                                 ("backprop", 2, 2), ("backprop", 8, 0.5)):  # fmt: skip
        assert synthetic_and_real.held_at_once(seen, beside, depth).value == ratio


def made_up(held_right: Any) -> Any:
    return SimpleNamespace(replicas={"held_right": np.asarray(held_right)})


def test_who_is_ahead_is_told_replica_by_replica() -> None:
    """Ten networks, .9 on average, one always .02 above the other: on one side, or the other."""
    low = 0.9 + 0.01 * np.sin(np.arange(10))
    worse, better = made_up(low), made_up(low + 0.02 + 1e-4 * np.cos(np.arange(10)))
    (images,) = (c for c in synthetic_and_real.CLAIMS if c.id.endswith("/images"))
    (accuracy,) = (c for c in mono_forward.CLAIMS if c.id.endswith("/accuracy"))
    for claim, true in ((images, (worse, better)), (accuracy, (better, worse))):
        assert claim.measure(*true).value == pytest.approx(0.02, abs=1e-3)
        assert judge(claim.figure, claim.measure(*true)).verdict == REPRODUCED
        assert judge(claim.figure, claim.measure(*true[::-1])).verdict == NOT_REPRODUCED


@pytest.mark.parametrize(("work", "verdict"), [(90, REPRODUCED), (110, NOT_REPRODUCED)])
def test_the_work_of_an_update_is_mono_forwards_over_backprops(work: int, verdict: str) -> None:
    seen = {"work": np.array([[work, 1, 1], [100, 2, 2]]), "layers": np.array([2, 4, 8])}
    (claim,) = (c for c in mono_forward.CLAIMS if c.id.endswith("/time_of_an_update"))
    measured = claim.measure(seen)
    assert measured.value == work / 100
    assert judge(claim.figure, measured).verdict == verdict
