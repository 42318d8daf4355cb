"""The perceptron and the delta rule held to their theorems: Novikoff's bound, the cycling theorem, least
squares, 2/λ_max."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.perceptron import Perceptron
from harness.core.algorithm import Batch
from harness.core.data import binary_inputs
from harness.core.errors import InputError, NotApplicable
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.core.outcomes import DIVERGED, SOLVED, UNSOLVED
from harness.core.rand import NOISE, Rand
from harness.experiment.result import Result
from harness.experiment.run import run
from harness.tasks.symmetry import Symmetry
from harness.tasks.xor import Xor

quick = settings(deadline=None, derandomize=True, max_examples=100)


def state_of(weights: Any, bias: Any) -> Any:
    return {"params": {"input-output": np.array(weights, float), "output": np.array(bias, float)}}


def show(algorithm: Perceptron, net: Network, state: Any, x: Any, wanted: Any) -> Any:
    batch = Batch(np.array([x], float), np.array([[float(wanted)]]), np.array([[bool(wanted)]]), 0)
    return algorithm.update(net, state, batch, Rand(0, [0], NOISE)).state


@quick
@given(
    bits=st.integers(1, 6),
    n=st.integers(1, 30),
    margin=st.floats(0.02, 0.3),
    lr=st.sampled_from([1.0, 0.1, 7.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_novikoffs_bound_on_mistakes(bits: int, n: int, margin: float, lr: float, seed: int) -> None:
    """Mistakes ≤ (R/γ)² whatever the order, from zero weights; bias folded in as an input that is always 1.

    γ is the margin of the separator the labels come from, so the true bound is at least as tight.
    """
    rng = np.random.default_rng(seed)
    separator = rng.normal(size=bits + 1)
    separator /= np.linalg.norm(separator)
    folded = np.hstack([rng.uniform(-2, 2, (20 * n, bits)), np.ones((20 * n, 1))])
    folded = folded[np.abs(folded @ separator) >= margin][:n]
    if not len(folded):
        return
    wanted = folded @ separator > 0
    gamma, radius = np.abs(folded @ separator).min(), np.linalg.norm(folded, axis=1).max()
    bound = (radius / gamma) ** 2
    algorithm, net = Perceptron(lr=lr), Network.chain(bits, 1)
    state = algorithm.init(net, {}, Rand(0, [0], NOISE))
    state = state_of(state["params"]["input-output"][0], state["params"]["output"][0])
    mistakes, clean = 0, False
    while not clean:
        clean = True
        for i in rng.permutation(len(folded)):
            x = folded[i, :-1]
            if bool(algorithm.predict(net, state, x[None, :])[0, 0]) != wanted[i]:
                mistakes, clean = mistakes + 1, False
                assert mistakes <= bound
            state = show(algorithm, net, state, x, wanted[i])


def test_the_rule_on_one_pattern() -> None:
    """On a mistake w ← w ± εx and b ← b ± ε, otherwise nothing; an input sum of 0 is not enough to fire."""
    algorithm, net = Perceptron(lr=0.5), Network.chain(2, 1)
    zero = state_of([[0.0], [0.0]], [[0.0]])
    faint = state_of([[0.0], [0.0]], [[1e-9]])
    cases = [
        (faint, [0.0, 0.0], True, [0.0, 0.0, 1e-9]),  # the least bit above 0 fires
        (zero, [1.0, -2.0], True, [0.5, -1.0, 0.5]),
        (zero, [1.0, -2.0], False, [0.0, 0.0, 0.0]),
        (state_of([[1.0], [1.0]], [[0.0]]), [1.0, 3.0], False, [0.5, -0.5, -0.5]),
        (state_of([[1.0], [1.0]], [[0.0]]), [1.0, 3.0], True, [1.0, 1.0, 0.0]),
    ]
    for state, x, wanted, expected in cases:
        new = show(algorithm, net, state, x, wanted)["params"]
        assert [*new["input-output"].ravel(), *new["output"].ravel()] == expected


def reachable_weights(x: np.ndarray, wanted: np.ndarray) -> set[tuple[int, ...]]:
    """Every weight vector (integers, ε = 1) that any order of mistakes leads to from zero, by exhaustive
    search."""
    folded = np.hstack([x, np.ones((len(x), 1))]).astype(int)
    found, waiting = {(0,) * folded.shape[1]}, [(0,) * folded.shape[1]]
    while waiting:
        w = waiting.pop()
        for row, on in zip(folded, wanted, strict=True):
            fires = np.dot(w, row) > 0
            if fires != on:
                new = tuple(int(v) for v in (np.add if on else np.subtract)(w, row))
                if new not in found:
                    assert len(found) < 10_000, "the cycling theorem says that this ends"
                    found.add(new)
                    waiting.append(new)
    return found


def test_on_xor_the_perceptron_cycles_among_the_few_weights_of_the_cycling_theorem() -> None:
    """Enumerated: the finite set of weights that mistakes on XOR can lead to; none of them solves it, no run
    leaves it."""
    x, wanted, *_ = Xor().patterns()
    possible = reachable_weights(x, wanted[:, 0])
    folded = np.hstack([x, np.ones((4, 1))])
    assert not any(((folded @ w > 0) == wanted[:, 0]).all() for w in possible)
    algorithm, net, rng = Perceptron(), Xor().network(), np.random.default_rng(0)
    state, visited = state_of([[0.0], [0.0]], [[0.0]]), set()
    for i in rng.integers(0, 4, 4000):
        state = show(algorithm, net, state, x[i], wanted[i, 0])
        visited.add(tuple(int(v) for a in state["params"].values() for v in a.ravel()))
    assert visited <= possible
    result = run(Perceptron(), Xor(), replicas=50, epochs=1000)
    weights = result.trained.weights
    assert list(result.trained.outcome) == [UNSOLVED] * 50
    assert {
        (*w.ravel(), *b.ravel()) for w, b in zip(weights["input-output"], weights["output"], strict=True)
    } <= possible


def test_hidden_units_are_not_there_for_the_perceptron() -> None:
    """Symmetry: no single layer gets more than 57 of 64 right; the network's hidden units do not help and do
    not appear."""
    result = run(Perceptron(), Symmetry(), replicas=40, seed=1, epochs=300)
    assert {name: a.shape for name, a in result.trained.weights.items()} == {
        "input-output": (40, 6, 1),
        "output": (40, 1, 1),
    }
    assert not result.solved.any()
    assert result.trained.right_curve.max() <= 57 / 64
    assert result.trained.right.max() <= 57 / 64


def test_a_criterion_that_threshold_units_cannot_meet_is_not_applicable() -> None:
    """Within .05 of .1 and .9: an output of 0 or 1 never is."""
    with pytest.raises(NotApplicable, match="perceptron"):
        run(Perceptron(), Xor(target_off=0.1, target_on=0.9, criterion="margin", bound=0.05), replicas=1)
    assert (
        run(Perceptron(), Xor(target_off=0.1, target_on=0.9), replicas=1, epochs=2).trained.outcome[0]
        == UNSOLVED
    )


@pytest.mark.parametrize("lr", [0.0, -1.0, float("nan")])
def test_a_bad_rate_gets_one_sentence(lr: float) -> None:
    with pytest.raises(InputError, match=r"^lr must be [^\n]*given$"):
        Perceptron(lr=lr)


@dataclass(frozen=True)
class LinearXor(Xor):
    """XOR for one linear unit without hidden ones: Widrow & Hoff's adaline."""

    def network(self) -> Network:
        return Network.chain(2, 1, output="linear")


def lms(lr: float, epochs: int, momentum: float = 0.0, **settings: Any) -> Result:
    return run(
        Backprop(optimiser=GradientDescent(lr, momentum)), LinearXor(), replicas=10, epochs=epochs, **settings
    )


def largest_curvature() -> float:
    """λ_max of Σ x xᵀ, inputs with the bias's 1 folded in: the Hessian of E = ½ Σ (w·x − d)²."""
    folded = np.hstack([binary_inputs(2), np.ones((4, 1))])
    return float(np.linalg.eigvalsh(folded.T @ folded).max())


def test_least_squares_on_xor_is_one_half_everywhere() -> None:
    """w = 0, b = ½, outputs ½, E = ½ · 4 · (½)² = .5: the best a linear unit can do is to know nothing."""
    result = lms(0.1, 1000)
    weights = result.trained.weights
    np.testing.assert_allclose(weights["input-output"], 0.0, atol=1e-9)
    np.testing.assert_allclose(weights["output"], 0.5, atol=1e-9)
    np.testing.assert_allclose(result.trained.loss, 0.5, rtol=1e-12)
    outputs = binary_inputs(2) @ weights["input-output"] + weights["output"]
    np.testing.assert_allclose(outputs, 0.5, atol=1e-9)
    assert not result.solved.any()
    assert SOLVED not in result.trained.outcome


@dataclass(frozen=True)
class DeepLinearXor(Xor):
    """Two layers of linear units: one linear map, however many factors."""

    def network(self) -> Network:
        return Network.chain(2, 4, 1, hidden="linear", output="linear")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_linear_network_solves_xor_not_even_by_rounding(dtype: str) -> None:
    """y(00) + y(11) = y(01) + y(10) for every linear y, so they cannot lie on opposite sides of ½; at ½ ± 1
    ulp nothing does."""
    result = run(
        Backprop(optimiser=GradientDescent(0.05, 0.0)),
        DeepLinearXor(scale=1.0),
        replicas=1000,
        epochs=600,
        dtype=dtype,
    )
    assert result.trained.loss.min() > 0.4999
    assert np.count_nonzero(result.solved) == 0


@pytest.mark.parametrize("share", [0.05, 0.5, 0.98])
def test_batch_lms_converges_below_two_over_the_largest_eigenvalue(share: float) -> None:
    result = lms(share * 2 / largest_curvature(), 3000)
    assert list(result.trained.outcome) == [UNSOLVED] * 10
    np.testing.assert_allclose(result.trained.loss, 0.5, rtol=1e-9)


@pytest.mark.parametrize("share", [1.02, 1.5])
def test_batch_lms_diverges_above_two_over_the_largest_eigenvalue(share: float) -> None:
    """Along the steepest direction the error is multiplied by 1 − 2·share each sweep: past 1e6 after < 900 of
    3,000."""
    result = lms(share * 2 / largest_curvature(), 3000)
    assert list(result.trained.outcome) == [DIVERGED] * 10
    assert (result.trained.epochs < 900).all()


def test_the_delta_rule_follows_its_closed_form() -> None:
    """w(t) − w* = (I − ηH)^t (w(0) − w*), the linear recursion of batch LMS, sweep by sweep."""
    folded = np.hstack([binary_inputs(2), np.ones((4, 1))])
    step, best = np.eye(3) - 0.2 * folded.T @ folded, np.array([0.0, 0.0, 0.5])

    def folded_weights(epochs: int) -> np.ndarray:
        w = lms(0.2, epochs).trained.weights
        return np.concatenate([w["input-output"][..., 0], w["output"][..., 0]], axis=-1)

    first = folded_weights(1)
    for epochs in (2, 5, 9):
        expected = best + (first - best) @ np.linalg.matrix_power(step, epochs - 1)
        np.testing.assert_allclose(folded_weights(epochs), expected, rtol=1e-10, atol=1e-12)
