"""The page of a cell: what it is, what came of it, what it cost, and the command that runs it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.cells.command import command, text
from harness.cells.words import flat
from harness.core.errors import InputError
from harness.core.outcomes import SOLVED, fates
from harness.experiment.digits import number
from harness.pages.curves import curve, losses, shares, squares, strip, upwards
from harness.pages.markup import code, element, grid, in_mlflow, link, page, pairs
from harness.plots.hinton import network_of, panels_of, words
from harness.results.frames import COUNTS
from harness.results.gathering import Found

if TYPE_CHECKING:
    from harness.store.record import Record

SQUARES, BYTES = 3000, 2**23  # weights that are drawn one by one; a file of weights that is read for them
PARTS = {"task": "Task", "algorithm": "Algorithm", "run": "Run", "ran": "How it ran", "versions": "Made with"}


def cell_page(found: Found, study: str, *, run: str = "", before: str = "", after: str = "") -> str:
    """The page of a cell of a study.

    Args:
        found: the cell.
        study: the name of the study.
        run: the address of its run in MLflow, where it has one.
        before, after: ids of the cells beside it in the study.
    """
    row, record, title = found.row, found.record, f"{found.row.algorithm} on {found.row.task}"
    beside = [(f"{i}.html", name) for i, name in ((before, "← previous"), (after, "next →")) if i]
    ways = [link(target, name) for target, name in [("../index.html", f"study {study}"), *beside]]
    body = [
        f"<p>{' · '.join(ways)}</p>",
        element("h1", title),
        element("p", row.id, "dim"),
        element("p", f"{row.status[0].upper()}{row.status[1:]}: {row.reason}") if row.reason else "",
        in_mlflow(run, "Its run in MLflow") if run else "",
        *_command(found.meta),
    ]
    if record and record.finished:
        body += [*_outcomes(record), *_training(record), *_weights(record), *_cost(record.cost)]
    if found.meta.get("traceback"):
        body += [element("h2", "Where its code raised"), code(found.meta["traceback"])]
    return page(title, [*body, *_settings(found.meta)])


def _command(meta: Mapping[str, Any]) -> Iterator[str]:
    if not meta:
        return  # of a cell that is not there yet no more is known than its id
    yield element("h2", "The command that runs it")
    try:
        yield code(command(meta))
    except InputError:
        yield element(
            "p", "No command does: its algorithm or task is of a session, or of a plug-in unknown here."
        )
    else:
        yield element("p", "With other code, data or NumPy than its own it is a cell of another id.", "dim")


def _outcomes(record: Record) -> Iterator[str]:
    """In words, and how many replicas solved the task, and when."""
    columns, budget = record.replicas, record.meta["run"]["epochs"]
    became = fates(columns)
    counts = {kind: int(np.count_nonzero(mask)) for kind, mask in became._asdict().items()}
    said = ", ".join(f"{number(count)} {kind}" for kind, count in counts.items())
    yield element("h2", "What came of it")
    yield code(str(record))
    yield '<div class="row">'
    yield _figure(shares(f"Replicas: {said}", became), f"Of {number(len(became.solved))} replicas {said}.")
    if counts[SOLVED]:
        when = np.asarray(columns["epochs"])[became.solved]
        strokes = strip(
            f"Epochs to the criterion, from {number(when.min())} to {number(when.max())}", when, budget
        )
        yield _figure(
            strokes,
            "Epochs to the criterion, a stroke for each replica that met it; to the right end of the budget.",
        )
    yield "</div>"
    reasons = Counter(str(r) for r, ok in zip(columns["reason"], became.solved, strict=True) if not ok)
    yield pairs(
        "Why replicas did not solve the task", {r or "not said": number(n) for r, n in reasons.most_common()}
    )


def _training(record: Record) -> Iterator[str]:
    """Loss, share of patterns right, and the angle of the credit where it was probed."""
    c, budget = record.curves, record.meta["run"]["epochs"]
    loss, right = ([c[f"{of}_q{q}"] for q in (25, 50, 75)] for of in ("loss", "right"))
    heights = losses(*(q[c["epoch"] >= 1] for q in loss)), upwards(0, 1, (0, 0.5, 1))
    drawn = [
        ("Loss during training", c["epoch"], loss, heights[0], "loss E"),
        ("Patterns right during training", c["epoch"], right, heights[1], "share right"),
    ]
    if record.credit:
        total = (record.credit["quantity"] == "angle") & (record.credit["edge"] == "total")
        at = {q: np.asarray(record.credit[f"q{q}"])[total] for q in (25, 50, 75)}
        if np.isfinite(at[50]).any():
            axis = upwards(0, 180, (0, 45, 90, 135, 180))
            epochs = np.asarray(record.credit["epoch"])[total]
            drawn.append(("Angle of the credit to the gradient", epochs, list(at.values()), axis, "degrees"))
    yield element("h2", "During training")
    yield '<div class="row">'
    for name, epochs, quartiles, axis, unit in drawn:
        yield _figure(curve(name, np.asarray(epochs), quartiles, axis, unit, budget), name)
    yield "</div>"
    yield element(
        "p",
        "Line: median over all replicas; band: quartiles. Who solved the task keeps its last loss; one that "
        "diverged is at infinity, on the upper edge.",
        "dim",
    )


def _weights(record: Record) -> Iterator[str]:
    """The weights of the first replica that solved the task, or else of the first, as a Hinton diagram."""
    if (record.path / "weights.npz").stat().st_size > BYTES:
        return
    weights = replace(record).weights  # of a copy, which keeps them no longer: there may be hundreds of cells
    solved = fates(record.replicas).solved
    row = int(np.argmax(solved))
    panels = panels_of({name: w[row] for name, w in weights.items()}, network_of(record))
    shown = [(p.target, [(b.name, b.weights) for b in p.blocks]) for p in panels]
    if not 0 < sum(w.size for _, blocks in shown for _, w in blocks) <= SQUARES:
        return
    title, subtitle = words(record, row)
    yield element("h2", "Weights")
    said = f"{title}: {subtitle}. White: positive, black: negative; area ∝ |weight|."
    yield _figure(squares(title, shown), said)


def _figure(svg: str, caption: str) -> str:
    return f"<figure>\n{svg}\n{element('figcaption', caption)}\n</figure>"


def _cost(cost: Mapping[str, Any]) -> Iterator[str]:
    """What one update, prediction and forward pass of one network cost."""
    yield element("h2", "Cost, counted from the code")
    if "update.work" not in cost:
        yield element("p", f"Not counted: {cost.get('reason', 'no reason is known')}.")
        return
    phases = {"update": "an update", "predict": "a prediction", "forward": "a forward pass"}
    rows = {
        name.replace("_", " "): [number(cost.get(f"{phase}.{kind}", 0)) for phase in phases]
        for kind, name in COUNTS.items()
        if any(cost.get(f"{phase}.{kind}", 0) for phase in phases)
    }
    yield f'<div class="wide">{grid(["of one network", *phases.values()], rows)}</div>'
    alone = ("patterns", "weights", "depth", "state_bytes", "peak_bytes")
    yield pairs("", {name.replace("_", " "): number(cost[name]) for name in alone if name in cost})


def _settings(meta: Mapping[str, Any]) -> Iterator[str]:
    """All of them, with versions and how it was run."""
    yield element("h2", "Settings") if meta else ""
    yield '<div class="row">'
    for part, caption in PARTS.items():
        named = {"name": meta[part]["name"]} if "name" in meta.get(part, {}) else {}
        known = named | flat(meta.get(part, {}))
        values = {name: value if isinstance(value, str) else text(value) for name, value in known.items()}
        yield pairs(caption, values)
    yield "</div>"
    if meta.get("made"):
        yield element("p", f"Made {meta['made']}.", "dim")
