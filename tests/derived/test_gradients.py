"""Credit held to independent derivatives: one parameter moved at a time, by a complex or a real step, over
random networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.finite_differences import FiniteDifferences
from algorithms.shallow import Shallow
from harness.core import registry, vectors
from harness.core.algorithm import Algorithm, Batch
from harness.core.errors import InputError
from harness.core.initial import initial
from harness.core.losses import SquaredError
from harness.core.network import Edge, Group, Network
from harness.core.rand import NOISE, WEIGHTS, Rand
from harness.core.tree import leaves, tree_map
from harness.tasks.xor import Xor
from helpers.problems import SMOOTH, Problem, credit_of, derivatives, error, networks, problem, problems

COMPLEX, CENTRAL = (
    1e-20,
    6.1e-6,
)  # steps at which their errors are ~1e-16 and ~1e-10: rounding, and ε^(1/3)
CREDIT = [Backprop(), Shallow(), FiniteDifferences()]
SCALAR = {  # y = f(x) for one unit, from the textbook
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "linear": lambda x: x,
    "relu": lambda x: max(x, 0.0),
    "heaviside": lambda x: 1.0 if x > 0 else 0.0,
}
quick = settings(deadline=None, derandomize=True, max_examples=120)


def name(value: Any) -> str:
    return type(value).__name__


def outside_margin(y: Any, batch: Batch) -> Any:
    """½ Σ (y − d)² over outputs that fall short of their target by more than the margin."""
    short = np.where(batch.wanted, batch.target - y.real, y.real - batch.target)
    return 0.5 * ((y - batch.target) ** 2)[short > batch.loss.margin].sum()


def by_hand(p: Problem) -> tuple[dict[Group, list[list[float]]], list[float]]:
    """Activities [pattern][unit] of every group in plain Python, and the total input of every relu unit."""
    net, params, batch = p
    activity: dict[Group, list[list[float]]] = {}
    totals: list[float] = []
    column = 0
    for group in net.groups:
        if not net.into(group):
            activity[group] = [[float(row[column + i]) for i in range(group.size)] for row in batch.x]
            column += group.size
            continue
        activity[group] = []
        for n in range(len(batch.x)):
            row = []
            for j in range(group.size):
                total = float(params[group][0, j]) if group.bias else 0.0
                for e in net.into(group):
                    total += sum(
                        activity[e.source][n][i] * float(params[e][i, j]) for i in range(e.source.size)
                    )
                if group.activation == "relu":
                    totals.append(total)
                row.append(SCALAR[group.activation](total))
            activity[group].append(row)
    return activity, totals


@quick
@given(problems((*SMOOTH, "relu"), (*SMOOTH, "relu")))
def test_forward_is_the_textbook_sum_unit_by_unit(p: Problem) -> None:
    y = p.net.forward(p.params, p.batch.x)
    for group, activity in by_hand(p)[0].items():
        np.testing.assert_allclose(y[group], activity, rtol=1e-12, atol=1e-14)


def test_an_input_group_after_a_hidden_one_is_refused() -> None:
    """Columns of a pattern go to the inputs in their order, and activity to the groups in theirs: inputs come
    first."""
    early, hidden, late, out = (
        Group("early", 2, "linear"),
        Group("hidden", 3),
        Group("late", 1, "linear"),
        Group("out", 1),
    )
    with pytest.raises(InputError, match="input"):
        Network((early, hidden, late, out), (Edge(early, hidden), Edge(hidden, out), Edge(late, out)))


@pytest.mark.parametrize("names", [("a", "b", "a-b", "out"), ("a-b", "a", "b-c", "c")])
def test_parameters_of_a_network_have_names_of_their_own(names: tuple[str, ...]) -> None:
    """Records know weights by name: a group called like an edge, or two edges called alike, would lose one of
    them."""
    groups = tuple(Group(name, 2) for name in names)
    edges = tuple(Edge(a, b) for i, a in enumerate(groups) for b in groups[i + 1 :])
    try:
        net = Network(groups, edges)
    except InputError:
        return
    assert len({k.name for k in net.shapes}) == len(net.shapes)


@quick
@given(problems())
def test_backprop_is_the_complex_step_derivative(p: Problem) -> None:
    assert error(credit_of(Backprop(), p), derivatives(p, COMPLEX * 1j)) <= 1e-12


@quick
@given(problems())
def test_backprop_is_the_central_difference(p: Problem) -> None:
    assert error(credit_of(Backprop(), p), derivatives(p, CENTRAL)) <= 1e-7


@quick
@given(problems(("relu", "sigmoid")))
def test_backprop_is_the_central_difference_away_from_the_kinks_of_relu(p: Problem) -> None:
    _, totals = by_hand(p)
    assume(totals and min(map(abs, totals)) > 1e-3)
    assert error(credit_of(Backprop(), p), derivatives(p, CENTRAL)) <= 1e-7


@quick
@given(problems(), st.floats(0.05, 0.5))
def test_the_margin_is_in_the_gradient_away_from_its_edge(p: Problem, margin: float) -> None:
    p = p._replace(batch=p.batch._replace(loss=SquaredError(margin)))
    y = p.net.forward(p.params, p.batch.x)[p.net.output]
    gap = np.abs(y - p.batch.target)
    assume(np.abs(gap - margin).min() > 1e-3)
    assert error(credit_of(Backprop(), p), derivatives(p, COMPLEX * 1j, outside_margin)) <= 1e-12


def test_an_output_beyond_its_target_is_without_error() -> None:
    """Family tree: 'an on-unit > 0.8 or an off-unit < 0.2' counts as right, however far beyond."""
    loss = SquaredError(0.2)
    y, target = np.array([[0.81, 0.79, 1.5, 0.19, 0.21, -3.0]]), np.array([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]])
    expected = np.array([[0.0, -0.21, 0.0, 0.0, 0.21, 0.0]])
    np.testing.assert_allclose(loss.error(y, target, target > 0.5), expected, rtol=1e-12)
    np.testing.assert_allclose(loss.of(y, target, target > 0.5), 0.5 * 2 * 0.21**2, rtol=1e-12)


@quick
@given(problems())
def test_finite_differences_are_the_gradient(p: Problem) -> None:
    assert error(credit_of(FiniteDifferences(), p), credit_of(Backprop(), p)) <= 1e-7


def test_finite_differences_in_float32_err_as_their_step_says() -> None:
    """h² and ε/h are both ≈ 2.4e-5 at h = ε^(1/3); a hundred of them leave room for E and curvature."""
    p = problem(Network.chain(4, 3, 2), 5, 0, dtype="float32")
    credit = credit_of(FiniteDifferences(), p)
    assert all(c.dtype == np.float32 for c in credit.values())
    assert error(credit, credit_of(Backprop(), p)) <= 2.4e-3


@pytest.mark.parametrize("workspace", [1, 1000, 2**17])
@pytest.mark.parametrize("lead", [(), (3,)])
def test_finite_differences_cost_two_forward_passes_a_weight(
    monkeypatch: pytest.MonkeyPatch, workspace: int, lead: tuple[int, ...]
) -> None:
    """Counted as networks evaluated: one pass over a stack of P perturbed networks is P passes."""
    passes = []
    forward = Network.forward

    def counted(self: Network, params: Any, x: Any) -> Any:
        y = forward(self, params, x)
        passes.append(math.prod(y[self.output].shape[:-2]))
        return y

    p = problem(Network.chain(3, 4, 2, shortcut=True), 5, 0, lead)
    whole = credit_of(FiniteDifferences(), p)
    monkeypatch.setattr(vectors, "WORKSPACE", workspace)
    monkeypatch.setattr(Network, "forward", counted)
    credit = credit_of(FiniteDifferences(), p)
    weights = 3 * 4 + 4 + 4 * 2 + 2 + 3 * 2
    assert sum(passes) == 2 * weights * math.prod(lead)
    for k in whole:  # how many are perturbed at once is a matter of memory, never of bits
        assert credit[k].tobytes() == whole[k].tobytes()


@quick
@given(problems())
def test_shallow_is_backprop_on_edges_into_the_output_and_silent_elsewhere(p: Problem) -> None:
    credit, truth = credit_of(Shallow(), p), credit_of(Backprop(), p)
    output = p.net.output
    assert set(credit) == {*p.net.into(output), *([output] if output.bias else [])}
    for k in credit:
        assert credit[k].tobytes() == truth[k].tobytes()


@quick
@given(problems(("heaviside",)))
def test_no_gradient_reaches_weights_behind_threshold_units(p: Problem) -> None:
    credit, truth = credit_of(Backprop(), p), derivatives(p, COMPLEX * 1j)
    seen = {*p.net.into(p.net.output), p.net.output}  # only what enters the output has a slope in front of it
    assert not any(c.any() for k, c in credit.items() if k not in seen)
    assert (
        error({k: c for k, c in credit.items() if k in seen}, {k: t for k, t in truth.items() if k in seen})
        <= 1e-12
    )


@pytest.mark.parametrize("algorithm", CREDIT, ids=name)
@settings(quick, max_examples=40)
@given(
    net=networks((*SMOOTH, "relu")),
    n=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
    own=st.booleans(),
    data=st.data(),
)
def test_credit_of_a_stack_is_the_stack_of_credits_bit_for_bit(
    algorithm: Any, net: Network, n: int, seed: int, own: bool, data: st.DataObject
) -> None:
    lead = data.draw(st.sampled_from([(1,), (3,), (2, 3)]))
    dtype = data.draw(st.sampled_from(["float64", "float32"]))
    stack = problem(net, n, seed, lead, dtype, own)
    together = credit_of(algorithm, stack)
    for i in np.ndindex(lead):
        batch = stack.batch
        if own:
            batch = batch._replace(x=batch.x[i], target=batch.target[i], wanted=batch.wanted[i])
        alone = credit_of(algorithm, Problem(net, {k: v[i] for k, v in stack.params.items()}, batch))
        assert set(alone) == set(together)
        for k in alone:
            assert together[k].dtype == alone[k].dtype == np.dtype(dtype)
            assert together[k][i].tobytes() == alone[k].tobytes()


def frozen(tree: Any) -> Any:
    def freeze(a: Any) -> Any:
        a = np.array(a)
        a.setflags(write=False)
        return a

    return tree_map(freeze, tree)


XOR_LEARNERS = [kind for kind in registry.algorithms().values() if kind().applies_to(Xor()) is None]


@pytest.mark.parametrize("algorithm", CREDIT, ids=name)
def test_credit_writes_to_nothing_it_is_handed(algorithm: Any) -> None:
    p = problem(Network.chain(3, 4, 2, shortcut=True), 5, 0, (2,))
    p = Problem(
        p.net, frozen(p.params), frozen(p.batch._replace(loss=()))._replace(loss=SquaredError(0.1), epoch=0)
    )
    credit_of(algorithm, p)


@pytest.mark.parametrize("kind", XOR_LEARNERS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("patterns", [1, 4])
def test_update_writes_to_nothing_it_is_handed(kind: type[Algorithm], patterns: int) -> None:
    task = Xor()
    net, noise = task.network(), Rand(0, range(3), NOISE)
    algorithm = kind().resolved(task.usual)
    data = task.data(noise, "float64")
    start = frozen(initial(net, Rand(0, range(3), WEIGHTS), "uniform", 0.5))
    state = frozen(algorithm.init(net, start, noise))
    before = [(n, a.tobytes()) for n, a in leaves(state)]
    x, target, wanted = frozen(tuple(a[:patterns] for a in data[:3]))
    algorithm.update(net, state, Batch(x, target, wanted, 0), noise)
    algorithm.predict(net, state, x)
    assert [(n, a.tobytes()) for n, a in leaves(state)] == before
