"""At equal accuracy, does anything beat backprop's activation memory? From study=memory_accuracy.

For each task, network and algorithm the learning rate is chosen by the mean error on the validation patterns;
the test error of what was chosen is then looked at, once. Error is the share of test images wrong or, where
targets are numbers, the root mean squared error. Memory is `peak_bytes`: the most that an update of one
network holds at once beside what it was handed, measured on the code as it stands.

*Equal accuracy* is a mean test error no higher than the upper end of backprop's interval for its best network
(by validation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core import registry
from harness.core.errors import InputError
from harness.core.outcomes import FINISHED, fates
from harness.statistics import Interval
from harness.statistics.pareto import pareto_front

if TYPE_CHECKING:
    import pandas as pd

STUDY = "memory_accuracy"
SAME_WEIGHTS = ("backprop", "checkpointed_backprop")
"""Backpropagation, and what has its gradient; all others are backprop-free."""
SINGLE_LAYERS = ("perceptron", "delta_rule", "random_feature_perceptron")
"""What learns a single layer, whatever hidden units the task's network has."""
LEVEL = 0.95
ALIKE = 0.05  # of the memory: a difference that a few Python objects make
UNITS = {True: "per cent of the test images wrong", False: "NRMSE on the test weeks"}


class Answer(NamedTuple):
    """What one task says."""

    task: str
    sentence: str
    best: Any
    """Row of backprop's best network; rows are those of `points`."""
    own: Any
    """Row of backprop's lightest network that is as accurate."""
    lightest: Any
    """Row of the lightest that is as accurate."""
    free: Any
    """Row of the lightest backprop-free one that is; None if there is none."""


def points(cells: pd.DataFrame, replicas: pd.DataFrame) -> pd.DataFrame:
    """A row for each task, network and algorithm at its chosen rate,
    from `results.cells` and `results.replicas` of the study.

    Columns: task, network, algorithm, label, lr, rates (how many were tried), replicas, validation (mean
    error there), error with error_low and error_high (95 % t interval over networks, that of a share clipped
    to [0, 1]; ∞ if one diverged), peak_bytes, update_forward_passes, front (whether no other point of the
    task is better in error and memory).
    """
    import pandas as pd

    finished = cells[cells["status"] == FINISHED]
    if finished.empty:
        raise InputError(f"the study has no finished cell: run it by python -m harness -m study={STUDY}")
    of_cell = dict(list(replicas.groupby("id")))
    rows = []
    for (task, network, algorithm), tried in _by_network(finished):
        validation = [float(np.mean(errors(of_cell[id], task, "validation"))) for id in tried["id"]]
        chosen = tried.iloc[int(np.argmin(validation))]
        test = interval(errors(of_cell[chosen["id"]], task, "held"))
        rows.append(
            {
                "task": task,
                "network": network,
                "algorithm": algorithm,
                "label": f"{algorithm} {network}".strip(),
                "lr": chosen.get("algorithm.optimiser.lr", np.nan),
                "rates": len(tried),
                "replicas": int(chosen["replicas"]),
                "validation": min(validation),
                "error": test.value,
                "error_low": test.low,
                "error_high": test.high,
                "peak_bytes": float(chosen["peak_bytes"]),
                "update_forward_passes": float(chosen["update_forward_passes"]),
            }
        )
    frame = pd.DataFrame(rows)
    share = np.isfinite(frame["error"]) & np.array([error_is_share(task) for task in frame["task"]])
    ends = ["error_low", "error_high"]
    frame.loc[share, ends] = frame.loc[share, ends].clip(0.0, 1.0)
    frame["front"] = False
    for _, some in frame.groupby("task"):
        frame.loc[some.index, "front"] = pareto_front(some["peak_bytes"], some["error"])
    return frame


def answer(points: pd.DataFrame, task: str) -> Answer:
    """The sentence for a task from its `points`, and the rows that it speaks of."""
    some = points[points["task"] == task]
    backprop = some[some["algorithm"] == "backprop"]
    if backprop.empty or not np.isfinite(backprop["error"]).any():
        raise InputError(f"there is no finite error of backprop on {task} to compare with")
    best = backprop.sort_values("validation", kind="stable").iloc[0]
    able = some[some["error"] <= best["error_high"]].sort_values("peak_bytes")
    own = able[able["algorithm"] == "backprop"].iloc[0]
    others = some[~some["algorithm"].isin(SAME_WEIGHTS)].sort_values("error")
    lightest, free = able.iloc[0], able[~able["algorithm"].isin(SAME_WEIGHTS)]
    is_share = error_is_share(task)
    percent = 100 if is_share else 1
    said = (
        f"On {task}, backprop's best network ({best['network']}) has {percent * best['error']:.3g} "
        f"[{percent * best['error_low']:.3g}–{percent * best['error_high']:.3g}] {UNITS[is_share]} "
        f"(n = {best['replicas']}); its least memory within that interval is {_kb(own)} ({own['network']})."
    )
    if others.empty:
        said += " No backprop-free algorithm was run."
    elif free.empty:
        nearest = others.iloc[0]
        said += (
            f" No backprop-free algorithm is as accurate: the nearest is {nearest['label']} with "
            f"{percent * nearest['error']:.3g} in {_kb(nearest)}."
        )
    else:
        first = free.iloc[0]
        said += (
            " The lightest backprop-free algorithm as accurate, "
            f"{first['label']} ({percent * first['error']:.3g}), {_beside(first, own, backprop)} "
            f"with {_kb(first)}, {first['peak_bytes'] / own['peak_bytes']:.2f} of it."
        )
    again = able[able["algorithm"] == "checkpointed_backprop"]
    if not again.empty:
        said += (
            f" Recomputing activities takes {_kb(again.iloc[0])}, "
            f"{again.iloc[0]['peak_bytes'] / own['peak_bytes']:.2f} of it."
        )
    return Answer(task, said, best, own, lightest, None if free.empty else free.iloc[0])


def _beside(rival: Any, own: Any, backprop: pd.DataFrame) -> str:
    """Whether a rival's memory beats backprop's:
    it is less, and no backprop network within it is as accurate by its interval.
    """
    ratio = rival["peak_bytes"] / own["peak_bytes"]
    if ratio > 1 - ALIKE:
        return "does not beat it" if ratio > 1 + ALIKE else "takes as much as it"
    within = backprop[backprop["peak_bytes"] <= (1 + ALIKE) * rival["peak_bytes"]]
    as_good = within[within["error_low"] <= rival["error_high"]].sort_values("error")
    if as_good.empty:
        return "beats it"
    return f"cannot be told from backprop {as_good.iloc[0]['network']} in as much memory by their intervals,"


def interval(values: NDArray[np.float64]) -> Interval:
    """Mean of n values and its 95 % t interval;
    all three ∞ if one is; ends at −∞ and ∞ if there is only one.
    """
    from scipy.stats import t

    n, mean = len(values), float(np.mean(values))
    if not np.isfinite(mean) or n < 2:
        return Interval(mean, mean if n > 1 else -np.inf, mean if n > 1 else np.inf)
    half = float(t.ppf(0.5 + LEVEL / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half)


def errors(replicas: pd.DataFrame, task: str, part: str) -> NDArray[np.float64]:
    """Error (R,) of each replica of a cell on its `validation` or `held` part; a diverged one's is ∞."""
    error = 1.0 - replicas[f"{part}_right"] if error_is_share(task) else replicas[f"{part}_rmse"]
    return np.where(fates(replicas).diverged, np.inf, error.to_numpy(float))


def points_table(points: pd.DataFrame) -> str:
    """The points of each task as text, from the least error on; * marks the front."""
    lines = []
    for task, some in points.groupby("task", sort=False):
        is_share = error_is_share(str(task))
        unit = 100.0 if is_share else 1.0
        lines.append(
            f"\n{task}: {UNITS[is_share]}, mean [95 % t interval over networks], "
            "at the best of the rates by validation"
        )
        lines.append(f"  {'':44}{'error':>8} {'interval':>15}{'n':>4}{'peak kB':>10}{'passes':>8}{'rate':>9}")
        for _, row in some.sort_values("error").iterrows():
            ends = f"[{unit * row['error_low']:.3g}–{unit * row['error_high']:.3g}]"
            rate = "" if np.isnan(row["lr"]) else f"{row['lr']:g}"
            lines.append(
                f"{'*' if row['front'] else ' '} {row['label']:44}{unit * row['error']:>8.3g} "
                f"{ends:>15}{row['replicas']:>4}"
                f"{row['peak_bytes'] / 1000:>10,.0f}{row['update_forward_passes']:>8.3g}{rate:>9}"
            )
    return "\n".join(lines)


def error_is_share(task: str) -> bool:
    """Whether the error of a task is a share of patterns wrong, and not a distance between numbers."""
    return bool(registry.build_task({"name": task}).patterns().target is None)


def _by_network(finished: pd.DataFrame) -> Any:
    sizes = finished[["algorithm_name", "task.hidden", "task.layers"]].to_numpy()
    named = finished.assign(
        network=["" if name in SINGLE_LAYERS else f"{int(h)}×{int(n)}" for name, h, n in sizes]
    )
    return named.groupby(["task_name", "network", "algorithm_name"], sort=False)


def _kb(row: Any) -> str:
    return f"{row['peak_bytes'] / 1000:,.0f} kB"
