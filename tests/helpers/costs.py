"""What one update costs, counted: of an algorithm on a network with made-up patterns."""

from __future__ import annotations

import numpy as np

from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.core.algorithm import Algorithm
from harness.core.data import Patterns, Spec, Usual
from harness.core.network import Edge, Group, Network
from harness.core.task import Task
from harness.cost.sheet import sheet


def task_of(net: Network, patterns: int) -> Task:
    """A task with this network and that many made-up patterns."""
    rng = np.random.default_rng(0)

    class Made(Task):
        usual = Usual(lr=0.1, momentum=0.9, scale=0.5, epochs=10)

        def network(self) -> Network:
            return net

        def spec(self) -> Spec:
            return Spec(patterns, kind="bits", binary=False)

        def patterns(self) -> Patterns:
            wanted = rng.random((patterns, net.output.size)) < 0.5
            return Patterns(rng.random((patterns, net.input_size)), wanted, ("",) * patterns)

    return Made()


def cost_of(algorithm: Algorithm, task: Task, **run: object):
    return sheet(Cell(*resolve(algorithm, task, Settings(replicas=1, **run))))


def with_shortcuts(sizes: list[int]) -> Network:
    groups = [Group(f"g{i}", n, "linear" if i == 0 else "sigmoid", bias=i > 0) for i, n in enumerate(sizes)]
    return Network(tuple(groups), tuple(Edge(a, b) for i, b in enumerate(groups) for a in groups[:i]))
