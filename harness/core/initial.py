"""Initial parameters: drawn once, and the same for every algorithm on a network.

    uniform    U(±scale), biases too                 as in 1986
    glorot     U(±√(6 / (in + out))), biases 0       Glorot & Bengio 2010, AISTATS
    he         N(0, 2 / in), biases 0                He, Zhang, Ren & Sun 2015, arXiv:1502.01852
    zero       0

in and out are an edge's `fans`: the weights into a unit of its target, and out of a unit of its source. A
group's biases may have another middle (`Group.start`), a paired edge's weights an interval of their own.
"""

from __future__ import annotations

import math
from typing import Any

from harness.core.edges import Group
from harness.core.errors import one_of
from harness.core.network import Key, Network
from harness.core.paired import Paired
from harness.core.rand import Rand

INITS = ("uniform", "glorot", "he", "zero")


def initial(net: Network, rand: Rand, init: str, scale: float = 0.0) -> dict[Key, Any]:
    """Initial parameters (R, rows, columns) of `net` by one of `INITS`;
    `scale` is half the width of `uniform`.

    Raises `InputError` for an unknown `init`.
    """
    one_of("initial weights", init, INITS)
    params: dict[Key, Any] = {}
    for key, (rows, columns) in net.shapes.items():
        if init == "uniform":
            params[key] = scale * (2.0 * rand.uniform(rows, columns) - 1.0)
        elif init == "zero" or isinstance(key, Group):
            params[key] = rand.zeros(rows, columns)
        elif init == "glorot":
            params[key] = math.sqrt(6.0 / sum(key.fans)) * (2.0 * rand.uniform(rows, columns) - 1.0)
        else:
            params[key] = math.sqrt(2.0 / key.fans[0]) * rand.normal(rows, columns)
        if isinstance(key, Group) and key.start:
            params[key] = params[key] + params[key].dtype.type(key.start)
        elif isinstance(key, Paired) and key.start:
            low, high = key.start
            params[key] = (low + (high - low) * rand.uniform(rows, columns)).astype(params[key].dtype)
    return params
