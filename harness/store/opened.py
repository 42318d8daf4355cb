"""A study's file, read as the store it is laid out as: verified and unpacked once, into the user's cache.

    <the user's cache>/studies/<SHA-256 of the file>/

Under another hash nothing is there, so what is read is always of the file as it is now.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import InputError
from harness.core.files import UNFINISHED, remove_leftovers
from harness.core.folders import user_cache
from harness.store.files import file_digest
from harness.store.record import Record
from harness.store.store import Store
from harness.store.study_file import unpacked


@dataclass(frozen=True)
class Opened(Store):
    """The store that a study's file is, for whoever reads."""

    study_held: str = ""
    """The study in it."""

    def read(self, i: str) -> Record:
        """The record of a finished cell; raises `InputError` if there is none."""
        return Record(super().read(i).path, f"delete {self.path}, and the file is read anew")


def opened(path: Path) -> Opened:
    """The study in a file. Raises `InputError` for a file that is none, or not what was exported."""
    try:
        folder = user_cache("studies") / file_digest(path)
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(folder.parent)
            _unpack(path, folder)
    except OSError as error:
        at = f" ({error.filename})" if error.filename else ""
        raise InputError(f"{path} cannot be read: {error.strerror or error}{at}") from error
    return Opened(folder, Store(folder).studies()[0])


def _unpack(path: Path, folder: Path) -> None:
    new = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder.parent))
    try:
        unpacked(path, new)
        new.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was quicker
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
