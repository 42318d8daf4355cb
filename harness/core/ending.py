"""A process that somebody started ends when that one does, however it ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import cache
from multiprocessing import parent_process
from multiprocessing.connection import wait


@cache
def end_with_parent() -> None:
    """Have this process end, its group with it where it leads one, as soon as the one that started it is
    gone.

    Nothing happens in a process that was started by a person, or by a scheduler.
    """
    if parent_process() is not None:
        threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    sentinel: int | None = parent.sentinel
    if sentinel is not None:
        wait([sentinel])
    else:  # a worker of joblib's is told nothing of its parent's end, and would hold its memory for good
        while os.getppid() == parent.pid:
            time.sleep(1)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
