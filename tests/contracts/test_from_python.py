"""Held to what somebody at a prompt or in a notebook expects of `run` and `compare`."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from algorithms.backprop import Backprop
from harness import InputError, Result, compare, run
from harness.cells.settings import Settings
from harness.store.store import Store
from harness.tasks.xor import Xor

SMALL: dict[str, Any] = {"replicas": 3, "epochs": 5}


class Mine(Backprop):
    """A rule of this session."""


def test_the_settings_stand_in_the_signature() -> None:
    shown = inspect.signature(run).parameters
    assert {f.name: f.default for f in fields(Settings)} == {
        f.name: shown[f.name].default for f in fields(Settings)
    }


@pytest.mark.parametrize(
    "given", [("backprop", "xor"), (Backprop, Xor), (Backprop(), "xor"), ("backprop", Xor())]
)
def test_a_class_or_a_name_stands_for_its_defaults(given: tuple[Any, Any]) -> None:
    assert run(*given, **SMALL).trained.loss.tolist() == run(Backprop(), Xor(), **SMALL).trained.loss.tolist()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((Xor(), Backprop()), "Xor is a task, and stands where the algorithm is expected"),
        (("xor", "backprop"), "'xor' is a task, and stands where the algorithm is expected"),
        ((Backprop, Backprop), "Backprop is an algorithm, and stands where the task is expected"),
        (("bakprop", "xor"), "did you mean 'backprop'"),
        ((3, "xor"), "the algorithm must be one, its class or its name, but 3 was given"),
    ],
)
def test_anything_else_is_one_sentence(given: tuple[Any, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as said:
        run(*given, **SMALL)
    assert "\n" not in str(said.value)


def test_a_result_shows_itself_in_a_line_and_has_weights_and_cost() -> None:
    result: Result = run("backprop", "xor", **SMALL)
    assert len(repr(result)) < 100
    assert "0 of 3 replicas solved" in repr(result)
    assert str(result).splitlines()[0] in result._repr_html_()
    assert result.weights["input-hidden"].shape == (3, 2, 2)
    assert result.cost["update.work"] == 257  # as docs/three-readings.md counts it


def test_a_comparison_is_a_study_like_any_other(tmp_path: Path) -> None:
    study = compare(
        [Mine(), "shallow"], [Xor(), "encoder"], store=str(tmp_path / "s"), figures=False, **SMALL
    )
    assert list(zip(study.cells["task"], study.cells["algorithm"], strict=True)) == [
        ("xor", "mine"),
        ("xor", "shallow"),
        ("encoder", "mine"),
        ("encoder", "shallow"),
    ]
    assert len(study.replicas) == 12
    assert "mine" in str(study)
    assert "<table" in study._repr_html_()
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "s" / "cells").glob("*/cell.json")}
    compare([Mine(), "shallow"], [Xor(), "encoder"], store=Store.at(tmp_path / "s"), figures=False, **SMALL)
    assert {p: p.stat().st_mtime_ns for p in before} == before, "what is there is not run again"


def test_what_cannot_do_a_task_is_a_row_of_a_comparison(tmp_path: Path) -> None:
    study = compare(
        ["perceptron", "backprop"], ["traffic"], store=str(tmp_path), figures=False, replicas=1, epochs=1
    )
    assert study.cells["status"].tolist() == ["not applicable", "finished"]


def test_processes_have_the_same_bits_and_refuse_a_class_of_the_session(tmp_path: Path) -> None:
    one, two = (
        compare(
            ["backprop", "shallow"],
            ["xor"],
            store=str(tmp_path / str(n)),
            processes=n,
            figures=False,
            **SMALL,
        )
        for n in (1, 2)
    )
    assert one.replicas["loss"].tolist() == two.replicas["loss"].tolist()
    with pytest.raises(InputError, match="Mine is of this session"):
        compare([Mine()], ["xor"], store=str(tmp_path / "no"), processes=2, figures=False, **SMALL)


def test_a_class_of_a_notebook_cannot_be_split_over_processes() -> None:
    program = (
        "from algorithms.backprop import Backprop\n"
        "class Mine(Backprop): pass\n"
        "from harness import run, InputError\n"
        "try: run(Mine(), 'xor', replicas=100, epochs=2, processes=2)\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True)
    assert "Mine is defined in this session" in done.stdout, done.stderr
