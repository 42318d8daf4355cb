"""Which floor of the add task each rule reaches: a ladder of two rungs, each the middle of two floors.

The floors are exact (`harness.tasks.add_task.floors`): of nothing learnt, of the bit `t1` steps back, of both
bits. A loss on new sequences below the middle of two of them is more than the upper one allows. A cell has
one rung as its criterion, so that each has a share of networks and a cost of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.answers.ablations import ert
from harness.answers.shares import beside, share
from harness.answers.time import CONTROLS, rule_of
from harness.answers.words import amount, listed
from harness.statistics import Interval
from harness.tasks.add_task import floors

if TYPE_CHECKING:
    import pandas as pd

TASK = "add_task"
NEAR = 1e-3  # nats: a bound this close to the middle is that rung
HALF = 0.5


class Rung(NamedTuple):
    """The networks of a rule that came below the middle of two floors."""

    solved: int
    n: int
    ert: Interval
    """Epochs of a success."""


class Climb(NamedTuple):
    """A rule with one kind of unit: both rungs, or those of them that were run."""

    units: str
    rule: str
    first: Rung | None
    """Below the middle of nothing learnt and one bit."""
    both: Rung | None
    """Below the middle of one bit and both."""


def middles() -> tuple[float, float]:
    """The bounds of the rungs, in nats a step.

    >>> [round(bound, 4) for bound in middles()]
    [0.5904, 0.4869]
    """
    nothing, first, both = floors()
    return (nothing + first) / 2, (first + both) / 2


def climbs(cells: pd.DataFrame, replicas: pd.DataFrame) -> list[Climb]:
    """The finished cells of the add task by kind of unit and rule, in their order."""
    found: dict[tuple[str, str], dict[int, Rung]] = {}
    some = cells[(cells["replicas"] > 0) & (cells["task_name"] == TASK)]
    for cell in some.to_dict("records"):
        apart = np.abs(np.array(middles()) - float(cell["task.bound"]))
        if apart.min() < NEAR:
            rung = Rung(int(cell["solved"]), int(cell["replicas"]), ert(replicas, str(cell["id"])))
            found.setdefault((str(cell["task.units"]), rule_of(cell)), {})[int(apart.argmin())] = rung
    return [Climb(*name, rungs.get(0), rungs.get(1)) for name, rungs in found.items()]


def floor_of(climb: Climb) -> str:
    """The lowest floor that more than half of the networks are at, or that this is not decided."""
    name, side = _highest(climb)
    return "not decided" if side == "undecided" else name


def _highest(climb: Climb) -> tuple[str, str]:
    """The lowest floor that not fewer than half of the networks are at, and their side of half."""
    for name, rung in (("both bits", climb.both), ("one bit", climb.first)):
        side = beside(rung.solved, rung.n, HALF) if rung else "fewer"
        if side != "fewer":
            return name, side
    return "nothing", "more"


def said(some: Sequence[Climb]) -> list[str]:
    """For each kind of unit, who reaches which floor."""
    sentences = []
    for units in dict.fromkeys(c.units for c in some):
        own = [c for c in some if c.units == units]
        parts = []
        for floor in ("both bits", "one bit", "nothing", "not decided"):
            names = [f"{_named(c)} ({_told(c, floor)})" for c in own if floor_of(c) == floor]
            parts += [f"{floor}: {', '.join(names)}"] if names else []
        sentences.append(listed(f"**{units}**, what more than half of the networks learn", parts))
    return sentences or ["The add task was not run."]


def _named(c: Climb) -> str:
    return f"{c.rule}, control" if c.rule in CONTROLS else c.rule


def _told(c: Climb, floor: str) -> str:
    name, _ = _highest(c)
    rung = c.both if name == "both bits" else c.first or c.both
    said = share(rung.solved, rung.n) if rung else "–"
    return f"{name} {said}" if floor == "not decided" else said


def texts(some: Sequence[Climb]) -> pd.DataFrame:
    """The table for people: the share of networks at each rung, and epochs of a success."""
    import pandas as pd

    names = ["at the floor of one bit, or below", "at that of both"]
    return pd.DataFrame(
        {"rule": c.rule, "units": c.units}
        | {name: _rung(rung) for name, rung in zip(names, (c.first, c.both), strict=True)}
        | {"learnt by most": floor_of(c)}
        for c in some
    )


def _rung(rung: Rung | None) -> str:
    return f"{share(rung.solved, rung.n)}, {amount(rung.ert)} epochs" if rung else "–"
