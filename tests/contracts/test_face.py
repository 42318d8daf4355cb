"""Held to its stub: what `from harness import …` offers, what it costs, and that a record's key follows
it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.cells.code_version import _behind_the_face

STUB = Path(harness.__file__).with_suffix(".pyi")


def listed() -> dict[str, str]:
    """The names of the stub, and the module each comes from."""
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    lines = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: node.module or "" for node in lines for alias in node.names}


def test_the_face_offers_what_its_stub_lists_and_dir_says_so() -> None:
    names = listed()
    assert set(harness.__all__) == set(dir(harness)) == set(names)
    for name, module in names.items():
        thing = getattr(harness, name)
        if str(getattr(thing, "__module__", "")).startswith("harness."):
            assert thing.__module__ == f"harness.{module}", name
    with pytest.raises(AttributeError, match="No harness attribute nothing"):
        _ = harness.nothing


@pytest.mark.parametrize("name", [n for n in listed() if n not in ("Array", "State", "Params", "Key")])
def test_every_name_of_the_face_has_a_docstring(name: str) -> None:
    thing = getattr(harness, name)
    assert (thing.__doc__ or "").strip(), f"{name} has no docstring"
    assert not str(thing.__doc__).startswith(f"{name}("), f"{name} has the docstring that dataclasses make"


def test_importing_the_face_loads_nothing_that_is_slow() -> None:
    slow = "('numpy', 'pandas', 'hydra', 'mlflow', 'scipy')"
    code = f"import sys, harness; print([m for m in {slow} if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_a_name_of_the_face_is_followed_to_its_module() -> None:
    assert _behind_the_face("harness.exact_gradient") == "harness.core.exact_gradient"
    assert _behind_the_face("harness.CreditAlgorithm") == "harness.core.algorithm"
    assert _behind_the_face("harness.nothing") == _behind_the_face("numpy.array") == ""
