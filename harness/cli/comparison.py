"""`harness.compare`: a study from Python, of instances, classes or names, kept and drawn like any other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.cli.bars import cells_bar
from harness.cli.conduct import report
from harness.core import registry
from harness.core.algorithm import Algorithm
from harness.core.errors import InputError, unknown
from harness.core.task import Task
from harness.experiment.bar import check_progress
from harness.experiment.run import check_room
from harness.experiment.together import groups
from harness.store.store import Store
from harness.studies.attempt import attempt_together
from harness.studies.jobs import run_jobs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OWN = ("name", "question", "store", "figures", "progress")  # what `compare` takes beside settings of cells
SOMETHING = Algorithm | type[Algorithm] | str


@dataclass(frozen=True)
class Comparison:
    """A study that `compare` made; its frames are those of `harness.results`."""

    name: str
    store: Store

    @property
    def cells(self) -> pd.DataFrame:
        """One row per cell."""
        from harness import results

        return results.cells(self.name, self.store)

    @property
    def replicas(self) -> pd.DataFrame:
        """One row per replica of every finished cell."""
        from harness import results

        return results.replicas(self.name, self.store)

    @property
    def curves(self) -> pd.DataFrame:
        """One row per curve epoch of every finished cell."""
        from harness import results

        return results.curves(self.name, self.store)

    @property
    def folder(self) -> str:
        """Where table and figures lie."""
        return os.path.relpath(self.store.path / "studies" / self.name)

    def plot(self) -> Figure:
        """Replicas still unsolved, by epoch: a matplotlib figure."""
        from harness import plots

        return plots.survival_figure(self.replicas)

    def __str__(self) -> str:
        text = (self.store.path / "studies" / self.name / "table.md").read_text(encoding="utf-8")
        return text.strip()

    def __repr__(self) -> str:
        return f"<study {self.name!r} in {self.folder}: print it, or ask cells, replicas, curves, plot()>"

    def _repr_html_(self) -> str:
        columns = ["task", "algorithm", "status", "n", "solved_rate", "solved_low", "solved_high", "ert"]
        frame = self.cells
        shown: str = frame[[name for name in columns if name in frame]].to_html(index=False)
        return shown


def compare(
    algorithms: Sequence[SOMETHING],
    tasks: Sequence[Task | type[Task] | str],
    *,
    name: str = "compare",
    question: str = "",
    store: str | Store | None = None,
    processes: int = 1,
    figures: bool = True,
    progress: bool = True,
    **settings: Any,
) -> Comparison:
    """Run every algorithm on every task as a study in the store, with table and figures; what is there stays.

    Args:
        algorithms, tasks: instances, classes, or names; a class or a name stands for its defaults.
        name: of the study.
        question: what it asks, for its table.
        store: a store or its folder; None for HARNESS_STORE, or else ./results.
        processes: cells that are run at a time.
        figures: whether figures are drawn.
        progress: whether a terminal or a notebook shows a bar over the cells, if it takes longer than half a
            second.
        settings: fields of `harness.cells.settings.Settings` for all cells: replicas, seed, epochs, …

    Returns:
        The study, with its frames.

    Raises:
        InputError: for what is no algorithm, task or setting; for a class of this session with processes.

    >>> study = compare(["backprop", "shallow"], ["xor"], replicas=3, epochs=5, figures=False)
    >>> study.cells["algorithm"].tolist()
    ['backprop', 'shallow']
    """
    _check(algorithms, tasks, settings)
    check_progress(progress)
    how = Settings(**settings)
    rules, places = [registry.an_algorithm(a) for a in algorithms], [registry.a_task(t) for t in tasks]
    cells = {cell.id: cell for cell in (Cell.made(rule, task, how) for task in places for rule in rules)}
    at = store if isinstance(store, Store) else Store.at(store or os.environ.get("HARNESS_STORE", "results"))
    at.prepare().write_study(name, question, cells)
    missing = [cell for cell in cells.values() if not at.has(cell.id)]
    for cell in missing:
        check_room(cell)
    if missing:
        with cells_bar(at, missing, shown=progress):
            _run(missing, at, processes)
    report(at, name, fresh=bool(missing), figures=figures, shown=False)
    lost = at.failures(cells)
    if lost:
        cell_id, failure = next(iter(lost.items()))
        raise InputError(
            f"{len(lost)} of {len(cells)} cells failed, the others are kept; {cell_id}: {failure['reason']}"
        )
    return Comparison(name, at)


def _check(algorithms: Any, tasks: Any, settings: Mapping[str, Any]) -> None:
    """Raise `InputError` for what `compare` cannot take."""
    for setting in settings:
        if setting not in Settings.__dataclass_fields__:
            raise unknown("setting", setting, [*Settings.__dataclass_fields__, *OWN])
    for given, kind in ((algorithms, "algorithms"), (tasks, "tasks")):
        if isinstance(given, str) or not isinstance(given, Sequence) or not given:
            raise InputError(f"{kind} must be a list with one or more in it, but {given!r} was given")


def _run(cells: Sequence[Cell], store: Store, processes: int) -> None:
    if processes == 1:
        for group in groups(cells):
            attempt_together([cells[i] for i in group.places], store)
        return
    for cell in cells:
        for part, known in ((cell.algorithm, registry.algorithms()), (cell.task, registry.tasks())):
            if known.get(part.name) is not type(part):
                raise InputError(
                    f"{type(part).__name__} is of this session, where other processes cannot find it: "
                    "leave processes at 1, or put the class into a file among the plug-ins"
                )
    run_jobs(cells, store, processes)
