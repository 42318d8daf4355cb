"""Weight perturbation: shake the weights, see what the loss does, and step back along what made it worse.

    weight perturbation    g = (E(w + σξ) − E(w)) / σ · ξ              all weights at once, ξ ~ N(0, I) or ±1
           antithetic      g = (E(w + σξ) − E(w − σξ)) / 2σ · ξ        even terms of E cancel
    sequential             g_i = (E(w + σ e_i) − E(w)) / σ             one weight after the other
    SPSA                   ĝ_k = (E(w + c_k Δ) − E(w − c_k Δ)) / 2c_k · Δ^−1,   w ← w − a_k ĝ_k,   Δ_i = ±1
                           a_k = a / (k + 1 + A)^α,   c_k = c / (k + 1)^γ,   k = 0, 1, …
    forward gradient       g = (∇E · v) v                       v ~ N(0, I) or ±1; a derivative, no difference

E[ξ ξᵀ] = I, so the estimates are ∇E on average (the first four up to terms of their step). Their price is
variance: E‖g‖² = (d + 2) ‖∇E‖² for normal directions in d dimensions, d ‖∇E‖² for ±1. Averaging over `draws`
divides it.

Sequential: Jabri & Flower 1991, Neural Computation 3:546-565, and 1992, IEEE TNN 3:154-157: with forward
differences, all slopes measured at the same weights and then all weights changed. At σ → 0 it is the gradient
itself. Simultaneous: Werfel, Xie & Seung 2005, Neural Computation 17:2699-2718 (normal ξ); Cauwenberghs 1993,
NIPS 5 (±). SPSA: Spall 1992, IEEE TAC 37:332-341; gains of Spall 1998, IEEE TAES 34:817-823.
Forward gradient: Baydin, Pearlmutter, Syme, Wood & Torr 2022, arXiv:2202.08587.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import numpy as np

from harness.core.algorithm import (
    Algorithm,
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
from harness.core.differences import differences
from harness.core.network import Key
from harness.core.setting import setting
from harness.core.tangent import tangent
from harness.core.vectors import at_once, flatten, in_a_row, in_blocks, loss_at, unflatten

DIRECTIONS = ("normal", "sign")


@dataclass(frozen=True)
class WeightPerturbation(CreditAlgorithm):
    """All weights shaken at once; each is credited with its own noise times the change of the loss."""

    sigma: float = setting(1e-3, "Size σ of the noise, in units of a weight.", above=0)
    direction: str = setting("normal", "Noise ξ: normal numbers, or ±1 (sign).", one_of=DIRECTIONS)
    antithetic: bool = setting(False, "Compare with the loss at w − σξ, not at w.")
    draws: int = setting(1, "Estimates averaged in an update.", at_least=1, at_most=10**6)

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=2, global_scalar=True
    )
    paper: ClassVar[str] = (
        "Werfel, Xie & Seung 2005, Neural Computation 17:2699-2718; Cauwenberghs 1993, NIPS 5"
    )
    equations: ClassVar[str] = "∂E/∂w ≈ (E(w + σξ) − E(w)) / σ · ξ"
    promise: ClassVar[str] = "limit"
    oracle: ClassVar[str] = (
        "backprop in expectation (z-test); learning speed of Werfel et al. on the linear perceptron"
    )
    through_time: ClassVar[bool] = True

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        xi = directions(self.direction, rand, self.draws, net.size)
        if self.antithetic:
            return Credit(shaken(net, params, batch, xi, self.sigma), None)
        y = net.respond(params, batch.x)
        return Credit(shaken(net, params, batch, xi, self.sigma, batch.cost(y)), y)


@dataclass(frozen=True)
class SequentialWeightPerturbation(CreditAlgorithm):
    """One weight shaken after the other by a step that hardware can do; then all are changed."""

    sigma: float = setting(1e-3, "Size σ of the perturbation, in units of a weight.", above=0)

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=0, global_scalar=True
    )
    paper: ClassVar[str] = "Jabri & Flower 1992, IEEE TNN 3:154-157"
    equations: ClassVar[str] = "∂E/∂w_i ≈ (E(w + σ e_i) − E(w)) / σ"
    promise: ClassVar[str] = "limit"
    oracle: ClassVar[str] = "backprop up to σ/2 ∂²E/∂w_i²; W + 1 forward passes exactly"
    through_time: ClassVar[bool] = True

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        return differences(net, params, batch, "forward", self.sigma)


@dataclass(frozen=True)
class ForwardGradient(CreditAlgorithm):
    """The exact slope of the loss along a random direction,
    by forward-mode derivatives, times that direction.
    """

    direction: str = setting("normal", "Directions v: normal numbers, or ±1 (sign).", one_of=DIRECTIONS)
    draws: int = setting(1, "Estimates averaged in an update.", at_least=1, at_most=10**6)

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=1, global_scalar=True
    )
    paper: ClassVar[str] = "Baydin, Pearlmutter, Syme, Wood & Torr 2022, arXiv:2202.08587"
    equations: ClassVar[str] = "∂E/∂w ≈ (∇E · v) v"
    promise: ClassVar[str] = "limit"
    oracle: ClassVar[str] = "backprop in expectation (z-test); E‖g‖² = (d + 2) ‖∇E‖² and d ‖∇E‖²"

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        v = directions(self.direction, rand, self.draws, net.size)
        y = net.forward(params, batch.x)
        error = batch.error(y[net.output])
        error = error.reshape(*error.shape[:-2], 1, -1)

        def slopes(some: Array) -> Array:
            """∇E · v for directions (n, …, 1, W)."""
            moved = tangent(net, params, unflatten(net, some), y)[net.output]
            return (error @ moved.reshape(*moved.shape[:-2], -1, 1))[..., 0, 0]

        return Credit(unflatten(net, along(net, flatten(net, params), batch, v, slopes)), y[net.output])


@dataclass(frozen=True)
class Spsa(Algorithm):
    """Simultaneous perturbation stochastic approximation:
    two measurements a step, whose gains are its schedule.
    """

    a: float | None = setting(
        None,
        "Gain of the steps; None makes the first one the task's usual learning rate.",
        above=0,
        rate=True,
        search=(1e-3, 1000),
    )
    c: float = setting(
        0.01,
        "Gain of the perturbations: about the noise of the loss, which has none here, so small.",
        above=0,
        search=(1e-3, 1),
    )
    A: float | None = setting(
        None,
        "Stability constant of the steps; None is 10 % of the task's usual number of sweeps.",
        at_least=0,
    )
    alpha: float = setting(0.602, "Exponent α of the steps.", at_least=0)
    gamma: float = setting(0.101, "Exponent γ of the perturbations.", at_least=0)
    draws: int = setting(1, "Estimates averaged in a step.", at_least=1, at_most=10**6)

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=2, global_scalar=True
    )
    paper: ClassVar[str] = "Spall 1992, IEEE TAC 37:332-341; gains of Spall 1998, IEEE TAES 34:817-823"
    equations: ClassVar[str] = (
        "w ← w − a_k (E(w + c_k Δ) − E(w − c_k Δ)) / 2c_k · Δ, a_k = a/(k+1+A)^α, c_k = c/(k+1)^γ"
    )
    oracle: ClassVar[str] = "backprop in expectation (z-test); the gain sequences by hand"
    through_time: ClassVar[bool] = True

    def resolved(self, usual: Any) -> Algorithm:
        stability = 0.1 * usual.epochs if self.A is None else self.A
        return replace(
            self, A=stability, a=usual.lr * (1 + stability) ** self.alpha if self.a is None else self.a
        )

    def gains(self, k: Array) -> tuple[Array, Array]:
        """a_k and c_k, once a and A are resolved."""
        a, stability = cast(float, self.a), cast(float, self.A)
        return a / (k + 1.0 + stability) ** self.alpha, self.c / (k + 1.0) ** self.gamma

    def estimate(self, net: Network, params: Params, batch: Batch, rand: Rand, c: Array) -> dict[Key, Array]:
        """ĝ_k, the mean over draws; 1/Δ_i = Δ_i."""
        return shaken(net, params, batch, directions("sign", rand, self.draws, net.size), c)

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        return {"params": dict(params), "gains": {"k": rand.zeros(1, 1)}}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        params, k = state["params"], state["gains"]["k"]
        a, c = self.gains(k)
        estimate = self.estimate(net, params, batch, rand, c)
        return Update(
            {"params": {key: w - a * estimate[key] for key, w in params.items()}, "gains": {"k": k + 1.0}},
            None,
        )


def directions(kind: str, rand: Rand, draws: int, size: int) -> Array:
    """Random directions of unit variance (R, draws, W)."""
    if kind == "normal":
        return rand.normal(draws, size)
    u = rand.uniform(draws, size)
    return np.where(u < 0.5, -1.0, 1.0).astype(u.dtype)


def shaken(
    net: Network, params: Params, batch: Batch, xi: Array, size: Array, here: Array | None = None
) -> dict[Key, Array]:
    """The mean over directions ξ (R, draws, W) of (E(w + size ξ) − E) / size · ξ;
    E is `here`, or at the other side.
    """
    flat = flatten(net, params)
    scale = size if isinstance(size, float) else size[..., 0, 0]

    def slopes(some: Array) -> Array:
        up = loss_at(net, flat + size * some, batch)
        return (
            (up - loss_at(net, flat - size * some, batch)) / (2.0 * scale)
            if here is None
            else (up - here) / scale
        )

    return unflatten(net, along(net, flat, batch, xi, slopes))


def along(net: Network, flat: Array, batch: Batch, xi: Array, slopes: Any) -> Array:
    """Directions (R, draws, W) times the slopes along them,
    their mean (R, 1, W); `slopes` is given some (n, R, 1, W).
    """
    first = np.moveaxis(xi, -2, 0)[..., None, :]

    def of(start: Array, count: int) -> Array:
        return slopes(np.take(first, start + np.arange(count), axis=0))

    draws = first.shape[0]
    steps = in_blocks(draws, at_once(net, flat, batch), of, np.zeros_like(xi, shape=(0, *xi.shape[:-2])))
    return (in_a_row(steps) @ xi) / draws
