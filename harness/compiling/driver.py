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

from harness.compiling.arrays import CannotCompile
from harness.compiling.program import BLOWN, MET, PADDING, POINTS, RUNNING, Chunk, Feed, Program
from harness.core.algorithm import Algorithm
from harness.core.data import Data
from harness.core.outcomes import DIVERGED, SOLVED
from harness.core.rand import NORMAL, UNIFORM
from harness.core.task import Task
from harness.core.tree import leaves, rebuilt
from harness.training.plan import Plan
from harness.training.trained import Trained
from harness.training.trainer import BOUND, LOOK_EVERY, Trainer
from harness.training.watch import Watch

if TYPE_CHECKING:
    from harness.cells.cell import Cell

Array = Any
LONGEST, SHORTEST = 1024, 64  # epochs in a chunk, when random numbers leave room
ROOM = 2**18  # epochs × replicas in a chunk of more than the shortest
PAUSE = 0.5  # seconds after which somebody may want to see a bar move, or to interrupt
FEED = 2**24  # bytes of random numbers and orders in a chunk
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
) -> Trained:
    """As `harness.training.train.train`; raises `CannotCompile` for a source without a compiled form."""
    with np.errstate(all="ignore"):
        trainer = Trainer(algorithm, task, plan, replicas, watch)
        return Driver(trainer, program_of(trainer)).run(tick)


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

    def __init__(self, trainer: Trainer, program: Program) -> None:
        self.trainer, self.program, self.epoch = trainer, program, 0
        self.before = program.seconds
        self.boundary, self.size = 0, 1
        self.load()

    def load(self) -> None:
        """Put the trainer's rows into a batch of one of the few sizes."""
        trainer, n = self.trainer, len(self.trainer.rows)
        self.size = max(few_sizes(n), min(FEWEST, self.size))
        how = np.full(self.size, PADDING, np.int8)
        how[:n] = RUNNING
        state = [_pad(np.asarray(a), self.size) for _, a in leaves(trainer.state)]
        self.chunk = Chunk(
            np.int64(self.epoch), state, how, np.full(self.size, -1), *np.zeros((2, POINTS + 1, self.size))
        )
        self.data = _padded(trainer.data, self.size)
        ordered = trainer.plan.shuffle and trainer.updates_per_sweep > 1
        self.ordered = trainer.data.x.shape[-2] if ordered else 0
        each = 8 * self.size * (self.ordered + sum(self.program.draws)) or 1
        self.length = int(min(LONGEST, max(SHORTEST, ROOM // self.size), max(1, FEED // each)))

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
            if self.epoch < self.boundary:
                continue  # only there, wherever the clock made a pause: the sizes of batches decide bits
            if self.size > FEWEST and max(few_sizes(count), FEWEST) * LEAVE_AT <= self.size:
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

    def advance(self, most: int = LONGEST) -> None:
        """One chunk, of at most so many epochs, and what became of the replicas in it."""
        trainer, first = self.trainer, self.epoch
        if first >= self.boundary:
            self.boundary = first + self.length
        if trainer.watch and first in trainer.watch.epochs:
            self.to_host()
            trainer.look(first)
        stop = self.end_of_chunk(most)
        feed = self.feed(stop - first)
        compiling, start = self.program.seconds, perf_counter()
        self.chunk = self.program.run(self.chunk, self.data, feed, stop)
        spent = perf_counter() - start - (self.program.seconds - compiling)
        self.epoch = int(self.chunk.epoch)
        self.curves(first, len(trainer.rows))
        self.settle(first, spent)

    def end_of_chunk(self, most: int) -> int:
        """The epoch before which the next chunk ends: the first at which something else has to be done."""
        trainer, plan, first = self.trainer, self.trainer.plan, self.epoch
        ends = [self.boundary, first + most, plan.epochs]
        if trainer.watch:
            ends += trainer.watch.epochs[trainer.watch.epochs > first].tolist()
        if trainer.clock > PAUSE:
            ends.append(first + max(1, int(PAUSE * first / trainer.clock)))
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
        trainer, n, epochs = self.trainer, len(self.trainer.rows), self.epoch - first
        how, ended = np.asarray(self.chunk.how)[:n], np.asarray(self.chunk.ended)[:n]
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
            trainer.result.loss_curve[at] = np.asarray(self.chunk.loss)[: len(points), :n].T
            trainer.result.right_curve[at] = np.asarray(self.chunk.right)[: len(points), :n].T

    def to_host(self) -> None:
        """Let the trainer have the state as it stands."""
        n = len(self.trainer.rows)
        self.trainer.state = rebuilt(self.trainer.state, [np.asarray(a)[:n] for a in self.chunk.state])

    def feed(self, epochs: int) -> Feed:
        """What the next `epochs` need; the rest of the chunk's length is left empty."""
        trainer, n = self.trainer, len(self.trainer.rows)
        epoch = np.arange(self.epoch, self.epoch + self.length)
        on_curve = np.isin(epoch, trainer.points)
        slot = np.where(on_curve, np.minimum(np.cumsum(on_curve) - 1, POINTS), POINTS)

        def drawn(count: int, draw: Callable[[int], NDArray[Any]], dtype: Any) -> Array:
            block = np.zeros((self.length, self.size, count), dtype)
            if count:
                block[:epochs, :n] = draw(epochs * count).reshape(n, epochs, count).swapaxes(0, 1)
            return block

        def orders(total: int) -> NDArray[Any]:
            return np.argsort(
                trainer.order.block(UNIFORM, total).reshape(n, epochs, self.ordered), axis=-1, kind="stable"
            )

        def numbers(kind: int, count: int) -> Array:
            return drawn(count, lambda total: trainer.noise.block(kind, total), np.float64)

        uniform, normal = (
            numbers(kind, count) for kind, count in zip((UNIFORM, NORMAL), self.program.draws, strict=True)
        )
        return Feed(
            on_curve | (epoch % LOOK_EVERY == 0), slot, drawn(self.ordered, orders, np.int64), uniform, normal
        )


def few_sizes(n: int) -> int:
    """n rounded up to four significant bits: at most an eighth more, and few different ones."""
    step = 1 << max(0, n.bit_length() - 4)
    return -(-n // step) * step


def _padded(data: Data, size: int) -> Data:
    x, target, wanted = (a if len(a) == 1 else _pad(a, size) for a in data[:3])
    return Data(x, target, wanted, None, None if data.validation is None else _padded(data.validation, size))


def _pad(a: Array, size: int) -> Array:
    return a if len(a) == size else np.concatenate([a, np.repeat(a[:1], size - len(a), axis=0)])
