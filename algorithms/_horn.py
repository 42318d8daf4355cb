"""Horn rules, and forward chaining to their fixed point, on arrays.

    aunt(x, y) :- parent(x, z), sister(z, y).        y is an aunt of x if, for some z, both are known

A predicate is an array with an axis for each of its places, 1 where it is known and 0 elsewhere; axes before
these are whatever the facts are of: replicas, patterns. A rule is tried for all values of its variables at
once. Forward chaining: Newell & Simon 1972, Human Problem Solving; van Emden & Kowalski 1976, The semantics
of predicate logic as a programming language, JACM 23:733-742, whose least fixed point it ends at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from harness.core.loops import repeat

Array = Any
Facts = dict[str, Array]


class Literal(NamedTuple):
    """A predicate, and the variables in its places."""

    predicate: str
    places: tuple[str, ...]


class Rule(NamedTuple):
    """A head that is known wherever all of a body is."""

    head: Literal
    body: tuple[Literal, ...]


def rules_of(text: str) -> tuple[Rule, ...]:
    """The rules of a text, one a line: `head(x, y) :- one(x, z), other(z, y).`"""
    lines = [line for line in text.splitlines() if line.strip()]
    literals = [
        [Literal(name, tuple(p.strip() for p in places.split(","))) for name, places in found]
        for found in (re.findall(r"(\w+)\(([^)]*)\)", line) for line in lines)
    ]
    return tuple(Rule(head, tuple(body)) for head, *body in literals)


def derived(rule: Rule, known: Mapping[str, Array]) -> Array:
    """What a rule says in one step: its head (…, a value of each place), 1 or 0."""
    places = rule.head.places
    free = sorted({p for literal in rule.body for p in literal.places} - set(places))
    variables = (*places, *free)
    all_of: Array = 1.0
    for literal in rule.body:
        a, k = known[literal.predicate], len(literal.places)
        at = [variables.index(place) for place in literal.places]
        order = np.argsort(at).tolist()
        a = np.moveaxis(a, [i - k for i in order], range(-k, 0))
        for i, variable in enumerate(variables):
            if variable not in literal.places:
                a = np.expand_dims(a, i - len(variables))
        all_of = all_of * a
    return all_of.max(axis=tuple(range(-len(free), 0))) if free else all_of


def closed(rules: Sequence[Rule], facts: Facts, always: Mapping[str, Array], rounds: int) -> Facts:
    """Facts and all that follows from them, after so many rounds through the rules, in their order; what is
    `always` known is not derived."""

    def through(_: Array, known: Facts) -> Facts:
        for rule in rules:
            name = rule.head.predicate
            new = derived(rule, {**always, **known})
            known = {**known, name: np.maximum(known[name], new)}
        return known

    return repeat(rounds, through, facts)
