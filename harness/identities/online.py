"""Rows on credit through time: windows, influence carried forwards, and what is left of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms._influence import remembering
from algorithms.backprop import Backprop
from algorithms.bptt import Bptt
from algorithms.eprop import EProp
from algorithms.rflo import Rflo
from algorithms.rtrl import Rtrl
from algorithms.snap import Snap
from algorithms.uoro import Uoro
from harness.core.algorithm import CreditAlgorithm
from harness.core.edges import Edge, Group
from harness.core.identity import Identity, Problem
from harness.core.network import Network
from harness.core.recurrent import recurrent

Sides = tuple[Any, Any]
PLAIN = tuple(recurrent(2, 3, 2, kind) for kind in ("tanh", "sigmoid", "leaky"))
ALONE = tuple(recurrent(2, 3, 2, kind) for kind in ("diagonal", "state_space"))
ALL = (*PLAIN, *ALONE, recurrent(2, 3, 2, "lstm"))


def two(tied: bool) -> Network:
    """Two recurrent groups that hear the same input, with the same weights or with weights of their own."""
    x, y = Group("input", 2, "linear", bias=False), Group("output", 2)
    a, b = Group("left", 3, "tanh"), Group("right", 3, "tanh")
    into, own = Edge(x, a), Edge(a, a, delay=1)
    also = (
        (Edge(x, b, like=into), Edge(b, b, delay=1, like=own)) if tied else (Edge(x, b), Edge(b, b, delay=1))
    )
    return Network((x, a, b, y), (into, own, *also, Edge(a, y), Edge(b, y)))


TIED = two(tied=True)


def alike(one: CreditAlgorithm, other: CreditAlgorithm) -> Any:
    """Both sides: the credit of two rules."""
    return lambda p: (p.credit(one), p.credit(other))


def in_places(p: Problem, rule: CreditAlgorithm) -> Sides:
    """A rule's credit of shared weights, and that of weights of their own, summed over those that share."""
    wide = two(tied=False)
    lent: dict[Any, Any] = {e: d.weights for d, e in zip(p.net.edges, wide.edges, strict=True)}
    apart = p._replace(net=wide, params={**p.params, **{e: p.params[w] for e, w in lent.items()}})
    found: dict[Any, Any] = {}
    for key, each in apart.credit(rule).items():
        to = lent.get(key, key)
        found[to] = found[to] + each if to in found else each
    return p.credit(rule), found


def in_the_mean(p: Problem) -> Sides:
    """Draws of UORO's credit, and the gradient, of the weights that influence the state: the others do not
    vary."""
    found, truth = p.many(4000).credit(Uoro()), p.credit(Backprop())
    sides = [
        np.concatenate([g[k].reshape(len(g[k]), -1) for k in remembering(p.net)], -1) for g in (found, truth)
    ]
    return sides[0], sides[1][0]


def exact(name: str, statement: str, source: str, sides: Any, nets: tuple[Network, ...]) -> Identity:
    """A row of two rules that are one."""
    return Identity(name, "exact", statement, source, sides, nets=nets)


def shared(name: str, rule: CreditAlgorithm) -> Identity:
    """A rule that credits shared weights with the sum over those that share."""
    said = f"{name} of shared weights is {name} of weights of their own, summed over those that share"
    return exact(f"shared_{name}", said, "chain rule", lambda p: in_places(p, rule), (TIED,))


def unbiased(name: str, statement: str, net: Network) -> Identity:
    """A row on the mean of UORO."""
    source = "Tallec & Ollivier 2018, arXiv:1702.05043, section 3"
    return Identity(name, "direction", statement, source, in_the_mean, nets=(net,))


ZIPSER, MENICK = (
    "Williams & Zipser 1989, Neural Computation 1:270-280",
    "Menick et al. 2021, arXiv:2006.07232",
)
ROWS = (
    exact(
        "rtrl_is_backprop", "influence carried forwards is backprop through time", ZIPSER,
        alike(Rtrl(), Backprop()), ALL,
    ),
    exact(
        "bptt_of_all_steps", "a window of the sequence's 4 steps is backprop through time",
        "Williams & Peng 1990, Neural Computation 2:490-501", alike(Bptt(window=4), Backprop()), ALL,
    ),
    exact(
        "snap_of_two_is_rtrl", "SnAp reaches every unit of a dense recurrence at n = 2, and is RTRL", MENICK,
        alike(Snap(reach=2), Rtrl()), PLAIN,
    ),
    exact(
        "eprop_is_snap", "symmetric e-prop is SnAp at n = 1, where a unit has one state", MENICK,
        alike(EProp(), Snap()), (*PLAIN, *ALONE),
    ),
    exact(
        "eprop_of_a_diagonal", "symmetric e-prop is backprop where units remember themselves alone",
        "Bellec et al. 2020, Nature Communications 11:3625, eq. 1", alike(EProp(), Backprop()), ALONE,
    ),
    unbiased("uoro_in_the_mean", "UORO is backprop through time in the mean", recurrent(2, 3, 2)),
    shared("bptt", Bptt(window=2)),
    shared("rtrl", Rtrl()),
    shared("snap", Snap()),
    shared("eprop", EProp()),
    shared("rflo", Rflo()),
    unbiased("shared_uoro", "UORO of shared weights is their gradient in the mean", TIED),
)  # fmt: skip
