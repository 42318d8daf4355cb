"""Figures over settings, edges and algorithms, held to made-up frames: failure maps, angles, likeness of
representations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness import plots
from harness.core.errors import InputError
from harness.inspection.similarity import compare
from helpers.made_up import S, U, cell, credit, frames
from helpers.pages import check_page, said, shown

LR, SCALE = "algorithm.optimiser.lr", "task.scale"


def at(lr, scale, solved, n=10, algorithm="backprop"):
    labels = f"{algorithm} (lr={lr})", f"xor (scale={scale})"
    return cell(*labels, (S,) * solved + (U,) * (n - solved), (5,) * n, **{LR: lr, SCALE: scale})


def grid(ax):
    return np.ma.filled(ax.images[0].get_array().astype(float), np.nan)


# Failure maps


def test_a_map_has_the_share_that_failed_at_each_pair_of_settings():
    made = frames(at(1.0, 0.1, 10), at(0.1, 0.1, 0), at(0.1, 1.0, 3))  # (1.0, 1.0) is missing
    figure = plots.failure_map(made.cells)
    check_page(figure)
    (ax,) = figure.axes
    np.testing.assert_allclose(grid(ax), [[100, 0], [70, np.nan]])  # from the smallest scale upwards
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.1", "1"]
    assert [text.get_text() for text in ax.texts] == ["100", "0", "70", "–"]
    assert ax.get_title("left") == "backprop on xor"
    # Wilson's interval is widest at 3 of 10: 10.8 to 60.3 %
    for words in (
        "n = 10 replicas that failed",
        "95 % Wilson interval reaches at most ± 25 per cent",
        LR,
        SCALE,
    ):
        assert words in said(figure)
    np.testing.assert_allclose(
        grid(plots.failure_map(made.cells, share="solved").axes[0]), [[0, 100], [30, np.nan]]
    )


def test_a_map_an_algorithm_and_ranges_of_n():
    made = frames(
        at(0.1, 0.1, 5), at(0.1, 0.1, 1, n=1, algorithm="shallow"), at(0.3, 0.1, 0, n=1, algorithm="shallow")
    )
    figure = plots.failure_map(made.cells)
    check_page(figure)
    assert [ax.get_title("left") for ax in figure.axes] == ["backprop on xor", "shallow on xor"]
    assert "n = 1 to 10 replicas" in said(figure)


def test_settings_that_are_words_keep_their_order():
    made = frames(*(cell(f"a{i}", **{LR: 0.1, "task.init": word}) for i, word in enumerate(("he", "glorot"))))
    cells = made.cells.assign(algorithm_name="a")
    labels = plots.failure_map(cells, LR, "task.init").axes[0].get_yticklabels()
    assert [tick.get_text() for tick in labels] == ["he", "glorot"]


def test_maps_that_cannot_be_drawn_say_why():
    twice = pd.concat([at(0.1, 0.1, 5).cells, at(0.1, 0.1, 6).cells.assign(id="another")])
    with pytest.raises(
        InputError, match=r"several cells on xor at algorithm\.optimiser\.lr=0\.1 and task\.scale=0\.1"
    ):
        plots.failure_map(twice)
    with pytest.raises(InputError, match=r"no column 'task\.scale'"):
        plots.failure_map(cell("backprop", **{LR: 0.1}).cells)
    with pytest.raises(InputError, match="no finished cell"):
        plots.failure_map(at(0.1, 0.1, 5).cells.assign(replicas=np.nan))


# Angles of credit

EDGES = {"input-hidden": (90, 60, 30), "hidden-output": (10, 5, 0), "total": (45, 30, 20)}


def test_a_panel_an_edge_and_a_line_an_algorithm():
    frame = pd.concat(
        [credit("feedback_alignment", EDGES), credit("backprop", dict.fromkeys(EDGES, (0, 0, 0)))]
    )
    figure = plots.credit_figure(frame)
    check_page(figure)
    assert [ax.get_title("left") for ax in figure.axes] == ["all weights", "input-hidden", "hidden-output"]
    hidden = figure.axes[1]
    lines = shown(hidden)
    np.testing.assert_array_equal(lines["feedback_alignment"].get_ydata(), (90, 60, 30))
    np.testing.assert_array_equal(lines["feedback_alignment"].get_xdata()[1:], (10, 100))
    assert lines["feedback_alignment"].get_xdata()[0] == hidden.get_xlim()[0]  # epoch 0
    heights = hidden.collections[0].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([heights.min(), heights.max()], [20, 100])
    assert 90 in [line.get_ydata()[0] for line in hidden.lines if line.get_label().startswith("_")]
    for words in ("n = 20 to 5", "quartiles (25–75 %)", "xor."):
        assert words in said(figure)


def test_a_panel_an_algorithm_and_a_line_an_edge():
    frame = pd.concat(
        [credit("feedback_alignment", EDGES), credit("shallow", {"total": (80, 80, 80)}, "encoder")]
    )
    figure = plots.credit_figure(frame, "algorithm")
    check_page(figure)
    assert [ax.get_title("left") for ax in figure.axes] == ["feedback_alignment on xor", "shallow on encoder"]
    assert list(shown(figure.axes[0])) == ["all weights", "input-hidden", "hidden-output"]


def test_epochs_without_a_direction_are_left_out():
    frame = credit("backprop", {"total": (0, 0, 0)}, defined=(20, 3, 0))
    (ax,) = plots.credit_figure(frame).axes
    assert shown(ax)["backprop"].get_xdata()[-1] == 10
    nothing = credit("backprop", {"total": (0, 0, 0)}, defined=(0, 0, 0))
    for empty in (nothing, nothing.iloc[:0]):
        with pytest.raises(InputError, match=r"run\.probe"):
            plots.credit_figure(empty)


def test_angles_of_twenty_five_algorithms_on_two_tasks_stay_on_the_page():
    names = [f"rule {i} with a name of some length" for i in range(25)]
    figure = plots.credit_figure(
        pd.concat([credit(name, {"total": (90, 80, 70)}, t) for t in ("xor", "encoder") for name in names])
    )
    check_page(figure)
    assert [name for ax in figure.axes for name in shown(ax)] == names * 2


# Representations


def activities(names, replicas=3, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=(replicas, 20, 4)) for name in names}


def test_alike_representations_are_neighbours_in_the_tree():
    a, b = activities("ab").values()
    found = compare({"a": a, "b": b, "like a": 3 * a + 0.01 * b, "like b": b[..., ::-1]})
    figure = plots.similarity_figure(found, "Hidden", "Group hidden, 20 patterns, n = 3 replicas each.")
    check_page(figure)
    tree, matrix = figure.axes
    order = [tick.get_text() for tick in matrix.get_yticklabels()]
    assert {frozenset(order[:2]), frozenset(order[2:])} == {
        frozenset({"a", "like a"}),
        frozenset({"b", "like b"}),
    }
    at = [found.names.index(name) for name in order]
    np.testing.assert_array_equal(grid(matrix), found.mean[np.ix_(at, at)])
    first = f"{found.mean[at[0], at[1]]:.2f}\n± {found.deviation[at[0], at[1]]:.2f}"
    assert first in [text.get_text() for text in matrix.texts]
    joints = max(line.get_xdata().max() for line in tree.lines)
    between = 1 - found.mean[np.ix_(at[:2], at[2:])].mean()
    assert joints == pytest.approx(between)  # average linkage: the mean distance between the two groups
    for words in ("n = 3 to 6 pairs", "± its standard deviation", "average linkage"):
        assert words in said(figure)


def test_likeness_of_one_replica_of_what_does_not_vary_and_of_many():
    lone = plots.similarity_figure(compare(activities("ab", replicas=1)), "", "")
    assert [text.get_text() for text in lone.axes[1].texts].count("–") == 2  # no other replica of one's own
    constant = activities("abc") | {"constant": np.ones((3, 20, 4))}
    assert "Without activities that vary: constant" in said(
        plots.similarity_figure(compare(constant), "", "")
    )
    with pytest.raises(InputError, match="fewer than two"):
        plots.similarity_figure(compare({"a": constant["a"], "constant": constant["constant"]}), "", "")
    many = compare(activities([f"a rule with a long name, {i}" for i in range(25)], replicas=2))
    figure = plots.similarity_figure(many, "Hidden", "n = 2 replicas each.")
    check_page(figure)
    assert f"standard deviation over them up to {many.deviation.max():.2f}" in said(figure)
