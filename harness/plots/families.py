"""Families of rules, by where their credit comes from, and how a figure of tasks and families is arranged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from harness.drawing import crowd
from harness.drawing.cell import Drawn
from harness.drawing.facets import ACROSS, Block, Fill, Row
from harness.drawing.frames import GREY_ARE, TOGETHER, Draw, by_task, parts_of
from harness.drawing.style import (
    BLACK,
    BLUE,
    BROWN,
    COLOURS,
    GREEN,
    INDIGO,
    ORANGE,
    PURPLE,
    REFERENCE,
    SKY,
    SLATE,
    VERMILION,
)

FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "exact gradient": (
        BLACK,
        ("backprop", "checkpointed_backprop", "accumulated_backprop", "finite_differences"),
    ),
    "other ways back": (
        BLUE,
        (
            "feedback_alignment",
            "direct_feedback_alignment",
            "direct_random_target_projection",
            "sign_symmetry",
            "kolen_pollack",
            "weight_mirror",
        ),
    ),
    "targets and predictions": (SKY, ("target_propagation", "predictive_coding")),
    "forward only": (BROWN, ("pepita", "local_losses", "mono_forward", "signal_propagation", "noprop")),
    "credit through time": (INDIGO, ("bptt", "rtrl", "snap", "eprop", "rflo", "uoro")),
    "perturbation": (
        VERMILION,
        (
            "weight_perturbation",
            "sequential_weight_perturbation",
            "node_perturbation",
            "forward_gradient",
            "spsa",
            "reinforce",
        ),
    ),
    "evolution": (ORANGE, ("genetic", "evolution_strategies", "eggroll")),
    "contrast of two phases": (
        GREEN,
        (
            "boltzmann",
            "mean_field",
            "restricted_boltzmann",
            "forward_forward",
            "equilibrium_propagation",
            "contrastive_hebbian",
            "generec",
        ),
    ),
    "no credit for hidden units": (
        PURPLE,
        ("shallow", "perceptron", "delta_rule", "random_feature_perceptron", "hopfield"),
    ),
    "controls": (SLATE, ("decision_tree", "hand_made", "rule_base")),
}
OTHERS = ("others", SKY)
BESIDE = "backprop"
"""The rule that all others are compared with."""
SIZE = TOGETHER - 1  # lines of a panel beside the reference: one in every colour but black


def family_of(rule: str) -> tuple[str, str]:
    """The family of a rule and its colour; *others* where nobody said."""
    name = rule.partition(" ")[0]
    return next(((family, colour) for family, (colour, rules) in FAMILIES.items() if name in rules), OTHERS)


def reference(cells: Sequence[Drawn]) -> Drawn | None:
    """Of the cells of a task backprop's, the plain one if it is there, or else the first; None without."""
    own = [d for d in cells if (d.algorithm_name or d.algorithm) == BESIDE]
    return next((d for d in own if d.algorithm == BESIDE), own[0] if own else None)


def key_of(cells: Sequence[Drawn]) -> list[Any]:
    """What a legend says of the reference, where it is drawn as one."""
    from matplotlib.lines import Line2D

    there = any(reference(some) for some in by_task(crowd.apart(cells)[0]).values())
    return [Line2D([], [], color=BLACK, label=BESIDE)] * there


def arranged(
    cells: Sequence[Drawn], draw_of: Callable[[Sequence[Drawn]], Draw], cost: Mapping[str, float]
) -> tuple[list[Block], str]:
    """Blocks of panels, and a word on what is grey: a column a task, a row a family, backprop in all panels
    of its task, as the `REFERENCE` looks. Tasks that have no more lines than can be told apart come after
    them, in one row. A crowd has panels of its own, as `harness.drawing.crowd` tells.

    Args:
        cells: what is drawn.
        draw_of: given the cells of a task, what fills its panels.
        cost: what a success costs each cell, by id.
    """
    calm, crowds = crowd.apart(cells)
    tasks = by_task(calm)
    first = {task: reference(some) for task, some in tasks.items()}
    many = [task for task, some in tasks.items() if len(_without(some, first[task])) > SIZE]
    few = [task for task in tasks if task not in many]
    made = [(own, _families(own, first)) for own in _three(tasks, many)]
    made += [(own, _whole(own, first)) for own in _three(tasks, few)]
    looks = _looks([panel for _, rows in made for _, panels in rows for panel in panels.values()])
    blocks = []
    for own, rows in made:
        draw = {task: draw_of(some) for task, some in own.items()}
        filled = [
            Row(name, [_fill(draw[task], panels.get(task), looks) for task in own]) for name, panels in rows
        ]
        blocks.append(Block(list(own), filled))
    for task, some in crowds.items():
        blocks += _of_crowd(crowd.title(task, some, cost), some, crowd.named(some, cost), draw_of(some))
    grey = any(panel.others for _, rows in made for _, panels in rows for panel in panels.values())
    return blocks, (GREY_ARE if grey else "") + (crowd.RULE if crowds else "")


Tasks = dict[str, list[Drawn]]


class _Panel(NamedTuple):
    """What stands in a panel."""

    first: Drawn | None
    """The reference."""
    shown: list[Drawn]
    """With a name and a colour of their own."""
    others: list[Drawn]
    """In grey."""


def _fill(draw: Draw, panel: _Panel | None, looks: Mapping[str, int]) -> Fill | None:
    if panel is None:
        return None
    shown = [d._replace(place=looks[d.algorithm]) for d in panel.shown]
    shown += [panel.first._replace(place=REFERENCE)] if panel.first else []  # on top of all others
    return partial(draw, shown=shown, others=panel.others)


def _three(tasks: Tasks, names: Sequence[str]) -> list[Tasks]:
    return [{name: tasks[name] for name in names[i : i + ACROSS]} for i in range(0, len(names), ACROSS)]


def _whole(tasks: Tasks, first: Mapping[str, Drawn | None]) -> list[tuple[str, dict[str, _Panel]]]:
    """One row, with all lines of each task."""
    return [
        ("", {task: _Panel(first[task], _without(some, first[task]), []) for task, some in tasks.items()})
    ]


def _families(tasks: Tasks, first: Mapping[str, Drawn | None]) -> list[tuple[str, dict[str, _Panel]]]:
    """A row for each family that has a rule on one of the tasks, or several where it has too many."""
    rows = []
    for family in (*FAMILIES, OTHERS[0]):
        own = {
            task: [
                d
                for d in _without(some, first[task])
                if family_of(d.algorithm_name or d.algorithm)[0] == family
            ]
            for task, some in tasks.items()
        }
        names = list(dict.fromkeys(d.algorithm for some in own.values() for d in some))
        parts = parts_of(len(names), SIZE)
        count = len(set(parts.values()))
        for part in range(count):
            inside = {name for i, name in enumerate(names) if parts[i] == part}
            panels = {}
            for task, some in own.items():
                shown = [d for d in some if d.algorithm in inside]
                if shown:
                    panels[task] = _Panel(first[task], shown, [d for d in some if d.algorithm not in inside])
            rows.append((family + (f", part {part + 1} of {count}" if count > 1 else ""), panels))
    return rows


def _without(some: Sequence[Drawn], first: Drawn | None) -> list[Drawn]:
    return [d for d in some if d is not first]


def _looks(panels: Sequence[_Panel]) -> dict[str, int]:
    """The place in the order of looks of every algorithm: the same in all panels, in a colour that no other
    line of a panel has, and that is not the reference's.
    """
    beside: dict[str, set[str]] = {}
    for panel in panels:
        for d in panel.shown:
            beside.setdefault(d.algorithm, set()).update(other.algorithm for other in panel.shown)
    black, place = len(COLOURS) - 1, dict[str, int]()
    for name, near in beside.items():
        taken = {place[other] for other in near if other in place}
        colours = {i % len(COLOURS) for i in taken}
        free = [
            i for i in range(len(COLOURS) * (len(taken) + 2)) if i % len(COLOURS) != black and i not in taken
        ]
        place[name] = next((i for i in free if i % len(COLOURS) not in colours), free[0])
    return place


def _of_crowd(title: str, some: Sequence[Drawn], chosen: Sequence[Drawn], draw: Draw) -> list[Block]:
    """One panel of a crowd, or one for each part of those that are named; among other rules backprop is black
    here, too.
    """
    beside = reference(chosen) if len({d.algorithm_name for d in chosen}) > 1 else None
    dressed = [d._replace(place=REFERENCE if d is beside else i + i // SIZE) for i, d in enumerate(chosen)]
    parts = parts_of(len(chosen), SIZE)
    count = max(parts.values()) + 1
    columns, fills = [], []
    for part in range(count):
        shown = [d for i, d in enumerate(dressed) if parts[i] == part]
        names = {d.id for d in shown}
        columns.append(title + (f", part {part + 1} of {count}" if count > 1 else ""))
        fills.append(partial(draw, shown=shown, others=[d for d in some if d.id not in names]))
    return [Block(columns[i : i + ACROSS], [Row("", fills[i : i + ACROSS])]) for i in range(0, count, ACROSS)]
