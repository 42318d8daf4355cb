"""Numbers for people: how many digits, and what stands where there is none."""

from __future__ import annotations

import numpy as np


def number(x: float) -> str:
    """A count, for people: 1,234; ∞ where it is never reached, – where there is none."""
    if not np.isfinite(x):
        return "–" if np.isnan(x) else "∞"
    return f"{x:,.0f}"


def significant(x: float) -> str:
    """Two significant digits: 0.00031; – where there is none."""
    return f"{x:.2g}" if abs(x) < 10 else number(x)


def percent(share: float) -> str:
    """0.951 → 95.1 %; – where there is none."""
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"
