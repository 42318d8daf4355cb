"""Numbers and lists for people: how many digits, and what stands where there is none."""

from __future__ import annotations

from collections.abc import Sequence

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


def brief(x: float) -> str:
    """Three significant digits, and no more: 1,230, 0.0123, 4.1e+08;
    ∞ where it is never reached, – where there is none.
    """
    if not np.isfinite(x) or x == 0:
        return number(x)
    if abs(x) >= 1e7 or abs(x) < 1e-4:
        return f"{x:.2g}"
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def several(names: Sequence[str], none: str = "none") -> str:
    """`a, b and c`; `none` for none."""
    if len(names) < 2:
        return names[0] if names else none
    return f"{', '.join(names[:-1])} and {names[-1]}"
