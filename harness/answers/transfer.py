"""The study `transfer` in words: is the rule that is cheap on one task cheap on another?

`cells` and `replicas` are the frames of `harness.results`. A rule has on each task one cost, the work of a
success with restarts at the best cutoff; ∞ is the last rank. A rule that cannot do a task has no rank on it,
and is named. Intervals are over replicas and rules at once (`harness.statistics.agreement`): other networks,
and other rules of this kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.answers.words import brief, correlation, each, listed, p_value, several
from harness.core.outcomes import NOT_APPLICABLE, fates
from harness.experiment.digits import number
from harness.statistics import Interval, Replicas, concordance, resampled_costs, standing, tau_interval

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
RESAMPLES = 2000
FIRST = 3


class Costs(NamedTuple):
    """What a success costs every rule on every task."""

    rules: list[str]
    tasks: list[str]
    work: Array
    """FLOPs of a success (rules, tasks); ∞ is never, NaN where the rule cannot do the task or was not run."""
    drawn: Array
    """The same of resampled replicas (resamples, rules, tasks)."""
    cannot: list[tuple[str, str]]
    """Rules and tasks that they do not apply to."""


class Pair(NamedTuple):
    """How two tasks rank the rules that both have."""

    one: str
    other: str
    tau: Interval
    rules: int


def costs(cells: pd.DataFrame, replicas: pd.DataFrame) -> Costs:
    """Of the first cell of each rule and task."""
    first = cells.drop_duplicates(["task", "algorithm_name"])
    some = first[(first["replicas"] > 0) & np.isfinite(first["epoch_flops"].to_numpy(float))]
    some = some.assign(task=some["task"].map(_short))
    rules, tasks = (list(dict.fromkeys(some[name])) for name in ("algorithm_name", "task"))
    work = np.full((len(rules), len(tasks)), np.nan)
    drawn = np.full((RESAMPLES, *work.shape), np.nan)
    own = {str(i): rows for i, rows in replicas.groupby("id", sort=False)}
    for row in each(some):
        at, rows = (rules.index(row.algorithm_name), tasks.index(row.task)), own[row.id]
        became = fates(rows)
        side = Replicas(rows["epochs"].to_numpy(float), became.solved, became.diverged)
        seed = at[0] * len(tasks) + at[1]  # a cell's own: what became of others says nothing of it
        work[at] = row.restart_flops
        drawn[(slice(None), *at)] = row.epoch_flops * resampled_costs(side, seed=seed, resamples=RESAMPLES)
    cannot = first[first["status"] == NOT_APPLICABLE]
    names = zip(cannot["algorithm_name"], cannot["task"].map(_short), strict=True)
    return Costs(rules, tasks, work, drawn, list(names))


def _short(task: str) -> str:
    """A task's label; of one with a layout nothing but that."""
    name, _, settings = task.partition(" (")
    layout = [s for s in settings.rstrip(")").split(", ") if s.startswith("layout=")]
    return f"{name} ({layout[0]})" if layout else task


def pairs(of: Costs) -> list[Pair]:
    """τ of every two tasks; intervals at 1 − .05 / m for m of them."""
    ways = list(combinations(range(len(of.tasks)), 2))
    return [_pair(of, i, j, 1 - 0.05 / len(ways)) for i, j in ways]


def _pair(of: Costs, i: int, j: int, level: float) -> Pair:
    x, y = of.work[:, i], of.work[:, j]
    tau = tau_interval(x, y, (of.drawn[:, :, i], of.drawn[:, :, j]), seed=0, level=level)
    return Pair(of.tasks[i], of.tasks[j], tau, int((~np.isnan(x) & ~np.isnan(y)).sum()))


def about(of: Costs) -> list[str]:
    """How many costs there are, how many are never reached, and who cannot do what."""
    known = ~np.isnan(of.work)
    said = [
        f"{len(of.rules)} rules on {len(of.tasks)} tasks, {number(known.sum())} costs; of them "
        f"{number(np.isinf(of.work).sum())} are never reached, and are the last in rank, tied."
    ]
    by_task = {task: [rule for rule, t in of.cannot if t == task] for _, task in of.cannot}
    if by_task:
        said.append(
            f"Not applicable, and without a rank: "
            f"{'; '.join(f'on {task} {several(rules)}' for task, rules in by_task.items())}."
        )
    return said


def said(of: Costs, found: list[Pair]) -> list[str]:
    """Which tasks agree, whether all do, and where the best stand elsewhere."""
    return [agree(found), altogether(of), champions(of)]


def agree(found: list[Pair]) -> str:
    """Which pairs of tasks rank rules alike, which the other way round, by whole intervals."""
    if not found:
        return "There are no two tasks to compare."
    parts = [f"alike: {_named(p)}" for p in found if p.tau.low > 0]
    parts += [f"the other way round: {_named(p)}" for p in found if p.tau.high < 0]
    rest = [p for p in found if p.tau.low <= 0 <= p.tau.high or np.isnan(p.tau.value)]
    if rest:
        known = [p.tau.value for p in rest if not np.isnan(p.tau.value)]
        span = f", τ from {min(known):.2f} to {max(known):.2f}".replace("-", "−") if known else ""
        parts.append(f"not decided {len(rest)} of {len(found)} pairs{span}")
    return listed(
        f"**Do two tasks rank rules alike?** Kendall's τ of the work of a success, {len(found)} intervals of "
        "which one misses, 5 % at most",
        parts,
    )


def altogether(of: Costs) -> str:
    """Kendall's W of all tasks, and of those that most rules can do."""
    parts = []
    for word, tasks in _groups(of):
        table = of.work[:, tasks]
        n = int((~np.isnan(table).any(1)).sum())
        if len(tasks) > 1 and n > 1:
            w = concordance(table)
            parts.append(f"{word} W = {w.w:.2f}, p {_equals(w.p)}, {w.rules} rules × {w.tasks} tasks")
    return (
        "**Do all of them?** Kendall's W is 0 where tasks have nothing in common and 1 where they are alike; "
        "p is the share of ways to deal the ranks anew that agree as well: "
        f"{'; '.join(parts) or 'too few rules are on all tasks'}."
    )


class Champion(NamedTuple):
    """The cheapest rule of some tasks, and how it does on the others."""

    rule: str
    homes: list[str]
    away: list[str]
    """Other tasks that it has a rank on."""
    within: list[str]
    """Of these, where it is among the first three by its whole interval."""
    never: list[str]
    """Of these, which it does not solve."""


def champion(of: Costs) -> list[Champion]:
    """The cheapest rule of every task."""
    found = []
    for rule, homes in _best(of).items():
        i = of.rules.index(rule)
        away = [k for k in range(len(of.tasks)) if of.tasks[k] not in homes and not np.isnan(of.work[i, k])]
        never = [of.tasks[k] for k in away if np.isinf(of.work[i, k])]
        within = [of.tasks[k] for k in away if standing_of(of, i, k).high <= FIRST]
        found.append(Champion(rule, homes, [of.tasks[k] for k in away], within, never))
    return found


def champions(of: Costs) -> str:
    """On how many others the cheapest rule of a task is among the first three, and which it never solves."""
    parts = []
    for one in champion(of):
        missing = len(of.tasks) - len(one.homes) - len(one.away)
        first = f"among the first {FIRST} on {len(one.within)} of {len(one.away)} others"
        parts.append(
            f"{one.rule}, of {several(one.homes)}, is {first}"
            + (f", and never solves {several(one.never)}" if one.never else "")
            + (f" (no rank on {missing})" if missing else "")
        )
    nobody = [task for j, task in enumerate(of.tasks) if not np.isfinite(of.work[:, j]).any()]
    parts += [f"nobody solves {several(nobody)}"] if nobody else []
    return listed(
        "**Where does the cheapest rule of one task stand on the others?** By its whole 95 % interval over "
        "replicas",
        parts,
    )


def _best(of: Costs) -> dict[str, list[str]]:
    """The cheapest rules, and the tasks on which they are."""
    homes: dict[str, list[str]] = {}
    for j, task in enumerate(of.tasks):
        if np.isfinite(of.work[:, j]).any():
            homes.setdefault(of.rules[int(np.nanargmin(of.work[:, j]))], []).append(task)
    return homes


def standing_of(of: Costs, rule: int, task: int) -> Interval:
    """The rank of a rule on a task among those that have one."""
    there = ~np.isnan(of.work[:, task])
    return standing(of.work[there, task], of.drawn[:, there, task], int(there[:rule].sum()))


def champions_table(of: Costs) -> pd.DataFrame:
    """Their ranks on all tasks, for people."""
    import pandas as pd

    rows = []
    for rule, homes in _best(of).items():
        ranks = {task: _rank(of, of.rules.index(rule), k) for k, task in enumerate(of.tasks)}
        rows.append({"cheapest, rank [95 %] of n": f"{rule}, of {several(homes)}"} | ranks)
    return pd.DataFrame(rows)


def _rank(of: Costs, rule: int, task: int) -> str:
    if np.isnan(of.work[rule, task]):
        return "–"
    rank, n = standing_of(of, rule, task), int((~np.isnan(of.work[:, task])).sum())
    ends = f" [{brief(rank.low)}–{brief(rank.high)}] of {n}"
    return ("never" if np.isinf(of.work[rule, task]) else brief(rank.value)) + ends


def _groups(of: Costs) -> Iterator[tuple[str, list[int]]]:
    every = list(range(len(of.tasks)))
    yield "of all", every
    solved = [j for j in every if np.isfinite(of.work[:, j]).sum() > 1]
    if solved != every:
        yield "of those that several rules solve", solved


def table(of: Costs) -> pd.DataFrame:
    """Ranks of every rule on every task, and its work, for people."""
    import pandas as pd
    from scipy.stats import rankdata

    ranks = rankdata(of.work, axis=0, nan_policy="omit")
    rows = []
    for i, rule in enumerate(of.rules):
        cells = {
            task: "–"
            if np.isnan(of.work[i, j])
            else f"{ranks[i, j]:g}"
            + (" never" if np.isinf(of.work[i, j]) else f" ({brief(of.work[i, j] / 1e6)})")
            for j, task in enumerate(of.tasks)
        }
        rows.append({"rule, rank (MFLOP)": rule} | cells)
    return pd.DataFrame(rows)


def matrix(of: Costs, found: list[Pair]) -> pd.DataFrame:
    """What `agreement_figure` draws: a row for each pair of tasks, tau with its ends, and n."""
    import pandas as pd

    return pd.DataFrame(
        {"one": p.one, "other": p.other, **p.tau._asdict(), "n": p.rules} for p in found
    ).rename(columns={"value": "tau"})


def standings(of: Costs) -> pd.DataFrame:
    """What `ranks_figure` draws: a row for each rule and task that it has a rank on."""
    import pandas as pd
    from scipy.stats import rankdata

    ranks = rankdata(of.work, axis=0, nan_policy="omit")
    return pd.DataFrame(
        {"rule": rule, "task": task, "rank": ranks[i, j], "never": bool(np.isinf(of.work[i, j]))}
        for i, rule in enumerate(of.rules)
        for j, task in enumerate(of.tasks)
        if not np.isnan(of.work[i, j])
    )


def _named(p: Pair) -> str:
    return f"{p.one} and {p.other} {correlation(p.tau)}"


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"
