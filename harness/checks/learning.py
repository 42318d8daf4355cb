"""Checks of whole runs: that it learns at all, and that networks which run off to infinity are data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from harness.cells.settings import Settings, resolve
from harness.checks.subject import Subject, with_rate
from harness.checks.verdicts import Idle
from harness.core import registry
from harness.core.outcomes import DIVERGED
from harness.core.tree import tree_map
from harness.credit.altered import Count
from harness.experiment.run import run
from harness.training.plan import Plan
from harness.training.preflight import Broken, place
from harness.training.trainer import Trainer

Array = Any
MANY, MOST = 24, 16  # credit that knows nothing comes so far in 8 % of all checks; in 14 % if it were 6 of 8


def _trained(s: Subject, epochs: int, spoil: Callable[[Any], Any] | None = None) -> Any:
    parts = resolve(s.algorithm, s.task, Settings(replicas=4, epochs=epochs))
    with np.errstate(all="ignore"):
        trainer = Trainer(parts[0], parts[1], Plan.of(parts[2]), range(4))
        if spoil is not None:
            trainer.state = {**trainer.state, "params": tree_map(spoil, trainer.state["params"])}
        return trainer.run(None)


def _spoilt(value: float, a: Array) -> Array:
    a = a.copy()
    a[0] = value
    return a


def _diverges(s: Subject, value: float) -> None:
    plain, spoilt = _trained(s, 40), _trained(s, 40, partial(_spoilt, value))
    if spoilt.outcome[0] != DIVERGED:
        raise Broken(
            f"a network whose weights are {value} ends as {spoilt.outcome[0]!r}, "
            f"but {DIVERGED!r} was expected ({place(s.rule)})"
        )
    others = slice(1, 4)
    if plain.loss[others].tobytes() != spoilt.loss[others].tobytes():
        raise Broken(f"one network at {value} changes what others learn ({place(s.rule)})")


def nan_is_an_outcome(s: Subject) -> None:
    """Is a network of NaN recorded as diverged, and are the others left alone?"""
    _diverges(s, float("nan"))


def infinity_is_an_outcome(s: Subject) -> None:
    """Is a network of infinite weights recorded as diverged, and are the others left alone?"""
    _diverges(s, float("inf"))


def a_huge_rate_is_an_outcome(s: Subject) -> None:
    """Does a rate a million times too large end in an outcome, and raise nothing?"""
    path = registry.rate_path(s.rule)
    if not path:
        raise Idle("it has no rate")
    run(with_rate(s.rule, path, 1e6), s.task, replicas=2, epochs=30, unchecked=True, progress=False)


def _means_the_loss(s: Subject) -> None:
    """Raise `Idle` for a rule of which one cannot say what it lowers at its first rate."""
    if s.rule.objective:
        raise Idle(f"it descends {s.rule.objective}, not the loss")
    if not s.rule.promise and not (s.rule.traits.needs_derivative and s.is_credit):
        raise Idle("it promises nothing about the gradient of the loss, and hands out no credit by slopes")


def it_goes_down(s: Subject) -> None:
    """Is the loss lower after two hundred epochs than at the start, in most of eight networks?"""
    _means_the_loss(s)
    # without a margin, at whose edge the loss jumps: who finds slopes by noise would be thrown far by it
    task = replace(s.task, criterion="error", bound=1e-6, margin=None, share=1.0)
    trained = run(s.algorithm, task, replicas=8, epochs=200, unchecked=True, progress=False).trained
    start, end = trained.loss_curve[:, 0], trained.loss
    down = int(np.count_nonzero(end < start))
    if down < 6:
        raise Broken(
            f"the loss of {down} of 8 networks is lower after 200 epochs on {s.task.name} than at the start, "
            f"but 6 or more were expected ({place(s.rule)})"
        )


def hidden_weights_learn(s: Subject) -> None:
    """With hidden units in plenty, does it come lower than if only the output's weights learnt?"""
    _means_the_loss(s)
    step = s.begin()
    credit = s.credit(step)
    if all(key not in credit for key in step.at.net.edges if key.target != step.at.net.output):
        raise Idle("it gives hidden weights no credit")
    task = Count(hidden=(8,), criterion="error", bound=1e-6)
    if s.algorithm.refusal(task):
        raise Idle(str(s.algorithm.refusal(task)))
    ends = [
        run(rule, task, replicas=MANY, epochs=300, unchecked=True, progress=False).trained.loss
        for rule in (s.algorithm, registry.an_algorithm("shallow"))
    ]
    lower = int(np.count_nonzero(ends[0] < ends[1]))
    if lower < MOST:
        raise Broken(
            f"with eight hidden units {lower} of {MANY} networks come lower in 300 epochs than where only "
            f"the output's weights learn, but {MOST} or more were expected ({place(s.rule, 'credit')})"
        )


CHECKS: tuple[Callable[[Subject], None], ...] = (
    nan_is_an_outcome,
    infinity_is_an_outcome,
    a_huge_rate_is_an_outcome,
    it_goes_down,
    hidden_weights_learn,
)
