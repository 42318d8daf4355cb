"""Rows on rules that try: weights, directions, populations and units shaken at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from algorithms.weight_perturbation import ForwardGradient, Spsa, WeightPerturbation
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.network import Network
from harness.core.vectors import flatten

Sides = tuple[Any, Any]
DRAWS = 20_000
SIZES, MANY = (1e-2, 1e-3, 1e-4), (16.0, 256.0, 4096.0)
NET = Network.chain(3, 2, 2, shortcut=True)
QUADRATIC = Network.chain(3, 2, output="linear")
WERFEL = "Werfel, Xie & Seung 2005"
BAYDIN = "Baydin et al. 2022"


def flat(p: Problem, credit: Any) -> Any:
    """Credit as rows (R, W)."""
    return flatten(p.net, credit)[:, 0]


def on_average(p: Problem, rule: Any, n: int = DRAWS) -> Sides:
    """Draws of a rule's credit, and the gradient."""
    many = p.many(n)
    return flat(p, many.credit(rule)), flat(p, p.credit(Backprop()))[0]


def along(p: Problem, sigma: float, **rule: Any) -> Sides:
    """Weight perturbation of size σ, and the forward gradient along the same directions."""
    direction = {"direction": rule["direction"]} if "direction" in rule else {}
    forward = ForwardGradient(draws=3, **direction)
    return p.credit(WeightPerturbation(sigma=sigma, draws=3, **rule)), p.credit(forward)


def spsa(p: Problem) -> Sides:
    """SPSA's estimate, and antithetic weight perturbation by ±1."""
    rule = WeightPerturbation(sigma=0.05, direction="sign", antithetic=True, draws=4)
    return Spsa(draws=4).estimate(p.net, p.params, p.batch, p.rand, np.full((1, 1, 1), 0.05)), p.credit(rule)


def spsa_on_average(p: Problem) -> Sides:
    """Draws of SPSA's estimate, and the gradient."""
    many = p.many(DRAWS)
    found = Spsa().estimate(p.net, many.params, p.batch, many.rand, np.full((DRAWS, 1, 1), 1e-3))
    return flat(p, found), flat(p, p.credit(Backprop()))[0]


def averaged(p: Problem, rule: Any) -> Sides:
    """A rule's mean over many draws, and the gradient."""
    return p.credit(rule), p.credit(Backprop())


def angles(p: Problem, count: int) -> Sides:
    """cos² of the angle of the mean of `count` forward gradients to the gradient, and its law."""
    from scipy.stats import beta

    draws, truth = on_average(p, ForwardGradient(draws=count), 5000)
    cosines = (draws @ truth) ** 2 / ((draws**2).sum(axis=1) * (truth @ truth))
    return cosines, beta(count / 2, (p.net.size - 1) / 2).cdf


def power(p: Problem, kind: str) -> Sides:
    """‖g‖² / ‖∇E‖² of forward gradients, and its mean: d + 2 for normal directions, d for ±1."""
    draws, truth = on_average(p, ForwardGradient(direction=kind), 40_000)
    mean = p.net.size + 2.0 if kind == "normal" else float(p.net.size)
    return (draws**2).sum(axis=1) / (truth @ truth), np.array([mean])


def unbiased(name: str, rule: Any, statement: str, source: str, net: Network = NET) -> Identity:
    """A row that says what a rule's credit is in the mean."""
    return Identity(
        name, "direction", f"{statement} in the mean", source, lambda p: on_average(p, rule), nets=(net,)
    )


ROWS = (
    Identity(
        "weight_perturbation_tends_to_the_forward_gradient",
        "limit",
        "weight perturbation tends to the forward gradient along the same directions",
        BAYDIN,
        along,
        parameter="σ",
        at=SIZES,
    ),
    Identity(
        "antithetic_perturbation_tends_to_the_forward_gradient",
        "limit",
        "antithetic weight perturbation tends to the forward gradient along the same directions",
        BAYDIN,
        lambda p, h: along(p, h, antithetic=True),
        parameter="σ",
        at=(1e-1, 3e-2, 1e-2),
        power=2,
    ),
    Identity(
        "antithetic_perturbation_of_a_quadratic",
        "exact",
        "where the loss is quadratic, antithetic weight perturbation of any size is the forward gradient",
        "algebra",
        lambda p: along(p, 2.0, antithetic=True, direction="sign"),
        nets=(QUADRATIC,),
    ),
    Identity(
        "spsa_is_antithetic_perturbation",
        "exact",
        "SPSA's estimate is antithetic weight perturbation by ±1",
        "Spall 1992",
        spsa,
        nets=(CHAIN, NET),
        within=0,
    ),
    unbiased(
        "forward_gradient_in_the_mean", ForwardGradient(), "the forward gradient is the gradient", BAYDIN
    ),
    unbiased(
        "forward_gradient_by_signs",
        ForwardGradient(direction="sign"),
        "the forward gradient along ±1 is the gradient",
        BAYDIN,
    ),
    unbiased(
        "weight_perturbation_in_the_mean",
        WeightPerturbation(antithetic=True),
        "weight perturbation of size .001 is the gradient",
        WERFEL,
    ),
    Identity(
        "spsa_in_the_mean",
        "direction",
        "SPSA's estimate at c = .001 is the gradient in the mean",
        "Spall 1992",
        spsa_on_average,
        nets=(NET,),
    ),
    Identity(
        "forward_gradients_averaged",
        "limit",
        "the mean of K forward gradients tends to the gradient",
        BAYDIN,
        lambda p, k: averaged(p, ForwardGradient(draws=int(k))),
        nets=tuple([NET] * 4),
        parameter="K",
        at=MANY,
        power=-0.5,
    ),
    Identity(
        "angle_of_one_forward_gradient",
        "direction",
        "cos² of a forward gradient's angle to the gradient is Beta(½, (d − 1)/2)",
        "algebra: a projection of a Gaussian",
        lambda p: angles(p, 1),
        nets=(NET,),
        statistic="distribution",
    ),
    Identity(
        "angle_of_eight_forward_gradients",
        "direction",
        "cos² of the angle of K = 8 forward gradients' mean to the gradient is Beta(K/2, (d − 1)/2)",
        "algebra: projections of Gaussians",
        lambda p: angles(p, 8),
        nets=(NET,),
        statistic="distribution",
    ),
    Identity(
        "second_moment_of_normal_directions",
        "direction",
        "‖g‖² of a forward gradient is (d + 2) ‖∇E‖² in the mean",
        "algebra: E[vᵢ⁴] = 3",
        lambda p: power(p, "normal"),
        nets=(NET,),
    ),
    Identity(
        "second_moment_of_signs",
        "direction",
        "‖g‖² of a forward gradient along ±1 is d ‖∇E‖² in the mean",
        "algebra: vᵢ² = 1",
        lambda p: power(p, "sign"),
        nets=(NET,),
    ),
)
