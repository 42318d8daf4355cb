"""Recall held to what it says of its patterns and cues; and which tasks Hopfield's network refuses."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.hopfield import Hopfield
from harness.core import registry
from harness.core.data import Patterns, Spec, Usual
from harness.core.errors import InputError
from harness.core.network import Edge, Group, Network
from harness.core.outcomes import SOLVED
from harness.core.rand import SPLIT, Rand
from harness.experiment.run import run
from harness.tasks.recall import Recall

RULES = ("hebb", "pseudo_inverse", "storkey")
quick = settings(deadline=None, derandomize=True, max_examples=50)


def data_of(task: Recall, replicas: int = 4) -> Any:
    return task.data(Rand(0, range(replicas), SPLIT), np.float64)


@quick
@given(st.integers(2, 40), st.integers(1, 6), st.floats(0, 0.49))
def test_a_cue_is_its_pattern_with_so_many_bits_flipped(units: int, stored: int, flipped: float) -> None:
    try:
        task = Recall(units=units, stored=stored, flipped=flipped)
    except InputError:
        assert flipped > 0
        assert round(flipped * units) == 0
        return
    data = data_of(task)
    assert data.x.shape == (4, stored, units)
    assert (data.target == data.x).all()
    assert (data.validation.target == data.x).all()
    assert ((data.validation.x != data.x).sum(axis=-1) == round(flipped * units)).all()


def test_bits_are_fair_and_every_replica_has_its_own() -> None:
    """n = 40,000 bits and 8,000 flips; the places of flips as even as the bits, 1e-3 each."""
    data = data_of(Recall(units=100, stored=20, flipped=0.2), replicas=20)
    assert abs(data.x.mean() - 0.5) <= 3.3 * 0.5 / sqrt(40_000)
    places = (data.validation.x != data.x).sum(axis=(0, 1))
    assert ((places - 80) ** 2 / (80 * 0.8)).sum() <= 150, "chi-squared with 99 degrees of freedom"
    assert len({row.tobytes() for row in data.x}) == 20


def test_the_patterns_are_those_of_the_first_replica() -> None:
    task = Recall()
    assert (task.patterns().x == data_of(task, 1).x[0]).all()


@pytest.mark.parametrize("rule", RULES)
def test_it_is_solved_after_one_epoch_or_never(rule: str) -> None:
    trained = run(Hopfield(rule=rule), Recall(units=30, stored=5), replicas=40, epochs=4).trained
    assert set(trained.epochs[trained.outcome == SOLVED]) == {1}
    assert set(trained.epochs[trained.outcome != SOLVED]) <= {4}


def test_nothing_is_recalled_before_anything_is_stored() -> None:
    """Not even a pattern that is given whole: the weights are what all rules begin with."""
    trained = run(Hopfield(), Recall(flipped=0, stored=2), replicas=20, epochs=2).trained
    assert set(trained.epochs) == {1}


# What Hopfield's network cannot do


@pytest.mark.parametrize("name", [name for name in registry.tasks() if name not in ("recall", "mnist")])
def test_every_other_task_of_ours_is_refused_in_a_sentence(name: str) -> None:
    task = registry.tasks()[name]()
    said = str(Hopfield().applies_to(task))
    net = task.network()
    what = "hidden unit" if net.hidden else "shares weights" if net.timed else "numbers"
    assert what in said
    assert "\n" not in said


@dataclass(frozen=True)
class Opposites(Recall):
    """Outputs are the inputs turned over."""

    biased: bool = False
    turned: bool = True
    usual: ClassVar[Usual] = Recall.usual

    def network(self) -> Network:
        source = Group("input", self.units, "linear", bias=False)
        target = Group("output", self.units, bias=self.biased)
        return Network((source, target), (Edge(source, target),))

    def spec(self) -> Spec:
        return Spec(patterns=self.stored, kind="bits")

    def patterns(self) -> Patterns:
        x, wanted, names, _ = super().patterns()
        return Patterns(x, ~wanted if self.turned else wanted, names)


@pytest.mark.parametrize(
    ("task", "what"),
    [
        (Opposites(), "the outputs of opposites are others"),
        (Opposites(biased=True, turned=False), "or has biases"),
        (Recall(target_off=0.3, target_on=0.9, criterion="margin", bound=0.2), "never meet the criterion"),
    ],
)
def test_what_is_no_recall_is_refused(task: Recall, what: str) -> None:
    assert what in str(Hopfield().applies_to(task))


def test_what_it_refuses_is_what_it_says() -> None:
    assert Hopfield().applies_to(Opposites(turned=False)) is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"units": 1}, "units must be a whole number, at least 2 and below 1025, but 1 was given"),
        ({"stored": 0}, "stored must be a whole number, at least 1 and below 1025, but 0 was given"),
        ({"flipped": 0.5}, "flipped must be at least 0 and below 0.5, but 0.5 was given"),
        (
            {"flipped": 0.004},
            "flipped must be 0 or at least half a bit in 50 units, 0.01, but 0.004 was given",
        ),
    ],
)
def test_bad_settings_are_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Recall(**given)
    assert str(caught.value) == sentence
