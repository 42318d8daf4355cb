"""Damaged records make room: their cells are not finished then, and are run again. Nothing is deleted."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from harness.core.errors import InputError
from harness.store.store import Store


class SetAside(NamedTuple):
    """A record that was damaged."""

    cell: str
    what: str
    """Which file, and how that is known."""
    path: Path
    """Where it is now."""


def mend(store: Store, ids: Iterable[str]) -> list[SetAside]:
    """Move those records of some cells that are no longer what was written to the store's `damaged`.

    Raises `InputError` if the disk does not let them be moved.
    """
    aside = []
    for i in ids:
        what = store.read(i).damage() if store.has(i) else ""
        if not what:
            continue
        path = store.path / "damaged" / f"{i}-{uuid.uuid4().hex[:8]}"
        try:
            path.parent.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):  # another process has just done so
                store.cell_folder(i).rename(path)
        except OSError as error:
            raise InputError(
                f"the record of {i} is damaged ({what}), and cannot be moved to {path} ({error.strerror})"
            ) from error
        aside.append(SetAside(i, what, path))
    return aside
