"""What a rule that settles tells of its rest is wherever its record is shown: MLflow, the study's page, the
cell's page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.store.mlflow_run import _metrics
from harness.store.store import Store


def test_what_settling_tells_is_in_mlflow_and_on_both_pages(
    harness: Callable[..., tuple[int, str, str]], store: Store
) -> None:
    code, _, err = harness(
        "-m",
        "algorithm=generec",
        "algorithm.tolerance=0.02",
        "algorithm.steps=4",
        "algorithm.steps_taught=4",
        "task=xor",
        "task.scale=9",
        "run.replicas=4",
        "run.epochs=5",
    )
    assert code == 0, err
    (record,) = store.records("scratch")
    unsettled, steps = (float(record.replicas[name].mean()) for name in ("unsettled", "settling_steps"))
    assert 0 < unsettled < 1
    metrics = {name: value for name, value, _ in _metrics(record, record.summary())}
    assert metrics["settling/unsettled"] == pytest.approx(unsettled, rel=1e-12)
    assert metrics["settling/steps"] == pytest.approx(steps, rel=1e-12)
    folder = store.study_folder("scratch")
    (cell,) = folder.glob("cells/*.html")
    assert "unsettled %" in (folder / "index.html").read_text(encoding="utf8")
    assert "not at rest after them" in cell.read_text(encoding="utf8")
