"""Held to its losses by differences, to labels tried one by one, and to locality."""

from __future__ import annotations

import cmath
from math import sqrt
from typing import Any

import numpy as np
import pytest

from algorithms.forward_forward import ForwardForward, joined, labels, normalised, others, softmax
from harness.cells.cell import Cell
from harness.compiling.driver import refusal
from harness.core.algorithm import Batch, Network
from harness.core.errors import InputError, NotApplicable
from harness.core.initial import initial
from harness.core.optimisers import Adam, GradientDescent
from harness.core.rand import NOISE, WEIGHTS, Rand
from harness.cost.sheet import sheet
from harness.experiment.run import run
from harness.tasks.addition import Addition
from harness.tasks.deep_chain import DeepChain
from harness.tasks.digits import Digits
from harness.tasks.encoder import Encoder
from harness.tasks.family_tree import FamilyTree
from harness.tasks.linear_map import LinearMap
from harness.tasks.negation import Negation
from harness.tasks.parity import Parity
from harness.tasks.singleton import Singleton
from harness.tasks.symmetry import Symmetry
from harness.tasks.xor import Xor

NET = Network.chain(4, 5, 6, 3)
PLAIN = GradientDescent(lr=1.0, momentum=0.0)  # a step is minus the gradient


class Given(Rand):
    """Random streams of one replica whose uniforms are those given."""

    def __init__(self, u: Any) -> None:
        super().__init__(0, [0], NOISE)
        self.u = np.asarray(u, float)

    def uniform(self, *shape: int) -> Any:
        assert shape == self.u.shape
        return self.u[None]


def problem(algorithm: ForwardForward, net: Network = NET) -> tuple[dict[str, Any], Batch, Any]:
    """A state of one replica, biases and softmax drawn too, some patterns, and the uniforms that choose wrong
    labels."""
    rand, state = np.random.default_rng(3), algorithm.init(net, {}, Rand(3, [0], NOISE))
    params = {k: w + 0.3 * rand.normal(size=w.shape) for k, w in state["params"].items()}
    n, outputs = 7, net.output.size
    wanted = (
        rand.integers(0, 2, (n, 1)) > 0
        if outputs == 1
        else rand.integers(0, outputs, n)[:, None] == np.arange(outputs)
    )
    batch = Batch(rand.normal(size=(n, net.input_size)), wanted.astype(float), wanted, np.zeros(()))
    return state | {"params": params}, batch, rand.random(n)


def by_name(params: Any) -> dict[str, Any]:
    return {k.name: w[0] for k, w in params.items()}


def step(
    algorithm: ForwardForward, state: dict[str, Any], batch: Batch, u: Any, net: Network = NET
) -> dict[str, Any]:
    """How far every weight moves in one update."""
    new = algorithm.update(net, state, batch, Given(u)).state["params"]
    return {k.name: (new[k] - w)[0] for k, w in state["params"].items()}


# What a layer does and loses, said once more, number by number, for real and complex weights


def length_root(y: list[Any]) -> list[Any]:
    size = sqrt(sum(abs(v) ** 2 for v in y) / len(y))
    return [v / size for v in y] if size else list(y)


def layer(w: Any, b: Any, z: list[Any]) -> list[Any]:
    inputs = [sum(z[i] * w[i][j] for i in range(len(z))) + b[0][j] for j in range(len(b[0]))]
    return [v if v.real > 0 else 0 * v for v in inputs]


def activities(params: dict[str, Any], x: Any, label: Any) -> list[list[Any]]:
    """The activity of every hidden layer."""
    found, z, below = [], length_root([*x, *label]), "input"
    for name in sorted(n for n in params if n.startswith("hidden") and "-" not in n):
        found.append(layer(params[f"{below}-{name}"], params[name], z))
        z, below = (
            length_root([v.real for v in found[-1]]),
            name,
        )  # what goes up is data there, whatever it was made of
    return found


def goodnesses(params: dict[str, Any], x: Any, label: Any) -> list[Any]:
    return [sum(v * v for v in y) for y in activities(params, x, label)]


def one_hot(i: int, k: int) -> list[float]:
    return [float(i == j) for j in range(k)]


def number_of(wanted: Any) -> int:
    return int(wanted[0]) if len(wanted) == 1 else int(np.argmax(wanted))


def losses(params: dict[str, Any], batch: Batch, u: Any, k: int, threshold: float) -> list[Any]:
    """−log σ(g − θ) for right labels, −log(1 − σ(g − θ)) for wrong ones, of each hidden layer."""
    found: list[Any] = [0.0, 0.0]
    for x, wanted, v in zip(batch.x, batch.wanted, u, strict=True):
        right = number_of(wanted)
        wrong = [(right + 1 + i) % k for i in range(k - 1)][int(v * (k - 1))]
        for label, sign in ((right, -1), (wrong, 1)):
            for i, g in enumerate(goodnesses(params, x, one_hot(label, k))):
                found[i] = found[i] + cmath.log(
                    1 + cmath.exp(sign * (g - threshold * len(params[f"hidden{i + 1}"][0])))
                )
    return found


def nudged(params: dict[str, Any], name: str, at: tuple[int, ...], h: complex) -> dict[str, Any]:
    w = params[name].astype(complex)
    w[at] += h
    return params | {name: w}


@pytest.mark.parametrize("outputs", [3, 1])
@pytest.mark.parametrize("threshold", [1.0, 0.4])
def test_every_layer_descends_its_own_loss(outputs: int, threshold: float) -> None:
    """Complex step to 1e-12, central differences to 1e-7 of the largest slope, for every weight and bias."""
    net, k = Network.chain(4, 5, 6, outputs), max(outputs, 2)
    algorithm = ForwardForward(PLAIN, threshold=threshold)
    state, batch, u = problem(algorithm, net)
    params, moved = by_name(state["params"]), step(algorithm, state, batch, u, net)
    assert set(moved) == {"input-hidden1", "hidden1", "hidden1-hidden2", "hidden2"}
    for name, change in moved.items():
        own = int(name[-1]) - 1
        biggest = np.abs(change).max()
        assert biggest > 0.1
        for at in np.ndindex(change.shape):
            exact = losses(nudged(params, name, at, 1e-30j), batch, u, k, threshold)[own].imag / 1e-30
            assert -change[at] == pytest.approx(exact, rel=1e-12, abs=1e-12 * biggest)
            up, down = (
                losses(nudged(params, name, at, h), batch, u, k, threshold)[own].real for h in (1e-6, -1e-6)
            )
            assert -change[at] == pytest.approx((up - down) / 2e-6, abs=1e-7 * biggest)


def test_the_softmax_descends_its_own_loss_and_leaves_the_layers_alone() -> None:
    algorithm = ForwardForward(PLAIN, readout="softmax")
    state, batch, u = problem(algorithm)
    params, moved = by_name(state["params"]), step(algorithm, state, batch, u)
    without = {key: w for key, w in state["params"].items() if "output" not in key.name}
    layers_only = step(ForwardForward(PLAIN), {"params": without, "optimiser": PLAIN.init(without)}, batch, u)
    assert set(moved) - set(layers_only) == {"hidden2-output", "output"}
    for name, change in layers_only.items():
        np.testing.assert_array_equal(moved[name], change)

    def loss(params: dict[str, Any]) -> Any:
        found: Any = 0.0
        for x, wanted in zip(batch.x, batch.wanted, strict=True):
            z = length_root(activities(params, x, [1 / 3] * 3)[1])
            into = [
                sum(z[i] * params["hidden2-output"][i][j] for i in range(6)) + params["output"][0][j]
                for j in range(3)
            ]
            found = found - into[number_of(wanted)] + cmath.log(sum(cmath.exp(v) for v in into))
        return found

    for name in ("hidden2-output", "output"):
        for at in np.ndindex(moved[name].shape):
            assert -moved[name][at] == pytest.approx(
                loss(nudged(params, name, at, 1e-30j)).imag / 1e-30, rel=1e-12, abs=1e-12
            )


# What passes between layers


def test_nothing_comes_down_and_only_the_direction_goes_up() -> None:
    algorithm = ForwardForward(PLAIN)
    state, batch, u = problem(algorithm)
    before = step(algorithm, state, batch, u)
    changed = {k: (3 * w if "hidden2" in k.name else w) for k, w in state["params"].items()}
    after = step(algorithm, state | {"params": changed}, batch, u)
    for name in ("input-hidden1", "hidden1"):
        np.testing.assert_array_equal(after[name], before[name])
    assert (after["hidden2"] != before["hidden2"]).any()
    longer = {k: (4 * w if k.name in ("input-hidden1", "hidden1") else w) for k, w in state["params"].items()}
    after = step(algorithm, state | {"params": longer}, batch, u)
    for name in (
        "hidden1-hidden2",
        "hidden2",
    ):  # a layer of four times the activity: those above see the same bits
        np.testing.assert_array_equal(after[name], before[name])
    assert (after["hidden1"] != before["hidden1"]).any()
    np.testing.assert_array_equal(
        *(algorithm.predict(NET, {"params": p}, batch.x) for p in (longer, state["params"]))
    )


def test_normalised_is_the_direction_at_a_mean_square_of_one() -> None:
    y = np.abs(np.random.default_rng(0).normal(size=(3, 50, 7)))
    z = normalised(y)
    np.testing.assert_allclose((z * z).mean(-1), 1, rtol=1e-14)
    for factor in (2.0**-40, 0.5, 2.0**30):
        np.testing.assert_array_equal(normalised(factor * y), z)
    np.testing.assert_allclose(y / np.sqrt((y * y).mean(-1, keepdims=True)), z, rtol=1e-14)
    np.testing.assert_array_equal(normalised(np.zeros((2, 4))), np.zeros((2, 4)))


def test_labels_are_one_of_many_or_off_and_on_beside_the_pattern() -> None:
    eye = np.eye(4) > 0
    np.testing.assert_array_equal(labels(eye, np.dtype(float)), np.eye(4))
    np.testing.assert_array_equal(labels(np.array([[False], [True]]), np.dtype(float)), [[1, 0], [0, 1]])
    x = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(joined(x, np.array([7.0, 8.0])), [[0, 1, 7, 8], [2, 3, 7, 8], [4, 5, 7, 8]])
    each = np.arange(12.0).reshape(2, 3, 2)  # labels of two replicas, for patterns that both share
    np.testing.assert_array_equal(joined(x, each)[1, 2], [4, 5, 10, 11])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("k", [2, 3, 10, 64])
def test_wrong_labels_are_each_of_the_others_equally_often(k: int, dtype: str) -> None:
    """χ² of 2,000 draws an other label; false alarm 1e-6, once, as the seed is fixed. The extremes of u are
    in range."""
    from scipy.stats import chi2

    n = 2000 * (k - 1)
    for right in {0, k // 2, k - 1}:
        label = np.tile(np.eye(k, dtype=dtype)[right], (n, 1))
        wrong = others(label, Rand(right, [0], NOISE, dtype).uniform(n))[0]
        assert wrong.dtype == dtype
        assert (wrong.sum(-1) == 1).all()
        count = wrong.sum(0)
        assert count[right] == 0
        assert ((np.delete(count, right) - 2000) ** 2 / 2000).sum() < chi2.isf(1e-6, k - 1)
        ends = np.array([0.0, np.nextafter(np.dtype(dtype).type(1), np.dtype(dtype).type(0))], dtype)
        assert others(label[:2], ends).argmax(-1).tolist() == [(right + 1) % k, (right - 1) % k]


# Prediction


@pytest.mark.parametrize(
    ("hidden", "outputs"), [((5, 6), 3), ((5, 6), 1), ((8,), 4), ((4, 5, 6), 2)], ids=str
)
def test_prediction_is_the_label_of_most_goodness_tried_one_by_one(
    hidden: tuple[int, ...], outputs: int
) -> None:
    net, k = Network.chain(4, *hidden, outputs), max(outputs, 2)
    algorithm = ForwardForward()
    state, batch, _ = problem(algorithm, net)
    params, y = by_name(state["params"]), algorithm.predict(net, state, batch.x)[0]
    assert y.shape == (7, outputs)
    for x, predicted in zip(batch.x, y, strict=True):
        each = [goodnesses(params, x, one_hot(i, k)) for i in range(k)]
        total = np.array([sum(g[1:]) if len(g) > 1 else g[0] for g in each])
        odds = np.exp(total - total.max())
        np.testing.assert_allclose(predicted, (odds / odds.sum())[-outputs:], rtol=1e-10)


def test_scores_of_any_size_are_probabilities() -> None:
    p = softmax(np.array([[1e4, 1e4, -1e4], [0.0, 0.0, 0.0], [3.0, 1.0, -800.0]]))
    np.testing.assert_allclose(
        p, [[0.5, 0.5, 0], [1 / 3] * 3, [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2)), 0]], rtol=1e-12
    )


# Learning


@pytest.mark.parametrize("task", [Xor(hidden=32), Encoder(hidden=32), Parity(hidden=64), Symmetry(hidden=64)])
@pytest.mark.parametrize("layers", [1, 2])
def test_tasks_of_bits_are_solved_given_room(task: Any, layers: int) -> None:
    """n = 10, ten times and more the units that backprop needs: measured 20 of 20 in each."""
    assert run(ForwardForward(Adam(0.01), layers=layers), task, replicas=10, epochs=500).solved.sum() >= 9


# In the house


@pytest.mark.parametrize("readout", ["goodness", "softmax"])
def test_a_replica_alone_has_the_bits_of_the_batch_and_of_the_same_seed(readout: str) -> None:
    algorithm, task = ForwardForward(readout=readout), Digits(hidden=12, layers=2)
    batch, again, alone = (
        run(algorithm, task, replicas=4, epochs=2, seed=5, batch=64, only=only).trained
        for only in (None, None, [2])
    )
    other = run(algorithm, task, replicas=4, epochs=2, seed=6, batch=64).trained
    for name, w in batch.weights.items():
        np.testing.assert_array_equal(w, again.weights[name])
        np.testing.assert_array_equal(w[2], alone.weights[name][0])
        assert (w != other.weights[name]).any()
        assert (w[0] != w[1]).any()


def test_initial_weights_are_those_of_hintons_code() -> None:
    """N(0, 1 / fan-in) and no bias, the softmax from zero: 5 standard errors of mean and variance, n = 64 ×
    74 × 200 and more."""
    net, algorithm = Digits(hidden=64, layers=2).network(), ForwardForward(readout="softmax")
    params = algorithm.init(
        net, initial(net, Rand(0, range(200), WEIGHTS), "zero"), Rand(0, range(200), NOISE)
    )["params"]
    for key, w in params.items():
        if key.name in ("input-hidden1", "hidden1-hidden2"):
            assert abs(w.mean()) < 5 / sqrt(w.size * w.shape[-2])
            assert abs(w.var() * w.shape[-2] - 1) < 5 * sqrt(2 / w.size)
        else:
            assert not w.any()


@pytest.mark.parametrize("readout", ["goodness", "softmax"])
def test_it_compiles_to_the_same_run(readout: str) -> None:
    assert (
        refusal(Cell.of({"name": "forward_forward", "readout": readout}, {"name": "digits", "layers": 2}, {}))
        == ""
    )
    task, algorithm = Xor(hidden=8), ForwardForward(Adam(0.01), readout=readout)
    one, two = (run(algorithm, task, replicas=16, epochs=100, backend=b).trained for b in ("numpy", "jax"))
    assert two.ran["backend"] == "jax"
    assert (one.epochs == two.epochs).mean() >= 0.9
    assert (one.outcome == two.outcome).mean() >= 0.9


def test_its_cost_is_counted_and_is_the_closed_form() -> None:
    """Multiply-adds for N images, W weights of the layers: two forward passes, two outer products; ten passes
    to predict."""
    found = {
        readout: sheet(
            Cell.of({"name": "forward_forward", "readout": readout}, {"name": "digits", "layers": 2}, {})
        )
        for readout in ("goodness", "softmax")
    }
    n, w, s = 16, 74 * 64 + 64 * 64, 64 * 10
    assert found["goodness"].update.multiply_adds == 4 * n * w
    assert found["goodness"].predict.multiply_adds == 10 * n * w
    assert found["softmax"].update.multiply_adds == n * (5 * w + 2 * s)
    assert found["softmax"].predict.multiply_adds == n * (w + s)
    assert found["goodness"].update.draws == {"uniform": n}


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (FamilyTree(), ["family_tree", "any number of outputs"]),
        (Addition(), ["addition", "any number of outputs"]),
        (Negation(), ["negation", "any number of outputs"]),
        (LinearMap(), ["linear_map", "numbers"]),
        (DeepChain(residual=True), ["deep_chain", "identity shortcuts"]),
        (Singleton(), ["layers=2", "singleton", "has 2"]),
    ],
    ids=lambda v: v.name if hasattr(v, "name") else "",
)
def test_what_it_cannot_do_it_says_in_a_sentence(task: Any, words: list[str]) -> None:
    with pytest.raises(NotApplicable) as error:
        run(ForwardForward(layers=2), task, replicas=1, epochs=1)
    assert "\n" not in str(error.value)
    assert [word for word in words if word not in str(error.value)] == []


def test_what_it_can_do() -> None:
    """It takes tasks of one bit or of labels: no reason against them may be left in `applies_to`."""
    assert not any(
        ForwardForward().applies_to(task) for task in (Xor(), Symmetry(), Encoder(), Singleton(), Digits())
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"threshold": 0.0}, ["threshold", "0.0", "greater than 0"]),
        ({"threshold": float("inf")}, ["threshold", "finite", "inf"]),
        ({"layers": 0}, ["layers", "0", "at least 1"]),
        ({"readout": "goodnes"}, ["readout", "'goodnes'", "did you mean 'goodness'"]),
    ],
    ids=str,
)
def test_a_bad_setting_gets_one_sentence(given: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        ForwardForward(**given)
    assert "\n" not in str(error.value)
    assert [word for word in words if word not in str(error.value)] == []


def test_an_optimiser_without_a_rate_takes_the_usual_one() -> None:
    algorithm = run(ForwardForward(GradientDescent()), Xor(), replicas=1, epochs=1).algorithm
    assert isinstance(algorithm, ForwardForward)
    assert (algorithm.optimiser.lr, algorithm.optimiser.momentum) == (0.5, 0.9)  # type: ignore[attr-defined]  # descent has it
