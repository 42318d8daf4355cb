"""What a credit is compared with:
the exact gradient of the task's loss, or of an algorithm's own objective.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.core.algorithm import Algorithm, Batch, CreditAlgorithm, State
from harness.core.errors import InputError
from harness.core.network import Edge, Key, Network
from harness.core.rand import Rand
from harness.core.tree import leaves
from harness.credit.compare import TOTAL, exact

Array = Any


@dataclass(frozen=True)
class Reference:
    """The exact gradient of some parameters of a state, by name (…, rows, columns)."""

    gradient: Mapping[str, Array]
    edges: tuple[str, ...]
    """The names of weight matrices; the others are biases."""
    objective: str = ""
    """What it is the gradient of; '' is the task's loss."""

    def rows(self, credit: Mapping[str, Array]) -> dict[str, Array]:
        """Each parameter's credit (or gradient) as vectors (…, n), and all of them together (`total`)."""
        rows = {name: credit[name].reshape(*credit[name].shape[:-2], -1) for name in self.gradient}
        return rows | {TOTAL: np.concatenate(list(rows.values()), axis=-1)}

    def vectors(self, credit: Mapping[str, Array]) -> dict[str, Array]:
        """The same for weight matrices and all together; biases stand in the total only."""
        rows = self.rows(credit)
        return {name: rows[name] for name in (*self.edges, TOTAL)}


def reference(algorithm: Algorithm, net: Network, state: State, batch: Batch) -> Reference | str:
    """What to compare the credit at this state with; or, in words, why there is nothing."""
    if not algorithm.objective:
        weights = network_weights(net, state)
        if isinstance(weights, str):
            return weights
        gradient = exact(net, weights, batch)
        edges = tuple(key.name for key in net.shapes if isinstance(key, Edge))
        return Reference({key.name: gradient[key] for key in net.shapes}, edges)
    own = algorithm.own_gradient(net, state, batch)
    if own is None:
        return f"a network of this size is too large for the exact gradient of {algorithm.objective}"
    return Reference(own, tuple(name for name in own if "-" in name), algorithm.objective)


def network_weights(net: Network, state: State) -> dict[Key, Array] | str:
    """The parameters of the task's network by its keys; or, in words, that a state has others."""
    named = dict(leaves(state["params"]))
    for key, shape in net.shapes.items():
        if key.name not in named or named[key.name].shape[-2:] != shape:
            wrong = "of another shape" if key.name in named else "missing"
            return (
                "its weights are not those of the task's network: "
                f"it has {' and '.join(named)}, and {key.name!r} is {wrong}"
            )
    return {key: named[key.name] for key in net.shapes}


def credited(algorithm: Algorithm, net: Network, state: State, batch: Batch, rand: Rand) -> dict[str, Array]:
    """The credit of every parameter by name, zero for what got none;
    or the weight change of an update, its sign turned.

    Raises `InputError` for a credit of what is no parameter, or of another shape.
    """
    named = dict(leaves(state["params"]))
    if isinstance(algorithm, CreditAlgorithm):
        credit = algorithm.credit(net, state["params"], state["memory"], batch, rand).gradient
        given: dict[str, Array] = {getattr(key, "name", str(key)): a for key, a in credit.items()}
        _check(algorithm.name, given, named)
        return {name: given.get(name, np.zeros_like(w)) for name, w in named.items()}
    new = dict(leaves(algorithm.update(net, state, batch, rand).state["params"]))
    return {name: w - new[name] for name, w in named.items()}


def _check(algorithm: str, given: Mapping[str, Array], params: Mapping[str, Array]) -> None:
    for name, credit in given.items():
        if name not in params:
            raise InputError(f"{algorithm} gives credit to {name!r}, which is no parameter")
        if credit.shape != params[name].shape:
            raise InputError(
                f"{algorithm} gives {name!r} a credit of shape {credit.shape[1:]} a network, "
                f"but its weights are {params[name].shape[1:]}"
            )
