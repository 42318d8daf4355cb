"""Writing a study into one file (`harness.store.study_file`): the same study, the same bytes.

Members are sorted, and have no times of their own. What is written is read and hashed once, piece by piece:
of a study of any size no more than a piece is in memory. (Two versions of zlib may pack differently; what is
packed, and the manifest, are the same.)
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import IO, Any, NamedTuple

import harness
from harness.core.errors import InputError
from harness.core.files import whole
from harness.store.definitions import FILE
from harness.store.files import FILES, META, RECORD, json_text
from harness.store.store import Store
from harness.store.study_file import LONGEST, MANIFEST, OF_A_STUDY, TUNED, Manifest, Member, pieces
from harness.tuning import shelf

YEAR = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say


class Exported(NamedTuple):
    """What was written."""

    path: Path
    cells: int
    records: int
    failed: int
    bytes: int


class _Part(NamedTuple):
    """A member to be written."""

    content: Path | bytes
    sealed: str = ""
    """The SHA-256 that it has to have; empty where nobody knows."""


def export(store: Store, name: str, path: Path) -> Exported:
    """Write all of a study as it is now into one file, which is there whole or not at all.

    Args:
        store: where it is kept.
        name: of the study.
        path: the file; one that is there is replaced.

    Raises:
        InputError: if there is no such study, a record of it is damaged, or the disk does not take the file.
    """
    study = store.study(name)
    records = [store.read(i) for i in study["cells"] if store.has(i)]
    about = {"name": name, "question": study["question"]} | ({"small": True} if study.get("small") else {})
    parts = {f"studies/{name}/{FILE}": _Part(json_text(about | {"cells": study["cells"]}).encode())}
    folder = store.study_folder(name)
    for each in sorted(folder.iterdir()):
        if re.fullmatch(OF_A_STUDY, each.name) and _is_plain(each):
            parts[f"studies/{name}/{each.name}"] = _Part(each)
    for record in records:
        files = record.meta.get(FILES)
        named = [META, *files] if files is not None else [n for n in RECORD if (record.path / n).is_file()]
        for file in named:
            parts[f"cells/{record.path.name}/{file}"] = _Part(record.path / file, (files or {}).get(file, ""))
    there = {record.path.name for record in records}
    failures = store.failures(i for i in study["cells"] if i not in there)
    for i, note in failures.items():  # a traceback names folders of this machine
        text = json_text({key: value for key, value in note.items() if key != "traceback"})
        parts[f"failed/{i}.json"] = _Part(text.encode())
    for at in _tuned((record.meta for record in records), [folder / "tuned", *shelf.shelves(store.path)]):
        parts.setdefault(f"tuned/{at.parent.name}/{at.name}", _Part(at))
    _write(name, {at: part for at, part in parts.items() if len(at) <= LONGEST}, path)
    return Exported(path, len(study["cells"]), len(records), len(failures), path.stat().st_size)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _tuned(metas: Iterable[dict[str, Any]], shelves: list[Path]) -> Iterable[Path]:
    """The files of tuned settings that cells were run with."""
    found = dict.fromkeys(shelf.source(meta, shelves) for meta in metas)
    return (at for at in found if at and re.fullmatch(TUNED, f"{at.parent.name}/{at.name}"))


def _write(study: str, parts: dict[str, _Part], path: Path) -> None:
    members: dict[str, Member] = {}
    try:
        with whole(path.absolute()) as new, zipfile.ZipFile(new, "w") as archive:
            for name in sorted(parts):
                members[name] = _add(archive, name, parts[name])
            manifest = Manifest(study, harness.__version__, members).text().encode()
            _add(archive, MANIFEST, _Part(manifest))
    except InputError:
        raise
    except OSError as error:
        at = f" ({error.filename})" if error.filename else ""
        raise InputError(
            f"study {study!r} could not be written to {path}: {error.strerror or error}{at}"
        ) from error


def _add(archive: zipfile.ZipFile, name: str, part: _Part) -> Member:
    """Write one member; raises `InputError` if it is not what was sealed."""
    about = zipfile.ZipInfo(name, YEAR)
    about.compress_type, about.create_system, about.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
    digest, size = hashlib.sha256(), 0
    with _opened(part.content) as source:
        about.file_size = source.seek(0, 2)
        source.seek(0)
        with archive.open(about, "w") as target:
            for piece in pieces(source, about.file_size):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
    if part.sealed not in ("", digest.hexdigest()):
        raise InputError(
            f"{part.content!s} is damaged (its contents are not those that were written): nothing is "
            "exported; its study, run again, sets the record aside and makes it anew"
        )
    return Member(size, digest.hexdigest())


def _opened(content: Path | bytes) -> IO[bytes]:
    return BytesIO(content) if isinstance(content, bytes) else content.open("rb")
