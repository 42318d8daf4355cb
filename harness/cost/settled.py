"""What settling costs: counted at the most steps it may take, and then for the steps that it took.

A count is of one update on the values of one network; how many steps a network takes to come to rest is
another number in every update. So the loops of `harness.settle` are counted at their cap, and apart from the
rest; a record has the work of the steps that were taken in the mean over its updates, and the cap beside it.
All steps are taken at a tolerance of 0, where nothing is counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.core.readings import Reading
from harness.core.settling import Rest, Settled, Step, begun, furthest
from harness.core.tree import leaves, rebuilt
from harness.cost.arrays import Tracked
from harness.cost.ledger import Ledger

Array = Any


class Counting(Reading):
    """Plain expressions, with what settles counted apart."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.settling = ledger, Counter[str]()

    def settle(self, most: int, step: Step, state: Any, around: Any, rest: Rest) -> Settled:
        before, at, taken = counts(self.ledger), begun(state), 0
        for i in range(1, most + 1):
            new = step(at.state, around)
            after = at._replace(state=new, moved=furthest(new, at.state))
            small = bool((after.moved <= rest.tolerance).all())  # the test of a step
            at = left(at, after) if taken else after
            taken = taken or i * (small and i >= rest.least)
        at = at._replace(steps=at.steps + float(taken or most))
        self.settling.update(counts(self.ledger) - before)
        self.settling.update({"phases": 1, "steps": most})
        return at


class OneForAll(Counting):
    """Operations alone, and of what settles no more steps than it takes to know what all of them take.

    Shapes decide what is counted, and a step returns those that it was handed: one after which no array more
    is a counted one is as all that follow. Where it branches on values, all are taken.
    """

    def settle(self, most: int, step: Step, state: Any, around: Any, rest: Rest) -> Settled:
        at, flops = begun(state), self.ledger.flops
        for i in range(1, most + 1):
            before, branches = flops.copy(), self.ledger.branches
            new = step(at.state, around)
            after = at._replace(state=new, moved=furthest(new, at.state))
            (after.moved <= rest.tolerance).all()  # the test of a step
            steady, at = tracked(after) == tracked(at) and self.ledger.branches == branches, after
            if steady:
                for kind, each in (flops - before).items():
                    flops[kind] += (most - i) * each
                break
        return at._replace(steps=at.steps + float(most))


def tracked(at: Settled) -> list[bool]:
    """Which arrays are counted ones: what nothing handed in went into is not."""
    return [isinstance(a, Tracked) for _, a in leaves(at)]


def left(at: Settled, after: Settled) -> Settled:
    """The values of `at`, behind the chain of operations that goes on to `after`."""

    def moved(a: Any, b: Any) -> Tracked:
        return Tracked(a.values, b.ledger, b.span, b.log_span)

    return rebuilt(after, [moved(a, b) for (_, a), (_, b) in zip(leaves(at), leaves(after), strict=True)])


def counts(ledger: Ledger) -> Counter[str]:
    """The numbers of a ledger by name; what a chain is longer by stands for its length."""
    numbers = ("multiply_adds", "effective_multiply_adds", "span", "log_span", "bytes_read", "bytes_written")
    return Counter({"work": ledger.work, **ledger.flops, **{name: getattr(ledger, name) for name in numbers}})


def as_run(cost: Mapping[str, Any], columns: Mapping[str, Array]) -> dict[str, Any]:
    """The cost of an update with the steps of settling that were taken; as it is, where nothing settles.

    Args:
        cost: `CostSheet.numbers`, counted at the cap.
        columns: per replica, as `Result.columns`; settling_steps are steps a phase, in the mean.

    Returns:
        The same numbers, those of an update lessened by the share of steps that were not needed;
        `settling.at_most` is its work at the cap.
    """
    if "settling.phases" not in cost or "settling_steps" not in columns:
        return dict(cost)
    updates = np.asarray(columns["updates"], float)
    steps = np.asarray(columns["settling_steps"], float)
    taken = float(np.average(steps, weights=updates if updates.any() else None)) * cost["settling.phases"]
    spared = 1.0 - taken / cost["settling.steps"]
    less = {
        f"update.{name}": cost[f"update.{name}"] - spared * cost[f"settling.{name}"]
        for name in (key.partition(".")[2] for key in cost if key.startswith("settling."))
        if f"update.{name}" in cost
    }
    return {**cost, **less, "settling.at_most": cost["update.work"]}
