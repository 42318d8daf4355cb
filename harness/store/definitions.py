"""What a study is made of: the cells that a sweep gave it, and those that single runs added since.

    <study>/study.json                 its name, question and cells, as the last sweep defined it
    <study>/joined/<cell id>           an empty file for each cell added since
    <study>/earlier/<time>.json        what it was before a sweep left cells of it out

Several processes work on one study: no folder is ever removed but by whoever asks for that, and what is
listed may be gone when it is looked at. No record goes with a definition.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from harness.core.files import UNFINISHED, ages, by_age, write_atomically
from harness.store.files import Damaged, held, json_text, read_json
from harness.store.names import cell_id, is_cell_id, is_study_name

FILE = "study.json"
MEND = "delete it, and the study, run again, writes it anew (all records are safe)"


class Replaced(NamedTuple):
    """The definition of a study that another has taken the place of."""

    cells: int
    """How many it had."""
    dropped: int
    """How many of them are in the study no longer."""
    path: Path
    """Where it is kept; its `cells` are ids of records that are still in the store."""


def studies(folder: Path) -> list[str]:
    """Names of the studies in a folder of them, the newest last."""
    changed = {}
    for name in ages(folder):
        if is_study_name(name):
            with suppress(FileNotFoundError, NotADirectoryError):
                changed[name] = (folder / name / FILE).stat().st_mtime_ns
    return sorted(changed, key=lambda name: changed[name])


def defined(folder: Path) -> dict[str, Any]:
    """`name`, `question` and `cells` (ids in order) of the study in a folder; raises `Damaged`."""
    study = held(folder / FILE, _read, mend=MEND)
    joined = [name for name in by_age(folder / "joined") if is_cell_id(name)]
    return study | {"name": folder.name, "cells": list(dict.fromkeys([*study["cells"], *joined]))}


def check(folder: Path) -> None:
    """Raise `Damaged` if there is a definition that cannot be read: cells could join it, and not be found."""
    if (folder / FILE).is_file():
        defined(folder)


def define(folder: Path, about: dict[str, Any], cells: Sequence[str]) -> Replaced | None:
    """Make the study in a folder consist of these cells; what was replaced, if cells of it are left out."""
    before = _before(folder)
    dropped = set(before["cells"]) - set(cells)
    replaced = None
    folder.mkdir(parents=True, exist_ok=True)
    if dropped:
        path = folder / "earlier" / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S.%f}.json"
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, json_text(before))
        replaced = Replaced(len(before["cells"]), len(dropped), path)
    ids = [cell_id(i) for i in dict.fromkeys(cells)]
    write_atomically(folder / FILE, json_text(about | {"cells": ids}))
    for name in before["cells"]:  # one that joins at this moment is not among them, and stays
        (folder / "joined" / name).unlink(missing_ok=True)
    return replaced


def join(folder: Path, about: dict[str, Any], cell: str) -> None:
    """Add a cell to the study in a folder, made if need be; a file a cell, so that runs side by side do not
    undo each other.
    """
    (folder / "joined").mkdir(parents=True, exist_ok=True)
    (folder / "joined" / cell).touch()
    if (folder / FILE).is_file():
        os.utime(folder / FILE)  # the study somebody worked on last is the newest
    else:
        write_atomically(folder / FILE, json_text(about | {"cells": []}))


def remove(folder: Path) -> None:
    """Remove a study with all that is in its folder; at once for whoever looks for it."""
    gone = folder.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)  # what is left of it goes with the next run


def rename(folder: Path, new: Path) -> None:
    """Give a study another name, under which nothing may be yet; what trackers were told was of the old one.

    Raises `Damaged` if its definition cannot be read.
    """
    study = defined(folder)
    folder.rename(new)
    shutil.rmtree(new / "sent", ignore_errors=True)
    write_atomically(new / FILE, json_text(study | {"name": new.name}))


def _before(folder: Path) -> dict[str, Any]:
    try:
        return defined(folder)
    except Damaged:  # none yet, or one that is mended by this
        return {"cells": [name for name in by_age(folder / "joined") if is_cell_id(name)]}


def _read(path: Path) -> dict[str, Any]:
    study = read_json(path)
    if not isinstance(study.get("cells"), list) or not isinstance(study.get("question"), str):
        raise ValueError("it says no question and cells")
    return study | {"cells": [cell_id(i) for i in study["cells"]]}
