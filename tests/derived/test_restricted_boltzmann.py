"""CD-k held to enumeration: its expected step by the transition matrix, the likelihood's as k grows; free
energy; predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from algorithms._annealing import CHAINS
from algorithms._boltzmann_machine import Machine
from algorithms.restricted_boltzmann import ASKED, RestrictedBoltzmann
from harness.cells.cell import Cell
from harness.core.algorithm import Batch
from harness.core.errors import InputError
from harness.core.initial import initial
from harness.core.network import Network
from harness.core.rand import NOISE, WEIGHTS, Rand
from harness.core.registry import settings_of
from harness.core.task import Task
from harness.cost.sheet import sheet
from harness.experiment.result import Result
from harness.experiment.run import run
from harness.tasks.encoder import Encoder
from harness.tasks.family_tree import FamilyTree
from harness.tasks.xor import Xor
from helpers.enumeration import bits, boltzmann_distribution, brute_force, likelihood, random_params

Array = Any
TASK = Xor(hidden=2)
NET = TASK.network()
MACHINE = RestrictedBoltzmann().machine(NET)
PARAMS = random_params(MACHINE, 1.5, 6)


def data_distribution() -> Array:
    """q of every visible state, outputs before inputs: the four patterns of XOR."""
    x, wanted, *_ = TASK.patterns()
    patterns = np.hstack([wanted, x])
    return np.array([(patterns == v).all(axis=1).mean() for v in bits(3)])


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def layers(w: Array) -> tuple[Array, Array, Array]:
    """Weights (visible, hidden), visible and hidden biases, from the matrix of all."""
    h = MACHINE.hidden
    return w[h:-1, :h], w[h:-1, -1], w[-1, :h]


def expected_step(k: int) -> dict[str, Array]:
    """⟨v p(h | v)⟩⁰ − ⟨v p(h | v)⟩ᵏ exactly: visible states after k steps are q Tᵏ, T(v, v') = Σ_h p(h | v)
    p(v' | h)."""
    weights, b, c = layers(MACHINE.matrix(PARAMS))
    v, h = bits(3), bits(MACHINE.hidden)
    of_h = np.array([[np.where(row > 0, p, 1 - p).prod() for row in h] for p in sigmoid(v @ weights + c)])
    of_v = np.array([[np.where(row > 0, p, 1 - p).prod() for row in v] for p in sigmoid(h @ weights.T + b)])
    return _moments(data_distribution(), data_distribution() @ np.linalg.matrix_power(of_h @ of_v, k))


def _moments(q: Array, p: Array) -> dict[str, Array]:
    """Differences of moments between two distributions of visible states, by the names of the parameters."""
    weights, _, c = layers(MACHINE.matrix(PARAMS))
    v = bits(3)
    s = np.hstack([sigmoid(v @ weights + c), v, np.ones((8, 1))])
    change = s.T @ ((q - p)[:, None] * s)
    return {name: change[a, b] for name, (a, b) in MACHINE.blocks.items()}


def exact_gradient() -> dict[str, Array]:
    """Of the log-likelihood of the four patterns: data minus model."""
    p = boltzmann_distribution(MACHINE.matrix(PARAMS), 1.0).reshape(2**MACHINE.hidden, -1).sum(axis=0)
    return _moments(data_distribution(), p)


def distance(a: dict[str, Array], b: dict[str, Array]) -> float:
    return max(np.abs(a[name] - b[name]).max() for name in a)


def test_data_minus_model_is_the_gradient_of_the_likelihood() -> None:
    """Against central differences of the log-likelihood summed over every state of every unit."""
    w, exact = MACHINE.matrix(PARAMS), exact_gradient()
    for name, (a, b) in MACHINE.blocks.items():
        for i, j in np.ndindex(PARAMS[name].shape):
            ends, value = (a.start + i, b.start + j), []
            for h in (1e-5, -1e-5):
                moved = w.copy()
                moved[ends] += h
                moved[ends[::-1]] += h
                value.append(likelihood(MACHINE, moved, data_distribution(), 1.0, False))
            assert (value[0] - value[1]) / 2e-5 == pytest.approx(exact[name][i, j], abs=1e-8)


def test_contrastive_divergence_tends_to_the_gradient_as_k_grows() -> None:
    """By enumeration: the bias falls from step to step, to nothing; at k = 1 it is there."""
    bias = [distance(expected_step(k), exact_gradient()) for k in (1, 2, 4, 8, 100)]
    assert bias == sorted(bias, reverse=True)
    assert bias[0] > 0.01
    assert bias[-1] < 1e-8


@pytest.mark.parametrize("k", [1, 2, 40])
def test_the_sampled_step_is_the_enumerated_one(k: int) -> None:
    """n = 4,000 replicas of the same weights; largest |z| of 11 parameters, Šidák, false alarm 1e-6 each; at
    k = 40 the target is the gradient of the likelihood itself."""
    n = 4000
    state = {"params": {name: np.tile(v, (n, 1, 1)) for name, v in PARAMS.items()}, "memory": {}}
    data = TASK.data(Rand(0, [0], NOISE), "float64")
    algorithm = RestrictedBoltzmann(lr=1.0, k=k)
    new = algorithm.update(NET, state, Batch(*data[:3], 0), Rand(7, range(n), NOISE)).state["params"]
    target = exact_gradient() if k == 40 else expected_step(k)
    assert k < 40 or distance(expected_step(40), target) < 1e-3
    z = []
    for name, value in target.items():
        step = (new[name] - PARAMS[name]).reshape(n, -1)
        z.extend((step.mean(axis=0) - value.ravel()) / (step.std(axis=0, ddof=1) / np.sqrt(n)))
    assert len(z) == 3 * 2 + 3 + 2
    assert np.abs(z).max() < stats.norm.isf(1e-6 / 2 / len(z))


NETS = st.sampled_from([Network.chain(2, 2, 1), Network.chain(3, 2, 3), Network.chain(2, 4, 2)])


@settings(deadline=None, derandomize=True, max_examples=40)
@given(NETS, st.floats(0.1, 20.0), st.integers(0, 1000))
def test_predictions_by_free_energy_are_those_of_brute_force(net: Network, scale: float, seed: int) -> None:
    machine = RestrictedBoltzmann().machine(net)
    params = random_params(machine, scale, seed)
    y = RestrictedBoltzmann().predict(net, {"params": params, "memory": {}}, bits(net.input_size))
    np.testing.assert_allclose(
        y, brute_force(machine.matrix(params), machine, bits(net.input_size), 1.0), rtol=1e-9, atol=1e-12
    )


def test_the_free_energy_is_that_of_the_paper_and_labels_compare_it() -> None:
    """P(v) ∝ exp(−F(v)), F(v) = −b·v − Σ log(1 + exp(c + vW)); of a label, exp(−F) over the sum of all
    labels'."""
    net = Network.chain(3, 2, 4)
    machine = RestrictedBoltzmann().machine(net)
    params = random_params(machine, 1.0, 9)
    weights = np.vstack([params["hidden-output"].T, params["input-hidden"]])
    b = np.concatenate([params["output"][0], params["input"][0]])

    def free_energy(v: Array) -> Array:
        return -v @ b - np.log1p(np.exp(v @ weights + params["hidden"][0])).sum(axis=-1)

    p = np.exp(-free_energy(bits(7)))
    every = boltzmann_distribution(machine.matrix(params), 1.0).reshape(4, -1).sum(axis=0)
    np.testing.assert_allclose(p / p.sum(), every, rtol=1e-10)
    labels = np.array(
        [[np.exp(-free_energy(np.concatenate([label, x]))) for label in np.eye(4)] for x in bits(3)]
    )
    y = RestrictedBoltzmann(one_hot=True).predict(net, {"params": params, "memory": {}}, bits(3))
    np.testing.assert_allclose(y, labels / labels.sum(axis=1, keepdims=True), rtol=1e-10)


def test_many_outputs_are_sampled_unless_they_are_labels() -> None:
    net = Encoder(size=12, hidden=6).network()
    params = initial(net, Rand(0, range(3), WEIGHTS), "uniform", 0.5)
    state = RestrictedBoltzmann().init(net, params, Rand(0, range(3), NOISE))
    assert state["memory"]["uniform"].shape == (3, ASKED.draws, 18, CHAINS)
    y = RestrictedBoltzmann().predict(net, state, np.eye(12))
    assert y.shape == (3, 12, 12)
    machine = RestrictedBoltzmann().machine(net)
    exact = machine.completion(machine.matrix(state["params"]), np.eye(12), 1.0)
    assert np.abs(y - exact).max() < 6 * 0.5 / np.sqrt(ASKED.statistics * CHAINS / 3), (
        "six standard errors of correlated draws"
    )
    labels = RestrictedBoltzmann(one_hot=True)
    assert labels.init(net, params, Rand(0, range(3), NOISE))["memory"] == {}
    np.testing.assert_allclose(
        labels.predict(net, {"params": state["params"], "memory": {}}, np.eye(12)).sum(axis=-1), 1.0
    )


@pytest.mark.parametrize("k", [1, 3])
def test_work_is_probes_times_fan_in(k: int) -> None:
    """Contractions: two FLOPs a unit of the row and probe, hidden units once more for data and for dreams;
    two moments."""
    update = sheet(
        Cell.of(
            settings_of(RestrictedBoltzmann(k=k)),
            {"name": "encoder", "size": 4, "hidden": 3},
            {"replicas": 1},
        )
    ).update
    row = 4 + 3 + 4 + 1
    assert update.flops["contraction"] == 2 * row * (k * (row - 1) + 2 * 3) * 4 + 2 * 2 * row**2 * 4
    assert update.draws == {"uniform": k * (row - 1) * 4}


@pytest.mark.parametrize(
    ("task", "more"),
    [
        (Xor(), {}),
        (Encoder(size=4, hidden=2), {"dtype": "float32"}),
        (Encoder(size=12, hidden=6), {"epochs": 3}),
    ],
)
def test_a_replica_has_the_same_bits_alone_again_and_in_a_batch(task: Task, more: dict[str, Any]) -> None:
    def train(**changes: Any) -> Result:
        return run(
            RestrictedBoltzmann(lr=0.5, k=2),
            task,
            **{"replicas": 16, "seed": 2, "epochs": 150, **more, **changes},
        )

    def of(result: Result, row: int) -> dict[str, bytes]:
        t = result.trained
        return {
            n: a[row].tobytes()
            for n, a in {**t.weights, "loss": t.loss, "epochs": t.epochs, "curve": t.loss_curve}.items()
        }

    together, again = train(), train()
    assert all(of(together, i) == of(again, i) for i in range(16))
    for i in (0, 9, int(np.argmin(together.trained.epochs))):
        assert of(train(only=[i]), 0) == of(together, i)
    assert of(train(seed=3), 0) != of(together, 0)


def test_it_starts_from_the_weights_that_all_algorithms_share() -> None:
    params = initial(NET, Rand(3, range(5), WEIGHTS), "uniform", 0.5)
    state = RestrictedBoltzmann().init(NET, params, Rand(3, range(5), NOISE))["params"]
    assert set(state) == {k.name for k in params} | {"input"}
    assert (state["input"] == 0).all()
    assert all(v.tobytes() == state[k.name].tobytes() for k, v in params.items())


@pytest.mark.parametrize(
    ("given", "said"), [({"lr": -1.0}, "lr"), ({"k": 0}, "k must"), ({"k": 1.5}, "k must")]
)
def test_a_bad_setting_gets_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        RestrictedBoltzmann(**given)
    assert "\n" not in str(error.value)


def test_what_it_cannot_do_is_one_sentence() -> None:
    algorithm = RestrictedBoltzmann()
    assert "more" in (algorithm.applies_to(FamilyTree()) or "")
    assert "not connected" in (algorithm.applies_to(Xor(shortcut=True)) or "")
    assert isinstance(algorithm.machine(NET), Machine)
    assert algorithm.applies_to(Xor()) is None
