"""The gradient of a Boltzmann machine's likelihood held to central differences of its logarithm summed over
every state of every unit; what is learnt held to it by z-tests; the probe and the gradient check that compare
with it.

False alarms of statistical tests are stated with each; all are seeded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from algorithms import _likelihood
from algorithms._boltzmann_machine import Machine
from algorithms._likelihood import chances, likelihood_gradient
from algorithms.backprop import Backprop
from algorithms.boltzmann import Boltzmann
from algorithms.equilibrium_propagation import EquilibriumPropagation
from algorithms.mean_field import MeanField
from algorithms.restricted_boltzmann import RestrictedBoltzmann
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.core import registry
from harness.core.algorithm import Batch
from harness.core.losses import SquaredError
from harness.core.network import Network
from harness.core.rand import NOISE, SPLIT, Rand
from harness.core.task import Task
from harness.credit.averages import fitted_scale, largest, z_scores
from harness.credit.compare import size
from harness.credit.gradient_check import check
from harness.credit.reference import credited, reference
from harness.experiment.run import run
from harness.tasks.encoder import Encoder
from harness.tasks.xor import Xor
from helpers.enumeration import bits, likelihood, random_params
from helpers.suited import suited

Array = Any
NOISES = [(0.0, 0.0), (0.15, 0.05)]
SILENT = {"noise_off": 0.0, "noise_on": 0.0}


def batch_of(task: Task) -> Batch:
    return Batch(*(a[0] for a in task.data(Rand(0, [0], SPLIT), "float64")[:3]), np.zeros(()), task.objective)


def clamped(batch: Batch, noise: tuple[float, float]) -> Array:
    """How often every state of outputs and inputs is clamped: the sum over patterns and single bits."""
    off, on = noise
    q = np.zeros(2 ** (batch.wanted.shape[-1] + batch.x.shape[-1]))
    for y, x in zip(batch.wanted, batch.x, strict=True):
        for k, state in enumerate(bits(len(y) + len(x))):
            chance = 1.0
            for wanted, bit in zip([*y, *x], state, strict=True):
                comes_on = 1 - off if wanted else on
                chance *= comes_on if bit else 1 - comes_on
            q[k] += chance / len(batch.x)
    return q


def slopes(machine: Machine, params: dict[str, Array], log_likelihood: Any) -> dict[str, Array]:
    """Central differences of −`log_likelihood`(w) along every weight, which stands at ij and at ji; none on
    the diagonal."""
    w, found = machine.matrix(params), {}
    for name, (a, b) in machine.blocks.items():
        found[name] = np.zeros(params[name].shape)
        for i, j in np.ndindex(params[name].shape):
            ends, values = (a.start + i, b.start + j), []
            if ends[0] == ends[1]:
                continue
            for h in (1e-4, -1e-4):
                moved = w.copy()
                moved[ends] += h
                moved[ends[::-1]] += h
                values.append(log_likelihood(moved))
            found[name][i, j] = -(values[0] - values[1]) / 2e-4
    return found


def agree(found: Any, expected: dict[str, Array], tolerance: float = 1e-8) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=tolerance, err_msg=name)
    assert max(np.abs(value).max() for value in expected.values()) > 1e-3, "nothing to compare"


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("architecture", ["encoder", "layered", "full"])
@pytest.mark.parametrize("task", [Xor(hidden=2), Encoder(size=3, hidden=2)], ids=lambda t: t.name)
def test_a_boltzmann_machine_s_is_that_of_differences(
    task: Task, architecture: str, noise: tuple[float, float]
) -> None:
    """Every state of every unit, no sum taken in closed form."""
    algorithm = Boltzmann(architecture, noise_off=noise[0], noise_on=noise[1])
    machine, batch, temperature = (
        Machine.of(task.network(), architecture),
        batch_of(task),
        algorithm.temperatures[-1],
    )
    params, q = random_params(machine, 8.0, 3), clamped(batch, noise)
    found = algorithm.own_gradient(task.network(), {"params": params, "memory": {}}, batch)
    expected = slopes(
        machine, params, lambda w: likelihood(machine, w, q, temperature, architecture == "layered")
    )
    agree(found, expected)


def test_with_a_shortcut_and_without_hidden_units_it_is_that_of_differences() -> None:
    for net, architecture in (
        (Network.chain(2, 2, 1, shortcut=True), "layered"),
        (Network.chain(2, 1), "full"),
    ):
        machine, batch = Machine.of(net, architecture), batch_of(Xor())
        params = random_params(machine, 8.0, 4)
        found = Boltzmann(architecture).own_gradient(net, {"params": params}, batch)
        q = clamped(batch, (0.15, 0.05))
        agree(
            found,
            slopes(
                machine,
                params,
                lambda w, m=machine, q=q, a=architecture: likelihood(m, w, q, 10.0, a == "layered"),
            ),
        )


def test_a_restricted_machine_s_is_that_of_differences() -> None:
    task, algorithm = Xor(hidden=3), RestrictedBoltzmann()
    machine, batch = algorithm.machine(task.network()), batch_of(task)
    params, q = random_params(machine, 1.0, 5), clamped(batch, (0.0, 0.0))
    found = algorithm.own_gradient(task.network(), {"params": params, "memory": {}}, batch)
    agree(found, slopes(machine, params, lambda w: likelihood(machine, w, q, 1.0, False)))


def test_a_mean_field_machine_s_is_that_of_differences_in_units_of_minus_and_plus_1() -> None:
    task, algorithm = Xor(hidden=2), MeanField()
    machine, batch = Machine.of(task.network(), "layered"), batch_of(task)
    params = random_params(machine, 1.0, 6)
    s = np.hstack([2 * bits(machine.units) - 1, np.ones((2**machine.units, 1))])

    def log_likelihood(w: Array) -> float:
        p, total = (
            np.exp([sum(w[i, j] * row[i] * row[j] for i in range(len(w)) for j in range(i)) for row in s]),
            0.0,
        )
        for x, y in zip(batch.x, batch.wanted, strict=True):
            given = (s[:, machine.place["input"]] == 2 * x - 1).all(axis=1)
            right = given & (s[:, machine.place["output"]] == 2.0 * y - 1).all(axis=1)
            total += np.log(p[right].sum() / p[given].sum()) / len(batch.x)
        return float(total)

    agree(
        algorithm.own_gradient(task.network(), {"params": params}, batch),
        slopes(machine, params, log_likelihood),
    )


def test_mean_field_s_step_tends_to_it_as_weights_weaken() -> None:
    """What means leave out is the covariance of coupled units, of the order of their weight: the angle is
    proportional to the weights while biases stay as they are, to 10 %."""
    task, algorithm = Xor(hidden=3), MeanField(times=(300,), temperatures=(1.0,))
    net, batch = task.network(), batch_of(task)
    params = random_params(Machine.of(net, "layered"), 1.0, 2)
    angles = []
    for scale in (0.1, 0.025, 0.00625):
        weak = {name: (scale if "-" in name else 0.7) * w[None] for name, w in params.items()}
        state = {"params": weak}
        found = reference(algorithm, net, state, batch)
        assert not isinstance(found, str)
        c, g = (
            found.rows(a)["total"][0]
            for a in (credited(algorithm, net, state, batch, Rand(0, [0], NOISE)), found.gradient)
        )
        angles.append(np.degrees(np.arccos(c @ g / np.linalg.norm(c) / np.linalg.norm(g))))
    assert angles[1] / angles[2] == pytest.approx(4, rel=0.1)
    assert angles[2] < 1.0 < angles[0]


def test_where_visible_units_alone_have_the_world_s_distribution_it_is_zero() -> None:
    """Independent bits without hidden units: biases at T ln(p / (1 − p)) of each, no weights."""
    net, rng = Network.chain(2, 1), np.random.default_rng(0)
    machine, off, on = Machine.of(net, "full"), 0.3, 0.1
    batch = Batch(np.ones((5, 2)), np.ones((5, 1)), np.ones((5, 1), bool), 0)  # all on, as noise leaves them
    logit = np.log((1 - off) / off)
    params = {
        n: np.full(w.shape, 10.0 * logit * ("-" not in n)) for n, w in random_params(machine, 1.0, 0).items()
    }
    algorithm = Boltzmann("full", noise_off=off, noise_on=on)
    assert all((g == 0).all() for g in algorithm.own_gradient(net, {"params": params}, batch).values())
    elsewhere = {n: w + rng.normal(size=w.shape) * ("-" not in n) for n, w in params.items()}
    assert (
        max(np.abs(g).max() for g in algorithm.own_gradient(net, {"params": elsewhere}, batch).values())
        > 1e-4
    )


def test_machines_taken_in_blocks_and_patterns_of_one_s_own_give_what_they_give_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, rng = Network.chain(3, 2, 2), np.random.default_rng(1)
    monkeypatch.setattr(_likelihood, "BLOCK", 2 * 32 * 8)  # two machines, of 2^5 visible states
    for architecture, noise in (("layered", NOISES[0]), ("layered", NOISES[1]), ("encoder", NOISES[1])):
        machine = Machine.of(net, architecture)
        alone = [random_params(machine, 5.0, seed) for seed in range(5)]
        x, wanted = (rng.random((5, 4, n)) < 0.5 for n in (3, 2))
        batch = Batch(x.astype(float), wanted.astype(float), wanted, 0)
        how = 10.0, architecture == "layered", noise
        found = likelihood_gradient(
            machine, {n: np.stack([p[n] for p in alone]) for n in alone[0]}, batch, *how
        )
        for r, params in enumerate(alone):
            own = batch._replace(x=batch.x[r], target=batch.target[r], wanted=batch.wanted[r])
            agree({n: g[r] for n, g in found.items()}, likelihood_gradient(machine, params, own, *how), 1e-14)
        shared = batch._replace(x=batch.x[:1], target=batch.target[:1], wanted=batch.wanted[:1])
        found = likelihood_gradient(
            machine, {n: np.stack([p[n] for p in alone]) for n in alone[0]}, shared, *how
        )
        own = batch._replace(x=batch.x[0], target=batch.target[0], wanted=batch.wanted[0])
        for r, params in enumerate(alone):
            agree({n: g[r] for n, g in found.items()}, likelihood_gradient(machine, params, own, *how), 1e-14)


def test_chances_of_noisy_patterns_add_up_to_1() -> None:
    patterns = np.random.default_rng(0).random((3, 7, 4)) < 0.5
    p = chances(patterns, bits(4), (0.15, 0.05))
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(p @ bits(4), np.where(patterns, 0.85, 0.05), rtol=1e-14)


@pytest.mark.parametrize("architecture", ["encoder", "layered", "full"])
def test_the_mean_of_sampled_steps_is_it(architecture: str) -> None:
    """n = 2,000 updates at small weights, where 20 time units forget the start: largest |z| of all weights,
    each once, Šidák; false alarm 1e-6. Power: half of the gradient's largest entry is 10 standard errors or
    more."""
    task, n = Xor(hidden=2), 2000
    algorithm = Boltzmann(architecture, "gradient", step=1.0, times=(20,), temperatures=(10.0,))
    net, machine, batch = task.network(), Machine.of(task.network(), architecture), batch_of(task)
    params = random_params(machine, 6.0, 8)
    exact = algorithm.own_gradient(net, {"params": params}, batch)
    state = {"params": {name: np.tile(w, (n, 1, 1)) for name, w in params.items()}, "memory": {}}
    steps = credited(algorithm, net, state, batch, Rand(3, range(n), NOISE))
    z, power = [], 0.0
    for name, g in exact.items():
        once = (
            np.tril_indices(len(g), -1)
            if name in ("input-input", "output-output")
            else np.indices(g.shape).reshape(2, -1)
        )
        drawn, wanted = steps[name][:, once[0], once[1]], 10.0 * g[once[0], once[1]]  # the rule has no 1 / T
        error = drawn.std(axis=0, ddof=1) / np.sqrt(n)
        z.extend((drawn.mean(axis=0) - wanted) / error)
        power = max(power, *np.abs(wanted / 2 / error), 0.0)
    assert np.abs(z).max() < stats.norm.isf(1e-6 / 2 / len(z))
    assert power > 10


def cell(algorithm: Any, task: Task, **how: Any) -> Cell:
    return Cell(*resolve(algorithm, task, Settings(**how)))


def test_the_check_holds_the_rules_to_it() -> None:
    """At zero weights mixing is perfect: `gradient` passes (false alarm .001 a group, 5 at most), Tε = 20
    times the gradient.

    `sign` keeps within 45° of it, and no more: signs are not sizes. What has no gradient there is said to
    have none.
    """
    found = check(cell(Boltzmann(rule="gradient"), Xor()))
    assert found.groups.keys() == {"input-hidden", "hidden-output", "hidden", "output", "total"}
    assert not any(a.biased for a in found.groups.values())
    assert found.groups["total"].ratio == pytest.approx(
        20.0, rel=0.15
    )  # |mean| ± 4 se: snr ≈ .08 of each of 2,000 draws
    assert found.groups["hidden"].word == found.groups["input-hidden"].word == "zero gradient"
    assert "the likelihood, by enumeration" in str(found)
    by_sign = check(cell(Boltzmann(), Xor())).groups["total"]
    assert by_sign.angle < 45
    encoder = check(cell(Boltzmann("encoder"), Encoder(size=2, hidden=2)), 200)
    assert "input-input" in encoder.groups


def test_the_check_finds_contrastive_divergence_where_many_steps_leave_no_bias() -> None:
    """CD-1 is biased, CD-40 is not to be told from the gradient (false alarm .001 a group, 6 at most); 20,000
    draws."""
    one, many = (check(cell(RestrictedBoltzmann(k=k), Xor(scale=3.0)), 20_000).groups for k in (1, 40))
    assert any(a.biased for a in one.values())
    assert many["total"].angle < one["total"].angle
    assert not any(a.biased for a in many.values())


def test_a_scale_is_fitted_by_the_weights_that_know_it() -> None:
    """One weight of little noise at 2 ∇, fifty of much: c = 2 ± .0001, where the ratio of lengths is far
    above it; none: 1."""
    rng, gradient = np.random.default_rng(0), np.ones(51)
    drawn = 2.0 + rng.normal(size=(1000, 51)) * np.r_[0.001, np.full(50, 300.0)]
    assert fitted_scale(drawn, gradient) == pytest.approx(2, abs=4 * 0.001 / 1000**0.5)
    assert np.linalg.norm(drawn.mean(axis=0)) > 3 * np.linalg.norm(gradient)
    assert np.abs(z_scores(drawn / fitted_scale(drawn, gradient), gradient)).max() < largest(51, 1e-3)
    assert fitted_scale(drawn, np.zeros(51)) == 1.0
    uphill = -drawn[:, :1]
    assert fitted_scale(uphill, np.ones(1)) == pytest.approx(2, rel=1e-3)


def test_a_mean_field_machine_is_checked_without_draws() -> None:
    found = check(cell(MeanField(), Xor()))
    assert found.draws == 1
    assert 0 < found.groups["total"].angle < 90
    assert np.isnan([a.central for a in found.groups.values()]).all()
    assert "Boltzmann machine with its weights" in str(found)


def test_equilibrium_propagation_is_checked_on_the_weights_of_the_network_itself() -> None:
    """Centred at β = .02 and settled, it is the gradient at rest (Laborieux et al. 2021)."""
    rule = EquilibriumPropagation(beta=0.02, tolerance=0.0, steps=200, steps_taught=200)
    found = check(cell(rule, Xor()))
    assert found.groups["total"].angle < 0.01
    assert found.groups["total"].ratio == pytest.approx(1, abs=1e-3)
    assert np.isnan([a.central for a in found.groups.values()]).all()
    assert "the loss at the free state of rest" in str(found)


def test_the_probe_compares_a_boltzmann_machine_with_its_likelihood() -> None:
    """The default is the sign rule: its mean goes downhill. Edges by name and all together; no Gauss-Newton
    step."""
    result = run(Boltzmann(), Xor(), replicas=6, epochs=60, probe=4, probe_draws=8)
    columns = result.credit_columns()
    seen = {(q, e) for q, e in zip(columns["quantity"], columns["edge"], strict=True)}
    wanted = ("angle", "ratio", "signs", "mean_angle", "bias", "snr")
    assert seen == {(q, e) for q in wanted for e in ("input-hidden", "hidden-output", "total")}
    total = (columns["edge"] == "total") & (columns["quantity"] == "angle")
    assert (columns["defined"][total] == 6).all()
    assert (columns["q50"][total] > 0).all()
    assert result.trained.ran["reference"] == "the likelihood, by enumeration of states"
    assert "exact gradient of the likelihood, by enumeration of states; median" in str(result)


def test_with_many_presentations_the_probe_finds_the_gradient_rule_on_the_gradient() -> None:
    """Of 400 presentations the mean of 16 draws is within 30° of it, and its bias, brought to the gradient's
    length, small."""
    algorithm = Boltzmann(rule="gradient", presentations=400)
    credit = run(algorithm, Xor(), replicas=4, epochs=3, probe=1).trained.credit
    assert (credit["mean_angle/total"] < 30).all()
    assert (credit["mean_angle/total"] < credit["angle/total"]).all()
    assert (credit["bias/total"] < 0.5).all()
    assert (np.abs(credit["ratio/total"] - 20) < 10).all()


def test_the_size_of_a_mean_has_its_noise_taken_off() -> None:
    """|E g| = 3 |∇|, noise as long as E g in 10 dimensions, 16 draws: 3 ± .05 over 2,000 networks (4 se);
    nothing left: 1."""
    rng, gradient = np.random.default_rng(0), np.eye(10)[0]
    drawn = 3 * gradient + 3 / np.sqrt(10) * rng.normal(size=(16, 2000, 10))
    assert np.sqrt((size(drawn, np.tile(gradient, (2000, 1))) ** 2).mean()) == pytest.approx(3, abs=0.05)
    flipped = np.array([[[1.0, 0.0]], [[-1.0, 0.0]]])
    assert size(flipped, np.array([[1.0, 0.0]])) == 1.0


def test_a_machine_that_is_too_large_says_so() -> None:
    trained = run(
        Boltzmann(times=(1,), temperatures=(10.0,)), Encoder(size=9, hidden=2), replicas=2, epochs=2, probe=1
    ).trained
    assert trained.credit == {}
    assert trained.ran["not_probed"].startswith(
        "a network of this size is too large for the exact gradient of the likelihood"
    )
    assert "reference" not in trained.ran


def test_the_loss_is_what_others_are_compared_with() -> None:
    result = run(Backprop(), Xor(), replicas=4, epochs=20, probe=3)
    assert "reference" not in result.trained.ran
    assert "% of the time of updates and probe together" in str(result)
    seconds, probe = result.trained.seconds.sum(), result.trained.ran["probe_seconds"]
    assert f"probe     {100 * probe / (probe + seconds):.1f} %" in str(result)


@pytest.mark.parametrize("name", registry.algorithms())
def test_every_algorithm_has_a_defined_angle_or_says_why_not(name: str) -> None:
    rule = registry.algorithms()[name]()
    trained = run(rule, suited(rule, hidden=2), replicas=3, epochs=4, probe=2, probe_draws=2).trained
    if trained.credit:
        assert np.isfinite(trained.credit["angle/total"]).any()
        assert "not_probed" not in trained.ran
    else:
        assert "is missing" in trained.ran["not_probed"]
    own = ("boltzmann", "equilibrium_propagation", "mean_field", "restricted_boltzmann")
    assert ("reference" in trained.ran) == (name in own)


def test_a_loss_with_a_margin_says_nothing_to_a_likelihood() -> None:
    task = Xor()
    batch, algorithm = batch_of(task), Boltzmann()
    params = random_params(Machine.of(task.network(), "layered"), 3.0, 0)
    a, b = (
        algorithm.own_gradient(task.network(), {"params": params}, batch._replace(loss=loss))
        for loss in (SquaredError(), SquaredError(0.4))
    )
    assert all((a[name] == b[name]).all() for name in a)
