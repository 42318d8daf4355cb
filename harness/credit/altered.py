"""Instruments for one update of an algorithm:
what it reads, and what it does when that is altered behind its back.

`harness.credit.traits` asks the questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from harness.core.algorithm import Algorithm, Batch
from harness.core.data import Patterns, Spec, Usual, binary_inputs, bit_names
from harness.core.initial import initial
from harness.core.losses import Loss
from harness.core.network import Edge, Group, Network
from harness.core.rand import NOISE, WEIGHTS, Rand
from harness.core.readings import Interpreted, Reading, read_by
from harness.core.task import Task
from harness.core.units import Unit

Array = Any
DRAWS = 5  # of the random numbers of machines whose states are sampled
MOVED = 1e-6  # of the largest change: quotients of differences are good to 1e-9


@dataclass(frozen=True)
class Count(Task):
    """How many of three bits are on: one output for each number, hidden groups of the given sizes."""

    hidden: tuple[int, ...] = (4, 3)
    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.0, scale=0.5, epochs=100)

    def network(self) -> Network:
        return Network.chain(3, *self.hidden, 4)

    def spec(self) -> Spec:
        return Spec(patterns=8, kind="labels")

    def patterns(self) -> Patterns:
        x = binary_inputs(3)
        return Patterns(x, x.sum(axis=1, keepdims=True) == np.arange(4), bit_names(x))


class Faces(NDArrayOperatorsMixin):
    """A weight matrix that is one thing as it stands and another transposed;
    counts activity sent through it.
    """

    def __init__(self, plain: Array, turned: Array, uses: Counter[str], name: str = "") -> None:
        self.plain, self.turned, self.uses, self.name = plain, turned, uses, name

    mT = property(lambda self: self.turned.mT)
    T = property(lambda self: self.turned.T)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.plain, dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        result = getattr(ufunc, method)(*map(bare, inputs), **options)
        if ufunc is np.matmul and inputs[1] is self:
            self.uses[self.name] += prod(result.shape[:-2])
        return result

    def __array_function__(self, function: Any, _: Any, arguments: Any, options: Any) -> Any:
        return function(*bare(arguments), **options)


@dataclass(frozen=True)
class Held:
    """A loss of outputs whose targets have changed places, as if they had not.

    Its errors know nothing of that.
    """

    loss: Loss

    def of(self, y: Array, target: Array, wanted: Array) -> Array:
        return self.loss.of(y, np.roll(target, -1, axis=-1), np.roll(wanted, -1, axis=-1))

    def error(self, y: Array, target: Array, wanted: Array) -> Array:
        return self.loss.error(y, target, wanted)

    def delta(self, unit: str, y: Array, target: Array, wanted: Array) -> Array:
        return self.loss.delta(unit, y, target, wanted)


def bare(a: Any) -> Any:
    """What is behind `Faces`, in lists and tuples."""
    return a.plain if isinstance(a, Faces) else type(a)(map(bare, a)) if type(a) in (list, tuple) else a


def name_of(key: Any) -> str:
    """The name of an edge or group, or of a parameter that has no more than one."""
    return str(getattr(key, "name", key))


class Altered(Interpreted):
    """A reading that counts passes and interferes:
    with weights on the way forward, with activities, with slopes.
    """

    def __init__(
        self, shift: Mapping[Any, Array], read: Group | None, slopes: bool, both_ways: bool = False
    ) -> None:
        """Forward passes take back a `shift` of weights, by edge, and with `both_ways` what comes back does;
        the first unit of the group `read` is shown at another activity; with `slopes`, the slopes of all
        units are others."""
        self.shift, self.read, self.slopes, self.both_ways = shift, read, slopes, both_ways
        self.passes, self.loops = Counter[str](), Counter[str]()

    def send(self, edge: Edge, w: Array, y: Array) -> Array:
        x = self.push(edge, w, y)
        self.passes[edge.name] += prod(x.shape[:-2])
        self.loops["settled"] += self.loops["now"] > 0 and prod(x.shape[:-2]) == 1
        return x

    def push(self, edge: Edge, w: Array, change: Array) -> Array:
        return edge.send(w - self.shift[edge.weights] if edge.weights in self.shift else w, change)

    def back(self, edge: Edge, w: Array, blame: Array) -> Array:
        here = self.both_ways and edge.weights in self.shift
        return edge.back(w - self.shift[edge.weights] if here else w, blame)

    def pull(self, unit: Unit, y: Array, blame: Array) -> Array:
        return blame * (0.3 + 0.2 * y) if self.slopes else unit.pull(y, blame)

    def shown(self, y: Mapping[Group, Array]) -> Mapping[Group, Array]:
        return {
            g: np.concatenate([0.9 - a[..., :1], a[..., 1:]], axis=-1) if g == self.read else a
            for g, a in y.items()
        }

    settle = Reading.settle  # by `repeat`, and so seen

    def repeat(self, n: int, body: Any, carry: Any) -> Any:
        before = self.loops["now"]
        for i in range(n):
            self.loops["all"], self.loops["now"] = self.loops["all"] + 1, max(before, i)
            carry = body(i, carry)
        self.loops["now"] = before
        return carry


class Seen(NamedTuple):
    """What one update did."""

    new: dict[Any, Array]
    change: dict[Any, Array]
    output: Array | None
    passes: Counter[str]
    loops: Counter[str]


class Trial:
    """One update of an algorithm on a task, and what becomes of it with something altered."""

    def __init__(self, algorithm: Algorithm, task: Task) -> None:
        self.seed = 1
        self.algorithm, self.net, some = (
            algorithm.resolved(task.usual),
            task.network(),
            np.random.default_rng(0),
        )
        self.batch = Batch.of(task.data(Rand(0, [0], NOISE), float), np.zeros(()), task.objective)
        weights = initial(self.net, Rand(0, [0], WEIGHTS), task.init, task.initial_scale)
        self.state = self.algorithm.init(self.net, weights, Rand(0, [0], NOISE))
        # no zeros
        self.params = {k: w + some.uniform(-0.5, 0.5, w.shape) for k, w in self.state["params"].items()}
        self.steps = task.spec().steps
        """Time steps of a sequence, each of which takes a pass; 0 without time."""
        self.roll = {name: np.roll(getattr(self.batch, name), 1, axis=-1) for name in ("target", "wanted")}
        self.edges = [k for k in self.params if isinstance(k, Edge)] or [k for k in self.params if "-" in k]
        self.everything = {k: np.ones(w.shape[-2:], bool) for k, w in self.params.items()}
        self.base = self.run()
        if not self.moves(self.run(batch=self.batch._replace(**self.roll)), self.everything):
            self.params = {k: 20.0 * w for k, w in self.params.items()}
            self.base = self.run()

    def run(
        self,
        params: Any = None,
        batch: Batch | None = None,
        shift: Any = None,
        read: Group | None = None,
        slopes: bool = False,
        both_ways: bool = False,
    ) -> Seen:
        """The update with some other `params`, another batch, or instruments that interfere."""
        old = self.params | (params or {})
        with np.errstate(all="ignore"), read_by(Altered(shift or {}, read, slopes, both_ways)) as seen:
            state, output = self.algorithm.update(
                self.net, {**self.state, "params": old}, batch or self.batch, Rand(self.seed, [0], NOISE)
            )
        new = {k: np.asarray(w) for k, w in state["params"].items()}
        return Seen(new, {k: new[k] - np.asarray(old[k]) for k in new}, output, seen.passes, seen.loops)

    def again(self) -> Iterator[Trial]:
        """The same with other random numbers: chance may leave the states of a machine as they were."""
        for seed in range(self.seed, self.seed + DRAWS):
            other = copy(self)
            other.seed = seed
            other.base = other.run()
            yield other

    def altered(self, edge: Any) -> tuple[dict[Any, Array], dict[Any, Array]]:
        """Its weights with those into the first unit of its target (the first channel of a map) turned round,
        and by how much they were altered."""
        sign = np.where(np.arange(self.params[edge].shape[-1]) == 0, -1.5, 1.0)
        return {edge: sign * self.params[edge]}, {edge: (sign - 1.0) * self.params[edge]}

    def upstream(self, edge: Any) -> dict[Any, Array]:
        """Weights and biases that activity meets before `edge`,
        and before all others of the same weights; not these.
        """
        below = set.intersection(*(self.below(source) for source, _ in self.ends(edge)))
        met = [
            k for k in self.params if name_of(k) in below or (k in self.edges and self.leads_into(k) & below)
        ]
        return {k: self.everything[k] for k in met if k != edge}

    def below(self, group: str) -> set[str]:
        """Groups whose activity reaches `group`, itself among them; round circles in time, too."""
        reached, size = {group}, 0
        while size < len(reached):
            size = len(reached)
            reached |= {source for source, target in self.ways() if target in reached}
        return reached

    def ways(self) -> Iterator[tuple[str, str]]:
        """Source and target of every way that activity takes: over weights, through gates, and as what opens
        one."""
        for edge in self.edges:
            yield from self.ends(edge)
        for gate in self.net.gates:
            heard = gate.source, *((gate.by,) if isinstance(gate.by, Group) else ())
            yield from ((group.name, gate.target.name) for group in heard)

    def ends(self, key: Any) -> list[tuple[str, str]]:
        """Source and target of every edge that has the weights `key`: of the network, or of a rule's own."""
        if isinstance(key, Edge):
            return [(e.source.name, e.target.name) for e in (key, *self.net.edges) if e.weights == key]
        source, _, target = name_of(key).partition("-")
        return [(source, target)]

    def leads_into(self, key: Any) -> set[str]:
        """The groups that a parameter leads into: those at the ends of its edges, or whose bias it is."""
        return {target for _, target in self.ends(key)} if key in self.edges else {name_of(key)}

    def untouched(self, key: Any, group: Group) -> Array:
        """Mask of the weights `key` of which no use has the first unit of `group` at either end."""
        first = np.eye(1, group.size)
        if isinstance(key, Group):
            return self.everything[key] if key != group else np.arange(key.channels)[None] != 0
        touched = np.zeros(key.shape)
        for e in self.net.edges:
            if e.weights == key:
                every = np.ones((1, e.source.size)), np.ones((1, e.target.size))
                touched += e.outer(first, every[1]) if e.source == group else 0.0
                touched += e.outer(every[0], first) if e.target == group else 0.0
        return touched == 0

    def moves(self, seen: Seen, where: Mapping[Any, Array]) -> bool:
        """Whether any change is not that of `base`, in the parts of parameters that `where` (masks) names."""
        bound = MOVED * max(np.abs(change).max() for change in self.base.change.values())
        return any(
            (~(np.abs(seen.change[k] - self.base.change[k]) <= bound))[..., part].any()
            for k, part in where.items()
        )

    def unused(self, seen: Seen) -> bool:
        """Whether altered weights made no difference at all."""
        return all(np.array_equal(seen.new[k], new) for k, new in self.base.new.items())

    def escaped(self, seen: Seen) -> bool:
        """Whether the output moved although it should be held."""
        here, there = self.base.output, seen.output
        return here is not None and there is not None and not np.allclose(there, here, 0.0, MOVED)
