"""The words of findings: numbers with their intervals, lists, tables and paragraphs, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.experiment.digits import brief as brief
from harness.experiment.digits import number, percent
from harness.experiment.digits import several as several
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd
    from IPython.display import Markdown


def say(*paragraphs: str | Iterable[str]) -> Markdown:
    """What a notebook shows: paragraphs, and lists of sentences as bullets."""
    from IPython.display import Markdown

    return Markdown(  # type: ignore[no-untyped-call]  # IPython has no types
        "\n\n".join(p if isinstance(p, str) else bullets(p) for p in paragraphs)
    )


def bullets(sentences: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def listed(head: str, items: Iterable[str]) -> str:
    """A sentence that ends in a list of its own, as one of the sentences of `bullets`."""
    return "\n".join([f"{head}:", *(f"  - {item}" for item in items)])


def table(frame: pd.DataFrame) -> str:
    """A frame of texts; columns after the first are set to the right."""
    lines: list[Sequence[str]] = [
        [str(name) for name in frame.columns],
        ["---", *["---:"] * (len(frame.columns) - 1)],
    ]
    lines += [[str(value) for value in row] for row in each(frame)]
    return "\n".join(
        "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in line) + " |"
        for line in lines
    )


def each(frame: pd.DataFrame) -> list[Any]:
    """The rows of a frame, with their columns as attributes;
    for names with dots take the frame's own columns.
    """
    return list(frame.itertuples(index=False))


def few(names: Sequence[str], most: int = 3) -> str:
    """The first of many, and how many more there are: `a, b, c and 4 others`; `none` for none."""
    if len(names) <= most + 1:
        return several(names)
    return several([*names[:most], f"{number(len(names) - most)} others"])


def counted(names: Sequence[str], most: int = 3, what: str = "") -> str:
    """How many there are of what, and the first of them: `7 of 9 pairs (a, b, c and 4 others)`; `0 of 9`."""
    return f"{number(len(names))}{what}" + (f" ({few(names, most)})" if names else "")


def n_of(counts: Iterable[float]) -> str:
    """How many there were of each: n = 200, or n = 10 to 1,000."""
    ordered = sorted(counts)
    low, high = ordered[0], ordered[-1]
    return f"n = {number(low)}" + (f" to {number(high)}" if high > low else "")


def rate(row: Any) -> str:
    """Solved rate of a row of `results.cells`, its Wilson interval and n: 95.1 % [93.6–96.3] of 1,000."""
    return (
        f"{percent(row.rate)} [{100 * row.rate_low:.1f}–{100 * row.rate_high:.1f}] of {number(row.replicas)}"
    )


def amount(interval: Interval) -> str:
    """An amount with its interval: 519 [389–812], 1.2 [0.9–∞]; very large ones as 3.4e+08."""
    value, low, high = (brief(float(end)) for end in interval)
    return f"{value} [{low}–{high}]"


def correlation(interval: Interval) -> str:
    """A correlation, or R², with its interval: 0.61 [0.35 to 0.78]."""
    value, low, high = (f"{float(end):.2f}".replace("-", "−") for end in interval)
    return f"{value} [{low} to {high}]".replace("inf", "∞").replace("nan", "–")


def p_value(p: float) -> str:
    """A p value: 0.032, or < 0.001; – where there is none."""
    return "–" if np.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def ratio(log_ratio: Interval) -> str:
    """A ratio from the interval of its logarithm: 2.5 [2.1–2.9];
    ∞ or 0 where one side never succeeds, – where neither does.
    """
    with np.errstate(over="ignore"):
        return amount(Interval(*np.exp([float(end) for end in log_ratio])))


def decided(log_ratio: Interval) -> str:
    """Which side of 1 a ratio is on by its whole interval: `less`, `more`, or `undecided`."""
    return "more" if log_ratio.low > 0 else "less" if log_ratio.high < 0 else "undecided"
