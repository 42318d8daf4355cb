"""docs/team-server.md held to the real thing: its commands, as they stand there, make a database,
a server and a study in it; two stores that send the same cells at once leave each of them once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.store.store import Store
from helpers.kept import keep
from helpers.team import Server, once, typed

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SEND = "import sys; from harness.store.mlflow_send import *; sync(Store.at(sys.argv[1]), 's', sys.argv[2])"


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
