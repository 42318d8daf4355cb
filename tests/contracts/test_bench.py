"""`make bench` in its quick form: it runs to its end, and its networks come to what the harness's do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from helpers.repository import ROOT


@pytest.mark.slow
def test_every_measurement_runs_once() -> None:
    """Some minutes. What it prints is no claim: one round, few replicas, a machine that others use."""
    pytest.importorskip("jax", reason="JAX is not installed: half of the contestants are missing")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for row in ("| xor |", "| weight_perturbation |", "| feedback_alignment |", "results.cells", "JAX, last"):
        assert row in done.stdout, f"no row of {row}"
    assert "seeds into a fresh store" in done.stdout, "no row of what the harness takes beside training"
