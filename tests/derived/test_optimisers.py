"""Optimisers held to closed forms of their recursions, to a plain scalar loop of Adam's paper, and to a
common contract."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.data import Usual
from harness.core.errors import InputError
from harness.core.network import Group, Network
from harness.core.optimisers import OPTIMISERS, Adam, GradientDescent, Optimiser, SignStep
from harness.core.tree import leaves

NET = Network.chain(3, 2, 1)
USUAL = Usual(lr=0.01, momentum=0.9, scale=0.3, epochs=100)
quick = settings(deadline=None, derandomize=True, max_examples=50)
rates, momenta = st.floats(1e-4, 1.0), st.floats(0.0, 0.99)


def every_optimiser(**changes: Any) -> list[Optimiser]:
    """All that are registered, settings left to the task filled in as `CreditAlgorithm.resolved` does."""
    made = [kind(**changes) for kind in OPTIMISERS.values()]
    return [replace(o, **{n: getattr(USUAL, n) for n in o.uses if getattr(o, n) is None}) for o in made]


each = pytest.mark.parametrize("optimiser", every_optimiser(), ids=lambda o: type(o).__name__)


def weights(
    value: float | None = None, seed: int = 0, lead: tuple[int, ...] = (4,), dtype: str = "float64"
) -> dict[Any, Any]:
    rng = np.random.default_rng(seed)
    shapes = {k: (*lead, *shape) for k, shape in NET.shapes.items()}
    return {
        k: (np.full(s, value) if value is not None else rng.normal(size=s)).astype(dtype)
        for k, s in shapes.items()
    }


def steps(
    optimiser: Optimiser, params: Any, gradients: list[Any], epochs: list[int] | None = None
) -> list[Any]:
    """Parameters after each step."""
    memory, path = optimiser.init(params), []
    for epoch, gradient in zip(epochs or range(len(gradients)), gradients, strict=True):
        params, memory = optimiser.step(params, gradient, memory, epoch)
        path.append(params)
    return path


@quick
@given(rates, momenta, st.integers(1, 60))
def test_momentum_under_a_constant_gradient_has_a_closed_form(lr: float, alpha: float, t: int) -> None:
    """Δw(t) = −ε g (1 − α^t) / (1 − α), from Δw(t) = −ε g + α Δw(t−1), Δw(0) = 0."""
    start, gradient = weights(seed=1), weights(seed=2)
    path = [start, *steps(GradientDescent(lr=lr, momentum=alpha, decay=0.0), start, [gradient] * t)]
    for k, g in gradient.items():
        expected = -lr * g * (1 - alpha**t) / (1 - alpha)
        np.testing.assert_allclose(path[-1][k] - path[-2][k], expected, rtol=1e-9, atol=1e-12)


@quick
@given(rates, momenta, st.floats(0.0, 0.5), st.integers(1, 30))
def test_decay_shrinks_the_weight_after_each_change_and_leaves_the_velocity(
    lr: float, alpha: float, decay: float, t: int
) -> None:
    """w(t) = (1 − λ)(w(t−1) + Δw(t)) with the closed form of Δw(t): what decays is the weight, not the
    change."""
    start, gradient = weights(seed=1), weights(seed=2)
    path = steps(GradientDescent(lr=lr, momentum=alpha, decay=decay), start, [gradient] * t)
    for k, g in gradient.items():
        w = start[k]
        for n in range(1, t + 1):
            w = (1 - decay) * (w - lr * g * (1 - alpha**n) / (1 - alpha))
        np.testing.assert_allclose(path[-1][k], w, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("early", [1, 20])
def test_the_early_schedule_ends_exactly_at_its_last_sweep(early: int) -> None:
    """Family tree: ε = .005, α = .5 for the first 20 sweeps, then .01 and .9; two updates a sweep, counted in
    sweeps."""
    optimiser = GradientDescent(
        lr=0.01, momentum=0.9, decay=0.0, early_sweeps=early, early_lr=0.005, early_momentum=0.5
    )
    sweeps = [s for s in range(2 * early + 3) for _ in range(2)]
    start, gradient = weights(0.0), weights(1.0)
    path = [start, *steps(optimiser, start, [gradient] * len(sweeps), sweeps)]
    change = 0.0
    for i, sweep in enumerate(sweeps):
        lr, alpha = (0.005, 0.5) if sweep < early else (0.01, 0.9)
        change = alpha * change - lr
        for k in gradient:
            np.testing.assert_allclose(path[i + 1][k] - path[i][k], change, rtol=1e-9)


@quick
@given(
    rates,
    momenta,
    st.floats(0.0, 0.9999),
    st.floats(1e-10, 1e-3),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
)
def test_adam_is_algorithm_1_of_its_paper(
    lr: float, b1: float, b2: float, eps: float, t: int, seed: int
) -> None:
    """Kingma & Ba 2015, algorithm 1, one scalar at a time in plain Python."""
    start = weights(seed=seed)
    gradients = [weights(seed=seed + 1 + i) for i in range(t)]
    end = steps(Adam(lr=lr, beta1=b1, beta2=b2, epsilon=eps), start, gradients)[-1]
    for k in start:
        w, m, v = float(start[k].flat[0]), 0.0, 0.0
        for n, gradient in enumerate(gradients, 1):
            g = float(gradient[k].flat[0])
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            w -= lr * (m / (1 - b1**n)) / (math.sqrt(v / (1 - b2**n)) + eps)
        np.testing.assert_allclose(end[k].flat[0], w, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_the_first_step_of_adam_is_its_learning_rate_whatever_the_gradient(size: float) -> None:
    """m̂ = g and v̂ = g² at t = 1: the step is ε g / (|g| + 1e-8)."""
    (end,) = steps(Adam(lr=0.05), weights(0.0), [weights(-size)])
    for k in end:
        np.testing.assert_allclose(end[k], 0.05 * size / (size + 1e-8), rtol=1e-9)
        np.testing.assert_allclose(end[k], 0.05, rtol=2e-5)


def test_the_sign_step_has_one_magnitude() -> None:
    gradient = {k: np.resize([3.0, -1e-9, 0.0, 1e9], w.shape) for k, w in weights(0.0).items()}
    (end,) = steps(SignStep(lr=0.25), weights(0.0), [gradient])
    for k, g in gradient.items():
        np.testing.assert_array_equal(end[k], np.where(g > 0, -0.25, np.where(g < 0, 0.25, 0.0)))


@pytest.mark.parametrize("optimiser", every_optimiser(lr=0.01), ids=lambda o: type(o).__name__)
def test_every_optimiser_comes_to_the_bottom_of_a_bowl(optimiser: Optimiser) -> None:
    """E = ½ Σ a (w − c)² with a in [.5, 3], from distances up to 3: after 3,000 steps within one step size of
    the bottom."""
    bottom, params = weights(seed=1), weights(0.0)
    curvature = {k: 0.5 + 2.5 * np.random.default_rng(2).random(w.shape) for k, w in params.items()}
    memory = optimiser.init(params)
    for epoch in range(3000):
        gradient = {k: curvature[k] * (params[k] - bottom[k]) for k in params}
        params, memory = optimiser.step(params, gradient, memory, epoch)
    for k in params:
        assert np.abs(params[k] - bottom[k]).max() <= 0.01 * (1 + 1e-9)


@pytest.mark.parametrize(
    "optimiser", [*every_optimiser(), GradientDescent(0.1, 0.9, decay=0.1)], ids=lambda o: type(o).__name__
)
def test_parameters_without_credit_stay_untouched(optimiser: Optimiser) -> None:
    """Frozen means frozen: no decay, no leftover momentum, not even after credit stops coming."""
    start = weights(seed=1)
    silent = [k for k in start if isinstance(k, Group)]
    gradient = {k: g for k, g in weights(seed=2).items() if k not in silent}
    path = steps(optimiser, start, [gradient] * 3)
    for k in start:
        assert (path[-1][k].tobytes() == start[k].tobytes()) == (k in silent)
    first, second = steps(optimiser, start, [weights(seed=3), gradient])
    for k in silent:
        assert second[k].tobytes() == first[k].tobytes()


SCHEDULE = GradientDescent(0.1, 0.9, decay=0.01, early_sweeps=2, early_lr=0.05, early_momentum=0.5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "optimiser",
    [*every_optimiser(), SCHEDULE, *every_optimiser(lr=np.float64(0.1))],
    ids=lambda o: type(o).__name__,
)
def test_shapes_and_precision_stay_what_they_are(optimiser: Optimiser, dtype: str) -> None:
    """Also where a learning rate is one of NumPy's own scalars, out of a linspace, say."""
    params, gradient = weights(seed=1, dtype=dtype), weights(seed=2, dtype=dtype)
    memory = optimiser.init(params)
    before = [(name, a.shape, a.dtype) for name, a in leaves({"params": params, "memory": memory})]
    assert {d for _, _, d in before} == {np.dtype(dtype)}
    assert {s[0] for _, s, _ in before} == {4}  # every array leads with the replicas, so that some can leave
    for epoch in range(4):
        params, memory = optimiser.step(params, gradient, memory, epoch)
        assert [
            (name, a.shape, a.dtype) for name, a in leaves({"params": params, "memory": memory})
        ] == before


@each
def test_steps_of_a_stack_are_the_stack_of_steps_bit_for_bit(optimiser: Optimiser) -> None:
    start, gradients = weights(seed=1), [weights(seed=s) for s in range(2, 7)]
    end = steps(optimiser, start, gradients)[-1]
    for i in range(4):
        alone = steps(
            optimiser,
            {k: w[i] for k, w in start.items()},
            [{k: w[i] for k, w in g.items()} for g in gradients],
        )[-1]
        for k in end:
            assert end[k][i].tobytes() == alone[k].tobytes()


@each
def test_step_writes_to_nothing_it_is_handed(optimiser: Optimiser) -> None:
    params, gradient = weights(seed=1), weights(seed=2)
    memory = optimiser.init(params)
    for epoch in range(2):
        for _, a in leaves({"params": params, "gradient": gradient, "memory": memory}):
            a.setflags(write=False)
        keys = list(params), list(gradient), [name for name, _ in leaves(memory)]
        new, newer = optimiser.step(params, gradient, memory, epoch)
        assert (list(params), list(gradient), [name for name, _ in leaves(memory)]) == keys
        params, memory = new, newer


BAD = [
    (GradientDescent, {"lr": 0.0}, "lr"),
    (GradientDescent, {"lr": -0.1}, "lr"),
    (GradientDescent, {"lr": math.nan}, "lr"),
    (Adam, {"lr": math.inf}, "lr"),
    (SignStep, {"lr": 0.0}, "lr"),
    (GradientDescent, {"momentum": 1.0}, "momentum"),
    (GradientDescent, {"momentum": -0.1}, "momentum"),
    (GradientDescent, {"momentum": math.nan}, "momentum"),
    (GradientDescent, {"decay": 1.0}, "decay"),
    (GradientDescent, {"decay": -1e-9}, "decay"),
    (GradientDescent, {"early_sweeps": -1}, "early_sweeps"),
    (GradientDescent, {"early_sweeps": 20}, "early"),
    (GradientDescent, {"early_lr": 0.1}, "early"),
    (GradientDescent, {"early_momentum": 0.5}, "early"),
    (GradientDescent, {"early_sweeps": 20, "early_lr": 0.1}, "early"),
    (GradientDescent, {"early_sweeps": 20, "early_lr": 0.0, "early_momentum": 0.5}, "early_lr"),
    (GradientDescent, {"early_sweeps": 20, "early_lr": 0.1, "early_momentum": 1.0}, "early_momentum"),
    (Adam, {"beta1": 1.0}, "beta1"),
    (Adam, {"beta2": -0.1}, "beta2"),
    (Adam, {"epsilon": 0.0}, "epsilon"),
]


@pytest.mark.parametrize(
    ("kind", "changes", "named"), BAD, ids=lambda v: v.__name__ if isinstance(v, type) else str(v)
)
def test_a_bad_setting_gets_one_sentence(kind: type[Optimiser], changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError) as caught:
        kind(**changes)
    message = str(caught.value)
    assert named in message
    assert "given" in message  # what was given stands beside what is allowed
    assert "\n" not in message
    assert len(message) < 200
