"""`python -m harness.dashboard prepare=URI`: MLflow's tables in a database, made once whoever asks."""

from __future__ import annotations

from harness.core.errors import InputError
from harness.store.mlflow_database import is_server
from harness.store.mlflow_note import database_of, hidden
from harness.store.mlflow_tracker import alone, answering, make_database


def prepare(uri: str) -> int:
    """Make MLflow's tables in the database of a URI, unless they are there; the exit code, 0.

    Of several that do so at once one makes them, and the others wait. The URI may have a password, as it may
    for `mlflow server`: nothing keeps or shows it. Raises `InputError` where it is of no database, or that
    cannot be had.
    """
    if database := database_of(uri):
        with alone(uri, database.parent):
            make_database(uri)
    elif is_server(uri):
        make_database(uri)
    else:
        raise InputError(
            "prepare must be the URI of a database, sqlite:///FILE or "
            f"postgresql+psycopg2://USER@HOST/DATABASE, but {hidden(uri)!r} was given"
        )
    answering(uri)
    print(f"MLflow's tables are in {hidden(uri)}")
    return 0
