"""`python -m harness.cost algorithm=… task=…`:
what one update and one prediction cost, counted from the code.

Give a setting several values (`task.hidden=2,4,8,16`) to see how each quantity grows, in print and in a
figure; several algorithms, to see their sheets one after another.
"""

from __future__ import annotations

import os
import sys

from harness.cli.arguments import one_sentence, prepare
from harness.cost import ledger as conventions
from harness.cost.growth import growth_table, varying
from harness.cost.sheet import CostSheet, sheet
from harness.store.store import Store
from harness.studies.compose import cells_of


@one_sentence()
def main() -> None:
    """Print the sheet of one cell, or the growth over several."""
    prepare(sys.argv[1:])
    cells, asked = cells_of(sys.argv[1:])
    sheets = [sheet(cell, traced=True) for cell in cells]
    task = cells[0].task.name
    if len(sheets) == 1:
        print(f"{cells[0].algorithm.name} on {task}, one network, {sheets[0].patterns} patterns an update")
        print(sheets[0])
        print("\n" + (conventions.__doc__ or "").split("\n\n", 1)[1].strip())
        return
    by_algorithm: dict[str, list[CostSheet]] = {}
    for cell, one in zip(cells, sheets, strict=True):
        by_algorithm.setdefault(cell.algorithm.name, []).append(one)
    for name, some in by_algorithm.items():
        print(f"{name} on {task}\n{growth_table(some)}\n")
    growing = {name: some for name, some in by_algorithm.items() if varying(some)}
    if growing:
        from harness.plots import growth_figure, save

        folder = Store.at(asked.store).prepare().path / "costs"
        folder.mkdir(exist_ok=True)
        path = save(growth_figure(task, growing), folder / f"{'-'.join([task, *growing])}.png")
        print(f"figure: {os.path.relpath(path)}")


if __name__ == "__main__":
    main()
