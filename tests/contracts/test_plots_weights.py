"""Figures of one network, held to its weights and activities: Hinton diagrams, and people by their codes."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PatchCollection

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.plots import family_tree_figure, hinton_figure, people_figure
from harness.plots.people import in_order
from harness.tasks.family_tree import ENGLISH, ITALIAN, PEOPLE
from helpers.kept import XOR, keep, weights
from helpers.made_up import D, S, U
from helpers.pages import check_page, said

TREE = {"name": "family_tree"}


# Hinton diagrams


def squares(figure):
    """Signed areas of the squares of each panel, in square cells."""
    panels = []
    for ax in figure.axes:
        areas = []
        for collection in (c for c in ax.collections if isinstance(c, PatchCollection)):
            sign = 1 if collection.get_facecolor()[0][0] == 1 else -1
            areas += [
                sign * path.get_extents().width * path.get_extents().height for path in collection.get_paths()
            ]
        panels.append(np.sort(areas))
    return panels


@pytest.mark.parametrize("sizes", [(2, 2, 1), (8, 3, 8), (6, 2, 1), (4, 1, 2), (64, 30, 10)])
def test_areas_are_proportional_to_weights_and_colours_to_signs(store, sizes):
    w = weights(sizes)
    figure = hinton_figure(store.read(keep(store, "backprop", weights=w)))
    check_page(figure)
    biggest = max(np.abs(a).max() for a in w.values())
    for panel, target in zip(squares(figure), ("hidden", "output"), strict=True):
        expected = (
            np.concatenate([a.ravel() for name, a in w.items() if name.split("-")[-1] == target]) / biggest
        )
        np.testing.assert_allclose(panel, 0.81 * np.sort(expected), atol=1e-9)
    assert f"{biggest:.3g}" in said(figure)


def test_several_edges_into_one_group_share_its_columns(store):
    """The family tree: two inputs with a code each, joined in the middle."""
    task = {"name": "family_tree"}
    cell = Cell.of({"name": "backprop"}, task, {})
    rng = np.random.default_rng(0)
    w = {key.name: rng.normal(0, 2, (1, *shape)) for key, shape in cell.task.network().shapes.items()}
    figure = hinton_figure(store.read(keep(store, "backprop", task, weights=w)))
    check_page(figure)
    assert [ax.get_title() or ax.texts[-1].get_text() for ax in figure.axes] == [
        *("→ person1_code", "→ relation_code", "→ hidden", "→ person2_code", "→ person2")
    ]
    assert [len(panel) for panel in squares(figure)] == [25 * 6, 13 * 6, 13 * 12, 13 * 6, 7 * 24]
    sizes = {round(ax.bbox.width / (ax.get_xlim()[1]), 3) for ax in figure.axes}
    assert len(sizes) == 1  # a square is of one size in all panels


def test_the_first_solved_replica_is_drawn_unless_one_is_asked_for(store):
    w = weights((2, 2, 1), 3)
    record = store.read(keep(store, "backprop", XOR, (U, D, S), (100, 16, 42), weights=w))
    assert "replica 2, solved at epoch 42; 1 of n = 3 replicas solved" in said(hinton_figure(record))
    assert "replica 0, unsolved after 100 epochs" in said(hinton_figure(record, 0))
    largest = {i: max(np.abs(a[i]).max() for a in w.values()) for i in (0, 2)}
    assert f"{largest[2]:.3g}" in said(hinton_figure(record))
    with pytest.raises(InputError, match="no replica 9"):
        hinton_figure(record, 9)


def test_weights_that_are_zero_or_not_finite_are_left_grey(store):
    w = {name: np.zeros_like(a) for name, a in weights((2, 2, 1)).items()}
    figure = hinton_figure(store.read(keep(store, "backprop", XOR, (U,), (100,), weights=w)), 0)
    assert all((panel == 0).all() for panel in squares(figure))
    w = weights((2, 2, 1))
    w["input-hidden"][0, 0, 0] = np.nan
    figure = hinton_figure(store.read(keep(store, "backprop", XOR, (D,), (100,), weights=w, seed=1)), 0)
    assert np.isfinite(squares(figure)[0]).all()
    w["input-hidden"][:] = w["hidden-output"][:] = w["hidden"][:] = w["output"][:] = np.nan
    check_page(hinton_figure(store.read(keep(store, "backprop", XOR, (D,), (100,), weights=w, seed=2)), 0))


def test_cells_without_a_solved_replica_or_weights_by_edges_say_so(store):
    with pytest.raises(InputError, match="no solved replica"):
        hinton_figure(store.read(keep(store, "backprop", XOR, (U,), (100,), weights=weights((2, 2, 1)))))
    with pytest.raises(InputError, match="no weights by edges"):
        hinton_figure(store.read(keep(store, "shallow", XOR, weights={"couplings": np.ones((1, 3, 3))})))


# People


def people_of(figure, unit):
    """Signed areas of a unit's squares, in the order in which they are drawn: 24, each in units of its
    place."""
    ax = figure.axes[unit]
    found = {}
    for collection in (c for c in ax.collections if isinstance(c, PatchCollection)):
        sign = 1 if collection.get_facecolor()[0][0] == 1 else -1
        for path in collection.get_paths():
            box = path.get_extents()
            found[int(box.y0 + box.height / 2), int(box.x0 + box.width / 2)] = sign * box.width * box.height
    return np.array([found[i, j] for i in range(2) for j in range(12)])


def test_people_stand_by_nationality_generation_and_branch():
    names = [PEOPLE[i] for i in in_order()]
    assert names[:4] == ["Christopher", "Penelope", "Andrew", "Christine"]
    assert set(names[4:7]) == {"Arthur", "Margaret", "Victoria"}  # children of Christopher's, and a wife
    assert set(names[7:10]) == {"James", "Jennifer", "Charles"}
    assert names[10:12] == ["Colin", "Charlotte"]  # of both branches
    counterpart = dict(zip(ENGLISH, ITALIAN, strict=True))
    assert names[12:] == [counterpart[name] for name in names[:12]]


def test_areas_are_the_distance_of_activity_from_a_half():
    activity = np.random.default_rng(0).random((24, 3))
    figure = people_figure(activity, "Codes", "replica 0 of n = 1")
    check_page(figure)
    for unit in range(3):
        expected = 0.81 * 2 * (activity[list(in_order()), unit] - 0.5)
        np.testing.assert_allclose(people_of(figure, unit), expected, atol=1e-12)
    assert "replica 0 of n = 1" in said(figure)
    for words in (
        "generation 1 generation 2 generation 3",
        "branch 1 branch 2 branch 1 branch 2 both",
        "there is no interval",
    ):
        assert words in said(figure)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, np.nan])
@pytest.mark.parametrize("units", [1, 12])
def test_codes_that_say_nothing_can_be_drawn(value, units):
    figure = people_figure(
        np.full((24, units), value), "A rule with a name that needs some room, " * 2, "unsolved"
    )
    check_page(figure)
    area = 0.81 * 2 * (value - 0.5) if np.isfinite(value) else 0.0
    np.testing.assert_allclose(people_of(figure, units - 1), area)


def test_a_unit_that_tells_nationality_has_a_white_row_and_a_black_one(store):
    shapes = Cell.of({"name": "backprop"}, TREE, {}).task.network().shapes
    w = {key.name: np.zeros((2, *shape)) for key, shape in shapes.items()}
    w["person1-person1_code"][1, :12, 0], w["person1-person1_code"][1, 12:, 0] = 9.0, -9.0
    record = store.read(keep(store, "backprop", TREE, (U, S), (100, 50), weights=w))
    figure = family_tree_figure(record)  # the solved one is the second
    check_page(figure)
    areas = people_of(figure, 0)
    exact = 0.81 * 2 * (1 / (1 + np.exp(-9.0)) - 0.5)
    np.testing.assert_allclose(areas, [exact] * 12 + [-exact] * 12)
    np.testing.assert_allclose(people_of(figure, 5), 0.0)
    assert "replica 1, solved at epoch 50; 1 of n = 2 replicas solved" in said(figure)


def test_what_is_not_a_family_tree_says_so(store):
    with pytest.raises(InputError, match="family_tree"):
        family_tree_figure(store.read(keep(store, "backprop", XOR, weights=weights((2, 2, 1)))))
    with pytest.raises(InputError, match=r"24 people.*\(12, 6\)"):
        people_figure(np.zeros((12, 6)), "", "")
