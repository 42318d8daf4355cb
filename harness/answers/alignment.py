"""The study `alignment` in words: does a credit that points along the gradient make a task cheap?

Of each cell, a rule on a task, there are some measures of its credit and three of what came of it
(`harness.answers.credit_measures`). Their ranks are compared within a task
(`harness.statistics.association`), and the unit is the rule: how many replicas a cell has makes its numbers
exact, and no more. A cost that is never reached is the last rank. Cells whose credit has no such measure are
counted and named, as are those whose credit is of another loss than the task's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.answers.credit_measures import MEASURES
from harness.answers.transfer import Costs
from harness.answers.words import brief, correlation, listed, p_value, several
from harness.core.errors import InputError
from harness.experiment.digits import number
from harness.statistics import Interval, held_out, holm, permutation_p, rank_correlation, standing

if TYPE_CHECKING:
    import pandas as pd

OUTCOMES = {"epochs": "epochs of a success", "flops": "work of a success", "loss": "final loss"}
LAWS: dict[str, tuple[str, ...]] = {
    "the angle before training": ("before",),
    "the angle along the run": ("along",),
    "the angle of the mean draw and the noise": ("mean", "noise"),
}
"""What is fitted on some tasks and held to another."""
CURRENCIES = {"epochs": "epochs", "flops": "work"}
SAME = 0.1
"""Degrees within which two angles are one."""
POINTING = 45.0
"""Degrees up to which a credit is said to point along the gradient."""
RESAMPLES = 2000


class Found(NamedTuple):
    """How a measure goes with an outcome, given the task."""

    measure: str
    outcome: str
    rho: Interval
    p: float
    """Of dealing whole rules, those that are on every task, anew."""
    cells: int
    rules: int
    tasks: int


def undefined(found: pd.DataFrame) -> list[str]:
    """How many cells are compared, and which are not, and why."""
    there = usable(found, ("along",))
    said = [
        f"{number(len(found))} cells of {found['rule'].nunique()} rules on {found['task'].nunique()} tasks; "
        f"{number(np.isinf(found['epochs']).sum())} of them never solve their task, and are the last in rank "
        f"there. The angle is known of {number(len(there))}."
    ]
    words = {
        "no angle at all": found[found["along"].isna() & ~found["elsewhere"]],
        "of another loss than the task's": found[found["elsewhere"]],
        "no angle into the first hidden group, whose credit is zero": there[there["first"].isna()],
    }
    for word, rows in words.items():
        if len(rows):
            said.append(f"Left out where it is asked for, {word}: {_named(rows)}.")
    return said


def usable(found: pd.DataFrame, names: Sequence[str], outcome: str = "epochs") -> pd.DataFrame:
    """The cells that have these measures, and were compared with the gradient of their task's loss."""
    kept = found[found[[*names, outcome]].notna().all(axis=1) & ~found["elsewhere"]]
    return kept[kept.groupby("task")["rule"].transform("count") > 1]


def associations(found: pd.DataFrame) -> list[Found]:
    """Every measure beside every outcome, given the task; intervals at 1 − .05 / m for m of them."""
    pairs = [(m, o, usable(found, [m], o)) for o in OUTCOMES for m in MEASURES]
    pairs = [(m, o, some) for m, o, some in pairs if some["rule"].nunique() > 1]
    return [_found(m, o, some, 1 - 0.05 / len(pairs)) for m, o, some in pairs]


def _found(measure: str, outcome: str, some: pd.DataFrame, level: float) -> Found:
    x, y, unit, task = (some[name].to_numpy() for name in (measure, outcome, "rule", "task"))
    rho = rank_correlation(x, y, unit=unit, task=task, seed=0, level=level, resamples=RESAMPLES)
    try:
        p = permutation_p(x, y, unit=unit, task=task)
    except InputError:  # no two rules that are on every task
        p = float("nan")
    return Found(measure, outcome, rho, p, len(some), len(set(unit)), len(set(task)))


def said(found: pd.DataFrame, pairs: Sequence[Found], broken: Exceptions) -> list[str]:
    """What goes with cost, whether it foretells it, and who breaks the law."""
    return [together(found, pairs), foretold(found), breakers(broken)]


def together(found: pd.DataFrame, pairs: Sequence[Found]) -> str:
    """Which measures go with which outcome given the task, by whole intervals; and given size and depth."""
    if not pairs:
        return "There are no two rules to compare."
    parts = []
    for outcome, word in OUTCOMES.items():
        some = [f for f in pairs if f.outcome == outcome]
        sides = (
            ("rises with", [f for f in some if f.rho.low > 0]),
            ("falls with", [f for f in some if f.rho.high < 0]),
        )
        parts += [
            f"{word} {way} {several([f'{MEASURES[f.measure]} {correlation(f.rho)}' for f in these])}"
            for way, these in sides
            if these
        ]
    open_ = sum(f.rho.low <= 0 <= f.rho.high for f in pairs)
    return listed(
        f"**Does it go with cost?** Within tasks, ρ over {max(f.rules for f in pairs)} rules, {len(pairs)} "
        "intervals of which one misses, 5 % at most",
        [*parts, f"{open_} not decided", *_given_size(found)],
    )


def _given_size(found: pd.DataFrame) -> list[str]:
    some = usable(found, ["along", "weights", "depth"])
    if some["rule"].nunique() < 2:
        return []
    given = some[["weights", "depth"]].to_numpy(float)
    rho = rank_correlation(
        some["along"], some["epochs"], unit=some["rule"], given=given, seed=0, resamples=RESAMPLES
    )
    return [
        "given, in place of the task, its number of weights and its depth, angle along the run and epochs: "
        f"{correlation(rho)}, 95 %"
    ]


def foretold(found: pd.DataFrame) -> str:
    """What part of the order of costs on a task is foretold from other rules on other tasks."""
    parts, n = [], set()
    for name, law in LAWS.items():
        some = usable(found, law)
        if some["rule"].nunique() < 2 or some["task"].nunique() < 2:
            continue
        r2 = [law_held_out(some, law, outcome) for outcome in CURRENCIES]
        shown = ", ".join(f"{word} {correlation(r)}" for word, r in zip(CURRENCIES.values(), r2, strict=True))
        parts.append(f"by {name} {_decided(r2)} ({shown})")
        n.add(f"{some['rule'].nunique()} rules × {some['task'].nunique()} tasks")
    if not parts:
        return "There are no two tasks and two rules to foretell one from the other."
    head = "**Does it foretell cost?** The order on a task not seen, from ranks of other rules on other tasks"
    return listed(f"{head} (R², 95 %, n = {several(sorted(n))})", parts)


def _decided(some: Sequence[Interval]) -> str:
    """Whether R² is above 0 in each currency."""
    above, none = [r.low > 0 for r in some], [r.high <= 0 for r in some]
    if all(above):
        return "**yes**"
    return "**no**" if all(none) else "in part" if any(above) else "not decided"


def law_held_out(some: pd.DataFrame, law: Sequence[str], outcome: str) -> Interval:
    """R² of a law on tasks and rules that it was not fitted to."""
    x, y = some[list(law)].to_numpy(float), some[outcome]
    return held_out(x, y, unit=some["rule"], task=some["task"], seed=0, resamples=RESAMPLES)


class Exceptions(NamedTuple):
    """Who breaks the law that the credit nearest to the gradient is the cheapest."""

    tasks: int
    """That somebody solves."""
    beaten: list[str]
    """Where the nearest is not the cheapest, by its rank's whole interval, in words."""
    aligned: pd.DataFrame
    """Cells that point along the gradient and never solve their task."""
    across: pd.DataFrame
    """Cells that do not, and do."""


def exceptions(found: pd.DataFrame, costs: Costs) -> Exceptions:
    """On which tasks the credit nearest to the gradient is not the cheapest; who points along it and never
    learns, and who does not and does.
    """
    some = usable(found, ["along"], "flops")
    solved = [
        (str(t), rows) for t, rows in some.groupby("task", sort=False) if np.isfinite(rows["flops"]).any()
    ]
    beaten = []
    for task, rows in solved:
        near = rows[rows["along"] <= rows["along"].min() + SAME].sort_values("flops", kind="stable").iloc[0]
        rank = _rank(costs, task, list(rows["rule"]), near["rule"])
        if rank.low > 1:
            best = rows.sort_values("flops", kind="stable").iloc[0]
            place = f"{near['rule']} is {brief(rank.value)} [{brief(rank.low)}–{brief(rank.high)}]"
            beaten.append(f"on {task} {place}, the cheapest {best['rule']} at {best['along']:.0f}°")
    aligned = some[(some["along"] <= POINTING) & np.isinf(some["flops"])]
    across = some[(some["along"] > POINTING) & np.isfinite(some["flops"])]
    return Exceptions(len(solved), beaten, aligned, across)


def breakers(of: Exceptions) -> str:
    """The `exceptions` in words."""
    return listed(
        "**Who breaks the law?** The credit nearest to the gradient along the run is the cheapest in work, "
        f"or not told apart from it [95 %], on {of.tasks - len(of.beaten)} of {of.tasks} tasks",
        [
            *of.beaten,
            f"within {POINTING:.0f}° and never solving: {_named(of.aligned)}",
            f"beyond and solving: {_named(of.across)}",
        ],
    )


def _rank(costs: Costs, task: str, rules: Sequence[str], rule: str) -> Interval:
    """The rank of a rule's work on a task among some rules."""
    at, j = [costs.rules.index(r) for r in rules], costs.tasks.index(task)
    return standing(costs.work[at, j], costs.drawn[:, at, j], list(rules).index(rule))


def drawn(pairs: Sequence[Found]) -> pd.DataFrame:
    """What `association_figure` draws."""
    import pandas as pd

    return pd.DataFrame(
        {
            "measure": MEASURES[f.measure],
            "outcome": OUTCOMES[f.outcome],
            **f.rho._asdict(),
            "n": f"{f.rules} × {f.tasks}",
        }
        for f in pairs
    ).rename(columns={"value": "rho"})


def rules(found: pd.DataFrame) -> pd.DataFrame:
    """What `alignment_figure` draws: medians over tasks of each rule, its work beside the cheapest one's."""
    import pandas as pd

    some = usable(found, ["along"], "flops")
    some = some.assign(over=some["flops"] / some.groupby("task")["flops"].transform("min"))
    some = some[some["over"].notna()]  # ∞ ÷ ∞ where nobody solves the task
    return pd.DataFrame(
        {
            "rule": rule,
            "angle": float(own["along"].median()),
            "cost": float(np.sort(own["over"])[len(own) // 2]),
            "solved": int(np.isfinite(own["flops"]).sum()),
            "tasks": len(own),
        }
        for rule, own in some.groupby("rule", sort=False)
    )


def texts(pairs: Sequence[Found]) -> pd.DataFrame:
    """The table of `associations` for people; p is Holm's over all of them."""
    import pandas as pd

    known = [f for f in pairs if not np.isnan(f.p)]
    adjusted = dict(zip([(f.measure, f.outcome) for f in known], holm([f.p for f in known]), strict=True))
    rows = []
    for measure, word in MEASURES.items():
        of = {f.outcome: f for f in pairs if f.measure == measure}
        if not of:
            continue
        one, about = next(iter(of.values())), {"ρ within tasks [95 % of all], Holm's p": word}
        for outcome, name in OUTCOMES.items():
            p = adjusted.get((measure, outcome), np.nan)
            about[name] = f"{correlation(of[outcome].rho)}, {p_value(float(p))}" if outcome in of else "–"
        rows.append(about | {"rules × tasks, cells": f"{one.rules} × {one.tasks}, {one.cells}"})
    return pd.DataFrame(rows)


def _named(rows: pd.DataFrame) -> str:
    """Rules, and on how many tasks: shallow (9 tasks), perceptron (xor)."""
    parts = []
    for rule, own in rows.groupby("rule", sort=False):
        parts.append(f"{rule} ({own['task'].iloc[0] if len(own) == 1 else f'{len(own)} tasks'})")
    return several(parts)
