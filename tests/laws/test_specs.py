"""Held to the data themselves: what every task says of its shape without making them, and the cross-entropy
it allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algorithms.boltzmann import Boltzmann
from algorithms.delta_rule import DeltaRule
from algorithms.mean_field import MeanField
from algorithms.restricted_boltzmann import RestrictedBoltzmann
from harness.core import registry
from harness.core.data import Data
from harness.core.errors import InputError
from harness.core.rand import SPLIT, Rand
from harness.core.task import Task
from harness.tasks.digits import Digits
from harness.tasks.encoder import Encoder
from harness.tasks.linear_map import LinearMap
from harness.tasks.mnist import Mnist
from harness.tasks.xor import Xor

HERE = {
    name: cls for name, cls in registry.tasks().items() if name != "mnist"
}  # its files are not in the tree


@pytest.mark.parametrize("name", HERE)
def test_a_spec_is_what_the_data_turn_out_to_be(name: str) -> None:
    """Sizes, kind of target and bits: replicas, chunks and rules are chosen by them before any pattern is
    made."""
    task: Task = HERE[name]()
    spec, net = task.spec(), task.network()
    assert "spec" in vars(type(task)) or any(
        "spec" in vars(c) for c in type(task).__mro__[1:-1] if c is not Task
    ), f"{name} leaves its spec to the patterns"
    data = task.data(Rand(0, [0, 1], SPLIT), np.float64)
    assert len(data.x) in (1, 2)
    assert data.x.shape[-2:] == (spec.patterns, net.input_size)
    assert data.target.shape[-2:] == data.wanted.shape[-2:] == (spec.patterns, net.output.size)
    assert data.time == bool(spec.steps)
    assert spec.binary == bool(np.isin(data.x, (0, 1)).all())
    targets = {task.target_off, task.target_on}
    assert (spec.kind in ("numbers", "probabilities")) == (not np.isin(data.target, list(targets)).all())
    if spec.kind == "probabilities":
        assert ((data.target >= 0) & (data.target <= 1)).all()
    one_each = net.output.size > 1 and bool((data.wanted.sum(axis=-1) == 1).all())
    assert (spec.kind == "labels") == (one_each and spec.kind != "numbers")


def test_a_spec_reads_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "nothing"))
    assert Mnist().spec().patterns == 50_000
    assert not (tmp_path / "nothing").exists()


def output_of(task: Task) -> str:
    return task.network().output.activation


def test_cross_entropy_makes_labels_softmax_and_bits_sigmoids() -> None:
    assert [output_of(t(loss="cross_entropy")) for t in (Xor, Encoder, Digits)] == [
        "sigmoid",
        "softmax",
        "softmax",
    ]
    assert [output_of(t()) for t in (Xor, Encoder, Digits)] == ["sigmoid"] * 3


def test_cross_entropy_by_hand() -> None:
    """ln 2 an output at ½; of two wrong softmax outputs at ¾ and ¼, −ln ¼; blame is y − d whatever the
    slope."""
    bits, label = Xor(loss="cross_entropy").objective, Encoder(loss="cross_entropy").objective
    half, off = np.full((4, 1), 0.5), np.zeros((4, 1))
    assert bits.of(half, off, off > 0) == pytest.approx(4 * np.log(2))
    y, d = np.array([[0.75, 0.25]]), np.array([[0.0, 1.0]])
    assert label.of(y, d, d > 0) == pytest.approx(-np.log(0.25))
    np.testing.assert_array_equal(label.delta("softmax", y, d, d > 0), y - d)
    np.testing.assert_array_equal(bits.delta("sigmoid", half, off, off > 0), half - off)
    worst = bits.of(np.ones((1, 1)), np.zeros((1, 1)), np.zeros((1, 1), bool))
    assert 700 < worst < 710  # a saturated wrong output costs 708 nats, not infinity


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: LinearMap(loss="cross_entropy"),
            "loss=cross_entropy needs targets that are probabilities, and those of linear_map are numbers",
        ),
        (
            lambda: Xor(loss="cross_entropy", target_off=-1.0),
            "loss=cross_entropy needs targets from 0 to 1, but target_off=-1.0 and target_on=1.0 were given",
        ),
        (
            lambda: Encoder(loss="cross_entropy", target_off=0.1, target_on=0.9),
            "softmax outputs need targets that sum to 1, but target_off=0.1 and target_on=0.9 were given: 8 "
            "outputs sum to 1.6",
        ),
        (
            lambda: Xor(loss="cross_entropy", margin=0.1),
            "margin=0.1 would be ignored: it belongs to squared_error, but loss=cross_entropy was given",
        ),
    ],
    ids=["numbers", "beyond", "no distribution", "margin"],
)
def test_cross_entropy_of_what_is_no_distribution_is_one_sentence(make: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == said


@pytest.mark.parametrize("rule", [Boltzmann(), MeanField(), RestrictedBoltzmann()], ids=lambda r: r.name)
def test_softmax_inside_a_boltzmann_machine_is_one_sentence(rule: Any) -> None:
    reason = rule.applies_to(Xor(activation="softmax"))
    assert reason == (
        "its units are on or off, each for itself, and those of 'hidden' in the network of xor are softmax"
    )


def test_the_delta_rule_has_no_probabilities_to_take_a_cross_entropy_of() -> None:
    assert DeltaRule().applies_to(Xor()) is None
    assert "linear, no probabilities" in str(DeltaRule().applies_to(Xor(loss="cross_entropy")))


def test_data_that_a_run_cannot_take_are_said_with_their_shapes() -> None:
    class Flat(Xor):
        def data(self, rand: Any, dtype: Any) -> Data:
            return Data(*(a[0] for a in super().data(rand, dtype)[:3]))

    from algorithms.backprop import Backprop
    from harness import run

    with pytest.raises(InputError, match=r"inputs \(4, 2\), targets \(4, 1\) and wanted \(4, 1\) were given"):
        run(Backprop(), Flat(), replicas=2, epochs=1)
