"""Figures of what learning costs, held to numbers known by hand: running times, profiles, fronts, growth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness import plots
from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.cost.sheet import sheet
from helpers.made_up import D, S, U, cell, frames
from helpers.pages import check_page, said, shown

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
    ("currency", "ert"),
    [("epochs", 80), ("updates", 160), ("seconds", 40), ("flops", 160 * 7), ("span_operations", 160 * 7)],
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
    unseen = 1 - 0.025 ** (1 / 2)  # of two that both solve it so many may fail, at 100 epochs each
    assert bars(ax)[0] == pytest.approx([5, 5 + 100 * unseen / (1 - unseen)])
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
    made = frames(
        *(
            cell(LONG.format(i / 10), task, **MIXED)
            for task in ("xor", "encoder", "parity")
            for i in range(25)
        )
    )
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
    for words in ("n = 3 tasks", "a 2/3", "b 3/3", "c 1/3", "it has no interval"):
        assert words in said(figure)


def test_profiles_of_many_of_one_and_of_none():
    many = frames(
        *(cell(f"rule {i}", task, (S,), (i + 1,)) for task in ("xor", "encoder") for i in range(25))
    )
    figure = plots.profile_figure(many.cells)
    check_page(figure)
    (ax,) = figure.axes
    assert set(shown(ax)) == {f"rule {i}" for i in range(25)}
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


def drawn_points(ax):
    """The markers of the points, as (x, y): whether it is filled, and its form, colour and what stands within
    it."""
    found = {}
    for line in ax.lines:
        if len(line.get_xdata()) == 1:
            place = (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
            filled = line.get_markerfacecolor() == line.get_color() != "white"
            found.setdefault(place, []).append((line.get_marker(), line.get_color(), filled))
    return found


def step_of(ax):
    return next(line for line in ax.lines if line.get_drawstyle() == "steps-post")


def intervals(ax):
    return sorted(tuple(segment[:, 1]) for segment in ax.collections[0].get_segments())


def words_at(ax):
    return {t.get_text(): tuple(t.xy) for t in ax.texts if t.get_text()}


def test_the_front_is_filled_and_its_line_a_step():
    figure = plots.pareto_figure(ERRORS, "bytes", "error", **ENDS)
    check_page(figure)
    (ax,) = figure.axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    filled = {place: [form[2] for form in forms] for place, forms in drawn_points(ax).items()}
    assert filled == {(10, 0.5): [True], (100, 0.2): [True], (1000, 0.1): [True], (200, 0.3): [False]}
    step = step_of(ax)
    np.testing.assert_array_equal(step.get_xdata(), [10, 10, 100, 1000, ax.get_xlim()[1]])
    np.testing.assert_array_equal(step.get_ydata(), [ax.get_ylim()[1], 0.5, 0.2, 0.1, 0.1])
    entries = figure.legends[0].get_texts()
    bold = {text.get_text().split()[0]: text.get_fontweight() == "bold" for text in entries}
    assert list(bold.items()) == [("cheap", True), ("both", True), ("good", True), ("beaten", False)]
    for words in (
        "cheap n = 5",
        "beaten n = 20",
        "not drawn: never, unknown",
        "n = 5 to 20 replicas",
        ENDS["interval"],
    ):
        assert words in said(figure)


def test_intervals_are_drawn_within_the_axes_whose_range_is_that_of_the_points():
    wide = ERRORS.assign(low=[0.4, 0.09, -3.0, 0.2, np.inf, 0.0], high=[0.6, 0.2, 0.3, 50.0, np.inf, 0.2])
    figure = plots.pareto_figure(wide, "bytes", "error", **ENDS)
    check_page(figure)
    (ax,) = figure.axes
    bottom, top = ax.get_ylim()
    assert 0.1 / 1.5 < bottom < 0.1, "the least error, with little room"
    assert 0.5 < top < 0.5 * 1.5
    assert intervals(ax) == sorted([(0.09, 0.2), (bottom, 0.3), (0.2, top), (0.4, 0.6)])
    assert "meets an edge of the axes goes on" in said(figure)
    inside = ERRORS.assign(low=ERRORS["error"] * 0.99, high=ERRORS["error"] * 1.01)
    assert "meets an edge" not in said(plots.pareto_figure(inside, "bytes", "error", **ENDS))


def test_errors_of_nothing_lie_on_the_lower_edge():
    perfect = ERRORS.assign(error=[0.5, 0.0, 0.2, 0.3, np.inf, 0.1], low=0.0)
    figure = plots.pareto_figure(perfect, "bytes", "error", **ENDS)
    check_page(figure)
    (ax,) = figure.axes
    bottom = ax.get_ylim()[0]
    assert 0 < bottom < 0.2
    assert (1000, bottom) in drawn_points(ax)
    assert step_of(ax).get_ydata()[-1] == bottom
    assert "0 or less lies on the lower edge" in said(figure)
    check_page(plots.pareto_figure(ERRORS[:4].assign(error=0.0, low=0.0, high=0.0), "bytes", "error", **ENDS))


def test_details_are_written_at_the_front_only_and_name_what_is_left_out():
    sized = ERRORS.assign(network=["", "64×3", "8×1", "16×1", "32×1", "128×1"])
    figure = plots.pareto_figure(sized, "bytes", "error", detail="network", **ENDS)
    check_page(figure)
    assert words_at(figure.axes[0]) == {"8×1": (100, 0.2), "64×3": (1000, 0.1)}
    assert "not drawn: never 32×1, unknown 128×1" in said(figure)


def test_details_of_a_crowded_front_stay_apart():
    """Twelve points of a front within a few of their own widths, under long words."""
    close = pd.DataFrame(
        {"bytes": 1000 * 1.02 ** np.arange(12), "error": 0.5 * 0.97 ** np.arange(12), "replicas": 8}
    )
    close = close.assign(algorithm="backprop", low=close["error"] * 0.99, high=close["error"] * 1.01)
    close["network"] = [f"{i}×{i}" for i in range(100, 112)]
    far = close[:1].assign(bytes=1e5, error=0.05, low=0.04, high=0.06)
    figure = plots.pareto_figure(pd.concat([close, far]), "bytes", "error", detail="network", **ENDS)
    check_page(figure)
    assert len(figure.axes[0].texts) >= 13


def test_a_name_has_one_look_and_one_entry_and_others_differ_in_black_and_white():
    names = [f"rule {i}" for i in range(25)]
    frame = pd.DataFrame(
        {
            "algorithm": names,
            "bytes": 10.0 + np.arange(25),
            "error": 0.1 + 0.01 * np.arange(25),
            "replicas": 3,
        }
    )
    frame = frame.assign(low=frame["error"], high=frame["error"])
    again = frame.assign(bytes=frame["bytes"] + 100, replicas=7)
    figure = plots.pareto_figure(pd.concat([frame, again]), "bytes", "error", **ENDS)
    check_page(figure)
    looks = drawn_points(figure.axes[0])
    forms = {}
    for name, cost, error in frame[["algorithm", "bytes", "error"]].itertuples(index=False):
        first, second = looks[(cost, error)], looks[(cost + 100, error)]
        assert [(form, first[0][1]) for form, *_ in first] == [(form, second[0][1]) for form, *_ in second]
        forms[name] = tuple(form for form, *_ in first)
    assert len(set(forms.values())) == 25, "by form alone, without colour"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        f"{name}   n = 3 to 7" for name in names
    ]
    some = plots.pareto_figure(frame[3:5], "bytes", "error", among=names, **ENDS)
    assert drawn_points(some.axes[0])[(13.0, 0.13)][0][0] == forms["rule 3"][0], "as in the other figure"
    with pytest.raises(InputError, match="26 names in 'algorithm': no more than 25"):
        plots.pareto_figure(frame, "bytes", "error", among=["another"], **ENDS)


def test_fronts_of_one_and_of_twenty_five():
    check_page(plots.pareto_figure(ERRORS[:1], "bytes", "error", **ENDS))
    rng = np.random.default_rng(0)
    error = rng.uniform(0, 1, 25)
    many = {
        "algorithm": [f"a rule with a long name, {i}" for i in range(25)],
        "bytes": 10 ** rng.uniform(2, 7, 25),
        "replicas": 3,
    }
    check_page(
        plots.pareto_figure(
            pd.DataFrame(many | {"error": error, "low": error, "high": error}), "bytes", "error", **ENDS
        )
    )
    twins = pd.concat([ERRORS[:1]] * 3).assign(algorithm=["one", "two", "three"], network="8×1")
    figure = plots.pareto_figure(twins, "bytes", "error", detail="network", **ENDS)
    check_page(figure)
    assert "one n = 5 two n = 5 three n = 5" in said(figure)
    assert all(text.get_fontweight() == "bold" for text in figure.legends[0].get_texts())
    assert len(drawn_points(figure.axes[0])[(10, 0.5)]) == 3
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
