"""Put what the executed notebooks found into docs/results.md and docs/results/*.png: nothing there is typed.

Run by `make results`, which executes the notebooks on the records first. Shown of each is what its cells with
the tag `results` put out; their titles name the figures' files.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parent.parent
TAG = "results"
HEAD = """\
# Results

Generated from the records by `make results`, through the notebooks in [analysis/](../analysis): each section
says what was run, when, by which versions and by which command; every number counts failures, and
has its n and its interval."""


class Section(NamedTuple):
    """What a notebook found."""

    title: str
    text: str
    figures: dict[str, bytes]
    """PNGs by file name."""


def section(study: str, notebook: NotebookNode) -> Section:
    """The section of a study: the title of its notebook,
    and what its tagged cells put out, in their order.
    """
    title = re.search(r"^# (.+)$", notebook.cells[0].source, re.M)
    if title is None:
        raise ValueError(f"analysis/{study}.py must begin with a title")
    parts, figures = [f"## {title[1]}", f"Notebook: [analysis/{study}.ipynb](../analysis/{study}.ipynb)"], {}
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := re.search(r"^## (.+)$", cell.source, re.M)):
            heading = f"### {found[1]}"
        if TAG not in cell.metadata.get("tags", []):
            continue
        parts, heading = [*parts, *([heading] if heading else [])], ""
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{study}_{cell.metadata['title']}.png"
                figures[name] = base64.b64decode(data["image/png"])
                parts.append(f"![{cell.metadata['title'].replace('_', ' ')}](results/{name})")
            elif "text/markdown" in data:
                parts.append(str(data["text/markdown"]))
    return Section(title[1], "\n\n".join(parts), figures)


def page(notebooks: Mapping[str, NotebookNode]) -> tuple[str, dict[str, bytes]]:
    """docs/results.md, and the figures in docs/results/, of executed notebooks by the name of their study."""
    sections = [section(study, notebook) for study, notebook in notebooks.items()]
    figures = {name: picture for one in sections for name, picture in one.figures.items()}
    contents = "\n".join(f"- [{one.title}](#{_anchor(one.title)})" for one in sections)
    return "\n\n".join([HEAD, contents, *(one.text for one in sections)]) + "\n", figures


def executed(folder: Path = ROOT / "analysis") -> dict[str, NotebookNode]:
    """The executed notebooks in a folder."""
    return {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))}


def write(text: str, figures: Mapping[str, bytes], into: Path = ROOT / "docs") -> None:
    """Write the page and its figures; figures that are no longer shown go."""
    (into / "results").mkdir(exist_ok=True)
    for path in (into / "results").glob("*.png"):
        if path.name not in figures:
            path.unlink()
    for name, picture in figures.items():
        (into / "results" / name).write_bytes(picture)
    (into / "results.md").write_text(text, encoding="utf-8")


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


if __name__ == "__main__":
    write(*page(executed()))
