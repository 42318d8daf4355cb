"""Whether there is room in memory, found from shapes before anything is made.

What is counted is a lower bound, in whole numbers of Python's that cannot overflow: what is refused would not
have fitted, what is let through may still be too much.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from harness.core.algorithm import Algorithm
from harness.core.errors import InputError
from harness.core.task import Task

CGROUP = Path("/sys/fs/cgroup")


def machine() -> int:
    """Bytes of memory there are for us: the machine's, or less where a limit is set on our processes."""
    limits = [sys.maxsize]
    if hasattr(os, "sysconf") and {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= set(os.sysconf_names):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(ImportError):  # not on every system
        import resource

        limits += [soft for soft, _ in [resource.getrlimit(resource.RLIMIT_AS)] if soft >= 0]
    return min([*limits, *_of_containers()])


def start_bytes(algorithm: Algorithm, task: Task, dtype: str, replicas: int) -> int:
    """Bytes that a start of so many replicas takes at the least: weights, state and patterns."""
    spec, net = task.spec(), task.network()
    patterns = spec.patterns * max(spec.steps, 1) * (net.input_size + net.output.size)
    state = replicas * max(net.size, algorithm.held(net))
    return (patterns + state) * np.dtype(dtype).itemsize


def refuse(needed: int, what: str) -> None:
    """Raise `InputError` if `what` needs more bytes than there are."""
    if needed > (there := machine()):
        raise InputError(
            f"{what} would take {in_units(needed)} of memory or more, "
            f"but this machine has {in_units(there)}: choose fewer replicas, patterns or units"
        )


def in_units(count: int) -> str:
    """Bytes in words: 1.2 GB."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            break
        count //= 1000
    return f"{count:,} {unit}" if count < 10**9 else f"10^{len(str(count)) - 1} {unit}"


def _of_containers() -> list[int]:
    """The limits of control groups that we are in, version 2 and 1, from the innermost out."""
    try:
        groups = Path("/proc/self/cgroup").read_text(encoding="utf-8").split("\n")
    except OSError:
        return []
    limits = []
    for line in groups:
        _, _, rest = line.partition(":")
        kinds, _, inside = rest.partition(":")
        if kinds not in ("", "memory") or not inside:
            continue
        root, name = (CGROUP, "memory.max") if not kinds else (CGROUP / "memory", "memory.limit_in_bytes")
        place = root / inside.lstrip("/")
        for folder in (place, *place.parents):
            with suppress(OSError, ValueError):  # not there, or "max"
                limits.append(int((folder / name).read_text(encoding="utf-8")))
            if folder == root:
                break
    return limits
