"""NoProp: every block learns alone to take the noise off a label; nothing goes from block to block to learn.

    q(z_t | y) = N(√ᾱ_t u_y, (1 − ᾱ_t) I),     SNR(t) = ᾱ_t / (1 − ᾱ_t)          labels with noise, t = 0 … T
    L_t = (η / 2) (SNR(t) − SNR(t−1)) ‖û_t(z_{t−1}, x) − u_y‖²                   block t's own loss (eq. 8)
    L_y = −log p(y | z_T),   p = softmax(z_T W + b)                              the read-out's
    z_t = a_t û_t(z_{t−1}, x) + b_t z_{t−1} + √c_t ε_t,   z_0 ~ N(0, I)          prediction, block after block

a_t, b_t and c_t are those of q(z_t | z_{t−1}, y), with α_{t−1} = ᾱ_{t−1} / ᾱ_t:

    a_t = √ᾱ_t (1 − α_{t−1}) / (1 − ᾱ_{t−1}),     b_t = √α_{t−1} (1 − ᾱ_t) / (1 − ᾱ_{t−1})
    c_t = (1 − ᾱ_t) (1 − α_{t−1}) / (1 − ᾱ_{t−1})

A block is the task's network with the noised label beside its input and a softmax on top; inside, its
gradient goes back through its own hidden layers, as in the paper. Embeddings u are fixed and one-hot, one of
the paper's choices, so û is what the softmax says. The sum of L_t over t, all of them in every update, is T
times the mean over a t drawn at random, as the paper has it. The schedule is the cosine ᾱ_t = cos²(½π (1 −
t/T + s) / (1 + s)): ᾱ_0 is 0, so that z_0 is noise, and the KL divergence of q(z_0 | y) from N(0, I), which
the paper has beside these losses, is 0.

In training a block is shown the label, in prediction what the blocks before it made of noise and x. The
control is `blocks=1`: its first block alone is a shallow head, which hears only noise beside x, so that all
it knows is what backprop taught one network of the task by squared error.

The noise of predictions is drawn once at the start, the same for all patterns. A single output is a label of
two values. Weights start uniform in ±1 / √fan-in, those of the read-out at 0. The paper's convolutions, its
learnt embeddings and its forms in continuous time are left out, and the weight decay of its AdamW.

Li, Teh & Pascanu 2025, NoProp: training neural networks without full back-propagation or full
forward-propagation, arXiv:2503.24322; Nichol & Dhariwal 2021, Improved denoising diffusion probabilistic
models, ICML (the cosine schedule, its s).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import sqrt
from typing import Any, ClassVar, NamedTuple

import numpy as np

from algorithms.forward_forward import joined, labels
from harness.core.algorithm import Algorithm, Array, Batch, Network, Params, Rand, State, Traits, Update
from harness.core.exact_gradient import exact_gradient
from harness.core.loops import repeat
from harness.core.losses import CrossEntropy, SquaredError
from harness.core.network import Edge, Group, Key
from harness.core.optimisers import Adam, Optimiser
from harness.core.setting import setting


class Steps(NamedTuple):
    """What block t does to z_{t−1}, for t = 1 … T: each (1, T), or (R, T) of settings that differ."""

    a: Array
    b: Array
    c: Array


@dataclass(frozen=True)
class Noprop(Algorithm):
    """Blocks that each learn alone to take noise off the label; predictions go through them in turn."""

    optimiser: Optimiser = setting(None, "What the weights do with their credit.", factory=Adam)
    blocks: int = setting(
        5, "Blocks T; with 1 there is only a block that hears noise and the input.", at_least=1, at_most=1000
    )
    eta: float = setting(0.1, "Weight η of the blocks' losses beside the read-out's.", above=0)
    offset: float = setting(
        0.008,
        "Offset s of the cosine: the more, the more noise is left at the last block.",
        above=0,
        at_most=1,
        search=(0.001, 0.5),
    )

    # a hidden layer of a block hears of the block's error over the weights above it
    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=True, local=False, phases=5, global_scalar=False
    )
    paper: ClassVar[str] = "Li, Teh & Pascanu 2025, arXiv:2503.24322"
    equations: ClassVar[str] = "L_t = (η/2) (SNR(t) − SNR(t−1)) ‖û_t(z_{t−1}, x) − u_y‖², ∂L_t/∂w of block t"
    oracle: ClassVar[str] = (
        "closed forms of the schedule; complex steps of each block's loss; exact zeros between blocks"
    )

    def applies_to(self, task: Any) -> str | None:
        kind, net = task.spec().kind, task.network()
        if kind == "numbers":
            return f"it takes noise off labels, but the targets of {task.name} are numbers"
        if net.output.size > 1 and kind != "labels":
            return f"it takes noise off one label, but {task.name} wants any number of outputs on"
        if not net.dense:
            return (
                "its blocks are fully connected, "
                f"and the network of {task.name} shares weights or leaves some out"
            )
        return None

    def resolved(self, usual: Any) -> Algorithm:
        missing = {n: getattr(usual, n) for n in self.optimiser.uses if getattr(self.optimiser, n) is None}
        return replace(self, optimiser=replace(self.optimiser, **missing))

    def held(self, net: Network) -> int:
        return self.blocks * block(net).size

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        own, read = block(net), read_out(net)
        drawn: dict[Key, Array] = {
            key: (2.0 * rand.uniform(self.blocks, *shape) - 1.0) / sqrt(fan_in(own, key))
            for key, shape in own.shapes.items()
        }
        drawn |= {key: rand.zeros(*shape) for key, shape in read.shapes.items()}
        noise = rand.normal(self.blocks + 1, 1, own.output.size)
        return {"params": drawn, "memory": {"noise": noise}, "optimiser": self.optimiser.init(drawn)}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        u = labels(batch.wanted, batch.x.dtype)
        z = self.noised(u, rand.normal(self.blocks + 1, *u.shape[-2:]))
        gradient = self.credit(net, state["params"], batch, u, z)
        params, optimiser = self.optimiser.step(state["params"], gradient, state["optimiser"], batch.epoch)
        return Update({"params": params, "memory": state["memory"], "optimiser": optimiser}, None)

    def credit(self, net: Network, params: Params, batch: Batch, u: Array, z: Array) -> dict[Key, Array]:
        """∂L_t/∂w of every block (…, T, rows, columns), and ∂L_y/∂w of the read-out.

        Labels u (…, N, K) with noise are z (…, T + 1, N, K).
        """
        own, read = block(net), read_out(net)
        # every block by itself: the axis of blocks is one of replicas to a block's network
        seen, u_t = joined(batch.x[..., None, :, :], z[..., :-1, :, :]), u[..., None, :, :]
        alone = batch._replace(x=seen, target=u_t, wanted=u_t > 0, loss=SquaredError())
        last = batch._replace(x=z[..., -1, :, :], target=u, wanted=u > 0, loss=CrossEntropy("softmax"))
        gain = self.gains().astype(u.dtype)[..., None, None]
        of_blocks = exact_gradient(own, some(params, own), alone).gradient
        of_labels = exact_gradient(read, some(params, read), last).gradient
        return {**{key: self.eta * (gain * g) for key, g in of_blocks.items()}, **of_labels}

    def predict(self, net: Network, state: State, x: Array) -> Array:
        own, read, params, noise = block(net), read_out(net), state["params"], state["memory"]["noise"]
        # indexed by a step that compiled code counts, they are arrays of its own
        a, b, c = (each.astype(x.dtype) + np.zeros_like(x, shape=each.shape) for each in self.steps())
        deviation, theirs = np.sqrt(c), some(params, own)

        def step(i: Array, z: Array) -> Array:
            of_block = {key: w[..., i, :, :] for key, w in theirs.items()}
            said = own.respond(of_block, joined(x, z))
            to_said, to_z, to_noise = (each[..., i, None, None] for each in (a, b, deviation))
            return to_said * said + to_z * z + to_noise * noise[..., i + 1, :, :]

        z = repeat(self.blocks, step, noise[..., 0, :, :] + np.zeros_like(x[..., :1]))
        likely = read.respond(some(params, read), z)
        return likely if net.output.size > 1 else likely[..., 1:]

    def schedule(self) -> Array:
        """ᾱ_t for t = 0 … T, (1, T + 1), or (R, T + 1) where s differs: from 0 to almost 1."""
        left = 1.0 - np.arange(self.blocks + 1)[None] / self.blocks
        kept = np.cos(0.5 * np.pi * (left + self.offset) / (1.0 + self.offset)) ** 2
        return np.where(left < 1, kept, 0.0)  # the cosine of ½π, without its rounding

    def gains(self) -> Array:
        """SNR(t) − SNR(t−1) for t = 1 … T, (1, T)."""
        kept = self.schedule()
        return np.diff(kept / (1.0 - kept), axis=-1)

    def steps(self) -> Steps:
        """a_t, b_t and c_t for t = 1 … T."""
        kept = self.schedule()
        before, after = kept[:, :-1], kept[:, 1:]
        alpha = before / after
        a = np.sqrt(after) * (1.0 - alpha) / (1.0 - before)
        b = np.sqrt(alpha) * (1.0 - after) / (1.0 - before)
        return Steps(a, b, (1.0 - after) * (1.0 - alpha) / (1.0 - before))

    def noised(self, u: Array, noise: Array) -> Array:
        """z_t = √ᾱ_t u + √(1 − ᾱ_t) ε (…, T + 1, N, K) of labels u (…, N, K), given ε."""
        kept = self.schedule().astype(u.dtype)[..., None, None]
        return np.sqrt(kept) * u[..., None, :, :] + np.sqrt(1.0 - kept) * noise


@lru_cache
def block(net: Network) -> Network:
    """A block: the task's network with a noised label beside its input and a softmax of labels on top.

    The top has a name of its own: T blocks are not to pass for the weights of one network.
    """
    count = max(net.output.size, 2)
    label, top = Group("z", count, "linear", bias=False), Group("label", count, "softmax")
    place = {net.output: top}
    edges = [Edge(e.source, place.get(e.target, e.target)) for e in net.edges]
    hear = dict.fromkeys(e.target for e in edges if e.source in net.inputs)
    groups = (*net.inputs, label, *net.hidden, top)
    return Network(groups, (*edges, *(Edge(label, group) for group in hear)), net.residuals, net.normalised)


@lru_cache
def read_out(net: Network) -> Network:
    """p(y | z_T): a softmax of labels, on the last z."""
    count = max(net.output.size, 2)
    last, label = Group("z_T", count, "linear", bias=False), Group("y", count, "softmax")
    return Network((last, label), (Edge(last, label),))


def fan_in(net: Network, key: Key) -> int:
    """Units that the target of an edge, or a group with a bias, hears."""
    return sum(e.source.size for e in net.into(key.target if isinstance(key, Edge) else key))


def some(params: Params, net: Network) -> dict[Key, Array]:
    """The parameters of a network out of more."""
    return {key: params[key] for key in net.shapes}
