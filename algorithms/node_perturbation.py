"""Node perturbation: noise in the units, not in the weights;
a unit is credited with its noise times what it did to the loss.

    x_j = Σ_i y_i w_ij + σ ξ_j                           in every hidden and output unit at once,
                                                         ξ ~ N(0, 1) anew for each pattern p
    ∂E/∂x_jp ≈ (E_p(ξ) − E_p(0)) / σ · ξ_jp              antithetic: (E_p(ξ) − E_p(−ξ)) / 2σ · ξ_jp
    ∂E/∂w_ij ≈ Σ_p y_ip ∂E/∂x_jp                         y_i without noise

REINFORCE: units that are random themselves, and one reward for all.

    y_j ~ Bernoulli(p_j),  p_j = f(x_j) = 1 / (1 + e^−x_j),  in every hidden and output unit
    Δw_ij = α (r − b) e_ij,  e_ij = ∂ ln P / ∂w_ij = (y_j − p_j) y_i,  r = −E_p(y),  summed over patterns
    b ← γ r + (1 − γ) b,  the reward expected from those before (reinforcement comparison)

Its credit −(r − b) e_ij is, on average, the gradient of the expected loss of the random network; an optimiser
takes the step α. To be judged, the network is asked without noise: every unit hands on its p_j, as an
ordinary sigmoid network does. That is what the criterion sees, and not what REINFORCE trains: the mean of its
loss over all states.

Flower & Jabri 1993, Summed weight neuron perturbation, NIPS 5:212-219; Werfel, Xie & Seung 2005, Neural
Computation 17:2699-2718 (all units at once); Williams 1992, Machine Learning 8:229-256.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

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
from harness.core.network import Group
from harness.core.setting import setting
from harness.core.vectors import at_once, flatten, in_a_row, in_blocks


@dataclass(frozen=True)
class NodePerturbation(CreditAlgorithm):
    """All units shaken at once; each is credited with its own noise times the change of a pattern's loss."""

    sigma: float = setting(1e-3, "Size σ of the noise in a unit's net input.", above=0)
    antithetic: bool = setting(False, "Compare with the loss under the opposite noise, not under none.")
    draws: int = setting(1, "Estimates averaged in an update.", at_least=1, at_most=10**6)

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=2, global_scalar=True
    )
    paper: ClassVar[str] = (
        "Werfel, Xie & Seung 2005, Neural Computation 17:2699-2718; Flower & Jabri 1993, NIPS 5:212-219"
    )
    equations: ClassVar[str] = "∂E/∂w_ij ≈ Σ_p y_ip (E_p(ξ) − E_p(0)) / σ · ξ_jp"
    promise: ClassVar[str] = "limit"
    oracle: ClassVar[str] = (
        "backprop in expectation (z-test); learning speed of Werfel et al. on the linear perceptron"
    )

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        y = net.forward(params, batch.x)
        here = errors(batch, y[net.output])
        # (R, N, draws, units)
        xi = rand.normal(batch.x.shape[-2], self.draws, sum(g.size for g in shaken_groups(net)))
        first = np.moveaxis(xi, -2, 0)

        def slopes(start: Array, count: int) -> Array:
            """How each pattern's loss changes with `count` draws of noise (count, R, N)."""
            noise = self.sigma * np.take(first, start + np.arange(count), axis=0)
            up = errors(batch, with_noise(net, params, batch.x, noise))
            if self.antithetic:
                return (up - errors(batch, with_noise(net, params, batch.x, -noise))) / (2.0 * self.sigma)
            return (up - here) / self.sigma

        count = at_once(net, flatten(net, params), batch)
        slope = in_blocks(self.draws, count, slopes, np.zeros_like(xi, shape=(0, *here.shape)))
        blame = (in_a_row(slope) @ xi)[..., 0, :] / self.draws
        return Credit(net.outer(y, {group: blame[..., part] for group, part in parts(net)}), y[net.output])


@dataclass(frozen=True)
class Reinforce(CreditAlgorithm):
    """Random binary units; what surprised a unit is credited with the reward beyond what was expected."""

    gamma: float = setting(
        0.1,
        "Weight γ of the newest reward in the baseline b; 0 leaves b at 0.",
        at_least=0,
        at_most=1,
        search=(0, 1),
    )
    draws: int = setting(
        1, "Times each pattern is shown in an update; estimates are averaged.", at_least=1, at_most=10**6
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=1, global_scalar=True
    )
    paper: ClassVar[str] = "Williams 1992, Machine Learning 8:229-256"
    equations: ClassVar[str] = "Δw_ij = α (r − b) (y_j − p_j) y_i, b ← γ r + (1 − γ) b"
    oracle: ClassVar[str] = "the gradient of the expected loss by enumeration of all states (z-test)"

    def applies_to(self, task: Any) -> str | None:
        net = task.network()
        for group in shaken_groups(net):
            if group.activation != "sigmoid":
                return (
                    "its units are on with the probability a sigmoid gives, "
                    f"but {group.name!r} is {group.activation}"
                )
        return None

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        return {"baseline": rand.zeros(1, 1)}

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        return self.trial(net, params, memory, batch, rand)[0]

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        (gradient, _), reward = self.trial(net, state["params"], state["memory"], batch, rand)
        params, optimiser = self.optimiser.step(state["params"], gradient, state["optimiser"], batch.epoch)
        baseline = self.gamma * reward + (1.0 - self.gamma) * state["memory"]["baseline"]
        return Update({"params": params, "memory": {"baseline": baseline}, "optimiser": optimiser}, None)

    def trial(
        self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand
    ) -> tuple[Credit, Array]:
        """Credit, and the mean reward (R, 1, 1), of random states;
        the output is not there: it is random, too.
        """
        x, target, wanted = (
            np.concatenate([a] * self.draws, axis=-2) for a in (batch.x, batch.target, batch.wanted)
        )
        shown = batch._replace(x=x, target=target, wanted=wanted)
        u = rand.uniform(x.shape[-2], sum(g.size for g in shaken_groups(net)))
        y, surprise = net.split(x), {}
        for group, part in parts(net):
            p = net.activity(group, net.net_input(params, group, y))
            y[group] = np.where(u[..., part] < p, 1.0, 0.0).astype(p.dtype)
            surprise[group] = y[group] - p
        reward = -errors(shown, y[net.output])[..., None]
        beyond = (memory["baseline"] - reward) / self.draws
        credit = net.outer(y, {group: beyond * s for group, s in surprise.items()})
        return Credit(credit, None), reward.mean(axis=-2, keepdims=True)


def shaken_groups(net: Network) -> tuple[Group, ...]:
    """Hidden and output groups, in forward order."""
    return (*net.hidden, net.output)


def parts(net: Network) -> Iterator[tuple[Group, slice]]:
    """Each of them with its part of an array (…, all their units)."""
    end = 0
    for group in shaken_groups(net):
        yield group, slice(end, end + group.size)
        end += group.size


def errors(batch: Batch, y: Array) -> Array:
    """E of each pattern (…, N): the loss of a batch of one."""
    return batch.loss.of(*(a[..., None, :] for a in (y, batch.target, batch.wanted)))


def with_noise(net: Network, params: Params, x: Array, noise: Array) -> Array:
    """The output (…, N, outputs) with `noise` (…, N, units) in the net inputs."""
    y = net.split(x)
    for group, part in parts(net):
        y[group] = net.activity(group, net.net_input(params, group, y) + noise[..., part])
    return y[net.output]
