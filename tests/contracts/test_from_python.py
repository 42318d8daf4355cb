"""Held to what somebody at a prompt or in a notebook expects of `run` and `compare`."""

from __future__ import annotations

import inspect
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure

from algorithms.backprop import Backprop
from harness import InputError, Result, compare, run
from harness.cells.settings import Settings
from harness.core.outcomes import SOLVED
from harness.experiment import bar
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


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """A pseudo-terminal as stderr; what was written on it since it was last asked."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    with os.fdopen(theirs, "w") as stderr, os.fdopen(ours, "rb") as read, monkeypatch.context() as patch:
        patch.setenv("TERM", "xterm")
        patch.setattr(sys, "stderr", stderr)
        yield lambda: (read.read() or b"").decode()


def test_a_bar_is_on_a_terminal_while_it_runs_and_gone_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar, "PATIENCE", 0)
    with terminal(monkeypatch) as told:
        shown = ""

        def tick(epoch: int) -> None:
            nonlocal shown
            until = monotonic() + 5
            while "xor backprop ━" not in shown and monotonic() < until:
                sleep(0.01)
                shown += re.sub(r"\x1b\[\d+m", "", told())

        run("backprop", "xor", tick=tick, **SMALL)
        assert "xor backprop ━" in shown
        assert told().endswith("\r\x1b[1A\x1b[2K"), "the last that is written wipes its line"
        sleep(0.05)
        assert told() == "", "nobody draws any more"


def test_no_bar_is_drawn_of_what_is_soon_over_nor_where_it_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with terminal(monkeypatch) as told:
        run("backprop", "xor", **SMALL)
        monkeypatch.setattr(bar, "PATIENCE", 0)
        run("backprop", "xor", tick=lambda _: sleep(0.02), progress=False, **SMALL)
        assert told() == ""
        run("backprop", "xor", tick=lambda _: sleep(0.02), **SMALL)
        assert told() != "", "else this test could not fail"


def test_chunks_and_processes_move_the_bar_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.experiment.chunks.LARGEST", 2)
    monkeypatch.setattr("harness.experiment.chunks.SMALLEST", 1)
    reached: list[tuple[float, float]] = []

    @contextmanager
    def kept(title: str, total: float, **_: Any) -> Iterator[bar.Bar]:
        yield (at := bar.Bar(title, total))
        reached.append((at.done, at.total))

    monkeypatch.setattr(bar, "bar", kept)
    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", lambda n, **_: ThreadPoolExecutor(n))
    for processes in (1, 2):
        run("backprop", "xor", processes=processes, **SMALL)
    assert reached == [(10, 10), (10, 10)], "two chunks of five epochs"


def test_a_comparison_has_a_bar_over_its_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar, "PATIENCE", 0)
    cells: dict[str, Any] = {"algorithms": ["backprop", "shallow"], "tasks": ["xor"], "figures": False}
    with terminal(monkeypatch) as told:
        compare(**cells, store=str(tmp_path / "shown"), **SMALL)
        shown = told()
        assert "xor by backprop" in shown
        assert "2/2" in shown
        assert shown.endswith("\r\x1b[1A\x1b[2K")
        compare(**cells, store=str(tmp_path / "off"), progress=False, **SMALL)
        assert told() == ""


def test_where_nobody_watches_there_is_no_bar_and_nothing_is_imported_for_it() -> None:
    program = (
        "import sys; from time import sleep; from harness import run; from harness.experiment import bar\n"
        "bar.PATIENCE = 0\n"
        "run('backprop', 'xor', tick=lambda _: sleep(.02), replicas=3, epochs=5)\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('rich', 'IPython')])\n"
    )
    environment = os.environ | {"FORCE_COLOR": "1"}  # as where logs are coloured
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_progress_is_yes_or_no_and_no_setting() -> None:
    assert "progress" not in Settings.__dataclass_fields__
    for function in (partial(run, "backprop", "xor"), partial(compare, ["backprop"], ["xor"])):
        with pytest.raises(InputError, match="progress must be True or False, but 'no' was given"):
            function(progress="no", **SMALL)
    with pytest.raises(InputError, match="did you mean 'progress'"):
        run("backprop", "xor", progres=False, **SMALL)


def test_a_notebook_shows_a_figure_as_a_picture() -> None:
    shown, _ = DisplayFormatter().format(run("backprop", "xor", **SMALL).plot())
    assert shown["image/png"].startswith(b"\x89PNG")


def test_the_figure_has_the_numbers_of_the_curves_and_leaves_pyplot_alone() -> None:
    result = run("backprop", "xor", replicas=20, epochs=400, seed=1)
    assert 0 < result.solved.sum() < 20
    before = plt.get_fignums()
    figure = result.plot()
    assert isinstance(figure, Figure)
    assert plt.get_fignums() == before
    loss, unsolved = figure.axes
    curves = result.curves().query("epoch >= 1")
    x, y = loss.lines[0].get_data()
    told = dict(zip(curves["epoch"], curves["loss_q50"], strict=True))
    assert all(told[epoch] == value for epoch, value in zip(x, y, strict=True))
    # points that a straight line between others passes within a hair are left out
    np.testing.assert_allclose(
        np.interp(np.log(curves["epoch"]), np.log(x), y), curves["loss_q50"], rtol=0.03
    )
    edges = loss.collections[0].get_paths()[0].vertices[:, 1]
    assert set(edges) <= set(curves["loss_q25"]) | set(curves["loss_q75"])
    ends = result.frame()
    for epoch, share in zip(*unsolved.lines[0].get_data(), strict=True):
        never = ends["outcome"] != SOLVED
        steps = [(never | late).mean() for late in (ends["epochs"] > epoch, ends["epochs"] >= epoch)]
        assert any(share == pytest.approx(step) for step in steps), (
            "no replica is censored before the end: Kaplan-Meier counts"
        )
