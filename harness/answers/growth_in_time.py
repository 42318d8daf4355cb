"""How memory and work of an update grow with the steps of a sequence and with the units that remember.

Counted and measured on the rules' own code (`harness.cost.sheet`): peak memory beside what an update is
handed, and work, of one sequence; against T with n fixed and against n with T fixed. Beside each exponent
stands the one of theory. There is no chance in either, so an interval says how well a power fits: terms of
lower order, and Python's own objects in a peak, bend the line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.cells.cell import Cell
from harness.cost.growth import AXES, exponent_interval
from harness.cost.sheet import CostSheet, sheet
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

TASK = {"name": "delayed_xor", "lag": 1, "asked": 1, "sequences": 1}
LENGTHS = (64, 128, 256, 512)


class Range(NamedTuple):
    """Where a rule is measured: so that what theory speaks of is the most of it."""

    sizes: tuple[int, ...] = (16, 24, 32, 48, 64)
    """n where that varies."""
    steps: int = 64
    """T there."""
    units: int = 32
    """n where T varies."""


USUAL = Range()
TRACES = Range((64, 96, 128, 192, 256), 16, 128)
"""Of rules whose traces are as many as weights: beside fewer of these the outputs of all steps are more."""
RANGES: Mapping[str, Range] = {"eprop": TRACES, "rflo": TRACES, "uoro": TRACES}
KIND: Mapping[str, str] = {"rflo": "leaky"}
"""The kind of unit of rules that are for one alone; the others have tanh units."""


AMOUNTS: Mapping[str, Callable[[CostSheet], float]] = {
    "memory": lambda s: s.peak_bytes,
    "work": lambda s: s.update.work,
}


class Theory(NamedTuple):
    """Powers of T and of n: of what is held at once, and of the work of a whole sequence."""

    memory_t: int
    memory_n: int
    work_t: int
    work_n: int


STATED: Mapping[str, Theory] = {
    "backprop": Theory(1, 1, 1, 2),
    "bptt": Theory(1, 1, 1, 2),
    "rtrl": Theory(0, 3, 1, 4),
    "snap": Theory(0, 3, 1, 4),
    "eprop": Theory(0, 2, 1, 2),
    "rflo": Theory(0, 2, 1, 2),
    "uoro": Theory(0, 2, 1, 2),
}
"""Williams & Zipser 1995, table 1; Marschall, Cho & Savin 2020, table 1; Menick et al. 2021, table 1, for a
dense influence, which is what masks of entries leave of time and memory. Weights and their credit, n², are
beside the rule's own memory in all of them."""


class Growth(NamedTuple):
    """A rule's exponents: measured beside the stated one."""

    rule: str
    quantity: str
    """memory, or work."""
    size: str
    """T, or n."""
    measured: Interval
    stated: int | None
    low: float
    high: float
    """The quantity at the least size, and at the largest."""


def sheets(
    rule: Mapping[str, object], lengths: Sequence[int] = LENGTHS, among: Range | None = None
) -> dict[str, list[CostSheet]]:
    """The sheets of a rule over T and over n.

    Args:
        rule: its name, and settings if any, as `registry.build_algorithm` takes them.
        lengths: steps T of the sequence.
        among: hidden units n, and the steps and units that are held; the rule's own of `RANGES` if None.
    """
    at = among or RANGES.get(str(rule["name"]), USUAL)

    def of(length: int, hidden: int) -> CostSheet:
        size = {"length": length, "hidden": hidden, "units": KIND.get(str(rule["name"]), "tanh")}
        return sheet(Cell.of(dict(rule), TASK | size, {}))

    return {"T": [of(t, at.units) for t in lengths], "n": [of(at.steps, n) for n in at.sizes]}


def grown(rule: str, found: Mapping[str, Sequence[CostSheet]]) -> list[Growth]:
    """The exponents of memory and work, from the sheets of a rule.

    Args:
        rule: its name, by which theory knows it.
        found: what `sheets` made.
    """
    made = []
    stated = STATED.get(rule)
    for quantity, of in AMOUNTS.items():
        for size, some in found.items():
            y = [float(of(s)) for s in some]
            slope = Interval(*exponent_interval([float(AXES[size](s)) for s in some], y))
            says = getattr(stated, f"{quantity}_{size.lower()}") if stated else None
            made.append(Growth(rule, quantity, size, slope, says, y[0], y[-1]))
    return made


def texts(some: Sequence[Growth]) -> pd.DataFrame:
    """The table for people: a row for each rule, a column for each quantity and size, theory in brackets."""
    import pandas as pd

    rows: dict[str, dict[str, str]] = {}
    for g in some:
        value, low, high = g.measured
        said = f"{g.size}^{value:.2f} [{low:.2f}–{high:.2f}]"
        row = rows.setdefault(g.rule, {"rule": g.rule})
        row[f"{g.quantity} with {g.size}"] = said + ("" if g.stated is None else f", theory {g.stated}")
    return pd.DataFrame(list(rows.values()))


def near(growth: Growth, within: float = 0.25) -> bool:
    """Whether a measured exponent is the stated one, to within so much."""
    return growth.stated is not None and bool(np.abs(growth.measured.value - growth.stated) <= within)


def all_sheets(rules: Sequence[str] = tuple(STATED)) -> dict[str, dict[str, list[CostSheet]]]:
    """The `sheets` of rules at their usual settings, by name. Takes a quarter of a minute."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):  # of small products more of them are slower
        return {rule: sheets({"name": rule}) for rule in rules}


def all_grown(found: Mapping[str, Mapping[str, Sequence[CostSheet]]]) -> list[Growth]:
    """The exponents of all of `all_sheets`."""
    return [g for rule, of in found.items() for g in grown(rule, of)]


def points(found: Mapping[str, Mapping[str, Sequence[CostSheet]]]) -> pd.DataFrame:
    """What `scaling_figure` draws: a row for each rule, quantity, size and its value."""
    import pandas as pd

    rows = []
    for g in all_grown(found):
        for s in found[g.rule][g.size]:
            x, y = AXES[g.size](s), AMOUNTS[g.quantity](s)
            rows.append((g.quantity, g.size, g.rule, x, y, *g.measured, g.stated))
    names = ["quantity", "size", "series", "x", "value", "power", "low_power", "high_power", "stated"]
    return pd.DataFrame(rows, columns=names)
