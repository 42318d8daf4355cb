"""Titles that say what came of it: a short sentence, computed from what a figure draws.

What is said of the cheapest, or the lowest, is said of estimates; their intervals stand in the figure. With a
few tasks each is named, with many they are counted, and a task that nothing solves is never passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.core.outcomes import fates
from harness.drawing import crowd
from harness.drawing.cell import Drawn
from harness.experiment.digits import brief, number, percent, several, significant
from harness.plots.families import BESIDE
from harness.statistics import expected_running_time

NAMED = 3  # tasks that a title names one by one
ALIKE = 3  # names that share a place
Costs = Mapping[str, Mapping[str, float]]
"""By task and name; ∞ is never."""


class Best(NamedTuple):
    """Of a task."""

    names: Sequence[str]
    """One, or several that share the place."""
    text: str
    """How good that is; empty to say nothing."""


def solved_by(cells: Sequence[Drawn]) -> str:
    """How many rules solve each task in every replica, cells of one name together; a crowd's settings."""
    tasks = _named(cells)
    solved = {
        task: {name: np.concatenate([fates(d.rows).solved for d in some]) for name, some in own.items()}
        for task, own in tasks.items()
    }
    shares = {task: {name: float(x.mean()) for name, x in own.items()} for task, own in solved.items()}
    what = "rule" if _once(tasks) else "setting"
    if len(tasks) == 1:
        ((task, own),) = solved.items()
        if len(own) == 1:
            ((name, one),) = own.items()
            return f"{name} solves {task} in {number(one.sum())} of {many(len(one), 'replica')}"
        return f"{task}: {_one_task(tasks[task], shares[task], what)}"
    if len(tasks) <= NAMED:
        parts = [
            f"{task} by {_of(sum(x == 1 for x in own.values()), len(own), '' if i else what)}"
            for i, (task, own) in enumerate(shares.items())
        ]
        return f"Solved in every replica: {several(parts)}"
    every = [x for own in shares.values() for x in own.values()]
    always, never = (sum(x == end for x in every) for end in (1, 0))
    return (
        f"Of {number(len(every))} pairs of a {what} and a task {number(always)} "
        f"{'is' if always == 1 else 'are'} solved in every replica, {number(never)} in none"
    )


def _one_task(cells: Mapping[str, Sequence[Drawn]], share: Mapping[str, float], what: str) -> str:
    most = max(share.values())
    if most == 0:
        return f"none of {many(len(share), what)} solves it in any replica"
    if most < 1:
        first = [name for name, x in share.items() if x == most]
        return f"no {what} solves it in every replica; most often {alike(first)}, in {percent(most)}"
    best = _cheapest({name: _expected(some) for name, some in cells.items()}, "epochs", None)
    assert best is not None
    count = sum(x == 1 for x in share.values())
    return (
        f"{_of(count, len(share), what)} solve{'s' * (count == 1)} it in every replica; "
        f"cheapest {alike(best.names)}, {best.text}"
    )


def _expected(some: Sequence[Drawn]) -> float:
    """Of all replicas of some cells."""
    spent = np.concatenate([d.column("epochs") for d in some])
    return expected_running_time(spent, np.concatenate([fates(d.rows).solved for d in some]))


def cheapest(costs: Costs, unit: str, ratios: Costs | None = None) -> str:
    """Whose success costs the least on each task, beside backprop's where that solves it.

    Args:
        costs: what a success costs.
        unit: of costs, as epochs.
        ratios: costs ÷ backprop's, where they are known better than from `costs`.
    """
    best = {task: _cheapest(own, unit, ratios.get(task) if ratios else None) for task, own in costs.items()}
    names = {name for own in costs.values() for name in own}
    if len(names) == 1:
        return _of_one(names.pop(), costs, unit)
    also = BESIDE if BESIDE in names else ""
    return over_tasks(f"In {unit} a success costs the least", "by", best, "no rule solves", also)


def _of_one(name: str, costs: Costs, unit: str) -> str:
    value = {task: own[name] for task, own in costs.items()}
    solved = {task: x for task, x in value.items() if np.isfinite(x)}
    if not solved:
        return f"No replica of {name} solves {_counted(list(value))}"
    if len(solved) <= NAMED:
        said = several([f"{task} for {brief(x)} {unit} a success" for task, x in solved.items()])
    else:
        low, high = min(solved.values()), max(solved.values())
        said = f"{len(solved)} tasks, for {brief(low)} to {brief(high)} {unit} a success"
    lost = [task for task in value if task not in solved]
    return f"{name} solves {said}" + (f", but not {_counted(lost)}" if lost else "")


def _cheapest(cost: Mapping[str, float], unit: str, ratio: Mapping[str, float] | None) -> Best | None:
    least = min(cost.values())
    if not np.isfinite(least):
        return None
    names = [name for name, x in cost.items() if x == least]
    beside = cost.get(BESIDE, np.inf)
    if BESIDE in names or not np.isfinite(beside) or beside <= 0:
        return Best(names, f"{brief(least)} {unit}")
    times = (ratio or {}).get(names[0], least / beside)
    if not np.isfinite(times):
        times = least / beside
    return Best(names, f"×{significant(times)} of {BESIDE}'s")


def over_tasks(lead: str, by: str, best: Mapping[str, Best | None], nobody: str, also: str = "") -> str:
    """One sentence on the best of every task.

    Args:
        lead: what the best is best in.
        by: what stands before its name.
        best: by task; None where there is none.
        nobody: what stands before tasks that have none.
        also: a name that is counted, too, where tasks are; empty for none.
    """
    found = {task: one for task, one in best.items() if one}
    lost = [task for task in best if task not in found]
    missing = f"{nobody} {_counted(lost)}"
    if not found:
        return missing[0].upper() + missing[1:]
    if len(best) == 1:
        ((task, one),) = found.items()
        said = f"{task}: {lead[0].lower()}{lead[1:]} {by} {alike(one.names)}{_bracketed(one)}"
    elif len(best) <= NAMED:
        parts = [f"{by} {alike(one.names)}{_on(task, one)}{_bracketed(one)}" for task, one in found.items()]
        said = f"{lead} {several(parts)}"
    else:
        wins = Counter(name for one in found.values() for name in one.names)
        most = max(wins.values())
        first = [name for name, count in wins.items() if count == most]
        each = " each" if len(first) > 1 else ""
        said = f"{lead} {by} {alike(first)} on {most} of {len(best)} tasks{each}"
        if also and also not in first:
            said += f", {by} {also} on {wins[also] or 'none'}"
    return said + (f"; {missing}" if lost else "")


def _bracketed(one: Best) -> str:
    return f" ({one.text})" if one.text else ""


def _on(task: str, one: Best) -> str:
    """Of a crowd names say it themselves."""
    return "" if all(f" on {task}" in name for name in one.names) else f" on {task}"


def costs_of(cells: Sequence[Drawn], cost: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """What a success costs, by task and name, of `cost` by the id of a cell: of several cells of one name the
    least, and of a crowd all in one task.
    """
    return {
        task: {name: min(cost[d.id] for d in some) for name, some in own.items()}
        for task, own in _named(cells).items()
    }


def _named(cells: Sequence[Drawn]) -> dict[str, dict[str, list[Drawn]]]:
    """The cells by task and name; a crowd is one task, and its cells are named with their variant of it."""
    calm, crowds = crowd.apart(cells)
    named: dict[str, dict[str, list[Drawn]]] = {}
    for d in calm:
        named.setdefault(d.task, {}).setdefault(d.algorithm, []).append(d)
    for task, some in crowds.items():
        variants = len({d.task for d in some}) > 1
        for d in some:
            name = d.algorithm + (f" on {d.task}" if variants else "")
            named.setdefault(task, {}).setdefault(name, []).append(d)
    return named


def _once(tasks: Mapping[str, Mapping[str, Sequence[Drawn]]]) -> bool:
    """Whether no rule has two names on a task, so that names are rules."""
    rules = [[some[0].algorithm_name or name for name, some in own.items()] for own in tasks.values()]
    return all(len(set(names)) == len(names) for names in rules)


def _of(count: int, among: int, what: str) -> str:
    among_them = many(among, what) if what else number(among)
    return f"{number(count) if count else 'none'} of {among_them}"


def many(n: int, what: str) -> str:
    """So many of something: 1 task, 1,200 tasks."""
    return f"{number(n)} {what}{'s' * (n != 1)}"


def alike(names: Sequence[str]) -> str:
    """Names that share a place, or how many they are."""
    return several(names) if len(names) <= ALIKE else f"{len(names)} alike"


def _counted(tasks: Sequence[str]) -> str:
    return several(tasks).replace(" and ", " or ") if len(tasks) <= NAMED else f"any of {len(tasks)} tasks"
