"""The address at which the dashboard is served, held to what the machine says of its sockets: the loopback
interface, unless told otherwise, and then it says who reaches it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from harness.cli import dashboard
from harness.cli.served import ANY, HOST
from harness.store.store import Store
from helpers.kept import keep


class Ended:
    """Stands for MLflow's server, which ends at once."""

    exitcode = 0

    def is_alive(self) -> bool:
        return False

    def join(self, _: float = 0) -> None:
        pass


@pytest.fixture
def bound(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses that a dashboard of a small study listened at; MLflow is left out."""
    store.write_study("s", "", [keep(store, "backprop")])
    addresses: list[Any] = []

    class Front(dashboard.Front):
        def server_activate(self) -> None:
            super().server_activate()
            addresses.append(self.socket.getsockname()[0])

    @contextlib.contextmanager
    def tended(*_: object) -> Iterator[Ended]:
        yield Ended()

    for name in ("make_database", "answering", "sync"):
        monkeypatch.setattr(dashboard, name, lambda *_: None)
    monkeypatch.setattr(dashboard, "Front", Front)
    monkeypatch.setattr(dashboard, "tended", tended)
    monkeypatch.setattr(dashboard, "listens", lambda _: True)
    return addresses


def test_it_listens_to_this_machine_alone_and_says_nothing(
    store: Store, bound: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dashboard.serve(store, "s", 5000) == 0
    assert bound == ["127.0.0.1"] == [HOST]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("host", [ANY, "localhost"])
def test_told_of_another_address_it_says_in_one_line_who_reads_and_writes(
    store: Store, bound: list[Any], capsys: pytest.CaptureFixture[str], host: str
) -> None:
    """No other machine reaches the loopback interface by another of its names, so nothing is to be said."""
    assert dashboard.serve(store, "s", 5000, host=host) == 0
    assert bound == [socket.gethostbyname(host)]
    err = capsys.readouterr().err
    if host == ANY:
        assert err.count("\n") == 1
        for said in (ANY, "without a password", "whoever reaches this machine can read and write"):
            assert said in err
    else:
        assert err == ""
