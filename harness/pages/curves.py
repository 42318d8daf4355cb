"""Small figures as SVG inside a page, written without matplotlib: hundreds of them take no time.

Colours are the page's own, light or dark. Every figure has a name, which is read aloud in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from harness.core.outcomes import Fates
from harness.drawing.style import plain

Array = Any
WIDE, HIGH = 400, 210  # of a figure
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 38  # of its axes, from the edges
MOST = 6  # ticks on an axis
FEW = 12  # points of a curve that are marked: a line through one is not seen


class Axis(NamedTuple):
    """From a low to a high value, in `pixels` from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    ticks: tuple[float, ...] = ()
    """Where an axis is not logarithmic."""

    def at(self, values: Any) -> Array:
        """Where values lie; what is beyond an end lies on it, NaN stays."""
        v, low, high = np.asarray(values, float), self.low, self.high
        v = np.clip(v, low, high)
        if self.log:
            v, low, high = np.log10(v), np.log10(low), np.log10(high)
        return self.start + (v - low) / (high - low) * (self.end - self.start)

    def marks(self) -> list[float]:
        """Where to put a number: at powers of ten, or at the ticks."""
        if not self.log:
            return list(self.ticks)
        first, last = int(np.ceil(np.log10(self.low) - 1e-9)), int(np.floor(np.log10(self.high) + 1e-9))
        step = max(1, -(-(last - first + 1) // MOST))
        powers = [10.0**k for k in range(first, last + 1, step)]
        return powers if len(powers) > 1 else sorted({*powers, self.low, self.high})


def across(high: float) -> Axis:
    """Epochs, from 1 on."""
    return Axis(1.0, max(2.0, high), LEFT, WIDE - RIGHT, log=True)


def losses(*values: Array) -> Axis:
    """Of a loss: all that is finite and above 0, with room."""
    all_of = np.concatenate([np.asarray(v, float) for v in values])
    some = all_of[np.isfinite(all_of) & (all_of > 0)]
    top = 1.3 * float(some.max()) if len(some) else 1.0
    low = max(float(some.min()) / 1.3, 1e-6 * top) if len(some) else 0.1
    return Axis(low, top, HIGH - BOTTOM, TOP, log=True)


def upwards(low: float, high: float, ticks: Sequence[float]) -> Axis:
    """An axis with these ticks."""
    return Axis(low, high, HIGH - BOTTOM, TOP, ticks=tuple(ticks))


def svg(name: str, wide: float, high: float, inside: str) -> str:
    """A figure by its name, plain text."""
    return (
        f'<svg viewBox="0 0 {wide:g} {high:g}" role="img" aria-label="{escape(name)}"'
        f' style="max-width: {1.3 * wide:g}px">\n'
        f"<title>{escape(name)}</title>\n{inside}\n</svg>"
    )


def curve(name: str, epochs: Array, quartiles: Sequence[Array], y: Axis, unit: str, budget: float) -> str:
    """A median (E,) between its quartiles over epochs (E,), log-spaced; of `quartiles` the median is the
    second. What is infinite lies on the upper edge.
    """
    later = np.asarray(epochs) >= 1  # a logarithmic axis has no 0
    x = across(budget)
    at, (low, middle, high) = x.at(epochs[later]), (y.at(np.asarray(q, float)[later]) for q in quartiles)
    known, there = ~(np.isnan(low) | np.isnan(high)), ~np.isnan(middle)
    around = [*_bends(at[known], high[known]), *reversed(_bends(at[known], low[known]))]
    drawn = f'<polygon class="band" points="{" ".join(around)}"/>' if around else ""
    drawn += f'<polyline class="line" points="{" ".join(_bends(at[there], middle[there]))}"/>'
    if 0 < np.count_nonzero(there) <= FEW:
        points = zip(at[there].tolist(), middle[there].tolist(), strict=True)
        drawn += f'<path class="dot" d="{"".join(f"M{a:.1f} {b:.1f}h0" for a, b in points)}"/>'
    return svg(name, WIDE, HIGH, _axes(x, y, unit) + drawn)


def _axes(x: Axis, y: Axis, unit: str) -> str:
    parts = []
    for value in y.marks():
        at = float(y.at(value))
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDE - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{at + 3.5:.1f}" text-anchor="end">{_label(y, value)}</text>')
    parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{HIGH - BOTTOM}H{WIDE - RIGHT}"/>')
    parts += _ticks(x, HIGH - BOTTOM)
    parts.append(f'<text x="{(LEFT + WIDE - RIGHT) / 2:g}" y="{HIGH - 5}" text-anchor="middle">epochs</text>')
    middle = (TOP + HIGH - BOTTOM) / 2
    parts.append(
        f'<text transform="translate(11 {middle:g}) rotate(-90)" text-anchor="middle">{escape(unit)}</text>'
    )
    return "\n".join(parts) + "\n"


def _ticks(x: Axis, y: float) -> list[str]:
    parts = []
    for value in x.marks():
        at = float(x.at(value))
        anchor = "end" if at > WIDE - 30 else "middle"
        parts.append(f'<path class="axis" d="M{at:.1f} {y:g}v4"/>')
        parts.append(f'<text x="{at:.1f}" y="{y + 16:g}" text-anchor="{anchor}">{_label(x, value)}</text>')
    return parts


def _label(axis: Axis, value: float) -> str:
    """A number on an axis, of two digits where it is logarithmic."""
    return plain(float(f"{value:.2g}") if axis.log else value)


def _bends(x: Array, y: Array) -> list[str]:
    """The points (E,) of a line without those in the middle of what is level."""
    step = np.diff(np.round(y, 1)) != 0
    ends = np.ones(min(len(y), 1), bool)
    kept = np.concatenate([ends, step[:-1] | step[1:], ends]) if len(y) > 1 else ends
    return [f"{a:.1f},{b:.1f}" for a, b in zip(x[kept].tolist(), y[kept].tolist(), strict=True)]


def shares(name: str, became: Fates) -> str:
    """A bar of all replicas, as long as there are solved, unsolved and diverged ones."""
    n, x, parts = len(became.solved), 0.0, []
    for kind, mask in became._asdict().items():
        wide = WIDE * float(np.count_nonzero(mask)) / n
        if wide:
            parts.append(f'<rect class="{kind}" x="{x:.1f}" y="0" width="{wide:.1f}" height="16"/>')
        x += wide
    return svg(name, WIDE, 16, "".join(parts))


def strip(name: str, epochs: Array, budget: float) -> str:
    """A stroke for each of some epochs, on a logarithmic axis up to the budget."""
    x = across(budget)
    strokes = sorted({f"{at:.1f}" for at in x.at(epochs)}, key=float)
    drawn = f'<path class="line" style="opacity:.6" d="{"".join(f"M{at} 6v22" for at in strokes)}"/>'
    axis = f'<path class="axis" d="M{LEFT} 30H{WIDE - RIGHT}"/>'
    word = f'<text x="{LEFT - 12}" y="46" text-anchor="end">epochs</text>'
    return svg(name, WIDE, 50, drawn + axis + "".join(_ticks(x, 30)) + word)


def squares(name: str, panels: Sequence[tuple[str, Sequence[tuple[str, Array]]]]) -> str:
    """A Hinton diagram: a panel for each group of units with the weights into it, block by block, each weight
    a square as large as it is big, white for positive and black for negative.

    Args:
        name: of the figure.
        panels: the group's name, and of each source its name and weights (rows, columns); NaN is no square.
    """
    sizes = np.concatenate([np.abs(w).ravel() for _, blocks in panels for _, w in blocks])
    biggest = float(sizes[np.isfinite(sizes)].max(initial=0.0))
    parts: list[str] = []
    x, deepest = 0.0, 0.0
    for target, blocks in panels:
        left = x + 14 + 6 * max(len(source) for source, _ in blocks)
        down = 22.0
        parts.append(f'<text x="{left:g}" y="14">→ {escape(target)}</text>')
        for source, w in blocks:
            parts.append(_block(source, w, left, down, biggest))
            down += STEP * len(w) + 6
        wide = max(STEP * max(w.shape[1] for _, w in blocks), 7.0 * (len(target) + 2))
        x, deepest = left + wide + 10, max(deepest, down)
    return svg(name, max(x, WIDE), deepest, "\n".join(parts))


STEP = 14.0  # of a square


def _block(source: str, w: Array, left: float, top: float, biggest: float) -> str:
    rows, columns = w.shape
    middle = top + STEP * rows / 2 + 3.5
    parts = [
        f'<text x="{left - 5:g}" y="{middle:g}" text-anchor="end">{escape(source)}</text>',
        f'<rect x="{left:g}" y="{top:g}" width="{STEP * columns:g}" height="{STEP * rows:g}" fill="#999"/>',
    ]
    side = 0.9 * STEP * np.sqrt(np.abs(w) / biggest) if biggest > 0 else np.zeros(w.shape)
    for colour, chosen in (("#fff", w > 0), ("#000", w < 0)):
        seen = chosen & np.isfinite(side) & (side >= 0.1)
        places = zip(*np.nonzero(seen), side[seen], strict=True)
        corners = ((left + STEP * (j + 0.5) - s / 2, top + STEP * (i + 0.5) - s / 2, s) for i, j, s in places)
        path = "".join(f"M{x:.1f} {y:.1f}h{s:.1f}v{s:.1f}h-{s:.1f}z" for x, y, s in corners)
        parts.append(f'<path fill="{colour}" d="{path}"/>' if path else "")
    return "".join(parts)
