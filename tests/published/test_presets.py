"""Every preset and study composes, and trains three epochs; every preset says what it is and where it comes
from; and what ruleset=published takes is the preset itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.experiment.run import run_cell
from harness.store.store import Store
from harness.studies.compose import cell_of, cells_of
from harness.studies.conf import CONF, VERSION_BASE, described
from helpers.commands import commands

PRESETS = [name for name, _ in described("experiment")]
FOUND = {  # every setting that the sources print for the tasks that are here
    "nature1986/symmetry", "nature1986/family_tree", "nature1986/family_tree_adapted",
    "pdp1986/xor_shortcut", "pdp1986/xor_local_minimum", "pdp1986/xor_hidden_units", "pdp1986/parity",
    "pdp1986/encoder", "pdp1986/symmetry", "pdp1986/t_c", "pdp1986/addition", "pdp1986/addition_minimal",
    "pdp1986/negation",
}  # fmt: skip


@contextmanager
def composed(*overrides: str) -> Iterator[DictConfig]:
    with initialize_config_dir(CONF, **VERSION_BASE):
        yield compose("config", overrides=list(overrides))


def test_the_published_settings_are_all_there() -> None:
    assert set(PRESETS) >= FOUND


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_composes_and_trains_three_epochs(preset: str) -> None:
    with composed(f"experiment={preset}", "run.replicas=2", "run.epochs=3") as cfg:
        cell = cell_of(cfg)
    assert not cell.not_applicable
    result = run_cell(cell.algorithm, cell.task, cell.settings)
    assert len(result.trained.outcome) == 2
    assert all(result.trained.outcome)


@pytest.mark.parametrize("preset", PRESETS)
def test_what_the_command_line_says_wins_over_a_preset(preset: str) -> None:
    with composed(f"experiment={preset}", "run.seed=77", "run.epochs=123") as cfg:
        cell = cell_of(cfg)
    assert cell.settings.seed == 77
    assert cell.settings.epochs == 123


@pytest.mark.parametrize("group", ["experiment", "study"])
def test_each_has_a_line_for_the_catalog(group: str) -> None:
    for name, line in described(group):
        assert len(line) > 15, name
        assert len(name) + len(line) < 150, name


def test_the_catalog_lists_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m harness.catalog` is where a user learns what there is: nothing may be missing from it."""
    from harness.cli.catalog import main
    from harness.core import registry

    main()
    out = capsys.readouterr().out
    for name in [*registry.algorithms(), *registry.tasks(), *PRESETS, "first_light"]:
        assert f"  {name} " in out
    assert all(len(line) < 160 for line in out.splitlines())


PLUGIN = '''
"""A rule that moves every weight towards zero."""
from dataclasses import dataclass
from typing import ClassVar
from harness.core.algorithm import Algorithm, Traits, Update

@dataclass(frozen=True)
class TowardsZero(Algorithm):
    """Shrinks all weights by a fraction."""
    fraction: float = 0.5
    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=0, global_scalar=False)

    def update(self, net, state, batch, rand):
        return Update({"params": {k: (1 - self.fraction) * w for k, w in state["params"].items()}}, None)
'''


def test_one_file_is_an_option_an_entry_and_a_run(tmp_path: Path) -> None:
    """In a process of its own, since options are registered in it: no registration elsewhere, typed settings,
    glob."""
    (tmp_path / "towards_zero.py").write_text(PLUGIN)
    small = "plugins=towards_zero.py run.replicas=2 run.epochs=3 tracking.enabled=false"
    catalog, ran, wrong, swept = commands(
        tmp_path,
        "python -m harness.catalog plugins=towards_zero.py",
        f"python -m harness {small} algorithm=towards_zero algorithm.fraction=0.25",
        f"python -m harness {small} algorithm=towards_zero algorithm.fraction=half",
        f"python -m harness -m {small} hydra/launcher=basic 'algorithm=glob(tow*)' figures=false",
    )
    assert "  towards_zero  " in catalog.out
    assert ran.code == 0, ran.said
    assert "settings  fraction=0.25" in ran.out
    assert wrong.code == 2
    assert wrong.said[-1].endswith("fraction must be a finite number, but 'half' was given")
    assert swept.code == 0, swept.said
    (record,) = Store.at(tmp_path / "store").records("scratch")
    assert record.meta["algorithm"] == {"name": "towards_zero", "fraction": 0.5}


def test_the_console_script_is_the_same_program() -> None:
    from importlib.metadata import entry_points

    from harness.cli.app import main

    (script,) = entry_points(group="console_scripts", name="harness")
    loaded: Callable[[], None] = script.load()
    assert loaded is main


# ruleset=published

ALONE = {  # presets that are the only one of their algorithm on their task
    "dellaferrera2022/digits": ("pepita", "digits"),
    "hinton2022/digits": ("forward_forward", "digits"),
    "hopfield1982/recall": ("hopfield", "recall"),
    "lillicrap2016/linear": ("feedback_alignment", "linear_map"),
    "pdp1986/encoder": ("backprop", "encoder"),
    "pdp1986/negation": ("backprop", "negation"),
    "pdp1986/parity": ("backprop", "parity"),
    "pdp1986/sequence_completion": ("backprop", "sequence_completion"),
    "pdp1986/shift_register": ("backprop", "shift_register"),
    "pdp1986/singleton": ("backprop", "singleton"),
    "pdp1986/t_c": ("backprop", "t_c"),
    "scellier2017/digits": ("equilibrium_propagation", "digits"),
    "sejnowski1987/nettalk": ("backprop", "nettalk"),
    "werfel2005/linear": ("node_perturbation", "linear_perceptron"),
    "whittington2017/xor": ("predictive_coding", "xor"),
    "xie2003/digits": ("contrastive_hebbian", "digits"),
}


def ruled(*overrides: str) -> Cell:
    (cell,), _ = cells_of([*overrides, "ruleset=published"])
    return cell


@pytest.mark.parametrize("preset", ALONE)
def test_the_one_preset_of_an_algorithm_on_a_task_is_its_published_ruleset(preset: str) -> None:
    """The same cell as by its name: every setting, the run's too, and the id."""
    algorithm, task = ALONE[preset]
    (by_name,), _ = cells_of([f"experiment={preset}"])
    found = ruled(f"algorithm={algorithm}", f"task={task}")
    assert found.settings_by_name() == by_name.settings_by_name()
    assert found.id == by_name.id


def test_a_sweep_takes_the_preset_of_each() -> None:
    cells, _ = cells_of(["algorithm=backprop", "task=parity,negation", "ruleset=usual,published"])
    rates = [cell.settings_by_name()["algorithm"]["optimiser"]["lr"] for cell in cells]
    usual = [cell.task.usual.lr for cell in cells]
    assert sorted(zip([cell.task.name for cell in cells], rates, strict=True)) == sorted(
        [("parity", usual[0]), ("parity", 0.5), ("negation", usual[2]), ("negation", 0.25)]
    )


@pytest.mark.parametrize(
    ("override", "part", "path", "value"),
    [
        ("algorithm.optimiser.lr=0.75", "algorithm", ("optimiser", "lr"), 0.75),
        ("algorithm.rate=0.75", "algorithm", ("optimiser", "lr"), 0.75),
        ("task.hidden=7", "task", ("hidden",), 7),
        ("run.replicas=3", "run", ("replicas",), 3),
    ],
)
def test_what_is_said_wins_over_what_was_published(override, part, path, value) -> None:
    """And nothing else is other than published."""
    usual = ruled("algorithm=backprop", "task=parity").settings_by_name()
    found = ruled("algorithm=backprop", "task=parity", override).settings_by_name()
    inside = usual[part]
    for name in path[:-1]:
        inside = inside[name]
    assert inside[path[-1]] != value
    inside[path[-1]] = value
    assert found == usual


def test_another_optimiser_has_its_own_settings() -> None:
    """The printed rate and momentum are of gradient descent, and say nothing of Adam's."""
    found = ruled("algorithm=backprop", "task=parity", "algorithm/optimiser=adam").settings_by_name()
    assert found["algorithm"]["optimiser"]["lr"] == 0.001
    assert found["task"]["scale"] == 1.0


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ("algorithm=backprop", "task=symmetry"),
            "the one preset of backprop on symmetry, but there are 2: give one of them by its name instead, "
            "experiment=nature1986/symmetry, experiment=pdp1986/symmetry",
        ),
        (
            ("algorithm=spsa", "task=parity"),
            "the one preset of spsa on parity, but there is none: on parity there are "
            "experiment=pdp1986/parity (of backprop)",
        ),
        (
            ("algorithm=backprop", "task=deep_chain"),
            "but there is none: on deep_chain there is none of any algorithm",
        ),
        (
            ("experiment=pdp1986/parity",),
            "a preset (experiment=…) has settings of its own, and ruleset=published others",
        ),
    ],
    ids=["several", "none", "none of the task", "two said"],
)
def test_several_presets_or_none_are_one_sentence_that_names_them(overrides, sentence) -> None:
    with pytest.raises(InputError) as error:
        ruled(*overrides)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_the_command_line_takes_the_preset_or_says_why_not(tmp_path: Path) -> None:
    run = "python -m harness algorithm=backprop run.replicas=2 run.epochs=3 tracking.enabled=false"
    done, several, unknown, tuning = commands(
        tmp_path,
        f"{run} task=parity ruleset=published",
        f"{run} task=xor ruleset=published",
        f"{run} task=xor ruleset=printed",
        "python -m harness.tune algorithm=backprop task=parity ruleset=published",
    )
    assert done.code == 0, done.said
    assert "lr=0.5, momentum=0.9" in done.out
    for refused, sentence in (
        (
            several,
            "but there are 3: give one of them by its name instead, experiment=pdp1986/xor_hidden_units",
        ),
        (unknown, "unknown ruleset 'printed': allowed are published, tuned, usual"),
        (tuning, "ruleset=published would be ignored: leave it out"),
    ):
        assert (refused.code, len(refused.said)) == (2, 1), refused
        assert sentence in refused.said[0]
