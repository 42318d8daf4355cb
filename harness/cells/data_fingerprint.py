"""The fingerprint of a task's data: what a record's key knows of them, so that other data are another cell.

The code says how data are read or made, but not what is in a file. A fingerprint hashes the arrays
themselves: dtype, shape and bytes. What a task makes by a rule is made and hashed once for all tasks of the
same settings. What a task reads (`Task.source`) is asked for every time, and hashed once if it comes as the
same array that nobody can write to; in blocks, so that a memory map is never loaded whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from harness.core.data import Data
from harness.core.errors import InputError
from harness.core.rand import SPLIT, Rand
from harness.core.task import Task

BLOCK = 2**22  # bytes hashed at a time
_hashed: dict[int, tuple[ref[NDArray[Any]], str]] = {}


def data_fingerprint(task: Task) -> str:
    """A hash (12 hex digits) of all numbers that the task's data are made of.

    Raises what the task raises if its data cannot be had: a file that is missing has its sentence there.
    """
    source = task.source() if _says_its_source(type(task)) else ()
    if source:
        return _of_arrays(source)
    try:
        return _of_settings(task)
    except TypeError as error:
        if "unhashable" not in str(error):  # a list among its settings
            raise
        return _of_settings.__wrapped__(task)


def array_fingerprint(array: NDArray[Any]) -> str:
    """A hash (64 hex digits) of an array's dtype, shape and bytes, read block by block."""
    if array.dtype.hasobject:
        raise InputError(
            f"data must be numbers or bits, but an array of Python objects of shape {array.shape} was given"
        )
    known = _hashed.get(id(array))
    if known is not None and known[0]() is array:
        return known[1]
    kind = array.dtype.newbyteorder("<")  # the same numbers, whichever byte a file has first
    digest = hashlib.sha256(f"{kind.str} {array.shape}".encode())
    for block in _blocks(array):
        digest.update(np.ascontiguousarray(block, kind).view(np.uint8).data)
    text = digest.hexdigest()
    if not array.flags.writeable:  # others may hold other numbers when we are asked again
        key = id(array)
        _hashed[key] = ref(array, lambda _: _hashed.pop(key, None)), text
    return text


def _says_its_source(cls: type[Task]) -> bool:
    """Whether `source` speaks for the data:
    not where a subclass has other data (`data`) and does not say of what.
    """
    owner = next(c for c in cls.__mro__ if "source" in vars(c) or "data" in vars(c))
    return "source" in vars(owner)


@cache
def _of_settings(task: Task) -> str:
    """Of a task that does not say what it reads: equal tasks have equal data, so they are made once."""
    x, wanted, _, target = task.patterns()
    patterns = [a for a in (x, wanted, target) if a is not None]
    # usually data are the patterns, split by code; others may come from anywhere, and those of one replica
    # stand for all
    drawn = [] if type(task).data is Task.data else list(_flat(task.data(Rand(0, [0], SPLIT), np.float64)))
    return _of_arrays([*patterns, *drawn])


def _of_arrays(arrays: Any) -> str:
    text = " ".join(array_fingerprint(np.asanyarray(a)) for a in arrays)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _flat(data: Data) -> Iterator[Any]:
    yield from data[:3]
    for part in (data.held, data.validation):
        if part is not None:
            yield from _flat(part)


def _blocks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The array in order, in flat pieces of about `BLOCK` bytes."""
    if array.nbytes <= BLOCK or array.ndim == 0:
        yield array.reshape(-1)
        return
    rows = max(1, BLOCK * len(array) // array.nbytes)
    for start in range(0, len(array), rows):
        part = array[start : start + rows]
        yield from _blocks(part[0]) if rows == 1 and part.nbytes > BLOCK else [part.reshape(-1)]
