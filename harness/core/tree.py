"""States are plain containers of arrays: mappings and tuples, nested as an algorithm likes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np


def tree_map(f: Callable[[Any], Any], tree: Any) -> Any:
    """The same containers with `f` applied to every array in them."""
    if isinstance(tree, dict):
        return {k: tree_map(f, v) for k, v in tree.items()}
    if isinstance(tree, tuple):
        leaves = [tree_map(f, v) for v in tree]
        return type(tree)(*leaves) if hasattr(tree, "_fields") else tuple(leaves)
    return f(tree)


def leaves(tree: Any, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Every array of a state with its readable name, such as ('params.input-hidden', …)."""
    if isinstance(tree, dict):
        items = [(getattr(k, "name", k), v) for k, v in tree.items()]
    elif isinstance(tree, tuple):
        items = list(zip(getattr(tree, "_fields", map(str, range(len(tree)))), tree, strict=True))
    else:
        yield name, tree
        return
    for key, value in items:
        yield from leaves(value, f"{name}.{key}" if name else str(key))


def rebuilt(tree: Any, values: Iterable[Any]) -> Any:
    """The same containers with `values` in the place of their arrays, in the order of `leaves`."""
    left = iter(values)
    return tree_map(lambda _: next(left), tree)
