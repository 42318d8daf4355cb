"""A PostgreSQL of a test's own, and the commands of docs/team-server.md, as they stand there."""

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from helpers.repository import ROOT

POSTGRES = ["bash", str(ROOT / "tests" / "cluster" / "postgres.sh")]
PAGE = (ROOT / "docs" / "team-server.md").read_text(encoding="utf-8")


def free() -> str:
    """A port on the loopback interface that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def postgres() -> Iterator[dict[str, str]]:
    """The environment in which the page's commands run; PostgreSQL is there, and gone afterwards.

    Skips the test where PostgreSQL or its driver is not installed.
    """
    pytest.importorskip("psycopg2", reason="no team's server: psycopg2 is not installed")
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
    for name in ("URI", "USERNAME", "PASSWORD", "TOKEN"):  # of whoever runs the tests
        environment.pop(f"MLFLOW_TRACKING_{name}", None)
    subprocess.run([*POSTGRES, "start", str(folder), port], check=True, timeout=120)
    try:
        yield environment
    finally:
        subprocess.run([*POSTGRES, "stop", str(folder)], check=True, timeout=120)
        shutil.rmtree(folder)


def commands(name: str) -> str:
    """The page's commands of that name."""
    (found,) = re.findall(rf"<!-- run: {name} -->\n```sh\n(.*?)```", PAGE, re.S)
    return f"set -euo pipefail\n{found}"


def typed(name: str, team: Mapping[str, str]) -> str:
    """What the page's commands of that name print; they end well."""
    done = subprocess.run(
        ["bash", "-c", commands(name)], env=team, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Server:
    """The page's server, started and killed."""

    def __init__(self, team: Mapping[str, str], more: str = "") -> None:
        """`more`: options beside those of the page."""
        self.team, self.uri = team, f"http://127.0.0.1:{team['PORT']}"
        self.command = f"{commands('server').rstrip()} {more}"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        silent = subprocess.DEVNULL
        self.process = subprocess.Popen(
            ["bash", "-c", self.command], env=self.team, stdout=silent, stderr=silent, start_new_session=True
        )
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
