"""Tuned settings as files: `<folder>/<task>/<algorithm>.yaml`, each with how it was found.

Where other settings were set to others than the usual ones, the file is called by them:
`digits/backprop,layout=shared.yaml`. A file says all that it was found for, and that decides.

A shelf is a folder of them: the store's, where `python -m harness.tune` puts what it finds, and conf/tuned,
which comes with the harness; the first that has a file for what is asked counts.
"""

from __future__ import annotations

import re
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
from harness.core.errors import InputError, NotReady
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
    path = folder / cell.task.name / f"{label(cell, found.space)}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, HEAD + yaml.safe_dump(text, sort_keys=False, allow_unicode=True))
    return path


def label(cell: Cell, searched: Collection[str]) -> str:
    """The algorithm's name, and what is set to others than its and the task's usual settings.

    Args:
        cell: what is tuned.
        searched: settings of the algorithm that a search chooses.

    >>> label(Cell.of({"name": "backprop"}, {"name": "xor", "hidden": 3}, {}), ["optimiser.lr"])
    'backprop,hidden=3'
    """
    usual = _asked(Cell.of({"name": cell.algorithm.name}, {"name": cell.task.name}, {}), searched)
    other = [
        f"{name.partition('.')[2]}={value}"
        for name, value in _asked(cell, searched).items()
        if name in usual and value != usual[name]
    ]
    return ",".join([cell.algorithm.name, *(re.sub(r"[^\w.=+-]", "_", each) for each in other)])


def tuned(cell: Cell, named: Collection[str], shelves: Sequence[Path]) -> Cell:
    """The cell with the tuned settings of its algorithm on its task, and the budget they were found with.

    Args:
        cell: what was asked for.
        named: settings that somebody chose, such as `algorithm.rate` and `run.epochs`: they stay as they are.
        shelves: folders, of which the first that has a file for it counts.

    Raises:
        NotReady: where no shelf has one.
        InputError: where it is no such file, or was found for another version of the rule, or with other
            settings of the algorithm or the task than those asked for.
    """
    if cell.settings.seed >= REPORTED:
        raise InputError(
            "run.seed must be below 2^40 with tuned settings, for they were found with those from there on, "
            f"but {cell.settings.seed} was given"
        )
    rate = ".".join(rate_path(cell.algorithm))
    chosen = {each.partition(".")[2] for each in named if each.startswith("algorithm.")}
    chosen |= {rate} if "rate" in chosen else set()
    found = get(cell, chosen, shelves)
    values = {path: value for path, value in found.algorithm.items() if path not in chosen}
    epochs = cell.settings.epochs if "run.epochs" in named else found.epochs
    try:
        return Cell.made(
            with_values(cell.algorithm, values), cell.task, replace(cell.settings, epochs=epochs)
        )
    except InputError as error:
        raise InputError(f"{found.path} holds settings that cannot be: {error}") from error


def get(cell: Cell, chosen: Collection[str], shelves: Sequence[Path]) -> Tuned:
    """What the file for a cell says: one found for all its settings, else one for all but those `chosen`.

    Raises `InputError`, as `tuned` does.
    """
    name, task = cell.algorithm.name, cell.task.name
    again = AGAIN.format(task=task, name=name)
    files = [_read(path, f"{again} finds them") for path in _paths(task, name, shelves)]
    if not files:
        raise NotReady(f"there are no tuned settings of {name} on {task}: {again} finds them")
    apart = [_apart(cell, file) for file in files]
    loose = {f"algorithm.{each}" for each in chosen}
    fitting = [i for i, names in enumerate(apart) if names <= loose]
    if not fitting:
        i = min(range(len(files)), key=lambda i: len(apart[i]))
        what = min(apart[i] - loose)
        now = _asked(cell, files[i].algorithm).get(what)
        raise InputError(
            f"{files[i].path} was found with {what}={files[i].asked.get(what)}, but {now} was given: {again} "
            f"{what}={now} finds settings for that"
        )
    # of two that fit, the one found with what was chosen
    best = files[min(fitting, key=lambda i: (len(apart[i]), -len(loose & files[i].asked.keys())))]
    if best.found["rule"] != own_version(type(cell.algorithm)):
        raise InputError(
            f"{best.path} was found for another version of {name}: {again} finds them for this one"
        )
    return best


def _read(path: Path, again: str) -> Tuned:
    try:
        said = _said(path, path.stat().st_mtime_ns)
        made = Tuned(
            path,
            {str(name): value for name, value in said["algorithm"].items()},
            said["run"]["epochs"],
            dict(said["found"]),
            {str(name): value for name, value in said["asked"].items()},
        )
        str(made.found["rule"])
        if not (isinstance(made.epochs, int) and all(map(_is_number, made.algorithm.values()))):
            raise TypeError("a setting or a budget that is no number")
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} holds no tuned settings ({type(error).__name__}): {again}") from error
    return made


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _apart(cell: Cell, file: Tuned) -> set[str]:
    """In which settings a cell differs from what a file was found for; one of the task that the file does not
    name, too, for the task has got it since.
    """
    now = _asked(cell, file.algorithm)
    new = {what for what in now.keys() - file.asked.keys() if what.startswith("task.")}
    return new | {what for what, value in file.asked.items() if now.get(what) != value}


def price(meta: Mapping[str, Any], shelves: Sequence[Path]) -> float:
    """FLOPs of the search that found settings and budget of a cell (`Record.meta`); NaN where none did."""
    path = source(meta, shelves)
    return 1e9 * float(_said(path, path.stat().st_mtime_ns)["found"]["gflop"]) if path else np.nan


def source(meta: Mapping[str, Any], shelves: Sequence[Path]) -> Path | None:
    """The file that settings and budget of a cell (`Record.meta`) were found in; None where there is none."""
    algorithm, task = meta["algorithm"], meta["task"]
    now = flat({"algorithm": dict(algorithm), "task": dict(task)})
    for path in _paths(str(task["name"]), str(algorithm["name"]), shelves):
        try:
            said = _said(path, path.stat().st_mtime_ns)
            values = {f"algorithm.{name}": value for name, value in said["algorithm"].items()}
            _, epochs = float(said["found"]["gflop"]), said["run"]["epochs"]
            is_it = all(_plain(now.get(name)) == value for name, value in {**said["asked"], **values}.items())
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError):
            continue  # whoever runs by it is told
        # where nothing was found, the budget alone tells it from what is usual
        if is_it and (values or meta["run"]["epochs"] == epochs):
            return path
    return None


@lru_cache(1024)
def _said(path: Path, written: int) -> Any:
    """What a file holds: read once, however many cells of a study ask."""
    # the loader in C, where PyYAML has it: the same values in a tenth of the time
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), loader)


def _paths(task: str, name: str, shelves: Sequence[Path]) -> list[Path]:
    """The files of an algorithm on a task, those of the first shelf first."""
    return [
        path
        for shelf in shelves
        for path in (shelf / task / f"{name}.yaml", *sorted((shelf / task).glob(f"{name},*.yaml")))
        if path.is_file()
    ]


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
