"""Held to where a password may stand: in no tracking URI, so in no store, page or message of ours."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.served import is_loopback
from harness.core.errors import InputError
from harness.store.mlflow_note import hidden, tracking_uri
from harness.store.store import Store

SECRET = "harmless"
WITH = [
    f"http://ada:{SECRET}@127.0.0.1:5000",
    f"https://{SECRET}@mlflow.example.org/team",
    f"postgresql+psycopg2://mlflow:{SECRET}@127.0.0.1/mlflow",
    f"postgresql://mlflow@127.0.0.1/mlflow?password={SECRET}",
]
WITHOUT = [
    "http://127.0.0.1:5000",
    "https://mlflow.example.org/team",
    "postgresql+psycopg2://mlflow@127.0.0.1:5432/mlflow",
    "databricks://name",
    "sqlite:////tmp/a:b@c.db",
]


@pytest.mark.parametrize("uri", WITH)
def test_a_run_refuses_a_password_in_a_sentence_without_it(
    store: Store, harness: Callable[..., tuple[int, str, str]], uri: str
) -> None:
    code, out, err = harness("task=xor", "run.replicas=2", f"tracking.uri='{uri}'", tracking=True)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert "it may have no password" in err
    assert SECRET not in err
    assert not any(SECRET in p.read_text(errors="replace") for p in store.path.rglob("*") if p.is_file())


@pytest.mark.parametrize("uri", WITHOUT)
def test_other_uris_are_shown_and_taken_as_they_are(store: Store, uri: str) -> None:
    assert hidden(uri) == uri
    assert tracking_uri(store, uri) == uri


@given(st.text(min_size=8).map(lambda text: f"s3{quote(text, safe='/')}"))
def test_no_password_is_shown(password: str) -> None:
    for scheme in ("http", "postgresql+psycopg2"):
        assert password not in hidden(f"{scheme}://ada:{password}@host:1/x")


def test_loopback_is_told_from_all_else() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")
    with pytest.raises(InputError, match="host must be an address"):
        is_loopback("no such host")
