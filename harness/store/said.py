"""What came of a study in sentences, and the command that makes it again: kept for whoever tells of it.

    <store>/studies/<name>/said.json      written with the study's page

MLflow is told by a process that knows records, and no answers: it reads them here.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from harness.core.files import write_atomically
from harness.store.files import json_text, read_json
from harness.store.store import Store

FILE = "said.json"


class Said(NamedTuple):
    """What is said of a study."""

    answers: tuple[str, ...] = ()
    """What came of it, in sentences; none where it has other cells than those that were spoken of."""
    command: str = ""
    """What makes it again; empty where no command line made it."""


def keep(store: Store, study: str, said: Said) -> None:
    """Keep what is said of the cells that a study has now."""
    path = store.study_folder(study) / FILE
    text = json_text({"of": _cells(store, study), "answers": said.answers, "command": said.command})
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_atomically(path, text)


def kept(store: Store, study: str) -> Said | None:
    """What is said of a study; None where nobody has said anything that can be read."""
    try:
        about = read_json(store.study_folder(study) / FILE)
        answers = tuple(map(str, about["answers"])) if about["of"] == _cells(store, study) else ()
        return Said(answers, str(about["command"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _cells(store: Store, study: str) -> str:
    """What tells whether a study has the same cells."""
    return hashlib.sha256("\n".join(store.study(study)["cells"]).encode()).hexdigest()[:16]
