"""Where training ends, held to planted kinds, to XOR's symmetries, to PDP's local minimum and to a Hessian in
closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.forward_forward import ForwardForward
from harness.cells.cell import Cell
from harness.core.data import Patterns, Usual
from harness.core.errors import InputError
from harness.core.network import Network
from harness.core.task import Task
from harness.experiment.run import run, run_cell
from harness.inspection import ends as minima
from harness.results import trained_networks as networks
from harness.results.trained_networks import Networks
from harness.store.store import Store
from harness.tasks.xor import Xor

FIG_5: dict[str, Any] = {  # PDP vol. 1 ch. 8: the weights of Fig. 5
    "input-hidden": [[-2.0, 4.3], [9.2, 8.8]],
    "hidden-output": [[-4.5], [5.3]],
    "hidden": [[2.0, -0.1]],
    "output": [[-0.8]],
}


def of(task: Task, named: dict[str, Any]) -> Networks:
    net = task.network()
    params = {key: np.array(named[key.name], float)[None] for key in net.shapes}
    return Networks(task, net, params, {"replica": np.arange(1)}, 0)


def test_the_printed_local_minimum_is_flat_and_of_its_own_kind() -> None:
    """Outputs to four digits and max |∂E/∂w| = .0105 were worked out from the printed weights elsewhere."""
    stuck = of(Xor(), FIG_5)
    outputs = stuck.outputs()[..., 0]
    np.testing.assert_allclose(outputs[0], minima.FIG_5, atol=0.51e-4)
    assert minima.distance(outputs, minima.FIG_5) < 1e-4
    assert 0.0105 <= minima.slope(stuck)[0] <= 0.0105 * 3  # of nine weights, none above .0105


outputs_of = st.lists(st.sampled_from([0.0, 1 / 3, 0.5, 2 / 3, 1.0]), min_size=4, max_size=4).map(np.array)


@given(outputs_of)
@settings(max_examples=50, deadline=None)
def test_mirror_images_are_one_kind(row: Any) -> None:
    images = row[np.array(minima.XOR_MIRRORS)]
    assert len(np.unique(minima.canonical(images), axis=0)) == 1
    (kind,) = minima.kinds(images, np.zeros(4))
    np.testing.assert_array_equal(kind.members, [0, 1, 2, 3])
    assert (minima.distance(images, row) == 0).all()


def test_the_mirrors_are_the_symmetries_of_the_task() -> None:
    """Swapping or inverting both inputs leaves what is wanted as it is; no other order of the columns
    does."""
    x, wanted, *_ = Xor().patterns()
    found = set()
    for columns in ([0, 1], [1, 0]):
        for flip in (False, True):
            seen = np.abs(x[:, columns] - flip)
            order = tuple(int(np.flatnonzero((x == row).all(axis=1))[0]) for row in seen)
            assert (wanted[list(order)] == wanted).all()
            found.add(order)
    assert found == set(minima.XOR_MIRRORS)


@given(st.permutations(list(range(30))))
@settings(max_examples=20, deadline=None)
def test_planted_kinds_are_found_whatever_the_order(order: list[int]) -> None:
    rng = np.random.default_rng(5)
    centres = np.array([[0.0, 0.5, 1.0, 0.5], [0.0, 0.67, 0.67, 0.67], [0.5, 0.5, 0.5, 0.5]])
    which = np.repeat([0, 1, 2], [18, 8, 4])[order]
    rows = (centres[which] + rng.uniform(-0.05, 0.05, (30, 4)))[np.arange(30)]
    found = minima.kinds(rows, which.astype(float))
    assert [len(kind.members) for kind in found] == [18, 8, 4]
    assert [kind.error for kind in found] == [0.0, 1.0, 2.0]
    for kind in found:
        assert len(set(which[kind.members])) == 1


def test_none_and_one_have_their_kinds() -> None:
    assert minima.kinds(np.zeros((0, 4)), np.zeros(0)) == []
    assert len(minima.kinds(np.zeros((1, 4)), np.ones(1))) == 1


@dataclass(frozen=True)
class Line(Task):
    """Three numbers to be fitted by a linear unit."""

    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.0, scale=1.0, epochs=5)

    def network(self) -> Network:
        return Network.chain(2, 1, output="linear")

    def patterns(self) -> Patterns:
        x = np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 0.0]])
        return Patterns(x, np.ones((3, 1), bool), ("a", "b", "c"), np.array([[1.0], [0.0], [-1.0]]))


def test_curvature_and_slope_of_a_linear_unit_are_in_closed_form() -> None:
    """E = ½|Xw − d|²: gradient Xᵀ(Xw − d), Hessian XᵀX, X with a column of ones for the bias."""
    task = Line()
    result = run(Backprop(), task, replicas=3, epochs=2)
    ends = Networks(
        task,
        task.network(),
        {k: result.trained.weights[k.name] for k in task.network().shapes},
        result.columns(),
        0,
    )
    x = np.hstack([task.patterns().x, np.ones((3, 1))])
    np.testing.assert_allclose(minima.curvature(ends), np.full(3, np.linalg.eigvalsh(x.T @ x)[0]), rtol=1e-6)
    for i in range(3):
        w = np.concatenate([a[i].ravel() for a in ends.params.values()])
        np.testing.assert_allclose(
            minima.slope(ends)[i], np.linalg.norm(x.T @ (x @ w - task.patterns().target[:, 0])), rtol=1e-10
        )


def test_networks_of_a_record_answer_as_they_did(store: Store) -> None:
    cell = Cell.of({"name": "backprop"}, {"name": "xor"}, {"replicas": 6, "epochs": 40})
    result = run_cell(cell.algorithm, cell.task, cell.settings)
    found = networks.of(store.write(cell, result))
    error = found.task.objective.of(found.outputs(), found.batch().target, found.batch().wanted)
    np.testing.assert_allclose(error, result.trained.loss, rtol=1e-12)
    some = found.chosen(np.array([4, 1]))
    np.testing.assert_array_equal(some.outputs(), found.outputs()[[4, 1]])
    assert some.replicas["replica"].tolist() == [4, 1]


def test_held_out_patterns_of_the_chosen_stay_theirs(store: Store) -> None:
    cell = Cell.of({"name": "backprop"}, {"name": "family_tree"}, {"replicas": 3, "epochs": 2})
    found = networks.of(store.write(cell, run_cell(cell.algorithm, cell.task, cell.settings)))
    assert found.data.held is not None
    alone = found.chosen(np.array([2])).data.held
    assert alone is not None
    np.testing.assert_array_equal(alone.x[0], found.data.held.x[2])


def test_weights_of_another_network_are_refused(store: Store) -> None:
    cell = Cell.of({"name": ForwardForward.name}, {"name": "xor"}, {"replicas": 2, "epochs": 2})
    record = store.write(cell, run_cell(cell.algorithm, cell.task, cell.settings))
    with pytest.raises(InputError, match="not those of its task's network"):
        networks.of(record)
