"""What memory buys, held to made-up studies whose answers are known: each verdict has one that gets it and
one that must not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from harness.answers.memory import answer, interval, points, points_table
from harness.core.errors import InputError

TRIED = (0.01, 0.1)


def study(
    made: dict[tuple[str, int], tuple[list[float], list[float], int]], task: str = "digits"
) -> pd.DataFrame:
    """Points of algorithms and widths: shares of test images wrong at the good and at the bad rate, peak
    bytes."""
    cells: list[dict[str, Any]] = []
    replicas = []
    for (algorithm, width), (good, bad, peak) in made.items():
        for lr, wrong in zip(TRIED, (good, bad), strict=True):
            id = f"{algorithm}-{width}-{lr}"
            about = {
                "id": id,
                "task_name": task,
                "algorithm_name": algorithm,
                "status": "finished",
                "task.hidden": width,
            }
            about |= {
                "task.layers": 1,
                "algorithm.optimiser.lr": lr,
                "replicas": len(wrong),
                "peak_bytes": peak,
            }
            cells.append(about | {"update_forward_passes": 3.0})
            # validation says which rate is good, and is not what is reported
            part = {
                "id": id,
                "outcome": "unsolved",
                "held_right": 1 - np.array(wrong),
                "held_rmse": np.array(wrong),
            }
            error = float(np.mean(good)) if wrong is good else 0.95
            part |= {"validation_right": 1 - error, "validation_rmse": error}
            replicas.append(pd.DataFrame(part))
    cells.append({"id": "x", "task_name": task, "algorithm_name": "boltzmann", "status": "not applicable"})
    return points(pd.DataFrame(cells), pd.concat(replicas, ignore_index=True))


BACKPROP = {
    ("backprop", 32): ([0.03, 0.04, 0.05], [0.0] * 3, 1000),
    ("backprop", 128): ([0.02, 0.03, 0.04], [0.9] * 3, 4000),
}


def test_the_rate_is_chosen_by_validation_and_the_test_error_reported() -> None:
    found = study(BACKPROP).set_index("label")
    row = found.loc["backprop 32×1"]
    assert (row["lr"], row["rates"], row["replicas"]) == (0.01, 2, 3), (
        "the other rate has no test error at all, by luck"
    )
    assert row["error"] == pytest.approx(0.04)
    ends = stats.t.interval(0.95, 2, 0.04, 0.01 / np.sqrt(3))
    np.testing.assert_allclose([row["error_low"], row["error_high"]], ends)
    assert found["front"].tolist() == [True, True]


def test_the_interval_of_a_share_ends_at_nothing_and_at_all() -> None:
    """Of two networks the interval is 12.7 standard errors each way: beyond what a share can be, but not
    beyond a number."""
    made = {
        ("backprop", 32): ([0.3, 0.5], [0.9] * 2, 1000),
        ("shallow", 32): ([np.inf, 0.1], [np.inf] * 2, 500),
    }
    made |= {("kolen_pollack", 32): ([0.3], [0.9], 1000)}
    (share, diverged, single), (number, *_) = (
        study(made, task).to_dict("records") for task in ("digits", "traffic")
    )
    assert (share["error_low"], share["error"], share["error_high"]) == (0.0, pytest.approx(0.4), 1.0)
    np.testing.assert_allclose(
        [number["error_low"], number["error_high"]], stats.t.interval(0.95, 1, 0.4, 0.1)
    )
    assert (single["error_low"], single["error_high"]) == (0.0, 1.0), "one network says nothing"
    assert diverged["error"] == diverged["error_low"] == diverged["error_high"] == np.inf


def test_a_lighter_algorithm_as_accurate_beats_backprop() -> None:
    found = study(BACKPROP | {("forward_forward", 32): ([0.03, 0.03, 0.04], [0.5] * 3, 500)})
    told = answer(found, "digits")
    assert told.free["label"] == "forward_forward 32×1"
    assert "beats it with 0 kB" in told.sentence or "beats it with 1 kB" in told.sentence
    assert "0.50 of it" in told.sentence
    assert told.best["label"] == "backprop 128×1"


def test_a_lighter_one_that_backprop_within_its_memory_may_equal_does_not_beat_it() -> None:
    """Backprop 16 misses the bound by a hair, in as much memory as the rival: chance may have parted the
    two."""
    narrow = {("backprop", 16): ([0.05, 0.056, 0.06], [0.9] * 3, 500)}
    rival = {("forward_forward", 32): ([0.045, 0.053, 0.056], [0.5] * 3, 490)}
    told = answer(study(BACKPROP | narrow | rival), "digits").sentence
    assert "cannot be told from backprop 16×1 in as much memory by their intervals, with 0 kB" in told
    worse = {("backprop", 16): ([0.3, 0.3, 0.31], [0.9] * 3, 500)}
    assert "beats it with 0 kB" in answer(study(BACKPROP | worse | rival), "digits").sentence


@pytest.mark.parametrize(
    ("rival", "words"),
    [
        (([0.03, 0.03, 0.04], [0.5] * 3, 1500), "does not beat it"),
        (([0.03, 0.03, 0.04], [0.5] * 3, 990), "takes as much as it"),
        (
            ([0.3, 0.3, 0.4], [0.5] * 3, 10),
            "No backprop-free algorithm is as accurate: the nearest is forward_forward 32×1",
        ),
    ],
)
def test_a_heavier_or_less_accurate_one_does_not(rival: Any, words: str) -> None:
    assert words in answer(study(BACKPROP | {("forward_forward", 32): rival}), "digits").sentence


def test_what_has_backprops_gradient_is_not_backprop_free() -> None:
    told = answer(
        study(BACKPROP | {("checkpointed_backprop", 32): ([0.03, 0.04, 0.05], [0.9] * 3, 400)}), "digits"
    )
    assert told.free is None
    assert told.lightest["algorithm"] == "checkpointed_backprop"
    assert "Recomputing activities takes 0 kB, 0.40 of it" in told.sentence


def test_numbers_are_judged_by_their_root_mean_squared_error() -> None:
    told = answer(study(BACKPROP, "traffic"), "traffic")
    assert "NRMSE on the test weeks" in told.sentence
    assert "0.03 [" in told.sentence


def test_one_network_knows_no_interval_and_divergence_is_infinite() -> None:
    assert interval(np.array([0.2])) == (0.2, -np.inf, np.inf)
    assert interval(np.array([0.2, np.inf])) == (np.inf, np.inf, np.inf)
    found = study(BACKPROP | {("kolen_pollack", 32): ([np.inf, 0.1, 0.1], [np.inf] * 3, 10)})
    assert not found.set_index("label").loc["kolen_pollack 32×1", "front"]
    assert "inf" in points_table(found)


def test_a_study_without_cells_says_so() -> None:
    with pytest.raises(
        InputError, match="no finished cell: run it by python -m harness -m study=memory_accuracy"
    ):
        points(pd.DataFrame({"status": ["not run"]}), pd.DataFrame())
