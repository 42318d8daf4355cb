"""Hidden units of a cell held to the weights that its rule starts with: between input and output lie as many
units as these have rows and columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from harness.cells.cell import Cell
from harness.cells.labels import labels
from harness.cells.start import start
from harness.cells.units import Units, beside, units_of
from harness.core import registry
from harness.core.algorithm import Algorithm, Network, Traits

TASKS = ({"name": "xor", "hidden": 5}, {"name": "encoder", "size": 4, "hidden": 7})
SETTINGS = (
    *({"name": name} for name in registry.algorithms()),
    {"name": "forward_forward", "layers": 3},
    {"name": "random_feature_perceptron", "a_units": 20},
)
OUTER = ("input", "output", "output back")
LABELS = ("z", "label", "z_T", "y")
"""Of NoProp: labels go in and out of a block, and of what reads the last one."""


def meta(algorithm: Mapping[str, Any], task: Mapping[str, Any], **run: Any) -> tuple[Cell, dict[str, Any]]:
    cell = Cell.of(algorithm, task, {"replicas": 1, "epochs": 1, **run})
    return cell, cell.settings_by_name()


def between(cell: Cell) -> int:
    """Units of the groups that weights lead to or from, in all blocks, but the first and the last."""
    *_, state, _ = start(cell.algorithm, cell.task, cell.settings, [0], None)
    sizes = {}
    for key, weights in state["params"].items():
        ends = str(getattr(key, "name", key)).split("-")
        if len(ends) == 2:
            blocks = weights.shape[1] if weights.ndim == 4 else 1
            sizes |= {end: blocks * size for end, size in zip(ends, weights.shape[-2:], strict=True)}
    return sum(size for group, size in sizes.items() if group not in (*OUTER, *LABELS))


@pytest.mark.parametrize("task", TASKS, ids=["xor", "encoder"])
@pytest.mark.parametrize("algorithm", SETTINGS, ids=lambda settings: "-".join(map(str, settings.values())))
def test_a_rule_has_as_many_hidden_units_as_lie_between_input_and_output(algorithm, task):
    cell, known = meta(algorithm, task)
    if cell.not_applicable:
        pytest.skip(cell.not_applicable)
    assert units_of(known) == Units(between(cell), task["hidden"])


def test_layers_and_maps_are_counted_together():
    """The family tree has 6 + 6 units before its 12 and 6 behind; a map has all its places."""
    tree, wide = registry.build_task({"name": "family_tree"}).network(), {"name": "backprop"}
    hidden = sum(group.size for group in tree.groups if group not in (*tree.inputs, tree.output))
    assert units_of(meta(wide, {"name": "family_tree"})[1]) == Units(hidden, hidden)
    assert hidden == 6 + 6 + 12 + 6


def test_only_a_rule_with_other_units_than_its_network_says_so_in_its_name():
    task = {"name": "encoder"}
    names = {
        "backprop": "backprop",
        "shallow": "shallow",
        "delta_rule": "delta_rule (no hidden units)",
        "random_feature_perceptron": "random_feature_perceptron (512 units)",
    }
    found = labels([meta({"name": name}, task)[1] for name in names])
    assert [label.algorithm for label in found] == list(names.values())
    same = meta({"name": "random_feature_perceptron", "a_units": 3}, task)[1]
    assert labels([same])[0].algorithm == "random_feature_perceptron"
    rates = [meta({"name": "random_feature_perceptron", "lr": lr}, task)[1] for lr in (0.5, 2.0)]
    assert [label.algorithm for label in labels(rates)] == [
        f"random_feature_perceptron (lr={lr}, 512 units)" for lr in ("0.5", "2")
    ]
    assert beside(Units(1, 3)) == "1 unit"
    assert beside(Units(1024, 3)) == "1,024 units"


@dataclass(frozen=True)
class Wider(Algorithm):
    """A rule with units of its own, which it says."""

    traits = Traits(False, False, local=True, phases=1, global_scalar=False)

    def hidden_units(self, net: Network) -> int:
        return {2: 10 * net.output.size, 6: -1}[net.input_size]


def test_a_rule_of_ones_own_says_how_many_it_has(monkeypatch):
    monkeypatch.setattr(registry, "algorithms", lambda: {"wider": Wider})
    known = {"algorithm": {"name": "wider"}, "task": {"name": "xor"}, "run": {"seed": 0}}
    assert units_of(known) == Units(10, 2)
    assert units_of(known | {"task": {"name": "encoder"}}) is None, "its code raised, and the table stands"
    assert units_of(known | {"task": {"name": "symmetry"}}) is None, "no number of units"
    assert beside(None) == ""


@pytest.mark.parametrize(
    "known",
    [
        {"algorithm": {"name": "backprop"}, "task": {"name": "xor"}, "run": {}},
        {"algorithm": {"name": "backprop"}, "task": {"name": "a_plugin_of_before"}, "run": {"seed": 0}},
        {"algorithm": {"name": "backprop"}, "task": {"name": "xor", "sides": 3}, "run": {"seed": 0}},
        {"algorithm": {"name": "random_feature_perceptron"}, "task": {"name": "xor"}, "run": {"seed": 0}},
    ],
    ids=["not there yet", "no such task", "no such setting", "a setting left out"],
)
def test_of_a_cell_that_cannot_be_read_nothing_is_said(known):
    assert units_of(known) is None
    assert labels([known])[0].algorithm == known["algorithm"]["name"]
