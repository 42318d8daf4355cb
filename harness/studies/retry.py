"""Running the failed cells of a study again: what is noted of a failure holds the cell's settings.

A rule that was mended is another version of itself, and its cell another cell: that takes the old one's place
in the study. What failed before it was begun (tuned settings that nobody has found yet, for one) is composed
anew by the study's own command, and left alone here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness.cells.cell import Cell
from harness.core import registry
from harness.core.errors import InputError, unknown
from harness.store.store import Store


class Again(NamedTuple):
    """What is to be run again."""

    cells: dict[str, Cell]
    """By the id under which each failed, as it is now."""
    left: dict[str, str]
    """By id, why others of the failed cells cannot be run so."""


def again(store: Store, study: str, words: Sequence[str] = ()) -> Again:
    """The failed cells of a study, built anew.

    Args:
        store: where it is kept.
        study: its name.
        words: pick the cells that have one of them in their ids; none picks all.

    Raises:
        InputError: if there is no such study, or a word is in the id of no failed cell.
    """
    failures = store.failures(i for i in store.study(study)["cells"] if not store.has(i))
    for word in words:
        if not any(word in i for i in failures):
            raise unknown(f"failed cell of {study}", word, failures)
    cells, left = {}, {}
    for i, note in failures.items():
        if not words or any(word in i for word in words):
            cell = _built(note)
            if isinstance(cell, Cell):
                cells[i] = cell
            else:
                left[i] = cell
    return Again(cells, left)


def _built(note: Mapping[str, Any]) -> Cell | str:
    """The cell that failed, or why there is none."""
    if note.get("begun") is False:
        return str(note["reason"])
    for kind, known in (("algorithm", registry.algorithms()), ("task", registry.tasks())):
        if note[kind]["name"] not in known:
            return f"there is no {kind} {note[kind]['name']} here: give what it is in by plugins=…"
    try:
        cell = Cell.of(note["algorithm"], note["task"], note["run"])
    except InputError as error:
        return str(error)
    return cell.broken or cell


def replace(store: Store, study: str, cells: Mapping[str, Cell]) -> dict[str, str]:
    """Put cells that are others now in the places of those that failed, whose notes go; new ids by old."""
    new = {i: cell.id for i, cell in cells.items() if cell.id != i}
    if new:
        about = store.study(study)
        ids = [new.get(i, i) for i in about["cells"]]
        store.write_study(study, about["question"], ids, small=bool(about.get("small")))
        for i in new:
            (store.path / "failed" / f"{i}.json").unlink(missing_ok=True)
    return new
