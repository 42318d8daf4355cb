"""Training that is ended anywhere and goes on from its last checkpoint has the bits it would have had.

The oracle is the same training, undisturbed. Checkpoints go through the bytes of a file that holds no pickle.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cells.cell import Cell
from harness.core import registry
from harness.core.rand import NOISE, NORMAL, UNIFORM, Rand
from harness.experiment.kept import NOTHING, Kept
from harness.experiment.result import Result
from harness.experiment.run import run_cell
from harness.training import snapshot
from harness.training.snapshot import Arrays
from harness.training.trained import Trained
from helpers.suited import suited

ALGORITHMS = registry.algorithms()
MAY_DIFFER = ("seconds", "ran")  # the clock


class Ended(BaseException):
    """What ends a process, here."""


@dataclass
class InMemory:
    """A keeper whose process ends at its so many-th checkpoint."""

    ends_at: int
    made: int = 0
    files: dict[tuple[int, ...], bytes] = field(default_factory=dict)
    finished: list[Trained] = field(default_factory=list)

    def before(self) -> Kept:
        return NOTHING._replace(begun=[list(which) for which in self.files])

    def batch(self, replicas: Sequence[int]) -> One:
        return One(self, tuple(replicas))

    def finish(self, trained: Trained) -> None:
        self.finished.append(trained)


@dataclass
class One:
    """The checkpoint of one batch."""

    keeper: InMemory
    replicas: tuple[int, ...]

    def last(self) -> Arrays | None:
        if self.replicas not in self.keeper.files:
            return None
        with np.load(io.BytesIO(self.keeper.files[self.replicas]), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}

    def due(self) -> bool:
        return True

    def make(self, arrays: Arrays) -> None:
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        self.keeper.files[self.replicas] = file.getvalue()
        self.keeper.made += 1
        if self.keeper.made == self.keeper.ends_at:
            raise Ended


def bits(result: Result) -> dict[str, Any]:
    arrays = snapshot.flat(result.trained)
    return {name: (a.shape, a.tolist() if a.dtype.kind == "U" else a.tobytes())
            for name, a in arrays.items() if name not in MAY_DIFFER}  # fmt: skip


def trained(cell: Cell, keeper: InMemory | None = None) -> dict[str, Any]:
    return bits(run_cell(cell.algorithm, cell.task, cell.settings, keeper=keeper))


def ended_and_resumed(cell: Cell, share: float = 0.5) -> tuple[int, dict[str, Any]]:
    """A cell that is ended at some share of its checkpoints and begun again: their number, what it leaves."""
    never = InMemory(0)
    trained(cell, never)
    keeper = InMemory(max(1, int(share * never.made)))
    if never.made:
        with pytest.raises(Ended):
            trained(cell, keeper)
    return never.made, trained(cell, keeper)


def a_cell(name: str, **how: Any) -> Cell:
    algorithm = ALGORITHMS[name]()
    named = registry.settings_of(algorithm), registry.settings_of(suited(algorithm))
    return Cell.of(*named, {"replicas": 5, "seed": 3, "epochs": 12} | how)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_rule_goes_on_from_a_checkpoint_to_the_same_bits(name: str) -> None:
    cell = a_cell(name, dtype="float32" if len(name) % 2 else "float64")  # either for half of them
    made, resumed = ended_and_resumed(cell)
    assert made or name in AT_ONCE
    assert resumed == trained(cell)


AT_ONCE = ("hand_made", "rule_base", "decision_tree")
"""Rules that may solve a task before there is anything to keep."""


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(
    ("task", "how"),
    [
        ({"name": "xor"}, {"replicas": 60, "epochs": 500}),  # many finish early, and leave the batch
        ({"name": "encoder"}, {"replicas": 9, "epochs": 60, "batch": 3, "shuffle": True}),
        ({"name": "delayed_xor", "units": "lstm"}, {"replicas": 4, "epochs": 20}),
        ({"name": "digits"}, {"replicas": 2, "epochs": 4, "batch": 100}),
        ({"name": "xor"}, {"replicas": 7, "epochs": 80, "probe": 6}),
        ({"name": "xor"}, {"replicas": 3, "epochs": 30, "probe": 9, "probe_draws": 3}),
    ],
    ids=["leaving", "shuffled", "in-time", "digits", "probed", "probed-by-chance"],
)
def test_a_batch_that_shrinks_is_shuffled_or_watched_goes_on_to_the_same_bits(
    task: dict[str, Any], how: dict[str, Any], share: float
) -> None:
    name = "weight_perturbation" if "probe_draws" in how else "backprop"
    rate = {"optimiser": {"name": "gradient_descent", "lr": 2.0, "momentum": 0.9}}
    cell = Cell.of({"name": name} | (rate if task["name"] == "xor" else {}), task, {"seed": 5} | how)
    made, resumed = ended_and_resumed(cell, share)
    assert made > 2
    assert resumed == trained(cell)


@pytest.mark.parametrize("name", ["backprop", "weight_perturbation", "boltzmann"])
def test_compiled_training_goes_on_to_the_same_bits(name: str) -> None:
    pytest.importorskip("jax")
    cell = a_cell(name, replicas=40, epochs=2000 if name == "backprop" else 150, backend="jax")
    undisturbed, (made, resumed) = trained(cell), ended_and_resumed(cell)
    assert made > 1
    assert resumed == undisturbed


@given(
    before=st.lists(st.tuples(st.sampled_from([UNIFORM, NORMAL]), st.integers(0, 9000)), max_size=6),
    after=st.integers(1, 5000),
    rows=st.lists(st.integers(0, 9), min_size=1, max_size=5),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_a_stream_goes_on_where_it_was(before: list[tuple[int, int]], after: int, rows: list[int]) -> None:
    live, again = Rand(1, rows, NOISE), Rand(1, rows, NOISE)
    for kind, n in before:
        live.block(kind, n)
    again.go_to(live.position())
    assert again.taken == live.taken
    for kind in (UNIFORM, NORMAL):
        assert (live.block(kind, after) == again.block(kind, after)).all()


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    seed=st.integers(0, 99),
    still=st.integers(0, 3),
)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_an_array_comes_back_as_it_lay(shape: list[int], seed: int, still: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=shape).transpose(rng.permutation(len(shape)))
    if still < a.ndim:
        one = a[(slice(None),) * still + (slice(0, 1),)].copy(order="K")  # without gaps
        a = np.broadcast_to(one, a.shape)
    back = snapshot._unpacked(*snapshot._packed(a))
    assert (back == a).all()
    assert back.dtype == a.dtype
    assert back.strides == a.strides
