"""Put what options and docstrings say into docs/reference/: nothing there is typed.

Run by `make docs`, and after a change of a setting or a docstring: `python docs/reference.py`.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, is_dataclass
from pathlib import Path
from typing import Any

import harness
from harness import plots, results
from harness.cells.settings import Settings
from harness.cli.settings import allowed, typed
from harness.core.setting import described
from harness.studies.conf import described as in_conf
from harness.studies.request import Request, Study, Tracking
from harness.tuning.budget import Tuning

FOLDER = Path(__file__).parent / "reference"
GENERATED = "Generated from the code by `make docs`."

OPTIONS = {  # the prefix of some options, and where they are declared
    "run.": (Settings, "How a cell is run. They are part of what a cell is: another value is another cell."),
    "": (Request, "Of the command, not of a cell."),
    "tracking.": (Tracking, "MLflow."),
    "tuning.": (Tuning, "The budget of `python -m harness.tune`."),
    "study.": (Study, "A study, as the files in `conf/study` describe it; `study.name=…` names a sweep."),
}
COMMAND_LINE = """\
Settings are given as `name=value` to `python -m harness`, and several values with commas between are a sweep
(`-m`). `null` is None in Python. What an algorithm, an optimiser or a task can be told is on the pages
[algorithms](../algorithms.md) and [tasks](../tasks.md), and `python -m harness.catalog algorithm=… task=…`
prints it, of a plug-in too. `python -m harness task=xor --cfg job` prints every setting of a cell."""

ALIASES = {
    "Array": "An array of numbers: NumPy's, or what reads the same source ([how](../three-readings.md)).",
    "Key": "What has weights or biases in `Params`: an edge, or a group.",
    "Params": "Weights and biases: a mapping of `Key` to an array.",
    "State": "What an algorithm keeps: a dictionary of nested arrays, with the weights at `params`.",
}
RULES = ("Algorithm", "CreditAlgorithm", "Traits", "setting", "Batch", "Credit", "Update", "Rand", "repeat")
RULES += ("total", "added", "backpropagated", "exact_gradient", "flatten", "unflatten")
RULES += ("Optimiser", "GradientDescent", "Adam", "SignStep")
TASKS = ("Task", "Patterns", "Data", "Spec", "Usual", "Published", "shared")
NETWORKS = (
    "Network",
    "Group",
    "Edge",
    "Convolution",
    "Local",
    "Paired",
    "Gate",
    "FastWeights",
    "recurrent",
    "attending",
    "Unit",
    "Loss",
    "SquaredError",
    "CrossEntropy",
)
CHECKS = ("check_algorithm", "checks_of", "Identity", "Problem", "add_plugins", "InputError")
RUNNING = ("run", "compare", "Result")


def commands() -> Iterator[tuple[str, str]]:
    """Every command, and the module of harness.cli whose docstring says what it does."""
    root = Path(harness.__file__).parent
    names = [path.stem for path in root.glob("[!_]*.py")]
    names += [path.parent.name for path in root.glob("*/__main__.py")]
    yield "harness", "app"
    yield from ((f"harness.{name}", name) for name in sorted(names))


def options_page() -> str:
    """docs/reference/command-line.md: every command, and every option that no algorithm or task has."""
    parts = ["# Command line and options", f"{GENERATED} {COMMAND_LINE}", "## Commands"]
    for command, module in commands():
        said = inspect.getdoc(importlib.import_module(f"harness.cli.{module}")) or ""
        parts += [f"### python -m {command}", _command(said)]
    for prefix, (cls, what) in OPTIONS.items():
        parts += [f"## Options {prefix}*" if prefix else "## Options of a command", what]
        parts += _options(prefix, cls)
    presets = [f"- `{name}`: {line}" for name, line in in_conf("experiment")]
    parts += ["## Presets", "Published settings: `experiment=…`.", "\n".join(presets)]
    studies = [f"- `{name}`: {line}" for name, line in in_conf("study")]
    parts += ["## Studies", "`python -m harness -m study=…`.", "\n".join(studies)]
    return _page(parts)


def python_page() -> str:
    """docs/reference/python.md: running, comparing, and the frames of what came of it."""
    parts = ["# Running and reading, from Python", f"{GENERATED} `from harness import …` has all of these."]
    parts += ["## Run", *_things(harness, RUNNING)]
    parts += ["## Read: `harness.results`", *_things(results, [n for n in results.__all__ if n.islower()])]
    return _page(parts)


def parts_page() -> str:
    """docs/reference/parts.md: what rules, tasks and networks are written with."""
    parts = [
        "# What rules and tasks are written with",
        f"{GENERATED} `from harness import …` has all of these.",
    ]
    for title, names in (
        ("Rules", RULES),
        ("Tasks", TASKS),
        ("Networks, units and losses", NETWORKS),
        ("Checks, plug-ins and errors", (*CHECKS, *_others())),
    ):
        parts += [f"## {title}", *_things(harness, names)]
    parts += ["## Names of types", "\n".join(f"- `{name}`: {what}" for name, what in ALIASES.items())]
    return _page(parts)


def figures_page() -> str:
    """docs/reference/figures.md: every figure there is."""
    said = (
        "`from harness import plots`. They take frames of `harness.results`, and return matplotlib's figures."
    )
    names = [name for name in plots.__all__ if inspect.isfunction(getattr(plots, name))]
    return _page(["# Figures", f"{GENERATED} {said}", *_things(plots, names, level=2)])


PAGES = {
    "command-line": options_page,
    "python": python_page,
    "parts": parts_page,
    "figures": figures_page,
}


def _others() -> list[str]:
    """What the face offers and no list above has: shown all the same."""
    known = {*RULES, *TASKS, *NETWORKS, *CHECKS, *RUNNING, *ALIASES, "plots", "results"}
    return [name for name in harness.__all__ if name not in known]


def _options(prefix: str, cls: type) -> Iterator[str]:
    for d in described(cls):
        if d.default is not MISSING and not is_dataclass(d.default):
            takes = f" · {allowed(d)}" if allowed(d) else ""
            yield f"### {prefix}{d.name}\n\n`{prefix}{d.name}={typed(d.default)}`{takes}\n\n{d.sentence}"


def _command(said: str) -> str:
    """The docstring of a command, its name being the heading: what is in columns stays so."""
    said = re.sub(r"^`python -m [^`]*`( \([^)]*\))?[:,]\s*", "", said)
    paragraphs = (said[:1].upper() + said[1:]).split("\n\n")
    return "\n\n".join(f"```\n{p}\n```" if re.search(r"\S {3,}", p) else _prose(p) for p in paragraphs)


def _things(source: Any, names: Sequence[str], level: int = 3) -> Iterator[str]:
    """Functions, and classes with their public methods, in words."""
    for name in names:
        thing = getattr(source, name)
        yield _entry(f"{'#' * level} {name}", name, thing)
        if inspect.isclass(thing):
            if base := next((b.__name__ for b in thing.__mro__[1:] if b.__name__ in harness.__all__), ""):
                yield f"It has what `{base}` has."
            for own, method in _methods(thing):
                yield _entry(f"{'#' * (level + 1)} {name}.{own}", own, method)


def _methods(cls: type) -> Iterator[tuple[str, Any]]:
    """What a class can do beside what the bases can that are shown themselves, in the order it is written."""
    shown = [base for base in cls.__mro__[1:] if base.__name__ in harness.__all__]
    elsewhere = {base for one in shown for base in one.__mro__}
    bases = [base for base in reversed(cls.__mro__) if base not in elsewhere]
    for name, thing in {name: thing for base in bases for name, thing in vars(base).items()}.items():
        plain = getattr(thing, "__func__", getattr(thing, "fget", getattr(thing, "func", thing)))
        if not name.startswith("_") and inspect.isfunction(plain) and plain.__doc__:
            yield name, thing if thing is plain or isinstance(thing, property) else getattr(cls, name)


def _entry(head: str, name: str, thing: Any) -> str:
    signature = (
        f"```\n{_signature(name, thing)}\n```" if callable(thing) and thing is not harness.InputError else ""
    )
    return "\n\n".join(filter(None, [head, signature, in_markdown(inspect.getdoc(thing) or "")]))


def _signature(name: str, thing: Any) -> str:
    """As it is written in the source, without self: `name(a: int, b: float = 1.0) -> int`."""
    signature = inspect.signature(thing)
    given, starred = [], False
    for p in signature.parameters.values():
        if p.name in ("self", "cls"):
            continue
        if p.kind is p.KEYWORD_ONLY and not starred:
            given.append("*")
        starred = starred or p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        kind = "" if p.annotation is p.empty else f": {_annotation(p.annotation)}"
        default = "" if p.default is p.empty else f" = {_default(p.default)}"
        given.append(f"{stars}{p.name}{kind}{default}")
    returned = signature.return_annotation
    returned = "" if returned in (signature.empty, "None", None) else f" -> {_annotation(returned)}"
    line = f"{name}({', '.join(given)}){returned}"
    return line if len(line) <= 100 else f"{name}(\n    " + ",\n    ".join(given) + f",\n){returned}"


def _annotation(annotation: Any) -> str:
    annotation = getattr(annotation, "__forward_arg__", annotation)
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _default(value: Any) -> str:
    """A default as one types it; of what has no such form, such as a function, its name."""
    return getattr(value, "__name__", "…") if " at 0x" in repr(value) or callable(value) else repr(value)


def in_markdown(doc: str) -> str:
    """A docstring with its sections (Args, Returns, Raises) and its example as Markdown."""
    text, _, example = doc.partition("\n>>> ")
    prose, *sections = re.split(r"^(Args|Returns|Raises):\n", text, flags=re.M)
    parts = [_prose(prose.strip())]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        body = _prose(inspect.cleandoc("\n" + body))
        if title == "Returns":
            parts.append(f"**Returns** {body}")
        else:
            parts.append(f"**{'Arguments' if title == 'Args' else title}**\n\n{_items(body)}")
    if example:
        parts.append(f"```pycon\n>>> {example.strip()}\n```")
    return "\n\n".join(part for part in parts if part)


def _prose(text: str) -> str:
    """`tuning.<task>` is no tag of HTML."""
    return re.sub(r"(?<!`)<(?=\w)", r"\\<", text)


def _items(body: str) -> str:
    """`name, other: what it is`, line by line, those further in belonging to the one before."""
    entries = re.sub(r"\n +", " ", body).splitlines()
    return "\n".join("- " + re.sub(r"^([\w, *]+): ", r"`\1`: ", entry) for entry in entries if entry)


def _page(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"


def write() -> None:
    """Write all pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / f"{name}.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
