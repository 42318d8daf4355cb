"""`python -m harness.tune` and ruleset=tuned, from a command to a file and back."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.results import table
from harness.store.store import Store
from harness.tuning import shelf
from harness.tuning.tuner import REPORTED
from helpers.commands import commands

SMALL = "tuning.trials=5 tuning.replicas=4 tuning.finalists=2 tuning.choosing=5 tuning.passes=3000"
TUNE = f"python -m harness.tune task=xor algorithm=backprop {SMALL}"
RUN = "python -m harness task=xor algorithm=backprop run.replicas=3 tracking.enabled=false"


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list]:
    """A store with tuned settings of backprop on XOR, and what the commands said that found and used them."""
    folder = tmp_path_factory.mktemp("tuned")
    done = commands(
        folder,
        TUNE,
        TUNE,
        f"{RUN} ruleset=tuned",
        f"{RUN} ruleset=tuned algorithm.rate=0.75 run.epochs=40",
        f"{RUN} ruleset=tuned task=deep_chain",
        f"{RUN} ruleset=tuned task.hidden=3",
        f"{RUN} ruleset=tuned run.seed={REPORTED}",
        f"{RUN} ruleset=usual,tuned -m",
        f"{TUNE} run.replicas=7",
        f"{TUNE} ruleset=tuned",
        f"{TUNE} tuning.trials=3",
        f"{TUNE} tuning.folder=/dev/null/x",
        f"{TUNE} study=first_light",
        f"{TUNE} task.hidden=2,2",
        f"{TUNE} passes=100",
        "python -m harness experiment=pdp1986/xor_shortcut ruleset=tuned tracking.enabled=false",
        "python -m harness -m experiment=pdp1986/xor_shortcut ruleset=tuned tracking.enabled=false",
    )
    return folder, done


def test_it_writes_a_file_with_how_it_was_found(tuned: tuple[Path, list]) -> None:
    folder, done = tuned
    said = yaml.safe_load((folder / "store/tuned/xor/backprop.yaml").read_text(encoding="utf-8"))
    assert done[0].code == 0, done[0].said
    assert "backprop on xor: optimiser.lr=" in done[0].out
    assert "store/tuned/xor/backprop.yaml" in done[0].out
    assert set(said["algorithm"]) == {"optimiser.lr", "optimiser.momentum"}
    assert said["found"]["settings"] == 5
    assert said["found"]["networks"] == 3 * 2 + 4 * 4 + 2 * 5
    assert said["asked"]["task.hidden"] == 2


def test_begun_again_it_trains_nothing_and_says_the_same(tuned: tuple[Path, list]) -> None:
    folder, done = tuned
    assert done[1].out == done[0].out
    store = Store.at(folder / "store")
    ids = store.study("tuning.xor.backprop")["cells"]
    assert len(ids) == 3 + 4 + 2
    assert all(store.has(i) for i in ids)
    assert {store.read(i).meta["run"]["seed"] for i in ids} == {REPORTED, 2 * REPORTED, 3 * REPORTED}


def test_a_run_takes_them_but_for_what_is_named(tuned: tuple[Path, list]) -> None:
    folder, done = tuned
    said = yaml.safe_load((folder / "store/tuned/xor/backprop.yaml").read_text(encoding="utf-8"))
    rate, momentum = said["algorithm"]["optimiser.lr"], said["algorithm"]["optimiser.momentum"]
    assert done[2].code == done[3].code == 0, (done[2].said, done[3].said)
    store = Store.at(folder / "store")
    runs = [r for r in map(store.read, store.cells()) if r.meta["run"]["replicas"] == 3]
    optimisers = [r.meta["algorithm"]["optimiser"] | r.meta["run"] for r in runs]
    found = {(each["lr"], each["momentum"], each["epochs"]) for each in optimisers}
    assert (rate, momentum, said["run"]["epochs"]) in found
    assert (0.75, momentum, 40) in found


@pytest.mark.parametrize(
    ("which", "sentence"),
    [
        (4, "there are no tuned settings of backprop on deep_chain: python -m harness.tune task=deep_chain"),
        (5, "was found with task.hidden=2, but 3 was given"),
        (6, "run.seed must be below 2^40 with tuned settings"),
        (8, "run.replicas would be ignored: tuning has a budget of its own"),
        (9, "ruleset=tuned is what tuning finds settings for"),
        (10, "tuning.trials must be a whole number, at least 4"),
        (11, "nothing can be written into /dev/null/x: Not a directory"),
        (12, "study=first_light would be ignored"),
        (13, "two searches would be kept as xor.backprop"),
        (14, "passes would be ignored: give the budget by tuning.passes"),
        (16, "a preset (experiment=…) has settings of its own"),
        (15, "a preset (experiment=…) has settings of its own"),
    ],
)
def test_what_cannot_be_is_one_sentence(tuned: tuple[Path, list], which: int, sentence: str) -> None:
    done = tuned[1][which]
    assert (done.code, len(done.said)) == (2, 1), done
    assert sentence in done.said[0]


def test_a_sweep_has_both_rulesets(tuned: tuple[Path, list]) -> None:
    folder, done = tuned
    assert done[7].code == 0, done[7].said
    assert len(Store.at(folder / "store").study("scratch")["cells"]) == 2


def test_a_file_of_another_version_of_the_rule_is_refused(tmp_path: Path, tuned: tuple[Path, list]) -> None:
    cell = Cell.of({"name": "backprop"}, {"name": "xor"}, {})
    text = (tuned[0] / "store/tuned/xor/backprop.yaml").read_text(encoding="utf-8")
    path = tmp_path / "tuned/xor/backprop.yaml"
    path.parent.mkdir(parents=True)
    rule = yaml.safe_load(text)["found"]["rule"]
    for damaged, sentence in (
        (text.replace(rule, "0123456789ab"), "was found for another version of backprop"),
        (text[: len(text) // 3], "holds no tuned settings"),
        ("[]", "holds no tuned settings"),
        ("", "holds no tuned settings"),
        (f"{text}  extra: [1", "holds no tuned settings"),
        (
            text.replace("algorithm:\n", "algorithm:\n  3: 1\n", 1),
            "cannot be: unknown setting of backprop '3'",
        ),
        (text.replace("  optimiser.lr:", "  name:", 1), "cannot be: unknown setting of backprop 'name'"),
        (text.replace("  optimiser.lr:", "  optimiser.lr.x:", 1), "cannot be: unknown setting of float"),
        (re.sub(r"optimiser.lr: .*", "optimiser.lr: null", text, count=1), "holds no tuned settings"),
        (re.sub(r"optimiser.lr: .*", "optimiser.lr: -1.0", text, count=1), "cannot be: optimiser.lr must be"),
        (re.sub(r"  task.hidden: .*\n", "", text), "was found with task.hidden=None, but 2 was given"),
        (re.sub(r"epochs: .*", "epochs: null", text, count=1), "holds no tuned settings"),
        (re.sub(r"epochs: .*", "epochs: true", text, count=1), "cannot be: epochs must be a whole number"),
    ):
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(InputError, match=sentence):
            shelf.tuned(cell, [], [tmp_path / "tuned"])
    path.write_text(text, encoding="utf-8")
    assert shelf.get(cell, [], [tmp_path / "tuned"]).epochs == 1260


def test_other_settings_of_a_task_or_a_rule_have_files_of_their_own(
    tmp_path: Path, tuned: tuple[Path, list]
) -> None:
    """With 3 hidden units beside 2, with momentum 0 beside what was searched: each cell takes its own."""
    wide, still = "task.hidden=3", "algorithm.optimiser.momentum=0"
    done = commands(
        tmp_path, f"{TUNE} task.hidden=2,3", f"{TUNE} {still}", f"{RUN} ruleset=tuned {wide} {still}"
    )
    assert [each.code for each in done] == [0, 0, 0], [each.said for each in done]
    folder = tmp_path / "store/tuned"
    names = sorted(path.stem for path in folder.glob("xor/*"))
    assert names == ["backprop", "backprop,hidden=3", "backprop,optimiser.momentum=0.0"]
    assert Store.at(tmp_path / "store").study("tuning.xor.backprop-hidden-3")["cells"]

    def found(named: list[str], algorithm: dict, task: dict) -> str:
        return shelf.get(Cell.of(algorithm, task, {}), named, [folder]).path.stem

    rule, plain = {"name": "backprop"}, {"name": "xor"}
    without = rule | {"optimiser": {"name": "gradient_descent", "momentum": 0.0}}
    assert found([], rule, plain) == "backprop"
    assert found([], rule, plain | {"hidden": 3}) == "backprop,hidden=3"
    assert found(["optimiser.momentum"], without, plain) == "backprop,optimiser.momentum=0.0"
    with pytest.raises(InputError, match=r"was found with task.hidden=[23], but 4 was given"):
        found([], rule, plain | {"hidden": 4})


def test_a_table_says_what_the_search_cost_and_shares_it_among_uses(tuned: tuple[Path, list]) -> None:
    """Of the two rulesets only the tuned one paid: FLOPs of the search ÷ uses + those of a success."""
    folder, _ = tuned
    store = Store.at(folder / "store")
    said = yaml.safe_load((folder / "store/tuned/xor/backprop.yaml").read_text(encoding="utf-8"))
    rows = table.build(store, "scratch")
    usual, best = sorted(rows, key=lambda row: np.isfinite(row.tuning_flops))
    assert np.isnan(usual.tuning_flops)
    assert best.tuning_flops == pytest.approx(1e9 * said["found"]["gflop"])
    assert best.learning_rate == said["algorithm"]["optimiser.lr"]
    assert best.summary is not None
    text = table.to_markdown(
        [replace(best, summary=replace(best.summary, restart_flops=3e6), tuning_flops=2e9)], ""
    )
    assert f"| {best.algorithm} | 2 | 2,003 | 203 | 5 | 3 |" in text
    assert "Paid for with the search" not in table.to_markdown([usual], "")
