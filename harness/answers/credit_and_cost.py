"""The study `credit_and_cost` in words: whose credit points along the gradient, and how noisy it is.

What an update costs says `harness.answers.update_costs`. `credit` and `cost` are the frames of
`harness.results`. Of the replicas' quantiles the median is spoken of, with an interval that assumes no
distribution (`harness.answers.middle`). Each cell is looked at twice: before training, and *late*, at the
last look at which at least half of the replicas that had something to compare were still in training. With m
algorithms on a task the intervals are at 1 − .05 / 2m, so that one of them misses, 5 % at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.middle import LESS, MORE, OPEN, beside, median, of_quantiles
from harness.answers.words import brief, each, listed, several
from harness.experiment.digits import number
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

ALL = "total"
RIGHT_ANGLE = 90.0
EXACT = 0.1
"""Degrees up to which a credit is called the gradient itself: differences of the loss are off by rounding."""
LATE = 0.5


class Look(NamedTuple):
    """A median at one epoch."""

    epoch: int
    n: int
    """Replicas that had something to compare."""
    middle: Interval


class Seen(NamedTuple):
    """A quantity of one cell at both looks."""

    task: str
    algorithm: str
    first: Look
    late: Look


def seen(credit: pd.DataFrame, quantity: str, edge: str = ALL) -> list[Seen]:
    """A quantity of every cell before training and late,
    in the order of the frame; cells that never had it are left out.
    """
    some = credit[(credit["quantity"] == quantity) & (credit["edge"] == edge)].sort_values(
        "epoch", kind="stable"
    )
    angles = []
    for _, of_task in some.groupby("task", sort=False):
        cells = [rows[rows["defined"] > 0] for _, rows in of_task.groupby("id", sort=False)]
        cells = [rows for rows in cells if len(rows)]
        level = 1 - 0.05 / (2 * len(cells)) if cells else 0.95
        for rows in cells:
            late = rows[rows["defined"] >= LATE * rows["defined"].iloc[0]]
            looks = [
                Look(int(r.epoch), int(r.defined), of_quantiles(r, level))
                for r in (each(rows)[0], each(late)[-1])
            ]
            angles.append(Seen(rows["task"].iloc[0], rows["algorithm"].iloc[0], *looks))
    place = {
        name: i for i, name in enumerate(dict.fromkeys(zip(credit["task"], credit["algorithm"], strict=True)))
    }
    return sorted(angles, key=lambda s: place[s.task, s.algorithm])


def exact(credit: pd.DataFrame) -> set[tuple[str, str]]:
    """Task and algorithm of the cells whose credit is the gradient itself,
    at every look and in 95 % of the replicas.
    """
    angles = credit[(credit["quantity"] == "angle") & (credit["edge"] == ALL) & (credit["defined"] > 0)]
    worst = angles.groupby(["task", "algorithm"])["q95"].max()
    return {(str(task), str(algorithm)) for task, algorithm in worst[worst < EXACT].index}


def within(credit: pd.DataFrame) -> list[str]:
    """For every task and look, whose credit lies within 90°
    of the gradient in most replicas, and whose beyond.
    """
    same, said = exact(credit), []
    for task, some in _by_task(seen(credit, "angle")):
        itself = [s.algorithm for s in some if (s.task, s.algorithm) in same]
        others = [s for s in some if s.algorithm not in itself]
        parts = [f"the gradient itself: {several(itself)}"] if itself else []
        for when in ("first", "late"):
            looks = {s.algorithm: getattr(s, when) for s in others}
            groups = _grouped(looks, dict.fromkeys(looks, RIGHT_ANGLE))
            words = {LESS: "within 90°", MORE: "beyond 90°", OPEN: "not decided"}
            title = "before training" if when == "first" else "late"
            parts += [
                f"{title} ({_n(looks.values())}), {words[word]}: {several(names)}"
                for word, names in groups
                if names
            ]
        said.append(listed(f"**{task}**, angle of all weights", parts))
    return said


def turned(credit: pd.DataFrame) -> list[str]:
    """For every task, whose credit of the weights into the first hidden
    group turns towards the gradient while it learns.

    It turns where the intervals before training and late do not overlap.
    """
    same, said = exact(credit), []
    for task, edge in first_edges(credit).items():
        some = [
            s
            for s in seen(credit[credit["task"] == task], "angle", edge)
            if (s.task, s.algorithm) not in same
        ]
        groups = _grouped({s.algorithm: s.late for s in some}, {s.algorithm: s.first.middle for s in some})
        known = {s.algorithm: s for s in some}
        words = {LESS: "**towards** the gradient turns", MORE: "**away** from it"}
        texts = [f"{words[w]} {_course(known[n])}" for w, names in groups if w in words for n in names]
        texts += [f"not decided: {several(names)}" for word, names in groups if word == OPEN and names]
        said += [listed(f"**{task}**, {edge}", texts)] if texts else []
    return said


def first_edges(credit: pd.DataFrame) -> dict[str, str]:
    """For every task the name of the edge into its first hidden group: the one that comes first."""
    some = credit[credit["edge"] != ALL]
    return {str(task): str(rows["edge"].iloc[0]) for task, rows in some.groupby("task", sort=False)}


def feedback(credit: pd.DataFrame) -> pd.DataFrame:
    """What a figure of turning shows: that edge alone,
    of credits that have no noise and are not the gradient itself.
    """
    same, edges = exact(credit), first_edges(credit)
    noisy = set(credit.loc[credit["quantity"] == "snr", "id"])
    pairs = zip(credit["task"], credit["algorithm"], credit["edge"], credit["id"], strict=True)
    kept = [
        (task, name) not in same and edges.get(task) == edge and i not in noisy
        for task, name, edge, i in pairs
    ]
    return credit[np.array(kept, bool)]


def noise(credit: pd.DataFrame, cost: pd.DataFrame) -> pd.DataFrame:
    """Credits that draw random numbers, before training:
    task, algorithm, weights d, n, snr (`Interval`), formula 1/(d + 1).

    And late, what of the mean of the draws is not the gradient: bias (`Interval`) at both looks, as bias and
    late.
    """
    import pandas as pd

    weights = {(row.task, row.algorithm): row.weights for row in each(cost)}
    bias = {(s.task, s.algorithm): s for s in seen(credit, "bias")}
    rows = []
    for s in seen(credit, "snr"):
        d, own = float(weights.get((s.task, s.algorithm), np.nan)), bias[s.task, s.algorithm]
        looks = (s.first.n, s.first.middle, 1 / (d + 1), own.first.middle, own.late.middle, own.late.n)
        rows.append((s.task, s.algorithm, d, *looks))
    return pd.DataFrame(
        rows, columns=["task", "algorithm", "weights", "n", "snr", "formula", "bias", "late", "late_n"]
    )


def noise_texts(found: pd.DataFrame) -> pd.DataFrame:
    """The table of `noise` for people."""
    import pandas as pd

    return pd.DataFrame(
        {
            "credit": row.algorithm,
            "task": row.task,
            "signal-to-noise of a draw": median(row.snr),
            "1/(d + 1)": brief(row.formula),
            "bias before training": median(row.bias),
            "late": median(row.late),
            "n": number(row.n) + (f" → {number(row.late_n)}" if row.late_n != row.n else ""),
        }
        for row in each(found)
    )


def noisy(found: pd.DataFrame) -> list[str]:
    """For every task, whose signal-to-noise is above
    or below the forward gradient's 1/(d + 1), and whose mean is biased.
    """
    said = []
    for task, rows in found.groupby("task", sort=False):
        words = {MORE: "above", LESS: "below", OPEN: "not told apart from it"}
        sides = {
            word: [r.algorithm for r in each(rows) if beside(r.snr, r.formula) == word] for word in words
        }
        formula = several([f"1/(d + 1) = {brief(f)} of {number(d)} weights" for f, d in dict.fromkeys(
            zip(rows["formula"], rows["weights"], strict=True))])  # fmt: skip
        said.append(
            f"**{task}**, signal-to-noise before training beside {formula}: "
            + "; ".join(f"{words[word]}: {several(names)}" for word, names in sides.items() if names)
            + "."
        )
        biased = [r for r in each(rows) if MORE in (beside(r.bias, 0.0), beside(r.late, 0.0))]
        names = [f"{r.algorithm} {median(r.bias)} before training, {median(r.late)} late" for r in biased]
        rest = [r.algorithm for r in each(rows) if r.algorithm not in [b.algorithm for b in biased]]
        said.append(f"**{task}**, bias |E g − ∇| ÷ |∇|. Seen: {several(names)}. Not seen: {several(rest)}.")
    return said


def newton(credit: pd.DataFrame) -> list[str]:
    """For every task, whose credit lies nearer to the Gauss–Newton step
    than the gradient does, late, and whose farther.
    """
    same, said = exact(credit), []
    for task, some in _by_task(seen(credit, "newton")):
        base = next((s for s in some if (s.task, s.algorithm) in same), None)
        if base is None:
            continue
        late = {s.algorithm: s.late for s in some if (s.task, s.algorithm) not in same}
        words = {LESS: "nearer to it", MORE: "farther", OPEN: "not decided"}
        groups = _grouped(late, dict.fromkeys(late, base.late.middle))
        texts = [f"{words[word]}: {several(names)}" for word, names in groups if names]
        said.append(
            listed(
                f"**{task}**. The gradient ({base.algorithm}) lies {median(base.first.middle)}° "
                "from the Gauss–Newton step before training and "
                f"{median(base.late.middle)}° late (epoch {number(base.late.epoch)}, n = {base.late.n}). "
                "Late",
                texts or ["no other was looked at"],
            )
        )
    return said


def angle_texts(credit: pd.DataFrame) -> pd.DataFrame:
    """The table of angles for people, before training → late:
    all weights, first hidden group, Gauss–Newton step.
    """
    import pandas as pd

    columns = {
        "all weights": seen(credit, "angle"),
        "into the first hidden group": [],
        "to the Gauss–Newton step": seen(credit, "newton"),
    }
    for task, edge in first_edges(credit).items():
        columns["into the first hidden group"] += seen(credit[credit["task"] == task], "angle", edge)
    of = {name: {(s.task, s.algorithm): s for s in some} for name, some in columns.items()}
    rows = []
    for s in columns["all weights"]:
        n = number(s.first.n) + (
            f" → {number(s.late.n)} (epoch {number(s.late.epoch)})" if s.late.epoch else ""
        )
        angles = {name: _angles(some.get((s.task, s.algorithm))) for name, some in of.items()}
        rows.append({"credit": s.algorithm, "task": s.task} | angles | {"n": n})
    return pd.DataFrame(rows)


def _by_task(some: Sequence[Seen]) -> Iterator[tuple[str, list[Seen]]]:
    for task in dict.fromkeys(s.task for s in some):
        yield task, [s for s in some if s.task == task]


def _grouped(
    looks: Mapping[str, Look], others: Mapping[str, float | Interval]
) -> list[tuple[str, list[str]]]:
    sides = {name: beside(look.middle, others[name]) for name, look in looks.items()}
    return [(word, [name for name, side in sides.items() if side == word]) for word in (LESS, MORE, OPEN)]


def _angles(s: Seen | None) -> str:
    return f"{median(s.first.middle)} → {median(s.late.middle)}" if s else "–"


def _course(s: Seen) -> str:
    n = f"n = {s.first.n}" + (f" → {s.late.n}" if s.late.n != s.first.n else "")
    return (
        f"{s.algorithm} {median(s.first.middle)}° → {median(s.late.middle)}° "
        f"at epoch {number(s.late.epoch)} ({n})"
    )


def _n(looks: Any) -> str:
    n = sorted({look.n for look in looks})
    return f"n = {n[0]}" + (f" to {n[-1]}" if len(n) > 1 else "")
