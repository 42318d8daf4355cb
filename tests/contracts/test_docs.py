"""Held to the README as a newcomer takes it: its figures are those of the commands beside them, and its code
runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import harness
from harness import run
from harness.cells.cell import Cell
from harness.core.outcomes import SOLVED
from harness.store.store import Store
from harness.studies.attempt import attempt
from harness.tasks.xor import Xor
from helpers.repository import ROOT, load

DOCS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *DOCS]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def code(word: str) -> str:
    (found,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.S) if word in block)
    return found


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/three-readings.md"])
def test_the_figures_are_those_that_the_commands_wrote(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert load("docs_update", ROOT / "docs" / "update.py").filled(text) == text


@pytest.mark.parametrize("name", ["algorithms", "tasks"])
def test_the_pages_of_algorithms_and_tasks_are_what_the_code_says(name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    update = load("docs_update", ROOT / "docs" / "update.py")
    assert {"algorithms": update.algorithms_page, "tasks": update.tasks_page}[name]() == page


def test_the_example_from_python_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text(code("result.frame()").replace("replicas=1000", "replicas=50"))
    frame = load("readme_example", path).frame
    assert len(frame) == 50
    assert "50 replicas" in capsys.readouterr().out


def test_the_example_of_reading_the_store_runs(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cell = Cell.of({"name": "backprop"}, {"name": "xor"}, {"replicas": 5, "epochs": 300})
    attempt(cell, store)
    store.write_study("first_light", "", [cell.id])
    store.path.rename(tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_STORE", raising=False)
    path = tmp_path / "example.py"
    path.write_text(code("results.cells"))
    assert load("readme_reading", path).weights["input-hidden"].shape == (5, 2, 2)
    assert "ert_forward_passes" in capsys.readouterr().out


def test_the_algorithm_of_the_readme_learns(tmp_path: Path) -> None:
    """Shallow solves 1 XOR network in 100; half a transport, if it runs as intended, nine in ten.

    n = 60; a rule that solved 9 in 10 would solve fewer than 40 with a probability below 1e-6.
    """
    path = tmp_path / "partial_transport.py"
    path.write_text(code("PartialTransport"))
    rule = load("readme_rule", path).PartialTransport()
    assert sum(run(rule, Xor(), replicas=60).trained.outcome == SOLVED) >= 40


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_module_that_the_design_names_is_there() -> None:
    text = "".join(
        (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") for page in ("design", "core", "running")
    )
    for name in re.findall(r"`((?:harness|algorithms|hydra_plugins|conf)/[\w/.]+)`", text):
        assert (ROOT / name).exists() or (ROOT / f"{name}.py").exists(), name


def test_the_citation_is_of_this_version() -> None:
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (said["version"], said["license"]) == (harness.__version__, "Apache-2.0")
    assert {"cff-version", "message", "title", "authors"} <= said.keys()


def test_contributing_is_short() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) < 60
