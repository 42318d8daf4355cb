"""How a cell is run: seed, budgets, batches, precision, back end;
and what None stands for in all its parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from harness.core.algorithm import Algorithm
from harness.core.errors import InputError, NotApplicable
from harness.core.setting import check, setting
from harness.core.task import Task

FULL = "full"
BACKENDS = ("numpy", "jax", "auto")


@dataclass(frozen=True)
class Settings:
    """How a cell is run; None is what is usual for the task or the algorithm."""

    replicas: int = setting(100, "Independent networks.", at_least=1)
    seed: int = setting(
        0, "What all random numbers of the cell follow from, with the number of each replica.", at_least=0
    )
    epochs: int | None = setting(
        None, "Budget in sweeps over the patterns; None is the task's usual one.", at_least=1, at_most=10**12
    )
    seconds: float | None = setting(
        None,
        "Budget in seconds of updates for the whole cell; None for none. "
        "Runs it ends are not reproducible to the epoch.",
        above=0,
    )
    batch: Any = setting(
        None,
        "Patterns per update: full, or a number from 1 (1 is online); None is the algorithm's usual way.",
    )
    shuffle: bool = setting(
        True, "Draw a new order of the patterns for every sweep (with full batches there is none)."
    )
    dtype: str = setting("float64", "Precision of all numbers.", one_of=("float64", "float32"))
    backend: str = setting(
        "numpy",
        "numpy, the reference; jax, the same source compiled; auto, whichever promises to be done first.",
        one_of=BACKENDS,
    )
    device: str = setting("cpu", "Where JAX computes.", one_of=("cpu", "gpu", "tpu"))
    probe: int = setting(
        0,
        "Epochs, log-spaced over the budget, "
        "at which credit is compared with the exact gradient; 0 for none.",
        at_least=0,
        at_most=1000,
    )
    probe_draws: int = setting(16, "Draws of a stochastic credit at each of them.", at_least=2, at_most=10**6)
    processes: int = setting(
        1, "Processes that share the replicas; the results have the same bits.", at_least=1, at_most=1024
    )

    unchecked: bool = setting(
        False, "Run a rule that the checks before every cell find wrong; for looking into what it does."
    )

    def __post_init__(self) -> None:
        check(self)
        if not self.probe and self.probe_draws != 16:
            raise InputError(
                f"probe_draws={self.probe_draws} would be ignored: "
                "it belongs to a probe, but probe=0 was given"
            )
        if self.backend == "numpy" and self.device != "cpu":
            raise InputError(
                f"device={self.device} would be ignored: "
                "it belongs to backend=jax, but backend=numpy was given"
            )
        if self.backend == "jax" and find_spec("jax") is None:
            raise InputError(
                "backend=jax needs JAX, which is not installed: in a clone, pip install -e '.[jax]'"
            )
        if not (self.batch in (None, FULL) or (type(self.batch) is int and self.batch >= 1)):
            raise InputError(
                f"batch must be full or a whole number of patterns from 1, but {self.batch!r} was given"
            )

    def resolved(self, algorithm: Algorithm, task: Task) -> Settings:
        """These settings with everything that is left to what is usual (None) filled in."""
        usual = 1 if algorithm.online else FULL if algorithm.whole else task.usual.batch or FULL
        patterns = task.spec().patterns
        batch: Any = self.batch
        if batch is None:  # what is usual was chosen without this table, or share of one
            batch = FULL if isinstance(usual, int) and usual > patterns else usual
        if batch != FULL and batch > patterns:
            raise InputError(
                f"batch must be at most the {patterns} training patterns "
                f"of {task.name}, but {batch} was given"
            )
        batch = FULL if batch == patterns else batch
        if not self.shuffle and batch == FULL:
            raise InputError(
                "shuffle=False would be ignored: "
                f"with batch={batch} a sweep has no order; give a smaller number"
            )
        return replace(self, epochs=task.usual.epochs if self.epochs is None else self.epochs, batch=batch)


def resolve(algorithm: Algorithm, task: Task, settings: Settings) -> tuple[Algorithm, Task, Settings]:
    """All three with nothing left to what is usual. Raises `NotApplicable` with the algorithm's reason."""
    check(algorithm)  # also of a plug-in whose own __post_init__ forgot its base's
    check(task)
    if reason := algorithm.refusal(task):
        raise NotApplicable(f"{algorithm.name} does not apply to {task.name}: {reason}")
    return algorithm.resolved(task.usual), task.resolved(), settings.resolved(algorithm, task)
