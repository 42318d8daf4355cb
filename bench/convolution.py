"""A convolutional network's training step beside the same step by hand in NumPy: im2col, one product, col2im.

Two convolutions and a dense layer, softmax and cross-entropy: outputs, blame, and the gradient of every
parameter. By hand patches are a copied `sliding_window_view` that the way back uses again, and blame is added
to the source slice by slice, an offset at a time. Both give the same gradient: the benchmark checks.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from time import process_time
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from harness.core.algorithm import Batch
from harness.core.convolution import Convolution, map_size
from harness.core.edges import Edge, Group
from harness.core.exact_gradient import exact_gradient
from harness.core.initial import initial
from harness.core.losses import CrossEntropy
from harness.core.network import Network
from harness.core.rand import WEIGHTS, Rand
from harness.training.train import keep_freed_memory

Array = Any
CASES = [(1, 64), (1, 256), (16, 64), (16, 128)]  # networks, patterns
SIDE, KERNEL, STRIDE = 16, 3, 2  # of the image; of both kernels; of the second one
CHANNELS = (8, 16)
CLASSES = 10


def lines(rounds: int = 5) -> Iterator[str]:
    """The section on convolutional networks, interpreted and compiled."""
    sizes = f"{SIDE}×{SIDE} images, {CHANNELS[0]} and {CHANNELS[1]} channels, {KERNEL}×{KERNEL} kernels"
    yield f"A step of a convolutional network ({sizes}, softmax, cross-entropy) beside im2col by hand:"
    yield "forward, back and gradients, CPU time, medians of rounds in turn:"
    yield ""
    yield "| R | patterns | by hand, ms | interpreted ÷ by hand (range) | promised | compiled ÷ by hand |"
    yield "|---|---|---|---|---|---|"
    for replicas, patterns in CASES:
        yield beside_by_hand(replicas, patterns, rounds)


def network() -> Network:
    """Two convolutions and a dense layer; the second convolution skips every other place."""
    image = Group("input", (SIDE, SIDE, 1), "linear", bias=False)
    shape: Any = image.shape
    first = Group("maps1", (*map_size(shape, (KERNEL, KERNEL)), CHANNELS[0]), "tanh")
    places = map_size(first.shape, (KERNEL, KERNEL), STRIDE)  # type: ignore[arg-type]  # images
    second, last = Group("maps2", (*places, CHANNELS[1]), "tanh"), Group("output", CLASSES, "softmax")
    kernel = (KERNEL, KERNEL)
    edges = (
        Convolution(image, first, kernel=kernel),
        Convolution(first, second, kernel=kernel, stride=STRIDE),
        Edge(second, last),
    )
    return Network((image, first, second, last), edges)


def beside_by_hand(replicas: int, patterns: int, rounds: int) -> str:
    """One row of the table."""
    keep_freed_memory()
    net, rng = network(), np.random.default_rng(0)
    params = initial(net, Rand(0, range(replicas), WEIGHTS), "glorot")
    x, wanted = (
        rng.normal(size=(1, patterns, net.input_size)),
        np.eye(CLASSES)[rng.integers(0, CLASSES, (1, patterns))] > 0,
    )
    batch = Batch(x, wanted.astype(float), wanted, np.zeros(()), CrossEntropy())
    steps: list[Callable[[], Any]] = [
        lambda: by_hand(net, params, batch),
        lambda: exact_gradient(net, params, batch).gradient,
    ]
    if find_spec("jax"):
        steps.append(compiled(net, params, batch))
    for each in steps[1:]:
        for key, g in each().items():
            np.testing.assert_allclose(g, steps[0]()[key], rtol=1e-9, atol=1e-9)
    times = [[milliseconds(each, patterns * replicas) for each in steps] for _ in range(rounds)]
    hand = statistics.median(t[0] for t in times)
    ours = sorted(t[1] / t[0] for t in times)
    ratio = f"**{statistics.median(ours):.2f}** ({ours[0]:.2f}–{ours[-1]:.2f})"
    theirs = f"{statistics.median(t[2] / t[0] for t in times):.2f}" if len(steps) > 2 else "–"
    return f"| {replicas} | {patterns} | {hand:.3g} | {ratio} | ≤ 2 | {theirs} |"


def milliseconds(step: Callable[[], Any], size: int) -> float:
    """CPU time of a step, of as many as make about a second."""
    repeats = max(3, 4096 // size)
    start = process_time()
    for _ in range(repeats):
        step()
    return 1e3 * (process_time() - start) / repeats


def by_hand(net: Network, params: Any, batch: Batch) -> dict[Any, Array]:
    """The gradient of every parameter for R networks on the same patterns."""
    first, second, dense = net.edges
    (_, maps1, maps2, output), patterns, replicas = net.groups, batch.x.shape[1], len(params[dense])
    seen1 = im2col(batch.x.reshape(1, patterns, SIDE, SIDE, 1), 1)
    y1 = np.tanh(seen1 @ params[first] + params[maps1])
    seen2 = im2col(y1.reshape(replicas, patterns, *maps1.shape), STRIDE)
    y2 = np.tanh(seen2 @ params[second] + params[maps2])
    flat = y2.reshape(replicas, patterns, -1)
    z = flat @ params[dense] + params[output]
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    d3 = e / e.sum(axis=-1, keepdims=True) - batch.target
    d2 = (d3 @ params[dense].mT).reshape(y2.shape) * (1.0 - y2 * y2)
    places: Any = maps2.shape
    told = (d2 @ params[second].mT).reshape(replicas, patterns, *places[:2], KERNEL, KERNEL, -1)
    d1 = col2im(told, maps1.shape).reshape(y1.shape) * (1.0 - y1 * y1)
    weights = {first: seen1.mT @ d1, second: seen2.mT @ d2, dense: flat.mT @ d3}
    return weights | {g: d.sum(axis=1, keepdims=True) for g, d in ((maps1, d1), (maps2, d2), (output, d3))}


def im2col(image: Array, stride: int) -> Array:
    """Patches (R, N · places, offsets · channels) of maps (R, N, height, width, channels)."""
    windows = sliding_window_view(image, (KERNEL, KERNEL), axis=(2, 3))[:, :, ::stride, ::stride]
    return windows.transpose(0, 1, 2, 3, 5, 6, 4).reshape(len(image), -1, KERNEL * KERNEL * image.shape[-1])


def col2im(told: Array, shape: Any) -> Array:
    """What each place of a map (R, N, *shape) is told
    by all kernels over it (R, N, rows, columns, k, k, C).
    """
    replicas, patterns, rows, columns = told.shape[:4]
    blame = np.zeros((replicas, patterns, *shape))
    for i in range(KERNEL):
        for j in range(KERNEL):
            blame[:, :, i : i + STRIDE * rows : STRIDE, j : j + STRIDE * columns : STRIDE] += told[
                :, :, :, :, i, j
            ]
    return blame


def compiled(net: Network, params: Any, batch: Batch) -> Callable[[], Any]:
    """The harness's own step, read by JAX."""
    import jax

    from harness.compiling import device
    from harness.compiling.arrays import trace, values
    from harness.compiling.loops import Compiled
    from harness.core.readings import read_by

    keys = list(net.shapes)

    def step(weights: list[Array], x: Array) -> list[Array]:
        with read_by(Compiled()):
            given = dict(zip(keys, map(trace, weights), strict=True))
            found = exact_gradient(net, given, batch._replace(x=trace(x))).gradient
        return [values(found[key]) for key in keys]

    with jax.enable_x64(True):
        x, weights = jax.numpy.asarray(batch.x), [jax.numpy.asarray(params[key]) for key in keys]
        program = device.compiled(jax.jit(step).lower(weights, x))
    return lambda: dict(zip(keys, map(np.asarray, jax.block_until_ready(program(weights, x))), strict=True))
