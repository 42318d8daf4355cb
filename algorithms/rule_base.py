"""A rule base: Horn rules that somebody wrote, and forward chaining over the facts of the training pairs.

    facts of the training pairs ⊢ rules, until nothing new follows;     an answer is on where it is known

The ceiling that the mainstream of 1986 would have set beside a network: whoever knows the domain writes it
down. Nothing is learnt but facts. For the family tree (`kinship`) an update notes every pair of person and
relation with the people in it, and derives what they imply; pairs that were held out are answered if they
follow. For symmetry (`mirror`) the facts are the bits of one pattern, and no other pattern adds to them: it
has nothing to learn, and its first update is only there to be counted.

Its price is not an update's but a person's, in the record: lines of rules, beside the facts that it was told
and that it derived.

Newell & Simon 1972, Human Problem Solving; van Emden & Kowalski 1976, JACM 23:733-742 (the fixed point);
rules of family trees as the rival that Hinton 1986 names, Learning distributed representations of concepts,
Cognitive Science Society:1-12.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from algorithms._horn import Facts, closed, rules_of
from harness.core.algorithm import Algorithm, Array, Batch, Network, Params, Rand, State, Traits, Update
from harness.core.setting import setting

RELATIONS = (
    *("father", "mother", "husband", "wife", "son", "daughter"),
    *("uncle", "aunt", "brother", "sister", "nephew", "niece"),
)
"""In the order of the units of the family tree: father(x, y) is that y is the father of x."""
KIN = ("parent", "spouse", "sibling", "pibling")  # a pibling is an uncle or an aunt
KINSHIP = """
parent(x, y) :- father(x, y).
parent(x, y) :- mother(x, y).
parent(x, y) :- son(y, x).
parent(x, y) :- daughter(y, x).
parent(x, y) :- parent(x, z), spouse(z, y).
parent(x, y) :- sibling(x, z), parent(z, y).
spouse(x, y) :- husband(x, y).
spouse(x, y) :- wife(x, y).
spouse(x, y) :- spouse(y, x).
spouse(x, y) :- parent(z, x), parent(z, y), differ(x, y).
sibling(x, y) :- brother(x, y).
sibling(x, y) :- sister(x, y).
sibling(x, y) :- sibling(y, x).
sibling(x, y) :- parent(x, z), parent(y, z), differ(x, y).
pibling(x, y) :- uncle(x, y).
pibling(x, y) :- aunt(x, y).
pibling(x, y) :- nephew(y, x).
pibling(x, y) :- niece(y, x).
pibling(x, y) :- parent(x, z), sibling(z, y).
pibling(x, y) :- pibling(x, z), spouse(z, y).
pibling(x, y) :- sibling(x, z), pibling(z, y).
male(y) :- father(x, y).
male(y) :- husband(x, y).
male(y) :- son(x, y).
male(y) :- uncle(x, y).
male(y) :- brother(x, y).
male(y) :- nephew(x, y).
male(y) :- spouse(y, x), female(x).
female(y) :- mother(x, y).
female(y) :- wife(x, y).
female(y) :- daughter(x, y).
female(y) :- aunt(x, y).
female(y) :- sister(x, y).
female(y) :- niece(x, y).
female(y) :- spouse(y, x), male(x).
father(x, y) :- parent(x, y), male(y).
mother(x, y) :- parent(x, y), female(y).
husband(x, y) :- spouse(x, y), male(y).
wife(x, y) :- spouse(x, y), female(y).
son(x, y) :- parent(y, x), male(y).
daughter(x, y) :- parent(y, x), female(y).
uncle(x, y) :- pibling(x, y), male(y).
aunt(x, y) :- pibling(x, y), female(y).
brother(x, y) :- sibling(x, y), male(y).
sister(x, y) :- sibling(x, y), female(y).
nephew(x, y) :- pibling(y, x), male(y).
niece(x, y) :- pibling(y, x), female(y).
"""
MIRROR = """
same(i) :- on(i), mirror(i, j), on(j).
same(i) :- off(i), mirror(i, j), off(j).
alike(i) :- first(i), same(i).
alike(j) :- alike(i), next(i, j), same(j).
symmetric(i) :- last(i), alike(i).
"""
"""alike(i): the bits up to the i-th are those from the other end."""
THEORIES = {"kinship": rules_of(KINSHIP), "mirror": rules_of(MIRROR)}


@dataclass(frozen=True)
class RuleBase(Algorithm):
    """Forward chaining with rules written by hand: nothing is learnt but the facts of the training pairs."""

    rules: str | None = setting(
        None, "Which rules it has; None is those that were written for the task.", one_of=tuple(THEORIES)
    )
    rounds: int = setting(
        16, "Times that it goes through all rules: enough to come to the fixed point.", at_least=1
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=False, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "van Emden & Kowalski 1976, JACM 23:733-742"
    equations: ClassVar[str] = "T(I) = I ∪ {head : head :- body a rule, body ⊆ I}, to the least fixed point"
    oracle: ClassVar[str] = "the trees' own marriages and children; all words of bits; chaining with sets"
    whole: ClassVar[bool] = True

    def applies_to(self, task: Any) -> str | None:
        written = task.usual.rules
        if not written:
            return f"it has rules written by hand, and nobody wrote any for {task.name}"
        if self.rules not in (None, written):
            return (
                f"the rules written for {task.name} are {written}, and {self.rules} speak of something else"
            )
        if not task.meets(0.0, 1.0):
            return f"it says 0 or 1, which never meet the criterion {task.criterion!r} of {task.name}"
        return None

    def resolved(self, usual: Any) -> Algorithm:
        return replace(self, rules=self.rules or usual.rules or None)

    def held(self, net: Network) -> int:
        return (len(RELATIONS) + len(KIN)) * net.output.size**3

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        people = net.output.size
        known = {name: rand.zeros(people, people) for name in RELATIONS} if self.rules == "kinship" else {}
        return {"params": known | {"told": rand.zeros(1, 1), "derived": rand.zeros(1, 1)}}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        derive = self.kin if self.rules == "kinship" else self.mirrored
        new = derive(net, batch)
        return Update({"params": {n: new[n] + np.zeros_like(a) for n, a in state["params"].items()}}, None)

    def kin(self, net: Network, batch: Batch) -> Facts:
        """The twelve relations (…, people, people) as far as they follow from the pairs of a batch."""
        person, relation = net.split(batch.x).values()
        wanted, facts = batch.wanted.astype(batch.x.dtype), Facts()
        for i, name in enumerate(RELATIONS):
            facts[name] = np.minimum((person * relation[..., i : i + 1]).mT @ wanted, 1.0)
        told = number_of(facts)
        for name in KIN:
            facts[name] = np.zeros_like(facts["father"])
        for name in ("male", "female"):
            facts[name] = np.zeros_like(facts["father"][..., 0, :])
        differ = {"differ": 1.0 - np.eye(net.output.size, dtype=batch.x.dtype)}
        known = closed(THEORIES["kinship"], facts, differ, self.rounds)
        asked = {name: known[name] for name in RELATIONS}
        return {**asked, "told": told, "derived": number_of(asked) - told}

    def mirrored(self, net: Network, batch: Batch) -> Facts:
        """How many facts the bits of a batch's patterns are, and how many follow from them."""
        follow = self.of_bits(batch.x)
        return {
            "told": np.zeros_like(batch.x[..., :1, :1]) + batch.x.shape[-2] * batch.x.shape[-1],
            "derived": number_of(follow),
        }

    def of_bits(self, x: Array) -> Facts:
        """What follows from the bits of each pattern (…, N, bits): predicates of that shape."""
        bits = x.shape[-1]
        one = np.eye(bits, dtype=x.dtype)
        always = {"on": x, "off": 1.0 - x, "first": one[0], "last": one[-1], "mirror": one[::-1]}
        always["next"] = np.eye(bits, k=1, dtype=x.dtype)
        facts = {name: np.zeros_like(x) for name in ("same", "alike", "symmetric")}
        return closed(THEORIES["mirror"], facts, always, max(self.rounds, bits + 1))

    def predict(self, net: Network, state: State, x: Array) -> Array:
        known = state["params"]
        if self.rules == "kinship":
            person, relation = net.split(x).values()
            answers = [relation[..., i : i + 1] * (person @ known[n]) for i, n in enumerate(RELATIONS)]
            return np.minimum(sum(answers), 1.0)
        answer, told = self.of_bits(x)["symmetric"][..., -1:], known["told"]
        return np.where((told > 0) & (told < np.inf), answer, 0.5).astype(x.dtype)  # not before it is asked

    def told(self, state: State) -> Mapping[str, Array]:
        facts, derived = (state["params"][name][..., 0, 0] for name in ("told", "derived"))
        return {
            "rules": np.zeros_like(facts) + len(THEORIES[str(self.rules)]),
            "facts": facts,
            "derived": derived,
        }


def number_of(facts: Facts) -> Array:
    """How many facts there are in all, (…, 1, 1)."""
    return sum((a.sum(axis=(-1, -2), keepdims=True) for a in facts.values()), start=0.0)
