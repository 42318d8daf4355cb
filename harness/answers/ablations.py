"""The study `ablations` in words: what each ingredient of the 1986 recipe is worth, one thing changed.

`cells` and `replicas` are the frames of `harness.results`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.answers.pairs import beside
from harness.answers.words import amount, decided, each, listed, rate, ratio, several
from harness.core.outcomes import fates
from harness.experiment.digits import number, percent
from harness.statistics import Interval, failure_costs, running_time

if TYPE_CHECKING:
    import pandas as pd

XOR: dict[str, Any] = {
    "task_name": "xor",
    "algorithm.optimiser.lr": 0.5,
    "algorithm.optimiser.momentum": 0.9,
    "task.scale": 0.5,
    "task.hidden": 2,
    "task.activation": "sigmoid",
    "task.init": "uniform",
    "task.target_off": 0.0,
    "run.batch": "full",
}
"""The recipe of 1986 on XOR."""


@dataclass(frozen=True)
class Ablation:
    """One thing changed."""

    what: str
    setting: str
    note: str = ""
    only: tuple[Any, ...] = ()
    """Values to look at; all, unless given."""
    recipe: tuple[tuple[str, Any], ...] = tuple(XOR.items())


def elsewhere(task: str, what: str, setting: str, usual: Any) -> Ablation:
    """An ablation on a task of which nothing else is changed."""
    return Ablation(what, setting, recipe=(("task_name", task), (setting, usual)))


WITHOUT_MOMENTUM = tuple((XOR | {"algorithm.optimiser.momentum": 0.0}).items())
ABLATIONS = (
    Ablation("momentum α", "algorithm.optimiser.momentum"),
    Ablation("hidden units H", "task.hidden"),
    Ablation("activation", "task.activation"),
    Ablation("initial weights", "task.init"),
    Ablation("patterns an update", "run.batch"),
    Ablation("patterns an update", "run.batch", "at α = 0", recipe=WITHOUT_MOMENTUM),
    Ablation("lower target", "task.target_off", "the upper one as far from 1"),
    Ablation("rate η", "algorithm.optimiser.lr", "means for sums over four patterns", only=(0.125,)),
    elsewhere("encoder", "momentum α", "algorithm.optimiser.momentum", 0.9),
    elsewhere("symmetry", "hidden units H", "task.hidden", 2),
)
MAP = ("algorithm.optimiser.lr", "task.scale")
CHAUVIN = (280.0, 33.0)
"""P = 280 − 33 log₂ H presentations of all patterns: Chauvin in PDP, p. 333."""


def worth(cells: pd.DataFrame, replicas: pd.DataFrame) -> pd.DataFrame:
    """Each ablation beside the recipe that it changes,
    over the replicas of both, within the longest budget that both had.

    Columns what (`Ablation`), task, value, usual, cell (a row of `cells`), ert (`Interval` of epochs), pairs,
    log_ratio (`Interval`, of ln ERT ÷ the recipe's, 95 %) and decided (less, more or undecided).
    """
    import pandas as pd

    rows = []
    for a in ABLATIONS:
        recipe = dict(a.recipe)
        some = matching(cells, {k: v for k, v in recipe.items() if k != a.setting})
        usual = some[some[a.setting] == recipe[a.setting]]
        values = [
            v
            for v in dict.fromkeys(some[a.setting])
            if v != recipe[a.setting] and (v in a.only or not a.only)
        ]
        for value in values:
            one, other = _alike(some[some[a.setting] == value], usual)
            if one is None:
                continue
            pair = beside(replicas, one.id, other.id)
            about = (a, recipe["task_name"], value, recipe[a.setting], one)
            rows.append(
                (*about, ert(replicas, one.id), pair.replicas, pair.log_ratio, decided(pair.log_ratio))
            )
    return pd.DataFrame(
        rows, columns=["what", "task", "value", "usual", "cell", "ert", "pairs", "log_ratio", "decided"]
    )


def matching(cells: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    """The finished cells with these settings; a scale of initial weights that are all zero matches any."""
    some = cells[cells["replicas"] > 0]
    some = some.assign(
        **{"task.scale": some["task.scale"].where(some["task.init"] != "zero", XOR["task.scale"])}
    )
    for name, value in settings.items():
        some = some[some[name] == value]
    return some


def _alike(some: pd.DataFrame, others: pd.DataFrame) -> tuple[Any, Any]:
    """A cell of either with the same budget, the longest there is;
    where there is none, those with the longest ones.
    """
    if not len(some) or not len(others):
        return None, None
    shared = set(some["run.epochs"]) & set(others["run.epochs"])
    chosen = [part[part["run.epochs"] == max(shared or part["run.epochs"])] for part in (some, others)]
    one, other = (each(part.sort_values("replicas", ascending=False, kind="stable"))[0] for part in chosen)
    return one, other


def ert(replicas: pd.DataFrame, cell: str) -> Interval:
    """Expected running time in epochs, with its 95 % interval."""
    own = replicas[replicas["id"] == cell]
    epochs = own["epochs"].to_numpy(float)
    budget = failure_costs(epochs, epochs, own["budget_epochs"])
    return running_time(epochs, fates(own).solved, seed=0, budget=budget, resamples=4000)


def texts(found: pd.DataFrame) -> pd.DataFrame:
    """The table of `worth` for people."""
    import pandas as pd

    rows = [
        {
            "changed": f"{_changed(row)} for {_text(row.usual)}"
            + (f", {row.what.note}" if row.what.note else ""),
            "task": row.task,
            "solved [95 %]": rate(row.cell),
            "ERT in epochs [95 %]": amount(row.ert),
            "÷ the recipe's [95 %]": ratio(row.log_ratio),
            "n of both": number(row.pairs),
        }
        for row in each(found)
    ]
    return pd.DataFrame(rows)


def verdict(found: pd.DataFrame) -> list[str]:
    """Which changes make a success dearer in epochs, which cheaper,
    and which leave it open, by their whole intervals.
    """
    words = {
        "more": "**Dearer** than the recipe, in epochs to a success",
        "less": "**Cheaper** than the recipe",
        "undecided": "**Not decided**, the interval reaches to either side",
    }
    said = []
    for word, name in words.items():
        rows = each(found[found["decided"] == word])
        if rows:
            said.append(listed(name, [f"{where(row)} ×{ratio(row.log_ratio)}" for row in rows]))
    none = [
        f"{where(row)}, n = {number(row.cell.replicas)}, at most {percent(row.cell.rate_high)}"
        for row in each(found)
        if not row.cell.solved
    ]
    if none:
        said.append(f"**Not one replica solves it**: {'; '.join(none)}.")
    return said


def _changed(row: Any) -> str:
    return f"{row.what.what} = {_text(row.value)}"


def where(row: Any) -> str:
    """What was changed, and on which task if not on XOR."""
    about = [
        *([row.what.note] if row.what.note else []),
        *([row.task] if row.task != XOR["task_name"] else []),
    ]
    return _changed(row) + (f" ({', '.join(about)})" if about else "")


def over(
    cells: pd.DataFrame, replicas: pd.DataFrame, setting: str, series: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """What a setting does under some recipes,
    of the cells whose budget most of its values had: points for `setting_figure`.

    Columns series, x, n, rate and ert (epochs) with their ends, and solved_only, the mean epochs of the
    solved replicas alone.
    """
    import pandas as pd

    rows = []
    for name, recipe in series.items():
        some = matching(cells, {k: v for k, v in recipe.items() if k != setting})
        if not len(some):
            continue
        values = some.groupby("run.epochs")[setting].nunique()
        some = some[some["run.epochs"] == values[values == values.max()].index.max()]
        some = some.assign(x=some[setting]).drop_duplicates("x").sort_values("x")
        for r in each(some):
            own = replicas[replicas["id"] == r.id]
            alone = own["epochs"][fates(own).solved].mean()
            rows.append(
                (name, r.x, int(r.replicas), r.rate, r.rate_low, r.rate_high, *ert(replicas, r.id), alone)
            )
    names = ["series", "x", "n", "rate", "rate_low", "rate_high", "ert", "ert_low", "ert_high", "solved_only"]
    return pd.DataFrame(rows, columns=names)


def momenta(cells: pd.DataFrame, replicas: pd.DataFrame) -> pd.DataFrame:
    """Points over momentum, on XOR and the encoder."""
    return over(
        cells, replicas, "algorithm.optimiser.momentum", {"XOR": XOR, "encoder": {"task_name": "encoder"}}
    )


def units(cells: pd.DataFrame, replicas: pd.DataFrame) -> pd.DataFrame:
    """Points over hidden units on XOR, at the recipe and at the setting
    of Chauvin's line, with the line beside them.
    """
    of_chauvin = XOR | {"algorithm.optimiser.lr": 0.25, "task.scale": 0.3}
    series = {"η = .5, weights within ±.5": XOR, "η = .25, weights within ±.3, as Chauvin's": of_chauvin}
    points = over(cells, replicas, "task.hidden", series)
    a, b = CHAUVIN
    return points.assign(line=a - b * np.log2(points["x"].to_numpy(float)))


def chauvin(points: pd.DataFrame) -> list[str]:
    """For each setting, at how many numbers of hidden units Chauvin's line is in the interval of our ERT."""
    said = []
    for name, rows in points.groupby("series", sort=False):
        within = rows[(rows["ert_low"] <= rows["line"]) & (rows["line"] <= rows["ert_high"])]
        at = several([f"H = {r.x:g}" for r in each(within)])
        ends = [
            f"at H = {r.x:g} the line says {r.line:.0f}, "
            f"ERT is {amount(Interval(r.ert, r.ert_low, r.ert_high))} "
            f"(mean over the solved only: {number(r.solved_only)})"
            for r in each(rows.iloc[[0, -1]])
        ]
        head = f"**{name}**: Chauvin's line is within the 95 % interval of our ERT at {len(within)} of "
        said.append(listed(f"{head}{len(rows)} numbers of hidden units ({at})", dict.fromkeys(ends)))
    return said


def map_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells of the map: rates × initial scales,
    all else as the recipe, of the budget that most of them had.
    """
    some = matching(cells, {k: v for k, v in XOR.items() if k not in MAP})
    some = some[some["task.init"] != "zero"]
    points = some.drop_duplicates(["run.epochs", *MAP])
    return points[points["run.epochs"] == points["run.epochs"].mode().max()]


def on_the_map(some: pd.DataFrame) -> list[str]:
    """Where fewest and most replicas fail, what large rates and small scales do, and how many diverge."""
    said = [f"Of {len(some)} points {extremes(some)}."]
    for name, word in zip(MAP, ("rate η", "scale"), strict=True):
        by = some.groupby(name).agg(solved=("solved", "sum"), n=("replicas", "sum"))
        parts = [f"{percent(1 - r.solved / r.n)} at {r.x:g}" for r in each(by.rename_axis("x").reset_index())]
        said.append(f"Failed by {word}, over all points of it: {several(parts)}.")
    diverged = [_point(r) for r in each(_named(some[some["diverged"] > 0]))]
    where = f", at {several(diverged)}" if diverged else ""
    many, of = (number(some[name].sum()) for name in ("diverged", "replicas"))
    return [*said, f"{many} of {of} replicas diverged{where}."]


def extremes(some: pd.DataFrame) -> str:
    """Where on the map fewest and most replicas fail."""
    ordered = each(_named(some).sort_values("rate", ascending=False, kind="stable"))
    best, worst = (
        f"{_point(r)} ({percent(1 - r.rate)} [{100 * (1 - r.rate_high):.1f}–{100 * (1 - r.rate_low):.1f}] "
        f"of {number(r.replicas)})"
        for r in (ordered[0], ordered[-1])
    )
    return f"fewest replicas fail at {best}, most at {worst}"


def _named(some: pd.DataFrame) -> pd.DataFrame:
    return some.assign(lr=some[MAP[0]], scale=some[MAP[1]])


def _point(row: Any) -> str:
    return f"η = {row.lr:g}, scale {row.scale:g}"


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
