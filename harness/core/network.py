"""A network is groups of units and edges between them; its parameters are a plain mapping.

`params[edge]` is a weight matrix (…, source size, target size) and `params[group]` a bias
(…, 1, size); leading axes are replicas (and whatever an algorithm adds before them).
A chain is the common case; a shortcut connection is one more edge. An identity shortcut of a residual network
has no weights: what leaves its target is the target's activity plus what leaves its source.

In a `normalised` network everything that leaves a hidden group over an edge is first brought to mean 0 and variance 1 over
its units, for each pattern: with residuals s_l = s_{l-1} + f(z(s_{l-1}) W_l + b_l), the layout of Xiong et al. 2020 (On layer
normalization in the transformer architecture, arXiv:2002.04745). Gains and biases of the normalisation are left out: the
weights and biases that follow would take them up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from harness.core import kernels
from harness.core.errors import InputError, one_of, whole
from harness.core.rand import Rand
from harness.core.units import ACTIVATIONS

Array = Any
INITS = ("uniform", "glorot", "he", "zero")


@dataclass(frozen=True)
class Group:
    """Some units that share an activation function; `bias` is a weight from an always-on unit."""

    name: str
    size: int
    activation: str = "sigmoid"
    bias: bool = True

    def __post_init__(self) -> None:
        whole(f"size of group {self.name!r}", self.size, 1)
        one_of("activation", self.activation, ACTIVATIONS)

    def __hash__(self) -> int:  # groups are looked up every epoch: hash one cached string, not four fields
        return hash(self.name)


@dataclass(frozen=True)
class Edge:
    """Full connections from every unit of `source` to every unit of `target`."""

    source: Group
    target: Group
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.source.name}-{self.target.name}")

    def __hash__(self) -> int:
        return hash(self.name)


Key = Group | Edge
Params = Mapping[Key, Array]


@dataclass(frozen=True)
class Network:
    """A feed-forward network: `groups` in the order activity reaches them, the last one the output.

    Groups without incoming edges are inputs; they split the columns of a pattern in their order.
    Raises `InputError` if an edge or a residual runs backwards or names a group that is not in `groups`, an input comes late, or
    a normalised group has one unit, which would always be at its mean.
    """

    groups: tuple[Group, ...]
    edges: tuple[Edge, ...]
    residuals: tuple[tuple[Group, Group], ...] = ()
    """Identity shortcuts (a, b) between hidden groups of one size: s_b = y_b + s_a leaves b, s_a leaves a."""
    normalised: bool = False
    """Whether z of `kernels.standardised` leaves hidden groups over their edges, in the place of s."""

    def __post_init__(self) -> None:
        names = [g.name for g in self.groups]
        parameters = [*names, *(e.name for e in self.edges)]
        if len(set(parameters)) < len(parameters):
            raise InputError(f"groups and edges of a network must have names of their own, but {parameters} were given")
        for e in self.edges:
            if e.source not in self.groups or e.target not in self.groups:
                raise InputError(f"edge {e.name!r} joins a group that is not in the network: allowed are {', '.join(names)}")
            if self.groups.index(e.source) >= self.groups.index(e.target):
                raise InputError(f"edge {e.name!r} runs against the order of the groups {', '.join(names)}")

        if self.inputs != self.groups[: len(self.inputs)] or not self.edges:
            raise InputError(f"a network needs edges, and its input groups first, but the groups {', '.join(names)} were given")
        order = {g: i for i, g in enumerate(self.hidden)}
        for a, b in self.residuals:
            if a.size != b.size or not order.get(a, len(order)) < order.get(b, -1):
                raise InputError(
                    f"a residual joins a hidden group to a later one of its size, but {a.name}-{b.name} of {a.size} "
                    f"and {b.size} units was given; hidden groups are {', '.join(g.name for g in order) or 'none'}"
                )
        if single := [g.name for g in self.hidden if self.normalised and g.size < 2]:
            raise InputError(f"a group of one unit, as {single[0]!r} is, would always send 0 normalised: give it 2 units or more")

    @classmethod
    def chain(
        cls,
        *sizes: int,
        hidden: str = "sigmoid",
        output: str = "sigmoid",
        shortcut: bool = False,
        residual: bool = False,
        normalised: bool = False,
    ) -> Network:
        """Layers of the given sizes, each fully connected to the next.

        `shortcut` adds weights input → output, `residual` the identity from each hidden layer to the next, and `normalised`
        brings what leaves a hidden layer to mean 0 and variance 1.
        """
        if len(sizes) < 2:
            raise InputError(f"a chain needs at least an input and an output size, but {sizes} was given")
        names = ["input", *(f"hidden{i}" if len(sizes) > 3 else "hidden" for i in range(1, len(sizes) - 1)), "output"]
        kinds = ["linear", *[hidden] * (len(sizes) - 2), output]
        groups = tuple(Group(n, s, a, bias=n != "input") for n, s, a in zip(names, sizes, kinds, strict=True))
        edges = [Edge(a, b) for a, b in pairwise(groups)]
        if shortcut and len(sizes) > 2:
            edges.append(Edge(groups[0], groups[-1]))
        return cls(groups, tuple(edges), tuple(pairwise(groups[1:-1])) if residual else (), normalised)

    @cached_property
    def _into(self) -> dict[Group, tuple[Edge, ...]]:
        return {g: tuple(e for e in self.edges if e.target == g) for g in self.groups}

    @cached_property
    def _carried(self) -> dict[Group, tuple[Group, ...]]:
        carried: dict[Group, tuple[Group, ...]] = {}
        for g in self.groups:
            carried[g] = (g, *(behind for a, b in self.residuals if b == g for behind in carried[a]))
        return carried

    @cached_property
    def _normalised(self) -> frozenset[Group]:
        return frozenset(self.hidden if self.normalised else ())

    @cached_property
    def _out_of(self) -> dict[Group, tuple[Edge, ...]]:
        return {g: tuple(e for e in self.edges for carried in self._carried[e.source] if carried == g) for g in self.groups}

    @cached_property
    def inputs(self) -> tuple[Group, ...]:
        """Groups that patterns are clamped on."""
        return tuple(g for g in self.groups if not self._into[g])

    @cached_property
    def hidden(self) -> tuple[Group, ...]:
        """Groups that are neither input nor output, in forward order."""
        return tuple(g for g in self.groups[:-1] if self._into[g])

    @property
    def output(self) -> Group:
        """The group whose activity is compared with the targets."""
        return self.groups[-1]

    def into(self, group: Group) -> tuple[Edge, ...]:
        """Edges that end at `group`."""
        return self._into[group]

    def out_of(self, group: Group) -> tuple[Edge, ...]:
        """Edges that carry the activity of `group` on: those that start there, and those that residuals bring it to."""
        return self._out_of[group]

    def sent(self, group: Group, y: Mapping[Group, Array]) -> Array:
        """What leaves `group` over its edges, (…, N, size): s of `gathered`, or in a normalised network its z."""
        s = self.gathered(group, y)
        return kernels.standardised(s)[0] if group in self._normalised else s

    def gathered(self, group: Group, y: Mapping[Group, Array]) -> Array:
        """s (…, N, size): the activity of `group`, plus over residuals that of groups behind it (if in `y`)."""
        carried = self._carried[group]
        return y[group] if len(carried) == 1 else kernels.total(y[g] for g in carried if g in y)

    def back(self, edge: Edge, y: Mapping[Group, Array], blame: Array) -> Array:
        """`blame` (…, N, source size) that came back over `edge`, taken back through the normalisation of what left its source.

        Σ_j ∂z_j/∂s_i b_j = (b_i − mean b − z_i mean(z b)) / σ, the same forwards: ∂z/∂s is symmetric. Where nothing is
        normalised, `blame` itself.
        """
        if edge.source not in self._normalised:
            return blame
        z, sigma = kernels.standardised(self.gathered(edge.source, y))
        return (blame - kernels.mean_units(blame) - z * kernels.mean_units(z * blame)) / sigma

    @cached_property
    def shapes(self) -> dict[Key, tuple[int, int]]:
        """The shape of every parameter of one network."""
        shapes: dict[Key, tuple[int, int]] = {e: (e.source.size, e.target.size) for e in self.edges}
        return shapes | {g: (1, g.size) for g in self.groups if g.bias and self._into[g]}

    @cached_property
    def size(self) -> int:
        """Number of weights and biases, W."""
        return sum(a * b for a, b in self.shapes.values())

    @cached_property
    def depth(self) -> int:
        """Edges on the longest way from an input to the output."""
        steps: dict[Group, int] = {}
        for g in self.groups:
            steps[g] = max((steps[e.source] + 1 for e in self._into[g]), default=0)
        return steps[self.output]

    @cached_property
    def input_size(self) -> int:
        """Columns of a pattern."""
        return sum(g.size for g in self.inputs)

    def split(self, x: Array) -> dict[Group, Array]:
        """A pattern matrix (…, N, input size) cut into the activities of the input groups."""
        if len(self.inputs) == 1:
            return {self.inputs[0]: x}
        ends = np.cumsum([g.size for g in self.inputs])
        return {g: x[..., end - g.size : end] for g, end in zip(self.inputs, ends, strict=True)}

    def forward(self, params: Params, x: Array) -> dict[Group, Array]:
        """Activity (…, N, size) of every group for patterns x (…, N, input size).

        x_j = Σ_i y_i w_ij + b_j, y_j = f(x_j): Rumelhart, Hinton & Williams 1986, eqs. 1 and 2.
        """
        y = self.split(x)
        for group in self.groups[len(self.inputs) :]:
            y[group] = self.activity(group, self.net_input(params, group, y))
        return y

    def net_input(self, params: Params, group: Group, y: Mapping[Group, Array]) -> Array:
        """x_j = Σ_i y_i w_ij + b_j of `group` at the activities `y` of the groups that feed it, (…, N, size)."""
        x = kernels.total(self.sent(e.source, y) @ params[e] for e in self._into[group])
        return kernels.add_bias(x, params[group]) if group.bias else x

    def activity(self, group: Group, x: Array) -> Array:
        """y = f(x) of `group` at its net input (…, N, size)."""
        return ACTIVATIONS[group.activation].of(x)

    def slope(self, group: Group, y: Mapping[Group, Array]) -> Array:
        """dy/dx of `group` at the activities `y`, shape (…, N, size)."""
        return ACTIVATIONS[group.activation].slope(y[group])

    def tangent(self, params: Params, along: Params, y: Mapping[Group, Array]) -> dict[Group, Array]:
        """Forward-mode derivative dy/dh at h = 0, with weights w + h `along`, of every group's activity but the inputs'.

        x'_j = Σ_i (y_i v_ij + y'_i w_ij) + v_j, y'_j = f'(x_j) x'_j, at the activities `y` that `params` give.
        """
        moved: dict[Group, Array] = {}
        for group in self.groups[len(self.inputs) :]:
            x = kernels.total(self.sent(e.source, y) @ along[e] for e in self._into[group])
            into = {e: self.back(e, y, self.gathered(e.source, moved)) for e in self._into[group] if e.source in moved}
            x = kernels.total([x, *(change @ params[e] for e, change in into.items())])
            moved[group] = self.slope(group, y) * (kernels.add_bias(x, along[group]) if group.bias else x)
        return moved

    def outer(self, y: Mapping[Group, Array], delta: Mapping[Group, Array]) -> dict[Key, Array]:
        """∂E/∂w_ij = Σ_patterns y_i δ_j for every edge into a group in `delta`, and for its bias."""
        credit: dict[Key, Array] = {}
        for group, blame in delta.items():
            for e in self._into[group]:
                credit[e] = kernels.outer(self.sent(e.source, y), blame)
            if group.bias:
                credit[group] = kernels.sum_patterns(blame)
        return credit

    def initial(self, rand: Rand, init: str, scale: float = 0.0) -> dict[Key, Array]:
        """Initial parameters: `uniform` in ±scale (biases too, as in 1986), `glorot`, `he` (biases 0) or `zero`.

        Glorot: U(±√(6 / (in + out))), Glorot & Bengio 2010; He: N(0, 2 / in), He et al. 2015; in and out
        are the sizes of an edge. Raises `InputError` for an unknown `init`.
        """
        one_of("initial weights", init, INITS)
        params: dict[Key, Array] = {}
        for key, (rows, columns) in self.shapes.items():
            if init == "uniform":
                params[key] = scale * (2.0 * rand.uniform(rows, columns) - 1.0)
            elif init == "zero" or isinstance(key, Group):
                params[key] = rand.zeros(rows, columns)
            elif init == "glorot":
                params[key] = math.sqrt(6.0 / (rows + columns)) * (2.0 * rand.uniform(rows, columns) - 1.0)
            else:
                params[key] = math.sqrt(2.0 / rows) * rand.normal(rows, columns)
        return params
