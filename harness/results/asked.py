"""What a row of a table says of the settings that its cell was asked to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.cells.units import units_of
from harness.core.registry import rate_name

OWN = "own"
"""What takes the steps of a rule that takes them itself."""


def asked(meta: Mapping[str, Any], shelves: Sequence[Path] = ()) -> dict[str, Any]:
    """The fields of a `Row` that follow from settings alone.

    Args:
        meta: as `Record.meta`; of a cell that is not there yet the names of its task and algorithm.
        shelves: where tuned settings are looked for, for what it cost to find them.
    """
    run, (own, network) = meta.get("run", {}), units_of(meta) or (np.nan, np.nan)
    return {
        "learning_rate": learning_rate(meta["algorithm"]),
        "optimiser": optimiser(meta["algorithm"]) if run else "",
        "hidden_units": float(own),
        "network_units": float(network),
        "budget_epochs": float(run.get("epochs") or np.nan),
        "tuning_flops": _tuning(meta, shelves) if run and shelves else np.nan,
    }


def learning_rate(algorithm: Mapping[str, Any]) -> float:
    """The rule's own learning rate, whatever it is called; NaN where it has none."""
    own = rate_name(str(algorithm["name"]))
    rate = algorithm.get(own) if own else (algorithm.get("optimiser") or {}).get("lr")
    return float(rate) if isinstance(rate, int | float) else np.nan


def optimiser(algorithm: Mapping[str, Any]) -> str:
    """What takes the steps, in words.

    Returns:
        `gradient descent`, with momentum `momentum 0.9`, `Adam`; the name of another; `own` where the rule
        takes its steps itself; '' where a task that it cannot do left its momentum open.
    """
    settings = algorithm.get("optimiser")
    if not settings:
        return OWN
    name = str(settings["name"])
    if name == "gradient_descent":
        momentum = settings.get("momentum")
        if not isinstance(momentum, int | float):
            return ""
        return f"momentum {momentum:g}" if momentum else "gradient descent"
    return "Adam" if name == "adam" else name.replace("_", " ")


def without_rate(algorithm: Mapping[str, Any]) -> dict[str, Any]:
    """An algorithm's settings but for its learning rate."""
    own = rate_name(str(algorithm["name"]))
    if own or not algorithm.get("optimiser"):
        return {name: value for name, value in algorithm.items() if name != own}
    rest = {name: value for name, value in algorithm["optimiser"].items() if name != "lr"}
    return {**algorithm, "optimiser": rest}


def _tuning(meta: Mapping[str, Any], shelves: Sequence[Path]) -> float:
    from harness.tuning import shelf  # here: it brings along all that tuning does

    return shelf.price(meta, shelves)
