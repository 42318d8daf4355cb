"""The columns of a table for people: what each is called, what it means, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from harness.experiment.digits import number, significant
from harness.experiment.summary import median_text, rate_text
from harness.results.row import Row

CAPTION = (
    "Rate: the rule's own learning rate. Optimiser: what takes the steps, momentum with its α; own: the rule "
    "does. Units: hidden units that the rule learns with; a rule whose own are not those of the task's "
    "network says so in its name. n: replicas (independent networks), all of which count. Solved: "
    "per cent of them, with its 95 % Wilson interval. Epochs: sweeps to the criterion, median [quartiles] "
    "of the Kaplan-Meier curve; unsolved replicas are right-censored, ∞ is never reached. Budget: the most "
    "epochs a replica may run; where passes are given, settling is charged at the most steps that it may "
    "take, and its work at those it took. ERT: expected running time in epochs, what all replicas spent, "
    "failures included, ÷ number solved. Restarts: the same where every try is given up at the best cutoff "
    "and begun "
    "afresh, the cutoff chosen on other replicas than it is applied to; cutoff: the best one over all. "
    "Work: expected FLOPs with restarts, counted from the code, as a multiple of backprop's on the same "
    "task in this study, over the replicas that both have. Peak: the most memory an update holds at once "
    "beside what it was handed, per network, in kB. Angle: of one draw of its credit to the exact gradient "
    "(of the loss; of the likelihood for Boltzmann machines), in degrees, median over replicas and probed "
    "epochs; none where the weights are not those of the task's network. Seconds: time of updates per 1,000 "
    "epochs of one replica. Held out: mean per cent of held-out patterns right at the end. Diverged: "
    "replicas that ran off to infinity, among the unsolved for good. Unsettled: of rules that settle "
    "the mean per cent of phases not at rest when their steps were spent. Decades within 2×: of the learning "
    "rate, in which a success costs at most twice what it costs at the best rate, with restarts, over the "
    "rates that were run with all else alike [95 %]; for tuned settings those of the study sensitivity, all "
    "else as usual."
)
SHORT = (
    "All n replicas count; [95 %] by Wilson; ∞: never reached; ERT: epochs spent ÷ number solved. "
    "What each column is: table.md"
)
HEADER = (
    "algorithm",
    "rate",
    "optimiser",
    "units",
    "n",
    "solved %\n[95 %]",
    "epochs\n[quartiles]",
    "budget",
    "ERT",
    "restarts",
    "cutoff",
    "work ÷\nbackprop",
    "peak\nkB",
    "angle\n°",
    "seconds",
    "held\nout %",
    "diverged",
    "unsettled\n%",
    "decades\nwithin 2×",
)
USES = (1, 10, 1000)  # among which a search for settings is shared
# on a narrow terminal, the first ones first
SPARED = tuple(
    HEADER.index(name)
    for name in (
        "peak\nkB",
        "seconds",
        "optimiser",
        "units",
        "decades\nwithin 2×",
        "unsettled\n%",
        "cutoff",
        "budget",
        "rate",
        "angle\n°",
        "work ÷\nbackprop",
        "restarts",
    )
)


def row_texts(row: Row) -> list[str]:
    """The cells of a row below `HEADER`."""
    s = row.summary
    settings = [
        row.algorithm,
        _or_none(row.learning_rate, lambda rate: f"{rate:.3g}"),
        row.optimiser,
        _or_none(row.hidden_units, number),
    ]
    if s is None:
        return [*settings, "", row.status, *[""] * (len(HEADER) - len(settings) - 2)]
    return [
        *settings,
        number(s.replicas),
        rate_text(s).replace(" %", ""),
        median_text(s),
        _or_none(row.budget_epochs, number),
        number(s.ert_epochs),
        _or_none(s.restart_epochs, number),
        _or_none(s.cutoff_epochs, number) if np.isfinite(s.cutoff_epochs) else "",
        _or_none(row.work_over_backprop, significant),
        _or_none(s.peak_bytes / 1000, significant),
        _or_none(s.angle_degrees, lambda angle: f"{angle:.0f}"),
        significant(s.seconds_per_1000_replica_epochs),
        _or_none(100 * s.held_right_mean, lambda share: f"{share:.1f}"),
        number(s.diverged) if s.diverged else "",
        _or_none(100 * s.unsettled_mean, significant),
        decades_text(row),
    ]


def decades_text(row: Row) -> str:
    """The decades of its rate with their interval: 0.94 [0.34–1.3]; none where no rate solves the task."""
    if np.isnan(row.decades):
        return ""
    return f"{significant(row.decades)} [{significant(row.decades_low)}–{significant(row.decades_high)}]"


def prices(rows: Sequence[Row]) -> list[str]:
    """What a success costs where the search for its settings is paid for, in markdown; nothing of rows that
    have no tuned ones.
    """
    tuned = [(row, row.summary) for row in rows if row.summary and np.isfinite(row.tuning_flops)]
    if not tuned:
        return []
    lines = [
        "Paid for with the search that found the settings, in MFLOP a success, where it serves so many:",
        "",
        f"| algorithm | search, GFLOP | {' | '.join(f'{uses:,}' for uses in USES)} | any number |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row, s in sorted(tuned, key=lambda pair: pair[1].restart_flops + pair[0].tuning_flops / 10):
        shared = (s.restart_flops + row.tuning_flops / uses for uses in USES)
        numbers = [row.tuning_flops / 1e9, *(flops / 1e6 for flops in (*shared, s.restart_flops))]
        lines.append(f"| {row.algorithm} | {' | '.join(map(significant, numbers))} |")
    return ["\n".join(lines)]


def used_columns(rows: Sequence[Sequence[str]]) -> list[int]:
    """The columns after the first that say something: nobody needs an empty one."""
    return [i for i in range(1, len(HEADER)) if any(row[i] for row in rows)]


def _or_none(value: float, text: Callable[[float], str]) -> str:
    return "" if np.isnan(value) else text(value)
