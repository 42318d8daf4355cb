"""A team's server, made once for all tests that want it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from helpers.team import Server, postgres, typed


@pytest.fixture(scope="session")
def team() -> Iterator[dict[str, str]]:
    """The environment in which the page's commands run, with the database that they make."""
    with postgres() as environment:
        typed("database", environment)
        yield environment


@pytest.fixture(scope="session")
def server(team: dict[str, str]) -> Iterator[Server]:
    """Its tables and the server, by the page's commands."""
    assert "MLflow's tables are in" in typed("schema", team)
    server = Server(team)
    yield server
    server.end(signal.SIGTERM)
    typed("upgrade", team)
