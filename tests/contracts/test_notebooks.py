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
from typing import Any

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
    made = pages.pages({study: ran(source, small_store, done)})
    pages.write(made, tmp_path)
    said = " ".join(command(study)).removesuffix(" figures=false tracking.enabled=false")
    for text, folder in ((made.overview, tmp_path), (made.details[study], tmp_path / "results")):
        assert re.search(
            r"newest record \d{4}-\d\d-\d\d · harness [\d.]+, Python [\d.]+, NumPy [\d.]+ on \w+ \w+", text
        )
        assert f"`python {said}`" in text
        assert re.search(r"^- ", text, re.M), "sentences that say what was found"
        assert not too_long(text)
        figures = re.findall(r"!\[.+?\]\((.+?)\)", text)
        assert figures
        for target in figures:
            assert (folder / target).read_bytes().startswith(b"\x89PNG"), target


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


def test_the_pages_of_results_are_what_the_executed_notebooks_in_the_repository_say() -> None:
    made, docs = pages.pages(pages.executed()), ROOT / "docs"
    assert pages.found(docs) == made._replace(figures={}), "run `make results`"
    assert {path.name: path.read_bytes() for path in (docs / "results").glob("*.png")} == made.figures
    for text, folder in (
        (made.overview, docs),
        *((text, docs / "results") for text in made.details.values()),
    ):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            assert (folder / target).exists(), target


def too_long(text: str) -> list[str]:
    """Lines of more than 400 characters, but for rows of tables, items within an item (all who are in a group
    are named) and where links lead."""
    lines = [line for line in text.splitlines() if not line.startswith(("|", "  - "))]
    return [line for line in lines if len(re.sub(r"\]\([^)]*\)", "]", line)) > 400]


def test_results_are_an_abstract_of_ten_sentences_and_three_conclusions_a_study() -> None:
    made = pages.found(ROOT / "docs")
    abstract, *sections = re.split(r"^## ", made.overview, flags=re.M)
    titles = [section.splitlines()[0] for section in sections]
    said = re.findall(r"^- \[(.+?)\]\(#.+?\): (.+)$", abstract, re.M)
    assert len(said) == len(pages.MAIN) == 10
    assert [title for title, _ in said] == titles[:10], "one of each main study, in the order of the sections"
    for section in sections:
        assert 1 <= len(re.findall(r"^- ", section, re.M)) <= 3, section
        assert len(re.findall(r"^!\[", section, re.M)) == 1, "one figure"
        assert not re.search(r"^(\||  - )", section, re.M), "tables and lists are on the study's own page"
    assert len(made.details) == len(sections) == len(STUDIES)
    for text in (made.overview, *made.details.values()):
        assert not too_long(text)


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


def told(conclusions: str, found: str, figure: str = "iVBORw0KGgo=", tag: str = "shown") -> NotebookNode:
    """An executed notebook that says this."""

    def cell(title: str, tags: list[str], **data: str) -> NotebookNode:
        output = nbformat.v4.new_output("display_data", {k.replace("_", "/"): v for k, v in data.items()})
        return nbformat.v4.new_code_cell(metadata={"title": title, "tags": tags}, outputs=[output])

    return nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Made up\n\nProse."),
            cell("provenance", ["results"], text_markdown="**Who?**\n\n12 cells · newest record 2026-01-01"),
            cell("conclusions", ["conclusions"], text_markdown=conclusions),
            nbformat.v4.new_markdown_cell("## What was found\n\nMethod."),
            cell("found", ["results"], text_markdown=found),
            cell("a_b", ["results", tag], image_png=figure),
            cell("not_shown", [], text_markdown="- nor said"),
        ]
    )


def test_a_study_has_its_conclusions_on_one_page_and_all_else_on_its_own() -> None:
    made = pages.pages({"tuned": told("- 1 of 2.\n- Dear.", "- a:\n  - b\n\n| x |\n| --- |\n| 1 |")})
    assert made.overview.endswith(
        """
- [Made up](#made-up): 1 of 2.

[Made up](#made-up)

## Made up

**Who?**

12 cells · newest record 2026-01-01

- 1 of 2.
- Dear.

![Made up](results/tuned_a_b.png)

[All sentences, tables and figures](results/tuned.md) · [notebook](../analysis/tuned.ipynb)
"""
    )
    assert made.details["tuned"] == (
        """\
# Made up

[Its conclusions](../results.md#made-up) · [notebook](../../analysis/tuned.ipynb)

**Who?**

12 cells · newest record 2026-01-01

## What was found

- a:
  - b

| x |
| --- |
| 1 |

![a b](tuned_a_b.png)
"""
    )
    assert list(made.figures) == ["tuned_a_b.png"]


@pytest.mark.parametrize(
    ("notebook", "has"),
    [
        (told("- a\n- b\n- c\n- d", "e"), "4 conclusions"),
        (told("none", "e"), "0 conclusions"),
        (told("- a", "e", tag="other"), "1 figures"),
    ],
    ids=["four", "none", "no figure is shown"],
)
def test_a_notebook_without_what_all_must_have_is_one_sentence(notebook: NotebookNode, has: str) -> None:
    with pytest.raises(ValueError, match=rf"analysis/made_up.py must have .*{has}"):
        pages.pages({"made_up": notebook})


BEFORE = """\
# Comparison

**Who?**

12 cells · newest record 2026-01-01

- backprop solves 92.7 % of 1,000.
- genetic is dear.
- **xor**, 24 algorithms. Of its replicas solve:
  - more than half: backprop

| rule | ERT |
| --- | ---: |
| backprop | 729 |
"""
SHORT = "# Results\n\n- [Comparison](#comparison): Half.\n\n## Comparison\n\n- Half.\n"


def said(detail: str = BEFORE, overview: str = SHORT) -> Any:
    return pages.Pages(overview, {"comparison": detail}, {})


def rows(errata: str) -> list[str]:
    return [line for line in errata.splitlines() if line.startswith("|")]


def test_errata_are_the_lines_that_changed_beside_what_stands_in_their_place() -> None:
    now = BEFORE.replace("92.7 %", "93.7 %").replace("| 729 |", "| 665 |").replace("2026-01-01", "2026-02-02")
    now = now.replace("- genetic is dear.\n", "").replace("half: backprop", "half: backprop and spsa")
    text = pages.errata(said(), said(now, SHORT + "- One more.\n"))
    assert rows(text) == [
        "| before | then |",
        "|---|---|",
        "| backprop solves 92.7 % of 1,000. | backprop solves 93.7 % of 1,000. |",
        "| genetic is dear. | – |",
        "| **xor**: more than half: backprop | **xor**: more than half: backprop and spsa |",
        "| backprop, 729 | backprop, 665 |",
        "| – | One more. |",
    ]
    assert pages.errata(said(), said()).endswith("Nothing changed.\n")


def test_a_sentence_that_moves_to_another_page_of_its_study_is_no_erratum() -> None:
    moved = BEFORE.replace("- genetic is dear.\n", ""), SHORT + "- genetic is dear.\n"
    assert pages.errata(said(), said(*moved)).endswith("Nothing changed.\n")
    whole = pages.Pages("# Results\n\n" + BEFORE.replace("# C", "## C") + "- Half.\n", {}, {})
    assert pages.errata(whole, said()).endswith("Nothing changed.\n"), "from one page for all to several"


def test_results_that_are_made_anew_leave_their_errata_before_the_earlier_ones(tmp_path: Path) -> None:
    pages.write(said(), tmp_path)
    noted = tmp_path / "errata.md"
    assert not noted.exists(), "there was no page before"
    pages.write(said(BEFORE.replace("729", "665")), tmp_path)
    first = rows(noted.read_text(encoding="utf-8"))
    assert first[2:] == ["| backprop, 729 | backprop, 665 |"]
    kept = noted.read_text(encoding="utf-8")
    pages.write(said(BEFORE.replace("729", "665")), tmp_path)
    assert noted.read_text(encoding="utf-8") == kept, "the same page says nothing new"
    pages.write(said(BEFORE.replace("729", "601")), tmp_path)
    assert rows(noted.read_text(encoding="utf-8"))[2:] == [
        "| backprop, 665 | backprop, 601 |",
        "| backprop, 729 | backprop, 665 |",
    ]


def test_other_words_on_the_same_records_are_no_errata(tmp_path: Path) -> None:
    pages.write(said(), tmp_path)
    pages.write(said(BEFORE.replace("729", "665")), tmp_path)
    kept = rows((tmp_path / "errata.md").read_text(encoding="utf-8"))
    pages.write(said(BEFORE.replace("729", "665").replace("is dear", "costs more")), tmp_path, reworded=True)
    assert rows((tmp_path / "errata.md").read_text(encoding="utf-8")) == kept
    assert "costs more" in (tmp_path / "results" / "comparison.md").read_text(encoding="utf-8")


def test_pages_and_figures_that_are_no_longer_made_go(tmp_path: Path) -> None:
    pages.write(said()._replace(details={"old": BEFORE}, figures={"old.png": b"x"}), tmp_path)
    pages.write(said(), tmp_path)
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["comparison.md"]
