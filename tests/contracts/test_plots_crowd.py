"""Figures of sweeps of many cells, held to what a crowd's panel promises: every cell is in it, few are
named, by the rule that is told, and what the settings do is a map or a line with the numbers of the cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from harness import plots
from harness.core.errors import InputError
from harness.drawing import crowd, style
from harness.statistics import wilson
from helpers.kept import XOR, keep, weights
from helpers.made_up import S, U, cell, frames
from helpers.pages import check_page, said, shown

LR, SCALE = "algorithm.lr", "task.scale"


def at(lr, scale=0.5, algorithm="backprop", n=10, solved=5, epochs=20, several=True, **settings):
    """A cell of a sweep: so many of n replicas solved it, each in so many epochs."""
    label = f"{algorithm} (lr={lr})" if several else algorithm
    task = f"xor (scale={scale})" if scale != 0.5 else "xor"
    outcome = (S,) * solved + (U,) * (n - solved)
    made = cell(label, task, outcome, (epochs,) * solved + (100,) * (n - solved), **{LR: lr, SCALE: scale})
    return frames(made)._replace(cells=made.cells.assign(**settings)) if settings else made


@pytest.fixture(scope="module")
def forty():
    """ERTs rise with the rate; the last three never solve the task."""
    return frames(*(at(i, solved=5 if i < 37 else 0, epochs=10 + i) for i in range(40)))


def grey(ax):
    """The lines of a crowd, as (x, y)."""
    many = [
        line for each in ax.collections if isinstance(each, LineCollection) for line in each.get_segments()
    ]
    return many or [line.get_xydata() for line in ax.lines if line.get_color() == style.PALE]


@pytest.mark.parametrize(
    "figure_of",
    [
        lambda made: plots.survival_figure(made.replicas),
        lambda made: plots.curve_figure(made.curves, made.replicas),
    ],
    ids=["survival", "loss"],
)
def test_a_crowd_is_one_panel_with_every_cell_and_three_names(forty, figure_of):
    figure = figure_of(forty)
    check_page(figure)
    (ax,) = figure.axes
    assert ax.get_label() == "xor: 40 cells, 3 never solved"
    assert "xor: 40 cells, 3 never solved" in said(figure)
    assert list(shown(ax)) == [
        "quickest: backprop (lr=0)",
        "median: backprop (lr=19)",
        "slowest (never): backprop (lr=39)",
    ]
    assert len(grey(ax)) == 40 - 3
    assert "chosen for what these very replicas did" in said(figure)
    assert "more than 36 cells" in said(figure)


def test_the_grey_lines_of_a_crowd_are_those_of_its_cells(forty):
    """Each falls to one half where its five replicas solve the task, or stays at 1."""
    (ax,) = plots.survival_figure(forty.replicas).axes
    others = [i for i in range(40) if i not in (0, 19, 39)]
    for i, line in zip(others, grey(ax), strict=True):
        x, y = line.T
        assert (y[0], y[-1]) == (1.0, 0.5 if i < 37 else 1.0)
        assert x[np.argmin(y)] == (10 + i if i < 37 else x[0])
        assert (np.diff(x) * np.diff(y) == 0).all(), "steps, no slopes"


def test_variants_of_a_task_are_a_crowd_and_another_task_keeps_its_panel():
    sweep = [at(0.1, scale, several=False, epochs=i + 1) for i, scale in enumerate(np.arange(13) / 100)]
    figure = plots.survival_figure(
        frames(*sweep, cell("shallow", "encoder"), cell("backprop", "encoder")).replicas
    )
    check_page(figure)
    few, many = figure.axes
    assert list(shown(few)) == ["shallow", "backprop"]
    assert many.get_label() == "xor: 13 cells"
    assert next(iter(shown(many))) == "quickest: backprop on xor (scale=0.0)"
    colours = [line.get_color() for line in shown(few).values()]
    assert colours == [plots.COLOURS[0], plots.COLOURS[-1]], "the crowd takes no colour from others"


@pytest.mark.parametrize(("rules", "each"), [(2, 3), (3, 2), (4, 1), (24, 1)])
def test_of_several_algorithms_in_a_crowd_each_has_its_quickest_named(rules, each):
    made = frames(
        *(at(lr, algorithm=f"rule {i}", epochs=lr + i + 1) for i in range(rules) for lr in range(20))
    )
    figure = plots.survival_figure(made.replicas)
    check_page(figure)
    names = [name for ax in figure.axes for name in shown(ax)]
    assert names.count("quickest: rule 0 (lr=0)") == 1
    assert len(names) == rules * each
    assert [name for name in names if name.startswith("quickest")] == [
        f"quickest: rule {i} (lr=0)" for i in range(rules)
    ]
    for ax in figure.axes:
        assert len(shown(ax)) <= 7
        assert len(grey(ax)) + len(shown(ax)) == 20 * rules


def test_among_other_rules_of_a_crowd_backprop_is_black_and_nothing_else():
    made = frames(*(at(lr, algorithm=a) for a in ("backprop", *"abcdefgh") for lr in range(5)))
    for ax in plots.survival_figure(made.replicas).axes:
        black = [name for name, line in shown(ax).items() if line.get_color() == style.BLACK]
        assert black == [name for name in shown(ax) if "backprop" in name]
        assert len({line.get_color() for line in shown(ax).values()}) == len(shown(ax))


def test_where_nobody_solves_the_task_one_name_is_enough():
    made = frames(*(at(i, solved=0) for i in range(40)))
    (ax,) = plots.survival_figure(made.replicas).axes
    assert list(shown(ax)) == ["quickest (never): backprop (lr=0)"]


def test_the_running_times_of_a_crowd_are_all_there_in_their_order(forty):
    figure = plots.ert_bars(forty.replicas, forty.cells)
    check_page(figure)
    (ax,) = figure.axes
    (dots,) = (line for line in ax.lines if line.get_marker() == ".")
    x, y = dots.get_data()
    np.testing.assert_allclose(x[:37], [(5 * (10 + i) + 500) / 5 for i in range(37)])
    assert np.isinf(x[37:]).all()
    np.testing.assert_array_equal(y, np.arange(1, 41))
    (band,) = ax.collections
    left = band.get_paths()[0].vertices[:, 0].min()
    assert 10 < left < 110, "the interval of the cheapest begins below its value"
    assert "never" in [text.get_text() for text in ax.texts]
    quickest = next(line for name, line in shown(ax).items() if name.startswith("quickest"))
    assert quickest.get_xdata() == [110]
    assert "110 [" in quickest.get_label()
    assert "5 / 10" in quickest.get_label()


def test_a_crowd_beside_named_bars_stays_on_the_page(forty):
    figure = plots.ert_bars(
        *(
            pd.concat([a, b])
            for a, b in zip(
                (forty.replicas, forty.cells),
                (cell("shallow", "encoder").replicas, cell("shallow", "encoder").cells),
                strict=True,
            )
        )
    )
    check_page(figure)
    titles = [ax.get_title("left").replace("\n", " ") for ax in figure.axes]
    assert titles == ["encoder", "xor: 40 cells, 3 never solved"]


# Settings


def test_two_settings_over_a_grid_are_maps_of_shares_and_costs():
    """Seeds of one setting are pooled; where nobody solved the task stands ∞."""
    made = frames(
        *(
            at(lr, scale, solved=5 * lr * (scale < 3), epochs=10 * lr)
            for lr in (0, 1, 2)
            for scale in (1, 2, 3)
        ),
    )
    again = at(1, 1, solved=8, epochs=30)
    other = frames(again)
    for frame in other:
        frame["id"] = "another seed"
    made = frames(made, other)
    figure = plots.sweep_figure(made.replicas, made.cells.assign(**{"run.seed": range(10)}))
    check_page(figure)
    share, price = figure.axes
    assert share.get_title("left") == "backprop on xor: solved, %"
    shares = share.images[0].get_array()
    np.testing.assert_allclose(shares, [[0, 65, 100], [0, 50, 100], [0, 0, 0]])
    pooled = (5 * 10 + 5 * 100 + 8 * 30 + 2 * 100) / 13
    never = np.inf
    image = price.images[0]
    costs = np.array(image.get_array())
    costs[costs > image.norm.vmax] = never
    np.testing.assert_allclose(costs, [[never, pooled, 20], [never, 110, 20], [never] * 3])
    assert to_hex(image.cmap(image.norm(image.get_array()))[2, 2]) == style.PALE.lower()
    assert [text.get_text() for text in price.texts][:2] == ["∞", "76"]
    (name,) = shown(share)
    low, high = wilson(10, 10)
    assert name == "lr=2, scale=1"
    ring = share.lines[0]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (2, 0)
    assert f"10 / 10 [{100 * float(low):.0f}–{100 * float(high):.0f} %]" in ring.get_label().replace(
        "\xa0", " "
    )
    assert (share.get_xlabel(), share.get_ylabel()) == (LR, SCALE)


def test_a_map_of_many_values_has_a_colour_bar_and_names_that_do_not_touch():
    made = frames(
        *(at(lr, scale, n=2, solved=1 + (lr == scale)) for lr in range(1, 21) for scale in range(1, 21))
    )
    figure = plots.sweep_figure(made.replicas, made.cells)
    check_page(figure)
    share = figure.axes[0]
    assert share.images[0].get_array().shape == (20, 20)
    assert not share.texts
    assert len(share.child_axes) == 1
    labels = [tick.get_text() for tick in share.get_xticklabels()]
    assert labels == [str(value) for value in range(1, 21, 2)]


def test_one_setting_is_a_line_an_algorithm_with_intervals():
    made = frames(*(at(lr, algorithm=a, solved=lr) for a in ("backprop", "shallow") for lr in (1, 2, 4)))
    figure = plots.sweep_figure(made.replicas, made.cells)
    check_page(figure)
    share, price = figure.axes
    assert share.get_title("left") == "xor: solved"
    assert share.get_xlabel() == LR
    np.testing.assert_allclose(share.lines[0].get_ydata(), [10, 20, 40])
    assert list(shown(price)) == ["backprop", "shallow"]
    low, high = (100 * end for end in wilson([1, 2, 4], [10] * 3))
    bars = np.array(share.collections[0].get_segments())[:, :, 1]
    np.testing.assert_allclose(bars, np.column_stack([low, high]))


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ([(1, 1), (2, 1)], "two values"),
        ([(1, 1), (2, 1), (4, 1), (1, 2), (2, 2), (4, 2), (1, 3), (2, 3)], "a corner is not there"),
        ([(1, 1), (2, 2), (3, 3)], "both change at once"),
    ],
)
def test_what_is_no_grid_is_no_map(made, why):
    some = frames(*(at(lr, scale) for lr, scale in made))
    with pytest.raises(InputError, match="three values or more"):
        plots.sweep_figure(some.replicas, some.cells)


def test_words_and_what_is_not_there_are_no_numbers():
    for values in (("he", "glorot", "zero"), (1.0, 2.0, np.nan), (True, False, True)):
        some = frames(*(at(0.1, algorithm=f"rule (a={i})") for i in range(3)))
        cells = some.cells.assign(algorithm_name="rule").assign(**{LR: pd.Series(values, dtype=object)})
        with pytest.raises(InputError, match="three values or more"):
            plots.sweep_figure(some.replicas, cells)


# A study


def test_a_study_of_a_crowd_has_one_diagram_of_its_quickest_and_a_line_of_its_setting(store, monkeypatch):
    ids = [
        keep(store, "backprop", XOR | {"scale": 0.1 * (i + 1)}, (S,), (50 - i,), weights=weights((2, 2, 1)))
        for i in range(13)
    ]
    store.write_study("sweep", "", ids)
    folder = store.study_folder("sweep")
    for kind in ("png", "svg", "pdf"):
        (folder / f"hinton_xor_scale=0.1.{kind}").write_text("of an earlier definition")
    told = []
    hinton = plots.hinton_figure
    monkeypatch.setattr(
        "harness.plots.study.hinton_figure", lambda record: told.append(record.id) or hinton(record)
    )
    paths = plots.write_figures(store, "sweep")
    figures = ("survival", "loss", "ert", "settings", "hinton_xor")
    names = [f"{name}.{kind}" for kind in ("png", "svg", "pdf") for name in figures]
    assert [path.name for path in paths] == names
    assert told == [ids[-1]]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "study.json"])


def test_alpha_of_a_crowd_is_never_so_thin_that_a_line_is_lost():
    from harness.drawing.picture import Picture

    ax = Picture().add_axes((0, 0, 1, 1))
    line = np.array([1.0, 2.0]), np.array([0.0, 1.0])
    crowd.behind(ax, [line] * 10_000)
    assert ax.collections[0].get_alpha() == pytest.approx(0.04)
