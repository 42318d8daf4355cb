"""Cells composed from shared options, held to what Hydra composes from all overrides of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig

from harness.core.errors import InputError
from harness.studies.compose import cell_of, compose_cells, expand
from harness.studies.conf import CONF, VERSION_BASE
from harness.studies.request import Request

BLOCKS = [
    [
        "task=xor",
        "algorithm=backprop",
        "algorithm.optimiser.lr=0.1,0.5",
        "task.scale=0.3,1",
        "run.replicas=7",
    ],
    [
        "task=encoder",
        "algorithm=backprop,forward_gradient",
        "algorithm/optimiser=adam",
        "algorithm.optimiser.lr=0.01",
    ],
    [
        "experiment=pdp1986/xor_shortcut,nature1986/family_tree_adapted",
        "run.epochs=50",
        "algorithm.optimiser.momentum=0.5",
    ],
    [
        "task=xor",
        "algorithm=boltzmann",
        "algorithm.times=[2,3]",
        "algorithm.temperatures=[5,1]",
        "run.seed=3",
    ],
    ["task=digits", "algorithm=perceptron", "task.share=1", "run.batch=128,full"],
    ["run.epochs=5", "task=parity", "run.epochs=9", "tracking.enabled=false"],
]


def load(options: list[str]) -> DictConfig:
    return compose("config", overrides=options)


def test_cells_are_those_that_hydra_composes_one_by_one() -> None:
    with initialize_config_dir(CONF, **VERSION_BASE):
        loader = GlobalHydra.instance().config_loader()
        jobs = expand(BLOCKS, loader)
        seen: list[list[str]] = []
        cells, first = compose_cells(jobs, loader, lambda options: (seen.append(options), load(options))[1])
        expected = [cell_of(load(job)) for job in jobs]
    assert [cell.id for cell in cells] == [cell.id for cell in expected]
    assert [cell.settings for cell in cells] == [cell.settings for cell in expected]
    assert len(jobs) == 4 + 2 + 2 + 1 + 2 + 1
    assert len(seen) == 1 + 2 + 2 + 1 + 1 + 1, "one for each choice of options"
    assert first.study.name == "scratch"


FOUR = "algorithm=backprop,spsa,boltzmann,genetic"


@pytest.fixture
def shadowed(tmp_path: Path) -> Path:
    """A folder of configurations with an option of our name that says more than its place."""
    (tmp_path / "algorithm").mkdir()
    (tmp_path / "algorithm/spsa.yaml").write_text(
        "# @package _global_\nalgorithm: {name: spsa, a: 7}\nrun: {epochs: 77}\n", encoding="utf-8"
    )
    return tmp_path


def _composed_and_expected(*blocks: list[str]) -> tuple[list[str], list[str], int]:
    loader = GlobalHydra.instance().config_loader()
    jobs = expand(blocks, loader)
    seen: list[list[str]] = []
    cells, _ = compose_cells(jobs, loader, lambda options: (seen.append(options), load(options))[1])
    return [cell.text() for cell in cells], [cell_of(load(job)).text() for job in jobs], len(seen)


def test_sixteen_choices_of_eight_options_are_composed_together(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,b\n" + "0,x\n1,y\n" * 9, encoding="utf-8")
    with initialize_config_dir(CONF, **VERSION_BASE):
        data = [f"task.file={tmp_path}/mine.csv", "task.inputs=[a]", "task.targets=[b]"]
        table = ["task=table", "algorithm=backprop,spsa", *data]
        blocks = [["task=xor,encoder,digits", FOUR], table, ["algorithm=spsa", "store=elsewhere"]]
        cells, expected, loads = _composed_and_expected(*blocks)
    assert cells == expected
    assert len(cells) == 3 * 4 + 2 + 1
    assert loads == 2 + 1, "one choice, all options beside one another, and the choice with another store"


def test_an_option_that_says_more_than_its_place_is_composed_as_always(shadowed: Path) -> None:
    with initialize_config_dir(CONF, **VERSION_BASE):
        loader = GlobalHydra.instance().config_loader()
        path = loader.get_search_path()
        path.prepend("test", f"file://{shadowed}")
        GlobalHydra.instance().clear()
        GlobalHydra.instance().initialize(Hydra("harness", ConfigLoaderImpl(path)))
        cells, expected, loads = _composed_and_expected(["task=xor,encoder", FOUR])
    assert cells == expected
    assert sum('"epochs": 77' in text for text in cells) == 2
    assert loads == 8


@pytest.mark.parametrize(
    "wrong", [["algorithm=spsaa"], ["algorithm=spsa", "task.scael=1"], ["algorithm=spsa", "+lr=1"]]
)
def test_one_wrong_choice_among_many_is_refused_in_the_same_words(wrong: list[str]) -> None:
    with initialize_config_dir(CONF, **VERSION_BASE):
        loader = GlobalHydra.instance().config_loader()
        jobs = [*expand([["task=xor,encoder", FOUR]], loader), ["task=xor", *wrong]]
        with pytest.raises((HydraException, InputError)) as ours:
            compose_cells(jobs, loader, load)
        with pytest.raises((HydraException, InputError)) as theirs:
            compose_cells([jobs[-1]], loader, load)
    assert str(ours.value) == str(theirs.value)


def test_values_of_one_cell_do_not_reach_another() -> None:
    with initialize_config_dir(CONF, **VERSION_BASE):
        loader = GlobalHydra.instance().config_loader()
        cells, _ = compose_cells([["task.hidden=5"], []], loader, load)
    assert [cell.task.network().hidden[0].size for cell in cells] == [5, 2]


@pytest.mark.parametrize("wrong", ["task.hiden=3", "run.replica=3", "task=xorr"])
def test_what_hydra_refuses_is_refused_in_its_words(wrong: str) -> None:
    with initialize_config_dir(CONF, **VERSION_BASE):
        loader = GlobalHydra.instance().config_loader()
        with pytest.raises(HydraException) as ours:
            compose_cells([["algorithm=backprop", wrong]], loader, load)
        with pytest.raises(HydraException) as theirs:
            load(["algorithm=backprop", wrong])
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize(
    "wrong", ["task.hidden=many", "algorithm.optimiser.lr=fast", "algorithm.optimiser.lr=[1]"]
)
def test_values_are_refused_by_the_settings_themselves(wrong: str) -> None:
    with initialize_config_dir(CONF, **VERSION_BASE):
        loader = GlobalHydra.instance().config_loader()
        with pytest.raises(InputError, match="was given"):
            compose_cells([["algorithm=backprop", wrong]], loader, load)


def test_a_study_called_by_a_whole_number_has_a_text_for_a_name() -> None:
    with initialize_config_dir(CONF, **VERSION_BASE):
        assert Request.of(load(["study.name=20260913"])).study.name == "20260913"
