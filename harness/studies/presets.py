"""Settings that papers printed: the presets of conf/experiment, by the algorithm and the task they are of.

`experiment=pdp1986/parity` composes one by its name; `ruleset=published` looks for the one of an algorithm on
a task, and lays it over what is usual.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.core.folders import configuration
from harness.core.registry import rate_path
from harness.studies.request import PARTS

GROUP = "experiment"


class Preset(NamedTuple):
    """A file of conf/experiment."""

    name: str
    """Such as pdp1986/parity."""
    algorithm: str
    task: str
    settings: dict[str, Any]
    """By dotted name: algorithm.optimiser.lr, task.hidden, run.epochs."""


@cache
def presets() -> tuple[Preset, ...]:
    """All there are, by name."""
    folder = configuration() / GROUP
    return tuple(_read(path, folder) for path in sorted(folder.rglob("*.yaml")))


def published(cell: Cell, named: Collection[str]) -> Cell:
    """The cell with the settings that were printed for its algorithm on its task.

    Args:
        cell: as it was composed, under what is usual.
        named: settings that somebody chose, by dotted name (`algorithm.rate`, `algorithm/optimiser`): they
            stay as they are, and so does what is inside them.

    Raises:
        InputError: where there is no preset of the algorithm on the task, or there are several.
    """
    preset = _only(cell.algorithm.name, cell.task.name)
    chosen = {each.replace("/", ".") for each in named}
    if "algorithm.rate" in chosen:
        chosen.add(".".join(("algorithm", *rate_path(cell.algorithm))))
    parts = json.loads(cell.text())
    for path, value in preset.settings.items():
        names = path.split(".")
        if not chosen & {".".join(names[:i]) for i in range(2, len(names) + 1)}:
            _put(parts, names, value)
    return Cell.of(**parts)


def _only(algorithm: str, task: str) -> Preset:
    there = [preset for preset in presets() if preset.task == task]
    own = [preset for preset in there if preset.algorithm == algorithm]
    if len(own) == 1:
        return own[0]
    wanted = f"ruleset=published takes the one preset of {algorithm} on {task}, but there"
    if own:
        by_name = ", ".join(f"{GROUP}={preset.name}" for preset in own)
        raise InputError(f"{wanted} are {len(own)}: give one of them by its name instead, {by_name}")
    others = ", ".join(f"{GROUP}={preset.name} (of {preset.algorithm})" for preset in there)
    raise InputError(
        f"{wanted} is none: on {task} there {f'are {others}' if there else 'is none of any algorithm'}"
    )


def _put(parts: dict[str, Any], names: list[str], value: Any) -> None:
    *outer, last = names
    for name in outer:
        parts = parts[name]
    parts[last] = value


def _read(path: Path, folder: Path) -> Preset:
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    choices = {name: value for line in said["defaults"] for name, value in line.items()}
    settings = dict(_dotted({part: said.get(part, {}) for part in PARTS}))
    name = path.relative_to(folder).with_suffix("").as_posix()
    return Preset(name, choices["override /algorithm"], choices["override /task"], settings)


def _dotted(inside: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in inside.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
