"""The Boltzmann machine held to enumeration: distribution, gradient, predictions; what no hidden unit means;
closed form of cost.

Nothing here uses the machine's own formulas: a state is a row of bits, its energy a sum over pairs, its
probability one of 2^units. False alarms of statistical tests are stated with each; all are seeded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from algorithms import _boltzmann_machine
from algorithms._annealing import CHAINS, Schedule, annealed, sampled
from algorithms._boltzmann_machine import FREE, Machine
from algorithms.boltzmann import Boltzmann
from harness.cells.cell import Cell
from harness.core.algorithm import Batch
from harness.core.errors import InputError
from harness.core.network import Network
from harness.core.rand import NOISE, Rand
from harness.core.registry import settings_of
from harness.core.task import Task
from harness.cost.sheet import sheet
from harness.experiment.result import Result
from harness.experiment.run import run
from harness.tasks.addition import Addition
from harness.tasks.encoder import Encoder
from harness.tasks.family_tree import FamilyTree
from harness.tasks.xor import Xor
from helpers.enumeration import (
    bits,
    boltzmann_distribution,
    brute_force,
    correlations,
    index,
    likelihood,
    random_params,
)

Array = Any
ARCHITECTURES = ("encoder", "layered", "full")


def transition(machine: Machine, w: Array, temperature: float) -> Array:
    """One sweep as a matrix over all states, unit after unit in the order of the row, from p(on) alone."""
    s = bits(machine.units)
    whole = np.hstack([s, np.ones((len(s), 1))])
    sweep = np.eye(len(s))
    for unit in range(machine.units):
        on = 1 / (1 + np.exp(-(whole @ w[:, unit]) / temperature))
        step = np.zeros((len(s), len(s)))
        for value, p in ((1.0, on), (0.0, 1 - on)):
            then = s.copy()
            then[:, unit] = value
            step[np.arange(len(s)), index(then.T[None])[0]] = p
        sweep = sweep @ step
    return sweep


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_chains_follow_their_law_to_boltzmanns_distribution(architecture: str) -> None:
    """128 states, n = 40,000 chains, after 2 time units and after 30: total variation from the start times
    the sweep's matrix, and from Boltzmann's distribution in the end, < √(K/n)/2 + √(ln(1/α)/2n).

    The first term bounds the mean (Cauchy-Schwarz), the second what is beyond (McDiarmid); false alarm α =
    1e-6 each.
    """
    machine = Machine.of(Network.chain(2, 2, 3), architecture)
    w = machine.matrix(random_params(machine, 1.0, 3))
    exact, sweep = boltzmann_distribution(w, 1.3), transition(machine, w, 1.3)
    np.testing.assert_allclose(exact @ sweep, exact, atol=1e-13)
    n, alpha = 40_000, 1e-6
    bound = 0.5 * np.sqrt(128 / n) + np.sqrt(np.log(1 / alpha) / (2 * n))
    for time in (2, 30):
        plan = Schedule((time - 1,), (1.3,), 1)
        u = np.random.default_rng(5).random((plan.draws, machine.units, n))
        s = annealed(
            machine, w, u, FREE, np.zeros((0, n)), plan, lambda s: s[:-1], np.zeros((machine.units, n))
        )
        found = np.bincount(index(s), minlength=128) / n
        law = np.full(128, 1 / 128) @ np.linalg.matrix_power(sweep, time)
        assert 0.5 * np.abs(found - law).sum() < bound
    assert 0.5 * np.abs(law - exact).sum() < 1e-3
    assert 0.5 * np.abs(found - exact).sum() < bound + 1e-3


def test_a_chain_is_probed_unit_after_unit_down_the_schedule() -> None:
    """Bit for bit the plain loop: start from the first random numbers, then one a probe; on with probability
    1/(1 + e^(−x/T))."""
    machine, rng = Machine.of(Network.chain(2, 3, 3), "encoder"), np.random.default_rng(0)
    w, plan = machine.matrix(random_params(machine, 4.0, 5)), Schedule((2, 1), (3.0, 2.0), 2)
    u = rng.random((plan.draws, 8, 500))
    found = annealed(machine, w, u, FREE, np.zeros((0, 500)), plan, lambda s: s[:-1], np.zeros((8, 500)))
    s, expected = np.vstack([u[0] < 0.5, np.ones((1, 500))]), np.zeros((8, 500))
    for time, temperature in enumerate([3.0, 3.0, 2.0, 2.0, 2.0]):
        for unit in range(8):
            s[unit] = u[1 + time, unit] < 1 / (1 + np.exp(-(w[unit] @ s) / temperature))
        expected += s[:-1] * (time > 2)
    assert (found == expected).all()


def seen_distribution(task: Task, algorithm: Boltzmann) -> Array:
    """How often every state of outputs and inputs is clamped, noise included."""
    x, wanted, *_ = task.patterns()
    visible = bits(wanted.shape[1] + x.shape[1])
    pattern = np.hstack([wanted, x])[:, None, :]
    on = np.where(pattern > 0, 1 - algorithm.noise_off, algorithm.noise_on)
    return np.where(visible > 0, on, 1 - on).prod(axis=-1).mean(axis=0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_difference_of_correlations_is_the_gradient_of_the_likelihood(architecture: str) -> None:
    """p − p' enumerated = T × central differences of the exact log-likelihood; the sampled step agrees with
    it by a z-test.

    n = 400 replicas of the same weights; largest |z| of all parameters, Šidák, false alarm 1e-6.
    """
    task, given_input = Xor(hidden=2), architecture == "layered"
    algorithm = Boltzmann(architecture, "gradient", step=1.0)
    machine = Machine.of(task.network(), architecture)
    params, temperature = random_params(machine, 6.0, 8), algorithm.temperatures[-1]
    q = seen_distribution(task, algorithm)
    w = machine.matrix(params)
    p, free = correlations(machine, w, q, temperature, given_input)
    exact = {name: p[a, b] - free[a, b] for name, (a, b) in machine.blocks.items()}
    for name, (a, b) in machine.blocks.items():
        for i, j in np.ndindex(params[name].shape):
            if a == b and i == j:
                continue
            ends, up, down = (a.start + i, b.start + j), w.copy(), w.copy()
            for m, h in ((up, 1e-4), (down, -1e-4)):
                m[ends] += h
                m[ends[::-1]] += h
            slope = [likelihood(machine, m, q, temperature, given_input) for m in (up, down)]
            assert temperature * (slope[0] - slope[1]) / 2e-4 == pytest.approx(exact[name][i, j], abs=1e-7)
    replicas = 400
    state = {"params": {name: np.tile(v, (replicas, 1, 1)) for name, v in params.items()}, "memory": {}}
    data = task.data(Rand(0, [0], NOISE), "float64")
    rand = Rand(1, range(replicas), NOISE)
    steps = []
    for _ in range(3):
        new = algorithm.update(task.network(), state, Batch(*data[:3], 0), rand).state["params"]
        steps.append({name: v - state["params"][name] for name, v in new.items()})
    z = []
    for name in params:
        step = np.concatenate([s[name] for s in steps])
        if name in ("input-input", "output-output"):
            assert (step == step.mT).all()
            assert (np.diagonal(step, axis1=1, axis2=2) == 0).all()
            keep = np.tril_indices(step.shape[1], -1)
            step, wanted = step[:, keep[0], keep[1]], exact[name][keep]
        else:
            step, wanted = step.reshape(len(step), -1), exact[name].ravel()
        if step.size:
            z.append((step.mean(axis=0) - wanted) / (step.std(axis=0, ddof=1) / np.sqrt(len(step))))
    largest = np.abs(np.concatenate(z))
    assert largest.max() < stats.norm.isf(1e-6 / 2 / len(largest))


@dataclass(frozen=True)
class EvenParity(Xor):
    """Two inputs and their exclusive or, an even number of them on, without hidden units."""

    def network(self) -> Network:
        return Network.chain(2, 1)


def divergence(w: Array, temperature: float) -> float:
    """Σ q ln(q / P) of the four even states of three units."""
    even = bits(3).sum(axis=1) % 2 == 0
    return float(-np.log(4) - 0.25 * np.log(boltzmann_distribution(w, temperature)[even]).sum())


def test_three_units_without_a_hidden_one_cannot_learn_even_parity() -> None:
    """All first and second moments are those of the uniform distribution: from anywhere to w = 0, at ln 2."""
    machine = Machine.of(EvenParity().network(), "full")
    assert machine.units == 3
    even = bits(3)[bits(3).sum(axis=1) % 2 == 0]
    s = np.hstack([even, np.ones((4, 1))])
    w = machine.matrix(random_params(machine, 2.0, 1))
    assert divergence(w, 1.0) > np.log(2) + 0.5
    for _ in range(3000):
        everything = np.hstack([bits(3), np.ones((8, 1))])
        free = everything.T @ (boltzmann_distribution(w, 1.0)[:, None] * everything)
        change = s.T @ s / 4 - free
        np.fill_diagonal(change, 0.0)
        w = w + change
        assert divergence(w, 1.0) >= np.log(2) - 1e-12
    assert divergence(w, 1.0) == pytest.approx(np.log(2), abs=1e-6)
    np.testing.assert_allclose(w, 0.0, atol=1e-2)


def test_sampled_learning_of_even_parity_stays_at_ln_2() -> None:
    """20 replicas, 300 cycles: never below ln 2, which is a theorem, and in the mean no more than .05
    above."""
    algorithm = Boltzmann("full", "gradient", step=1.0, noise_off=0.0, noise_on=0.0)
    result = run(algorithm, EvenParity(), replicas=20, epochs=300)
    machine = Machine.of(EvenParity().network(), "full")
    found = [
        divergence(machine.matrix({n: v[r] for n, v in result.trained.weights.items()}), 10.0)
        for r in range(20)
    ]
    assert min(found) >= np.log(2) - 1e-12
    assert np.mean(found) < np.log(2) + 0.05
    assert not np.allclose(result.trained.weights["input-output"], 0)


NETS = st.sampled_from(
    [
        Network.chain(2, 2, 1),
        Network.chain(2, 3, 2),
        Network.chain(2, 1, 2, shortcut=True),
        Network.chain(3, 2),
    ]
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    NETS,
    st.sampled_from(ARCHITECTURES),
    st.floats(0.1, 60.0),
    st.sampled_from([0, 2**13]),
    st.integers(0, 1000),
)
def test_exact_predictions_are_those_of_brute_force(
    net: Network, architecture: str, scale: float, at_once: int, seed: int
) -> None:
    """All patterns at once, or one after another."""
    algorithm, machine = Boltzmann(architecture), Machine.of(net, architecture)
    params = random_params(machine, scale, seed)
    x = bits(net.input_size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_boltzmann_machine, "AT_ONCE", at_once - 1)
        y = algorithm.predict(net, {"params": params, "memory": {}}, x)
    np.testing.assert_allclose(
        y, brute_force(machine.matrix(params), machine, x, 10.0), rtol=1e-9, atol=1e-12
    )
    assert machine.exact


def test_sampled_predictions_are_the_exact_ones_in_the_mean() -> None:
    """300 replicas' worth of random numbers; largest |z| over patterns and outputs, Šidák, false alarm
    1e-6."""
    machine = Machine.of(Network.chain(3, 2, 3), "encoder")
    w = machine.matrix(random_params(machine, 8.0, 4))
    plan = Boltzmann().schedule
    u = np.random.default_rng(2).random((300, plan.draws, 5, CHAINS))
    y = sampled(machine, np.broadcast_to(w, (300, *w.shape)), bits(3), u, plan)
    exact = machine.completion(w, bits(3), 10.0)
    z = (y.mean(axis=0) - exact) / (y.std(axis=0, ddof=1) / np.sqrt(300))
    assert np.abs(z).max() < stats.norm.isf(1e-6 / 2 / z.size)


def test_more_than_sixteen_free_units_are_sampled_on_random_numbers_drawn_once() -> None:
    task, algorithm = Encoder(size=9, hidden=8), Boltzmann()
    state = algorithm.init(task.network(), {}, Rand(0, range(2), NOISE))
    assert state["memory"]["uniform"].shape == (2, 21, 17, CHAINS)
    once, again = (algorithm.predict(task.network(), state, np.eye(9)) for _ in range(2))
    assert once.tobytes() == again.tobytes()
    assert once.shape == (2, 9, 9)
    assert np.abs(once.mean() - 0.5) < 0.1, "weights are zero"
    assert Boltzmann().init(Encoder(size=8, hidden=8).network(), {}, Rand(0, [0], NOISE))["memory"] == {}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_sign_rule_moves_every_weight_by_two_or_by_nothing(architecture: str) -> None:
    task, algorithm = Encoder(size=4, hidden=2), Boltzmann(architecture)
    state = algorithm.init(task.network(), {}, Rand(0, range(50), NOISE))
    data, rand = task.data(Rand(0, [0], NOISE), "float64"), Rand(1, range(50), NOISE)
    for _ in range(4):
        new = algorithm.update(task.network(), state, Batch(*data[:3], 0), rand).state
        for name, weights in new["params"].items():
            step = weights - state["params"][name]
            if name in ("input-input", "output-output"):
                assert (np.diagonal(weights, axis1=1, axis2=2) == 0).all()
                assert (weights == weights.mT).all()
                step = step[:, ~np.eye(4, dtype=bool)]
            assert set(np.unique(step)) <= {-2.0, 0.0, 2.0}
            assert np.mean(step == 0) < 0.3, "ties"
        state = new


class Even(Boltzmann):
    """Whatever it sees awake it sees asleep."""

    def awake(self, machine: Machine, w: Any, seen: Any, rand: Rand) -> Any:
        return np.zeros_like(w)

    def asleep(self, machine: Machine, w: Any, seen: Any, rand: Rand) -> Any:
        return np.zeros_like(w)


def test_a_tie_of_the_sign_rule_moves_nothing() -> None:
    task, algorithm = Encoder(size=4, hidden=2), Even()
    state = algorithm.init(task.network(), {}, Rand(0, range(3), NOISE))
    data = task.data(Rand(0, [0], NOISE), "float64")
    new = algorithm.update(task.network(), state, Batch(*data[:3], 0), Rand(1, range(3), NOISE)).state
    assert all((w == state["params"][name]).all() for name, w in new["params"].items())


@pytest.mark.parametrize(
    ("architecture", "size", "hidden"), [("encoder", 4, 2), ("layered", 5, 3), ("full", 3, 1)]
)
def test_work_is_probes_times_fan_in(architecture: str, size: int, hidden: int) -> None:
    """Contractions: two FLOPs for every unit of the row (connected or not, and the one that is always on) and
    probe, and as many for every pair of units and state that is counted. Random numbers: one a probe, a start
    and a clamped unit."""
    algorithm = Boltzmann(
        architecture, times=(2, 3), temperatures=(12.0, 10.0), statistics=4, presentations=3
    )
    cell = Cell.of(
        settings_of(algorithm),
        {"name": "encoder", "size": size, "hidden": hidden},
        {"replicas": 1},
    )
    update = sheet(cell).update
    row, chains = 2 * size + hidden + 1, 3 * size
    free = row - 1 if architecture != "layered" else size + hidden
    clamped_probes, free_probes = 4 * hidden * chains, (2 + 3 + 4) * free * chains
    assert (
        update.flops["contraction"] == 2 * row * (clamped_probes + free_probes) + 2 * row**2 * 2 * 4 * chains
    )
    assert update.draws["uniform"] == clamped_probes + free_probes + free * chains + 2 * size * chains
    assert update.draws["normal"] == 0


CASES: dict[str, tuple[Boltzmann, Task, dict[str, Any]]] = {
    "encoder": (Boltzmann("encoder"), Encoder(size=4, hidden=2), {"epochs": 150}),
    "gradient float32": (
        Boltzmann("layered", "gradient", step=30.0),
        Xor(),
        {"epochs": 100, "dtype": "float32"},
    ),
    "online": (Boltzmann("full"), Xor(hidden=3), {"epochs": 30, "batch": 1}),
    "sampled": (
        Boltzmann(times=(1,), temperatures=(10.0,), statistics=2),
        Encoder(size=9, hidden=8),
        {"epochs": 4},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_replica_has_the_same_bits_alone_again_and_in_a_batch(name: str) -> None:
    algorithm, task, how = CASES[name]

    def train(**more: Any) -> Result:
        return run(algorithm, task, **{"replicas": 12, "seed": 4, **how, **more})

    def of(result: Result, row: int) -> dict[str, bytes]:
        t = result.trained
        return {
            n: a[row].tobytes()
            for n, a in {**t.weights, "loss": t.loss, "epochs": t.epochs, "curve": t.loss_curve}.items()
        }

    together, again = train(), train()
    assert all(of(together, i) == of(again, i) for i in range(12))
    for i in (0, 7, int(np.argmin(together.trained.epochs))):
        assert of(train(only=[i]), 0) == of(together, i)
    assert of(train(seed=5), 0) != of(together, 0)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"architecture": "encodr"}, "did you mean 'encoder'"),
    ({"rule": "signs"}, "did you mean 'sign'"),
    ({"step": 0.0}, "step must be"),
    ({"times": (2, 2)}, "every temperature"),
    ({"times": ()}, "times must be a list"),
    ({"times": 3}, "times must be a list"),
    ({"times": (2, 2, 0, 4)}, "times must be a whole"),
    ({"temperatures": (20.0, 15.0, 0.0, 10.0)}, "temperatures must be"),
    ({"temperatures": (20.0, 15.0, float("nan"), 10.0)}, "temperatures must be"),
    ({"statistics": 0}, "statistics must be"),
    ({"presentations": 1.5}, "presentations must be"),
    ({"noise_off": 1.0}, "noise_off must be"),
    ({"noise_on": -0.1}, "noise_on must be"),
]


@pytest.mark.parametrize(("given", "said"), BAD, ids=str)
def test_a_bad_setting_gets_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        Boltzmann(**given)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_what_it_cannot_do_is_one_sentence() -> None:
    cannot: Callable[[Task, str], Any] = lambda task, how: Boltzmann(how).applies_to(task)  # noqa: E731
    assert "more" in cannot(FamilyTree(), "layered")
    assert "not connected" in cannot(Xor(shortcut=True), "encoder")
    assert "not connected" in cannot(EvenParity(), "encoder")
    assert "criterion" in cannot(
        Xor(target_off=0.1, target_on=0.9, criterion="margin", bound=0.05), "layered"
    )
    for task in (Xor(), Xor(shortcut=True), Encoder(), Addition(shortcut=True, lateral=False)):
        assert cannot(task, "layered") is None
        assert cannot(task, "full") is None


def test_schedules_are_settings_of_the_command_line(harness: Callable[..., tuple[int, str, str]]) -> None:
    given = ("algorithm=boltzmann", "task=xor", "algorithm.times=[1,2]", "algorithm.temperatures=[15,10]")
    code, out, err = harness(*given, "run.replicas=2", "run.epochs=2")
    assert code == 0, err
    assert "times=[1, 2], temperatures=[15.0, 10.0]" in out
    assert hash(Boltzmann(times=[1, 2], temperatures=[15, 10])) == hash(
        Boltzmann(times=(1, 2), temperatures=(15.0, 10.0))
    )
