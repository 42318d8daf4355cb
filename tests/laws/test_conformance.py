"""Contracts that every registered algorithm keeps: bits, purity, words; whoever adds one is held to them
without a line."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core import registry
from harness.core.algorithm import Batch
from harness.core.initial import initial
from harness.core.rand import NOISE, SPLIT, WEIGHTS, Rand
from harness.core.registry import first_line
from harness.core.tree import leaves, tree_map
from harness.experiment.result import Result
from harness.experiment.run import run
from helpers.suited import suited

ALGORITHMS = registry.algorithms()
every_algorithm = pytest.mark.parametrize("name", ALGORITHMS)
BUDGET = {"replicas": 5, "seed": 3, "epochs": 12}


def bits(result: Result, replica: int) -> list[bytes]:
    (row,) = np.flatnonzero(result.trained.replica == replica)
    t = result.trained
    arrays = [t.epochs, t.loss, t.right, t.loss_curve, t.right_curve, *t.weights.values()]
    return [a[row].tobytes() for a in arrays]


@every_algorithm
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_replica_alone_is_itself_in_a_batch_and_every_time(name: str, dtype: str) -> None:
    algorithm = ALGORITHMS[name]()
    task = suited(algorithm)
    together = run(algorithm, task, dtype=dtype, **BUDGET)
    again = run(algorithm, task, dtype=dtype, **BUDGET)
    alone = run(algorithm, task, dtype=dtype, only=[3], **BUDGET)
    assert bits(together, 3) == bits(again, 3) == bits(alone, 3)


@every_algorithm
def test_other_seeds_are_other_networks(name: str) -> None:
    """Unless nothing in it is left to chance: zero weights, and no noise."""
    algorithm = ALGORITHMS[name]()
    task = suited(algorithm)
    one, other = (run(algorithm, task, batch="full", **{**BUDGET, "seed": seed}) for seed in (3, 4))
    if name not in ("perceptron", "delta_rule", "decision_tree", "hand_made", "rule_base"):
        assert bits(one, 0) != bits(other, 0)


@every_algorithm
def test_an_update_writes_to_nothing_and_leaves_the_global_stream_alone(name: str) -> None:
    task = suited(ALGORITHMS[name]()).resolved()
    algorithm = ALGORITHMS[name]().resolved(task.usual)
    net, replicas = task.network(), range(4)
    data = task.data(Rand(0, replicas, SPLIT), np.float64)
    params = initial(net, Rand(0, replicas, WEIGHTS), task.init, task.initial_scale)
    noise = Rand(0, replicas, NOISE)
    state = algorithm.init(net, params, noise)
    before = [(n, a.copy()) for n, a in leaves(state)]
    frozen = tree_map(lambda a: a.view(), state)
    for _, a in leaves(frozen):
        a.flags.writeable = False
    old = np.random.get_state()[1].copy()  # noqa: NPY002  # the stream that nobody may touch
    batch = Batch(data.x, data.target, data.wanted, 0, task.objective)
    new = algorithm.update(net, frozen, batch, noise).state
    assert (np.random.get_state()[1] == old).all()  # noqa: NPY002
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(before, leaves(state), strict=True))
    assert [n for n, _ in leaves(new)] == [n for n, _ in before]
    y = algorithm.predict(net, new, data.x)
    assert y.shape == (4, *data.target.shape[1:])
    assert all(len(a) == 4 for _, a in leaves(new)), "every array of a state has the replica axis first"


@every_algorithm
def test_it_says_what_it_is_where_it_comes_from_and_what_holds_it(name: str) -> None:
    algorithm = ALGORITHMS[name]
    for text in (first_line(algorithm), algorithm.paper, algorithm.equations, algorithm.oracle):
        assert len(text) > 10
        assert "|" not in text, "it would break the table of docs/algorithms.md"
