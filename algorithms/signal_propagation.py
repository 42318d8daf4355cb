"""Signal propagation: the target goes the way of the input, and each layer brings the two together.

    h_1 = f(W_1 x),            t_1(k) = f(S_k)                              S_k the signal of label k
    h_l = f(W_l h_{l-1}),      t_l(k) = f(W_l t_{l-1}(k))                   the same layers, the same weights
    p_l(k) = softmax_k(h_l · t_l(k)),    L_l = −Σ log p_l(label)           each layer's loss to itself
    ∂L_l/∂W_l = Σ_n δ_l h_{l-1}ᵀ + Σ_k τ_l(k) t_{l-1}(k)ᵀ                   the gradient stops below
    δ_l = f′ ⊙ Σ_k (p_l(k) − [k = label]) t_l(k),    τ_l(k) = f′ ⊙ Σ_n (p_l(k) − [k = label]) h_l

What a layer is told comes up through the layers below it, not down from those above, and is there from the
start. S learns with the first hidden layer, whose shape its signals have. The paper gives a framework, in
which signals and losses may be chosen; this loss is the dot product with cross-entropy of the authors'
library (`v14`). There every pattern of a batch sends the signal of its own target, and is to find that of the
first pattern with its label among all of them; here every label sends its signal once, whatever the batch.

The output group is the paper's classification layer: it learns by the task's loss from the last hidden
layer, and tells the others nothing. A single output is a label of two values. The paper's losses of
distances, its convolutional and its spiking networks are left out.

Kohan, Rietman & Siegelmann 2023, Signal propagation: the framework for learning and inference in a forward
pass, IEEE Transactions on Neural Networks and Learning Systems, arXiv:2204.01723; the authors'
library is signalpropagation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from algorithms.feedback_alignment import random_matrix
from algorithms.forward_forward import labels, softmax
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
    added,
)
from harness.core.network import Group
from harness.core.setting import setting


def signal(group: Group) -> Any:
    """The key of the signals S of all labels among the parameters; the network does not know it."""
    return f"{group.name} signal"


@dataclass(frozen=True)
class SignalPropagation(CreditAlgorithm):
    """Labels go forward through the same layers as patterns, which learn to bring each to its own."""

    spread: float = setting(
        0.5, "The signals S of labels start uniform in ±spread.", above=0, search=(0.05, 5)
    )

    # what a unit is told is weighed by all units of its layer together
    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=False, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Kohan, Rietman & Siegelmann 2023, IEEE TNNLS, arXiv:2204.01723"
    equations: ClassVar[str] = "t_l = f(W_l t_{l-1}), L_l = −Σ log softmax_k(h_l · t_l(k))_label, ∂L_l/∂W_l"
    oracle: ClassVar[str] = "complex steps of each layer's loss; a step by hand; shallow's output"

    def applies_to(self, task: Any) -> str | None:
        kind, net = task.spec().kind, task.network()
        if kind == "numbers":
            return f"it sends labels forward, but the targets of {task.name} are numbers"
        if net.output.size > 1 and kind != "labels":
            return f"it has a signal for each label, but {task.name} wants any number of outputs on"
        if not net.hidden:
            return f"it trains hidden layers, and the network of {task.name} has none"
        if any(e.source in net.inputs for group in net.hidden[1:] for e in net.into(group)):
            return (
                f"its signals enter at the first hidden group, and in the network of {task.name} "
                "others hear the input, too"
            )
        return None

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        first = net.hidden[0]
        drawn = random_matrix(self.spread, rand, max(net.output.size, 2), first.size)
        return super().init(net, {**params, signal(first): drawn}, rand)

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        y = net.forward(params, batch.x)
        right = labels(batch.wanted, batch.x.dtype)
        first, *above = net.hidden
        t = {first: net.activity(first, params[signal(first)])}
        for group in above:
            t[group] = net.activity(group, net.net_input(params, group, t))
        delta, told = {net.output: batch.delta(net, y)}, {}
        for group in net.hidden:
            wrong = softmax(y[group] @ t[group].mT) - right
            delta[group] = net.pull(group, y, wrong @ t[group])
            told[group] = net.pull(group, t, wrong.mT @ y[group])
        of_signals: dict[Any, Array] = {signal(first): told.pop(first)}
        return Credit({**added(net.outer(y, delta), net.outer(t, told)), **of_signals}, y[net.output])
