"""Figures of what learning costs, held to numbers known by hand: running times, profiles, fronts, growth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up import D, S, U, cell, frames
from pages import check_page, said, shown

from harness import plots
from harness.cell import Cell
from harness.cost import sheet
from harness.errors import InputError
from harness.plots.style import BLUE, VERMILION

LONG = "backprop (optimiser=gradient_descent, lr={}, momentum=0.9)"


def dots(ax):
    """Where the running times stand, from top to bottom."""
    found = [line for line in ax.lines if line.get_marker() == "o"]
    return [float(line.get_xdata()[0]) for line in sorted(found, key=lambda line: line.get_ydata()[0])]


def bars(ax):
    """The ends of the intervals, from top to bottom."""
    found = [line for line in ax.lines if len(line.get_xdata()) == 2]
    return [line.get_xdata().tolist() for line in sorted(found, key=lambda line: line.get_ydata()[0])]


def rows(ax):
    return [tick.get_text() for tick in ax.get_yticklabels()]


# Running times

MIXED = {"outcome": (S, S, U, D), "epochs": (10, 20, 100, 30)}  # 160 epochs for two successes


@pytest.mark.parametrize(
    ("currency", "ert"), [("epochs", 80), ("updates", 160), ("seconds", 40), ("flops", 160 * 7), ("span_operations", 160 * 7)]
)
def test_bars_are_running_times_in_the_chosen_currency(currency, ert):
    made = cell("backprop", flops=7.0, **MIXED)
    figure = plots.ert_bars(made.replicas, made.cells, currency)
    (ax,) = figure.axes
    assert dots(ax) == [ert]
    ((low, high),) = bars(ax)
    assert low < ert < high
    assert ax.get_xscale() == "log"
    assert "2 / 4" in said(figure)
    assert "95 % interval" in said(figure)
    assert plots.CURRENCIES[currency] in said(figure)


def test_the_cheapest_is_on_top_and_never_at_the_bottom():
    made = frames(
        cell("never", outcome=(U,) * 5, epochs=(100,) * 5),
        cell("dear", outcome=(S, U), epochs=(50, 100)),
        cell("cheap", outcome=(S, S), epochs=(5, 5)),
    )
    figure = plots.ert_bars(made.replicas, made.cells)
    check_page(figure)
    (ax,) = figure.axes
    assert rows(ax) == ["cheap", "dear", "never"]
    assert dots(ax) == [5, 150]
    assert bars(ax)[0] == [5, 5]  # all replicas alike
    # p ≤ 1 − .025^(1/5) by Clopper & Pearson: a success costs at least (1 − p) / p failures of 100 epochs
    most = 1 - 0.025 ** (1 / 5)
    low, high = bars(ax)[2]
    assert low == pytest.approx(100 * (1 - most) / most)
    assert high == ax.get_xlim()[1]
    assert "never 0 / 5" in said(figure)


def test_what_was_not_counted_is_left_out_and_said():
    made = frames(cell("counted", flops=3.0, **MIXED), cell("not counted", **MIXED))
    figure = plots.ert_bars(made.replicas, made.cells, "flops")
    assert rows(figure.axes[0]) == ["counted"]
    assert "1 cells were not counted" in said(figure)
    with pytest.raises(InputError, match="no cell was counted in flops"):
        plots.ert_bars(*(made[i][made[i]["algorithm"] == "not counted"] for i in (0, 2)), "flops")
    with pytest.raises(InputError, match="currency 'joules'"):
        plots.ert_bars(made.replicas, made.cells, "joules")


@pytest.mark.parametrize("outcome", [(S,), (U,), (D,), (S, S), (U, U)])
def test_awkward_running_times_can_be_drawn(outcome):
    for spent in (0, 20):
        made = cell("backprop", outcome=outcome, epochs=(spent,) * len(outcome))
        check_page(plots.ert_bars(made.replicas, made.cells))


def test_twenty_five_running_times_with_long_names_stay_on_the_page():
    made = frames(*(cell(LONG.format(i / 10), task, **MIXED) for task in ("xor", "encoder", "parity") for i in range(25)))
    check_page(plots.ert_bars(made.replicas, made.cells))


# Performance profiles


def test_a_profile_is_the_share_of_tasks_within_a_factor():
    made = frames(
        cell("a", "xor", (S,), (10,)),
        cell("b", "xor", (S,), (40,)),
        cell("a", "encoder", (S,), (90,)),
        cell("b", "encoder", (S,), (30,)),
        cell("a", "parity", (U,), (100,)),
        cell("b", "parity", (S,), (50,)),
        cell("c", "parity", (S,), (100,)),  # run there only
    )
    figure = plots.profile_figure(made.cells)
    check_page(figure)
    lines = shown(figure.axes[0])
    steps = {name: dict(zip(*line.get_data(), strict=True)) for name, line in lines.items()}
    third = pytest.approx(1 / 3)
    assert (steps["a"][1.0], steps["a"][3.0]) == (third, pytest.approx(2 / 3))
    assert (steps["b"][1.0], steps["b"][4.0]) == (pytest.approx(2 / 3), pytest.approx(1.0))
    assert (steps["c"][1.0], steps["c"][2.0]) == (0.0, third)
    assert all(line.get_xdata()[-1] == figure.axes[0].get_xlim()[1] for line in lines.values())
    for words in ("n = 3 tasks", "a 2 of 3 tasks", "b 3 of 3 tasks", "c 1 of 3 tasks", "it has no interval"):
        assert words in said(figure)


def test_profiles_of_many_of_one_and_of_none():
    many = frames(*(cell(f"rule {i}", task, (S,), (i + 1,)) for task in ("xor", "encoder") for i in range(25)))
    figure = plots.profile_figure(many.cells)
    check_page(figure)
    assert [name for ax in figure.axes for name in shown(ax)] == [f"rule {i}" for i in range(25)]
    check_page(plots.profile_figure(cell("at once", outcome=(S,), epochs=(0,)).cells))
    with pytest.raises(InputError, match="no task was solved"):
        plots.profile_figure(cell("never", outcome=(U,), epochs=(100,)).cells)
    with pytest.raises(InputError, match="a has two cells on xor"):
        plots.profile_figure(pd.concat([cell("a").cells, cell("a").cells]))


# Pareto fronts

ERRORS = pd.DataFrame(
    {
        "algorithm": ["cheap", "good", "both", "beaten", "never", "unknown"],
        "bytes": [10.0, 1000.0, 100.0, 200.0, 100.0, np.nan],
        "error": [0.5, 0.1, 0.2, 0.3, np.inf, 0.1],
        "low": [0.4, 0.05, 0.1, 0.2, np.inf, 0.0],
        "high": [0.6, 0.2, 0.3, 0.4, np.inf, 0.2],
        "replicas": [5, 20, 20, 20, 20, 20],
    }
)
ENDS = {"low": "low", "high": "high", "interval": "95 % interval of the mean"}


def test_the_front_is_filled_and_its_line_a_step():
    figure = plots.pareto_figure(ERRORS, "bytes", "error", **ENDS)
    check_page(figure)
    ax = figure.axes[0]
    filled = next(line for line in ax.lines if line.get_markerfacecolor() == VERMILION and line.get_marker() == "o")
    np.testing.assert_array_equal(filled.get_xdata(), [10, 100, 1000])
    np.testing.assert_array_equal(filled.get_ydata(), [0.5, 0.2, 0.1])
    open_ones = next(line for line in ax.lines if line.get_color() == BLUE)
    assert open_ones.get_xdata().tolist() == [200]
    step = next(line for line in ax.lines if line.get_drawstyle() == "steps-post")
    np.testing.assert_array_equal(step.get_ydata()[1:], [0.5, 0.2, 0.1, 0.1])
    bars = sorted(tuple(segment[:, 1]) for segment in ax.collections[0].get_segments())
    assert bars == [(0.05, 0.2), (0.1, 0.3), (0.2, 0.4), (0.4, 0.6)]
    for words in ("1 cheap 2 both 3 good 4 beaten", "not drawn: never, unknown", "n = 5 to 20 replicas", ENDS["interval"]):
        assert words in said(figure)


def test_fronts_of_one_and_of_twenty_five():
    check_page(plots.pareto_figure(ERRORS[:1], "bytes", "error", **ENDS))
    rng = np.random.default_rng(0)
    error = rng.uniform(0, 1, 25)
    many = {
        "algorithm": [f"a rule with a long name, {i}" for i in range(25)],
        "bytes": 10 ** rng.uniform(2, 7, 25),
        "replicas": 3,
    }
    check_page(plots.pareto_figure(pd.DataFrame(many | {"error": error, "low": error, "high": error}), "bytes", "error", **ENDS))
    twins = pd.concat([ERRORS[:1]] * 3)
    assert "1, 2, 3" in said(plots.pareto_figure(twins, "bytes", "error", **ENDS))
    with pytest.raises(InputError, match="no row has both"):
        plots.pareto_figure(ERRORS[4:], "bytes", "error", **ENDS)


# Growth


def sheets(name):
    return [sheet(Cell.of({"name": name}, {"name": "encoder", "size": size}, {})) for size in (4, 8)]


def test_growth_draws_the_counts_and_names_the_exponent():
    some = sheets("backprop")
    figure = plots.growth_figure("encoder", {"backprop": some})
    check_page(figure)
    panels = {ax.get_title("left"): ax for ax in figure.axes}
    assert list(panels) == ["work", "forward passes", "span", "peak bytes"]
    x, y = panels["work"].lines[0].get_data()
    np.testing.assert_array_equal(x, [s.weights for s in some])
    np.testing.assert_array_equal(y, [s.update.work for s in some])
    slope = np.log(y[1] / y[0]) / np.log(x[1] / x[0])
    assert f"backprop ∝ W^{slope:.2f}" in said(figure)
    for words in ("n = 2 networks", "it has no interval"):
        assert words in said(figure)


def test_growth_of_one_network_of_none_of_something_and_of_many():
    some = sheets("backprop")
    assert "∝" not in said(plots.growth_figure("encoder", {"backprop": some[:1]}))
    check_page(plots.growth_figure("encoder", {"backprop": [replace(s, peak_bytes=0) for s in some]}))
    figure = plots.growth_figure("encoder", {f"rule {i}": some for i in range(25)})
    check_page(figure)
    work = [ax for ax in figure.axes if ax.get_title("left").startswith("work")]
    assert [name for ax in work for name in shown(ax)] == [f"rule {i}" for i in range(25)]
