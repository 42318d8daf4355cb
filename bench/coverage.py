"""How often does each interval of `harness.statistics` hold the truth?

    python -m bench.coverage        # writes the table of docs/statistics.md; minutes on one core

The population is one whose truth is known in closed form, and whose failures are dear. A replica solves its
task with chance p, after a lognormal time of mean 1; else it spends its budget of 50. In a cell of n = 10
with p = .95 there is often no failure to be seen, and yet failures are most of what a success costs. Pairs
set it beside a rule that solves nine in ten; half of the pairs share their luck. The last two rows set a rule
beside its double: what is counted there is how often the two are *not* called different.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable
from math import exp, inf, log
from pathlib import Path
from statistics import NormalDist

import numpy as np

from harness.statistics import (
    Replicas,
    clopper_pearson,
    interquartile_mean,
    logrank,
    paired_difference,
    running_time,
    solved_rate,
    survival,
)

PAGE = Path(__file__).parent.parent / "docs" / "statistics.md"
SIZES, RATES = (10, 20, 40), (0.05, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99)
BUDGET, SPREAD, OTHER, TASKS = 50.0, 0.7, 0.9, 3  # spread of a time's logarithm; the other rule's rate
CELLS, RESAMPLES, PERMUTATIONS = 1000, 400, 199
STRICT = 1 - 0.05 / 23  # the level of 23 rules beside backprop
NORMAL = NormalDist()


def times(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Times to criterion of those that solve the task: lognormal, mean 1."""
    return rng.lognormal(-(SPREAD**2) / 2, SPREAD, shape)


def fraction(rate: float) -> float:
    """The time that this share of them is within."""
    return exp(SPREAD * NORMAL.inv_cdf(rate) - SPREAD**2 / 2)


def spends(rate: float, until: float) -> float:
    """What a replica of this solved rate spends up to `until`, in the mean."""
    z = log(until) / SPREAD + SPREAD / 2
    return rate * (NORMAL.cdf(z - SPREAD) + until * (1 - NORMAL.cdf(z))) + (1 - rate) * until


def cell(rng: np.random.Generator, solved: np.ndarray) -> Replicas:
    """Replicas of these fates (n,)."""
    return Replicas(np.where(solved, times(rng, len(solved)), BUDGET), solved)


def pair(rng: np.random.Generator, n: int, *rates: float) -> list[Replicas]:
    """Two rules on the same n starts, half of which are as lucky or unlucky for both."""
    luck = rng.random(n)
    chances = luck, np.where(rng.random(n) < 0.5, luck, rng.random(n))
    return [cell(rng, chance < rate) for chance, rate in zip(chances, rates, strict=True)]


def one_by_one(rng: np.random.Generator, n: int, rate: float) -> dict[str, bool]:
    """One cell: which intervals hold the truth?"""
    some, seed = cell(rng, rng.random(n) < rate), int(rng.integers(2**32))
    curve, middle = survival(some.time, some.solved), fraction(0.5)
    at = np.searchsorted(curve.time, middle, side="right") - 1
    median = fraction(0.5 / rate) if rate > 0.5 else inf
    cost = running_time(some.time, some.solved, seed=seed, budget=BUDGET, resamples=RESAMPLES)
    ends = solved_rate(some.solved)[1:], clopper_pearson(np.sum(some.solved), n)
    return {
        "solved_rate": holds(ends[0], rate),
        "clopper_pearson": holds(ends[1], rate),
        "running_time": holds(cost[1:], 1 + (1 - rate) / rate * BUDGET),
        "survival": holds((curve.low[at], curve.high[at]), 1 - rate / 2),
        "quantile_interval": holds(curve.quantile_interval(0.5)[1:], median),
    }


def two_by_two(rng: np.random.Generator, n: int, rate: float) -> dict[str, bool]:
    """One pair of cells: which intervals of the difference hold it?"""
    a, b = pair(rng, n, rate, OTHER)
    found = paired_difference(
        a, b, seed=int(rng.integers(2**32)), budgets=(BUDGET, BUDGET), resamples=RESAMPLES
    )
    mean = spends(rate, found.until) - spends(OTHER, found.until)
    ratio = np.log(spends(rate, BUDGET) / rate) - np.log(spends(OTHER, BUDGET) / OTHER)
    return {
        "paired_difference.rate": holds(found.rate[1:], rate - OTHER),
        "paired_difference.restricted_mean": holds(found.restricted_mean[1:], mean),
        "paired_difference.log_ratio": holds(found.log_ratio[1:], ratio),
    }


def of_tasks(rng: np.random.Generator, n: int, rate: float) -> dict[str, bool]:
    """One table of replicas × tasks: is the mean of the population's middle half held?"""
    scores = np.where(rng.random((n, TASKS)) < rate, times(rng, n, TASKS), BUDGET)
    shares = np.linspace(0.25, 0.75, 2001)[:-1] + 0.5 / 4000
    truth = np.mean([fraction(v / rate) if v < rate else BUDGET for v in shares])
    found = interquartile_mean(scores, seed=int(rng.integers(2**32)), resamples=RESAMPLES)
    return {"interquartile_mean": holds(found[1:], truth)}


def doubles(rng: np.random.Generator, n: int, rate: float) -> dict[str, bool]:
    """One rule and its double: are they not called different?"""
    a, b = pair(rng, n, rate, rate)
    seed, strict = int(rng.integers(2**32)), {"level": STRICT, "resamples": 2 * RESAMPLES}
    found = paired_difference(a, b, seed=seed, budgets=(BUDGET, BUDGET), **strict)  # type: ignore[arg-type]
    apart = [cell(rng, rng.random(n) < rate) for _ in range(2)]
    return {
        "log_ratio of doubles": holds(found.log_ratio[1:], 0.0),
        "logrank of doubles": logrank(*apart, seed=seed, permutations=PERMUTATIONS).p > 0.05,
    }


def holds(ends: Iterable[float], truth: float) -> bool:
    """Whether the truth is within, ends included."""
    low, high = ends
    return bool(low - 1e-9 <= truth <= high + 1e-9)


KINDS: tuple[Callable[[np.random.Generator, int, float], dict[str, bool]], ...] = (
    one_by_one,
    two_by_two,
    of_tasks,
    doubles,
)


def covered(n: int, rate: float, cells: int, seed: int = 0) -> dict[str, float]:
    """The share of `cells` made-up cells of n replicas in which each interval holds the truth."""
    rng = np.random.default_rng([seed, n, round(1000 * rate)])
    drawn = [
        {name: held for kind in KINDS for name, held in kind(rng, n, rate).items()} for _ in range(cells)
    ]
    return {name: float(np.mean([each[name] for each in drawn])) for name in drawn[0]}


def table(cells: int) -> str:
    """Coverage in per cent: a row for each interval and n, a column for each solved rate."""
    found = {}
    for n in SIZES:
        for rate in RATES:
            found[n, rate] = covered(n, rate, cells)
            print(f"n = {n}, p = {rate:g}", flush=True)
    lines = [
        f"Per cent of {cells:,} cells in which the interval holds the truth; the standard error of 95 is "
        f"{100 * (0.95 * 0.05 / cells) ** 0.5:.1f}. Level 95 %, except `log_ratio of doubles`, at "
        f"{100 * STRICT:.1f} %. Bootstraps of {RESAMPLES:,} resamples.",
        "",
        "| interval | n | " + " | ".join(f"p = {rate:g}" for rate in RATES) + " |",
        "| --- | ---: |" + " ---: |" * len(RATES),
    ]
    for name in found[SIZES[0], RATES[0]]:
        for n in SIZES:
            row = " | ".join(f"{100 * found[n, rate][name]:.1f}" for rate in RATES)
            lines.append(f"| {name} | {n} | {row} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and put the table into docs/statistics.md."""
    parser = argparse.ArgumentParser(prog="python -m bench.coverage")
    parser.add_argument("--cells", type=int, default=CELLS, help=f"made-up cells a figure ({CELLS:,})")
    text = table(parser.parse_args().cells)
    print(text)
    page = PAGE.read_text(encoding="utf-8")
    filled = re.sub(
        r"(<!-- coverage -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}{text}\n{m[2]}", page, flags=re.S
    )
    PAGE.write_text(filled, encoding="utf-8")


if __name__ == "__main__":
    main()
