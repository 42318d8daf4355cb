"""The tables of `python -m harness.studies`, which are read on 80 columns."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.core.outcomes import FAILED, FINISHED, MISSING
from harness.experiment.bar import time_left
from harness.experiment.digits import number
from harness.results.compared import Compared, Pair
from harness.studies.state import DAMAGED, DONE, LOST, RUNNING, State

STYLES = {FINISHED: "green", FAILED: "red", DAMAGED: "red", LOST: "yellow", RUNNING: "cyan"}
NONE = "–"


def overview(states: Sequence[State]) -> None:
    """A row a study; columns that nobody needs are left out."""
    counts = {
        "cells": [len(state.cells) for state in states],
        "finished": [sum(state.counts[each] for each in DONE) for state in states],
        **{of: [state.counts[of] for state in states] for of in (FAILED, RUNNING, LOST, DAMAGED, MISSING)},
        "replicas": [state.replicas for state in states],
    }
    used = [name for name, values in counts.items() if any(values) or name in ("cells", "finished")]
    table = _table("study", *used, "worked on")
    for i, state in enumerate(states):
        numbers = [number(counts[name][i]) if counts[name][i] else "" for name in used]
        table.add_row(Text(state.name), *map(Text, numbers), Text(_when(state.worked_on)))
    Console().print(table)


def cells(state: State, seconds: float, workers: int, command: str) -> None:
    """A row a cell, why below it, after what is known of all; before the end what is to be done."""
    console = Console()
    console.print(Text(state.name + (" (small form)" if state.small else ""), style="bold"))
    if state.question:
        console.print(Text(state.question))
    known = ", ".join(f"{number(n)} {of}" for of, n in state.counts.most_common())
    console.print(
        Text(
            f"{number(len(state.cells))} cells: {known or 'none'}; {number(state.replicas)} replicas; "
            f"last worked on {_when(state.worked_on)}"
        )
    )
    if seconds:
        on = f"on {number(workers)} core{'s' * (workers != 1)}, by what cells like these took"
        console.print(Text(f"expected: {time_left(seconds, 1, 1)} {on}"))
    table = _table("cell", "state", "replicas", "id ends in", names=1)
    for cell in state.cells:
        name = Text(cell.title)
        if cell.reason:
            name.append(f"\n  {cell.reason}", style="dim")
        replicas = number(cell.replicas) if cell.replicas else ""
        table.add_row(name, Text(cell.state, style=STYLES.get(cell.state, "")), replicas, cell.id[-12:])
    console.print(table)
    if state.counts[FAILED]:
        console.print(Text(f"failed ones again: python -m harness.studies retry {state.name}"))
    if command and set(state.counts) - {FAILED, RUNNING, *DONE}:
        console.print(Text(f"the rest: {command}"))


def beside(both: Compared, names: Sequence[str], places: Sequence[str]) -> None:
    """A row a pair of cells with the same settings, what only one study has, and all of it in a sentence."""
    console = Console()
    for side, name, place in zip("AB", names, places, strict=True):
        console.print(Text(f"{side}: {name} in {place}"))
    if both.pairs:
        table = _table("cell", "A", "B", "A − B, points\n[95 %]", "bits")
        for pair in both.pairs:
            style = "bold" if pair.differs else ""
            texts = [pair.name, _outcomes(pair, 0), _outcomes(pair, 1), _gap(pair), _bits(pair)]
            table.add_row(*(Text(text, style=style) for text in texts))
        console.print(table)
        console.print(Text("A, B: replicas solved/unsolved/diverged", style="dim"))
    for side, only in zip("AB", both[1:], strict=True):
        for cell in only:
            console.print(
                Text(f"only in {side}: {cell.row.task} · {cell.row.algorithm} ({cell.row.id[-12:]})")
            )
    console.print(Text(sentence(both)))


def sentence(both: Compared) -> str:
    """What came of a comparison of two studies."""
    run = [pair for pair in both.pairs if pair.same_bits is not None]
    same = sum(bool(pair.same_bits) for pair in run)
    other = [pair for pair in run if not pair.same_bits]
    n = len(both.pairs)
    parts = [f"{number(n)} cell{'s have' if n != 1 else ' has'} the same settings in both"]
    if run:
        parts.append(f"{number(same)} of {number(len(run))} that both finished the same bits")
    if other:
        differ = sum(pair.differs for pair in other)
        parts.append(
            f"of the other {number(len(other))} the share solved differs in {number(differ)} (by 95 % "
            "intervals, of which one in twenty leaves out 0 where nothing differs)"
        )
    a, b = len(both.only_a), len(both.only_b)
    parts.append(f"{number(a)} only in A, {number(b)} only in B" if a or b else "none is in one alone")
    return f"{'; '.join(parts)}."


def _outcomes(pair: Pair, side: int) -> str:
    fates, row = (pair.fates_a, pair.a.row) if side == 0 else (pair.fates_b, pair.b.row)
    return "/".join(map(number, fates)) if fates else row.status


def _gap(pair: Pair) -> str:
    if pair.difference is None:
        return NONE
    if pair.same_bits:
        return "0"  # the same replicas: there is nothing to be uncertain of
    value, low, high = (f"{100 * x:.1f}".replace("-", "−") for x in pair.difference)
    return f"{value} [{low} to {high}]"


def _bits(pair: Pair) -> str:
    return NONE if pair.same_bits is None else "same" if pair.same_bits else "other"


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds)) if seconds else NONE


def _table(*header: str, names: int = 0) -> Table:
    """A table whose first column takes what the others leave; `names` more of them are names, not numbers."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for i, name in enumerate(header):
        if i == 0:
            table.add_column(Text(name), overflow="fold", vertical="bottom")
        else:
            table.add_column(Text(name), justify="left" if i <= names else "right", no_wrap=True)
    return table
