"""A tracker that is a database server, as MLflow takes it: asked first, and its schema made under a lock.

MLflow alone tries ten times, for a hundred seconds, whatever is wrong with a password; and two that open an
empty database at once both make its tables, of which one ends in a traceback (its own lock is a file among
temporary ones, which another machine does not see). So we connect first, and make the schema while we hold
PostgreSQL's advisory lock, which whoever dies lets go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.core.errors import InputError
from harness.store.mlflow_note import hidden

if TYPE_CHECKING:
    from sqlalchemy import Connection

SERVERS = ("postgresql", "mysql", "mssql")  # as MLflow knows them
LOCK = 5_031_986  # the number of the advisory lock: ours, the same for whoever makes a schema
PATIENCE = 3  # seconds until a server that says nothing is taken for absent
EXTRA = "pip install 'credit-assignment-harness[server]'"
DRIVERS = {
    "psycopg2": EXTRA,
    "psycopg": f"postgresql+psycopg2://… and {EXTRA}, or psycopg[binary]",
}
"""What is to be done where a driver is not installed; SQLAlchemy takes `postgresql://` for psycopg."""


def is_server(uri: str) -> bool:
    """Whether a tracking URI is of a database server, by itself."""
    scheme, found, _ = uri.partition("://")
    return bool(found) and scheme.partition("+")[0] in SERVERS


@contextmanager
def connected(uri: str) -> Iterator[Connection]:
    """A connection to a database server.

    Raises `InputError` if its driver is not installed, nobody answers, or the database lets nobody in.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    at = hidden(uri)
    try:
        engine = create_engine(uri, poolclass=NullPool)
        if engine.driver in DRIVERS:
            engine = create_engine(uri, poolclass=NullPool, connect_args={"connect_timeout": PATIENCE})
    except ModuleNotFoundError as error:
        name = str(error.name)
        way = DRIVERS.get(name, f"pip install {name}")
        raise InputError(f"the driver {name} of the database {at} is not installed: use {way}") from error
    except SQLAlchemyError as error:
        raise InputError(f"the database {at} is not one that can be connected to ({error})") from error
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        said = " ".join(str(getattr(error, "orig", error)).split("\n")[0].split())
        if "password" in said or "authentication" in said:
            said += ": its password is read from PGPASSWORD, or from ~/.pgpass"
        raise InputError(f"the database {at} cannot be connected to ({said})") from error
    try:
        yield connection
    finally:
        connection.close()
        engine.dispose()


def has_schema(uri: str) -> bool:
    """Whether MLflow's tables are there. Raises `InputError` as `connected` does."""
    from sqlalchemy import inspect

    with connected(uri) as connection:
        return {"alembic_version", "experiments", "runs"} <= set(inspect(connection).get_table_names())


def make_schema(uri: str) -> None:
    """Have MLflow make its tables, unless they are there: of several at once one does, and others wait.

    Raises `InputError` as `connected` does, and what MLflow raises. The lock is PostgreSQL's: on other
    servers there is none.
    """
    from mlflow import MlflowClient
    from sqlalchemy import text

    with connected(uri) as connection:
        if connection.dialect.name == "postgresql":  # it is let go with the connection
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        MlflowClient(uri).search_experiments(max_results=1)
