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
    """Random numbers for many replicas at once: one independent stream for each (replica, purpose, kind).

    Shapes are given for one replica, the replica axis comes first. A replica draws the same numbers alone
    and in any batch (NumPy's `SeedSequence`, PCG64).

    Args:
        seed: the cell's seed.
        replicas: their numbers, R of them.
        purpose: what the stream is for: WEIGHTS, ORDER, NOISE, SPLIT or PROBE.
        dtype: the precision that numbers are handed out in.
        block: numbers drawn ahead per stream (1 for streams that are used once); changes speed, never bits.

    >>> both, second = Rand(0, [0, 1], NOISE), Rand(0, [1], NOISE)
    >>> bool((both.normal(3)[1] == second.normal(3)[0]).all())
    True
    """

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
        """Uniform numbers on [0, 1).

        Args:
            shape: of one replica's.

        Returns:
            Numbers (R, *shape).
        """
        drawn = self._take(UNIFORM, shape).astype(self._dtype)
        # rounding reaches 1 in float32
        return np.minimum(drawn, np.nextafter(self._dtype.type(1), self._dtype.type(0)))

    def normal(self, *shape: int) -> NDArray[np.floating]:
        """Standard normal numbers.

        Args:
            shape: of one replica's.

        Returns:
            Numbers (R, *shape).
        """
        return self._take(NORMAL, shape).astype(self._dtype)

    def zeros(self, *shape: int) -> NDArray[np.floating]:
        """Zeros with the replica axis; draws nothing.

        Args:
            shape: of one replica's.

        Returns:
            Zeros (R, *shape).
        """
        return np.zeros((len(self._replicas), *shape), self._dtype)

    def permutation(self, n: int) -> NDArray[np.intp]:
        """A random order of things per replica: the ranks of uniform numbers.

        Args:
            n: how many things.

        Returns:
            Whole numbers from 0 to n − 1, (R, n).
        """
        return np.argsort(self._take(UNIFORM, (n,)), axis=-1, kind="stable")

    def block(self, kind: int, n: int) -> NDArray[np.float64]:
        """The next numbers of a kind as they were drawn, in float64.

        Args:
            kind: UNIFORM or NORMAL.
            n: how many.

        Returns:
            Numbers (R, n).
        """
        return self._take(kind, (n,))

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forget some replicas; the others go on undisturbed.

        Args:
            mask: which replicas stay, bool (R,).

        Returns:
            Nothing; R is smaller from now on.
        """
        self._replicas = [i for i, stays in zip(self._replicas, mask, strict=True) if stays]
        self._generators = {
            kind: [g for g, stays in zip(generators, mask, strict=True) if stays]
            for kind, generators in self._generators.items()
        }
        self._ahead = {kind: ahead[mask] for kind, ahead in self._ahead.items()}
