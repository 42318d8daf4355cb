"""`python -m harness.memory`: at equal accuracy, does anything beat backprop's activation memory?

From study=memory_accuracy.
"""

from __future__ import annotations

from harness import results
from harness.answers.memory import STUDY, answer, points, points_table
from harness.cli.arguments import one_sentence


def main() -> None:
    """Print the points of the study and its answer for each task."""
    with one_sentence():
        found = points(results.cells(STUDY), results.replicas(STUDY))
        print(points_table(found))
        for task in found["task"].unique():
            print(f"\n{answer(found, str(task)).sentence}")


if __name__ == "__main__":
    main()
