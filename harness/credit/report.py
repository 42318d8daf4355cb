"""What a gradient check found, by parameter group,
and as the table that `python -m harness.credit` prints.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Agreement(NamedTuple):
    """Of the credit of some weights with their gradient; NaN where that is undefined, or not asked."""

    weights: int
    word: str
    """What makes a comparison impossible: 'zero credit', 'zero gradient', 'not finite'; '' otherwise."""
    central: float
    """Digits of agreement with central differences: −log10 of the relative error, the least of all networks.
    """
    complex: float
    angle: float
    """With the exact gradient, as in `harness.credit.compare`;
    means over the networks, or of the mean of all draws.
    """
    ratio: float
    signs: float
    z: float = math.nan
    """The largest |z| of a weight: how many standard errors the mean of all draws is off."""
    z_usual: float = math.nan
    """What an unbiased credit has there as often as not."""
    z_limit: float = math.nan
    """What an unbiased credit goes beyond by `CHANCE`, at most."""
    bias: float = math.nan
    snr: float = math.nan

    @property
    def biased(self) -> bool:
        """Whether the mean of the draws is off by more than chance."""
        return self.z > self.z_limit


@dataclass(frozen=True)
class GradientCheck:
    """How the credit of an algorithm on a task agrees with the gradient. `print` it for a table."""

    algorithm: str
    task: str
    networks: int
    patterns: int
    draws: int
    """1 for a credit without noise."""
    groups: Mapping[str, Agreement]
    """By name of the edge or of the group whose bias it is, and of all together (`total`)."""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        many = self.draws > 1
        count = f"{self.draws:,} draws at the weights of one network" if many else f"{self.networks} networks"
        names = ["angle", "ratio", "signs"]
        names += ["max |z|", "usual", "limit", "bias", "snr"] if many else ["central", "complex"]
        width = max(map(len, self.groups)) + 2
        lines = [f"{self.algorithm} on {self.task}: {count}, {self.patterns} patterns"]
        lines.append(f"{'':{width}}{'weights':>9}" + "".join(f"{name:>9}" for name in names))
        for name, a in self.groups.items():
            shown: list[float] = [a.angle, a.ratio, a.signs]
            shown += [a.z, a.z_usual, a.z_limit, a.bias, a.snr] if many else [a.central, a.complex]
            words = a.word + (", biased" if a.word and a.biased else "biased" if a.biased else "")
            lines.append(
                f"{name:{width}}{a.weights:>9,}"
                + "".join(map(cell_text, shown))
                + (f"  {words}" if words else "")
            )
        return "\n".join([*lines, *self.notes])


def cell_text(value: float) -> str:
    """A number in nine columns; – for none."""
    if math.isnan(value):
        return f"{'–':>9}"
    return f"{value:>9.2f}" if value == 0 or 0.01 <= abs(value) < 1e5 else f"{value:>9.1e}"
