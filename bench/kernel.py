"""The yardstick of the compiled loop: `bench/kernel.c`, compiled with the system's C compiler when asked for.

Without -ffast-math: it would undo the rounding in the kernel's exponential.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.contest import Contestant, Start

SOURCE = Path(__file__).with_name("kernel.c")
FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")
LANES = 4  # networks in a vector: what a register of 256 bits holds
ALIGNED = 8 * LANES


def compiler() -> str | None:
    """The system's C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def missing(start: Start) -> str | None:
    """Why there is no kernel for these networks; None where there is one."""
    groups = start.task.network().groups
    if len(groups) != 3 or len(start.data.x) > 1:
        return "which has chains of two layers on shared patterns only"
    return None if compiler() else "for there is no C compiler (cc, gcc or clang) on the path"


def prepared(start: Start, folder: Path) -> Contestant:
    """A function that trains the networks of `start` from the beginning, compiled into `folder`."""
    net = start.task.network()
    sizes = [group.size for group in net.groups]
    names = dict(
        zip(("IN", "HIDDEN", "OUT"), sizes, strict=True), PATTERNS=start.data.x.shape[-2], LANES=LANES
    )
    library = folder / f"{start.task.name}.so"
    found = compiler()
    assert found is not None
    defines = [f"-D{name}={value}" for name, value in names.items()]
    subprocess.run([found, *FLAGS, *defines, "-o", str(library), str(SOURCE)], check=True)
    train = ctypes.CDLL(str(library)).train
    count = len(next(iter(start.params.values())))
    blocks = -(-count // LANES)
    keys = [key for e in net.edges for key in (e, e.target)]
    flat = np.concatenate([start.params[key].reshape(count, -1) for key in keys], axis=1)
    flat = np.concatenate([flat, np.repeat(flat[:1], blocks * LANES - count, axis=0)])
    first = flat.reshape(blocks, LANES, -1).swapaxes(1, 2)
    x, target, wanted = (a[0] for a in start.data[:3])
    shared = [np.ascontiguousarray(a, float) for a in (x, target, np.where(wanted, 1.0, -1.0))]

    def run(epochs: int) -> tuple[dict[Any, NDArray[Any]], NDArray[np.int64]]:
        weights, velocities = (aligned(first.shape, np.float64) for _ in range(2))
        ended = aligned((blocks, LANES), np.int64)
        weights[:], ended[:] = first, -1
        given = [a.ctypes.data_as(ctypes.c_void_p) for a in (weights, velocities, ended, *shared)]
        rates = [ctypes.c_double(number) for number in (start.lr, start.momentum, start.edge)]
        train(*given, ctypes.c_long(blocks), ctypes.c_long(epochs), *rates)
        rows = weights.swapaxes(1, 2).reshape(blocks * LANES, -1)[:count]
        ends = np.cumsum([start.params[key][0].size for key in keys])
        parts = np.split(rows, ends[:-1], axis=1)
        last = {key: part.reshape(start.params[key].shape) for key, part in zip(keys, parts, strict=True)}
        return last, ended.reshape(-1)[:count]

    return run


def aligned(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Zeros that begin where a vector may."""
    size = int(np.prod(shape)) * 8
    raw = np.zeros(size + ALIGNED, np.uint8)
    skip = -raw.ctypes.data % ALIGNED
    return raw[skip : skip + size].view(dtype).reshape(shape)
