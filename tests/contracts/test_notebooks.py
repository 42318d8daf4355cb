"""Held to the store: every notebook runs on the small form of its study without a warning, and what is kept
of it is current.

All small forms together take minutes: `make test` runs one of the notebooks, `make test-slow` the others.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import NotebookNode

from helpers.repository import ROOT, load

execute = load("analysis_execute", ROOT / "analysis" / "execute.py")
pages = load("docs_results", ROOT / "docs" / "results.py")
SOURCES = execute.sources()
STUDIES = [path.stem for path in SOURCES]
LONG = [study for study in STUDIES if study != "comparison"]
EACH = [
    pytest.param(path, id=path.stem, marks=pytest.mark.slow if path.stem in LONG else ()) for path in SOURCES
]
"""Those that make test runs, and those that make test-slow runs."""
OWN_COMMAND = {"replication": ["-m", "harness.replicate", "small=true"]}
BESIDE = {"credit_and_cost": ("memory_accuracy", "vanishing"), "shared_weights": ("t_c", "losses")}
"""Studies without a notebook of their own, by the notebook that shows them."""
SMALL = "small=true"


def command(study: str) -> list[str]:
    return OWN_COMMAND.get(
        study, ["-m", "harness", "-m", f"study={study}", SMALL, "figures=false", "tracking.enabled=false"]
    )


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store for the small forms of studies that have a notebook, made as they are asked for."""
    return tmp_path_factory.mktemp("small") / "store"


def make(study: str, store: Path) -> None:
    """Run the small form of a study, and of those that are shown with it."""
    env = os.environ | {"HARNESS_STORE": str(store)}
    for each in (study, *BESIDE.get(study, ())):
        done = subprocess.run(
            [sys.executable, *command(each)], cwd=ROOT, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{each}: {done.stderr}"


@pytest.fixture(scope="session")
def done(small_store: Path) -> dict[str, NotebookNode]:
    """Notebooks that were executed on the small store: each once for all tests."""
    return {}


def ran(source: Path, store: Path, done: dict[str, NotebookNode]) -> NotebookNode:
    if source.stem not in done:
        make(source.stem, store)
        done[source.stem] = asyncio.run(execute.executed(source, store))
    return done[source.stem]


@pytest.mark.parametrize("source", EACH)
def test_it_runs_on_the_small_form_of_its_study(
    source: Path, small_store: Path, done: dict[str, NotebookNode]
) -> None:
    notebook = ran(source, small_store, done)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in code), "a cell that shows nothing belongs into a module"
    assert {output.output_type for cell in code for output in cell.outputs} <= {
        "execute_result",
        "display_data",
    }
    assert SMALL in str(code[0].outputs), "it says first what it stands on, and by which command"
    assert not execute.machine(notebook)


@pytest.mark.parametrize("source", EACH)
def test_its_section_of_the_results_says_what_was_run_and_what_was_found(
    source: Path, small_store: Path, done: dict[str, NotebookNode], tmp_path: Path
) -> None:
    study = source.stem
    text, figures = pages.page({study: ran(source, small_store, done)})
    pages.write(text, figures, tmp_path)
    assert re.search(
        r"newest record \d{4}-\d\d-\d\d · harness [\d.]+, Python [\d.]+, NumPy [\d.]+ on \w+ \w+", text
    )
    said = " ".join(command(study)).removesuffix(" figures=false tracking.enabled=false")
    assert f"`python {said}`" in text
    assert len(re.findall(r"^- ", text, re.M)) > 1, "sentences that say what was found"
    assert figures
    for target in re.findall(r"!\[.+?\]\((.+?)\)", text):
        assert (tmp_path / target).read_bytes().startswith(b"\x89PNG"), target


@pytest.mark.parametrize("source", SOURCES, ids=STUDIES)
def test_the_executed_one_in_the_repository_is_of_this_text(source: Path) -> None:
    kept = source.with_suffix(".ipynb")
    assert kept.is_file(), "run `make notebooks`"
    notebook, text = nbformat.read(kept, as_version=4), execute.unexecuted(source)
    assert [(c.cell_type, c.id, c.source, c.metadata) for c in notebook.cells] == [
        (c.cell_type, c.id, c.source, c.metadata) for c in text.cells
    ], "run `make notebooks`"
    assert notebook.metadata == text.metadata
    assert all(cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    assert not execute.machine(notebook)


def test_the_page_of_results_is_what_the_executed_notebooks_in_the_repository_say() -> None:
    text, figures = pages.page(pages.executed())
    assert (ROOT / "docs" / "results.md").read_text(encoding="utf-8") == text, "run `make results`"
    assert {path.name: path.read_bytes() for path in (ROOT / "docs" / "results").glob("*.png")} == figures
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / "docs" / target).exists(), target


def test_every_study_with_a_small_form_is_shown_in_a_notebook() -> None:
    presets = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in (ROOT / "conf" / "study").glob("*.yaml")
    }
    small = {name for name, preset in presets.items() if preset.get("small_cells")}
    assert small | set(OWN_COMMAND) == {
        *STUDIES,
        *(study for studies in BESIDE.values() for study in studies),
    }


MADE_UP = """\
# %% [markdown]
# # Made up

# %% first tags=["results"]
# %matplotlib inline
import warnings
from matplotlib.figure import Figure
figure = Figure(figsize=(2, 1))
figure.subplots().plot([1, 2])
figure

# %% second
{line}
"""


def made_up(tmp_path: Path, line: str) -> NotebookNode:
    source = tmp_path / "made_up.py"
    source.write_text(MADE_UP.format(line=line), encoding="utf-8")
    return asyncio.run(execute.executed(source, tmp_path))


WITH_A_BAR = """\
from time import sleep
from harness import run
from harness.experiment import bar
seen, pub = [], get_ipython().display_pub
publish = pub.publish
pub.publish = lambda data, *rest, **more: (seen.append(data), publish(data, *rest, **more))
bar.PATIENCE = 0
result = run("backprop", "xor", tick=lambda _: sleep(0.08), replicas=3, epochs=5)
["xor backprop" in seen[0]["text/html"], len(seen) > 2, seen[-1]]
"""


def test_executed_twice_it_is_the_same_file_whether_or_not_a_bar_was_shown(tmp_path: Path) -> None:
    shown = "[True, True, {}]"  # a bar was there, and moved, and made way for nothing
    watched, plain = made_up(tmp_path, WITH_A_BAR), made_up(tmp_path, shown)
    watched.cells[-1].source = plain.cells[-1].source
    one, two = nbformat.writes(watched), nbformat.writes(plain)
    assert one == two
    assert f'"{shown}"' in one
    assert "image/png" in one
    assert "Figure size" not in one


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("warnings.warn('deprecated', DeprecationWarning)", "made_up: DeprecationWarning: deprecated"),
        ("import sys, os; print(os.getcwd(), file=sys.stderr)", f"made_up: on standard error: {ROOT}"),
        ("import os; os.getcwd()", f"made_up: tells of this machine: {ROOT}"),
    ],
    ids=["warning", "standard error", "own folder"],
)
def test_what_must_not_be_kept_is_an_error(tmp_path: Path, line: str, why: str) -> None:
    with pytest.raises(execute.NotebookError, match=re.escape(why)):
        made_up(tmp_path, line)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see /home/somebody/figure.png.", ["/home/somebody/figure.png."]),
        ("File '/usr/lib/python3/x.py'", ["/usr/lib/python3/x.py"]),
        ("docs/home/x, https://example.org/home/x and 3 /work in words", []),
    ],
)
def test_paths_of_any_machine_are_found_and_others_are_not(text: str, found: list[str]) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert execute.machine(notebook) == found


def test_a_notebook_there_is_not_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        execute.main(["nothing"])
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(
        "execute: there is no notebook 'nothing': allowed are ablations, "
    )


BEFORE = """# Results

## Comparison

**Who?**

12 cells · newest record 2026-01-01

- backprop solves 92.7 % of 1,000.
- genetic is dear.

| rule | ERT |
| --- | ---: |
| backprop | 729 |
"""


def test_errata_are_the_lines_that_changed_beside_what_stands_in_their_place() -> None:
    now = BEFORE.replace("92.7 %", "93.7 %").replace("| 729 |", "| 665 |").replace("2026-01-01", "2026-02-02")
    now = now.replace("- genetic is dear.\n", "").replace("## Comparison", "## Comparison\n\n- One more.")
    text = pages.errata(BEFORE, now)
    assert [line for line in text.splitlines() if line.startswith("|")] == [
        "| before | now |",
        "|---|---|",
        "| backprop solves 92.7 % of 1,000. | backprop solves 93.7 % of 1,000. |",
        "| genetic is dear. | – |",
        "| backprop, 729 | backprop, 665 |",
        "| – | One more. |",
    ]
    assert pages.errata(BEFORE, BEFORE).endswith("Nothing changed.\n")


def test_results_that_are_made_anew_leave_their_errata(tmp_path: Path) -> None:
    pages.write(BEFORE, {}, tmp_path)
    assert not (tmp_path / "errata.md").exists(), "there was no page before"
    pages.write(BEFORE.replace("729", "665"), {}, tmp_path)
    assert "| backprop, 729 | backprop, 665 |" in (tmp_path / "errata.md").read_text(encoding="utf-8")
    kept = (tmp_path / "errata.md").read_text(encoding="utf-8")
    pages.write(BEFORE.replace("729", "665"), {}, tmp_path)
    assert (tmp_path / "errata.md").read_text(encoding="utf-8") == kept, "the same page says nothing new"
