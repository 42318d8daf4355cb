"""Findings on time held to made-up cells whose reach, rungs, factors and powers are planted, and their
figures to what they were given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import plots
from harness.answers import add_ladder, blame_by_lag, growth_in_time, history, time
from harness.core.errors import InputError
from harness.credit.lags import factor as factor_of_medians
from harness.statistics import Interval
from helpers.made_up import S, U, cell, frames
from helpers.pages import check_page, said, shown, title

# How many steps back

LAGS = (1, 2, 4, 8)


def lagged(rule, units, solved, **settings):
    """Cells of 20 networks at each lag, of which so many solve it in 10 of 100 epochs."""
    made = []
    for lag, some in zip(LAGS, solved, strict=True):
        outcome, epochs = (S,) * some + (U,) * (20 - some), (10,) * some + (100,) * (20 - some)
        about = {"task.lag": lag, "task.units": units} | settings
        one = cell(
            f"{rule} ({settings})", f"delayed_xor (lag={lag}, units={units})", outcome, epochs, **about
        )
        made.append(one._replace(cells=one.cells.assign(algorithm_name=rule)))
    return made


def study():
    return frames(
        *lagged("backprop", "tanh", (20, 20, 20, 0)),
        *lagged("bptt", "tanh", (20, 3, 0, 0), **{"algorithm.window": 1.0}),
        *lagged("eprop", "tanh", (12, 20, 20, 20), **{"algorithm.feedback": "random"}),
        *lagged("backprop", "lstm", (20, 20, 20, 20)),
        cell("backprop", "xor", **{"task.lag": np.nan, "task.units": None}),
    )


def test_a_rule_reaches_as_far_as_more_than_half_learn_without_a_gap():
    made = study()
    points = time.points(made.cells, made.replicas)
    assert len(points) == 16, "not the cell of another task"
    base, control, random, gated = time.reaches(points)
    assert (base.rule, base.lag, base.beyond, base.tried) == ("backprop", 4, 8, 8)
    assert base.ert.value == 10.0
    assert (control.rule, control.lag, control.beyond) == ("bptt, window=1", 1, 2)
    assert (random.rule, random.lag) == ("eprop, random", 0), "12 of 20 is not more than half for sure"
    assert (gated.units, gated.lag, gated.beyond) == ("lstm", 8, 0)
    assert points["control"].tolist() == [False] * 4 + [True] * 4 + [False] * 8


def test_reaches_in_words_and_their_table():
    made = study()
    points = time.points(made.cells, made.replicas)
    tanh, lstm = time.said(time.reaches(points))
    assert "\n  - backprop: 4, by 100.0 % [83.9–100.0] of 20, 10 [" in tanh
    assert "epochs a success; fewer than half at 8" in tanh
    assert "\n  - bptt, window=1 (control): 1, by" in tanh
    assert tanh.endswith("\n  - not decided at the shortest lag: eprop, random (60.0 % [38.7–78.1] of 20)")
    assert lstm.endswith("epochs a success, the longest that was run")
    table = time.texts(points).set_index(["units", "rule"])
    assert table.loc[("tanh", "backprop"), "lag 8"].startswith("0 of 20, ∞ [")
    assert time.said([]) == ["Delayed exclusive or was not run."]


def test_fewer_than_half_at_the_shortest_lag_is_told_apart_from_what_is_not_decided():
    """Of 20, 5 are fewer than half and 12 are not decided, by Wilson's interval."""
    none = Interval(np.inf, 100.0, np.inf)
    some = [time.Reach("lstm", rule, 0, 8, n, 20, none, 0) for rule, n in (("eprop", 5), ("uoro", 12))]
    (lstm,) = time.said(some)
    assert "\n  - fewer than half at the shortest lag: eprop (25.0 % [11.2–46.9] of 20)" in lstm
    assert "\n  - not decided at the shortest lag: uoro (60.0 % [38.7–78.1] of 20)" in lstm


def test_the_figure_of_lags_draws_what_it_is_given_and_the_control_apart():
    made = study()
    points = time.points(made.cells, made.replicas)
    figure = plots.lag_figure(points)
    check_page(figure)
    assert title(figure) == (
        "A lag of 8 is learnt by more than half of the networks by 1 of 3 rules with tanh and 1 of 1 rule "
        "with lstm"
    )
    lines = shown(figure.axes[1])
    assert lines["bptt, window=1"].get_linestyle() == ":"
    assert lines["backprop"].get_linestyle() != ":"
    assert lines["backprop"].get_ydata() == pytest.approx([10, 10, 10, np.nan], nan_ok=True)
    with pytest.raises(InputError, match="no rule was run at any lag"):
        plots.lag_figure(points[:0])


# The ladder


def rung(rule, bound, solved):
    outcome, epochs = (S,) * solved + (U,) * (20 - solved), (10,) * solved + (100,) * (20 - solved)
    return cell(
        rule, f"add_task (bound={bound})", outcome, epochs, **{"task.bound": bound, "task.units": "tanh"}
    )


def test_a_rule_stands_on_the_lowest_floor_that_more_than_half_are_at():
    some = frames(
        *(rung("backprop", bound, 20) for bound in (0.5904, 0.4869)),
        *(rung("rflo", bound, n) for bound, n in ((0.5904, 20), (0.4869, 0))),
        *(rung("uoro", bound, 0) for bound in (0.5904, 0.4869)),
        *(rung("eprop", bound, n) for bound, n in ((0.5904, 20), (0.4869, 11))),
        *(rung("snap", bound, n) for bound, n in ((0.5904, 10), (0.4869, 0))),
        rung("snap", 0.3, 20),  # another bound is no rung
    )
    climbs = add_ladder.climbs(some.cells, some.replicas)
    floors = {c.rule: add_ladder.floor_of(c) for c in climbs}
    undecided = {"eprop": "not decided", "snap": "not decided"}
    assert floors == {"backprop": "both bits", "rflo": "one bit", "uoro": "nothing", **undecided}
    (tanh,) = add_ladder.said(climbs)
    assert "\n  - both bits: backprop (100.0 % [83.9–100.0] of 20)" in tanh
    assert "\n  - one bit: rflo (100.0 % [83.9–100.0] of 20)" in tanh
    assert tanh.endswith(  # by the rung that is not decided
        "\n  - not decided: eprop (both bits 55.0 % [34.2–74.2] of 20), "
        "snap (one bit 50.0 % [29.9–70.1] of 20)"
    )
    assert add_ladder.texts(climbs)["learnt by most"].tolist() == list(floors.values())
    assert add_ladder.said([]) == ["The add task was not run."]


def test_the_rungs_are_the_middles_of_entropies():
    """By hand, from the four cases ½, ¼, 1 and ¾ of the probability."""
    h = lambda p: -p * np.log(p) - (1 - p) * np.log(1 - p) if 0 < p < 1 else 0.0  # noqa: E731
    nothing, one = h(5 / 8), (h(3 / 8) + h(7 / 8)) / 2
    both = (h(1 / 2) + h(1 / 4) + h(1.0) + h(3 / 4)) / 4
    assert add_ladder.middles() == pytest.approx(((nothing + one) / 2, (one + both) / 2))


# Blame


@given(st.floats(0.1, 1.2), st.integers(0, 2**32 - 1))
def test_the_planted_factor_of_a_step_is_found_whatever_scatters_between_networks(rate, seed):
    scatter = np.exp(np.random.default_rng(seed).normal(size=(12, 1)))
    left = blame_by_lag.Left("tanh", scatter * rate ** np.arange(8))
    assert blame_by_lag.factor(left) == pytest.approx((rate, rate, rate))
    assert factor_of_medians(left.shares) == pytest.approx(rate)


def test_networks_without_blame_are_left_out_and_none_is_nothing_known():
    shares = np.vstack([0.5 ** np.arange(8)] * 11 + [np.full(8, np.nan)])
    assert blame_by_lag.factor(blame_by_lag.Left("relu", shares)).value == pytest.approx(0.5)
    assert blame_by_lag.Left("relu", shares).gone == 7, "2⁻⁷ is the first below .01"
    nothing = blame_by_lag.Left("relu", np.full((3, 4), np.nan))
    assert np.isnan(blame_by_lag.factor(nothing).value)
    assert nothing.gone is None


def test_of_logistic_units_a_step_leaves_less_than_of_a_state_space_layer():
    """¼ is their steepest slope; a state-space layer's weights begin at .9 or above."""
    some = blame_by_lag.before_training(("sigmoid", "state_space"), networks=30, steps=12)
    sigmoid, state = blame_by_lag.factors(some)
    assert sigmoid.high < 0.5
    assert 0.9 <= state.low <= state.high <= 0.999
    (sentence,) = blame_by_lag.said(some)
    assert "the median over 30 networks [95 % of all], over 12 steps:\n  - sigmoid: ×" in sentence
    figure = plots.blame_figure(blame_by_lag.points(some))
    check_page(figure)
    assert title(figure).startswith("A step back leaves of blame ×0.")
    assert list(shown(figure.axes[0])) == ["sigmoid", "state_space"]


# History


def forecast(units, window, error):
    """30 networks whose errors scatter by a hundredth around one."""
    about = {"task.units": units, "task.window": window}
    name = f"traffic_history (window={window}, units={units})"
    one = cell(f"backprop ({units})", name, (U,) * 30, (20,) * 30, **about)
    errors = error * np.linspace(0.99, 1.01, 30)
    return one._replace(replicas=one.replicas.assign(validation_rmse=errors))


def forecasts():
    """Plain units get better to 3 hours, and worse beyond; gated ones to 12."""
    plain = [forecast("tanh", w, e) for w, e in ((1, 0.3), (3, 0.2), (12, 0.25))]
    gated = [forecast("lstm", w, e) for w, e in ((1, 0.3), (3, 0.21), (12, 0.1))]
    return frames(*plain, *gated)


def test_needed_is_the_first_window_not_above_the_least_error():
    plain, gated = history.courses(forecasts().cells, forecasts().replicas)
    assert (plain.windows, plain.needed, plain.best) == ((1, 3, 12), 1, 1)
    assert (gated.needed, gated.best, gated.n) == (2, 2, 30)
    assert history.sides([plain, gated], "less") == {"lstm": [12]}
    assert history.sides([plain, gated], "more") == {"lstm": [3]}
    flat = frames(*(forecast("tanh", w, 0.3) for w in (1, 3)))
    assert history.courses(flat.cells, flat.replicas)[0].needed == 0


def test_history_in_words_its_table_and_its_figure():
    courses = history.courses(forecasts().cells, forecasts().replicas)
    needs, over = history.said(courses)
    assert "\n  - lstm: 12 hours, the longest that was run, an error of 0.1 [" in needs
    assert "\n  - tanh: 3 hours, an error of 0.2 [" in needs
    assert over.endswith("lstm: less error at 12 hours, more at 3 hours")
    assert history.texts(courses).columns.tolist() == ["units", "n", "1 hour", "3 hours", "12 hours"]
    assert history.over([courses[0], courses[1]._replace(middle=courses[0].middle)])[0].endswith(
        "lstm: not told apart at any window"
    )
    figure = plots.history_figure(history.points(courses))
    check_page(figure)
    assert title(figure) == "The least error of a forecast is 0.1, of lstm at 12 hours"
    assert shown(figure.axes[0])["tanh"].get_ydata() == pytest.approx([0.3, 0.2, 0.25])
    assert history.said([]) == ["No forecast of traffic was learnt."]


# Growth


def test_memory_of_a_trace_does_not_grow_with_steps_and_that_of_all_steps_does():
    small = growth_in_time.Range(sizes=(64, 96, 128), steps=8, units=128)
    trace = growth_in_time.sheets({"name": "eprop"}, lengths=(16, 32, 64), among=small)
    kept = growth_in_time.sheets({"name": "bptt"}, lengths=(64, 128, 256))
    found = {(g.rule, g.quantity, g.size): g for rule, of in (("eprop", trace), ("bptt", kept))
             for g in growth_in_time.grown(rule, of)}  # fmt: skip
    assert found["eprop", "memory", "T"].measured.value < 0.25
    assert found["eprop", "memory", "n"].measured.value > 1.5
    assert found["bptt", "memory", "T"].measured.value > 0.75
    for rule in ("eprop", "bptt"):
        assert growth_in_time.near(found[rule, "work", "T"])
        assert growth_in_time.near(found[rule, "work", "n"])
    table = growth_in_time.texts(list(found.values()))
    assert table["memory with T"][0].endswith(", theory 0")
    figure = plots.scaling_figure(growth_in_time.points({"eprop": trace}))
    check_page(figure)
    assert "∝ T^" in said(figure)
    assert len(figure.axes) == 4


def test_a_figure_of_growth_counts_the_powers_that_are_as_stated():
    row = {"size": "T", "low_power": 1.0, "high_power": 1.0}
    rows = [
        row | {"quantity": q, "series": "rtrl", "power": p, "stated": s, "x": t, "value": t**p}
        for q, p, s in (("work", 1.0, 1), ("memory", 1.0, 0))
        for t in (64, 128, 256)
    ]
    figure = plots.scaling_figure(pd.DataFrame(rows))
    assert title(figure) == "Memory and work grow as theory states, to within 0.25, in 1 of 2 powers"
    with pytest.raises(InputError, match="nothing was counted"):
        plots.scaling_figure(pd.DataFrame(rows)[:0])


def test_an_exponent_without_theory_has_none_beside_it():
    growth = growth_in_time.Growth("own", "work", "T", Interval(1.0, 1.0, 1.0), None, 1.0, 2.0)
    assert growth_in_time.texts([growth])["work with T"].tolist() == ["T^1.00 [1.00–1.00]"]
    assert not growth_in_time.near(growth)
