"""The other baseline: what somebody who knows JAX writes by hand for networks of sigmoid units, a whole loop.

Two ways of keeping R networks, of which the better one counts: replicas on the first axis, where
`jit(vmap(grad))` has them and products are JAX's own; and on the last one, in blocks under one `lax.map`,
forward and backward pass written out, every multiplication beside its neighbours'.

Both do what everybody in the table does: gradient descent with momentum on half the squared error, and the
bookkeeping. The criterion is looked at every epoch, by the outputs of the update's own forward pass; a
network that meets it keeps its state, and its epoch is noted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from bench.contest import Contestant, Start, Weights
from harness.compiling.device import compiled as compile_quickly
from harness.core.task import Task

Array = Any
Named = dict[str, Array]  # weights by the name of their edge, biases by that of their group
LANES = 256


def error(task: Task, y: Array, target: Array, wanted: Array) -> Array:
    """∂E/∂y of the outputs."""
    gap = y - target
    if task.margin is None:
        return gap
    return gap * ((gap < -task.margin) & wanted | (gap > task.margin) & ~wanted)


def good(start: Start, y: Array, wanted: Array) -> Array:
    """Which outputs are on their target's side of the middle."""
    middle = start.task.middle
    return (y > middle + start.edge) & wanted | (y < middle - start.edge) & ~wanted


def activities(task: Task, w: Named, x: Array, send: Callable[[Array, Array], Array]) -> Named:
    """Activity of every group (N, units, …)."""
    net, y, begin = task.network(), {}, 0
    for group in net.inputs:
        y[group.name] = x[:, begin : begin + group.size]
        begin += group.size
    for group in net.free:
        x_j = w[group.name]
        for e in net.edges:
            if e.target == group:
                x_j = x_j + send(y[e.source.name], w[e.name])
        y[group.name] = 1.0 / (1.0 + jnp.exp(-x_j))
    return y


def loop(
    start: Start, step: Callable[[Named], tuple[Named, Array]], w: Named, axis: int, epochs: Array
) -> Any:
    """All epochs; `step` gives the gradient at weights, and who meets the criterion there (R,)."""

    def one(now: Any) -> Any:
        epoch, w, v, ended = now
        gradient, met = step(w)
        ended = jnp.where(met & (ended < 0), epoch, ended)
        runs = ended < 0 if axis else (ended < 0)[:, None, None]
        new = {k: start.momentum * v[k] - start.lr * g for k, g in gradient.items()}
        moved = {k: jnp.where(runs, w[k] + new[k], w[k]) for k in w}
        return epoch + 1, moved, {k: jnp.where(runs, new[k], v[k]) for k in v}, ended

    some = next(iter(w.values()))
    first = jnp.int64(0), w, jax.tree.map(jnp.zeros_like, w), jnp.full(some.shape[axis], -1)
    return lax.while_loop(lambda now: (now[0] < epochs) & (now[3] < 0).any(), one, first)[1::2]


def replicas_first(start: Start) -> Contestant:
    """`vmap(grad)` over networks."""
    task, data = start.task, start.data
    output = task.network().output.name

    def loss(w: Named, x: Array, target: Array, wanted: Array) -> tuple[Array, Array]:
        y = activities(task, w, x, jnp.matmul)[output]
        right = good(start, y, wanted).all(axis=-1)
        return 0.5 * jnp.sum(error(task, y, target, wanted) ** 2), right.sum() / len(right) >= task.share

    own = [0 if len(a) > 1 else None for a in data[:3]]
    gradient = jax.vmap(jax.grad(loss, has_aux=True), in_axes=(0, *own))

    def train(w: Named, x: Array, target: Array, wanted: Array, epochs: Array) -> Any:
        given = [a if mine == 0 else a[0] for a, mine in zip((x, target, wanted), own, strict=True)]
        return loop(start, lambda w: gradient(w, *given), w, 0, epochs)

    return compiled(start, train, lambda a: a, lambda a: a)


def replicas_last(start: Start, lanes: int = LANES) -> Contestant:
    """Blocks of networks beside one another on the last axis."""
    task, data = start.task, start.data
    net = task.network()
    output = net.output.name
    shared = len(data.x) == 1

    def added(of: Callable[[int], Array], count: int) -> Array:
        total = of(0)
        for i in range(1, count):
            total = total + of(i)
        return total

    def send(y: Array, w: Array) -> Array:
        return added(lambda i: y[:, i, None] * w[None, i], len(w))

    def gradient(w: Named, x: Array, target: Array, wanted: Array) -> tuple[Named, Array]:
        y = activities(task, w, x, send)
        right = good(start, y[output], wanted).all(axis=1)
        met = right.all(axis=0) if task.share == 1 else right.sum(axis=0) / len(right) >= task.share
        delta = {output: error(task, y[output], target, wanted) * (y[output] * (1.0 - y[output]))}
        for group in reversed(net.hidden):
            blame = 0.0
            for e in net.edges:
                if e.source == group:
                    back, told = w[e.name], delta[e.target.name]
                    blame = blame + added(
                        lambda j, back=back, told=told: told[:, None, j] * back[None, :, j], back.shape[1]
                    )
            delta[group.name] = blame * (y[group.name] * (1.0 - y[group.name]))
        out = {k: d.sum(axis=0)[None] for k, d in delta.items()}
        for e in net.edges:
            out[e.name] = (y[e.source.name][:, :, None] * delta[e.target.name][:, None]).sum(axis=0)
        return out, met

    def train(w: Named, x: Array, target: Array, wanted: Array, epochs: Array) -> Any:
        def block(now: Any) -> Any:
            w, given = (
                now[0],
                (x[0, ..., None], target[0, ..., None], wanted[0, ..., None]) if shared else now[1:],
            )
            return loop(start, lambda w: gradient(w, *given), w, -1, epochs)

        return lax.map(block, (w,) if shared else (w, x, target, wanted))

    count = len(next(iter(start.params.values())))
    blocks = -(-count // lanes)

    def cut(a: Array) -> Array:
        padded = np.concatenate([a, np.repeat(a[:1], blocks * lanes - count, axis=0)])
        return np.moveaxis(padded.reshape(blocks, lanes, *a.shape[1:]), 1, -1)

    def joined(a: Array) -> Array:
        return np.moveaxis(a, -1, 1).reshape(blocks * lanes, *a.shape[1:-1])[:count]

    return compiled(start, train, cut, joined)


def compiled(
    start: Start, train: Any, cut: Callable[[Array], Array], joined: Callable[[Array], Array]
) -> Contestant:
    """The contestant whose networks are laid out by `cut`, and come back by `joined`."""
    names = {getattr(key, "name", key): key for key in start.params}
    w = {name: cut(start.params[key]) for name, key in names.items()}
    given = w, *(a if len(a) == 1 else cut(a) for a in start.data[:3])
    with jax.enable_x64(True):
        ready = compile_quickly(jax.jit(train).lower(*given, np.int64(0)))

    def run(epochs: int) -> tuple[Weights, Any]:
        with jax.enable_x64(True):
            last, ended = ready(*given, np.int64(epochs))
            return {names[k]: joined(np.asarray(a)) for k, a in last.items()}, joined(np.asarray(ended))

    return run
