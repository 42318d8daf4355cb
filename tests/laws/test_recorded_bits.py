"""This build held to the bits of an earlier one: dense networks keep them, whatever becomes of the code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from helpers.recorded_bits import CELLS, RECORD, bits, depends_on, name
from helpers.repository import ROOT

RECORDED = json.loads(RECORD.read_text(encoding="utf-8"))
THERE, HERE = RECORDED["depends_on"], depends_on()


@pytest.mark.skipif(THERE != HERE, reason=f"bits were recorded with {THERE}, and here there is {HERE}")
@pytest.mark.parametrize("cell", RECORDED["cells"], ids=name)
def test_a_cell_comes_to_the_recorded_bits(cell: dict[str, Any]) -> None:
    recorded, came = cell["came"], bits(cell)
    names = [*recorded, *(n for n in came if n not in recorded)]
    other = [f"{n} ({recorded.get(n)} → {came.get(n)})" for n in names if recorded.get(n) != came.get(n)]
    assert not other, f"{name(cell)} has other bits than recorded in {', '.join(other)}"


@pytest.mark.skipif(THERE == HERE, reason="this process is as the recorded one: the tests above have run")
def test_a_process_told_to_use_their_kernels_comes_to_the_recorded_bits() -> None:
    """A newer processor has the kernels of an older one: OpenBLAS and NumPy take those that they are told to.

    Where they have them not, or NumPy is another, this is skipped as the others are.
    """
    newer = sorted({*HERE["simd"].split()} - {*THERE["simd"].split()})
    env = {
        **os.environ,
        "OPENBLAS_CORETYPE": THERE["blas"].split()[-1],
        "NPY_DISABLE_CPU_FEATURES": " ".join(newer),
    }
    told = [
        sys.executable,
        "-c",
        "import json; from helpers.recorded_bits import *; print(json.dumps(depends_on()))",
    ]
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(told, env=env, capture_output=True, text=True, check=False)
    if done.returncode or json.loads(done.stdout) != THERE:
        pytest.skip(f"no process here is as the recorded one: {done.stdout or done.stderr[-300:]}")
    again = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(again, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{len(RECORDED['cells']) + 1} passed" in done.stdout, done.stdout[-300:]


def test_the_record_is_of_the_cells_listed_each_once() -> None:
    recorded = [{part: value for part, value in cell.items() if part != "came"} for cell in RECORDED["cells"]]
    assert recorded == CELLS, "tests/helpers/recorded_bits.py lists other cells than were recorded"
    assert len(set(map(name, CELLS))) == len(CELLS)
