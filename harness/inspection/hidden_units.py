"""What hidden units have come to stand for, as numbers over all replicas instead of one picture.

    symmetry      a unit's weights in pairs about the middle: antisymmetric? in what ratios? (1986: 1 : 2 : 4)
    encoder       codes: how many of them differ, and how many values lie in between
    family tree   does some unit of the person code tell nationality, generation, branch of the family?

Rumelhart, Hinton & Williams 1986, Nature 323:533-536 (symmetry, family tree) and PDP vol. 1 ch. 8 (encoder).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.tasks.family_tree import ENGLISH, PEOPLE, WIVES, children, parents, spouses

Array = NDArray[Any]
BETWEEN = (0.2, 0.8)  # a value of a code between these is neither off nor on


class Mirror(NamedTuple):
    """Weights from N bits into the hidden units of R symmetry networks."""

    ratios: Array
    """Sizes of the ⌊N/2⌋ pairs of a unit, ascending, ÷ the smallest (R, H, pairs): 1, 2, 4 in 1986."""
    antisymmetry: Array
    """The largest |w + w'| ÷ (|w| + |w'|) of any pair w,
    w' of a unit (R, H): 0 is antisymmetric, 1 not at all.
    """


class Separation(NamedTuple):
    """Of a categorical feature of people by the units of a code, in R networks."""

    ratio: Array
    """The largest correlation ratio η² of any unit (R,)."""
    unit: Array
    """Which unit has it (R,)."""
    p: Array
    """Share of permutations of the people, the real order counted in, whose largest η² is as large (R,)."""


def mirror(weights: Array) -> Mirror:
    """Pairs of weights (R, N, H) about the middle of the N bits;
    an odd middle bit has no partner and is left out.
    """
    half = weights.shape[-2] // 2
    first, second = weights[:, :half].mT, weights[:, ::-1][:, :half].mT
    size = np.abs(first) + np.abs(second)
    there = np.where(size > 0, size, 1.0)
    ascending = np.sort(size, axis=-1)
    smallest = ascending[..., :1]
    ratios = np.where(smallest > 0, ascending / np.where(smallest > 0, smallest, 1.0), np.nan)
    return Mirror(ratios, (np.abs(first + second) / there).max(axis=-1))


def opposition(weights: Array) -> Array:
    """Cosine between the weights (R, N, 2) into the two hidden units,
    (R,): −1 where they are the same with opposite signs.
    """
    a, b = weights[..., 0], weights[..., 1]
    size = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return np.where(size > 0, (a * b).sum(axis=-1) / np.where(size > 0, size, 1.0), np.nan)


def distinct(codes: Array) -> Array:
    """How many different codes (R,) are among codes (R, N, H), each value taken as off or on by .5."""
    bits = codes > 0.5
    numbers = (bits * 2 ** np.arange(codes.shape[-1])).sum(axis=-1)
    return np.array([len(np.unique(row)) for row in numbers])


def intermediate(codes: Array) -> Array:
    """How many values (R,) of codes (R, N, H) lie between .2 and .8."""
    return ((codes > BETWEEN[0]) & (codes < BETWEEN[1])).sum(axis=(-1, -2))


def features() -> dict[str, tuple[int | None, ...]]:
    """Nationality, generation and branch of each of PEOPLE,
    as small numbers; None where the tree does not say.

    Generation: one more than that of a parent, or that of husband or wife. Branch: whether one descends from,
    or is married to a descendant of, Christopher and Penelope (0) or Andrew and Christine (1); their common
    grandchildren are of neither.
    """
    generation = {person: _generation(person) for person in ENGLISH}
    branch = {person: _branch(person) for person in ENGLISH}
    return {
        "nationality": (0,) * len(ENGLISH) + (1,) * (len(PEOPLE) - len(ENGLISH)),
        "generation": tuple(generation[person] for person in ENGLISH) * 2,
        "branch": tuple(branch[person] for person in ENGLISH) * 2,
    }


def separation(
    activity: Array, feature: tuple[int | None, ...], permutations: int = 999, seed: int = 0
) -> Separation:
    """How well the best unit separates the values
    of a `feature` (people,) by its activity (R, people, units).

        η² = Σ_g n_g (ȳ_g − ȳ)² / Σ_i (y_i − ȳ)²

    over the people whose feature is known (Fisher 1925, correlation ratio).

    The same statistic of the same people in random order is what there would be of no feature at all; since
    the best of the units is taken in either, p holds for the replica and not for a unit. A unit that never
    changes has η² = 0.
    """
    known = np.array([value is not None for value in feature])
    labels = np.array([value for value in feature if value is not None])
    values, counts = np.unique(labels, return_counts=True)
    y = activity[:, known].mT.astype(float)  # (R, units, people)
    y = y - y.mean(axis=-1, keepdims=True)
    spread = np.sqrt((y * y).sum(axis=-1, keepdims=True))
    y = np.where(spread > 1e-12, y / np.where(spread > 1e-12, spread, 1.0), 0.0)
    rng = np.random.default_rng(seed)
    orders = np.array([labels, *(rng.permutation(labels) for _ in range(permutations))])
    groups = (orders[:, None] == values[:, None]).reshape(-1, len(labels)).T / np.sqrt(
        np.tile(counts, len(orders))
    )
    found = ((y @ groups) ** 2).reshape(*y.shape[:2], len(orders), len(values)).sum(axis=-1)
    best = found.max(axis=1)  # (R, orders)
    as_large = best >= best[:, :1] * (1 - 1e-12)
    return Separation(best[:, 0], found[:, :, 0].argmax(axis=1), as_large.mean(axis=1))


def code_of_people(activities: Mapping[str, Array], people: Array) -> Array:
    """Activity of the person code (R, 24, 6) for each person,
    from activities of all patterns whose inputs are `people` (N, 24).

    A person's code does not depend on the relation asked for, so that any of a person's patterns shows it.
    """
    return activities["person1_code"][:, people.argmax(axis=0)]


def _generation(person: str) -> int:
    # founders have no parents, nor do those who married in: theirs is what husband or wife has
    above = [p for one in (person, *spouses(person)) for p in parents(one)]
    return 1 + _generation(above[0]) if above else 0


def _branch(person: str) -> int | None:
    founders = [
        {man, wife} for man, wife in WIVES.items() if not list(parents(man)) and not list(parents(wife))
    ]
    found = [i for i, couple in enumerate(founders) if person in couple | _descendants(couple)]
    if not found:
        return _branch(next(iter(spouses(person))))
    return found[0] if len(found) == 1 else None


def _descendants(couple: set[str]) -> set[str]:
    below = {child for one in couple for child in children(one)}
    return below | (_descendants(below) if below else set())
