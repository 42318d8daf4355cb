"""Held to the pages as somebody takes them who follows them: every block of code runs, in its page's order,
in a clone of its own, and no command says a word on stderr."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from harness.core.exact_gradient import exact_gradient
from helpers.blocks import blocks, clone, followed
from helpers.commands import Done
from helpers.problems import Problem, problems
from helpers.repository import ROOT

HOW_TO = sorted(f"docs/how-to/{path.name}" for path in (ROOT / "docs" / "how-to").glob("*.md"))
LONG = ["docs/how-to/add-a-rule.md", "docs/how-to/compiled.md", "docs/three-readings.md", "README.md"]
"""What takes a compiler, the check kit once more, or twenty commands."""
QUICK = [
    page
    for page in ("docs/tutorial.md", *HOW_TO, "docs/studies.md", "docs/credit.md", "docs/statistics.md")
    if page not in LONG
]
ELSEWHERE = {  # whose blocks are run by another test
    "docs/extend.md": "test_extend.py",
    "docs/core.md": "test_the_lines_of_backpropagation_are_the_gradient",
    "docs/clusters.md": "tests/cluster",
    "docs/team-server.md": "tests/cluster",
    "tests/README.md": "they are how the tests are run",
    "examples/plugin/README.md": "test_wheels.py",
}
CODE = ("python", "sh", "yaml")
DOCTESTS = "pycon"  # run where they stand: test_docstrings.py

GPU = "run.backend=jax run.device=gpu"
NOT_RUN = {
    ". .venv/bin/activate": "the tests are run by the Python they are to use",
    "pip install -e '.[jax]'": "the tests are installed with it",
    "pip install 'jax[cuda13]'": "it is large, and of use only where there is a GPU",
    f"python -m harness task=xor run.replicas=100000 run.epochs=500 {GPU}": "it needs one",
    "python -m harness.dashboard": "it serves until it is stopped",
    "make test": "this is it",
    "make compare": "its command is run in its place",
}
STANDS_FOR = {"make compare": "python -m harness -m study=first_light"}
ENDS = {"python -m harness.check plugins=my_rule.py": 1}
"""What ends with another code than 0, and says why: a rule that names no paper yet."""

SMALL = {  # what is added to a command in its small form, by what is in it
    r"harness\.tune ": " tuning.trials=4 tuning.replicas=4 tuning.finalists=2 tuning.choosing=4",
    r"harness\.tune .*": " tuning.passes=2000",
    r"harness\.replicate": " 1.3 small=true",
    "study=memory_accuracy": " small=true",
    "harness -m (?!.*small)": " run.replicas=4 run.epochs=40 figures=false",
    "run.replicas=1000": " run.replicas=50",
}
FIRST_LIGHT = """\
name: first_light
common: [ruleset=tuned, run.probe=4]
cells:
  - ["task=xor,encoder", "algorithm=backprop,shallow", passes=1500, run.replicas=20]
"""
"""What the small form has in the place of a study of three minutes."""


def said(line: str, small: bool) -> str:
    """The command that is run in the place of one: off MLflow, and in this process."""
    line = STANDS_FOR.get(line, "" if line in NOT_RUN else line)
    if small:
        line += "".join(more for pattern, more in SMALL.items() if re.search(pattern, line))
    off = "tracking.enabled=false " + "hydra/launcher=basic " * ("harness -m " in line)
    return re.sub(r"^python -m harness(\.tune)? (-m )?", rf"\g<0>{off}", line)


def in_small(folder: Path) -> Path:
    """A clone whose first light is a small one."""
    (clone(folder) / "conf" / "study" / "first_light.yaml").unlink()
    (folder / "conf" / "study" / "first_light.yaml").write_text(FIRST_LIGHT, encoding="utf-8")
    return folder


def check(done: list[Done]) -> None:
    """Every command ended as it should, and there was one."""
    ends = [
        next((code for start, code in ENDS.items() if each.command.startswith(start)), 0) for each in done
    ]
    assert [
        (e.command, e.code, e.said) for e, end in zip(done, ends, strict=True) if e.said or e.code != end
    ] == []
    assert done


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Done]]:
    """What comes of the pages in small, in one process."""
    folder = in_small(tmp_path_factory.mktemp("clone"))
    return followed(QUICK, folder, lambda line: said(line, small=True))


@pytest.mark.parametrize("page", QUICK)
def test_every_block_of_a_page_runs_in_small(page: str, small: dict[str, list[Done]]) -> None:
    check(small[page])


@pytest.mark.slow
@pytest.mark.parametrize("page", LONG)
def test_every_block_of_a_long_page_runs_in_small(page: str, tmp_path: Path) -> None:
    check(followed([page], in_small(tmp_path), lambda line: said(line, small=True))[page])


@pytest.mark.slow
@pytest.mark.parametrize("page", QUICK)
def test_every_block_of_a_page_runs_as_it_stands(page: str, tmp_path: Path) -> None:
    check(followed([page], clone(tmp_path), lambda line: said(line, small=False))[page])


def test_no_block_is_left_out() -> None:
    """Every page that has one is on a list, and every line that is not run has a reason."""
    pages = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))]
    pages += ["README.md", "CONTRIBUTING.md", "tests/README.md", "examples/plugin/README.md"]
    coded = {page: [b for b in blocks(page) if b.language] for page in pages}
    assert {page for page, found in coded.items() if any(b.language != DOCTESTS for b in found)} == {
        *QUICK,
        *LONG,
        *ELSEWHERE,
    }
    assert {b.language for found in coded.values() for b in found} <= {*CODE, "toml", "nginx", DOCTESTS}
    lines = {line for page in (*QUICK, *LONG) for b in blocks(page) if b.language == "sh" for line in b.lines}
    assert NOT_RUN.keys() <= lines
    assert all(b.file for page in (*QUICK, *LONG) for b in blocks(page) if b.language == "yaml")


def test_what_stands_for_a_target_of_make_is_its_command() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target, command in STANDS_FOR.items():
        assert re.search(
            rf"^{target.removeprefix('make ')}:.*\n\t\$\(BIN\)/{re.escape(command)}$", makefile, re.M
        ), target


@given(problems())
def test_the_lines_of_backpropagation_are_the_gradient(problem: Problem) -> None:
    """The lines of docs/core.md, on any network; the gradient itself is held to differences elsewhere."""
    (lines,) = (b.text for b in blocks("docs/core.md") if b.language == "python")
    net, weights, batch = problem
    names: dict[str, Any] = {"net": net, "batch": batch, "weights": weights, "delta": {}}
    exec(lines, names | {"y": net.forward(weights, batch.x)}, names)
    exact = exact_gradient(net, weights, batch).gradient
    assert names["gradient"].keys() == exact.keys()
    for key, g in exact.items():
        np.testing.assert_allclose(names["gradient"][key], g, rtol=1e-12, atol=1e-15)
