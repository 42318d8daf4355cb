"""The training loop of one batch of replicas, from initial weights to an outcome for each.

Epoch e counts completed sweeps. With full batches the update's own forward pass, made at the weights
after e sweeps, is what the criterion looks at; otherwise a prediction after the sweep is. Replicas that
finish leave the batch, and the others go on with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.cells.start import start
from harness.core.algorithm import Algorithm, Batch, State
from harness.core.data import Data, pick
from harness.core.losses import SquaredError
from harness.core.network import Network
from harness.core.outcomes import DIVERGED, SOLVED, UNSOLVED
from harness.core.rand import ORDER, Rand
from harness.core.riding import kept
from harness.core.task import Task
from harness.core.tree import leaves, tree_map
from harness.training.criterion import in_parts, met
from harness.training.curves import drawn_at
from harness.training.plan import Plan
from harness.training.snapshot import Checkpoint, put_back, snapshot
from harness.training.trained import Trained
from harness.training.watch import Moment, Watch

Array = Any
COMPACT_AT = 0.75  # the batch is compacted when at most this share of it still runs
LOOK_EVERY = 16  # epochs between looks for weights that are not finite or beyond BOUND
BOUND = 1e6
AHEAD = 2**14  # numbers of a replica's patterns that are put into order at once


class Trainer:
    """A batch of replicas in training: where each stands, and what became of those that are finished."""

    def __init__(
        self,
        algorithm: Algorithm,
        task: Task,
        plan: Plan,
        replicas: Sequence[int],
        watch: Watch | None = None,
    ) -> None:
        at = start(algorithm, task, plan, replicas)
        self.algorithm, self.task, self.plan, self.watch = algorithm, task, plan, watch
        self.of_all = task
        self.net: Network = at.net
        self.order, self.noise = Rand(plan.seed, replicas, ORDER, plan.dtype), at.noise
        self.whole = at.data
        self.data: Data = self.placed(at.data)
        self.state: State = self.placed(at.state)
        self.points = drawn_at(task, plan)
        self.point_at = {epoch: point for point, epoch in enumerate(self.points.tolist())}
        self.result = Trained.empty(replicas, len(self.points))
        self.final: dict[str, Array] = {}  # of the replicas that finished, as they finished
        self.rows = np.arange(len(replicas))  # where each row of the batch stands in the result
        self.running = np.ones(len(replicas), bool)
        patterns = self.data.x.shape[-2]
        self.size = min(plan.batch or patterns, patterns)
        self.updates_per_sweep = -(-patterns // self.size)
        self.clock = self.share = 0.0
        """Seconds spent in updates, and each replica's part of them so far."""

    def placed(self, arrays: Any) -> Any:
        """Arrays of the batch where they lie best in memory: here, as they are."""
        return arrays

    def run(
        self, tick: Callable[[int], None] | None, first: int = 0, checkpoint: Checkpoint | None = None
    ) -> Trained:
        """Train from epoch `first` to the end, or from where a checkpoint was made; `checkpoint` is made of
        it from time to time.
        """
        if checkpoint and (saved := checkpoint.last()):
            first = put_back(self, saved)
        for epoch in range(first, self.plan.epochs + 1):
            self.look(epoch)
            before = perf_counter()
            new, output = self.sweep(epoch) if epoch < self.plan.epochs else (self.state, None)
            spent = perf_counter() - before
            self.judge(epoch, output)
            count = np.count_nonzero(self.running)
            if not count:
                break
            self.clock += spent
            self.share += spent / count
            self.state = new
            if count <= COMPACT_AT * len(self.running):
                self.compact()
            if tick:
                tick(epoch + 1)
            if checkpoint and checkpoint.due():
                checkpoint.make(snapshot(self, epoch + 1))
        return self.conclude()

    def judge(self, epoch: int, output: Array | None) -> None:
        """Finish the replicas that end at `epoch`: solved, diverged, or out of their budget; draw the curves.

        `output` is that of the training patterns at the current state, None where the sweep did not make it.
        It is made here only where somebody looks at it; the criterion looks at no more than it must.
        """
        point = self.point_at.get(epoch)
        last, late = epoch == self.plan.epochs, self.clock > self.plan.seconds
        looks = last or point is not None or epoch % LOOK_EVERY == 0
        if output is None and (looks or late):
            output = self.outputs()
        met = self.met(output)
        some_met = met.any()
        if output is None and some_met:
            output = self.outputs()
        if point is not None:
            self.draw_curves(point, output)
        if some_met:
            self.finish(met, SOLVED, epoch, self.share, output)
        if looks:
            self.look_for_divergence(epoch, self.share, output)
        if last or late:
            spent = f"budget of {'epochs' if last else 'seconds'} spent"
            self.finish(self.running.copy(), UNSOLVED, epoch, self.share, output, spent)

    def look(self, epoch: int) -> None:
        """Let whoever watches see the batch, if `epoch` is one they asked for."""
        if self.watch and epoch in self.watch.epochs:
            batch = Batch.of(self.data, epoch, self.task.objective)
            self.watch.look(
                Moment(epoch, self.algorithm, self.net, self.state, batch, self.rows, self.running)
            )

    def sweep(self, epoch: int) -> tuple[State, Array]:
        """One pass over the patterns;
        predictions at the old state only where one update is the whole sweep.
        """
        state = self.state
        for seen in self.shown():
            batch = Batch.of(seen, epoch, self.task.objective)
            state, output = self.algorithm.update(self.net, state, batch, self.noise)
            state = self.placed(state)
        return state, (output if self.updates_per_sweep == 1 else None)

    def shown(self) -> Iterator[Data]:
        """What the updates of a sweep see, one after another.

        Patterns are put into a sweep's order for as many updates at once as is quick, but never all of many:
        that would be a copy of the data for each replica.
        """
        parts, n = self.data[:3], self.data.x.shape[-2]
        if self.updates_per_sweep == 1 or not self.plan.shuffle:
            yield from (Data(*(a[..., i : i + self.size, :] for a in parts)) for i in range(0, n, self.size))
            return
        order = self.order.permutation(n)
        each = sum(prod(a.shape[1:]) for a in parts) // n
        at_once = max(1, AHEAD // (each * self.size)) * self.size
        for first in range(0, n, at_once):
            ordered = [self.placed(in_order(a, order[:, first : first + at_once])) for a in parts]
            for i in range(0, ordered[0].shape[-2], self.size):
                yield Data(*(a[..., i : i + self.size, :] for a in ordered))

    def outputs(self) -> Array:
        """Predictions for the training patterns at the current state."""
        parts = [self.predict(part.x) for part in in_parts(self.data)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-2)

    def predict(self, x: Array) -> Array:
        return self.algorithm.predict(self.net, self.state, x)

    def met(self, output: Array | None) -> NDArray[np.bool_]:
        """Which of the running replicas meet the criterion:
        on validation patterns if there are any, else by `output`, or by as much of it as it takes.
        """
        if self.data.validation is None and output is not None:
            return self.task.met(output, self.data, self.running)
        return met(self.task, self.predict, self.data.validation or self.data, self.running)

    def draw_curves(self, point: int, output: Array) -> None:
        rows = self.rows[self.running]
        self.result.loss_curve[rows, point] = self.task.cost(output, self.data)[self.running]
        self.result.right_curve[rows, point] = self.task.right(output, self.data).mean(axis=-1)[self.running]

    def look_for_divergence(self, epoch: Array, share: Array, output: Array, among: Array = True) -> None:
        """Finish those `among` the running (R,) whose weights or outputs are not finite or beyond BOUND."""
        for name, a in leaves({**self.state["params"], "output activity": output}):
            if np.abs(a).max() <= BOUND:  # false for NaN, too
                continue
            axes = tuple(range(1, a.ndim))
            big = ~(np.abs(a).max(axis=axes) <= BOUND) & self.running & among
            if big.any():
                finite = np.isfinite(a).all(axis=axes)
                for mask, what in ((big & ~finite, "not finite"), (big & finite, f"beyond {BOUND:g}")):
                    if mask.any():
                        self.finish(mask, DIVERGED, epoch, share, output, f"{name} {what}")

    def finish(
        self,
        mask: NDArray[np.bool_],
        outcome: str,
        epoch: Array,
        share: Array,
        output: Array,
        reason: str = "",
    ) -> None:
        """Note the replicas in `mask` (over the rows of the batch) as they stand at the current state.

        `epoch` and `share` are one number, or one for each row.
        """
        if not mask.any():
            return
        result, rows = self.result, self.rows[mask]
        epochs, seconds = (np.broadcast_to(a, mask.shape)[mask] for a in (epoch, share))
        result.outcome[rows], result.epochs[rows], result.reason[rows] = outcome, epochs, reason
        result.updates[rows], result.seconds[rows] = epochs * self.updates_per_sweep, seconds
        self.keep(self.final, "trained", rows, output[mask])
        for name in ("held", "validation"):
            if getattr(self.data, name) is not None:
                self.keep(self.final, name, rows, self.predicted(name, np.flatnonzero(mask)))
        for name, a in leaves(self.state["params"]):
            self.keep(self.result.weights, name, rows, a[mask])
        for name, a in self.algorithm.told(self.state).items():
            self.keep(self.result.told, name, rows, np.reshape(a, (len(mask), -1))[mask, 0])
        self.running = self.running & ~mask

    def predicted(self, part: str, which: NDArray[np.int64]) -> Array:
        """What some rows of the batch say to patterns that they are not trained on."""
        state = self.placed(tree_map(lambda a: a[which], self.state))
        x = self.placed(getattr(pick(self.data, which), part).x)
        return kept(self.algorithm, which).predict(self.net, state, x)

    def keep(self, into: dict[str, Array], name: str, rows: NDArray[np.int64], values: Array) -> None:
        if name not in into:
            into[name] = np.full((len(self.result.replica), *values.shape[1:]), np.nan, values.dtype)
        into[name][rows] = values

    def conclude(self) -> Trained:
        """Final loss, shares right and ends of curves, for all replicas at once, from their final outputs."""
        result, data, task = self.result, self.whole, self.of_all
        squared = SquaredError(task.margin)
        output = self.final["trained"]
        result.loss[:] = task.cost(output, data)
        result.right[:] = task.right(output, data).mean(axis=-1)
        for name, part in (("held", data.held), ("validation", data.validation)):
            if part is not None:
                error = squared.of(part.asked(self.final[name]), part.target, part.wanted)
                error, steps = (error.sum(axis=-1), part.target.shape[-3]) if part.time else (error, 1)
                count = steps * np.prod(part.target.shape[-2:])
                getattr(result, f"{name}_rmse")[:] = np.sqrt(2.0 * error / count)
                getattr(result, f"{name}_right")[:] = task.right(self.final[name], part).mean(axis=-1)
        if self.watch:
            result.credit = self.watch.found
            result.ran |= self.watch.said()
        over = self.points >= result.epochs[:, None]
        last_loss = np.where(np.equal(result.outcome, DIVERGED), np.inf, result.loss)
        result.loss_curve[:] = np.where(over, last_loss[:, None], result.loss_curve)
        result.right_curve[:] = np.where(over, result.right[:, None], result.right_curve)
        return result

    def compact(self) -> None:
        """Let those that are finished leave the batch."""
        stays = self.staying()
        if not stays.all():
            self.state = self.placed(tree_map(lambda a: a[stays], self.state))
            self.leave(stays)

    def leave(self, stays: NDArray[np.bool_]) -> None:
        """Let only the rows in `stays` be in the batch, their state aside."""
        self.rows = self.rows[stays]
        self.data = self.placed(pick(self.data, stays))
        self.algorithm, self.task = kept(self.algorithm, stays), kept(self.task, stays)
        self.order.keep(stays)
        self.noise.keep(stays)
        if self.watch:
            self.watch.keep(stays)
        self.running = self.running[stays]

    def staying(self) -> NDArray[np.bool_]:
        """Which rows a smaller batch has: those that run."""
        return self.running


def in_order(a: Array, order: Array) -> Array:
    """Patterns of a (R, N, k), or of (1, N, k) that all replicas share,
    in the order (R, N) of each replica: (R, N, k).

    Sequences (…, T, N, k) keep their steps in order.
    """
    if a.ndim == 4:
        return np.take_along_axis(a, order[:, None, :, None], axis=-2)
    return a[0][order] if len(a) == 1 else np.take_along_axis(a, order[..., None], axis=-2)
