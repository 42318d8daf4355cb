"""Sizes of batches, of which there are few, and arrays that are made as long as that."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.core.data import Data

Array = Any


def few_sizes(n: int) -> int:
    """n rounded up to four significant bits: at most an eighth more, and few different ones."""
    step = 1 << max(0, n.bit_length() - 4)
    return -(-n // step) * step


def part_of(data: Data, rows: slice) -> Data:
    """The data of some rows; patterns that all replicas share stay shared."""
    x, target, wanted = (a if len(a) == 1 else a[rows] for a in data[:3])
    return Data(x, target, wanted, None, None if data.validation is None else part_of(data.validation, rows))


def padded(data: Data, size: int) -> Data:
    """The data of that many replicas, the last of them like the first; shared patterns stay shared."""
    x, target, wanted = (a if len(a) == 1 else pad(a, size) for a in data[:3])
    return Data(x, target, wanted, None, None if data.validation is None else padded(data.validation, size))


def pad(a: Array, size: int) -> Array:
    """An array of that many replicas, the last of them like the first."""
    return a if len(a) == size else np.concatenate([a, np.repeat(a[:1], size - len(a), axis=0)])
