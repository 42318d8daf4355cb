"""Cells in one batch, held to the same cells run alone: the same bits, records and ids, and what cannot share
a batch says why."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.cli.plan import plan_lines
from harness.core import registry
from harness.core.algorithm import Algorithm
from harness.core.riding import numbers
from harness.core.task import Task
from harness.experiment.run import run_cell
from harness.experiment.together import differ, groups, run_together
from harness.store.store import Store
from harness.studies.attempt import attempt, attempt_together
from harness.studies.compose import cells_of
from harness.tasks.delayed_xor import DelayedXor
from harness.training.trained import Trained

APART = {
    "genetic": {"parent_scalar"},
    "node_perturbation": {"sigma"},
    "sequential_weight_perturbation": {"sigma"},
    "weight_perturbation": {"sigma"},
}
"""What of our own rules cannot ride: it raises a whole number, or meets arrays whose first axis is draws."""
TIMED = ("seconds",)


def put(thing: Any, name: str, value: float) -> Any:
    first, _, rest = name.partition(".")
    return replace(thing, **{first: put(getattr(thing, first), rest, value) if rest else value})


def suited(algorithm: Algorithm) -> Task:
    """The first task of these that an algorithm can do."""
    still = (registry.tasks()[name]() for name in ("xor", "symmetry", "linear_perceptron", "recall"))
    leaky = DelayedXor(lag=1, length=4, hidden=3, sequences=8, units="leaky")
    return next(task for task in (*still, leaky) if not algorithm.refusal(task))


def varied(cell: Cell) -> dict[str, list[Cell]]:
    """The cell with each number of its algorithm at .9 and .7 of it, those that are off aside."""
    return {
        name: [
            Cell.made(put(cell.algorithm, name, f * value), cell.task, cell.settings) for f in (1, 0.9, 0.7)
        ]
        for name, value in numbers(cell.algorithm)
        if value
    }


def arrays(trained: Trained) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in vars(trained).items():
        if isinstance(value, dict) and name != "ran":
            found |= {f"{name}.{k}": a.tobytes() for k, a in value.items()}
        elif name not in (*TIMED, "ran"):
            found[name] = value.tolist() if value.dtype == object else value.tobytes()
    return found


def same(together: Trained, alone: Trained) -> list[str]:
    one, other = arrays(together), arrays(alone)
    assert one.keys() == other.keys()
    return [name for name in one if one[name] != other[name]]


@pytest.mark.parametrize("kind", registry.algorithms().values(), ids=lambda kind: kind.name)
def test_each_number_of_an_algorithm_rides_with_the_bits_it_has_alone(kind: type[Algorithm]) -> None:
    """Long enough for some replicas to finish and leave the batch, where the rule is quick."""
    how = Settings(replicas=5, epochs=8 if kind.name in ("genetic", "boltzmann") else 60, seed=4)
    cell = Cell.made(kind(), suited(kind()), how)
    apart = set()
    for name, cells in varied(cell).items():
        jobs = groups(cells)
        if len(jobs) > 1:
            apart.add(name)
            assert all(f"algorithm.{name} differs, and " in job.why for job in jobs)
            continue
        for each, result in zip(cells, run_together(cells), strict=True):
            alone = run_cell(each.algorithm, each.task, each.settings)
            assert not same(result.trained, alone.trained), name
    assert apart == APART.get(kind.name, set())


@pytest.mark.parametrize(
    ("batch", "dtype"),
    [
        *(("full", "float64"), ("3", "float32")),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("full", "float32"), ("3", "float64"), ("1", "float64"), ("1", "float32"))
        ),
    ],
)
def test_a_grid_of_rates_scales_and_margins_has_the_bits_it_has_alone(batch: str, dtype: str) -> None:
    cells, _ = cells_of(
        [
            *("task=xor", "algorithm=backprop", "run.replicas=7", "run.epochs=120", f"run.batch={batch}"),
            *(
                "algorithm.optimiser.lr=0.05,0.5",
                "algorithm.optimiser.momentum=0.5,0.9",
                f"run.dtype={dtype}",
            ),
            *("task.scale=0.4,1.5", "task.margin=0.05,0.2", "algorithm.optimiser.decay=0.001,0.002"),
        ]
    )
    (job,) = groups(cells)
    assert len(job.places) == len(cells) == 32
    outcomes = set()
    for cell, result in zip(cells, run_together(cells), strict=True):
        alone = run_cell(cell.algorithm, cell.task, cell.settings).trained
        assert not same(result.trained, alone)
        outcomes |= set(alone.outcome)
    assert len(outcomes) > 1, "no replica left the batch before the others"


def test_held_out_patterns_are_those_of_each_replica() -> None:
    cells, _ = cells_of(
        ["task=family_tree", "algorithm.optimiser.lr=0.02,0.05", "run.replicas=3", "run.epochs=4"]
    )
    (job,) = groups(cells)
    for cell, result in zip(cells, run_together([cells[i] for i in job.places]), strict=True):
        assert not same(result.trained, run_cell(cell.algorithm, cell.task, cell.settings).trained)


def test_the_records_of_a_batch_are_those_of_cells_alone(tmp_path: Path) -> None:
    cells, _ = cells_of(["task=xor", "algorithm.optimiser.lr=0.1,0.3,0.7", "run.replicas=6", "run.epochs=80"])
    one, other = Store.at(tmp_path / "together").prepare(), Store.at(tmp_path / "alone").prepare()
    attempt_together(cells, one)
    for cell in cells:
        attempt(cell, other)
    assert one.cells() == other.cells() == sorted(cell.id for cell in cells)
    for i in one.cells():
        a, b = one.read(i), other.read(i)
        assert not a.damage()
        for what in ("replicas", "curves", "histories", "weights"):
            x, y = getattr(a, what), getattr(b, what)
            assert x.keys() == y.keys()
            for name in x.keys() - set(TIMED):
                np.testing.assert_array_equal(x[name], y[name])
        assert {k: v for k, v in a.cost.items() if k != "peak_bytes"} == {
            k: v for k, v in b.cost.items() if k != "peak_bytes"
        }
        assert a.meta["ran"]["together"] == 3
        assert {k: v for k, v in a.meta.items() if k not in ("ran", "made", "files", "seal")} == {
            k: v for k, v in b.meta.items() if k not in ("ran", "made", "files", "seal")
        }


@pytest.mark.parametrize(
    ("sweep", "why"),
    [
        ("run.backend=jax", "backend=jax: a compiled program has its numbers in it"),
        ("run.seconds=5", "a budget of seconds is one cell's own"),
        ("run.probe=3", "the probe looks at one cell"),
        ("run.processes=2", "its replicas have processes of their own"),
        ("run.replicas=3000", "its own replicas fill a batch"),
        (
            "task.target_on=0.9,0.8",
            "task.target_on differs, and a number that differs between replicas meets",
        ),
        ("task.share=1,0.9", "task.share differs, and a question that replicas answer differently"),
    ],
)
def test_what_cannot_share_a_batch_says_why(sweep: str, why: str, tmp_path: Path) -> None:
    cells, _ = cells_of(
        ["task=xor", "run.epochs=5", "algorithm=backprop", sweep, "algorithm.optimiser.lr=0.1,0.2"]
    )
    jobs = groups(cells)
    assert sorted(i for job in jobs for i in job.places) == list(range(len(cells)))
    if "target_on" in sweep or "share" in sweep:  # what can ride still does
        assert [job.places for job in jobs] == [[0, 1], [2, 3]]
        jobs = groups(cells[1:3])
    assert all(len(job.places) == 1 and why in job.why for job in jobs)
    said = list(plan_lines(cells[1:3], Store.at(tmp_path)))
    assert why in " ".join(said)


def test_cells_that_differ_in_more_than_numbers_have_batches_of_their_own() -> None:
    cells, _ = cells_of(
        [
            *("task=xor,encoder", "algorithm=backprop,shallow", "run.replicas=4", "run.epochs=5"),
            *("algorithm.optimiser.lr=0.1,0.2", "run.seed=0,1"),
        ]
    )
    jobs = groups(cells)
    assert len(jobs) == 8
    for job in jobs:
        some = [cells[i] for i in job.places]
        assert differ(some) == ["algorithm.optimiser.lr"]
        assert len({(c.task.name, c.algorithm.name, c.settings.seed) for c in some}) == 1


def test_a_plan_names_batches_and_runs_nothing(tmp_path: Path) -> None:
    cells, _ = cells_of(["task=xor", "run.replicas=40", "run.epochs=5", "task.scale=0.2,0.4,0.6"])
    store = Store.at(tmp_path / "store")
    assert list(plan_lines(cells, store)) == [
        "3 cells: 3 to be run, 0 with a record",
        "  xor backprop: 3 cells in 1 batch of 3 cells, which differ in task.scale",
    ]
    assert not store.path.exists()
    attempt(cells[0], store.prepare())
    assert next(plan_lines(cells, store)) == "3 cells: 2 to be run, 1 with a record"


DEADLY = '''
import os, signal
from dataclasses import dataclass
from harness.core.setting import setting
from algorithms.backprop import Backprop

@dataclass(frozen=True)
class Deadly(Backprop):
    """Backpropagation that ends its process where a batch is large, as one would that runs out of memory."""
    spread: float = setting(0.1, "Unused.", above=0)

    def credit(self, net, params, memory, batch, rand):
        if len(next(iter(params.values()))) > 20:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().credit(net, params, memory, batch, rand)
'''


def test_cells_of_a_batch_whose_process_is_killed_are_run_one_by_one(
    tmp_path: Path,
) -> None:
    (tmp_path / "deadly_rule.py").write_text(DEADLY, encoding="utf-8")
    environment = os.environ | {"HARNESS_STORE": str(tmp_path / "store")}
    command = [sys.executable, "-m", "harness", "-m", "task=xor", "algorithm=deadly", "run.replicas=8"]
    command += ["run.epochs=5", "algorithm.spread=0.1,0.2,0.3", f"plugins=[{tmp_path / 'deadly_rule.py'}]"]
    done = subprocess.run(
        [*command, "tracking.enabled=false", "figures=false"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    store = Store.at(tmp_path / "store")
    assert len(store.cells()) == 3
    assert all("together" not in store.read(i).meta["ran"] for i in store.cells())
