"""Mean-field learning: a Boltzmann machine whose units hold their mean instead of a state.

    s_i = tanh(Σ_j w_ij s_j / T)        relaxed down an annealing schedule, s_i ∈ (−1, 1)
    Δw_ij = η (s_i s_j − s'_i s'_j)     s: outputs clamped, s': outputs free; averaged over patterns

A bit b is the state 2b − 1, and a prediction the mean (1 + s')/2 of a free output. The input is given in both
phases: a machine left all to itself would settle at one point, and a point is no distribution to compare with
the world's. With inputs and outputs clamped, hidden units see nothing else, and one look at the last
temperature is their fixed point. The free phase starts from s' = 0 and lets each group in turn look at the
others, once a time unit; units of a group are not connected, so that this is the same as unit after unit.

Once both phases have settled, the rule is the exact gradient of its own difference of free energies (Hinton
1989, Neural Computation 1:143-150): to compare it with that would only say how well they have. Its credit is
compared with what means stand in for, the gradient of the likelihood of the outputs in the Boltzmann machine
of ±1 units that has its weights. Peterson & Anderson 1987, A mean field theory learning algorithm for neural
networks, Complex Systems 1:995-1019. Rule and units are theirs; schedule and η are ours: of eight tried
(study=mean_field), the one never far from the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from algorithms._annealing import check_schedule
from algorithms._boltzmann_machine import FREE, LAYERED, Machine, refusal
from algorithms._likelihood import likelihood_gradient
from harness.core.algorithm import Algorithm, Array, Batch, Network, Params, Rand, State, Traits, Update
from harness.core.loops import repeat
from harness.core.setting import setting


@dataclass(frozen=True)
class MeanField(Algorithm):
    """A deterministic Boltzmann machine: correlations are products of means."""

    lr: float = setting(0.5, "Step size η.", above=0, rate=True, search=(0.01, 10))
    times: tuple[int, ...] = setting(
        (1, 1, 1, 3),
        "Time units at each temperature of the annealing schedule: "
        "looks that every unit takes at the others.",
        at_least=1,
        at_most=10**6,
    )
    temperatures: tuple[float, ...] = setting(
        (2.0, 1.5, 1.2, 1.0),
        "The temperatures T, in units of a weight; at the last one it learns and predicts.",
        above=0,
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=True, local=True, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Peterson & Anderson 1987, Complex Systems 1:995-1019"
    equations: ClassVar[str] = "s_i = tanh(Σ_j w_ij s_j / T), Δw_ij = η (s_i s_j − s′_i s′_j)"
    oracle: ClassVar[str] = (
        "its fixed-point equation; enumeration at weak weights and high T; "
        "the delta rule without hidden units"
    )

    objective: ClassVar[str] = (
        "the likelihood of the Boltzmann machine with its weights, by enumeration of states"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_schedule(self)

    def applies_to(self, task: Any) -> str | None:
        return refusal(task, LAYERED)

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        return {"params": Machine.of(net, LAYERED).shared(net, params, rand)}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        machine = Machine.of(net, LAYERED)
        w = machine.matrix(state["params"])
        free = self.settled(machine, w, batch.x)
        output = machine.place["output"]
        outputs = (2.0 * batch.wanted - 1.0).astype(batch.x.dtype).mT + np.zeros_like(free[..., output, :])
        hidden = np.zeros_like(free[..., machine.place["hidden"], :])
        taught = np.concatenate([hidden, outputs, free[..., output.stop :, :]], axis=-2)
        taught = machine.sweep(w, taught, FREE[:1], lambda part, net: np.tanh(net / self.temperatures[-1]))
        change = (taught @ taught.mT - free @ free.mT) * (self.lr / batch.x.shape[-2])
        return Update({"params": machine.moved(state["params"], change)}, self.means(machine, free))

    def settled(self, machine: Machine, w: Array, x: Array) -> Array:
        """The means of all units (…, units + 1, patterns) with only the input clamped."""
        given = 2.0 * x.mT - 1.0
        shape = (*w.shape[:-2], machine.units + 1, x.shape[-2])
        s = np.zeros_like(w, shape=shape)
        s[..., machine.place["input"], :] = given
        s[..., machine.units :, :] = 1.0
        for time, temperature in zip(self.times, self.temperatures, strict=True):

            def look(_: Array, s: Array, heat: float = temperature) -> Array:
                return machine.sweep(w, s, FREE[:2], lambda part, net: np.tanh(net / heat))

            s = repeat(time, look, s)
        return s

    def means(self, machine: Machine, s: Array) -> Array:
        """The outputs of a state as bits between 0 and 1 (…, patterns, outputs)."""
        return 0.5 * (1.0 + s[..., machine.place["output"], :].mT)

    def own_gradient(self, net: Network, state: State, batch: Batch) -> dict[str, Array] | None:
        machine = Machine.of(net, LAYERED)
        return likelihood_gradient(
            machine, state["params"], batch, self.temperatures[-1], given_input=True, low=-1.0
        )

    def predict(self, net: Network, state: State, x: Array) -> Array:
        machine = Machine.of(net, LAYERED)
        return self.means(machine, self.settled(machine, machine.matrix(state["params"]), x))
