"""`python -m harness.dashboard`: the page of the newest study, beside MLflow's table of its runs.

Both have one address, on the loopback interface unless `host=` says otherwise (`harness.cli.served`). MLflow
has one worker (its default of four takes several times the memory, and one reader needs no more). A server
for a team is MLflow's own (docs/team-server.md), in a database that `prepare=URI` makes.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import webbrowser
from contextlib import suppress
from typing import NoReturn

from harness.cli.conduct import report, say
from harness.cli.prepare import prepare
from harness.cli.served import ANY, HOST, Front, is_loopback, run_table
from harness.core.errors import InputError, one_of
from harness.store import mlflow_later, said
from harness.store.definitions import FILE
from harness.store.mlflow_note import tracking_uri
from harness.store.mlflow_send import sync
from harness.store.mlflow_tracker import alone, answering, make_database
from harness.store.store import Store
from harness.studies.pool import tended

SETTINGS = ("study", "port", "host", "store", "open", "prepare")


def main() -> None:
    """Send what was not sent yet, print the links, serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.dashboard",
        usage="python -m harness.dashboard [study=NAME] [port=5000] [host=127.0.0.1] [store=results] "
        "[open=false]\n       python -m harness.dashboard prepare=URI",
        description="The page of a study beside MLflow's table of its runs, until it is stopped by Ctrl-C.",
    )
    parser.error = _refuse  # type: ignore[method-assign]  # argparse's own would print its usage and exit
    parser.add_argument("--study", help="the study to open (default: the newest)")
    parser.add_argument(
        "--port", type=int, default=5000, help="port on the loopback interface (default: 5000 or a free one)"
    )
    parser.add_argument(
        "--store", default=os.environ.get("HARNESS_STORE", "results"), help="the store (default: results)"
    )
    parser.add_argument(
        "--open",
        choices=("true", "false"),
        default="true",
        help="whether a browser is opened on it",
    )
    parser.add_argument(
        "--host", default=HOST, help=f"address to serve at, for other machines too (default: {HOST})"
    )
    parser.add_argument(
        "--prepare",
        metavar="URI",
        help="make MLflow's tables in a database, once whoever asks, and serve nothing",
    )
    signal.signal(signal.SIGTERM, _stop)  # a SIGTERM alone would leave MLflow's servers running
    try:
        chosen = parser.parse_args([_flag(each) for each in sys.argv[1:]])
        opened = chosen.open == "true"
        if chosen.prepare is not None:
            sys.exit(prepare(chosen.prepare))
        store = Store.at(chosen.store)
        sys.exit(serve(store, chosen.study, chosen.port, opened=opened, host=chosen.host))
    except InputError as error:
        say(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(0)


def serve(store: Store, study: str | None, port: int, *, opened: bool = False, host: str = HOST) -> int:
    """Serve the store's studies and its database; the exit code of MLflow's server.

    Args:
        store: where the studies are.
        study: whose page is shown; None for the newest.
        port: of the address; another one if it is taken.
        opened: whether a browser is opened on it, where a person is there to see it.
        host: the address that is listened at; other machines reach none on the loopback interface.

    Raises:
        InputError: for a store without studies, or with a database that is no use.
    """
    if not 0 < port < 65536:
        raise InputError(f"port must be from 1 to 65535, but {port} was given")
    studies = store.studies()
    if not studies:
        raise InputError(
            f"the store {store.path} has no studies yet: "
            "run one first (make compare), or give another by store=…"
        )
    if study is not None:
        one_of("study", study, studies)
    if not is_loopback(host):
        say(
            f"what is served at {host} is open, without a password: whoever reaches this machine can read "
            "and write there (docs/team-server.md says how a proxy asks for one)"
        )
    uri = tracking_uri(store, None)
    with alone(uri, store.path):
        make_database(uri)  # MLflow's server would make it in place
    answering(uri)
    shown = study or studies[-1]
    pages = Pages(store)
    pages.make(shown)
    mlflow_later.deliver(store)
    mlflow_later.say(store)
    for name in studies:
        sync(store, name)
    behind = free_port(0)
    with (
        tended(_call, _mlflow(uri, behind), os.environ | QUIET) as server,
        Front(free_port(port, host), store, behind, pages.make, host) as front,
    ):
        while server.is_alive() and not listens(behind):
            server.join(0.1)
        if server.is_alive():  # MLflow takes seconds to answer: a link is told when it leads somewhere
            threading.Thread(target=front.serve_forever, daemon=True).start()
            address = f"http://{HOST if host == ANY else host}:{front.server_port}/"
            page = f"{address}studies/{shown}/index.html"
            print(f"dashboard: {page}\nrun table: {address}{run_table(store, shown)}")
            print(f"all studies: {address}studies/\n(stop with Ctrl-C)", flush=True)
            if opened:
                _open(page)
        server.join()
        return server.exitcode or 0


QUIET = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "PYTHONWARNINGS": "ignore",  # MLflow's own
}


def _mlflow(uri: str, port: int) -> list[str]:
    """The command of MLflow's server."""
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri]
    command += ["--host", HOST, "--port", str(port), "--workers", "1"]
    return [*command, "--uvicorn-opts", "--log-level=warning"]


class Pages:
    """Makes the pages of studies that have none, or that had other cells when theirs were made."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._one = threading.Lock()  # two who ask for a page at once get the same

    def make(self, study: str) -> None:
        """Make the page of a study, unless it is there; what cannot be written is said."""
        index = self.store.study_folder(study) / "index.html"
        with self._one:
            try:
                defined = (index.parent / FILE).stat().st_mtime_ns
                if index.is_file() and index.stat().st_mtime_ns >= defined:
                    return
                known = said.kept(self.store, study) or said.Said()
                report(self.store, study, fresh=False, figures=False, shown=False, command=known.command)
                os.utime(index, ns=(defined, defined))  # of the study as it was then, if it has changed since
            except (OSError, InputError) as error:
                say(f"the page of study {study!r} could not be made: {error}")


def _call(command: list[str], environment: dict[str, str]) -> None:
    # what it says of itself goes nowhere, what is wrong with it to stderr
    sys.exit(subprocess.call(command, env=environment, stdout=subprocess.DEVNULL))


def _open(link: str) -> None:
    """Open a browser where a person sits before a screen: others would get one inside their terminal."""
    screen = sys.platform in ("darwin", "win32") or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    if screen and sys.stdout.isatty():
        with suppress(webbrowser.Error):
            webbrowser.open(link)


def _flag(typed: str) -> str:
    """`study=NAME`, as all commands have it, as a flag."""
    name, given, _ = typed.partition("=")
    if given and not typed.startswith("-"):
        one_of("setting", name, SETTINGS)
        return f"--{typed}"
    return typed


def _refuse(message: str) -> NoReturn:
    raise InputError(f"{message}: python -m harness.dashboard --help says what there is")


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def free_port(wanted: int, host: str = HOST) -> int:
    """`wanted` if nobody listens there, else a free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            if os.name == "posix":  # one that was served a moment ago is free; elsewhere this takes it away
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise InputError(
        f"no free port on {host}: is it an address of this machine (such as 0.0.0.0, all of them)?"
    )


if __name__ == "__main__":
    main()
