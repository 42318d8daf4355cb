"""Vanishing credit held to its law: exact bounds, complex steps, figures computed elsewhere, and the orders
of depth."""

from __future__ import annotations

import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import DirectFeedbackAlignment, FeedbackAlignment
from algorithms.node_perturbation import NodePerturbation
from algorithms.perceptron import Perceptron
from algorithms.shallow import Shallow
from algorithms.sign_symmetry import SignSymmetry
from algorithms.weight_mirror import KolenPollack
from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.cli import vanishing
from harness.cli.vanishing import main
from harness.core.algorithm import Batch
from harness.core.errors import InputError
from harness.core.initial import initial
from harness.core.network import Edge, Group, Network
from harness.core.rand import NOISE, WEIGHTS, Rand
from harness.core.tangent import tangent
from harness.core.task import Task
from harness.cost.growth import exponent
from harness.cost.sheet import sheet
from harness.credit.compare import exact, vectors
from harness.credit.vanishing import Left, factor, left, ratio_table
from harness.experiment.run import run
from harness.tasks.deep_chain import DeepChain
from harness.tasks.xor import Xor

N = 60  # replicas
NORMLESS: dict[str, Any] = {"norm": True, "width": 1}
DEPTHS = (2, 4, 6, 10)
# RMS gradient first ÷ last hidden layer, one network of width 50
PUBLISHED = {
    "uniform": (0.22, 5.0e-3, 1.4e-4, 4.1e-8),
    "glorot": (0.23, 1.2e-2, 8.2e-4, 1.95e-6),
}


def cell(algorithm: Any, task: Task, replicas: int = N) -> Cell:
    return Cell(
        algorithm.resolved(task.usual), task.resolved(), Settings(replicas=replicas).resolved(algorithm, task)
    )


@cache
def measured(algorithm: Any, depth: int, init: str = "uniform", **task: Any) -> Left:
    return left(cell(algorithm, DeepChain(depth=depth, width=50, bits=4, init=init, **task)))


def median_interval(values: np.ndarray) -> tuple[float, float]:
    """Order statistics around the median of N = 60 networks: 95 % (binomial, ranks 22 and 39)."""
    assert len(values) == N
    ordered = np.sort(values)
    return float(ordered[21]), float(ordered[38])


def start(task: Task, replicas: int = N) -> tuple[Network, dict[Any, Any]]:
    net = task.network()
    return net, initial(net, Rand(0, range(replicas), WEIGHTS), task.init, task.initial_scale)


def credit(net: Network, params: Any, x: Any, target: Any) -> Any:
    return Backprop().credit(net, params, {}, Batch(x, target, target > 0.5, 0), Rand(0, [0], NOISE)).gradient


def test_words_are_parity_and_majority() -> None:
    for rule in ("parity", "majority"):
        x, wanted, names, _ = DeepChain(bits=5, rule=rule).patterns()
        assert len(set(names)) == 32
        for name, row, on in zip(names, x, wanted[:, 0], strict=True):
            assert name == "".join(str(int(b)) for b in row)
            assert on == (name.count("1") in (1, 3, 5) if rule == "parity" else name.count("1") in (3, 4, 5))


def test_depth_counts_hidden_layers_and_weights_lie_within_one_over_root_width() -> None:
    task = DeepChain(depth=6, width=16)
    net, params = start(task)
    assert [g.size for g in net.hidden] == [16] * 6
    assert net.depth == 7
    assert task.resolved().scale == 0.25
    assert 0.249 < max(np.abs(w).max() for w in params.values()) <= 0.25


@pytest.mark.parametrize(
    "bad", [{"depth": 0}, {"width": 0}, {"bits": 13}, {"rule": "sum"}, {"activation": "step"}, NORMLESS]
)
def test_what_cannot_be_is_refused(bad: dict[str, Any]) -> None:
    """A network that cannot be built is an error when it is asked for, not at its first update."""
    with pytest.raises(InputError):
        DeepChain(**bad)


# Residual networks: y_l = f(s_{l-1} W_l + b_l), s_l = s_{l-1} + y_l


def residual_by_hand(params: Any, net: Network, x: np.ndarray, kind: Any) -> np.ndarray:
    first, *others = net.hidden
    sent = kind(x @ params[net.into(first)[0]] + params[first])
    for group in others:
        sent = sent + kind(sent @ params[net.into(group)[0]] + params[group])
    return 1 / (1 + np.exp(-(sent @ params[net.into(net.output)[0]] + params[net.output])))


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_credit_of_a_residual_network_is_the_complex_step_of_its_equations(activation: str) -> None:
    """One parameter at a time, through a forward pass written here; largest error over all, relative to
    |∇|."""
    task = DeepChain(depth=4, width=3, bits=3, activation=activation, residual=True)
    net, params = start(task, 1)
    params = {k: v[0] for k, v in params.items()}
    x, wanted, *_ = task.patterns()
    target = np.where(wanted, 0.9, 0.1)
    kind = np.tanh if activation == "tanh" else lambda a: 1 / (1 + np.exp(-a))
    found = credit(net, params, x, target)
    np.testing.assert_allclose(
        net.forward(params, x)[net.output], residual_by_hand(params, net, x, kind), rtol=1e-13
    )
    truth = {key: np.empty(value.shape) for key, value in params.items()}
    for key, value in params.items():
        for index in np.ndindex(value.shape):
            moved = value.astype(complex)
            moved[index] += 1e-20j
            y = residual_by_hand({**params, key: moved}, net, x, kind)
            truth[key][index] = (0.5 * ((y - target) ** 2).sum()).imag / 1e-20
    size = np.sqrt(sum((t**2).sum() for t in truth.values()))
    assert max(np.abs(found[k] - truth[k]).max() for k in truth) <= 1e-12 * size
    reference = exact(net, params, Batch(x, target, wanted, 0))
    assert max(np.abs(found[k] - reference[k]).max() for k in truth) <= 1e-14 * size
    along = {
        k: np.random.default_rng(1).normal(size=v.shape) for k, v in params.items()
    }  # forward mode, one direction
    y = net.forward(params, x)
    moved = tangent(net, params, along, y)[net.output]
    inner = sum((truth[k] * along[k]).sum() for k in truth)
    assert ((y[net.output] - target) * moved).sum() == pytest.approx(inner, rel=1e-11)


def test_residuals_are_the_sum_of_all_ways_through_a_network() -> None:
    """Linear units and W = 0 but for the output: s_L = y_1, however many layers lie between."""
    net = Network.chain(2, 3, 3, 3, 3, 1, hidden="linear", output="linear", residual=True)
    rng = np.random.default_rng(0)
    params = {k: np.zeros(s) for k, s in net.shapes.items()}
    first, last = net.into(net.hidden[0])[0], net.into(net.output)[0]
    params[first], params[last] = rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
    x = rng.normal(size=(5, 2))
    np.testing.assert_allclose(
        net.forward(params, x)[net.output], x @ params[first] @ params[last], rtol=1e-14
    )


@pytest.mark.parametrize(
    ("a", "b"), [("input", "one"), ("two", "one"), ("one", "small"), ("two", "output"), ("one", "one")]
)
def test_residuals_join_hidden_groups_of_one_size_forwards(a: str, b: str) -> None:
    groups = {n: Group(n, 2 if n == "small" else 3) for n in ("input", "one", "two", "small", "output")}
    order = tuple(groups.values())
    edges = tuple(Edge(s, t) for s, t in pairwise(order))
    with pytest.raises(InputError, match="residual"):
        Network(order, edges, ((groups[a], groups[b]),))


@pytest.mark.parametrize(
    "algorithm",
    [FeedbackAlignment(), SignSymmetry(), KolenPollack(), NodePerturbation()],
    ids=lambda a: a.name,
)
def test_rules_train_residual_networks(algorithm: Any) -> None:
    task = DeepChain(depth=3, width=4, residual=True)
    trained = run(algorithm, task, replicas=3, epochs=20).trained
    assert np.isfinite(trained.loss).all()


# The law: |δ_first| ≤ Π ¼ ‖W‖₂ |δ_last|


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("init", ["uniform", "glorot"])
def test_no_network_exceeds_a_quarter_of_its_weights_norm_a_layer(init: str, depth: int) -> None:
    """For each of the N networks and every pattern alone, where the credit of a bias is δ itself."""
    task = DeepChain(depth=depth, width=50, bits=4, init=init)
    net, params = start(task)
    x, wanted, *_ = task.patterns()
    target = np.where(wanted, 0.9, 0.1)
    found = credit(net, params, x[:, None, None], target[:, None, None])
    first, last = (np.linalg.norm(found[g][..., 0, :], axis=-1) for g in (net.hidden[0], net.hidden[-1]))
    norms = [np.linalg.norm(params[net.into(g)[0]], 2, axis=(-2, -1)) / 4 for g in net.hidden[1:]]
    bound = np.prod(norms, axis=0) * last
    assert first.shape == (16, N)
    assert (first <= bound).all()
    assert (first > 0).all()


def test_glorots_weights_give_the_published_ratios() -> None:
    """One network's figure at each depth: among the middle 90 % of our N (false alarm 1 in 10 a depth;
    seeded)."""
    for depth, figure in zip(DEPTHS, PUBLISHED["glorot"], strict=True):
        low, high = np.quantile(measured(Backprop(), depth, "glorot").ratio, [0.05, 0.95])
        assert low < figure < high, depth


@pytest.mark.parametrize("init", ["uniform", "glorot"])
def test_the_factor_per_layer_is_that_between_the_ends_of_the_published_row(init: str) -> None:
    """Within 5 %: .144 and .232 for eight layers between depths 2 and 10; "≈ .17" divides out a constant that
    is not depth's."""
    ends = PUBLISHED[init][0], PUBLISHED[init][-1]
    published = (ends[1] / ends[0]) ** (1 / 8)
    ours = factor([measured(Backprop(), depth, init) for depth in DEPTHS])
    assert ours == pytest.approx(published, rel=0.05)
    if init == "uniform":  # small weights: σ' ≈ ¼ and √n · 1/√(3n)
        assert ours == pytest.approx(0.25 / np.sqrt(3), rel=0.05)


def test_the_published_ratios_of_uniform_weights_are_those_of_normal_inputs() -> None:
    """On bits they do not come out: each lies above 95 % of our networks. On 64 normal inputs as wide as a
    layer, where sums over patterns nearly cancel and networks differ more, all four lie among the middle 90
    %: their inputs are not stated."""
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(64, 50)), rng.uniform(size=(64, 1))
    for depth, figure in zip(DEPTHS, PUBLISHED["uniform"], strict=True):
        assert figure > np.quantile(measured(Backprop(), depth).ratio, 0.95)
        net = Network.chain(50, *[50] * depth, 1)
        params = initial(net, Rand(0, range(N), WEIGHTS), "uniform", 50**-0.5)
        found = vectors(net, credit(net, params, x, target))
        first, last = (
            np.sqrt((found[net.into(g)[0].name] ** 2).mean(axis=-1)) for g in (net.hidden[0], net.hidden[-1])
        )
        low, high = np.quantile(first / last, [0.05, 0.95])
        assert low < figure < high, depth


# Who escapes it


def test_direct_feedback_does_not_vanish_and_feedback_alignment_does() -> None:
    """DFA: the 95 % interval of the median at depth 10 meets that at depth 2. FA: √n · .5/√3 · ¼ = .51 a
    layer at most."""
    direct = [median_interval(measured(DirectFeedbackAlignment(), depth).ratio) for depth in (2, 10)]
    assert direct[0][0] <= direct[1][1]
    assert direct[1][0] <= direct[0][1]
    assert all(0.8 < low < high < 1.25 for low, high in direct)
    fed = [measured(FeedbackAlignment(), depth) for depth in DEPTHS]
    assert 0.45 < factor(fed) < 0.25 * np.sqrt(50 / 12)
    shallowest, deepest = (median_interval(s.ratio) for s in (fed[0], fed[-1]))
    assert deepest[1] < shallowest[0] / 100


def test_signs_explode_where_backprop_vanishes() -> None:
    """|B| = 1: √n · ¼ = 1.77 a layer at most, and less for the mean of y (1 − y)."""
    assert 1.5 < factor([measured(SignSymmetry(), depth) for depth in DEPTHS]) < np.sqrt(50) / 4


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_credit_of_residual_networks_does_not_vanish(activation: str) -> None:
    """It falls as 1 / depth, because what the last layer hears grows; without residuals it is below 1e-7."""
    task = DeepChain(depth=10, width=50, bits=4, residual=True, activation=activation)
    assert median_interval(left(cell(Backprop(), task)).ratio)[0] > 0.05
    if activation == "sigmoid":
        net, params = start(task)
        x, wanted, *_ = task.patterns()
        found = credit(net, params, x, np.where(wanted, 0.9, 0.1))
        blame = np.linalg.norm(found[net.hidden[0]], axis=(-2, -1)) / np.linalg.norm(
            found[net.hidden[-1]], axis=(-2, -1)
        )
        assert median_interval(blame)[0] > 0.3  # of the biases: no activity in it
        assert median_interval(measured(Backprop(), 10).ratio)[1] < 1e-7


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_credit_of_normalised_networks_keeps_its_size(activation: str, residual: bool) -> None:
    """Each layer shrinks what it passes on by f' ‖W‖, and dividing by σ undoes it, both ways: a factor near 1
    a layer.

    Every one of the N networks keeps far more than the ¼ a layer of a plain chain.
    """
    some = [
        measured(Backprop(), depth, norm=True, residual=residual, activation=activation) for depth in DEPTHS
    ]
    assert 0.8 < factor(some) < 1.4
    assert (some[-1].ratio > 0.1).all()
    assert (some[-1].ratio < 100).all()
    assert 0.25 ** (DEPTHS[-1] - 1) < 1e-5


def test_fixed_feedback_explodes_where_layers_are_normalised() -> None:
    """Backprop's W of ±1/√50 cancel against σ, B of ±½ do not: ½ √50 = 3.5 times backprop's factor a
    layer."""
    fed, exactly = (
        [measured(rule, depth, norm=True) for depth in DEPTHS] for rule in (FeedbackAlignment(), Backprop())
    )
    assert factor(fed) / factor(exactly) == pytest.approx(0.5 * np.sqrt(50), rel=0.1)


@pytest.mark.parametrize(
    "algorithm", [Backprop(), FeedbackAlignment(), DirectFeedbackAlignment()], ids=lambda a: a.name
)
def test_work_and_span_grow_in_proportion_to_depth(algorithm: Any) -> None:
    """An equal difference for each layer, exactly, and a power near 1 where the ends no longer matter."""
    sheets = [sheet(cell(algorithm, DeepChain(depth=d, width=8), 1)) for d in (2, 3, 4, 8, 16)]
    work = [s.update.work for s in sheets]
    assert work[1] - work[0] == work[2] - work[1] == (work[4] - work[3]) / 8
    assert 0.9 < exponent([16, 8], [work[4], work[3]]) < 1.1
    spans = [s.update.span for s in sheets]
    assert spans[1] - spans[0] == spans[2] - spans[1] == (spans[4] - spans[3]) / 8


def test_the_command_prints_a_table_and_draws(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    words = [
        "algorithm=backprop,node_perturbation,shallow",
        "task.depth=1,2",
        "task.width=5",
        "run.replicas=20",
        "run.probe_draws=4",
    ]
    monkeypatch.setattr(sys, "argv", ["vanishing", *words, f"store={tmp_path / 'store'}"])
    main()
    out = capsys.readouterr().out
    assert "20 replicas" in out
    assert "node_perturbation, mean of 4 draws" in out
    assert (tmp_path / "store" / "credit" / "vanishing.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("given", "bounded"),
    [("rule=parity", True), ("norm=true", False), ("residual=true", False), ("activation=tanh", False)],
)
def test_the_bound_is_drawn_for_what_it_bounds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str, bounded: bool
) -> None:
    """Plain chains of logistic units."""
    figures = []
    monkeypatch.setattr(vanishing, "write_figure", lambda store, figure: figures.append(figure) or store.path)
    words = [
        "algorithm=backprop",
        "task.depth=1,2",
        "task.width=5",
        "run.replicas=4",
        f"task.{given}",
        f"store={tmp_path}",
    ]
    monkeypatch.setattr(sys, "argv", ["vanishing", *words])
    main()
    (axes,) = figures[0].axes
    assert any("bound" in line.get_label() for line in axes.lines) is bounded
    assert ("normalised" in axes.get_title(loc="left")) is (given == "norm=true")
    assert ("residual" in axes.get_title(loc="left")) is (given == "residual=true")


def test_the_command_draws_one_curve_for_each_algorithm(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    words = [
        "algorithm=backprop",
        "task.init=uniform,glorot",
        "task.depth=2",
        "run.replicas=2",
        f"store={tmp_path}",
    ]
    monkeypatch.setattr(sys, "argv", ["vanishing", *words])
    with pytest.raises(SystemExit):
        main()
    assert "one curve" in capsys.readouterr().err


def test_the_table_is_that_of_known_ratios() -> None:
    some = [Left(d, 3 * 0.1 ** np.full(5, float(d)), 1) for d in (2, 3, 4)]
    assert factor(some) == pytest.approx(0.1)
    assert "0.03 [0.03–0.03]" in ratio_table({"known": some})
    none = left(cell(Shallow(), DeepChain(depth=3), 4))
    assert np.isnan(none.ratio).all()
    assert "–" in ratio_table({"shallow": [none]})


def test_what_has_no_hidden_credit_is_said() -> None:
    with pytest.raises(InputError, match="credit"):
        left(cell(Perceptron(), Xor(), 2))
