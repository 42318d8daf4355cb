"""What cells are called beside others: the settings in which they differ, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from harness.cells.units import beside, units_of
from harness.cells.words import flat, in_brackets, setting_text, unusual

Settings = dict[str, Any]
APART = ("algorithm", "run", "versions")
"""The parts in which cells of one task may differ, the first ones first."""


class Label(NamedTuple):
    """What a cell is called beside others."""

    task: str
    algorithm: str


def labels(metas: Sequence[Mapping[str, Any]]) -> list[Label]:
    """Names that tell cells apart, from their metadata (`Record.meta`).

    A task carries the settings in which it is not its usual self. Cells of one algorithm on one task carry
    the settings in which they differ; those of the run, and versions of the code, only where that is not
    enough. With other hidden units than those of the task's network they say how many.
    """
    return [
        Label(task, _named(rule, shown, meta))
        for (task, rule, shown), meta in zip(_apart(metas), metas, strict=True)
    ]


def _named(rule: str, shown: Settings, meta: Mapping[str, Any]) -> str:
    said = [setting_text(*each) for each in shown.items()]
    said += [units] if (units := beside(units_of(meta))) else []
    return f"{rule} ({', '.join(said)})" if said else rule


def titles(metas: Sequence[Mapping[str, Any]]) -> list[str]:
    """The same on one line, as a list of cells has it: `xor · backprop · lr=0.3`.

    No two are the same: where settings and versions tell cells apart no more, the ends of their ids do.
    """
    said = [
        " · ".join([task, rule, *(setting_text(*each) for each in shown.items())])
        for task, rule, shown in _apart(metas)
    ]
    for alike in _alike(said):
        if len(alike) > 1:
            for i in alike:
                said[i] += f" · {metas[i]['id'][-6:]}"
    return said


def _apart(metas: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, Settings]]:
    """Of each cell its task, its algorithm, and the settings that tell it apart."""
    tasks, algorithms = _task_labels(metas), [meta["algorithm"]["name"] for meta in metas]
    shown: list[Settings] = [{} for _ in metas]
    for part in APART:
        for alike in _alike([f"{t}: {a} {s}" for t, a, s in zip(tasks, algorithms, shown, strict=True)]):
            settings = {i: flat(metas[i].get(part, {})) for i in alike}
            for name in _differing(settings.values()):
                for i, own in settings.items():
                    if own.get(name):  # what is off, None or 0, goes without saying
                        shown[i][name] = own[name]
    return zip(tasks, algorithms, shown, strict=True)


def _alike(names: Sequence[str]) -> list[list[int]]:
    """The cells that have one name so far, by their numbers: a list for each name."""
    groups: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        groups.setdefault(name, []).append(i)
    return list(groups.values())


def _differing(cells: Iterable[Settings]) -> list[str]:
    """The settings that have more than one value among the cells that have them."""
    values: dict[str, set[str]] = {}
    for settings in cells:
        for name, value in settings.items():
            values.setdefault(name, set()).add(repr(value))
    return [name for name, different in values.items() if len(different) > 1]


def _task_labels(metas: Sequence[Mapping[str, Any]]) -> list[str]:
    texts = [repr(meta["task"]) for meta in metas]
    # few, and slow to compare with the usual
    known = {text: meta["task"] for text, meta in zip(texts, metas, strict=True)}
    named = {text: in_brackets(task["name"], unusual(task)) for text, task in known.items()}
    return [named[text] for text in texts]
