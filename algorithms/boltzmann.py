"""The Boltzmann machine: what the world makes units do together, less what they do together in their sleep.

    p(s_i = 1) = 1 / (1 + exp(−ΔE_i / T)),   ΔE_i = Σ_j w_ij s_j      s_i ∈ {0, 1}, one after another
    ∂G/∂w_ij = −(1/T) (p_ij − p'_ij)
    Δw_ij = ε sign(p_ij − p'_ij)      (`sign`: the paper's; a tie moves nothing)
    Δw_ij = ε (p_ij − p'_ij)          (`gradient`)

p_ij is how often units i and j are on together with patterns clamped on the visible units, p'_ij how often
when they are not. In `encoder` and `full` the free phase frees everything, in `layered` (the network of the
task) all but the input: the machine then learns the outputs that go with each input, and not the inputs.

A phase anneals every chain down the schedule and counts at the end of each further time unit at the last
temperature. A time unit probes every free unit once, in a fixed order, where the paper probes as many units
drawn at random; the stationary distribution is the same. With all visible units clamped, hidden units see
nothing but them, so that a time unit forgets the one before: they are drawn at the last temperature at once,
and annealing them would change nothing.

Predictions are probabilities of the outputs with the input clamped, at the last temperature: exact, by going
through all states of the outputs with the hidden units summed out, where hidden and output units are no more
than 16; with more of them by annealing ten chains a pattern, on random numbers drawn once at the start.

Its credit is compared with ∂G/∂w itself, at the last temperature and for patterns as noise makes them
(`algorithms._likelihood`). Ackley, Hinton & Sejnowski 1985, A learning algorithm for Boltzmann machines,
Cognitive Science 9:147-169.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from algorithms._annealing import CHAINS, Schedule, annealed, barriers, check_schedule, sampled
from algorithms._boltzmann_machine import ARCHITECTURES, FREE, LAYERED, Machine, refusal
from algorithms._likelihood import ENUMERATED, likelihood_gradient
from harness.core.algorithm import Algorithm, Array, Batch, Network, Params, Rand, State, Traits, Update
from harness.core.setting import setting


@dataclass(frozen=True)
class Boltzmann(Algorithm):
    """Symmetric stochastic units, annealed; weights follow co-occurrences, clamped minus free."""

    architecture: str = setting(
        LAYERED,
        "layered: the edges of the task's network, input given; encoder: the paper's, input and output each "
        "connected inside and with the hidden units; full: everything connected but hidden with hidden.",
        one_of=(*ARCHITECTURES, LAYERED),
    )
    rule: str = setting(
        "sign",
        "A fixed step by the sign of the difference, or along the gradient.",
        one_of=("sign", "gradient"),
    )
    step: float = setting(2.0, "Step size ε of a weight.", above=0, rate=True, search=(0.1, 100))
    times: tuple[int, ...] = setting(
        (2, 2, 2, 4), "Time units at each temperature of the annealing schedule.", at_least=1, at_most=10**6
    )
    temperatures: tuple[float, ...] = setting(
        (20.0, 15.0, 12.0, 10.0),
        "The temperatures T, in units of a weight; at the last one it counts and predicts.",
        above=0,
    )
    statistics: int = setting(
        10, "Time units in which co-occurrences are counted.", at_least=1, at_most=10**6
    )
    presentations: int = setting(
        2,
        "Times that each pattern is clamped in a cycle, and as many free annealings.",
        at_least=1,
        at_most=10**6,
    )
    noise_off: float = setting(
        0.15, "Chance that an on-bit of a pattern is clamped off.", at_least=0, below=1, search=(0, 0.3)
    )
    noise_on: float = setting(
        0.05, "Chance that an off-bit of a pattern is clamped on.", at_least=0, below=1, search=(0, 0.2)
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=True, local=True, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Ackley, Hinton & Sejnowski 1985, Cognitive Science 9:147-169"
    equations: ClassVar[str] = "Δw_ij = ε sign(p_ij − p′_ij), P(s) ∝ exp(−E(s)/T)"
    oracle: ClassVar[str] = (
        "enumeration of all states: distribution, gradient, predictions; published encoders"
    )
    objective: ClassVar[str] = ENUMERATED

    def __post_init__(self) -> None:
        super().__post_init__()
        check_schedule(self)

    @property
    def schedule(self) -> Schedule:
        """The annealing of a phase."""
        return Schedule(self.times, self.temperatures, self.statistics)

    def applies_to(self, task: Any) -> str | None:
        return refusal(task, self.architecture)

    def held(self, net: Network) -> int:
        return self.presentations * self.statistics  # of a unit, for each pattern

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        machine = Machine.of(net, self.architecture)
        memory = {}
        if not machine.exact:
            memory["uniform"] = rand.uniform(self.schedule.draws, machine.size(FREE[:2]), CHAINS)
        return {"params": machine.zeros(rand), "memory": memory}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        machine = Machine.of(net, self.architecture)
        w = machine.matrix(state["params"])
        seen = self.clamped(batch, rand)
        difference = self.awake(machine, w, seen, rand) - self.asleep(machine, w, seen, rand)
        change = (
            np.sign(difference) if self.rule == "sign" else difference / (self.statistics * seen.shape[-1])
        )
        return Update(
            {"params": machine.moved(state["params"], self.step * change), "memory": state["memory"]}, None
        )

    def clamped(self, batch: Batch, rand: Rand) -> Array:
        """Patterns as they are clamped in this cycle,
        outputs before inputs, noise included: (…, visible units, chains).
        """
        x, wanted = batch.x, batch.wanted.astype(batch.x.dtype)
        pattern = np.concatenate([np.concatenate([wanted, x], axis=-1).mT] * self.presentations, axis=-1)
        u = rand.uniform(*pattern.shape[-2:])
        return np.where(pattern > 0.5, u >= self.noise_off, u < self.noise_on).astype(u.dtype)

    def awake(self, machine: Machine, w: Array, seen: Array, rand: Rand) -> Array:
        """Co-occurrences (…, units + 1, units + 1) over the time units that count, with `seen` clamped."""
        seen = np.concatenate([seen] * self.statistics, axis=-1)
        u = rand.uniform(machine.hidden, seen.shape[-1])
        s = np.concatenate([np.zeros_like(u), seen, np.ones_like(seen[..., :1, :])], axis=-2)
        barrier = barriers(u, self.temperatures[-1])
        s = machine.sweep(w, s, ("hidden",), lambda part, net: net > barrier[..., part, :])
        return s @ s.mT

    def asleep(self, machine: Machine, w: Array, seen: Array, rand: Rand) -> Array:
        """The same with the visible units free, or in `layered` all of them but the input."""
        groups = FREE[:2] if self.architecture == LAYERED else FREE
        free = machine.size(groups)
        u = rand.uniform(self.schedule.draws, free, seen.shape[-1])
        given = seen[..., free - machine.hidden :, :]
        return annealed(machine, w, u, groups, given, self.schedule, lambda s: s @ s.mT, np.zeros_like(w))

    def own_gradient(self, net: Network, state: State, batch: Batch) -> dict[str, Array] | None:
        machine, given_input = Machine.of(net, self.architecture), self.architecture == LAYERED
        noise = (self.noise_off, self.noise_on)
        return likelihood_gradient(machine, state["params"], batch, self.temperatures[-1], given_input, noise)

    def predict(self, net: Network, state: State, x: Array) -> Array:
        machine = Machine.of(net, self.architecture)
        w = machine.matrix(state["params"])
        if machine.exact:
            return machine.completion(w, x, self.temperatures[-1])
        return sampled(machine, w, x, state["memory"]["uniform"], self.schedule)
