"""What the Boltzmann family shares: who is connected, the energy, probing units one by one, exact completion.

    E(s) = −½ Σ_ij w_ij s_i s_j,      P(s) ∝ exp(−E(s)/T)
    p(s_i = 1 | the others) = 1 / (1 + exp(−Σ_j w_ij s_j / T))

The units stand in one row: hidden, output, input, and last one that is always on, whose weights are the
biases. w is symmetric with a zero diagonal, no hidden unit is connected to another, and a state is
(…, units, chains): a row of chains for every unit, so that a probe reads and writes whole rows.
Ackley, Hinton & Sejnowski 1985, Cognitive Science 9:147-169.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from harness.core.algorithm import Array, Network, Params, Rand
from harness.core.errors import InputError
from harness.core.loops import repeat

WITHIN = ("input-input", "output-output")
ARCHITECTURES = {
    # the paper's: V1 and V2 meet in the hidden units only
    "encoder": (*WITHIN, "input-hidden", "hidden-output"),
    "full": (*WITHIN, "input-hidden", "hidden-output", "input-output"),  # everything but hidden with hidden
}
LAYERED = "layered"  # the edges of the task's network
EXACT = 16  # hidden and output units whose states are enumerated; with more of them, predictions are sampled
# patterns × output states × hidden units that are gone through at once, so that replicas fit the memory
AT_ONCE = 2**13
CHAINS = 10  # of each pattern, where predictions are sampled
FREE = ("hidden", "output", "input")  # in the order they are probed
Respond = Callable[[Any, Array], Array]
Measure = Callable[[Array], Array]


class Schedule(NamedTuple):
    """An annealing: time units at each temperature,
    and those in which something is measured at the last one.
    """

    times: tuple[int, ...]
    temperatures: tuple[float, ...]
    statistics: int

    @property
    def draws(self) -> int:
        """Random numbers that a free unit takes: for its start, and for every time unit."""
        return 1 + sum(self.times) + self.statistics


@dataclass(frozen=True)
class Machine:
    """Which units there are, and which pairs of groups are connected."""

    hidden: int
    output: int
    input: int
    edges: tuple[str, ...]
    """Pairs of groups, such as input-hidden; a group is connected inside if it stands with itself."""
    biased: tuple[str, ...] = ("hidden", "output", "input")

    @classmethod
    def of(cls, net: Network, architecture: str) -> Machine:
        """The machine on a network's units.

        In `layered` the input is given: it has no bias and no energy of its own.
        """
        sizes = (sum(g.size for g in net.hidden), net.output.size, net.input_size)
        if architecture == LAYERED:
            return cls(
                *sizes,
                tuple(f"{_role(net, e.source)}-{_role(net, e.target)}" for e in net.edges),
                ("hidden", "output"),
            )
        return cls(*sizes, ARCHITECTURES[architecture])

    @cached_property
    def units(self) -> int:
        """How many there are, without the one that is always on."""
        return self.hidden + self.output + self.input

    @cached_property
    def place(self) -> dict[str, slice]:
        """Where each group stands in the row."""
        ends = np.cumsum([self.hidden, self.output, self.input, 1]).tolist()
        return {
            name: slice(a, b)
            for name, a, b in zip(("hidden", "output", "input", "on"), [0, *ends], ends, strict=False)
        }

    @cached_property
    def blocks(self) -> dict[str, tuple[slice, slice]]:
        """Rows and columns of each parameter in the matrix of weights."""
        ends = {name: tuple(name.split("-")) for name in self.edges} | {
            name: ("on", name) for name in self.biased
        }
        blocks = {name: (self.place[a], self.place[b]) for name, (a, b) in ends.items()}
        return {name: (a, b) for name, (a, b) in blocks.items() if a.stop > a.start and b.stop > b.start}

    def matrix(self, params: Mapping[str, Array]) -> Array:
        """All weights as one symmetric matrix w (…, units + 1, units + 1)."""
        some = next(iter(params.values()))
        w = np.zeros_like(some, shape=(*some.shape[:-2], self.units + 1, self.units + 1))
        for name, (a, b) in self.blocks.items():
            w[..., a, b] = params[name]
            w[..., b, a] = params[name].mT
        return w

    def moved(self, params: Mapping[str, Array], change: Array) -> dict[str, Array]:
        """The parameters moved by a symmetric `change`
        (…, units + 1, units + 1) where there are connections.
        """
        new = {}
        for name, (a, b) in self.blocks.items():
            step = change[..., a, b]
            if name in WITHIN:  # no unit is connected to itself
                step = step * (1.0 - np.eye(a.stop - a.start)).astype(step.dtype)
            new[name] = params[name] + step
        return new

    def zeros(self, rand: Rand) -> dict[str, Array]:
        """Parameters that are all zero."""
        return {name: rand.zeros(a.stop - a.start, b.stop - b.start) for name, (a, b) in self.blocks.items()}

    def shared(self, net: Network, params: Params, rand: Rand) -> dict[str, Array]:
        """The initial weights that all algorithms share; what the network does not have starts from zero."""
        names: dict[Any, str] = {g: _role(net, g) for g in net.groups}
        names |= {e: f"{names[e.source]}-{names[e.target]}" for e in net.edges}
        return self.zeros(rand) | {names[key]: w for key, w in params.items() if names[key] in self.blocks}

    def size(self, groups: tuple[str, ...]) -> int:
        """Units in these groups."""
        return sum(self.place[g].stop - self.place[g].start for g in groups)

    def sweep(self, w: Array, s: Array, groups: tuple[str, ...], respond: Respond) -> Array:
        """One time unit: every unit of `groups` is probed once,
        in order, and becomes `respond(which, its input)`.

        Units of a group that is not connected inside do not see one another: probed all at once, they come to
        what they come to one after another. `s` is the caller's own, and written to.
        """
        for group in groups:
            part = self.place[group]
            if f"{group}-{group}" not in self.blocks:
                s[..., part, :] = respond(part, w[..., part, :] @ s)
                continue

            def probe(i: Array, s: Array, first: int = part.start) -> Array:
                unit = first + i
                s[..., unit, :] = respond(unit, (w[..., unit, None, :] @ s)[..., 0, :])
                return s

            s = repeat(part.stop - part.start, probe, s)
        return s

    @property
    def exact(self) -> bool:
        """Whether there are few enough states of hidden and output units to go through all of them."""
        return self.hidden + self.output <= EXACT

    def completion(self, w: Array, x: Array, temperature: float, outputs: Array | None = None) -> Array:
        """P(y_i = 1 | x) of each output unit (…, N, outputs)
        with the input clamped to x (…, N, inputs), exactly.

        P(y | x) ∝ exp(y·(b + W x + ½ V y)/T) Π_h (1 + exp(net_h(x, y)/T)): output states y are gone through
        (all of them, or only the rows of `outputs`), hidden units are summed out.
        """
        y = (states(self.output) if outputs is None else outputs).astype(x.dtype)
        if x.shape[-2] * len(y) * self.hidden <= AT_ONCE:
            return self._completion(w, x, temperature, y)

        def pattern(i: Array, found: Array) -> Array:
            found[..., i, :] = self._completion(w, x[..., i, None, :], temperature, y)[..., 0, :]
            return found

        return repeat(x.shape[-2], pattern, np.zeros_like(w, shape=(*w.shape[:-2], x.shape[-2], self.output)))

    def _completion(self, w: Array, x: Array, temperature: float, y: Array) -> Array:
        hidden, output, given = (self.place[name] for name in ("hidden", "output", "input"))
        among = 0.5 * (w[..., output, output] @ y.T * y.T).sum(axis=-2, keepdims=True)
        goodness = (x @ w[..., given, output] + w[..., -1:, output]) @ y.T + among
        net = (x @ w[..., given, hidden] + w[..., -1:, hidden]).mT[..., None]
        net = (net + (w[..., hidden, output] @ y.T)[..., None, :]) / temperature  # (…, hidden, N, states)
        goodness = goodness / temperature + np.maximum(net, 0.0).sum(axis=-3)
        summed_out = (1.0 + np.exp(-np.abs(net))).prod(axis=-3)
        weight = np.exp(goodness - goodness.max(axis=-1, keepdims=True)) * summed_out
        return weight @ y / weight.sum(axis=-1, keepdims=True)


def annealed(
    machine: Machine,
    w: Array,
    u: Array,
    groups: tuple[str, ...],
    given: Array,
    plan: Schedule,
    measure: Measure,
    total: Array,
    copies: int = 1,
) -> Array:
    """`total` and what `measure` makes of the state at the end of each time unit that counts.

    `groups` are free and start at random, below them in the row stand the units that are `given` (…, units,
    chains); u (…, plan.draws, free units, chains) are uniform random numbers, for so many `copies` of these
    chains.
    """
    heat = np.repeat([*plan.temperatures, plan.temperatures[-1]], [*plan.times, plan.statistics]).astype(
        u.dtype
    )
    heat = np.zeros_like(u, shape=heat.shape) + heat  # no constant: a loop that is compiled indexes it
    start = tiled((u[..., 0, :, :] < 0.5).astype(u.dtype), copies)
    s = np.concatenate([start, given, np.ones_like(start[..., :1, :])], axis=-2)

    def unit_of_time(i: Array, s: Array) -> Array:
        barrier = tiled(barriers(u[..., 1 + i, :, :], heat[i]), copies)
        return machine.sweep(w, s, groups, lambda part, net: net > barrier[..., part, :])

    def count(i: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        s = unit_of_time(sum(plan.times) + i, now[0])
        return s, now[1] + measure(s)

    return repeat(plan.statistics, count, (repeat(sum(plan.times), unit_of_time, s), total))[1]


def sampled(machine: Machine, w: Array, x: Array, u: Array, plan: Schedule) -> Array:
    """How often each output is on with x clamped (…, N, outputs):
    `CHAINS` chains a pattern, all patterns on the same u.

    u (…, plan.draws, hidden and output units, CHAINS) are uniform random numbers.
    """
    patterns, output = x.shape[-2], machine.place["output"]
    given = np.repeat(x.mT, CHAINS, axis=-1) + np.zeros_like(tiled(u[..., 0, :1, :], patterns))
    on = np.zeros_like(tiled(u[..., 0, output, :], patterns))
    on = annealed(machine, w, u, FREE[:2], given, plan, lambda s: s[..., output, :], on, patterns)
    return (on.reshape(*on.shape[:-1], patterns, CHAINS).sum(axis=-1) / (CHAINS * plan.statistics)).mT


def tiled(a: Array, copies: int) -> Array:
    """So many copies of the chains of `a` (…, units, chains), one after another."""
    return a if copies == 1 else np.concatenate([a] * copies, axis=-1)


def refusal(task: Any, architecture: str) -> str | None:
    """Why a machine of this architecture cannot do `task`, in one sentence; None if it can."""
    net: Network = task.network()
    spec = task.spec()
    if not spec.binary or spec.kind == "numbers":
        return f"its units are on or off, and inputs or targets of {task.name} are not"
    if not task.meets(0.0, 1.0):
        return (
            "its outputs lie between 0 and 1, "
            f"which never meet the criterion {task.criterion!r} of {task.name}"
        )
    if len(net.hidden) > 1 or len(net.inputs) > 1:
        return (
            "it has one group of input and one of hidden units at most, "
            f"and the network of {task.name} has more"
        )
    if not net.dense:
        return (
            "every pair of its units has a weight of its own, "
            f"and the network of {task.name} shares some or leaves some out"
        )
    if soft := [g.name for g in net.hidden if g.activation == "softmax"]:
        return (
            "its units are on or off, each for itself, "
            f"and those of {soft[0]!r} in the network of {task.name} are softmax"
        )
    if net.normalised:
        return (
            "its units see each other's states as they are, "
            f"and the network of {task.name} normalises those of hidden units"
        )
    shortcut = any(e.source in net.inputs and e.target == net.output for e in net.edges)
    if shortcut and architecture not in (LAYERED, "full"):
        return f"its input and output units are not connected, and those of the network of {task.name} are"
    return None


def states(units: int) -> Array:
    """All 2^units states of so many units, (2^units, units)."""
    return ((np.arange(2**units)[:, None] >> np.arange(units - 1, -1, -1)) & 1).astype(float)


def barriers(u: Array, temperature: Array) -> Array:
    """T log(u / (1 − u)) of uniform random numbers u: a unit whose input is above its own comes on.

    That is with probability P(u < 1 / (1 + exp(−input/T))) = 1 / (1 + exp(−input/T)): no exponential in a
    probe.
    """
    return temperature * np.log(u / (1.0 - u))


def check_schedule(settings: Any) -> None:
    """Raise `InputError` unless `times` and `temperatures` are a schedule."""
    if not settings.times:
        raise InputError("times must be a list of numbers, one for each temperature, but () was given")
    if len(settings.times) != len(settings.temperatures):
        given = f"times={settings.times} and temperatures={settings.temperatures}"
        raise InputError(f"every temperature must have its time, but {given} were given")


def _role(net: Network, group: Any) -> str:
    return "input" if group in net.inputs else "output" if group == net.output else "hidden"
