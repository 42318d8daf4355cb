"""Equilibrium propagation held to a network that settles by hand, one pattern and one layer after another:
differences of its loss at rest, the power of β, recurrent backpropagation, and an energy that never rises."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.contrastive_hebbian import ContrastiveHebbian
from algorithms.equilibrium_propagation import EquilibriumPropagation
from harness.core.algorithm import Batch
from harness.core.network import Edge, Group, Network
from harness.core.rand import NOISE, Rand

Array = Any
quick = settings(deadline=None, derandomize=True, max_examples=60)
EXACT: dict[str, Any] = {"tolerance": 1e-14, "steps": 5000, "steps_taught": 5000}
UNITS: dict[str, tuple[Any, Any]] = {  # f and its slope, of the net input
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: 1 / (2 + np.exp(x) + np.exp(-x))),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "hard_sigmoid": (lambda x: np.clip(x, 0, 1), lambda x: ((x > 0) & (x < 1)).astype(float)),
}
KINDS = [(unit, energy) for unit in UNITS for energy in ("hopfield", "scellier")]
every_kind = pytest.mark.parametrize(("unit", "energy"), KINDS)


class Made(NamedTuple):
    net: Network
    params: dict[Any, Array]
    batch: Batch


def made(unit: str, scale: float = 0.3, seed: int = 0, sizes: tuple[int, ...] = (4, 6, 5, 3)) -> Made:
    """A chain with normal weights; hard units in the middle of their range, where they have a slope."""
    rng, net = np.random.default_rng(seed), Network.chain(*sizes, hidden=unit, output=unit)
    params = {k: rng.normal(0, scale, s) for k, s in net.shapes.items()}
    if unit == "hard_sigmoid":
        params = {k: 0.5 + 0.1 * a if isinstance(k, Group) else 0.4 * a for k, a in params.items()}
    x, d = rng.uniform(0, 1, (5, sizes[0])), rng.uniform(0.2, 0.8, (5, sizes[-1]))
    return Made(net, params, Batch(x, d, d > 0.5, 0))


def layers(m: Made, params: Any = None) -> tuple[list[Array], list[Array]]:
    params = params or m.params
    return [params[e] for e in m.net.edges], [params[e.target] for e in m.net.edges]


def at_rest(m: Made, unit: str, energy: str, params: Any = None) -> list[Array]:
    """The activities of all layers at rest, by hand: half-way to where each wants to be, to rounding."""
    (f, slope), (w, b) = UNITS[unit], layers(m, params)
    y = [m.batch.x]
    for k in range(len(w)):
        y.append(f(y[k] @ w[k] + b[k]))
    s = list(y)
    for _ in range(4000):
        moved = 0.0
        for k in range(1, len(s)):
            u = y[k - 1] @ w[k - 1] + b[k - 1] + (y[k + 1] @ w[k].T if k < len(w) else 0.0)
            if energy == "hopfield":
                goal = f(u)
            else:
                goal = np.clip(u, 0, 1) if unit == "hard_sigmoid" else slope(s[k]) * u
            moved = max(moved, np.abs(goal - s[k]).max())
            s[k] = 0.5 * (s[k] + goal)
            y[k] = s[k] if energy == "hopfield" else f(s[k])
        if moved < 1e-15:
            break
    return y


def slopes(m: Made, unit: str, energy: str) -> dict[Any, Array]:
    """Central differences of the loss at rest along every weight."""

    def loss(params: Any) -> float:
        return float(0.5 * ((at_rest(m, unit, energy, params)[-1] - m.batch.target) ** 2).sum())

    found = {}
    for key, a in m.params.items():
        found[key] = np.zeros(a.shape)
        for i in np.ndindex(a.shape):
            ends = []
            for h in (1e-5, -1e-5):
                moved = a.copy()
                moved[i] += h
                ends.append(loss({**m.params, key: moved}))
            found[key][i] = (ends[0] - ends[1]) / 2e-5
    return found


def credit(rule: Any, m: Made, params: Any = None) -> dict[Any, Array]:
    found = rule.learn(m.net, m.params if params is None else params, m.batch)
    return dict(found.credit)


def exact(m: Made, **how: Any) -> dict[Any, Array]:
    rule = EquilibriumPropagation(**{**EXACT, **how})
    named = rule.own_gradient(m.net, {"params": m.params}, m.batch)
    assert named is not None
    return {key: named[key.name] for key in m.params}


def off(found: Any, truth: Any) -> float:
    a, b = (np.concatenate([np.ravel(v[k]) for k in truth]) for v in (found, truth))
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def errors(m: Made, betas: Any, **how: Any) -> list[float]:
    truth = exact(m, **({"energy": how["energy"]} if "energy" in how else {}))
    return [off(credit(EquilibriumPropagation(beta=b, **{**EXACT, **how}), m), truth) for b in betas]


def power(at: Any, values: Any) -> float:
    return float(np.polyfit(np.log(at), np.log(values), 1)[0])


@every_kind
def test_its_gradient_is_that_of_differences_of_the_loss_at_rest(unit: str, energy: str) -> None:
    m = made(unit)
    truth = slopes(m, unit, energy)
    found = exact(m, energy=energy)
    assert max(np.abs(g).max() for g in truth.values()) > 0.01
    for key, g in truth.items():
        np.testing.assert_allclose(found[key], g, atol=1e-6, err_msg=str(key))


@every_kind
def test_its_gradient_is_the_same_in_single_precision_and_with_tiny_steps(unit: str, energy: str) -> None:
    """A probe of a float32 run is compared with it, whatever ε is."""
    m = made(unit)
    whole = exact(m, energy=energy)
    single = m._replace(
        params={k: a.astype(np.float32) for k, a in m.params.items()},
        batch=m.batch._replace(x=m.batch.x.astype(np.float32), target=m.batch.target.astype(np.float32)),
    )
    assert off(exact(single, energy=energy), whole) < 1e-5
    rule = EquilibriumPropagation(energy=energy, epsilon=1e-4, tolerance=0.0)
    named = rule.own_gradient(m.net, {"params": m.params}, m.batch)
    assert named is not None
    assert off({key: named[key.name] for key in m.params}, whole) < 1e-9


@every_kind
def test_it_comes_to_rest_where_a_loop_by_hand_does(unit: str, energy: str) -> None:
    m = made(unit)
    rule = EquilibriumPropagation(energy=energy, **EXACT)
    found = rule.predict(m.net, {"params": m.params}, m.batch.x)
    np.testing.assert_allclose(found, at_rest(m, unit, energy)[-1], atol=1e-12)


@pytest.mark.parametrize(("energy", "beta"), [("scellier", 0.02), ("hopfield", 0.01)])
def test_centred_with_sigmoid_units_it_is_the_gradient_to_1e_5(energy: str, beta: float) -> None:
    """4-6-5-3, weights of N(0, .3²), 20 networks. An output f(u) goes by (β f′)² itself, however weak its
    weights, so that at β = .02 it is 2.5e-5 there, f′ being ¼ at the most."""
    for seed in range(20):
        assert errors(made("sigmoid", seed=seed), [beta], energy=energy, points=2)[0] <= 1e-5, seed


@pytest.mark.parametrize("energy", ["hopfield", "scellier"])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("points", [1, 2, 3, 4])
def test_its_error_goes_as_the_power_of_beta_that_its_points_are(points: int, unit: str, energy: str) -> None:
    """One-sided 1, centred 2, N points round the circle N."""
    if points > 2 and unit == "hard_sigmoid":
        return
    few = (0.1, 0.15, 0.2) if unit == "sigmoid" and points > 2 else (0.04, 0.06, 0.09)
    betas = np.array(few)  # small for a power, and large enough not to be rounding
    found = errors(made(unit, 0.2), betas, energy=energy, points=points)
    assert power(betas, found) == pytest.approx(points, abs=0.15)


def test_at_a_large_beta_centred_may_be_worse_than_one_sided_and_at_a_small_one_never_is() -> None:
    """tanh units: at β = .5 the push away runs to another state of rest, which one-sided never sees."""
    worse = {0.05: 0, 0.5: 0}
    for seed in range(16):
        m = made("tanh", seed=seed)
        one, two = (errors(m, list(worse), points=n) for n in (1, 2))
        for beta, a, b in zip(worse, one, two, strict=True):
            worse[beta] += b > a
    assert worse[0.05] == 0
    assert worse[0.5] > 2


def test_with_too_few_steps_centred_is_less_wrong() -> None:
    """20 steps of ε = .1 with β = .01: what has not settled yet moves on, which one-sided divides by β, and
    centred takes away; 20 networks."""
    few: dict[str, Any] = {"epsilon": 0.1, "steps": 20, "steps_taught": 20, "tolerance": 0.0}
    centred = []
    for seed in range(20):
        one, two = (errors(made("tanh", seed=seed), [0.01], points=n, **few)[0] for n in (1, 2))
        assert one > 1
        assert two < 0.2 * one
        centred.append(two)
    assert np.median(centred) < 1


@every_kind
def test_without_an_error_of_the_outputs_nothing_is_learnt(unit: str, energy: str) -> None:
    m = made(unit)
    rule = EquilibriumPropagation(energy=energy, **EXACT)
    answer = rule.predict(m.net, {"params": m.params}, m.batch.x)
    found = credit(rule, m._replace(batch=m.batch._replace(target=answer)))
    assert max(np.abs(g).max() for g in found.values()) < 1e-11
    assert max(np.abs(g).max() for g in credit(rule, m).values()) > 0.01


def test_centred_is_the_mean_of_a_push_and_a_push_away() -> None:
    m = made("tanh")
    push, away, both, turned = (
        credit(EquilibriumPropagation(beta=b, points=n, **EXACT), m)
        for b, n in ((0.3, 1), (-0.3, 1), (0.3, 2), (-0.3, 2))
    )
    for key, g in both.items():
        np.testing.assert_allclose(g, 0.5 * (push[key] + away[key]), rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(g, turned[key], rtol=1e-9, atol=1e-13)
    assert off(push, both) > 0.01


def test_outputs_clamped_all_the_way_are_contrastive_hebbian_learning_at_gamma_1() -> None:
    """Contrastive learning of Movellan 1991, by two files."""
    m = made("tanh")
    clamped = credit(EquilibriumPropagation(beta=1.0, points=1, teach="clamp", **EXACT), m)
    hebbian = credit(ContrastiveHebbian(gamma=1.0, **EXACT), m)
    for key, g in hebbian.items():
        np.testing.assert_allclose(clamped[key], g, rtol=1e-9, atol=1e-12)


def test_clamped_part_of_the_way_outputs_stand_between_what_they_say_and_the_target() -> None:
    m = made("sigmoid")
    rule = EquilibriumPropagation(beta=0.25, points=1, teach="clamp", **EXACT)
    free = rule.rest(m.net, m.params, m.batch.x).state
    held = rule.taught(m.net, m.params, m.batch, free, 0.25).state[m.net.output]
    np.testing.assert_allclose(held, 0.75 * free[m.net.output] + 0.25 * m.batch.target, rtol=1e-14)


@pytest.mark.parametrize("unit", ["sigmoid", "tanh"])
def test_its_gradient_is_what_recurrent_backpropagation_settles_to(unit: str) -> None:
    """δ ← f′(u) (Σ_k w_jk δ_k + Σ_i w_ij δ_i + e), Almeida 1987 and Pineda 1987, from zero until it rests."""
    m, (f, slope) = made(unit), UNITS[unit]
    w, b = layers(m)
    y = at_rest(m, unit, "hopfield")
    d = [np.zeros_like(a) for a in y]
    last = len(w)
    u = [
        y[k - 1] @ w[k - 1] + b[k - 1] + (y[k + 1] @ w[k].T if k < last else 0.0) for k in range(1, last + 1)
    ]
    for _ in range(2000):
        for k in range(1, last + 1):
            heard = d[k - 1] @ w[k - 1] if k > 1 else 0.0
            heard = heard + (d[k + 1] @ w[k].T if k < last else y[-1] - m.batch.target)
            d[k] = slope(u[k - 1]) * heard
    np.testing.assert_allclose(y[-1], f(u[-1]), atol=1e-14)
    found = exact(m)
    for k, e in enumerate(m.net.edges):
        up = y[k].T @ d[k + 1]
        down = d[k].T @ y[k + 1] if k else 0.0
        np.testing.assert_allclose(found[e], up + down, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(found[e.target], d[k + 1].sum(axis=0, keepdims=True), rtol=1e-7, atol=1e-9)


WITHIN: dict[str, Any] = {  # ∫ f⁻¹(y) dy
    "sigmoid": lambda y: y * np.log(y) + (1 - y) * np.log(1 - y),
    "tanh": lambda y: y * np.arctanh(y) + 0.5 * np.log(1 - y * y),
    "hard_sigmoid": lambda y: 0.5 * y * y,
}


@quick
@given(
    st.sampled_from(["sigmoid", "tanh", "hard_sigmoid", "hard_sigmoid scellier"]),
    st.lists(st.integers(1, 5), min_size=2, max_size=5),
    st.floats(0.01, 1.0),
    st.floats(0.1, 4.0),
    st.integers(0, 9999),
)
def test_no_step_raises_the_energy_whatever_the_weights(
    kind: str, sizes: list[int], epsilon: float, scale: float, seed: int
) -> None:
    """From any state; every group in turn and ε up to 1."""
    unit, _, energy = kind.partition(" ")
    m = made(unit, 1.0, seed, tuple(sizes))
    params = {k: scale * a for k, a in m.params.items()}
    rng = np.random.default_rng(seed)
    low = -0.99 if unit == "tanh" else 0.01
    y = {g: rng.uniform(low, 0.99, (5, g.size)) if g in m.net.free else m.batch.x for g in m.net.groups}
    rule = EquilibriumPropagation(energy=energy or "hopfield", epsilon=epsilon, tolerance=0.0)

    def total(y: Any) -> Array:
        e = sum(WITHIN[unit](y[g]).sum(axis=-1) - y[g] @ params[g][0] for g in m.net.free)
        return e - sum(((y[k.source] @ params[k]) * y[k.target]).sum(axis=-1) for k in m.net.edges)

    before = total(y)
    for _ in range(12):
        y = dict(rule.settled(m.net, params, y, y, 1, 1).state)
        with np.errstate(all="ignore"):
            after = total(y)
        sound = np.isfinite(after)  # a unit that is 1 to the last bit has an energy of 0 · ∞
        assert (after[sound] <= before[sound] + 1e-9 * (1 + np.abs(before[sound]))).all()
        before = after


@every_kind
def test_where_weights_are_small_the_start_does_not_decide_where_it_rests(unit: str, energy: str) -> None:
    m, rng = made(unit, 0.2), np.random.default_rng(1)
    rule = EquilibriumPropagation(energy=energy, **EXACT)
    known = rule.rest(m.net, m.params, m.batch.x).state
    for _ in range(5):
        other = {g: rng.uniform(0.05, 0.95, a.shape) if g in m.net.free else a for g, a in known.items()}
        found = rule.settled(m.net, m.params, other, other, 5000, 1).state
        for g, a in known.items():
            np.testing.assert_allclose(found[g], a, atol=1e-12)


def test_a_network_in_hand_learns_what_the_paper_says() -> None:
    """1-1, one pattern, linear at rest: hard units, w = .5, b = .1, x = .8, d = .9, β = .5, one-sided.

    Free y = .5. Nudged y = .5 + β (d − y): y = (.5 + .45) / 1.5 = .6333…; −(1/β) x (y^β − y⁰) = −.2133….
    """
    net = Network.chain(1, 1, hidden="hard_sigmoid", output="hard_sigmoid")
    (edge,) = net.edges
    params = {edge: np.array([[0.5]]), net.output: np.array([[0.1]])}
    d = np.array([[0.9]])
    batch = Batch(np.array([[0.8]]), d, d > 0.5, 0)
    rule = EquilibriumPropagation(beta=0.5, points=1, **EXACT)
    found = rule.credit(net, params, {}, batch, Rand(0, [0], NOISE))
    assert isinstance(edge, Edge)
    assert found.gradient[edge].item() == pytest.approx(-0.8 * (0.95 / 1.5 - 0.5) / 0.5, rel=1e-12)
    assert found.gradient[net.output].item() == pytest.approx(-(0.95 / 1.5 - 0.5) / 0.5, rel=1e-12)
    assert found.output.item() == pytest.approx(0.5, rel=1e-12)  # type: ignore[union-attr]


def test_the_first_of_many_layers_hears_of_a_nudge_though_it_comes_down_below_the_tolerance() -> None:
    """Of what an output is moved, each layer of sigmoid units hands on less than a tenth: five layers down no
    step is larger than the tolerance, and all the same the first layer learns downhill. With nothing but the
    tolerance to end a phase it learnt nothing, and was told to be at rest."""
    m = made("sigmoid", sizes=(4, 6, 6, 6, 6, 6, 2))
    rule, first = EquilibriumPropagation(), m.net.edges[0]
    found = rule.learn(m.net, m.params, m.batch)
    gradient = exact(m)
    a, b = found.credit[first].ravel(), np.asarray(gradient[first]).ravel()
    assert a @ b > 0.9 * np.linalg.norm(a) * np.linalg.norm(b) > 0
    assert all((phase.steps >= m.net.depth).all() for phase in found.phases[1:])
    step = max(abs(p.state[first.target] - found.free[first.target]).max() for p in found.phases[1:])
    assert step < rule.tolerance / 10, "the nudge is not below the tolerance: the test would show nothing"
