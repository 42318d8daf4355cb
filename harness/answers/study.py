"""Any study in a few sentences: who solves what, whose success is cheapest, what failed, what was not run.

Made from the rows of its table (`harness.results.table`), in plain text, for its page. What a study asks
beyond that has a module of its own beside this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from harness.answers.shares import share
from harness.answers.words import amount, brief, several
from harness.core.outcomes import FAILED, MISSING, NOT_APPLICABLE
from harness.drawing.crowd import VARIANTS
from harness.experiment.digits import number, percent
from harness.experiment.summary import Summary
from harness.results.row import Row
from harness.statistics import Interval

SIDES = ("more than half", "perhaps more than half (not decided)", "fewer than half", "none")
"""Of how many replicas a task is solved, by the whole 95 % interval."""
TASKS, NAMES, REASONS = 3, 4, 2  # tasks with a sentence of their own; what is said one by one


def sentences(rows: Sequence[Row], times: Mapping[str, Interval]) -> list[str]:
    """What came of a study, in at most eight sentences.

    Args:
        rows: its table.
        times: expected running times in epochs with their intervals, by the id of the row.

    Returns:
        How much was run; of up to three tasks who solves more than half of the replicas by the whole 95 %
        interval, who fewer and who none, and whose success is cheapest; the other tasks in one sentence; how
        many replicas diverged; what is not applicable, what failed, and what is not run, with the reasons.
    """
    many = len({row.task for row in rows}) > VARIANTS  # a sweep over a task's settings is of one task
    tasks: dict[str, list[Row]] = {}
    for row in rows:
        if row.summary:
            tasks.setdefault(row.id.partition("-")[0] if many else row.task, []).append(row)
    shown = list(tasks)[: TASKS if len(tasks) <= TASKS else TASKS - 1]
    said = [_how_much(rows), *(_of_task(task, tasks[task], times) for task in shown)]
    said += _further({task: some for task, some in tasks.items() if task not in shown})
    return [*said, *_diverged(rows), *_not_run(rows)]


def _how_much(rows: Sequence[Row]) -> str:
    done = [row for row in rows if row.summary]
    cells, finished = _cells(rows), _cells(done)
    if not done:
        return f"Of {_counted(cells, 'cell')} none is finished."
    n = [_numbers(row).replicas // _cells([row]) for row in done]
    each = f", {number(min(n))} to {number(max(n))} a cell" if min(n) < max(n) else ""
    total = sum(_numbers(row).replicas for row in done)
    what = f"Of {_counted(cells, 'cell')} {number(finished) if finished < cells else 'all'}"
    return f"{what} {'is' if finished == 1 else 'are'} finished: {_counted(total, 'replica')}{each}."


def _of_task(task: str, rows: Sequence[Row], times: Mapping[str, Interval]) -> str:
    names = _names(rows)
    groups: dict[str, list[Row]] = {side: [] for side in SIDES}
    for row in rows:
        s = _numbers(row)
        side = 0 if s.rate_low > 0.5 else 2 if s.rate_high < 0.5 else 1
        groups[SIDES[side if s.solved else 3]].append(row)
    parts, of = [], "the replicas of "
    for side_said, some in groups.items():
        if some:
            parts.append(f"by {side_said} of {of}{_listed(some, names, len(rows))}")
            of = ""
    return f"{task} is solved {'; '.join(parts)}{_cheapest(rows, names, times)}."


def _listed(some: Sequence[Row], names: Mapping[str, str], of: int) -> str:
    """Who they are with their solved rates, or of many how many, and the best of them."""
    if len(some) <= NAMES:
        return several([f"{names[row.id]} ({_rate(row)})" for row in some])
    best = max(some, key=lambda row: (_numbers(row).rate, _numbers(row).rate_low))
    solved = _numbers(best).solved
    return f"{len(some)} of {of} rows" + (f", most often {names[best.id]} ({_rate(best)})" if solved else "")


def _rate(row: Row) -> str:
    s = _numbers(row)
    return (
        share(s.solved, s.replicas) if s.solved else f"at most {percent(s.rate_high)} of {number(s.replicas)}"
    )


def _cheapest(rows: Sequence[Row], names: Mapping[str, str], times: Mapping[str, Interval]) -> str:
    solving = [row for row in rows if np.isfinite(times[row.id].value)]
    if not solving or len(rows) < 2:
        return ""
    best = min(solving, key=lambda row: float(times[row.id].value))
    close = sum(row is not best and times[row.id].low <= times[best.id].high for row in solving)
    overlap = f" (overlapping: {_counted(close, 'other')})" if close else ""
    said = f"; a success is cheapest by {names[best.id]}, {amount(times[best.id])} epochs{overlap}"
    counted = [row for row in solving if np.isfinite(row.work_over_backprop)]
    if len(counted) > 1:
        least = min(counted, key=lambda row: row.work_over_backprop)
        ratio = least.work_over_backprop
        said += f", in work by {names[least.id]}" + (f", {brief(ratio)} of backprop's" if ratio != 1 else "")
    return said


def _further(tasks: Mapping[str, Sequence[Row]]) -> list[str]:
    if not tasks:
        return []
    never = [task for task, rows in tasks.items() if not any(_numbers(row).solved for row in rows)]
    whose = several(never) if len(never) <= NAMES else number(len(never))
    solved = len(tasks) - len(never)
    said = (
        f"Of {_counted(len(tasks), 'further task')} {number(solved)} {'is' if solved == 1 else 'are'} solved"
    )
    return [f"{said} by some replicas" + (f", by none: {whose}." if never else ".")]


def _diverged(rows: Sequence[Row]) -> list[str]:
    finished = [row for row in rows if row.summary]
    some = [row for row in finished if _numbers(row).diverged]
    if not some:
        return []
    worst = max(some, key=lambda row: _numbers(row).diverged / _numbers(row).replicas)
    of = f"{number(_numbers(worst).diverged)} of {number(_numbers(worst).replicas)}"
    where = f"{number(_cells(some))} of {_counted(_cells(finished), 'cell')}"
    most = ", most often" if len(some) > 1 else ""
    return [f"Replicas diverged in {where}{most}: {_whose(worst)}, {of}."]


def _not_run(rows: Sequence[Row]) -> list[str]:
    """What has no numbers, and why, in a sentence for each status."""
    said = []
    for status, verb in ((NOT_APPLICABLE, "not applicable"), (FAILED, "failed"), (MISSING, "not run yet")):
        some = [row for row in rows if row.status == status]
        if not some:
            continue
        told = {
            NOT_APPLICABLE: [row.reason for row in some],
            FAILED: [f"{_whose(row)}, {row.reason}" for row in some],
            MISSING: [_whose(row) for row in some],
        }[status]
        different = list(dict.fromkeys(told))
        more = f"; and {number(len(different) - REASONS)} more" if len(different) > REASONS else ""
        be = "" if status == FAILED else "is " if _cells(some) == 1 else "are "
        why = "; ".join(different[:REASONS]).rstrip(".")
        said.append(f"{_counted(_cells(some), 'cell')} {be}{verb}: {why}{more}.")
    return said


def _whose(row: Row) -> str:
    return f"{row.algorithm} on {row.task}"


def _numbers(row: Row) -> Summary:
    assert row.summary is not None
    return row.summary


def _names(rows: Sequence[Row]) -> dict[str, str]:
    """What to call the rows of a task, by id: with the task where it has variants."""
    several_tasks = len({row.task for row in rows}) > 1
    return {row.id: _whose(row) if several_tasks else row.algorithm for row in rows}


def _cells(rows: Iterable[Row]) -> int:
    """How many cells the rows are: one may be of several seeds."""
    return sum(len(row.id.split()) for row in rows)


def _counted(n: int, what: str) -> str:
    return f"{number(n)} {what}{'s' * (n != 1)}"
