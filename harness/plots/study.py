"""The figures at the end of every study."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness import results
from harness.core.outcomes import fates
from harness.drawing import crowd
from harness.drawing.cell import Drawn
from harness.drawing.frames import drawn
from harness.drawing.style import save
from harness.plots.curves import curve_figure
from harness.plots.ert import ert_bars
from harness.plots.front import front_figure
from harness.plots.hinton import has_hidden_weights, hinton_figure
from harness.plots.survival import survival_figure
from harness.plots.sweep import figure_of, sweeps
from harness.results.gathering import Gathered, found_in

if TYPE_CHECKING:
    from harness.store.record import Record
    from harness.store.store import Store

KINDS = ("png", "svg", "pdf")
"""As what a figure is written: to look at anywhere, for pages, and for papers."""
FEWEST = 3  # rules for a front picture
SOMETIMES = ("front", "settings", "hinton_*")
"""Figures that a study has or has not, by its cells: those of an earlier definition go."""


def write_figures(store: Store, study: str) -> list[Path]:
    """Write survival, loss, ert, front (of three rules or more), settings (of a sweep over numeric settings)
    and hinton_<task> of a study into its folder, each as .png, .svg and .pdf; returns what there was to draw.

    A task's Hinton diagram shows backpropagation, or else the first algorithm, that solved it with hidden
    units; of a crowd the quickest.
    """
    source = Gathered(found_in(study, store))
    records = {record.id: record for record in results.records(study, source)}
    if not records:
        return []
    replicas, cells = results.replicas(study, source), results.cells(study, source)
    figures = {
        "survival": survival_figure(replicas),
        "loss": curve_figure(results.curves(study, source), replicas),
        "ert": ert_bars(replicas, cells),
    }
    if cells["algorithm_name"].nunique() >= FEWEST and cells["epoch_flops"].notna().any():
        figures["front"] = front_figure(replicas, cells)
    if found := sweeps(replicas, cells):
        figures["settings"] = figure_of(found)
    for task, record in _telling(records, drawn(replicas, "outcome", "epochs")).items():
        figures[f"hinton_{re.sub(r'[^A-Za-z0-9.=-]+', '_', task).strip('_')}"] = hinton_figure(record)
    folder = store.study_folder(study)
    paths = [
        save(figure, folder / f"{name}.{kind}", title=" ".join(figure.texts[0].get_text().split()))
        for kind in KINDS
        for name, figure in figures.items()
    ]
    earlier = {path for name in SOMETIMES for kind in KINDS for path in folder.glob(f"{name}.{kind}")}
    for path in earlier - set(paths):
        path.unlink(missing_ok=True)
    return paths


def _telling(records: Mapping[str, Record], cells: Sequence[Drawn]) -> dict[str, Record]:
    """The record whose weights to show, of each task that has one."""
    _, crowds = crowd.apart(cells)
    cost = crowd.expected(cells)
    tasks: dict[str, list[Drawn]] = {}
    for d in cells:
        tasks.setdefault(d.task_name if d.task_name in crowds else d.task, []).append(d)
    telling = {}
    for task, some in tasks.items():
        able = [d for d in some if fates(d.rows).solved.any()]
        if task in crowds:
            able.sort(key=lambda d: cost[d.id])
        able.sort(key=lambda d: d.algorithm_name != "backprop")
        chosen = next(filter(has_hidden_weights, (records[d.id] for d in able)), None)
        if chosen:
            telling[task] = chosen
    return telling
