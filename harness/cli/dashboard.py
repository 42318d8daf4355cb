"""`python -m harness.dashboard`: MLflow's own pages on the project's store, opened on the newest study.

Loopback only, one worker (MLflow's default of four takes several times the memory, and one reader needs no
more).
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys

from harness.core.errors import InputError, one_of
from harness.store import mlflow_later
from harness.store.mlflow_note import Note, tracking_uri
from harness.store.mlflow_send import TABLE, sync
from harness.store.mlflow_tracker import alone, answering, make_database
from harness.store.store import Store
from harness.studies.pool import tended

HOST = "127.0.0.1"


def main() -> None:
    """Send what was not sent yet, print the link, serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.dashboard", description="MLflow's pages on the store of finished cells."
    )
    parser.add_argument(
        "--store", default=os.environ.get("HARNESS_STORE", "results"), help="the store (default: results)"
    )
    parser.add_argument("--study", help="the study to open (default: the newest)")
    parser.add_argument(
        "--port", type=int, default=5000, help="port on the loopback interface (default: 5000 or a free one)"
    )
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)  # a SIGTERM alone would leave MLflow's servers running
    try:
        sys.exit(serve(Store.at(chosen.store), chosen.study, chosen.port))
    except InputError as error:
        print(f"harness: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(0)


def serve(store: Store, study: str | None, port: int) -> int:
    """Serve the store's database; the exit code of MLflow's server.

    Raises `InputError` for a store without studies, or with a database that is no use.
    """
    if not 0 < port < 65536:
        raise InputError(f"port must be from 1 to 65535, but {port} was given")
    studies = store.studies()
    if not studies:
        raise InputError(
            f"the store {store.path} has no studies yet: "
            "run one first (make compare), or give another by --store"
        )
    if study is not None:
        one_of("study", study, studies)
    uri = tracking_uri(store, None)
    with alone(uri, store.path):
        make_database(uri)  # MLflow's server would make it in place
    answering(uri)
    mlflow_later.deliver(store)
    mlflow_later.say(store)
    for name in studies:
        sync(store, name)
    port = free_port(port)
    shown = study or studies[-1]
    link = f"http://{HOST}:{port}/" + run_table(store, shown)
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri]
    command += [
        "--host",
        HOST,
        "--port",
        str(port),
        "--workers",
        "1",
        "--uvicorn-opts",
        "--log-level=warning",
    ]
    quiet = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
    }
    quiet |= {"PYTHONWARNINGS": "ignore"}  # MLflow's own
    with tended(_call, command, os.environ | quiet) as server:
        while server.is_alive() and not listens(port):
            server.join(0.1)
        if server.is_alive():  # MLflow takes seconds to answer: a link is told when it leads somewhere
            print(f"dashboard: {link}\n{page_line(store, shown)}(stop with Ctrl-C)", flush=True)
        server.join()
        return server.exitcode or 0


def _call(command: list[str], environment: dict[str, str]) -> None:
    sys.exit(subprocess.call(command, env=environment))


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def run_table(store: Store, study: str) -> str:
    """The address, within the server, of a study's run table with the columns that matter."""
    note = Note.of(store, study, tracking_uri(store, None))
    if note is None:
        return ""
    return f"#/experiments/{note.experiment}/runs?viewStateShareKey={TABLE}&workflowType=machine_learning"


def page_line(store: Store, study: str) -> str:
    """The address of the study's own page, where it has one."""
    index = store.study_folder(study) / "index.html"
    return f"page: {index.as_uri()}\n" if index.is_file() else ""


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def free_port(wanted: int) -> int:
    """`wanted` if nobody listens there, else a free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise InputError(f"no free port on {HOST}")


if __name__ == "__main__":
    main()
