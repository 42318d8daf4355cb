"""The study `pruning` in words: what a trained network errs with a share of its weights left, by what chose
them.

The networks of a record that solved their task are cut when they are read (`harness.inspection.pruning`), by
saliency (Optimal Brain Damage), by magnitude and at random, and trained on with what is left: `STEPS`
full-batch steps of Adam along the exact gradient, the same for all. The error is the share of patterns wrong:
of the held-out ones where there are at least `FEWEST`, else of those trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.shares import difference, mean, percents, points, share
from harness.answers.words import few, listed, several
from harness.core.batch import Batch
from harness.core.errors import InputError
from harness.core.optimisers import Adam
from harness.core.outcomes import fates
from harness.experiment.digits import number, percent
from harness.inspection import pruning
from harness.inspection.pruning import WAYS
from harness.results import trained_networks
from harness.results.trained_networks import Networks
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

    from harness.store.record import Record

Array = Any
LEFT = (1.0, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1)
STEPS, RATE = 100, 0.03
FEWEST = 100
KEPT = 0.05
"""Share of patterns that may be wrong beside those that were before, for a cut to be harmless."""
BEFORE, AFTER = "cut", "cut and retrained"


class Cuts(NamedTuple):
    """What became of the networks of a cell."""

    name: str
    n: int
    """Networks cut, those that solved their task; and of how many."""
    of: int
    weights: int
    patterns: str
    """Which patterns are judged."""
    left: Array
    """Shares of the weights left (F,)."""
    wrong: dict[tuple[str, str], Array]
    """Share of patterns wrong (F, n), by way and by `BEFORE` or `AFTER`."""
    first: dict[str, Array]
    """What E rises by when one weight alone goes (n,), by way."""


def of(record: Record) -> Cuts:
    """The cuts of a finished cell."""
    task, became = record.meta["task"], fates(record.replicas)
    name = task["name"] + (f", {task['hidden']} hidden units" if task["name"] == "xor" else "")
    return cuts(name, trained_networks.of(record).chosen(became.solved), len(became.solved))


def all_of(records: Iterable[Record]) -> list[Cuts]:
    """The cuts of all cells of the study."""
    return [of(record) for record in records]


def cuts(name: str, nets: Networks, of: int, left: Sequence[float] = LEFT, steps: int = STEPS) -> Cuts:
    """Every cut of trained networks, one of `of` each."""
    net, params, batch, data = nets.net, nets.params, nets.batch(), nets.data
    held = data.held is not None and data.held.x.shape[-2] >= FEWEST
    judged = data.held if held and data.held is not None else data
    count = sum(key.shape[0] * key.shape[1] for key in dict.fromkeys(edge.weights for edge in net.edges))
    wrong: dict[tuple[str, str], Array] = {}
    first: dict[str, Array] = {}
    for way in WAYS if len(nets) else ():
        worth = pruning.worth(net, params, batch, way)
        kept = pruning.masks(net, worth, left)
        cut = pruning.pruned(params, kept)
        after = pruning.retrained(net, cut, kept, batch, Adam(lr=RATE), steps)
        for when, weights in ((BEFORE, cut), (AFTER, after)):
            right = nets.task.right(net.respond(weights, judged.x), judged)
            wrong[way, when] = 1 - right.mean(axis=-1)
        first[way] = _rise(nets, batch, pruning.masks(net, worth, [1 - 1 / count]))
    about = "held-out patterns" if held else "patterns trained on"
    return Cuts(name, len(nets), of, count, about, np.array(left), wrong, first)


def _rise(nets: Networks, batch: Batch, kept: pruning.Masks) -> Array:
    """What E rises by (R,)."""
    costs = (
        batch.cost(nets.net.respond(params, batch.x))
        for params in (pruning.pruned(nets.params, kept), nets.params)
    )
    cut, whole = costs
    return cut[0] - whole


def fewest(cut: Cuts, way: str, when: str) -> float:
    """The least share of weights left, of those tried, down to which no more than `KEPT` beside those of
    the whole network are wrong, in the mean over networks; the first share is that of all. Where what is cut
    is trained on, so is the whole.
    """
    whole = cut.wrong[way, when][0].mean()
    harmless = cut.wrong[way, when].mean(axis=-1) <= whole + KEPT
    return float(cut.left[np.logical_and.accumulate(harmless)][-1])


def gains(cut: Cuts, when: str, way: str = "saliency", beside: str = "magnitude") -> list[Interval]:
    """Wrong by one way less wrong by another, network by network, at each share left."""
    return [difference(a, b) for a, b in zip(cut.wrong[way, when], cut.wrong[beside, when], strict=True)]


def said(some: Sequence[Cuts]) -> list[str]:
    """How few weights are enough, where saliency chooses better, and whether it does for a single weight."""
    there = [cut for cut in some if cut.n]
    lost = [f"{cut.name} (none of {number(cut.of)} networks solved it)" for cut in some if not cut.n]
    sentences = [_enough(cut) for cut in there]
    if there:
        for way in ("saliency", "positive saliency"):
            sentences.append(listed(f"**Does {way} {BETTER}", [_beside(cut, way) for cut in there]))
            sentences.append(
                listed(f"{ONE}{way}{DIFFERENT}", [f"{cut.name}: {better(cut, way)}" for cut in there])
            )
    if lost or not some:
        sentences.append(
            f"There is nothing to prune where nothing was trained: {several(lost, none='no cell')}."
        )
    return sentences


BETTER = (
    "choose better than magnitude?** Wrong by the one less wrong by the other, network by network, at shares "
    "left whose whole 95 % interval is on one side of 0"
)
ONE = (
    "**Which single weight?** Networks in which deleting that of least magnitude raises E by less than "
    "that of least "
)
DIFFERENT = ", of those in which they are two"


def better(cut: Cuts, way: str = "saliency") -> str:
    """In how many networks magnitude finds a better weight to delete first than another way does."""
    saliency, magnitude = cut.first[way], cut.first["magnitude"]
    differ = saliency != magnitude
    return share(int((magnitude < saliency)[differ].sum()), int(differ.sum()))


def _enough(cut: Cuts) -> str:
    parts = []
    for way in WAYS:
        texts = [f"{percent(fewest(cut, way, when))} {when}" for when in (BEFORE, AFTER)]
        parts.append(f"by {'chance' if way == 'random' else way}: {several(texts)}")
    return listed(
        f"**{cut.name}**, {number(cut.weights)} weights, {number(cut.n)} networks of {number(cut.of)}: the "
        f"least share left, of those tried, down to which at most {percent(KEPT)} more of the "
        f"{cut.patterns} are wrong than with all (trained on as long, where what is cut is)",
        parts,
    )


def _beside(cut: Cuts, way: str) -> str:
    texts = []
    for when in (BEFORE, AFTER):
        found = [
            f"{points(gain)} at {percent(left)} left"
            for left, gain in zip(cut.left, gains(cut, when, way), strict=True)
            if gain.low > 0 or gain.high < 0
        ]
        texts.append(f"{when}: {few(found) if found else 'nowhere told apart'}")
    return f"{cut.name}, {'; '.join(texts)}"


def texts(some: Sequence[Cuts]) -> pd.DataFrame:
    """The table for people: what is wrong at each share left."""
    import pandas as pd

    return pd.DataFrame(
        [
            {"cell": cut.name, "chosen by": way, "when": when}
            | {
                f"{percent(left)} left": percents(mean(wrong))
                for left, wrong in zip(cut.left, values, strict=True)
            }
            for cut in some
            for (way, when), values in cut.wrong.items()
        ]
    )


def drawn(some: Sequence[Cuts]) -> pd.DataFrame:
    """What `pruning_figure` draws: a row for each cell, way, time and share left.

    Raises `InputError` where no network was cut.
    """
    import pandas as pd

    rows = [
        {"cell": cut.name, "n": cut.n, "way": way, "when": when, "left": left}
        | dict(zip(("value", "low", "high"), mean(wrong), strict=True))
        for cut in some
        for (way, when), values in cut.wrong.items()
        for left, wrong in zip(cut.left, values, strict=True)
    ]
    if not rows:
        raise InputError("no network was cut: there is nothing to draw")
    return pd.DataFrame(rows)
