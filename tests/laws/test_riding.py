"""Numbers that ride the replica axis, held to plain floats: whatever a line does with a setting, each replica
has the bits that it has with its own cell's float."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.riding import Differs, Riding, kept, numbers, riding

quick = settings(deadline=None, derandomize=True, max_examples=150)
floats = st.floats(0.01, 10.0).map(lambda x: round(x, 3))
several = st.lists(floats, min_size=2, max_size=5)
LINES: dict[str, Callable[[Any, Any], Any]] = {
    "v * a": lambda v, a: v * a,
    "a - v * a": lambda v, a: a - v * a,
    "(1 - v) * a": lambda v, a: (1.0 - v) * a,
    "a / (1.001 - v ** 3)": lambda v, a: a / (1.001 - v**3),
    "v ** a": lambda v, a: v**a,
    "where": lambda v, a: np.where(a > v, a, v),
    "clip": lambda v, a: np.clip(a, -v, v),
    "maximum": lambda v, a: np.maximum(a, v),
    "np.sqrt(v) * a": lambda v, a: np.sqrt(v) * a,
    "-v + abs(a) > 0": lambda v, a: -v + abs(a) > 0,
    "strong": lambda v, a: (v * np.float64(3)) * a,
    "astype": lambda v, a: np.multiply(
        a, (v * 1.5).astype(a.dtype) if hasattr(v, "astype") else a.dtype.type(v * 1.5)
    ),
    "sums": lambda v, a: v * a.sum(axis=(-1, -2)) + a.mean(axis=(-1, -2)),
    "two of them": lambda v, a: (v + 2.0 * v) * a * v,
    "0-d": lambda v, a: (v / (1.0 + np.zeros((), a.dtype))) * a,
    "in place": lambda v, a: operator.iadd(a.copy(), v * a),
}


def ride(values: Any) -> Riding:
    return Riding([float(v) for v in values], np.arange(len(values)))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("line", LINES)
@quick
@given(several, st.integers(0, 10**6))
def test_each_replica_has_the_bits_of_its_own_float(
    line: str, dtype: str, values: list[float], seed: int
) -> None:
    a = np.random.default_rng(seed).normal(size=(len(values), 3, 2)).astype(dtype)
    together = LINES[line](ride(values), a)
    for i, value in enumerate(values):
        alone = LINES[line](value, a[i : i + 1])
        assert together[i : i + 1].dtype == alone.dtype
        assert together[i : i + 1].tobytes() == alone.tobytes()


@pytest.mark.parametrize("axes", [(4, 1, 5), (1, 3, 5), (4, 2, 3, 5)])
def test_it_stands_along_the_first_axis(axes: tuple[int, ...]) -> None:
    """Shared patterns (1, N, k) and crowds (R, P, N, k), too."""
    values, a = np.arange(1.0, 5.0), np.ones(axes)
    expected = [v * np.ones(axes[1:]) for v in values]
    np.testing.assert_array_equal(ride(values) * a, expected)


def test_an_array_without_replicas_is_refused() -> None:
    with pytest.raises(Differs, match=r"meets an array \(3, 2\) without them"):
        ride(np.arange(4.0)) * np.ones((3, 2))


@pytest.mark.parametrize("values", [[0.0, 0.0], [1.0, 2.0]])
def test_a_question_has_the_answer_that_all_agree_on(values: list[float]) -> None:
    assert bool(ride(values)) is bool(values[0])


@pytest.mark.parametrize(
    "asks",
    [
        bool,
        float,
        lambda v: v > 0.5 or None,
        lambda v: np.stack([v, v]),
        lambda v: np.add.reduce(v),
    ],
    ids=["bool", "float", "or", "stack", "reduce"],
)
def test_what_has_no_single_answer_raises(asks: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError):
        asks(ride([0.0, 1.0]))


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    name: str = "inner"


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    decay: float = 0.0
    size: int = 3


def test_settings_are_found_put_and_kept_by_dotted_name() -> None:
    things = [Outer(Inner(0.1), 0.2), Outer(Inner(0.3), 0.4)]
    assert dict(numbers(things[0])) == {"inner.rate": 0.1, "decay": 0.2}
    ridden = riding(things, ["inner.rate", "decay"], np.array([0, 1, 1]))
    assert ridden.inner.rate.values.tolist() == [0.1, 0.3, 0.3]  # type: ignore[attr-defined]
    assert (ridden.inner.name, ridden.size) == ("inner", 3)
    some = kept(ridden, np.array([True, False, True]))
    assert some.decay.values.tolist() == [0.2, 0.4]  # type: ignore[attr-defined]
    assert some.inner.rate.values.tolist() == [0.1, 0.3]  # type: ignore[attr-defined]
    assert kept(things[0], np.array([True])) is things[0]
    assert things[0] == Outer(Inner(0.1), 0.2)
