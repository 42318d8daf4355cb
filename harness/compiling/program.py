"""What is compiled: a chunk of epochs of the training loop as one JAX program.

Update, optimiser, criterion, epoch of solution, curves at their epochs, the look for divergence: the same
epoch as in `harness.training`, for a batch of replicas. A replica that is finished keeps its state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

# one core, as everywhere in the harness
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from harness.compiling.arrays import CannotCompile, trace, values
from harness.compiling.loops import Compiled, TracedRand
from harness.core.algorithm import Algorithm, Batch, State
from harness.core.data import Data
from harness.core.errors import InputError
from harness.core.folders import user_cache
from harness.core.readings import read_by
from harness.core.source import line_that_raised
from harness.core.task import Task
from harness.core.tree import leaves, rebuilt
from harness.training.trainer import BOUND, in_order

Array = Any
RUNNING, MET, BLOWN, PADDING = range(4)
QUICKER = {"xla_cpu_use_fusion_emitters": False}  # on narrow matrices: measured 1.1 to 1.25×
POINTS = 64  # of the curves in a chunk


class Feed(NamedTuple):
    """What a chunk is given for each of its epochs, on the first axis."""

    look: Array
    """Whether curves are drawn, or weights beyond all bounds looked for (L,)."""
    slot: Array
    """Which row of the curves an epoch's values go to (L,), below POINTS; POINTS where no curve is drawn."""
    order: Array
    """The order of the patterns (L, R, N); (L, R, 0) if they have none."""
    uniform: Array
    """Random numbers of a sweep (L, R, how many)."""
    normal: Array


class Chunk(NamedTuple):
    """Where a batch of R replicas stands."""

    epoch: Array
    state: list[Array]
    how: Array
    """RUNNING, MET, BLOWN or PADDING (R,)."""
    ended: Array
    """The epoch at which it came to that (R,)."""
    loss: Array
    """At the epochs of the chunk that are on the curve (POINTS + 1, R)."""
    right: Array


class Program:
    """An algorithm on a task, compiled for as many replicas as it is asked for.

    Raises `CannotCompile`, with the line and the reason, if the source has no compiled form.
    """

    def __init__(
        self, algorithm: Algorithm, task: Task, batch: int, dtype: str, device: str, state: State, data: Data
    ) -> None:
        """`state` and `data` are those of some replicas: their shapes count, and how the state is built."""
        self.algorithm, self.task, self.net = algorithm, task, task.network()
        self.batch, self.dtype, self.device, self.template = batch, dtype, device, state
        self.whole, self.rest = divmod(data.x.shape[-2], batch)
        self.ready: dict[Any, Callable[..., Chunk]] = {}
        self.seconds = 0.0
        """Spent on tracing and compiling."""
        self.each = self._draws(data, batch)
        """Uniform and normal numbers that an update draws,
        and those that the update on the last few patterns does.
        """
        self.last = self._draws(data, self.rest) if self.rest else (0, 0)

    @property
    def draws(self) -> tuple[int, int]:
        """Uniform and normal numbers that a sweep draws for one replica."""
        return (self.whole * self.each[0] + self.last[0], self.whole * self.each[1] + self.last[1])

    def _draws(self, data: Data, size: int) -> tuple[int, int]:
        taken: dict[str, int] = {}

        def dry(state: list[Array], part: list[Array]) -> tuple[list[Array], Array]:
            nothing = jnp.zeros((len(state[0]), 0))
            rand = TracedRand(nothing, nothing, self.dtype)
            new, output = self._update(state, Data(*part), 0, rand)
            taken.update(rand.taken)
            return new, output if output is not None else self._predict(new, part[0])

        with self._reading():
            jax.eval_shape(dry, [a for _, a in leaves(self.template)], [a[..., :size, :] for a in data[:3]])
        return taken["uniform"], taken["normal"]

    def run(self, chunk: Chunk, data: Data, feed: Feed, stop: int) -> Chunk:
        """Go on until epoch `stop`, or until none runs."""
        arguments = (chunk, data._replace(held=None), feed, np.int64(chunk.epoch), np.int64(stop))
        shapes = len(chunk.how), *feed.order.shape
        if shapes not in self.ready:
            start = perf_counter()
            with self._reading():
                self.ready[shapes] = _compile(jax.jit(self._advance).lower(*arguments))
            self.seconds += perf_counter() - start
        with self._precision():
            done = self.ready[shapes](*arguments)
            return jax.block_until_ready(done)  # type: ignore[no-untyped-call]  # JAX's own

    def _advance(self, chunk: Chunk, data: Data, feed: Feed, start: Array, stop: Array) -> Chunk:
        curve = jnp.zeros((POINTS + 1, len(chunk.how)))
        weights = [i for i, (name, _) in enumerate(leaves(self.template)) if name.startswith("params.")]

        def goes_on(now: Chunk) -> Array:
            return (now.epoch < stop) & (now.how == RUNNING).any()

        def until_looked_at(now: Chunk) -> Chunk:
            """An epoch at which somebody looks, and those up to the next one."""
            i = now.epoch - start
            output = self._predict(now.state, data.x)
            loss, right = self._measure(output, data)
            met = self._met(now.state, output, data)
            blown = feed.look[i] & _beyond([*(now.state[k] for k in weights), output]) & ~met
            put = partial(lax.dynamic_update_index_in_dim, index=feed.slot[i], axis=0)
            now = _ended(now, blown, BLOWN)._replace(loss=put(now.loss, loss), right=put(now.right, right))
            return lax.while_loop(lambda now: goes_on(now) & ~feed.look[now.epoch - start], one, one(now))

        def one(now: Chunk) -> Chunk:
            new, output = self._sweep(now.state, data, now.epoch, *(a[now.epoch - start] for a in feed[2:]))
            now = _ended(now, self._met(now.state, output, data), MET)
            stays = now.how == RUNNING
            kept = [
                jnp.where(stays.reshape(-1, *(1,) * (a.ndim - 1)), b, a)
                for a, b in zip(now.state, new, strict=True)
            ]
            return now._replace(epoch=now.epoch + 1, state=kept)

        return lax.while_loop(goes_on, until_looked_at, chunk._replace(loss=curve, right=curve))

    def _met(self, state: list[Array], output: Array | None, data: Data) -> Array:
        seen = data if data.validation is None else data.validation
        if output is None or seen is not data:
            output = self._predict(state, seen.x)
        return values(self.task.met(*trace((output, Data(*seen[:3])))))

    def _sweep(
        self, state: list[Array], data: Data, epoch: Array, order: Array, uniform: Array, normal: Array
    ) -> tuple[list[Array], Array | None]:
        """One pass over the patterns;
        predictions at the old state only where one update is the whole sweep.
        """
        if self.whole == 1 and not self.rest:
            return self._update(state, data, epoch, TracedRand(uniform, normal, self.dtype))
        parts = data[:3]
        if order.shape[1]:
            parts = tuple(values(in_order(a, trace(order))) for a in trace(parts))

        def cut(a: Array, axis: int, size: int) -> Array:
            """The full batches of an axis, on a new first axis."""
            full = lax.slice_in_dim(a, 0, self.whole * size, axis=axis)
            shape = (*a.shape[:axis], self.whole, size, *a.shape[axis + 1 :])
            return jnp.moveaxis(full.reshape(shape), axis, 0)

        def one(now: list[Array], part: Any) -> tuple[list[Array], None]:
            batch, rand = Data(*part[:3]), TracedRand(part[3], part[4], self.dtype)
            return self._update(now, batch, epoch, rand)[0], None

        batches = [cut(a, a.ndim - 2, self.batch) for a in parts]
        state, _ = lax.scan(
            one, state, [*batches, cut(uniform, 1, self.each[0]), cut(normal, 1, self.each[1])]
        )
        if self.rest:
            left = Data(*(a[..., self.whole * self.batch :, :] for a in parts))
            rand = TracedRand(
                uniform[:, self.whole * self.each[0] :], normal[:, self.whole * self.each[1] :], self.dtype
            )
            state, _ = self._update(state, left, epoch, rand)
        return state, None

    def _update(
        self, state: list[Array], data: Data, epoch: Array, rand: TracedRand
    ) -> tuple[list[Array], Array | None]:
        *seen, now = trace((*data[:3], jnp.asarray(epoch)))
        batch = Batch.of(Data(*seen), now, self.task.objective)
        streams: Any = rand  # a stand-in for Rand, as traced arrays are for arrays
        new, output = self.algorithm.update(self.net, trace(rebuilt(self.template, state)), batch, streams)
        found = dict(leaves(values(new)))
        for (name, old), before in zip(leaves(self.template), state, strict=True):
            if name not in found or len(found) > len(state):
                raise CannotCompile(
                    f"update does not keep the parts of its state: {', '.join(found)} came of it"
                )
            if (found[name].shape, found[name].dtype) != (before.shape, before.dtype):
                raise CannotCompile(
                    f"update turns {name} from {old.dtype}{before.shape} "
                    f"into {found[name].dtype}{found[name].shape}"
                )
        return [found[name] for name, _ in leaves(self.template)], None if output is None else values(output)

    def _predict(self, state: list[Array], x: Array) -> Array:
        return values(self.algorithm.predict(self.net, trace(rebuilt(self.template, state)), trace(x)))

    def _measure(self, output: Array, data: Data) -> tuple[Array, Array]:
        """Loss and share of right patterns (R,), in float64 as the curves are."""
        y, seen = trace((output, Data(*data[:3])))
        loss, right = self.task.cost(y, seen), self.task.right(y, seen).mean(axis=-1)
        return values(loss).astype(float), values(right).astype(float)

    @contextmanager
    def _precision(self) -> Iterator[None]:
        """Double precision where it is asked for, on the device."""
        with (
            jax.enable_x64(True),
            jax.default_matmul_precision("highest"),
            jax.default_device(_device(self.device)),
        ):
            yield

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """While the source is traced: compiled loops; whatever goes wrong is said with its line."""
        keep_programs()
        try:
            with self._precision(), read_by(Compiled()):
                yield
        except InputError:
            raise
        except Exception as error:
            cause = error.__cause__ or error.__context__
            if isinstance(cause, CannotCompile):  # NumPy tried another way after ours was refused
                raise cause from None
            first = str(error).strip().split("\n")[0]
            raise CannotCompile(f"{type(error).__name__}: {first}{line_that_raised(error)}") from error


def _ended(now: Chunk, which: Array, how: int) -> Chunk:
    """Those of `which` (R,) that were running have come to that."""
    ends = which & (now.how == RUNNING)
    return now._replace(
        how=jnp.where(ends, how, now.how).astype(now.how.dtype), ended=jnp.where(ends, now.epoch, now.ended)
    )


def _beyond(arrays: list[Array]) -> Array:
    """Which replicas (R,) hold something that is not finite or beyond BOUND."""
    return jnp.stack([~(jnp.abs(a).max(axis=tuple(range(1, a.ndim))) <= BOUND) for a in arrays]).any(axis=0)


def _compile(lowered: Any) -> Callable[..., Chunk]:
    try:
        return lowered.compile(compiler_options=QUICKER)
    except jax.errors.JaxRuntimeError:  # an option of XLA that another version does not have
        return lowered.compile()


def _device(name: str) -> Any:
    try:
        return jax.devices(name)[0]
    except RuntimeError as error:
        have = ", ".join(sorted({d.platform for d in jax.devices()}))
        raise InputError(f"device={name!r} is not there for JAX: it has {have}") from error


def keep_programs() -> None:
    """Keep compiled programs between processes:
    in the folder that JAX is told to use, or in the user's cache.
    """
    config: Any = jax.config
    if config.jax_compilation_cache_dir is None:
        config.update("jax_compilation_cache_dir", str(user_cache("jax")))
        config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        config.update("jax_persistent_cache_min_entry_size_bytes", -1)
