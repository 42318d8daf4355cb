"""Dropped transport: on the way back, every weight fails now and then.

    δ_l = (m ⊙ W_{l+1} / (1 − p)) δ_{l+1} ⊙ f′(x_l),      m_ij = 0 with probability p, else 1

A fresh m for each update. Dividing by 1 − p keeps the mean: where there is one hidden layer, the credit is
the gradient on average. An example, of no paper.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness import CreditAlgorithm, Traits, backpropagated, setting


@dataclass(frozen=True)
class DroppedTransport(CreditAlgorithm):
    """Backpropagation over weights of which a share, drawn anew for each update, does not carry blame."""

    share: float = setting(0.3, "The share p of weights that fail.", at_least=0, below=1)

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=True, local=False, phases=1, global_scalar=False
    )

    def credit(self, net, params, memory, batch, rand):
        back = {
            key: np.where(rand.uniform(*shape) < self.share, 0.0, params[key] / (1 - self.share))
            for key, shape in net.shapes.items()
        }
        return backpropagated(net, params, back, batch)
