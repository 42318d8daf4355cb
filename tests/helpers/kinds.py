"""Networks of every kind of edge on one small task, and the same networks written out as dense ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from harness.core.convolution import Convolution, Local
from harness.core.data import Patterns, Spec, Usual
from harness.core.edges import Edge, Group
from harness.core.network import Key, Network
from harness.core.task import Task

Array = Any
KINDS = ("convolution", "local", "tied", "mixed")


@dataclass(frozen=True)
class Images(Task):
    """Nine images of 4 × 4 random bits in three classes, for a network of one of `KINDS`."""

    kind: str = "convolution"
    dense: bool = False
    """The same network written out as a dense one."""
    hidden: str = "sigmoid"
    usual: ClassVar[Usual] = Usual(lr=0.2, momentum=0.5, scale=0.5, epochs=30)

    def network(self) -> Network:
        net = network_of(self.kind, self.hidden, self.output_unit)
        return written_out(net) if self.dense else net

    def spec(self) -> Spec:
        return Spec(patterns=9, kind="labels")

    def patterns(self) -> Patterns:
        x = np.random.default_rng(5).integers(0, 2, (9, 16)).astype(float)
        return Patterns(x, np.eye(3)[np.arange(9) % 3] > 0, tuple(f"image {i}" for i in range(9)))


def network_of(kind: str, hidden: str, output: str) -> Network:
    """A network of 16 inputs and 3 outputs with edges of that kind."""
    image, last = Group("input", (4, 4, 1), "linear", bias=False), Group("output", 3, output)
    maps, small = Group("maps", (4, 4, 2), hidden), Group("small", (2, 2, 2), hidden)
    if kind == "convolution":
        first = Convolution(image, maps, padding=1)
        return Network(
            (image, maps, small, last),
            (first, Convolution(maps, small, kernel=(3, 3), stride=1), Edge(small, last)),
        )
    if kind == "local":
        return Network((image, small, last), (Local(image, small), Edge(small, last)))
    if kind == "tied":
        groups = (image, *(Group(f"h{i}", 4, hidden) for i in range(3)), last)
        into, between, tied, out = (Edge(a, b) for a, b in pairwise(groups))
        return Network(groups, (into, between, Edge(tied.source, tied.target, like=between), out))
    again = Group("again", (4, 4, 2), hidden)
    shared = Convolution(maps, again, padding=1)
    third = Group("third", (4, 4, 2), hidden)
    return Network(
        (image, maps, again, third, small, last),
        (
            Convolution(image, maps, padding=1),
            shared,
            Convolution(again, third, padding=1, like=shared),
            Local(third, small, kernel=(2, 2), stride=2),
            Edge(small, last),
            Edge(image, last),
        ),
    )


def written_out(net: Network) -> Network:
    """The same network with a weight for every pair of units, and a bias for every unit."""
    flat = {g: Group(g.name, g.size, g.activation, g.bias) for g in net.groups}
    return Network(tuple(flat.values()), tuple(Edge(flat[e.source], flat[e.target]) for e in net.edges))


def matrix(edge: Edge, w: Array) -> Array:
    """The dense weights (R, source size, target size) of an edge: what it makes of each unit alone."""
    return edge.send(w, np.eye(edge.source.size)[None])


def expanded(net: Network, params: Mapping[Key, Array]) -> dict[Key, Array]:
    """Parameters of `written_out(net)` that do the same as these."""
    dense = written_out(net)
    weights = {d: matrix(e, params[e.weights]) for e, d in zip(net.edges, dense.edges, strict=True)}
    biases = {
        d: net.everywhere(g, params[g]) for g, d in zip(net.groups, dense.groups, strict=True) if g in params
    }
    return {**weights, **biases}


def summed(net: Network, credit: Mapping[Key, Array]) -> dict[Key, Array]:
    """The credit of each shared parameter: the dense network's, summed over all places where it stands."""
    found: dict[Key, Array] = {}
    for e, d in zip(net.edges, written_out(net).edges, strict=True):
        if d in credit:
            rows, columns = e.shape
            places = matrix(
                e, np.eye(rows * columns).reshape(-1, rows, columns)
            )  # 1 where each weight stands
            each = np.einsum("kst,rst->rk", places, credit[d]).reshape(-1, rows, columns)
            found[e.weights] = found.get(e.weights, 0.0) + each
    for g, d in zip(net.groups, written_out(net).groups, strict=True):
        if d in credit:
            found[g] = credit[d].reshape(len(credit[d]), -1, g.channels).sum(axis=1, keepdims=True)
    return found
