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


def test_the_commands_of_the_page_make_a_server_on_which_each_cell_is_once(team: dict[str, str]) -> None:
    typed("database", team)
    assert "MLflow's tables are in" in typed("schema", team)
    silent = subprocess.DEVNULL
    server = subprocess.Popen(
        ["bash", "-c", commands("server")], env=team, stdout=silent, stderr=silent, start_new_session=True
    )
    uri = f"http://127.0.0.1:{team['PORT']}"
    try:
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                urlopen(f"{uri}/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        typed("member", team)
        assert once(uri, "scratch") == set(Store.at(team["HARNESS_STORE"]).cells())
        ids = two_stores_at_once(Path(team["TEAM"]), uri)
        assert once(uri, "s") == set(ids)
        typed("backup", team)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)
    typed("upgrade", team)


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
