"""Code as syntax: what it means, without the words about it, and what it imports."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import resolve_name


def meaning(tree: ast.AST) -> str:
    """A syntax tree, hashed without comments,
    docstrings and the sentences of `setting` (the tree loses them).
    """
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "setting":
            del inner.args[1:]  # its sentence
        body = getattr(inner, "body", None)
        if isinstance(body, list):
            body[:] = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


@cache
def lasting(source: str) -> str:
    """`meaning` of a source, the same in every version of Python: what is empty is left out of the tree,
    which newer versions have more fields for. A study asks for that of a rule once for each of its tasks.
    """
    tree = ast.parse(source)
    meaning(tree)  # the tree loses its words
    return hashlib.sha256(_shape(tree).encode()).hexdigest()


def _shape(part: object) -> str:
    if isinstance(part, ast.AST):
        inside = (f"{name}={_shape(x)}" for name, x in ast.iter_fields(part) if x is not None and x != [])
        return f"{type(part).__name__}({', '.join(inside)})"
    return f"[{', '.join(map(_shape, part))}]" if isinstance(part, list) else repr(part)


def imports(nodes: Iterable[ast.AST], package: str) -> Iterator[str]:
    """What the import statements among `nodes` name,
    in a module of `package`, and the packages around it, which run first.

    `from package import name` gives both, for `name` may be a module.
    """
    for node in nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            try:
                base = resolve_name("." * node.level + (node.module or ""), package or None)
            except ImportError:  # relative, and beyond the top: it cannot be run either
                continue
            names = [f"{base}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: i + 1]) for i in range(len(parts)))
