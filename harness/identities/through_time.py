"""Rows on networks in time: backpropagation through it, and the tied network that its steps are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from harness.core.edges import Edge, Group
from harness.core.identity import Identity, Problem
from harness.core.network import Network

Sides = tuple[Any, Any]
RECURRENT = Network(
    (a := Group("input", 2, "linear", bias=False), h := Group("hidden", 3), o := Group("output", 2)),
    (Edge(a, h), Edge(h, h, delay=1), Edge(h, o)),
)


def unrolled(p: Problem) -> Sides:
    """Backpropagation through time, and in the network of tied edges that its 4 steps are."""
    own = {k.name: k for k in p.params}
    steps = p.batch.x.shape[-3]
    sources = [Group(f"input{t}", a.size, "linear", bias=False) for t in range(steps)]
    hidden = [Group(f"hidden{t}", h.size) for t in range(steps)]
    outputs = [Group(f"output{t}", o.size) for t in range(steps)]
    gradient: dict[str, Any] = {}
    for t in range(steps):  # the loss is a sum over steps, each at the top of a network of its own
        groups = (*sources[: t + 1], *hidden[: t + 1], outputs[t])
        into = [Edge(x, y) for x, y in zip(sources, hidden[: t + 1], strict=False)]
        across = [Edge(x, y) for x, y in pairwise(hidden[: t + 1])]
        net = Network(groups, (*into, *across, Edge(hidden[t], outputs[t])))
        lent: dict[Any, str] = dict.fromkeys(into, "input-hidden")
        lent |= dict.fromkeys(across, "hidden-hidden:1") | dict.fromkeys(hidden[: t + 1], "hidden")
        lent |= {net.edges[-1]: "hidden-output", outputs[t]: "output"}
        x = np.concatenate([p.batch.x[:, s] for s in range(t + 1)], axis=-1)
        at = Problem(
            net, {k: p.params[own[name]] for k, name in lent.items()}, p.batch.at(t)._replace(x=x), 0
        )
        for key, g in at.credit(Backprop()).items():
            gradient[lent[key]] = gradient.get(lent[key], 0.0) + g
    return {k.name: g for k, g in p.credit(Backprop()).items()}, gradient


def first_step(p: Problem) -> Sides:
    """Backpropagation through a single time step, and without the delayed edge."""
    once = p.batch._replace(**{n: getattr(p.batch, n)[:, :1] for n in ("x", "target", "wanted")})
    plain = Network(p.net.groups, tuple(e for e in p.net.edges if not e.delay))
    through = p._replace(batch=once).credit(Backprop())
    return through, Problem(plain, p.params, once.at(0), 0).credit(Backprop())


ROWS = (
    Identity(
        "through_time_is_tied",
        "exact",
        "backprop through time is backprop in the tied network that its steps are",
        "PDP vol. 1 ch. 8, pp. 354-361",
        unrolled,
        nets=(RECURRENT,),
    ),
    Identity(
        "through_one_step",
        "exact",
        "backprop through a single time step is backprop without delayed edges",
        "algebra",
        first_step,
        nets=(RECURRENT,),
        within=0,
    ),
)
