"""Held to what a store promises when everything goes wrong at once: nothing finished is lost or made twice,
and what there is in the end has the bits that an undisturbed run gives.

Kills of studies that nobody is told of are `bench.torture`'s (its small form: test_torture.py). Two kills
of a search run always; 20 of them, 60 of a study that MLflow is told of, and 200 cells into 10,000 records,
by `make stress`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from harness import results
from harness.cells.cell import Cell
from harness.experiment.run import run_cell
from harness.store.mlflow_note import tracking_uri
from harness.store.store import Store

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
LONG = pytest.mark.slow
RUN = {"replicas": 60, "epochs": 600}
SEEDS = range(1, 7)


def stamps(store: Store) -> dict[str, int]:
    return {i: (store.cell_folder(i) / "cell.json").stat().st_mtime_ns for i in store.cells()}


@LONG
@pytest.mark.parametrize(("kills", "longest"), [(60, 9.0)])
def test_mlflow_is_told_each_cell_of_a_study_once_however_often_that_is_killed(
    store: Store, tmp_path: Path, kills: int, longest: float
) -> None:
    """The moments are drawn from seed 0; killed is the whole group of processes, as by a scheduler."""
    cells = [Cell.of({"name": "backprop"}, {"name": "xor"}, RUN | {"seed": seed}) for seed in SEEDS]
    expected = {c.id: run_cell(c.algorithm, c.task, c.settings) for c in cells}
    command = [sys.executable, "-W", "ignore", "-m", "harness", "-m", "figures=false"]
    command += [f"run.{name}={value}" for name, value in RUN.items()]
    command += [f"run.seed={','.join(map(str, SEEDS))}", "study.name=s", "hydra.launcher.n_jobs=2"]
    rng, before, finished = np.random.default_rng(0), dict[str, int](), 0
    for kill in range(kills):
        if len(before) == len(cells) and rng.random() < 0.3:  # else only sending would be killed from here on
            store, before = Store.at(tmp_path / f"store {kill}"), {}
        study = subprocess.Popen(
            [*command, f"store='{store.path}'"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not (store.path / "studies" / "s" / "study.json").is_file() and study.poll() is None:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, longest))
        finished += study.poll() is not None
        if study.poll() is None:
            os.killpg(study.pid, signal.SIGKILL)
        study.wait()
        after = stamps(store)
        assert before.items() <= after.items(), "a finished cell was lost, or made again"
        assert all(store.read(i).damage() == "" for i in after)
        before = after
    assert finished < kills, "every kill came too late to test anything"
    last = [*command, f"store='{store.path}'"]
    done = subprocess.run(last, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert before.items() <= stamps(store).items()
    assert sorted(store.cells()) == sorted(expected)
    assert not (store.path / "damaged").exists()
    for record in store.records("s"):
        for name, weights in expected[record.id].trained.weights.items():
            np.testing.assert_array_equal(record.weights[name], weights)
    from mlflow import MlflowClient

    uri = tracking_uri(store, None)
    assert results.cells("s", uri)["id"].tolist() == store.study("s")["cells"]
    client = MlflowClient(uri)
    there = client.search_runs([client.get_experiment_by_name("s").experiment_id])
    assert sorted(run.data.tags["cell"] for run in there) == sorted(expected)
    assert {run.info.status for run in there} == {"FINISHED"}


@pytest.mark.parametrize(("kills", "longest"), [(2, 2.0), pytest.param(20, 6.0, marks=LONG)])
def test_a_search_killed_at_any_moment_ends_with_the_settings_of_an_undisturbed_one(
    tmp_path: Path, kills: int, longest: float
) -> None:
    """The file is the same byte for byte, by the same cells, and no finished one is made twice."""
    command = [sys.executable, "-W", "ignore", "-m", "harness.tune", "algorithm=backprop,spsa", "task=xor"]
    command += ["tuning.trials=8", "tuning.replicas=4", "tuning.choosing=5", "tuning.passes=4000"]
    stores = [Store.at(tmp_path / name) for name in ("calm", "stormy")]
    calm, stormy = ([*command, f"store='{store.path}'"] for store in stores)
    subprocess.run(calm, check=True, capture_output=True)
    rng, before, early = np.random.default_rng(0), dict[str, int](), 0
    for _ in range(kills):
        tuning = subprocess.Popen(
            stormy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while not (stores[1].path / "cells").is_dir() and tuning.poll() is None:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, longest))
        if tuning.poll() is None:
            early += 1
            os.killpg(tuning.pid, signal.SIGKILL)
        tuning.wait()
        after = stamps(stores[1])
        assert before.items() <= after.items(), "a finished cell was lost, or made again"
        before = after
    assert early, "every kill came too late to test anything"
    subprocess.run(stormy, check=True, capture_output=True)
    assert before.items() <= stamps(stores[1]).items()
    assert stores[0].cells() == stores[1].cells()
    files = [sorted((store.path / "tuned").rglob("*.yaml")) for store in stores]
    assert [path.name for path in files[0]] == ["backprop.yaml", "spsa.yaml"]
    for one, other in zip(*files, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("records", "count", "workers"),
    [pytest.param(n, count, workers, marks=LONG) for n, count, workers in ((300, 9, 2), (10_000, 200, 3))],
)
def test_workers_of_another_launcher_lose_no_cell_in_a_large_store(
    store: Store, records: int, count: int, workers: int
) -> None:
    """Each of the processes opens the store for every cell, while the others fill it."""
    for n in range(records):
        folder = store.cell_folder(f"xor-shallow-{n:012x}")
        folder.mkdir()
        (folder / "cell.json").write_text("{}")
    command = [sys.executable, "-W", "ignore", "-m", "harness", "-m", f"store={store.path}", "figures=false"]
    command += ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={workers}", "tracking.enabled=false"]
    command += [f"run.seed=range({count})", "run.replicas=1", "run.epochs=1", "study.name=s"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "was lost" not in done.stderr
    assert len(store.records("s")) == count
    assert all(record.damage() == "" for record in store.records("s"))
    assert len(store.cells()) == records + count
