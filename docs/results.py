"""Put what the executed notebooks found into docs/results.md, docs/results/<study>.md and docs/results/*.png:
nothing there is typed.

    python docs/results.py [--reworded]     # `make results` executes the notebooks on the records first

Of each notebook its cell tagged `conclusions` gives at most three sentences to docs/results.md, beside the
figure tagged `shown`; all that is tagged `results` is on the page of the study. The first conclusions of the
`MAIN` studies are the abstract. Titles of cells name the figures' files. What the pages said before and say
no longer is put into docs/errata.md, sentence by sentence, beside what stands in its place.
"""

from __future__ import annotations

import argparse
import base64
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parent.parent
TAG, CONCLUSIONS, SHOWN = "results", "conclusions", "shown"
MOST = 3
"""Conclusions of a study."""
MAIN = (
    "tuned",
    "comparison",
    "sensitivity",
    "alignment",
    "transfer",
    "replication",
    "local_minima",
    "ablations",
)
MAIN += ("representations", "credit_and_cost")
"""The studies whose first conclusions are the abstract, in its order; any others come after them."""
PROVENANCE = re.compile(r"newest record|^Notebook:|^!?\[")
ERRATA = """\
# Errata

What [results.md](results.md) and the pages of its studies said before their records were made anew, and what
they said then: every line that changed, by the study, the newest first. Written by `make results`, which
compares the pages it finds with the pages it makes; a sentence that moves from one page of a study to
another has not changed."""
HEAD = """\
# Results

Generated from the records by `make results`, through the notebooks in [analysis/](../analysis): every number
counts failures, and has its n and its interval. Each section says what was run, when, by which versions and
by which command; all sentences and tables of a study are on a page of its own."""


class Study(NamedTuple):
    """What a notebook found."""

    title: str
    about: str
    """Its question, and where its numbers come from."""
    conclusions: list[str]
    shown: str
    """The file of the figure beside them, and its title."""
    parts: list[str]
    """All else that it says, in Markdown, figures as links to files in the same folder."""
    figures: dict[str, bytes]
    """PNGs by file name."""


class Pages(NamedTuple):
    """What is written."""

    overview: str
    """docs/results.md"""
    details: dict[str, str]
    """docs/results/<study>.md by the name of the study."""
    figures: dict[str, bytes]


def study(name: str, notebook: NotebookNode) -> Study:
    """What a notebook found: raises `ValueError` where it does not say what all must."""
    title = re.search(r"^# (.+)$", notebook.cells[0].source, re.M)
    conclusions: list[str] = []
    texts: list[str] = []
    shown, figures, heading = "", {}, ""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown" and (found := re.search(r"^## (.+)$", cell.source, re.M)):
            heading = f"## {found[1]}"
        outputs = [output.get("data", {}) for output in cell.get("outputs", [])]
        if CONCLUSIONS in tags:
            conclusions += re.findall(
                r"^- (.+)$", "".join(data.get("text/markdown", "") for data in outputs), re.M
            )
        if TAG not in tags:
            continue
        texts, heading = [*texts, *([heading] if heading else [])], ""
        for data in outputs:
            if "image/png" in data:
                file = f"{name}_{cell.metadata['title']}.png"
                figures[file] = base64.b64decode(data["image/png"])
                texts.append(f"![{cell.metadata['title'].replace('_', ' ')}]({file})")
                shown = file if SHOWN in tags else shown
            elif "text/markdown" in data:
                texts.append(str(data["text/markdown"]))
    if title is None or not texts or not shown or not 1 <= len(conclusions) <= MOST:
        raise ValueError(
            f"analysis/{name}.py must have a title, a cell tagged {TAG!r}, one tagged {CONCLUSIONS!r} with "
            "one to "
            f"{MOST} sentences, and a figure tagged {SHOWN!r}: it has {len(texts)} parts, {len(conclusions)} "
            f"conclusions, {len(figures)} figures"
        )
    return Study(title[1], texts[0], conclusions, shown, texts[1:], figures)


def pages(notebooks: Mapping[str, NotebookNode]) -> Pages:
    """The pages of executed notebooks by the name of their study."""
    order = [name for name in MAIN if name in notebooks]
    order += [name for name in notebooks if name not in MAIN]
    found = {name: study(name, notebooks[name]) for name in order}
    abstract = [f"- {_to(found[name])}: {found[name].conclusions[0]}" for name in order if name in MAIN]
    contents = " · ".join(_to(one) for one in found.values())
    sections = [_section(name, one) for name, one in found.items()]
    overview = "\n\n".join([HEAD, "\n".join(abstract), contents, *sections]) + "\n"
    figures = {name: picture for one in found.values() for name, picture in one.figures.items()}
    return Pages(overview, {name: _detail(name, one) for name, one in found.items()}, figures)


def _section(name: str, one: Study) -> str:
    """What docs/results.md says of a study."""
    return "\n\n".join(
        [
            f"## {one.title}",
            one.about,
            "\n".join(f"- {sentence}" for sentence in one.conclusions),
            f"![{one.title}](results/{one.shown})",
            f"[All sentences, tables and figures](results/{name}.md) · [notebook](../analysis/{name}.ipynb)",
        ]
    )


def _detail(name: str, one: Study) -> str:
    """The page of a study."""
    links = f"[Its conclusions](../results.md#{_anchor(one.title)}) · [notebook](../../analysis/{name}.ipynb)"
    return "\n\n".join([f"# {one.title}", links, one.about, *one.parts]) + "\n"


def executed(folder: Path = ROOT / "analysis") -> dict[str, NotebookNode]:
    """The executed notebooks in a folder."""
    return {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))}


def errata(before: Pages, now: Pages, kept: str = "") -> str:
    """docs/errata.md: every line of the pages that changed, old and new, study by study, before those `kept`.

    Lines are paired by what they have in common, so a figure that changed stands beside its successor;
    provenance (when it was run, by which versions) is what changes every time, and is left out.
    """
    parts = [ERRATA]
    old, new, earlier = _said(before), _said(now), _kept(kept)
    for title in dict.fromkeys([*earlier, *old, *new]):
        changed = [
            f"| {_cell(a)} | {_cell(b)} |" for a, b in _changes(old.get(title, []), new.get(title, []))
        ]
        rows = dict.fromkeys([*changed, *earlier.get(title, [])])
        if rows:
            parts.append("\n".join([f"## {title}", "", "| before | then |", "|---|---|", *rows]))
    return "\n\n".join(parts if len(parts) > 1 else [*parts, "Nothing changed."]) + "\n"


def _kept(errata: str) -> dict[str, list[str]]:
    """The rows of an earlier page of errata, by study."""
    found = {}
    for part in re.split(r"^## ", errata, flags=re.M)[1:]:
        title, *lines = part.splitlines()
        rows = [line for line in lines if line.startswith("|")]
        found[title] = rows[2:]  # without the table's head
    return found


def _said(pages: Pages) -> dict[str, list[str]]:
    """What is said of each study, by its title, on whichever page."""
    texts = re.split(r"^## ", pages.overview, flags=re.M)[1:]
    texts += [text.removeprefix("# ") for text in pages.details.values()]
    found: dict[str, list[str]] = {}
    for text in texts:
        title, *lines = text.splitlines()
        found.setdefault(title, []).extend(_sayings(lines))
    return {title: list(dict.fromkeys(lines)) for title, lines in found.items()}


def _sayings(lines: Sequence[str]) -> Iterator[str]:
    """The lines that say something: of a list within a list each item with what it is said of."""
    head = ""
    for line in lines:
        text = line.strip()
        if not text or PROVENANCE.search(text) or text.startswith("## ") or not set(text) - set("|-: "):
            continue
        if line.startswith("- "):
            bold = re.match(r"- \*\*.+?\*\*", line)
            head = bold[0] if bold else text.rstrip(":")
        yield f"{head}: {text.removeprefix('- ')}" if line.startswith("  - ") else text


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


def found(docs: Path) -> Pages | None:
    """The pages in a folder, without their figures; None if there are none."""
    if not (docs / "results.md").is_file():
        return None
    details = {
        path.stem: path.read_text(encoding="utf-8") for path in sorted((docs / "results").glob("*.md"))
    }
    return Pages((docs / "results.md").read_text(encoding="utf-8"), details, {})


def write(made: Pages, into: Path = ROOT / "docs", *, reworded: bool = False) -> None:
    """Write the pages, their figures and what changed; those that are no longer made go.

    With `reworded` the records are known to be the same, and the words alone are others: that is no erratum.
    """
    before, noted, folder = found(into), into / "errata.md", into / "results"
    if before is not None and before != made._replace(figures={}):
        kept = noted.read_text(encoding="utf-8") if noted.is_file() else ""
        noted.write_text(errata(made if reworded else before, made, kept), encoding="utf-8")
    folder.mkdir(exist_ok=True)
    details = {f"{name}.md": text.encode("utf-8") for name, text in made.details.items()}
    files = details | made.figures
    for path in folder.iterdir():
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (into / "results.md").write_text(made.overview, encoding="utf-8")


def _to(one: Study) -> str:
    return f"[{one.title}](#{_anchor(one.title)})"


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Make docs/results.md and its pages of the executed notebooks."
    )
    parser.add_argument(
        "--reworded",
        action="store_true",
        help="the records are the same, sentences alone are others: no errata",
    )
    write(pages(executed()), reworded=parser.parse_args().reworded)
