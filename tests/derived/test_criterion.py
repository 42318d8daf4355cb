"""What is asked of a few patterns at a time, held to the same question asked of all of them at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.data import Data
from harness.core.kernels import lessen
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.core.task import Task
from harness.tasks.xor import Xor
from harness.training.criterion import FIRST, PART, in_parts, met
from harness.training.curves import WORK, curve_epochs, drawn_at
from harness.training.plan import Plan

LARGE = 1500


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    n=st.sampled_from([1, 64, PART, PART + 1, LARGE]),
    share=st.sampled_from([0.5, 0.9, 0.95, 1.0]),
    criterion=st.sampled_from(["side", "margin", "largest", "error"]),
    seed=st.integers(0, 2**32),
)
def test_the_answer_is_that_of_all_patterns(n: int, share: float, criterion: str, seed: int) -> None:
    """Five networks about as good as the criterion asks, of which the last is not asked about."""
    rng = np.random.default_rng(seed)
    wanted = rng.random((1, n, 1)) < 0.5
    wanted = np.concatenate([wanted, ~wanted], axis=-1)
    wrong = rng.random((5, n, 1)) < np.array([0.0, 1 - share, 1 - share, 0.5, 0.0])[:, None, None]
    y = np.where(wanted ^ wrong, 0.9, 0.1)
    bound = {"margin": 0.2, "error": 0.3}.get(criterion)
    kept = 1.0 if criterion == "error" else share
    task = Xor(criterion=criterion, bound=bound, share=kept)
    data = Data(np.arange(n, dtype=float)[None, :, None], wanted * 1.0, wanted)
    among = np.array([True, True, True, True, False])
    seen: list[int] = []

    def predict(x: Any) -> Any:
        rows = x[0, :, 0].astype(int)
        seen.extend(rows.tolist())
        return y[:, rows]

    assert met(task, predict, data, among).tolist() == task.met(y, data, among).tolist()
    assert seen == list(range(len(seen)))


def test_it_stops_where_too_many_are_wrong_already() -> None:
    wanted = np.ones((1, LARGE, 1), bool)
    data, seen = Data(np.zeros((1, LARGE, 1)), wanted * 1.0, wanted), []

    def predict(x: Any) -> Any:
        seen.append(x.shape[-2])
        return np.zeros((2, x.shape[-2], 1))

    assert not met(Xor(), predict, data, np.ones(2, bool)).any()
    assert seen == [FIRST]


@pytest.mark.parametrize("n", [1, FIRST, PART, LARGE])
@pytest.mark.parametrize("size", [FIRST, PART])
def test_parts_are_all_there_is_once_and_in_order(n: int, size: int) -> None:
    x = np.arange(float(n))[None, :, None]
    parts = [part.x for part in in_parts(Data(x, x, x > 0), size)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=-2), x)
    assert max(part.shape[-2] for part in parts) <= PART


class Wide(Task):
    """As many patterns and weights as one likes; nothing is made of them."""

    def spec(self) -> Any:
        return Xor().spec()._replace(patterns=1000)

    def network(self) -> Network:
        return Network.chain(1, WORK // 1000, 1)


@pytest.mark.parametrize(
    ("task", "batch", "points"),
    [(Wide(), 64, 12), (Wide(), 0, 101), (Wide(), 1000, 101), (Xor(), 1, 101)],
)
def test_the_curve_has_fewer_points_only_where_predictions_are_dear(
    task: Task, batch: int, points: int
) -> None:
    """Mini-batches of much work: at most 2 + 100 // 10 of the epochs that 12 points would have."""
    found = drawn_at(task, Plan(0, 100, np.inf, batch, True, "float64"))
    full = curve_epochs(100, 200 if points > 12 else points)
    assert found.tolist() == full.tolist()
    assert len(found) <= points
    assert (found[0], found[-1]) == (0, 100)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_step_without_momentum_is_the_step_with_momentum_zero(dtype: str) -> None:
    """Bit for bit, as long as numbers are finite; and nothing is kept of it."""
    rng = np.random.default_rng(0)
    w, g = (rng.normal(size=(3, 5, 4)).astype(dtype) for _ in range(2))
    before = g.copy()
    assert lessen(w, g, 0.1).tobytes() == (w + (0.0 * w - 0.1 * g)).tobytes()
    rule = GradientDescent(lr=0.1, momentum=0.0, decay=0.0)
    after, memory = rule.step({"w": w}, {"w": g}, rule.init({"w": w}), 0)
    assert after["w"].tobytes() == (w - np.dtype(dtype).type(0.1) * g).tobytes()
    assert memory == {}
    np.testing.assert_array_equal(g, before)
