"""The command that runs a cell, from the settings that its record holds: the way back from `compose`.

    python -m harness task=xor algorithm=backprop algorithm.optimiser.lr=0.5 run.epochs=5000 run.replicas=10

What a class has for its default goes without saying; all else is said, what is usual for the task included,
so that the command is the same cell even where what is usual changes. Its id follows from the code, the data
and NumPy's version, too: with others it is another.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from harness.cells.settings import Settings
from harness.core import plugins, registry
from harness.core.errors import unknown
from harness.core.naming import snake_case

PLAIN = re.compile(r"(?!(true|false|null|nan|inf)$)[A-Za-z_][A-Za-z0-9_./-]*", re.ASCII | re.IGNORECASE)
"""Words that Hydra reads as themselves; others are put in quotes."""

BESIDE = ("store", "tracking", "figures", "plan", "jobs")  # what decides no cell of a study


def command(settings: Mapping[str, Any]) -> str:
    """The command of a cell for a shell; see `overrides`."""
    return f"python -m harness {shlex.join(overrides(settings))}"


def sweep_command(typed: Sequence[str]) -> str:
    """The command of a study for a shell, from the overrides of a sweep that a person `typed`; where it is
    kept, and what follows, is left out.
    """
    kept = [each for each in typed if re.split(r"[.=]", each.lstrip("+~"))[0] not in BESIDE]
    return shlex.join(["python", "-m", "harness", "-m", *kept])


def overrides(settings: Mapping[str, Any]) -> list[str]:
    """What to type for a cell.

    Args:
        settings: `algorithm`, `task` and `run`, each with its settings by name, as `Record.meta` has them.

    Returns:
        Overrides, with the plug-ins that are named at present.

    Raises:
        InputError: for an algorithm or a task that is not known by its name, such as a notebook's.

    >>> overrides({"task": {"name": "xor", "hidden": 3}, "algorithm": {"name": "shallow"}, "run": {}})
    ['task=xor', 'task.hidden=3', 'algorithm=shallow']
    """
    named = plugins.named()
    said = [f"plugins={text(named)}"] if named else []
    for part, known in (("task", registry.tasks()), ("algorithm", registry.algorithms())):
        name = str(settings[part].get("name"))
        if name not in known:
            raise unknown(part, name, known)
        said += [f"{part}={name}", *_of(known[name], settings[part], part)]
    return [*said, *_of(Settings, settings["run"], "run")]


def _of(cls: type, values: Mapping[str, Any], path: str) -> Iterator[str]:
    """The settings of a class that are not its defaults."""
    for f in fields(cls):
        usual = f.default if f.default_factory is MISSING else f.default_factory()
        value = values.get(f.name, usual)
        if isinstance(value, Mapping):  # chosen by name, with settings of its own
            name = str(value["name"])
            if name != snake_case(type(usual).__name__):
                yield f"{path.replace('.', '/')}/{f.name}={name}"
            yield from _of(registry.nested(cls)[f.name][name], value, f"{path}.{f.name}")
        elif value is not usual and text(value) != text(usual):
            yield f"{path}.{f.name}={text(value)}"


def text(value: Any) -> str:
    """A plain value as Hydra's grammar has it: null, true, 0.5, word, 'two words', [1,2]."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(text, value))}]"
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        from hydra.core.override_parser.types import Quote, QuotedString  # here: few values need it

        # to OmegaConf ${…} stands for another value, unless a backslash is before it
        return str(QuotedString(re.sub(r"(\\*)\$\{", r"\1\1\\${", value), Quote.single).with_quotes())
    return str(value)
