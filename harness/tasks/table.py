"""A table of one's own: rows are patterns, columns are inputs and targets, of classes or of numbers.

    python -m harness task=table task.file=mine.csv task.targets=[species] algorithm=backprop

The rows are split once into training, validation and test, the same for every rule and replica; the criterion
looks at the validation rows, and the test rows are reported at the end. Without a file it is the iris table,
150 flowers of three species (Fisher 1936, Annals of Eugenics 7:179-188).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harness.core.data import Data, Patterns, Published, Spec, Usual, shared
from harness.core.errors import InputError, unknown
from harness.core.network import Network
from harness.core.rand import Rand
from harness.core.setting import check, setting
from harness.core.task import Array, Task
from harness.core.units import UNITS

IRIS = Path(__file__).with_name("iris.csv")
FEW = 20  # distinct whole numbers, up to which a target column is taken for classes
Columns = dict[str, NDArray[Any]]


class Encoded(NamedTuple):
    """All rows as numbers."""

    x: NDArray[np.float64]
    """Inputs (N, input size): numbers as they are read, words as one unit for each."""
    y: NDArray[np.float64]
    """Targets (N, outputs): of classes 0 or 1, one of them on."""
    classes: tuple[str, ...]
    """What the outputs stand for, where they are classes."""


@dataclass(frozen=True)
class Table(Task):
    """The rows of a CSV, Parquet or npz file: inputs-H-…-outputs, decided on validation rows."""

    file: str = setting(
        "", "A file .csv, .parquet or .npz (an array for each column); empty for the iris table."
    )
    inputs: tuple[str, ...] = setting((), "Columns that are seen; empty: all but the targets.")
    targets: tuple[str, ...] = setting((), "Columns to be told; empty: the last one.")
    kind: Literal["auto", "classes", "numbers"] = setting(
        "auto",
        "What the targets are; auto: classes where one column holds words, or at most 20 different whole "
        "numbers.",
    )
    standardise: bool = setting(
        True, "Take off the training rows' mean of every input, and divide by their standard deviation."
    )
    validation: float = setting(0.2, "The share of rows that the criterion looks at.", at_least=0, below=1)
    test: float = setting(0.2, "The share of rows that are reported at the end.", at_least=0, below=1)
    split: int = setting(0, "Which split: another number, other rows in each part.", at_least=0)
    criterion: str = "largest"
    share: float = setting(0.95, "The share of validation rows that must be right.", above=0, at_most=1)
    init: str = "glorot"
    hidden: tuple[int, ...] = setting((8,), "Units of each hidden layer; [] for none.", at_least=1)
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(lr=0.05, momentum=0.9, scale=0.1, epochs=300, batch=16)
    published: ClassVar[tuple[Published, ...]] = ()

    def __post_init__(self) -> None:
        check(self)
        if self.criterion == "error" and self.share == type(self).share:
            object.__setattr__(self, "share", 1.0)  # a share is of rows that are right; errors are summed
        super().__post_init__()
        if self.is_classes != (self.criterion == "largest"):
            what = "classes" if self.is_classes else "numbers"
            raise InputError(
                f"the targets of {self._called} are {what}: "
                + ("criterion=largest is" if self.is_classes else "criterion=error with a bound is")
                + f" for them, but criterion={self.criterion} was given"
            )
        shares = (1.0, self.validation, self.test)
        if any(share and not len(rows) for share, rows in zip(shares, self.parts, strict=True)):
            raise InputError(
                f"{self._called} has {len(self.encoded.x)} rows: validation={self.validation:g} and "
                f"test={self.test:g} leave a part without any"
            )

    @property
    def _called(self) -> str:
        return Path(self.file or IRIS).name

    @cached_property
    def columns(self) -> Columns:
        """The file's columns by name."""
        path = Path(self.file).expanduser() if self.file else IRIS
        try:
            return _read(str(path), path.stat().st_mtime_ns)
        except OSError as error:
            raise InputError(
                f"the file {self.file!r} of the table cannot be read: {error.strerror or error}"
            ) from error

    @cached_property
    def _chosen(self) -> tuple[list[str], list[str]]:
        """Names of the input columns and of the targets."""
        names = list(self.columns)
        targets = list(self.targets) or names[-1:]
        inputs = list(self.inputs) or [name for name in names if name not in targets]
        for which, given in (("inputs", inputs), ("targets", targets)):
            for name in given:
                if name not in names:
                    raise unknown(f"column of {self._called} in {which}", name, names)
        if both := sorted(set(inputs) & set(targets)):
            raise InputError(f"column {both[0]!r} of {self._called} is among the inputs and the targets")
        if not inputs:
            raise InputError(f"{self._called} has no column left for the inputs: all of them are targets")
        return inputs, targets

    @cached_property
    def is_classes(self) -> bool:
        """Whether the targets are classes."""
        if self.kind != "auto":
            return self.kind == "classes"
        targets = self._chosen[1]
        column = self.columns[targets[0]]
        whole = column.dtype.kind in "biu" or (
            column.dtype.kind == "f" and bool((column == np.round(column)).all())
        )
        return len(targets) == 1 and (
            column.dtype.kind not in "biuf" or (whole and len(np.unique(column)) <= FEW)
        )

    @cached_property
    def encoded(self) -> Encoded:
        """All rows as numbers, in the order of the file."""
        inputs, targets = self._chosen
        x = np.hstack([_numbers(self._called, name, self.columns[name]) for name in inputs])
        if not self.is_classes:
            y = np.hstack([_numbers(self._called, name, self.columns[name]) for name in targets])
            return Encoded(_closed(x), _closed(y), ())
        if len(targets) > 1:
            raise InputError(f"classes are one column, but targets={targets} were given")
        words = self.columns[targets[0]].astype(str)
        classes, which = np.unique(words, return_inverse=True)
        if len(classes) < 2:
            raise InputError(f"column {targets[0]!r} of {self._called} holds one class only, {classes[0]!r}")
        return Encoded(_closed(x), _closed(np.eye(len(classes))[which]), tuple(classes.tolist()))

    @cached_property
    def parts(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Rows for training, validation and the test."""
        n = len(self.encoded.x)
        order = np.argsort(np.random.PCG64(self.split).random_raw(n), kind="stable")
        held, seen = round(self.test * n), round(self.validation * n)
        ends = np.cumsum([0, max(0, n - held - seen), seen, held])
        training, validation, test = (order[start:stop] for start, stop in pairwise(ends))
        return training, validation, test

    def network(self) -> Network:
        output = self.output_unit if self.is_classes else "linear"
        sizes = self.encoded.x.shape[1], *self.hidden, self.encoded.y.shape[1]
        return Network.chain(*sizes, hidden=self.activation, output=output)

    def spec(self) -> Spec:
        return Spec(len(self.parts[0]), "labels" if self.is_classes else "numbers", binary=False)

    def patterns(self) -> Patterns:
        """The training rows, named by their place in the file."""
        x, target = self._rows(self.parts[0])
        names = tuple(str(row + 1) for row in self.parts[0])
        return Patterns(
            x, target > (0.5 if self.is_classes else 0.0), names, None if self.is_classes else target
        )

    def source(self) -> tuple[Array, ...]:
        return self.encoded[:2]

    def data(self, rand: Rand, dtype: DTypeLike) -> Data:
        training, validation, test = (self._part(rows, dtype) for rows in self.parts)
        return training._replace(
            validation=validation if len(self.parts[1]) else None, held=test if len(self.parts[2]) else None
        )

    def _part(self, rows: NDArray[np.intp], dtype: DTypeLike) -> Data:
        x, y = self._rows(rows)
        wanted = y > (0.5 if self.is_classes else 0.0)
        target = np.where(wanted, self.target_on, self.target_off) if self.is_classes else y
        return shared(x, target, wanted, dtype)

    def _rows(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Inputs and targets of some rows; numbers are told in standard deviations of the training rows."""
        x, y = self.encoded[:2]
        known = self.parts[0]
        if self.standardise:
            x = _standard(x, known)
            y = y if self.is_classes else _standard(y, known)
        return x[rows], y[rows]


def _standard(a: NDArray[np.float64], known: NDArray[np.intp]) -> NDArray[np.float64]:
    spread = a[known].std(axis=0)
    return np.asarray((a - a[known].mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _closed(a: NDArray[np.float64]) -> NDArray[np.float64]:
    a.setflags(write=False)  # hashed once
    return a


def _numbers(table: str, name: str, column: NDArray[Any]) -> NDArray[np.float64]:
    """A column as numbers (N, 1); words as a unit for each, (N, words). Raises `InputError` for gaps."""
    if column.dtype.kind in "biuf":
        values = column.astype(np.float64)[:, None]
        if gaps := int(np.count_nonzero(~np.isfinite(values))):
            raise InputError(
                f"column {name!r} of {table} has {gaps} cells that are no finite number: fill or drop them"
            )
        return values
    words, which = np.unique(column.astype(str), return_inverse=True)
    return np.asarray(np.eye(len(words))[which])


@lru_cache(maxsize=8)
def _read(path: str, written: int) -> Columns:
    """The columns of a file as it was written then."""
    kind = Path(path).suffix.lower()
    if kind == ".npz":
        return _of_arrays(path)
    if kind not in (".csv", ".parquet"):
        raise InputError(f"a table is a .csv, .parquet or .npz file, but {Path(path).name!r} was given")
    import pandas as pd  # takes half a second to import

    try:
        frame = pd.read_csv(path) if kind == ".csv" else pd.read_parquet(path)
    except (ValueError, pd.errors.ParserError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"{Path(path).name} is no table: {first}") from error
    columns = {}
    for name in frame.columns:
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column) and column.isna().any():
            raise InputError(
                f"column {name!r} of {Path(path).name} has {int(column.isna().sum())} empty cells"
            )
        columns[str(name)] = column.to_numpy(float if pd.api.types.is_float_dtype(column) else None)
    return _of_one_length(path, columns)


def _of_arrays(path: str) -> Columns:
    """An npz file's arrays: (N,) a column of its name, (N, k) k columns name_0, name_1, …."""
    columns: Columns = {}
    try:
        with np.load(path, allow_pickle=False) as read:
            for name in read.files:
                a = read[name]
                if a.ndim == 1:
                    columns[name] = a
                else:
                    flat = a.reshape(len(a), -1)
                    columns |= {f"{name}_{i}": flat[:, i] for i in range(flat.shape[1])}
    except ValueError as error:
        raise InputError(f"{Path(path).name} is no table: {str(error).splitlines()[0]}") from error
    return _of_one_length(path, columns)


def _of_one_length(path: str, columns: Columns) -> Columns:
    lengths = {name: len(column) for name, column in columns.items()}
    if not columns or len(set(lengths.values())) != 1 or min(lengths.values()) < 2:
        raise InputError(
            f"{Path(path).name} is no table of two rows or more: "
            f"its columns have {sorted(set(lengths.values()))} rows"
        )
    return columns
