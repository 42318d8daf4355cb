"""The study `vanishing` in words: what depth leaves of credit before training,
which rules learn through it, at what cost.

`cells` and `replicas` are the frames of `harness.results`; what is left of credit comes from
`harness.credit.vanishing`, which computes it at the initial weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.answers.ablations import ert
from harness.answers.middle import median, of_values
from harness.answers.pairs import beside
from harness.answers.provenance import not_run
from harness.answers.words import amount, brief, each, listed, rate, ratio, several
from harness.credit.vanishing import STEEPEST, Left, left
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

HALF = 0.5
EVERYWHERE, SOME_DEPTH, NOWHERE = "at every depth that was run", "up to a depth", "at none"
DEPTHS = (2, 4, 6, 8)
CHAIN: dict[str, Any] = {"name": "deep_chain", "width": 50, "bits": 4}
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "backprop": ("backprop", {}),
    "backprop with shortcuts": ("backprop", {"residual": True}),
    "backprop with normalised layers": ("backprop", {"norm": True}),
    "backprop with shortcuts and normalised layers": ("backprop", {"residual": True, "norm": True}),
    "feedback_alignment": ("feedback_alignment", {}),
    "direct_feedback_alignment": ("direct_feedback_alignment", {}),
    "sign_symmetry": ("sign_symmetry", {}),
}
"""What the figure compares: a rule, and what is added to the chain."""
COLUMNS = ["series", "x", "n", "rate", "rate_low", "rate_high", "ert", "ert_low", "ert_high", "cell"]


def before_training(depths: Sequence[int] = DEPTHS, replicas: int = 50) -> dict[str, list[Left]]:
    """What is left of credit in the first hidden layer, of each of the `WAYS` at each depth.

    Takes seconds.
    """
    from harness.cells.cell import Cell

    run = {"replicas": replicas}
    return {
        name: [left(Cell.of({"name": rule}, CHAIN | added | {"depth": depth}, run)) for depth in depths]
        for name, (rule, added) in WAYS.items()
    }


def layer_factor(some: Sequence[Left], level: float = 0.95) -> Interval:
    """By what each further layer multiplies the ratio:
    the median over replicas of each one's slope of ln ratio against depth.

    Replicas of one number at several depths are one replica; those whose ratio is 0 or nothing at some depth
    are left out.
    """
    ratios = np.array([s.ratio for s in some])
    there = ratios[:, (ratios > 0).all(axis=0)]
    if len(some) < 2 or not there.size:
        return Interval(np.nan, -np.inf, np.inf)
    slopes = np.polyfit([s.depth for s in some], np.log(there), 1)[0]
    value, low, high = (float(end) for end in np.exp([*of_values(slopes, level)]))
    return Interval(value, low if np.isfinite(np.log(low or np.nan)) else -np.inf, high)


def left_over(ratios: Mapping[str, Sequence[Left]]) -> list[str]:
    """Where credit shrinks with depth, and how fast beside the bound ¼ of logistic units;
    by whole intervals, Bonferroni's.
    """
    level = 1 - 0.05 / max(1, len(ratios))
    factors = {name: layer_factor(some, level) for name, some in ratios.items()}
    words: dict[str, Callable[[Interval], bool]] = {
        "**Vanishes** at least as fast as ¼ a layer": lambda f: f.high <= STEEPEST,
        "**Shrinks**, by less than that": lambda f: f.low > STEEPEST and f.high < 1,
        "**Grows**": lambda f: f.low > 1,
        "**Is kept**, as far as can be told (1 is in the interval)": lambda f: (
            STEEPEST < f.low <= 1 <= f.high
        ),
    }
    groups = {word: [name for name, f in factors.items() if holds(f)] for word, holds in words.items()}
    rest = [name for name in factors if not any(name in names for names in groups.values())]
    said = []
    for word, names in (groups | {"**Not decided**": rest}).items():
        texts = [f"{name} ×{median(factors[name])} ({_at_last(ratios[name])})" for name in names]
        said += [f"{word}: {several(texts)}."] if texts else []
    return said


def points(cells: pd.DataFrame, replicas: pd.DataFrame) -> pd.DataFrame:
    """The finished cells of the study for `setting_figure`:
    a series for each rule and what is added, x the hidden layers.

    Its last column, cell, is a row of `cells`. Without rows where nothing is finished.
    """
    import pandas as pd

    rows = []
    for cell in each(_named(cells[cells["replicas"] > 0])):
        of = ert(replicas, cell.id)
        shares = (cell.rate, cell.rate_low, cell.rate_high)
        rows.append((cell.series, int(cell.depth), int(cell.replicas), *shares, *of, cell))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.sort_values("x", kind="stable").reset_index(drop=True)


def said(points: pd.DataFrame, replicas: pd.DataFrame) -> list[str]:
    """All sentences on training through depth, or the one that it was not run."""
    if not len(points):
        return [not_run("vanishing")]
    return [*learnt(points), *escapes(points), *price(points, replicas)]


def learnt(points: pd.DataFrame) -> list[str]:
    """Through how many hidden layers each series learns: where more than half solve, by Wilson's interval."""
    groups: dict[str, list[str]] = {EVERYWHERE: [], SOME_DEPTH: [], NOWHERE: []}
    for name, rows in points.groupby("series", sort=False):
        able = rows[rows["rate_low"] > HALF]
        if len(able) == len(rows):
            groups[EVERYWHERE].append(f"{name}, at {rows['x'].max()} {_rate(rows, rows['x'].max())}")
        elif len(able):
            groups[SOME_DEPTH].append(f"{name} to {_how_deep(rows, able['x'].max())}")
        else:
            groups[NOWHERE].append(f"{name}{_at_best(rows)}")
    return [
        listed(f"Hidden layers through which more than half learn, **{word}**", names)
        for word, names in groups.items()
        if names
    ]


def _how_deep(rows: pd.DataFrame, last: int) -> str:
    """The deepest chain that most learn, and the first beyond it that most do not."""
    beyond = rows[(rows["rate_high"] < HALF) & (rows["x"] > last)]["x"]
    if not len(beyond):
        return f"{last}, {_rate(rows, last)}; beyond, not decided"
    return f"{last}, {_rate(rows, last)}; fewer than half at {beyond.min()}, {_rate(rows, beyond.min())}"


def _at_best(rows: pd.DataFrame) -> str:
    """Of a series that most learn at no depth: at which the most do."""
    decided = bool((rows["rate_high"] < HALF).all())
    best = max(each(rows), key=lambda r: r.rate)
    return f"{'' if decided else ', not decided at some'}, best {rate(best.cell)} at {best.x}"


def escapes(points: pd.DataFrame, base: str = "backprop") -> list[str]:
    """Which series still learn at the deepest chain that `base` was run
    on where it does not itself; nobody if it does.
    """
    own = points[points["series"] == base]
    if not len(own):
        return [f"{base} was not run, so that nothing can be said to escape what befalls it."]
    deepest = own["x"].max()
    rows = points[points["x"] == deepest]
    of_base = own[own["x"] == deepest].iloc[0]
    text = f"At {deepest} hidden layers {base} solves {_rate(own, deepest)}"
    if of_base["rate_low"] > HALF:
        return [f"{text}: it learns, and there is nothing to escape from."]
    if of_base["rate_high"] >= HALF:
        return [f"{text}: whether it learns is not decided."]
    able = [r.series for r in each(rows) if r.rate_low > HALF]
    not_able = [r.series for r in each(rows) if r.rate_high < HALF and r.series != base]
    return [
        f"{text}. Of these learn there more than half: {several(able)}; fewer than half: {several(not_able)}."
    ]


def price(points: pd.DataFrame, replicas: pd.DataFrame) -> list[str]:
    """What depth costs each series: work of a success
    in its deepest chain that most learn ÷ that in its shallowest.
    """
    parts, alone = [], []
    for name, rows in points.groupby("series", sort=False):
        able = rows[rows["rate_low"] > HALF]
        if len(able) < 2:
            alone.append(str(name))
            continue
        first, last = (each(able)[i].cell for i in (0, -1))
        pair = beside(replicas, last.id, first.id, (float(last.update_flops), float(first.update_flops)))
        depths = f"{int(last.depth)} hidden layers beside {int(first.depth)}, n = {pair.replicas}"
        per_update = brief(float(last.update_flops / first.update_flops))
        parts.append(f"{name} ×{ratio(pair.log_ratio)} ({depths}; an update alone ×{per_update})")
    said = [listed("Work to a success", parts)] if parts else []
    return said + (
        [f"Not learnt by most at two depths, and so without such a price: {several(alone)}."] if alone else []
    )


def at_depth(points: pd.DataFrame) -> pd.DataFrame:
    """The table: a row for each series, a column for each depth,
    with ERT in epochs where anybody solved it.
    """
    import pandas as pd

    if not len(points):
        return pd.DataFrame(columns=["rule"])
    depths = sorted(points["x"].unique())
    rows = []
    for name, some in points.groupby("series", sort=False):
        of = {r.x: r for r in each(some)}
        texts = {
            f"{d} layer{'' if d == 1 else 's'}": f"{of[d].rate * of[d].n:.0f} of {of[d].n}, "
            f"{amount(_ert(of[d]))}"
            if d in of
            else "–"
            for d in depths
        }
        rows.append({"rule": name} | texts)
    return pd.DataFrame(rows)


def _named(cells: pd.DataFrame) -> pd.DataFrame:
    """With columns series and depth."""
    import pandas as pd

    if not len(cells):
        return cells
    # norm came later than some records
    usual = {"depth": 0, "activation": "sigmoid", "residual": False, "norm": False}
    own = pd.DataFrame({name: cells.get(f"task.{name}", value) for name, value in usual.items()})
    added = [
        [
            word
            for word, there in (
                ("tanh", row.activation == "tanh"),
                ("shortcuts", row.residual),
                ("normalised layers", row.norm),
            )
            if there
        ]
        for row in each(own.fillna(usual))
    ]
    names = [
        name + (f" with {several(words)}" if words else "")
        for name, words in zip(cells["algorithm_name"], added, strict=True)
    ]
    return cells.assign(series=names, depth=own["depth"])


def _rate(rows: pd.DataFrame, depth: Any) -> str:
    return rate(rows[rows["x"] == depth].iloc[0]["cell"])


def _ert(row: Any) -> Interval:
    return Interval(row.ert, row.ert_low, row.ert_high)


def _at_last(some: Sequence[Left]) -> str:
    low, middle, high = some[-1].quartiles
    there = int((~np.isnan(some[-1].ratio)).sum())
    return (
        f"{brief(middle)}, quartiles {brief(low)}–{brief(high)}, through {some[-1].depth} layers, n = {there}"
    )
