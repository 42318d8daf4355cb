"""Processes that are handed jobs one after another; one that is killed takes no other's job with it.

`concurrent.futures` and loky give up the whole pool when a worker dies, of memory that ran out, say. Here the
job that it was at is `Lost`, another process takes its place, and all other jobs are done. Every worker leads
a process group of its own: Ctrl-C reaches only whoever started it, who ends the group, the worker's own
processes among it, also when the worker was killed. If that one is killed itself, the workers notice and end.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, TypeVar

from harness.core.ending import end_with_parent

Job = TypeVar("Job")
Done = TypeVar("Done")


class Lost(NamedTuple):
    """What stands for the result of a job that has none."""

    reason: str


def cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(work: Callable[[Job], Done], jobs: Sequence[Job], workers: int) -> list[Done | Lost]:
    """`work(job)` for every job, in `workers` processes; in the order of the jobs, which are begun in it.

    Args:
        work: a function that can be pickled. What it raises makes its job `Lost`.
        jobs: what can be pickled.
        workers: processes at a time; there are never more than jobs.
    """
    waiting, done = deque(enumerate(jobs)), dict[int, Any]()
    busy: dict[Connection, tuple[_Worker, int]] = {}

    def hand_on(worker: _Worker) -> None:
        i, job = waiting.popleft()
        busy[worker.connection] = worker, i
        with suppress(BrokenPipeError):  # it died at its start: reading from it will say so
            worker.connection.send(job)

    try:
        for _ in range(min(workers, len(jobs))):
            hand_on(_Worker(work))
        while busy:
            for connection in wait(list(busy)):
                worker, i = busy[connection]  # type: ignore[index]  # only connections are waited for
                try:
                    done[i], alive = worker.connection.recv(), True
                except (EOFError, OSError):
                    done[i], alive = Lost(worker.death()), False
                del busy[worker.connection]
                if waiting:
                    hand_on(worker if alive else _Worker(work))
                else:
                    worker.dismiss()
    finally:
        for worker, _ in busy.values():
            worker.kill()
    return [done[i] for i in range(len(jobs))]


class _Worker:
    """A process that waits for jobs."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        context = get_context("spawn")  # a fork would copy the locks of our threads
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_lead, args=(_serve, (theirs, work)))
        self.process.start()
        theirs.close()

    def death(self) -> str:
        """How it ended, in words; what it had started ends, too."""
        wait([self.process.sentinel])
        _end_group(self.process, signal.SIGKILL)  # before it is waited for, and its number another's
        self.process.join()
        code = self.process.exitcode or 0
        return (
            f"its worker was killed by {signal.Signals(-code).name}"
            if code < 0
            else f"its worker ended with code {code}"
        )

    def dismiss(self) -> None:
        """Let it end: there are no more jobs."""
        self.connection.close()
        self.process.join()

    def kill(self) -> None:
        """End it, and all that it has started."""
        _end_group(self.process, signal.SIGKILL)
        self.process.join()


@contextmanager
def tended(work: Callable[..., None], *arguments: Any) -> Iterator[BaseProcess]:
    """A process that does `work(*arguments)`, and ends with the block or with this process, however that
    ends; whatever it has started ends with it.
    """
    process = get_context("spawn").Process(target=_lead, args=(work, arguments))
    process.start()
    try:
        yield process
    finally:
        for end in (signal.SIGTERM, signal.SIGKILL):
            _end_group(process, end)
            process.join(3)


def _lead(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    end_with_parent()
    work(*arguments)


def _end_group(process: BaseProcess, end: signal.Signals) -> None:
    try:
        os.killpg(process.pid or 0, end)
    # no groups here, or it has not come to lead one
    except (AttributeError, ProcessLookupError, PermissionError):
        process.kill()


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            done = work(job)
        except Exception as error:
            done = Lost(f"{type(error).__name__}: {error}")
        connection.send(done)
