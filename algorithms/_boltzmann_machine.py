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
from typing import Any

import numpy as np

from harness.core.algorithm import Array, Network, Params, Rand
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
FREE = ("hidden", "output", "input")  # in the order they are probed
Respond = Callable[[Any, Array], Array]


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

        def pattern(i: Array, likely: Array) -> Array:
            likely[..., i, :] = self._completion(w, x[..., i, None, :], temperature, y)[..., 0, :]
            return likely

        return repeat(x.shape[-2], pattern, np.zeros_like(w, shape=(*w.shape[:-2], x.shape[-2], self.output)))

    def _completion(self, w: Array, x: Array, temperature: float, y: Array) -> Array:
        """`completion` for all patterns at once: (…, N, outputs) from arrays (…, hidden, N, states)."""
        hidden, output, given = (self.place[name] for name in ("hidden", "output", "input"))
        among_outputs = 0.5 * (w[..., output, output] @ y.T * y.T).sum(axis=-2, keepdims=True)
        goodness = (x @ w[..., given, output] + w[..., -1:, output]) @ y.T + among_outputs
        from_input = (x @ w[..., given, hidden] + w[..., -1:, hidden]).mT[..., None]
        from_output = (w[..., hidden, output] @ y.T)[..., None, :]
        net = (from_input + from_output) / temperature
        # 1 + exp(net) = exp(max(net, 0)) (1 + exp(−|net|)): nothing overflows
        goodness = goodness / temperature + np.maximum(net, 0.0).sum(axis=-3)
        summed_out = (1.0 + np.exp(-np.abs(net))).prod(axis=-3)
        weight = np.exp(goodness - goodness.max(axis=-1, keepdims=True)) * summed_out
        return weight @ y / weight.sum(axis=-1, keepdims=True)


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


def _role(net: Network, group: Any) -> str:
    return "input" if group in net.inputs else "output" if group == net.output else "hidden"
