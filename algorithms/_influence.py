"""Influence, carried forwards: how the state of a network in time moves with each of its parameters.

    P_t = J_t P_{t−1} + M̄_t,      ∂E_t/∂w = ∂E_t/∂s_t P_t

s is what is heard a step later (`Network.remembered`), P_t = ds_t/dw over all steps so far, J_t =
∂s_t/∂s_{t−1} and M̄_t = ∂s_t/∂w within the step. The loss of a step then says at once what every weight is to
do, and no step before is kept. Weights behind the state (a readout) have the gradient of the step itself.

P is kept for each parameter apart, as (…, K, N, n) for every group of the state: an axis before the patterns
for its K entries. The step is that of any forward-mode derivative (`harness.core.tangent.movement`); what is
carried is said by the ways:

    Full      P entire: O(n³) numbers, O(n⁴) products a step. With a mask, the entries that are kept
    Own       P of each weight on the unit that it leads to, in the shape of the weights: both O(n²)
    Leak      as Own, and nothing carried over weights: through gates alone

Williams & Zipser 1989, Neural Computation 1:270-280; the forms in one frame: Marschall, Cho & Savin 2020,
JMLR 21(135).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.core.algorithm import Array, Batch, Credit, Key, Network, Params, added
from harness.core.network import Edge, Group
from harness.core.paired import Paired
from harness.core.readings import reading
from harness.core.tangent import movement

Activity = Mapping[Group, Array]
Influence = dict[Key, dict[Group, Array]]


def upstream(net: Network) -> list[Group]:
    """The groups whose activity reaches the state within the step, and the state itself, in forward order."""
    found: set[Group] = set(net.remembered)
    for group in reversed(net.free):
        if group in found:
            found |= {e.source for e in net.into(group) if not e.delay}
            found |= {gate.source for gate in net.gates_into(group) if not gate.delay}
            found |= {gate.by for gate in net.gates_into(group) if isinstance(gate.by, Group)}
    return [g for g in net.free if g in found]


def remembering(net: Network) -> list[Key]:
    """The parameters that influence the state."""
    keys: list[Key] = []
    for group in upstream(net):
        keys += [e.weights for e in net.into(group) if e.weights not in keys]
        keys += [group] * group.bias
    return keys


def refusal(task: Any) -> str | None:
    """Why no influence is carried on a task, in one sentence; None if it is."""
    net = task.network()
    if not net.timed:
        return f"it carries influence from step to step, and patterns of {task.name} have no time steps"
    if net.output in net.remembered:
        return (
            f"it asks for a state apart from the output, which the network of {task.name} hears a step later"
        )
    return None


def lifted(y: Array) -> Array:
    """Activity (…, N, n) with the axis of a parameter's entries, (…, 1, N, n)."""
    return y[..., None, :, :]


def by_entry(y: Array) -> Array:
    """Lifted activity (…, 1, N, n) with an entry for each unit, (…, n, N, 1)."""
    return y.swapaxes(-1, -3)


@dataclass(frozen=True)
class Full:
    """All of P: (…, rows · columns, N, n).

    Args:
        mask: which entries are kept, (rows · columns, 1, n) by parameter and group; all where it is empty.
    """

    mask: Mapping[Key, Mapping[Group, Array]] = field(default_factory=dict)

    def direct(self, e: Edge, y: Array) -> Array:
        """How the net input of an edge's target moves with each of its weights."""
        rows, columns = e.shape
        if type(e) is Edge:  # y_i at unit j, without a product with all n² rows of an identity
            each = by_entry(y)[..., None, :, :] * np.eye(columns, dtype=y.dtype)[:, None, :]
            return each.reshape(*each.shape[:-4], rows * columns, *each.shape[-2:])
        return e.send(np.eye(rows * columns, dtype=y.dtype).reshape(-1, rows, columns), y)

    def bias(self, net: Network, group: Group, y: Array) -> Array:
        """How the net input of a group moves with each of its biases."""
        return net.everywhere(group, np.eye(group.channels, dtype=y.dtype)[:, None, :])

    def carried(self, e: Edge, w: Array, change: Array) -> Array:
        """What an edge makes of the movement of its source: one product of all entries and patterns."""
        flat = change.reshape(*change.shape[:-3], -1, change.shape[-1])
        sent = reading().push(e, w, flat)
        return sent.reshape(*sent.shape[:-2], *change.shape[-3:-1], sent.shape[-1])

    def kept(self, key: Key, group: Group, moved: Array) -> Array:
        """What is kept of the influence of a parameter on a group."""
        return moved * self.mask[key][group].astype(moved.dtype) if self.mask else moved

    def told(self, signal: Array, moved: Array, shape: tuple[int, int]) -> Array:
        """Σ ∂E/∂s P over patterns and units, in the shape of the parameter."""
        flat = moved.reshape(*moved.shape[:-2], -1)
        each = flat @ signal.reshape(*signal.shape[:-2], -1, 1)
        return each.reshape(*each.shape[:-2], *shape)


@dataclass(frozen=True)
class Own(Full):
    """P of each weight on the unit that it leads to: (…, rows, N, columns)."""

    def direct(self, e: Edge, y: Array) -> Array:
        return y if isinstance(e, Paired) else by_entry(y)

    def bias(self, net: Network, group: Group, y: Array) -> Array:
        return np.ones((1, 1, group.size), y.dtype)

    def carried(self, e: Edge, w: Array, change: Array) -> Array:
        own = w if isinstance(e, Paired) else (w * np.eye(e.shape[0], dtype=w.dtype)).sum(-2, keepdims=True)
        return change * lifted(own)

    def told(self, signal: Array, moved: Array, shape: tuple[int, int]) -> Array:
        return (lifted(signal) * moved).sum(axis=-2)


@dataclass(frozen=True)
class Leak(Own):
    """As `Own`, with nothing carried over weights."""

    def carried(self, e: Edge, w: Array, change: Array) -> Array:
        return np.zeros_like(change)


def influenced(
    net: Network, params: Params, held: Influence, y: Activity, before: Activity | None, ways: Full
) -> Influence:
    """P_t = J_t P_{t−1} + M̄_t of every parameter that has one.

    Args:
        net, params: the network and its weights.
        held: P_{t−1} by parameter and group; of a parameter empty at the first step.
        y, before: activities (…, N, size) at this step and the one before it; None at the first.
        ways: what is carried.

    Returns:
        P_t (…, K, N, size) by parameter, of the groups of the state that move.
    """
    groups = upstream(net)
    now = {g: lifted(a) for g, a in y.items()}
    earlier = None if before is None else {g: lifted(a) for g, a in before.items()}
    found: Influence = {}
    for key, p in held.items():
        moved = movement(net, params, (key,), ways, groups, now, earlier, p)
        found[key] = {g: ways.kept(key, g, moved[g]) for g in net.remembered if g in moved}
    return found


def signals(
    net: Network, over: Params, y: Activity, told: Activity
) -> tuple[dict[Group, Array], dict[Group, Array]]:
    """What the loss of a step says to the state, and to the groups behind it.

    Args:
        net: the network.
        over: what blame comes back over, weights (…, rows, columns) by edge.
        y: activities (…, N, size) at this step.
        told: ∂E/∂x (…, N, outputs) of the output.

    Returns:
        ∂E/∂s (…, N, size) of groups of the state, each with the others held, and ∂E/∂x of those behind it.
    """
    state: dict[Group, Array] = {}
    behind = dict(told)
    for group in reversed(net.hidden):
        blame = net.blame(over, group, y, behind)
        if isinstance(blame, float):  # it is heard by the state alone
            continue
        if group in net.remembered:
            state[group] = blame
        else:
            behind[group] = net.pull(group, y, blame)
    return state, behind


def forwards(net: Network, params: Params, over: Params, batch: Batch, ways: Full) -> Credit:
    """The credit of every parameter by influence carried forwards, with no step kept but the one before.

    Args:
        net, params: the network and its weights.
        over: what blame comes back over from the output to the state.
        batch: the sequences.
        ways: what of the influence is carried.

    Returns:
        The credit by parameter, and the outputs (…, T, N, outputs).
    """
    gradient: dict[Key, Array] = {}
    held: Influence = {key: {} for key in remembering(net)}
    before, outputs = None, []
    for t in range(batch.x.shape[-3]):
        y = net.step(params, batch.x[..., t, :, :], before)
        held = influenced(net, params, held, y, before, ways)
        outputs.append(y[net.output])
        if told := batch.delta_at(net, y, t):
            state, behind = signals(net, over, y, told)
            gradient = added(gradient, net.outer(y, behind, before))
            for key, p in held.items():
                for each in (ways.told(state[g], p[g], net.shapes[key]) for g in state if g in p):
                    gradient = added(gradient, {key: each})
        before = y
    return Credit(gradient, np.stack(outputs, axis=-3))
