"""A study as one file: what may be in it, and how it is held to its manifest before any of it counts.

    manifest.json                      format, version, study; of every other member its bytes and SHA-256
    studies/<name>/study.json          its question and cells
    studies/<name>/…                   its tables and figures
    cells/<cell id>/…                  its records, their files as they were sealed
    failed/<cell id>.json              what is noted of its cells that failed, without the traceback
    tuned/<task>/….yaml                tuned settings that its cells were run with

A plain zip, laid out as a store. Whoever made it may be a stranger. So it is data: a member is there under a
name that a store has, or the file is refused; nothing in it is run, no cell in it is built, and no more of it
is read than its manifest declares and the disk has room for.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from harness.core.errors import InputError
from harness.store import definitions
from harness.store.files import FILES, META, RECORD, Damaged, about_cell, held, json_text, read_json
from harness.store.names import CELL, is_study_name, shown
from harness.store.record import Record

FORMAT = 1
ENDING = ".study.zip"
MANIFEST = "manifest.json"
LARGEST = 2**26  # bytes of a manifest: half a million members
LONGEST = 255  # letters of a member's name
PACKED = 1032  # bytes to one: the most that deflate can do, so that more is the same bytes told twice
CHUNK = 2**20
PLAIN = r"[A-Za-z0-9_][\w.,=+-]*"
FIGURES = ("png", "svg", "pdf")
OF_A_STUDY = rf"figures_of\.txt|{PLAIN}\.(?:csv|md|tex|{'|'.join(FIGURES)})"
"""Of the files in a study's folder those that go with it; its pages are made where it is read."""
TUNED = rf"\w{{1,80}}/{PLAIN}\.yaml"
MEMBERS = rf"cells/{CELL}/(?:{'|'.join(map(re.escape, RECORD))})|failed/{CELL}\.json|tuned/{TUNED}"
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, IndexError)
"""What `zipfile` raises, handed bytes that nobody vouches for."""


class Member(NamedTuple):
    """What the manifest says of a member."""

    bytes: int
    sha256: str


class Manifest(NamedTuple):
    """What a study's file says of itself."""

    study: str
    harness: str
    """The version that made it."""
    members: Mapping[str, Member]

    def text(self) -> str:
        """As the file holds it."""
        about = {"format": FORMAT, "harness": self.harness, "study": self.study}
        return json_text(about | {"members": {n: m._asdict() for n, m in sorted(self.members.items())}})


def unpacked(path: Path, folder: Path) -> Manifest:
    """Lay a study's file out in a folder as a store has it, once all of it is what its manifest says.

    Args:
        path: the file.
        folder: a new one, which is there and empty; where this raises, whatever is in it is to go.

    Raises:
        InputError: for a file that is none, is of a newer format, is not what was exported, has names in it
            that no store has, or more than the disk has room for.
    """
    with _as_zip(path) as archive:
        inside = {info.filename: info for info in _plain(path, archive.infolist())}
        if MANIFEST not in inside:
            raise InputError(f"{path} is no study's file: it has no {MANIFEST}")
        if inside[MANIFEST].file_size > LARGEST:
            raise InputError(f"{path} is no study's file: its {MANIFEST} is longer than any")
        with archive.open(inside[MANIFEST]) as file:
            manifest = _manifest(path, file.read(LARGEST))
        _agreeing(path, manifest, inside)
        needed, free = sum(m.bytes for m in manifest.members.values()), shutil.disk_usage(folder).free
        if needed > PACKED * path.stat().st_size:
            raise InputError(f"{path} is refused: it declares {needed:,} bytes, more than it can hold")
        if needed > free:
            raise InputError(
                f"{path} holds {needed / 1e9:.1f} GB, for which {folder.parent} has no room: "
                f"{free / 1e9:.1f} GB are free"
            )
        for name, member in manifest.members.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with archive.open(inside[name]) as source, (folder / name).open("xb") as target:
                digest = hashlib.sha256()
                for piece in pieces(source, member.bytes):
                    digest.update(piece)
                    target.write(piece)
            if digest.hexdigest() != member.sha256:
                raise _altered(path, f"{name} has other contents")
    _of_one_study(path, manifest, folder)
    return manifest


def pieces(source: IO[bytes], most: int) -> Iterator[bytes]:
    """What a file holds, chunk after chunk, and no more than so many bytes of it."""
    while most > 0 and (piece := source.read(min(CHUNK, most))):
        most -= len(piece)
        yield piece


@contextmanager
def _as_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip to be read; what is wrong with it as such is said in a sentence."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except InputError:
        raise
    except BROKEN as error:
        why = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path} is no study's file, or it is damaged ({why})") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read, or not unpacked ({error.strerror or error})") from error


def _plain(path: Path, infos: Sequence[zipfile.ZipInfo]) -> Sequence[zipfile.ZipInfo]:
    """The members, if all are files under names that mean the same on every system."""
    known: dict[str, str] = {}
    for info in infos:
        name = info.filename
        kind = stat.S_IFMT(info.external_attr >> 16)
        if (
            name != info.orig_filename
            or len(name) > LONGEST
            or info.is_dir()
            or kind not in (0, stat.S_IFREG)
        ):
            raise _refused(path, info.orig_filename, "which is no name of a file in a store")
        if info.flag_bits & 0x1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused(path, name, "which is encrypted, or packed in another way than a study's file is")
        alike = unicodedata.normalize("NFKC", name).casefold()
        if alike in known:
            raise _refused(path, name, f"which some systems take for {shown(known[alike])}, also in it")
        known[alike] = name
    return infos


def _manifest(path: Path, text: bytes) -> Manifest:
    """What a manifest says; raises `InputError` if it is none, or has a name in it that no store has."""
    try:
        said: dict[str, Any] = json.loads(text)
        version = said["format"]
        if type(version) is int and version > FORMAT:
            raise InputError(
                f"{path} has format {version}, but this version reads study's files up to {FORMAT}: "
                "update the harness"
            )
        members = {name: Member(**about) for name, about in said["members"].items()}
        sound = all(
            type(m.bytes) is int and m.bytes >= 0 and re.fullmatch("[0-9a-f]{64}", m.sha256)
            for m in members.values()
        )
        made = Manifest(said["study"], said["harness"], members)
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        sound = False
    if not sound or version != FORMAT or type(version) is not int or not isinstance(made.harness, str):
        raise InputError(f"{path} is no study's file: its {MANIFEST} is not what such a file says of itself")
    if not is_study_name(made.study):
        raise InputError(f"{path} is no study's file: no study can be called {shown(made.study)}")
    allowed = re.compile(rf"studies/{re.escape(made.study)}/(?:study\.json|{OF_A_STUDY})|{MEMBERS}")
    for name in made.members:
        if not allowed.fullmatch(name) or len(name) > LONGEST:
            raise _refused(path, name, "which is no name of a file in a store")
    return made


def _agreeing(path: Path, manifest: Manifest, inside: Mapping[str, zipfile.ZipInfo]) -> None:
    """Raise `InputError` unless a zip has the members of its manifest, each as long as that says."""
    wanted = {*manifest.members, MANIFEST}
    if missing := sorted(wanted - inside.keys()):
        raise _altered(path, f"{missing[0]} is missing")
    if more := sorted(inside.keys() - wanted):
        raise _refused(path, more[0], f"of which its {MANIFEST} says nothing")
    for name, member in manifest.members.items():
        if inside[name].file_size != member.bytes:
            raise _altered(path, f"{name} has {inside[name].file_size} bytes for {member.bytes}")
    if f"studies/{manifest.study}/{definitions.FILE}" not in manifest.members:
        raise InputError(f"{path} is no study's file: it has no {definitions.FILE}")


def _of_one_study(path: Path, manifest: Manifest, folder: Path) -> None:
    """Raise `InputError` unless what was laid out is a study, and whole records of its cells alone."""
    try:
        cells = set(definitions.defined(folder / "studies" / manifest.study)["cells"])
        there: dict[str, dict[str, str]] = {}
        for name, member in manifest.members.items():
            part, _, rest = name.partition("/")
            if part in ("cells", "failed"):
                i = rest.split("/")[0].removesuffix(".json")
                if i not in cells:
                    raise _refused(path, name, "which is of no cell of the study")
                there.setdefault(f"{part}/{i}", {})[rest.rpartition("/")[2]] = member.sha256
        for name, files in there.items():
            part, _, i = name.partition("/")
            if part == "failed":
                note = held(folder / "failed" / f"{i}.json", lambda at: about_cell(read_json(at)))
                whole = note["id"] == i and f"cells/{i}" not in there
            else:
                meta = Record(folder / name).meta
                sealed = {each: digest for each, digest in files.items() if each != META}
                whole = META in files and meta["id"] == i and meta.get(FILES, sealed) == sealed
            if not whole:
                raise _altered(path, f"{name} is not what is kept of that cell")
    except Damaged as error:
        raise _altered(path, error.what) from error


def _altered(path: Path, what: str) -> InputError:
    return InputError(f"{path} is not what was exported ({what}): nothing of it is taken")


def _refused(path: Path, name: str, why: str) -> InputError:
    return InputError(f"{path} is refused: it has {shown(name)} in it, {why}")
