"""Held to NumPy's and threadpoolctl's own words: what a record says of the machine it was made on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from harness.cells import environment as module
from harness.cells.cell import Cell
from harness.cells.environment import environment, made_elsewhere
from harness.experiment.run import run_cell
from harness.store.store import Store


def library(name: str, place: Path, kind: str = "blas") -> dict[str, Any]:
    return {
        "user_api": kind,
        "internal_api": name,
        "version": "1.2",
        "architecture": "Zen",
        "filepath": str(place / f"lib{name}.so"),
    }


def test_kernel_and_vector_level_are_those_that_numpy_runs() -> None:
    own = [
        lib
        for lib in ThreadpoolController().select(user_api="blas").info()
        if "numpy" in Path(lib["filepath"]).parent.name
    ]
    if own:  # a wheel of NumPy's own, not a distribution's library or Apple's
        (one,) = own
        assert environment()["blas"] == f"{one['internal_api']} {one['version']} {one['architecture']}"
    simd: Any = np.show_config(mode="dicts")["SIMD Extensions"]
    assert environment()["simd"] in [*simd["baseline"], *simd.get("found", [])]
    assert environment()["simd"] not in simd.get("not found", [])


def test_scipys_library_is_not_taken_for_numpys(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = Path(np.__file__).parent.parent
    libraries = [
        library("gomp", packages / "numpy.libs", "openmp"),
        library("scipys", packages / "scipy.libs"),
        library("own", packages / "numpy.libs"),
    ]
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: libraries)
    assert module._blas() == "own 1.2 Zen"
    del libraries[2]
    assert module._blas() == "scipys 1.2 Zen"  # one for both, as a distribution has it
    del libraries[1]
    assert module._blas().split()[0] in str(np.show_config(mode="dicts"))  # unknown to threadpoolctl


def test_a_record_holds_them_and_says_when_it_is_from_another_kernel(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = Cell.of({"name": "backprop"}, {"name": "xor"}, {"replicas": 2, "epochs": 3})
    result = run_cell(cell.algorithm, cell.task, cell.settings)
    record = store.write(cell, result)
    assert {name: record.meta["versions"][name] for name in environment()} == environment()
    assert "\nmade " not in str(record)
    assert "\nmade " not in str(result)
    here = environment()
    monkeypatch.setattr(
        module, "environment", lambda: here | {"blas": "openblas 0.3 SkylakeX", "simd": here["simd"]}
    )
    assert f"\nmade      with {here['blas']}, not openblas 0.3 SkylakeX as here" in str(record)
    assert str(record).count("\nmade ") == 1


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, ""),
        ({"numpy": "1.0", "python": "2.7"}, ""),  # what the key holds, or what decides no bit
        ({"simd": "AVX9"}, "AVX9, not {simd} as here"),
        ({"blas": "mkl", "simd": "AVX9"}, "mkl and AVX9, not {blas} and {simd} as here"),
    ],
)
def test_what_differs_is_named(other: dict[str, str], words: str) -> None:
    """A record made on another machine says in which way; where nothing is known it says nothing."""
    clause = made_elsewhere(environment() | other)
    assert clause.startswith(words.format(**environment())) if words else clause == ""
    older = {name: value for name, value in environment().items() if name not in ("blas", "simd")}
    assert made_elsewhere(older) == ""
