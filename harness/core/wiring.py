"""What is wired to what: groups of units, edges between them, and what follows from these alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Self

from harness.core.edges import Edge, Group
from harness.core.errors import InputError
from harness.core.gates import Gate

Key = Group | Edge


@dataclass(frozen=True)
class Wiring:
    """The groups and edges of a network, what each of them is for, and the shapes of its parameters."""

    groups: tuple[Group, ...]
    edges: tuple[Edge, ...]
    residuals: tuple[tuple[Group, Group], ...] = ()
    """Identity shortcuts (a, b) between hidden groups of one size: s_b = y_b + s_a leaves b, s_a leaves a."""
    normalised: bool = False
    """Whether z of `kernels.standardised` leaves hidden groups over their edges, in the place of s."""
    gates: tuple[Gate, ...] = ()
    """Ways without weights, whose strength is the activity of a group, or a number."""

    def __post_init__(self) -> None:
        check(self.groups, self.edges, self.residuals, self.normalised, self.gates)

    @classmethod
    def chain(
        cls,
        *sizes: int,
        hidden: str = "sigmoid",
        output: str = "sigmoid",
        shortcut: bool = False,
        residual: bool = False,
        normalised: bool = False,
    ) -> Self:
        """Layers of the given sizes, each fully connected to the next.

        Args:
            sizes: units of the input, of each hidden layer, and of the output.
            hidden, output: the kinds of unit.
            shortcut: add weights input → output.
            residual: add the identity from each hidden layer to the next.
            normalised: bring what leaves a hidden layer to mean 0 and variance 1.

        Returns:
            The network; its groups are input, hidden (or hidden1, hidden2, …) and output.

        Raises:
            InputError: for fewer than two sizes.
        """
        if len(sizes) < 2:
            raise InputError(f"a chain needs at least an input and an output size, but {sizes} was given")
        names = [
            "input",
            *(f"hidden{i}" if len(sizes) > 3 else "hidden" for i in range(1, len(sizes) - 1)),
            "output",
        ]
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
    def _gated(self) -> dict[Group, tuple[Gate, ...]]:
        """The gates that end at each group."""
        return {g: tuple(gate for gate in self.gates if gate.target == g) for g in self.groups}

    @cached_property
    def _passed(self) -> dict[Group, tuple[Gate, ...]]:
        """The gates that let pass what each group does."""
        return {g: tuple(gate for gate in self.gates if gate.source == g) for g in self.groups}

    @cached_property
    def _letting(self) -> dict[Group, tuple[Gate, ...]]:
        """The gates whose strength is what each group does."""
        return {g: tuple(gate for gate in self.gates if gate.by == g) for g in self.groups}

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
        return {
            g: tuple(e for e in self.edges for carried in self._carried[e.source] if carried == g)
            for g in self.groups
        }

    @cached_property
    def inputs(self) -> tuple[Group, ...]:
        """Groups that patterns are clamped on."""
        return tuple(g for g in self.groups if not (self._into[g] or self._gated[g]))

    @cached_property
    def free(self) -> tuple[Group, ...]:
        """All groups but the inputs, in forward order."""
        return self.groups[len(self.inputs) :]

    @cached_property
    def hidden(self) -> tuple[Group, ...]:
        """Groups that are neither input nor output, in forward order."""
        return tuple(g for g in self.groups[:-1] if self._into[g] or self._gated[g])

    @property
    def output(self) -> Group:
        """The group whose activity is compared with the targets."""
        return self.groups[-1]

    @cached_property
    def timed(self) -> bool:
        """Whether it lives in time: an edge or a gate is delayed."""
        return bool(self.late)

    @cached_property
    def late(self) -> tuple[Edge | Gate, ...]:
        """The ways that are delayed."""
        ways: tuple[Edge | Gate, ...] = (*self.edges, *self.gates)
        return tuple(way for way in ways if way.delay)

    @cached_property
    def remembered(self) -> tuple[Group, ...]:
        """Groups that are heard a time step later, in forward order: the state of a network in time."""
        heard = {g for e in self.edges if e.delay for g in self._carried[e.source]}
        heard |= {gate.source for gate in self.gates if gate.delay}
        return tuple(g for g in self.groups if g in heard)

    @cached_property
    def dense(self) -> bool:
        """Whether every edge has a weight of its own for every pair of units, without gates or delays."""
        return not self.gates and all(type(e) is Edge and e.weights is e and not e.delay for e in self.edges)

    def into(self, group: Group) -> tuple[Edge, ...]:
        """Edges that end at a group.

        Args:
            group: where they end.

        Returns:
            The edges, in the order of the network.
        """
        return self._into[group]

    def out_of(self, group: Group) -> tuple[Edge, ...]:
        """Edges that carry the activity of a group on: its own, and those that residuals bring it to.

        Args:
            group: whose activity.

        Returns:
            The edges, in the order of the network.
        """
        return self._out_of[group]

    def gates_into(self, group: Group) -> tuple[Gate, ...]:
        """Gates that end at a group.

        Args:
            group: where they end.

        Returns:
            The gates, in the order of the network.
        """
        return self._gated[group]

    @cached_property
    def shapes(self) -> dict[Key, tuple[int, int]]:
        """The shape of every parameter of one network; edges that share weights have one between them."""
        shapes: dict[Key, tuple[int, int]] = {e.weights: e.weights.shape for e in self.edges}
        return shapes | {g: (1, g.channels) for g in self.free if g.bias}

    @cached_property
    def size(self) -> int:
        """Number of weights and biases, W."""
        return sum(a * b for a, b in self.shapes.values())

    @cached_property
    def depth(self) -> int:
        """Edges and gates on the longest way from an input to the output, within a time step."""
        steps: dict[Group, int] = {}
        for g in self.groups:
            behind = [e.source for e in self._into[g] if not e.delay]
            behind += [gate.source for gate in self._gated[g] if not gate.delay]
            behind += [gate.by for gate in self._gated[g] if isinstance(gate.by, Group)]
            steps[g] = max((steps[before] + 1 for before in behind), default=0)
        return steps[self.output]

    @cached_property
    def workspace(self) -> int:
        """Numbers that a forward pass of one pattern holds:
        all activities, and what its largest edge makes on the way.
        """
        return sum(g.size for g in self.groups) + max(e.workspace for e in self.edges)

    @cached_property
    def input_size(self) -> int:
        """Columns of a pattern."""
        return sum(g.size for g in self.inputs)


def check(
    groups: tuple[Group, ...],
    edges: tuple[Edge, ...],
    residuals: tuple[tuple[Group, Group], ...],
    normalised: bool,
    gates: tuple[Gate, ...] = (),
) -> None:
    """Raise `InputError` unless these make a network.

    Names are unique; edges, ties and gates stay inside; an edge or a gate that is not delayed runs forwards;
    inputs come first; a residual joins hidden groups of one size; and a normalised group has more than one
    unit, since one would always be at its mean.
    """
    names = [g.name for g in groups]
    parameters = [*names, *(e.name for e in edges)]
    if len(set(parameters)) < len(parameters):
        raise InputError(
            f"groups and edges of a network must have names of their own, but {parameters} were given"
        )
    for e in edges:
        if e.source not in groups or e.target not in groups:
            raise InputError(
                f"edge {e.name!r} joins a group that is not in the network: allowed are {', '.join(names)}"
            )
        if not e.delay and groups.index(e.source) >= groups.index(e.target):
            raise InputError(
                f"edge {e.name!r} runs against the order "
                f"of the groups {', '.join(names)}: only a delayed one may"
            )
        if e.weights not in edges:
            raise InputError(f"edge {e.name!r} is tied to {e.weights.name!r}, which is not in the network")
    for gate in gates:
        _check_gate(gate, groups)
    told = {e.target for e in edges} | {gate.target for gate in gates}
    inputs = [g for g in groups if g not in told]
    if list(groups[: len(inputs)]) != inputs or not edges:
        raise InputError(
            f"a network needs edges, and its input groups first, but the groups {', '.join(names)} were given"
        )
    hidden = [g for g in groups[:-1] if g in told]
    order = {g: i for i, g in enumerate(hidden)}
    for a, b in residuals:
        if a.size != b.size or not order.get(a, len(order)) < order.get(b, -1):
            raise InputError(
                "a residual joins a hidden group to a later one of its size, "
                f"but {a.name}-{b.name} of {a.size} and {b.size} units was given; "
                f"hidden groups are {', '.join(g.name for g in order) or 'none'}"
            )
    if single := [g.name for g in hidden if normalised and g.size < 2]:
        raise InputError(
            f"a group of one unit, as {single[0]!r} is, "
            "would always send 0 normalised: give it 2 units or more"
        )


def _check_gate(gate: Gate, groups: tuple[Group, ...]) -> None:
    """Raise `InputError` unless a gate stays inside, and runs forwards in what it hears within the step."""
    names = ", ".join(g.name for g in groups)
    heard = [] if gate.delay else [gate.source]
    heard += [gate.by] if isinstance(gate.by, Group) else []
    if missing := [g.name for g in (gate.source, gate.target, *heard) if g not in groups]:
        raise InputError(
            f"gate {gate.name!r} has the group {missing[0]!r}, which is not in the network: "
            f"allowed are {names}"
        )
    if late := [g.name for g in heard if groups.index(g) >= groups.index(gate.target)]:
        raise InputError(
            f"gate {gate.name!r} hears {late[0]!r} within the time step, against the order "
            f"of the groups {names}"
        )
