"""`python -m harness.vanishing`: what is left of the credit
of a deep network's first hidden layer, beside its last's.

Give settings as to any command (`algorithm=backprop,weight_mirror task.init=glorot task.depth=2,4,6`); what
is not given is five rules on `deep_chain`, 4 bits through 2 to 10 layers of 50 units.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.arguments import one_sentence, prepare
from harness.core.errors import InputError
from harness.credit.vanishing import Left, left, ratio_table
from harness.store.store import Store
from harness.studies.compose import cells_of
from harness.tasks.deep_chain import DeepChain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RULES = "backprop,feedback_alignment,direct_feedback_alignment,kolen_pollack,sign_symmetry"
CHAIN = {"task.depth": "2,4,6,8,10", "task.width": "50", "task.bits": "4"}


@one_sentence()
def main() -> None:
    """Print the table of the cells that the arguments describe, and write the figure."""
    from harness.plots.vanishing import vanishing_figure

    given = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
    usual = {"algorithm": RULES, "task": DeepChain.name, "run.probe": 1}
    usual |= CHAIN if given.get("task", DeepChain.name) == DeepChain.name else {}
    arguments = [*(f"{name}={value}" for name, value in usual.items() if name not in given), *sys.argv[1:]]
    prepare(arguments)
    cells, asked = cells_of(arguments)
    ratios: dict[str, list[Left]] = {}
    for cell in cells:
        ratios.setdefault(cell.algorithm.name, []).append(left(cell))
    if any(len({s.depth for s in some}) < len(some) for some in ratios.values()):
        raise InputError(
            "only the algorithm and the depth can take several values: one curve is drawn for each algorithm"
        )
    store = Store.at(asked.store).prepare()
    task = cells[0].task
    replicas = cells[0].settings.replicas
    print(
        f"credit of the first ÷ of the last hidden layer on {task.name}: "
        f"median [quartiles] of {replicas} replicas"
    )
    print(ratio_table(ratios))
    nets = [cell.task.network() for cell in cells]
    kind = nets[0].hidden[0].activation
    added = {
        "residual": any(net.residuals for net in nets),
        "normalised": any(net.normalised for net in nets),
    }
    title = ", ".join(
        [
            task.name,
            f"{kind} units",
            f"{task.init} weights",
            *(word for word, there in added.items() if there),
        ]
    )
    # the bound is that of a chain: identities add ways back, and a normalisation divides by what the weights
    # have shrunk
    figure = vanishing_figure(title, ratios, kind == "sigmoid" and not any(added.values()))
    print(f"figure: {os.path.relpath(write_figure(store, figure))}")


def write_figure(store: Store, figure: Figure) -> Path:
    """Write the figure into the store; returns its path."""
    from harness.plots import save

    folder = store.path / "credit"
    folder.mkdir(parents=True, exist_ok=True)
    return save(figure, folder / "vanishing.png")


if __name__ == "__main__":
    main()
