"""The study `optimisers` in words: does momentum or Adam help a rule, and does it change the order of rules?

`cells` and `replicas` are the frames of `harness.results`. The cells of a rule on a task that differ in
nothing but the rate of one optimiser are one `Tried`: its best rate, and cutoff, are chosen on one half of
the replicas, and what a success costs with them is read from the other (`harness.statistics.best_setting`),
in FLOPs. With m comparisons on a task the intervals are at 1 − .05 / m, so that one of them misses, 5 % at
most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.answers.middle import LESS, MORE, OPEN, beside, median, of_values
from harness.answers.words import amount, brief, correlation, listed, several
from harness.core.outcomes import fates
from harness.experiment.digits import number
from harness.results.asked import OWN
from harness.statistics import (
    Best,
    Interval,
    Replicas,
    best_ratio,
    best_setting,
    resampled_best,
    tau_interval,
)

if TYPE_CHECKING:
    import pandas as pd

PLAIN = "gradient descent"
RESAMPLES = 1000
T = TypeVar("T", "Tried", "Beside")


class Tried(NamedTuple):
    """A rule on a task with one optimiser, at all its rates."""

    task: str
    rule: str
    optimiser: str
    rates: tuple[float, ...]
    replicas: tuple[Replicas, ...]
    price: float
    """FLOPs of an epoch."""
    budget: float
    """Most epochs of a replica."""
    found: Best

    @property
    def n(self) -> int:
        """Replicas at each rate."""
        return len(self.found.side.time)

    @property
    def cost(self) -> Interval:
        """FLOPs of a success at the best rate; ∞ is never."""
        return self.found.time

    @property
    def best(self) -> float:
        """The best rate over all replicas; NaN where none solves the task."""
        return self.rates[self.found.best] if self.found.best >= 0 else np.nan

    @property
    def edge(self) -> str:
        """Where the best rate ends the grid: `lowest`, `highest`, or ''."""
        last = len(self.rates) - 1
        return {0: "lowest", last: "highest"}.get(self.found.best, "")


class Beside(NamedTuple):
    """An optimiser beside plain steps, both at their best rates."""

    task: str
    rule: str
    optimiser: str
    ratio: Interval
    """Work of a success ÷ that with plain steps; NaN where neither solves the task."""


class Order(NamedTuple):
    """How two optimisers rank the rules on a task."""

    task: str
    one: str
    other: str
    tau: Interval
    rules: int


def tried(cells: pd.DataFrame, replicas: pd.DataFrame) -> list[Tried]:
    """Every rule on every task with every optimiser that was run at two rates or more, in order; a rule that
    takes its steps itself is left out.
    """
    some = cells[(cells["replicas"] > 0) & np.isfinite(cells["epoch_flops"].to_numpy(float))]
    some = some[some["optimiser"] != OWN]
    own = {str(i): rows for i, rows in replicas.groupby("id", sort=False)}
    made = []
    for (task, rule, optimiser), rows in some.groupby(["task", "algorithm_name", "optimiser"], sort=False):
        at = rows.drop_duplicates("learning_rate").sort_values("learning_rate")
        if len(at) < 2:
            continue
        sides = tuple(_replicas(own[str(i)]) for i in at["id"])
        price = float(at["epoch_flops"].iloc[0])
        budget = float(own[str(at["id"].iloc[0])]["budget_epochs"].max())
        found = best_setting(sides, seed=0, price=price, budget=budget, resamples=RESAMPLES)
        rates = tuple(at["learning_rate"].astype(float))
        made.append(Tried(str(task), str(rule), str(optimiser), rates, sides, price, budget, found))
    return made


def _replicas(rows: pd.DataFrame) -> Replicas:
    became = fates(rows)
    return Replicas(rows["epochs"].to_numpy(float), became.solved, became.diverged)


def besides(some: Sequence[Tried]) -> list[Beside]:
    """Every other optimiser of a rule beside its plain steps, with as many rates and replicas."""
    made = []
    for task, own in _by_task(some):
        pairs = [(plain, other) for plain in own if plain.optimiser == PLAIN for other in own]
        pairs = [(p, o) for p, o in pairs if o.rule == p.rule and o is not p]
        level = 1 - 0.05 / max(len(pairs), 1)
        for plain, other in pairs:
            ratio = best_ratio(
                other.replicas,
                plain.replicas,
                seed=0,
                prices=(other.price, plain.price),
                budgets=(other.budget, plain.budget),
                level=level,
                resamples=RESAMPLES,
            )
            made.append(Beside(task, other.rule, other.optimiser, ratio))
    return made


def orders(some: Sequence[Tried]) -> list[Order]:
    """Kendall's τ of the costs of the rules that both have, for every two optimisers on every task."""
    ways = [
        (task, own, *pair)
        for task, own in _by_task(some)
        for pair in combinations(dict.fromkeys(t.optimiser for t in own), 2)
    ]
    made = []
    for task, own, one, other in ways:
        of = {(t.rule, t.optimiser): t for t in own}
        rules = [t.rule for t in own if t.optimiser == one and (t.rule, other) in of]
        if not rules:
            continue
        costs = [[float(of[rule, name].cost.value) for rule in rules] for name in (one, other)]
        drawn = [
            np.column_stack([_drawn(of[rule, name], i) for i, rule in enumerate(rules)])
            for name in (one, other)
        ]
        level = 1 - 0.05 / len(ways)
        tau = tau_interval(costs[0], costs[1], (drawn[0], drawn[1]), seed=0, level=level)
        made.append(Order(task, one, other, tau, len(rules)))
    return made


def _drawn(of: Tried, seed: int) -> NDArray[Any]:
    """Under one seed for all optimisers of a rule: they start from the same weights."""
    return resampled_best(of.found, seed=seed, resamples=RESAMPLES)


def said(some: Sequence[Tried], pairs: Sequence[Beside], ranks: Sequence[Order]) -> list[str]:
    """The three conclusions: whom it helps, whether the order stays, and what the choice is worth."""
    return [helps(some, pairs), order(some, ranks), worth(some)]


def helps(some: Sequence[Tried], pairs: Sequence[Beside]) -> str:
    """For whom a success costs less than with plain steps, for whom more, by whole intervals."""
    parts = []
    for task, own in _by_task(pairs):
        for optimiser in dict.fromkeys(p.optimiser for p in own):
            these = [p for p in own if p.optimiser == optimiser]
            known = [p for p in these if not np.isnan(p.ratio.value)]
            sides = [beside(p.ratio, 1.0) for p in known]
            words = {LESS: "less for", MORE: "more for"}
            texts = [f"{word} {_chosen(known, sides, side)}" for side, word in words.items() if side in sides]
            texts += [f"not decided for {sides.count(OPEN)} of {len(known)}"] if OPEN in sides else []
            never = [p.rule for p in these if np.isnan(p.ratio.value)]
            texts += [f"neither solves it for {several(never)}"] if never else []
            parts += [f"on {task} {optimiser}: {text}" for text in texts]
    return listed(
        "**Does momentum or Adam help, each at its own best rate?** Work of a success ÷ that with plain "
        f"steps, from {_n(some)}",
        parts or ["there is nothing to compare"],
    )


def _chosen(some: Sequence[Beside], sides: Sequence[str], side: str) -> str:
    return several([f"{p.rule} ×{amount(p.ratio)}" for p, s in zip(some, sides, strict=True) if s == side])


def order(some: Sequence[Tried], ranks: Sequence[Order]) -> str:
    """Whether two optimisers rank the rules alike, and who is cheapest under each."""
    parts = []
    for task, own in _by_task(some):
        here = [r for r in ranks if r.task == task]
        texts = [f"{r.one} and {r.other} {correlation(r.tau)} of {r.rules}" for r in here]
        first = {
            optimiser: min((t for t in own if t.optimiser == optimiser), key=lambda t: float(t.cost.value))
            for optimiser in dict.fromkeys(t.optimiser for t in own)
        }
        solving = [f"{t.rule} ({o})" for o, t in first.items() if np.isfinite(t.cost.value)]
        parts += [f"on {task} {text}" for text in texts or ["there is one optimiser"]]
        parts.append(f"on {task} cheapest: {several(solving)}")
    alike = sum(r.tau.low > 0 for r in ranks)
    return listed(
        f"**Does it change the order of the rules?** Of {len(ranks)} pairs of optimisers {alike} rank them "
        "alike by the whole interval. Kendall's τ of the work of a success over the rules that both have",
        parts,
    )


def worth(some: Sequence[Tried]) -> str:
    """What the dearest optimiser of a rule costs beside the cheapest, and where a better rate may lie."""
    parts = []
    for task, own in _by_task(some):
        costs: dict[str, list[float]] = {}
        for t in own:
            costs.setdefault(t.rule, []).append(float(t.cost.value))
        solving = {rule: values for rule, values in costs.items() if np.isfinite(values).any()}
        ratios = [max(values) / min(values) for values in solving.values() if len(values) > 1]
        if not ratios:
            continue
        middle, never = of_values(ratios), int(np.isinf(ratios).sum())
        price = f"×{median(middle)}" if np.isfinite(middle.value) else "never a success"
        parts.append(f"on {task} {price} (never for {never} of {len(ratios)} rules)")
    ends = [f"{t.rule} on {t.task}, {t.optimiser} ({t.edge})" for t in some if t.edge]
    parts += [f"best at an end of the grid: {end}" for end in ends]
    return listed(
        "**What is the choice worth?** The dearest optimiser costs a rule, as a multiple of the cheapest, in "
        "the median over rules [95 %]",
        parts or ["no rule solves anything"],
    )


def texts(some: Sequence[Tried], pairs: Sequence[Beside]) -> pd.DataFrame:
    """The table for people: MFLOP of a success at the best rate of each optimiser, and beside plain steps."""
    import pandas as pd

    rows: dict[tuple[str, str], dict[str, str]] = {}
    for t in some:
        row = rows.setdefault((t.task, t.rule), {"task": t.task, "rule": t.rule})
        mega = Interval(*(float(x) / 1e6 for x in t.cost))
        row[f"{t.optimiser}, MFLOP"] = f"{amount(mega)} at {brief(t.best)}" if t.found.best >= 0 else "∞"
    for p in pairs:
        rows[p.task, p.rule][f"{p.optimiser} ÷ plain"] = amount(p.ratio)
    return pd.DataFrame(list(rows.values())).fillna("–")


def points(some: Sequence[Tried]) -> pd.DataFrame:
    """What `optimiser_figure` draws: a row for each rule, task and optimiser, its cost with ends, and n."""
    import pandas as pd

    return pd.DataFrame(
        {"rule": t.rule, "task": t.task, "optimiser": t.optimiser, "n": t.n}
        | dict(zip(("cost", "low", "high"), map(float, t.cost), strict=True))
        for t in some
    )


def _by_task(some: Sequence[T]) -> Iterator[tuple[str, list[T]]]:
    for task in dict.fromkeys(t.task for t in some):
        yield task, [t for t in some if t.task == task]


def _n(some: Sequence[Tried]) -> str:
    n, rates = sorted({t.n for t in some}), sorted({len(t.rates) for t in some})
    most = f" to {number(n[-1])}" if len(n) > 1 else ""
    return f"{number(n[0])}{most} networks at each of {' or '.join(map(str, rates))} rates" if n else "none"
