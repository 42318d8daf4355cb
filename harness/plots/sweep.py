"""What the settings of a sweep do: a map where two were varied over a full grid, a line where it was one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.core.errors import InputError
from harness.core.outcomes import fates
from harness.drawing.cell import Drawn
from harness.drawing.crowd import expected
from harness.drawing.frames import TOGETHER, drawn, needs
from harness.drawing.page import Panel, page
from harness.drawing.style import VERMILION
from harness.experiment.digits import brief, number, significant
from harness.plots.ert import bar_of, in_words
from harness.plots.grid import BAR, TALL, crowded, draw
from harness.plots.setting import caption, over
from harness.plots.titles import many
from harness.statistics import wilson

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMED = 2  # sweeps that a title tells one by one
FEWEST = 3  # values of a setting: two of them are compared in a table
READ = ("outcome", "epochs", "budget_epochs")
PARTS = ("algorithm.", "task.", "run.")  # of two settings that of the first stands along the map's lower edge
CHANCE = ("run.seed", "run.replicas", "run.processes")  # cells may differ in them, and are of one setting
MAPS = (
    "Maps: per cent of replicas that solved the task, and expected running time in epochs (what all replicas "
    "spent ÷ number solved), at every pair of values; n = {n} replicas each, failures included; the 95 % "
    "Wilson interval of a share reaches at most ± {half:.0f} per cent. Grey: never, no replica solved it. "
    "Ring: the quickest, with 95 % intervals; chosen for what these very replicas did, so that others would "
    "do less well."
)


class Sweep(NamedTuple):
    """Cells of one algorithm on one task that differ in one numeric setting, or in two over a full grid."""

    task: str
    algorithm: str
    settings: tuple[str, ...]
    """One or two, by dotted name."""
    at: dict[tuple[float, ...], Drawn]
    """The finished cells by the values of the settings, those that differ in their seed alone as one."""


def sweep_figure(replicas: pd.DataFrame, cells: pd.DataFrame) -> Figure:
    """What one setting does to how often a task is solved and what a success costs, or two of them together.

    Args:
        replicas: the frame of `results.replicas`.
        cells: the frame of `results.cells`.

    Returns:
        A matplotlib figure: two panels for each algorithm and task with two settings varied over a full
        grid, two for each task and setting that was varied alone.

    Raises:
        InputError: if no numeric setting was varied so, with three values or more.

    >>> import pandas as pd
    >>> cells = [{"id": f"xor-b-{lr}", "task": "xor", "task_name": "xor", "algorithm": f"b (lr={lr})",
    ...           "algorithm_name": "b", "algorithm.lr": lr} for lr in (0.1, 0.2, 0.4)]
    >>> one = {"outcome": "solved", "epochs": 9, "budget_epochs": 20}
    >>> figure = sweep_figure(pd.DataFrame([cell | one for cell in cells]), pd.DataFrame(cells))
    """
    found = sweeps(replicas, cells)
    if not found:
        raise InputError(
            "no setting was varied: one numeric setting is needed with three values or more, or two on a grid"
        )
    return figure_of(found)


def figure_of(found: Sequence[Sweep]) -> Figure:
    """The figure of one sweep or more."""
    maps = [s for s in found if len(s.settings) == 2]
    panels = [panel for s in maps for panel in _maps(s)]
    words = [_words([d for s in maps for d in s.at.values()])] if maps else []
    lines: dict[tuple[str, str], list[Sweep]] = {}
    for s in found:
        if len(s.settings) == 1:
            lines.setdefault((s.task, s.settings[0]), []).append(s)
    for (task, setting), some in lines.items():
        for start in range(0, len(some), TOGETHER):
            points = _points(some[start : start + TOGETHER])
            words.append(caption(points))
            panels += [panel._replace(title=f"{task}: {panel.title}") for panel in over(points, setting)]
    right = BAR if maps else 0.1
    return page(_title(found), " ".join(dict.fromkeys(words)), panels, columns=2, right=right)


def _title(found: Sequence[Sweep]) -> str:
    """The best setting of each of a few sweeps; of many what it is worth."""
    best, worth = [], []
    for s in found:
        cost = expected(s.at.values())
        by_value = {key: cost[d.id] for key, d in s.at.items()}
        able = {key: x for key, x in by_value.items() if np.isfinite(x)}
        if not able:
            best.append(f"{s.algorithm} solves {s.task} at none of {number(len(by_value))} settings")
            continue
        key = min(able, key=lambda key: able[key])
        at = ", ".join(f"{name.rsplit('.', 1)[-1]}={v:g}" for name, v in zip(s.settings, key, strict=True))
        best.append(
            f"{s.algorithm} on {s.task} is cheapest at {at}, {brief(able[key])} epochs; "
            f"{number(len(able))} of {number(len(by_value))} settings solve it"
        )
        worth.append(max(able.values()) / max(able[key], 1.0))
    if len(best) <= NAMED:
        return "; ".join(best)
    if not worth:
        return f"No setting solves a task in any of {number(len(found))} sweeps"
    return (
        f"The dearest setting that solves a task costs {significant(float(np.median(worth)))} times the "
        f"cheapest, in the median of {many(len(worth), 'sweep')}"
    )


def sweeps(replicas: pd.DataFrame, cells: pd.DataFrame) -> list[Sweep]:
    """The sweeps among some cells; there may be none."""
    needs(cells, "id", "task_name", "algorithm_name")
    return list(_found(cells, {d.id: d for d in drawn(replicas, *READ)}))


def _found(cells: pd.DataFrame, some: Mapping[str, Drawn]) -> Iterator[Sweep]:
    names = [
        name for part in PARTS for name in map(str, cells) if name.startswith(part) and name not in CHANCE
    ]
    for (task, algorithm), rows in cells.groupby(["task_name", "algorithm_name"], sort=False):
        varied = tuple(name for name in names if len(set(map(repr, rows[name]))) > 1)
        if not 1 <= len(varied) <= 2 or not all(_numeric(rows[name]) for name in varied):
            continue
        at: dict[tuple[float, ...], list[str]] = {}
        for i, *values in zip(rows["id"], *(rows[name].astype(float) for name in varied), strict=True):
            at.setdefault(tuple(values), []).append(i)
        counts = [len(set(values)) for values in zip(*at, strict=True)]
        known = {key: _pooled([some[i] for i in ids if i in some]) for key, ids in at.items()}
        finished = {key: d for key, d in known.items() if d}
        if finished and min(counts) >= FEWEST and len(at) == np.prod(counts):
            yield Sweep(str(task), str(algorithm), varied, finished)


def _numeric(column: pd.Series[Any]) -> bool:
    kinds = (int, float, np.number)
    return all(isinstance(v, kinds) and not isinstance(v, bool) and np.isfinite(v) for v in column)


def _pooled(some: Sequence[Drawn]) -> Drawn | None:
    if len(some) < 2:
        return some[0] if some else None
    rows = {name: np.concatenate([d.rows[name] for d in some]) for name in READ}
    return some[0]._replace(rows=rows)


def _maps(s: Sweep) -> list[Panel]:
    across, down = (sorted({key[i] for key in s.at}) for i in (0, 1))
    cost = expected(s.at.values())
    solved, price = np.full((2, len(down), len(across)), np.nan)
    for (x, y), d in s.at.items():
        place = down.index(y), across.index(x)
        solved[place], price[place] = 100 * fates(d.rows).solved.mean(), cost[d.id]
    key = min(s.at, key=lambda key: cost[s.at[key].id])
    bar = bar_of(s.at[key], "epochs", {})
    low, high = (100 * float(end) for end in wilson(bar.solved, bar.n))
    ring = (across.index(key[0]), down.index(key[1])) if bar.solved else None
    at = ", ".join(f"{name.rsplit('.', 1)[-1]}={v:g}" for name, v in zip(s.settings, key, strict=True))
    said = f"{bar.solved:,} / {bar.n:,} [{low:.0f}–{high:.0f} %]", f"{in_words(bar.cost)} epochs"
    of = f"{s.algorithm} on {s.task}"
    height = TALL if crowded(across, down) else 0.4 * len(down)
    return [
        Panel(
            f"{of}: {title}",
            partial(
                _draw_map,
                values=values,
                across=across,
                down=down,
                names=s.settings,
                price=values is price,
                ring=ring,
                text=f"{at}   {word}",
            ),
            height,
        )
        for title, values, word in zip(("solved, %", "cost of a success"), (solved, price), said, strict=True)
    ]


def _draw_map(
    ax: Axes,
    *,
    values: np.ndarray,
    across: list[float],
    down: list[float],
    names: tuple[str, ...],
    price: bool,
    ring: tuple[int, int] | None,
    text: str,
) -> None:
    draw(ax, values, across, down, price=price)
    if ring:
        x, y = ring
        style: dict[str, Any] = {"markerfacecolor": "none", "color": VERMILION, "markeredgewidth": 1.8}
        ax.plot([x], [y], "o", markersize=9, label=text, linestyle="none", **style)
    ax.set(xlabel=names[0], ylabel=names[1])


def _words(some: Sequence[Drawn]) -> str:
    solved = [fates(d.rows).solved for d in some]
    n = sorted({len(each) for each in solved})
    low, high = wilson([each.sum() for each in solved], [len(each) for each in solved])
    said = number(n[0]) + (f" to {number(n[-1])}" if len(n) > 1 else "")
    return MAPS.format(n=said, half=50 * float((high - low).max()))


def _points(some: Sequence[Sweep]) -> pd.DataFrame:
    """The frame of `setting_figure`."""
    import pandas as pd

    rows = []
    for s in some:
        for (x,), d in s.at.items():
            bar = bar_of(d, "epochs", {})
            low, high = (float(end) for end in wilson(bar.solved, bar.n))
            rate = {"rate": bar.solved / bar.n, "rate_low": low, "rate_high": high}
            ert = dict(zip(("ert", "ert_low", "ert_high"), map(float, bar.cost), strict=True))
            rows.append({"series": s.algorithm, "x": x, "n": bar.n, **rate, **ert})
    return pd.DataFrame(rows)
