"""Networks whose weights are shared, and the same networks with a weight for every pair of units.

w = θ[index]   ⇒   ∂E/∂θ_k = Σ over the places of k
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from algorithms.weight_mirror import back
from harness.core.convolution import Convolution, Local
from harness.core.edges import Edge, Group
from harness.core.identity import Problem
from harness.core.network import Key, Network
from harness.core.summed import Summed

Array = Any
ROUNDED = 1e-10  # what a difference of two states of rest may be off by, in units of it
IMAGE, LAST = Group("input", (4, 4, 1), "linear", bias=False), Group("output", 3)
MAPS, AGAIN, SMALL = Group("maps", (4, 4, 2)), Group("again", (4, 4, 2)), Group("small", (2, 2, 2))
FLAT = Group("flat", 4), Group("other", 4), Group("third", 4)


def _mixed() -> Network:
    across = Convolution(MAPS, AGAIN, padding=1)
    third = Group("last_maps", (4, 4, 2))
    edges = (
        Convolution(IMAGE, MAPS, padding=1),
        across,
        Convolution(AGAIN, third, padding=1, like=across),
        Local(third, SMALL, kernel=(2, 2), stride=2),
        Edge(SMALL, LAST),
        Edge(IMAGE, LAST),
    )
    return Network((IMAGE, MAPS, AGAIN, third, SMALL, LAST), edges)


def _tied() -> Network:
    between = Edge(FLAT[0], FLAT[1])
    edges = (Edge(IMAGE, FLAT[0]), between, Edge(FLAT[1], FLAT[2], like=between), Edge(FLAT[2], LAST))
    return Network((IMAGE, *FLAT, LAST), edges)


SHARED = {
    "convolution": Network((IMAGE, SMALL, LAST), (Convolution(IMAGE, SMALL), Edge(SMALL, LAST))),
    "local": Network((IMAGE, SMALL, LAST), (Local(IMAGE, SMALL), Edge(SMALL, LAST))),
    "tied": _tied(),
    "summed": Network((IMAGE, MAPS, LAST), (Convolution(IMAGE, MAPS, padding=1), Summed(MAPS, LAST))),
    "mixed": _mixed(),
}
"""Networks of each kind of edge; `mixed` has four, two of them tied."""


def written_out(net: Network) -> Network:
    """The same network with a weight for every pair of units, and a bias for every unit."""
    flat = {g: Group(g.name, g.size, g.activation, g.bias) for g in net.groups}
    return Network(tuple(flat.values()), tuple(Edge(flat[e.source], flat[e.target]) for e in net.edges))


def matrix(edge: Edge, w: Array) -> Array:
    """The weights (R, source size, target size) of an edge: what it makes of each unit alone."""
    return edge.send(w, np.eye(edge.source.size)[None])


def expanded(p: Problem) -> Problem:
    """The problem on its network written out, with the same weights; feedback weights among them, too."""
    dense = written_out(p.net)
    params: dict[Any, Array] = {}
    for e, d in zip(p.net.edges, dense.edges, strict=True):
        params[d] = matrix(e, p.params[e.weights])
    for g, unit in zip(p.net.groups, dense.groups, strict=True):
        if g in p.params:
            params[unit] = p.net.everywhere(g, p.params[g])
    return Problem(dense, params, p.batch, p.seed)


def remembered(p: Problem, memory: Mapping[str, Any], transposed: bool) -> dict[str, Any]:
    """Feedback weights by the names of edges, as the network written out has them; others stay.

    Target propagation has them, and the biases of its way back, as "feedback" beside the state of Adam.
    """
    found = dict(memory)
    if "feedback" in memory:
        biases = {g.name: g for g in p.net.hidden if g.name in memory["feedback"]}
        wide = {name: p.net.everywhere(g, memory["feedback"][name]) for name, g in biases.items()}
        found["feedback"] = {**remembered(p, memory["feedback"], transposed), **wide}
    for e, d in zip(p.net.edges, written_out(p.net).edges, strict=True):
        if e.weights.name in memory:
            b = memory[e.weights.name]
            found[d.name] = matrix(e, b.mT).mT if transposed else matrix(e, b)
    return found


def summed(net: Network, credit: Mapping[Any, Array]) -> dict[Key, Array]:
    """The credit of each shared parameter: that of the network written out, over all places of it."""
    found: dict[Any, Array] = {}
    for e, d in zip(net.edges, written_out(net).edges, strict=True):
        rows, columns = e.shape
        places = matrix(e, np.eye(rows * columns).reshape(-1, rows, columns))  # 1 where each weight stands
        for key, shared in ((d, e.weights), (back(d), back(e.weights))):
            if key in credit:
                each = np.einsum("kst,rst->rk", places, credit[key]).reshape(-1, rows, columns)
                found[shared] = found.get(shared, 0.0) + each
    for g, unit in zip(net.groups, written_out(net).groups, strict=True):
        if unit in credit:
            found[g] = credit[unit].reshape(len(credit[unit]), -1, g.channels).sum(axis=1, keepdims=True)
    return found
