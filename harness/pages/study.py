"""The page of a study, and those of its cells beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from itertools import chain
from pathlib import Path

import harness
from harness.core.files import remove_leftovers, write_atomically
from harness.core.outcomes import NOT_APPLICABLE
from harness.drawing.style import title_of
from harness.experiment.digits import number
from harness.pages.cell import cell_page
from harness.pages.entries import COLUMNS, NOTE, WORDS, entries
from harness.pages.markup import WORD, beside, breaking, bullets, code, element, in_mlflow, link, page
from harness.plots.study import KINDS
from harness.results.gathering import Found
from harness.results.row import Row
from harness.statistics import Interval

FRONT = "front.svg"
"""It stands above the table."""
MOST = 1000
"""Cells up to which each has a page of its own: they take three milliseconds and thirty kilobytes a cell."""
TOO_MANY = (
    "Its {} cells have no pages of their own, as those of a study of up to {} have: "
    "harness.results reads what there is of each."
)
FIGURES = ("front", "survival", "loss", "ert", "settings", "hinton_*")


@dataclass(frozen=True)
class Study:
    """What the pages of a study are made of."""

    name: str
    question: str
    said: Sequence[str]
    """What came of it, in sentences."""
    command: str
    """What makes it again; empty where no command line made it."""
    rows: Sequence[Row]
    """Its table."""
    times: Mapping[str, Interval]
    """Expected running times in epochs, by the id of the row."""
    cells: Sequence[Found]
    """Each of its cells."""
    figures: bool = True
    """Whether the figures beside the page are those of the study as it is."""
    runs: Mapping[str, str] = field(default_factory=dict)
    """Addresses of the cells' runs in MLflow, by id, where they have one."""
    run_table: str = ""
    """Address of the table of its runs in MLflow; empty where there is none."""


def write(study: Study, folder: Path) -> Path:
    """Write the page of a study and of each of its cells, if these are not more than `MOST`, into a folder,
    unless those that are there say the same; the path of the first.
    """
    index, cells = folder / "index.html", folder / "cells"
    paged = study.cells if _paged(study) else []
    ids = [cell.row.id for cell in paged]
    drawn = list(_figures(folder)) if study.figures else []
    key = _key(study, drawn)
    if f'content="{key}"' in _beginning(index) and all((cells / f"{i}.html").is_file() for i in ids):
        return index
    cells.mkdir(parents=True, exist_ok=True)
    remove_leftovers(cells)
    for before, cell, after in zip(["", *ids], paged, [*ids[1:], ""], strict=False):
        run = study.runs.get(cell.row.id, "")
        text = cell_page(cell, study.name, run=run, before=before, after=after)
        write_atomically(cells / f"{cell.row.id}.html", text)
    write_atomically(index, study_page(study, drawn, key))
    for path in {*cells.glob("*.html")} - {cells / f"{i}.html" for i in ids}:
        path.unlink(missing_ok=True)
    return index


def study_page(study: Study, figures: Sequence[tuple[str, str]] = (), key: str = "") -> str:
    """The page of a study.

    Args:
        study: what it is made of.
        figures: files beside it and their titles.
        key: what it says of what it was made of.
    """
    body = [
        element("h1", study.name),
        element("p", study.question, "question") if study.question else "",
        element("p", _made(study.cells), "dim"),
        in_mlflow(study.run_table, "Its runs in MLflow") if study.run_table else "",
        element("h2", "What came of it"),
        bullets(study.said),
        *(_figure(name, title) for name, title in figures if name == FRONT),
        *_table(study),
        *_not_run(study.rows),
        element("h2", "Make it again"),
        code(study.command)
        if study.command
        else element("p", "It was made from Python, by harness.compare."),
        element("h2", "Figures") if figures else "",
        *(_figure(name, title) for name, title in figures if name != FRONT),
    ]
    return page(study.name, body, made_of=key, script=beside("table.js") if study.rows else "")


def _made(cells: Sequence[Found]) -> str:
    """When, and by which versions: machines by kind, not by name."""
    metas = [cell.meta for cell in cells if cell.record]
    if not metas:
        return ""
    versions = {
        name: " and ".join(sorted({str(meta.get("versions", {}).get(name, "?")) for meta in metas}))
        for name in ("harness", "python", "numpy", "machine")
    }
    with_ = "harness {harness}, Python {python}, NumPy {numpy} on {machine}".format_map(versions)
    return f"{number(len(metas))} records, the newest of {max(meta['made'] for meta in metas)}, by {with_}"


def _table(study: Study) -> Iterator[str]:
    """A row for each row of the study's table; columns in which nothing stands are left out."""
    if not study.rows:
        return
    rows = [entries(row, study.times.get(row.id)) for row in study.rows]
    used = [name for name in COLUMNS if any(row[name].text for row in rows)]
    yield element("h2", "Cells")
    yield (
        '<p class="filter" hidden><label for="filter">Rows with all these words:</label> '
        '<input id="filter" type="search" autocomplete="off"> '
        '<output for="filter" aria-live="polite"></output></p>'
    )
    head = "".join(f'<th scope="col"{WORD * (name in WORDS)}>{escape(name)}</th>' for name in used)
    yield f'<div class="wide"><table class="cells">\n<thead><tr>{head}</tr></thead>\n<tbody>'
    for row, own in zip(study.rows, rows, strict=True):
        others = "".join(own[name].markup(name in WORDS) for name in used[1:])
        yield f"<tr>{_linked(row) if _paged(study) else _unlinked(row)}{others}</tr>"
    yield "</tbody></table></div>"
    if not _paged(study):
        yield element("p", TOO_MANY.format(number(len(study.cells)), number(MOST)), "dim")
    yield element("p", NOTE, "dim")
    files = [link(name, name) for name in ("table.csv", "table.md", "table.tex")]
    yield f'<p class="dim">The table in files: {", ".join(files)}.</p>'


def _paged(study: Study) -> bool:
    """Whether its cells have pages of their own."""
    return len(study.cells) <= MOST


def _unlinked(row: Row) -> str:
    """The first entry where cells have no pages."""
    return f'<th scope="row" class="word">{breaking(row.algorithm)}</th>'


def _linked(row: Row) -> str:
    """The first entry: the algorithm, with the page of its cell, or of each of several seeds."""
    ids, name = row.id.split(), breaking(row.algorithm)
    if len(ids) == 1:
        return f'<th scope="row" class="word"><a href="cells/{ids[0]}.html">{name}</a></th>'
    links = " ".join(link(f"cells/{i}.html", str(k)) for k, i in enumerate(ids, 1))
    return (
        f'<th scope="row" class="word" data-v="{escape(row.algorithm)}"><details><summary>{name}</summary>'
        f"{links}</details></th>"
    )


def _not_run(rows: Sequence[Row]) -> list[str]:
    """Why some rows have no numbers; what is not applicable says so itself."""
    reasons = [
        row.reason
        if row.status == NOT_APPLICABLE
        else f"{row.algorithm} on {row.task} {row.status}: {row.reason}"
        for row in rows
        if row.summary is None
    ]
    return [element("h2", "Rows without numbers"), bullets(dict.fromkeys(reasons))] if reasons else []


def _figures(folder: Path) -> Iterator[tuple[str, str]]:
    """The figures in a study's folder: their files, and the titles these say."""
    for path in chain.from_iterable(sorted(folder.glob(f"{name}.svg")) for name in FIGURES):
        yield path.name, title_of(path) or path.stem


def _figure(name: str, title: str) -> str:
    files = [link(f"{name.removesuffix('svg')}{kind}", kind.upper()) for kind in KINDS]
    return (
        f'<figure class="drawn">\n<a href="{escape(name)}">'
        f'<img src="{escape(name)}" alt="{escape(title)}"></a>\n'
        f"<figcaption>{' · '.join(files)}</figcaption>\n</figure>"
    )


def _key(study: Study, figures: Sequence[tuple[str, str]]) -> str:
    """What tells whether the pages that are there say all that is known."""
    rows = [(row.id, row.task, row.algorithm, row.status, row.reason, row.decades) for row in study.rows]
    made = [cell.meta.get("made") for cell in study.cells]
    about = (study.name, study.question, list(study.said), study.command, dict(study.runs), study.run_table)
    return hashlib.sha256(repr((harness.__version__, about, rows, made, figures)).encode()).hexdigest()[:16]


def _beginning(path: Path) -> str:
    with suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
        return file.read(1000)
    return ""
