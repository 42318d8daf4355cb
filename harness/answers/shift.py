"""The study `shift` in words: do networks at flat minima lose less when the traffic changes after training?

Of every trained network: how sharp its end is, by the largest eigenvalue and by the trace of the Hessian of
E a
pattern (`harness.credit.sharpness`), over every fourth hour of the training weeks, since hours beside
each
other are nearly the same; and what its NRMSE on the held-out weeks rises by when these are changed
(`harness.inspection.shifted`). Within rules the unit is a network; across rules it is a rule with all its
networks, given the NRMSE before, since who forecasts badly has less to lose. A positive ρ: the sharper, the
more
is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.middle import median, of_values
from harness.answers.words import brief, correlation, few, listed, n_of, several
from harness.core.batch import Batch
from harness.core.errors import InputError
from harness.core.outcomes import fates
from harness.credit import sharpness
from harness.experiment.digits import number
from harness.inspection import shifted
from harness.inspection.shifted import Shift
from harness.results import trained_networks
from harness.statistics import Interval, rank_correlation

if TYPE_CHECKING:
    import pandas as pd

    from harness.results.trained_networks import Networks
    from harness.store.record import Record

Array = Any
STRIDE, DRAWS = 4, 10
MEASURES = {"largest": "largest eigenvalue", "trace": "trace"}
WITHIN, ACROSS = "within rules", "across rules, given the NRMSE before"


class Kept(NamedTuple):
    """The trained networks of a rule, R of them."""

    rule: str
    before: Array
    """NRMSE on the held-out weeks (R,), and what it rises by under each shift (R,)."""
    lost: dict[str, Array]
    sharp: dict[str, Array]
    """By `MEASURES`, of E a pattern (R,)."""
    spread: float
    """Median over networks of the half interval of a trace, as a share of it."""
    diverged: int


class Found(NamedTuple):
    """A rank correlation of a sharpness with a loss."""

    measure: str
    shift: str
    over: str
    """`WITHIN` or `ACROSS`."""
    rho: Interval
    n: int
    rules: int


class Read(NamedTuple):
    """What could be read of a study."""

    kept: list[Kept]
    left_out: list[str]
    """Rules whose weights are not those of the task's network."""


def of(records: Iterable[Record]) -> Read:
    """The networks of all cells, and who has none that can be compared."""
    kept, left_out = [], []
    for record in records:
        rule = record.meta["algorithm"]["name"]
        try:
            nets = trained_networks.of(record)
            diverged = fates(record.replicas).diverged
        except InputError:  # it has other weights than the task's network
            left_out.append(rule)
            continue
        kept.append(measured(rule, nets.chosen(~diverged), int(diverged.sum())))
    return Read(kept, left_out)


def measured(rule: str, some: Networks, diverged: int, shifts: Sequence[Shift] = shifted.USUAL) -> Kept:
    """How sharp the ends of networks on traffic are, and what these lose; others of the rule diverged."""
    task, net = some.task, some.net
    batch, forecasts = thinned(some.batch()), {}
    for shift in (None, *shifts):
        x, target = shifted.held_out(task, shift)  # type: ignore[arg-type]  # a study of traffic alone
        forecasts[shift] = shifted.nrmse(net.respond(some.params, x), target)
    before = forecasts.pop(None)
    lost = {shift.name: after - before for shift, after in forecasts.items() if shift}
    drawn = sharpness.traces(net, some.params, batch, DRAWS, seed=0) / batch.patterns
    traces = [sharpness.trace(row) for row in drawn]
    largest = sharpness.largest(net, some.params, batch) / batch.patterns
    sharp = {"largest": largest, "trace": np.array([t.value for t in traces])}
    half = [(float(t.high) - float(t.low)) / 2 / abs(float(t.value)) for t in traces]
    spread = float(np.median(half)) if half else float("nan")
    return Kept(rule, before, lost, sharp, spread, diverged)


def thinned(batch: Batch) -> Batch:
    """Every fourth pattern."""
    x, target, wanted = (a[..., ::STRIDE, :] for a in (batch.x, batch.target, batch.wanted))
    return batch._replace(x=x, target=target, wanted=wanted)


def associations(kept: Sequence[Kept]) -> list[Found]:
    """Every sharpness with every loss, within rules and across them; intervals at 1 − .05 / m for all m."""
    if not kept:
        return []
    rule = np.concatenate([np.full(len(k.before), i) for i, k in enumerate(kept)])
    before = np.concatenate([k.before for k in kept])
    names, n = list(kept[0].lost), len(before)
    if n < 2:
        return []
    level = 1 - 0.05 / (len(MEASURES) * len(names) * 2)
    found = []
    for measure in MEASURES:
        x = np.concatenate([k.sharp[measure] for k in kept])
        for name in names:
            y = np.concatenate([k.lost[name] for k in kept])
            within = rank_correlation(x, y, unit=np.arange(n), task=rule, seed=0, level=level)
            across = rank_correlation(x, y, unit=rule, given=before, seed=0, level=level)
            for over, rho in ((WITHIN, within), (ACROSS, across)):
                found.append(Found(measure, name, over, rho, n, len(kept)))
    return found


def said(read: Read, found: Sequence[Found]) -> list[str]:
    """What the shifts cost, whether sharpness goes with that, and who was left out."""
    if not read.kept:
        return ["No trained network was looked at."]
    shifts = list(read.kept[0].lost)
    parts = []
    for name in shifts:
        all_of = np.concatenate([k.lost[name] for k in read.kept])
        parts.append(f"{name}: {median(of_values(all_of))}")
    before = np.concatenate([k.before for k in read.kept])
    head = (
        "**What does a change cost?** The NRMSE on the held-out weeks, in the median over "
        f"{number(len(before))} networks {median(of_values(before))}, rises by"
    )
    sentences = [listed(head, parts)]
    for over in (WITHIN, ACROSS):
        own = [f for f in found if f.over == over]
        texts = [f"{MEASURES[f.measure]}, {f.shift}: {correlation(f.rho)}" for f in own]
        what = (
            f"**Do flat minima keep better, {over}?** Spearman's ρ of sharpness with what is lost "
            "[95 % of all]"
        )
        sentences.append(listed(f"{what}, n = {number(own[0].n)} networks of {own[0].rules} rules", texts))
    worst = max(k.spread for k in read.kept)
    sentences.append(
        f"A trace is the mean of {DRAWS} draws: its own 95 % interval reaches ± {brief(100 * worst)} % of "
        f"it at "
        "most, in the median over a rule's networks."
    )
    gone = [f"{k.rule} {number(k.diverged)}" for k in read.kept if k.diverged]
    if gone:
        sentences.append(f"Networks that diverged have no minimum, and are left out: {few(gone)}.")
    if read.left_out:
        names = several(read.left_out)
        sentences.append(f"Left out, since their weights are not those of the task's network: {names}.")
    return sentences


def texts(kept: Sequence[Kept]) -> pd.DataFrame:
    """The table for people: medians over the networks of each rule, the flattest first."""
    import pandas as pd

    rows = [
        {
            "rule": k.rule,
            "networks": number(len(k.before)),
            "largest eigenvalue": median(of_values(k.sharp["largest"])),
            "trace": median(of_values(k.sharp["trace"])),
            "NRMSE": median(of_values(k.before)),
        }
        | {f"rises, {name}": median(of_values(lost)) for name, lost in k.lost.items()}
        for k in sorted(kept, key=lambda k: float(np.median(k.sharp["largest"])) if len(k.before) else np.inf)
    ]
    return pd.DataFrame(rows)


def drawn(kept: Sequence[Kept]) -> pd.DataFrame:
    """What `shift_figure` draws: a row for each network and shift. Raises `InputError` where there is
    none."""
    import pandas as pd

    rows = [
        pd.DataFrame({"shift": name, "rule": k.rule, "sharpness": k.sharp["largest"], "lost": lost})
        for k in kept
        for name, lost in k.lost.items()
        if len(lost)
    ]
    if not rows:
        raise InputError("no trained network was looked at: there is nothing to draw")
    return pd.concat(rows, ignore_index=True)


def decided(found: Sequence[Found], over: str) -> tuple[list[Found], list[Found], list[Found]]:
    """Those in which flat minima keep better, in which sharp ones do, and that are not decided."""
    own = [f for f in found if f.over == over]
    better, worse = [f for f in own if f.rho.low > 0], [f for f in own if f.rho.high < 0]
    return better, worse, [f for f in own if f not in better and f not in worse]


def n_networks(kept: Sequence[Kept]) -> str:
    """How many networks a rule has: n = 50."""
    return n_of(len(k.before) for k in kept)
