"""Which tracker is meant, and what it has been sent: known from files alone, without importing MLflow.

<store>/studies/<study>/sent/<tracker>.json     run ids by cell, and how the tracker's database was left
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from harness.store.files import read_json
from harness.store.store import Store

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Note:
    """What was sent of a study to a tracker."""

    experiment: str
    """Its id there."""
    runs: dict[str, str]
    """Run ids by cell id, in the order of the study."""
    left: list[int]
    """How its database was left: one that was written to since is asked again. Empty of a server."""

    @classmethod
    def of(cls, store: Store, study: str, uri: str) -> Note | None:
        """The note in the store; None if there is none that can be read."""
        try:
            return cls(**read_json(note_path(store, study, uri)))
        except (OSError, ValueError, TypeError):
            return None


def tracking_uri(store: Store, uri: str | None) -> str:
    """The tracking URI in force: the given one, or a database inside the store.

    A path in it is absolute: whoever sends may do so from another folder.
    """
    if not uri:
        return f"{SQLITE}{store.path / 'mlflow.db'}"
    if database := database_of(uri):
        return f"{SQLITE}{database}{''.join(uri.partition('?')[1:])}"
    return str(Path(uri).absolute()) if "://" not in uri and os.sep in uri else uri


def database_of(uri: str) -> Path | None:
    """The file of a tracking URI that is an SQLite database."""
    path = uri.removeprefix(SQLITE)
    return Path(path.partition("?")[0]).absolute() if path != uri else None


def note_path(store: Store, study: str, uri: str) -> Path:
    """Where it is noted what was sent of a study to a tracker."""
    key = hashlib.sha256(uri.encode()).hexdigest()[:12]
    return store.study_folder(study) / "sent" / f"{key}.json"


def left(uri: str) -> list[int]:
    """What tells whether a database was written to; nothing of a server, or where there is no database."""
    database = database_of(uri)
    if database is None or not database.is_file():
        return []
    about = database.stat()
    return [about.st_ino, about.st_size, about.st_mtime_ns]


def news(store: Store, study: str, uri: str) -> list[str] | None:
    """The finished cells of a study, in its order; None where its tracker has been told of them all."""
    ids = [i for i in store.study(study)["cells"] if store.has(i)]
    note = Note.of(store, study, uri)
    told = note.left and note.left == left(uri) and list(note.runs) == ids if note else not ids
    return None if told else ids
