"""A genetic algorithm over weight vectors: a population breeds by rank,
and whole vectors are all that is ever judged.

    P(parent is the r-th best) ∝ s^r,  r = 0 … P − 1            (s: the parent scalar)
    child = crossover(mother, father)  with probability `crossover_probability`,  else mutation(mother)
    ξ ~ ½ e^{−|x|}                                              (first weights and mutations alike)

    CROSSOVER-WEIGHTS        each weight from either parent
    CROSSOVER-NODES          for each node, all its incoming weights (bias included) from either parent
    UNBIASED-MUTATE-WEIGHTS  each weight with probability p: w = ξ
    BIASED-MUTATE-WEIGHTS    each weight with probability p: w = w + ξ
    MUTATE-NODES             all incoming weights of n nodes: w = w + ξ     (the best of them in the paper)

A generation is an update: all P individuals are tried on the batch (fitness is −E), the `elite` best of them
live on and children take the place of the rest: `elite=1` is generational, `elite=P−1` lets one child replace
the worst. The network's own weights are those of the best that has been tried. One of the first individuals
has the initial weights that all algorithms share, the others are drawn from e^{−|x|}.

Montana & Davis 1989, Training feedforward neural networks using genetic algorithms, IJCAI-89:762-767. Their
parent scalar went from .92 to .89 over a run of known length (GPLAB's rank89 has it so); here it stays.
Parents are drawn independently, so that a child may have the same one twice.

Defaults: of P 50-200, s .8-.985, spread ½-5, n 1-3 and all operators, what solved XOR 2-2-1 in 98 % of 2,000
replicas and the 8-3-8 encoder in 59 of 60. The paper's own (50, .92, 1), made for 126 weights, solve the
encoder in 60 of 60 and in a fifth of the evaluations, but XOR in 66 %: in the others the whole population
shares a local minimum (E = ¼), with weights so large that no mutation leads out. Large s and spread keep it
diverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np

from algorithms.evolution_strategies import losses
from harness.core.algorithm import Algorithm, Array, Batch, Network, Params, Rand, State, Traits, Update
from harness.core.errors import InputError
from harness.core.network import Edge
from harness.core.setting import setting
from harness.core.vectors import flatten, unflatten

CROSSOVERS = ("crossover_nodes", "crossover_weights")
MUTATIONS = ("mutate_nodes", "biased_mutate_weights", "unbiased_mutate_weights")


@dataclass(frozen=True)
class Genetic(Algorithm):
    """A population of weight vectors, bred by rank with crossover and mutation of nodes or weights."""

    population: int = setting(150, "Individuals P.", at_least=2)
    elite: int = setting(
        1, "How many of the best live on unchanged; the others are replaced by children.", at_least=0
    )
    parent_scalar: float = setting(
        0.985,
        "How likely a parent is beside the next better one: the factor s of P(parent of rank r).",
        above=0,
        at_most=1,
        search=(0.8, 0.999),
    )
    crossover_probability: float = setting(
        0.5,
        "Share of children made by crossover; the others are mutants of one parent.",
        at_least=0,
        at_most=1,
        search=(0, 1),
    )
    crossover: str = setting(
        "crossover_nodes",
        "What a child has from either parent: single weights, or nodes with all weights into them.",
        one_of=CROSSOVERS,
    )
    mutation: str = setting(
        "mutate_nodes",
        "What is mutated: all weights into n nodes, or each weight with probability p.",
        one_of=MUTATIONS,
    )
    nodes: int = setting(2, "Nodes n that mutate_nodes mutates; all where there are fewer.", at_least=1)
    weight_probability: float = setting(
        0.1, "Probability p with which the other mutations change a weight.", at_least=0, at_most=1
    )
    spread: float = setting(
        2.0, "Scale of e^{−|x|}: the mean size of first weights and mutations.", above=0, search=(0.2, 20)
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=False, phases=150, global_scalar=True
    )
    paper: ClassVar[str] = "Montana & Davis 1989, IJCAI-89:762-767"
    equations: ClassVar[str] = (
        "P(parent of rank r) ∝ s^r; child = crossover of two parents, or w + ξ at n nodes"
    )
    oracle: ClassVar[str] = (
        "operators one by one; χ² of parents; elitism; P forward passes exactly; NEAT's evaluations on XOR"
    )
    through_time: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.elite >= self.population:
            raise InputError(
                f"elite must be below the population of {self.population}, but {self.elite} was given"
            )

    def held(self, net: Network) -> int:
        return self.population * net.size

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        others = self.spread * two_sided_exponential(rand.uniform(self.population - 1, net.size))
        return {
            "params": dict(params),
            "memory": {"population": np.concatenate([flatten(net, params), others], axis=-2)},
        }

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        population = state["memory"]["population"]
        order = np.argsort(losses(net, population, batch), axis=-1, stable=True)
        ranked = individuals(population, order)
        mothers, fathers = self.parents(ranked, rand), self.parents(ranked, rand)
        by_crossover = rand.uniform(self.population - self.elite, 1) < self.crossover_probability
        children = np.where(
            by_crossover, self.crossed(net, mothers, fathers, rand), self.mutated(net, mothers, rand)
        )
        population = np.concatenate([ranked[..., : self.elite, :], children], axis=-2)
        return Update(
            {"params": unflatten(net, ranked[..., :1, :]), "memory": {"population": population}}, None
        )

    def parents(self, ranked: Array, rand: Rand) -> Array:
        """One parent for each child (…, C, W),
        drawn from the population from best to worst (…, P, W) with P(r) ∝ s^r.
        """
        size, s = self.population, self.parent_scalar
        u = rand.uniform(size - self.elite)
        # the inverse of Σ_{i<r} P(i)
        drawn = u * size if s == 1 else np.log(1.0 - u * (1.0 - s**size)) / log(s)
        return individuals(ranked, np.minimum(np.floor(drawn), size - 1).astype(np.intp))

    def crossed(self, net: Network, mothers: Array, fathers: Array, rand: Rand) -> Array:
        """Children of two parents each (…, C, W)."""
        if self.crossover == "crossover_weights":
            return np.where(rand.uniform(*mothers.shape[-2:]) < 0.5, mothers, fathers)
        into = entered(net)
        coins = rand.uniform(mothers.shape[-2], int(into.max()) + 1) < 0.5
        return np.where(coins[..., into], mothers, fathers)

    def mutated(self, net: Network, parents: Array, rand: Rand) -> Array:
        """Mutants of one parent each (…, C, W)."""
        count, size = parents.shape[-2:]
        noise = self.spread * two_sided_exponential(rand.uniform(count, size))
        if self.mutation == "mutate_nodes":
            into = entered(net)
            order = np.argsort(rand.uniform(count, int(into.max()) + 1), axis=-1, stable=True)
            chosen = np.argsort(order, axis=-1, stable=True) < self.nodes
            return np.where(chosen[..., into], parents + noise, parents)
        changed = rand.uniform(count, size) < self.weight_probability
        return np.where(
            changed, parents + noise if self.mutation == "biased_mutate_weights" else noise, parents
        )


def individuals(crowd: Array, which: Array) -> Array:
    """Those numbered `which` (R, C) of the crowd (R, P, W) of each replica: (R, C, W)."""
    return crowd[np.arange(len(which))[:, None], which]


def two_sided_exponential(u: Array) -> Array:
    """Numbers with density ½ e^{−|x|} from uniform ones on [0, 1):
    the lower half of them falls on the left, finite always.
    """
    left = u < 0.5
    size = np.log(1.0 - np.where(left, 2.0 * u, 2.0 * u - 1.0))
    return np.where(left, size, -size)


def entered(net: Network) -> Array:
    """Which node, numbered without inputs, each weight leads into (W,), in the order of `flatten`.

    All units of a map that share a bias, those of a channel, are one node. A weight that several groups share
    leads into the node of the edge that lends it.
    """
    start = dict(
        zip(net.groups, np.cumsum([0, *(g.channels if net.into(g) else 0 for g in net.groups)]), strict=False)
    )
    into = [(k.target if isinstance(k, Edge) else k, shape) for k, shape in net.shapes.items()]
    return np.concatenate(
        [np.tile(start[g] + np.arange(columns) % g.channels, rows) for g, (rows, columns) in into]
    )
