"""Held to MLflow as its own client and SQLite read it: each cell is there once, whoever dies or sends at
once; a tracker in trouble is one sentence within seconds, and takes everything once it is mended."""

from __future__ import annotations

import math
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from harness import results
from harness.core.errors import InputError
from harness.store.files import META
from harness.store.mlflow_note import tracking_uri
from harness.store.mlflow_send import sync
from harness.store.store import Store
from helpers.kept import keep
from helpers.made_up import D, S

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SEND = "import sys; from harness.store.mlflow_send import *; sync(Store.at(sys.argv[1]), 's')"


def client(store: Store) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri(store, None))


def runs(store: Store) -> list[Any]:
    """Of the study s, those that are not deleted."""
    experiment = client(store).get_experiment_by_name("s")
    return list(client(store).search_runs([experiment.experiment_id], max_results=1000))


def each_once(store: Store, ids: list[str]) -> None:
    """Every cell is there in one run, whole and at its end; and the frames find them."""
    assert Counter(run.data.tags["cell"] for run in runs(store)) == Counter(ids)
    assert {run.info.status for run in runs(store)} == {"FINISHED"}
    assert {run.data.tags["complete"] for run in runs(store)} == {"true"}
    assert results.cells("s", tracking_uri(store, None))["id"].tolist() == ids


@pytest.fixture
def ids(store: Store, database: Path) -> list[str]:
    """A study of four cells in a store with an empty database."""
    shutil.copy(database, store.path / "mlflow.db")
    made = [keep(store, name) for name in ("backprop", "shallow", "perceptron", "kolen_pollack")]
    store.write_study("s", "", made)
    return made


@pytest.mark.slow  # two processes that import MLflow and make a database: half a minute
def test_several_first_senders_at_once_make_one_database_and_send_each_cell_once(
    store: Store, ids: list[str]
) -> None:
    """SQLite's 'duplicate column name', or a run for every sender."""
    (store.path / "mlflow.db").unlink()
    command = [sys.executable, "-W", "ignore", "-c", SEND, str(store.path)]
    senders = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for sender in senders:
        _, said = sender.communicate(timeout=300)
        assert sender.returncode == 0, said
        assert set(said.splitlines()) <= {"harness: another process is sending to MLflow: waiting for it"}, (
            said
        )
    each_once(store, ids)
    assert not list(store.path.glob(".unfinished-*"))


@pytest.mark.parametrize("step", ["create_run", "log_artifacts", "set_terminated", "log_batch"])
def test_a_sender_that_dies_leaves_nothing_twice_and_nothing_running(
    store: Store, ids: list[str], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    class Killed(BaseException):
        pass

    calls = []
    plain = getattr(MlflowClient, step)

    def dies(*args: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise Killed
        return plain(*args, **named)

    with monkeypatch.context() as m:
        m.setattr(MlflowClient, step, dies)
        with pytest.raises(Killed):
            sync(store, "s")
    sync(store, "s")
    each_once(store, ids)


def test_the_unfinished_run_of_another_store_is_left_alone(store: Store, ids: list[str]) -> None:
    sync(store, "s")
    experiment = client(store).get_experiment_by_name("s").experiment_id
    other = client(store).create_run(experiment, tags={"cell": ids[0], "sender": "another"}).info.run_id
    store.write_study("s", "", [*ids, keep(store, "sign_symmetry")])
    assert sync(store, "s") == 1
    assert client(store).get_run(other).info.lifecycle_stage == "active"


def purge(store: Store) -> None:
    """What `mlflow gc` does: what is deleted there goes for good, artifacts too."""
    uri = tracking_uri(store, None)
    command = [sys.executable, "-W", "ignore", "-m", "mlflow", "gc", "--backend-store-uri", uri]
    environment = os.environ | {"MLFLOW_TRACKING_URI": uri}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_what_was_deleted_there_is_sent_again(store: Store, ids: list[str]) -> None:
    """A run; an experiment; and an experiment that is gone for good."""
    sync(store, "s")
    assert sync(store, "s") == 0
    client(store).delete_run(runs(store)[1].info.run_id)
    assert sync(store, "s") == 1
    each_once(store, ids)
    experiment = client(store).get_experiment_by_name("s").experiment_id
    client(store).delete_experiment(experiment)
    sync(store, "s")
    each_once(store, ids)
    client(store).delete_experiment(experiment)
    purge(store)
    assert sync(store, "s") == 4
    each_once(store, ids)


def cut(path: Path) -> None:
    os.truncate(path, 20_000)


def no_database(path: Path) -> None:
    path.write_text("hello\n" * 1000)


def half_made(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE experiments (experiment_id INTEGER)")


@pytest.mark.parametrize("spoil", [cut, no_database, half_made])
def test_a_damaged_database_is_one_sentence_and_once_moved_aside_takes_everything(
    store: Store,
    ids: list[str],
    database: Path,
    spoil: Callable[[Path], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    sync(store, "s")
    path = store.path / "mlflow.db"
    spoil(path)
    capsys.readouterr()
    assert sync(store, "s") == 0
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    for said in (f"MLflow's database {path} is damaged or half-made", "safe", "move the file aside"):
        assert said in err
    with pytest.raises(InputError, match="is damaged or half-made") as caught:
        results.cells("s", tracking_uri(store, None))
    assert "\n" not in str(caught.value)
    path.rename(path.with_name("aside.db"))
    shutil.copy(database, path)  # as the next run makes it, in seconds
    assert sync(store, "s") == 4
    each_once(store, ids)


def test_a_database_in_use_is_one_sentence_within_seconds(
    store: Store, ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sync(store, "s")
    store.write_study("s", "", [*ids, keep(store, "sign_symmetry")])
    with closing(sqlite3.connect(store.path / "mlflow.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        begun = monotonic()
        assert sync(store, "s") == 0
        assert monotonic() - begun < 10, "MLflow alone waits for minutes"
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert "is in use by another program (database is locked)" in err
        with pytest.raises(InputError, match="in use by another program"):
            results.cells("s", tracking_uri(store, None))
    assert sync(store, "s") == 1


def test_a_disk_that_is_full_while_the_database_is_made_leaves_none(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlflow import MlflowClient

    def full(_: MlflowClient, uri: str) -> None:
        Path(uri.removeprefix("sqlite:///")).write_bytes(b"SQLite format 3")
        raise sqlite3.OperationalError("database or disk is full")

    (store.path / "mlflow.db").unlink()
    with monkeypatch.context() as m:
        m.setattr(MlflowClient, "__init__", full)
        assert sync(store, "s") == 0
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "cannot be written (database or disk is full)" in err
    assert not (store.path / "mlflow.db").exists()
    assert not list(store.path.glob(".unfinished-*"))


@pytest.mark.parametrize("listening", [False, True], ids=["refuses", "says nothing"])
def test_a_server_that_is_not_heard_is_one_sentence_within_seconds(
    store: Store, ids: list[str], capsys: pytest.CaptureFixture[str], listening: bool
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        if listening:
            nobody.listen()  # and never accepts
        uri = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        begun = monotonic()
        assert sync(store, "s", uri) == 0
        with pytest.raises(InputError, match=f"nobody answers at {uri}"):
            results.cells("s", uri)
        assert monotonic() - begun < 15, "MLflow alone retries for a minute"
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"nobody answers at {uri} (" in err


def test_a_loss_that_ran_off_is_not_shown_as_the_one_before_training(store: Store, ids: list[str]) -> None:
    off = keep(store, "backprop", {"name": "xor", "hidden": 4}, (D, D, D))
    partly = keep(store, "backprop", {"name": "xor", "hidden": 5}, (S, S, D))
    store.write_study("s", "", [off, partly])
    sync(store, "s")
    metrics = {run.data.tags["cell"]: run.data.metrics for run in runs(store)}
    assert math.isnan(metrics[off]["loss/final"])
    assert math.isnan(metrics[off]["loss/median"]), "MLflow shows the latest"
    assert metrics[off]["diverged/replicas"] == 3
    assert metrics[partly]["diverged/replicas"] == 1
    assert [metrics[partly][f"{outcome}/replicas"] for outcome in ("solved", "unsolved")] == [2, 0]
    assert [metrics[off][f"{outcome}/replicas"] for outcome in ("solved", "unsolved")] == [0, 0]
    assert metrics[partly]["loss/median"] == pytest.approx(0.1)


def test_a_damaged_record_is_said_and_the_others_are_sent(
    store: Store, ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (store.cell_folder(ids[1]) / META).write_text("{")
    assert sync(store, "s") == 3
    assert f"the record of {ids[1]} is not sent: {META} is damaged" in capsys.readouterr().err
