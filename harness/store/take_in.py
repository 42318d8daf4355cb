"""Taking a study's file into a store: all of it is verified first, and nothing that is there is overwritten.

It is laid out in a folder beside the store's own, held to its manifest, and compared with what is there. Only
then are its records renamed into place, one by one, each whole or not at all, and its definition last: who is
killed at that leaves records that are whole, and does the rest when asked again.

Of its tuned settings none get where `ruleset=tuned` looks: they stay with the study. No cell is built, so
none of its records is one that a cell with more replicas goes on from (`harness.store.kin`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from harness.core.errors import InputError
from harness.core.files import UNFINISHED
from harness.store.definitions import FILE
from harness.store.files import file_digest, json_text, read_json
from harness.store.names import study_name
from harness.store.store import Store
from harness.store.study_file import Manifest, unpacked


class TakenIn(NamedTuple):
    """What became of a study's file."""

    study: str
    """What the study is called here."""
    cells: int
    records: int
    """That are new."""
    equal: int
    """That were there already."""
    kept: int
    """That were there with other contents, and stay."""


def take_in(store: Store, path: Path, name: str = "", *, keep: bool = False) -> TakenIn:
    """Put a study's file into a store.

    Args:
        store: made if need be.
        path: the file.
        name: what to call the study; empty for what it is called in the file.
        keep: whether records stay that are there with other contents, and the others are taken.

    Raises:
        InputError: for a file that is refused, a name that is taken by another study, a record that is there
            with other contents, or a disk that does not take them. Nothing has changed then.
    """
    if name:
        study_name(name)
    with _beside(store) as folder:
        manifest = unpacked(path, folder)
        name = name or manifest.study
        there = Store(folder)
        study = there.study(manifest.study)
        _not_taken(store, name, study, path)
        new, equal, other = _compared(store, there)
        if other and not keep:
            many = "a record of it is" if len(other) == 1 else f"{len(other)} records of it are"
            raise InputError(
                f"{path} is not imported: {many} here with other contents, "
                f"such as {other[0]}, and nothing is overwritten; --keep takes the others, and leaves those"
            )
        _settle(folder, manifest, name)
        try:
            store.prepare()
            if hasattr(os, "sync"):
                os.sync()  # on the disk before it is in its place: a call for all, not one a file
            _move(store, there, new, name)
        except OSError as error:
            raise InputError(
                f"study {name!r} could not be kept in {store.path} ({error.strerror or error}): records that "
                "are there are whole, and the same command does the rest"
            ) from error
    return TakenIn(name, len(study["cells"]), len(new), len(equal), len(other))


@contextmanager
def _beside(store: Store) -> Iterator[Path]:
    """A folder on the store's disk that is gone afterwards; the store is not begun for it."""
    near = next(each for each in (store.path, *store.path.parents) if each.is_dir())
    try:
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=near))
    except OSError as error:
        raise InputError(f"{near} cannot be written ({error.strerror}): give another store") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _not_taken(store: Store, name: str, study: dict[str, object], path: Path) -> None:
    """Raise `InputError` if there is another study of that name."""
    if name in store.studies():
        known = store.study(name)
        if (known["question"], known["cells"]) != (study["question"], study["cells"]):
            raise InputError(
                f"{path} is not imported: the store {store.path} has another study {name!r}; give this one "
                "another name by --as"
            )


def _compared(store: Store, there: Store) -> tuple[list[str], list[str], list[str]]:
    """Ids of the records that are new, of those that are here and equal, and of those that are other ones."""
    kinds: tuple[list[str], list[str], list[str]] = [], [], []
    for i in there.cells():
        which = 0 if not store.has(i) else 1 if _digests(store, i) == _digests(there, i) else 2
        kinds[which].append(i)
    return kinds


def _digests(store: Store, i: str) -> dict[str, str]:
    return {path.name: file_digest(path) for path in store.cell_folder(i).iterdir()}


def _settle(folder: Path, manifest: Manifest, name: str) -> None:
    """Give the study that was laid out its name, and its tuned settings."""
    study = folder / "studies" / manifest.study
    about = read_json(study / FILE)
    (study / FILE).write_text(json_text(about | {"name": name}), encoding="utf-8")
    if (folder / "tuned").is_dir():
        (folder / "tuned").rename(study / "tuned")
    if name != manifest.study:
        study.rename(study.with_name(name))


def _move(store: Store, there: Store, new: list[str], name: str) -> None:
    for i in new:
        try:
            there.cell_folder(i).rename(store.cell_folder(i))
        except OSError:  # another process was quicker, and its record stays
            if not store.has(i):
                raise
        (store.path / "failed" / f"{i}.json").unlink(missing_ok=True)
    for note in sorted((there.path / "failed").glob("*.json")):
        if not store.has(note.stem) and not (store.path / "failed" / note.name).exists():
            note.rename(store.path / "failed" / note.name)
    source, target = there.study_folder(name), store.study_folder(name)
    files = sorted(each.relative_to(source) for each in source.rglob("*") if each.is_file())
    for file in sorted(files, key=lambda each: each == Path(FILE)):  # the definition last
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        if not (target / file).exists():
            (source / file).rename(target / file)
