"""Titles of figures held to made-up frames whose answer is known: each says what came of it, and no more than
that where all fail, where backprop is not there, where there is one rule, one replica or one task, and where
two are alike."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import plots
from harness.drawing.page import WIDE, headline
from harness.plots.titles import cheapest
from helpers.made_up import D, S, U, cell, frames
from helpers.pages import title

NEVER = np.inf


def solved(rule, n, of=4, task="xor", epochs=10, **settings):
    """A cell of which so many replicas solve the task in so many epochs, and the others never."""
    return cell(rule, task, (S,) * n + (U,) * (of - n), (epochs,) * n + (100,) * (of - n), **settings)


def survival(*cells):
    return title(plots.survival_figure(frames(*cells).replicas))


def ert(*cells, currency="epochs"):
    made = frames(*cells)
    return title(plots.ert_bars(made.replicas, made.cells, currency))


# Who solves it


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([solved("spsa", 3)], "spsa solves xor in 3 of 4 replicas"),
        ([solved("spsa", 1, of=1)], "spsa solves xor in 1 of 1 replica"),
        ([solved("spsa", 0)], "spsa solves xor in 0 of 4 replicas"),
        ([solved("backprop", 0), solved("spsa", 0)], "xor: none of 2 rules solves it in any replica"),
        (
            [solved("backprop", 3), solved("spsa", 1)],
            "xor: no rule solves it in every replica; most often backprop, in 75.0 %",
        ),
        (
            [solved("backprop", 4, epochs=20), solved("spsa", 4, epochs=10), solved("genetic", 2)],
            "xor: 2 of 3 rules solve it in every replica; cheapest spsa, ×0.5 of backprop's",
        ),
        (
            [solved("genetic", 4, epochs=20), solved("spsa", 2)],
            "xor: 1 of 2 rules solves it in every replica; cheapest genetic, 20 epochs",
        ),
        (
            [solved("backprop", 4, epochs=20), solved("spsa", 4, epochs=20)],
            "xor: 2 of 2 rules solve it in every replica; cheapest backprop and spsa, 20 epochs",
        ),
        (
            [solved("backprop", 0), solved("spsa", 4)],
            "xor: 1 of 2 rules solves it in every replica; cheapest spsa, 10 epochs",
        ),
        (
            [solved("backprop (lr=1)", 4), solved("backprop (lr=2)", 1)],
            "xor: 1 of 2 settings solves it in every replica; cheapest backprop (lr=1), 10 epochs",
        ),
        (
            [solved("backprop", 4), solved("spsa", 1), solved("backprop", 0, task="encoder")],
            "Solved in every replica: xor by 1 of 2 rules and encoder by none of 1",
        ),
        (
            [solved("backprop", n, task=task) for task, n in (("a", 4), ("b", 0), ("c", 1), ("d", 0))],
            "Of 4 pairs of a rule and a task 1 is solved in every replica, 2 in none",
        ),
    ],
)
def test_how_many_rules_solve_a_task(cells, said):
    assert survival(*cells) == said


def test_seeds_of_one_cell_are_one_rule_whose_replicas_all_count():
    first, other = solved("spsa", 4), solved("spsa", 2)
    other = type(other)(*(frame.assign(id="another seed") for frame in other))
    assert survival(first, other) == "spsa solves xor in 6 of 8 replicas"


def test_a_crowd_is_told_in_settings():
    some = [solved(f"backprop (lr={i})", 4 if i else 0, epochs=9 + i) for i in range(40)]
    assert (
        survival(*some)
        == "xor: 39 of 40 settings solve it in every replica; cheapest backprop (lr=1), 10 epochs"
    )
    assert ert(*some) == "xor: in epochs a success costs the least by backprop (lr=1) (10 epochs)"


# What it costs


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"xor": {"spsa": 1234.0}}, "spsa solves xor for 1,234 FLOPs a success"),
        ({"xor": {"spsa": NEVER}}, "No replica of spsa solves xor"),
        (
            {"xor": {"spsa": 10.0}, "encoder": {"spsa": NEVER}},
            "spsa solves xor for 10 FLOPs a success, but not encoder",
        ),
        (
            {t: {"spsa": float(i + 1)} for i, t in enumerate("abcd")},
            "spsa solves 4 tasks, for 1 to 4 FLOPs a success",
        ),
        ({"xor": {"a": NEVER, "backprop": NEVER}}, "No rule solves xor"),
        ({t: {"a": NEVER, "b": NEVER} for t in ("xor", "encoder")}, "No rule solves xor or encoder"),
        (
            {"xor": {"a": 81.0, "backprop": 100.0}},
            "xor: in FLOPs a success costs the least by a (×0.81 of backprop's)",
        ),
        ({"xor": {"a": 81.0, "backprop": NEVER}}, "xor: in FLOPs a success costs the least by a (81 FLOPs)"),
        ({"xor": {"a": 81.0, "b": 90.0}}, "xor: in FLOPs a success costs the least by a (81 FLOPs)"),
        (
            {"xor": {"a": 81.0, "backprop": 0.0}},
            "xor: in FLOPs a success costs the least by backprop (0 FLOPs)",
        ),
        (
            {
                "xor": {"backprop": 50.0, "a": 60.0},
                "encoder": {"backprop": 40.0, "a": 10.0},
                "t": {"a": NEVER},
            },
            "In FLOPs a success costs the least by backprop on xor (50 FLOPs) and by a on encoder "
            "(×0.25 of backprop's); no rule solves t",
        ),
        (
            {t: {"a": 1.0, "b": 2.0, "backprop": 3.0} for t in "stuv"} | {"w": {"backprop": 1.0, "a": 2.0}},
            "In FLOPs a success costs the least by a on 4 of 5 tasks, by backprop on 1",
        ),
        (
            {t: {"a": 1.0, "b": 1.0, "backprop": 3.0} for t in "stuv"} | {"w": {"a": NEVER}},
            "In FLOPs a success costs the least by a and b on 4 of 5 tasks each, by backprop on none; "
            "no rule solves w",
        ),
        (
            {t: {"a": 1.0, "b": 2.0} for t in "stuv"},
            "In FLOPs a success costs the least by a on 4 of 4 tasks",
        ),
        (
            {"xor": dict.fromkeys("abcd", 1.0)},
            "xor: in FLOPs a success costs the least by 4 alike (1 FLOPs)",
        ),
    ],
)
def test_who_is_the_cheapest(costs, said):
    assert cheapest(costs, "FLOPs") == said


def test_a_ratio_that_is_known_better_is_told():
    costs = {"xor": {"a": 50.0, "backprop": 100.0}}
    assert cheapest(costs, "FLOPs", {"xor": {"a": 0.81}}).endswith("by a (×0.81 of backprop's)")
    for unknown in ({"xor": {"a": np.nan}}, {"xor": {}}, {}):
        assert cheapest(costs, "FLOPs", unknown).endswith("by a (×0.5 of backprop's)")


def test_bars_are_told_in_their_currency():
    cells = [solved("backprop", 4, epochs=20, flops=10.0), solved("spsa", 4, epochs=10, flops=40.0)]
    assert ert(*cells) == "xor: in epochs a success costs the least by spsa (×0.5 of backprop's)"
    assert ert(*cells, currency="flops") == "xor: in FLOPs a success costs the least by backprop (400 FLOPs)"


def test_the_front_is_told_as_the_table_tells_it():
    made = frames(solved("backprop", 4, epochs=20), solved("spsa", 4, epochs=10))
    cells = made.cells.assign(epoch_flops=100.0)
    start = "xor: in FLOPs a success costs the least by spsa "
    assert title(plots.front_figure(made.replicas, cells)) == start + "(×0.5 of backprop's)"
    told = cells.assign(work_over_backprop=[1.0, 0.47])
    assert title(plots.front_figure(made.replicas, told)) == start + "(×0.47 of backprop's)"


def test_the_loss_that_ends_lowest():
    def loss(*cells, quantity="loss"):
        made = frames(*cells)
        return title(plots.curve_figure(made.curves, made.replicas, quantity))

    low, high = solved("spsa", 4, loss=0.01), solved("backprop", 4, loss=0.5)
    assert loss(low, high) == "xor: the median loss ends lowest for spsa (0.01)"
    assert loss(cell("spsa", outcome=(D,))) == "No loss is finite at its end on xor"
    assert (
        loss(low, high, quantity="right")
        == "xor: the median share of right patterns ends highest for spsa and backprop (100.0 %)"
    )


def test_a_profile_says_who_is_cheapest_most_often_and_who_solves_most():
    made = frames(
        solved("backprop", 4, task="xor", epochs=20),
        solved("spsa", 4, task="xor", epochs=10),
        solved("spsa", 0, task="encoder"),
        solved("backprop", 4, task="encoder"),
        solved("spsa", 4, task="parity"),
        solved("backprop", 4, task="parity", epochs=30),
    )
    assert title(plots.profile_figure(made.cells)) == (
        "In epochs spsa is the cheapest on 2 of 3 tasks, backprop on 1; backprop solves the most, 3"
    )
    assert title(plots.profile_figure(solved("spsa", 4).cells)) == (
        "In epochs spsa is the cheapest on 1 of 1 task; spsa solves the most, 1"
    )


# Settings


def sweep(*costs):
    parts = []
    for i, each in enumerate(costs):
        for lr, x in each.items():
            made = solved(f"rule{i} (lr={lr})", 4 * np.isfinite(x), epochs=int(x) if np.isfinite(x) else 0)
            parts.append(made._replace(cells=made.cells.assign(**{"algorithm.lr": lr})))
    made = frames(*parts)
    return title(plots.sweep_figure(made.replicas, made.cells))


def test_the_setting_that_is_cheapest_and_what_it_is_worth():
    one, other, never = (
        {0.1: 30, 0.2: 10, 0.4: NEVER},
        {0.1: 10, 0.2: 40, 0.4: 20},
        dict.fromkeys((1, 2, 3), NEVER),
    )
    assert sweep(one) == "rule0 on xor is cheapest at lr=0.2, 10 epochs; 2 of 3 settings solve it"
    assert sweep(never) == "rule0 solves xor at none of 3 settings"
    assert sweep(one, never).endswith("; rule1 solves xor at none of 3 settings")
    assert sweep(one, other, other) == (
        "The dearest setting that solves a task costs 4 times the cheapest, in the median of 3 sweeps"
    )
    assert sweep(never, never, never) == "No setting solves a task in any of 3 sweeps"


def test_the_value_at_which_a_success_costs_the_least():
    numbers = {"n": 9, "rate": 0.5, "rate_low": 0.1, "rate_high": 0.9, "ert_low": 1.0, "ert_high": NEVER}

    def setting(**series):
        rows = [
            {"series": s, "x": x, "ert": e, **numbers} for s, own in series.items() for x, e in own.items()
        ]
        return title(plots.setting_figure(pd.DataFrame(rows), "H"))

    assert setting(xor={2: 90.0, 4: 30.0, 8: NEVER}) == "A success costs the least at H = 4 (30 epochs)"
    assert setting(xor={2: NEVER}) == "No replica succeeds at any H"
    assert (
        setting(xor={2: 9.0, 4: 30.0}, encoder={2: 90.0, 4: 30.0})
        == "A success costs the least at H = 2 (9 epochs) for xor and 4 (30 epochs) for encoder"
    )
    many = {name: {2: 9.0, 4: 30.0} for name in "abc"} | {"d": {2: 90.0, 4: 30.0}}
    assert setting(**many) == "A success costs the least at H = 2 in 3 of 4 series"


def test_how_many_places_of_a_map_fail():
    some = [(0.1, 0), (0.2, 4), (0.3, 4), (0.4, 1)]
    cells = [
        solved(f"backprop (lr={lr})", n).cells.assign(**{"algorithm.optimiser.lr": lr, "task.scale": 1.0})
        for lr, n in some
    ]
    for share in ("failed", "solved"):
        said = title(plots.failure_map(pd.concat(cells), share=share))
        assert said == "backprop on xor: of 4 settings all replicas succeed at 2, and all fail at 1"
    assert title(plots.failure_map(cells[0])) == (
        "backprop on xor: of 1 setting all replicas succeed at 0, and all fail at 1"
    )


def test_the_rate_of_which_most_is_the_same():
    def rates(**rules):
        rows = [
            {"rule": rule, "task": "xor", "rate": 10.0**i, "cost": x, "n": 9}
            for rule, costs in rules.items()
            for i, x in enumerate(costs)
        ]
        return title(plots.rate_figure(pd.DataFrame(rows)))

    assert rates(backprop=(10.0, 15.0, 50.0), spsa=(NEVER, 10.0, 30.0)) == (
        "In the median task backprop costs at most 2 times its least at 2 of 3 rates, spsa at 1"
    )
    assert (
        rates(spsa=(NEVER, 10.0)) == "In the median task spsa costs at most 2 times its least at 1 of 2 rates"
    )


@given(st.lists(st.text("abc_", min_size=1, max_size=30), min_size=1, max_size=30), st.floats(3.5, 12))
def test_a_title_takes_no_more_lines_than_it_must_and_loses_no_word(words, width):
    title, most = " ".join(words), int(width * WIDE)
    lines = headline(title, width).split("\n")
    assert " ".join(lines).split() == title.split()
    assert max(map(len, lines)) <= most
    assert len(lines) == len(textwrap.wrap(title, most))


def test_no_number_stands_alone_in_the_last_line_of_a_title():
    title = "Solved in every replica: xor by 2 of 25 rules and encoder by 12 of 25"
    assert min(map(len, headline(title, 66 / WIDE).split("\n"))) > len(title) / 3
