"""What cells are called beside others: the settings in which they differ, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness.cells.words import flat, in_brackets, unusual


class Label(NamedTuple):
    """What a cell is called beside others."""

    task: str
    algorithm: str


def labels(metas: Sequence[Mapping[str, Any]]) -> list[Label]:
    """Names that tell cells apart, from their metadata (`Record.meta`).

    A task carries the settings in which it is not its usual self. Cells of one algorithm on one task carry
    the settings in which they differ; those of the run, and versions of the code, only where that is not
    enough.
    """
    tasks = _task_labels(metas)
    shown: list[dict[str, Any]] = [{} for _ in metas]
    for part in ("algorithm", "run", "versions"):
        alike: dict[str, list[int]] = {}
        for i, meta in enumerate(metas):
            alike.setdefault(f"{tasks[i]}: {meta['algorithm']['name']} {shown[i]}", []).append(i)
        for same in alike.values():
            own = {i: flat(metas[i].get(part, {})) for i in same}
            for name in dict.fromkeys(name for settings in own.values() for name in settings):
                if len({repr(settings[name]) for settings in own.values() if name in settings}) > 1:
                    for i in same:
                        if own[i].get(name):  # what is off, None or 0, goes without saying
                            shown[i][name] = own[i][name]
    return [
        Label(t, in_brackets(meta["algorithm"]["name"], s))
        for t, meta, s in zip(tasks, metas, shown, strict=True)
    ]


def _task_labels(metas: Sequence[Mapping[str, Any]]) -> list[str]:
    texts = [repr(meta["task"]) for meta in metas]
    # few, and slow to compare with the usual
    known = {text: meta["task"] for text, meta in zip(texts, metas, strict=True)}
    named = {text: in_brackets(task["name"], unusual(task)) for text, task in known.items()}
    return [named[text] for text in texts]
