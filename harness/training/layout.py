"""Which memory layout a batch is trained in: replicas last (`harness.core.lanes`) where that is faster.

It is for networks of narrow dense layers, and for rules that do nothing with arrays but arithmetic, sums, and
sending them over edges. Others multiply matrices of their own, or flatten all weights into one vector to
shake them: NumPy does that faster with replicas first. Which a rule is shows in one update of two networks,
done with arrays that notice. The answer depends on the rule and the network, never on the number of replicas
or on a clock, for it decides the last bits of sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.cells.start import ground
from harness.core.algorithm import Algorithm
from harness.core.lanes import Lanes, narrow
from harness.core.readings import read_by
from harness.core.riding import kept
from harness.core.task import Task
from harness.core.tree import leaves, tree_map
from harness.training.plan import Plan

Array = Any
WIDEST = 32  # weights of an edge: beyond, matrix products are faster (docs/core.md)
PATTERNS = 3  # in the update that is looked at
ARITHMETIC = {np.where, np.zeros_like, np.ones_like, np.full_like, np.empty_like, np.clip, np.sum, np.mean}


class NotArithmetic(Exception):
    """A rule does what wants replicas first."""


class Noticing(np.ndarray[Any, Any]):
    """An array that raises `NotArithmetic` where it is multiplied as a matrix, or made into another shape."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc.signature:
            raise NotArithmetic(ufunc.__name__)
        if kwargs.get("out"):
            kwargs["out"] = tuple(map(plain, kwargs["out"]))
        return noticing(getattr(ufunc, method)(*map(plain, inputs), **kwargs))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func not in ARITHMETIC:
            raise NotArithmetic(func.__name__)
        return noticing(func(*map(plain, args), **kwargs))

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        raise NotArithmetic("reshape")


class Looking(Lanes):
    """Edges as they are, over arrays that notice everything else."""

    def send(self, edge: Any, w: Array, y: Array) -> Array:
        return noticing(edge.send(plain(w), plain(y)))

    def back(self, edge: Any, w: Array, blame: Array) -> Array:
        return noticing(edge.back(plain(w), plain(blame)))

    def outer(self, edge: Any, y: Array, blame: Array) -> Array:
        return noticing(edge.outer(plain(y), plain(blame)))


def noticing(a: Array) -> Array:
    """The same array, watched."""
    return a.view(Noticing) if isinstance(a, np.ndarray) else a


def plain(a: Array) -> Array:
    """The same array, unwatched."""
    return a.view(np.ndarray) if isinstance(a, np.ndarray) else a


def replicas_last(algorithm: Algorithm, task: Task, plan: Plan) -> bool:
    """Whether replicas are last in memory for this rule on this network."""
    if not narrow(task.network().edges, WIDEST):
        return False
    algorithm, task = kept(algorithm, [0, 0]), kept(task, [0, 0])
    at = ground(task, plan, range(2), PATTERNS)
    try:
        with read_by(Looking()), np.errstate(all="ignore"):
            state = algorithm.init(at.net, at.weights, at.noise)
            drawn = at.noise.taken
            batch = at.batch._replace(
                **{name: noticing(getattr(at.batch, name)) for name in ("x", "target", "wanted")}
            )
            after = algorithm.update(at.net, tree_map(noticing, state), batch, at.noise).state
            algorithm.predict(at.net, tree_map(noticing, after), batch.x)
    except NotArithmetic:
        return False
    return at.noise.taken == drawn and all(isinstance(a, np.ndarray) for _, a in leaves(after))
