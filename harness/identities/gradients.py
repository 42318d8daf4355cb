"""Rows on the gradient: by differences, by one weight after the other, recomputed, in closed form."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from algorithms.accumulated_backprop import AccumulatedBackprop
from algorithms.backprop import Backprop
from algorithms.checkpointed_backprop import CheckpointedBackprop
from algorithms.finite_differences import FiniteDifferences
from algorithms.shallow import Shallow
from algorithms.weight_perturbation import SequentialWeightPerturbation
from harness.core.edges import Edge, Group
from harness.core.identity import CHAIN, Identity, Problem
from harness.core.network import Network

Sides = tuple[Any, Any]
DEEP = Network.chain(3, 4, 3, 4, 3, 2)
RESIDUAL = Network.chain(3, 4, 4, 4, 2, residual=True, normalised=True)
SHORTCUT = Network.chain(3, 4, 2, shortcut=True)
RECTIFIED = Network(
    groups := (
        Group("input", 3, "linear", bias=False),
        Group("hidden", 5, "relu", bias=False),
        Group("output", 2, "linear", bias=False),
    ),
    tuple(Edge(a, b) for a, b in pairwise(groups)),
)
LINEAR = Network.chain(3, 4, 3, 2, hidden="linear", output="linear")


def differences(scheme: str, p: Problem, h: float) -> Sides:
    """Finite differences of a step, and the gradient."""
    return p.credit(FiniteDifferences(scheme=scheme, step=h)), p.credit(Backprop())


def micro_batches(p: Problem) -> Sides:
    """Backpropagation accumulated over micro-batches of every size, and plain."""
    sizes = range(1, p.batch.patterns + 2)
    return (
        {str(n): p.credit(AccumulatedBackprop(micro=n)) for n in sizes},
        {str(n): p.credit(Backprop()) for n in sizes},
    )


def segments(p: Problem) -> Sides:
    """Backpropagation recomputed in segments of every length, and plain."""
    lengths = range(1, len(p.net.hidden) + 1)
    return (
        {str(n): p.credit(CheckpointedBackprop(segment=n)) for n in lengths},
        {str(n): p.credit(Backprop()) for n in lengths},
    )


def output_row(p: Problem) -> Sides:
    """Shallow, and of backprop what enters the output."""
    whole = p.credit(Backprop())
    into: list[Any] = [p.net.output, *p.net.into(p.net.output)]
    return p.credit(Shallow()), {k: whole[k] for k in into}


def closed_form(p: Problem) -> Sides:
    """Backprop, and the product of matrices that a linear chain's gradient is."""
    (first, *_), x = p.net.edges, p.batch.x
    rest = p.params[p.net.edges[1]] @ p.params[p.net.edges[2]]
    error = p.net.respond(p.params, x) - p.batch.target
    return p.credit(Backprop())[first], x.mT @ error @ rest.mT


def balance(p: Problem) -> Sides:
    """Σ w ∂E/∂w over what enters each rectified unit, and over what leaves it."""
    (into, out), credit = p.net.edges, p.credit(Backprop())
    return (p.params[into] * credit[into]).sum(axis=-2), (p.params[out] * credit[out]).sum(axis=-1)


PRESS = "Press et al. 2007, section 5.7"
ROWS = (
    Identity(
        "forward_differences",
        "limit",
        "forward differences tend to the gradient",
        PRESS,
        lambda p, h: differences("forward", p, h),
        parameter="h",
        at=(1e-2, 1e-3, 1e-4),
    ),
    Identity(
        "central_differences",
        "limit",
        "central differences tend to the gradient",
        PRESS,
        lambda p, h: differences("central", p, h),
        at=(3e-2, 1e-2, 3e-3),
        power=2,
    ),
    Identity(
        "complex_step",
        "exact",
        "the complex step is the gradient where units are analytic",
        "Squire & Trapp 1998",
        lambda p: differences("complex", p, 1e-20),
        nets=(CHAIN, SHORTCUT, LINEAR),
    ),
    Identity(
        "complex_step_with_a_long_step",
        "limit",
        "the complex step errs by the square of its step",
        "Squire & Trapp 1998",
        lambda p, h: differences("complex", p, h),
        at=(3e-2, 1e-2, 3e-3),
        power=2,
    ),
    Identity(
        "sequential_perturbation_is_forward_differences",
        "exact",
        "sequential weight perturbation is forward differences of step σ",
        "Jabri & Flower 1992",
        lambda p: (p.credit(SequentialWeightPerturbation(sigma=0.01)), differences("forward", p, 0.01)[0]),
        within=0,
    ),
    Identity(
        "sequential_perturbation",
        "limit",
        "sequential weight perturbation tends to the gradient",
        "Jabri & Flower 1992",
        lambda p, h: (p.credit(SequentialWeightPerturbation(sigma=h)), p.credit(Backprop())),
        parameter="σ",
        at=(1e-2, 1e-3, 1e-4),
    ),
    Identity(
        "checkpointed_backprop",
        "exact",
        "checkpointed backprop is backprop, whatever its segments",
        "Chen et al. 2016, Algorithm 1",
        segments,
        nets=(DEEP, RESIDUAL),
        within=0,
    ),
    Identity(
        "accumulated_backprop",
        "exact",
        "accumulated backprop is backprop, whatever its micro-batches",
        "Huang et al. 2019, section 2.2",
        micro_batches,
        nets=(DEEP, RESIDUAL),
    ),
    Identity(
        "shallow_is_the_output_row",
        "exact",
        "shallow is what backprop gives to weights into the output",
        "PDP vol. 1 ch. 8",
        output_row,
        nets=(DEEP, SHORTCUT),
        within=0,
    ),
    Identity(
        "shallow_without_hidden_units",
        "exact",
        "shallow is backprop where there are no hidden units",
        "algebra",
        lambda p: (p.credit(Shallow()), p.credit(Backprop())),
        nets=(Network.chain(3, 2),),
        within=0,
    ),
    Identity(
        "linear_chain",
        "exact",
        "of a linear chain backprop is xᵀ (y − d) (W₂ W₃)ᵀ",
        "algebra",
        closed_form,
        nets=(LINEAR,),
    ),
    Identity(
        "balance_of_rectified_units",
        "exact",
        "what enters a rectified unit without bias and what leaves it have the same Σ w ∂E/∂w",
        "Du, Hu & Lee 2018",
        balance,
        nets=(RECTIFIED,),
    ),
)
