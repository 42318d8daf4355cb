"""Conducting a study: run the cells that have no record yet, then say what came of all of them.

A study killed at any moment loses no finished cell; run again, it does what is missing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from harness.cells.cell import Cell
from harness.cells.command import sweep_command
from harness.cli.bars import cells_bar
from harness.cli.plan import plan_lines
from harness.core.errors import InputError
from harness.core.outcomes import MISSING
from harness.store.definitions import Replaced
from harness.store.mend import mend
from harness.store.mlflow_note import is_http, served, tracking_uri
from harness.store.read_once import ReadOnce
from harness.store.store import Store
from harness.studies.order import in_turn
from harness.studies.rates import Spent, expected_seconds, measured
from harness.studies.request import Request, Study, Tracking


class Job(NamedTuple):
    """A cell and the Hydra overrides that describe it."""

    cell: Cell
    overrides: list[str]


def conduct(
    asked: Request,
    jobs: list[Job],
    launch: Callable[[list[Job]], Mapping[str, str]],
    typed: Sequence[str] = (),
) -> None:
    """Launch the jobs whose cells are not recorded; say what was lost, print the table, write it, the figures
    and the page, tell MLflow.

    `launch` may say, by id, why cells were lost; `typed` are the overrides that a person gave. Exits with
    code 1 if a cell failed or was lost, or the disk did not take the table, a figure or the page; what is
    finished is kept.
    """
    name = asked.study.name
    store = Store.at(asked.store)
    folder = store.study_folder(name)  # refuses a name that is none, before anything is there
    if asked.cells:
        raise InputError(f"cells={asked.cells} would be ignored: a sweep writes such files itself")
    if asked.plan:
        print("\n".join(plan_lines([job.cell for job in jobs], store)))
        return
    store.prepare()
    cells = {job.cell.id: job for job in jobs}
    say_replaced(name, store.write_study(name, asked.study.question, cells, small=asked.small))
    say_mended(store, cells)
    for cell_id, job in cells.items():
        if job.cell.not_applicable and not store.has(cell_id):
            store.write(job.cell, None)
        if job.cell.broken:  # here, for what a ruleset has to say of it is not in its text
            store.write_failure(job.cell, job.cell.broken, "")
    missing = [job for i, job in cells.items() if not (job.cell.broken or store.has(i))]
    try:
        reasons, trouble = _run(store, missing, launch) if missing else ({}, "")
    except KeyboardInterrupt as end:
        raise KeyboardInterrupt(interrupted(store, cells)) from end
    complete = say_lost(store, cells, reasons, trouble)  # before all that is made of the rest, and may fail
    try:
        drawn = report(
            store,
            name,
            fresh=bool(missing),
            figures=asked.figures,
            command=sweep_command(typed),
            tracker=asked.tracking.uri,
        )
        later = "" if drawn or not asked.figures else " (figures are drawn when no cell is lost)"
        print(f"{'table and figures' if drawn else 'table'}: {os.path.relpath(folder)}{later}")
        print(f"page: {os.path.relpath(folder / 'index.html')}")
    except BrokenPipeError:  # whoever reads the table has seen enough
        raise
    except (OSError, InputError) as error:
        say(f"the table, figures or page of study {name!r} could not be made: {error}")
        complete = False
    follow_up(store, name, asked.tracking)
    if asked.tracking.enabled:
        print(f"dashboard: {looked_at(store, asked.tracking.uri)}")
    if not complete:
        sys.exit(1)


def _run(
    store: Store, missing: Sequence[Job], launch: Callable[[list[Job]], Mapping[str, str]]
) -> tuple[Mapping[str, str], str]:
    """Launch what is missing, in turn; by id why cells were lost, and what ended the launcher, if it did."""
    known: dict[str, Spent | None] = {}
    rates = measured(store, [job.cell.id for job in missing], known)
    jobs = [missing[i] for i in in_turn([expected_seconds(job.cell, rates) for job in missing])]
    with cells_bar(store, [job.cell for job in jobs], stays=True, known=known):
        try:
            return launch(jobs), ""
        except InputError:  # the launcher took nothing
            raise
        except Exception as error:  # a worker was killed: what the others finished is on disk
            return {}, f"{type(error).__name__}: {error}".splitlines()[0]


def say(sentence: str) -> None:
    """Tell the person at the prompt, beside what is printed for whoever reads the output."""
    print(f"harness: {sentence}", file=sys.stderr)


def interrupted(store: Store, ids: Collection[str]) -> str:
    """What to say when a study is interrupted: what is kept, and what the same command will do."""
    kept = sum(map(store.has, ids))
    return (
        f"interrupted: {kept:,} of {len(ids):,} cells are kept, and the same command does the other "
        f"{len(ids) - kept:,}, of what is half done the rest"
    )


def say_replaced(name: str, replaced: Replaced | None) -> None:
    """Say that a study's name has now other cells than before, and where the list of those is."""
    if replaced and name != Study.name:  # what is swept without a name is expected to be
        say(
            f"study {name!r} has other cells now: {replaced.dropped} of the {replaced.cells} it had are in "
            f"it no longer (their records are kept, their ids are in {os.path.relpath(replaced.path)})"
        )


def say_mended(store: Store, ids: Iterable[str]) -> None:
    """Set damaged records aside, and say so: their cells are run again."""
    for cell, what, path in mend(store, ids):
        say(
            f"{what} in the record of {cell}: it is set aside in {os.path.relpath(path)}, "
            "and the cell is run again"
        )


def say_lost(store: Store, ids: Iterable[str], reasons: Mapping[str, str], trouble: str) -> bool:
    """Say which cells have no record, and why; whether all have one."""
    lost = [i for i in ids if not store.has(i)]
    failures = store.failures(lost)
    for i in lost:
        why = reasons.get(i) or trouble or "no record"
        say(f"{i} failed: {failures[i]['reason']}" if i in failures else f"{i} was lost: {why}")
    return not lost


def report(
    store: Store,
    name: str,
    *,
    fresh: bool,
    figures: bool,
    shown: bool = True,
    command: str = "",
    tracker: str | None = None,
) -> bool:
    """Print a study's table; write it where it is missing or cells are new, the figures once no cell is
    missing any more, and the page where it says something else; whether there are figures of it as it is.

    Without `figures` none are drawn, and those of other cells are no longer taken for current. `command`
    makes the study again, `tracker` is MLflow's URI, both for the page.
    """
    from harness.cli.page import write_page
    from harness.results import table

    at = ReadOnce(store.path)  # table, figures and page look at every record
    study = at.study(name)
    folder = at.study_folder(name)
    rows = table.rows_of(at, study["cells"], folder / "tuned")
    if shown:
        table.show(rows)
    made_for = folder / "figures_of.txt"
    records = [at.read(i) for i in study["cells"] if at.has(i)]
    # as what they are drawn, too: those of an earlier version are drawn anew
    how = "png svg pdf, by task and family"
    now = "\n".join([how, *(f"{record.id} {record.meta.get('made', '')}" for record in records)])
    current = made_for.is_file() and made_for.read_text(encoding="utf-8") == now
    if fresh or not current:
        table.write(rows, folder, study["question"])
    if not current:
        made_for.unlink(missing_ok=True)
        if figures and all(row.status != MISSING for row in rows):
            from harness import plots
            from harness.core.files import write_atomically

            plots.write_figures(at, name)
            write_atomically(made_for, now)
            current = True
    write_page(at, name, rows, figures=current, command=command, tracker=tracker)
    return current and figures


def looked_at(store: Store, uri: str | None) -> str:
    """Where a tracker's runs are looked at: a server's address, else the command that serves them."""
    tracker = tracking_uri(store, uri)
    if is_http(tracker):
        return tracker
    return (
        "python -m harness.dashboard"
        if served(store, tracker)
        else f"mlflow server --backend-store-uri {tracker}"
    )


def follow_up(store: Store, study: str, tracking: Tracking) -> None:
    """Have what is new sent to MLflow, unless tracking is off; say what could not be sent before."""
    if not tracking.enabled:
        return
    from harness.store import mlflow_later

    try:
        mlflow_later.ask(store, study, tracking.uri)
        if tracking.wait:
            mlflow_later.deliver(store)
        mlflow_later.say(store)
        if not tracking.wait:
            mlflow_later.start(store)
    except InputError as error:
        say(str(error))
