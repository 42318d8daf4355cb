"""`python -m harness.vanishing`: what is left of the credit of a deep network's first hidden layer, beside its last's.

    ratio = RMS(credit of the weights into the first hidden layer) ÷ RMS(credit of those into the last)

of every replica at its initial weights, on all training patterns. Give settings as to any command
(`algorithm=backprop,weight_mirror task.init=glorot task.depth=2,4,6`); what is not given is five rules on `deep_chain`,
4 bits through 2 to 10 layers of 50 units. Of a credit that draws random numbers the mean over `run.probe_draws` draws is
taken; the noise it still has (1 / √draws of one draw's) stands in both layers, a floor where the credit itself is below
it. A rule without credit for hidden weights has no ratio.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.cells.cell import Cell
from harness.core.algorithm import Batch, CreditAlgorithm
from harness.core.errors import InputError
from harness.core.initial import initial
from harness.core.rand import NOISE, PROBE, SPLIT, WEIGHTS, Rand
from harness.plots import logarithmic, look, save, styled
from harness.store.record import Store
from harness.tasks.deep_chain import DeepChain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RULES = "backprop,feedback_alignment,direct_feedback_alignment,kolen_pollack,sign_symmetry"
CHAIN = {"task.depth": "2,4,6,8,10", "task.width": "50", "task.bits": "4"}
STEEPEST = 0.25  # of the logistic function, at 0


class Left(NamedTuple):
    """What is left of the credit at one depth."""

    depth: int
    """Hidden layers."""
    ratio: NDArray[np.float64]
    """First ÷ last hidden layer, of every replica; NaN where the last gets none."""
    draws: int
    """Draws that the credit is a mean over: 1 if there is no chance in it."""

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """25, 50 and 75 % of the replicas; NaN if none has a ratio."""
        there = self.ratio[~np.isnan(self.ratio)]
        low, middle, high = np.quantile(there, (0.25, 0.5, 0.75)) if len(there) else [np.nan] * 3
        return float(low), float(middle), float(high)


def left(cell: Cell) -> Left:
    """First- ÷ last-layer credit of a cell's replicas. Raises `InputError` for what has no credit or no hidden group."""
    algorithm, task, run = cell.algorithm, cell.task, cell.settings
    net, replicas = task.network(), range(run.replicas)
    if cell.not_applicable or not isinstance(algorithm, CreditAlgorithm):
        raise InputError(cell.not_applicable or f"{algorithm.name} gives no credit to single weights: choose one that does")
    if not net.hidden:
        raise InputError(f"{task.name} has no hidden layer that credit could reach")
    data = task.data(Rand(run.seed, replicas, SPLIT, block=1), run.dtype)
    params = initial(net, Rand(run.seed, replicas, WEIGHTS, run.dtype, block=1), task.init, task.initial_scale)
    state = algorithm.init(net, params, Rand(run.seed, replicas, NOISE, run.dtype, block=1))
    batch, rand = Batch.of(data, np.zeros((), run.dtype), task.objective), Rand(run.seed, replicas, PROBE, run.dtype, block=1)
    ends = [next((e for e in net.into(g) if not e.delay), net.into(g)[0]).weights for g in (net.hidden[0], net.hidden[-1])]
    if ends[0] == ends[1] and len(net.hidden) > 1:
        raise InputError(f"the first and the last hidden layer of {task.name} share their weights: there is no ratio")

    def drawn() -> list[Any]:
        credit = algorithm.credit(net, state["params"], state["memory"], batch, rand).gradient
        return [credit.get(e, np.zeros((run.replicas, 1, 1))) for e in ends]

    total, draws = drawn(), 1
    if rand.taken:
        for _ in range(run.probe_draws - 1):
            total, draws = [a + b for a, b in zip(total, drawn(), strict=True)], draws + 1
    first, last = (np.sqrt((a.astype(float) ** 2).mean(axis=(-1, -2))) for a in total)
    return Left(len(net.hidden), np.where(last > 0, first / np.where(last > 0, last, 1.0), np.nan), draws)


def factor(some: Sequence[Left]) -> float:
    """By what each further layer multiplies the median ratio: its logarithm against depth, by least squares."""
    points = [(s.depth, s.quartiles[1]) for s in some if s.quartiles[1] > 0]
    if len({depth for depth, _ in points}) < 2:
        return float("nan")
    x, y = zip(*points, strict=True)
    return float(np.exp(np.polyfit(x, np.log(y), 1)[0]))


def in_words(found: Mapping[str, Sequence[Left]]) -> str:
    """A table: a row for each algorithm, median [quartiles] at every depth, and the factor per layer."""
    depths = sorted({s.depth for some in found.values() for s in some})
    lines = [f"{'hidden layers':30}" + "".join(f"{d:>26}" for d in depths) + f"{'factor a layer':>18}"]
    for name, some in found.items():
        cells = {s.depth: s.quartiles for s in some}
        quartiles = [cells.get(d, (np.nan,) * 3) for d in depths]
        texts = ["–" if np.isnan(m) else f"{m:.2g} [{low:.2g}–{high:.2g}]" for low, m, high in quartiles]
        rate = factor(some)
        draws = max(s.draws for s in some)
        title = name + (f", mean of {draws} draws" if draws > 1 else "")
        lines.append(f"{title:30}" + "".join(f"{t:>26}" for t in texts) + f"{'–' if np.isnan(rate) else f'{rate:.3g}':>18}")
    return "\n".join(lines)


def vanishing_figure(task: str, found: Mapping[str, Sequence[Left]], bounded: bool) -> Figure:
    """One line an algorithm, median and quartiles of the ratio against depth, and where credit is `bounded` by it ¼ a layer."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator

    depths = sorted({s.depth for some in found.values() for s in some})
    replicas = max(len(s.ratio) for some in found.values() for s in some)
    with styled():
        figure = Figure(figsize=(7.2, 5.6), layout="constrained")
        ax = figure.subplots()
        seen = [1.0]
        for i, (name, some) in enumerate(found.items()):
            low, median, high = (np.array(q) for q in zip(*(s.quartiles for s in some), strict=True))
            if np.isnan(median).all():
                continue
            x = [s.depth for s in some]
            style = {**look(i), "markevery": None}
            draws = max(s.draws for s in some)
            chance = f", mean of {draws} draws" if draws > 1 else ""
            rate = factor(some)
            fitted = "" if np.isnan(rate) else f"   × {rate:.2g} a layer"
            ax.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)
            ax.plot(x, median, label=f"{name}{chance}{fitted}", **style)
            seen += [v for v in (*low, *high) if v > 0]
        if bounded:
            steps = [STEEPEST ** (d - 1) for d in depths]
            ax.plot(depths, steps, color="#777777", linewidth=1.0, label="bound of logistic units for ‖W‖ = 1   × ¼ a layer")
            seen += steps
        logarithmic(ax, "y", min(seen) / 3, max(seen) * 3)
        ax.xaxis.set_major_locator(FixedLocator(depths))
        ax.set(title=task, xlabel="hidden layers", ylabel="credit of the first ÷ of the last hidden layer")
        ax.legend(loc="upper left", bbox_to_anchor=(0, -0.14), borderaxespad=0)
        figure.suptitle("What is left of credit in the first layer", x=0.01, ha="left", fontsize=12, fontweight="bold")
        caption = f"RMS over weights, before training. Line: median of n = {replicas} replicas; band: quartiles (25–75 %)."
        figure.supxlabel(caption, x=0.01, ha="left", fontsize=8, color="#444444")
    return figure


def write_figure(store: Store, figure: Figure) -> Path:
    """Write the figure into the store; returns its path."""
    folder = store.path / "credit"
    folder.mkdir(parents=True, exist_ok=True)
    return save(figure, folder / "vanishing.png")


def main() -> None:
    """Print the table of the cells that the arguments describe, and write the figure."""
    from harness.cli.arguments import cells_of, one_sentence

    given = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
    usual = {"algorithm": RULES, "task": DeepChain.name, "run.probe": 1}
    usual |= CHAIN if given.get("task", DeepChain.name) == DeepChain.name else {}
    arguments = [*(f"{name}={value}" for name, value in usual.items() if name not in given), *sys.argv[1:]]
    with one_sentence():
        cells, cfg = cells_of(arguments)
        found: dict[str, list[Left]] = {}
        for cell in cells:
            found.setdefault(cell.algorithm.name, []).append(left(cell))
        if any(len({s.depth for s in some}) < len(some) for some in found.values()):
            raise InputError("only the algorithm and the depth can take several values: one curve is drawn for each algorithm")
        store = Store.at(cfg.store).prepare()
    task = cells[0].task
    replicas = cells[0].settings.replicas
    print(f"credit of the first ÷ of the last hidden layer on {task.name}: median [quartiles] of {replicas} replicas")
    print(in_words(found))
    nets = [cell.task.network() for cell in cells]
    kind = nets[0].hidden[0].activation
    added = {"residual": any(net.residuals for net in nets), "normalised": any(net.normalised for net in nets)}
    title = ", ".join([task.name, f"{kind} units", f"{task.init} weights", *(word for word, there in added.items() if there)])
    # the bound is that of a chain: identities add ways back, and a normalisation divides by what the weights have shrunk
    figure = vanishing_figure(title, found, kind == "sigmoid" and not any(added.values()))
    print(f"figure: {os.path.relpath(write_figure(store, figure))}")


if __name__ == "__main__":
    main()
