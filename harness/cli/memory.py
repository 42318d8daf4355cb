"""`python -m harness.memory`: at equal accuracy, does anything beat backprop's activation memory?

From study=memory_accuracy.
"""

from __future__ import annotations

import os

from harness import results
from harness.answers.memory import STUDY, answer, points, points_table
from harness.cli.arguments import one_sentence
from harness.core.errors import InputError
from harness.store.store import Store


@one_sentence()
def main() -> None:
    """Print the points of the study and its answer for each task."""
    place = Store.at(os.environ.get("HARNESS_STORE") or "results")
    if STUDY not in place.studies():
        raise InputError(
            f"the study {STUDY} was not run yet, it is not in {place.path}: "
            f"run it by python -m harness -m study={STUDY}"
        )
    chosen = points(results.cells(STUDY), results.replicas(STUDY))
    print(points_table(chosen))
    for task in chosen["task"].unique():
        print(f"\n{answer(chosen, str(task)).sentence}")


if __name__ == "__main__":
    main()
