"""How costs grow as a power, fitted by least squares.

With weights W, depth or the patterns of an update; of networks in time with steps T, and with the units n
that are heard a step later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from harness.cost.movement import CACHES, moved
from harness.cost.sheet import CostSheet

QUANTITIES: dict[str, Callable[[CostSheet], float]] = {
    "work": lambda s: s.update.work,
    "effective": lambda s: s.update.effective_multiply_adds,
    "÷ prediction": lambda s: s.predictions,
    "moved, 32 KiB": lambda s: moved(s.update.trace, CACHES["32 KiB"]),
    "forward passes": lambda s: s.forward_passes,
    "span": lambda s: s.update.span,
    "log span": lambda s: s.update.log_span,
    "random numbers": lambda s: s.update.draws.total(),
    "state bytes": lambda s: s.state_bytes,
    "peak bytes": lambda s: s.peak_bytes,
}
AXES: dict[str, Callable[[CostSheet], float]] = {
    "T": lambda s: s.steps,
    "n": lambda s: s.remembered,
    "W": lambda s: s.weights,
    "depth": lambda s: s.depth,
    "patterns": lambda s: s.patterns,
}
DRAWN = ("work", "forward passes", "span", "peak bytes")


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """The power of x that y grows with:
    the slope of log y against log x by least squares; NaN where y has zeros.
    """
    if min(y) <= 0 or min(x) <= 0:
        return float("nan")
    return float(np.round(np.polyfit(np.log(x), np.log(y), 1)[0], 6)) + 0.0  # no −0


def exponent_interval(
    x: Sequence[float], y: Sequence[float], level: float = 0.95
) -> tuple[float, float, float]:
    """`exponent`, with Student's interval of the slope.

    There is no chance in a count: what scatters around the power are terms of lower order.

    Args:
        x, y: sizes, and what grows with them, at least three of each.
        level: how often such an interval holds the slope, were the scatter normal.

    Returns:
        The slope, and the ends of its interval; all NaN where y has zeros.

    >>> [round(v, 6) for v in exponent_interval([1, 2, 4], [3, 12, 48])]
    [2.0, 2.0, 2.0]
    """
    from scipy.stats import linregress, t

    if min(y) <= 0 or min(x) <= 0 or len(x) < 3:
        return (exponent(x, y), float("nan"), float("nan"))
    fit = linregress(np.log(x), np.log(y))
    half = float(t.ppf(0.5 + level / 2, len(x) - 2) * fit.stderr)
    low, slope, high = (float(np.round(fit.slope + end, 6)) + 0.0 for end in (-half, 0.0, half))  # no −0
    return slope, low, high


def varying(sheets: Sequence[CostSheet]) -> list[str]:
    """Which of T, n, W, depth and patterns vary over the sheets."""
    return [name for name, of in AXES.items() if len({of(s) for s in sheets}) > 1]


def growth_table(sheets: Sequence[CostSheet]) -> str:
    """A table of each quantity against what varies, with the fitted exponents; one size has a plain sheet."""
    axes = varying(sheets)
    if not axes:
        several = "the values give networks of one size\n" if len(sheets) > 1 else ""
        return f"{several}{sheets[0]}"
    lines = (
        [f"{' and '.join(axes)} vary together: an exponent in one is that of both"] if len(axes) > 1 else []
    )
    for name in axes:
        x = [AXES[name](s) for s in sheets]
        lines.append(f"{name:20}" + "".join(f"{v:>14,}" for v in x) + f"{'∝ ' + name + '^':>14}")
        for quantity, of in QUANTITIES.items():
            y = [of(s) for s in sheets]
            if np.isnan(y).any():  # not traced, or a prediction without work
                continue
            power, low, high = exponent_interval(x, y)
            shown = "–" if np.isnan(power) else f"{power:.2f}"
            among = "" if np.isnan(low) else f" [{low:.2f}–{high:.2f}]"
            lines.append(f"{quantity:20}" + "".join(f"{v:>14,.6g}" for v in y) + f"{shown:>14}{among}")
    return "\n".join(lines)
