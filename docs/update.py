"""Put what first light, the benchmark and the code itself say into the README and docs/: figures there are not typed.

Run by `make docs`, from the root of the clone, after the study and the benchmark.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from harness.cells.cell import Cell
from harness.cli.catalog import compiles
from harness.core import registry
from harness.core.registry import first_line
from harness.cost.sheet import sheet
from harness.credit.traits import traits_table

ROOT = Path(__file__).parent.parent
STUDY = ROOT / "results" / "studies" / "first_light"
SHOWN = ROOT / "docs" / "first_light"
FIGURES = ("survival.png", "loss.png", "hinton_symmetry.png")


def blocks() -> dict[str, str]:
    """What stands between `<!-- name -->` and `<!-- end -->` in the README and docs/three-readings.md."""
    table = (SHOWN / "table.md").read_text(encoding="utf-8")
    return {
        "first light": re.sub(r"^#+ (.*)$", r"**\1**", table, flags=re.M).strip(),
        "benchmark": (ROOT / "bench" / "RESULTS.md").read_text(encoding="utf-8").strip(),
        "compiled": (ROOT / "bench" / "COMPILED.md").read_text(encoding="utf-8").strip(),
    }


def filled(page: str) -> str:
    """A page with its blocks up to date."""
    for name, text in blocks().items():
        page = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m, text=text: f"{m[1]}{text}\n{m[2]}", page, flags=re.S)
    return page


COSTED = ("xor", "encoder", "symmetry")
CLAIMS = """\
Generated from the code by `make docs`. Whether an algorithm compiles is found by tracing its source
([how](three-readings.md)): one that does not says why, and runs interpreted."""
TESTED = """\
Each trait as it is declared, and beside it what an intervention on one update observed (`harness/interventions.py` says
which, and what they cannot see): ✓ yes, ✗ no, – not testable. Does a rule carry errors back over the forward weights; change a
weight by what its own two units carry, and signals broadcast to all; need the slope of the activation function; get one
number for the whole network as its only feedback; how many forward passes does an update need. A declaration that its
intervention contradicts fails a test."""
COUNTED = """\
Work in forward passes of the task's network over the patterns of the update · span in dependent array operations · random
numbers, for one network under the usual settings, counted from the code ([how](three-readings.md))."""


def algorithms_page() -> str:
    """docs/algorithms.md: every algorithm with its paper, what it claims to need, and what it was counted to cost."""
    cells = {
        (name, task): Cell.of({"name": name}, {"name": task}, {"replicas": 1})
        for name in registry.algorithms()
        for task in registry.tasks()
    }
    about, costs, compiled = [], [], compiles()
    for name, algorithm in registry.algorithms().items():
        applies = [task for task in registry.tasks() if not cells[name, task].not_applicable]
        tasks = "all" if len(applies) == len(registry.tasks()) else ", ".join(applies)
        about.append(
            [
                name,
                first_line(algorithm),
                algorithm.paper,
                algorithm.equations,
                algorithm.oracle,
                compiled[name][1] or "yes",
                tasks,
            ]
        )
        sheets = [sheet(cells[name, task]) for task in COSTED]
        costs.append([name, *(f"{s.forward_passes:.2f} · {s.update.span:,} · {s.update.draws.total():,}" for s in sheets)])
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
            ]
        )
        + "\n"
    )


def _matrix() -> tuple[list[str], list[list[str]]]:
    head, *rows = traits_table()
    return head, rows


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


if __name__ == "__main__":
    if STUDY.is_dir():  # without a study of one's own, what is shown stays
        SHOWN.mkdir(exist_ok=True)
        for name in ("table.md", *FIGURES):
            shutil.copy(STUDY / name, SHOWN / name)
    (ROOT / "docs" / "algorithms.md").write_text(algorithms_page(), encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "docs" / "three-readings.md"):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
