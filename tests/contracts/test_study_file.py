"""A study's file held to what `export` and `import` promise: the same study, the same bytes, and back again;
whatever a stranger puts into one is refused in one sentence, and nothing has changed then."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import results
from harness.cells.cell import Cell
from harness.core import registry
from harness.core.errors import InputError
from harness.store.export import export
from harness.store.files import META
from harness.store.store import Store
from harness.store.study_file import FORMAT, LARGEST, MANIFEST, Manifest, Member
from harness.store.take_in import take_in
from helpers.kept import XOR, keep, weights
from helpers.made_up import BUDGET, D, S, U

Contents = dict[str, bytes]
STUDY = "studies/s/study.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path]:
    """A store with a study of four cells, of which one failed and one was not run, and its file."""
    folder = tmp_path_factory.mktemp("made")
    store = Store.at(folder / "store").prepare()
    ids = [
        keep(store, "backprop", XOR, (S, U, D), (10, 100, 3), weights=weights((2, 2, 1), 3)),
        keep(store, "shallow", XOR, (U,), (100,)),
    ]
    failed, missing = (
        Cell.of({"name": name}, XOR, {"replicas": 2, "epochs": 5}) for name in ("spsa", "perceptron")
    )
    store.write_failure(failed, "ValueError: no", f"Traceback: in {folder}/rule.py")
    store.write_study("s", "Who?", [*ids, failed.id, missing.id])
    (store.study_folder("s") / "table.md").write_text("# s\n", encoding="utf-8")
    (store.study_folder("s") / "ert.png").write_bytes(b"picture")
    (store.study_folder("s") / "index.html").write_text("a page", encoding="utf-8")
    return store, export(store, "s", folder / "s.study.zip").path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def contents(path: Path) -> Contents:
    """What is in a file, by name, the manifest apart."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != MANIFEST}


def manifest_of(inside: Contents, study: str = "s") -> bytes:
    members = {name: Member(len(each), hashlib.sha256(each).hexdigest()) for name, each in inside.items()}
    return Manifest(study, "1.0", members).text().encode()


def packed(path: Path, inside: Contents, manifest: bytes | None = None, **more: object) -> Path:
    """A zip of these members, whatever they are, with a manifest that vouches for them, or another one."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in inside.items():
            about = zipfile.ZipInfo(name)
            about.filename, about.compress_type = name, zipfile.ZIP_DEFLATED  # as it was given
            for key, value in more.items():
                setattr(about, key, value)
            archive.writestr(about, each)
        archive.writestr(MANIFEST, manifest_of(inside) if manifest is None else manifest)
    return path


def seen(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(path: Path, folder: Path) -> str:
    """The one sentence by which a file is refused, where it must leave no trace."""
    before, store = seen(folder), Store.at(folder / "elsewhere")
    with pytest.raises(InputError) as error:
        take_in(store, path)
    assert seen(folder) == before
    assert not store.path.exists()
    assert not list(folder.glob(".unfinished-*"))
    assert "\n" not in str(error.value)
    return str(error.value)


# there and back


def test_the_same_study_is_the_same_bytes_and_so_is_what_was_taken_in(
    made: tuple[Store, Path], tmp_path: Path
) -> None:
    store, file = made
    again = export(store, "s", tmp_path / "again.zip").path
    assert again.read_bytes() == file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        *names, last = archive.namelist()
        assert names == sorted(names)
        assert last == MANIFEST
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    other = Store.at(tmp_path / "other")
    done = take_in(other, file)
    assert (done.study, done.cells, done.records, done.equal, done.kept) == ("s", 4, 2, 0, 0)
    assert export(other, "s", tmp_path / "back.zip").path.read_bytes() == file.read_bytes()


def test_records_land_as_they_were_sealed_and_pages_and_tracebacks_stay_at_home(
    made: tuple[Store, Path], tmp_path: Path
) -> None:
    store, file = made
    other = Store.at(tmp_path / "other")
    take_in(other, file)
    assert other.study("s") == store.study("s")
    for i in store.cells():
        assert seen(other.cell_folder(i)) == seen(store.cell_folder(i))
        assert other.read(i).damage() == ""
    text = b"".join(contents(file).values())
    assert b"a page" not in text
    assert str(store.path.parent).encode() not in text
    (failure,) = other.failures(other.study("s")["cells"]).values()
    assert failure["reason"] == "ValueError: no"


def test_frames_of_a_file_are_those_of_the_store(made: tuple[Store, Path], cache: Path) -> None:
    store, file = made
    for read in (results.cells, results.replicas, results.curves, results.credit, results.cost):
        there = read("s", store)
        for study in ("s", None):
            assert read(study, file).equals(there)
    assert results.cells(source=str(file))["status"].tolist() == ["finished", "finished", "failed", "not run"]
    ours, theirs = (results.records("s", source, algorithm="backprop")[0] for source in (store, file))
    for name, each in ours.weights.items():
        np.testing.assert_array_equal(theirs.weights[name], each)
    with pytest.raises(InputError, match=r"unknown study 'other'.*allowed are s"):
        results.cells("other", file)


def test_a_changed_file_is_read_anew(made: tuple[Store, Path], tmp_path: Path, cache: Path) -> None:
    file = Path(shutil.copy(made[1], tmp_path / "s.zip"))
    assert len(results.cells(source=file)) == 4
    inside = contents(file)
    study = json.loads(inside[STUDY])
    inside[STUDY] = json.dumps(study | {"cells": study["cells"][:3]}).encode()
    packed(file, inside)
    assert len(results.cells(source=file)) == 3


def test_what_is_there_and_equal_is_left_and_another_name_is_another_study(
    made: tuple[Store, Path], tmp_path: Path
) -> None:
    other = Store.at(tmp_path / "other")
    take_in(other, made[1])
    before = seen(other.path)
    again = take_in(other, made[1])
    assert (again.records, again.equal) == (0, 2)
    assert seen(other.path) == before
    take_in(other, made[1], "mine")
    assert sorted(other.studies()) == ["mine", "s"]
    assert other.study("mine")["cells"] == other.study("s")["cells"]
    assert other.study("mine")["name"] == "mine"


def test_a_record_with_other_contents_is_a_conflict_and_is_never_overwritten(
    made: tuple[Store, Path], tmp_path: Path
) -> None:
    store, file = made
    other = Store.at(tmp_path / "other").prepare()
    i = keep(other, "backprop", XOR, (S, U, D), (10, 100, 3), seconds=0.5, weights=weights((2, 2, 1), 3))
    assert i in store.cells()  # the same cell, made by another machine
    before = seen(other.path)
    with pytest.raises(InputError, match=rf"a record of it is here with other contents.*{i}.*--keep"):
        take_in(other, file)
    assert seen(other.path) == before
    done = take_in(other, file, keep=True)
    assert (done.records, done.kept) == (1, 1)
    assert seen(other.cell_folder(i)) == {
        name.removeprefix(f"cells/{i}/"): each for name, each in before.items() if name.startswith("cells")
    }


def test_another_study_of_that_name_is_not_overwritten(made: tuple[Store, Path], tmp_path: Path) -> None:
    other = Store.at(tmp_path / "other").prepare()
    other.write_study("s", "Another?", [])
    before = seen(other.path)
    with pytest.raises(InputError, match=r"has another study 's'.*--as"):
        take_in(other, made[1])
    assert seen(other.path) == before


def test_who_was_killed_at_an_import_does_the_rest_when_asked_again(
    made: tuple[Store, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, rename, moved = Store.at(tmp_path / "other").prepare(), Path.rename, []

    def first_only(self: Path, target: Path) -> Path:
        if Path(target).is_relative_to(other.path / "cells"):
            if moved:
                raise KeyboardInterrupt
            moved.append(self)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", first_only)
    with pytest.raises(KeyboardInterrupt):
        take_in(other, made[1])
    assert len(other.cells()) == 1
    assert other.studies() == []
    assert all(other.read(i).damage() == "" for i in other.cells())
    monkeypatch.undo()
    assert take_in(other, made[1]).equal == 1
    assert other.study("s") == made[0].study("s")


def test_a_damaged_record_is_not_handed_on(made: tuple[Store, Path], tmp_path: Path) -> None:
    store = Store.at(Path(shutil.copytree(made[0].path, tmp_path / "copy")))
    path = store.cell_folder(store.cells()[0]) / "curves.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match=r"curves.parquet is damaged.*nothing is exported"):
        export(store, "s", tmp_path / "out.zip")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy"]


def test_a_disk_that_does_not_take_the_file_is_a_sentence(made: tuple[Store, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"could not be written to .*nowhere"):
        export(made[0], "s", tmp_path / "nowhere" / "s.zip")


# what is refused

CLIMBING = [
    "../out.md",
    "/etc/out.md",
    "cells/../../out.md",
    "studies/s/../../out.md",
    "C:/out.md",
    "C:out.md",
    "studies\\s\\out.md",
    "studies/s/..",
    "studies/s//table.md",
    "./studies/s/table.md",
    "studies/other/table.md",
    "studies/s/.hidden.md",
    "studies/s/index.html",
    "studies/s/sub/table.md",
    "studies/s/run.py",
    "studies/s/table.md\n",
    "studies/s/",
    "cells/xor-backprop-0123456789ab/rule.py",
    "cells/xor-backprop-0123456789AB/cell.json",
    "cells/xor-backprop/cell.json",
    "cells/xor-os.system-0123456789ab/cell.json",
    "failed/xor.json",
    "kin/xor-backprop-0123456789ab/xor-backprop-0123456789ab",
    "sending/x.json",
    "tuned/../backprop.yaml",
    "tuned/xor/../../backprop.yaml",
    "tuned/xor/backprop.py",
    "format",
    "mlflow.db",
    "studies/s/" + 300 * "a" + ".md",
    "",
]


@pytest.mark.parametrize("name", CLIMBING)
def test_a_name_that_no_store_has_is_refused(name: str, made: tuple[Store, Path], tmp_path: Path) -> None:
    """Though the manifest vouches for it."""
    refused(packed(tmp_path / "bad.zip", contents(made[1]) | {name: b"harmless"}), tmp_path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(
    st.lists(
        st.sampled_from(
            [
                "..",
                ".",
                "",
                "studies",
                "s",
                "cells",
                "xor-backprop-0123456789ab",
                "cell.json",
                "a.md",
                "C:",
                "~",
            ]
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from("/\\"),
)
def test_no_name_leads_out(made: tuple[Store, Path], tmp_path: Path, parts: list[str], between: str) -> None:
    name = between.join(parts)
    path = packed(tmp_path / "bad.zip", contents(made[1]) | {name: b"harmless"})
    if name == "studies/s/a.md":
        take_in(Store.at(tmp_path / "good"), path)
        shutil.rmtree(tmp_path / "good")
    else:
        refused(path, tmp_path)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(st.data())
def test_a_mangled_file_is_the_study_or_one_sentence(
    made: tuple[Store, Path], tmp_path: Path, data: st.DataObject
) -> None:
    """Bytes changed, cut or put in anywhere: what lands is what was exported, or nothing."""
    whole = made[1].read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    kind = data.draw(st.sampled_from(["changed", "cut", "put in", "tail"]))
    if kind == "tail":
        at = len(whole) - 1 - at % 2000  # where a zip says what is in it
    new = bytes([data.draw(st.integers(0, 255))])
    bad = {"cut": whole[:at], "put in": whole[:at] + new + whole[at:]}.get(
        kind, whole[:at] + new + whole[at + 1 :]
    )
    path = tmp_path / "bad.zip"
    path.write_bytes(bad)
    store = Store.at(tmp_path / "elsewhere")
    try:
        take_in(store, path)
    except InputError:
        assert not store.path.exists()
    else:
        assert store.study("s") == made[0].study("s")
        assert all(seen(store.cell_folder(i)) == seen(made[0].cell_folder(i)) for i in made[0].cells())
        shutil.rmtree(store.path)


def test_what_the_manifest_does_not_say_or_says_otherwise_is_refused(
    made: tuple[Store, Path], tmp_path: Path
) -> None:
    inside, bad = contents(made[1]), tmp_path / "bad.zip"
    one = next(name for name in inside if name.endswith("curves.parquet"))
    vouched = manifest_of(inside)
    less = {name: each for name, each in inside.items() if name != one}
    assert "is missing" in refused(packed(bad, less, vouched), tmp_path)
    more = inside | {"studies/s/more.md": b"x"}
    assert "says nothing" in refused(packed(bad, more, vouched), tmp_path)
    other = inside | {one: bytes(len(inside[one]))}
    assert "has other contents" in refused(packed(bad, other, vouched), tmp_path)
    longer = inside | {one: inside[one] + b"x"}
    assert f"has {len(inside[one]) + 1} bytes for" in refused(packed(bad, longer, vouched), tmp_path)
    assert "has no study.json" in refused(
        packed(bad, {name: each for name, each in inside.items() if name != STUDY}), tmp_path
    )
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("a", b"")
    assert f"it has no {MANIFEST}" in refused(bad, tmp_path)


def manifests() -> dict[str, tuple[bytes, str]]:
    """Manifests that are none, and what is said of them."""
    good = json.loads(manifest_of({STUDY: b"{}"}))
    none = "is not what such a file says of itself"
    one = good["members"][STUDY]
    others: dict[str, tuple[object, str]] = {
        "a newer format": (good | {"format": FORMAT + 1, "members": 7}, "update the harness"),
        "an older format": (good | {"format": 0}, none),
        "a format that is true": (good | {"format": True}, none),
        "no format": ({"study": "s"}, none),
        "a list": ([], none),
        "no mapping of members": (good | {"members": [STUDY]}, none),
        "a member without a hash": (good | {"members": {STUDY: {"bytes": 2}}}, none),
        "a hash that is none": (good | {"members": {STUDY: one | {"sha256": "x"}}}, none),
        "a hash that is a number": (good | {"members": {STUDY: one | {"sha256": 5}}}, none),
        "bytes below none": (good | {"members": {STUDY: one | {"bytes": -1}}}, none),
        "bytes that are words": (good | {"members": {STUDY: one | {"bytes": "2"}}}, none),
        "a version that is none": (good | {"harness": 3}, none),
        "a study that leads out": (good | {"study": "../s"}, "no study can be called"),
        "a study that is none": (good | {"study": None}, "no study can be called"),
        "more than there is": (good | {"members": {STUDY: one | {"bytes": 2**70}}}, "bytes for"),
    }
    texts = {name: (json.dumps(each).encode(), said) for name, (each, said) in others.items()}
    return texts | {
        "no JSON": (b"\xff{", none),
        "too deep": (b"[" * 100_000, none),
    }


@pytest.mark.parametrize("case", manifests())
def test_a_manifest_that_is_none_is_refused(case: str, tmp_path: Path) -> None:
    manifest, said = manifests()[case]
    assert said in refused(packed(tmp_path / "bad.zip", {STUDY: b"{}"}, manifest), tmp_path)


def test_links_folders_and_what_is_encrypted_or_packed_otherwise_are_refused(
    made: tuple[Store, Path], tmp_path: Path
) -> None:
    inside, bad = contents(made[1]), tmp_path / "bad.zip"
    for kind in (stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO):
        refused(packed(bad, inside, external_attr=(kind | 0o777) << 16), tmp_path)
    encrypted = bytearray(packed(bad, inside).read_bytes())
    at = encrypted.index(b"PK\x01\x02")
    encrypted[at + 8] |= 1
    bad.write_bytes(encrypted)
    assert "encrypted" in refused(bad, tmp_path)
    assert "packed in another way" in refused(packed(bad, inside, compress_type=zipfile.ZIP_BZIP2), tmp_path)


@pytest.mark.parametrize("offset", [2**40, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_member_that_lies_beyond_any_file_is_refused(
    offset: int, made: tuple[Store, Path], tmp_path: Path
) -> None:
    """A zip says in 64 bits where a member begins; Python's own positions have 63."""
    path = packed(tmp_path / "bad.zip", contents(made[1]))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("studies/s/more.md", b"harmless")
        for info in archive.filelist:
            info.header_offset = offset
    refused(path, tmp_path)


def test_what_is_refused_leaves_a_store_that_is_in_use_as_it_was(
    made: tuple[Store, Path], tmp_path: Path
) -> None:
    """By every byte of the store: a file cut short, altered, with another member, and climbing out."""
    store = Store.at(tmp_path / "store").prepare()
    store.write_study("mine", "", [keep(store, "backprop", weights=weights((2, 2, 1), 1))])
    whole, inside = made[1].read_bytes(), contents(made[1])
    bad = tmp_path / "bad.zip"
    before = seen(store.path)
    for case in (
        *(lambda part=part: bad.write_bytes(whole[: len(whole) * part // 20]) for part in range(20)),
        lambda: packed(bad, inside | {STUDY: inside[STUDY] + b" "}, manifest_of(inside)),
        lambda: packed(bad, inside | {"parts/xor-backprop-0123456789ab/at-0.npz": b""}),
        lambda: packed(bad, inside | {"../out.md": b"harmless"}),
    ):
        case()
        with pytest.raises(InputError) as error:
            take_in(store, bad)
        assert "\n" not in str(error.value)
        assert seen(store.path) == before


def test_names_that_are_one_on_some_systems_are_refused(made: tuple[Store, Path], tmp_path: Path) -> None:
    inside, bad = contents(made[1]), tmp_path / "bad.zip"
    assert "some systems take for" in refused(packed(bad, inside | {"studies/s/TABLE.md": b"x"}), tmp_path)
    packed(bad, inside)
    with pytest.warns(UserWarning, match="Duplicate name"):
        _again(bad, STUDY, inside[STUDY])
    assert "some systems take for" in refused(bad, tmp_path)


def _told_over_and_over(inside: Contents, table: dict[str, dict[str, object]], manifest: bytes) -> bytes:
    """A zip whose own table of contents gives some members a size that none of them has."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in [*inside.items(), *((name, b"x") for name in table), (MANIFEST, manifest)]:
            archive.writestr(name, each)
        for info in archive.filelist:
            if info.filename in table:
                info.file_size = 2**30
    return file.getvalue()


def _again(path: Path, name: str, each: bytes) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, each)


def test_no_more_is_unpacked_than_was_declared(made: tuple[Store, Path], tmp_path: Path) -> None:
    """Of what blows up when it is unpacked: 20 MB of nothing in 20 kB, of which the manifest says 10."""
    inside, bad = contents(made[1]), tmp_path / "bad.zip"
    bomb = inside | {"studies/s/bomb.md": bytes(10)}
    vouched = manifest_of(bomb)
    packed(bad, bomb | {"studies/s/bomb.md": bytes(20_000_000)}, vouched)
    assert "has 20000000 bytes for 10" in refused(bad, tmp_path)
    # and where the zip's own table says 10, too
    lies = bad.read_bytes().replace((20_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    bad.write_bytes(lies)
    refused(bad, tmp_path)
    # and where many members are the same bytes of the file, told over and over
    declared = json.loads(vouched)
    table = {f"studies/s/{i}.md": {"bytes": 2**30, "sha256": 64 * "0"} for i in range(9)}
    declared["members"] |= table
    bad.write_bytes(_told_over_and_over(bomb, table, json.dumps(declared).encode()))
    assert "more than it can hold" in refused(bad, tmp_path)
    packed(bad, inside, b" " * (LARGEST + 1))
    assert "is longer than any" in refused(bad, tmp_path)


def test_what_the_disk_has_no_room_for_is_not_begun(
    made: tuple[Store, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / "s.zip", contents(made[1]))
    full = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    assert "has no room" in refused(path, tmp_path)


# what is in a record of a stranger


def changed(inside: Contents, change: Callable[[dict[str, object]], None]) -> Contents:
    """The contents with another cell.json in one record, sealed as the harness seals."""
    from harness.store.files import SEAL, _seal

    name = next(name for name in inside if name.endswith(META) and "backprop" in name)
    meta = json.loads(inside[name])
    del meta[SEAL]
    change(meta)
    return inside | {name: json.dumps(meta | {SEAL: _seal(meta)}).encode()}


STRANGE: dict[str, Callable[[dict[str, object]], None]] = {
    "another cell's id": lambda meta: meta.update(id="xor-backprop-000000000000"),
    "an id that leads out": lambda meta: meta.update(id="../../x"),
    "another rule than its id": lambda meta: meta.update(algorithm={"name": "os.system"}),
    "no mapping for the task": lambda meta: meta.update(task=["xor"]),
    "a number for the rule": lambda meta: meta.update(algorithm=5),
    "no such status": lambda meta: meta.update(status="won"),
    "no replicas": lambda meta: meta.update(run={"replicas": 0}),
    "replicas in words": lambda meta: meta.update(run={"replicas": "3"}),
    "versions that are a list": lambda meta: meta.update(versions=[1]),
    "a file that leads out": lambda meta: meta["files"].update({"../../../etc/hostname": 64 * "0"}),  # type: ignore[attr-defined]
    "a file that is not there": lambda meta: meta["files"].update({"probes.parquet": 64 * "0"}),  # type: ignore[attr-defined]
    "files that are numbers": lambda meta: meta.update(files={"curves.parquet": 5}),
}


@pytest.mark.parametrize("case", STRANGE)
def test_a_record_that_the_harness_does_not_write_is_refused(
    case: str, made: tuple[Store, Path], tmp_path: Path
) -> None:
    refused(packed(tmp_path / "bad.zip", changed(contents(made[1]), STRANGE[case])), tmp_path)


def test_definitions_and_failures_that_the_harness_does_not_write_are_refused(
    made: tuple[Store, Path], tmp_path: Path
) -> None:
    inside, bad = contents(made[1]), tmp_path / "bad.zip"
    study = json.loads(inside[STUDY])
    for other in (
        {"cells": ["../../x"]},
        {"cells": study["cells"][1:]},  # then a record is of no cell of it
        {"cells": "xor"},
        {"question": 5},
    ):
        refused(packed(bad, inside | {STUDY: json.dumps(study | other).encode()}), tmp_path)
    failure = next(name for name in inside if name.startswith("failed/"))
    note = json.loads(inside[failure])
    for other in ({"id": study["cells"][0]}, {"task": 5}, {"status": None}, {"reason": ["x"]}):
        refused(packed(bad, inside | {failure: json.dumps(note | other).encode()}), tmp_path)
    refused(packed(bad, inside | {failure: b"["}), tmp_path)


class Loud:
    """Says so when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a pickle of a stranger's was opened",))


def test_nothing_in_a_file_is_run_or_imported(
    made: tuple[Store, Path], tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a pickle in its weights; and no cell is built."""
    inside = contents(made[1])
    name = next(name for name in inside if name.endswith("weights.npz") and "backprop" in name)
    file = io.BytesIO()
    np.savez(file, loud=np.array([Loud()], dtype=object))
    inside[name] = file.getvalue()
    digest = hashlib.sha256(inside[name]).hexdigest()
    inside = changed(inside, lambda meta: meta["files"].update({"weights.npz": digest}))  # type: ignore[attr-defined]
    path = packed(tmp_path / "loud.zip", inside)
    with monkeypatch.context() as patched:
        patched.setattr(Cell, "of", lambda *_: pytest.fail("a cell was built"))
        patched.setattr(Cell, "made", lambda *_: pytest.fail("a cell was built"))
        take_in(Store.at(tmp_path / "other"), path)
        frame = results.cells(source=path)
    assert "backprop" in frame["algorithm"].tolist()
    with pytest.raises(InputError, match=r"weights.npz is damaged"):
        _ = results.records(source=path, algorithm="backprop")[0].weights


def test_a_rule_that_is_not_known_here_is_read_all_the_same_and_not_looked_for(
    made: tuple[Store, Path], tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stranger.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    inside = contents(made[1])
    text = {name: each.replace(b"backprop", b"stranger") for name, each in inside.items() if name == STUDY}
    assert text
    renamed: Contents = {}
    for name, each in inside.items():
        if name.endswith(META):
            meta = json.loads(each)
            del meta["seal"]  # records of the first versions had none
            each = json.dumps(meta).replace("backprop", "stranger").encode()
        renamed[name.replace("backprop", "stranger")] = text.get(name, each)
    path = packed(tmp_path / "s.zip", renamed)
    assert "stranger" not in registry.algorithms()
    assert "stranger" in results.cells(source=path)["algorithm"].tolist()
    assert len(results.replicas(source=path, algorithm="stranger")) == 3


def test_numbers_that_blow_up_are_not_read(tmp_path: Path) -> None:
    """An npz or a parquet whose few bytes say that they hold a hundred million numbers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from harness.store.files import read_arrays, read_columns

    np.savez_compressed(tmp_path / "w.npz", zeros=np.zeros(10_000_000))
    with pytest.raises(ValueError, match="more than it is long"):
        read_arrays(tmp_path / "w.npz")
    runs = pa.table({"x": pa.array(np.zeros(5_000_000, np.int64))})
    pq.write_table(runs, tmp_path / "c.parquet", compression="zstd")
    with pytest.raises(ValueError, match="too small for"):
        read_columns(tmp_path / "c.parquet")


def test_tuned_settings_go_along_and_stay_with_the_study(tmp_path: Path) -> None:
    """What they cost is in the table there as it is here; no run there takes them."""
    from harness.results import table
    from harness.tuning.shelf import shelves

    home = Store.at(tmp_path / "home").prepare()
    i = keep(home, "backprop", XOR, (S,), (10,))
    home.write_study("s", "Who?", [i])
    meta = home.read(i).meta
    rate = {"optimiser.lr": meta["algorithm"]["optimiser"]["lr"]}
    said = {"algorithm": rate, "run": {"epochs": BUDGET}, "asked": {}, "found": {"gflop": 12.5}}
    shelf = shelves(home.path)[0] / "xor"
    shelf.mkdir(parents=True)
    (shelf / "backprop.yaml").write_text(json.dumps(said), encoding="utf-8")
    (row,) = table.build(home, "s")
    assert row.tuning_flops == 12.5e9
    file = export(home, "s", tmp_path / "s.zip").path
    assert "tuned/xor/backprop.yaml" in contents(file)
    other = Store.at(tmp_path / "other")
    take_in(other, file)
    assert not (other.path / "tuned").exists()
    assert table.to_csv(table.build(other, "s")) == table.to_csv([row])
    assert export(other, "s", tmp_path / "back.zip").path.read_bytes() == file.read_bytes()
