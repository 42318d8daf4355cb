"""The house's style: colours, line styles and axes of all figures, and how a figure is written.

Colours are Okabe & Ito's, told apart by the colour-blind; line styles and markers do the same on a black and
white print.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import unescape
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.core.files import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
BROWN, INDIGO, SLATE = "#7F4F24", "#3D348B", "#6B7280"  # for families; lines of one panel have the seven
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)  # without the yellow, too pale for a line
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")  # 4 × 9: 36 lines that differ in black and white
REFERENCE = -1
"""The place of what all others are compared with: black and whole."""
DIM, PALE = "#444444", "#C4C4C4"  # of words beside the data, and of lines behind it
GOES_ON = "_goes on"
"""The label of what carries on the line before it, in another style."""
BEHIND: dict[str, Any] = {"color": PALE, "linewidth": 0.8, "zorder": 1.5, "label": "_behind"}
"""The look of lines that are there to compare with; not in the legend."""
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 3.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "savefig.dpi": 150,
}

UNDATED = {".svg": "Date", ".pdf": "CreationDate"}
"""What a file says of its date, which would make other bytes of the same figure."""


@contextmanager
def styled() -> Iterator[None]:
    """The house's style for figures made within; the caller's own comes back."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        yield


def look(i: int) -> dict[str, Any]:
    """Colour, line style and markers of the i-th of some lines, or of the `REFERENCE`."""
    if i == REFERENCE:
        return {"color": BLACK, "linestyle": "-", "marker": "", "markevery": None}
    colour, dash, marker = (options[i % len(options)] for options in (COLOURS, DASHES, MARKERS))
    start = 0.02 + 0.045 * (i % 5)  # so that markers of curves that coincide do not
    return {"color": colour, "linestyle": dash, "marker": marker, "markevery": (start, 0.23)}


def looks(names: Iterable[str], reference: str = "backprop") -> dict[str, dict[str, Any]]:
    """A look for each name: the reference black, the others in all colours but black."""
    places = (i for i in count() if COLOURS[i % len(COLOURS)] != BLACK)
    black = look(REFERENCE) | {"marker": "o"}
    return {name: black if name == reference else look(next(places)) for name in names}


LETTERS = 16  # of the numbers on an axis that an inch has room for


def logarithmic(ax: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """A logarithmic axis from `low` to `high`, labelled with plain numbers, far from 1 with powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    few = high < (300 if high < 1e5 else 20) * low  # decades, or numbers of few letters: label 2s and 5s too
    if few and which == "x":
        written = [plain(x) for x in LogLocator(subs=(1, 2, 5)).tick_values(low, high) if low <= x <= high]
        inches = ax.get_window_extent().width / ax.figure.dpi
        few = sum(len(each) + 2 for each in written) <= LETTERS * inches
    axis = {"x": ax.xaxis, "y": ax.yaxis}[which]
    ax.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda x, _: plain(x)))
    axis.set_minor_formatter(NullFormatter())


def plain(x: float) -> str:
    """A number on an axis: 0.001, 20,000, then 10⁵ and 5 × 10⁵."""
    if x < 1e5:
        return f"{x:,.0f}" if x >= 1 else f"{x:g}"
    digits, _, power = f"{x:.0e}".partition("e")
    tens = f"10{str(int(power)).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
    return tens if digits == "1" else f"{digits} × {tens}"


def save(figure: Figure, path: Path, title: str = "") -> Path:
    """Write a figure in one step: readers see the old one or the new one. The same figure, the same bytes.

    What `title` says is in an SVG or a PDF, for those who do not see it (`title_of`).
    """
    import matplotlib as mpl

    about: dict[str, Any] = {"Title": title} if title else {}
    if path.suffix in UNDATED:
        about[UNDATED[path.suffix]] = None
    with whole(path) as new, mpl.rc_context({"svg.hashsalt": "harness"}):
        figure.savefig(new, metadata=about)
    return path


def title_of(svg: Path) -> str:
    """The title that a figure was saved with."""
    with svg.open(encoding="utf-8") as file:
        found = re.search(r"<title>(.*?)</title>", file.read(5000), re.DOTALL)
    return unescape(found[1]) if found else ""
