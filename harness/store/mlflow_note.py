"""Which tracker is meant, and what it has been sent: known from files alone, without importing MLflow.

<store>/studies/<study>/sent/<tracker>.json     run ids by cell, and how the tracker's database was left
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import InputError
from harness.store.files import read_json
from harness.store.mlflow_words import of_study
from harness.store.store import Store

SQLITE = "sqlite:///"
WHO = re.compile(r"^(https?://)(?:[^/?#]*|[^/?#:]*:[^?#]*)@")  # http://ada:secret@…
PASSWORD = re.compile(r"^((?!http)[\w+.-]+://[^:/?@]*:)[^?]*@")  # postgresql+psycopg2://mlflow:secret@…
ASKED = re.compile(r"([?&]\w*password=)[^&#]*")  # …?password=secret
KEPT_OUT = {
    "http": "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN)",
    "": "PGPASSWORD or ~/.pgpass",
}
"""Where a password belongs instead."""


@dataclass(frozen=True)
class Note:
    """What was sent of a study to a tracker."""

    experiment: str
    """Its id there."""
    runs: dict[str, str]
    """Run ids by cell id, in the order of the study."""
    left: list[int]
    """How its database was left: one that was written to since is asked again. Empty of a server."""
    words: str = ""
    """The digest of what the experiment was told in words."""

    @classmethod
    def of(cls, store: Store, study: str, uri: str) -> Note | None:
        """The note in the store; None if there is none that can be read."""
        try:
            note = cls(**read_json(note_path(store, study, uri)))
        except (OSError, ValueError, TypeError):
            return None
        ids = [note.experiment, *note.runs, *note.runs.values()] if isinstance(note.runs, dict) else [None]
        return note if all(isinstance(i, str) for i in ids) and isinstance(note.left, list) else None


def tracking_uri(store: Store, uri: str | None) -> str:
    """The tracking URI in force: the given one, or a database inside the store.

    A path in it is absolute: whoever sends may do so from another folder. Raises `InputError` for one with a
    password, which a store would keep.
    """
    refuse_passwords(uri)
    if not uri:
        return f"{SQLITE}{store.path / 'mlflow.db'}"
    if database := database_of(uri):
        return f"{SQLITE}{database}{''.join(uri.partition('?')[1:])}"
    return str(Path(uri).absolute()) if "://" not in uri and os.sep in uri else uri


def refuse_passwords(uri: str | None) -> None:
    """Raise `InputError` for a tracking URI with a password, which a store would keep."""
    if uri and hidden(uri) != uri:
        place = KEPT_OUT["http" if uri.startswith("http") else ""]
        raise InputError(
            f"a tracking URI is kept and shown, so it may have no password, but {hidden(uri)} has one: "
            f"leave it out, and give it by {place}"
        )


def hidden(uri: str) -> str:
    """A URI as it may be shown: without who asks, or by what password."""
    return ASKED.sub(r"\1…", PASSWORD.sub(r"\1…@", WHO.sub(r"\1…@", uri)))


def is_http(uri: str) -> bool:
    """Whether a tracking URI is of an MLflow server."""
    return uri.startswith(("http://", "https://"))


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


def served(store: Store, uri: str) -> bool:
    """Whether the dashboard serves a tracker, and the pages of studies beside it."""
    return uri == tracking_uri(store, None)


def described(store: Store, study: str, uri: str) -> tuple[str, str]:
    """What a tracker is told of a study in words, and its digest."""
    words = of_study(store, study, served=served(store, uri))
    return words, digest_of(words)


def digest_of(words: str) -> str:
    """What tells whether words were changed."""
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def news(store: Store, study: str, uri: str) -> list[str] | None:
    """The finished cells of a study, in its order; None where its tracker has been told of them all, and of
    what came of them.
    """
    ids = [i for i in store.study(study)["cells"] if store.has(i)]
    note = Note.of(store, study, uri)
    if note is None:
        return ids or None
    known = note.left and note.left == left(uri) and list(note.runs) == ids
    return None if known and note.words == described(store, study, uri)[1] else ids
