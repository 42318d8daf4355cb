"""A batch in training as plain arrays, from which it goes on to the same bits.

What a trainer was made of (rule, task, plan, replicas) makes it again; a snapshot adds what has changed
since: the state, which replicas are left, how far their random streams are, and what became of the others.
Patterns are not in it.

An array comes back as it lay in memory, not only with its numbers: a product of the same numbers that lie in
another order may be summed in another order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from harness.core.tree import leaves, rebuilt
from harness.training.trained import Trained

Array = Any
Trainer = Any  # `harness.training.trainer.Trainer`, which imports this
Arrays = dict[str, NDArray[Any]]
"""By name, of kinds that a file can hold without pickle."""
WORDS = "words"
"""The entry for what are no arrays, as JSON."""


class Checkpoint(Protocol):
    """Where a batch is kept while it is trained."""

    def last(self) -> Arrays | None:
        """The snapshot that was made last, of these replicas; None where there is none."""

    def due(self) -> bool:
        """Whether it is time for another."""

    def make(self, arrays: Arrays) -> None:
        """Keep a snapshot in the place of the last."""


def snapshot(trainer: Trainer, epoch: int, **more: Any) -> Arrays:
    """A batch as it stands before the updates of `epoch`; `more` is kept with it."""
    arrays: Arrays = {"rows": trainer.rows, "running": trainer.running}
    lie: list[Any] = []
    for i, (_, leaf) in enumerate(leaves(trainer.state)):
        arrays[f"state/{i}"], how = _packed(leaf)
        lie.append(how)
    arrays |= {f"final/{name}": a for name, a in trainer.final.items()}
    arrays |= {f"result/{name}": a for name, a in flat(trainer.result).items()}
    words = {
        "epoch": epoch,
        "lie": lie,
        "clock": trainer.clock,
        "share": float(trainer.share),
        "order": trainer.order.position(),
        "noise": trainer.noise.position(),
        **more,
    }
    if trainer.watch:
        seen, words["watch"] = trainer.watch.saved()
        arrays |= {f"watch/{name}": a for name, a in seen.items()}
    return arrays | {WORDS: np.array(json.dumps(words))}


def put_back(trainer: Trainer, saved: Arrays) -> int:
    """Have a fresh trainer of the same batch stand where a snapshot was taken; the epoch to go on with."""
    words = said(saved)
    stays = np.isin(trainer.rows, saved["rows"])
    if not stays.all():
        trainer.leave(stays)
    state = [_unpacked(saved[f"state/{i}"], how) for i, how in enumerate(words["lie"])]
    trainer.state = trainer.placed(rebuilt(trainer.state, state))
    trainer.running = saved["running"]
    trainer.final = dict(_under("final", saved))
    trainer.result = unflat(dict(_under("result", saved)))
    trainer.clock, trainer.share = words["clock"], words["share"]
    trainer.order.go_to(words["order"])
    trainer.noise.go_to(words["noise"])
    if trainer.watch:
        trainer.watch.put_back(dict(_under("watch", saved)), words["watch"])
    return int(words["epoch"])


def said(saved: Arrays) -> dict[str, Any]:
    """What a snapshot holds beside its arrays."""
    words: dict[str, Any] = json.loads(str(saved[WORDS]))
    return words


def flat(trained: Trained) -> Arrays:
    """What became of replicas, as plain arrays by name."""
    arrays: Arrays = {}
    for f in fields(trained):
        value = getattr(trained, f.name)
        if f.name == "ran":
            arrays["ran"] = np.array(json.dumps(value))
        elif isinstance(value, dict):
            arrays |= {f"{f.name}/{name}": a for name, a in value.items()}
        else:
            arrays[f.name] = value.astype(str) if value.dtype == object else value
    return arrays


def unflat(arrays: Arrays) -> Trained:
    """The inverse of `flat`."""
    parts: dict[str, Any] = {}
    for f in fields(Trained):
        if f.name == "ran":
            parts["ran"] = json.loads(str(arrays["ran"]))
        elif f.name in ("credit", "weights", "told"):
            parts[f.name] = dict(_under(f.name, arrays))
        else:
            value = arrays[f.name]
            parts[f.name] = value.astype(object) if value.dtype.kind == "U" else value
    return Trained(**parts)


def _under(name: str, arrays: Arrays) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays whose names begin with one and a stroke, by the rest of it."""
    for key, value in arrays.items():
        first, stroke, rest = key.partition("/")
        if stroke and first == name:
            yield rest, value


def _packed(leaf: Any) -> tuple[NDArray[Any], Any]:
    """A leaf of a state as one block of memory, and how to lay it out again."""
    if not isinstance(leaf, np.ndarray):
        return np.asarray(leaf), None
    moves = [i for i in range(leaf.ndim) if leaf.shape[i] > 1 and leaf.strides[i]]
    axes = sorted(moves, key=lambda i: -abs(leaf.strides[i]))
    still = tuple(slice(None) if i in moves else 0 for i in range(leaf.ndim))
    within = [moves.index(i) for i in axes]
    block = np.asarray(leaf[still], order="K").transpose(within).copy()
    return block, [list(leaf.shape), axes, list(leaf.strides)]


def _unpacked(block: NDArray[Any], how: Any) -> Any:
    """The leaf that `_packed` was given."""
    if how is None:
        return block.item()
    shape, axes, strides = how
    for axis, step in zip(axes, block.strides, strict=True):
        strides[axis] = step
    return as_strided(block, shape, strides)
