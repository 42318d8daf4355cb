"""The study `shared_weights` in words: digits by shared kernels,
by local ones and by full connections, as many weights each.

The rate of each rule and net is the one with the most validation images right, on average over the replicas
of one seed; what is reported are the test images of the replicas of another seed at that rate, which neither
chose anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.shares import difference, mean, percents, points
from harness.answers.words import several
from harness.core.registry import build_task
from harness.experiment.digits import number
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

    from harness.store.record import Record

Array = Any
TUNED, REPORTED = 1, 2
"""Seeds: what rates are chosen on, and what is told."""
LAYOUTS = {"shared": "shared kernels", "full": "full connections", "local": "a kernel for each place"}


class Reported(NamedTuple):
    """A rule on a net, at its chosen rate."""

    rule: str
    layout: str
    parameters: int
    lr: float
    at_the_end: bool
    """Whether the chosen rate is the smallest or the largest of those tried."""
    wrong: Array
    """Share of the test images wrong (R,)."""


def reported(records: Sequence[Record]) -> list[Reported]:
    """Every rule and net of which the chosen rate was run on the other seed."""
    tuned: dict[tuple[str, str], dict[float, float]] = {}
    told: dict[tuple[str, str, float], Record] = {}
    for record in records:
        task, rule, run = (record.meta[part] for part in ("task", "algorithm", "run"))
        key, lr = (rule["name"], task["layout"]), float(rule["optimiser"]["lr"])
        if run["seed"] == TUNED:
            tuned.setdefault(key, {})[lr] = float(np.mean(record.replicas["validation_right"]))
        elif run["seed"] == REPORTED:
            told[*key, lr] = record
    nets = []
    for (rule, layout), each in tuned.items():
        lr = max(each, key=lambda rate: (each[rate], -rate))
        chosen = told.get((rule, layout, lr))
        if chosen is not None:
            size = build_task(chosen.meta["task"]).network().size
            wrong = 1 - np.asarray(chosen.replicas["held_right"], float)
            nets.append(Reported(rule, layout, size, lr, lr in (min(each), max(each)), wrong))
    return nets


def errors(nets: Sequence[Reported]) -> pd.DataFrame:
    """A row of texts for each rule: test images wrong by each net, with n, and the rates that were chosen."""
    import pandas as pd

    rows: dict[str, dict[str, str]] = {}
    for r in nets:
        row = rows.setdefault(r.rule, {"algorithm": r.rule})
        net = f"{LAYOUTS[r.layout]}, {number(r.parameters)} weights"
        row[f"wrong, {net} [95 %]"] = f"{percents(mean(r.wrong))}, n = {len(r.wrong)}"
        row[f"rate, {r.layout}"] = f"{r.lr:g}" + (" (the last tried)" if r.at_the_end else "")
    return pd.DataFrame(list(rows.values())).fillna("–")


def gap(nets: Sequence[Reported], rule: str, fewer: str = "shared", more: str = "full") -> Interval | None:
    """Test images wrong by one net less those by another,
    replica by replica; None where one of them is not there.
    """
    by = {r.layout: r.wrong for r in nets if r.rule == rule}
    if not {fewer, more} <= by.keys():
        return None
    n = min(len(by[fewer]), len(by[more]))
    return difference(by[fewer][:n], by[more][:n])


def verdicts(nets: Sequence[Reported]) -> list[str]:
    """For each rule whether shared kernels read more test images right
    than full connections; and beside local ones.
    """
    words = {"fewer": "**fewer wrong**", "more": "**more wrong**", "undecided": "**not decided**"}
    sentences = []
    for rule in dict.fromkeys(r.rule for r in nets):
        parts = []
        for other in ("full", "local"):
            interval = gap(nets, rule, "shared", other)
            if interval is not None:
                word = "fewer" if interval.high < 0 else "more" if interval.low > 0 else "undecided"
                parts.append(f"shared kernels beside {LAYOUTS[other]}, {words[word]}, {points(interval)}")
        if parts:
            n = min(len(r.wrong) for r in nets if r.rule == rule)
            sentences.append(f"**{rule}**: {'; '.join(parts)} (pairs of replicas: {n}).")
    return sentences or ["Nothing of seed 2 was run at the rates that seed 1 chose."]


def summary(nets: Sequence[Reported]) -> str:
    """Of which rules shared kernels beat full connections at equal parameters, by whole intervals."""
    side: dict[str, list[str]] = {"better": [], "worse": [], "not decided": []}
    for rule in dict.fromkeys(r.rule for r in nets):
        if (interval := gap(nets, rule)) is not None:
            side["better" if interval.high < 0 else "worse" if interval.low > 0 else "not decided"].append(
                rule
            )
    words = "; ".join(f"{word} by {several(rules)}" for word, rules in side.items() if rules)
    if not any(side.values()):
        return "No rule was run on both nets."
    words = "; ".join(f"{word} by {several(rules)}" for word, rules in side.items() if rules)
    return f"Does shared beat full at equal parameters? {words[:1].upper()}{words[1:]}."


def wrong(reports: Sequence[Reported]) -> dict[str, dict[str, tuple[Array, Interval]]]:
    """By net and rule, the shares of the test images wrong (R,), and their mean with its interval."""
    nets: dict[str, dict[str, tuple[Array, Interval]]] = {}
    for r in reports:
        nets.setdefault(f"{LAYOUTS[r.layout]}, {number(r.parameters)} weights", {})[r.rule] = (
            r.wrong,
            mean(r.wrong),
        )
    return nets
