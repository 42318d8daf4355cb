"""What goes wrong around a team's server, held to PostgreSQL's own tables and to one sentence: several who
make its tables at once, tables of another version, files that the server cannot keep, nginx before it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.store.store import Store
from helpers.kept import keep
from helpers.team import PAGE, Server, free, once

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SEND = """import sys
from harness.store.mlflow_send import Store, sync
print(sync(Store.at(sys.argv[1]), 's', sys.argv[2]))"""


def sql(team: dict[str, str], database: str, said: str) -> str:
    """What PostgreSQL's administrator is answered."""
    command = ["psql", "--quiet", "--tuples-only", "--no-align", f"--dbname={database}", f"--command={said}"]
    return subprocess.run(command, env=team, capture_output=True, text=True, check=True).stdout.strip()


def started(team: dict[str, str], *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", *command],
        env=team,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def fresh(team: dict[str, str]) -> Iterator[tuple[str, str]]:
    """An empty database: its name, and its URI for PostgreSQL's administrator."""
    name = f"fresh_{free()}"
    sql(team, "postgres", f"CREATE DATABASE {name}")
    yield name, f"postgresql+psycopg2://postgres@127.0.0.1:{team['PGPORT']}/{name}"
    sql(team, "postgres", f"DROP DATABASE {name} WITH (FORCE)")


def studied(folder: Path) -> tuple[Store, list[str]]:
    """A store with a study of two cells, and their ids."""
    store = Store.at(folder).prepare()
    ids = [keep(store, rule) for rule in ("backprop", "shallow")]
    store.write_study("s", "", ids)
    return store, ids


def sends(team: dict[str, str], store: Store, uri: str, **more: str) -> tuple[int, str]:
    """How many cells were sent, and what was said."""
    sender = started(team | more, "-c", SEND, str(store.path), uri)
    out, err = sender.communicate(timeout=120)
    assert sender.returncode == 0, err
    return int(out), err


def test_of_four_who_make_the_tables_at_once_one_does_and_all_end_well(
    team: dict[str, str], fresh: tuple[str, str]
) -> None:
    """MLflow alone: 'relation already exists', or two rows of a version. Who makes a table is in the log."""
    name, uri = fresh
    sql(team, "postgres", f"ALTER DATABASE {name} SET log_statement = 'ddl'")
    makers = [started(team, "-m", "harness.dashboard", f"prepare={uri}") for _ in range(4)]
    for maker in makers:
        out, err = maker.communicate(timeout=170)
        assert (maker.returncode, out, err) == (0, f"MLflow's tables are in {uri}\n", "")
    assert sql(team, name, "SELECT count(*) FROM alembic_version") == "1"
    log = (Path(team["TEAM"]) / "database" / "log").read_text(encoding="utf-8")
    assert len(re.findall(r"CREATE TABLE experiments \(", log)) == 1


def test_tables_of_another_version_are_one_sentence_and_take_all_once_they_are_ours(
    team: dict[str, str], fresh: tuple[str, str], tmp_path: Path
) -> None:
    name, uri = fresh
    store, ids = studied(tmp_path / "store")
    assert started(team, "-m", "harness.dashboard", f"prepare={uri}").wait(120) == 0
    ours = sql(team, name, "SELECT version_num FROM alembic_version")
    for version in ("cc1f77228345", "5031986f"):  # an older one of MLflow's, and one to come
        sql(team, name, f"UPDATE alembic_version SET version_num = '{version}'")
        sent, said = sends(team, store, uri)
        assert (sent, said.count("\n")) == (0, 1), said
        assert f"MLflow at {uri} is of another version of MLflow" in said
        prepared = started(team, "-m", "harness.dashboard", f"prepare={uri}")
        assert "is of another version of MLflow" in prepared.communicate(timeout=120)[1]
        assert prepared.returncode == 2
    sql(team, name, f"UPDATE alembic_version SET version_num = '{ours}'")
    assert sends(team, store, uri) == (len(ids), "")


def test_files_that_the_server_cannot_keep_are_one_sentence_and_sent_when_it_can(
    team: dict[str, str], server: Server, tmp_path: Path
) -> None:
    """A file where its folder was; as root no folder is read-only."""
    folder, aside = Path(team["TEAM"]) / "artifacts", Path(team["TEAM"]) / "aside"
    store = Store.at(tmp_path / "store").prepare()
    ids = [keep(store, "perceptron")]
    store.write_study("kept", "", ids)
    send = SEND.replace("'s'", "'kept'")
    folder.rename(aside)
    folder.write_text("no folder")
    try:
        sender = started(team, "-c", send, str(store.path), server.uri)
        out, said = sender.communicate(timeout=170)
        assert (out, said.count("\n")) == ("0\n", 1), said
        assert f"MLflow at {server.uri} does not take the files of runs" in said
        assert "--artifacts-destination" in said
    finally:
        folder.unlink()
        aside.rename(folder)
    assert started(team, "-c", send, str(store.path), server.uri).communicate(timeout=120) == ("1\n", "")
    assert once(server.uri, "kept") == set(ids)


@pytest.fixture
def proxied(team: dict[str, str], server: Server) -> Iterator[tuple[str, str]]:
    """The page's nginx before the server, on the loopback interface: its address, and its certificate."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if not nginx or not shutil.which("openssl"):
        pytest.skip("no proxy: nginx or openssl is not installed (apt-get install nginx-light openssl)")
    server.end(signal.SIGTERM)
    folder, port = Path(team["TEAM"]) / "proxy", free()
    folder.mkdir()
    folder.chmod(0o711)
    name, at = "localhost", f"localhost:{port}"
    key, certificate, people = folder / "mlflow.key", folder / "mlflow.crt", folder / "team.htpasswd"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    made += ["-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", "sesame"], check=True, capture_output=True, text=True
    ).stdout
    people.write_text(f"ada:{hashed}")
    (text,) = re.findall(r"```nginx\n(.*?)```", PAGE, re.S)
    for before, now in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "server_name mlflow.example.org": f"server_name {name}",
        "/etc/ssl/mlflow.crt": str(certificate),
        "/etc/ssl/mlflow.key": str(key),
        "/etc/nginx/team.htpasswd": str(people),
        "http://127.0.0.1:5000": server.uri,
    }.items():
        assert before in text, "else the page has changed"
        text = text.replace(before, now)
    own = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy"))
    main = f"user root;\ndaemon off;\npid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\n"
    config = folder / "nginx.conf"
    config.write_text(f"{main if os.getuid() == 0 else main.removeprefix('user root;')}"
                      f"http {{\naccess_log off;\n{own}{text}}}\n")  # fmt: skip
    process = subprocess.Popen([nginx, "-c", str(config), "-e", str(folder / "log")])
    behind = Server(team, f"--allowed-hosts {name} --cors-allowed-origins https://{at}")
    try:
        yield f"https://{at}", str(certificate)
    finally:
        process.terminate()
        process.wait(30)
        behind.end(signal.SIGTERM)
        server.start()


def test_behind_the_pages_nginx_who_has_the_password_sends_and_nobody_else(
    team: dict[str, str], proxied: tuple[str, str], tmp_path: Path
) -> None:
    uri, certificate = proxied
    store, ids = studied(tmp_path / "store")
    trusts = {"MLFLOW_TRACKING_SERVER_CERT_PATH": certificate}
    sent, said = sends(team, store, uri, **trusts)
    assert (sent, said.count("\n")) == (0, 1), said
    assert f"MLflow at {uri} asks for a password" in said
    who = trusts | {"MLFLOW_TRACKING_USERNAME": "ada", "MLFLOW_TRACKING_PASSWORD": "sesame"}
    assert sends(team, store, uri, **(who | {"MLFLOW_TRACKING_PASSWORD": "open"}))[0] == 0
    assert sends(team, store, uri, **who) == (len(ids), "")
