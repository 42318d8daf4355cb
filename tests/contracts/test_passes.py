"""`passes=…`: every rule of a study has the same budget in forward passes, whatever an epoch of it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from harness.core.errors import InputError
from harness.cost.sheet import sheet
from harness.store.store import Store
from harness.studies.compose import cells_of
from harness.studies.conf import CONF
from helpers.commands import Done, commands

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


RULES_OF_ONES_OWN = '''
from dataclasses import dataclass
import numpy as np
from algorithms.backprop import Backprop

@dataclass(frozen=True)
class NotTuned(Backprop):
    """A rule that nobody has tuned."""

@dataclass(frozen=True)
class Uncounted(Backprop):
    """What it does cannot be counted."""

    def update(self, net, state, batch, rand):
        np.asarray(batch.x)
        return super().update(net, state, batch, rand)

@dataclass(frozen=True)
class Raising(Backprop):
    """Its code raises."""

    def update(self, net, state, batch, rand):
        raise KeyError("gone")
'''
UNTUNED = "there are no tuned settings of not_tuned on xor: python -m harness.tune"
UNCOUNTED = "passes needs to know what an epoch of uncounted on xor takes, which cannot be counted: an array"
RAISING = "of raising on xor takes, which cannot be counted: KeyError: 'gone'"


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Done]]:
    """Sweeps and runs with rules that are not ready for what is asked of all."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "own.py").write_text(RULES_OF_ONES_OWN, encoding="utf-8")
    what = "task=xor plugins=own.py tracking.enabled=false run.replicas=3"
    run, sweep = f"python -m harness {what}", f"python -m harness -m {what} figures=false"
    return folder, commands(
        folder,
        f"{sweep} ruleset=tuned algorithm=not_tuned,backprop run.epochs=50 study.name=untuned",
        f"{sweep} passes=100 algorithm=uncounted,backprop,raising study.name=uncounted",
        f"{sweep} ruleset=tuned algorithm=not_tuned study.name=none",
        f"{run} ruleset=tuned algorithm=not_tuned",
        f"{run} passes=100 algorithm=uncounted",
        f"{run} passes=100 algorithm=raising",
        f"{sweep} ruleset=tuned algorithm=not_tuned,backprop plan=true",
    )


@pytest.mark.parametrize(("which", "sentences"), [(0, [UNTUNED]), (1, [UNCOUNTED, RAISING])])
def test_a_rule_that_is_not_ready_costs_a_sweep_no_other_cell(
    swept: tuple[Path, list[Done]], which: int, sentences: list[str]
) -> None:
    """Its failure is said, and none of its cells is run with another budget or other settings."""
    folder, done = swept
    assert done[which].code == 1
    assert len(done[which].said) == len(sentences)
    for sentence, line in zip(sentences, done[which].said, strict=True):
        assert sentence in line
        assert " failed: " in line
    store = Store.at(folder / "store")
    ids = store.study(("untuned", "uncounted")[which])["cells"]
    assert [store.read(i).meta["algorithm"]["name"] for i in ids if store.has(i)] == ["backprop"]
    assert len(ids) == 1 + len(sentences)


def test_a_plan_says_what_cannot_be_run(swept: tuple[Path, list[Done]]) -> None:
    done = swept[1][6]
    assert done.code == 0
    assert done.out.startswith("2 cells: 1 to be run, 0 with a record, 1 that cannot be\n")
    assert f"\n  xor not_tuned: {UNTUNED}" in done.out


@pytest.mark.parametrize(("which", "sentence"), [(2, UNTUNED), (3, UNTUNED), (4, UNCOUNTED), (5, RAISING)])
def test_where_nothing_else_is_asked_for_it_is_bad_input(
    swept: tuple[Path, list[Done]], which: int, sentence: str
) -> None:
    done = swept[1][which]
    assert (done.code, len(done.said)) == (2, 1), done
    assert sentence in done.said[0]


@pytest.mark.parametrize("study", ["first_light", "credit_and_cost"])
def test_what_a_study_says_its_budget_is_in_epochs_of_backprop_is_so(study: str) -> None:
    """Rounded to the two digits that are said."""
    text = (Path(CONF) / "study" / f"{study}.yaml").read_text(encoding="utf-8")
    low, high = re.search(r"which are\s(?:# )?([\d,]+) to ([\d,]+)\s(?:# )?epochs of backprop", text).groups()  # type: ignore[union-attr]
    said = yaml.safe_load(text)
    budget = next(each for each in (*said["common"], *said["cells"][0]) if each.startswith("passes="))
    tasks = ["xor", "encoder", "symmetry"] + ["family_tree"] * (study == "first_light")
    cells, _ = cells_of([f"task={','.join(tasks)}", "algorithm=backprop", budget])
    epochs = [cell.settings.epochs or 0 for cell in cells]
    assert [float(f"{x:.2g}") for x in (min(epochs), max(epochs))] == [
        float(x.replace(",", "")) for x in (low, high)
    ]


TUNED = [
    pytest.param(name, marks=pytest.mark.slow) for name in ("tuned", "comparison", "transfer", "alignment")
]


@pytest.mark.parametrize("study", ["first_light", *TUNED])
def test_every_cell_of_a_study_has_the_tuned_settings_that_it_asks_for(study: str) -> None:
    """A sweep goes on without a rule that nobody tuned; ours is to have them all."""
    said = yaml.safe_load((Path(CONF) / "study" / f"{study}.yaml").read_text(encoding="utf-8"))
    blocks = [[*said["common"], *entry, "passes=null"] for entry in said["cells"]]
    cells, asked = cells_of(*blocks)
    assert asked.ruleset == "tuned"
    assert not [cell.id for cell in cells if cell.broken]
