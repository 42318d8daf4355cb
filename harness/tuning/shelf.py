"""Tuned settings as files: `<folder>/<task>/<algorithm>.yaml`, each with how it was found.

A shelf is a folder of them: the store's, where `python -m harness.tune` puts what it finds, and conf/tuned,
which comes with the harness; the first that has a file counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from harness.cells.cell import Cell
from harness.cells.code_version import own_version
from harness.cells.words import flat
from harness.core.errors import InputError
from harness.core.files import write_atomically
from harness.core.folders import configuration
from harness.core.outcomes import fates
from harness.core.registry import rate_path, settings_of
from harness.tuning.space import with_values
from harness.tuning.tuner import REPORTED, Found

AGAIN = "python -m harness.tune task={task} algorithm={name}"
HEAD = "# Found by `python -m harness.tune`, which writes it anew; ruleset=tuned reads it.\n"


def shelves(store: Path) -> list[Path]:
    """Where tuned settings are looked for: in the store, then in what comes with the harness."""
    return [store / "tuned", configuration() / "tuned"]


class Tuned(NamedTuple):
    """What a file says."""

    path: Path
    algorithm: dict[str, float]
    """Settings by dotted name; empty where nothing that was tried solved the task."""
    epochs: int
    """The budget of a network."""
    found: dict[str, Any]
    """How: settings and networks tried, work, what a success cost, which rule."""
    asked: dict[str, Any]
    """What for: all other settings of the algorithm, and those of the task, by dotted name."""


def put(found: Found, folder: Path) -> Path:
    """Write what a search came to; returns the file. Raises `OSError` where the folder does not take it."""
    cell, best = found.cell, found.best
    text = {
        "algorithm": {name: float(value) for name, value in found.values.items()},
        "run": {"epochs": cell.settings.epochs},
        "asked": _asked(cell, found.space),
        "found": {
            "rule": own_version(type(cell.algorithm)),
            "seed": cell.settings.seed,
            "settings": found.settings,
            "networks": found.networks,
            "gflop": float(f"{found.flops / 1e9:.4g}"),
            "solved": float(np.mean(fates(best.columns)[0])),
            "cost_epochs": _number(best.standing[0]),
            "cutoff_epochs": _number(best.cutoff),
            "usual_cost_epochs": _number(found.usual.standing[0]),
        },
    }
    path = folder / cell.task.name / f"{cell.algorithm.name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, HEAD + yaml.safe_dump(text, sort_keys=False, allow_unicode=True))
    return path


def tuned(cell: Cell, named: Collection[str], shelves: Sequence[Path]) -> Cell:
    """The cell with the tuned settings of its algorithm on its task, and the budget they were found with.

    Args:
        cell: what was asked for.
        named: settings that somebody chose, such as `algorithm.rate` and `run.epochs`: they stay as they are.
        shelves: folders, of which the first that has a file counts.

    Raises:
        InputError: where no shelf has one, or it is no such file, or was found for another version of the
            rule, or with other settings of the algorithm or the task than those asked for.
    """
    name, task = cell.algorithm.name, cell.task.name
    if cell.settings.seed >= REPORTED:
        raise InputError(
            "run.seed must be below 2^40 with tuned settings, for they were found with those from there on, "
            f"but {cell.settings.seed} was given"
        )
    found = get(task, type(cell.algorithm), name, shelves)
    rate = ".".join(rate_path(cell.algorithm))
    chosen = {each.partition(".")[2] for each in named if each.startswith("algorithm.")}
    chosen |= {rate} if "rate" in chosen else set()
    now = _asked(cell, found.algorithm)
    for what, value in found.asked.items():
        if what.removeprefix("algorithm.") not in chosen and now.get(what) != value:
            raise InputError(
                f"{found.path} was found with {what}={value}, but {now.get(what)} was given: "
                f"{AGAIN.format(task=task, name=name)} for that"
            )
    values = {path: value for path, value in found.algorithm.items() if path not in chosen}
    epochs = cell.settings.epochs if "run.epochs" in named else found.epochs
    return Cell.made(with_values(cell.algorithm, values), cell.task, replace(cell.settings, epochs=epochs))


def get(task: str, algorithm: type, name: str, shelves: Sequence[Path]) -> Tuned:
    """What the file of an algorithm (its class, its name) on a task says.

    Raises `InputError`, as `tuned` does.
    """
    again = AGAIN.format(task=task, name=name) + " finds them"
    path = _path(task, name, shelves)
    if path is None:
        raise InputError(f"there are no tuned settings of {name} on {task}: {again}")
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        made = Tuned(
            path, dict(said["algorithm"]), said["run"]["epochs"], dict(said["found"]), dict(said["asked"])
        )
        rule = str(made.found["rule"])
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} holds no tuned settings ({type(error).__name__}): {again}") from error
    if rule != own_version(algorithm):
        raise InputError(f"{path} was found for another version of {name}: {again} for this one")
    return made


def price(meta: Mapping[str, Any], shelves: Sequence[Path]) -> float:
    """FLOPs of the search that found settings and budget of a cell (`Record.meta`); NaN where none did."""
    algorithm, task = meta["algorithm"], meta["task"]
    path = _path(str(task["name"]), str(algorithm["name"]), shelves)
    if path is None:
        return np.nan
    try:
        said = _said(path, path.stat().st_mtime_ns)
        wanted = {f"algorithm.{name}": value for name, value in said["algorithm"].items()} | said["asked"]
        flops, epochs = 1e9 * float(said["found"]["gflop"]), said["run"]["epochs"]
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError):
        return np.nan  # whoever runs by it is told
    now = flat({"algorithm": dict(algorithm), "task": dict(task)})
    is_it = all(_plain(now.get(name)) == value for name, value in wanted.items())
    return flops if is_it and meta["run"]["epochs"] == epochs else np.nan


@lru_cache(256)
def _said(path: Path, written: int) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _path(task: str, name: str, shelves: Sequence[Path]) -> Path | None:
    return next((p for shelf in shelves if (p := shelf / task / f"{name}.yaml").is_file()), None)


def _asked(cell: Cell, searched: Collection[str]) -> dict[str, Any]:
    parts = {"algorithm": settings_of(cell.algorithm), "task": settings_of(cell.task)}
    loose = {f"algorithm.{path}" for path in searched}
    return {name: _plain(value) for name, value in flat(parts).items() if name not in loose}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, str) else value


def _number(x: float) -> float | str:
    return float(f"{x:.4g}") if np.isfinite(x) else "never"
