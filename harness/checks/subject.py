"""An algorithm under test: its start on a small task, and updates from there, as often as is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from harness.cells.settings import Settings, resolve
from harness.cells.start import Ground, ground
from harness.checks.verdicts import Idle
from harness.core.algorithm import Algorithm, CreditAlgorithm
from harness.core.errors import InputError
from harness.core.task import Task
from harness.core.tree import leaves, tree_map
from harness.credit.altered import Count
from harness.tasks.flip_flop import FlipFlop
from harness.tasks.recall import Recall
from harness.tasks.symmetry import Symmetry
from harness.training.preflight import begun, updated

Array = Any
REPLICAS = (0, 1, 2, 3)
LATE = 1000  # sweeps
IN_TIME = FlipFlop(hidden=3, channels=2, length=4, pulses=0.5, sequences=8, margin=0.45)
TASKS = (
    Count(margin=0.45),
    Count(hidden=(4,), margin=0.45),
    Count(hidden=(4,)),
    Recall(units=8, stored=3, flipped=0.25),
    Symmetry(bits=4, hidden=3),
    IN_TIME,
    replace(IN_TIME, units="leaky"),
)
"""Several outputs, a margin, and two hidden groups, as far as the algorithm goes along; patterns that are
their own targets where it can do without hidden units only, symmetry where it needs what is made by hand, and
sequences, by units that leak in the end, where it needs time.
The margin is so wide that some outputs of untrained networks are within it: one that bites nowhere is
forgotten unnoticed."""


class Step(NamedTuple):
    """Where some replicas stand."""

    at: Ground
    state: Any


@dataclass(frozen=True)
class Subject:
    """An algorithm and the task it is checked on."""

    algorithm: Algorithm
    task: Task

    @classmethod
    def of(cls, algorithm: Algorithm, task: Task | None = None) -> Subject:
        """With the first of `TASKS` that the algorithm can do, unless one is given; raises `InputError`."""
        for each in (task,) if task else TASKS:
            reason = algorithm.refusal(each)
            if not reason:
                return cls(algorithm, each)
        raise InputError(f"{algorithm.name} can be checked on none of our tasks ({reason}): give one")

    @cached_property
    def rule(self) -> Algorithm:
        """The algorithm with all settings resolved."""
        return self.resolved(self.algorithm, self.task)[0]

    @property
    def where(self) -> Task:
        """The task with all settings resolved."""
        return self.resolved(self.algorithm, self.task)[1]

    @staticmethod
    def resolved(algorithm: Algorithm, task: Task) -> tuple[Algorithm, Task]:
        """Both with nothing left to what is usual; raises `Idle` where the algorithm cannot do the task."""
        if reason := algorithm.refusal(task):
            raise Idle(reason)
        return resolve(algorithm, task, Settings(replicas=len(REPLICAS)))[:2]

    @property
    def is_credit(self) -> bool:
        """Whether it says what credit weights get."""
        return isinstance(self.algorithm, CreditAlgorithm)

    def begin(
        self, replicas: Sequence[int] = REPLICAS, dtype: str = "float64", rule: Algorithm | None = None
    ) -> Step:
        """The start of some replicas."""
        at = ground(self.where, Settings(dtype=dtype), replicas)
        return Step(at, begun(rule or self.rule, at, len(replicas)))

    def late(self, step: Step) -> Step:
        """The same, as if after so many sweeps: what begins to differ only then is seen."""
        batch = step.at.batch
        return step._replace(at=step.at._replace(batch=batch._replace(epoch=batch.epoch + LATE)))

    def updates(self, step: Step, count: int = 3, rule: Algorithm | None = None) -> Step:
        """Where they stand so many updates later; whatever is handed to the rule is frozen."""
        state = step.state
        for _ in range(count):
            state = updated(rule or self.rule, step.at, state)
        return step._replace(state=state)

    def credit(self, step: Step) -> dict[Any, Array]:
        """The credit of every weight that learns; raises `Idle` for a rule that says none."""
        rule, state = self.rule, step.state
        if not isinstance(rule, CreditAlgorithm):
            raise Idle("it is not a credit algorithm: its updates say no credit")
        return dict(
            rule.credit(step.at.net, state["params"], state["memory"], step.at.batch, step.at.noise)[0]
        )

    def without_noise(self, step: Step) -> None:
        """Raise `Idle` for a rule that draws random numbers in an update."""
        before = step.at.noise.taken
        self.updates(step, 1)
        if step.at.noise.taken > before:
            raise Idle("it draws random numbers, which other patterns or units would share out differently")


def rows(state: Any, index: Any) -> Any:
    """Some replicas of a state."""
    return tree_map(lambda a: a[index], state)


def unequal(a: Any, b: Any) -> str:
    """The name of the first array in which two states have other bits; '' if in none."""
    for (name, one), (_, other) in zip(leaves(a), leaves(b), strict=True):
        if np.asarray(one).tobytes() != np.asarray(other).tobytes():
            return name
    return ""


def with_rate(rule: Algorithm, path: tuple[str, ...], rate: float) -> Algorithm:
    """A copy with another rate, unchecked: zero is no setting, but a question."""
    *outer, name = path
    owner: Any = getattr(rule, outer[0]) if outer else rule
    copy = replace(owner)
    object.__setattr__(copy, name, rate)
    if not outer:
        return copy
    whole = replace(rule)
    object.__setattr__(whole, outer[0], copy)
    return whole
