"""The table of a study: a row per cell, failures and all, in the study's order, tasks kept together.

Made from what is on disk, whenever asked: a study that is still running, or was killed, has a table too.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.cells.labels import labels
from harness.core.files import write_atomically
from harness.core.outcomes import FINISHED, MISSING, NOT_APPLICABLE, fates
from harness.experiment.summary import Summary
from harness.results.asked import asked
from harness.results.columns import CAPTION, HEADER, SHORT, SPARED, prices, row_texts, used_columns
from harness.results.decades import with_decades
from harness.results.latex import to_latex
from harness.results.pooled import Pool, pooled
from harness.results.row import Row
from harness.statistics import Replicas, restarted_cost
from harness.store.record import Record
from harness.store.store import Store

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 182  # columns a full table needs
NAME = 22  # of them for the algorithm
NARROWEST = 12  # and on a narrow terminal


def build(store: Store, study: str) -> list[Row]:
    """The rows of a study: tasks in the order they first come in it, cells in its order.

    Raises `InputError` if there is none.
    """
    return rows_of(store, store.study(study)["cells"], store.study_folder(study) / "tuned")


def rows_of(store: Store, ids: Sequence[str], shelf: Path | None = None) -> list[Row]:
    """The rows of some cells, in or not yet in the store; those that differ in their seed alone are one.

    On the shelf are tuned settings that came with a study which was handed over: what they cost is said,
    though no run takes them.
    """
    together = pooled(ids, {i: store.read(i) for i in ids if store.has(i)})
    known = {i: each for i, each in together.items() if each}
    from harness.tuning.shelf import shelves  # here: it brings along all that tuning does

    looked_on = [*([shelf] if shelf else []), *shelves(store.path)]
    rows = rows_from(list(together), known, store.failures(ids), shelves=looked_on)
    return with_decades(rows, known, store)


def rows_from(
    ids: Sequence[str],
    records: Mapping[str, Record | Pool],
    failures: Mapping[str, Mapping[str, Any]],
    *,
    numbers: bool = True,
    shelves: Sequence[Path] = (),
) -> list[Row]:
    """The rows of some cells from the records there are, wherever they are kept.

    Without numbers, no replica is read. What tuning cost is looked for on the `shelves`.
    """
    metas = [records[i].meta if i in records else failures.get(i) or _known_from_id(i) for i in ids]
    rows = []
    for i, meta, label in zip(ids, metas, labels(metas), strict=True):
        summary = records[i].summary() if numbers and meta["status"] == FINISHED else None
        row = Row(i, label.task, label.algorithm, meta["status"], meta["reason"], summary)
        row, of = replace(row, **asked(meta, shelves)), records.get(i)
        rows.append(
            replace(row, algorithm=f"{row.algorithm}, {of.count} seeds") if isinstance(of, Pool) else row
        )
    rows = _beside_backprop(rows, metas, records)
    order = list(dict.fromkeys(row.task for row in rows))
    return sorted(rows, key=lambda row: order.index(row.task))


def write(rows: Sequence[Row], folder: Path, question: str = "") -> list[Path]:
    """Write table.csv, table.md and table.tex into a study's folder, where they say something else; returns
    their paths.
    """
    texts = {
        folder / "table.csv": to_csv(rows),
        folder / "table.md": to_markdown(rows, folder.name, question),
        folder / "table.tex": to_latex(by_task(rows), folder.name),
    }
    for path, text in texts.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_atomically(path, text)
    return list(texts)


def to_csv(rows: Sequence[Row]) -> str:
    """The table for machines: raw numbers, `inf` where never reached,
    empty where there is none; unlabelled times are epochs.
    """
    text = io.StringIO()
    names = [f.name for f in fields(Row) if f.name != "summary"] + [f.name for f in fields(Summary)]
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        numbers = asdict(row.summary) if row.summary else {}
        about = {name: getattr(row, name) for name in names if name not in Summary.__dataclass_fields__}
        about = {name: value for name, value in about.items() if value == value}  # NaN stays empty
        writer.writerow(about | {name: value for name, value in numbers.items() if not np.isnan(value)})
    return text.getvalue()


def to_markdown(rows: Sequence[Row], title: str, question: str = "") -> str:
    """The table for people: a section per task,
    what was not run and why beneath it, the caption at the end.
    """
    parts = [f"# {title}", *([question] if question else [])]
    for task, group in by_task(rows).items():
        texts = [row_texts(row) for row in group]
        used = [0, *used_columns(texts)]
        cells: list[Sequence[str]] = [HEADER, ("---", *["---:"] * (len(HEADER) - 1)), *texts]
        lines = ["| " + " | ".join(_escape(line[i]) for i in used) + " |" for line in cells]
        parts += [f"## {task}", "\n".join(lines), *_notes(group), *prices(group)]
    return "\n\n".join([*parts, f"*{CAPTION}*"]) + "\n"


def show(rows: Sequence[Row], console: Console | None = None) -> None:
    """Print the table, readable from 100 columns; its caption in short, the whole of it is in table.md."""
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console()
    longest, spared = max((len(row.algorithm) for row in rows), default=0), set[int]()
    if not console.is_terminal and console.width < WIDTH + longest - NAME:
        console.width = WIDTH + max(0, longest - NAME)  # a file or a pipe has no edge
    for task, group in by_task(rows).items():
        texts = [row_texts(row) for row in group]
        used = used_columns(texts)
        wide = {i: max(len(t) for t in [*HEADER[i].split("\n"), *(text[i] for text in texts)]) for i in used}
        while (rest := console.width - sum(wide.values()) - 2 * len(used) - 2) < NARROWEST and set(
            used
        ) & set(SPARED):
            spared.add(next(i for i in SPARED if i in used))  # they are in table.md
            used = [i for i in used if i not in spared]
            wide = {i: wide[i] for i in used}
        rest = max(NARROWEST, rest)
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
        table.add_column(Text(task), width=rest, overflow="fold", vertical="bottom")
        for i in used:
            table.add_column(Text(HEADER[i]), width=wide[i], justify="right", no_wrap=True)
        # a column of lines that need no folding is one text to rich, which takes as long for it as for a cell
        folded = any(cell_len(text[0]) > rest for text in texts)
        if folded:
            texts = [[_in_lines(text[0], rest), *text[1:]] for text in texts]
        for some in [[text] for text in texts] if folded else [texts]:
            table.add_row(*(Text("\n".join(text[i] for text in some)) for i in [0, *used]))
        console.print(table)
        for note in _notes(group):
            console.print(Text(note, style="italic"))
        console.print()
    console.print(Text(SHORT, style="dim"))
    if spared:
        names = ", ".join(" ".join(HEADER[i].split()) for i in sorted(spared))
        console.print(Text(f"Too wide for this window, and in table.md alone: {names}", style="dim"))


def _in_lines(name: str, room: int) -> str:
    """A name in lines of so many letters, broken after underscores and spaces where it can be."""
    lines = [""]
    for piece in re.findall(r"[^\s_]*(?:_|\s+|$)", name):
        if lines[-1] and len(lines[-1] + piece.rstrip()) > room:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines if line.strip())


def by_task(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each task."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.task, []).append(row)
    return groups


def _beside_backprop(
    rows: Sequence[Row], metas: Sequence[Mapping[str, Any]], records: Mapping[str, Record | Pool]
) -> list[Row]:
    """The rows with their work beside that of the first backprop cell
    on their task, where both were counted.
    """
    base: dict[str, Row] = {}
    for row, meta in zip(rows, metas, strict=True):
        if row.summary and meta["algorithm"]["name"] == "backprop" and np.isfinite(row.summary.restart_flops):
            base.setdefault(row.task, row)
    return [
        replace(row, work_over_backprop=_work(row, base[row.task], records))
        if row.summary and row.task in base
        else row
        for row in rows
    ]


def _work(row: Row, base: Row, records: Mapping[str, Record | Pool]) -> float:
    """What a success costs the one in FLOPs ÷ what it costs the other, over the first replicas of both."""
    both = [(records[each.id].replicas, each.summary.epoch_flops) for each in (row, base) if each.summary]
    n = min(len(replicas["epochs"]) for replicas, _ in both)
    a, b = (_first(replicas, n) * price for replicas, price in both)
    return a / b if np.isfinite(b) else np.nan


def _first(replicas: Mapping[str, Any], n: int) -> float:
    solved, _, diverged = (fate[:n] for fate in fates(replicas))
    return restarted_cost(Replicas(replicas["epochs"][:n], solved, diverged))[0]


def _known_from_id(cell_id: str) -> dict[str, Any]:
    """What the name alone tells of a cell that is not on disk."""
    task, algorithm, _ = cell_id.split("-")
    return {
        "id": cell_id,
        "status": MISSING,
        "reason": "not in the store yet: run the study again",
        "task": {"name": task},
        "algorithm": {"name": algorithm},
        "run": {},
    }


def _notes(rows: Sequence[Row]) -> list[str]:
    """Why some rows have no numbers; what is not applicable says so itself."""
    without = [row for row in rows if row.summary is None]
    notes = (
        row.reason if row.status == NOT_APPLICABLE else f"{row.algorithm} {row.status}: {row.reason}"
        for row in without
    )
    return list(dict.fromkeys(notes))


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
