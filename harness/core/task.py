"""What a task is: patterns, the network they are given to, targets, a loss and a criterion for *solved*.

A task is a frozen dataclass; its fields are its settings and become its Hydra options. Its shape and its data
are two things: `spec` says how many patterns of what kind there are and costs nothing, `data` makes or reads
them when a run asks. Published setups and figures stand beside it, with their source.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from harness.core.data import Data, Patterns, Published, Spec, Usual, pick, shared
from harness.core.errors import InputError
from harness.core.initial import INITS
from harness.core.losses import LOSSES, Loss
from harness.core.naming import snake_case
from harness.core.network import Network
from harness.core.rand import Rand
from harness.core.riding import kept
from harness.core.setting import check, setting
from harness.core.task_settings import check_task

Array = Any
CRITERIA = ("side", "margin", "error", "largest")
# units of precision: a linear network on XOR ends this close to the middle, on either side by chance
ROUNDING = 100


@dataclass(frozen=True)
class Task:
    """Patterns, the network they are given to, a loss and a criterion: what an algorithm is tried on.

    Subclasses are frozen dataclasses that define `network` and `patterns` (or `spec` and `data`), and say
    what is `usual` and `published`. Their fields are settings. Loss and gradient are sums over patterns.

    Args:
        target_off, target_on: targets of outputs that should be off and on.
        margin: an output this close to its target, or beyond it, counts as without error; None for none.
        criterion: when it is solved: side, margin, error or largest.
        bound: of the criteria margin (a distance) and error (E); None for the others.
        share: of the patterns that must be right.
        init, scale: how initial weights are drawn, and half the width if uniformly.
        loss: squared_error or cross_entropy.

    Raises:
        InputError: for settings that no output could meet, or that would be ignored.

    >>> from harness.tasks.xor import Xor
    >>> Xor().spec().patterns, Xor(hidden=3).network().size
    (4, 13)
    """

    target_off: float = setting(0.0, "Target of an output that should be off.")
    target_on: float = setting(1.0, "Target of an output that should be on.")
    margin: float | None = setting(
        None,
        "An output this close to its target, or beyond it, "
        "counts as without error; None: every error counts.",
        at_least=0,
    )
    criterion: str = setting(
        "side",
        "Solved when every output is on its target's `side` of the midpoint, within a `margin` of its "
        "target, when the wanted output is the `largest`, or when the loss (`error`) is below a bound.",
        one_of=CRITERIA,
    )
    bound: float | None = setting(
        None,
        "The bound of the criteria `margin` (exclusive distance per output) and `error` (E = ½ Σ (y − d)²).",
        at_least=0,
    )
    share: float = setting(
        1.0, "The share of patterns that must be right, for all criteria but `error`.", above=0, at_most=1
    )
    init: str = setting("uniform", "How initial weights are drawn.", one_of=INITS)
    scale: float | None = setting(
        None, "Uniform initial weights lie in ±scale; None is the usual scale of the task.", at_least=0
    )
    loss: str = setting(
        "squared_error",
        "What training lowers; cross_entropy is that "
        "of softmax outputs where targets are labels, else of sigmoids.",
        one_of=LOSSES,
    )

    name: ClassVar[str] = "task"
    usual: ClassVar[Usual]
    published: ClassVar[tuple[Published, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.name = snake_case(cls.__name__)

    def __post_init__(self) -> None:
        check(self)
        check_task(self)

    def network(self) -> Network:
        """The network this task is given to.

        Returns:
            The network.
        """
        raise InputError(f"{type(self).__name__} does not define its network")

    def spec(self) -> Spec:
        """How many patterns of what kind. A task of many says so without making one; this looks at them all.

        Returns:
            The shape of its data.
        """
        x, wanted, _, target = self.patterns()
        one_each = wanted.shape[-1] > 1 and bool((wanted.sum(axis=-1) == 1).all())
        kind = "numbers" if target is not None else "labels" if one_each else "bits"
        steps, told = (len(x), len(wanted)) if x.ndim == 3 else (0, 0)
        binary = bool(np.isin(x, (0, 1)).all())
        return Spec(x.shape[-2] - self.held_out, kind, binary, steps, 0 if told == steps else told)

    def patterns(self) -> Patterns:
        """All its patterns, made by a rule or read.

        Returns:
            Inputs, wanted outputs and names, before targets are chosen.
        """
        raise InputError(f"{type(self).__name__} does not define its patterns")

    @property
    def output_unit(self) -> str:
        """What its outputs are, where they are probabilities:
        softmax for the cross-entropy of labels, else sigmoid.
        """
        return "softmax" if self.loss == "cross_entropy" and self.spec().kind == "labels" else "sigmoid"

    @property
    def held_out(self) -> int:
        """Patterns held out of training, drawn per replica."""
        return 0

    @property
    def initial_scale(self) -> float:
        """Half the width of uniform initial weights."""
        return self.usual.scale if self.scale is None else self.scale

    @cached_property
    def objective(self) -> Loss:
        """The loss it is trained with, as functions."""
        return LOSSES[self.loss].made_for(self)

    def resolved(self) -> Task:
        """This task with every setting that is left to what is usual (None) filled in.

        Returns:
            A task without such a None.
        """
        return replace(self, scale=self.initial_scale) if self.init == "uniform" else self

    def data(self, rand: Rand, dtype: DTypeLike) -> Data:
        """Training (and held-out) data of a run.

        Args:
            rand: draws the split of each replica.
            dtype: the precision of the run.

        Returns:
            Arrays (R, N, units), or (1, N, units) where all replicas share them.
        """
        x, wanted, _, target = self.patterns()
        if target is None:
            target = np.where(wanted, self.target_on, self.target_off)
        whole = shared(x, target, wanted, dtype, time=x.ndim == 3)
        return whole.split(rand.permutation(x.shape[-2]), self.held_out) if self.held_out else whole

    def cost(self, y: Array, data: Data) -> Array:
        """E of outputs.

        Args:
            y: outputs (…, N, outputs); of sequences (…, T, N, outputs).
            data: the patterns they are for.

        Returns:
            One number for each network, (…).
        """
        y = data.asked(y)
        each = self.objective.of(y, data.target, data.wanted)
        return each.sum(axis=-1) if data.time else each

    def source(self) -> tuple[Array, ...]:
        """The arrays that its data are made of, where they are read and not made by a rule.

        A record's key hashes them, and so notices that a file has changed. A task that reads files and has no
        `source` is known by its patterns and data: that is right, but for large data slow.

        Returns:
            Arrays; none for data made by a rule.
        """
        return ()

    def right(self, y: Array, data: Data) -> Array:
        """Which patterns are right; sequences, at all of the steps that have a target.

        Args:
            y: outputs (…, N, outputs).
            data: the patterns they are for.

        Returns:
            Bools (…, N).
        """
        y = data.asked(y)
        if self.criterion == "largest":
            right = np.where(data.wanted, y, -np.inf).max(axis=-1) > np.where(data.wanted, -np.inf, y).max(
                axis=-1
            )
        else:
            right = self._good(y, data).all(axis=-1)
        return right.all(axis=-2) if data.time else right

    def met(self, y: Array, data: Data, among: Array = True) -> Array:
        """Whether the criterion is met.

        Args:
            y: outputs (…, N, outputs).
            data: the patterns they are for.
            among: the networks (…) that are asked about; the others are False.

        Returns:
            Bools (…).
        """
        if self.criterion == "error":
            return (self.cost(y, data) < self.bound) & among
        if self.criterion != "side" or not isinstance(y, np.ndarray):
            return self._enough(self.right(y, data)) & among
        # asked every epoch: one comparison says who may be right, and only they are looked at closely
        y = data.asked(y)
        good = (y > self.middle) == data.wanted
        if data.time:
            good = good.all(axis=-3)
        # over both axes at once: a reduction over a narrow last axis is slow
        met = np.asarray(
            (good.all(axis=(-1, -2)) if self.share == 1 else self._enough(good.all(axis=-1))) & among
        )
        if met.any():
            some = kept(self, met)
            met[met] = some._enough(some.right(y[met], pick(data, met)))
        return met

    def _enough(self, right: Array) -> Array:
        return right.all(axis=-1) if self.share == 1 else right.mean(axis=-1) >= self.share

    @property
    def middle(self) -> float:
        """The activity that divides on from off."""
        return 0.5 * (self.target_off + self.target_on)

    def _good(self, y: Array, data: Data) -> Array:
        if self.criterion == "margin":
            return np.abs(y - data.target) < self.bound
        # neither NaN nor the middle itself, up to rounding, is on a side
        edge = ROUNDING * np.finfo(y.dtype).eps * (self.target_on - self.target_off)
        return (y > self.middle + edge) & data.wanted | (y < self.middle - edge) & ~data.wanted

    def meets(self, off: float, on: float) -> bool:
        """Whether ideal outputs would solve this task.

        Args:
            off, on: activity of the outputs that should be off, and on.

        Returns:
            True if they would.
        """
        if self.spec().kind == "numbers":
            return True  # numbers of their own: a linear output reaches any
        if self.criterion == "largest":
            return off < on
        if self.criterion == "error":
            return self._least_error(off, on) < float(self.bound or 0)
        wanted = np.array([[False], [True]])
        data = Data(wanted, np.where(wanted, self.target_on, self.target_off), wanted)
        return bool(self._good(np.where(wanted, on, off), data).all())

    def _least_error(self, off: float, on: float) -> float:
        """E of the training patterns with all outputs at `off` or `on`,
        as wanted; of bits, half of them on.
        """
        wanted = np.array([[False], [True]])
        target = np.where(wanted, self.target_on, self.target_off)
        pairs = zip(wanted[:, None], target[:, None], strict=True)
        each = [float(self.objective.of(np.where(w, on, off), t, w)) for w, t in pairs]
        spec, outputs = self.spec(), self.network().output.size
        share = 1 / outputs if spec.kind == "labels" else 0.5
        return (
            spec.patterns
            * max(spec.asked or spec.steps, 1)
            * outputs
            * (share * each[1] + (1 - share) * each[0])
        )
