"""Held to MLflow as its own client reads it: each finished cell is there once and whole, and a tracker that
is away loses nothing."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cells.cell import Cell
from harness.cli.dashboard import free_port, serve
from harness.cli.served import run_table
from harness.core.errors import InputError
from harness.experiment.run import run_cell
from harness.statistics import wilson
from harness.store.mlflow_note import tracking_uri
from harness.store.mlflow_run import POINTS, _shown
from harness.store.mlflow_send import sync
from harness.store.record import Record
from harness.store.store import Store

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def study(store: Store, database: Path) -> list[Record]:
    """Two finished cells and one that does not apply, in a store with an empty database."""
    shutil.copy(database, store.path / "mlflow.db")
    xor: dict[str, Any] = {"name": "xor"}
    strict = {"name": "xor", "criterion": "margin", "target_off": 0.2, "target_on": 0.8, "bound": 0.1}
    cells = [
        Cell.of({"name": "backprop"}, xor, {"replicas": 30, "epochs": 400}),
        Cell.of({"name": "perceptron"}, xor, {"replicas": 5, "epochs": 30}),
        Cell.of({"name": "perceptron"}, strict, {"replicas": 5, "epochs": 30}),
    ]
    records = [
        store.write(c, None if c.not_applicable else run_cell(c.algorithm, c.task, c.settings)) for c in cells
    ]
    store.write_study("s", "", [c.id for c in cells])
    return records


def runs(store: Store, study: str = "s") -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri(store, None))
    experiment = client.get_experiment_by_name(study)
    return (
        [] if experiment is None else list(client.search_runs([experiment.experiment_id], max_results=1000))
    )


def test_a_run_holds_what_its_record_says(store: Store, study: list[Record]) -> None:
    assert sync(store, "s") == 3
    by_cell = {r.data.tags["cell"]: r for r in runs(store)}
    assert by_cell.keys() == {r.id for r in study}
    backprop = by_cell[study[0].id]
    solved = int(np.sum(study[0].replicas["outcome"] == "solved"))
    assert backprop.data.params["algorithm"] == "backprop"
    assert backprop.data.params["task"] == "xor"
    assert backprop.data.params["replicas"] == "30"
    assert float(backprop.data.params["algorithm.optimiser.lr"]) == 0.5
    assert backprop.data.tags["study"] == "s"
    assert backprop.data.tags["complete"] == "true"
    assert backprop.data.metrics["solved/rate"] == solved / 30
    low, high = wilson(solved, 30)
    assert backprop.data.metrics["solved/low"] == pytest.approx(low)
    assert backprop.data.metrics["solved/high"] == pytest.approx(high)
    assert backprop.data.metrics["solved/ert_epochs"] == pytest.approx(
        study[0].replicas["epochs"].sum() / solved
    )
    perceptron = by_cell[study[1].id]
    assert perceptron.data.metrics["solved/rate"] == 0
    assert "solved/ert_epochs" not in perceptron.data.metrics, (
        "infinity is left out: MLflow reads it back as 1.8e308"
    )
    refused = by_cell[study[2].id]
    assert refused.data.tags["status"] == "not applicable"
    assert "0 or 1" in refused.data.tags["reason"]


def test_points_of_curves_and_whole_files_arrive(store: Store, study: list[Record]) -> None:
    from mlflow import MlflowClient

    sync(store, "s")
    run = next(r for r in runs(store) if r.data.tags["cell"] == study[0].id)
    client = MlflowClient(tracking_uri(store, None))
    history = sorted((m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss/median"))
    curves = study[0].curves
    steps = np.array([step for step, _ in history])
    assert steps[[0, -1]].tolist() == curves["epoch"][[0, -1]].tolist(), "both ends are there"
    assert len(steps) <= POINTS, "MLflow takes long for each"
    at = np.searchsorted(curves["epoch"], steps)
    np.testing.assert_array_equal(curves["epoch"][at], steps)
    np.testing.assert_allclose([value for _, value in history], curves["loss_q50"][at])
    assert {f.path for f in client.list_artifacts(run.info.run_id)} == {
        p.name for p in study[0].path.iterdir()
    }


@pytest.mark.parametrize("count", [1, 2, 3, 49, 50, 51, 200])
def test_what_is_shown_of_a_curve_has_its_ends_and_every_step_between_levels(count: int) -> None:
    """A level stretch drawn as a line from its first point to its last looks as it is."""
    rising = np.arange(float(count))
    shown = _shown(rising)
    assert shown[0] == 0
    assert shown[-1] == count - 1
    assert len(shown) == min(count, POINTS)
    few = rising[:POINTS]  # none of these is left out for their number
    for levels in (np.floor(few / 7), np.where(few > 20, np.nan, few), np.zeros(len(few))):
        kept = _shown(levels)
        drawn = np.interp(few, few[kept], levels[kept])
        np.testing.assert_array_equal(drawn[np.isfinite(levels)], levels[np.isfinite(levels)])
        assert all(a + 1 == b or levels[a] == levels[b] or np.isnan(levels[b]) for a, b in pairwise(kept))


def test_sending_again_sends_nothing(store: Store, study: list[Record]) -> None:
    """Otherwise every `sync` would put each cell into MLflow once more, even after its notes are lost."""
    sync(store, "s")
    assert sync(store, "s") == 0
    shutil.rmtree(store.path / "studies" / "s" / "sent")  # even if the notes are lost
    sync(store, "s")
    assert len(runs(store)) == 3


def test_a_run_that_was_cut_off_is_sent_again_once(
    store: Store, study: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    class Killed(BaseException):
        pass

    def cut(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as m:
        m.setattr(MlflowClient, "log_artifacts", cut)
        with pytest.raises(Killed):
            sync(store, "s")
    assert len(runs(store)) == 1
    assert sync(store, "s") == 3
    assert sorted(r.data.tags["cell"] for r in runs(store)) == sorted(r.id for r in study)
    assert all(r.data.tags["complete"] == "true" for r in runs(store))


def test_notes_of_what_was_sent_go_with_the_database(
    store: Store, study: list[Record], database: Path
) -> None:
    sync(store, "s")
    (store.path / "mlflow.db").unlink()
    shutil.copy(database, store.path / "mlflow.db")
    assert sync(store, "s") == 3
    assert len(runs(store)) == 3


def test_a_server_that_is_down_loses_nothing(
    store: Store, study: list[Record], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as nobody:  # bound but not listening: connections are refused
        nobody.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        assert sync(store, "s", uri) == 0
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert uri in err
    assert "safe in the store" in err
    assert [r.finished for r in store.records("s")] == [True, True, False]
    assert sync(store, "s") == 3, "later, to a tracker that answers"


def test_the_command_line_sends_its_cell_and_can_be_told_to_wait_until_mlflow_has_it(
    store: Store, database: Path, harness: Callable[..., tuple[int, str, str]]
) -> None:
    shutil.copy(database, store.path / "mlflow.db")
    code, _, err = harness("task=xor", "run.replicas=3", "run.epochs=10", "tracking.wait=true", tracking=True)
    assert (code, err) == (0, "")
    (run,) = runs(store, "scratch")
    assert run.data.params["epochs"] == "10"


def test_the_dashboard_opens_on_the_table_of_the_study(store: Store, study: list[Record]) -> None:
    import json

    from mlflow import MlflowClient

    sync(store, "s")
    experiment = MlflowClient(tracking_uri(store, None)).get_experiment_by_name("s")
    assert experiment is not None
    link = run_table(store, "s")
    shared = "viewStateShareKey=harness&workflowType=machine_learning"
    assert link == f"#/experiments/{experiment.experiment_id}/runs?{shared}"
    view = json.loads(experiment.tags["mlflow.sharedViewState.harness"])
    logged = set(runs(store)[0].data.params) | {m for r in runs(store) for m in r.data.metrics}
    chosen = {c.split("`")[1] for c in view["selectedColumns"]}
    assert chosen <= logged, "a column nobody fills"


def test_a_dashboard_without_a_study_or_a_port_says_so(store: Store) -> None:
    with pytest.raises(InputError, match="no studies yet"):
        serve(store, None, 5000)
    with pytest.raises(InputError, match="from 1 to 65535, but 99999"):
        serve(store, None, 99999)
    store.write_study("mine", "", [])
    with pytest.raises(InputError, match="did you mean 'mine'"):
        serve(store, "mne", 5000)


def test_a_dashboard_on_a_damaged_database_says_so(store: Store, study: list[Record]) -> None:
    (store.path / "mlflow.db").write_text("no database")
    with pytest.raises(InputError, match=r"mlflow\.db is damaged or half-made"):
        serve(store, "s", 5000)


def test_a_taken_port_is_left_to_its_owner() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
