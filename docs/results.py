"""Put what the executed notebooks found into docs/results.md and docs/results/*.png: nothing there is typed.

Run by `make results`, which executes the notebooks on the records first. Shown of each is what its cells with
the tag `results` put out; their titles name the figures' files. What the page said before and says no longer
is put into docs/errata.md, sentence by sentence, beside what stands in its place.
"""

from __future__ import annotations

import base64
import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parent.parent
TAG = "results"
PROVENANCE = re.compile(r"newest record|^Notebook:|^!\[")
ERRATA = """\
# Errata

What [results.md](results.md) said before its records were made anew, and what it says now: every line that
changed, by the study. Written by `make results`, which compares the page it finds with the page it makes."""
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


def errata(before: str, now: str) -> str:
    """docs/errata.md: every line of docs/results.md that changed, old and new, section by section.

    Lines are paired by what they have in common, so a figure that changed stands beside its successor;
    provenance (when it was run, by which versions) is what changes every time, and is left out.
    """
    parts = [ERRATA]
    old, new = _sections(before), _sections(now)
    for title in dict.fromkeys([*old, *new]):
        rows = _changes(old.get(title, []), new.get(title, []))
        if rows:
            table = [f"| {_cell(a)} | {_cell(b)} |" for a, b in rows]
            parts.append("\n".join([f"## {title}", "", "| before | now |", "|---|---|", *table]))
    return "\n\n".join(parts if len(parts) > 1 else [*parts, "Nothing changed."]) + "\n"


def _sections(page: str) -> dict[str, list[str]]:
    """The lines of each section that say something."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", page, flags=re.M)[1:]:
        title, *lines = part.splitlines()
        said = (line.strip() for line in lines)
        found[title] = [
            line for line in said if line and not PROVENANCE.search(line) and set(line) - set("|-: ")
        ]
    return found


def _changes(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, str]]:
    """Lines that are not in both, each with the one about the same, or else the one it is most like; '' where
    there is none.
    """
    gone, come = [x for x in old if x not in new], [x for x in new if x not in old]
    rows = []
    for line in gone:
        same = [x for x in come if _about(x) == _about(line)]
        like = same[:1] or difflib.get_close_matches(line, come, n=1, cutoff=0.5)
        rows.append((line, like[0] if like else ""))
        come = [x for x in come if x not in like]
    return [*rows, *(("", line) for line in come)]


def _about(line: str) -> str:
    """What a line is about: of a row of a table its first cell, else what comes before its first figure."""
    return line.split("|")[1].strip() if line.startswith("|") else re.split(r"\d", line)[0]


def _cell(line: str) -> str:
    """A line inside a table: of a row of another table its cells with commas between."""
    inside = ", ".join(part.strip() for part in line.strip("|").split("|")) if line.startswith("|") else line
    return inside.removeprefix("- ") or "–"


def write(text: str, figures: Mapping[str, bytes], into: Path = ROOT / "docs") -> None:
    """Write the page, its figures and what changed; figures that are no longer shown go."""
    earlier = into / "results.md"
    if earlier.is_file() and (before := earlier.read_text(encoding="utf-8")) != text:
        (into / "errata.md").write_text(errata(before, text), encoding="utf-8")
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
