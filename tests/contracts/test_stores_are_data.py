"""Stores held to being data: whatever a file of theirs says a thing is called, nothing is read, written or
told under a name that the harness does not give; what is misshapen says nothing, or one sentence."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import results
from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.store import mlflow_later, said
from harness.store.files import META, SEAL, Damaged, _seal, json_text
from harness.store.mlflow_note import Note, note_path
from harness.store.store import Store
from helpers.kept import XOR, keep
from helpers.made_up import S

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=6,
)
NAMES = ("id", "status", "reason", "algorithm", "task", "run", "versions", "ran", "files")
INNER = ("made", "run.epochs", "run.seed", "run.backend", "task.name", "task.hidden", "algorithm.optimiser")
INNER += (
    "algorithm.optimiser.lr",
    "algorithm.optimiser.momentum",
    "algorithm.optimiser.name",
    "versions.code",
)
once = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


@pytest.fixture
def one(store: Store) -> str:
    """The id of a cell that a study `s` is made of."""
    i = keep(store, "backprop", XOR, (S, S), (10, 20))
    store.write_study("s", "Who?", [i])
    return i


@once
@given(st.sampled_from(NAMES + INNER), JSON)
def test_a_record_that_says_anything_is_a_record_or_damaged(
    store: Store, one: str, name: str, value: object
) -> None:
    """Sealed as the harness seals: the seal is no secret."""
    path = store.cell_folder(one) / META
    whole = path.read_text(encoding="utf-8")
    meta = {key: each for key, each in json.loads(whole).items() if key != SEAL}
    *outer, last = name.split(".")
    inside = meta
    for part in outer:
        inside = inside[part]
    inside[last] = value
    path.write_text(json.dumps(meta | {SEAL: _seal(meta)}), encoding="utf-8")
    try:
        with suppress(Damaged):
            assert results.cells("s", store)["id"].tolist() == [one]
            store.read(one).damage()
    finally:
        path.write_text(whole, encoding="utf-8")


@once
@given(st.sampled_from([*NAMES[:6], "traceback", "begun"]), JSON)
def test_a_note_of_a_failure_that_says_anything_is_one_or_none(
    store: Store, name: str, value: object
) -> None:
    cell = Cell.of({"name": "perceptron"}, XOR, {"replicas": 2, "epochs": 3})
    store.write_failure(cell, "ValueError: no", "Traceback …")
    path = store.path / "failed" / f"{cell.id}.json"
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | {name: value}), encoding="utf-8"
    )
    store.write_study("s", "Who?", [cell.id])
    assert results.cells("s", store)["status"].tolist() in (["failed"], ["not run"])


def test_no_file_beyond_a_record_is_read_because_its_list_says_so(
    store: Store, one: str, tmp_path: Path
) -> None:
    """That it is there, and what its hash is, would be told."""
    secret = tmp_path / "secret"
    secret.write_text("nobody's business", encoding="utf-8")
    path = store.cell_folder(one) / META
    meta = {key: each for key, each in json.loads(path.read_text(encoding="utf-8")).items() if key != SEAL}
    meta["files"] |= {"../../../secret": 64 * "0"}
    path.write_text(json.dumps(meta | {SEAL: _seal(meta)}), encoding="utf-8")
    assert "which no record has" in store.read(one).damage()


def test_a_study_is_called_as_its_folder_and_by_no_name_that_none_can_have(store: Store, one: str) -> None:
    path = store.study_folder("s") / "study.json"
    path.write_text(
        json_text(json.loads(path.read_text(encoding="utf-8")) | {"name": "../x"}), encoding="utf-8"
    )
    assert store.study("s")["name"] == "s"
    strange = store.path / "studies" / "a b"
    strange.mkdir()
    (strange / "study.json").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert store.studies() == ["s"]


@pytest.mark.parametrize(
    "cells", [["../../x"], ["xor-backprop"], [5], "xor", {"a": 1}, [["xor-backprop-0123456789ab"]]]
)
def test_a_definition_with_cells_that_are_none_is_damaged(store: Store, one: str, cells: object) -> None:
    path = store.study_folder("s") / "study.json"
    path.write_text(json.dumps({"name": "s", "question": "", "cells": cells}), encoding="utf-8")
    with pytest.raises(InputError, match=r"study.json is damaged"):
        store.study("s")


def test_what_is_nested_without_end_is_damaged_or_none(store: Store, one: str) -> None:
    deep = '{"a":' * 100_000
    failed = Cell.of({"name": "perceptron"}, XOR, {"replicas": 2, "epochs": 3})
    store.write_failure(failed, "ValueError: no", "")
    (store.path / "failed" / f"{failed.id}.json").write_text(deep, encoding="utf-8")
    assert store.failures([failed.id]) == {}
    (store.study_folder("s") / "said.json").write_text(deep, encoding="utf-8")
    assert said.kept(store, "s") is None
    (store.cell_folder(one) / META).write_text(deep, encoding="utf-8")
    assert "is damaged" in store.read(one).damage()
    (store.study_folder("s") / "study.json").write_text(deep, encoding="utf-8")
    with pytest.raises(InputError, match=r"study.json is damaged"):
        store.study("s")


@pytest.mark.parametrize(
    "change", [{"study": "../s"}, {"study": 5}, {"uri": 5}, {"uri": ""}, {"more": 1}, {"study": ["s"]}]
)
def test_a_request_that_the_harness_does_not_write_is_none(
    store: Store, one: str, change: dict[str, object]
) -> None:
    folder = mlflow_later.folder(store)
    folder.mkdir()
    request = asdict(mlflow_later.Request("s", "sqlite:///x.db"))
    (folder / "good.json").write_text(json.dumps(request), encoding="utf-8")
    (folder / "bad.json").write_text(json.dumps(request | change), encoding="utf-8")
    assert [path.name for path in mlflow_later.requests(store)] == ["good.json"]


@pytest.mark.parametrize("change", [{"runs": ["x"]}, {"runs": {"x": 5}}, {"experiment": 5}, {"left": "x"}])
def test_a_note_of_what_was_sent_that_is_misshapen_is_none(
    store: Store, one: str, change: dict[str, object]
) -> None:
    path = note_path(store, "s", "sqlite:///x.db")
    path.parent.mkdir()
    good = {"experiment": "1", "runs": {one: 32 * "0"}, "left": [], "words": ""}
    path.write_text(json.dumps(good), encoding="utf-8")
    assert Note.of(store, "s", "sqlite:///x.db") is not None
    path.write_text(json.dumps(good | change), encoding="utf-8")
    assert Note.of(store, "s", "sqlite:///x.db") is None
