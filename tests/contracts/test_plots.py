"""Figures of survival and of learning curves, held to the numbers they draw, to the page they are on, and to
awkward cells."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread

from harness import plots
from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.drawing import style
from harness.plots.hinton import has_hidden_weights, hinton_figure
from harness.store.record import Record
from helpers.kept import STRICT, XOR, keep, weights
from helpers.made_up import D, S, U, cell, frames
from helpers.pages import check_page, said, shown

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
LONG = "backprop (optimiser=gradient_descent, lr={}, momentum=0.9, decay=0.0002, normalised=True)"


@pytest.fixture(params=AWKWARD)
def awkward(request):
    return frames(
        *(
            cell(f"rule {i}", outcome=outcome, epochs=epochs)
            for i, (outcome, epochs) in enumerate(AWKWARD[request.param])
        )
    )


def survival(made):
    return plots.survival_figure(made.replicas)


def loss(made):
    return plots.curve_figure(made.curves, made.replicas)


def right(made):
    return plots.curve_figure(made.curves, made.replicas, "right")


# Cells of every kind


@pytest.mark.parametrize("figure_of", [survival, loss, right])
def test_awkward_cells_can_be_drawn(awkward, figure_of):
    """Nobody solved, all diverged, one replica: each is drawn, legible, and has its line in the legend."""
    figure = figure_of(awkward)
    check_page(figure)
    assert list(shown(figure.axes[0])) == list(dict.fromkeys(awkward.replicas["algorithm"]))


@pytest.mark.parametrize("figure_of", [survival, loss])
def test_twenty_five_algorithms_with_long_names_stay_on_the_page(figure_of):
    made = frames(
        *(
            cell(LONG.format(0.1 * i), task, (S, U), (10, 100))
            for task in ("xor", "encoder")
            for i in range(25)
        )
    )
    check_page(figure_of(made))


def test_survival_draws_the_share_unsolved_and_its_interval():
    figure = survival(cell("backprop", outcome=(S, S, U, D), epochs=(10, 20, 100, 30)))
    (ax,) = figure.axes
    (line,) = ax.lines
    x, y = line.get_data()
    np.testing.assert_allclose(x, [1, 10, 10, 20, 20, 100])
    np.testing.assert_allclose(y, [1, 1, 0.75, 0.75, 0.5, 0.5])
    assert ax.get_xscale() == "log"
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    ends = [0.0676, 1.0]  # of Clopper and Pearson's interval of 2 of 4, and of 4 of 4
    np.testing.assert_allclose([heights.min(), heights.max()], ends, atol=1e-4)
    assert "2/4" in said(figure)
    assert "95 % interval (beta product)" in said(figure)


def test_a_line_ends_where_nothing_more_is_known():
    out_of_seconds = cell("a", outcome=(S, U), epochs=(10, 60))
    one_later = cell("b", outcome=(S, U, S), epochs=(10, 60, 80))
    all_solved_or_gone = cell("c", outcome=(S, D), epochs=(10, 16))
    lines = survival(frames(out_of_seconds, one_later, all_solved_or_gone)).axes[0].lines
    assert [line.get_xdata()[-1] for line in lines] == [60, 80, 100]
    assert all((np.diff(line.get_xdata()) >= 0).all() for line in lines)


def test_loss_draws_the_median_and_lets_infinity_leave_through_the_top():
    gone = cell("backprop", outcome=(U, U, D, D, D), epochs=(100, 100, 16, 16, 16), loss=0.5)
    healthy = cell("shallow", outcome=(U, U, D), epochs=(100, 100, 16), loss=(0.25, 0.5, 1))
    (ax,) = loss(frames(gone, healthy)).axes
    beyond, median = (shown(ax)[name].get_ydata() for name in ("backprop", "shallow"))
    assert (beyond > ax.get_ylim()[1]).all()
    np.testing.assert_array_equal(median, 0.5)
    assert np.isfinite(beyond).all()
    assert "n=5, 3 diverged" in said(ax.figure)
    assert "quartiles (25–75 %)" in said(ax.figure)


def test_right_draws_the_median_and_the_quartiles_of_the_share():
    (ax,) = right(
        cell("backprop", outcome=(S, S, S, U), epochs=(10, 10, 10, 100))
    ).axes  # shares 1, 1, 1 and .25
    np.testing.assert_array_equal(shown(ax)["backprop"].get_ydata(), 1.0)
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([heights.min(), heights.max()], [0.25, 1.0])


def test_losses_that_are_nowhere_finite_leave_a_panel_that_says_so():
    nothing = cell("backprop", outcome=(U, U), epochs=(100, 100), loss=np.nan)
    zero = cell("perceptron", outcome=(S, S), epochs=(5, 6), loss=0.0)
    figure = loss(frames(nothing, zero))
    check_page(figure)
    assert "no finite loss above 0" in said(figure)


# Many panels, many lines


def test_a_panel_a_task_and_one_look_an_algorithm():
    tasks = [
        "xor",
        "xor (hidden=3)",
        "xor (hidden=4)",
        "xor (target_off=0.1, target_on=0.9, criterion=margin, bound=0.05)",
    ]
    names = ["shallow", "backprop", "finite_differences"]
    made = frames(
        *(
            cell(name, task, (S, U), (10, 100))
            for task in tasks
            for name in names[: 2 if task == "xor" else 3]
        )
    )
    figure = survival(made)
    check_page(figure)
    assert [ax.get_label() for ax in figure.axes] == tasks
    for task in tasks:
        assert task in said(figure)
    looks = {}
    for ax in figure.axes:
        for name, line in shown(ax).items():
            looks.setdefault(name, set()).add((line.get_color(), line.get_linestyle(), line.get_marker()))
    assert list(looks) == names
    assert all(len(look) == 1 for look in looks.values())


@pytest.mark.parametrize("figure_of", [survival, loss])
@pytest.mark.parametrize("count", [8, 25])
def test_a_crowded_task_gets_panels_in_which_every_colour_is_another(figure_of, count):
    names = [f"rule {i}" for i in range(count)]
    crowd = [cell(name, outcome=(S, U), epochs=(i + 2, 100)) for i, name in enumerate(names)]
    figure = figure_of(frames(*crowd, *(cell(name, "encoder", (S,), (5,)) for name in names[-2:])))
    *parts, single = figure.axes
    assert [name for ax in parts for name in shown(ax)] == names
    assert [len(ax.lines) for ax in parts] == [count] * -(-count // 6)  # the others are there, in grey
    for ax in parts:
        assert len({line.get_color() for line in shown(ax).values()}) == len(shown(ax)) <= 6
        assert sum(line.get_color() == style.PALE for line in ax.lines) == count - len(shown(ax))
    assert list(shown(single)) == names[-2:]
    assert "Grey: the other algorithms" in said(figure)


def test_thirty_six_algorithms_differ_in_black_and_white():
    looks = {(plots.look(i)["linestyle"], plots.look(i)["marker"]) for i in range(36)}
    assert len(looks) == 36


def test_colours_are_told_apart_by_the_colour_blind():
    okabe_and_ito = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
    assert set(plots.COLOURS) < okabe_and_ito


@pytest.mark.parametrize(
    ("x", "text"), [(0.001, "0.001"), (20_000, "20,000"), (1e5, "10⁵"), (5e7, "5 × 10⁷"), (1e12, "10¹²")]
)
def test_numbers_on_axes_are_plain(x, text):
    assert style.plain(x) == text


def test_frames_that_cannot_be_drawn_say_what_is_missing():
    made = cell("backprop")
    for figure_of in (survival, loss):
        with pytest.raises(InputError, match="no finished cell"):
            figure_of(type(made)(*(frame.iloc[:0] for frame in made)))
    with pytest.raises(InputError, match=r"no column 'budget_epochs'.*harness\.results"):
        plots.survival_figure(made.replicas.drop(columns="budget_epochs"))
    with pytest.raises(InputError, match=r"quantity 'error'.*loss, right"):
        plots.curve_figure(made.curves, made.replicas, "error")


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
    store.write_study("made_up", "", ids)
    folder = store.study_folder("made_up")
    (folder / "loss.png").write_text("an old one")
    paths = plots.write_figures(store, "made_up")
    figures = ["survival", "loss", "ert", "hinton_xor", "hinton_xor_hidden=4"]
    assert names(paths) == [f"{name}.{kind}" for kind in ("png", "svg", "pdf") for name in figures]
    assert sorted(names(folder.iterdir())) == sorted(["study.json", *names(paths)])
    for path in paths[: len(figures)]:
        assert imread(path).std() > 0.05  # not a blank page
    titles = [style.title_of(folder / f"{name}.svg") for name in figures]
    assert titles[:4] == [
        "Of 5 pairs of a rule and a task 4 are solved in every replica, 1 in none",
        "The median loss ends lowest for shallow and backprop on 2 of 4 tasks each",
        "In epochs a success costs the least by shallow on 2 of 4 tasks, by backprop on 1; "
        "no rule solves xor (hidden=5)",
        "Weights with which backprop solved xor at epoch 10",
    ]
    assert [has_hidden_weights(store.read(i)) for i in ids] == [True, True, False, True, True]


def test_a_study_without_a_finished_cell_has_no_figures(store):
    store.write(missing := Cell.of({"name": "perceptron"}, STRICT, {}), None)
    store.write_study("empty", "", [missing.id])
    assert plots.write_figures(store, "empty") == []


def test_hinton_prefers_backprop(store, monkeypatch):
    """Of several cells with weights a study's diagram shows backprop's, which the others are compared
    with."""
    ids = [keep(store, name, XOR, weights=weights((2, 2, 1))) for name in ("shallow", "backprop")]
    store.write_study("made_up", "", ids)
    drawn: list[Record] = []
    monkeypatch.setattr(
        "harness.plots.study.hinton_figure", lambda record: drawn.append(record) or hinton_figure(record)
    )
    plots.write_figures(store, "made_up")
    assert [record.id for record in drawn] == [ids[1]]


def test_figures_leave_pyplot_and_the_callers_style_alone():
    check = (
        "import sys, matplotlib as mpl; sys.path.insert(0, 'tests')\n"
        "from helpers.made_up import cell; from harness import plots\n"
        "before = {k: mpl.rcParams[k] for k in plots.STYLE}; made = cell('backprop')\n"
        "plots.survival_figure(made.replicas), plots.ert_bars(made.replicas, made.cells), "
        "plots.profile_figure(made.cells)\n"
        "sys.exit(int('matplotlib.pyplot' in sys.modules or before != {k: mpl.rcParams[k] for k in "
        "plots.STYLE}))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
