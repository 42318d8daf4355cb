"""How much room letters take: names in lines, and numbers on an axis that do not touch."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from math import ceil

import numpy as np

from harness.drawing.style import plain

BETWEEN = 0.08  # inches between two numbers


def folded(text: str, room: float, size: float, weight: str = "normal") -> str:
    """A name in lines of `room` inches, broken at spaces and underscores where it can be."""
    lines = [""]
    for word in re.findall(r"[^\s_]*(?:_|\s+|$)", text):
        if lines[-1] and wide(lines[-1] + word.rstrip(), size, weight) > room:
            lines.append("")
        while wide(word.rstrip(), size, weight) > room:  # a word that is too long by itself
            fits = next(n for n in range(len(word), 0, -1) if n == 1 or wide(word[:n], size, weight) <= room)
            lines[-1], word = word[:fits], word[fits:]
            lines.append("")
        lines[-1] += word
    return "\n".join(line.strip() for line in lines if line.strip())


def apart(low: float, high: float, room: float, size: float) -> list[float]:
    """Numbers of so many points for a logarithmic axis of `room` inches: as many as are read apart."""
    decade = room / np.log10(high / low)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        some = [float(x) for x in np.outer(powers, digits).ravel() if low <= x <= high]
        away = [decade * np.log10(b / a) for a, b in pairwise(some)]
        needed = [BETWEEN + (wide(plain(a), size) + wide(plain(b), size)) / 2 for a, b in pairwise(some)]
        if all(there > need for there, need in zip(away, needed, strict=True)):
            return some
    return some[:: ceil(max(needed) / min(away))]


@cache
def wide(text: str, size: float, weight: str = "normal") -> float:
    """Inches of a text of so many points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    points, _, _ = text_to_path.get_text_width_height_descent(
        text, FontProperties(size=size, weight=weight), ismath=False
    )
    return float(points) / 72
