"""The perceptron rule: on a mistake, and only then, move the weights towards the pattern.

    y = 1 if w·x + b > 0 else 0,        Δw = ε (d − y) x,   Δb = ε (d − y),        d, y ∈ {0, 1}

`Perceptron` is one layer of threshold units on the raw input: hidden groups of the task's network are not
there for it. Starts from zero weights, where Novikoff's bound holds: at most (R/γ)² mistakes on separable
patterns. Given several patterns at once, it adds up the changes for all their mistakes.

`RandomFeaturePerceptron` is Rosenblatt's own machine, sensory → association → response units: between input
and response stand frozen random threshold units, and the rule above sees their activities a in the place of
x.

    a_j = 1 if Σ_i s_ij x_i > θ_j else 0,        s_ij ∈ {−1, 0, +1} and θ_j drawn once

He gives every A-unit a few excitatory (+1) and inhibitory (−1) connections from sensory units chosen at
random, and one threshold for all. Here an A-unit has `connections` distinct ones (usually one from every
input), excitatory or inhibitory by the toss of a coin, and a threshold of its own, uniform between its least
and its greatest possible sum. Why: on a few bits one common threshold leaves many units always on or always
off; so drawn, each of them divides the patterns of bits. It fires for all those within some Hamming distance
of a random one, with every distance equally likely. All indicators of single patterns are among such units,
so that enough of them separate anything.

Rosenblatt 1958, Psychological Review 65:386-408, and 1962, Principles of Neurodynamics; Novikoff 1962.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.core.algorithm import Algorithm, Array, Batch, Network, Params, Rand, State, Traits, Update
from harness.core.setting import setting


@dataclass(frozen=True)
class Perceptron(Algorithm):
    """Rosenblatt's rule for a single layer of threshold units, one pattern at a time."""

    lr: float = setting(
        1.0,
        "Step size ε; with zero initial weights it scales the weights and changes no decision.",
        above=0,
        rate=True,
        search=(1e-3, 10),
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Rosenblatt 1958, Psychological Review 65:386-408"
    equations: ClassVar[str] = "Δw = ε (d − y) x on a mistake"
    oracle: ClassVar[str] = "Novikoff's bound; the cycling theorem on XOR"
    online: ClassVar[bool] = True
    trained: ClassVar[str] = "input-output"
    """What its weights are called."""

    def applies_to(self, task: Any) -> str | None:
        if task.spec().kind == "numbers":
            return f"its outputs are 0 or 1, but the targets of {task.name} are numbers"
        if not task.meets(0.0, 1.0):
            return f"its outputs are 0 or 1, which never meet the criterion {task.criterion!r} of {task.name}"
        return None

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        return {"params": self.zeros(net.input_size, net, rand)}

    def zeros(self, sources: int, net: Network, rand: Rand) -> dict[str, Array]:
        """Weights from that many units to the response units, and their biases."""
        return {self.trained: rand.zeros(sources, net.output.size), "output": rand.zeros(1, net.output.size)}

    def seen(self, state: State, x: Array) -> Array:
        """What the response units see of patterns x: here, the patterns."""
        return x

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        params, a = state["params"], self.seen(state, batch.x)
        y = self.respond(params, a)
        mistake = batch.wanted.astype(y.dtype) - y
        new = {
            self.trained: params[self.trained] + self.lr * (a.mT @ mistake),
            "output": params["output"] + self.lr * mistake.sum(axis=-2, keepdims=True),
        }
        return Update({**state, "params": new}, y)

    def respond(self, params: dict[str, Array], a: Array) -> Array:
        """Responses (…, N, outputs) to what the response units see."""
        return np.where(a @ params[self.trained] + params["output"] > 0, 1.0, 0.0).astype(a.dtype)

    def predict(self, net: Network, state: State, x: Array) -> Array:
        return self.respond(state["params"], self.seen(state, x))


@dataclass(frozen=True)
class RandomFeaturePerceptron(Perceptron):
    """Rosenblatt's machine: frozen random threshold units see the input, the perceptron rule sees them."""

    a_units: int = setting(512, "Association units; the Mark I had 512.", at_least=1)
    connections: int | None = setting(
        None, "Inputs that each of them is connected to, drawn at random; None is all.", at_least=1
    )

    paper: ClassVar[str] = (
        "Rosenblatt 1962, Principles of Neurodynamics; 1958, Psychological Review 65:386-408"
    )
    equations: ClassVar[str] = "a_j = [Σ s_ij x_i > θ_j], frozen; Δw = ε (d − y) a on a mistake"
    oracle: ClassVar[str] = (
        "solved = separable by linear programming; (1 − 2^(1−A))² of XOR; Minsky & Papert's order"
    )
    trained: ClassVar[str] = "association-output"

    def applies_to(self, task: Any) -> str | None:
        inputs = task.network().input_size
        if self.connections is not None and self.connections > inputs:
            return (
                f"its A-units have {self.connections} connections each, but {task.name} has {inputs} inputs"
            )
        return super().applies_to(task)

    def held(self, net: Network) -> int:
        return self.a_units * (net.input_size + net.output.size)

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        inputs, units = net.input_size, self.a_units
        # a row a unit: the first units are the same, however many there are
        drawn = rand.uniform(units, 2 * inputs + 1)
        coin, lot, place = drawn[..., :inputs].mT, drawn[..., inputs:-1].mT, drawn[..., -1:].mT
        rank = lot.argsort(axis=-2).argsort(axis=-2)
        chosen = rank < (self.connections or inputs)
        signs = np.where(chosen, np.where(coin < 0.5, -1.0, 1.0), 0.0).astype(drawn.dtype)
        least, most = (
            clipped.sum(axis=-2, keepdims=True) for clipped in (np.minimum(signs, 0), np.maximum(signs, 0))
        )
        memory = {"signs": signs, "thresholds": least + (most - least) * place}
        return {"params": self.zeros(units, net, rand), "memory": memory}

    def seen(self, state: State, x: Array) -> Array:
        """Activities (…, N, A) of the A-units."""
        memory = state["memory"]
        return (x @ memory["signs"] > memory["thresholds"]).astype(x.dtype)
