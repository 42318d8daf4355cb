"""Random numbers: one independent stream per replica, purpose and kind, found by counting.

Replica i of a cell draws the same numbers alone, in any batch, chunk or process, because what it draws
follows from numbers alone: a stream is blocks of 16, 256 and then always 4,096 numbers, and where a block
begins is what a counter-based generator says of (replica, block). Nothing is made for a replica beforehand:
a thousand streams cost what their numbers cost.

    Philox4x64-10 keyed by (seed, purpose, kind), at counter (i, b): four words for block b of replica i
    SFC64 started from three of them gives the block; the first 16 uniform numbers are such words themselves

Salmon, Moraes, Dror & Shaw 2011, Parallel random numbers: as easy as 1, 2, 3, SC11 (Philox: 2^258 words for
a key); Doty-Humphrey's SFC64 as NumPy has it (period of at least 2^64). The key comes from `SeedSequence`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

import numpy as np
from numpy.random import SFC64, Generator, Philox, SeedSequence
from numpy.typing import DTypeLike, NDArray

# What a stream is for: initial weights are shared by all algorithms with the same network
# (common random numbers), so drawing noise must not disturb them.
WEIGHTS, ORDER, NOISE, SPLIT, PROBE = range(5)
UNIFORM, NORMAL = range(2)
FIRST, TIMES, BLOCK = 16, 16, 4096
LONG = 2  # blocks before all are BLOCK long
WORDS = 4  # that Philox has for each count


class Rand:
    """Random numbers for many replicas at once: one independent stream for each (replica, purpose, kind).

    Shapes are given for one replica, the replica axis comes first. A replica draws the same numbers alone
    and in any batch; one that is named twice draws them twice.

    Args:
        seed: the cell's seed.
        replicas: their numbers, R of them.
        purpose: what the stream is for: WEIGHTS, ORDER, NOISE, SPLIT or PROBE.
        dtype: the precision that numbers are handed out in.

    >>> both, second = Rand(0, [0, 1], NOISE), Rand(0, [1], NOISE)
    >>> bool((both.normal(3)[1] == second.normal(3)[0]).all())
    True
    """

    def __init__(
        self, seed: int, replicas: Sequence[int], purpose: int, dtype: DTypeLike = np.float64
    ) -> None:
        self._key = (seed, purpose)
        self._dtype = np.dtype(dtype)
        self._streams: dict[int, _Streams] = {}
        self._put(np.asarray(replicas, np.int64))
        self.taken = 0
        """Numbers handed out so far, of each replica."""

    def _put(self, replicas: NDArray[np.int64]) -> None:
        self._replicas = self._who = replicas  # the different ones, in order
        self._place: NDArray[np.intp] | None = None
        if not (np.diff(replicas) > 0).all():  # `np.unique` is slow to import
            self._who, self._place = np.unique(replicas, return_inverse=True)

    def _take(self, kind: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
        n = prod(shape)
        self.taken += n
        if kind not in self._streams:
            self._streams[kind] = _Streams(*self._key, kind)
        drawn = self._streams[kind].take(self._who, n)
        if self._place is not None:
            drawn = drawn[self._place]
        return drawn.reshape(len(self._replicas), *shape)

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

    def position(self) -> dict[str, int]:
        """How many numbers of each kind every stream has given so far.

        Returns:
            Counts by kind, such as {"0": 30} for thirty uniform numbers; of no kind that was not asked for.
        """
        return {str(kind): streams.given for kind, streams in self._streams.items()}

    def go_to(self, position: Mapping[str, int]) -> None:
        """Go on as streams that have given so many numbers do.

        Args:
            position: what `position` said of those.

        Returns:
            Nothing; what is drawn next is what comes after them.
        """
        self.taken = sum(position.values())
        self._streams = {int(kind): _Streams(*self._key, int(kind)) for kind in position}
        for kind, given in position.items():
            self._streams[int(kind)].go_to(self._who, given)

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forget some replicas; the others go on undisturbed.

        Args:
            mask: which replicas stay, bool (R,).

        Returns:
            Nothing; R is smaller from now on.
        """
        stays = self._replicas[mask]
        among = np.isin(self._who, stays)
        for streams in self._streams.values():
            streams.keep(among)
        self._put(stays)


class _Streams:
    """The streams of one kind, of as many replicas as are asked for: what is drawn ahead of them."""

    def __init__(self, seed: int, purpose: int, kind: int) -> None:
        key = SeedSequence(seed, spawn_key=(purpose, kind)).generate_state(2, np.uint64)
        self._philox = Philox(key=key, counter=0)
        self._unread = self._philox.state
        # it is given another state for each block: making one takes longer than drawing
        self._block = SFC64(0)
        self._generator, self._seated = Generator(self._block), self._block.state
        self._kind, self._next, self._ahead = kind, 0, np.empty((0, 0))
        self.given = 0
        """Numbers that each replica has had of it."""

    def go_to(self, replicas: NDArray[np.int64], given: int) -> None:
        """Stand where so many numbers have been given: in the block that holds the next one."""
        self.given, left = given, given
        while left >= (size := self._size(self._next)):
            left, self._next = left - size, self._next + 1
        self._ahead = np.empty((len(replicas), 0))
        self._ahead = self._drawn(replicas, left or 1)[:, left:]

    def take(self, replicas: NDArray[np.int64], n: int) -> NDArray[np.float64]:
        """The next n numbers of each replica, (R, n); replicas are in order, and no others than before."""
        ahead = self._ahead
        if ahead.shape[1] < n or len(ahead) < len(replicas):  # nothing was drawn yet, and nothing may be
            ahead = self._drawn(replicas, n)
        self._ahead = ahead[:, n:] if n <= BLOCK else ahead[:, n:].copy()  # and lets what is taken go
        self.given += n
        return ahead[:, :n]

    def keep(self, mask: NDArray[np.bool_]) -> None:
        self._ahead = self._ahead[mask]

    def _drawn(self, replicas: NDArray[np.int64], n: int) -> NDArray[np.float64]:
        """What is left of the block before, and further blocks until there are n numbers."""
        have = self._ahead.shape[1]
        sizes: list[int] = []
        total = have
        while total < n:
            sizes.append(self._size(self._next + len(sizes)))
            total += sizes[-1]
        drawn = np.empty((len(replicas), total))
        if have:
            drawn[:, :have] = self._ahead
        for size in sizes:
            self._fill(drawn[:, have : have + size], replicas, self._next)
            have, self._next = have + size, self._next + 1
        return drawn

    @staticmethod
    def _size(b: int) -> int:
        """How many numbers block b has."""
        return BLOCK if b >= LONG else FIRST * TIMES**b

    def _fill(self, block: NDArray[np.float64], replicas: NDArray[np.int64], b: int) -> None:
        """Block b of all replicas."""
        if self._kind == UNIFORM and not b:
            words = self._words(replicas, 0, block.shape[1] // WORDS)
            np.multiply(words >> np.uint64(11), 2.0**-53, out=block)
            return
        state = np.empty(4, np.uint64)
        seated = self._seated | {"state": {"state": state}}
        draw = self._generator.random if self._kind == UNIFORM else self._generator.standard_normal
        for row, words in zip(block, self._words(replicas, b + 1, 1), strict=True):
            state[:3], state[3] = words[:3], 1
            self._block.state = seated
            draw(out=row)

    def _words(self, replicas: NDArray[np.int64], space: int, counts: int) -> NDArray[np.uint64]:
        """Philox's words (R, 4 · counts) at the counters from (replica · counts, space)."""
        words = np.empty((len(replicas), WORDS * counts), np.uint64)
        seated = self._unread
        for start, stop in _runs(replicas):
            at = int(replicas[start]) * counts + (space << 64)
            # NumPy counts before it draws, not after
            seated["state"]["counter"] = _limbs((at - 1) % 2**256)
            self._philox.state = seated
            words[start:stop] = self._philox.random_raw((stop - start) * WORDS * counts).reshape(
                stop - start, -1
            )
        return words


def _runs(replicas: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Where replicas follow one another without a gap: from, up to."""
    if len(replicas) == 1:
        return iter([(0, 1)])
    ends = [*(np.flatnonzero(np.diff(replicas) != 1) + 1).tolist(), len(replicas)]
    return zip([0, *ends], ends, strict=False)


def _limbs(number: int) -> NDArray[np.uint64]:
    """A number in four words of 64 bits, the lowest first."""
    return np.frombuffer(number.to_bytes(32, "little"), "<u8").astype(np.uint64)
