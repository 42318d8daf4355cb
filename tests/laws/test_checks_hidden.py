"""The check kit, held to rules that are right where one looks first: at the start of training, with all
patterns, in what they hand to the optimiser. Each is named by the check that must find it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from algorithms.backprop import Backprop
from harness.checks.kit import CHECKS
from harness.checks.subject import TASKS, Subject
from harness.core.algorithm import Batch, Credit, Network, Params, Rand, State, Update
from harness.core.exact_gradient import backpropagated, exact_gradient
from harness.core.network import Edge
from harness.experiment.run import run
from harness.tasks.xor import Xor
from harness.training.preflight import Broken


class Nudged(Backprop):
    """A tenth of the way to the targets is taken for granted: it seems to solve what it does not."""

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        gradient, output = exact_gradient(net, params, batch)
        return Credit(gradient, output + 0.1 * (batch.target - output))


class NoBias(Backprop):
    """Biases are forgotten."""

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        gradient, output = exact_gradient(net, params, batch)
        return Credit({key: g for key, g in gradient.items() if isinstance(key, Edge)}, output)


class TalksLater(Backprop):
    """From the fiftieth sweep on the replicas hear each other."""

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        gradient, output = exact_gradient(net, params, batch)
        if batch.epoch >= 50:
            gradient = {key: 0.9 * g + 0.1 * g.mean(axis=0, keepdims=True) for key, g in gradient.items()}
        return Credit(gradient, output)


class WrongAlone(Backprop):
    """One pattern at a time is taught to be its opposite."""

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        alone = batch.x.shape[-2] == 1
        return exact_gradient(net, params, batch._replace(target=1 - batch.target) if alone else batch)


class OfItsOwn(Backprop):
    """Its noise comes from a generator that it seeds, the same for all replicas and seeds."""

    promise: ClassVar[str] = ""

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        gradient, output = exact_gradient(net, params, batch)
        noise = np.random.default_rng(int(batch.epoch)).normal()
        return Credit({key: g + 0.01 * noise for key, g in gradient.items()}, output)


class OfThePast(OfItsOwn):
    """The same by NumPy's older kind."""

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        gradient, output = exact_gradient(net, params, batch)
        noise = np.random.RandomState(7).normal()  # the fault itself
        return Credit({key: g + 0.01 * noise for key, g in gradient.items()}, output)


class Stale(Backprop):
    """Blame comes back over the weights of the update before."""

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        return {e.name: params[e] for e in net.edges}

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        return backpropagated(net, params, {e: memory[e.name] for e in net.edges}, batch)

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        new, output = super().update(net, state, batch, rand)
        return Update({**new, "memory": {e.name: state["params"][e] for e in net.edges}}, output)


FOUND: dict[type[Backprop], str] = {
    Nudged: "update_leaves_everything_alone",
    NoBias: "promise_holds",
    TalksLater: "late_alone_as_in_a_batch",
    WrongAlone: "promise_holds_later",
    OfItsOwn: "it_makes_no_generator",
    OfThePast: "it_makes_no_generator",
    Stale: "promise_holds_later",
}


@pytest.mark.parametrize(("rule", "name"), FOUND.items(), ids=lambda each: getattr(each, "__name__", each))
def test_what_is_wrong_elsewhere_is_found(rule: Any, name: str) -> None:
    (check,) = (each for each in CHECKS if each.__name__ == name)
    with pytest.raises(Broken, match=r"\(test_checks_hidden\.py:\d+\)"):
        check(Subject(rule(), TASKS[0]))
    check(Subject(Backprop(), TASKS[0]))


def test_outputs_that_are_no_predictions_are_refused_before_every_cell() -> None:
    """By them, 20 of 20 were recorded as solved of which the weights solve none."""
    with pytest.raises(Broken, match=r"gives outputs that are up to 0\.\d+ off: they must be what predict"):
        run(Nudged(), Xor(), replicas=4, epochs=20)
    result = run(Nudged(), Xor(), replicas=4, epochs=20, unchecked=True)
    assert result.settings.unchecked
