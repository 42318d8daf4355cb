"""What is to be read on a figure, and whether all of it can be."""

from __future__ import annotations

from matplotlib.text import Text


def texts(figure):
    """Every text that is drawn, with its box in pixels."""
    figure.draw_without_rendering()
    beyond = []  # matplotlib keeps labels of ticks beyond the limits, and does not draw them
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        beyond += [
            id(t)
            for tick in axis.get_major_ticks()
            if not low <= tick.get_loc() <= high
            for t in tick.findobj(Text)
        ]
    hidden = [
        id(t)
        for ax in figure.axes
        if not ax.axison
        for axis in (ax.xaxis, ax.yaxis)
        for t in axis.findobj(Text)
    ]
    found = [
        t
        for t in figure.findobj(Text)
        if t.get_visible() and t.get_text().strip() and id(t) not in beyond + hidden
    ]
    return [(t.get_text(), t.get_window_extent()) for t in found]


def check_page(figure):
    """Nothing clipped, nothing overlapping."""
    boxes = texts(figure)
    page = figure.bbox
    for text, box in boxes:
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= page.width + 1 and box.y1 <= page.height + 1
        assert inside, f"clipped: {text!r}"
    for i, (text, box) in enumerate(boxes):
        for other, there in boxes[:i]:
            shared = (
                min(box.x1, there.x1) - max(box.x0, there.x0),
                min(box.y1, there.y1) - max(box.y0, there.y0),
            )
            assert min(shared) <= 1, f"{text!r} overlaps {other!r}"


def said(figure):
    """All words, with single spaces."""
    return " ".join(" ".join(text for text, _ in texts(figure)).split())


def shown(ax):
    """The lines of a panel that have a name, by it."""
    return {
        line.get_label().split("   ")[0]: line for line in ax.lines if not line.get_label().startswith("_")
    }


def title(figure):
    """What it says above all panels, in one line."""
    above = figure._suptitle or figure.texts[0]
    return " ".join(above.get_text().split())
