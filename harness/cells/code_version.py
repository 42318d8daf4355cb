"""What determines a cell's bits: the code of its algorithm, its task and the loop, and NumPy's version.

The code is identified by its meaning: syntax trees without comments, docstrings and sentences on settings, of a module and of
every project module it imports at its top, so that a better docstring recomputes nothing and a changed
line does. Imports inside functions do not count: they are how the core reaches for words and frames.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import platform
import sys
from functools import cache
from pathlib import Path

import numpy as np

import harness

PROJECT = ("harness", "algorithms")


def code_version(*modules: str) -> str:
    """A hash (12 hex digits) of what `modules` and the project modules they import do."""
    seen: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name], imports = _meaning(name)
            waiting.extend(imports)
    text = "\n".join(f"{name}: {seen[name]}" for name in sorted(seen))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def environment() -> dict[str, str]:
    """The versions a result was made with, for the record."""
    return {
        "harness": harness.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }


@cache
def _meaning(module: str) -> tuple[str, tuple[str, ...]]:
    """The syntax of a module without its docstrings, hashed, and the project modules it imports."""
    loaded = sys.modules.get(module)
    try:
        spec = loaded.__spec__ if loaded else importlib.util.find_spec(module)
    except ModuleNotFoundError:  # `from module import name`, where name is not a module
        spec = None
    if spec is None or spec.origin is None:
        return "", ()
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    imports: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "setting":
            del inner.args[1:]  # its sentence
        body = getattr(inner, "body", None)
        if isinstance(body, list):
            inner.body = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]  # type: ignore[attr-defined]  # it has a body
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    # a package itself says only its version and docstring
    return digest, tuple(sorted(name for name in imports - set(PROJECT) if name.split(".")[0] in PROJECT))
