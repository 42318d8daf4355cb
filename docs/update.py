"""Put what first light, the benchmark and the code itself say into the README and docs/:
figures there are not typed.

Run by `make docs`, from the root of the clone, after the study and the benchmark.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import is_dataclass
from pathlib import Path

from harness import results
from harness.answers import tuned
from harness.answers.conclusions import tuned as conclusions
from harness.cells.cell import Cell
from harness.cli.catalog import compiles, other_units
from harness.cli.settings import allowed, typed
from harness.core import registry
from harness.core.naming import snake_case
from harness.core.optimisers import OPTIMISERS
from harness.core.registry import first_line
from harness.core.setting import described
from harness.core.task import Task
from harness.cost.sheet import sheet
from harness.credit.traits import traits_table

ROOT = Path(__file__).parent.parent
STORE = ROOT / "results"
SHOWN = {  # studies whose tables and figures the documents show
    "first_light": ("table.md", "survival.png", "loss.png", "hinton_symmetry.png"),
    "tuned": ("table.md", "front.png"),
}
SAID = ROOT / "docs" / "tuned" / "answers.md"


def blocks() -> dict[str, str]:
    """What stands between `<!-- name -->` and `<!-- end -->` in the README and in pages of docs/."""
    return {
        "answers": SAID.read_text(encoding="utf-8").strip(),
        "benchmark": (ROOT / "bench" / "RESULTS.md").read_text(encoding="utf-8").strip(),
        "compiled": (ROOT / "bench" / "COMPILED.md").read_text(encoding="utf-8").strip(),
    }


def filled(page: str) -> str:
    """A page with its blocks up to date."""
    for name, text in blocks().items():
        page = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda m, text=text: f"{m[1]}{text}\n{m[2]}",
            page,
            flags=re.S,
        )
    return page


COSTED = ("xor", "encoder", "symmetry")


def answers(study: str) -> str:
    """What came of the study, in markdown: three conclusions with their intervals, and a sentence a task."""
    cells = results.cells(study, STORE)
    besides = conclusions.beside_backprop(cells, results.replicas(study, STORE))
    said = [*conclusions.conclusions(cells, besides), *tuned.solvers(cells)]
    return "\n".join(f"- {each}" for each in said) + "\n"


CLAIMS = """\
Generated from the code by `make docs`. Whether an algorithm compiles is found by tracing its source
([how](three-readings.md)): one that does not says why, and runs interpreted."""
TESTED = """\
Each trait as it is declared, and beside it what an intervention on one update observed
(`harness/credit/traits.py` says which, and what they cannot see): ✓ yes, ✗ no, – not testable. Does a rule
carry errors back over the forward weights; change a weight by what its own two units carry, and signals
broadcast to all; need the slope of the activation function; get one number for the whole network as its only
feedback; how many forward passes does an update need. A declaration that its intervention contradicts fails a
test."""
COUNTED = """\
Work in forward passes of the task's network over the patterns of the update · span in dependent array
operations · random numbers, for one network under the usual settings, counted from the code
([how](three-readings.md))."""

SET = """\
Name = default (what it takes): what it is. `null` on the command line is None in Python. A setting marked
`rate` is the rule's own learning rate: `algorithm.rate=0.1` on the command line reaches it,
whatever its paper calls it."""
TASKS = """\
Generated from the code by `make docs`. Settings are listed as name = default (what it takes): what it is;
`null` on the command line is None in Python. Of a task, those that all of them have are listed
where their default is another."""
TRUST = """\
*found*: read in the source. *computed*: run again by us. *memory*: recalled, and never asserted."""


def _named(applies: list[str]) -> str:
    """Tasks by their names; all of them, or all but those in time, in a word."""
    here = registry.tasks()
    timeless = [name for name in here if not here[name]().spec().steps]
    return {tuple(here): "all", tuple(timeless): "all without time"}.get(tuple(applies), ", ".join(applies))


def algorithms_page() -> str:
    """docs/algorithms.md: every algorithm with its paper,
    what it claims to need, and what it was counted to cost.
    """
    cells = {
        (name, task): Cell.of({"name": name}, {"name": task}, {"replicas": 1})
        for name in registry.algorithms()
        for task in registry.tasks()
    }
    about, costs, compiled = [], [], compiles()
    for name, algorithm in registry.algorithms().items():
        applies = [task for task in registry.tasks() if not cells[name, task].not_applicable]
        applies = applies or [
            f"{form['name']} (units={form['units']})"
            for form in other_units()
            if not Cell.of({"name": name}, form, {}).not_applicable
        ]
        about.append(
            [
                name,
                first_line(algorithm),
                algorithm.paper,
                algorithm.equations,
                algorithm.oracle,
                compiled[name][1] or "yes",
                _named(applies),
            ]
        )
        costs.append([name, *(_cost(cells[name, task]) for task in COSTED)])
    heads = ["algorithm", "what it is", "source", "equations", "held to"]
    heads += ["compiles", "tasks"]
    return (
        "\n\n".join(
            [
                "# Algorithms",
                CLAIMS,
                _table(heads, about),
                "## What it needs: declared, and tested by intervention",
                TESTED,
                _table(*_matrix()),
                "## What an update costs",
                COUNTED,
                _table(["algorithm", *COSTED], costs),
                *_algorithm_settings(),
            ]
        )
        + "\n"
    )


def tasks_page() -> str:
    """docs/tasks.md: every task with its settings and what was published for it."""
    parts = ["# Tasks", TASKS, TRUST, "## Every task", _settings(Task)]
    for name, task in registry.tasks().items():
        usual = ", ".join(f"{n} {v:g}" for n, v in task.usual._asdict().items() if isinstance(v, int | float))
        published = _table(
            ["setting", "figure", "source", "trust"], [list(entry) for entry in task.published]
        )
        parts += [
            f"## {name}",
            first_line(task),
            f"Usual: {usual}.",
            _settings(task, besides=Task),
            published,
        ]
    return "\n\n".join(parts) + "\n"


def _algorithm_settings() -> list[str]:
    return [
        "## Settings",
        SET,
        *(f"### {name}\n\n{_settings(cls)}" for name, cls in registry.algorithms().items()),
        "## Optimisers",
        *(f"### {name}\n\n{first_line(cls)}\n\n{_settings(cls)}" for name, cls in OPTIMISERS.items()),
    ]


def _settings(cls: type, besides: type | None = None) -> str:
    known = described(besides) if besides else []
    lines = []
    for d in described(cls):
        if is_dataclass(d.default):
            lines.append(
                f"- `{d.name}` = {snake_case(type(d.default).__name__)}, "
                f"or another of the optimisers below: {d.sentence}"
            )
        elif d not in known:
            takes = "; ".join(filter(None, (allowed(d), "rate" * d.rate)))
            lines.append(f"- `{d.name}` = {typed(d.default)} ({takes}): {d.sentence}")
    return "\n".join(lines)


def _cost(cell: Cell) -> str:
    """Forward passes, span and draws of an update; – where the algorithm cannot do the task."""
    if cell.not_applicable:
        return "–"
    s = sheet(cell)
    return f"{s.forward_passes:.2f} · {s.update.span:,} · {s.update.draws.total():,}"


def _matrix() -> tuple[list[str], list[list[str]]]:
    head, *rows = traits_table()
    return head, rows


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


if __name__ == "__main__":
    for study, files in SHOWN.items():
        if (
            folder := STORE / "studies" / study
        ).is_dir():  # without a study of one's own, what is shown stays
            (ROOT / "docs" / study).mkdir(exist_ok=True)
            for name in files:
                shutil.copy(folder / name, ROOT / "docs" / study / name)
            if study == "tuned":
                SAID.write_text(answers(study), encoding="utf-8")
    for name, page in (("algorithms", algorithms_page()), ("tasks", tasks_page())):
        (ROOT / "docs" / f"{name}.md").write_text(page, encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "docs" / "index.md", ROOT / "docs" / "three-readings.md"):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
