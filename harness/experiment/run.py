"""Run one cell: an algorithm on a task over R replicas, in chunks that fit the cache.

    print(run(Backprop(), Xor(), replicas=1000, seed=0))

Knows nothing of Hydra, MLflow or files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.algorithm import Algorithm
from harness.core.errors import InputError, NotApplicable, at_least, one_of, whole
from harness.core.naming import make_plain
from harness.core.task import Task
from harness.training.curves import QUANTILES, curve_epochs, quantiles
from harness.training.trainer import SOLVED, Plan, Trained, train

if TYPE_CHECKING:
    import pandas as pd

FULL = "full"
BACKENDS = ("numpy", "jax", "auto")
Tick = Callable[[int], None]
CACHE = 5 * 2**20  # bytes of activity that a chunk of replicas may hold: measured, see docs/design.md
SMALLEST, LARGEST = 32, 4096  # replicas in a chunk
MEMORY = 2**30  # bytes of activity beyond which a chunk is made smaller still


@dataclass(frozen=True)
class Settings:
    """How a cell is run; None is what is usual for the task or the algorithm."""

    replicas: int = 100
    """Independent networks."""
    seed: int = 0
    epochs: int | None = None
    """Budget in sweeps over the patterns; None is the task's usual one."""
    seconds: float | None = None
    """Budget in seconds of updates for the whole cell; None for none. Runs it ends are not reproducible to the epoch."""
    batch: Any = None
    """Patterns per update: full, or a number (1 is online); None is the algorithm's usual way."""
    shuffle: bool = True
    """Draw a new order of the patterns for every sweep (with full batches there is none)."""
    dtype: str = "float64"
    backend: str = "numpy"
    """numpy, the reference; jax, the same source compiled; auto, whichever promises to be done first."""
    device: str = "cpu"
    """Where JAX computes: cpu, gpu or tpu."""
    probe: int = 0
    """Epochs, log-spaced over the budget, at which credit is compared with the exact gradient; 0 for none."""
    probe_draws: int = 16
    """Draws of a stochastic credit at each of them."""
    processes: int = 1
    """Processes that share the replicas; the results have the same bits."""

    def __post_init__(self) -> None:
        make_plain(self)
        whole("replicas", self.replicas, 1)
        whole("seed", self.seed, 0)
        whole("processes", self.processes, 1)
        whole("probe", self.probe, 0)
        whole("probe_draws", self.probe_draws, 2)
        if not self.probe and self.probe_draws != 16:
            raise InputError(f"probe_draws={self.probe_draws} would be ignored: it belongs to a probe, but probe=0 was given")
        one_of("dtype", self.dtype, ("float64", "float32"))
        one_of("backend", self.backend, BACKENDS)
        one_of("device", self.device, ("cpu", "gpu", "tpu"))
        if self.backend == "numpy" and self.device != "cpu":
            raise InputError(f"device={self.device} would be ignored: it belongs to backend=jax, but backend=numpy was given")
        if self.backend == "jax" and find_spec("jax") is None:
            raise InputError("backend=jax needs JAX, which is not installed: pip install 'credit-assignment-harness[jax]'")
        if self.epochs is not None:
            whole("epochs", self.epochs, 1)
        if self.seconds is not None:
            at_least("seconds", self.seconds, 0, strict=True)
        if not (self.batch in (None, FULL) or (type(self.batch) is int and self.batch >= 1)):
            raise InputError(f"batch must be full or a whole number of patterns from 1, but {self.batch!r} was given")

    def resolved(self, algorithm: Algorithm, task: Task) -> Settings:
        """These settings with everything that is left to what is usual (None) filled in."""
        usual = 1 if algorithm.online else task.usual.batch or FULL
        batch: Any = usual if self.batch is None else self.batch
        patterns = task.spec().patterns
        if batch != FULL and batch > patterns:
            raise InputError(f"batch must be at most the {patterns} training patterns of {task.name}, but {batch} was given")
        batch = FULL if batch == patterns else batch
        if not self.shuffle and batch == FULL:
            raise InputError(f"shuffle=False would be ignored: with batch={batch} a sweep has no order; give a smaller number")
        return replace(self, epochs=task.usual.epochs if self.epochs is None else self.epochs, batch=batch)


@dataclass
class Result:
    """A finished cell. `print` it for a summary; `frame` and `curves` are pandas."""

    algorithm: Algorithm
    task: Task
    settings: Settings
    trained: Trained

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Which replicas solved the task."""
        return np.equal(self.trained.outcome, SOLVED)

    @property
    def epochs(self) -> NDArray[np.int64]:
        """The epochs at which curves were drawn, (E,)."""
        return curve_epochs(int(self.settings.epochs or 0))

    def columns(self) -> dict[str, NDArray[Any]]:
        """The per-replica table as columns; every outcome is in it."""
        t = self.trained
        names = ["replica", "outcome", "epochs", "updates", "seconds", "reason"]
        names += ["loss", "right", "validation_rmse", "validation_right", "held_rmse", "held_right"]
        return {name: getattr(t, name) for name in names}

    def curve_columns(self) -> dict[str, NDArray[Any]]:
        """Quantiles over replicas of loss and share of right patterns at each curve epoch."""
        columns: dict[str, NDArray[Any]] = {"epoch": self.epochs}
        for name, curve in (("loss", self.trained.loss_curve), ("right", self.trained.right_curve)):
            for q, values in zip(QUANTILES, quantiles(curve).T, strict=True):
                columns[f"{name}_q{round(100 * q):02d}"] = values
        return columns

    def credit_columns(self) -> dict[str, NDArray[Any]]:
        """What the probe found: quantiles over the replicas that had something to compare, and how many had."""
        from harness.credit.probe import probe_epochs, quantile_columns

        return quantile_columns(probe_epochs(int(self.settings.epochs or 0), self.settings.probe), self.trained.credit)

    def frame(self) -> pd.DataFrame:
        """One row per replica."""
        import pandas as pd

        return pd.DataFrame(self.columns())

    def curves(self) -> pd.DataFrame:
        """One row per curve epoch."""
        import pandas as pd

        return pd.DataFrame(self.curve_columns())

    def __str__(self) -> str:
        from harness.experiment.summary import describe

        return describe(self)


def run(algorithm: Algorithm, task: Task, tick: Tick | None = None, only: Sequence[int] | None = None, **settings: Any) -> Result:
    """Train `replicas` networks on `task` by `algorithm` and say what became of each.

    Keyword settings are the fields of `Settings`. `only` runs just these replicas of the cell (they give
    the bits they have in it); `tick` is told the epoch reached. Raises `InputError` for settings that
    cannot be, `NotApplicable` if the algorithm cannot do the task.
    """
    known = [f.name for f in fields(Settings)]
    for name in settings:
        one_of("setting", name, known)
    return run_cell(algorithm, task, Settings(**settings), tick, only)


def run_cell(
    algorithm: Algorithm, task: Task, settings: Settings, tick: Tick | None = None, only: Sequence[int] | None = None
) -> Result:
    """`run` with its settings in one piece."""
    algorithm, task, settings = resolve(algorithm, task, settings)
    numbers = list(range(settings.replicas) if only is None else only)
    if not numbers or not all(0 <= i < settings.replicas for i in numbers):
        raise InputError(f"only must name replicas from 0 to {settings.replicas - 1}, but {numbers} was given")
    size, backend, why = chunk_size(task, settings), settings.backend, ""

    def jobs(processes: int) -> list[tuple[Plan, list[int]]]:
        found = []
        for chunk in split(numbers, size, processes):
            seconds = np.inf if settings.seconds is None else settings.seconds * len(chunk) / len(numbers)
            batch = 0 if settings.batch == FULL else int(settings.batch)
            how = batch, settings.shuffle, settings.dtype, settings.device, settings.probe, settings.probe_draws
            found.append((Plan(settings.seed, int(settings.epochs or 0), seconds, *how), chunk))
        return found

    if backend == "auto":
        from harness.experiment.choose_backend import choose

        backend, why = choose(algorithm, task, jobs(1))
    # compiled code has other bits for other sizes of a batch: these must not depend on the processes
    work = jobs(settings.processes if backend == "numpy" else 1)
    if settings.processes == 1 or len(work) == 1:
        parts = [_train_alone(algorithm, task, backend, *job, tick=tick) for job in work]
    else:
        # spawned, not forked: a fork would copy the threads' locks of whoever calls us
        with ProcessPoolExecutor(settings.processes, mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(partial(_train_alone, algorithm, task, backend), *zip(*work, strict=True)))
    trained = join(parts)
    if why:
        trained.ran["why"] = why
    return Result(algorithm, task, settings, trained)


def resolve(algorithm: Algorithm, task: Task, settings: Settings) -> tuple[Algorithm, Task, Settings]:
    """All three with nothing left to what is usual. Raises `NotApplicable` with the algorithm's reason."""
    make_plain(algorithm)
    if reason := algorithm.refusal(task):
        raise NotApplicable(f"{algorithm.name} does not apply to {task.name}: {reason}")
    return algorithm.resolved(task.usual), task.resolved(), settings.resolved(algorithm, task)


def chunk_size(task: Task, settings: Settings) -> int:
    """Replicas whose activities together fill the cache, within bounds; fewer where patterns are so many that memory counts."""
    spec = task.spec()
    one = spec.patterns * max(spec.steps, 1) * task.network().workspace * np.dtype(settings.dtype).itemsize
    return int(np.clip(CACHE // one, min(SMALLEST, max(1, MEMORY // one)), LARGEST))


def split(numbers: list[int], size: int, processes: int) -> list[list[int]]:
    """Replicas in chunks of at most `size`, all processes busy if there are enough."""
    count = min(len(numbers), max(-(-len(numbers) // size), processes))
    return [list(map(int, part)) for part in np.array_split(numbers, count)]


def join(parts: list[Trained]) -> Trained:
    """Chunks one after another."""
    if len(parts) == 1:
        return parts[0]
    columns = [f.name for f in fields(Trained) if f.name not in ("weights", "credit", "ran")]
    joined: dict[str, Any] = {name: np.concatenate([getattr(p, name) for p in parts]) for name in columns}
    joined["credit"] = {name: np.concatenate([p.credit[name] for p in parts]) for name in parts[0].credit}
    joined["ran"] = dict(parts[0].ran)
    for seconds in ("compile_seconds", "probe_seconds"):
        if seconds in parts[0].ran:
            joined["ran"][seconds] = sum(p.ran[seconds] for p in parts)
    joined["weights"] = {name: np.concatenate([p.weights[name] for p in parts]) for name in parts[0].weights}
    return Trained(**joined)


def _train_alone(
    algorithm: Algorithm, task: Task, backend: str, plan: Plan, replicas: list[int], tick: Tick | None = None
) -> Trained:
    # several BLAS threads are slower on small matrices, and change bits
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        if backend == "numpy":
            return train(algorithm, task, plan, replicas, tick)
        from harness.compiling import arrays as traced
        from harness.compiling import driver as compiled

        try:
            return compiled.train(algorithm, task, plan, replicas, tick)
        except traced.CannotCompile as reason:
            trained = train(algorithm, task, plan, replicas, tick)
            trained.ran["why"] = f"not compiled: {reason}"
            return trained
