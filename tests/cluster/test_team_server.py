"""docs/team-server.md held to the real thing: its commands, as they stand there, make a database,
a server and a study in it; two stores that send the same cells at once leave each of them once."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from harness.store.store import Store
from helpers.kept import keep
from helpers.repository import ROOT

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
POSTGRES = ["bash", str(ROOT / "tests" / "cluster" / "postgres.sh")]
PAGE = (ROOT / "docs" / "team-server.md").read_text(encoding="utf-8")
SEND = "import sys; from harness.store.mlflow_send import *; sync(Store.at(sys.argv[1]), 's', sys.argv[2])"


def commands(name: str) -> str:
    (found,) = re.findall(rf"<!-- run: {name} -->\n```sh\n(.*?)```", PAGE, re.S)
    return f"set -euo pipefail\n{found}"


def free() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope="module")
def team() -> Iterator[dict[str, str]]:
    """The environment in which the page's commands run; PostgreSQL is there, and gone afterwards."""
    if not (list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb")):
        pytest.skip("no team's server: PostgreSQL is not installed")
    folder, port = Path(tempfile.mkdtemp(prefix="team-")), free()
    environment = os.environ | {
        **{"TEAM": str(folder), "PGHOST": "127.0.0.1", "PGPORT": port, "PORT": free()},
        **{"PGUSER": "postgres", "PGPASSFILE": str(folder / "postgres.pgpass")},
        "DATABASE": f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/mlflow",
        "HARNESS_STORE": str(folder / "store"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    subprocess.run([*POSTGRES, "start", str(folder), port], check=True, timeout=120)
    try:
        yield environment
    finally:
        subprocess.run([*POSTGRES, "stop", str(folder)], check=True, timeout=120)
        shutil.rmtree(folder)


def typed(name: str, team: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", commands(name)], env=team, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Server:
    """The page's server, started and killed."""

    def __init__(self, team: dict[str, str]) -> None:
        self.team, self.uri = team, f"http://127.0.0.1:{team['PORT']}"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        silent = subprocess.DEVNULL
        self.process = subprocess.Popen(
            ["bash", "-c", commands("server")], env=self.team, stdout=silent, stderr=silent,
            start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                urlopen(f"{self.uri}/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("the server does not answer")

    def end(self, how: signal.Signals) -> None:
        """End it, its workers with it."""
        os.killpg(self.process.pid, how)
        self.process.wait(60)


@pytest.fixture(scope="module")
def server(team: dict[str, str]) -> Iterator[Server]:
    """A database, its tables and the server, by the page's commands."""
    typed("database", team)
    assert "MLflow's tables are in" in typed("schema", team)
    server = Server(team)
    yield server
    server.end(signal.SIGTERM)
    typed("upgrade", team)


def test_the_commands_of_the_page_make_a_server_on_which_each_cell_is_once(
    team: dict[str, str], server: Server
) -> None:
    typed("member", team)
    assert once(server.uri, "scratch") == set(Store.at(team["HARNESS_STORE"]).cells())
    ids = two_stores_at_once(Path(team["TEAM"]), server.uri)
    assert once(server.uri, "s") == set(ids)
    typed("backup", team)


def test_eight_writers_at_once_a_server_that_is_killed_and_a_writer_that_is_leave_each_cell_once(
    team: dict[str, str], server: Server
) -> None:
    """Each has a store of its own and runs the same study; the next command tells what could not be told."""
    seeds = "run.seed=" + ",".join(map(str, range(1, 11)))
    given = ["study.name=eight", seeds, "run.replicas=2", "run.epochs=5", "figures=false"]
    tracking = [f"tracking.uri={server.uri}", "tracking.wait=true"]

    def write(n: int) -> subprocess.Popen[str]:
        store = Path(team["TEAM"]) / f"writer {n}"
        command = [sys.executable, "-W", "ignore", "-m", "harness", "-m", *given, *tracking, f"store={store}"]
        return subprocess.Popen(
            command,
            env=team,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    writers = [write(n) for n in range(8)]
    first = Path(team["TEAM"]) / "writer 0" / "sending"
    end = time.monotonic() + 120
    while not (first.is_dir() and list(first.iterdir())) and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(4)
    there = sum(writer.poll() is None for writer in writers)
    server.end(signal.SIGKILL)
    os.killpg(writers[0].pid, signal.SIGKILL)
    said = [writer.communicate(timeout=170)[1] for writer in writers]
    assert there > 1, "else nobody was sending"
    assert all("Traceback" not in err for err in said), said
    server.start()
    again = [write(n) for n in range(8)]
    for writer in again:
        _, err = writer.communicate(timeout=170)
        assert writer.returncode == 0, err
    last = write(0)
    assert (last.communicate(timeout=170)[1], last.returncode) == ("", 0)
    cells = set(Store.at(Path(team["TEAM"]) / "writer 0").cells())
    assert len(cells) == 10
    assert once(server.uri, "eight") == cells


def two_stores_at_once(folder: Path, uri: str) -> list[str]:
    """Two processes with a store each send the same cells; their ids."""
    senders = []
    for name in ("here", "there"):
        store = Store.at(folder / name).prepare()
        ids = [keep(store, rule) for rule in ("backprop", "shallow", "perceptron", "kolen_pollack")]
        store.write_study("s", "", ids)
        command = [sys.executable, "-W", "ignore", "-c", SEND, str(store.path), uri]
        senders.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
    for sender in senders:
        assert (sender.communicate(timeout=120)[1], sender.returncode) == ("", 0)
    return ids


def once(uri: str, study: str) -> set[str]:
    """The cells of a study, each of which is there in one whole run."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(study)
    runs = client.search_runs([experiment.experiment_id])
    assert all(run.data.tags["complete"] == "true" for run in runs)
    found = Counter(run.data.tags["cell"] for run in runs)
    assert set(found.values()) == {1}
    return set(found)
