"""Layer normalisation held to its formula written out, complex steps, its own algebra, limits, counts and the
compiled reading.

The z-tests of this file together raise a false alarm with probability 1e-4 (split evenly, two-sided); they
are seeded.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.boltzmann import Boltzmann
from algorithms.feedback_alignment import DirectFeedbackAlignment, FeedbackAlignment
from algorithms.finite_differences import FiniteDifferences
from algorithms.forward_forward import ForwardForward
from algorithms.mean_field import MeanField
from algorithms.node_perturbation import NodePerturbation
from algorithms.restricted_boltzmann import RestrictedBoltzmann
from algorithms.shallow import Shallow
from algorithms.sign_symmetry import SignSymmetry
from algorithms.weight_mirror import KolenPollack, back
from algorithms.weight_perturbation import ForwardGradient, WeightPerturbation
from harness.core import registry
from harness.core.errors import InputError
from harness.core.network import Edge, Group, Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, Rand
from harness.core.tangent import tangent
from harness.experiment.run import run
from harness.tasks.deep_chain import DeepChain
from helpers.averages import estimates, off
from helpers.costs import cost_of, task_of
from helpers.problems import Problem, credit_of, derivatives, error, flat, networks, problem

EPSILON = 1e-5
N = 20_000
SMALL = Network.chain(3, 3, 3, 2, hidden="tanh", shortcut=True, residual=True, normalised=True)  # 38 weights
ON_AVERAGE = {
    "node perturbation": NodePerturbation(sigma=1e-4),
    "forward gradient": ForwardGradient(),
    "weight perturbation": WeightPerturbation(sigma=1e-4),
}
BEYOND = NormalDist().inv_cdf(1 - 1e-4 / (len(ON_AVERAGE) * (SMALL.size + 1)) / 2)  # 4.9 standard errors
quick = settings(deadline=None, derandomize=True, max_examples=60)


@st.composite
def problems(draw: st.DrawFn, **options: Any) -> Problem:
    """Networks of any shape whose hidden groups have two units or more, with identity shortcuts among those
    of one size."""
    net = draw(networks(**options))
    assume(net.hidden and all(g.size > 1 for g in net.hidden))
    pairs = [(a, b) for a, b in combinations(net.hidden, 2) if a.size == b.size]
    chosen = tuple(pair for pair in pairs if draw(st.booleans()))
    net = replace(net, residuals=chosen, normalised=True)
    return problem(net, draw(st.integers(1, 6)), draw(st.integers(0, 2**32 - 1)))


def by_hand(p: Problem) -> tuple[dict[Group, np.ndarray], list[float]]:
    """Activities of every group, pattern by pattern, and the variance of all that is normalised."""
    kinds = {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh, "linear": lambda x: x}
    net, params, batch = p
    activity = {g: np.empty((len(batch.x), g.size)) for g in net.groups}
    variances: list[float] = []
    for n, row in enumerate(batch.x):
        place, heard, sums = 0, {}, {}
        for group in net.groups:
            if group in net.inputs:
                activity[group][n] = heard[group] = row[place : place + group.size]
                place += group.size
                continue
            x = params[group][0] if group.bias else np.zeros(group.size)
            for e in net.edges:
                if e.target == group:
                    x = x + np.array([sum(heard[e.source] * column) for column in params[e].T])
            activity[group][n] = kinds[group.activation](x)
            sums[group] = activity[group][n] + sum(sums[a] for a, b in net.residuals if b == group)
            if group != net.output:
                mean = sum(sums[group]) / group.size
                variances.append(sum((sums[group] - mean) ** 2) / group.size)
                heard[group] = (sums[group] - mean) / (variances[-1] + EPSILON) ** 0.5
    return activity, variances


@quick
@given(problems())
def test_forward_is_the_formula_pattern_by_pattern(p: Problem) -> None:
    y = p.net.forward(p.params, p.batch.x)
    for group, activity in by_hand(p)[0].items():
        np.testing.assert_allclose(y[group], activity, rtol=1e-9, atol=1e-11)


@quick
@given(problems())
def test_backprop_is_the_complex_step_derivative(p: Problem) -> None:
    assert error(credit_of(Backprop(), p), derivatives(p, 1e-20j)) <= 1e-11
    assert error(credit_of(FiniteDifferences(scheme="complex"), p), derivatives(p, 1e-20j)) <= 1e-11


@quick
@given(problems())
def test_backprop_is_the_central_difference_where_layers_vary(p: Problem) -> None:
    """Where the variance is down at ε, z turns within √ε: no step is small enough there and large enough for
    rounding."""
    assume(min(by_hand(p)[1]) > 100 * EPSILON)
    assert error(credit_of(Backprop(), p), derivatives(p, 6.1e-6)) <= 1e-6
    assert error(credit_of(FiniteDifferences(), p), credit_of(Backprop(), p)) <= 1e-6


@quick
@given(problems())
def test_the_tangent_is_the_complex_step_along_a_direction(p: Problem) -> None:
    rng = np.random.default_rng(0)
    along = {k: rng.normal(size=w.shape) for k, w in p.params.items()}
    moved = tangent(p.net, p.params, along, p.net.forward(p.params, p.batch.x))
    there = p.net.forward({k: w + 1e-20j * along[k] for k, w in p.params.items()}, p.batch.x)
    assert set(moved) == {*p.net.hidden, p.net.output}
    for group in moved:
        np.testing.assert_allclose(moved[group], there[group].imag / 1e-20, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ON_AVERAGE)
def test_on_average_it_is_the_gradient(name: str) -> None:
    """n = 20,000 estimates: each weight by itself, and all of them along the gradient."""
    p = problem(SMALL, 4, 2)
    assert min(by_hand(p)[1]) > 1000 * EPSILON
    samples, truth = estimates(ON_AVERAGE[name], p, N), flat(credit_of(Backprop(), p), SMALL.shapes)
    assert off(samples, truth) < BEYOND
    along = samples @ truth / (truth @ truth)
    assert off(along, 1.0) < BEYOND
    assert BEYOND * along.std() / N**0.5 < 0.2, "a wrong factor of 20 % would be seen"


# The normalisation by itself


def sender(size: int) -> tuple[Network, Group, Edge]:
    net = Network.chain(2, size, 2, normalised=True)
    return net, net.hidden[0], net.into(net.output)[0]


@pytest.mark.parametrize("size", [2, 3, 10])
def test_what_is_sent_has_mean_0_and_the_share_of_the_variance_that_is_not_epsilon(size: int) -> None:
    net, group, _ = sender(size)
    s = np.random.default_rng(size).normal(3.0, 0.1, (5, 4, size))
    z, v = net.sent(group, {group: s}), s.var(axis=-1)
    np.testing.assert_allclose(z.mean(axis=-1), 0.0, atol=1e-13)
    np.testing.assert_allclose((z**2).mean(axis=-1), v / (v + EPSILON), rtol=1e-12)
    same = np.broadcast_to(s[..., :1], s.shape)
    np.testing.assert_allclose(net.sent(group, {group: same}), 0.0, atol=1e-12)  # units that all do the same


@pytest.mark.parametrize("size", [2, 3, 10])
def test_the_way_back_is_the_transposed_jacobian(size: int) -> None:
    """One unit at a time, by complex steps; one pattern is as good as uniform, where ε rules."""
    net, group, edge = sender(size)
    rng = np.random.default_rng(size)
    s, blame = rng.normal(size=(4, size)), rng.normal(size=(4, size))
    s[0] = 0.5 + 1e-4 * s[0]
    steps = [net.sent(group, {group: s + 1e-20j * unit}).imag / 1e-20 for unit in np.eye(size)]
    found = net.through(edge, {group: s}, blame)
    np.testing.assert_allclose(
        found, np.stack([(step * blame).sum(axis=-1) for step in steps], axis=-1), rtol=1e-9, atol=1e-9
    )
    z, sigma = net.sent(group, {group: s}), np.sqrt(s.var(axis=-1) + EPSILON)
    np.testing.assert_allclose(
        found.sum(axis=-1), 0.0, atol=1e-10
    )  # shifts have no blame, and scales that of ε alone
    np.testing.assert_allclose(
        (z * found).sum(axis=-1), (z * blame).sum(axis=-1) * EPSILON / sigma**3, rtol=1e-8
    )


def test_the_scale_and_shift_of_a_layer_are_not_heard() -> None:
    """All biases of linear units + 7: outputs do not move. All weights into them × 3: by no more than some ε
    / v."""
    net = Network.chain(3, 4, 5, 2, hidden="linear", normalised=True)
    p = problem(net, 6, 0)
    least = min(by_hand(p)[1])
    before = net.forward(p.params, p.batch.x)[net.output]
    for group in net.hidden:
        edge = net.into(group)[0]
        shifted = {**p.params, group: p.params[group] + 7.0}
        np.testing.assert_allclose(net.forward(shifted, p.batch.x)[net.output], before, rtol=1e-12)
        scaled = {**p.params, group: 3.0 * p.params[group], edge: 3.0 * p.params[edge]}
        after = net.forward(scaled, p.batch.x)[net.output]
        assert 0 < np.abs(after - before).max() < 10 * EPSILON / least
    plain = replace(net, normalised=False)
    shifted = {**p.params, net.hidden[0]: p.params[net.hidden[0]] + 7.0}
    assert (
        np.abs(
            plain.forward(shifted, p.batch.x)[net.output] - plain.forward(p.params, p.batch.x)[net.output]
        ).max()
        > 0.01
    )


def test_nothing_is_normalised_unless_it_is_asked_for() -> None:
    net = Network.chain(2, 3, 3, 1, residual=True)
    assert not net.normalised
    y, blame = net.forward(problem(net, 4, 0).params, np.ones((4, 2))), np.ones((4, 3))
    for edge in net.edges[1:]:
        assert net.through(edge, y, blame) is blame
    assert net.sent(net.hidden[0], y) is y[net.hidden[0]]
    normalised = replace(net, normalised=True)
    assert normalised.sent(net.inputs[0], y) is y[net.inputs[0]]  # nor are inputs ever


# Replicas, and other algorithms


@pytest.mark.parametrize("algorithm", [Backprop(), ForwardGradient()], ids=lambda a: a.name)
@settings(quick, max_examples=30)
@given(p=problems(), dtype=st.sampled_from(["float64", "float32"]), replicas=st.sampled_from([2, 3, 40]))
def test_credit_of_a_stack_is_the_stack_of_credits_bit_for_bit(
    algorithm: Any, p: Problem, dtype: str, replicas: int
) -> None:
    stack = problem(p.net, len(p.batch.x), 0, (replicas,), dtype)

    def credit(params: Any, replicas: list[int]) -> Any:
        return algorithm.credit(
            p.net, params, {}, stack.batch, Rand(0, replicas, NOISE, np.dtype(dtype))
        ).gradient

    together = credit(stack.params, list(range(replicas)))
    for i in range(replicas):
        alone = credit({k: v[i : i + 1] for k, v in stack.params.items()}, [i])
        for k in alone:
            assert together[k].dtype == np.dtype(dtype)
            assert together[k][i].tobytes() == alone[k][0].tobytes()


@pytest.mark.parametrize("width", [8, 33, 64])
def test_wide_layers_of_a_replica_alone_are_those_in_a_batch(width: int) -> None:
    task = DeepChain(depth=2, width=width, bits=5, residual=True, norm=True)
    stack = problem(task.network(), 32, 0, (7,))
    together = credit_of(Backprop(), stack)
    for i in range(7):
        alone = credit_of(Backprop(), stack._replace(params={k: v[i] for k, v in stack.params.items()}))
        for k in alone:
            assert together[k][i].tobytes() == alone[k].tobytes()


def residual_chain(seed: int = 0) -> Problem:
    return problem(DeepChain(depth=4, width=5, residual=True, norm=True).network(), 8, seed)


@pytest.mark.parametrize("seed", range(3))
def test_feedback_that_is_the_weights_transposed_is_backprop(seed: int) -> None:
    """Feedback alignment and Kolen-Pollack bit for bit; signs where all weights are ±1; Shallow where there
    is no way back."""
    p = residual_chain(seed)
    rand = Rand(0, [0], NOISE)
    truth = credit_of(Backprop(), p)
    memory = {e.name: p.params[e].mT for e in p.net.edges}
    aligned = FeedbackAlignment().credit(p.net, p.params, memory, p.batch, rand).gradient
    mirrored = {**p.params, **{back(e): p.params[e] for e in p.net.edges}}
    same = KolenPollack().credit(p.net, mirrored, {}, p.batch, rand).gradient
    signs = {k: np.sign(w) for k, w in p.params.items()}
    by_signs = credit_of(SignSymmetry(), p._replace(params=signs))
    true_signs = credit_of(Backprop(), p._replace(params=signs))
    for k in truth:
        assert aligned[k].tobytes() == same[k].tobytes() == truth[k].tobytes()
        assert by_signs[k].tobytes() == true_signs[k].tobytes()
    for k, last in credit_of(Shallow(), p).items():
        assert last.tobytes() == truth[k].tobytes()


def test_direct_feedback_meets_the_activity_itself() -> None:
    """δ_l = (e B_l) f', written out; what it is multiplied with is what was sent."""
    p = residual_chain()
    net, batch = p.net, p.batch
    rng = np.random.default_rng(0)
    memory = {g.name: rng.normal(size=(1, g.size)) for g in net.hidden}
    found = DirectFeedbackAlignment().credit(net, p.params, memory, batch, Rand(0, [0], NOISE)).gradient
    y = by_hand(p)[0]
    e = (y[net.output] - batch.target) * y[net.output] * (1 - y[net.output])
    s = y[net.hidden[0]]
    for before, group in pairwise(net.hidden):
        z = (s - s.mean(axis=1, keepdims=True)) / np.sqrt(s.var(axis=1, keepdims=True) + EPSILON)
        delta = (e @ memory[group.name]) * y[group] * (1 - y[group])
        np.testing.assert_allclose(found[group], delta.sum(axis=0, keepdims=True), rtol=1e-9)
        np.testing.assert_allclose(found[Edge(before, group)], z.T @ delta, rtol=1e-8, atol=1e-12)
        s = s + y[group]


@pytest.mark.parametrize("name", registry.algorithms())
def test_every_algorithm_trains_a_normalised_network_or_says_why_not(name: str) -> None:
    algorithm, task = registry.algorithms()[name](), DeepChain(depth=2, width=4, residual=True, norm=True)
    if why := algorithm.applies_to(task):
        assert "\n" not in why
        assert task.name in why
    else:
        trained = run(algorithm, task, replicas=2, epochs=3).trained
        assert np.isfinite(trained.loss).all()


@pytest.mark.parametrize(
    "algorithm", [ForwardForward(), Boltzmann(), MeanField(), RestrictedBoltzmann()], ids=lambda a: a.name
)
def test_algorithms_with_layers_of_their_own_refuse_it(algorithm: Any) -> None:
    one = DeepChain(depth=1, norm=True, target_off=0.0, target_on=1.0)
    assert algorithm.applies_to(replace(one, norm=False)) is None
    assert "normalis" in algorithm.applies_to(one)


def test_one_unit_alone_is_refused() -> None:
    wrong = (
        lambda: Network.chain(2, 1, 1, normalised=True),
        lambda: Network.chain(2, 3, 1, 3, 1, normalised=True),
        lambda: DeepChain(width=1, norm=True),
    )
    for made in wrong:
        with pytest.raises(InputError, match="always") as refused:
            made()
        assert "\n" not in str(refused.value)
    assert Network.chain(1, 2, 1, normalised=True).normalised  # inputs and outputs may be single


# The other two readings


def test_work_is_counted_to_the_closed_form() -> None:
    """Normalising k units: two means (k − 1 and ÷), s − mean, its square, + ε, √, ÷. Once on the way forward,
    once on the way back, where two more means, z b, z mean, two minuses and ÷ follow, and once for the
    product with blame."""
    n, sizes = 5, (3, 4, 6, 2)
    hidden = sizes[1:-1]
    plain, found = (
        cost_of(Backprop(GradientDescent(decay=0.0)), task_of(Network.chain(*sizes, normalised=on), n))
        for on in (False, True)
    )
    once = {
        "reduction": 2 * n * sum(k - 1 for k in hidden),
        "element-wise": n * sum(3 * k + 3 for k in hidden),
        "transcendental": n * len(hidden),
    }
    beyond = {
        "reduction": once["reduction"],
        "element-wise": n * sum(5 * k + 2 for k in hidden),
        "transcendental": 0,
    }
    for kind in once:
        assert found.forward.flops[kind] == plain.forward.flops[kind] + once[kind], kind
        assert found.update.flops[kind] == plain.update.flops[kind] + 3 * once[kind] + beyond[kind], kind
    for kind in ("contraction", "comparison"):
        assert found.update.flops[kind] == plain.update.flops[kind]


@pytest.mark.parametrize("algorithm", [Backprop(), ForwardGradient(), KolenPollack()], ids=lambda a: a.name)
def test_compiled_is_interpreted(algorithm: Any) -> None:
    """A few steps, in which rounding does not grow."""
    pytest.importorskip("jax", reason="jax is not installed: there is no compiled reading")
    task = DeepChain(depth=3, width=5, residual=True, norm=True)
    plain, compiled = (
        run(algorithm, task, replicas=3, epochs=4, backend=backend).trained for backend in ("numpy", "jax")
    )
    assert compiled.ran["backend"] == "jax"
    for key, weights in plain.weights.items():
        np.testing.assert_allclose(compiled.weights[key], weights, rtol=1e-12, atol=1e-12)
