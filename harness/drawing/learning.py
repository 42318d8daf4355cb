"""How it learned: what the loss did, and beside it who is still unsolved."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from harness.core.outcomes import fates
from harness.drawing import curves as of_loss
from harness.drawing import survival as of_survival
from harness.drawing.cell import Drawn
from harness.drawing.crowd import expected
from harness.drawing.frames import drawn, panels
from harness.drawing.page import page

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def learning_figure(curves: pd.DataFrame, replicas: pd.DataFrame) -> Figure:
    """Per task, the loss against epochs, and beside it the share of replicas still unsolved.

    Args:
        curves: the frame of `results.curves`.
        replicas: the frame of `results.replicas`.

    Returns:
        A matplotlib figure, two panels or more a task: those of `curve_figure` and of `survival_figure`.

    Raises:
        InputError: if no cell is finished.

    >>> from harness import results
    >>> figure = learning_figure(results.curves("first_light"), results.replicas("first_light"))
    """
    ends = drawn(replicas, *of_survival.COLUMNS)
    became = {d.id: fates(d.rows) for d in ends}
    cost = expected(ends)
    draw_loss = partial(of_loss.draw, quantity="loss", became=became)
    losses, _, grey = panels(drawn(curves, *of_loss.columns_of("loss")), draw_loss, cost)
    shares, _, _ = panels(ends, of_survival.draw, cost)
    pairs = [
        (loss._replace(title=f"{loss.title}: loss"), share._replace(title=f"{share.title}: still unsolved"))
        for loss, share in zip(losses, shares, strict=True)
    ]
    caption = f"Left: {of_loss.caption_of('loss')} Right: {of_survival.CAPTION}{grey}"
    return page(_title(ends), caption, list(chain.from_iterable(pairs)), columns=2)


def _title(ends: Sequence[Drawn]) -> str:
    """Of one cell how many solved the task; of several in how many all did."""
    solved = [fates(d.rows).solved for d in ends]
    if len(ends) == 1:
        n = len(solved[0])
        replicas = f"{n:,} replica{'s' * (n != 1)}"
        return f"{ends[0].algorithm} solves {ends[0].task} in {solved[0].sum():,} of {replicas}"
    return f"Every replica solves its task in {sum(s.all() for s in solved):,} of {len(ends):,} cells"
