"""The delta rule: move the weights of a linear unit along its pattern,
as far as its output is from its target.

    y = w·x + b,        Δw = η (t − y) x,   Δb = η (t − y)

One layer of linear units on the raw input: hidden groups of the task's network are not there for it, and the
activation of its output group is not used. Each step is down the gradient of E = ½ (t − y)² of its pattern;
given several patterns at once, it adds up their changes. The output is the linear activity, and a task's
criterion looks at that: for `side`, on which side of the middle between the targets it is. (The adaline puts
a threshold behind it, for use, not for learning.)

Starts from zero weights. All patterns at once, it converges if and only if 0 < η < 2 / λ_max, λ_max the
largest eigenvalue of Σ x xᵀ (bias folded in as an input that is always 1), and from zero weights to the least
squares of smallest norm. One at a time, a step multiplies its own error by 1 − η (x·x + 1), which shrinks it
if η < 2 / (x·x + 1); in the end the weights wander about least squares, the closer the smaller η is. The
usual η = .01 keeps both bounds on every task of 1986 here: the tightest are symmetry's, .0117 and .29. One
pattern at a time it will do for up to 198 inputs that are on.

Widrow & Hoff 1960, Adaptive switching circuits, IRE WESCON Convention Record 4:96-104.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from harness.core.algorithm import Algorithm, Array, Batch, Network, Params, Rand, State, Traits, Update
from harness.core.setting import setting


@dataclass(frozen=True)
class DeltaRule(Algorithm):
    """Widrow and Hoff's rule (LMS) for a single layer of linear units, one pattern at a time."""

    lr: float = setting(0.01, "Step size η.", above=0, rate=True, search=(1e-4, 1))

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Widrow & Hoff 1960, IRE WESCON Convention Record 4:96-104"
    equations: ClassVar[str] = "y = w·x + b, Δw = η (t − y) x"
    oracle: ClassVar[str] = (
        "least squares; the bound 2 / λ_max; w = 0, b = ½ on XOR; the fixed point of a sweep"
    )
    online: ClassVar[bool] = True

    def applies_to(self, task: Any) -> str | None:
        if task.loss != "squared_error":
            return f"its outputs are linear, no probabilities, and the loss of {task.name} is {task.loss}"
        return None

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        start = {"input-output": rand.zeros(net.input_size, net.output.size)}
        return {"params": start | ({"output": rand.zeros(1, net.output.size)} if net.output.bias else {})}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        params = state["params"]
        y = self.predict(net, state, batch.x)
        gap = -batch.error(y)  # t − y, and 0 within the task's margin
        new = {"input-output": params["input-output"] + self.lr * (batch.x.mT @ gap)}
        if net.output.bias:
            new["output"] = params["output"] + self.lr * gap.sum(axis=-2, keepdims=True)
        return Update({"params": new}, y)

    def predict(self, net: Network, state: State, x: Array) -> Array:
        params = state["params"]
        y = x @ params["input-output"]
        return y + params["output"] if net.output.bias else y
