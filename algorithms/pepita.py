"""PEPITA: the error goes in at the front; a second pass forward, from a modulated input, is all the way back.

    h_l = f(W_l h_{l-1}),        h_0 = x                                     (first pass)
    h_l^err = f(W_l h_{l-1}^err),    h_0^err = x − F e                        (second pass)
    ∂E/∂W_l ≈ (h_l − h_l^err) (h_{l-1}^err)ᵀ                                  (hidden layers)
    ∂E/∂W_L ≈ e (h_{L-1}^err)ᵀ                                                (output)

F is drawn once, uniform in ±spread √(6 / inputs), and stays; the authors' spread is .05. It is as often
negative as positive, so the sign of F e is a convention. Hidden units need no slope: a difference of two
passes takes its place, and for small F it is one,

    h_1 − h_1^err = f′(x_1) ⊙ (W_1 F e) + O(|F e|²)

so that the first hidden layer has direct feedback alignment over W_1 F, which moves as W_1 does; its credit
is as small as F. Without F there is no credit for hidden weights at all. Where errors are large, as of
targets that are numbers, their square counts: of linear units W_1 grows by η W_1 F e (F e)ᵀ, whatever else.

e is ∂E/∂x of the output, as in all rules of the feedback family here: with softmax and cross-entropy that is
y − d, the paper's. The paper's nets have no biases; here a bias gets the same product, with an activity of 1.
In a network of any other wiring the second pass takes the same ways as the first. Dropout, the decay of the
rate and the momentum of the paper's runs are left out.

Dellaferrera & Kreiman 2022, Error-driven input modulation: solving the credit assignment problem without a
backward pass, ICML, PMLR 162:4937-4955, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from algorithms.feedback_alignment import random_matrix
from harness.core.algorithm import Batch, Credit, CreditAlgorithm, Network, Params, Rand, State, Traits
from harness.core.setting import setting


@dataclass(frozen=True)
class Pepita(CreditAlgorithm):
    """Hidden weights learn from how a second pass, whose input the error has modulated, differs."""

    spread: float = setting(
        0.5,
        "The projection F of the error to the input is uniform in ±spread · √(6 / inputs).",
        above=0,
        search=(0.01, 5),
    )

    # the slope is that of the output
    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Dellaferrera & Kreiman 2022, ICML, PMLR 162:4937-4955, algorithm 1"
    equations: ClassVar[str] = "ΔW_l = −η (h_l − h_l^err) (h_{l-1}^err)ᵀ, h_0^err = x − F e"
    oracle: ClassVar[str] = "a step by hand; direct feedback alignment over W_1 F as F → 0; shallow at F = 0"

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        spread = self.spread * sqrt(6.0 / net.input_size)
        return {"F": random_matrix(spread, rand, net.output.size, net.input_size)}

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        y = net.forward(params, batch.x)
        error = batch.delta(net, y)
        modulated = net.forward(params, batch.x - error @ memory["F"])
        delta = {group: y[group] - modulated[group] for group in net.hidden}
        return Credit(net.outer(modulated, {**delta, net.output: error}), y[net.output])
