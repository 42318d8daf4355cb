"""Gates: ways from group to group that no weight of their own lies on. How much passes is said by activity.

    Gate           x_j += y_j g_j                     unit by unit, g the activity of a group, or one number
    FastWeights    x_j += Σ_i y_i G_ij                the activity of a group is a matrix of weights

A gate is an edge whose weights are another group's activity, so that it keeps an edge's law,

    ⟨send(g, y), δ⟩ = ⟨y, back(g, δ)⟩ = ⟨g, outer(y, δ)⟩

for each pattern, and blame comes back both to what passed and to what let it pass. By a number, (1 − κ) from
a group to itself and κ from its input, it makes of a linear group a leaky one; delayed, by a group of
sigmoid units, it is the forget gate of Hochreiter & Schmidhuber's cell (1997, Neural Computation 9:1735-1780;
the gate: Gers, Schmidhuber & Cummins 2000, Neural Computation 12:2451-2471). As a matrix it is an attention
head's product of query and keys, and of what that says and values (Vaswani et al. 2017, arXiv:1706.03762;
fast weights: Schmidhuber 1992, Neural Computation 4:131-139).

What passes a gate is a group's bare activity: residuals and normalisation are what leaves over edges.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.core.edges import Group
from harness.core.errors import InputError

Array = Any


@dataclass(frozen=True)
class Gate:
    """What a unit of `source` does reaches the unit of `target` at its place, times what `by` does there.

    Args:
        source, target: groups of one size.
        by: a group of that size, heard within the time step; or one number for all units.
        delay: 0, or 1 to let pass what its source did one time step before.

    Raises:
        InputError: for another delay, and for groups of other sizes.

    >>> cell, forget = Group("cell", 3, "linear"), Group("forget", 3)
    >>> Gate(cell, cell, forget, delay=1).name
    'cell-cell by forget:1'
    """

    source: Group
    target: Group
    by: Group | float
    delay: int = 0
    name: str = field(init=False)
    """source-target by what, and :1 behind it where it is delayed."""

    def __post_init__(self) -> None:
        what = self.by.name if isinstance(self.by, Group) else f"{self.by:g}"
        late = ":1" if self.delay else ""
        object.__setattr__(self, "name", f"{self.source.name}-{self.target.name} by {what}{late}")
        if self.delay not in (0, 1):
            raise InputError(f"delay must be 0 or 1 time steps, but {self.delay!r} was given")
        self.check_sizes()

    def check_sizes(self) -> None:
        """Raise `InputError` unless its groups fit one another."""
        groups = [self.source, self.target, *([self.by] if isinstance(self.by, Group) else [])]
        if len({g.size for g in groups}) > 1:
            sizes = ", ".join(f"{g.name} {g.size}" for g in groups)
            raise InputError(f"a gate joins groups of one size, but {self.name!r} has {sizes}")

    def send(self, g: Array, y: Array) -> Array:
        """What passes: y_j g_j.

        Args:
            g: what `by` does, (…, N, size); or its number.
            y: activity of the source (…, N, size).

        Returns:
            Net input (…, N, size) of the target.
        """
        return y * g

    def back(self, g: Array, blame: Array) -> Array:
        """Blame of the source, the adjoint of `send` in y.

        Args:
            g: what `by` does, (…, N, size); or its number.
            blame: ∂E/∂x of the target (…, N, size).

        Returns:
            ∂E/∂y of the source (…, N, size).
        """
        return blame * g

    def outer(self, y: Array, blame: Array) -> Array:
        """Blame of what let it pass, the adjoint of `send` in g.

        Args:
            y: activity of the source (…, N, size).
            blame: ∂E/∂x of the target (…, N, size).

        Returns:
            ∂E/∂y of `by` (…, N, size).
        """
        return y * blame


@dataclass(frozen=True)
class FastWeights(Gate):
    """A dense edge whose weights are the activity of `by`, for each pattern other ones.

    Args:
        source, target: the groups that it joins.
        by: a group of source × target units: row i are the weights out of unit i of the source.
        delay: as of `Gate`.
        turned: whether the rows of `by` are the weights into the units of the target instead, as an attention
            head's keys are: x_j = Σ_i y_i G_ji.

    >>> query, keys, scores = Group("query", 2), Group("keys", (1, 4, 2)), Group("scores", 4, "softmax")
    >>> FastWeights(query, scores, keys, turned=True).name
    'query-scores by keys'
    """

    turned: bool = False

    def check_sizes(self) -> None:
        if not isinstance(self.by, Group) or self.by.size != self.source.size * self.target.size:
            raise InputError(
                f"fast weights from {self.source.size} units to {self.target.size} are the activity "
                f"of a group of {self.source.size * self.target.size}, but {self.name!r} was given"
            )

    def _matrix(self, g: Array) -> Array:
        rows = self.target.size if self.turned else self.source.size
        matrix = g.reshape(*g.shape[:-1], rows, -1)
        return matrix.mT if self.turned else matrix

    def send(self, g: Array, y: Array) -> Array:
        return (y[..., None, :] @ self._matrix(g))[..., 0, :]

    def back(self, g: Array, blame: Array) -> Array:
        return (blame[..., None, :] @ self._matrix(g).mT)[..., 0, :]

    def outer(self, y: Array, blame: Array) -> Array:
        rows, columns = (blame, y) if self.turned else (y, blame)
        each = rows[..., :, None] * columns[..., None, :]
        return each.reshape(*each.shape[:-2], -1)
