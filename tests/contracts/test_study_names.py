"""Held to one sentence: a study's name is one plain name, and no name of a study or a cell leads out of its
store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import results
from harness.cli.dashboard import serve
from harness.core.errors import InputError
from harness.store.names import LENGTH
from harness.store.store import Store
from helpers.kept import keep

Harness = Callable[..., tuple[int, str, str]]
NO_NAMES = [
    "../../X", "/tmp/X", "../cells", "", ".", "..", "a\nb", "x" * 300, "a/b", "a\\b", ".hidden", "-m", "a b",
    "a\0b", "größe", "scratch\n",
]  # fmt: skip
NO_IDS = ["../../format", "..", "", "xor-backprop-0123456789ab/../..", "/etc/passwd", "xor", 3]


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


RUN, SWEEP = ["run.replicas=2"], ["-m", "hydra/launcher=basic"]


@pytest.mark.parametrize(
    ("mode", "name"),
    [(SWEEP, "../../X"), *((RUN, name) for name in ("../../X", "/tmp/X", "", "a\nb", "x" * 300))],
)
def test_the_command_line_refuses_what_is_no_name_before_anything_runs(
    harness: Harness,
    store: Store,
    tmp_path: Path,
    name: str,
    mode: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ran(*_: object, **__: object) -> None:
        raise AssertionError("a cell was run")

    monkeypatch.setattr("harness.studies.attempt.run_cell", ran)
    before = everything(tmp_path)
    quoted = name.replace("\\", "\\\\")
    code, out, err = harness(*mode, "run.epochs=3", f"study.name='{quoted}'")
    assert (code, out) == (2, "")
    assert err.startswith(f"harness: a study's name must be 1 to {LENGTH} letters")
    assert err.count("\n") == 1
    assert len(err) < 300
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", [*NO_NAMES, 3, ["a", "b"]])
def test_no_way_in_takes_what_is_no_name(store: Store, tmp_path: Path, name: str) -> None:
    (tmp_path / "X" / "joined").mkdir(parents=True)
    before = everything(tmp_path)
    ways: list[Callable[[], object]] = [
        lambda: store.study(name),
        lambda: store.records(name),
        lambda: store.write_study(name, "", []),
        lambda: store.join_study(name, "", "xor-backprop-0123456789ab"),
        lambda: results.cells(name, store),
        lambda: results.replicas(name, store),
    ]
    for way in ways:
        with pytest.raises(InputError, match="a study's name must be"):
            way()
    assert everything(tmp_path) == before
    store.write_study("s", "", [])
    with pytest.raises(InputError, match="unknown study"):
        serve(store, str(name), 5000)


@pytest.mark.parametrize("given", NO_IDS)
def test_what_is_no_id_of_a_cell_is_not_looked_for(store: Store, given: str) -> None:
    for way in (store.has, store.read, store.cell_folder, lambda i: store.failures([i])):
        with pytest.raises(InputError, match="a cell's id is task-algorithm-hash"):
            way(given)
    store.write_study("s", "", [])
    about = {"name": "s", "question": "", "cells": [given]}
    (store.study_folder("s") / "study.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"study\.json is damaged \(a cell's id is"):
        results.cells("s", store)


@pytest.mark.parametrize("name", ["20260913", "a", "_", "A.b-c_1", "x" * LENGTH])
def test_a_plain_name_is_taken_as_text(harness: Harness, store: Store, name: str) -> None:
    code, _, err = harness("run.replicas=1", "run.epochs=1", f"study.name={name}", "study.question=7")
    assert code == 0, err
    assert store.study(name)["question"] == "7"
    assert len(results.cells(name, store)) == 1


@pytest.mark.parametrize("given", ["study.name=null", "study.question=null", "study.name=[a]"])
def test_a_name_and_a_question_are_text_by_type(harness: Harness, store: Store, given: str) -> None:
    before = everything(store.path)
    code, out, err = harness("run.replicas=1", "run.epochs=1", given)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert given.partition("=")[0] in err
    assert everything(store.path) == before


def test_a_second_study_is_not_taken_for_a_source(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_STORE", str(store.path))
    for name in ("a", "b"):
        store.write_study(name, "", [keep(store, "backprop")])
    with pytest.raises(
        InputError, match=r"'b' was given as the source.* but it is a study .*one study at a time"
    ):
        results.cells("a", "b")
    assert len(results.cells("b")) == 1
