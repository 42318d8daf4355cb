"""What one update and one prediction cost, counted from the code.

One update and one prediction of a single network run on tracked arrays (`harness.cost.arrays`), with the
values of a real run; nothing in an algorithm's file is for this, and nothing of it is in a timed run.
"""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from harness.cells.cell import Cell
from harness.cells.start import start
from harness.core.algorithm import Algorithm, Batch, Network, Params, State
from harness.core.errors import ANYTHING
from harness.core.rand import NOISE, Rand
from harness.core.readings import read_by
from harness.core.tree import leaves, tree_map
from harness.cost.arrays import Tracked
from harness.cost.ledger import Ledger
from harness.cost.movement import CACHES, Trace, moved
from harness.cost.rand import TrackedRand
from harness.cost.settled import Counting, OneForAll
from harness.training.plan import Plan

Array = Any
Phase = Callable[[State, Batch, Any], Any]
COUNTED = ("multiply_adds", "effective_multiply_adds", "span", "log_span", "bytes_read", "bytes_written")


@dataclass(frozen=True)
class CostSheet:
    """What an algorithm costs one network on one task;
    counts are of one update, one prediction, one forward pass.
    """

    update: Ledger
    predict: Ledger
    forward: Ledger
    """One forward pass of the task's network over the patterns of an update: the unit of `forward_passes`."""
    patterns: int
    """Patterns in an update."""
    weights: int
    """Weights and biases of the task's network, W."""
    depth: int
    """Its layers of weights."""
    steps: int
    """Time steps T of its sequences; 0 without time."""
    remembered: int
    """Units n that are heard a time step later; 0 without time."""
    state_bytes: int
    """What persists between updates."""
    settling: Mapping[str, int]
    """Of an update what its settling costs at the most steps it may take, with its `phases` and `steps`."""
    peak_bytes: int
    """The most memory that an update holds at once beside what it was handed, by tracemalloc on the plain
    code. Python's own objects are in it: some kilobytes."""

    @property
    def forward_passes(self) -> float:
        """Work of an update in forward passes."""
        return self.update.work / self.forward.work

    @property
    def predictions(self) -> float:
        """Work of an update in predictions over the same patterns; NaN where they take none."""
        return self.update.work / self.predict.work if self.predict.work else float("nan")

    def numbers(self) -> dict[str, float]:
        """All of it by name, such as `update.work`, `update.contraction`, `update.normal` or `peak_bytes`;
        bytes moved are not among them: they need a trace, which takes longer than the count.
        """
        named: dict[str, float] = {"patterns": self.patterns, "weights": self.weights, "depth": self.depth}
        for name, ledger in (("update", self.update), ("predict", self.predict), ("forward", self.forward)):
            counts = {"work": ledger.work, **ledger.flops, **ledger.draws, "random": ledger.draws.total()}
            counts |= {f: getattr(ledger, f) for f in COUNTED}
            named |= {f"{name}.{kind}": value for kind, value in counts.items()}
        named |= {f"settling.{kind}": value for kind, value in self.settling.items()}
        return named | {"state_bytes": self.state_bytes, "peak_bytes": self.peak_bytes}

    def rows(self) -> list[tuple[str, list[str]]]:
        """Quantities and their values for update, prediction and forward pass, as text."""
        ledgers = (self.update, self.predict, self.forward)
        kinds = ("contraction", "element-wise", "transcendental", "comparison", "reduction")
        rows = [("work, FLOPs", [f"{x.work:,}" for x in ledgers])]
        rows += [(f"  {kind}", [f"{x.flops[kind]:,}" for x in ledgers]) for kind in kinds]
        rows += [
            ("multiply-adds of contractions", [f"{x.multiply_adds:,}" for x in ledgers]),
            ("  effective, without zeros", [f"{x.effective_multiply_adds:,}" for x in ledgers]),
            ("work in forward passes", [f"{x.work / self.forward.work:.2f}" for x in ledgers]),
            ("span, array operations", [f"{x.span:,}" for x in ledgers]),
            ("span, with log₂ reductions", [f"{x.log_span:,}" for x in ledgers]),
            (
                "random numbers",
                [", ".join(f"{n:,} {kind}" for kind, n in x.draws.items()) or "0" for x in ledgers],
            ),
            ("bytes read", [f"{x.bytes_read:,}" for x in ledgers]),
            ("bytes written", [f"{x.bytes_written:,}" for x in ledgers]),
        ]
        if self.update.trace:
            rows += [
                (f"bytes moved, cache of {name}", [f"{moved(x.trace, size):,}" for x in ledgers])
                for name, size in CACHES.items()
            ]
        return rows

    def __str__(self) -> str:
        lines = [f"{'':32}{'update':>16}{'predict':>16}{'forward pass':>16}"]
        lines += [f"{name:32}" + "".join(f"{value:>16}" for value in values) for name, values in self.rows()]
        if self.settling:
            s = self.settling
            lines.append(
                f"of an update {s['work']:,} FLOPs are settling: "
                f"{s['phases']} phases of {s['steps']} steps together, at the most"
            )
        lines.append(f"{'work of update ÷ prediction':32}{self.predictions:>16.2f}")
        lines.append(f"{'state, bytes':32}{self.state_bytes:>16,}")
        lines.append(f"{'peak workspace, bytes':32}{self.peak_bytes:>16,}")
        return "\n".join(lines)


class Work(NamedTuple):
    """What an update takes, and what budgets are counted in."""

    update: int
    """FLOPs of an update."""
    forward: int
    """FLOPs of a forward pass over its patterns."""
    patterns: int
    """Patterns in it."""

    @property
    def forward_passes(self) -> float:
        """Work of an update in forward passes."""
        return self.update / self.forward


def sheet(cell: Cell, traced: bool = False) -> CostSheet:
    """The cost of one update and one prediction of a cell's algorithm, for one network.

    Args:
        cell: one that can be run.
        traced: note also which arrays are touched, in order, for the bytes moved (`harness.cost.movement`).

    Raises `CostError` with the line of the algorithm that does something the count does not know, and
    `InputError` if the algorithm does not apply to the task.
    """
    net, batch, weights, state = _started(cell)
    algorithm, settings = cell.algorithm, cell.settings

    def count(phase: Phase) -> tuple[Ledger, Counter[str]]:
        return _count(phase, cell, state, batch, Counting(Ledger(trace=Trace() if traced else None)))

    with np.errstate(all="ignore"):
        update, settling = count(partial(algorithm.update, net))
        return CostSheet(
            update=update,
            predict=count(lambda s, b, rand: algorithm.predict(net, s, b.x))[0],
            forward=count(_forward(net, weights))[0],
            patterns=batch.x.shape[-2],
            weights=net.size,
            depth=net.depth,
            steps=batch.x.shape[-3] if batch.time else 0,
            remembered=sum(g.size for g in net.remembered),
            settling=settling,
            state_bytes=sum(a.nbytes for _, a in leaves(state)),
            peak_bytes=_peak(algorithm, net, state, batch, Rand(settings.seed, [0], NOISE, settings.dtype)),
        )


def work(cell: Cell) -> Work:
    """What an update of a cell's algorithm takes, as on its `sheet`, in a fraction of the time.

    Args:
        cell: one that can be run.

    Raises:
        CostError: as of `sheet`.
        InputError: if the algorithm does not apply to the task.
    """
    net, batch, weights, state = _started(cell)
    with np.errstate(all="ignore"):
        update, forward = (
            _count(phase, cell, state, batch, OneForAll(Ledger()))[0].work
            for phase in (partial(cell.algorithm.update, net), _forward(net, weights))
        )
    return Work(update, forward, batch.x.shape[-2])


def cost_of(cell: Cell) -> dict[str, Any]:
    """The numbers of a cell's sheet for its record, or the `reason` why its code cannot be counted."""
    try:
        return dict(sheet(cell).numbers())
    except ANYTHING as error:  # a cell that was trained is a result, countable or not
        return {"reason": f"{type(error).__name__}: {error}"}


def _started(cell: Cell) -> tuple[Network, Batch, Params, State]:
    """One network of a cell: its first batch, its weights, and the state of its algorithm."""
    cell.check()
    size = Plan.of(cell.settings).batch or None
    net, _, batch, weights, state, _ = start(cell.algorithm, cell.task, cell.settings, [0], size)
    return net, batch, weights, state


def _count(
    phase: Phase, cell: Cell, state: State, batch: Batch, counting: Counting
) -> tuple[Ledger, Counter[str]]:
    """What a phase enters into the ledger of its reading, and what its settling has of that."""
    ledger, settings = counting.ledger, cell.settings
    rand = TrackedRand(settings.seed, [0], NOISE, settings.dtype)
    rand.ledger = ledger
    x, target, wanted = (_track(a, ledger) for a in batch[:3])
    seen = batch._replace(x=x, target=target, wanted=wanted)
    with read_by(counting) as reading:
        phase(tree_map(lambda a: _track(a, ledger), state), seen, rand)
    return ledger, reading.settling


def _forward(net: Network, weights: Params) -> Phase:
    """A forward pass of the task's network."""
    return lambda s, b, rand: net.respond({k: _track(w, b.x.ledger) for k, w in weights.items()}, b.x)


def _track(values: Array, ledger: Ledger) -> Tracked:
    handed_in = values.view()
    handed_in.flags.writeable = False
    return Tracked(handed_in, ledger)


def _peak(algorithm: Algorithm, net: Any, state: State, batch: Batch, rand: Rand) -> int:
    algorithm.update(net, state, batch, rand)  # once unwatched: caches fill, code loads
    peaks = []
    for _ in range(3):  # the least of them: the interpreter, and other threads, may hold something beside it
        tracemalloc.start()
        try:
            algorithm.update(net, state, batch, rand)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(peaks)
