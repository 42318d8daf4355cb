"""Target propagation held to the Gauss–Newton target where its way back is an exact inverse, to backprop where
it has the slopes of the transposed layers, to direct feedback alignment, to a line of scalars by hand, and to
central differences of what the way back descends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pytest

from algorithms._way_back import VARIANTS, Lesson, activities, layer, undone, upwards, way
from algorithms.backprop import Backprop
from algorithms.feedback_alignment import DirectFeedbackAlignment
from algorithms.target_propagation import TargetPropagation
from harness.core.algorithm import Algorithm, Batch
from harness.core.edges import Edge, Group
from harness.core.errors import InputError
from harness.core.exact_gradient import exact_gradient
from harness.core.network import Network
from harness.core.optimisers import Adam, GradientDescent
from harness.core.rand import NOISE, Rand
from harness.core.task import Task
from harness.experiment.run import run
from harness.tasks.addition import Addition
from harness.tasks.deep_chain import DeepChain
from harness.tasks.digits import Digits
from harness.tasks.encoder import Encoder
from harness.tasks.family_tree import FamilyTree
from harness.tasks.parity import Parity
from harness.tasks.symmetry import Symmetry
from harness.tasks.traffic import Traffic
from harness.tasks.xor import Xor
from helpers.kinds import KINDS, network_of
from helpers.problems import Problem, problem

Array = Any
ETAS = (1e-1, 1e-2, 1e-3, 1e-4)
LEARNT = ("dtp", "drl", "ddtp_linear", "l_drl")
Away = Callable[[Edge, Array], Array]


@dataclass(frozen=True)
class Given(TargetPropagation):
    """Target propagation over a way back that is handed in."""

    back: Any = None

    def g(self, net: Network, feedback: Any, e: Edge, h: Array) -> Array:
        return self.back(e, h)


def square(depth: int, seed: int = 0, n: int = 4) -> tuple[Problem, Any]:
    """A network of layers of three units, tanh but for the output, that can be undone layer by layer, and its
    activities; the output's errors are small enough for targets to lie within what tanh reaches."""
    net = Network.chain(*[3] * (depth + 1), hidden="tanh", output="linear")
    p = problem(net, n, seed)
    rng = np.random.default_rng(seed)
    turned = {e: np.linalg.qr(rng.normal(size=e.shape))[0] * [0.7, 1.0, 1.4] for e in net.edges}
    params = {k: turned[k] if isinstance(k, Edge) else 0.3 * w for k, w in p.params.items()}
    h = activities(net, params, 0.5 * p.batch.x)
    target = h[net.output] - 0.2 * rng.uniform(-1, 1, h[net.output].shape)
    return Problem(net, params, p.batch._replace(x=0.5 * p.batch.x, target=target)), h


def inverse(net: Network, params: Any) -> Away:
    """What stood before an edge, exactly."""

    def back(e: Edge, h: Array) -> Array:
        x = h if e.target == net.output else np.arctanh(h)
        return (x - params[e.target]) @ np.linalg.inv(params[e])

    return back


def slopes(net: Network, params: Any, h: Any) -> dict[Group, Array]:
    """J of the output by each hidden group, (N, outputs, size), layer by layer by the chain rule."""
    found: dict[Group, Array] = {}
    behind = np.eye(net.output.size)[None]
    for e in reversed(net.edges[1:]):
        f = np.ones_like(h[e.target]) if e.target == net.output else 1 - h[e.target] ** 2
        behind = behind @ (f[:, :, None] * params[e].T)
        found[e.source] = behind
    return found


@pytest.mark.parametrize("variant", ["tp", "dtp"])
def test_over_an_exact_inverse_the_target_is_the_gauss_newton_step_up_to_eta(variant: str) -> None:
    """t_l − h_l = −η̂ J_{l→L}⁻¹ e (1 + O(η̂)): a tenth of η̂ is a tenth of the relative error, to 5 % where η̂
    is small. Below a linear layer it is the step itself, to rounding."""
    p, h = square(4)
    error = h[p.net.output] - p.batch.target
    jacobian = slopes(p.net, p.params, h)
    step = {g: -np.linalg.solve(j, error[..., None])[..., 0] for g, j in jacobian.items()}
    off = []
    for eta in ETAS:
        rule = Given(variant=variant, target_lr=eta, back=inverse(p.net, p.params))
        shift = rule.shifts(p.net, p.params, {}, h, error)
        off.append([np.linalg.norm(shift[g] / eta - step[g]) / np.linalg.norm(step[g]) for g in p.net.hidden])
    *below, last = np.array(off).T
    for errors in below:
        np.testing.assert_allclose(-np.diff(np.log10(errors)), 1, atol=0.2)
        np.testing.assert_allclose(np.log10(errors[-2] / errors[-1]), 1, atol=0.02)
        assert errors[-1] < 1e-3
    assert last.max() < 1e-11
    # and another thing than the gradient
    for g, j in jacobian.items():
        gradient = -(j.mT @ error[..., None])[..., 0]
        assert np.linalg.norm(gradient - step[g]) > 0.2 * np.linalg.norm(step[g])


def test_the_credit_over_an_exact_inverse_is_that_step_through_the_units() -> None:
    """δ_l = f′ · J_{l→L}⁻¹ e: what the convention of 1/η̂ leaves."""
    p, h = square(3, seed=1)
    error = h[p.net.output] - p.batch.target
    rule = Given(target_lr=1e-6, back=inverse(p.net, p.params))
    found = rule.credit(p.net, p.params, {"feedback": {}}, p.batch, Rand(0, [0], NOISE)).gradient
    for e in p.net.edges[:-1]:
        j = slopes(p.net, p.params, h)[e.target]
        delta = (1 - h[e.target] ** 2) * np.linalg.solve(j, error[..., None])[..., 0]
        np.testing.assert_allclose(found[e], h[e.source].T @ delta, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("variant", ["dtp", "drl", "l_drl"])
@pytest.mark.parametrize("output", ["linear", "sigmoid"])
def test_over_the_slopes_of_transposed_layers_it_is_backprop_as_eta_vanishes(
    variant: str, output: str
) -> None:
    """g_l(t) − g_l(h) = J_fᵀ (t − h) + O(|t − h|²), by a g that bends: the credit is the gradient's up to O(η̂).
    Relative errors fall by a tenth for a tenth of η̂."""
    p = problem(Network.chain(3, 5, 4, 2, hidden="tanh", output=output), 6, 3)
    h = activities(p.net, p.params, p.batch.x)

    def back(e: Edge, here: Array) -> Array:
        f = 1.0 if e.target == p.net.output else 1 - h[e.target] ** 2
        moved = ((here - h[e.target]) * f) @ p.params[e].T
        return moved + moved**2

    exact, off = exact_gradient(p.net, p.params, p.batch).gradient, []
    for eta in ETAS:
        rule = Given(variant=variant, target_lr=eta, back=back)
        found = rule.credit(p.net, p.params, {"feedback": {}}, p.batch, Rand(0, [0], NOISE)).gradient
        off.append([np.linalg.norm(found[e] - exact[e]) / np.linalg.norm(exact[e]) for e in p.net.edges])
    *hidden, last = np.array(off).T
    assert last.max() < 1e-14
    for errors in hidden:
        np.testing.assert_allclose(-np.diff(np.log10(errors)), 1, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_over_transposed_weights_in_a_linear_network_it_is_backprop_whatever_eta(kind: str) -> None:
    """Of every kind of edge: Q = W, so that g has the slopes Jᵀ everywhere."""
    net = network_of(kind, "linear", "softmax")
    p = problem(net, 5, 2)
    for eta in (0.01, 10.0):
        rule = TargetPropagation(target_lr=eta)
        memory = rule.remember(net, p.params, Rand(0, [0], NOISE))["feedback"]
        memory |= {way(net, "dtp", g).weights.name: p.params[way(net, "dtp", g).weights] for g in net.hidden}
        found = rule.credit(net, p.params, {"feedback": memory}, p.batch, Rand(0, [0], NOISE)).gradient
        for key, g in exact_gradient(net, p.params, p.batch).gradient.items():
            np.testing.assert_allclose(found[key].reshape(g.shape), g, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("variant", ["tp", "dtp", "drl", "l_drl"])
@pytest.mark.parametrize("eta", [0.01, 1.0])
def test_with_one_hidden_layer_and_the_gradients_target_it_is_backprop(variant: str, eta: float) -> None:
    """Lee et al. 2015: so that nobody takes the one for the other. With two, only the last hidden layer is."""
    for sizes in ((3, 4, 2), (3, 4, 4, 2)):
        p = problem(Network.chain(*sizes), 5, 1, (2,))
        rule = TargetPropagation(variant=variant, target_lr=eta, last_hidden="gradient")
        memory = rule.remember(p.net, p.params, Rand(0, range(2), NOISE))
        found = rule.credit(p.net, p.params, memory, p.batch, Rand(0, range(2), NOISE)).gradient
        exact = exact_gradient(p.net, p.params, p.batch).gradient
        same = {e.name: np.allclose(found[e], exact[e], rtol=1e-9, atol=1e-13) for e in p.net.edges}
        assert list(same.values()) == [True, True] if len(sizes) == 3 else [False, True, True]


@pytest.mark.parametrize("eta", [1e-3, 1.0])
@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy"])
def test_straight_over_fixed_random_weights_it_is_direct_feedback_alignment(eta: float, loss: str) -> None:
    """ddtp_linear with Q = Bᵀ that does not learn, to rounding: of several layers, whatever η̂ is."""
    task = Digits(hidden=5, layers=2, loss=loss)
    net, n = task.network(), 7
    p = problem(net, n, 4, (2,))
    wanted = np.eye(10)[np.arange(n)] > 0
    batch = Batch(p.batch.x, wanted * 1.0, wanted, 0, task.objective)
    direct = DirectFeedbackAlignment()
    b = direct.remember(net, p.params, Rand(0, range(2), NOISE))
    rule = TargetPropagation(variant="ddtp_linear", target_lr=eta, feedback_steps=0)
    memory = {"feedback": {f"{g.name}-output": b[g.name].mT for g in net.hidden}}
    shapes = {
        k: q.shape for k, q in rule.remember(net, p.params, Rand(0, range(2), NOISE))["feedback"].items()
    }
    assert shapes == {k: q.shape for k, q in memory["feedback"].items()}
    found = rule.credit(net, p.params, memory, batch, Rand(0, [0], NOISE)).gradient
    for key, g in direct.credit(net, p.params, b, batch, Rand(0, [0], NOISE)).gradient.items():
        np.testing.assert_allclose(found[key], g, rtol=1e-12, atol=1e-14 * np.abs(g).max())


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_all_layers_of_a_line_at_once_overshoot_by_the_power_of_the_depth(depth: int) -> None:
    """y = x Π w, exact inverses, each layer moved all the way to its target: the output is y (t/y)^d. One layer
    alone moved so: it is t. (A step of η̂/h² takes w h to the target where ½|h_l − t_l|²/η̂ is descended.)"""
    ends = [Group(f"g{i}", 1, "linear", bias=False) for i in range(depth + 1)]
    net = Network(tuple(ends), tuple(Edge(a, b) for a, b in zip(ends, ends[1:], strict=False)))
    params = {e: np.array([[1.1 + 0.2 * i]]) for i, e in enumerate(net.edges)}
    x, t = np.array([[0.7]]), 1.2 * net.respond(params, np.array([[0.7]]))
    batch = Batch(x, t, t > 0, 0)
    y = net.forward(params, x)
    rule = Given(target_lr=1.0, back=lambda e, h: h / params[e])
    credit = rule.credit(net, params, {"feedback": {}}, batch, Rand(0, [0], NOISE)).gradient
    moved = {e: params[e] - credit[e] / y[e.source] ** 2 for e in net.edges}
    np.testing.assert_allclose(net.respond(moved, x), y[net.output] * 1.2**depth, rtol=1e-12)
    for e in net.edges:
        np.testing.assert_allclose(net.respond({**params, e: moved[e]}, x), t, rtol=1e-12)


# what the way back descends


def loss_of(lesson: Lesson, feedback: Any, usual: Any, e: Edge) -> Array:
    """The loss of one g, written out from the papers: with what r came over held at `usual`."""
    net, params, variant, h, noise, above = lesson

    def g(heard: Array, over: Any = feedback, of: Edge = e) -> Array:
        return undone(net, variant, over, of, heard)

    siblings = [s for s in net.hidden if net.out_of(s)[0].target == net.out_of(e.source)[0].target]
    moved = {**h, **{s: h[s] + noise[s] for s in siblings}}
    for group in net.free[net.free.index(net.out_of(e.source)[0].target) :]:
        moved[group] = layer(net, params, group, moved)
    epsilon, up = noise[e.source], moved[e.target]
    if variant in ("tp", "dtp"):
        return 0.5 * ((g(up) - h[e.source] - epsilon) ** 2).sum()
    if variant == "ddtp_linear":
        return 0.5 * ((g(up - h[e.target]) - epsilon) ** 2).sum()
    if variant == "l_drl":
        spread = g(h[e.target] + above[e.target]) - g(h[e.target])
        return 0.5 * (spread**2).sum() - (epsilon * (g(up) - g(h[e.target]))).sum()
    r = moved[net.output]
    for group in reversed(upwards(net, e.source)[:-1]):
        (over,) = net.out_of(group)
        r = h[group] + g(r, usual, over) - g(h[over.target], usual, over)
    return 0.5 * ((g(r) - g(h[e.target]) - epsilon) ** 2).sum()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "net", [Network.chain(3, 4, 3, 2), FamilyTree(held=0).network()], ids=["chain", "tree"]
)
def test_feedback_descends_what_its_paper_says(variant: str, net: Network) -> None:
    """Central differences of each g's own loss by some of its own weights; relative error 1e-6."""
    p, rng = problem(net, 5, 6), np.random.default_rng(7)
    h = activities(net, p.params, p.batch.x)
    rule = TargetPropagation(variant=variant)
    feedback = {k: q[0] for k, q in rule.remember(net, p.params, Rand(0, [0], NOISE))["feedback"].items()}
    feedback = {k: q + rng.normal(scale=0.3, size=q.shape) for k, q in feedback.items()}
    noise, above = ({g: 0.3 * rng.normal(size=h[g].shape) for g in net.free} for _ in range(2))
    lesson = Lesson(net, p.params, variant, h, {g: noise[g] for g in net.hidden}, above)
    gradient = lesson.gradient(feedback)
    assert gradient.keys() == feedback.keys()
    for group in net.hidden:
        e = way(net, variant, group)
        for name in {e.weights.name, group.name} & feedback.keys():
            flat = [tuple(i) for i in rng.integers(0, feedback[name].shape, (8, 2))]
            for index in flat:
                step = np.zeros(feedback[name].shape)
                step[index] = 1e-5
                each = [
                    loss_of(lesson, {**feedback, name: feedback[name] + s * step}, feedback, e)
                    for s in (1, -1)
                ]
                assert gradient[name][index] == pytest.approx((each[0] - each[1]) / 2e-5, rel=1e-6, abs=1e-8)
