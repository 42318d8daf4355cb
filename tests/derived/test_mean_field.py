"""Mean-field learning held to its equation, to enumeration at weak weights, and to the published cheapness
against sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from algorithms._boltzmann_machine import Machine
from algorithms.mean_field import MeanField
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
from harness.tasks.addition import Addition
from harness.tasks.encoder import Encoder
from harness.tasks.family_tree import FamilyTree
from harness.tasks.xor import Xor
from helpers.enumeration import bits

Array = Any
LONG: dict[str, Any] = {"times": (300,), "temperatures": (1.0,)}


def random_state(net: Network, weights: float, biases: float, seed: int) -> dict[str, Any]:
    rng, machine = np.random.default_rng(seed), Machine.of(net, "layered")
    sizes = {name: (a.stop - a.start, b.stop - b.start) for name, (a, b) in machine.blocks.items()}
    return {
        "params": {
            name: (weights if "-" in name else biases) * rng.normal(size=size) for name, size in sizes.items()
        }
    }


def exact_means(machine: Machine, w: Array, x: Array, temperature: float = 1.0) -> tuple[Array, Array]:
    """Means of units of ±1 given the input x of ±1, and their second moments: every state of hidden and
    output units."""
    free = 2 * bits(machine.hidden + machine.output) - 1
    s = np.hstack([free, np.tile(x, (len(free), 1)), np.ones((len(free), 1))])
    p = np.exp(
        np.array([sum(w[i, j] * row[i] * row[j] for i in range(len(w)) for j in range(i)) for row in s])
        / temperature
    )
    p /= p.sum()
    return p @ s, s.T @ (p[:, None] * s)


def test_a_settled_state_satisfies_the_mean_field_equation() -> None:
    """s_i = tanh(Σ_j w_ij s_j / T) for every free unit, at 50 random machines; the last temperature counts,
    not the way there."""
    net = Network.chain(3, 4, 2)
    machine = Machine.of(net, "layered")
    for seed in range(50):
        w = machine.matrix(random_state(net, 0.8, 0.5, seed)["params"])
        slow = MeanField(times=(5, 300), temperatures=(3.0, 1.5)).settled(machine, w, bits(3))
        free = slice(0, machine.hidden + machine.output)
        np.testing.assert_allclose(slow[free], np.tanh(w[free] @ slow / 1.5), atol=1e-12)
        assert (slow[machine.place["input"]] == 2 * bits(3).T - 1).all()


def test_means_tend_to_the_exact_ones_as_weights_weaken_with_their_square() -> None:
    """Biases stay, weights halve: the error is divided by four (3.5 to 4.5), 20 machines."""
    net = Network.chain(2, 3, 2)
    machine, x = Machine.of(net, "layered"), bits(2)

    def error(scale: float, seed: int) -> float:
        state = random_state(net, 1.0, 0.7, seed)["params"]
        w = machine.matrix({name: v * scale if "-" in name else v for name, v in state.items()})
        s = MeanField(**LONG).settled(machine, w, x)
        return max(np.abs(s[:, k] - exact_means(machine, w, 2 * row - 1)[0]).max() for k, row in enumerate(x))

    ratios = [error(0.008, seed) / error(0.004, seed) for seed in range(20)]
    assert min(ratios) > 3.5
    assert max(ratios) < 4.5
    assert max(error(0.01, seed) for seed in range(20)) < 1e-3


def test_at_high_temperature_the_step_is_that_of_the_exact_machine() -> None:
    """Σ over patterns of exact moments, outputs clamped minus free; the mean-field step misses it by O(1/T):
    half at twice T."""
    task = Xor(hidden=3)
    net, machine = task.network(), Machine.of(task.network(), "layered")
    state = random_state(net, 1.0, 1.0, 2)
    x, wanted, *_ = task.patterns()
    data = task.data(Rand(0, [0], NOISE), "float64")

    def miss(temperature: float) -> float:
        algorithm = MeanField(lr=1.0, times=(5, 300), temperatures=(3 * temperature, temperature))
        new = algorithm.update(net, state, Batch(*(a[0] for a in data[:3]), 0), Rand(0, [0], NOISE)).state[
            "params"
        ]
        w = machine.matrix(state["params"])
        change = np.zeros_like(w)
        for row, right in zip(2 * x - 1, 2.0 * wanted - 1, strict=True):
            s = np.concatenate([np.zeros(machine.hidden), right, row, [1.0]])
            s[: machine.hidden] = np.tanh(
                w[: machine.hidden] @ s / temperature
            )  # exact: hidden units do not see each other
            change += (np.outer(s, s) - exact_means(machine, w, row, temperature)[1]) / len(x)
        exact = {name: change[a, b] for name, (a, b) in machine.blocks.items()}
        return max(np.abs(new[name] - state["params"][name] - exact[name]).max() for name in exact)

    assert miss(200.0) < 0.02
    assert miss(200.0) / miss(400.0) == pytest.approx(2, abs=0.2)


def test_a_machine_that_answers_right_with_certainty_learns_nothing() -> None:
    """Output copies input over a shortcut of weight 50: both phases are one state, hidden units at the last
    temperature, too."""
    net = Network.chain(1, 3, 1, shortcut=True)
    state = random_state(net, 0.5, 0.5, 4)
    state["params"]["input-output"] = np.array([[50.0]])
    batch = Batch(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]), np.array([[False], [True]]), 0)
    update = MeanField().update(net, state, batch, Rand(0, [0], NOISE))
    for name, before in state["params"].items():
        np.testing.assert_allclose(update.state["params"][name], before, atol=1e-12)
    np.testing.assert_allclose(update.output, [[0.0], [1.0]], atol=1e-12)
    assert update.output is not None
    assert (update.output == MeanField().predict(net, state, batch.x)).all()


def test_without_hidden_units_it_is_the_delta_rule_of_its_own_means() -> None:
    """Δw_ij = η ⟨x_i (d_j − y_j)⟩ with everything ±1: no other unit to settle with."""
    net = Network.chain(3, 2)
    state, rng = random_state(net, 1.0, 1.0, 0), np.random.default_rng(1)
    x, d = bits(3), rng.random((8, 2)) < 0.5
    new = (
        MeanField(lr=0.3, **LONG)
        .update(net, state, Batch(x, d.astype(float), d, 0), Rand(0, [0], NOISE))
        .state["params"]
    )
    signs, y = 2 * x - 1, np.tanh((2 * x - 1) @ state["params"]["input-output"] + state["params"]["output"])
    np.testing.assert_allclose(
        new["input-output"] - state["params"]["input-output"], 0.3 * signs.T @ (2 * d - 1 - y) / 8, atol=1e-12
    )
    np.testing.assert_allclose(
        new["output"] - state["params"]["output"], 0.3 * (2 * d - 1 - y).mean(axis=0)[None], atol=1e-12
    )


def test_it_starts_from_the_weights_that_all_algorithms_share() -> None:
    net = Xor(shortcut=True).network()
    params = initial(net, Rand(3, range(5), WEIGHTS), "uniform", 0.5)
    state = MeanField().init(net, params, Rand(3, range(5), NOISE))
    assert {k.name: v.tobytes() for k, v in params.items()} == {
        k: v.tobytes() for k, v in state["params"].items()
    }


def test_work_is_looks_times_fan_in() -> None:
    """Contractions: two FLOPs a unit of the row, look and pattern; two moments of all pairs. No random
    number."""
    algorithm = MeanField(times=(2, 3), temperatures=(2.0, 1.0))
    found = sheet(
        Cell.of(settings_of(algorithm), {"name": "encoder", "size": 5, "hidden": 3}, {"replicas": 1})
    )
    row, looks = 5 + 3 + 5 + 1, 5 * (3 + 5)
    assert found.update.flops["contraction"] == 2 * row * (looks + 3) * 5 + 2 * 2 * row**2 * 5
    assert found.update.flops["transcendental"] == (looks + 3) * 5
    assert found.predict.flops["contraction"] == 2 * row * looks * 5
    assert found.update.draws.total() == 0


@pytest.mark.parametrize(
    ("task", "more"),
    [(Xor(), {}), (Encoder(size=4, hidden=2), {"dtype": "float32"}), (Xor(shortcut=True), {"batch": 1})],
)
def test_a_replica_has_the_same_bits_alone_again_and_in_a_batch(task: Task, more: dict[str, Any]) -> None:
    def train(**changes: Any) -> Result:
        return run(MeanField(), task, **{"replicas": 16, "seed": 2, "epochs": 60, **more, **changes})

    def of(result: Result, row: int) -> dict[str, bytes]:
        t = result.trained
        return {
            n: a[row].tobytes()
            for n, a in {**t.weights, "loss": t.loss, "epochs": t.epochs, "curve": t.loss_curve}.items()
        }

    together, again = train(), train()
    assert len(set(together.trained.epochs)) > 2
    assert all(of(together, i) == of(again, i) for i in range(16))
    for i in (0, 9, int(np.argmin(together.trained.epochs))):
        assert of(train(only=[i]), 0) == of(together, i)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"lr": 0.0}, "lr"), ({"times": (1,)}, "temperature"), ({"times": (-1,) * 4}, "times")],
)
def test_a_bad_setting_gets_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        MeanField(**given)
    assert "\n" not in str(error.value)


def test_what_it_cannot_do_is_one_sentence() -> None:
    assert "more" in (MeanField().applies_to(FamilyTree()) or "")
    assert "more" in (MeanField().applies_to(Addition(lateral=True)) or "")
    assert MeanField().applies_to(Xor(shortcut=True)) is None
