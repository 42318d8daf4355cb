"""`python -m harness.tune algorithm=… task=…`: settings for each rule on each task, for the same budget.

    python -m harness.tune algorithm=backprop,feedback_alignment task=xor
    python -m harness.tune 'algorithm=glob(*)' task=xor,encoder tuning.trials=80 tuning.folder=conf/tuned

Every algorithm says between which numbers its rate and up to three more settings are looked for. What is set
here (`algorithm.optimiser.momentum=0`) is left as it is. All networks are kept as cells of a study called
tuning.<task>.<algorithm>; the same command, begun again after it was killed, goes on where it was. What is
found is written into the store, or `tuning.folder`, and used by ruleset=tuned.

tuning.trials      settings tried, the usual ones among them
tuning.replicas    networks of a setting that does well; half of them at first
tuning.finalists   settings of which one is chosen, on networks that none was tried on
tuning.choosing    how many networks of each
tuning.passes      budget of a network in forward passes over all patterns; null is 30 for each usual epoch
run.seed           of the search, below 2^40
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.cells.cell import Cell
from harness.cli.arguments import one_sentence, prepare
from harness.cli.bars import cells_bar
from harness.cli.conduct import say
from harness.core.errors import InputError
from harness.core.files import whole
from harness.core.outcomes import fates
from harness.experiment.digits import number, significant
from harness.store.store import Store
from harness.studies.attempt import expected_work
from harness.studies.compose import cells_of
from harness.studies.jobs import run_jobs
from harness.studies.order import in_turn
from harness.studies.pool import cores
from harness.studies.request import TUNED, USUAL
from harness.tuning import shelf
from harness.tuning.space import space_of
from harness.tuning.tuner import Columns, Found, search, tune

QUESTION = "With which settings does {} solve {} at the least cost?"


def main(arguments: Sequence[str]) -> None:
    """Tune what the overrides describe, say what was found, and write it."""
    if {"--help", "-h"} & {*arguments}:
        print((__doc__ or "").strip())
        return
    with one_sentence():
        prepare(arguments)
        cells, asked = cells_of(arguments)
        for setting in ("replicas", "epochs", "probe"):
            if any(each.lstrip("+").startswith(f"run.{setting}=") for each in arguments):
                raise InputError(f"run.{setting} would be ignored: tuning has a budget of its own (tuning.…)")
        if asked.ruleset != USUAL:
            what = "is what tuning finds settings for" if asked.ruleset == TUNED else "would be ignored"
            raise InputError(f"ruleset={asked.ruleset} {what}: leave it out")
        if asked.study.cells:
            raise InputError(f"study={asked.study.name} would be ignored: name algorithms and tasks to tune")
        named = [each.partition("=")[0].lstrip("+") for each in arguments]
        fixed = [each.removeprefix("algorithm.") for each in named if each.startswith("algorithm.")]
        able = [cell for cell in cells if not (cell.not_applicable or cell.broken)]
        for cell in cells:
            if cell not in able:
                say(f"{cell.algorithm.name} is left out: {cell.not_applicable or cell.broken}")
        if asked.passes is not None:
            raise InputError("passes would be ignored: give the budget by tuning.passes")

        def study(cell: Cell) -> str:
            label = shelf.label(cell, space_of(cell.algorithm, fixed))
            return re.sub(r"[^\w.]", "-", f"tuning.{cell.task.name}.{label}")

        searches = [search(cell, asked.tuning, fixed) for cell in able]
        names = [study(cell) for cell in able]
        if twice := [name for name in names if names.count(name) > 1]:
            raise InputError(
                f"what is found is kept by rule, task and their settings, and two searches would be kept as "
                f"{twice[0].removeprefix('tuning.')}: leave one of them out"
            )
        store = Store.at(asked.store).prepare()
        folder = _writable(Path(asked.tuning.folder) if asked.tuning.folder else store.path / "tuned")
        kept: dict[str, list[str]] = {}

        def run(cells: list[Cell]) -> list[Columns]:
            for cell in cells:
                kept.setdefault(study(cell), []).append(cell.id)
            return _columns(store, cells)

        for found, name in zip(tune(searches, run), names, strict=True):
            question = QUESTION.format(found.cell.algorithm.name, found.cell.task.name)
            store.write_study(name, question, kept[name])
            print(in_words(found))
            print(f"  {os.path.relpath(shelf.put(found, folder))}")


def _writable(folder: Path) -> Path:
    """The folder, made if it is not there; asked before hours of training, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole(folder / "tried") as new:
            new.touch()
        (folder / "tried").unlink()
    except OSError as error:
        raise InputError(f"nothing can be written into {folder}: {error.strerror}") from error
    return folder


def in_words(found: Found) -> str:
    """What a search came to, in two lines."""
    cell, best, epochs = found.cell, found.best, number(found.cell.settings.epochs or 0)
    name = f"{cell.algorithm.name} on {cell.task.name}"
    price = (
        f"tuned: {found.settings} settings, {number(found.networks)} networks, {found.flops / 1e9:.3g} GFLOP"
    )
    if not found.values:
        return f"{name}: no setting solved any network within {epochs} epochs\n  {price}"
    values = ", ".join(f"{path}={value:g}" for path, value in found.values.items())
    solved = 100 * float(np.mean(fates(best.columns)[0]))
    usual = found.usual.standing[0]
    return (
        f"{name}: {values}\n  {significant(best.standing[0])} epochs a success at the best cutoff "
        f"({significant(usual)} at the usual settings), {solved:.0f} % solved within "
        f"{epochs} epochs; {price}"
    )


def _columns(store: Store, cells: list[Cell]) -> list[Columns]:
    """The replicas of cells, run where there is no record of them."""
    missing = [cell for cell in cells if not store.has(cell.id)]
    missing = [missing[i] for i in in_turn([expected_work(cell) for cell in missing])]
    lost = {}
    if missing:
        with cells_bar(store, missing, stays=False):
            lost = run_jobs(missing, store, cores())
    for cell in cells:
        if not store.has(cell.id):
            why = store.failures([cell.id]).get(cell.id, {}).get("reason") or lost.get(cell.id, "no record")
            raise InputError(f"{cell.id} could not be run: {why}")
    return [store.read(cell.id).replicas for cell in cells]


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
