"""MLflow is told when the prompt is back: by a process of its own, which nobody waits for.

    <store>/sending/<request>.json      a study of which a tracker is to be told, and why it was not
    <store>/sending/lock                held by the process that is at it

MLflow takes seconds to import. So a run writes down what is to be sent, starts a process without a terminal
that sends it, and ends. A request goes when it is done; one that a process was killed at is there for the
next run's, and for whoever reads MLflow (`deliver`). Of several processes one sends, and looks again before
it ends: what was asked for meanwhile is sent, too. What it could not send it notes in the request: the next
command says it once, and tries again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from harness.core.errors import InputError
from harness.core.files import HOUR, ages, remove_leftovers, write_atomically
from harness.store.files import json_text, read_json
from harness.store.locked import locked
from harness.store.mlflow_note import database_of, news, tracking_uri
from harness.store.names import is_study_name
from harness.store.store import Store

PAUSES = (2, 8, 30)  # seconds until a database that others are at is tried again


@dataclass(frozen=True)
class Request:
    """A study of which a tracker is to be told."""

    study: str
    uri: str
    why: str = ""
    """Why it was not told, in a sentence that nobody has heard yet."""
    tried: bool = False
    """Whether it was tried since somebody last asked."""


def ask(store: Store, study: str, uri: str | None) -> None:
    """Note that a tracker is to be told of a study, unless it was.

    Raises `InputError` if the disk does not take the note.
    """
    target = tracking_uri(store, uri)
    if news(store, study, target) is not None:
        try:
            folder(store).mkdir(exist_ok=True)
            _write(folder(store) / f"{uuid.uuid4().hex}.json", Request(study, target))
        except OSError as error:
            raise InputError(
                f"MLflow is not told of study {study!r} ({error.strerror}): the records are safe, and the "
                "next run of the study sends them"
            ) from error


def start(store: Store) -> None:
    """Start a process that sends what is asked for, if anything is; it outlives this one.

    Raises `InputError` if there can be none.
    """
    if not _to_be_tried(store):
        return
    command = [sys.executable, "-P", "-m", "harness.store.mlflow_later", str(store.path)]
    # what is imported here is imported there
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    # connections are kept there, where no database is exchanged for another: three times as fast
    environment.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "QueuePool")
    silent = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            command, stdin=silent, stdout=silent, stderr=silent, env=environment, start_new_session=True
        )
    except OSError as error:
        raise InputError(
            f"MLflow is not told ({error.strerror}): the records are safe, and the next run sends them"
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # that it still runs
        del process


def deliver(store: Store, uri: str | None = None) -> None:
    """Send, here and now, what is asked for; what another process is sending is waited for.

    Args:
        store: whose requests.
        uri: of the tracker to be told; None for all of them.

    Raises:
        InputError: if the disk does not take the store's notes; what trackers do not take is for `say`.
    """
    if _to_be_tried(store):
        try:
            with locked(folder(store) / "lock"):
                send_all(store, uri)
        except OSError as error:
            raise InputError(
                f"what MLflow is to be told cannot be sent from {store.path} ({error.strerror or error})"
            ) from error


def catch_up(uri: str) -> None:
    """Have a tracker hear, before it is read, what the usual store asks for, and that of its database."""
    database = database_of(uri)
    places = [Path(os.environ.get("HARNESS_STORE") or "results"), *([database.parent] if database else [])]
    for store in {Store(place.absolute()) for place in places}:
        target = tracking_uri(store, uri)
        if any(request.uri == target for request in requests(store).values()):
            with suppress(InputError):  # of a store that can only be read: its own run sends it
                deliver(store, target)
            say(store)


def say(store: Store) -> None:
    """Say what could not be sent, unless it was said before."""
    for path, request in requests(store).items():
        if request.why:
            print(f"harness: {request.why}", file=sys.stderr)
            with suppress(OSError):
                _write(path, replace(request, why=""))


def folder(store: Store) -> Path:
    """Where the requests are."""
    return store.path / "sending"


def requests(store: Store) -> dict[Path, Request]:
    """What is asked for and not yet done, by its file; one that cannot be read is none."""
    found = {}
    for name in sorted(ages(folder(store))):
        if name.endswith(".json") and not name.startswith("."):
            with suppress(OSError, ValueError, TypeError):
                request = Request(**read_json(folder(store) / name))
                if is_study_name(request.study) and isinstance(request.uri, str) and request.uri:
                    found[folder(store) / name] = request
    return found


def _to_be_tried(store: Store) -> bool:
    """Whether there are requests, of which those that failed are to be tried again."""
    found = requests(store)
    for path, request in found.items():
        if request.tried:
            with suppress(OSError):
                _write(path, replace(request, tried=False))
    return bool(found)


def main(path: str) -> None:
    """Send what a store asks for, unless another process does; then end."""
    store = Store(Path(path))
    if hasattr(os, "nice"):
        os.nice(10)  # whoever has the prompt back may be timing something
    if hasattr(signal, "alarm"):
        signal.alarm(HOUR)  # nothing is held for ever: what is left the next run sends
    try:
        while any(not request.tried for request in requests(store).values()):
            with locked(folder(store) / "lock", wait=False) as mine:
                if not mine:
                    return  # the other looks again when it is done
                remove_leftovers(folder(store))
                send_all(store, None, PAUSES)
    except InputError as error:  # nobody hears it now: the next command says it
        for n, (note, request) in enumerate(requests(store).items()):
            _write(note, replace(request, why="" if n else str(error), tried=True))


def send_all(store: Store, only: str | None, pauses: Sequence[float] = ()) -> None:
    """Send what was not tried yet, to one tracker only or to all; the caller alone is at it.

    Args:
        store: whose requests.
        only: the URI of the tracker, or None.
        pauses: seconds after which a database that was in use is tried again.
    """
    while waiting := {
        path: request
        for path, request in requests(store).items()
        if not request.tried and only in (None, request.uri)
    }:
        request = next(iter(waiting.values()))
        same = [
            path for path, each in waiting.items() if (each.study, each.uri) == (request.study, request.uri)
        ]
        said = _told(store, request, pauses)
        if said:  # one of them will do
            _write(same.pop(), replace(request, why=" ".join(said), tried=True))
        for path in same:
            path.unlink(missing_ok=True)


def _told(store: Store, request: Request, pauses: Iterable[float]) -> tuple[str, ...]:
    """Tell a tracker of a study; sentences on what could not be sent."""
    from harness.store.mlflow_send import send

    try:
        if request.study not in store.studies():
            return ()
        sent = send(store, request.study, request.uri)
        for pause in pauses:
            if not sent.in_use:
                break
            time.sleep(pause)
            sent = send(store, request.study, request.uri)
    except Exception as error:  # whatever it is, nobody is there to see it now
        lines = [*str(error).splitlines(), ""]
        return (f"MLflow is not told of study {request.study!r} ({type(error).__name__}: {lines[0]})",)
    return sent.said


def _write(path: Path, request: Request) -> None:
    write_atomically(path, json_text(asdict(request)))


if __name__ == "__main__":
    main(*sys.argv[1:])
