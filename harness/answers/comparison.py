"""The study `comparison` in words: who solves what, at what cost, and beside backpropagation.

`cells` and `replicas` are the frames of `harness.results`. Tasks are taken in their usual form, each
algorithm once on each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.pairs import work_beside
from harness.answers.words import amount, brief, decided, each, listed, rate, ratio, several
from harness.core.outcomes import fates
from harness.experiment.digits import number
from harness.statistics import Interval, failure_costs, running_time

if TYPE_CHECKING:
    import pandas as pd

HALF = 0.5
CURRENCIES = {
    "epochs": "epochs",
    "flops": "FLOPs",
    "span_operations": "dependent operations",
    "seconds": "seconds",
}
RESAMPLES = 10_000
RESTARTED = 2000  # where cutoffs are chosen anew in each
STRATEGIES = {
    "perceptron rule": "perceptron",
    "Boltzmann machine": "boltzmann",
    "random search: genetic": "genetic",
    "random search: perturbation": "weight_perturbation",
    "backpropagation": "backprop",
}
"""The four strategies of the popular account, and our algorithm that is each: random search is given twice.
"""
TASKS = ("xor", "encoder", "symmetry")


def usual(cells: pd.DataFrame) -> pd.DataFrame:
    """The finished cells on tasks in their usual form; the first of each algorithm and task."""
    some = cells[(cells["replicas"] > 0) & (cells["task"] == cells["task_name"])]
    return some.drop_duplicates(["task_name", "algorithm_name"])


def solvers(cells: pd.DataFrame) -> list[str]:
    """For every task, which algorithms solve more than half of its replicas,
    which less, by the whole Wilson interval.
    """
    said = []
    for task, rows in _by_task(cells):
        groups: dict[str, list[str]] = {"more than half": [], "fewer": [], "not decided": []}
        for row in each(rows):
            none = f"not one, at most {100 * row.rate_high:.1f} % of {number(row.replicas)}"
            share = none if not row.solved else "more than half" if row.rate_low > HALF else "fewer"
            share = "not decided" if share == "fewer" and row.rate_high > HALF else share
            groups.setdefault(share, []).append(row.algorithm_name)
        parts = [f"{share}: {several(names)}" for share, names in groups.items() if names]
        said.append(listed(f"**{task}**, {len(rows)} algorithms. Of its replicas solve", parts))
    return said


class Cheapest(NamedTuple):
    """Who on a task has the least expected running time in a currency."""

    task: str
    currency: str
    best: str
    ert: Interval
    close: list[str]
    """Those whose interval overlaps that of the best."""


def cheapest(cells: pd.DataFrame, replicas: pd.DataFrame) -> list[Cheapest]:
    """Of every task and currency; none where nobody solves a task."""
    found = []
    for task, rows in _by_task(cells):
        costs = {row.algorithm_name: running_times(row, replicas) for row in each(rows)}
        for currency in CURRENCIES:
            known = {name: cost[currency] for name, cost in costs.items() if currency in cost}
            finite = {name: cost for name, cost in known.items() if np.isfinite(cost.value)}
            if not finite:
                continue
            best = min(finite, key=lambda name: finite[name].value)
            close = [name for name in finite if name != best and finite[name].low <= finite[best].high]
            found.append(Cheapest(task, currency, best, finite[best], close))
    return found


def cheapest_said(found: Sequence[Cheapest]) -> list[str]:
    """The `cheapest` of every task in words."""
    return [
        listed(
            f"**{task}**. A success is cheapest",
            [
                f"in {CURRENCIES[one.currency]} {one.best}, {amount(one.ert)}"
                + (f" (overlapping: {several(one.close)})" if one.close else "")
                for one in found
                if one.task == task
            ],
        )
        for task in dict.fromkeys(one.task for one in found)
    ]


def running_times(cell: Any, replicas: pd.DataFrame) -> dict[str, Interval]:
    """ERT of a row of `cells` in every currency that it was counted in, each with its 95 % interval.

    That of seconds, like the others, is about other replicas: those of one batch shared one clock, and what
    another run of it would have shown is not in it.
    """
    own = replicas[replicas["id"] == cell.id]
    solved = fates(own).solved
    updates = own["updates"].to_numpy(float)
    spent = {"epochs": own["epochs"].to_numpy(float), "seconds": own["seconds"].to_numpy(float)}
    spent |= {name: updates * getattr(cell, f"update_{name}") for name in ("flops", "span_operations")}
    spent = {name: spent[name] for name in CURRENCIES if np.isfinite(spent[name]).all()}
    table = np.column_stack(list(spent.values()))
    budget = failure_costs(table, own["epochs"], own["budget_epochs"])
    times = running_time(table, solved, seed=0, budget=budget, resamples=RESAMPLES)
    return {name: Interval(*(end[i] for end in times)) for i, name in enumerate(spent)}


def beside_backprop(cells: pd.DataFrame, replicas: pd.DataFrame) -> pd.DataFrame:
    """Every algorithm's work to a success beside backprop's on the same task, both with restarts at their own
    best cutoff, over the replicas that both have: *work ÷ backprop's* of the tables.

    Columns task, algorithm, pairs, log_ratio (an `Interval`, of its logarithm), decided (less, more or
    undecided than backprop's). The level of the intervals of a task with m algorithms is 1 − .05 / m: that
    one of them misses, 5 % at most.
    """
    import pandas as pd

    pairs = []
    for task, rows in _by_task(cells):
        counted = rows[np.isfinite(rows["update_flops"].to_numpy(float))]
        base = counted[counted["algorithm_name"] == "backprop"]
        others = counted[counted["algorithm_name"] != "backprop"]
        if not len(base):
            continue
        (one,) = each(base)
        for row in each(others):
            prices = float(row.update_flops), float(one.update_flops)
            level = 1 - 0.05 / len(others)
            pair = work_beside(replicas, row.id, one.id, prices, level=level, resamples=RESTARTED)
            log_ratio = _log(pair.ratio)
            pairs.append((task, row.algorithm_name, pair.replicas, log_ratio, decided(log_ratio)))
    return pd.DataFrame(pairs, columns=["task", "algorithm", "pairs", "log_ratio", "decided"])


def verdict(pairs: pd.DataFrame) -> list[str]:
    """For every task, who needs less work to a success than backprop,
    who more, and of whom that is not decided.
    """
    said = []
    for task, rows in pairs.groupby("task", sort=False):
        groups = {
            word: [str(row.algorithm) for row in each(rows[rows["decided"] == word])]
            for word in ("less", "undecided", "more")
        }
        words = {"less": "less", "undecided": "not decided", "more": "more"}
        parts = [f"{words[word]}: {several(names)}" for word, names in groups.items()]
        said.append(listed(f"**{task}**, work ÷ backprop's", parts))
    return said


def beside_texts(pairs: pd.DataFrame) -> pd.DataFrame:
    """The table of `beside_backprop` for people; what is decided is in bold."""
    import pandas as pd

    rows: dict[str, dict[str, str]] = {}
    for row in each(pairs):
        text = f"{ratio(row.log_ratio)}, n = {number(row.pairs)}"
        about = rows.setdefault(row.algorithm, {"work ÷ backprop's": row.algorithm})
        about[row.task] = text if row.decided == "undecided" else f"**{text}**"
    return pd.DataFrame(list(rows.values()), columns=_heads(rows)).fillna("–")


def _heads(rows: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The columns of some rows, each once, in the order in which they come."""
    return list(dict.fromkeys(name for row in rows.values() for name in row))


def four_strategies(cells: pd.DataFrame, replicas: pd.DataFrame) -> pd.DataFrame:
    """The popular account's table of four strategies, measured:
    texts, a row for each strategy and task that was run.
    """
    import pandas as pd

    rows = []
    some = usual(cells)
    for task in TASKS:
        here = some[some["task_name"] == task]
        base = next(iter(each(here[here["algorithm_name"] == "backprop"])), None)
        for strategy, name in STRATEGIES.items():
            for row in each(here[here["algorithm_name"] == name]):
                rows.append(
                    {
                        "strategy": strategy,
                        "task": task,
                        "solved [95 %]": rate(row),
                        "an update, in forward passes": brief(float(row.update_forward_passes)),
                        "ERT in epochs [95 %]": amount(running_times(row, replicas)["epochs"]),
                        "work to a success ÷ backprop's [95 %]": _over(row, base, replicas),
                    }
                )
    return pd.DataFrame(rows)


def orders(cells: pd.DataFrame) -> list[str]:
    """For every task of the table, the strategies in order
    of an update's forward passes, and of the work of a success.
    """
    some = usual(cells)
    said = []
    for task in TASKS:
        here = some[(some["task_name"] == task) & some["algorithm_name"].isin(list(STRATEGIES.values()))]
        rows = [row for row in each(here) if np.isfinite(row.update_forward_passes)]
        if not rows:
            continue
        by_update = [row.algorithm_name for row in sorted(rows, key=lambda row: row.update_forward_passes)]
        solving = sorted((row for row in rows if np.isfinite(row.ert_flops)), key=lambda row: row.ert_flops)
        by_success = [row.algorithm_name for row in solving]
        kept = [name for name in by_update if name in by_success]
        same = "the same order" if kept == by_success else "another order"
        never = [name for name in by_update if name not in by_success]
        said.append(
            f"**{task}**, from little work to much. An update, by pattern: "
            f"{several(by_update)}. A success: {several(by_success)}"
            + (f" ({same} among these)" if len(by_success) > 1 else "")
            + (f"; never {several(never)}." if never else ".")
        )
    return said


def _over(row: Any, base: Any, replicas: pd.DataFrame) -> str:
    if base is None:
        return "–"
    if row.id == base.id:
        return "1"
    prices = float(row.update_flops), float(base.update_flops)
    if not np.isfinite(prices).all():
        return "–"
    return ratio(_log(work_beside(replicas, row.id, base.id, prices, resamples=RESTARTED).ratio))


def _log(ratio: Interval) -> Interval:
    """Never is ∞, and nothing −∞."""
    with np.errstate(divide="ignore"):
        return Interval(*(float(np.log(end)) for end in ratio))


def _by_task(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for task, rows in usual(cells).groupby("task_name", sort=False):
        yield str(task), rows
