"""The files of a record: sealed when they are written, and held to the seal when they are read.

cell.json is written last. It lists the SHA-256 of every other file, and of itself, so that a file that was
cut, mangled or lost is noticed by whoever reads it, before a number is taken from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import InputError
from harness.core.outcomes import FAILED, FINISHED, NOT_APPLICABLE
from harness.experiment.result import Result
from harness.store.names import is_cell_id

Columns = dict[str, NDArray[Any]]
Read = TypeVar("Read")
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
ROWS = 16  # of parquet to a byte, at most: of numbers as we write them, however alike, one takes half a byte
META = "cell.json"
SEAL, FILES = "seal", "files"  # in cell.json
NUMBERS = ("replicas", "curves", "histories", "credit", "probes")
RECORD = (META, "cost.json", "weights.npz", *(f"{name}.parquet" for name in NUMBERS))
"""All that the folder of a record has, or may have."""


class Damaged(InputError):
    """A file that is not what was written; `what` says which, and how that is known."""

    def __init__(self, sentence: str, what: str) -> None:
        super().__init__(sentence)
        self.what = what


def held(path: Path, read: Callable[[Path], Read], digest: str = "", mend: str = "") -> Read:
    """What `read` makes of a file.

    Args:
        path: the file.
        read: reads it; whatever it raises says that the file is not what was written.
        digest: of the file as it was written, where that is known.
        mend: what to do about a damaged one, to end the sentence.

    Raises:
        Damaged: if it is missing, is not what was written, or cannot be understood.
        InputError: if this machine cannot read it now, which is no fault of the file.
    """
    try:
        if digest and file_digest(path) != digest:
            raise ValueError("its contents are not those that were written")
        return read(path)
    except FileNotFoundError:
        why = "is missing"
    except OSError as error:
        # Arrow says in the same way that a file is cut
        if error.errno is not None:
            raise InputError(f"{path} cannot be read ({error.strerror})") from error
        why = _because(error)
    except Exception as error:  # the readers are three libraries, handed bytes that nobody vouches for
        why = _because(error)
    raise Damaged(f"{path} {why}{f': {mend}' if mend else ''}", f"{path.name} {why}")


def _because(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"is damaged ({lines[0][:120] if lines else type(error).__name__})"


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sealed(meta: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What cell.json is to hold: `meta`, the digests of the folder's other files, and its own."""
    files = {path.name: file_digest(path) for path in sorted(folder.iterdir()) if path.name != META}
    listed = {name: value for name, value in meta.items() if name != SEAL} | {FILES: files}
    return listed | {SEAL: _seal(listed)}


def read_meta(path: Path) -> dict[str, Any]:
    """What cell.json holds. Raises `ValueError` if it is not what was written."""
    meta = read_json(path)
    if missing := [
        name for name in ("id", "status", "reason", "algorithm", "task", "run") if name not in meta
    ]:
        raise ValueError(f"it does not say {missing[0]}")
    listed = {name: value for name, value in meta.items() if name != SEAL}
    if SEAL in meta and meta[SEAL] != _seal(listed):
        raise ValueError("its contents are not those that were written")
    named = meta.get(FILES, {})
    if not isinstance(named, dict) or not all(isinstance(each, str) for each in named.values()):
        raise ValueError("it lists no files")
    if strange := sorted(set(named) - set(RECORD)):
        raise ValueError(f"it lists {strange[0][:40]!r}, which no record has")
    if "versions" not in meta:
        raise ValueError("it does not say by what it was made")
    time.strptime(str(meta.get("made")), TIME_FORMAT)
    return about_cell(meta)


def about_cell(meta: dict[str, Any]) -> dict[str, Any]:
    """What cell.json, or the note of a failure, says of a cell, as it was given.

    A seal says that nobody changed it since, not that it was written by the harness: whoever reads takes
    names and shapes for granted, and makes paths of names.

    Raises:
        ValueError: for what neither of them says.
    """
    parts = [meta.get(part) for part in ("algorithm", "task", "run")]
    if not all(isinstance(part, dict) for part in [*parts, meta.get("versions", {}), meta.get("ran", {})]):
        raise ValueError("it does not say what the cell is")
    algorithm, task, run = (dict(part or {}) for part in parts)
    i = meta.get("id")
    if not is_cell_id(i) or not str(i).startswith(f"{task.get('name')}-{algorithm.get('name')}-"):
        raise ValueError("its id is not the cell's")
    if meta.get("status") not in (FINISHED, NOT_APPLICABLE, FAILED) or not isinstance(
        meta.get("reason"), str
    ):
        raise ValueError("it does not say what became of the cell")
    if type(run.get("replicas")) is not int or run["replicas"] < 1:
        raise ValueError("it does not say how many replicas there are")
    if "epochs" not in run or type(run["epochs"]) not in (int, type(None)):
        raise ValueError("it does not say how many epochs a replica may run")
    optimiser = algorithm.get("optimiser")
    if optimiser is not None and not (isinstance(optimiser, dict) and isinstance(optimiser.get("name"), str)):
        raise ValueError("it does not say what takes the steps")
    return meta


def _seal(listed: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()


def json_text(value: Mapping[str, Any]) -> str:
    """A mapping as the store writes it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def read_json(path: Path) -> dict[str, Any]:
    """A mapping as the store wrote it. Raises `ValueError` if it is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested deeper than anything that is kept") from error
    if not isinstance(value, dict):
        raise ValueError("it holds no names and values")
    return value


def write_columns(path: Path, columns: Columns) -> None:
    """Columns of one length as parquet: words by a dictionary, which only takes time where numbers differ."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    words = [name for name, values in columns.items() if values.dtype.kind in "UO"]
    table = pa.table({name: _arrow(values) for name, values in columns.items()})
    pq.write_table(table, path, use_dictionary=words, store_schema=False)


def _arrow(values: np.ndarray) -> Any:
    """An array as Arrow has it, built from its buffers:
    `pyarrow.array` would import pandas only to ask whether `values` is one of its own.
    """
    import pyarrow as pa

    values, size = np.ascontiguousarray(values), len(values)
    if values.dtype.kind in "UO":
        encoded = [str(each).encode() for each in values]
        ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
        return pa.Array.from_buffers(
            pa.string(), size, [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
        )
    bits = np.packbits(values, bitorder="little") if values.dtype == bool else values
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), size, [None, pa.py_buffer(bits)])


def read_columns(path: Path) -> Columns:
    """The columns of a parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # small files: without threads, and out of memory, five times faster than `read_table`
    content = path.read_bytes()
    file = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False)
    if file.metadata.num_rows > ROWS * len(content):
        raise ValueError(f"it says that it has {file.metadata.num_rows} rows, which it is too small for")
    table = file.read(use_threads=False)
    return {name: _numpy(table.column(name)) for name in table.column_names}


def _numpy(column: Any) -> np.ndarray:
    """What `_arrow` made, read back; `to_numpy`, which imports pandas too, is for what others made."""
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    kind, start, end = str(array.type), array.offset, array.offset + len(array)
    if array.null_count or kind not in ("bool", "double", "float", "int64", "string"):
        return np.asarray(column.to_numpy())
    if kind == "string":
        return np.array(array.to_pylist(), dtype=object)
    values = array.buffers()[1]
    if kind == "bool":
        packed = np.frombuffer(values, np.uint8)
        return np.unpackbits(packed, count=end, bitorder="little")[start:].astype(bool)
    return np.frombuffer(values, {"double": "f8", "float": "f4", "int64": "i8"}[kind])[start:end].copy()


def read_arrays(path: Path) -> Columns:
    """The arrays of an npz file; nothing in it is run, and it takes no more memory than it is long."""
    with zipfile.ZipFile(path) as inside:
        if sum(each.file_size for each in inside.infolist()) > path.stat().st_size:
            raise ValueError("it says that it holds more than it is long")
    with (
        path.open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):  # NumPy does not close bad ones
        return {name: arrays[name] for name in arrays.files}


def write_record(
    folder: Path, meta: Mapping[str, Any], result: Result | None, cost: Mapping[str, Any] | None
) -> None:
    """Make the folder of a record, which is on the disk when this returns."""
    folder.mkdir()
    if result:
        write_columns(folder / "replicas.parquet", result.columns())
        write_columns(folder / "curves.parquet", result.curve_columns())
        t = result.trained
        write_columns(
            folder / "histories.parquet", {"loss": t.loss_curve.ravel(), "right": t.right_curve.ravel()}
        )
        if t.credit:
            write_columns(folder / "credit.parquet", result.credit_columns())
            write_columns(folder / "probes.parquet", {name: each.ravel() for name, each in t.credit.items()})
        (folder / "cost.json").write_text(json_text(cost or {}), encoding="utf-8")
        np.savez(folder / "weights.npz", allow_pickle=False, **t.weights)
    (folder / META).write_text(json_text(sealed(meta, folder)), encoding="utf-8")
    for path in [*folder.iterdir(), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
