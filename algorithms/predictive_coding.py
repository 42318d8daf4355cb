"""Predictive coding: every group predicts the one above it; activities settle first, then weights learn from
the errors that are left.

    F = ½ Σ_hidden |s_l − μ_l|² + λ E(μ_out),   μ_l = f(s_{l−1} W_l + b_l)     input below, output above
    ε_l = s_l − μ_l,  δ_l = f'(x_l) ⊙ (−ε_l),  δ_out = λ ∂E/∂x_out
    s_l ← s_l − γ ∂F/∂s_l = s_l − γ (ε_l + δ_{l+1} W_{l+1}ᵀ)                  T steps of inference
    ∂F/∂W_l = Σ_patterns s_{l−1}ᵀ δ_l,   credit = ∂F/∂W ÷ λ

Inference starts from the feed-forward pass, where all ε are 0. At the equilibrium of F, −ε_l is what
backpropagation calls blame, but at the activities s instead of the feed-forward ones. So λ → 0 is backprop,
with an error of the order of λ; at λ = 1 inference that converges leads *away* from it. An output that meets
no target is free: F is 0 at the feed-forward activities, and these are the prediction.

    converged          as above
    fixed_prediction   μ and f' stay those of the feed-forward pass: with γ = 1 backprop, from as many steps
                       on as there are hidden layers (Millidge, Tschantz & Buckley 2022; Rosenbaum 2022)
    z_il               γ = 1, and the weights that are t layers below the output learn at step t: backprop
                       (Song et al. 2020)
    incremental        weights step with the activities, at every one of the T steps (Salvatori et al. 2024)
    error_based        ε moves instead of s, which follow by a forward pass: the same equilibrium in fewer
                       steps, as a signal crosses all layers in each (Goemaere et al. 2025)

Z-IL: nothing below a group has moved before its own step, so its prediction is still the feed-forward one,
and a step need look at one group only. Where edges jump over groups it hears each group as that was at its
own step (Salvatori et al. 2022). It asks neither `steps` nor `inference_rate`.

Nudging (Scellier et al. 2023 of other energies, Pinchetti et al. 2025 of this one) takes h + β (d − h) for
the target d, h the feed-forward output, and credit ÷ β; β = 1 is the target itself. As β → 0 credit comes to
backprop's, not from the output's error e but, where E is squared, from (1 + λ Σ_l J_l J_lᵀ)⁻¹ e with J_l =
∂μ_out/∂s_l of a pattern: hidden groups still take their share. What is left is of the order of β, or of β²
where `centred` takes the mean of the credits at β and −β; `negative` is −β alone.

Depth scaling (µPC, Innocenti et al. 2025) writes every weight as a w with a = 1/√n from the input, 1/n into
the output and 1/√n between hidden groups, n the weights into a unit; with residuals 1/√(n L), L the depth.
Optimisers see w; `params` has a w. Their w starts from N(0, 1), ours from the task's initial weights.

Activities s are predicted by f(net input), as in most work since; in Whittington & Bogacz 2017 μ = W f(x)
predicts the net input x. Variances of hidden groups are 1, and λ is 1 over that of the output. With residuals
the errors are those of what each group adds.

Whittington & Bogacz 2017, Neural Computation 29:1229-1262; Millidge, Tschantz & Buckley 2022, Neural
Computation 34:1329-1368; Rosenbaum 2022, PLoS ONE 17:e0266102; Song, Lukasiewicz, Xu & Bogacz 2020, NeurIPS
33; Salvatori, Song, Xu, Lukasiewicz & Bogacz 2022, AAAI 36; Salvatori et al. 2024, ICLR, arXiv:2212.00720;
Goemaere et al. 2025, arXiv:2505.20137; Pinchetti et al. 2025, ICLR, arXiv:2407.01163; Scellier et al. 2023,
NeurIPS 36; Innocenti et al. 2025, arXiv:2505.13124.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.core.algorithm import (
    Array,
    Batch,
    Credit,
    CreditAlgorithm,
    Key,
    Network,
    Params,
    Rand,
    State,
    Traits,
    Update,
    total,
)
from harness.core.loops import repeat
from harness.core.network import Group
from harness.core.setting import setting

VARIANTS = ("converged", "fixed_prediction", "z_il", "incremental", "error_based")
SIDES = {"positive": (1.0,), "negative": (-1.0,), "centred": (1.0, -1.0)}
Groups = Mapping[Group, Array]


@dataclass(frozen=True)
class PredictiveCoding(CreditAlgorithm):
    """Activities settle between what is below and the target above; weights learn from the errors left."""

    variant: str = setting("converged", "What inference moves, and when weights learn.", one_of=VARIANTS)
    steps: int = setting(20, "Steps T of inference.", at_least=1, at_most=10**6)
    inference_rate: float = setting(
        0.2, "Step size γ of inference: activities over the slope of F.", above=0, search=(0.02, 1)
    )
    energy_weight: float = setting(
        1.0, "Weight λ of the loss in F; towards 0 it is backprop.", above=0, search=(0.01, 10)
    )
    nudge: float = setting(
        1.0, "β: the output is drawn to h + β (d − h), h its feed-forward value; 1 is the target.", above=0
    )
    side: str = setting(
        "positive", "Whether it is drawn by β, by −β, or by both in turn for their mean credit.", one_of=SIDES
    )
    depth_scaling: bool = setting(False, "Whether weights are scaled by width and depth (µPC).")

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=True, local=True, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Whittington & Bogacz 2017, Neural Computation 29:1229-1262"
    equations: ClassVar[str] = "F = ½ Σ (s_l − μ_l)² + λ E(μ_out), s ← s − γ ∂F/∂s, ∂E/∂w_ij ≈ Σ s_i δ_j / λ"
    promise: ClassVar[str] = "direction"
    oracle: ClassVar[str] = (
        "the closed equilibrium of linear networks; differences of the settled energy; "
        "backprop as λ → 0, by FPA and by Z-IL"
    )

    def applies_to(self, task: Any) -> str | None:
        if task.margin is not None and (self.nudge != 1 or self.side != "positive"):
            return (
                f"a nudged output is within the margin of {task.margin:g} in which {task.name} sees no error"
            )
        return None

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        return super().init(net, {key: scale * params[key] for key, scale in self.scales(net).items()}, rand)

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        y = net.forward(params, batch.x)
        found = [self.inferred(net, params, y, seen) for seen in self.sides(batch, y[net.output])]
        return Credit(self.mean([net.outer(s, delta) for s, delta in found]), y[net.output])

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        params, optimiser, epoch = state["params"], state["optimiser"], batch.epoch
        if self.variant == "incremental":
            params, optimiser, output = self.together(net, params, optimiser, batch)
        else:
            gradient, output = self.credit(net, params, state["memory"], batch, rand)
            params, optimiser = self.stepped(net, params, gradient, optimiser, epoch)
        return Update({"params": params, "memory": state["memory"], "optimiser": optimiser}, output)

    # inference
    # ------------------------------------------------------------------------------------------------

    def inferred(self, net: Network, params: Params, y: Groups, batch: Batch) -> tuple[Groups, Groups]:
        """Activities and δ (…, N, size) by group that weights learn from, from the feed-forward activities y.

        The weights of `incremental` hold still here, as a credit is of weights: then it is `converged`.
        """
        if self.variant == "fixed_prediction":
            return y, self.by_fixed_predictions(net, params, y, batch)
        if self.variant == "z_il":
            return y, self.in_turn(net, params, y, batch)
        if self.variant == "error_based":
            return self.by_errors(net, params, y, batch)

        def step(_: Array, s: Groups) -> Groups:
            return self.moved(net, params, {**y, **s}, *self.errors(net, params, {**y, **s}, batch))

        s = {**y, **repeat(self.steps, step, {group: y[group] for group in net.hidden})}
        return s, self.errors(net, params, s, batch)[1]

    def errors(self, net: Network, params: Params, s: Groups, batch: Batch) -> tuple[Groups, Groups]:
        """ε of the hidden groups, and δ = ∂F/∂x of all: of activities s (…, N, size), each from its own."""
        mu = {group: net.activity(group, net.net_input(params, group, s)) for group in net.free}
        error = {group: s[group] - mu[group] for group in net.hidden}
        delta = {group: net.pull(group, mu, -error[group]) for group in net.hidden}
        return error, {**delta, net.output: self.energy_weight * batch.delta(net, mu)}

    def moved(self, net: Network, params: Params, s: Groups, error: Groups, delta: Groups) -> Groups:
        """The hidden activities a step of inference later, all at once."""
        slope = {group: error[group] + net.blame(params, group, s, delta) for group in net.hidden}
        return {group: s[group] - self.inference_rate * slope[group] for group in net.hidden}

    def by_fixed_predictions(self, net: Network, params: Params, y: Groups, batch: Batch) -> Groups:
        """δ of all groups where ε settles and predictions stay."""
        top = {net.output: self.energy_weight * batch.delta(net, y)}

        def heard(error: Groups) -> Groups:
            return {**top, **{group: net.pull(group, y, -error[group]) for group in net.hidden}}

        def step(_: Array, error: Groups) -> Groups:
            delta = heard(error)
            slope = {group: error[group] + net.blame(params, group, y, delta) for group in net.hidden}
            return {group: error[group] - self.inference_rate * slope[group] for group in net.hidden}

        return heard(repeat(self.steps, step, {group: np.zeros_like(y[group]) for group in net.hidden}))

    def in_turn(self, net: Network, params: Params, y: Groups, batch: Batch) -> Groups:
        """δ of all groups, each as it is at its own step: the output's at step 0, the lowest group's last."""
        delta = {net.output: self.energy_weight * batch.delta(net, y)}
        for group in reversed(net.hidden):
            s = y[group] - net.blame(params, group, y, delta)
            delta[group] = net.pull(group, y, y[group] - s)
        return delta

    def by_errors(self, net: Network, params: Params, y: Groups, batch: Batch) -> tuple[Groups, Groups]:
        """Activities and δ of all groups where ε moves down the slope of ½ Σ |ε|² + λ E, and s follows."""

        def above(error: Groups) -> tuple[Groups, Groups]:
            s, mu = {group: y[group] for group in net.inputs}, dict(y)
            for group in net.free:
                mu[group] = net.activity(group, net.net_input(params, group, s))
                s[group] = mu[group] + error[group] if group in error else mu[group]
            return s, mu

        def step(_: Array, error: Groups) -> Groups:
            s, mu = above(error)
            delta, slope = {net.output: self.energy_weight * batch.delta(net, mu)}, {}
            for group in reversed(net.hidden):
                blame = net.blame(params, group, s, delta)
                delta[group], slope[group] = net.pull(group, mu, blame), error[group] + blame
            return {group: error[group] - self.inference_rate * slope[group] for group in net.hidden}

        error = repeat(self.steps, step, {group: np.zeros_like(y[group]) for group in net.hidden})
        s, mu = above(error)
        delta = {group: net.pull(group, mu, -error[group]) for group in net.hidden}
        return s, {**delta, net.output: self.energy_weight * batch.delta(net, mu)}

    def together(
        self, net: Network, params: Params, optimiser: State, batch: Batch
    ) -> tuple[Params, State, Array]:
        """T steps of activities and weights, both by the same errors; and the first outputs."""
        y = net.forward(params, batch.x)
        sides = self.sides(batch, y[net.output])

        def step(_: Array, now: Any) -> Any:
            all_of, params, optimiser = now
            moved, credits = [], []
            for hidden, seen in zip(all_of, sides, strict=True):
                s = {**y, **hidden}
                error, delta = self.errors(net, params, s, seen)
                moved.append(self.moved(net, params, s, error, delta))
                credits.append(net.outer(s, delta))
            return tuple(moved), *self.stepped(net, params, self.mean(credits), optimiser, batch.epoch)

        start = tuple({group: y[group] for group in net.hidden} for _ in sides)
        _, params, optimiser = repeat(self.steps, step, (start, dict(params), optimiser))
        return params, optimiser, y[net.output]

    # nudging, and scaling
    # ------------------------------------------------------------------------------------------------

    @property
    def betas(self) -> tuple[float, ...]:
        """The strengths of the nudges that a credit is taken at."""
        return tuple(sign * self.nudge for sign in SIDES[self.side])

    def sides(self, batch: Batch, h: Array) -> list[Batch]:
        """The batch with the targets that each nudge has, from the feed-forward outputs h (…, N, outputs)."""
        gap = batch.target - h  # at β = 1 the target keeps its bits
        return [batch._replace(target=batch.target + (beta - 1.0) * gap) for beta in self.betas]

    def mean(self, slopes: list[dict[Key, Array]]) -> dict[Key, Array]:
        """Credit from ∂F/∂W at each nudge: over λ β, and the mean."""
        shares = [1.0 / (self.energy_weight * (beta * len(slopes))) for beta in self.betas]
        return {
            key: total(share * slope[key] for share, slope in zip(shares, slopes, strict=True))
            for key in slopes[0]
        }

    def stepped(
        self, net: Network, params: Params, gradient: Params, optimiser: State, epoch: Array
    ) -> tuple[Params, State]:
        """The optimiser's step; with depth scaling, of w where the parameter is a w."""
        if not self.depth_scaling:
            return self.optimiser.step(params, gradient, optimiser, epoch)
        scales = self.scales(net)
        inner = {key: params[key] / scale for key, scale in scales.items()}
        slope = {key: scales[key] * each for key, each in gradient.items()}
        new, optimiser = self.optimiser.step(inner, slope, optimiser, epoch)
        return {key: scales[key] * new[key] for key in params}, optimiser

    def scales(self, net: Network) -> dict[Key, float]:
        """a of every parameter; 1 of biases, and of all without depth scaling."""
        scales: dict[Key, float] = dict.fromkeys(net.shapes, 1.0)
        for edge in net.edges if self.depth_scaling else ():
            n = edge.fans[0]
            if edge.target == net.output:
                scales[edge.weights] = 1.0 / n
            else:
                deep = bool(net.residuals) and edge.source not in net.inputs
                scales[edge.weights] = 1.0 / math.sqrt(n * net.depth if deep else n)
        return scales
