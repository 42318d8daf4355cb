"""One process at a time: a lock that is a file, and falls with whoever held it.

Where a file system keeps no locks, two processes could be at a database at once, and a mark of our own would
outlive whoever was killed: it is said in a sentence instead. Records need no lock (`store/store.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP
from pathlib import Path

from harness.core.errors import InputError

SOON = 2.0  # seconds that another process may be at it before it is said
LOCKLESS = (ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Inside the block nobody else holds the lock that is at `path`.

    Args:
        path: of a file, which is made and stays.
        wait: for who holds it, which is said if it takes more than `SOON`; else the block is told False.

    Raises:
        InputError: if the file system keeps no locks.
        OSError: if the file cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, fallback_to_soft=False)
    mine = True
    try:
        try:
            lock.acquire(timeout=SOON if wait else 0)
        except Timeout:
            if wait:
                print("harness: another process is sending to MLflow: waiting for it", file=sys.stderr)
                lock.acquire()
            else:
                mine = False
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in LOCKLESS:
            raise
        raise InputError(
            f"MLflow is not told: the file system of {path.parent} keeps no locks, without which two "
            "processes could write into a tracker at once: keep the store on another (store=…), or leave "
            "MLflow out (tracking.enabled=false); records are safe, they need none"
        ) from error
    try:
        yield mine
    finally:
        lock.release()
