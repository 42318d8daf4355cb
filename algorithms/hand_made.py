"""Features made by hand, and a read-out that learns: what a task needs once somebody has thought about it.

    φ = features(x), fixed                  said by the task (`Usual.features`), not learnt
    y = f(W φ + b),   ΔW by ∂E/∂w_ij = Σ_patterns φ_i δ_j,   δ = ∂E/∂y f'(net input)

A control beside `shallow`, whose hidden units are drawn by chance: what this solves needed a good
representation, but no hidden credit to find it. The network's hidden groups are not there for it; its output
units, loss and optimiser are those of all others, so that it is tuned for the same budget. It starts from
zero weights: without hidden units the squared error of linear outputs, and the cross-entropy, have one
basin, and nothing has to be told apart by chance.

The features are part of every update, and so of its price.

Such read-outs were the practice of 1986: Duda & Hart 1973, Pattern Classification and Scene Analysis, ch. 5;
the read-out's rule is the delta rule for semilinear units, PDP vol. 1 ch. 8, pp. 322-324.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from harness.core.algorithm import Algorithm, Array, Batch, Network, Params, Rand, State, Traits, Update
from harness.core.features import FEATURES
from harness.core.optimisers import GradientDescent, Optimiser
from harness.core.readings import reading
from harness.core.setting import setting

READ_OUT: Any = "features-output"
BIAS: Any = "output"
"""What its weights are called: they belong to no edge of the network."""


@dataclass(frozen=True)
class HandMade(Algorithm):
    """A linear read-out of features that the task declares, trained by the gradient of its loss."""

    optimiser: Optimiser = setting(None, "What the weights do with their credit.", factory=GradientDescent)
    features: str | None = setting(
        None, "Which of the task's feature sets is read; None is the first that it declares."
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "control; Duda & Hart 1973, Pattern Classification and Scene Analysis, ch. 5"
    equations: ClassVar[str] = "y = f(W φ(x) + b), φ by hand; ∂E/∂w_ij = Σ φ_i δ_j"
    oracle: ClassVar[str] = (
        "backprop without hidden units on the features; separable or not by linear programming; least squares"
    )

    def applies_to(self, task: Any) -> str | None:
        declared = task.usual.features
        if not declared:
            return f"it reads features made by hand, and {task.name} declares none"
        if self.features is not None and self.features not in declared:
            return f"{task.name} declares no features {self.features!r}: it has {', '.join(declared)}"
        return None

    def resolved(self, usual: Any) -> Algorithm:
        missing = {n: getattr(usual, n) for n in self.optimiser.uses if getattr(self.optimiser, n) is None}
        chosen = self.features or next(iter(usual.features), None)
        return replace(self, optimiser=replace(self.optimiser, **missing), features=chosen)

    def seen(self, x: Array) -> Array:
        """The features (…, N, k) of patterns (…, N, inputs)."""
        return FEATURES[str(self.features)](x)

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        count = self.seen(rand.zeros(1, net.input_size)).shape[-1]
        start: dict[Any, Array] = {READ_OUT: rand.zeros(count, net.output.size)}
        if net.output.bias:
            start[BIAS] = rand.zeros(1, net.output.size)
        return {"params": start, "optimiser": self.optimiser.init(start)}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        params, seen = state["params"], self.seen(batch.x)
        y = self.read(net, params, seen)
        delta = batch.delta(net, {net.output: y})
        credit: dict[Any, Array] = {READ_OUT: seen.mT @ delta}
        if net.output.bias:
            credit[BIAS] = reading().sum_patterns(delta)
        new, optimiser = self.optimiser.step(params, credit, state["optimiser"], batch.epoch)
        return Update({"params": new, "optimiser": optimiser}, y)

    def read(self, net: Network, params: Params, seen: Array) -> Array:
        """Outputs (…, N, outputs) for features (…, N, k)."""
        net_input = seen @ params[READ_OUT]
        return net.activity(net.output, net_input + params[BIAS] if net.output.bias else net_input)

    def predict(self, net: Network, state: State, x: Array) -> Array:
        return self.read(net, state["params"], self.seen(x))
