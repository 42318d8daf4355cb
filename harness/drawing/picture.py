"""A matplotlib figure that a notebook shows as it is, with or without `%matplotlib inline`, and once."""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure


class Picture(Figure):
    """A figure that nobody but its owner knows of: pyplot does not show it a second time."""

    def _repr_png_(self) -> bytes:
        out = BytesIO()
        self.savefig(out, format="png")
        return out.getvalue()
