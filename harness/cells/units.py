"""How many hidden units a rule learns with: those of the task's network, or its own.

Rules are compared on networks of one size. A control that is larger, or has no hidden units, says so beside
its name (`beside`): else what its units do would pass for what its rule does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from harness.core import registry
from harness.core.errors import ANYTHING
from harness.core.network import Network

OWN: dict[str, Callable[[Mapping[str, Any], int], int]] = {
    "perceptron": lambda rule, hidden: 0,
    "delta_rule": lambda rule, hidden: 0,
    "decision_tree": lambda rule, hidden: 0,
    "random_feature_perceptron": lambda rule, hidden: int(rule["a_units"]),
    "forward_forward": lambda rule, hidden: hidden * (rule["layers"] or 1),
    "noprop": lambda rule, hidden: hidden * int(rule["blocks"]),
}
"""Of the rules that come with the harness those that have units of their own: how many, by the rule's
settings and the hidden units of the task's network. It stands here because a line in their files would make
them other versions of the rule, and their records those of others; a rule of one's own has a method
`hidden_units(net)`.
"""


class Units(NamedTuple):
    """Hidden units, all layers together."""

    own: int
    """Those that the rule learns with."""
    network: int
    """Those of the task's network."""


def units_of(meta: Mapping[str, Any]) -> Units | None:
    """The hidden units of a cell: 3 and 3 of 8-3-8; 512 and 3 of random features on it; 0 and 3 of one layer.

    Args:
        meta: algorithm, task and run with their settings by name, as `Record.meta` has them.

    Returns:
        Its own and the network's; None of a cell that is not there yet, or whose task or algorithm is not
        known here, or does not say a number of units.
    """
    if not meta.get("run"):
        return None
    rule = meta["algorithm"]
    try:
        net = _network(json.dumps(meta["task"]))
        hidden = sum(group.size for group in net.hidden)
        if count := OWN.get(rule["name"]):
            return Units(count(rule, hidden), hidden)
        asked = hasattr(registry.algorithms().get(rule["name"]), "hidden_units")
        own = int(_asked(rule, net)) if asked else hidden
        return Units(own, hidden) if own >= 0 else None
    except ANYTHING:  # a plug-in that is unknown here, or its code's
        return None


def beside(units: Units | None) -> str:
    """What a cell says beside its name: `512 units`, `no hidden units`; '' with those of its network."""
    if units is None or units.own == units.network:
        return ""
    return f"{units.own:,} unit{'s' * (units.own != 1)}" if units.own else "no hidden units"


@lru_cache(256)
def _network(task: str) -> Network:
    """Of a task in text: a study has few, and cells by the hundred."""
    return registry.build_task(json.loads(task)).network()


def _asked(rule: Mapping[str, Any], net: Network) -> Any:
    algorithm: Any = registry.build_algorithm(rule)
    return algorithm.hidden_units(net)
