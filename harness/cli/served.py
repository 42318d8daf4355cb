"""One address for what there is: the pages of the studies in a store, and MLflow's server behind them.

    /studies/                           the studies, the newest first
    /studies/<name>/…                   its page, those of its cells, its figures and tables
    /studies/<name>/runs                MLflow's table of its runs
    /studies/<name>/runs/<cell id>      the run of a cell
    all else                            MLflow's: its pages, and what its client asks for

On the loopback interface unless told otherwise, for who names it by an address or a name of this machine,
and for its own pages: what another site's page asks for is refused. Of the disk nothing is read but files of
these kinds below the store's studies.
"""

from __future__ import annotations

import ipaddress
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from html import escape
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from harness.core.errors import InputError
from harness.pages.markup import SERVED, element, link, page
from harness.store.mlflow_note import Note, tracking_uri
from harness.store.mlflow_send import TABLE
from harness.store.store import Store

HOST = "127.0.0.1"
ANY = "0.0.0.0"  # all addresses of this machine
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".csv": "text/csv; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".tex": "text/plain; charset=utf-8",
}
"""The kinds of files that pages link to, as browsers call them."""
HOP = ("connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "expect")
"""Headers that are about one connection, and not handed on."""
PATIENCE = 600  # seconds until MLflow, which says nothing, is given up
KIND = "workflowType=machine_learning"  # or MLflow shows what it has for language models


class Front(ThreadingHTTPServer):
    """Serves the studies of a store, and hands all else to MLflow's server."""

    daemon_threads = True

    def __init__(
        self, port: int, store: Store, behind: int, make: Callable[[str], None], host: str = HOST
    ) -> None:
        """
        Args:
            port: of the address.
            store: whose studies.
            behind: the port of MLflow's server, on the loopback interface.
            make: makes the pages of a study that has none.
            host: the address that is listened at.
        """
        self.store, self.behind, self.make = store, behind, make
        self.names = {HOST, "localhost"}
        self.shared = not is_loopback(host)
        if self.shared:
            self.names |= {host, socket.gethostname().lower(), socket.getfqdn().lower()}
        super().__init__((host, port), Handler)


class Handler(BaseHTTPRequestHandler):
    """Answers a request."""

    server: Front

    def do_GET(self) -> None:
        """A study's, or MLflow's."""
        path = urlsplit(self.path).path
        if path != "/studies" and not path.startswith("/studies/"):
            self.pass_on()
        elif not self._is_here():
            self._say(403, "text/plain", b"This is served to this machine alone.")
        else:
            self._study([unquote(part) for part in path.split("/")[2:]])

    do_HEAD = do_GET

    def pass_on(self) -> None:
        """Hand a request to MLflow's server, and its answer back."""
        if self.server.shared and not (self._is_here() and self._is_own()):
            return self._say(
                403, "text/plain", b"This is served by the names of this machine, to its own pages."
            )
        try:
            body = self._body()
        except ValueError:
            return self._say(400, "text/plain", b"What was sent has no length that can be read.")
        behind = HTTPConnection(HOST, self.server.behind, timeout=PATIENCE)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        if self.server.shared:  # MLflow would take other machines' requests for those of other sites
            headers = {
                name: value for name, value in headers.items() if name.lower() not in ("host", "origin")
            }
        try:
            behind.request(self.command, self.path, body, headers)
            answer = behind.getresponse()
        except (OSError, HTTPException):
            self._say(502, "text/plain", b"MLflow's server does not answer.")
        else:
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.end_headers()
            with suppress(OSError, HTTPException):  # whoever asked has gone, or MLflow has
                shutil.copyfileobj(answer, self.wfile)
        finally:
            behind.close()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = pass_on

    def log_message(self, *_: object) -> None:
        """Nobody reads what was asked for."""

    def _is_here(self) -> bool:
        """Whether it is asked for by a name of this machine; browsers leave port 80 out."""
        with suppress(ValueError):
            name = urlsplit(f"//{self.headers.get('Host') or ''}").hostname or ""
            return name in self.server.names or (self.server.shared and is_address(name))
        return False

    def _is_own(self) -> bool:
        """Whether no page of another site asks."""
        origin = self.headers.get("Origin")
        return origin is None or origin.partition("://")[2] == self.headers.get("Host")

    def _body(self) -> bytes | None:
        """What was sent. Raises `ValueError` where its length cannot be read."""
        if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
            told = self.headers.get("Content-Length")
            if told and not told.isdecimal():
                raise ValueError(told)
            return self.rfile.read(int(told)) if told else None
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        return b"".join(parts)

    def _study(self, parts: list[str]) -> None:
        """Answer for what lies below /studies/."""
        store, name, rest = self.server.store, "".join(parts[:1]), parts[1:]
        if parts in ([], [""]):
            return self._say(200, TYPES[".html"], overview(store).encode())
        if name not in store.studies():
            return self._say(404, "text/plain", b"There is no such study.")
        if rest in ([], [""]):
            return self._lead(f"/studies/{name}/index.html")
        if rest[0] == "runs" and len(rest) <= 2:
            target = run_table(store, name) if len(rest) == 1 else run_page(store, name, rest[1])
            return (
                self._lead(f"/{target}")
                if target
                else self._say(404, "text/plain", b"MLflow has no such run.")
            )
        if rest[-1].endswith(".html"):
            self.server.make(name)
        path = file_below(store.study_folder(name), rest)
        if path is None:
            return self._say(404, "text/plain", b"There is no such file.")
        content = path.read_bytes()
        if path.suffix == ".html":  # whatever the port is now
            content = content.replace(f'href="{SERVED}/'.encode(), b'href="/')
        return self._say(200, TYPES[path.suffix], content)

    def _say(self, status: int, kind: str, content: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        if kind == TYPES[".svg"]:  # of a study that was handed over a stranger drew it: no script of it runs
            self.send_header("Content-Security-Policy", "sandbox")
        self.end_headers()
        if self.command != "HEAD":
            with suppress(OSError):  # whoever asked has gone
                self.wfile.write(content)

    def _lead(self, target: str) -> None:
        self.send_response_only(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()


def is_loopback(host: str) -> bool:
    """Whether no other machine reaches an address; raises `InputError` for one that is none."""
    try:
        return ipaddress.ip_address(socket.gethostbyname(host)).is_loopback
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"host must be an address of this machine, such as {HOST}, but {host!r} was given"
        ) from error


def is_address(name: str) -> bool:
    """Whether a name is an address in digits, which no other site can have for its own."""
    with suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return False


def file_below(folder: Path, parts: list[str]) -> Path | None:
    """The file to be served that the parts of a path name below a folder; None if there is none."""
    if any(part.startswith(".") or set(part) & set("/\\\0") or not part for part in parts):
        return None
    try:
        path = folder.joinpath(*parts).resolve()  # a link may lead out
        inside = path.is_relative_to(folder.resolve())
        return path if inside and path.suffix in TYPES and path.is_file() else None
    except OSError:  # longer than a name can be
        return None


def run_table(store: Store, study: str) -> str:
    """The address, within the server, of a study's run table with the columns that matter; '' without one."""
    note = Note.of(store, study, tracking_uri(store, None))
    return f"#/experiments/{note.experiment}/runs?viewStateShareKey={TABLE}&{KIND}" if note else ""


def run_page(store: Store, study: str, cell: str) -> str:
    """The address, within the server, of the run of a cell; '' without one."""
    note = Note.of(store, study, tracking_uri(store, None))
    known = note and note.runs.get(cell)
    return f"#/experiments/{note.experiment}/runs/{known}?{KIND}" if note and known else ""


def overview(store: Store) -> str:
    """The page of all studies, the newest first."""
    rows = []
    for name in reversed(store.studies()):
        with suppress(InputError):  # a definition that cannot be read
            study, at = store.study(name), f"/studies/{quote(name)}"
            links = f"{link(f'{at}/index.html', name)} · {link(f'{at}/runs', 'runs in MLflow')}"
            rows.append(f"<dt>{links}</dt>\n<dd>{escape(study['question'])}</dd>")
    body = [element("h1", "Studies"), "<dl>", *rows, "</dl>", f"<p>{link('/', 'MLflow')}</p>"]
    return page("Studies", body)
