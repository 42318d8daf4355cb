"""Run one cell: an algorithm on a task over R replicas, in chunks that fit the cache.

    print(run(Backprop(), Xor(), replicas=1000, seed=0))

Knows nothing of Hydra, MLflow or files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from harness.cells.cell import Cell
from harness.cells.room import refuse, start_bytes
from harness.cells.settings import Settings, resolve
from harness.core import registry
from harness.core.algorithm import Algorithm, CreditAlgorithm
from harness.core.ending import end_with_parent
from harness.core.errors import InputError, one_of
from harness.core.task import Task
from harness.experiment.chunks import chunk_size, in_order, join, split
from harness.experiment.kept import NOTHING, Keeper
from harness.experiment.result import Result
from harness.training.curves import drawn_at
from harness.training.plan import Plan
from harness.training.preflight import preflight
from harness.training.snapshot import Checkpoint
from harness.training.train import train
from harness.training.trained import Trained
from harness.training.watch import Watch

if TYPE_CHECKING:
    from harness.experiment.bar import Bar

Tick = Callable[[int], None]
COLUMNS = 15 * 8  # bytes of what is kept of a replica beside its curves and weights
PROCESS = 30 * 10**6  # bytes of a Python process with NumPy


def run(
    algorithm: Algorithm | type[Algorithm] | str,
    task: Task | type[Task] | str,
    tick: Tick | None = None,
    only: Sequence[int] | None = None,
    progress: bool = True,
    **settings: Any,
) -> Result:
    """Train replicas of an algorithm on a task, and say what became of each.

    Divergence is an outcome, and raises nothing.

    Args:
        algorithm, task: what is trained on what; a class or a name stands for its defaults.
        tick: is told each epoch that is reached.
        only: run just these replicas of the cell; they give the bits they have in it.
        progress: whether a terminal or a notebook shows a bar, if it takes longer than half a second.
        settings: fields of `harness.cells.settings.Settings`: replicas, seed, epochs (budget in sweeps),
            seconds (budget of updates), batch, shuffle, dtype, backend, device, probe, probe_draws,
            processes, unchecked.

    Returns:
        Outcome, epochs, curves and weights of every replica.

    Raises:
        InputError: for settings that cannot be.
        NotApplicable: if the algorithm cannot do the task.

    >>> from algorithms.backprop import Backprop
    >>> from harness.tasks.xor import Xor
    >>> result = run(Backprop(), Xor(), replicas=4, epochs=10, seed=0)
    >>> result.frame()["outcome"].tolist()
    ['unsolved', 'unsolved', 'unsolved', 'unsolved']
    """
    from harness.experiment.bar import check_progress

    known = [*(f.name for f in fields(Settings)), "tick", "only", "progress"]
    for name in settings:
        one_of("setting", name, known)
    parts = registry.an_algorithm(algorithm), registry.a_task(task)
    check_progress(progress)
    if tick is not None and not callable(tick):
        raise InputError(f"tick must be a function of an epoch, or None, but {tick!r} was given")
    return run_cell(*parts, Settings(**settings), tick, only, progress)


# what help() and editors show: the settings themselves, with their defaults
run.__signature__ = signature(run).replace(  # type: ignore[attr-defined]  # read by inspect
    parameters=[
        *(p for p in signature(run).parameters.values() if p.kind is not Parameter.VAR_KEYWORD),
        *(
            Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=f.type)
            for f in fields(Settings)
        ),
    ]
)


def run_cell(
    algorithm: Algorithm,
    task: Task,
    settings: Settings,
    tick: Tick | None = None,
    only: Sequence[int] | None = None,
    progress: bool = False,
    keeper: Keeper | None = None,
) -> Result:
    """`run` with its settings in one piece, and no bar unless it is asked for.

    What a `keeper` has of it is not trained again; it is handed what becomes of the rest.
    """
    from harness.experiment.bar import bar  # here, so that no record's key follows how a bar looks

    algorithm, task, settings = resolve(algorithm, task, settings)
    _check_room(algorithm, task, settings, settings.replicas if only is None else len(only))
    numbers = list(range(settings.replicas) if only is None else only)
    if not numbers or not all(0 <= i < settings.replicas for i in numbers):
        raise InputError(
            f"only must name replicas from 0 to {settings.replicas - 1}, but {numbers} was given"
        )
    if not settings.unchecked:
        with threadpool_limits(1, user_api="blas"):
            preflight(algorithm, task, settings)
    size, backend, why = chunk_size(task, settings), settings.backend, ""
    probe = settings.probe, settings.probe_draws
    before = keeper.before().among(numbers) if keeper else NOTHING

    def jobs(processes: int) -> list[tuple[Plan, list[int]]]:
        chunks = before.left(split(numbers, size, processes))
        return [(Plan.of(settings, len(chunk) / len(numbers)), chunk) for chunk in chunks]

    if backend == "auto" and before.backend:
        backend = before.backend
    if backend == "auto":
        from harness.experiment.choose_backend import choose

        backend, why = choose(algorithm, task, jobs(1))
    # compiled code has other bits for other sizes of a batch: these must not depend on the processes
    work = jobs(settings.processes if backend == "numpy" else 1)
    epochs, parts = settings.epochs or 0, list[Trained]()

    def over(part: Trained) -> None:
        parts.append(part)
        if keeper:
            keeper.finish(part)

    def kept_in(job: tuple[Plan, list[int]]) -> Checkpoint | None:
        return keeper.batch(job[1]) if keeper else None

    train_one = partial(_train_alone, algorithm, task, backend, probe)
    with bar(f"{task.name} {algorithm.name}", len(work) * epochs, shown=progress) as at:
        if settings.processes == 1 or len(work) <= 1:
            for i, job in enumerate(work):
                over(train_one(*job, kept_in(job), tick=_told(tick, at, i * epochs)))
        else:
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context

            _can_be_found(algorithm, task)
            # spawned, not forked: a fork would copy the threads' locks of whoever calls us
            context = get_context("spawn")
            with ProcessPoolExecutor(_workers(settings), mp_context=context, initializer=_begin) as pool:
                for part in pool.map(train_one, *zip(*((*job, kept_in(job)) for job in work), strict=True)):
                    over(part)
                    at.done = len(parts) * epochs
    parts += [before.done] if before.done else []
    trained = in_order(join(parts), numbers)
    if why:
        from harness.experiment.choose_backend import came

        trained.ran["why"] = came(why, parts)
    return Result(algorithm, task, settings, trained)


def _begin() -> None:
    """What a process of a cell's own does first."""
    end_with_parent()
    registry.algorithms()  # units and losses of plug-ins, too


def _told(tick: Tick | None, at: Bar, before: int) -> Tick:
    """What a chunk tells its epochs to: whoever asked, and the bar, at `before` when the chunk begins."""

    def told(epoch: int) -> None:
        at.done = before + epoch
        if tick:
            tick(epoch)

    return told


def complete(cell: Cell, done: Trained, *, progress: bool = False, keeper: Keeper | None = None) -> Result:
    """A cell of which the first replicas are `done`, interpreted: the others are run, interpreted, too."""
    count, parts = len(done.replica), [done]
    if count < cell.settings.replicas:
        settings = replace(cell.settings, backend="numpy")
        others = range(count, settings.replicas)
        run_of = run_cell(cell.algorithm, cell.task, settings, only=others, progress=progress, keeper=keeper)
        parts.append(run_of.trained)
    return Result(cell.algorithm, cell.task, cell.settings, join(parts))


def _can_be_found(*parts: Any) -> None:
    """Raise `InputError` for a class that no other process can import."""
    for cls in (type(part) for part in parts):
        file = getattr(sys.modules.get(cls.__module__), "__file__", None)
        if cls.__module__ == "__main__" and not (file and Path(file).is_file()):
            raise InputError(
                f"{cls.__name__} is defined in this session, where other processes cannot find it: "
                "leave processes at 1, or put the class into a file and import it"
            )


def check_room(cell: Cell) -> None:
    """Raise `InputError` if a cell does not fit into the memory there is; nothing is made for that."""
    if not (cell.not_applicable or cell.broken):
        _check_room(cell.algorithm, cell.task, cell.settings, cell.settings.replicas)


def _check_room(algorithm: Algorithm, task: Task, settings: Settings, replicas: int) -> None:
    """What all replicas leave and the first chunk of them starts from, beside the other processes."""
    each = COLUMNS + 2 * 8 * len(drawn_at(task, Plan.of(settings)))
    if isinstance(algorithm, CreditAlgorithm):  # others may have weights of their own, and fewer
        each += task.network().size * np.dtype(settings.dtype).itemsize
    chunk = start_bytes(algorithm, task, settings.dtype, min(replicas, chunk_size(task, settings)))
    others = min(_workers(settings), replicas) - 1
    what = f"{algorithm.name} on {task.name} with replicas={replicas}"
    what += f" and processes={settings.processes}" if others else ""
    refuse(replicas * each + chunk + others * PROCESS, what)


def _workers(settings: Settings) -> int:
    return min(settings.processes, os.cpu_count() or 1)


def _train_alone(
    algorithm: Algorithm,
    task: Task,
    backend: str,
    probe: tuple[int, int],
    plan: Plan,
    replicas: list[int],
    checkpoint: Checkpoint | None = None,
    tick: Tick | None = None,
) -> Trained:
    # several BLAS threads are slower on small matrices, and change bits
    with threadpool_limits(1, user_api="blas"):
        if backend == "numpy":
            return train(algorithm, task, plan, replicas, tick, _watch(plan, replicas, *probe), checkpoint)
        from harness.compiling import driver
        from harness.compiling.behind import CannotCompile

        try:
            return driver.train(
                algorithm, task, plan, replicas, tick, _watch(plan, replicas, *probe), checkpoint
            )
        except CannotCompile as reason:
            trained = train(algorithm, task, plan, replicas, tick, _watch(plan, replicas, *probe), checkpoint)
            trained.ran["why"] = f"not compiled: {reason}"
            return trained


def _watch(plan: Plan, replicas: list[int], points: int, draws: int) -> Watch | None:
    """The credit probe, if there is to be one."""
    if not points:
        return None
    # here, so that what a cell without it is called does not depend on it
    from harness.credit.probe import Probe

    return Probe(plan, replicas, points, draws)
