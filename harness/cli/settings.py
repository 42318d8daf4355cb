"""The settings of an algorithm, its optimiser and a task in words, as `--help` and the catalog print them.

Nothing is said here: ranges and sentences are those of the fields themselves (`harness.core.setting`).
"""

from __future__ import annotations

from dataclasses import is_dataclass
from textwrap import indent, wrap
from typing import Any

from harness.core import registry
from harness.core.errors import InputError, unknown
from harness.core.naming import snake_case
from harness.core.optimisers import OPTIMISERS
from harness.core.setting import Described, described


def in_words(algorithm: str = "", optimiser: str = "", task: str = "") -> str:
    """The settings of what is named, a paragraph each;
    the optimiser is the algorithm's own unless another is named.

    Raises `InputError` for a name that is not there.
    """
    parts: list[tuple[str, str, type]] = []
    if algorithm:
        cls = _known("algorithm", algorithm, registry.algorithms())
        parts.append(("algorithm", algorithm, cls))
        own = {d.name: type(d.default) for d in described(cls) if is_dataclass(d.default)}
        if optimiser and not own:
            raise InputError(f"algorithm/optimiser={optimiser} would be ignored: {algorithm} has none")
        chosen = {
            name: _known("optimiser", optimiser, OPTIMISERS) if optimiser else kind
            for name, kind in own.items()
        }
        parts += [(f"algorithm.{name}", snake_case(kind.__name__), kind) for name, kind in chosen.items()]
    if task:
        parts.append(("task", task, _known("task", task, registry.tasks())))
    return "\n\n".join(
        f"{prefix.replace('.', '/')}={name}\n{lines(prefix, cls)}" for prefix, name, cls in parts
    )


def lines(prefix: str, cls: type) -> str:
    """The settings of a class: two lines each,
    with its default as it is typed on the command line (null: None in Python).
    """
    own = [d for d in described(cls) if not is_dataclass(d.default)]
    heads = [f"{prefix}.{d.name}={typed(d.default)}" for d in own]
    width = max(map(len, heads), default=0)
    pairs = []
    for head, d in zip(heads, own, strict=True):
        also = "; also algorithm.rate" if d.rate else ""
        pairs.append(f"  {head:{width}}  {allowed(d)}{also}")
        pairs.append(indent("\n".join(wrap(d.sentence, 100)), " " * 6))
    return "\n".join(pairs)


def allowed(d: Described) -> str:
    """What a setting takes: 'a number, greater than 0, or None; tuned between 0.05 and 5'."""
    takes = d.range if d.range.startswith("one of") else ", ".join(filter(None, (d.type, d.range)))
    return takes + (f"; tuned between {d.search[0]:g} and {d.search[1]:g}" if d.search else "")


def typed(value: Any) -> str:
    """A value as it is typed on the command line."""
    if isinstance(value, tuple):
        return f"[{','.join(map(typed, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _known(kind: str, name: str, classes: dict[str, type[Any]]) -> type:
    if name not in classes:
        raise unknown(kind, name, classes)
    return classes[name]
