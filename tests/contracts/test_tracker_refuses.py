"""A server that answers, and refuses: held to HTTP's own meaning of what it answers, in one sentence that
says what to do; the records are kept, and sent once it lets them in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness import results
from harness.cli.conduct import looked_at
from harness.core.errors import InputError
from harness.store import mlflow_later
from harness.store.mlflow_send import sync
from harness.store.store import Store
from helpers.kept import keep

# MLflow's own imports warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WAYS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


class Refuses(BaseHTTPRequestHandler):
    """Stands for a proxy before MLflow that lets nobody in; what it was shown is kept."""

    status = 401
    shown: list[str]

    def do_GET(self) -> None:
        type(self).shown.append(self.headers.get("Authorization", ""))
        self.send_response_only(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=[401, 403])
def refusing(request: pytest.FixtureRequest) -> Iterator[tuple[str, type[Refuses]]]:
    """The address of a server that refuses, and its handler."""
    handler = type("Here", (Refuses,), {"status": request.param, "shown": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()


def test_a_server_that_refuses_is_one_sentence_that_says_how_to_be_let_in(
    store: Store,
    refusing: tuple[str, type[Refuses]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    uri, handler = refusing
    store.write_study("s", "", [keep(store, "backprop")])
    for name in WAYS:
        monkeypatch.delenv(name, raising=False)
    assert sync(store, "s", uri) == 0
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"MLflow at {uri} " in err
    assert "safe in the store (the next run of the study sends them)" in err
    assert all(name in err for name in WAYS)
    with pytest.raises(InputError, match=f"MLflow at {uri} "):
        results.cells("s", uri)
    monkeypatch.setenv(WAYS[2], "secret")
    sync(store, "s", uri)
    assert "Bearer secret" in handler.shown
    assert "secret" not in capsys.readouterr().err


def test_a_request_that_was_refused_stays_and_is_said_once(
    store: Store, refusing: tuple[str, type[Refuses]], capsys: pytest.CaptureFixture[str]
) -> None:
    store.write_study("s", "", [keep(store, "backprop")])
    mlflow_later.ask(store, "s", refusing[0])
    mlflow_later.deliver(store)
    for lines in (1, 0):
        mlflow_later.say(store)
        assert capsys.readouterr().err.count("\n") == lines
    assert [request.uri for request in mlflow_later.requests(store).values()] == [refusing[0]]


def test_the_last_line_of_a_study_says_where_its_runs_are(
    harness: Callable[..., tuple[int, str, str]], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server's address: no command of this machine shows what is there."""
    monkeypatch.setattr(mlflow_later, "start", lambda store: None)
    uri = "http://127.0.0.1:9"
    typed = ["-m", "task=xor", "run.replicas=2", "run.epochs=2", "figures=false", f"tracking.uri={uri}"]
    code, out, err = harness(*typed, tracking=True)
    assert (code, out.splitlines()[-1]) == (0, f"dashboard: {uri}"), err
    assert looked_at(store, None) == "python -m harness.dashboard"
    assert looked_at(store, "sqlite:////m.db") == "mlflow server --backend-store-uri sqlite:////m.db"
