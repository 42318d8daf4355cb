"""A kind of unit is a module's value; its name is the variable's: Group("hidden", 3, "softsign").

    y = x / (1 + |x|),      f′ = (1 − |y|)²

Elliott 1993, A better activation function for artificial neural networks, University of Maryland ISR TR 93-8.
"""

import numpy as np

from harness import Unit

softsign = Unit(
    of=lambda x: x / (1.0 + np.abs(x)),
    pull=lambda y, blame: blame * (1.0 - np.abs(y)) ** 2,  # of the activity y: that is what a network keeps
    low=-1.0,
    high=1.0,
)
