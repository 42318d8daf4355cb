"""Processes as the system sees them, and one that hears Ctrl-C whoever started it."""

from __future__ import annotations

import sys
from pathlib import Path

# A shell's background jobs ignore SIGINT, children included: this hears it again, then becomes the command.
HEARING = [sys.executable, "-c"]
HEARING += ["import os, signal as s, sys; s.signal(s.SIGINT, s.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"]


def children(pid: int) -> list[int]:
    """Processes below one, workers and theirs."""
    below = [
        int(p) for task in Path(f"/proc/{pid}/task").glob("*/children") for p in task.read_text().split()
    ]
    return [*below, *(p for child in below for p in children(child))]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
