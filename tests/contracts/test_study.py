"""Held to what a study promises: nothing finished is lost or done twice, whatever is killed; every cell is
told, and lost ones first."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.registry import algorithms
from harness.store.store import Store
from helpers.processes import HEARING, alive, children

Harness = Callable[..., tuple[int, str, str]]
SWEEP = (
    "-m",
    "task=xor",
    "algorithm=backprop",
    "run.seed=1,2,3,4",
    "run.replicas=400",
    "run.epochs=3000",
    "figures=false",
    "tracking.enabled=false",
)


def stamps(store: Store) -> dict[str, int]:
    return {p.parent.name: p.stat().st_mtime_ns for p in (store.path / "cells").glob("[!.]*/cell.json")}


@pytest.mark.slow  # three commands; test_stress.py kills a study in make test
def test_a_study_killed_between_cells_loses_none_and_repeats_none(store: Store) -> None:
    env = os.environ | {"HARNESS_STORE": str(store.path)}
    command = [sys.executable, "-m", "harness", *SWEEP, "hydra/launcher=basic"]
    killed = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while killed.poll() is None and not stamps(store):
        time.sleep(0.005)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    before = stamps(store)
    assert 1 <= len(before) < 4, "the kill came too late to test anything"
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    after = stamps(store)
    assert len(after) == 4
    assert {name: after[name] for name in before} == before, "a finished cell was written again"
    assert "xor" in done.stdout
    again = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert stamps(store) == after
    assert again.stdout == done.stdout, "a finished study says the same again"


def test_workers_and_one_process_give_the_same_bits(harness: Harness, tmp_path: Path) -> None:
    import numpy as np

    records = []
    sweep = ("-m", "task=xor", "run.seed=1,2", "run.replicas=20", "run.epochs=300", "figures=false")
    paths = [tmp_path / name for name in ("processes", "joblib", "basic")]
    for path in paths:
        given = (*sweep, f"hydra/launcher={path.name}", f"store={path}")
        if path.name == "joblib":  # its workers stay with the process that started them
            command = [sys.executable, "-m", "harness", *given, "tracking.enabled=false"]
            subprocess.run(command, capture_output=True, check=True)
        else:
            assert harness(*given)[0] == 0
        records.append(Store.at(path).records("scratch"))
    ids = [[r.id for r in some] for some in records]
    assert ids[0] == ids[1] == ids[2]
    for a, *others in zip(*records, strict=True):
        for b in others:
            np.testing.assert_array_equal(a.replicas["epochs"], b.replicas["epochs"])
            for name, weights in a.weights.items():
                np.testing.assert_array_equal(weights, b.weights[name])


def test_figures_that_were_not_drawn_are_drawn_by_the_same_command(harness: Harness, store: Store) -> None:
    sweep = ("-m", "hydra/launcher=basic", "run.seed=1,2", "run.replicas=2", "run.epochs=3")
    for figures, expected in (("false", set()), ("true", {"survival.png", "loss.png", "ert.png"})):
        code, out, _ = harness(*sweep, f"figures={figures}")
        assert code == 0
        folder = store.path / "studies" / "scratch"
        assert {p.name for p in folder.glob("*.png")} == expected
        assert (folder / "table.md").is_file()
        assert ("table and figures:" in out) == bool(expected)


def test_figures_are_drawn_once_when_no_cell_is_missing(
    harness: Harness, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not while a cell is lost, not again when nothing is new, again when a record was made anew."""
    drawn: list[str] = []
    monkeypatch.setattr("harness.plots.write_figures", lambda _, study: drawn.append(study))
    sweep = ("-m", "hydra/launcher=basic", "run.seed=1,2", "run.replicas=2", "run.epochs=3")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("harness.store.files.np.savez", full)
        code, out, _ = harness(*sweep)
        assert (code, drawn) == (1, [])
        assert "(figures are drawn when no cell is lost)" in out
    for _ in range(2):
        code, out, _ = harness(*sweep)
        assert (code, drawn) == (0, ["scratch"])
        assert "table and figures: " in out
    time.sleep(1)  # records say when they were made to the second
    record = store.path / "cells" / store.cells()[0]
    (record / "replicas.parquet").write_bytes(b"cut")
    assert harness(*sweep)[0] == 0
    assert drawn == ["scratch"] * 2


def test_not_applicable_cells_are_rows_with_their_reason(harness: Harness, store: Store) -> None:
    code, out, _ = harness(
        "-m", "hydra/launcher=basic", "algorithm=backprop,perceptron", "run.replicas=3", "run.epochs=20",
        "task.criterion=margin", "task.target_off=.2", "task.target_on=.8", "task.bound=.1",
    )  # fmt: skip
    assert code == 0
    assert "0 or 1" in out.replace("\n", " ")
    reasons = [r.meta["reason"] for r in store.records("scratch") if not r.finished]
    assert len(reasons) == 1
    assert reasons[0].startswith("perceptron does not apply to xor")


def test_a_cell_whose_code_raises_is_told_and_the_others_are_kept(
    harness: Harness, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from algorithms.shallow import Shallow

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(Shallow, "credit", broken)
    sweep = ("-m", "hydra/launcher=basic", "algorithm=backprop,shallow", "run.replicas=3", "run.epochs=20")
    code, out, err = harness(*sweep)
    assert code == 1
    assert "backprop" in out
    assert "RuntimeError: planted" in err
    assert len(store.records("scratch")) == 1
    monkeypatch.undo()
    monkeypatch.setenv("HARNESS_STORE", str(store.path))
    code, _, _ = harness(*sweep)
    assert code == 0, "mended code is tried again"
    assert len(store.records("scratch")) == 2


@pytest.mark.slow
def test_the_command_line_adds_to_every_block_of_a_study(harness: Harness, store: Store) -> None:
    code, out, _ = harness(
        "-m", "study=first_light", "hydra.launcher.n_jobs=2", "run.replicas=1", "run.epochs=2"
    )
    assert code == 0
    records = store.records("first_light")
    assert {r.meta["run"]["replicas"] for r in records} == {1}
    assert {r.meta["task"]["name"] for r in records} == {"xor", "encoder", "symmetry", "family_tree"}
    assert {r.meta["algorithm"]["name"] for r in records} == set(algorithms()), (
        "every algorithm is in first light"
    )
    folder = store.path / "studies" / "first_light"
    assert {"table.csv", "table.md", "survival.png", "loss.png"} <= {p.name for p in folder.iterdir()}
    assert "family_tree" in out or "family tree" in out


BASE = """name: base
question: What?
common: [run.replicas=2, run.epochs=3]
cells:
  - [task=xor, "algorithm=backprop,shallow"]
small_cells:
  - [task=xor, algorithm=backprop, run.replicas=1]
"""
EXTENDED = """defaults: [base, _self_]
name: extended
more:
  - [task=encoder, algorithm=backprop, run.epochs=1]
"""


@pytest.mark.parametrize(
    ("study", "small", "expected"),
    [
        ("base", False, {("xor", "backprop", 2, 3), ("xor", "shallow", 2, 3)}),
        ("base", True, {("xor", "backprop", 1, 3)}),
        (
            "extended",
            False,
            {("xor", "backprop", 2, 3), ("xor", "shallow", 2, 3), ("encoder", "backprop", 2, 1)},
        ),
    ],
)
def test_a_study_has_common_overrides_a_small_form_and_can_extend_another(
    harness: Harness,
    store: Store,
    tmp_path: Path,
    study: str,
    small: bool,
    expected: set[tuple[str, str, int, int]],
) -> None:
    (tmp_path / "conf" / "study").mkdir(parents=True)
    for name, text in (("base", BASE), ("extended", EXTENDED)):
        (tmp_path / "conf" / "study" / f"{name}.yaml").write_text(text)
    folder = f"--config-dir={tmp_path / 'conf'}"
    code, _, err = harness(folder, "-m", f"study={study}", f"small={small}", "hydra/launcher=basic")
    assert code == 0, err
    metas = [r.meta for r in store.records(study)]
    found = {
        (m["task"]["name"], m["algorithm"]["name"], m["run"]["replicas"], m["run"]["epochs"]) for m in metas
    }
    assert found == expected


def test_a_study_without_a_small_form_says_so(harness: Harness) -> None:
    code, _, err = harness("-m", "study=a_units", "small=true", "hydra/launcher=basic")
    assert code == 2
    assert "'a_units' has no small form" in err


def test_the_sweep_of_the_readme_sees_each_algorithm_once(harness: Harness, store: Store) -> None:
    code, _, _ = harness(
        "-m",
        "hydra.launcher.n_jobs=2",
        "figures=false",
        "algorithm=glob(*)",
        "task=xor",
        "run.replicas=1",
        "run.epochs=2",
    )
    assert code == 0
    assert sorted(r.meta["algorithm"]["name"] for r in store.records("scratch")) == sorted(algorithms())


def test_a_study_that_takes_the_place_of_another_says_so_and_keeps_its_definition(
    harness: Harness, store: Store
) -> None:
    sweep = (
        "-m",
        "hydra/launcher=basic",
        "study.name=mine",
        "run.replicas=1",
        "run.epochs=1",
        "figures=false",
    )
    assert harness(*sweep, "run.seed=1,2,3")[0] == 0
    first = store.study("mine")["cells"]
    code, _, err = harness(*sweep, "run.seed=3,4")
    assert code == 0
    said = "harness: study 'mine' has other cells now: 2 of the 3 it had are in it no longer (their records"
    assert said in err
    (kept,) = (store.study_folder("mine") / "earlier").iterdir()
    assert json.loads(kept.read_text())["cells"] == first
    assert all(map(store.has, first)), "records stay"
    code, _, err = harness(*sweep, "run.seed=3,4,5")
    assert "other cells" not in err, "nothing is left out"
    code, _, err = harness(*sweep, "run.seed=3,4,5")
    assert (code, err) == (0, "")
    assert len(list((store.study_folder("mine") / "earlier").iterdir())) == 1


def test_what_was_lost_is_told_though_the_disk_takes_no_figure(
    harness: Harness, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: the cell, the table and the figures do not fit."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.store.files.np.savez", full)
    monkeypatch.setattr("harness.results.table.write_atomically", full)
    code, out, err = harness("-m", "hydra/launcher=basic", "run.seed=1,2", "run.replicas=1", "run.epochs=1")
    assert code == 1
    assert "Traceback" not in out + err
    told = [line for line in err.splitlines() if line.startswith("harness: ")]
    assert len(told) == 3, err
    for line in told[:2]:
        assert "was lost: cell xor-backprop" in line
        assert "No space left on device" in line, "why, in the words of the launcher's job"
    assert told[2].startswith("harness: the table, figures or page of study 'scratch' could not be made: ")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="there is no /proc to see processes in")
def test_workers_of_another_launcher_end_with_their_parent(store: Store) -> None:
    """joblib's would hold their memory, and stdout, for good."""
    command = [sys.executable, "-m", "harness", "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    command += ["run.seed=1,2", "run.replicas=4000", "run.epochs=1000000", "tracking.enabled=false"]
    command += ["task.criterion=error", "task.bound=1e-9", f"store={store.path}"]
    sweep = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and sum(map(at_work, children(sweep.pid))) < 2:
        time.sleep(0.1)
    below = children(sweep.pid)
    assert sum(map(at_work, below)) >= 2, below
    sweep.kill()
    sweep.communicate(timeout=60)  # until nobody holds its stdout
    while any(map(alive, below)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in below if alive(pid)]


def at_work(pid: int) -> bool:
    """Whether a worker has been handed a job: it has used more than it takes to wait for one."""
    try:
        user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        return False
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") > 3


@pytest.mark.parametrize("door", ["harness", "harness.replicate", "harness.cost"])
@pytest.mark.parametrize("after", ["harness.cli", "numpy"])
def test_ctrl_c_during_the_imports_is_no_traceback(after: str, door: str) -> None:
    command = [*HEARING, sys.executable, "-X", "importtime", "-m", door, "run.replicas=1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:  # a line for each module, when it has been imported
            if line.rstrip().endswith(f" {after}"):
                break
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        process.wait(timeout=60)
    assert "Traceback" not in said, said
    assert "harness: interrupted" in said
    assert process.returncode in (130, -signal.SIGINT)
