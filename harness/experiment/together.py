"""Which cells are trained as one batch, and training them so: cells that differ in numbers alone.

A study of four hundred cells of a hundred small networks is four hundred short loops, or ten long ones over
four thousand networks: the second takes a fraction of the time. Cells whose settings differ only in numbers
that can ride the replica axis (`harness.core.riding`: rates, momentum, decay, scales, spreads, …) share a
batch, and each has the bits, the record and the id that it has alone. Which numbers can is found by trying: a
few replicas of a few cells, together and alone, must come out equal bit for bit. Nothing in an algorithm says
so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from harness.cells.cell import Cell
from harness.core.errors import ANYTHING
from harness.core.riding import numbers, riding
from harness.experiment.chunks import chunk_size
from harness.experiment.kept import Keeper
from harness.experiment.result import Result
from harness.experiment.run import check_room
from harness.training.plan import Plan
from harness.training.preflight import preflight
from harness.training.snapshot import Checkpoint
from harness.training.train import train
from harness.training.trained import Trained

EPOCHS = 3  # of a trial
ROWS = (7, 11, 13, 17)  # of a trial: a number that no axis of the task has
FEWEST = 512  # replicas in a batch, where there are processes to share them among


class Group(NamedTuple):
    """Cells that are run as one job."""

    places: list[int]
    """Which of the cells they are."""
    why: str = ""
    """Why a cell is alone; '' where it is not, or nothing else is like it."""


def groups(cells: Sequence[Cell], processes: int = 1) -> list[Group]:
    """The cells in jobs, in the order of each job's first cell.

    Args:
        cells: what is to be run.
        processes: that jobs will be shared among.

    Returns:
        Every cell in one job.
    """
    alone: list[Group] = []
    alike: dict[str, list[int]] = {}
    for i, cell in enumerate(cells):
        why = _alone(cell)
        if why is None:
            alike.setdefault(_key(cell), []).append(i)
        else:
            alone.append(Group([i], why))
    jobs = [job for places in alike.values() for job in _shared(cells, places, processes)]
    return sorted([*alone, *jobs], key=lambda group: group.places[0])


def run_together(cells: Sequence[Cell], keeper: Keeper | None = None) -> list[Result]:
    """The results of cells that `groups` has put into one job; a `keeper` has a checkpoint of their batch.

    Raises what training them raises; then each may still be run alone.
    """
    rows = sum(cell.settings.replicas for cell in cells)
    check_room(replace(cells[0], settings=replace(cells[0].settings, replicas=rows)))
    with threadpool_limits(1, user_api="blas"):
        if not cells[0].settings.unchecked:
            preflight(cells[0].algorithm, cells[0].task, cells[0].settings)
        replicas = [range(cell.settings.replicas) for cell in cells]
        checkpoint = keeper.batch(range(rows)) if keeper else None
        parts = _trained(cells, differ(cells), replicas, checkpoint=checkpoint)
    for part in parts:
        part.ran["together"] = len(cells)
    return [Result(c.algorithm, c.task, c.settings, part) for c, part in zip(cells, parts, strict=True)]


def _alone(cell: Cell) -> str | None:
    """Why a cell can share a batch with none; None if it may."""
    s = cell.settings
    if cell.not_applicable or cell.broken or isinstance(cell.data, BaseException):
        return ""
    if s.backend != "numpy":
        return f"backend={s.backend}: a compiled program has its numbers in it"
    if s.seconds is not None:
        return "a budget of seconds is one cell's own"
    if s.probe:
        return "the probe looks at one cell"
    if s.processes > 1:
        return "its replicas have processes of their own"
    if 2 * s.replicas > chunk_size(cell.task, s):
        return "its own replicas fill a batch"
    return None


def _key(cell: Cell, apart: Sequence[str] = ()) -> str:
    """The same for cells that differ in numbers alone, those `apart` not among these."""
    named: dict[str, Any] = {}
    for part in ("algorithm", "task"):
        thing = getattr(cell, part)
        named[part] = f"{type(thing).__module__}.{type(thing).__qualname__}"
        named |= {f"{part}.{name}": value for name, value in _plain(thing)}
    for name in _numbers(cell):
        if name not in apart:
            named[name] = "a number"
    return json.dumps([named, asdict(replace(cell.settings, replicas=1))], sort_keys=True, default=repr)


def _plain(thing: Any) -> list[tuple[str, Any]]:
    """All settings of a thing by dotted name, those of its parts with the class of the part."""
    found: list[tuple[str, Any]] = []
    for f in fields(thing):
        value = getattr(thing, f.name)
        if hasattr(value, "__dataclass_fields__"):
            found += [(f.name, type(value).__qualname__), *((f"{f.name}.{n}", v) for n, v in _plain(value))]
        else:
            found.append((f.name, value))
    return found


def _numbers(cell: Cell) -> dict[str, float]:
    return {f"{part}.{n}": v for part in ("algorithm", "task") for n, v in numbers(getattr(cell, part))}


def differ(cells: Sequence[Cell]) -> list[str]:
    """The settings, by dotted name, in which cells that differ in numbers alone differ."""
    each = [_numbers(cell) for cell in cells]
    return [name for name in each[0] if len({one[name] for one in each}) > 1]


def _shared(cells: Sequence[Cell], places: list[int], processes: int) -> list[Group]:
    """Cells that differ in numbers alone, in as few batches as there can be."""
    if len(places) == 1:
        return [Group(places)]
    apart: dict[str, str] = {}
    for name in differ([cells[i] for i in places]):
        pair = _two(cells, places, name)
        if pair and (why := _differs(pair)):
            apart[name] = why
    parts: dict[str, list[int]] = {}
    for i in places:
        parts.setdefault(_key(cells[i], list(apart)), []).append(i)
    said = "; ".join(f"{name} differs, and {why}" for name, why in apart.items())
    jobs: list[Group] = []
    for some in parts.values():
        few = [cells[some[i]] for i in sorted({0, len(some) // 2, len(some) - 1})]
        if len(some) == 1:
            jobs.append(Group(some, said))
        elif why := _differs(few):
            jobs += [Group([i], why) for i in some]
        else:
            jobs += [Group(job) for job in _cut(cells, some, processes)]
    return jobs


def _two(cells: Sequence[Cell], places: list[int], name: str) -> list[Cell]:
    """Two cells that differ in this number, and in no other if there are such."""
    best: list[Cell] = []
    first = cells[places[0]]
    for i in places[1:]:
        others = differ([first, cells[i]])
        if name in others and (not best or len(others) == 1):
            best = [first, cells[i]]
            if len(others) == 1:
                break
    return best


def _cut(cells: Sequence[Cell], places: list[int], processes: int) -> list[list[int]]:
    """Jobs of as many cells as fill a batch, and enough jobs for all processes."""
    replicas = [cells[i].settings.replicas for i in places]
    each = max(FEWEST, -(-sum(replicas) // processes))
    room = min(chunk_size(cells[places[0]].task, cells[places[0]].settings), each)
    jobs: list[list[int]] = [[]]
    rows = 0
    for i, count in zip(places, replicas, strict=True):
        if rows + count > room and jobs[-1]:
            jobs.append([])
            rows = 0
        jobs[-1].append(i)
        rows += count
    return jobs


def _differs(cells: Sequence[Cell]) -> str:
    """Why these cells cannot share a batch, found by trying; '' if they can."""
    task, s = cells[0].task, cells[0].settings
    spec, net = task.spec(), task.network()
    taken = {spec.patterns, spec.steps, s.batch, *(g.size for g in net.groups)}
    rows = next((n for n in ROWS if n not in taken), 19)
    which = [part.tolist() for part in np.array_split(np.arange(rows), len(cells))]
    try:
        with threadpool_limits(1, user_api="blas"):
            together = _trained(cells, differ(cells), which, EPOCHS)
            for cell, part, numbers_of in zip(cells, together, which, strict=True):
                alone = _trained([cell], [], [numbers_of], EPOCHS)[0]
                if name := _unlike(part, alone):
                    return f"a replica has other {name} in a shared batch than alone"
    except ANYTHING as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def _trained(
    cells: Sequence[Cell],
    names: Sequence[str],
    which: Sequence[Sequence[int]],
    epochs: int | None = None,
    checkpoint: Checkpoint | None = None,
) -> list[Trained]:
    """Replicas of each cell, trained in one batch."""
    plan = Plan.of(cells[0].settings)
    plan = plan._replace(epochs=min(plan.epochs, epochs or plan.epochs))
    rows = np.repeat(np.arange(len(cells)), [len(some) for some in which])

    def shared(part: str) -> Any:
        of = [name.partition(".")[2] for name in names if name.startswith(f"{part}.")]
        return riding([getattr(cell, part) for cell in cells], of, rows)

    replicas = [i for some in which for i in some]
    whole = train(shared("algorithm"), shared("task"), plan, replicas, checkpoint=checkpoint)
    return [whole.rows(rows == i) for i in range(len(cells))]


def _unlike(a: Trained, b: Trained) -> str:
    """What has other bits in two trainings of the same replicas, times aside; '' if nothing has."""
    for f in fields(a):
        one, other = getattr(a, f.name), getattr(b, f.name)
        if f.name in ("weights", "told"):
            for name in one:
                if one[name].tobytes() != other[name].tobytes():
                    return f"weights {name}" if f.name == "weights" else name.replace("_", " ")
        elif f.name in ("outcome", "reason"):
            if one.tolist() != other.tolist():
                return f.name
        elif f.name not in ("seconds", "credit", "ran") and one.tobytes() != other.tobytes():
            return f.name.replace("_", " ")
    return ""
