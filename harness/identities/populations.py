"""Rows on populations of weight vectors: evolution strategies, EGGROLL and the genetic algorithm."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from algorithms.eggroll import Eggroll, weighed
from algorithms.evolution_strategies import EvolutionStrategies
from algorithms.genetic import Genetic
from algorithms.weight_perturbation import WeightPerturbation
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.network import Network
from harness.core.vectors import flatten, loss_at
from harness.identities.perturbation import MANY, NET, QUADRATIC, averaged, on_average, unbiased

Sides = tuple[Any, Any]
SMOOTHED = Network.chain(1, 1, 1)
SALIMANS = "Salimans et al. 2017, section 2.1"
MATRICES = ((2, 2, 1), (2, 2, 2), (1, 2, 3), (1, 1, 4))
"""Rows, columns and rank of perturbations that are counted out, 3^(rank × (rows + columns)) of each."""


def pairs(p: Problem) -> Sides:
    """Evolution strategies, and antithetic weight perturbation of as many draws."""
    return (
        p.credit(EvolutionStrategies(sigma=0.3, pairs=6)),
        p.credit(WeightPerturbation(sigma=0.3, antithetic=True, draws=6)),
    )


def smoothed(p: Problem) -> Sides:
    """Draws of evolution strategies, and ∇E_ε[E(w + σε)] by Gauss and Hermite's quadrature."""
    sigma, points = 0.8, 16
    nodes, mass = np.polynomial.hermite_e.hermegauss(points)
    noise = np.array(list(product(nodes, repeat=p.net.size)))
    weight = np.prod(list(product(mass / mass.sum(), repeat=p.net.size)), axis=1)
    loss = loss_at(p.net, flatten(p.net, p.params) + sigma * noise[:, None, :], p.batch)
    return on_average(p, EvolutionStrategies(sigma=sigma, pairs=2))[0], (weight * loss) @ noise / sigma


def low_rank(rows: int, columns: int, rank: int) -> Sides:
    """All values of E = A Bᵀ / √r (K, rows, columns) and their masses (K,), A and B on Gauss and Hermite's
    three points: up to the fifth power these have the moments of N(0, 1).
    """
    nodes, mass = np.polynomial.hermite_e.hermegauss(3)
    size = rank * (rows + columns)
    drawn = np.array(list(product(nodes, repeat=size)))
    weight = np.prod(list(product(mass / mass.sum(), repeat=size)), axis=1)
    a, b = np.split(drawn, [rank * rows], axis=1)
    factors = a.reshape(-1, 1, rows, rank), b.reshape(-1, 1, columns, rank)
    return weighed(np.ones((len(drawn), 1, 1, 1)), factors), weight


def covariance(_: Problem) -> Sides:
    """E[E_ij E_kl] of EGGROLL's perturbations of several shapes and ranks, and δ_ik δ_jl."""
    found, expected = {}, {}
    for rows, columns, rank in MATRICES:
        each, weight = low_rank(rows, columns, rank)
        flat = each.reshape(len(each), -1)
        name = f"{rows} x {columns}, rank {rank}"
        found[name], expected[name] = (weight[:, None] * flat).T @ flat, np.eye(rows * columns)
    return found, expected


def fourth_moment(_: Problem, rank: float) -> Sides:
    """The fourth moment of an entry of E, and a Gaussian's: 3."""
    each, weight = low_rank(1, 1, int(rank))
    return np.array([weight @ each[:, 0, 0] ** 4]), np.array([3.0])


def no_children(p: Problem) -> Sides:
    """The population after a generation without crossover and mutation, each beside its nearest before."""
    rule = Genetic(
        population=12, crossover_probability=0.0, mutation="biased_mutate_weights", weight_probability=0.0
    )
    before, after = (p.after(rule, n)["memory"]["population"][0] for n in (0, 1))
    near = np.abs(after[:, None] - before[None]).sum(axis=-1).argmin(axis=1)
    return after, before[near]


def best_of_all(p: Problem) -> Sides:
    """The weights that a generation hands out, and the best of the population before."""
    rule = Genetic(population=12)
    crowd = p.after(rule, 0)["memory"]["population"][0]
    losses = [float(loss_at(p.net, each[None], p.batch)[0]) for each in crowd]
    return flatten(p.net, p.after(rule, 1)["params"])[0, 0], crowd[int(np.argmin(losses))]


ROWS = (
    Identity(
        "evolution_strategies_are_antithetic_perturbation",
        "exact",
        "evolution strategies without shaping are antithetic weight perturbation of as many draws",
        "Salimans et al. 2017, algorithm 1",
        pairs,
        nets=(CHAIN, NET),
    ),
    unbiased(
        "evolution_strategies_on_a_quadratic",
        EvolutionStrategies(sigma=2.0, pairs=2),
        "where the loss is quadratic, evolution strategies of any σ are the gradient",
        SALIMANS,
        QUADRATIC,
    ),
    Identity(
        "evolution_strategies_smooth",
        "direction",
        "evolution strategies are the gradient of the loss smoothed by a Gaussian in the mean",
        SALIMANS,
        smoothed,
        nets=(SMOOTHED,),
    ),
    Identity(
        "evolution_strategies_of_many_pairs",
        "limit",
        "where the loss is quadratic, evolution strategies of n pairs tend to the gradient",
        SALIMANS,
        lambda p, k: averaged(p, EvolutionStrategies(sigma=0.5, pairs=int(k))),
        nets=tuple([QUADRATIC] * 4),
        parameter="n",
        at=MANY,
        power=-0.5,
    ),
    unbiased(
        "eggroll_on_a_quadratic",
        Eggroll(sigma=2.0, pairs=2, rank=1),
        "where the loss is quadratic, EGGROLL of any σ and rank is the gradient",
        "Sarkar et al. 2025; covariance of E by algebra",
        QUADRATIC,
    ),
    Identity(
        "eggroll_covariance",
        "exact",
        "the entries of EGGROLL's perturbations have covariance 1, whatever the rank",
        "E is a sum of r independent products, over √r: Isserlis' theorem",
        covariance,
    ),
    Identity(
        "eggroll_of_high_rank",
        "limit",
        "the fourth moment of an entry of EGGROLL's perturbations tends to a Gaussian's 3, as 3 + 6 / r",
        "Sarkar et al. 2025; Isserlis' theorem",
        fourth_moment,
        parameter="r",
        at=(1.0, 2.0, 4.0),
        power=-1.0,
    ),
    Identity(
        "genetic_without_operators",
        "exact",
        "without crossover and mutation a generation has nobody who was not there before",
        "Montana & Davis 1989",
        no_children,
        within=0,
    ),
    Identity(
        "genetic_hands_out_the_best",
        "exact",
        "the genetic algorithm's weights are those of the best of the population it tried",
        "Montana & Davis 1989",
        best_of_all,
        within=0,
    ),
)
