"""Patterns, and what is known of them: the containers that tasks hand out.

Arrays end in (patterns N, units); of sequences in (steps T, patterns N, units). In a run the axis before
these is the replicas, of length 1 where all of them share the patterns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harness.core.errors import InputError

Array = Any


class Patterns(NamedTuple):
    """All patterns of a task before targets are chosen: what `Task.patterns` returns.

    Args:
        x: inputs (N, input size); of sequences (T, N, input size).
        wanted: which outputs should be on, bool (N, outputs); of sequences (K, N, outputs), at the last K.
        names: what a person calls each pattern, N of them.
        target: targets (N, outputs) where they are numbers; None: `target_on` where wanted, else
            `target_off`.

    >>> Patterns(np.zeros((1, 2)), np.ones((1, 1), bool), ("00",)).target is None
    True
    """

    x: NDArray[np.float64]
    """Inputs (N, input size)."""
    wanted: NDArray[np.bool_]
    """Which outputs should be on (N, outputs)."""
    names: tuple[str, ...]
    """What a person calls each pattern."""
    target: NDArray[np.float64] | None = None
    """Targets (N, outputs) where they are numbers; None: `target_on` where wanted, else `target_off`."""


class Spec(NamedTuple):
    """The shape of a task: what can be said of its data without making them.

    Args:
        patterns: patterns (of a task in time, sequences) that a replica is trained on.
        kind: what its targets are: `bits`, on or off; `labels`, bits of which exactly one is on; `numbers`;
            `probabilities`, numbers from 0 to 1 that a cross-entropy can be had of.
        binary: whether its inputs are bits, as stochastic binary units need them.
        steps: time steps T of a sequence; 0 where patterns have no time.
        asked: steps K at the end of a sequence that have a target; 0: all of them.

    >>> Spec(4, "bits").steps
    0
    """

    patterns: int
    """Patterns (of a task in time, sequences) that a replica is trained on."""
    kind: str
    """What its targets are: `bits`, on or off; `labels`, bits of which exactly one is on; `numbers`;
    `probabilities`, numbers from 0 to 1."""
    binary: bool = True
    """Whether its inputs are bits, as stochastic binary units need them."""
    steps: int = 0
    """Time steps T of a sequence; 0 where patterns have no time."""
    asked: int = 0
    """Steps K at the end of a sequence that have a target; 0: all of them."""


class Usual(NamedTuple):
    """The settings a task is usually run with: what None stands for in algorithms and runs.

    Args:
        lr: learning rate.
        momentum: of gradient descent, 0 for none.
        scale: initial weights are uniform in ±scale.
        epochs: the budget in sweeps over the patterns.
        decay: fraction by which every weight shrinks after each change.
        batch: patterns per update, for algorithms that take more than one; None for all.
        features: names of feature sets made by hand for it, the usual one first.
        rules: the name of rules written by hand for it.

    >>> Usual(lr=0.5, momentum=0.9, scale=0.5, epochs=5000).batch is None
    True
    """

    lr: float
    momentum: float
    scale: float
    """Initial weights are uniform in ±scale."""
    epochs: int
    """Budget in sweeps."""
    decay: float = 0.0
    batch: int | None = None
    """Patterns per update, for algorithms that take more than one; None for all."""
    features: tuple[str, ...] = ()
    """Feature sets that somebody made by hand for it (`harness.core.features`), the usual one first."""
    rules: str = ""
    """The rules that somebody wrote by hand for it (`algorithms/rule_base.py`); '' for none."""


class Published(NamedTuple):
    """A figure somebody printed for a task.

    Args:
        setting: what it was measured in.
        figure: what was printed, with its unit.
        source: where.
        trust: `found` (read in the source), `computed` (run again by us), `memory` (recalled, never
            asserted).

    >>> Published("2-1-1, η = .5", "558 sweeps", "PDP vol. 1 ch. 8", "found").trust
    'found'
    """

    setting: str
    figure: str
    source: str
    trust: str
    """`found` (read in the source), `computed` (run again by us), `memory` (recalled, never asserted)."""


class Data(NamedTuple):
    """Patterns as a run sees them: (R, N, units), or (1, N, units) where all replicas share them.

    Sequences have their steps before the patterns, (…, T, N, units). Their targets may be those of the last K
    steps alone, (…, K, N, units): before these, nothing is asked of the outputs.

    Args:
        x: inputs (…, N, input size).
        target: targets (…, N, outputs).
        wanted: which outputs should be on, bool (…, N, outputs).
        held: patterns that nothing is decided on, reported once, at the end; None for none.
        validation: patterns the criterion looks at instead of the training patterns; None for none.

    >>> data = shared(np.zeros((4, 2)), np.zeros((4, 1)), np.zeros((4, 1), bool), float)
    >>> data.x.shape, data.time
    ((1, 4, 2), False)
    """

    x: Array
    """Inputs (…, N, input size)."""
    target: Array
    """Targets (…, N, outputs)."""
    wanted: Array
    """Which outputs should be on, bool (…, N, outputs)."""
    held: Data | None = None
    """Patterns that nothing is decided on: reported once, at the end."""
    validation: Data | None = None
    """Patterns the criterion looks at instead of the training patterns."""

    @property
    def time(self) -> bool:
        """Whether the axis before the patterns is time."""
        return bool(self.wanted.ndim == 4)

    def asked(self, y: Array) -> Array:
        """Outputs (…, N, outputs) where there is a target: of sequences (…, K, N, outputs), at the last K."""
        return asked(y, self.target) if self.time else y

    def split(self, order: Array, held: int) -> Data:
        """Some patterns held out: for each replica the first ones of its order.

        Args:
            order: a permutation of the patterns for each replica (R, N), of data that all share.
            held: how many are held out.

        Returns:
            Data of each replica's own (R, …), those held out beside them.
        """
        spared, kept = order[:, :held], np.sort(order[:, held:])
        axis = 1 if self.time else 0
        parts = ([np.moveaxis(a[0].take(rows, axis), axis, 0) for a in self[:3]] for rows in (kept, spared))
        trained, rest = (Data(*part) for part in parts)
        return trained._replace(held=rest)


def checked(data: Data, name: str, input_size: int, outputs: int) -> Data:
    """`data` of the task `name` if its arrays are what a run takes:
    (R or 1, [T,] N, units), of one N, for these sizes.

    Raises `InputError` with the shapes that were given.
    """
    for part in (data, data.validation, data.held):
        if part is None:
            continue
        shapes = [a.shape for a in part[:3]]
        lead, told = shapes[0][:-1], shapes[1][:-1]
        late = len(lead) == len(told) == 3 and (*told[:1], *told[2:]) == (*lead[:1], *lead[2:])
        fits = (
            len(lead) in (2, 3) and min((*lead, *told)) > 0 and (told == lead or (late and told[1] < lead[1]))
        )
        fits = fits and shapes == [(*lead, input_size), (*told, outputs), (*told, outputs)]
        if not fits:
            raise InputError(
                f"data of {name} must be arrays (replicas or 1, patterns, units) of {input_size} inputs "
                f"and {outputs} outputs, with the steps before the patterns if it has time "
                "and targets of all steps or the last ones, "
                f"but inputs {shapes[0]}, targets {shapes[1]} and wanted {shapes[2]} were given: "
                "harness.core.data.shared makes them from (patterns, units)"
            )
    return data


def asked(y: Array, target: Array) -> Array:
    """Outputs of sequences at the steps that have a target, the last ones.

    Args:
        y: outputs (…, T, N, outputs).
        target: targets (…, K, N, outputs), K ≤ T.

    Returns:
        Outputs (…, K, N, outputs).

    >>> asked(np.zeros((1, 5, 2, 1)), np.zeros((1, 3, 2, 1))).shape
    (1, 3, 2, 1)
    """
    steps, told = y.shape[-3], target.shape[-3]
    return y if told == steps else y[..., steps - told :, :, :]


def shared(x: Array, target: Array, wanted: Array, dtype: DTypeLike, *, time: bool = False) -> Data:
    """Data that all replicas share, from arrays without a replica axis.

    Arrays of that precision are not copied: memory maps stay on disk, and are read batch by batch.

    Args:
        x: inputs (N, input size); of sequences (T, N, input size).
        target: targets (N, outputs); of sequences those of their last K steps, (K, N, outputs).
        wanted: which outputs should be on, bool, in the shape of `target`.
        dtype: the precision of the run, float64 or float32.
        time: whether they are sequences.

    Returns:
        Data (1, N, units), or (1, T, N, units).

    Raises:
        InputError: for arrays of another number of axes.

    >>> shared(np.zeros((4, 2)), np.zeros((4, 1)), np.zeros((4, 1), bool), "float32").x.dtype.name
    'float32'
    """
    ndim = 3 if time else 2
    parts = x.astype(dtype, copy=False), target.astype(dtype, copy=False), wanted
    if any(a.ndim != ndim for a in parts):
        raise InputError(
            f"patterns are arrays of {ndim} axes, but inputs {x.shape} and targets {target.shape} were given"
        )
    return Data(*(a[None] for a in parts))


def pick(data: Data, mask: NDArray[Any]) -> Data:
    """The data of the replicas in `mask` (R,), or at these places; patterns that all share stay shared."""
    x, target, wanted = (a if a is None or len(a) == 1 else a[mask] for a in data[:3])
    return Data(
        x,
        target,
        wanted,
        *(None if part is None else pick(part, mask) for part in (data.held, data.validation)),
    )


def binary_inputs(bits: int) -> NDArray[np.float64]:
    """All 2^bits patterns of `bits` bits in counting order, (2^bits, bits), the first bit the highest."""
    return ((np.arange(2**bits)[:, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(float)


def bit_names(x: NDArray[np.float64]) -> tuple[str, ...]:
    """Patterns as strings of 0 and 1."""
    return tuple("".join(str(int(b)) for b in row) for row in x)
