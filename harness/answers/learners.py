"""The cells of a study as networks: who learnt the task, and who is there to compare with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.answers.shares import share
from harness.answers.words import several
from harness.cells.labels import labels
from harness.core.outcomes import fates
from harness.results import trained_networks as networks
from harness.results.trained_networks import Networks

if TYPE_CHECKING:
    from harness.store.record import Record

Array = Any
CONTROL = "shallow"
SHORT = {
    "family_tree (target_off=0, target_on=1, margin=0.2)": ", adapted recipe",
    "symmetry (criterion=margin, bound=0.2)": ", to within .2",
}
"""What to call a task in an unusual form:
that of experiment=nature1986/family_tree_adapted, and one trained on.
"""


class Learners(NamedTuple):
    """A cell's networks."""

    name: str
    """The algorithm, and in what its task is unusual."""
    networks: Networks
    """Of all replicas."""
    solved: Array
    """Which of them solved the task (R,)."""
    control: bool = False

    @property
    def looked_at(self) -> Networks:
        """The networks that solved the task; of the control, all."""
        return self.networks if self.control else self.networks.chosen(self.solved)


def learners(records: Sequence[Record], task: str) -> list[Learners]:
    """The finished cells on a task, in their order."""
    some = [record for record in records if record.meta["task"]["name"] == task]
    there = []
    for record, label in zip(some, labels([record.meta for record in some]), strict=True):
        name = label.algorithm + SHORT.get(label.task, label.task.removeprefix(task))
        control = record.meta["algorithm"]["name"] == CONTROL
        there.append(Learners(name, networks.of(record), fates(record.replicas).solved, control))
    return there


def learnt(cells: Iterable[Learners]) -> list[Learners]:
    """Those of which a replica solved the task."""
    return [t for t in cells if t.solved.any()]


def nobody(cells: Iterable[Learners]) -> list[str]:
    """Who never solved the task, in a sentence; nothing where there is nobody."""
    never = [f"{t.name} ({share(0, len(t.solved))})" for t in cells if not t.solved.any() and not t.control]
    return [f"Not one replica solved it, and there is nothing to look at: {several(never)}."] if never else []


def picture(records: Sequence[Record], task: str) -> Record | None:
    """The first cell on a task of which a replica solved it."""
    for record in records:
        if record.meta["task"]["name"] == task and fates(record.replicas).solved.any():
            return record
    return None
