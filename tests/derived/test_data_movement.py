"""Bytes moved and effective terms held to a stack of elements, loops over all terms, and closed forms."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.core import registry
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.cost.arrays import Tracked
from harness.cost.effective import effective_terms
from harness.cost.ledger import Ledger
from harness.cost.movement import CACHES, Touch, Trace, moved
from harness.cost.sheet import sheet
from helpers.costs import cost_of, task_of
from helpers.suited import suited


def by_elements(touches: list[tuple[int, int]], size: int) -> int:
    """The definition: single elements, the last touched first; those deeper than `size` are moved."""
    stack: list[tuple[int, int]] = []
    misses = 0
    for name, length in touches:
        for element in ((name, i) for i in range(length)):
            deep = stack.index(element) + 1 if element in stack else None
            misses += deep is None or deep > size
            if deep is not None:
                stack.remove(element)
            stack.insert(0, element)
    return misses


def touched(ledger: Ledger) -> list[Touch]:
    assert ledger.trace is not None
    return ledger.trace.touches


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=6),
    order=st.lists(st.integers(0, 5), max_size=30),
    size=st.integers(0, 30),
)
@example(lengths=[1, 1, 1], order=[0, 1, 0, 2, 0], size=2)  # what is used again stays, and what is older goes
def test_arrays_move_as_a_stack_of_their_elements_says(
    lengths: list[int], order: list[int], size: int
) -> None:
    """Array by array is element by element, of arrays that are streamed."""
    touches = [(i % len(lengths), lengths[i % len(lengths)]) for i in order]
    assert moved(touches, size) == by_elements(touches, size)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(order=st.lists(st.integers(0, 5), max_size=40), lengths=st.tuples(*[st.integers(1, 9)] * 6))
def test_a_larger_cache_moves_no_more(order: list[int], lengths: tuple[int, ...]) -> None:
    """Inclusion, which makes it a stack: from all touches without a cache to first touches alone."""
    touches = [(i, lengths[i]) for i in order]
    curve = [moved(touches, size) for size in range(sum(lengths) + 1)]
    assert curve == sorted(curve, reverse=True)
    assert curve[0] == sum(n for _, n in touches)
    assert curve[-1] == sum(lengths[i] for i in set(order))


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_a_chain_of_products_forth_and_back(layers: int) -> None:
    """Of n × n arrays of B bytes: y_l = y_{l−1} W_l, then d_{l−1} = d_l W_lᵀ for all D layers, d_D = y_D.

    First touches: y_0, and W_l, y_l and d_{l−1} of each layer. What was written last is read at distance B:
    y_{l−1} for l > 1, and every d_l. Between the two touches of W_l come y_l, W and y of the D − l layers
    above, and as many d below d_D: with itself 2 + 3 (D − l) arrays.
    """
    n, ledger = 4, Ledger(trace=Trace())
    one = n * n * 8
    rng = np.random.default_rng(0)
    y = Tracked(rng.random((n, n)), ledger)
    weights = [Tracked(rng.random((n, n)), ledger) for _ in range(layers)]
    kept = [y]
    for w in weights:
        kept.append(kept[-1] @ w)
    blame = kept[-1]
    for w in reversed(weights):
        blame = blame @ w.mT
    touches = ledger.trace
    distances = [1] * (layers - 1) + [1] * layers + [2 + 3 * (layers - i) for i in range(1, layers + 1)]
    first = layers + 1 + layers + layers
    for size in range(3 * layers + 4):
        assert moved(touches, size * one) == one * (first + sum(d > size for d in distances)), size
    assert moved(touches, 0) == ledger.bytes_read + ledger.bytes_written


@pytest.mark.parametrize("kind", ["transposed", "reshaped"])
def test_a_view_is_its_array_and_a_copy_is_another(kind: str) -> None:
    ledger = Ledger(trace=Trace())
    x = Tracked(np.ones((4, 2)), ledger)
    seen = x.mT if kind == "transposed" else x.reshape(8)
    _ = np.exp(x), np.exp(seen), np.exp(x[1]), np.exp(x[1]), np.exp(np.copy(x))
    names = [name for name, _ in touched(ledger)[::2]]
    assert names[0] == names[1]
    assert names[2] == names[3] != names[0]
    assert names[4] not in names[:4]


def test_an_address_that_is_used_again_is_another_array() -> None:
    ledger = Ledger(trace=Trace())
    x = Tracked(np.ones(4), ledger)
    for _ in range(50):
        np.exp(x)  # the result is gone at once
    assert len({name for name, _ in touched(ledger)}) == 51


SPARSE = st.lists(st.sampled_from([0.0, -0.0, 1.0, -2.0, float("nan")]), min_size=24, max_size=24)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(a=SPARSE, b=SPARSE, stack=st.integers(1, 2))
def test_effective_terms_are_those_of_a_triple_loop(a: list[float], b: list[float], stack: int) -> None:
    inner = 12 // stack // 3
    x = np.array(a[:12]).reshape(stack, 3, inner)
    y = np.array(b[: stack * inner * 2]).reshape(stack, inner, 2)
    expected = sum(
        bool(x[s, i, k] != 0 and y[s, k, j] != 0)
        for s, i, k, j in product(range(stack), range(3), range(inner), range(2))
    )
    terms = stack * 3 * inner * 2
    assert effective_terms(terms, x, y) == expected
    assert effective_terms(terms, x, y, "sik,skj->sij") == expected
    once = sum(  # y the same for the whole stack
        bool(x[s, i, k] != 0 and y[0, k, j] != 0)
        for s, i, k, j in product(range(stack), range(3), range(inner), range(2))
    )
    assert effective_terms(terms, x, y[0]) == once
    assert effective_terms(terms, x, y[0], "sik,kj") == once
    full = np.ones_like(x)  # the quick way, for either operand
    assert effective_terms(terms, full, y) == 3 * np.count_nonzero(y)
    assert effective_terms(terms, x, np.ones_like(y)) == 2 * np.count_nonzero(x)


def test_silent_units_and_inputs_of_zero_are_no_effective_terms() -> None:
    """ReLU by hand: of 3 units 1 and then 2 are silent for the patterns; 2 outputs."""
    ledger = Ledger()
    x = Tracked(np.array([[1.0, 0.0], [1.0, 1.0]]), ledger)
    w = np.array([[1.0, -1.0, 2.0], [-2.0, 0.5, -3.0]])
    y = np.maximum(x @ w, 0.0)  # [[1, 0, 2], [0, 0, 0]]
    assert ledger.effective_multiply_adds == 3 * 3
    _ = y @ np.ones((3, 2))
    assert ledger.effective_multiply_adds == 9 + 2 * 2
    assert ledger.multiply_adds == 12 + 12


def test_effective_terms_are_some_of_all_and_an_update_is_told_in_predictions() -> None:
    """Logistic units: at most the terms of inputs, which may be zero, are spared."""
    net = Network.chain(3, 4, 2)
    s = cost_of(Backprop(GradientDescent(decay=0.0)), task_of(net, 6))
    assert 0 < s.update.effective_multiply_adds <= s.update.multiply_adds
    assert s.predictions == s.update.work / s.predict.work


@pytest.mark.parametrize("name", registry.algorithms())
def test_every_rule_has_the_columns(name: str) -> None:
    """An update moves at least the bytes of a prediction, and less the larger the cache. But in a Hopfield
    network learning is one product, and recall, many steps of rest, the work; and of rules written by hand
    nothing is learnt but facts, and what follows is derived when it is asked."""
    rule = registry.algorithms()[name]()
    s = sheet(Cell.made(rule, suited(rule, hidden=2), Settings(replicas=1)), traced=True)
    for ledger in (s.update, s.predict, s.forward):
        curve = [moved(ledger.trace, size) for size in (0, *CACHES.values())]
        assert curve == sorted(curve, reverse=True)
        assert 0 < curve[0] <= ledger.bytes_read + ledger.bytes_written
        assert 0 <= ledger.effective_multiply_adds <= ledger.multiply_adds
    assert name in ("hopfield", "rule_base") or all(
        moved(s.update.trace, size) >= moved(s.predict.trace, size) for size in (0, *CACHES.values())
    )
    assert np.isfinite(s.predictions)
    assert s.predictions > 0
