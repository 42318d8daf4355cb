"""What rules that settle share: weights used both ways, phases that end at rest, and a count of others.

    u_j = Σ_i y_i w_ij + b_j + Σ_k γ_jk w_jk y_k        from below, and back from above over the same weights
    y_j ← y_j + ε (f(u_j) − y_j)                        every group in turn, until no unit moves any more

At γ = 1 this lowers E = Σ_j ∫ f⁻¹(y_j) dy_j − Σ y_i w_ij y_j − Σ b_j y_j (Hopfield 1984, PNAS 81:3088-3092):
a group has no weights inside, so that E is convex in its units and f(u) the least of it, and no step of ε ≤ 1
raises E, whatever the weights. Units may be sigmoid, tanh, hard_sigmoid, relu or linear; the last two have a
state of rest only where weights are small enough.

A phase starts at the forward pass, or where the one before came to rest, and has a cap of steps. A teaching
phase takes as many as there are layers between the outputs and the first one, before anything counts as rest:
a nudge comes down by less from layer to layer, and would be below any tolerance before it arrives. A network
that has not come to rest by then learns from where it stands, and it is counted: `unsettled` in a record is
the share of its phases that ended so, `settling_steps` the mean of the steps that they took.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from harness.core.algorithm import (
    Array,
    Batch,
    Credit,
    CreditAlgorithm,
    Network,
    Params,
    Rand,
    State,
    Update,
)
from harness.core.edges import Group
from harness.core.errors import InputError
from harness.core.loops import settle, toward
from harness.core.network import Edge, Key
from harness.core.setting import setting
from harness.core.settling import Settled

Activities = dict[Group, Array]
SETTLE = ("sigmoid", "tanh", "hard_sigmoid", "relu", "linear")
"""Units with a form that settles: y = f(u) of their own input."""


class Learnt(NamedTuple):
    """What an update of a settling rule finds."""

    credit: dict[Key, Array]
    free: Activities
    phases: tuple[Settled, ...]


@dataclass(frozen=True)
class Settling(CreditAlgorithm):
    """A rule that lets its network settle, over the same weights both ways, before any of them learns."""

    epsilon: float = setting(
        0.8, "Step size ε: the share of the way to f(u) that a unit goes in a step.", above=0, at_most=1
    )
    tolerance: float = setting(
        1e-3,
        "A network is at rest where no unit moves further in a step, in units of an activity; 0: all steps.",
        at_least=0,
    )
    steps: int = setting(20, "Steps of the free phase, at the most.", at_least=1, at_most=10**6)
    steps_taught: int = setting(
        10, "Steps of each phase with the outputs taught, at the most.", at_least=1, at_most=10**6
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("steps", "steps_taught"):
            count = getattr(self, name)
            last = self.epsilon * (1.0 - self.epsilon) ** (count - 1)
            if last > self.tolerance > 0:
                raise InputError(
                    f"{name}={count} are too few for the tolerance: with epsilon={self.epsilon:g} a unit "
                    f"alone still moves {last:.1g} of its way in the last of them, and {self.tolerance:g} "
                    "counts as rest; take more, or tolerance=0 for all steps whatever moves"
                )

    def applies_to(self, task: Any) -> str | None:
        net = task.network()
        if late := [e.name for e in net.edges if e.delay]:
            return f"its weights are used both ways at once, and edge {late[0]!r} of {task.name} is delayed"
        if net.residuals or net.normalised:
            what = "identity shortcuts" if net.residuals else "normalisation"
            return f"it has no energy for the {what} of the network of {task.name}"
        if other := [g for g in net.free if g.activation not in SETTLE]:
            return (
                f"{other[0].activation} units have no settling form: "
                f"those of {task.name} would have to be {', '.join(SETTLE[:-1])} or {SETTLE[-1]}"
            )
        if self.steps_taught < (need := self.reach(net)):
            return (
                f"steps_taught={self.steps_taught} are too few for the network of {task.name}: "
                f"what its outputs are taught takes {need} to reach the first layer"
            )
        return None

    @property
    def nudges(self) -> bool:
        """Whether outputs that are taught settle, too; else they are held."""
        return False

    def reach(self, net: Network) -> int:
        """Steps until the first layer hears of what the outputs are taught: no phase is at rest before."""
        return net.depth - 1 + self.nudges

    def at_rest(self, net: Network) -> float:
        """How far a unit may move in a step and count as at rest."""
        return self.tolerance

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        return {name: rand.zeros(1, 1) for name in ("phases", "unsettled", "steps")}

    def learn(self, net: Network, params: Params, batch: Batch) -> Learnt:
        """The phases of an update, and the credit that their difference gives."""
        raise InputError(f"{type(self).__name__} does not define learn")

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        found = self.learn(net, params, batch)
        return Credit(found.credit, found.free[net.output])

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        found = self.learn(net, state["params"], batch)
        params, optimiser = self.optimiser.step(
            state["params"], found.credit, state["optimiser"], batch.epoch
        )
        memory = dict(state["memory"])
        for phase in found.phases:
            memory["phases"] = memory["phases"] + 1.0
            memory["steps"] = memory["steps"] + phase.steps
            memory["unsettled"] = memory["unsettled"] + ~(phase.moved <= self.at_rest(net))
        return Update({"params": params, "memory": memory, "optimiser": optimiser}, found.free[net.output])

    def told(self, state: State) -> Mapping[str, Array]:
        memory = state["memory"]
        phases = np.maximum(memory["phases"], 1.0)
        steps = {"settling_steps": memory["steps"] / phases}
        return steps | ({"unsettled": memory["unsettled"] / phases} if self.tolerance else {})

    def predict(self, net: Network, state: State, x: Array) -> Array:
        return self.shown(net, net.output, self.rest(net, state["params"], x).state[net.output])

    def feedback(self, net: Network, params: Params) -> Params:
        """The weights that activity comes back over: here, those that it went up."""
        return params

    def shown(self, net: Network, group: Group, s: Array) -> Array:
        """The activity of units in a state: here, the state itself."""
        return s

    def drawn(self, net: Network, group: Group, s: Array, u: Array, epsilon: Array) -> Array:
        """The state of units in the next step, given their net input u."""
        return toward(s, net.activity(group, u), epsilon)

    def rest(self, net: Network, params: Params, x: Array, steps: int | None = None) -> Settled:
        """The free phase of patterns x (…, N, inputs), from the forward pass: activity of all groups.

        Args:
            net, params, x: the network, its weights, and patterns (…, N, inputs).
            steps: at the most; None is the setting.
        """
        y = net.forward(params, x)
        return self.settled(net, params, y, y, steps or self.steps, 1)

    def activities(self, net: Network, states: Activities) -> Activities:
        """What all groups show in these states; inputs are what they are."""
        return {g: self.shown(net, g, s) if g in net.free else s for g, s in states.items()}

    def settled(
        self,
        net: Network,
        params: Params,
        given: Activities,
        start: Activities,
        steps: int,
        least: int,
        groups: Iterable[Group] | None = None,
        push: Callable[[Array, Any], Array] | None = None,
        around: Any = (),
    ) -> Settled:
        """Settle some groups with all others held.

        Args:
            net, params: the network and its weights.
            given: the activity (…, N, size) of groups that are held, inputs among them.
            start: where the others begin.
            steps: at the most.
            least: steps before anything counts as rest.
            groups: those that settle, from below; None is all but the inputs.
            push: what is added to the output's net input: a function of its activity and of what is `around`.
            around: what `push` reads that not all networks share.

        Returns:
            All groups at rest, with the steps that it took; the state holds those of `given` as they were.
        """
        moving = net.free if groups is None else tuple(groups)
        held = {g: given[g] for g in net.groups if g not in moving}
        if not moving:  # no hidden units, and outputs held: it is at rest
            none = np.zeros_like(held[net.output][..., :1, :1].real)
            return Settled(held, none, none)
        back = self.feedback(net, params)
        from_held = {  # the same in every step
            g: net.heard(params, g, held)
            + net.blame(back, g, held, held)
            + (net.everywhere(g, params[g]) if g.bias else 0.0)
            for g in moving
        }
        ways = [
            (
                g,
                any(e.source in moving for e in net.into(g)),
                any(e.target in moving for e in net.out_of(g)),
                push if g == net.output else None,
            )
            for g in moving
        ]

        def step(states: Activities, beside: Any) -> Activities:
            fixed, weights, ways_back, epsilon, more = beside
            y = {g: self.shown(net, g, s) for g, s in states.items()}
            new = {}
            for g, from_below, from_above, pushed in ways:
                u = fixed[g]
                u = u + net.heard(weights, g, y) if from_below else u
                u = u + net.blame(ways_back, g, y, y) if from_above else u
                u = u + pushed(y[g], more) if pushed else u
                new[g] = self.drawn(net, g, states[g], u, epsilon)
                y[g] = self.shown(net, g, new[g])
            return new

        at = settle(
            steps,
            step,
            {g: start[g] for g in moving},
            (from_held, dict(params), dict(back), self.epsilon, around),
            self.at_rest(net),
            least,
        )
        return at._replace(state={**held, **at.state})


def together(net: Network, y: Activities) -> dict[Key, Array]:
    """Σ_patterns y_i y_j for every edge, and Σ_patterns y_j for the biases: −∂E/∂w of the energy."""
    return net.outer(y, {g: y[g] for g in net.free})


@lru_cache
def levels(net: Network) -> dict[Group, int]:
    """How many edges away from the inputs each group is, by the longest way: k of a layer."""
    level: dict[Group, int] = {}
    for g in net.groups:
        level[g] = max((level[e.source] + 1 for e in net.into(g)), default=0)
    return level


def spans(net: Network) -> dict[Edge, int]:
    """Layers that each edge's weights go up."""
    level = levels(net)
    return {e.weights: level[e.target] - level[e.source] for e in net.edges}
