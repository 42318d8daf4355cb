"""`python -m harness.catalog`: what there is, one line each.
Reads names and first lines, imports nothing heavy.

`python -m harness.catalog algorithm=backprop task=xor` prints what their settings are: name, default, range,
and a sentence. `python -m harness.catalog compiles` traces every algorithm's source and says which have a
compiled form, and why not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from importlib.util import find_spec
from typing import cast

from harness.cli.arguments import one_sentence, prepare
from harness.cli.settings import in_words
from harness.core import registry
from harness.core.errors import ANYTHING, InputError
from harness.core.losses import LOSSES
from harness.core.optimisers import OPTIMISERS
from harness.core.registry import first_line
from harness.core.setting import declaration
from harness.core.source import line_that_raised
from harness.core.units import UNITS
from harness.studies.conf import described

PARTS = ("algorithm", "algorithm/optimiser", "task")


@one_sentence()
def main(arguments: Sequence[str] = ()) -> None:
    """Print what there is; or the settings of what is named;
    or, asked for `compiles`, which algorithms do.
    """
    named = [each for each in arguments if each.startswith("plugins=")]
    prepare(named)
    arguments = [each for each in arguments if each not in named]
    chosen = dict(each.partition("=")[::2] for each in arguments)
    if arguments and set(chosen) <= set(PARTS):
        print(in_words(*(chosen.get(part, "") for part in PARTS)))
        return
    if list(arguments) not in ([], ["compiles"]):
        given = " ".join(arguments)
        raise InputError(
            f"catalog takes nothing, compiles, or algorithm=… and task=…, but {given!r} was given"
        )
    if arguments:
        reasons = compiles()
        width = max(map(len, reasons))
        for name, (task, reason) in reasons.items():
            print(f"{name:{width}}  {f'runs interpreted: {reason}' if reason else 'compiles'}  ({task})")
        return
    sections = (
        ("algorithms", "algorithm=…", in_lines(registry.algorithms())),
        ("tasks", "task=…", in_lines(registry.tasks())),
        ("optimisers", "algorithm/optimiser=…", in_lines(OPTIMISERS)),
        ("losses", "task.loss=…", in_lines(LOSSES)),
        ("presets", "experiment=…", described("experiment")),
        ("studies", "-m study=…", described("study")),
    )
    for title, use, entries in sections:
        print(f"{title} ({use})")
        rows = list(entries)
        width = max((len(name) for name, _ in rows), default=0)
        for name, line in rows:
            print(f"  {name:{width}}  {line}")
        print()
    print(f"kinds of unit: {', '.join(UNITS)}")
    print("what their settings are: python -m harness.catalog algorithm=… task=…")
    print("which algorithms compile (run.backend=jax): python -m harness.catalog compiles")


def in_lines(classes: Mapping[str, type]) -> Iterator[tuple[str, str]]:
    """Names, and what each is in a line."""
    return ((name, first_line(cls)) for name, cls in classes.items())


def compiles() -> dict[str, tuple[str, str]]:
    """For every algorithm, the first task it applies to
    and why it cannot be compiled there ('' if it can).
    """
    if find_spec("jax") is None:
        raise InputError("JAX is not installed: in a clone, pip install -e '.[jax]'")
    from harness.cells.cell import Cell
    from harness.compiling.driver import refusal

    usual = [{"name": task} for task in sorted(registry.tasks(), key=lambda task: task != "xor")]
    forms = [*usual, *other_units()]

    def look(name: str) -> tuple[str, str]:
        task = usual[0]["name"]
        try:
            for form in forms:
                task = in_form(form)
                cell = Cell.of({"name": name}, form, {})
                if not cell.not_applicable:
                    return task, cell.broken or refusal(cell)
        except InputError as error:
            return task, str(error)
        except ANYTHING as error:  # a plug-in's code: the others are told all the same
            return task, f"its code raises {type(error).__name__}: {error}{line_that_raised(error)}"
        return "", "applies to no task"

    return {name: look(name) for name in registry.algorithms()}


def other_units() -> list[dict[str, str]]:
    """The tasks whose hidden units may be of several kinds, with each kind that is not the usual one."""
    return [
        {"name": name, "units": kind}
        for name, task in registry.tasks().items()
        for usual in (field.default for field in fields(task) if field.name == "units")
        for kind in declaration(cast("type", task), "units").one_of
        if kind != usual
    ]


def in_form(task: Mapping[str, str]) -> str:
    """A task with what is not usual about it.

    >>> in_form({"name": "copy", "units": "leaky"})
    'copy, units=leaky'
    """
    return ", ".join([task["name"], *(f"{k}={v}" for k, v in task.items() if k != "name")])


if __name__ == "__main__":
    main(sys.argv[1:])
