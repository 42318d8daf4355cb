"""The study `local_minima` in three sentences: how many are stuck, where, and what gets them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.answers.local_minima import STILL, Ends, beside_pdp
from harness.answers.shares import share
from harness.answers.words import each, n_of, several

if TYPE_CHECKING:
    import pandas as pd


def conclusions(cells: Sequence[Ends], pairs: pd.DataFrame) -> list[str]:
    """How many starts are stuck as PDP learnt, where these end, and whether anything gets them out.

    Args:
        cells: of `harness.answers.local_minima.all_of`.
        pairs: of `harness.answers.escapes.of`.
    """
    printed = [e for e in cells if e.printed and e.start.hidden == 2]
    widest = sorted(printed, key=lambda e: -e.start.scale)[:2]
    if not widest:
        return ["Nothing is concluded: no cell learns as PDP's did."]
    return [*_stuck(widest), *_where(widest[0]), *_out(widest[0], cells, pairs)]


def _stuck(some: Sequence[Ends]) -> list[str]:
    parts = [f"{share(len(e.stuck), e.replicas)} starts within ±{e.start.scale:g}" for e in some]
    sides = [beside_pdp(e) for e in some]
    beside = sides[0] if len(set(sides)) == 1 else "; ".join(sides)
    return [f"On XOR at {some[0].name} {several(parts)} are stuck: {beside}."]


def _where(e: Ends) -> list[str]:
    stuck = len(e.stuck)
    if not stuck:
        return []
    still = int((e.rest == STILL).sum())
    return [
        f"Of those stuck within ±{e.start.scale:g} {share(int(e.pdp.sum()), stuck)} answer as PDP's Fig. "
        f"5, and {share(still, stuck)} would hold still for as many epochs again."
    ]


def _out(e: Ends, cells: Sequence[Ends], pairs: pd.DataFrame) -> list[str]:
    wider = [o for o in cells if o.printed and o.start.scale == e.start.scale and o.start.hidden > 2]
    parts = [
        f"{o.start.hidden} hidden units leave {share(len(o.stuck), o.replicas)} stuck, two "
        f"{share(len(e.stuck), e.replicas)}"
        for o in wider[:1]
    ]
    if len(pairs):
        more, fewer = sum(r.rate.low > 0 for r in each(pairs)), sum(r.rate.high < 0 for r in each(pairs))
        parts.append(
            f"of {len(pairs)} other rates and kinds of noise, from the same weights, {more} solve more "
            f"replicas and {fewer} fewer, by whole 95 % intervals ({n_of(pairs['pairs'])} pairs)"
        )
    text = "; ".join(parts)
    return [f"{text[:1].upper()}{text[1:]}."] if parts else []
