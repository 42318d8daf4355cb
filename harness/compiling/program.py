"""What is compiled: a chunk of epochs of the training loop as one JAX program.

Update, optimiser, criterion, epoch of solution, curves at their epochs, the look for divergence: the same
epoch as in `harness.training.trainer`, for a batch of replicas. A replica that is finished keeps its state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any

# one core, as everywhere in the harness; a loop whose body touches less than 2 MiB is one function of machine
# code: else each epoch of a tiny network is two dozen calls that take longer than its arithmetic, and beyond
# it XLA's own calls are the faster ones (family tree, digits)
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false "
    "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=2097152",
)
os.environ.setdefault("NPROC", "1")  # threads that wait for tiny operations take a quarter of a core

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import io_callback

from harness.compiling.arrays import trace, values
from harness.compiling.behind import CannotCompile
from harness.compiling.chunk import BLOWN, MET, POINTS, RUNNING, Chunk, Feed, ended
from harness.compiling.device import compiled, keep_programs, precision
from harness.compiling.lanes import lanes_of
from harness.compiling.loops import Compiled, TracedRand
from harness.core.algorithm import Algorithm, Batch, State
from harness.core.data import Data
from harness.core.errors import InputError
from harness.core.readings import read_by
from harness.core.source import line_that_raised
from harness.core.task import Task
from harness.core.tree import leaves, rebuilt
from harness.training.trainer import BOUND, in_order

Array = Any


class Program:
    """An algorithm on a task, compiled for as many replicas as it is asked for.

    Raises `CannotCompile`, with the line and the reason, if the source has no compiled form.
    """

    beside = False
    """Whether replicas lie beside one another on a last axis (`lanes_of`)."""

    def __init__(
        self, algorithm: Algorithm, task: Task, batch: int, dtype: str, device: str, state: State, data: Data
    ) -> None:
        """`state` and `data` are those of some replicas: their shapes count, and how the state is built."""
        self.algorithm, self.task, self.net = algorithm, task, task.network()
        self.batch, self.dtype, self.device, self.template = batch, dtype, device, state
        self.lanes, self.ndim = lanes_of(self.net, data), data.x.ndim
        self.beside = self.lanes > 0
        self.whole, self.rest = divmod(data.x.shape[-2], batch)
        self.ready: dict[Any, Callable[..., Chunk]] = {}
        self.source: Callable[[tuple[int, int]], list[Array]] = lambda each: []
        """Asked for the uniform and normal numbers (R, how many) of each update, where they are not fed."""
        self.seconds = 0.0
        """Spent on tracing and compiling."""
        self.kinds = (np.dtype(dtype), np.dtype(dtype))
        """The precision of uniform and normal numbers as they are fed: the run's, but for ranks."""
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
            nothing = jnp.zeros((1, 0, 1) if self.beside else (len(state[0]), 0))
            rand = TracedRand(nothing, nothing, self.dtype, self.beside)
            new, output = self._update(state, Data(*part), 0, rand)
            taken.update(rand.taken)
            if rand.ranked:
                self.kinds = (np.dtype(float), self.kinds[1])
            return new, output if output is not None else self._predict(new, part[0])

        state = [a[:1, ..., None] if self.beside else a for _, a in leaves(self.template)]
        part = [a[:1, ..., :size, :] if self.beside else a[..., :size, :] for a in data[:3]]
        with self._reading(1):
            jax.eval_shape(dry, state, part)
        return taken["uniform"], taken["normal"]

    def run(self, chunk: Chunk, data: Data, feed: Feed, stop: int) -> Chunk:
        """Go on until epoch `stop`, or until none runs."""
        arguments = (chunk, data._replace(held=None), feed, np.int64(chunk.epoch), np.int64(stop))
        shapes = len(chunk.how), *feed.order.shape, *feed.uniform.shape, *feed.normal.shape
        if shapes not in self.ready:
            start = perf_counter()
            with self._reading(len(chunk.how)):
                self.ready[shapes] = compiled(jax.jit(self._advance, donate_argnums=0).lower(*arguments))
            self.seconds += perf_counter() - start
        with precision(self.device):
            done = self.ready[shapes](*arguments)
            return jax.block_until_ready(done)  # type: ignore[no-untyped-call]  # JAX's own

    def _advance(self, chunk: Chunk, data: Data, feed: Feed, start: Array, stop: Array) -> Chunk:
        curve = jnp.zeros((POINTS + 1, len(chunk.how)))
        chunk, data, feed = self._laid_out(chunk, data, feed)
        weights = [i for i, (name, _) in enumerate(leaves(self.template)) if name.startswith("params.")]

        def goes_on(now: Chunk) -> Array:
            return (now.epoch < stop) & (now.how == RUNNING).any()

        def runs(now: Chunk) -> Array:
            """To look at everybody after every epoch takes as long as an epoch of a narrow network."""
            return now.epoch < stop if self.beside else goes_on(now) & (now.ended < 0).any()

        def until_looked_at(now: Chunk) -> Chunk:
            """An epoch at which somebody looks, and those up to the next one."""
            i = now.epoch - start
            output = self._predict(now.state, data.x)
            loss, right = self._measure(output, data)
            met = self._met(now.state, output, data)
            blown = feed.look[i] & self._beyond([*(now.state[k] for k in weights), output]) & ~met
            put = partial(lax.dynamic_update_index_in_dim, index=feed.slot[i], axis=0)
            now = ended(now, blown, BLOWN)._replace(loss=put(now.loss, loss), right=put(now.right, right))
            now = lax.while_loop(lambda now: runs(now) & ~feed.look[now.epoch - start], one, one(now))
            return now._replace(
                how=jnp.where((now.how == RUNNING) & (now.ended >= 0), MET, now.how).astype(np.int8)
            )

        def one(now: Chunk) -> Chunk:
            new, output = self._sweep(now.state, data, now.epoch, *(a[now.epoch - start] for a in feed[2:]))
            met = self._met(now.state, output, data) & (now.ended < 0)
            now = now._replace(ended=jnp.where(met, now.epoch, now.ended))
            stays = now.ended < 0
            kept = [
                jnp.where(stays if self.beside else stays.reshape(-1, *(1,) * (a.ndim - 1)), b, a)
                for a, b in zip(now.state, new, strict=True)
            ]
            return now._replace(epoch=now.epoch + 1, state=kept)

        done = lax.while_loop(goes_on, until_looked_at, chunk._replace(loss=curve, right=curve))
        return done._replace(state=self._first(done.state))

    def _first(self, state: list[Array]) -> list[Array]:
        """A state as the loop keeps it, with replicas on the first axis."""
        return [jnp.moveaxis(a[0], -1, 0) for a in state] if self.beside else state

    def _laid_out(self, chunk: Chunk, data: Data, feed: Feed) -> tuple[Chunk, Data, Feed]:
        """The same as the loop keeps it: replicas first, or beside one another, one with lanes."""
        if not self.beside:
            return chunk, data, feed

        def own(data: Data) -> Data:
            x, target, wanted = (a if len(a) == 1 < len(chunk.how) else self._laid(a) for a in data[:3])
            return Data(x, target, wanted, None, None if data.validation is None else own(data.validation))

        numbers = (jnp.moveaxis(a, 1, -1)[:, None] for a in feed[2:])
        state = [self._laid(a) for a in chunk.state]
        return chunk._replace(state=state), own(data), Feed(*feed[:2], *numbers)

    def _laid(self, a: Array) -> Array:
        """An array (R, …) as the loop keeps it."""
        return jnp.moveaxis(a, 0, -1)[None] if self.beside else a

    def _traced(self, a: Array) -> Any:
        """Patterns as the source sees them: a replica's own have lanes, shared ones none."""
        return trace(a, self.beside and a.ndim > self.ndim)

    def _met(self, state: list[Array], output: Array | None, data: Data) -> Array:
        seen = data if data.validation is None else data.validation
        if output is None or seen is not data:
            output = self._predict(state, seen.x)
        return self._each(self.task.met(trace(output, self.beside), Data(*map(self._traced, seen[:3]))))

    def _each(self, numbers: Any) -> Array:
        """One number for each replica (R,)."""
        return values(numbers, lanes)[0] if (lanes := self._lanes) else values(numbers)

    def _sweep(
        self, state: list[Array], data: Data, epoch: Array, order: Array, uniform: Array, normal: Array
    ) -> tuple[list[Array], Array | None]:
        """One pass over the patterns;
        predictions at the old state only where one update is the whole sweep.
        """
        if self.whole == 1 and not self.rest:
            return self._update(state, data, epoch, self._rand(uniform, normal, self.each))
        parts = data[:3]
        if order.shape[1]:
            ordered = trace(order, self.beside)
            parts = tuple(values(in_order(self._traced(a), ordered), self._lanes) for a in parts)

        def cut(a: Array, axis: int, size: int) -> Array:
            """The full batches of an axis, on a new first axis."""
            full = lax.slice_in_dim(a, 0, self.whole * size, axis=axis)
            shape = (*a.shape[:axis], self.whole, size, *a.shape[axis + 1 :])
            return jnp.moveaxis(full.reshape(shape), axis, 0)

        def one(now: list[Array], part: Any) -> tuple[list[Array], None]:
            batch, rand = Data(*part[:3]), self._rand(part[3], part[4], self.each)
            return self._update(now, batch, epoch, rand)[0], None

        batches = [cut(a, self.ndim - 2, self.batch) for a in parts]
        fed = zip((uniform, normal), self.each, strict=True)
        state, _ = lax.scan(one, state, [*batches, *(cut(a, 1, n if a.shape[1] else 0) for a, n in fed)])
        if self.rest:
            full = self.whole * self.batch
            x, target, wanted = (lax.slice_in_dim(a, full, None, axis=self.ndim - 2) for a in parts)
            numbers = uniform[:, self.whole * self.each[0] :], normal[:, self.whole * self.each[1] :]
            rand = self._rand(*numbers, self.last)
            state, _ = self._update(state, Data(x, target, wanted), epoch, rand)
        return state, None

    def _rand(self, uniform: Array, normal: Array, each: tuple[int, int]) -> TracedRand:
        """The random numbers of an update, `each` of a kind: those it was fed, or what `source` has now."""
        if uniform.shape[1] + normal.shape[1] < sum(each):
            bits = [(self._rows, n * kind.itemsize // 4) for n, kind in zip(each, self.kinds, strict=True)]
            drawn = io_callback(
                lambda: [a.view(np.uint32) for a in self.source(each)],  # float64 would come as float32
                [jax.ShapeDtypeStruct(shape, np.uint32) for shape in bits],  # type: ignore[no-untyped-call]
                ordered=True,
            )
            uniform, normal = (self._numbers(a, kind) for a, kind in zip(drawn, self.kinds, strict=True))
        return TracedRand(uniform, normal, self.dtype, self.beside)

    def _numbers(self, bits: Array, kind: np.dtype[Any]) -> Array:
        """Numbers (R, how many) from their bits, as the loop keeps them."""
        words = kind.itemsize // 4
        a = lax.bitcast_convert_type(bits.reshape(self._rows, -1, words) if words > 1 else bits, kind)
        return self._laid(a)

    def _update(
        self, state: list[Array], data: Data, epoch: Array, rand: TracedRand
    ) -> tuple[list[Array], Array | None]:
        seen, now = map(self._traced, data[:3]), trace(jnp.asarray(epoch))
        batch = Batch.of(Data(*seen), now, self.task.objective)
        streams: Any = rand  # a stand-in for Rand, as traced arrays are for arrays
        new, output = self.algorithm.update(self.net, self._source(state), batch, streams)
        arrays = dict(leaves(values(new, self._lanes)))
        for (name, old), before in zip(leaves(self.template), state, strict=True):
            if name not in arrays or len(arrays) > len(state):
                raise CannotCompile(
                    f"update does not keep the parts of its state: {', '.join(arrays)} came of it"
                )
            if (arrays[name].shape, arrays[name].dtype) != (before.shape, before.dtype):
                raise CannotCompile(
                    f"update turns {name} from {old.dtype}{before.shape} "
                    f"into {arrays[name].dtype}{arrays[name].shape}"
                )
        seen_now = None if output is None else values(output, self._lanes)
        return [arrays[name] for name, _ in leaves(self.template)], seen_now

    def _source(self, state: list[Array]) -> State:
        return trace(rebuilt(self.template, state), self.beside)

    def _predict(self, state: list[Array], x: Array) -> Array:
        return values(self.algorithm.predict(self.net, self._source(state), self._traced(x)), self._lanes)

    def _measure(self, output: Array, data: Data) -> tuple[Array, Array]:
        """Loss and share of right patterns (R,), in float64 as the curves are."""
        y, seen = trace(output, self.beside), Data(*map(self._traced, data[:3]))
        loss, right = self.task.cost(y, seen), self.task.right(y, seen).mean(axis=-1)
        return self._each(loss).astype(float), self._each(right).astype(float)

    def _beyond(self, arrays: list[Array]) -> Array:
        """Which replicas (R,) hold something that is not finite or beyond BOUND."""
        traced = trace(tuple(arrays), self.beside)
        sizes = [np.abs(a).max(axis=tuple(range(1, a.ndim))) <= BOUND for a in traced]
        return ~self._each(np.stack(sizes, axis=1).all(axis=1))

    @contextmanager
    def _reading(self, lanes: int = 0) -> Iterator[None]:
        """While the source is traced: compiled loops; whatever goes wrong is said with its line."""
        keep_programs()
        try:
            self._rows, self._lanes = lanes, lanes if self.beside else 0
            with precision(self.device), read_by(Compiled(self._lanes)):
                yield
        except InputError:
            raise
        except Exception as error:
            cause = error.__cause__ or error.__context__
            if isinstance(cause, CannotCompile):  # NumPy tried another way after ours was refused
                raise cause from None
            first = str(error).strip().split("\n")[0]
            raise CannotCompile(f"{type(error).__name__}: {first}{line_that_raised(error)}") from error
