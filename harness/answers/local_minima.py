"""The study `local_minima` in words: how many starts on XOR get stuck, and where.

A replica is *stuck* if its budget of epochs was spent and the task is not solved. PDP vol. 1 ch. 8,
pp. 331-332.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.shares import share
from harness.answers.words import brief, listed, several
from harness.core.outcomes import fates
from harness.experiment.digits import number, percent
from harness.inspection import ends as minima
from harness.inspection.ends import Kind
from harness.results import trained_networks as networks
from harness.results.trained_networks import Networks
from harness.statistics import wilson

if TYPE_CHECKING:
    import pandas as pd

    from harness.store.record import Record

Array = Any
NEAR = 0.15
"""Outputs that differ by at most this from those printed are of PDP's kind. That kind runs to (0, ½, 1, ½),
.10 away from the printed ones; the nearest other that XOR has, (0, ⅔, ⅔, ⅔), is .23 away."""
GAIN = 0.01
"""Share of E that a slope must promise for another budget of epochs, to be one that training still goes down.
"""
PRINTED_RATE = 0.25
MET = (2, 200)
"""PDP, p. 332: a local minimum was met in two cases of hundreds of runs, so in at most two of two hundred."""
STILL, SLIDING, SADDLE = "still", "sliding", "saddle"
MOST = 5


class Start(NamedTuple):
    """What decides from which weights training starts."""

    scale: float
    hidden: int


class About(NamedTuple):
    """A cell."""

    id: str
    name: str
    """What tells it from others of the study."""
    start: Start
    printed: bool
    """Whether it learns as PDP's did: backpropagation at η = .25 in full batches."""
    noisy: bool
    """Whether where training goes next is left to chance."""
    replicas: int
    diverged: int


class Ends(NamedTuple):
    """Where the stuck replicas of a cell ended: first of all, the fields of `About`."""

    id: str
    name: str
    start: Start
    printed: bool
    noisy: bool
    replicas: int
    diverged: int
    stuck: Networks
    outputs: Array
    """Of the stuck networks (S, 4), for 00, 01, 10, 11."""
    kinds: list[Kind]
    pdp: Array
    """Which of them are of the kind of PDP's Fig. 5, (S,)."""
    slope: Array
    """|∂E/∂w| (S,), and the least eigenvalue of the Hessian (S,)."""
    curvature: Array
    rest: Array
    """`still`, `sliding` or `saddle` (S,), see `resting`: of training that is not noisy."""


def of(record: Record) -> Ends:
    """The ends of a finished cell on XOR."""
    meta = record.meta
    became = fates(record.replicas)
    algorithm, task, run = (meta[part] for part in ("algorithm", "task", "run"))
    optimiser = algorithm["optimiser"]
    noisy = algorithm["name"] != "backprop" or run["batch"] != "full"
    printed = optimiser["lr"] == PRINTED_RATE and not noisy
    speed = optimiser["lr"] / (1 - optimiser.get("momentum", 0.0))
    start = Start(task["scale"], task["hidden"])
    stuck, diverged = networks.of(record).chosen(became.unsolved), int(became.diverged.sum())
    about = About(record.id, _name(meta), start, printed, noisy, len(became.solved), diverged)
    return ends(about, stuck, speed * run["epochs"])


def ends(about: About, stuck: Networks, reach: float) -> Ends:
    """The ends of a cell's `stuck` networks;
    `reach` is what another budget of epochs multiplies a gradient by.
    """
    outputs, error = stuck.outputs()[..., 0], np.asarray(stuck.replicas["loss"], float)
    slope, curvature = (
        (minima.slope(stuck), minima.curvature(stuck)) if len(stuck) else (np.zeros(0), np.zeros(0))
    )
    pdp = minima.distance(outputs, np.array(minima.FIG_5)) <= NEAR
    rest = resting(slope, curvature, error, reach)
    return Ends(*about, stuck, outputs, minima.kinds(outputs, error), pdp, slope, curvature, rest)


def resting(slope: Array, curvature: Array, error: Array, reach: float) -> Array:
    """Whether networks (S,) would hold still for another budget of T epochs: `still`, `sliding` or `saddle`.

        sliding    η/(1 − α) |∂E/∂w|² T  >  .01 E    followed as far, the slope lowers E by more than 1 %
        saddle     η/(1 − α) |λ| T       >  1        λ < 0 the least eigenvalue: departures grow e-fold

    `reach` is η T / (1 − α). Sliding goes before saddle. Neither: it stands still as far as training can
    tell, at a minimum or in a valley to infinite weights (`harness.inspection.ends`).
    """
    sliding = reach * np.square(slope) > GAIN * error
    saddle = reach * -curvature > 1
    return np.where(sliding, SLIDING, np.where(saddle, SADDLE, STILL))


def all_of(records: Iterable[Record]) -> list[Ends]:
    """The ends of all cells of the study."""
    return [of(record) for record in records]


def first_printed(cells: Sequence[Ends], scale: float) -> Ends:
    """The cell that learns as PDP's did from two hidden units' weights within ±`scale`."""
    return next(e for e in cells if e.printed and e.start == Start(scale, 2))


def overview(cells: Sequence[Ends]) -> pd.DataFrame:
    """A row of texts for each cell: how many solve,
    how many are stuck, how many of those at PDP's Fig. 5 and still.
    """
    import pandas as pd

    rows = []
    for e in cells:
        stuck = len(e.stuck)
        rows.append(
            {
                "cell": f"{e.name}, weights within ±{e.start.scale:g}",
                "solved [95 %]": share(e.replicas - stuck - e.diverged, e.replicas),
                "diverged": number(e.diverged),
                "stuck": number(stuck),
                "of these PDP's Fig. 5 [95 %]": share(int(e.pdp.sum()), stuck),
                "holding still [95 %]": "– (noisy)"
                if e.noisy
                else share(int((e.rest == STILL).sum()), stuck),
                "kinds of end": number(len(e.kinds)),
            }
        )
    return pd.DataFrame(rows)


def kinds(e: Ends) -> pd.DataFrame:
    """A row of texts for each kind of end of a cell, the most frequent first."""
    import pandas as pd

    rows = []
    for kind in e.kinds[:MOST]:
        rest = e.rest[kind.members]
        counts = {word: int((rest == word).sum()) for word in (STILL, SLIDING, SADDLE)}
        rows.append(
            {
                "outputs for 00, 01, 10, 11": ", ".join(f"{y:.2f}" for y in kind.outputs),
                "share of the stuck [95 %]": share(len(kind.members), len(e.stuck)),
                "E": f"{kind.error:.3f}",
                "slope, median": brief(float(np.median(e.slope[kind.members]))),
                "least curvature, median": brief(float(np.median(e.curvature[kind.members]))),
                "at rest?": ", ".join(f"{number(n)} {word}" for word, n in counts.items() if n),
                "PDP's Fig. 5": "yes" if e.pdp[kind.members].mean() > 0.5 else "no",
            }
        )
    return pd.DataFrame(rows)


def verdict(cells: Sequence[Ends]) -> list[str]:
    """Of the cells that learn as PDP's did: how many are stuck,
    and whether that is more than PDP says; where; at rest or not.
    """
    said = []
    for e in (e for e in cells if e.printed and e.start.hidden == 2):
        said.append(
            listed(
                f"**{e.name}, weights within ±{e.start.scale:g}**: {share(len(e.stuck), e.replicas)} "
                "replicas "
                f"are stuck, {beside_pdp(e)} (two cases in hundreds)",
                _where(e) if len(e.stuck) else ["so there is no end to look at"],
            )
        )
    return said


def beside_pdp(e: Ends) -> str:
    """Whether more are stuck than PDP says, by the whole interval."""
    low, high = (float(end) for end in wilson(len(e.stuck), e.replicas))
    met = MET[0] / MET[1]
    than = "more than" if low > met else "fewer than" if high < met else "not told apart from"
    return f"{than} the at most {percent(met)} of PDP's account"


def _where(e: Ends) -> list[str]:
    stuck, pdp = len(e.stuck), int(e.pdp.sum())
    low, high = (float(end) for end in wilson(pdp, stuck))
    most = "**PDP's Fig. 5 is among them**" if pdp else "PDP's Fig. 5 is not among them"
    most += (
        ", and is where most end"
        if low > 0.5
        else ", and is where fewer than half end"
        if pdp and high < 0.5
        else ""
    )
    others = [k for k in e.kinds if e.pdp[k.members].mean() <= 0.5][:2]
    rest = several(
        [f"({', '.join(f'{y:.2f}' for y in k.outputs)}), {number(len(k.members))}" for k in others]
    )
    still = share(int((e.rest == STILL).sum()), stuck)
    return [
        f"{most}: {share(pdp, stuck)} stuck ones",
        f"the commonest others: {rest}",
        f"{still} would hold still for as many epochs again; {_count(e, SLIDING)} slide on, "
        f"{_count(e, SADDLE)} are at a saddle",
        f"the least eigenvalue of the Hessian is {brief(float(np.median(e.curvature)))} in the median, "
        f"with a slope of {brief(float(np.median(e.slope)))}",
        *_valley(e),
    ]


def _valley(e: Ends) -> list[str]:
    """Why standing still is not yet being at a minimum, where targets are those that no sigmoid reaches."""
    targets = np.asarray(e.stuck.batch().target)
    if not np.isin(targets, (0.0, 1.0)).all():
        return []
    return [
        "none of these is a local minimum: outputs of 0 and 1 come with infinite weights only, and what "
        "stands still is training, in a valley that leads there"
    ]


def _count(e: Ends, word: str) -> str:
    return number(int((e.rest == word).sum()))


def wider(cells: Sequence[Ends]) -> list[str]:
    """With more hidden units, other networks and so not paired:
    are fewer stuck, by intervals that do not overlap?
    """
    said = []
    for e in (e for e in cells if e.printed and e.start.hidden == 2):
        for other in (
            o for o in cells if o.printed and o.start.scale == e.start.scale and o.start.hidden > 2
        ):
            a, b = ([float(end) for end in wilson(len(x.stuck), x.replicas)] for x in (other, e))
            word = "**fewer**" if a[1] < b[0] else "**more**" if a[0] > b[1] else "**not told apart**"
            left = (
                f" Of these {share(int(other.pdp.sum()), len(other.stuck))} answer as PDP's Fig. 5."
                if len(other.stuck)
                else ""
            )
            said.append(
                f"**{other.start.hidden} hidden units** (±{e.start.scale:g}): stuck are "
                f"{share(len(other.stuck), other.replicas)}, with two hidden units "
                f"{share(len(e.stuck), e.replicas)}: {word}.{left}"
            )
    return said


def _name(meta: Any) -> str:
    algorithm, task, run = (meta[part] for part in ("algorithm", "task", "run"))
    parts = [] if algorithm["name"] == "backprop" else [algorithm["name"]]
    parts.append(f"η = {algorithm['optimiser']['lr']:g}")
    parts += [] if task["hidden"] == 2 else [f"{task['hidden']} hidden units"]
    parts += {"full": [], 1: ["one pattern at a time"]}.get(run["batch"], [f"batches of {run['batch']}"])
    return ", ".join(parts)
