"""The credit probe and the gradient check held to pairs of vectors whose angle is known, to least squares, to
the variance of the forward gradient and to published angles; planted errors held to be caught, and runs to be
left as they are."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from algorithms.backprop import Backprop
from algorithms.boltzmann import Boltzmann
from algorithms.feedback_alignment import DirectRandomTargetProjection
from algorithms.perceptron import Perceptron
from algorithms.shallow import Shallow
from algorithms.sign_symmetry import SignSymmetry
from algorithms.weight_perturbation import ForwardGradient
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.cells.start import start
from harness.cli.credit import main
from harness.core import registry
from harness.core.algorithm import Batch, Credit, CreditAlgorithm
from harness.core.differences import differences
from harness.core.losses import SquaredError
from harness.core.network import Edge, Group, Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, PROBE, Rand
from harness.credit import probe
from harness.credit.averages import largest, z_scores
from harness.credit.compare import align, exact, gauss_newton, spread
from harness.credit.gradient_check import CHANCE, check
from harness.credit.gradient_check import _digits as digits_of
from harness.credit.probe import probe_epochs, quantile_columns
from harness.experiment import run as experiment
from harness.experiment.run import run, run_cell
from harness.store.mlflow_run import _metrics
from harness.store.store import Store
from harness.studies.attempt import attempt
from harness.studies.compose import cell_of
from harness.studies.conf import CONF, VERSION_BASE
from harness.tasks.encoder import Encoder
from harness.tasks.xor import Xor
from harness.training.plan import Plan
from harness.training.watch import Moment
from helpers.planted import Noisy

TASKS = registry.tasks()
quick = settings(deadline=None, derandomize=True, max_examples=60)
numbers = st.floats(-10, 10).filter(lambda v: v == 0 or abs(v) > 1e-6)
pairs = st.integers(1, 6).flatmap(lambda n: st.tuples(*[st.lists(numbers, min_size=n, max_size=n)] * 2))


def cell(algorithm: Any, task: Any, **run_settings: Any) -> Cell:
    return Cell(*resolve(algorithm, task, Settings(**run_settings)))


def problem(
    net: Network, n: int = 5, replicas: int = 3, dtype: str = "float64"
) -> tuple[dict[Any, Any], Batch]:
    rng = np.random.default_rng(0)
    params = {k: rng.normal(size=(replicas, *s)).astype(dtype) for k, s in net.shapes.items()}
    x, d = (rng.normal(size=(n, m)).astype(dtype) for m in (net.input_size, net.output.size))
    return params, Batch(x, d, d > 0, 0)


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_pairs_whose_angle_is_known(size: float) -> None:
    g = size * np.array([[3.0, 4.0]])
    for c, angle, ratio, signs in (
        ([3.0, 4.0], 0.0, 1.0, 1.0),
        ([6.0, 8.0], 0.0, 2.0, 1.0),
        ([-4.0, 3.0], 90.0, 1.0, 0.5),
        ([-3.0, -4.0], 180.0, 1.0, 0.0),
        ([0.0, 0.0], np.nan, 0.0, 0.0),
    ):
        np.testing.assert_allclose(
            np.ravel(align(size * np.array([c]), g)), [angle, ratio, signs], rtol=1e-15
        )
    three = align(np.array([1.0, -1.0, 0.0, 5.0]), np.array([2.0, 2.0, 2.0, 0.0])).signs
    assert three == pytest.approx(1 / 3), "a share of the weights that have a gradient"
    for c in ([1.0, 2.0], [0.0, 0.0]):  # nothing to compare with
        assert np.isnan(align(size * np.array([c]), np.zeros((1, 2)))).all()


@pytest.mark.parametrize("t", [1e-12, 1e-8, 1e-3])
def test_angles_near_0_are_there_where_an_arccos_is_not(t: float) -> None:
    near, g = np.array([[1.0, t]]), np.array([[1.0, 0.0]])
    assert align(near, g).angle[0] == pytest.approx(np.degrees(np.arctan(t)), rel=1e-3)


@quick
@given(pairs, st.floats(-100, 100))
def test_the_angle_knows_no_scale_and_the_ratio_is_proportional_to_it(pair: Any, log2: float) -> None:
    c, g = map(np.array, pair)
    scale = 2.0**log2
    one, other, weak = align(c, g), align(scale * c, g), align(c, scale * g)
    np.testing.assert_allclose([other.angle, weak.angle], [one.angle] * 2, atol=1e-12)
    np.testing.assert_allclose([other.ratio, weak.ratio], [one.ratio * scale, one.ratio / scale], rtol=1e-12)
    np.testing.assert_array_equal([other.signs, weak.signs], [one.signs] * 2)


def test_bias_and_signal_to_noise_of_draws_of_known_mean_and_variance() -> None:
    """g = ∇ + b + ξ, |∇| = 1, |b| = .5, ξ ~ N(0, I₅), D = 2,000: bias .5 ± .0224, SNR 1.25/5; 200 networks, 4
    se."""
    rng = np.random.default_rng(0)
    gradient, off = np.eye(5)[0], 0.5 * np.eye(5)[1]
    draws = gradient + off + rng.normal(size=(2000, 200, 5))
    bias, snr = spread(draws, np.broadcast_to(gradient, (200, 5)))
    assert bias.mean() == pytest.approx(0.5, abs=4 * 0.0224 / 200**0.5)
    assert snr.mean() == pytest.approx(
        1.25 / 5, abs=4 * 0.01 / 200**0.5
    )  # se of |E g|² ÷ 5: 2 √1.25 / √2000 / 5


def test_the_noise_of_a_mean_of_few_draws_is_taken_off_its_bias() -> None:
    """Two draws g = ∇ + b + ξ, ξ ~ N(0, I₅), |b| = 3: |mean − ∇|² is 9 + 5/2 in the mean, and less the noise
    that two draws show it is 9; its variance is 4·9/2 + 2·5/4 + 2·5/4 = 23. Of 4,000 networks, 4 se."""
    rng = np.random.default_rng(1)
    gradient = np.eye(5)[0]
    draws = gradient + 3.0 * np.eye(5)[1] + rng.normal(size=(2, 4000, 5))
    bias, _ = spread(draws, np.broadcast_to(gradient, (4000, 5)))
    assert (bias**2).mean() == pytest.approx(9, abs=4 * (23 / 4000) ** 0.5)


@pytest.mark.parametrize("draws", [[[[1e-170, 0.0]], [[9e-170, 0.0]]], [[[0.1, 0.1]]] * 10])
def test_signal_to_noise_of_tiny_draws_and_of_equal_ones(draws: Any) -> None:
    assert np.isnan(spread(np.array(draws), np.array(draws[0]))[1]) == (draws[0] == draws[1])


def test_what_is_not_finite_has_no_signs() -> None:
    assert np.isnan(align(np.ones((1, 3)), np.full((1, 3), np.nan)).signs)


def test_signs_are_those_of_the_weights_that_have_a_gradient() -> None:
    """Nothing where nothing is due is no agreement: half of two, not two of three."""
    assert align(np.array([1.0, 0.0, -1.0]), np.array([2.0, 0.0, 2.0])).signs == 0.5


@pytest.mark.parametrize(
    "net", [Network.chain(3, 4, 2), Network.chain(3, 5, 4, 2, hidden="tanh", shortcut=True)]
)
def test_the_exact_gradient_is_the_complex_steps(net: Network) -> None:
    params, batch = problem(net)
    ours, theirs = exact(net, params, batch), differences(net, params, batch, "complex", 1e-20).gradient
    for key, expected in theirs.items():
        np.testing.assert_allclose(ours[key], expected, rtol=1e-11, atol=1e-14)


def test_the_exact_gradient_of_a_hidden_group_that_leads_nowhere_is_zero() -> None:
    groups = x, dead, hidden, out = (
        Group("x", 2, "linear", False),
        Group("dead", 2),
        Group("hidden", 2),
        Group("out", 1),
    )
    net = Network(groups, (Edge(x, dead), Edge(x, hidden), Edge(hidden, out)))
    params, batch = problem(net)
    theirs = Backprop().credit(net, params, {}, batch, Rand(0, [0], PROBE)).gradient
    ours = exact(net, params, batch)
    assert all(np.array_equal(ours[k], theirs[k]) for k in theirs)


@pytest.mark.parametrize("n", [20, 5])
def test_gauss_newton_reaches_least_squares_in_one_step(n: int) -> None:
    """Of 5 weights for each output: a square map, for 5 patterns, is solved."""
    net = Network.chain(4, 3, output="linear")
    params, batch = problem(net, n)
    edge, out = net.edges[0], net.output
    x = np.c_[batch.x, np.ones(n)]
    now = np.concatenate([params[edge], params[out]], axis=-2)
    new = now - gauss_newton(net, params, batch).reshape(3, 5, 3)
    np.testing.assert_allclose(new, [np.linalg.lstsq(x, batch.target)[0]] * 3, rtol=1e-9)
    assert (np.abs(x @ new - batch.target).max() < 1e-10) == (n == 5)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gauss_newton_is_the_least_step_where_many_do(dtype: str) -> None:
    """y = x A B: dy = x dA B + x A dB, whose rank is below the number of weights; in a row, (x ⊗ Bᵀ, x A ⊗
    I)."""
    groups = [Group(n, s, "linear", False) for n, s in zip("xho", (5, 6, 4), strict=True)]
    net = Network(tuple(groups), (Edge(groups[0], groups[1]), Edge(groups[1], groups[2])))
    params, batch = problem(net, n=30, replicas=1, dtype=dtype)
    a, b = (params[e][0].astype(float) for e in net.edges)
    x = batch.x.astype(float)
    jacobian = np.c_[np.kron(x, b.T), np.kron(x @ a, np.eye(4))]
    with threadpool_limits(1, user_api="blas"):
        least = np.linalg.lstsq(jacobian, (x @ a @ b - batch.target).ravel())[0]
        assert np.linalg.norm(gauss_newton(net, params, batch)[0] - least) <= (
            1e-9 if dtype == "float64" else 1e-2
        ) * np.linalg.norm(least)


def test_feedback_alignment_turns_towards_backprop_as_published() -> None:
    """Lillicrap et al. 2016, linear task: 30-20-10, ≈ 90° at the start, 28-37° after 1,000 steps (one
    sweep): mean of 20 networks."""
    with initialize_config_dir(CONF, **VERSION_BASE):
        overrides = ["experiment=lillicrap2016/linear", "run.replicas=20", "run.epochs=2", "run.probe=2"]
        published = cell_of(compose("config", overrides=overrides))
    found = run_cell(published.algorithm, published.task, published.settings).trained.credit
    angle = found["angle/input-hidden"]
    assert angle[:, 0].mean() == pytest.approx(90, abs=8)  # sd of one ≈ 8°: 4 se
    assert 28 <= angle[:, 1].mean() <= 37
    assert (found["angle/hidden-output"] < 1e-9).all()


RUNS = {
    "compaction": (Backprop(), {"replicas": 80, "epochs": 1200, "probe": 20}),
    "stochastic": (
        ForwardGradient(GradientDescent(lr=0.1)),
        {"replicas": 12, "epochs": 40, "probe": 6, "probe_draws": 4},
    ),
    "its own gradient": (
        Boltzmann(times=(1,), temperatures=(10.0,)),
        {"replicas": 5, "epochs": 20, "probe": 5, "probe_draws": 3},
    ),
    "online": (Backprop(), {"replicas": 5, "epochs": 40, "probe": 6, "batch": 1}),
}


@pytest.mark.parametrize("backend", ["numpy", "jax"])
@pytest.mark.parametrize("name", RUNS)
def test_a_run_has_the_same_bits_with_the_probe_and_without(
    name: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend == "jax":
        pytest.importorskip(
            "jax", reason="JAX is not installed: the compiled run with a probe is not looked at"
        )
    algorithm, how = RUNS[name]
    probed = run(algorithm, Xor(), **how, backend=backend).trained
    monkeypatch.setattr(probe, "Probe", None)  # none is made
    plain = run(algorithm, Xor(), **how | {"probe": 0, "probe_draws": 16}, backend=backend).trained
    assert probed.ran["backend"] == backend
    assert (probed.ran["probe_seconds"] > 0, "probe_seconds" in plain.ran) == (True, False)
    assert (len(plain.credit), bool(probed.credit)) == (0, True)
    for field in ("outcome", "epochs", "loss", "right", "loss_curve", "right_curve"):
        assert np.array_equal(getattr(probed, field), getattr(plain, field)), field
    assert all(probed.weights[k].tobytes() == w.tobytes() for k, w in plain.weights.items())
    if name == "compaction":
        assert (probed.outcome == "solved").mean() > 0.8, "the batch has been made smaller"


@pytest.mark.parametrize("name", RUNS)
def test_the_probe_of_a_replica_alone_has_the_bits_it_has_in_the_batch(name: str) -> None:
    algorithm, how = RUNS[name]
    whole = run(algorithm, Xor(), **how).trained
    for i in (0, how["replicas"] - 2):
        alone = run(algorithm, Xor(), **how, only=[i]).trained.credit
        assert alone.keys() == whole.credit.keys()
        assert all(a[0].tobytes() == whole.credit[k][i].tobytes() for k, a in alone.items())


def test_a_replica_is_probed_with_its_own_noise_when_others_have_left() -> None:
    how: dict[str, Any] = {"replicas": 12, "epochs": 500, "probe": 12, "probe_draws": 2}
    whole = run(Noisy(), Xor(), **how).trained
    assert (whole.outcome == "solved").mean() > 0.25, "the batch has been made smaller"
    last = int(np.argmax(whole.epochs))
    alone = run(Noisy(), Xor(), **how, only=[last]).trained.credit
    assert all(a[0].tobytes() == whole.credit[k][last].tobytes() for k, a in alone.items())


@pytest.mark.parametrize("chunk", [4, 100])
def test_whether_jacobians_are_enumerated_does_not_depend_on_the_batch(
    monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """Two chunks that found different things: join takes the names of the first, the second's are lost, or a
    KeyError."""
    monkeypatch.setattr(probe, "JACOBIAN", 9 * 4 * 3)  # of three XOR networks
    monkeypatch.setattr(experiment, "chunk_size", lambda *_: chunk)
    how = {"replicas": 7, "epochs": 5, "probe": 2}
    assert (
        run(Backprop(), Xor(), **how).trained.credit.keys()
        == run(Backprop(), Xor(), **how, only=[1]).trained.credit.keys()
    )


def at_the_start(algorithm: CreditAlgorithm, task: Any) -> tuple[Any, Any, Any, Any]:
    """The angles (R,) that a probe finds at epoch 0, and what it looks at: net, state and all patterns."""
    rule, task, how = resolve(algorithm, task, Settings(replicas=5, epochs=3, probe=1))
    found = run_cell(rule, task, how).trained.credit["angle/total"][:, 0]
    at = start(rule, task, how, range(5))
    return found, at.net, at.state, at.batch


def angle(net: Network, credit: Any, gradient: Any) -> Any:
    g, c = (np.concatenate([a[k].reshape(5, -1) for k in net.shapes], axis=1) for a in (gradient, credit))
    cosine = (g * c).sum(axis=1) / np.sqrt((g * g).sum(axis=1) * (c * c).sum(axis=1))
    return np.degrees(np.arccos(cosine))


def test_the_probe_compares_with_the_loss_of_the_task_its_margin_included() -> None:
    """By differences of that loss, where some outputs count as right already. A margin that is forgotten is
    forgotten on both sides, and leaves backprop where it was: so the credit is another one's."""
    task, rule = Encoder(margin=0.39), DirectRandomTargetProjection()
    found, net, state, batch = at_the_start(rule, task)
    params, memory = state["params"], state["memory"]
    margin, plain = (batch._replace(loss=loss) for loss in (SquaredError(0.39), SquaredError()))
    counts = margin.error(net.respond(params, batch.x)) != 0
    assert 0.5 < counts.mean() < 0.95
    expected = [
        angle(
            net,
            rule.credit(net, params, memory, each, Rand(0, range(5), PROBE)).gradient,
            differences(net, params, each, "central", 1e-6).gradient,
        )
        for each in (margin, plain)
    ]
    np.testing.assert_allclose(found, expected[0], atol=1e-4)
    assert np.abs(expected[1] - expected[0]).min() > 1e-2, "the margin makes a difference"


def test_the_probe_draws_from_a_stream_of_its_own() -> None:
    """From the run's noise it would draw what the run is about to draw: a look at the very step to come."""
    rule = ForwardGradient()
    found, net, state, batch = at_the_start(rule, Xor())
    params = state["params"]
    gradient = differences(net, params, batch, "central", 1e-6).gradient
    own, runs = (
        angle(net, rule.credit(net, params, {}, batch, Rand(0, range(5), purpose)).gradient, gradient)
        for purpose in (PROBE, NOISE)
    )
    np.testing.assert_allclose(found, own, atol=1e-4)
    assert np.abs(found - runs).min() > 1e-2


@pytest.mark.parametrize(("rule", "numbers"), [(ForwardGradient(), 4 * 9), (Backprop(), 0)])
def test_the_probe_draws_as_often_as_it_is_told(rule: CreditAlgorithm, numbers: int) -> None:
    """Four directions of nine weights each; of what draws nothing, nothing."""
    algorithm, task, how = resolve(rule, Xor(), Settings(replicas=2, epochs=3, probe=1))
    at = start(algorithm, task, how, range(2))
    watch = probe.Probe(Plan.of(how), range(2), points=1, draws=4)
    watch.look(Moment(0, algorithm, at.net, at.state, at.batch, np.arange(2), np.ones(2, bool)))
    assert watch.rand.taken == numbers


def test_a_finished_replica_leaves_nan_behind() -> None:
    trained = run(Backprop(), Xor(), replicas=40, epochs=500, probe=30).trained
    over = probe_epochs(500, 30) > trained.epochs[:, None]
    assert 0 < over.mean() < 1
    for name, values in trained.credit.items():
        assert np.array_equal(np.isnan(values), over), name


@pytest.mark.parametrize("batch", ["full", 1])
def test_a_diverged_replica_leaves_nan_behind_and_never_raises(batch: Any) -> None:
    task = TASKS["linear_map"](inputs=3, hidden=3, outputs=2, size=8, scale=0.5)
    trained = run(
        Backprop(GradientDescent(lr=100.0)), task, replicas=3, epochs=200, probe=40, batch=batch
    ).trained
    assert (trained.outcome == "diverged").all()
    over = probe_epochs(200, 40) > trained.epochs[:, None]
    assert over.any()
    assert all(np.isnan(values[over]).all() for values in trained.credit.values())


def test_quantiles_are_of_the_replicas_that_have_something_to_compare() -> None:
    found = {"angle/a-b": np.array([[0.0, np.nan], [np.nan, np.nan], [10.0, np.nan]])}
    columns = quantile_columns(np.array([0, 7]), found)
    kept = [columns[name].tolist() for name in ("quantity", "edge", "epoch", "defined")]
    assert kept == [["angle"] * 2, ["a-b"] * 2, [0, 7], [2, 0]]
    np.testing.assert_array_equal(columns["q50"], [5.0, np.nan])


def test_records_keep_what_the_probe_found_and_mlflow_hears_of_it(store: Store) -> None:
    probed = Cell.of(
        {"name": "feedback_alignment"}, {"name": "xor"}, {"replicas": 8, "epochs": 60, "probe": 4}
    )
    record = attempt(probed, store)
    assert record is not None
    assert (record.path / "credit.parquet").is_file()
    expected = run_cell(probed.algorithm, probed.task, probed.settings).credit_columns()
    again = store.read(probed.id).credit
    assert again.keys() == expected.keys()
    for name, values in expected.items():
        assert np.array_equal(again[name], values, equal_nan=name.startswith("q") and name != "quantity"), (
            name
        )
    points = {(name, epoch): value for name, value, epoch in _metrics(record, record.summary())}
    here = (expected["quantity"] == "angle") & (expected["edge"] == "input-hidden")
    for name, column in (("angle", "q50"), ("angle_q25", "q25"), ("angle_q75", "q75")):
        for epoch, value in zip(expected["epoch"][here], expected[column][here], strict=True):
            assert points[f"credit/{name}/input-hidden", int(epoch)] == value


@pytest.mark.parametrize("task", [Xor(), TASKS["encoder"](), TASKS["symmetry"]()], ids=lambda t: t.name)
def test_the_check_lets_backprop_pass_and_catches_a_slope_left_out(task: Any) -> None:
    class NoSlope(Backprop):
        def credit(self, net, params, memory, batch, rand):
            y = net.forward(params, batch.x)
            out = batch.delta(net, y)
            (edge,) = net.out_of(net.hidden[0])
            return Credit(net.outer(y, {net.output: out, net.hidden[0]: out @ params[edge].mT}), None)

    good, bad = (check(cell(kind(), task)).groups for kind in (Backprop, NoSlope))
    assert good.keys() == {"input-hidden", "hidden-output", "hidden", "output", "total"}
    assert all(a.central >= 6 and a.complex >= 12 and not a.word for a in good.values())
    for name in ("input-hidden", "hidden"):
        assert max(bad[name].central, bad[name].complex) < 1
    for name in ("hidden-output", "output"):
        assert (bad[name].central >= 6, bad[name].complex >= 12) == (True, True)


def test_the_digits_of_some_networks_are_those_of_the_worst() -> None:
    gradient = np.array([[3.0, 4.0], [3.0, 4.0], [0.0, 0.0]])  # the last says nothing
    credit = gradient + np.array([[0.0, 0.0], [5e-3, 0.0], [1.0, 0.0]])
    assert digits_of(credit, gradient) == pytest.approx(3)


def test_hidden_weights_of_shallow_get_no_credit_and_it_is_said_so() -> None:
    checked = check(cell(Shallow(), Xor()))
    for name in ("input-hidden", "hidden"):
        assert checked.groups[name].word == "zero credit"
        assert np.isnan([checked.groups[name].angle, checked.groups[name].central]).all()
    assert checked.groups["output"].central >= 6
    assert str(checked).count("zero credit") == 2


def test_the_largest_of_many_normal_numbers_exceeds_its_limit_as_often_as_it_says() -> None:
    """2,000 credits of 9 weights without bias, 400 draws each: 5 % of them ± 4 standard errors of .49 %."""
    assert largest(1, 0.05) == pytest.approx(1.959964)
    drawn = np.random.default_rng(0).normal(3.0, 2.0, (400, 2000, 9))
    beyond = [np.abs(z_scores(drawn[:, i], np.full(9, 3.0))).max() > largest(9, 0.05) for i in range(2000)]
    assert np.mean(beyond) == pytest.approx(0.05, abs=0.0195)


def test_an_unbiased_credit_passes_and_one_a_tenth_too_large_is_caught() -> None:
    """False alarms: .001 a group at most. Power: the scale of 20,000 draws has se √(2/20,000) = .01, so 1.1
    is 10 of them off."""

    class Inflated(ForwardGradient):
        def credit(self, *handed: Any) -> Credit:
            gradient, output = super().credit(*handed)
            return Credit({key: 1.1 * g for key, g in gradient.items()}, output)

    assert CHANCE == 1e-3
    for seed in range(10):
        assert not any(a.biased for a in check(cell(ForwardGradient(), Xor(), seed=seed)).groups.values())
    caught = check(cell(Inflated(), Xor()), 20_000)
    assert caught.groups["total"].biased
    assert "biased" in str(caught)
    assert caught.groups["total"].bias == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize(("direction", "extra"), [("normal", 1), ("sign", -1)])
def test_signal_to_noise_of_the_forward_gradient(direction: str, extra: int) -> None:
    """E|g|² = (d + 2) |∇|² for normal directions, d |∇|² for ±1; SNR 1/(d ± 1). 20,000 draws: se ≈ 2.5 %, 4
    of them."""
    total = check(cell(ForwardGradient(direction=direction), Xor()), 20_000).groups["total"]
    assert total.snr == pytest.approx(1 / (9 + extra), rel=0.1)
    assert not total.biased


def test_what_is_the_same_in_every_draw_has_no_noise() -> None:
    groups = check(cell(SignSymmetry(magnitude="batchwise"), Xor()), 100).groups
    assert (groups["output"].word, groups["input-hidden"].word) == ("no noise", "")
    assert groups["output"].bias < 1e-12


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m harness.credit` says for each rule what was compared, and ends with 2 and a sentence on bad
    input."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["credit", *arguments])
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0), *capsys.readouterr()
        return 0, *capsys.readouterr()

    code, out, _ = call("algorithm=backprop,spsa", "task=xor", "draws=50")
    assert code == 0
    assert all(
        words in out for words in ("backprop on xor: 4 networks", "spsa on xor: 50 draws", "weight change")
    )
    assert "complex" in call("algorithm=delta_rule", "task=linear_perceptron")[1]
    assert "analytic loss" in call("algorithm=backprop", "task=xor", "task.margin=.1")[1]
    for wrong, words in (
        (["algorithm=backprob"], "did you mean 'backprop'"),
        (["algorithm=perceptron"], "not those of the task's network"),
        (["algorithm=direct_random_target_projection", "task=linear_map"], "does not apply"),
        (["draws=1"], "at least 2, but 1 was given"),
        (["draws=many"], "'many' was given"),
    ):
        code, _, err = call(*wrong)
        assert (code, words in err, err.count("\n")) == (2, True, 1)


def test_the_summary_says_what_the_probe_found() -> None:
    how: dict[str, Any] = {"replicas": 4, "epochs": 20, "probe": 3}
    assert "median: 0° at epoch 0 (n = 4)" in str(run(Backprop(), Xor(), **how))
    assert "not compared with the gradient: its weights are not" in str(run(Perceptron(), Xor(), **how))


def test_gauss_newton_leaves_out_what_counts_as_no_error() -> None:
    """On a linear map with a margin: the least-squares step of those outputs alone that are beyond it."""
    net, rng = Network.chain(3, 2, output="linear"), np.random.default_rng(0)
    params = {key: rng.normal(size=(2, *shape)) for key, shape in net.shapes.items()}
    x, wanted = rng.normal(size=(4, 3)), rng.random((4, 2)) > 0.5
    batch = Batch(x, wanted.astype(float), wanted, 0, SquaredError(margin=0.5))
    y = net.forward(params, x)[net.output]
    error = batch.error(y)
    assert 0 < (error == 0).sum() < error.size
    step = gauss_newton(net, params, batch)
    ones = np.concatenate([x, np.ones((4, 1))], axis=1)
    for r, o in product(range(2), range(2)):
        counts = error[r, :, o] != 0
        least = np.linalg.pinv(ones[counts]) @ error[r, counts, o]
        ours = [step[r, :6].reshape(3, 2)[:, o], step[r, 6:].reshape(1, 2)[:, o]]
        np.testing.assert_allclose(np.concatenate(ours), least, atol=1e-12)
