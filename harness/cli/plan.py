"""What a sweep would do: which cells are run as one batch, which alone and why; `plan=true`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.cells.cell import Cell
from harness.experiment.digits import number
from harness.experiment.together import differ, groups
from harness.store.store import Store
from harness.studies.pool import cores


def plan_lines(cells: Sequence[Cell], store: Store) -> Iterator[str]:
    """The plan of a sweep, alike jobs on one line."""
    wanted = {cell.id: cell for cell in cells}
    broken = [cell for cell in wanted.values() if cell.broken]
    missing = [cell for i, cell in wanted.items() if not (cell.broken or store.has(i))]
    there = len(wanted) - len(missing) - len(broken)
    lost = f", {number(len(broken))} that cannot be" if broken else ""
    what = f"{number(len(missing))} to be run, {number(there)} with a record"
    yield f"{_count(len(wanted), 'cell')}: {what}{lost}"
    jobs: dict[tuple[str, str], list[int]] = {}
    for group in groups(missing, cores()):
        some = [missing[i] for i in group.places]
        what = f"{some[0].task.name} {some[0].algorithm.name}"
        why = f"differ in {', '.join(differ(some))}" if len(some) > 1 else group.why
        jobs.setdefault((what, f"together: {why}" if len(some) > 1 else why), []).append(len(some))
    for (what, why), sizes in jobs.items():
        if why.startswith("together: "):
            most = f"{max(sizes)} cells" if len(set(sizes)) == 1 else f"{min(sizes)} to {max(sizes)} cells"
            batches = f"{number(sum(sizes))} cells in {_count(len(sizes), 'batch', 'batches')} of {most}"
            yield f"  {what}: {batches}, which {why.removeprefix('together: ')}"
        else:
            yield f"  {what}: {_count(len(sizes), 'cell')} alone{f': {why}' if why else ''}"
    for cell in broken:
        yield f"  {cell.task.name} {cell.algorithm.name}: {cell.broken}"


def _count(n: int, one: str, more: str = "") -> str:
    return f"{number(n)} {one if n == 1 else more or f'{one}s'}"
