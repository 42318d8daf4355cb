"""How far a study is, whoever runs its cells:
read from the store, so that any launcher that shares its disk will do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from harness.store.store import Store

EVERY = 0.2  # seconds between looks


def over(store: Store, cell_ids: Sequence[str]) -> list[str]:
    """Those of the cells that are finished or have failed."""
    return [i for i in cell_ids if store.has(i) or store.failures([i])]


@contextmanager
def watching(store: Store, cell_ids: Sequence[str], tell: Callable[[str], None]) -> Iterator[None]:
    """Inside the block, `tell` hears the id of each cell that is over,
    from another thread, soon after it is.
    """
    done = threading.Event()

    def watch() -> None:
        waiting = list(cell_ids)
        while not done.wait(EVERY):
            for i in over(store, waiting):
                waiting.remove(i)
                tell(i)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
