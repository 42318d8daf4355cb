"""How exactly a rate must be set, beside the rows of a study that varied it: the decades within 2×.

Finished cells that are alike but for the rule's learning rate are one course over it, and its statistic
(`harness.statistics.sensitivity`) stands in all their rows, if every row with a rate is of a course, and a
rule has one course on a task: a study that asks something else, a grid of rates and scales among them, need
not wait for it. A row with tuned settings has one rate: there it is that of the rule on the task in the study
`sensitivity` of the same store, all else as there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.core.errors import InputError
from harness.core.outcomes import FINISHED, fates
from harness.results.asked import learning_rate, without_rate
from harness.results.pooled import Pool
from harness.results.row import Row
from harness.statistics import Interval, Replicas, sensitivity
from harness.store.record import Record
from harness.store.store import Store

STUDY = "sensitivity"
FEWEST = 3  # rates: two are a comparison
RESAMPLES, FEWER, SEED = 1000, 200, 0
DRAWN = 2**20  # replicas at each rate, over all resamples: seconds of a table
Known = Mapping[str, Record | Pool]


def with_decades(rows: Sequence[Row], records: Known, store: Store) -> list[Row]:
    """The rows with the decades of their rates where these are known.

    Args:
        rows: of a table.
        records: by id, those of the rows.
        store: in whose study `sensitivity` the rules of tuned rows are looked up.
    """
    courses = list(_courses(records))
    rated = sum(bool(row.summary) and row.learning_rate > 0 for row in rows)
    about = {
        (meta["task"]["name"], meta["algorithm"]["name"]) for [(_, _, r), *_] in courses for meta in [r.meta]
    }
    found: dict[str, Interval | None] = {}
    if rated == sum(map(len, courses)) and len(about) == len(courses):
        found = {i: decades for some in courses for decades in [_of(some)] for i, _, _ in some}
    tuned = [row for row in rows if row.summary and np.isfinite(row.tuning_flops) and row.id not in found]
    if tuned:
        usual = _usual(store, {_rule_on_task(records[row.id].meta) for row in tuned})
        found |= {row.id: usual.get(_rule_on_task(records[row.id].meta)) for row in tuned}
    return [
        replace(row, decades=d.value, decades_low=d.low, decades_high=d.high)
        if (d := found.get(row.id))
        else row
        for row in rows
    ]


Course = list[tuple[str, float, Record | Pool]]
"""Ids, rates and records of cells alike but for their rate, `FEWEST` or more, rates ascending."""


def _courses(records: Known) -> Iterator[Course]:
    alike: dict[str, dict[float, tuple[str, float, Record | Pool]]] = {}
    for i, record in records.items():
        meta = record.meta
        rate = learning_rate(meta["algorithm"])
        if meta["status"] == FINISHED and rate > 0:
            rest = json.dumps([meta["task"], without_rate(meta["algorithm"]), meta["run"]], sort_keys=True)
            alike.setdefault(rest, {}).setdefault(rate, (i, rate, record))
    return (sorted(some.values(), key=lambda each: each[1]) for some in alike.values() if len(some) >= FEWEST)


def _of(course: Course) -> Interval:
    sides = [_replicas(record) for _, _, record in course]
    rates = [rate for _, rate, _ in course]
    most = max(FEWER, min(RESAMPLES, DRAWN // max(np.size(side.time) for side in sides)))
    return sensitivity(rates, sides, seed=SEED, resamples=most).decades


def _replicas(record: Record | Pool) -> Replicas:
    columns = record.replicas
    became = fates(columns)
    return Replicas(np.asarray(columns["epochs"], float), became.solved, became.diverged)


def _usual(store: Store, wanted: Iterable[str]) -> dict[str, Interval]:
    """Of the rules and tasks that are wanted, those that the study of rates has, one course of each."""
    try:
        ids = store.study(STUDY)["cells"]
    except InputError:
        return {}
    some = {i: record for i in ids if store.has(i) for record in [store.read(i)]}
    some = {i: record for i, record in some.items() if _rule_on_task(record.meta) in wanted}
    known: dict[str, Interval] = {}
    for course in _courses(some):
        known.setdefault(_rule_on_task(course[0][2].meta), _of(course))
    return known


def _rule_on_task(meta: Mapping[str, Any]) -> str:
    return json.dumps([meta["algorithm"]["name"], meta["task"]], sort_keys=True)
