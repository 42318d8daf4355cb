"""How long cells will take, from what finished ones took: seconds for each unit of work, share of the budget.

What a cell costs if every replica spends its budget is known beforehand (`expected_work`). How many seconds a
unit of that takes differs a thousandfold between rules and tasks, and most replicas are done long before
their budget is. Both are measured: by finished records of the same rule on the same task; where there are
none, of other rules on that task; else of anything in the store; and where nothing was ever run, guessed. A
few records say it, so that a store of ten thousand is asked as quickly as one of ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from statistics import median
from typing import NamedTuple

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.core.files import ages
from harness.store.names import is_cell_id
from harness.store.record import Record
from harness.store.store import Store
from harness.studies.attempt import expected_work

MOST = 5  # records of one rule on one task that are looked at, the newest
OTHERS = 24  # records of other rules, where a task has none of a rule's


class Rate(NamedTuple):
    """How quickly some cells went."""

    seconds: float
    """Of one core, for a unit of the work that was spent."""
    share: float
    """Of the budget, that was spent."""
    cell: float
    """Seconds that a whole cell took."""


GUESS = Rate(1e-8, 0.5, 10.0)
"""Where nothing was run yet: small networks on one core of about 2020, half the budget."""

Rates = Mapping[tuple[str, str], Rate]
"""By algorithm and task; ('', task) for any algorithm, ('', '') for anything."""


class Spent(NamedTuple):
    """What one record says of its time."""

    algorithm: str
    task: str
    seconds: float
    work: float
    """In the unit of `expected_work`."""
    budget: float
    """The work if every replica had spent its epochs."""


def spent(record: Record) -> Spent | None:
    """What a finished cell took; None if its record cannot say, or its settings are no longer any.

    Seconds are those of updates, and of compiling; what it takes to look at the criterion is not among them.
    """
    try:
        if not record.finished:
            return None
        meta = record.meta
        cell = Cell.of(meta["algorithm"], meta["task"], meta["run"])
        budget = expected_work(cell)
        epochs, seconds = record.replicas["epochs"].sum(), record.replicas["seconds"].sum()
        share = float(epochs) / (cell.settings.replicas * (cell.settings.epochs or 0))
        took = float(seconds) + float(meta["ran"].get("compile_seconds", 0))
    except (InputError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    known = Spent(cell.algorithm.name, cell.task.name, took, share * budget, budget)
    return known if 0 < known.work <= budget and took > 0 else None


def rates_of(known: Iterable[Spent]) -> Rates:
    """Rates by algorithm and task: sums over the records of a pair, medians over the pairs of a task, and
    over all of them.
    """
    by_pair: dict[tuple[str, str], list[Spent]] = {}
    for one in known:
        by_pair.setdefault((one.algorithm, one.task), []).append(one)
    rates = {pair: _pooled(some) for pair, some in by_pair.items()}
    for task in {task for _, task in by_pair}:
        rates["", task] = _middle([rate for pair, rate in rates.items() if pair[0] and pair[1] == task])
    if by_pair:
        rates["", ""] = _middle([rate for pair, rate in rates.items() if pair[0]])
    return rates


def measured(store: Store, cell_ids: Iterable[str]) -> Rates:
    """The rates that cells with these ids, finished or not, can be expected to have.

    Args:
        store: whose records are looked at: of each rule on each task the newest five, and where there are
            none, two dozen of others.
        cell_ids: what time is asked of.
    """
    asked = {_pair(i) for i in cell_ids}
    there: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for i, age in ages(store.path / "cells").items():
        if is_cell_id(i):
            there.setdefault(_pair(i), []).append((age, i))
    chosen = [i for pair in asked for _, i in nlargest(MOST, there.get(pair, ()))]
    newest = {pair: max(some) for pair, some in there.items()}
    for task in {task for _, task in asked - there.keys()}:
        near = [found for (_, its), found in newest.items() if its == task] or newest.values()
        chosen += [i for _, i in nlargest(OTHERS, near)]
    said = (spent(Record(store.cell_folder(i))) for i in dict.fromkeys(chosen))
    return rates_of(one for one in said if one)


def expected_seconds(cell: Cell, rates: Rates) -> float:
    """Seconds of one core that a cell is expected to take; 0 for one that is not run."""
    rate = rate_of(cell.algorithm.name, cell.task.name, rates)
    return 0.0 if cell.not_applicable else rate.seconds * rate.share * expected_work(cell)


def usual_seconds(cell_id: str, rates: Rates) -> float:
    """Seconds that cells of this one's rule and task took, where nothing but its id is known."""
    algorithm, task = _pair(cell_id)
    return rate_of(algorithm, task, rates).cell


def rate_of(algorithm: str, task: str, rates: Rates) -> Rate:
    """The rate that is nearest to what is asked."""
    return next((rates[key] for key in ((algorithm, task), ("", task), ("", "")) if key in rates), GUESS)


def _pair(cell_id: str) -> tuple[str, str]:
    """Algorithm and task, of a cell's id."""
    task, algorithm, _ = cell_id.split("-")
    return algorithm, task


def _pooled(some: Sequence[Spent]) -> Rate:
    seconds = sum(one.seconds for one in some)
    work, budget = sum(one.work for one in some), sum(one.budget for one in some)
    return Rate(seconds / work, work / budget, seconds / len(some))


def _middle(rates: Sequence[Rate]) -> Rate:
    return Rate(*(median(values) for values in zip(*rates, strict=True)))
