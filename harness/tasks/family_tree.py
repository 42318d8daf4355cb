"""Family trees: who is Colin's aunt? A network has to find features of people that nobody gave it.

Two isomorphic trees of 12 people, English and Italian. A pattern is a person and a relation, each by one
unit of its own; wanted are all people who stand in that relation to that person (Colin has two aunts).
The relations follow by rule from who married whom and who their children are:

    uncle, aunt     siblings of a parent, and their spouses
    nephew, niece   children of a sibling, and of a spouse's sibling

which gives 104 pairs of person and relation with an answer (112 single triples). Both halves of the input
are squeezed through 6 units, so that a person's code has to say what relations depend on: nationality,
generation, branch. Pairs that are held out show whether it does.

The recipe is that of Rumelhart, Hinton & Williams 1986, Nature 323:533-536: ε = .005 and α = .5 for 20
sweeps, then ε = .01 and α = .9, every weight shrunk by .2 % after each change, no error where an output that
should be on is above .8 or one that should be off is below .2. As printed it does not train
(nature1986/family_tree); five times the ε and a tenth of the decay do (nature1986/family_tree_adapted).

Where this task's own settings differ from the recipe, and why:

- "No error" can mean targets 0 and 1 with an error that vanishes inside a margin of .2, so that the loss
  jumps at its edge; or targets .2 and .8 with no error beyond them, so that it does not. The presets use
  the first, the letter of the recipe. Here it is the second: it has a gradient everywhere, also for those
  who measure it by differences of the loss, and trains better.
- What is usual has one learning rate and one momentum. With α = .9 from the first sweep on, the demand to
  turn nearly all outputs off also shuts the 6 units before them: after 40 sweeps their mean slope y (1 − y)
  is .01, with the gentle start .13, and next to nothing is learnt. So α = .5, more ε and more sweeps.
- Solved is 95 of the 100 training pairs right, every output on its side of .5; guessing gets none. All 100
  would be a verdict on the last pair or two: of 256 networks in the adapted setting 91 % get to 95 pairs
  within 1,500 sweeps, but 35 % to 100 (at the usual settings here, 100 % and 88 % of 128).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from harness.core.data import Patterns, Published, Spec, Usual
from harness.core.network import Edge, Group, Network
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

NATURE = "Nature 323:533-536"

WIVES = {
    "Christopher": "Penelope",
    "Andrew": "Christine",
    "Arthur": "Margaret",
    "James": "Victoria",
    "Charles": "Jennifer",
}
CHILDREN = {
    "Christopher": ("Arthur", "Victoria"),
    "Andrew": ("James", "Jennifer"),
    "James": ("Colin", "Charlotte"),
}
"""Son and daughter of each father."""
MEN = ("Christopher", "Andrew", "Arthur", "James", "Charles", "Colin")
WOMEN = ("Penelope", "Christine", "Victoria", "Jennifer", "Margaret", "Charlotte")
ENGLISH = (*MEN, *WOMEN)
ITALIAN = (
    *("Roberto", "Pierro", "Emilio", "Marco", "Tomaso", "Alfonso"),
    *("Maria", "Francesca", "Lucia", "Angela", "Gina", "Sophia"),
)
"""In the place of the Englishman or -woman whose part they play."""
PEOPLE = (*ENGLISH, *ITALIAN)

Kin = Iterable[str]


def spouses(person: str) -> Kin:
    """Husband or wife, if any."""
    return [
        wife if person == husband else husband for husband, wife in WIVES.items() if person in (husband, wife)
    ]


def children(person: str) -> Kin:
    """Children, whichever parent is asked."""
    return [child for father in (person, *spouses(person)) for child in CHILDREN.get(father, ())]


@cache
def parents(person: str) -> Kin:
    """Father and mother, if they are in the tree."""
    return tuple(parent for parent in ENGLISH if person in children(parent))


@cache
def siblings(person: str) -> Kin:
    """The other children of the same parents."""
    return frozenset(child for parent in parents(person) for child in children(parent)) - {person}


def uncles_and_aunts(person: str) -> Kin:
    """Siblings of a parent, and their spouses."""
    blood = [sibling for parent in parents(person) for sibling in siblings(parent)]
    return [*blood, *(spouse for one in blood for spouse in spouses(one))]


def nephews_and_nieces(person: str) -> Kin:
    """Children of a sibling, and of a spouse's sibling."""
    return [
        child
        for one in (person, *spouses(person))
        for sibling in siblings(one)
        for child in children(sibling)
    ]


RELATIONS: dict[str, tuple[Callable[[str], Kin], tuple[str, ...]]] = {
    "father": (parents, MEN),
    "mother": (parents, WOMEN),
    "husband": (spouses, MEN),
    "wife": (spouses, WOMEN),
    "son": (children, MEN),
    "daughter": (children, WOMEN),
    "uncle": (uncles_and_aunts, MEN),
    "aunt": (uncles_and_aunts, WOMEN),
    "brother": (siblings, MEN),
    "sister": (siblings, WOMEN),
    "nephew": (nephews_and_nieces, MEN),
    "niece": (nephews_and_nieces, WOMEN),
}
"""Relation → the kind of kin it is, and of which sex."""


def pairs() -> list[tuple[str, str, tuple[str, ...]]]:
    """All (person1, relation, everybody who is person2): the 104 patterns, person by person."""
    pairs_of = []
    for tree in (ENGLISH, ITALIAN):
        names = dict(zip(ENGLISH, tree, strict=True))
        for person in ENGLISH:
            for relation, (kin, sex) in RELATIONS.items():
                relatives = set(kin(person)).intersection(sex)
                if relatives:
                    pairs_of.append(
                        (names[person], relation, tuple(names[p] for p in ENGLISH if p in relatives))
                    )
    return pairs_of


def triples() -> list[tuple[str, str, str]]:
    """The 112 single facts (person1, relation, person2)."""
    return [(person, relation, other) for person, relation, others in pairs() for other in others]


@dataclass(frozen=True)
class FamilyTree(Task):
    """Person and relation in, all people in that relation to
    that person out: 24 + 12 → 6 + 6 → 12 → 6 → 24.
    """

    target_off: float = 0.2
    target_on: float = 0.8
    margin: float | None = 0.0
    share: float = 0.95
    held: int = setting(
        4, "Pairs held out of training, other ones in every replica.", at_least=0, below=len(pairs())
    )
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.5, scale=1.0, epochs=6000, decay=2e-4, rules="kinship")
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            "100 pairs trained in 1,500 sweeps, as printed", "all 4 held-out pairs right", NATURE, "found"
        ),
        Published(
            "as printed", "person code: nationality, generation, branch of the family", NATURE, "found"
        ),
        Published(
            "as printed, ±.3, ±.5 and ±1",
            "no training pair right after 1,500 sweeps",
            "run again, 6 networks each",
            "computed",
        ),
        Published("as printed", "no training pair right", "an independent reproduction", "found"),
        Published(
            "ε=.05, decay 2e-4, ±1",
            "99.2 % of training pairs, 9 of 24 held out",
            "run again, 6 networks",
            "computed",
        ),
        Published(
            "ε=.05, decay 2e-4, ±1",
            "98.7 % of training pairs, 36 of 80 held out",
            "an independent reproduction, 20 networks",
            "found",
        ),
        Published(
            "two runs",
            "4 and 3 of 4 held-out pairs right",
            "Hinton 1986, Cognitive Science Society",
            "memory",
        ),
    )

    @property
    def held_out(self) -> int:
        return self.held

    def network(self) -> Network:
        person1 = Group("person1", len(PEOPLE), "linear", bias=False)
        relation = Group("relation", len(RELATIONS), "linear", bias=False)
        person1_code, relation_code, hidden, person2_code = (
            Group(name, size, self.activation)
            for name, size in (("person1_code", 6), ("relation_code", 6), ("hidden", 12), ("person2_code", 6))
        )
        person2 = Group("person2", len(PEOPLE))
        edges = (
            Edge(person1, person1_code),
            Edge(relation, relation_code),
            Edge(person1_code, hidden),
            Edge(relation_code, hidden),
            Edge(hidden, person2_code),
            Edge(person2_code, person2),
        )
        return Network((person1, relation, person1_code, relation_code, hidden, person2_code, person2), edges)

    def spec(self) -> Spec:
        return Spec(patterns=len(pairs()) - self.held, kind="bits")

    def patterns(self) -> Patterns:
        known = pairs()
        persons = np.array([[p == person for p in PEOPLE] for person, _, _ in known], float)
        relations = np.array([[r == relation for r in RELATIONS] for _, relation, _ in known], float)
        wanted = np.array([[p in others for p in PEOPLE] for _, _, others in known])
        names = tuple(f"{person} {relation}" for person, relation, _ in known)
        return Patterns(np.hstack([persons, relations]), wanted, names)
