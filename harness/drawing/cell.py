"""A cell as figures know it: its rows of a frame, and how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.drawing.style import look

Array = Any


class Drawn(NamedTuple):
    """A cell in a figure."""

    id: str
    task: str
    algorithm: str
    rows: Mapping[str, Array]
    """Its rows of the frame, by column."""
    place: int
    """Of its algorithm in the order in which algorithms first come in the frame."""
    task_name: str = ""
    algorithm_name: str = ""
    """Without the settings that tell cells apart; empty where the frame does not say them."""

    @property
    def look(self) -> dict[str, Any]:
        """Colour, line style and markers: the same for one algorithm in all panels."""
        return look(self.place)

    def column(self, name: str) -> NDArray[np.float64]:
        """A column of numbers."""
        return np.asarray(self.rows[name], float)
