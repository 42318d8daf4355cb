"""Backpropagation with recomputed activity:
backprop's gradient, bit for bit, in less memory for a second forward pass.

    forward    y of every group; of each segment of hidden groups only the checkpoints stay
    back       for each segment, from the last: y of its other groups anew from the checkpoints before it,
               then δ_i = f'(x_i) Σ_j w_ij δ_j and ∂E/∂w_ij = Σ_patterns y_i δ_j,
               each y and δ dropped after its last use

A checkpoint is a group that an edge carries out of its segment: in a chain the last of each segment; whatever
feeds a shortcut to a later segment; and with residuals every group that they bring there, because a sum that
is kept in the place of its terms has other bits. Blame stays while a group is to come that hears it. So a
chain of L hidden groups holds L / s checkpoints and s − 1 more activities at segments of s groups, about 2 √L
at s = √L, where backprop holds L activities and L blames. Segments of one group keep all activities and free
them on the way back: the backprop to compare memory with. All segments are recomputed, the last one too, as
in Algorithm 1 of 2016. A residual chain recomputes nothing.

Memory is that of the interpreted reading: compiled, XLA finds the second forward pass in the first and merges
the two.

Chen, Xu, Zhang & Guestrin 2016, Training deep nets with sublinear memory cost, arXiv:1604.06174, section 4
and Algorithm 1; Griewank & Walther 2000, Algorithm 799: revolve, ACM Transactions on Mathematical Software
26:19-45.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, NamedTuple

from algorithms.backprop import Backprop
from harness.core.algorithm import Array, Batch, Credit, Key, Network, Params, Rand, State, Traits, added
from harness.core.network import Edge, Group
from harness.core.setting import setting


class Plan(NamedTuple):
    """What stays, and how long, in a network cut into segments."""

    segments: tuple[tuple[Group, ...], ...]
    """Hidden groups in forward order."""
    again: tuple[tuple[Group, ...], ...]
    """Those of each segment that are no checkpoints: dropped on the way forward, recomputed on the way back.
    """
    activities: Mapping[Group, list[Group]]
    """Whose activity has had its last use when the way back has passed a group."""
    blames: Mapping[Group, list[Group]]
    """Whose blame has."""


@cache
def plan(net: Network, length: int) -> Plan:
    """Segments of `length` hidden groups, and last uses on the way back."""
    segments = tuple(net.hidden[i : i + length] for i in range(0, len(net.hidden), length))
    again = tuple(tuple(g for g in some if all(e.target in some for e in net.out_of(g))) for some in segments)
    place = {g: i for i, g in enumerate(net.groups)}
    hears = {e: g for g in reversed(net.hidden) for e in net.out_of(g)}  # the last one to hear over e

    def passed(group: Group, edges: Iterable[Edge]) -> Group:
        return min((group, *(hears[e] for e in edges if e in hears)), key=place.__getitem__)

    activities: dict[Group, list[Group]] = {g: [] for g in net.groups}
    blames: dict[Group, list[Group]] = {g: [] for g in net.groups}
    # blame goes back through the normalisation of a sum of activities, if there is one
    for group in net.hidden:
        activities[passed(group, net.out_of(group) if net.normalised else ())].append(group)
    for group in (*net.hidden, net.output):
        blames[passed(group, net.into(group))].append(group)
    return Plan(segments, again, activities, blames)


def enter(net: Network, params: Params, groups: Iterable[Group], y: dict[Group, Array]) -> None:
    """Compute the activity (…, N, size) of `groups`, in forward order, and enter it into `y`."""
    for group in groups:
        y[group] = net.activity(group, net.net_input(params, group, y))


@dataclass(frozen=True)
class CheckpointedBackprop(Backprop):
    """The exact gradient of the loss with few activities kept: the others are recomputed on the way back."""

    segment: int | None = setting(
        None,
        "Hidden groups in a segment: 1 keeps all activities, "
        "all hidden groups or more make one segment; None is ⌈√L⌉ of L.",
        at_least=1,
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=True, local=False, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Chen, Xu, Zhang & Guestrin 2016, arXiv:1604.06174, Algorithm 1"
    equations: ClassVar[str] = (
        "y_l = f(y_{l−1} W_l + b_l) anew from the checkpoint before it, then δ_l and ∂E/∂W_l of backprop"
    )
    promise: ClassVar[str] = "exact"
    oracle: ClassVar[str] = "backprop, bit for bit; closed forms of its work and of its peak memory"
    through_time: ClassVar[bool] = False

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        length = self.segment or max(1, math.ceil(math.sqrt(len(net.hidden))))
        segments, again, activities, blames = plan(net, length)
        y = net.split(batch.x)
        for segment, dropped in zip(segments, again, strict=True):
            enter(net, params, segment, y)
            for group in dropped:
                del y[group]
        enter(net, params, [net.output], y)
        output = y[net.output]
        delta = {net.output: batch.delta(net, y)}
        gradient: dict[Key, Array] = net.outer(y, delta)
        for segment, dropped in zip(reversed(segments), reversed(again), strict=True):
            enter(net, params, dropped, y)
            for group in reversed(segment):
                delta[group] = net.pull(group, y, net.blame(params, group, y, delta))
                gradient = added(gradient, net.outer(y, {group: delta[group]}))
                for spent in activities[group]:
                    del y[spent]
                for spent in blames[group]:
                    del delta[spent]
        return Credit(gradient, output)
