"""The study `representations` in words:
what hidden units come to stand for, over all replicas that solved their task.

Shares are of replicas, with Wilson's interval; means over replicas with a bootstrap interval. The control of
the family tree, `shallow`, never solves it: its codes of people are random, and all of its replicas are
looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.answers.learners import Learners, learnt, nobody
from harness.answers.shares import beside, difference, half, mean, percents, points, share
from harness.answers.words import brief, listed, several
from harness.experiment.digits import number
from harness.inspection import hidden_units as rep
from harness.results.trained_networks import Networks

if TYPE_CHECKING:
    import pandas as pd

Array = Any
PRINTED = (1.0, 2.0, 4.0)
WITHIN = 0.1
"""How far a ratio may be from the printed one, as a share of it."""
ANTISYMMETRIC = 0.1
"""The largest |w + w'| ÷ (|w| + |w'|) of a unit that counts as antisymmetric."""
OPPOSITE = -0.9
"""The cosine below which two units count as each other's opposite."""
LEVEL = 0.01
"""p below or at which a unit separates a feature: of random codes, that many replicas have one."""


# Symmetry


def ratios(cells: Iterable[Learners]) -> dict[str, Array]:
    """The ratios (U, pairs) of all units of the solved replicas of each algorithm that has some."""
    return {t.name: _mirror(t).ratios.reshape(-1, 3) for t in learnt(cells)}


def symmetry(cells: Sequence[Learners]) -> list[str]:
    """For each algorithm: how many solved replicas are 1 : 2 : 4,
    antisymmetric, and of two opposite units; with medians.
    """
    said = []
    for t in learnt(cells):
        mirror, n, alike = _mirror(t), int(t.solved.sum()), as_printed(t)
        anti = mirror.antisymmetry <= ANTISYMMETRIC
        cosine = rep.opposition(_into_hidden(t))
        second, third = (
            "{1:.2f} [{0:.2f}–{2:.2f}]".format(*np.nanquantile(mirror.ratios[..., i], (0.05, 0.5, 0.95)))
            for i in (1, 2)
        )
        middling = f"{np.nanmedian(cosine):.3f}".replace("-", "−")
        mirrored = int(anti.all(axis=-1).sum())
        middle, tail = (brief(float(np.quantile(mirror.antisymmetry, q))) for q in (0.5, 0.95))
        opposed = share(int((cosine < OPPOSITE).sum()), n)
        said.append(
            listed(
                f"**{t.name}**, {share(n, len(t.solved))} replicas solved",
                [
                    f"both units are 1 : 2 : 4 within {100 * WITHIN:g} % in {share(alike, n)}: "
                    f"{half(alike, n)}",
                    f"over all units the second pair is {second} times the smallest, "
                    f"the largest {third} times (medians, 5th to 95th percentile)",
                    f"both are antisymmetric in {share(mirrored, n)} (asymmetry of a unit: median {middle}, "
                    f"95th percentile {tail})",
                    f"they are of opposite signs in {opposed} (cosine: median {middling})",
                ],
            )
        )
    return said + nobody(cells)


def as_printed(t: Learners) -> int:
    """In how many solved replicas both units are 1 : 2 : 4 within a tenth: a dead pair, NaN, is not."""
    near = np.abs(_mirror(t).ratios / np.array(PRINTED) - 1) <= WITHIN
    return int(near.all(axis=(-1, -2)).sum())


def _mirror(t: Learners) -> rep.Mirror:
    return rep.mirror(_into_hidden(t))


def _into_hidden(t: Learners) -> Array:
    """Weights (R, bits, hidden) of the solved replicas."""
    some = t.looked_at
    (edge,) = [edge for edge in some.net.edges if edge.target.name == "hidden"]
    return some.params[edge]


# Encoder


def codes(cells: Sequence[Learners]) -> pd.DataFrame:
    """A row of texts for each algorithm that learnt the encoder:
    distinct codes, and values between, of its solved replicas.
    """
    import pandas as pd

    rows = []
    for t in learnt(cells):
        hidden = t.looked_at.activities()["hidden"]
        patterns, values = hidden.shape[1], hidden[0].size
        distinct, between = rep.distinct(hidden), rep.intermediate(hidden)
        rows.append(
            {
                "algorithm": t.name,
                "solved [95 %]": share(len(hidden), len(t.solved)),
                "all codes differ as bits [95 %]": share(int((distinct == patterns).sum()), len(hidden)),
                "codes that differ as bits, mean [95 %]": _scaled(mean(distinct / patterns), patterns),
                "a value in between [95 %]": share(int((between > 0).sum()), len(hidden)),
                "values in between, mean [95 %]": percents(mean(between / values)),
            }
        )
    return pd.DataFrame(rows)


def encoder(cells: Sequence[Learners]) -> list[str]:
    """Binary or not: whether most replicas of each algorithm have intermediate values,
    and whether most need them.
    """
    said = []
    for t in learnt(cells):
        hidden = t.looked_at.activities()["hidden"]
        n, patterns = hidden.shape[:2]
        between, needed = (
            int((rep.intermediate(hidden) > 0).sum()),
            int((rep.distinct(hidden) < patterns).sum()),
        )
        said.append(
            f"**{t.name}**: some value lies between .2 and .8 in {share(between, n)} solved replicas, "
            f"{half(between, n)}; it is needed, the codes read as bits not all being different, "
            f"in {share(needed, n)}, {half(needed, n)}."
        )
    return said + nobody(cells)


# Family tree


class Separating(NamedTuple):
    """How many replicas of a cell have a unit that separates a feature."""

    t: Learners
    feature: str
    replicas: int
    some: int
    """With p ≤ .01."""
    ratio: float
    """η² of the best unit, the median."""

    @property
    def word(self) -> str:
        """`more`, `fewer` or `undecided`: beside chance, by the whole interval."""
        return beside(self.some, self.replicas, LEVEL)


def separating(cells: Sequence[Learners], permutations: int = 999) -> list[Separating]:
    """For every algorithm that learnt, and the control:
    replicas with a unit of the person code that separates each feature.
    """
    rows = []
    for t in cells:
        if not t.control and not t.solved.any():
            continue
        code = person_code(t.looked_at)
        for feature, values in rep.features().items():
            best = rep.separation(code, values, permutations)
            rows.append(
                Separating(t, feature, len(code), int((best.p <= LEVEL).sum()), float(np.median(best.ratio)))
            )
    return rows


def person_code(some: Networks) -> Array:
    """Activity of the person code (R, 24, 6) for each person."""
    x = some.task.patterns().x
    people = some.net.groups[0].size
    return rep.code_of_people(some.activities(), x[:, :people])


def separation_texts(cells: Iterable[Separating]) -> pd.DataFrame:
    """The table of `separating` for people."""
    import pandas as pd

    rows: dict[str, dict[str, str]] = {}
    for s in cells:
        row = rows.setdefault(
            s.t.name, {"algorithm": s.t.name + (" (control: random codes)" if s.t.control else "")}
        )
        row[f"{s.feature} [95 %]"] = share(s.some, s.replicas)
        row[f"η², {s.feature}"] = f"{s.ratio:.2f}"
    return pd.DataFrame(list(rows.values()))


def separation_verdict(cells: Iterable[Separating]) -> list[str]:
    """For each algorithm which features more replicas have a unit for than chance, fewer, or undecided."""
    by: dict[str, list[Separating]] = {}
    for s in cells:
        by.setdefault(s.t.name + (", the control" if s.t.control else ""), []).append(s)
    words = {
        "more": "more replicas than chance has",
        "fewer": "fewer",
        "undecided": "not told apart from chance",
    }
    said = []
    for name, rows in by.items():
        parts = []
        for word, text in words.items():
            some = [f"{s.feature} {share(s.some, s.replicas)}" for s in rows if s.word == word]
            parts += [f"{text}: {several(some)}"] if some else []
        said.append(
            f"**{name}**, "
            f"a unit that separates (p ≤ .01; of random codes 1.0 % have one). {_first('; '.join(parts))}."
        )
    return said


# What was held out


def held_out(cells: Sequence[Learners]) -> pd.DataFrame:
    """A row of texts for each cell: how many of the held-out pairs are right,
    over as many splits as there are replicas.
    """
    import pandas as pd

    rows = []
    for t in cells:
        right = _held(t)
        own = right[t.solved]
        rows.append(
            {
                "algorithm": t.name + (" (control)" if t.control else ""),
                "solved [95 %]": share(len(own), len(right)),
                "held-out right, of the solved [95 %]": percents(mean(own)) if len(own) else "–",
                "of all": percents(mean(right)),
                "all held-out right, of the solved [95 %]": share(int((own == 1).sum()), len(own)),
            }
        )
    return pd.DataFrame(rows)


def generalisation(cells: Sequence[Learners]) -> list[str]:
    """Of each algorithm that learnt:
    whether it gets more held-out pairs right than backprop on the same splits, or fewer.

    Over the replicas of one number that solved the task with both: they have the same held-out pairs and
    initial weights.
    """
    some = learnt(cells)
    said = []
    for t in some:
        own = _held(t)[t.solved]
        said.append(
            f"**{t.name}**: of the held-out pairs {percents(mean(own))} "
            f"are right, over {number(len(own))} splits."
        )
    base = next((t for t in some if t.name == "backprop"), some[0] if some else None)
    for t in some:
        if base is None or t is base:
            continue
        one, other = _by_number(t), _by_number(base)
        both = sorted(one.keys() & other.keys())
        gap = difference([one[r] for r in both], [other[r] for r in both])
        word = "**more**" if gap.low > 0 else "**fewer**" if gap.high < 0 else "**not decided** whether more"
        said.append(
            f"{t.name} beside {base.name}, on the {number(len(both))} splits "
            f"that both solved: {word} right, {points(gap)}."
        )
    return said + nobody(cells)


def _held(t: Learners) -> Array:
    return np.asarray(t.networks.replicas["held_right"], float)


def _by_number(t: Learners) -> dict[int, float]:
    """Of the solved replicas, by their number."""
    return dict(
        zip(t.networks.replicas["replica"][t.solved].tolist(), _held(t)[t.solved].tolist(), strict=True)
    )


def _scaled(interval: Any, by: int) -> str:
    value, low, high = (by * float(end) for end in interval)
    return f"{value:.2f} [{low:.2f}–{high:.2f}] of {by}"


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
