"""So many cells of one task that nobody reads all their names: a sweep over settings, mostly.

Every cell is drawn, thin and in grey, so that a panel tells the truth about all; a few are named, chosen by
one rule, which `RULE` tells below the figure. What is chosen for its result flatters, and that is said, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.outcomes import fates
from harness.drawing import thin
from harness.drawing.cell import Drawn
from harness.drawing.style import BEHIND, COLOURS, DIM
from harness.statistics import expected_running_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes


CELLS, VARIANTS = 36, 12
"""More cells of a task than there are lines that differ in black and white, or more variants of it than
panels that are read side by side, are a crowd."""
ROLES = ("quickest", "median", "slowest")
RULE = (
    f" A task with more than {CELLS} cells, or {VARIANTS} variants, has all of them in thin grey, and a few "
    "named by their expected running time, what all replicas spent ÷ number solved: the quickest, the median "
    "and the slowest; of more than three algorithms each one's quickest. The quickest was chosen for what "
    "these very replicas did: others would do less well."
)
DARKNESS = 12.0  # lines on one another that are as dark as ink
WIDTH = 0.7  # points: of one line of a crowd; it is off by no more than that
Numbers = NDArray[np.float64]


def apart(cells: Sequence[Drawn]) -> tuple[list[Drawn], dict[str, list[Drawn]]]:
    """The cells of tasks that are no crowd, and the crowds by their task, variants of it together."""
    of_task: dict[str, list[Drawn]] = {}
    for d in cells:
        of_task.setdefault(d.task_name or d.task, []).append(d)
    crowds = {
        task: some
        for task, some in of_task.items()
        if len(some) > CELLS or len({d.task for d in some}) > VARIANTS
    }
    return [d for d in cells if (d.task_name or d.task) not in crowds], crowds


def expected(cells: Iterable[Drawn]) -> dict[str, float]:
    """The expected running time of each cell in epochs, by its id, from the rows of its replicas."""
    return {d.id: expected_running_time(d.column("epochs"), fates(d.rows).solved) for d in cells}


def named(cells: Sequence[Drawn], cost: Mapping[str, float]) -> list[Drawn]:
    """Those of a crowd that are named, by what each one's successes cost: their names say for what they were
    chosen, their places are 0, 1, …
    """
    rules: dict[str, list[Drawn]] = {}
    for d in sorted(cells, key=lambda d: cost[d.id]):
        rules.setdefault(d.algorithm_name or d.algorithm, []).append(d)
    several = len({d.task for d in cells}) > 1
    chosen: list[Drawn] = []
    for some in sorted(rules.values(), key=lambda some: cost[some[0].id]):
        last: float = -1.0
        for role, place in zip(ROLES, (0, (len(some) - 1) // 2, len(some) - 1), strict=True):
            if ROLES.index(role) >= max(1, min(len(ROLES), len(COLOURS) // len(rules))):
                break
            d = some[place]
            if last < cost[d.id]:  # of two that never solve the task one is enough
                never = "" if np.isfinite(cost[d.id]) else " (never)"
                name = f"{role}{never}: {d.algorithm}" + (f" on {d.task}" if several else "")
                chosen.append(d._replace(algorithm=name, place=len(chosen)))
            last = cost[d.id]
    return chosen


def title(task: str, cells: Sequence[Drawn], cost: Mapping[str, float]) -> str:
    """How many there are, and how many of them never solved the task."""
    never = sum(np.isinf(cost[d.id]) for d in cells)
    return f"{task}: {len(cells):,} cells" + (f", {never:,} never solved" if never else "")


def behind(ax: Axes, lines: Sequence[tuple[Numbers, Numbers]], *, steps: bool = False) -> None:
    """Lines (x, y) in grey behind those that are named, on axes whose limits are set; many of them thin, the
    darker the more there are, and of no more points than can be seen.
    """
    if len(lines) < CELLS:
        style: dict[str, Any] = {"drawstyle": "steps-post"} if steps else {}
        for x, y in lines:
            ax.plot(x, y, **style, **BEHIND)
        return
    from matplotlib.collections import LineCollection

    drawn = [thin.staircase(*line) if steps else line for line in lines]
    ax.add_collection(
        LineCollection(
            [thin.thinned(ax, *line, fine=WIDTH / 72) for line in drawn],
            colors=DIM,
            alpha=min(1.0, max(0.04, DARKNESS / len(lines))),
            linewidths=WIDTH,
            zorder=BEHIND["zorder"],
        ),
        autolim=False,
    )
