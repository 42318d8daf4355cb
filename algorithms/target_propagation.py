"""Target propagation: each layer gets a target for its activity, and descends its own distance from it.

    t_L     = h_L − η̂ e                                          e = ∂E/∂h_L
    t_{l-1} = g_l(t_l)                                           (tp: Lee et al. 2015)
    t_{l-1} = h_{l-1} + g_l(t_l) − g_l(h_l)                      (dtp: Lee et al. 2015; drl, l_drl)
    t_l     = h_l + Q_l (t_L − h_L)                              (ddtp_linear: Meulemans et al. 2020)
    ∂E/∂W_l ≈ ∂/∂W_l ½|h_l − t_l|² / η̂                           for each layer alone, t_l held

Targets come back over g_l(h) = f_{l-1}(Q_l h + c_l), which learns to undo layer l from noise on the activity
below, by Adam, before each update of the forward weights (`algorithms._way_back`). What it descends is the
rest of what tells variants apart. Where g undoes a layer, t_l − h_l is the Gauss–Newton step of the activity,
−η̂ J_{l→L}⁻¹ e, up to O(η̂²); dtp, drl and ddtp_linear look for that. In l_drl g comes to have the slopes
J_gᵀ = J_f, and the credit is backprop's as η̂ → 0. Plain tp has targets even where there is no error: what g
fails to undo is in them.

The factor 1/η̂ is a convention of ours, which leaves credit the size of a gradient whatever η̂; in the papers
the rate of the hidden layers has it. Weights of the output descend the loss. h_L is the output's net input,
its own f being part of the loss: so Meulemans et al. have it for softmax with cross-entropy. There, in
Ernoult et al. and in the simplified form of Bartunov et al. 2018 the last hidden layer hears its target as
all others do. Lee et al. give it a step down the gradient over the output's own weights
(`last_hidden=gradient`): with one hidden layer that is backprop.

g is drawn as by Glorot, and has the shape of the layer it undoes: of a kernel that is shared, one that is
shared. Inputs are given, and have no target. Weight decay of the feedback is left out, and so is training it
before the forward weights learn at all.

Lee, Zhang, Fischer & Bengio 2015, Difference target propagation, ECML, arXiv:1412.7525; Meulemans, Carzaniga,
Suykens, Sacramento & Grewe 2020, A theoretical framework for target propagation, NeurIPS 33,
arXiv:2006.14331; Ernoult et al. 2022, Towards scaling difference target propagation by learning backprop
targets, ICML, arXiv:2201.13415; Bartunov et al. 2018, Assessing the scalability of biologically-motivated
deep learning algorithms and architectures, NeurIPS 31, arXiv:1807.04587.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from algorithms._way_back import VARIANTS, Activity, Feedback, Lesson, activities, ahead, undone, way
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
    Update,
)
from harness.core.errors import InputError
from harness.core.loops import repeat
from harness.core.network import Edge, Group
from harness.core.optimisers import Adam
from harness.core.readings import reading
from harness.core.setting import setting


@dataclass(frozen=True)
class TargetPropagation(CreditAlgorithm):
    """Targets for hidden activity come back over feedback weights that learn to undo each layer."""

    variant: str = setting("dtp", "How targets come back, and what the way back learns by.", one_of=VARIANTS)
    target_lr: float = setting(
        0.1, "Step η̂ against the error from the output to its target.", above=0, search=(0.01, 1)
    )
    feedback_lr: float = setting(
        0.01, "Step size of Adam for the feedback weights.", above=0, search=(1e-4, 0.1)
    )
    sigma: float = setting(
        0.3,
        "Standard deviation σ of the noise that feedback learns from, in units of an activity.",
        above=0,
    )
    feedback_steps: int = setting(
        1,
        "Updates of the feedback weights before each of the forward ones.",
        at_least=0,
        at_most=100,
    )
    last_hidden: str = setting(
        "feedback",
        "What the target of the last hidden layer comes from: `feedback` weights, "
        "or the `gradient`, over the output's own.",
        one_of=("feedback", "gradient"),
    )
    output_noise: float | None = setting(
        None,
        "Standard deviation κ of the noise on what a layer sends, in units of sigma; None is 1. "
        "For the variant l_drl.",
        above=0,
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Lee et al. 2015, ECML, arXiv:1412.7525; Meulemans et al. 2020, NeurIPS 33"
    equations: ClassVar[str] = "t_L = h_L − η̂ e, t_{l-1} = h_{l-1} + g_l(t_l) − g_l(h_l)"
    oracle: ClassVar[str] = (
        "the Gauss–Newton target where g is the exact inverse; backprop where it has the slopes J_fᵀ; "
        "direct feedback alignment; central differences of what g descends"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output_noise is not None and self.variant != "l_drl":
            raise InputError(
                f"output_noise={self.output_noise} would be ignored: "
                f"it belongs to variant l_drl, but {self.variant} was given"
            )
        if self.last_hidden == "gradient" and self.variant == "ddtp_linear":
            raise InputError(
                "variant ddtp_linear brings the output's target straight to every layer: "
                "last_hidden must be feedback, but gradient was given"
            )

    def applies_to(self, task: Any) -> str | None:
        net = task.network()
        if net.residuals or net.normalised:
            between = "identity shortcuts" if net.residuals else "normalisation"
            return f"it undoes layer after layer, and the network of {task.name} has {between} between them"
        for group in net.hidden:
            if (sent := len(net.out_of(group))) != 1:
                return (
                    f"a group has one target, but {group.name!r} in the network of {task.name} "
                    f"sends over {sent} edges, and each would bring back its own"
                )
        return None

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        feedback: dict[Any, Array] = {}
        for e in (way(net, self.variant, group) for group in net.hidden):
            if e.weights.name not in feedback:
                limit = math.sqrt(6.0 / sum(e.fans))
                feedback[e.weights.name] = random_matrix(limit, rand, *e.shape)
            if self.variant != "ddtp_linear":
                feedback[e.source.name] = rand.zeros(1, e.source.channels)
        return {"feedback": feedback, "adam": Adam().init(feedback)}

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        return self.aimed(net, params, memory["feedback"], batch, activities(net, params, batch.x))

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        params = state["params"]
        h = activities(net, params, batch.x)
        memory = self.taught(net, params, state["memory"], h, rand)
        gradient, output = self.aimed(net, params, memory["feedback"], batch, h)
        params, optimiser = self.optimiser.step(params, gradient, state["optimiser"], batch.epoch)
        return Update({"params": params, "memory": memory, "optimiser": optimiser}, output)

    def aimed(self, net: Network, params: Params, feedback: Feedback, batch: Batch, h: Activity) -> Credit:
        """The credit of each weight by the target of its layer at activities h, and the outputs."""
        y = net.activity(net.output, h[net.output])
        delta = {net.output: batch.delta(net, {net.output: y})}
        shift = self.shifts(net, params, feedback, h, delta[net.output])
        for group in net.hidden:
            delta[group] = net.pull(group, h, shift[group] / -self.target_lr)
        return Credit(net.outer(h, delta), y)

    def shifts(
        self, net: Network, params: Params, feedback: Feedback, h: Activity, error: Array
    ) -> dict[Group, Array]:
        """How far each target is from where the group stands.

        Args:
            net: the network.
            params: its forward weights, read where `last_hidden` is the gradient's.
            feedback: the weights and biases of the way back, by name.
            h: activities (…, N, size); of the output, its net input.
            error: e = ∂E/∂h of the output (…, N, outputs).

        Returns:
            t − h (…, N, size) of the output and every hidden group.
        """
        shift = {net.output: -self.target_lr * error}
        for group in reversed(net.hidden):
            e = way(net, self.variant, group)
            if self.variant == "ddtp_linear":
                shift[group] = self.g(net, feedback, e, shift[net.output])
            elif self.last_hidden == "gradient" and e.target == net.output:
                shift[group] = reading().back(e, params[e.weights], shift[net.output])
            else:
                came = self.g(net, feedback, e, h[e.target] + shift[e.target])
                before = h[group] if self.variant == "tp" else self.g(net, feedback, e, h[e.target])
                shift[group] = came - before
        return shift

    def g(self, net: Network, feedback: Feedback, e: Edge, h: Array) -> Array:
        """What the source of an edge must have been if its target is at h (…, N, target size)."""
        return undone(net, self.variant, feedback, e, h)

    def taught(self, net: Network, params: Params, memory: State, h: Activity, rand: Rand) -> State:
        """The memory after `feedback_steps` updates of the feedback weights, at activities h."""
        steps, patterns = self.feedback_steps, h[net.output].shape[-2]
        if not (steps and net.hidden):
            return memory
        noise = {group: self.sigma * rand.normal(steps, patterns, group.size) for group in net.hidden}
        above: dict[Group, Array] = {}
        if self.variant == "l_drl":
            spread = self.sigma if self.output_noise is None else self.output_noise * self.sigma
            told = dict.fromkeys(ahead(net, group).target for group in net.hidden)
            above = {group: spread * rand.normal(steps, patterns, group.size) for group in told}

        def step(i: Array, memory: State) -> State:
            now, over = ({g: a[..., i, :, :] for g, a in each.items()} for each in (noise, above))
            feedback: dict[Any, Array] = memory["feedback"]
            gradient: dict[Any, Array] = Lesson(net, params, self.variant, h, now, over).gradient(feedback)
            # Adam's step at rate 1, from 0: the rate may be another one for each replica
            still = {name: np.zeros_like(q) for name, q in feedback.items()}
            moved, adam = Adam(lr=1.0).step(still, gradient, memory["adam"], 0)
            moved = {name: q + self.feedback_lr * moved[name] for name, q in feedback.items()}
            return {"feedback": moved, "adam": adam}

        taught: State = repeat(steps, step, memory)
        return taught
