"""Random numbers: one independent stream per replica, purpose and kind.

Replica i of a cell draws the same numbers alone, in any batch, chunk or process, because each
(replica, purpose, kind) owns a generator seeded by `SeedSequence(seed, spawn_key=…)`. A stream is
drawn ahead in blocks and handed out in slices; how far ahead is a matter of speed, never of bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import DTypeLike, NDArray

# What a stream is for: initial weights are shared by all algorithms with the same network
# (common random numbers), so drawing noise must not disturb them.
WEIGHTS, ORDER, NOISE, SPLIT, PROBE = range(5)
UNIFORM, NORMAL = range(2)
BLOCK = 4096


class Rand:
    """Draws for many replicas at once; shapes are given for one replica, the replica axis comes first."""

    def __init__(
        self,
        seed: int,
        replicas: Sequence[int],
        purpose: int,
        dtype: DTypeLike = np.float64,
        block: int = BLOCK,
    ) -> None:
        """`block`: numbers drawn ahead per stream (1 for streams that are used once)."""
        self._key = (seed, purpose)
        self._replicas = list(replicas)
        self._dtype = np.dtype(dtype)
        self._block = block
        self._generators: dict[int, list[Generator]] = {}
        self._ahead: dict[int, NDArray[np.float64]] = {}
        self.taken = 0
        """Numbers handed out so far, of each replica."""

    def _take(self, kind: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
        n = prod(shape)
        self.taken += n
        ahead = self._ahead.get(kind)
        if ahead is None or ahead.shape[1] < n:
            ahead = self._draw_ahead(kind, n)
        self._ahead[kind] = ahead[:, n:]
        return ahead[:, :n].reshape(len(self._replicas), *shape)

    def _draw_ahead(self, kind: int, n: int) -> NDArray[np.float64]:
        if kind not in self._generators:
            seed, purpose = self._key
            self._generators[kind] = [
                Generator(PCG64(SeedSequence(seed, spawn_key=(i, purpose, kind)))) for i in self._replicas
            ]
        rest = self._ahead.get(kind, np.empty((len(self._replicas), 0)))
        fresh = max(self._block, n - rest.shape[1])
        ahead = np.empty((len(self._replicas), rest.shape[1] + fresh))
        ahead[:, : rest.shape[1]] = rest
        for row, generator in zip(ahead[:, rest.shape[1] :], self._generators[kind], strict=True):
            row[:] = generator.random(fresh) if kind == UNIFORM else generator.standard_normal(fresh)
        return ahead

    def uniform(self, *shape: int) -> NDArray[np.floating]:
        """Uniform on [0, 1), shape (R, *shape)."""
        drawn = self._take(UNIFORM, shape).astype(self._dtype)
        # rounding reaches 1 in float32
        return np.minimum(drawn, np.nextafter(self._dtype.type(1), self._dtype.type(0)))

    def normal(self, *shape: int) -> NDArray[np.floating]:
        """Standard normal, shape (R, *shape)."""
        return self._take(NORMAL, shape).astype(self._dtype)

    def zeros(self, *shape: int) -> NDArray[np.floating]:
        """Zeros with the replica axis, shape (R, *shape); draws nothing."""
        return np.zeros((len(self._replicas), *shape), self._dtype)

    def permutation(self, n: int) -> NDArray[np.intp]:
        """A random order of n things per replica, shape (R, n): ranks of n uniforms."""
        return np.argsort(self._take(UNIFORM, (n,)), axis=-1, kind="stable")

    def block(self, kind: int, n: int) -> NDArray[np.float64]:
        """The next n numbers of a kind (`UNIFORM`, `NORMAL`) as they were drawn, in float64: (R, n)."""
        return self._take(kind, (n,))

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forget the replicas where `mask` (R,) is False; the others go on undisturbed."""
        self._replicas = [i for i, stays in zip(self._replicas, mask, strict=True) if stays]
        self._generators = {
            kind: [g for g, stays in zip(generators, mask, strict=True) if stays]
            for kind, generators in self._generators.items()
        }
        self._ahead = {kind: ahead[mask] for kind, ahead in self._ahead.items()}
