"""Forward-Forward: no way back; every layer learns to be active for real data and quiet for false data.

    goodness of a layer        g = Σ_j y_j²,   y = max(0, z w + b),   z what comes from below at length √size
    its opinion                p(positive) = σ(g − θ)                                            (eq. 1)
    its loss                   −log p for positive patterns, −log(1 − p) for negative ones
    ∂loss/∂w_ij                Σ_patterns z_i · 2 y_j (p − [positive])

Positive is a pattern with its own label beside it, negative one with a wrong label, drawn anew in every
update. Goodness is taken before the activity is brought to its length, and only the direction goes up: no
layer can read off how good the one below was. Nothing else passes between layers, and each has its loss to
itself.

Prediction tries every label, with the goodness of all layers but the first added up. Were the layers
independent witnesses and one label true, the softmax of these sums would be the probability of each label: it
is the output. Or prediction asks once: a softmax reads the normalised activity of all layers but the first
under a neutral label, and learns by its own delta rule. With a single hidden layer that layer is the one
used.

Labels are units beside the input (the paper overwrites ten empty pixels); a single output is a label of two
values. Hidden layers have the sizes of the task's network but are of rectified units, whatever its
activation. As in Hinton's code, they start from w ~ N(0, 1 / fan-in) and b = 0, the length is √size, and θ is
one a unit. Adam is ours; his weight decay, equalising of the units' activities and hard negative labels are
left out.

Hinton 2022, The Forward-Forward Algorithm: some preliminary investigations, arXiv:2212.13345.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from harness.core.algorithm import (
    Algorithm,
    Array,
    Batch,
    Network,
    Params,
    Rand,
    State,
    Traits,
    Update,
    total,
)
from harness.core.loops import repeat
from harness.core.network import Edge, Group, Key
from harness.core.optimisers import Adam, Optimiser
from harness.core.setting import setting

READOUTS = ("goodness", "softmax")


@dataclass(frozen=True)
class ForwardForward(Algorithm):
    """Layers that tell right labels from wrong ones by their own activity; nothing flows back."""

    optimiser: Optimiser = setting(None, "What the weights do with their credit.", factory=Adam)
    threshold: float = setting(
        1.0,
        "θ for each unit of a layer: a layer of n units has θ = n · threshold.",
        above=0,
        search=(0.1, 300),
    )
    layers: int | None = setting(
        None,
        "Copies of a single hidden layer on top of each other; None is the task's network as it is.",
        at_least=1,
        at_most=1000,
    )
    readout: str = setting(
        "goodness",
        "Predict by the `goodness` of every label in turn, or by a `softmax` in one pass.",
        one_of=READOUTS,
    )

    # the slope is that of a unit's own activity, y f′(x) = y
    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Hinton 2022, arXiv:2212.13345"
    equations: ClassVar[str] = "g = Σ y², p = σ(g − θ), ∂loss/∂w_ij = Σ z_i 2 y_j (p − [positive])"
    oracle: ClassVar[str] = (
        "central differences and complex step of each layer's loss; labels tried one by one"
    )

    def applies_to(self, task: Any) -> str | None:
        kind, net = task.spec().kind, task.network()
        if kind == "numbers":
            return f"it learns to tell labels apart, but the targets of {task.name} are numbers"
        if net.output.size > 1 and kind != "labels":
            return (
                "it learns to tell one right label from the wrong ones, "
                f"but {task.name} wants any number of outputs on"
            )
        if not net.dense:
            return (
                "its layers are its own and fully connected, "
                f"and the network of {task.name} shares weights or leaves some out"
            )
        if net.residuals:
            return f"its layers are its own, without the identity shortcuts of the network of {task.name}"
        if net.normalised:
            return (
                "its layers are its own, each at a length of its own, "
                f"without the normalisation of the network of {task.name}"
            )
        if not net.hidden:
            return f"it trains hidden layers, and the network of {task.name} has none"
        if self.layers is not None and len(net.hidden) > 1:
            return (
                f"layers={self.layers} repeats a single hidden layer, "
                f"and the network of {task.name} has {len(net.hidden)}"
            )
        return None

    def resolved(self, usual: Any) -> Algorithm:
        missing = {n: getattr(usual, n) for n in self.optimiser.uses if getattr(self.optimiser, n) is None}
        return replace(self, optimiser=replace(self.optimiser, **missing))

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        own = self.stack(net)
        drawn = {
            key: rand.normal(*shape) / sqrt(shape[0]) if key in chain(own) else rand.zeros(*shape)
            for key, shape in own.shapes.items()
        }
        return {"params": drawn, "optimiser": self.optimiser.init(drawn)}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        own, params = self.stack(net), state["params"]
        right = labels(batch.wanted, batch.x.dtype)
        wrong = others(right, rand.uniform(batch.x.shape[-2]))
        positive = self.credit(own, params, joined(batch.x, right), 1.0)
        negative = self.credit(own, params, joined(batch.x, wrong), 0.0)
        gradient = {key: positive[key] + negative[key] for key in positive}
        if self.readout == "softmax":
            gradient |= self.delta_rule(own, params, batch.x, right)
        new, optimiser = self.optimiser.step(params, gradient, state["optimiser"], batch.epoch)
        return Update({"params": new, "optimiser": optimiser}, None)

    def predict(self, net: Network, state: State, x: Array) -> Array:
        own, params = self.stack(net), state["params"]
        likely = softmax(
            self.goodness(own, params, x) if self.readout == "goodness" else self.one_pass(own, params, x)[0]
        )
        return likely if net.output.size > 1 else likely[..., 1:]

    def stack(self, net: Network) -> Network:
        """Its own network: input and label units, the hidden layers, and what reads them in one pass."""
        return stacked(net, self.layers or 1, self.readout == "softmax")

    def passes(self, own: Network, params: Params, x: Array) -> Iterator[tuple[Edge, Array, Array]]:
        """Each layer's edge, what comes up it (at its length) and its activity,
        for patterns with labels (…, N, k).
        """
        z = normalised(x)
        for edge in chain(own):
            y = np.maximum(z @ params[edge] + params[edge.target], 0.0)
            yield edge, z, y
            z = normalised(y)

    def credit(self, own: Network, params: Params, x: Array, positive: float) -> dict[Key, Array]:
        """∂loss/∂w of every layer's own loss, by its own weights,
        for patterns that are all positive (1) or all negative (0).
        """
        gradient: dict[Key, Array] = {}
        for edge, z, y in self.passes(own, params, x):
            blame = 2.0 * y * (sigmoid(squares(y) - self.threshold * edge.target.size) - positive)
            gradient[edge] = z.mT @ blame
            gradient[edge.target] = blame.sum(axis=-2, keepdims=True)
        return gradient

    def goodness(self, own: Network, params: Params, x: Array) -> Array:
        """Goodness of every label (…, N, labels) for patterns x:
        that of all layers but the first, added up.
        """
        count = own.input_size - x.shape[-1]

        def of_label(i: Array, good: Array) -> Array:
            label = (np.arange(count) == i).astype(x.dtype)
            each = [squares(y) for _, _, y in self.passes(own, params, joined(x, label))]
            good[i] = total(each[1:] or each)[..., 0]
            return good

        lead = np.broadcast_shapes(params[chain(own)[0]].shape[:-2], x.shape[:-2])
        good = repeat(count, of_label, np.zeros_like(x, shape=(count, *lead, x.shape[-2])))
        return np.moveaxis(good, 0, -1)

    def one_pass(self, own: Network, params: Params, x: Array) -> tuple[Array, dict[Edge, Array]]:
        """Input of the softmax (…, N, labels) under a neutral label,
        and the activities that it reads, by edge.
        """
        count = own.input_size - x.shape[-1]
        neutral = np.full(count, 1.0 / count).astype(x.dtype)
        above = {edge.target: normalised(y) for edge, _, y in self.passes(own, params, joined(x, neutral))}
        seen = {edge: above[edge.source] for edge in own.into(own.output)}
        return total(z @ params[edge] for edge, z in seen.items()) + params[own.output], seen

    def delta_rule(self, own: Network, params: Params, x: Array, right: Array) -> dict[Key, Array]:
        """∂(−log p(right label))/∂w of the softmax."""
        into, seen = self.one_pass(own, params, x)
        blame = softmax(into) - right
        return {edge: z.mT @ blame for edge, z in seen.items()} | {
            own.output: blame.sum(axis=-2, keepdims=True)
        }


@lru_cache
def stacked(net: Network, layers: int, reads: bool) -> Network:
    """Groups and edges of `ForwardForward.stack`."""
    sizes = [group.size for group in net.hidden] * layers
    bottom = Group("input", net.input_size + max(net.output.size, 2), "linear", bias=False)
    hidden = [Group(f"hidden{i}", size, "relu") for i, size in enumerate(sizes, 1)]
    edges = [Edge(a, b) for a, b in zip([bottom, *hidden], hidden, strict=False)]
    if not reads:
        return Network((bottom, *hidden), tuple(edges))
    output = Group("output", max(net.output.size, 2), "linear")
    return Network(
        (bottom, *hidden, output), (*edges, *(Edge(group, output) for group in hidden[1:] or hidden))
    )


def chain(own: Network) -> list[Edge]:
    """Edges into the hidden layers, from below to above."""
    return [edge for edge in own.edges if edge.target.activation == "relu"]


def labels(wanted: Array, dtype: Any) -> Array:
    """Labels (…, N, k), one unit of k on; a single output is off or on."""
    each = wanted if wanted.shape[-1] > 1 else np.concatenate([~wanted, wanted], axis=-1)
    return each.astype(dtype)


def others(right: Array, u: Array) -> Array:
    """For every label (…, N, k) one of the k − 1 others, chosen by u (…, N) in [0, 1)."""
    count = right.shape[-1]
    number = np.arange(count).astype(right.dtype)
    chosen = (right * number).sum(axis=-1) + 1.0 + np.floor(u * (count - 1))
    chosen = np.where(chosen < count, chosen, chosen - count)
    return (chosen[..., None] == number).astype(right.dtype)


def joined(x: Array, label: Array) -> Array:
    """Patterns x (…, N, n) and labels (…, k) side by side."""
    lead = np.broadcast_shapes(x.shape[:-1], label.shape[:-1])
    return np.concatenate([np.broadcast_to(a, (*lead, a.shape[-1])) for a in (x, label)], axis=-1)


def squares(y: Array) -> Array:
    """Σ_j y_j² (…, N, 1)."""
    return (y * y).sum(axis=-1, keepdims=True)


def normalised(y: Array) -> Array:
    """y at the length √size, which is a mean square of one; all zeros stay so."""
    power = squares(y) / y.shape[-1]
    return y / np.sqrt(np.where(power > 0, power, 1.0))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(−x)), which never overflows."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def softmax(x: Array) -> Array:
    """exp(x) ÷ its sum over the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
