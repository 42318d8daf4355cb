"""Forgetting a study, or calling it otherwise; its records stay, or go where no other study has them.

Nobody is at it meanwhile: what runs now is noted in the store (`harness.store.running`), and refused.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from harness.core.errors import InputError
from harness.core.files import UNFINISHED, ages
from harness.store import definitions
from harness.store.files import Damaged
from harness.store.running import running
from harness.store.store import Store


class Forgotten(NamedTuple):
    """What went, and what stays."""

    removed: int
    """Records."""
    shared: int
    """Records that stay because other studies have them, too."""
    kept: int
    """Records that stay because nobody asked for them to go."""


def forget(store: Store, name: str, *, records: bool = False) -> Forgotten:
    """Remove a study from a store: its definition, tables, figures and pages.

    Args:
        store: where it is kept.
        name: of the study.
        records: whether its records, and the notes of its failures, go, too, those that no other study has.

    Raises:
        InputError: if there is no such study, it is being worked on, or the disk does not let it go; with
            `records` also if the definition of another study cannot be read.
    """
    try:
        cells = store.study(name)["cells"]
    except Damaged:  # what cannot be read can be forgotten, but nobody knows its records
        if records:
            raise
        cells = []
    _idle(store, name, cells)
    there = [i for i in cells if store.has(i)]
    rest = [each for each in store.studies() if each != name] if records else []
    others = {i for each in rest for i in store.study(each)["cells"]}
    own = [i for i in there if i not in others] if records else []
    try:
        for i in own:  # before the definition: who is killed at it can ask again
            gone = store.path / "cells" / f"{UNFINISHED}{uuid.uuid4().hex}"
            store.cell_folder(i).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
        if records:
            _forget_notes(store, set(cells) - others)
        definitions.remove(store.study_folder(name))
    except OSError as error:
        raise InputError(
            f"study {name!r} could not be removed from {store.path} ({error.strerror or error}): what is "
            "left of it is whole, and the same command does the rest"
        ) from error
    return Forgotten(len(own), len(there) - len(own) if records else 0, 0 if records else len(there))


def rename(store: Store, old: str, new: str) -> None:
    """Give a study another name.

    Raises `InputError` if there is none, the name is taken or is none, or it is being worked on.
    """
    target = store.study_folder(new)
    cells = store.study(old)["cells"]
    if target.exists():
        raise InputError(
            f"study {old!r} cannot be called {new!r}: there is a study of that name in {store.path}"
        )
    _idle(store, old, cells)
    try:
        definitions.rename(store.study_folder(old), target)
    except OSError as error:
        raise InputError(f"study {old!r} could not be renamed ({error.strerror or error})") from error


def _idle(store: Store, name: str, cells: Iterable[str]) -> None:
    """Raise `InputError` if a cell of a study runs now."""
    live = running(store)
    if busy := [i for i in cells if i in live and not store.has(i)]:
        note = live[busy[0]]
        raise InputError(
            f"study {name!r} is being worked on: {busy[0]} runs in process {note.pid} on {note.host}; "
            "stop it first"
        )


def _forget_notes(store: Store, cells: set[str]) -> None:
    """Remove what is kept of cells beside their records: that they failed, what is done of those that have
    none yet, and whose kin they are.
    """
    for i in cells:
        shutil.rmtree(store.path / "parts" / i, ignore_errors=True)
        (store.path / "failed" / f"{i}.json").unlink(missing_ok=True)
    for kin in ages(store.path / "kin"):
        folder = store.path / "kin" / kin
        for i in cells & ages(folder).keys():
            (folder / i).unlink(missing_ok=True)
        with suppress(OSError):  # others are in it
            folder.rmdir()
