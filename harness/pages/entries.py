"""What stands in the table of a study's page: a row's numbers with their intervals, and what its cell is."""

from __future__ import annotations

import math

from harness.experiment.digits import number, significant
from harness.experiment.summary import Summary, rate_text
from harness.pages.markup import Entry
from harness.results.columns import CAPTION, decades_text
from harness.results.row import Row
from harness.statistics import Interval

COLUMNS = (
    *("algorithm", "task", "n", "solved %", "epochs", "ERT", "restarts", "cutoff", "work ÷ backprop"),
    *("peak kB", "angle °", "seconds", "held out %", "diverged", "unsettled %"),
    *("rate", "decades within 2×", "optimiser", "units", "budget"),
)
WORDS = ("algorithm", "task", "optimiser")
"""The columns of words; all others are of numbers."""
NOTE = f"{CAPTION} In brackets below ERT: its 95 % interval, as in the figure."
NOTHING = Entry("")


def entries(row: Row, time: Interval | None) -> dict[str, Entry]:
    """A row by column.

    Args:
        row: of the study's table.
        time: its expected running time in epochs with its interval; None where it is not finished.
    """
    known = {"algorithm": Entry(row.algorithm), "task": Entry(row.task), "optimiser": Entry(row.optimiser)}
    known["rate"] = _entry(f"{row.learning_rate:.3g}", row.learning_rate)
    known["units"] = _entry(number(row.hidden_units), row.hidden_units)
    known["budget"] = _entry(number(row.budget_epochs), row.budget_epochs)
    if row.summary is None:
        return dict.fromkeys(COLUMNS, NOTHING) | known | {"solved %": Entry(row.status)}
    decades, _, interval = decades_text(row).partition(" ")
    known["decades within 2×"] = Entry(decades, interval, row.decades)
    return dict.fromkeys(COLUMNS, NOTHING) | known | _numbers(row.summary, row.work_over_backprop, time)


def _numbers(s: Summary, work: float, time: Interval | None) -> dict[str, Entry]:
    solved, _, interval = rate_text(s).replace(" %", "").partition(" ")
    quartiles = f"[{number(s.epochs_q1)}–{number(s.epochs_q3)}]"
    ends = f"[{_short(time.low)}–{_short(time.high)}]" if time else ""
    return {
        "n": Entry(number(s.replicas), value=s.replicas),
        "solved %": Entry(solved, interval, s.rate),
        "epochs": Entry(number(s.epochs_median), quartiles, s.epochs_median),
        "ERT": Entry(_short(s.ert_epochs), ends, s.ert_epochs),
        "restarts": _entry(_short(s.restart_epochs), s.restart_epochs),
        "cutoff": _entry(number(s.cutoff_epochs), s.cutoff_epochs if s.solved else math.nan),
        "work ÷ backprop": _entry(significant(work), work),
        "peak kB": _entry(significant(s.peak_bytes / 1000), s.peak_bytes),
        "angle °": _entry(f"{s.angle_degrees:.0f}", s.angle_degrees),
        "seconds": _entry(significant(s.seconds_per_1000_replica_epochs), s.seconds_per_1000_replica_epochs),
        "held out %": _entry(f"{100 * s.held_right_mean:.1f}", s.held_right_mean),
        "diverged": Entry(number(s.diverged) if s.diverged else "", value=s.diverged),
        "unsettled %": _entry(significant(100 * s.unsettled_mean), s.unsettled_mean),
    }


def _entry(text: str, value: float) -> Entry:
    return NOTHING if math.isnan(value) else Entry(text, value=value)


def _short(x: float) -> str:
    return number(x) if x >= 10 or x == 0 else significant(x)
