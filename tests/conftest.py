"""Shared by all tests: a store of one's own, and the command line called in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.store.store import Store

pytest.register_assert_rewrite("helpers")  # what they assert is shown as in a test


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(tmp_path / "store").prepare()


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database, empty and migrated, made once: migrating takes seconds. Tests that want it ignore
    MLflow's warnings."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("database") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def harness(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`python -m harness …` with tracking off and the test's own store: exit code, output, errors."""
    from harness.cli.app import main

    def call(*arguments: str, tracking: bool = False) -> tuple[int, str, str]:
        monkeypatch.setenv("HARNESS_STORE", str(store.path))
        for name in ("HYDRA_FULL_ERROR", "MLFLOW_TRACKING_URI"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(
            sys, "argv", ["harness", *arguments, *([] if tracking else ["tracking.enabled=false"])]
        )
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        out, err = capsys.readouterr()
        return code, out, err

    return call
