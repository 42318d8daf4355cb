"""Before MLflow is asked: does anybody hear, is its database whole, is nobody else at it.

MLflow itself would retry for minutes, make a database in place (where of two at once one fails), and end in
its libraries' tracebacks. A tracker in trouble is one sentence here, an `InputError`, within seconds.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from harness.core.errors import InputError
from harness.core.files import whole
from harness.store.locked import locked
from harness.store.mlflow_database import has_schema, is_server, make_schema
from harness.store.mlflow_note import database_of, hidden, is_http

PATIENCE = 3.0  # seconds until a server that says nothing is taken for absent
SOON = 2.0  # seconds that others may hold a database before it is said
ASKS = (
    "asks for a password, or takes not the one it was given: give it by MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD, or by MLFLOW_TRACKING_TOKEN"
)
FORBIDS = (
    "refuses this name of it, or you: its --allowed-hosts, or the proxy before it, say who may ask (you say "
    "who you are by MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or by MLFLOW_TRACKING_TOKEN)"
)
SIGNS = {
    **{"error code 401": ASKS, "401 Client Error": ASKS},  # as MLflow has it of its tables, and of files
    **{"error code 403": FORBIDS, "403 Client Error": FORBIDS},
    "/mlflow-artifacts/": "does not take the files of runs: its folder for them (--artifacts-destination) "
    "must be there, and be its own to write",
    "database schema": "is of another version of MLflow",
    "Can't locate revision": "is of another version of MLflow",
}
"""What is wrong with a server, by what its answer holds."""
MEND = "the records are safe; move the file aside, and the next run of the study sends everything again"


class InUse(InputError):
    """Another program is at the database, and may be done with it soon."""


def quieten() -> None:
    """Before MLflow is imported: notice in seconds, not minutes,
    that a server is down; report nothing to anybody.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault(
        "MLFLOW_LOGGING_LEVEL", "CRITICAL"
    )  # it prints tracebacks of what it raises as well
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    # no connection outlives its use: a database that was moved aside, or made anew, is let go
    os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # where it was imported before


@contextmanager
def alone(uri: str, folder: Path) -> Iterator[None]:
    """Inside the block no other process of this kind is at the tracker; one that dies holds nothing.

    The lock is a file beside the database, or in `folder` for a server, where every store has its own. Raises
    `InputError` where it cannot be made.
    """
    database = database_of(uri)
    key = hashlib.sha256(uri.encode()).hexdigest()[:12]
    path = Path(f"{database}.lock") if database else folder / f"mlflow-{key}.lock"
    with ExitStack() as held:
        try:
            held.enter_context(locked(path))
        except OSError as error:
            raise in_words(uri, error) from error
        yield


def make_database(uri: str) -> None:
    """Make the database of a tracking URI where there is none: aside, and then there whole; in that of a
    database server, the tables, where nobody else makes them.
    """
    database = database_of(uri)
    if is_server(uri):
        quieten()
        try:
            make_schema(uri)
        except troubles() as error:
            raise in_words(uri, error) from error
    if database is None or (database.is_file() and database.stat().st_size):
        return
    quieten()
    from mlflow import MlflowClient

    database.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole(database) as new:
            MlflowClient(f"sqlite:///{new}").search_experiments()
    except troubles() as error:
        raise in_words(uri, error) from error


def answering(uri: str) -> None:
    """Raise `InputError` unless the tracker at a URI can be asked: a server answers, a database is one."""
    if is_http(uri):
        _heard(uri)
    if is_server(uri) and not has_schema(uri):
        raise InputError(
            f"the database {hidden(uri)} has no tables of MLflow's: the first run that is sent makes "
            f"them, or python -m harness.dashboard prepare={hidden(uri)}"
        )
    if database := database_of(uri):
        _readable(uri, database)


def _heard(uri: str) -> None:
    try:
        request = Request(f"{uri.rstrip('/')}/health")  # through whatever proxy the environment names
        urlopen(request, timeout=PATIENCE).close()
    except HTTPError as error:  # an answer, whatever it says: MLflow will say it better
        error.close()
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if not isinstance(reason, ssl.SSLError):  # MLflow has settings of its own for certificates
            raise InputError(f"nobody answers at {uri} ({_first_line(reason)})") from error


def _readable(uri: str, database: Path) -> None:
    if not database.is_file():
        raise InputError(f"there is no MLflow database at {database}")  # MLflow would make one
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=SOON)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            for table in ("alembic_version", "experiments", "runs"):
                if table not in tables or not connection.execute(f"SELECT count(*) FROM {table}").fetchone():
                    raise sqlite3.DatabaseError(f"it has no table {table}")
    except sqlite3.Error as error:
        raise in_words(uri, error) from error


def troubles() -> tuple[type[Exception], ...]:
    """What MLflow raises, itself or by the libraries that it stands on, where a tracker is in trouble."""
    from alembic.util.exc import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, CommandError, sqlite3.Error, OSError


def in_words(uri: str, error: Exception) -> InputError:
    """What is wrong with a tracker, and what to do about it, for what was raised on the way."""
    reason, database = _first_line(error), database_of(uri)
    if database is None:
        return _of_server(uri, reason)
    if "locked" in reason:
        return InUse(f"MLflow's database {database} is in use by another program ({reason})")
    if isinstance(error, OSError) or any(word in reason for word in ("full", "readonly", "disk I/O")):
        return InputError(f"MLflow's database {database} cannot be written ({reason})")
    if any(word in reason for word in ("schema", "revision")):  # made by another version of MLflow
        return InputError(f"MLflow's database {database} is of another version of MLflow ({reason})")
    return InputError(f"MLflow's database {database} is damaged or half-made ({reason}): {MEND}")


def _of_server(uri: str, reason: str) -> InputError:
    """`in_words` of a server, of MLflow's or of a database."""
    if is_http(uri):
        try:
            answering(uri)
        except InputError as away:
            return away
    for sign, what in SIGNS.items():
        if sign in reason:
            return InputError(f"MLflow at {uri} {what} ({reason})")
    return InputError(f"MLflow at {uri} failed ({reason})")


def _first_line(error: object) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
