"""`passes=…`: every rule of a study has the same budget in forward passes, whatever an epoch of it takes."""

from __future__ import annotations

import pytest
import yaml

from harness.core.errors import InputError
from harness.cost.sheet import sheet
from harness.studies.compose import cells_of
from harness.studies.conf import CONF

RULES = "algorithm=backprop,finite_differences,evolution_strategies,perceptron"


def test_all_rules_may_spend_the_same_to_less_than_one_epoch() -> None:
    cells, _ = cells_of([RULES, "task=xor,encoder", "passes=30000"])
    spent = {cell.id: (cell.settings.epochs or 0) * sheet(cell).forward_passes for cell in cells}
    assert len(spent) == 8
    for cell in cells:
        assert 30_000 - sheet(cell).forward_passes < spent[cell.id] <= 30_000


def test_it_is_the_budget_with_tuned_settings_too() -> None:
    (cell,), _ = cells_of(["algorithm=spsa", "task=xor", "ruleset=tuned", "passes=3000"])
    with open(f"{CONF}/tuned/xor/spsa.yaml", encoding="utf-8") as file:
        said = yaml.safe_load(file)
    assert cell.algorithm.a == said["algorithm"]["a"]  # type: ignore[attr-defined]
    assert cell.settings.epochs == int(3000 / sheet(cell).forward_passes) < said["run"]["epochs"]


def test_of_two_budgets_the_one_named_last_counts() -> None:
    both = ["passes=3000", "run.epochs=7"]
    first, last = (cells_of(["task=xor", *order])[0][0] for order in (both, both[::-1]))
    assert first.settings.epochs == 7
    assert last.settings.epochs == int(3000 / sheet(last).forward_passes) > 1000


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["passes=2"], r"a budget of 2 forward passes ends before the first epoch of backprop on xor"),
        (["passes=0"], "passes must be finite and greater than 0"),
        (["passes=many"], "passes must be finite and greater than 0"),
    ],
)
def test_a_budget_that_cannot_be_is_one_sentence(given: list[str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        cells_of(["task=xor", "algorithm=backprop", *given])
