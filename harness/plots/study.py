"""The figures at the end of every study."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness import results
from harness.core.outcomes import fates
from harness.drawing.curves import curve_figure
from harness.drawing.style import save
from harness.drawing.survival import survival_figure
from harness.plots.ert import ert_bars
from harness.plots.hinton import has_hidden_weights, hinton_figure
from harness.results.labels import labels

if TYPE_CHECKING:
    from harness.store.record import Record
    from harness.store.store import Store


def write_figures(store: Store, study: str) -> list[Path]:
    """Write survival.png, loss.png, ert.png and hinton_<task>.png of a study into its folder;
    returns what there was to draw.

    A task's Hinton diagram shows backpropagation, or else the first algorithm, that solved it with hidden
    units.
    """
    records = results.records(study, store)
    if not records:
        return []
    replicas = results.replicas(study, store)
    figures = {
        "survival": survival_figure(replicas),
        "loss": curve_figure(results.curves(study, store), replicas),
        "ert": ert_bars(replicas, results.cells(study, store)),
    }
    for task, record in _telling(records).items():
        figures[f"hinton_{re.sub(r'[^A-Za-z0-9.=-]+', '_', task).strip('_')}"] = hinton_figure(record)
    return [save(figure, store.study_folder(study) / f"{name}.png") for name, figure in figures.items()]


def _telling(records: Sequence[Record]) -> dict[str, Record]:
    """The record whose weights to show, of each task that has one."""
    tasks: dict[str, list[Record]] = {}
    for record, label in zip(records, labels([record.meta for record in records]), strict=True):
        tasks.setdefault(label.task, []).append(record)
    telling = {}
    for task, some in tasks.items():
        able = [record for record in some if fates(record.replicas).solved.any()]
        able.sort(key=lambda record: record.meta["algorithm"]["name"] != "backprop")
        chosen = next(filter(has_hidden_weights, able), None)
        if chosen:
            telling[task] = chosen
    return telling
