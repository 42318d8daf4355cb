"""Local losses: each hidden layer has a loss to itself, and the gradient stops between layers.

    pred       L_l = E(f_L(h_l A_l + a_l), d)                                a head predicts the target
    sim        L_l = (1 / N) Σ_{n,m} (S(h_l C_l)_nm − S(d)_nm)²               similarities are matched
    predsim    L_l = (1 − β) pred + β sim
    ∂L_l/∂W_l, ∂L_l/∂A_l, ∂L_l/∂C_l                                          no other L has a say

S is the matrix of cosines between patterns of a batch, each first brought to mean 0 over its units. N
patterns have N² of them, and in the authors' code both losses are means: with the sum over patterns in pred
that is the factor 1 / N here. A pattern alone is like itself, so sim has no credit for batches of one. Of a
single target d the pair (d, 1 − d) is compared.

Mono-Forward is pred with a projection that has no bias, and nothing else:

    G_l = h_l M_lᵀ,      L_l = −Σ log softmax(G_l)_label

and prediction is that of the last layer's goodness, the cheaper of the paper's two. So the weights into the
output *are* the last layer's projection, and with one hidden layer it is backprop.

What a head says goes through the output's kind of unit and the task's loss, which is the papers' where that
is softmax with cross-entropy. The output group learns by the task's loss from what leaves the last hidden
layer; in the first three, nothing of that goes back to hidden weights. A head reads the activity of its
group, and shortcuts and normalisation come after that. Heads start uniform in ±1 / √size, as linear layers
of the authors' library do; Nøkland and Eidnes start those of pred at zero. They learn by the optimiser of the
other weights, all layers at once. Batch normalisation, dropout and pooling before the head are left out.

Nøkland & Eidnes 2019, Training neural networks with local error signals, ICML, arXiv:1901.06656; Gong, Li &
Abdulla 2025, Mono-Forward: backpropagation-free algorithm for efficient neural network training harnessing
local errors, arXiv:2501.09238.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from algorithms.feedback_alignment import random_matrix
from harness.core.algorithm import (
    Array,
    Batch,
    Credit,
    CreditAlgorithm,
    Network,
    Params,
    Rand,
    State,
    Traits,
)
from harness.core.errors import InputError
from harness.core.network import Group
from harness.core.setting import setting

LOSSES = ("pred", "sim", "predsim")
BETA = 0.99  # the authors' share of sim in predsim
EPSILON = 1e-8  # beside a squared length: patterns whose units all do the same are like none
Lesson = tuple[Array, dict[Any, Array]]  # ∂L/∂h of a layer, and ∂L of its head's parameters


def head(group: Group) -> Any:
    """The key of what predicts the target from a group: a parameter that the network does not know."""
    return f"{group.name} head"


def head_bias(group: Group) -> Any:
    """The key of its bias."""
    return f"{group.name} head bias"


def likeness(group: Group) -> Any:
    """The key of what stands between a group and its similarities."""
    return f"{group.name} similarity"


@dataclass(frozen=True)
class LocalLosses(CreditAlgorithm):
    """Each hidden layer lowers a loss of its own, over a head of its own; nothing comes from above."""

    loss: str = setting(
        "predsim",
        "What a hidden layer lowers: `pred`, a prediction of the target; `sim`, how its similarities of "
        "patterns differ from the targets'; or both.",
        one_of=LOSSES,
    )
    beta: float | None = setting(
        None,
        "Share β of sim in predsim; None is .99. For the loss predsim.",
        above=0,
        below=1,
        search=(0.01, 0.99),
    )

    # a head hears all units of its layer, and tells each what the others made of it
    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=False, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Nøkland & Eidnes 2019, ICML, arXiv:1901.06656"
    equations: ClassVar[str] = "L_l = (1 − β) E(f(h_l A_l), d) + β ‖S(h_l C_l) − S(d)‖² / N, ∂L_l/∂W_l"
    oracle: ClassVar[str] = (
        "backprop in each one-layer network with its head; complex steps of the similarities; a step by hand"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.beta is not None and self.loss != "predsim":
            raise InputError(
                f"beta={self.beta} would be ignored: it belongs to loss predsim, but {self.loss} was given"
            )

    @property
    def share(self) -> float:
        """β of whatever loss: 0 is pred, 1 sim."""
        return {"pred": 0.0, "sim": 1.0}.get(self.loss, BETA if self.beta is None else self.beta)

    def applies_to(self, task: Any) -> str | None:
        if self.share and task.spec().kind == "numbers" and task.network().output.size == 1:
            return (
                f"cosines of targets need two of them, and {task.name} has a single number; loss=pred does it"
            )
        return None

    def held(self, net: Network) -> int:
        return net.size + sum(group.size**2 for group in net.hidden if self.share > 0)

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        heads: dict[Any, Array] = {}
        for group in net.hidden:
            limit = 1.0 / sqrt(group.size)
            if self.share < 1:
                heads[head(group)] = random_matrix(limit, rand, group.size, net.output.size)
                heads[head_bias(group)] = rand.zeros(1, net.output.size)
            if self.share > 0:
                heads[likeness(group)] = random_matrix(limit, rand, group.size, group.size)
        return super().init(net, {**params, **heads}, rand)

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        y = net.forward(params, batch.x)
        delta = {net.output: batch.delta(net, y)}
        heads: dict[Any, Array] = {}
        for group in net.hidden:
            blame, own = self.lesson(net, params, group, y[group], batch)
            delta[group] = net.pull(group, y, blame)
            heads |= own
        return Credit({**net.outer(y, delta), **heads}, y[net.output])

    def lesson(self, net: Network, params: Params, group: Group, h: Array, batch: Batch) -> Lesson:
        """∂L/∂h (…, N, size) of a hidden group at activity h, and ∂L of its heads' parameters."""
        parts: list[tuple[float, Lesson]] = []
        if self.share < 1:
            w, b = params[head(group)], params[head_bias(group)]
            told = prediction_error(net, h @ w + b, batch)
            own = {head(group): h.mT @ told, head_bias(group): told.sum(axis=-2, keepdims=True)}
            parts.append((1.0 - self.share, (told @ w.mT, own)))
        if self.share > 0:
            c = params[likeness(group)]
            told = mismatch(h @ c, pairs(batch.target))
            parts.append((self.share, (told @ c.mT, {likeness(group): h.mT @ told})))
        blame = sum(share * each for share, (each, _) in parts)
        return blame, {key: share * g for share, (_, own) in parts for key, g in own.items()}


@dataclass(frozen=True)
class MonoForward(CreditAlgorithm):
    """Each hidden layer lowers the loss of its own projection on the labels; the last one's is the output."""

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=True, local=False, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Gong, Li & Abdulla 2025, arXiv:2501.09238"
    equations: ClassVar[str] = "G_l = h_l M_lᵀ, L_l = −Σ log softmax(G_l)_label, ∂L_l/∂W_l, ∂L_l/∂M_l"
    oracle: ClassVar[str] = (
        "backprop with one hidden layer, and in each one-layer network with its projection; a step by hand"
    )

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        heads = {
            head(group): random_matrix(1.0 / sqrt(group.size), rand, group.size, net.output.size)
            for group in net.hidden
            if not heard(net, group)
        }
        return super().init(net, {**params, **heads}, rand)

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        y = net.forward(params, batch.x)
        last = {net.output: batch.delta(net, y)}
        delta, heads = dict(last), {}
        for group in net.hidden:
            if heard(net, group):
                blame = net.blame(params, group, y, last)
            else:
                m = params[head(group)]
                told = prediction_error(net, y[group] @ m, batch)
                heads[head(group)], blame = y[group].mT @ told, told @ m.mT
            delta[group] = net.pull(group, y, blame)
        return Credit({**net.outer(y, delta), **heads}, y[net.output])


def heard(net: Network, group: Group) -> bool:
    """Whether the output hears a group, and so has the projection of it."""
    return any(e.target == net.output for e in net.out_of(group))


def prediction_error(net: Network, x: Array, batch: Batch) -> Array:
    """∂E/∂x (…, N, outputs) of a head with net input x, as if it were the output."""
    unit = net.output.activation
    return batch.loss.delta(unit, net.activity(net.output, x), batch.target, batch.wanted)


def pairs(target: Array) -> Array:
    """Targets (…, N, k) with something to compare them with: of a single one, (d, 1 − d)."""
    return target if target.shape[-1] > 1 else np.concatenate([target, 1.0 - target], axis=-1)


def directions(z: Array) -> tuple[Array, Array]:
    """Each pattern of z (…, N, k) at mean 0 and length 1 over its units, and its length (…, N, 1) before."""
    apart = z - z.mean(axis=-1, keepdims=True)
    length = np.sqrt((apart * apart).sum(axis=-1, keepdims=True) + EPSILON)
    return apart / length, length


def mismatch(z: Array, target: Array) -> Array:
    """∂/∂z (…, N, k) of ‖S(z) − S(target)‖² / N, the similarities of N patterns to each other."""
    (u, length), (v, _) = directions(z), directions(target)
    # 4 / N (u uᵀ − v vᵀ) u, without the N² similarities themselves
    blame = 4.0 / z.shape[-2] * (u @ (u.mT @ u) - v @ (v.mT @ u))
    return (blame - u * (u * blame).sum(axis=-1, keepdims=True)) / length  # of mean 0, as u and v are
