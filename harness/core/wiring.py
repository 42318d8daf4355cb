"""What groups and edges can be wired to a network: one sentence for each way in which they cannot."""

from __future__ import annotations

from harness.core.edges import Edge, Group
from harness.core.errors import InputError


def check(
    groups: tuple[Group, ...], edges: tuple[Edge, ...], residuals: tuple[tuple[Group, Group], ...], normalised: bool
) -> None:
    """Raise `InputError` unless these make a network.

    Names are unique; edges and ties stay inside; an edge that is not delayed runs forwards; inputs come first; a residual
    joins hidden groups of one size; and a normalised group has more than one unit, since one would always be at its mean.
    """
    names = [g.name for g in groups]
    parameters = [*names, *(e.name for e in edges)]
    if len(set(parameters)) < len(parameters):
        raise InputError(f"groups and edges of a network must have names of their own, but {parameters} were given")
    for e in edges:
        if e.source not in groups or e.target not in groups:
            raise InputError(f"edge {e.name!r} joins a group that is not in the network: allowed are {', '.join(names)}")
        if not e.delay and groups.index(e.source) >= groups.index(e.target):
            raise InputError(f"edge {e.name!r} runs against the order of the groups {', '.join(names)}: only a delayed one may")
        if e.weights not in edges:
            raise InputError(f"edge {e.name!r} is tied to {e.weights.name!r}, which is not in the network")
    told = {e.target for e in edges}
    inputs = [g for g in groups if g not in told]
    if list(groups[: len(inputs)]) != inputs or not edges:
        raise InputError(f"a network needs edges, and its input groups first, but the groups {', '.join(names)} were given")
    hidden = [g for g in groups[:-1] if g in told]
    order = {g: i for i, g in enumerate(hidden)}
    for a, b in residuals:
        if a.size != b.size or not order.get(a, len(order)) < order.get(b, -1):
            raise InputError(
                f"a residual joins a hidden group to a later one of its size, but {a.name}-{b.name} of {a.size} "
                f"and {b.size} units was given; hidden groups are {', '.join(g.name for g in order) or 'none'}"
            )
    if single := [g.name for g in hidden if normalised and g.size < 2]:
        raise InputError(f"a group of one unit, as {single[0]!r} is, would always send 0 normalised: give it 2 units or more")
