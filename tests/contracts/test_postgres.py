"""A database server as tracker, by itself: held to PostgreSQL's own tables and to one sentence where it
cannot be used. The long form, with MLflow's server before it, is tests/cluster/test_team_server.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from harness import results
from harness.core.errors import InputError
from harness.store.mlflow_database import LOCK, connected, make_schema
from harness.store.mlflow_send import sync
from harness.store.store import Store
from helpers.kept import keep
from helpers.team import postgres

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
CELLS = "SELECT value FROM tags WHERE key = 'cell'"


@pytest.fixture(scope="module")
def team() -> Iterator[dict[str, str]]:
    with postgres() as environment:
        yield environment


@pytest.fixture
def uri(team: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The administrator's, with the password at hand."""
    monkeypatch.setenv("PGPASSFILE", team["PGPASSFILE"])
    return f"postgresql+psycopg2://postgres@127.0.0.1:{team['PGPORT']}/postgres"


def test_who_has_no_password_is_told_where_it_is_read_and_records_are_kept(
    store: Store, uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [keep(store, "backprop")]
    store.write_study("s", "", ids)
    monkeypatch.setenv("PGPASSFILE", str(store.path / "nowhere"))
    assert sync(store, "s", uri) == 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"the database {uri} cannot be connected to" in said
    assert "PGPASSWORD, or from ~/.pgpass" in said
    assert [i for i in ids if store.has(i)] == ids


def test_tables_are_made_by_one_at_a_time(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who makes them waits while another holds the lock, which PostgreSQL's own table of locks tells."""
    import mlflow
    from sqlalchemy import text

    made: list[str] = []
    monkeypatch.setattr(mlflow, "MlflowClient", lambda uri: made.append(uri) or Mock())
    waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with connected(uri) as other:
        other.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        maker = threading.Thread(target=make_schema, args=(uri,))
        maker.start()
        end = time.monotonic() + 60
        while not other.scalar(waits) and time.monotonic() < end:
            time.sleep(0.01)
        assert other.scalar(waits) == 1
        assert made == []
    maker.join(60)
    assert made == [uri]


@pytest.mark.slow  # making MLflow's tables takes ten seconds
def test_a_study_is_sent_to_postgresql_and_read_back_from_there(
    store: Store, uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from sqlalchemy import text

    ids = [keep(store, rule) for rule in ("backprop", "shallow")]
    store.write_study("s", "", ids)
    with pytest.raises(InputError, match="has no tables of MLflow's"):
        results.cells("s", uri)
    assert sync(store, "s", uri) == 2
    assert results.cells("s", uri)["id"].tolist() == ids
    with connected(uri) as database:
        assert sorted(database.scalars(text(CELLS))) == sorted(ids)
    assert sync(store, "s", uri) == 0
    assert capsys.readouterr().err == ""
