"""A scheduler's signal ends a job, and is no failure of the cell it was at.

Who runs jobs on a cluster says by a signal that a job must go (SLURM, before its time is over), and what
hears it there, such as submitit's handler, has the job queued again and raises `SystemExit`. In the middle of
a cell that would look as if the cell's own code had ended the process, which is noted as the failure of that
cell, and the job would go on to the next one.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

SIGNALS = [
    getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2", "SIGTERM", "SIGCONT") if hasattr(signal, name)
]


class Ended(BaseException):
    """What a handler raised, as something that no cell's code is taken to have raised."""

    def __init__(self, raised: BaseException) -> None:
        self.raised = raised


@contextmanager
def aside() -> Iterator[None]:
    """Inside the block, what a signal's handler raises goes past all that tries a cell, and out of the block
    as what it was.
    """
    if threading.current_thread() is not threading.main_thread():  # no other can have handlers
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, partial(_call, handler))
        yield
    except Ended as end:
        raise end.raised from None
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)


def _call(handler: Callable[..., Any], number: int, frame: Any) -> None:
    try:
        handler(number, frame)
    except BaseException as error:
        raise Ended(error) from error
