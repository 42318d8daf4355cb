"""The dashboard held to what Python's own HTTP client and a browser make of it: its pages are there, nothing
else of the disk is, all else is MLflow's to the byte, and every link leads somewhere."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from html import unescape
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import unquote, urljoin
from urllib.request import urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli import dashboard
from harness.cli.dashboard import Pages, free_port, listens
from harness.cli.served import HOST, Front, file_below
from harness.store import said
from harness.store.files import json_text
from harness.store.mlflow_note import note_path, tracking_uri
from harness.store.mlflow_send import COLUMNS
from harness.store.store import Store
from helpers.browser import opened, seen_in
from helpers.kept import XOR, keep
from helpers.made_up import S, U
from helpers.processes import alive, children

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SECRET = "nobody's business"
TRIED = [
    "..",
    ".",
    "%2e%2e",
    "%2E.",
    "..%2f..",
    "%2f",
    "%5c..",
    "%00",
    "",
    "secret.html",
    "led.html",
    "ledfolder",
]
TRIED += ["study.json", "said.json", "joined", "cells", "index.html", "s", ".hidden.html", "etc", "passwd"]


@pytest.fixture
def study(store: Store) -> Store:
    """A study of two cells with a page, in a store with what is not to be served."""
    store.write_study("s", "Who?", [keep(store, "backprop"), keep(store, "shallow", XOR, (U,), (100,))])
    (store.path / "secret.html").write_text(SECRET)
    (store.path.parent / "secret.html").write_text(SECRET)
    folder = store.study_folder("s")
    (folder / ".hidden.html").write_text(SECRET)
    (folder / "led.html").symlink_to(store.path / "secret.html")
    (folder / "ledfolder").symlink_to(store.path)
    Pages(store).make("s")
    return store


class Echo(BaseHTTPRequestHandler):
    """Stands for MLflow: answers with what it was asked."""

    def do_POST(self) -> None:
        told = f"{self.command} {self.path} {self.headers['Host']} {self.headers.get('X-Own')}\n".encode()
        body = told + self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(418, "As asked")
        self.send_header("X-Behind", "yes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_POST

    def log_message(self, *_: object) -> None:
        pass


Ask = Callable[..., HTTPResponse]


@pytest.fixture
def ask(study: Store) -> Iterator[Ask]:
    """A request to the address of the store's studies, its path as it is written."""
    with (
        HTTPServer((HOST, 0), Echo) as behind,
        Front(free_port(0), study, behind.server_port, Pages(study).make) as front,
    ):
        for server in (behind, front):
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

        def asked(path: str, method: str = "GET", body: object = None, **headers: str) -> HTTPResponse:
            connection = HTTPConnection(HOST, front.server_port, timeout=60)
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)  # type: ignore[arg-type]
            return connection.getresponse()

        yield asked
        for server in (front, behind):
            server.shutdown()


# What is served, and what is not


def test_no_script_in_a_picture_runs_at_the_address_of_mlflow(ask: Ask, study: Store) -> None:
    """A study that was handed over has pictures that a stranger drew."""
    for name, policy in (("x.svg", "sandbox"), ("x.png", None)):
        (study.study_folder("s") / name).write_text("<svg/>", encoding="utf-8")
        assert ask(f"/studies/s/{name}").getheader("Content-Security-Policy") == policy


def test_pages_are_served_with_links_that_stay_at_their_address(ask: Ask, study: Store) -> None:
    cell = study.study("s")["cells"][0]
    answer = ask("/studies/s/index.html")
    text = answer.read().decode()
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/html; charset=utf-8")
    assert 'href="/studies/s/runs"' in text
    assert "127.0.0.1" not in text
    assert "127.0.0.1:5000" in (study.study_folder("s") / "index.html").read_text(), "as a file it has to say"
    shutil.rmtree(study.study_folder("s") / "cells")
    (study.study_folder("s") / "index.html").unlink()
    of_cell = ask(f"/studies/s/cells/{cell}.html").read().decode()
    assert f'href="/studies/s/runs/{cell}"' in of_cell, "made when it is asked for, first though it may be"
    assert ask("/studies/s/table.csv").getheader("Content-Type") == "text/csv; charset=utf-8"
    for short in ("/studies/s", "/studies/s/"):
        assert ask(short).getheader("Location") == "/studies/s/index.html"
    whole, head = ask("/studies/s/table.csv"), ask("/studies/s/table.csv", "HEAD")
    assert head.getheader("Content-Length") == whole.getheader("Content-Length") == str(len(whole.read()))
    assert head.read() == b""


def test_the_studies_are_listed_the_newest_first(ask: Ask, study: Store) -> None:
    study.write_study("t", "Why <b>?", [])
    text = ask("/studies/").read().decode()
    assert re.findall(r'href="([^"]*index\.html)"', text) == [
        "/studies/t/index.html",
        "/studies/s/index.html",
    ]
    assert "Why &lt;b&gt;?" in text
    assert ask("/studies/t/index.html").status == 200, "its page is made when it is asked for"


def test_nothing_else_of_the_disk_is_served(ask: Ask, study: Store) -> None:
    ways = [f"/studies/{a}/{b}" for a in TRIED for b in TRIED] + [
        f"/studies/s/{a}/{b}" for a in TRIED for b in TRIED
    ]
    ways += ["/studies/s/../../secret.html", "/studies/s/cells/../../../secret.html", "/studies//secret.html"]
    ways += [f"/studies{study.path}/secret.html", f"/studies/s/{study.path}/secret.html"]
    for path in ways:
        answer = ask(path)
        body = answer.read().decode()
        assert SECRET not in body, path
        known = {"/studies/s/": 302, "/studies/s/index.html": 200}  # the other ways are none
        assert answer.status == known.get(path, 404), path


@given(st.lists(st.sampled_from(TRIED), max_size=5))
def test_a_path_leads_to_a_file_below_its_folder_or_nowhere(parts: list[str]) -> None:
    """Whatever lies there: this file's own folder has plenty."""
    folder = Path(__file__).parent
    found = file_below(folder, [unquote(part) for part in parts])
    assert found is None or folder in found.parents


def test_who_names_this_machine_by_another_name_is_refused(ask: Ask) -> None:
    """A page of somebody else's in the same browser could ask under a name of its own (DNS rebinding)."""
    assert ask("/studies/s/index.html", Host="studies.example:5000").status == 403
    assert ask("/studies/s/index.html", Host="localhost:5000").status == 200


def test_without_a_port_it_is_this_machine_too(ask: Ask) -> None:
    """Browsers leave port 80 out."""
    assert [ask("/studies/", Host=name).status for name in (HOST, "localhost", "evil.example")] == [
        200,
        200,
        403,
    ]


@pytest.mark.parametrize("length", ["many", "-5", "²", ""])
def test_a_length_that_cannot_be_read_is_a_bad_request(ask: Ask, length: str) -> None:
    answer = ask("/ajax-api", "POST", b"", Content_Length=length)
    assert answer.status == (400 if length else 418)


def test_a_path_that_is_too_long_leads_nowhere(ask: Ask) -> None:
    assert ask(f"/studies/s/{'a' * 5000}.html").status == 404


def test_a_study_that_goes_while_it_is_asked_for_is_not_there(study: Store, capsys) -> None:
    """Between one look and the next; the server goes on."""
    shutil.rmtree(study.study_folder("s"))
    Pages(study).make("s")
    assert "the page of study 's' could not be made" in capsys.readouterr().err
    assert file_below(study.study_folder("s"), ["index.html"]) is None


def test_all_else_is_mlflows_to_the_byte(ask: Ask) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = ask("/ajax-api/x?a=%2F&b", method, b"\0\1" * 5, X_Own="kept", Host="localhost:1")
        assert (answer.status, answer.reason, answer.getheader("X-Behind")) == (418, "As asked", "yes")
        assert answer.read() == f"{method} /ajax-api/x?a=%2F&b localhost:1 kept\n".encode() + b"\0\1" * 5
    for path in ("/", "/studiesx", "/static-files/studies/s/index.html"):
        assert ask(path).read().decode().startswith(f"GET {path} "), path
    parts = iter([b"one", b"two" * 1000])  # sent in chunks, as MLflow's client does where it knows no length
    assert ask("/upload", "PUT", parts).read().endswith(b"\none" + b"two" * 1000)
    assert ask("/x", "HEAD").read() == b""


def test_mlflow_that_is_gone_is_said(study: Store) -> None:
    with Front(free_port(0), study, free_port(0), print) as front:
        threading.Thread(target=front.serve_forever, args=(0.01,), daemon=True).start()
        connection = HTTPConnection(HOST, front.server_port, timeout=60)
        connection.request("GET", "/")
        assert connection.getresponse().status == 502
        front.shutdown()


def test_runs_are_found_by_their_cells(ask: Ask, study: Store) -> None:
    cell, other = study.study("s")["cells"]
    assert ask("/studies/s/runs").status == 404, "MLflow was not told yet"
    note = note_path(study, "s", tracking_uri(study, None))
    note.parent.mkdir()
    note.write_text(json_text({"experiment": "7", "runs": {cell: "abc"}, "left": []}))
    kind = "workflowType=machine_learning"
    for path, target in (
        ("/studies/s/runs", f"/#/experiments/7/runs?viewStateShareKey=harness&{kind}"),
        (f"/studies/s/runs/{cell}", f"/#/experiments/7/runs/abc?{kind}"),
    ):
        answer = ask(path)
        assert (answer.status, answer.getheader("Location")) == (302, target)
    assert ask(f"/studies/s/runs/{other}").status == 404


# Pages that are missing


def test_a_page_is_made_where_there_is_none_and_when_a_cell_has_joined(study: Store) -> None:
    index = study.study_folder("s") / "index.html"
    said.keep(study, "s", said.Said((), "python -m harness -m study=s"))
    before = index.stat().st_ino
    Pages(study).make("s")
    assert index.stat().st_ino == before, "it is there"
    study.join_study("s", "", keep(study, "perceptron"))
    Pages(study).make("s")
    text = index.read_text()
    assert "Of 3 cells all are finished" in text
    assert "python -m harness -m study=s" in text, "the command that made it is not lost"
    index.unlink()
    Pages(study).make("s")
    assert index.read_text() == text


def test_a_page_that_cannot_be_written_is_said(study: Store, capsys: pytest.CaptureFixture[str]) -> None:
    folder = study.study_folder("s")
    shutil.rmtree(folder / "cells")
    (folder / "index.html").unlink()
    (folder / "cells").write_text("no folder")
    Pages(study).make("s")
    err = capsys.readouterr().err
    assert err.startswith("harness: the page of study 's' could not be made: ")
    assert err.count("\n") == 1


# The command


@pytest.mark.parametrize(
    ("typed", "said_of_it"),
    [
        (
            "stdy=s",
            "unknown setting 'stdy': allowed are host, open, port, prepare, store, study; did you mean",
        ),
        ("study=q", "unknown study 'q': allowed are s"),
        ("port=high", "argument --port: invalid int value: 'high'"),
        ("port=99999", "port must be from 1 to 65535, but 99999 was given"),
        ("open=perhaps", "argument --open: invalid choice: 'perhaps' (choose from"),
        ("s", "unrecognized arguments: s"),
        ("--nothing", "unrecognized arguments: --nothing"),
    ],
)
def test_bad_input_is_one_sentence(
    typed: str,
    said_of_it: str,
    study: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["dashboard", f"store={study.path}", typed])
    with pytest.raises(SystemExit) as end:
        dashboard.main()
    out, err = capsys.readouterr()
    assert (end.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"harness: {said_of_it}")


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("screen", [True, False])
def test_a_browser_is_opened_where_a_person_sits_before_a_screen(
    terminal: bool, screen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere one would take over the terminal, or the log of a job."""
    links: list[str] = []
    monkeypatch.setattr(webbrowser, "open", links.append)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if screen:
        monkeypatch.setenv("DISPLAY", ":0")
    dashboard._open("http://127.0.0.1:5000/")
    assert links == ["http://127.0.0.1:5000/"] * (terminal and screen)


# In a browser

SORT = """
const names = () => [...document.querySelectorAll("table.cells tbody tr a")].map(a => a.textContent);
const head = [...document.querySelectorAll("table.cells thead th")].find(th => th.textContent === "ERT");
const start = names();
head.querySelector("button").click();
return [start, names()];
"""


@pytest.fixture
def served(store: Store, database: Path) -> Iterator[tuple[Store, str, subprocess.Popen[str]]]:
    """A store, the address at which the dashboard serves it, and the dashboard."""
    shutil.copy(database, store.path / "mlflow.db")
    fast = {"name": "backprop", "optimiser": {"name": "gradient_descent", "lr": 2.0}}
    ids = [keep(store, fast, XOR, (S, S), (80, 90)), keep(store, "backprop", XOR, (S, S), (9, 10))]
    ids += [keep(store, "shallow", XOR, (S, U), (20, 100))]
    store.write_study("s", "Who learns it?", ids)
    store.write_study("other", "", ids[:1])
    port = free_port(0)
    command = [sys.executable, "-m", "harness.dashboard", "study=s", f"port={port}", f"store={store.path}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        lines = [process.stdout.readline().strip() for _ in range(4)]
        address = f"http://{HOST}:{port}"
        assert lines[0] == f"dashboard: {address}/studies/s/index.html"
        assert lines[1].startswith(f"run table: {address}/#/experiments/")
        assert lines[2:] == [f"all studies: {address}/studies/", "(stop with Ctrl-C)"]
        yield store, address, process
    finally:
        process.kill()
        process.communicate()


def said_by(tag: str, attribute: str) -> str:
    found = re.search(rf'{attribute}="([^"]*)"', tag)
    assert found, tag
    return found[1]


@pytest.mark.skipif(os.name != "posix", reason="there are no signals")
def test_in_a_browser_page_and_run_table_lead_to_each_other_and_sigterm_ends_both(
    served: tuple[Store, str, subprocess.Popen[str]], tmp_path: Path
) -> None:
    """No error in the console, the table is sorted, every link leads somewhere; in MLflow's table runs have
    names that tell them apart, and the columns their order."""
    store, address, process = served
    folder = store.study_folder("s")
    seen, errors = seen_in(folder / "index.html", SORT, f"{address}/studies/s")
    assert errors == []
    first = ["backprop (lr=2)", "backprop (lr=0.5)", "shallow"]
    assert seen == [first, [first[1], first[0], first[2]]]

    pages = [f"{address}/studies/s/index.html"]
    for page in pages:  # grows
        with urlopen(page) as answer:
            text = answer.read().decode()
        for target in re.findall(r'(?:href|src)="([^"]*)"', text):
            there = urljoin(page, unescape(target))
            with urlopen(there) as answer:
                assert (answer.status, there.startswith(address)) == (200, True)
            if there.endswith(".html") and there not in pages:
                pages.append(there)
    assert len(pages) == 1 + 3

    dom, _ = opened(f"{address}/studies/s/runs", tmp_path / "profile", seconds=20, width=1600)
    assert re.findall(r">(xor · [^<]*)<", dom) == [
        "xor · backprop · lr=0.5",
        "xor · backprop · lr=2",
        "xor · shallow",
    ]
    heads = [tag for tag in re.findall(r"<[^>]*>", dom) if 'role="columnheader"' in tag and "`" in tag]
    places = {said_by(tag, "col-id"): int(said_by(tag, "aria-colindex")) for tag in heads}
    shown = [name for name in sorted(places, key=places.__getitem__) if name in COLUMNS]
    assert shown == list(COLUMNS)[: len(shown)]
    assert len(shown) >= 5
    assert "Who learns it?" in dom
    assert 'href="/studies/s/index.html"' in dom, "and back"

    below = children(process.pid) if Path("/proc/self/task").is_dir() else []
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    end = time.monotonic() + 30
    while any(map(alive, below)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not [pid for pid in below if alive(pid)]
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, int(address.rpartition(":")[2]))) != 0
    assert not listens(int(address.rpartition(":")[2]))
