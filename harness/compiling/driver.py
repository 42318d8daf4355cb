"""Training a batch of replicas by compiled chunks of epochs (`harness.compiling.program`).

The bookkeeping is the trainer's (`harness.training.trainer`). Between chunks those that are finished leave
the batch once three quarters of it are, so that few sizes are ever compiled. Random numbers are drawn by the
streams of `harness.core.rand` and fed to each chunk. Initial weights, final outputs and the last epoch of
the budget are those of the interpreted reading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.compiling.behind import CannotCompile
from harness.compiling.chunk import BLOWN, MET, PADDING, POINTS, RUNNING, Chunk, Feed
from harness.compiling.padding import few_sizes, pad, padded, part_of
from harness.compiling.program import Program
from harness.core.algorithm import Algorithm
from harness.core.outcomes import DIVERGED, SOLVED
from harness.core.rand import NORMAL, UNIFORM, Rand
from harness.core.task import Task
from harness.core.tree import leaves, rebuilt
from harness.training.plan import Plan
from harness.training.snapshot import Checkpoint, put_back, said, snapshot
from harness.training.trained import Trained
from harness.training.trainer import BOUND, COMPACT_AT, LOOK_EVERY, Trainer
from harness.training.watch import Watch

if TYPE_CHECKING:
    from harness.cells.cell import Cell

Array = Any
LONGEST, SHORTEST = 1024, 64  # epochs in a chunk, when random numbers leave room
ROOM = 2**20  # epochs × replicas in a chunk of more than the shortest
PAUSE = 0.5  # seconds after which somebody may want to see a bar move, or to interrupt
FEED = 2**24  # bytes of random numbers and orders in a chunk; an epoch of more asks for them as it goes
LEAVE_AT = 4  # the batch is made smaller when the rest fits this many times
FEWEST = 16  # and never below this size
_programs: dict[Any, Program] = {}


def train(
    algorithm: Algorithm,
    task: Task,
    plan: Plan,
    replicas: Sequence[int],
    tick: Callable[[int], None] | None = None,
    watch: Watch | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """As `harness.training.train.train`; raises `CannotCompile` for a source without a compiled form."""
    with np.errstate(all="ignore"):
        trainer = Trainer(algorithm, task, plan, replicas, watch)
        return Driver(trainer, program_of(trainer), checkpoint).run(tick)


def program_of(trainer: Trainer) -> Program:
    """The program for a batch; kept, so that the next batch of the same cell finds it compiled."""
    key = (trainer.algorithm, trainer.task, trainer.size, trainer.plan.dtype, trainer.plan.device)
    try:
        hash(key)
    except TypeError:  # a setting that is a list
        return Program(*key, trainer.state, trainer.data)
    if key not in _programs:
        if len(_programs) > 32:
            _programs.clear()
        _programs[key] = Program(*key, trainer.state, trainer.data)
    return _programs[key]


def refusal(cell: Cell) -> str:
    """Why a cell's algorithm cannot be compiled, with the line; '' if it can.

    Traces the source, compiles nothing.
    """
    try:
        program_of(Trainer(cell.algorithm, cell.task, Plan.of(cell.settings), range(2)))
    except CannotCompile as reason:
        return str(reason)
    return ""


class Driver:
    """A trainer whose epochs are compiled."""

    def __init__(self, trainer: Trainer, program: Program, checkpoint: Checkpoint | None = None) -> None:
        self.trainer, self.program, self.epoch = trainer, program, 0
        self.before, self.checkpoint = program.seconds, checkpoint
        self.boundary, self.size = 0, 1
        if checkpoint and (saved := checkpoint.last()):
            self.epoch, words = put_back(trainer, saved), said(saved)
            self.boundary, self.size = words["boundary"], words["size"]
        self.load()

    def load(self) -> None:
        """Put the trainer's rows into a batch of one of the few sizes."""
        trainer, n = self.trainer, len(self.trainer.rows)
        self.lanes = self.lanes_for(n)
        self.size = -(-n // self.lanes) * self.lanes
        how = np.full(self.size, PADDING, np.int8)
        how[:n] = np.where(trainer.running, RUNNING, MET)
        state = [pad(np.asarray(a), self.size) for _, a in leaves(trainer.state)]
        data = padded(trainer.data, self.size)
        nowhere, empty = np.where(how == RUNNING, -1, self.epoch), np.zeros((POINTS + 1, self.lanes))
        rows = [slice(i, i + self.lanes) for i in range(0, self.size, self.lanes)]
        self.blocks = [
            Chunk(np.int64(self.epoch), [a[some] for a in state], how[some], nowhere[some], empty, empty)
            for some in rows
        ]
        self.data = [part_of(data, some) for some in rows]
        ordered = trainer.plan.shuffle and trainer.updates_per_sweep > 1
        self.ordered = trainer.data.x.shape[-2] if ordered else 0
        draws = np.dtype(trainer.plan.dtype).itemsize * self.size * sum(self.program.draws)
        self.fed = draws <= FEED or len(rows) > 1
        each = 8 * self.size * self.ordered + draws * self.fed or 1
        self.length = int(min(LONGEST, max(SHORTEST, ROOM // self.size), max(1, FEED // each)))

    def lanes_for(self, n: int) -> int:
        """Replicas in a block where n are left: all in one, or as many as lie beside one another."""
        lanes = max(few_sizes(n), min(FEWEST, self.size))
        return min(lanes, self.program.lanes or lanes)

    def run(self, tick: Callable[[int], None] | None) -> Trained:
        trainer, plan = self.trainer, self.trainer.plan
        while self.epoch < plan.epochs:
            self.advance()
            count = int(np.count_nonzero(trainer.running))
            if tick:
                tick(self.epoch)
            if not count:
                result = trainer.conclude()
                break
            if trainer.clock > plan.seconds:
                self.to_host()
                result = trainer.run(tick, first=self.epoch)  # looks at the criterion, and ends it
                break
            if self.checkpoint and self.checkpoint.due():
                self.to_host()
                self.checkpoint.make(snapshot(trainer, self.epoch, boundary=self.boundary, size=self.size))
            if self.epoch < self.boundary:
                continue  # only there, wherever the clock made a pause: the sizes of batches decide bits
            if self.fewer(count):
                self.to_host()
                trainer.compact()
                self.load()
        else:
            self.to_host()
            result = trainer.run(tick, first=plan.epochs)
        result.ran |= {
            "backend": "jax",
            "device": plan.device,
            "compile_seconds": self.program.seconds - self.before,
        }
        return result

    def fewer(self, count: int) -> bool:
        """Whether the rest, `count` of them, move into fewer blocks, or a smaller one, which is compiled."""
        lanes = self.lanes_for(count)
        worth = COMPACT_AT * self.size if lanes == self.lanes else self.size / LEAVE_AT
        return self.size > FEWEST and -(-count // lanes) * lanes <= worth

    def advance(self, most: int = LONGEST) -> None:
        """One chunk, of at most so many epochs, and what became of the replicas in it."""
        trainer, first = self.trainer, self.epoch
        if first >= self.boundary:
            self.boundary = first + self.length
        if trainer.watch and first in trainer.watch.epochs:
            self.to_host()
            trainer.look(first)
        stop = self.end_of_chunk(most)
        feeds = self.feeds(stop - first)
        compiling, start = self.program.seconds, perf_counter()
        for i, (chunk, data) in enumerate(zip(self.blocks, self.data, strict=True)):
            if (np.asarray(chunk.how) == RUNNING).any():
                self.program.source = self.asked
                self.blocks[i] = self.program.run(chunk, data, feeds(i), stop)
        spent = perf_counter() - start - (self.program.seconds - compiling)
        self.epoch = max(int(chunk.epoch) for chunk in self.blocks)
        self.curves(first, len(trainer.rows))
        self.settle(first, spent)

    def end_of_chunk(self, most: int) -> int:
        """The epoch before which the next chunk ends: the first at which something else has to be done."""
        trainer, plan, first = self.trainer, self.trainer.plan, self.epoch
        ends = [self.boundary, first + most, plan.epochs]
        if trainer.watch:
            ends += trainer.watch.epochs[trainer.watch.epochs > first].tolist()
        if trainer.clock:
            ends.append(first + max(1, int(PAUSE * first / trainer.clock)))
        else:  # a first look at the pace: else the first chunk might take an hour
            ends.append(first + 1)
        points = trainer.points[trainer.points >= first].tolist()
        ends += points[POINTS : POINTS + 1]
        if np.isfinite(plan.seconds):  # a first look at the pace, then what it leaves time for
            ahead = int((plan.seconds - trainer.clock) * first / trainer.clock) if trainer.clock else 1
            ends.append(first + max(1, ahead))
        return min(ends)

    def settle(self, first: int, spent: float) -> None:
        """Share the `spent` seconds of the chunk from epoch `first` among the replicas, and finish the done.

        An epoch takes the same time for all that were still running in it: who left early has spent less.
        """
        trainer, epochs = self.trainer, self.epoch - first
        how, ended = (
            self.joined([getattr(chunk, name) for chunk in self.blocks]) for name in ("how", "ended")
        )
        new = trainer.running & (how != RUNNING)
        leaving = np.bincount(ended[new] - first, minlength=epochs)
        running = np.count_nonzero(trainer.running) - np.cumsum(leaving)
        each = spent / epochs / np.maximum(running, 1)
        shares = trainer.share + np.concatenate([[0.0], np.cumsum(each)])
        trainer.clock, trainer.share = trainer.clock + spent, float(shares[-1])
        if not new.any():
            return
        self.to_host()
        output, share = trainer.outputs(), shares[np.clip(ended - first, 0, epochs)]
        trainer.finish(new & (how == MET), SOLVED, ended, share, output)
        trainer.look_for_divergence(ended, share, output, among=how == BLOWN)
        by_rounding = trainer.running & (how == BLOWN)  # beyond the bound there, within it here
        trainer.finish(by_rounding, DIVERGED, ended, share, output, f"beyond {BOUND:g}")

    def curves(self, first: int, n: int) -> None:
        trainer = self.trainer
        points = np.flatnonzero((trainer.points >= first) & (trainer.points < self.epoch))
        if len(points):
            at = np.ix_(trainer.rows, points)
            loss, right = (
                self.joined([getattr(chunk, name) for chunk in self.blocks]) for name in ("loss", "right")
            )
            trainer.result.loss_curve[at] = loss[: len(points)].T
            trainer.result.right_curve[at] = right[: len(points)].T

    def to_host(self) -> None:
        """Let the trainer have the state as it stands."""
        each = zip(*(chunk.state for chunk in self.blocks), strict=True)
        state = [self.joined(parts, axis=0) for parts in each]
        self.trainer.state = rebuilt(self.trainer.state, state)

    def joined(self, parts: Sequence[Array], axis: int = -1) -> NDArray[Any]:
        """An array of all blocks, without the padding; replicas are on that axis of it."""
        whole = np.concatenate([np.asarray(part) for part in parts], axis=axis)
        return whole[(slice(None),) * (axis % whole.ndim) + (slice(len(self.trainer.rows)),)]

    def feeds(self, epochs: int) -> Callable[[int], Feed]:
        """What each block needs for the next `epochs`; the rest of the chunk's length is left empty.

        Where nothing is drawn all chunks have the longest one's shape, and so one program.
        """
        trainer, n = self.trainer, len(self.trainer.rows)
        epoch = np.arange(self.epoch, self.epoch + LONGEST)
        on_curve = np.isin(epoch, trainer.points)
        slot = np.where(on_curve, np.minimum(np.cumsum(on_curve) - 1, POINTS), POINTS)
        look = on_curve | (epoch % LOOK_EVERY == 0)

        def drawn(source: Rand, kind: int, count: int) -> NDArray[Any]:
            block = source.block(kind, epochs * count) if count else np.empty((n, 0))
            return block.reshape(n, epochs, count)

        order = drawn(trainer.order, UNIFORM, self.ordered)
        draws = self.program.draws if self.fed else (0, 0)
        numbers = [
            drawn(trainer.noise, kind, count).astype(dtype, copy=False)
            for kind, count, dtype in zip((UNIFORM, NORMAL), draws, self.program.kinds, strict=True)
        ]
        ranked = np.argsort(order, axis=-1, kind="stable")

        def feed(i: int) -> Feed:
            rows = slice(i * self.lanes, (i + 1) * self.lanes)

            def laid(a: NDArray[Any]) -> NDArray[Any]:
                length = self.length if a.shape[-1] else LONGEST
                block = np.zeros((length, self.lanes, a.shape[-1]), a.dtype)
                some = a[rows].swapaxes(0, 1)
                block[:epochs, : some.shape[1]] = some
                return block

            return Feed(look, slot, laid(ranked), *map(laid, numbers))

        return feed

    def asked(self, each: tuple[int, int]) -> list[NDArray[Any]]:
        """The uniform and normal numbers (size, how many) of the next update."""
        noise, n = self.trainer.noise, len(self.trainer.rows)
        numbers = []
        for kind, count, dtype in zip((UNIFORM, NORMAL), each, self.program.kinds, strict=True):
            block = np.zeros((self.size, count), dtype)
            if count:
                block[:n] = noise.block(kind, count)
            numbers.append(block)
        return numbers
