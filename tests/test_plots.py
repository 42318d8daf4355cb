"""Figures held to the numbers they draw, to the page they are on (nothing clipped, nothing overlapping), and to awkward cells."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.collections import PatchCollection
from matplotlib.image import imread
from matplotlib.text import Text
from test_table import STRICT, XOR, D, S, U, keep

from harness import plots
from harness.cell import Cell
from harness.errors import InputError
from harness.hinton import has_hidden_weights, hinton_figure
from harness.record import Record

MANY = ["backprop", "shallow", "finite_differences", "perceptron"]
AWKWARD = {
    "one replica": [((S,), (20,))],
    "one failed replica": [((U,), (100,))],
    "all failed": [((U,) * 5, (100,) * 5)],
    "all solved": [((S,) * 5, (3, 4, 50, 60, 100))],
    "all diverged": [((D,) * 5, (16,) * 5)],
    "solved at once": [((S,) * 3, (0, 0, 0))],
    "solved at the end": [((S, U), (100, 100))],
    "a mixture": [((S, U, D), (7, 100, 32)), ((D, D), (16, 32)), ((S, S), (0, 100)), ((U,), (100,))],
}


@pytest.fixture(params=AWKWARD)
def awkward(request, store):
    ids = [keep(store, name, XOR, *cell) for name, cell in zip(MANY, AWKWARD[request.param], strict=False)]
    return [store.read(i) for i in ids]


def weights(sizes, replicas=1, seed=0):
    """Random weights of a chain as a store names them."""
    rng = np.random.default_rng(seed)
    names = ["input", "hidden", "output"]
    edges = {f"{a}-{b}": (m, n) for a, b, m, n in zip(names, names[1:], sizes, sizes[1:], strict=False)}
    biases = {name: (1, n) for name, n in zip(names[1:], sizes[1:], strict=True)}
    return {name: rng.normal(0, 3, (replicas, *shape)) for name, shape in (edges | biases).items()}


def texts(figure):
    """Every text that is drawn, with its box in pixels."""
    figure.draw_without_rendering()
    beyond = []  # matplotlib keeps labels of ticks beyond the limits, and does not draw them
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        beyond += [id(t) for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high for t in tick.findobj(Text)]
    hidden = [id(t) for ax in figure.axes if not ax.axison for axis in (ax.xaxis, ax.yaxis) for t in axis.findobj(Text)]
    found = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and id(t) not in beyond + hidden]
    return [(t.get_text(), t.get_window_extent()) for t in found]


def check_page(figure):
    boxes = texts(figure)
    page = figure.bbox
    for text, box in boxes:
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= page.width + 1 and box.y1 <= page.height + 1
        assert inside, f"clipped: {text!r}"
    for i, (text, box) in enumerate(boxes):
        for other, there in boxes[:i]:
            shared = min(box.x1, there.x1) - max(box.x0, there.x0), min(box.y1, there.y1) - max(box.y0, there.y0)
            assert min(shared) <= 1, f"{text!r} overlaps {other!r}"


def said(figure):
    return " ".join(" ".join(text for text, _ in texts(figure)).split())


# Survival and loss


@pytest.mark.parametrize("figure_of", [plots.survival_figure, plots.loss_figure])
def test_awkward_cells_can_be_drawn(awkward, figure_of):
    figure = figure_of(awkward)
    check_page(figure)
    assert len(figure.axes[0].lines) == len(awkward)


def test_survival_draws_the_share_unsolved_and_its_interval(store):
    record = store.read(keep(store, "backprop", XOR, (S, S, U, D), (10, 20, 100, 30)))
    figure = plots.survival_figure([record])
    (ax,) = figure.axes
    (line,) = ax.lines
    x, y = line.get_data()
    np.testing.assert_allclose(x, [1, 10, 20, 100])
    np.testing.assert_allclose(y, [1, 0.75, 0.5, 0.5])
    assert ax.get_xscale() == "log"
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose(
        [heights.min(), heights.max()], [0.1500, 1.0], atol=1e-4
    )  # Wilson's interval of 2 of 4, and of 4 of 4
    assert "2 / 4" in said(figure)
    assert "95 % Wilson interval" in said(figure)


def test_a_line_ends_where_nothing_more_is_known(store):
    out_of_seconds = store.read(keep(store, "backprop", XOR, (S, U), (10, 60)))
    one_later = store.read(keep(store, "finite_differences", XOR, (S, U, S), (10, 60, 80)))
    all_solved_or_gone = store.read(keep(store, "shallow", XOR, (S, D), (10, 16)))
    lines = plots.survival_figure([out_of_seconds, one_later, all_solved_or_gone]).axes[0].lines
    assert [line.get_xdata()[-1] for line in lines] == [60, 80, 100]
    assert all((np.diff(line.get_xdata()) >= 0).all() for line in lines)


def test_loss_draws_the_median_and_lets_infinity_leave_through_the_top(store):
    record = store.read(keep(store, "backprop", XOR, (U, U, D, D, D), (100, 100, 16, 16, 16), loss=(0.5, 0.5, 1, 1, 1)))
    healthy = store.read(keep(store, "shallow", XOR, (U, U, D), (100, 100, 16), loss=(0.25, 0.5, 1)))
    (ax,) = plots.loss_figure([record, healthy]).axes
    gone, median = (line.get_ydata() for line in ax.lines)
    assert (gone > ax.get_ylim()[1]).all()
    np.testing.assert_array_equal(median, 0.5)
    assert np.isfinite(gone).all()
    assert "n = 5, 3 diverged" in said(ax.figure)


def test_losses_that_are_nowhere_finite_leave_a_panel_that_says_so(store):
    nothing = store.read(keep(store, "backprop", XOR, (U, U), (100, 100), loss=(np.nan, np.nan)))
    zero = store.read(keep(store, "perceptron", XOR, (S, S), (5, 6), loss=(0.0, 0.0)))
    figure = plots.loss_figure([nothing, zero])
    check_page(figure)
    assert "no finite loss above 0" in said(figure)


def test_a_panel_a_task_and_one_look_an_algorithm(store):
    tasks = [XOR, XOR | {"hidden": 3}, XOR | {"hidden": 4}, STRICT]
    names = ["shallow", "backprop", "finite_differences"]
    ids = [keep(store, name, task, (S, U), (10, 100)) for task in tasks for name in names[: 2 if task == XOR else 3]]
    store.write(missing := Cell.of({"name": "perceptron"}, STRICT, {}), None)
    records = [store.read(i) for i in [*ids, missing.id]]
    figure = plots.survival_figure(records)
    check_page(figure)
    titles = [ax.get_title("left").replace("\n", " ") for ax in figure.axes if ax.axison]
    assert titles == [
        "xor",
        "xor (hidden=3)",
        "xor (hidden=4)",
        "xor (target_off=0.1, target_on=0.9, criterion=margin, bound=0.05)",
    ]
    looks = {}
    for ax in figure.axes[:4]:
        for line in ax.lines:
            looks.setdefault(line.get_label().split("   ")[0], set()).add(
                (line.get_color(), line.get_linestyle(), line.get_marker())
            )
    assert list(looks) == names
    assert all(len(look) == 1 for look in looks.values())


def test_thirty_six_algorithms_differ_in_black_and_white():
    looks = {(plots.look(i)["linestyle"], plots.look(i)["marker"]) for i in range(36)}
    assert len(looks) == 36


def test_colours_are_told_apart_by_the_colour_blind():
    assert set(plots.COLOURS) < {
        "#000000",
        "#E69F00",
        "#56B4E9",
        "#009E73",
        "#F0E442",
        "#0072B2",
        "#D55E00",
        "#CC79A7",
    }  # Okabe & Ito


def test_twenty_algorithms_with_long_names_stay_on_the_page(store):
    ids = [
        keep(
            store,
            {
                "name": "backprop",
                "optimiser": {"name": "gradient_descent", "lr": 0.1 * i, "momentum": 0.01 * i, "decay": 1e-5 * i},
            },
        )
        for i in range(1, 21)
    ]
    check_page(plots.survival_figure([store.read(i) for i in ids]))


def test_without_a_finished_cell_there_is_nothing_to_draw(store):
    store.write(cell := Cell.of({"name": "perceptron"}, STRICT, {}), None)
    for figure_of in (plots.survival_figure, plots.loss_figure):
        with pytest.raises(InputError, match="no finished cell"):
            figure_of([store.read(cell.id)])
    store.write_study("empty", "", [cell.id])
    assert plots.write_figures(store, "empty") == []


# Hinton diagrams


def squares(figure):
    """Signed areas of the squares of each panel, in square cells."""
    panels = []
    for ax in figure.axes:
        areas = []
        for collection in (c for c in ax.collections if isinstance(c, PatchCollection)):
            sign = 1 if collection.get_facecolor()[0][0] == 1 else -1
            areas += [sign * path.get_extents().width * path.get_extents().height for path in collection.get_paths()]
        panels.append(np.sort(areas))
    return panels


@pytest.mark.parametrize("sizes", [(2, 2, 1), (8, 3, 8), (6, 2, 1), (4, 1, 2), (64, 30, 10)])
def test_areas_are_proportional_to_weights_and_colours_to_signs(store, sizes):
    w = weights(sizes)
    figure = hinton_figure(store.read(keep(store, "backprop", weights=w)))
    check_page(figure)
    biggest = max(np.abs(a).max() for a in w.values())
    for panel, target in zip(squares(figure), ("hidden", "output"), strict=True):
        expected = np.concatenate([a.ravel() for name, a in w.items() if name.split("-")[-1] == target]) / biggest
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


# A study's figures


def names(paths):
    return [path.name for path in paths]


def test_a_studys_figures_are_written_whole_and_show_backprop_first(store):
    single = {"input-output": np.ones((1, 2, 1)), "output": np.ones((1, 1, 1))}
    ids = [
        keep(store, "shallow", XOR, weights=weights((2, 2, 1))),
        keep(store, "backprop", XOR, weights=weights((2, 2, 1))),
        keep(store, "perceptron", XOR | {"hidden": 3}, weights=single),  # no hidden weights
        keep(store, "shallow", XOR | {"hidden": 4}, weights=weights((2, 4, 1))),
        keep(store, "backprop", XOR | {"hidden": 5}, (U,), (100,), weights=weights((2, 5, 1))),  # not solved
    ]
    folder = store.write_study("made_up", "", ids)
    (folder / "loss.png").write_text("an old one")
    paths = plots.write_figures(store, "made_up")
    assert names(paths) == ["survival.png", "loss.png", "hinton_xor.png", "hinton_xor_hidden=4.png"]
    assert sorted(names(folder.iterdir())) == sorted(["study.json", *names(paths)])
    for path in paths:
        assert imread(path).std() > 0.05  # not a blank page
    assert [has_hidden_weights(store.read(i)) for i in ids] == [True, True, False, True, True]


def test_hinton_prefers_backprop(store, monkeypatch):
    ids = [keep(store, name, XOR, weights=weights((2, 2, 1))) for name in ("shallow", "backprop")]
    store.write_study("made_up", "", ids)
    drawn: list[Record] = []
    monkeypatch.setattr("harness.hinton.hinton_figure", lambda record: drawn.append(record) or hinton_figure(record))
    plots.write_figures(store, "made_up")
    assert [record.id for record in drawn] == [ids[1]]


def test_figures_leave_pyplot_and_the_callers_style_alone():
    check = (
        "import sys, matplotlib as mpl; from harness import plots, hinton; before = {k: mpl.rcParams[k] for k in plots.STYLE}\n"
        "with plots.styled(): pass\n"
        "sys.exit(int('matplotlib.pyplot' in sys.modules or before != {k: mpl.rcParams[k] for k in plots.STYLE}))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
