"""Telling MLflow behind the prompt's back, held to its promises: each cell is there once, whoever is killed,
away or in the way; nobody waits; and what could not be sent is one sentence of the next command."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from harness import results
from harness.core.errors import InputError
from harness.store import mlflow_later, mlflow_send
from harness.store.mlflow_note import tracking_uri
from harness.store.store import Store
from helpers.kept import keep

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
RUN = ("task=xor", "run.replicas=3", "run.epochs=10")
SLOW = {"pandas", "mlflow", "matplotlib", "scipy", "sqlalchemy", "filelock", "rich", "numpy.ma"}


def cells(store: Store, study: str = "s") -> Counter[str]:
    """How often each cell is there in a whole run."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri(store, None))
    experiment = client.get_experiment_by_name(study)
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    assert all(run.data.tags["complete"] == "true" and run.info.status == "FINISHED" for run in runs)
    return Counter(run.data.tags["cell"] for run in runs)


@pytest.fixture
def ids(store: Store, database: Path) -> list[str]:
    """A study of two cells in a store with an empty database, of which MLflow is to be told."""
    shutil.copy(database, store.path / "mlflow.db")
    made = [keep(store, name) for name in ("backprop", "shallow")]
    store.write_study("s", "", made)
    mlflow_later.ask(store, "s", None)
    return made


def test_the_prompt_is_back_though_another_sends_and_what_was_asked_for_is_sent(
    store: Store, database: Path
) -> None:
    """The lock of whoever sends is held here, all the while. The run itself imports nothing slow."""
    shutil.copy(database, store.path / "mlflow.db")
    mlflow_later.folder(store).mkdir()
    program = f"from harness.cli.app import main; main(); import sys; print(*{SLOW} & set(sys.modules))"
    command = [sys.executable, "-c", program, *RUN, f"store='{store.path}'"]
    with FileLock(mlflow_later.folder(store) / "lock"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1] == "", "what a run has no need of was imported"
        assert len(mlflow_later.requests(store)) == 1
    assert results.cells("scratch", tracking_uri(store, None))["id"].tolist() == store.cells()
    assert cells(store, "scratch") == Counter(store.cells())
    assert mlflow_later.requests(store) == {}


def test_a_process_of_its_own_sends_and_ends(store: Store, ids: list[str]) -> None:
    mlflow_later.start(store)
    end = time.monotonic() + 240
    while mlflow_later.requests(store) and time.monotonic() < end:
        time.sleep(0.1)
    with FileLock(mlflow_later.folder(store) / "lock", timeout=60):  # it ends, and holds nothing
        assert cells(store) == Counter(ids)


def test_while_one_sends_another_ends_at_once(store: Store, ids: list[str]) -> None:
    """Otherwise a loop over a hundred runs would have a hundred of them waiting in memory."""
    command = [sys.executable, "-m", "harness.store.mlflow_later", str(store.path)]
    with FileLock(mlflow_later.folder(store) / "lock"):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(mlflow_later.requests(store)) == 1


def test_who_is_killed_while_sending_loses_nothing(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    plain, sent = mlflow_send.send_record, list[str]()

    def dies(*arguments: Any) -> str:
        if sent:
            raise Killed
        sent.append(plain(*arguments))
        return sent[-1]

    with monkeypatch.context() as m:
        m.setattr(mlflow_send, "send_record", dies)
        with pytest.raises(Killed):
            mlflow_later.deliver(store)
    assert len(mlflow_later.requests(store)) == 1
    mlflow_later.deliver(store)
    assert cells(store) == Counter(ids)
    assert mlflow_later.requests(store) == {}


def test_what_is_asked_for_while_one_sends_is_sent_too(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, more = mlflow_send.send_record, list[str]()

    def meanwhile(*arguments: Any) -> str:
        if not more:
            more.append(keep(store, "perceptron"))
            store.join_study("s", "", more[0])
            mlflow_later.ask(store, "s", None)
        return plain(*arguments)

    monkeypatch.setattr(mlflow_send, "send_record", meanwhile)
    mlflow_later.deliver(store)
    assert cells(store) == Counter([*ids, *more])


def test_a_database_in_use_is_waited_for(store: Store, ids: list[str]) -> None:
    """It is free again before the last pause; without pauses it is said."""
    mlflow_later.deliver(store)
    third = keep(store, "perceptron")
    store.write_study("s", "", [*ids, third])
    mlflow_later.ask(store, "s", None)
    with closing(sqlite3.connect(store.path / "mlflow.db", check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        free = threading.Timer(1, other.rollback)
        free.start()
        mlflow_later.send_all(store, None, pauses=(3, 30))
        free.join()
    assert cells(store) == Counter([*ids, third])


def test_what_could_not_be_sent_is_said_once_by_the_next_command_and_tried_again(
    store: Store,
    ids: list[str],
    harness: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    started: list[Store] = []
    monkeypatch.setattr(mlflow_later, "start", started.append)
    mlflow_later.deliver(store)
    with socket.socket() as nobody:  # bound but not listening: connections are refused
        nobody.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        for _ in range(3):
            mlflow_later.ask(store, "s", uri)
        mlflow_later.deliver(store)
        assert capsys.readouterr().err == "", "nobody may be there to hear it"
        code, _, err = harness(*RUN, tracking=True)
        assert (code, err.count("\n")) == (0, 1)
        assert f"nobody answers at {uri}" in err
        assert "safe in the store" in err
        code, _, err = harness(*RUN, tracking=True)
        assert (code, err) == (0, ""), "it was said"
        assert len(started) == 2, "and is tried again"
        assert [request.uri for request in mlflow_later.requests(store).values()].count(uri) == 1


def test_a_disk_that_does_not_take_the_note_is_said_and_the_result_is_kept(
    store: Store, harness: Callable[..., tuple[int, str, str]]
) -> None:
    mlflow_later.folder(store).write_text("no folder")
    code, out, err = harness(*RUN, tracking=True)
    assert code == 0
    assert "record: " in out
    assert err.count("\n") == 1
    assert "MLflow is not told of study 'scratch'" in err
    assert len(store.cells()) == 1


def test_a_process_that_cannot_be_started_is_one_sentence(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", os.devnull)
    with pytest.raises(InputError, match=r"MLflow is not told .*the next run sends them"):
        mlflow_later.start(store)
    assert len(mlflow_later.requests(store)) == 1


def test_a_path_to_a_tracker_means_the_same_from_another_folder(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends what was left may have been started elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert tracking_uri(store, "sqlite:///here.db?timeout=3") == f"sqlite:///{tmp_path}/here.db?timeout=3"
    assert tracking_uri(store, "./runs") == f"{tmp_path}/runs"
    for plain in ("http://127.0.0.1:5000", "databricks", "databricks://name"):
        assert tracking_uri(store, plain) == plain
