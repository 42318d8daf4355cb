"""Findings held to frames whose answer is known: what is so by its interval is said, what is not is called
undecided."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy.stats import binomtest

from harness.answers import ablations, comparison
from harness.answers.pairs import beside, work_beside
from harness.answers.provenance import about, said
from harness.answers.words import amount, brief, bullets, decided, ratio, several, table
from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.plots import setting_figure
from harness.statistics import Interval
from harness.store.store import Store
from harness.studies.attempt import attempt
from helpers.made_up import D, S, U, cell, frames

INF, NAN = np.inf, np.nan


def run(algorithm, task="xor", label="", outcome=(S,), epochs=(10,), **settings):
    """A cell as the studies have it, its work counted: 100 FLOPs an update unless said."""
    known = {
        "task_name": task.partition(" ")[0],
        "algorithm_name": algorithm,
        "status": "finished",
        "diverged": outcome.count(D),
    }
    known |= {"update_forward_passes": 2.0, "run.epochs": settings.pop("budget", 100)} | settings
    return cell(label or algorithm, task, outcome, epochs, flops=known.pop("flops", 100.0), **known)


# Words


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (1234.5, "1,234"),
        (99.96, "100"),
        (0.01234, "0.0123"),
        (4.12e9, "4.1e+09"),
        (INF, "∞"),
        (NAN, "–"),
        (3e-6, "3e-06"),
    ],
)
def test_a_number_has_three_digits_and_no_more(x, text):
    assert brief(x) == text


def test_intervals_of_ratios_reach_infinity():
    assert ratio(Interval(np.log(2), np.log(0.5), INF)) == "2 [0.5–∞]"
    assert ratio(Interval(-INF, -INF, -1.0)) == "0 [0–0.368]"
    assert amount(Interval(INF, 672.4, INF)) == "∞ [672–∞]"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.1, INF, "more"), (-INF, -0.1, "less"), (-0.1, 0.1, "undecided"), (0, 1, "undecided")],
)
def test_decided_is_what_the_whole_interval_says(low, high, word):
    assert decided(Interval(0.0, low, high)) == word


def test_lists_and_tables_are_markdown():
    assert [several(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "none",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert bullets(["one", "two"]) == "- one\n- two"
    frame = pd.DataFrame({"x|y": ["a|b"], "n": [3]})
    assert table(frame).splitlines() == ["| x\\|y | n |", "| --- | ---: |", "| a\\|b | 3 |"]


# Provenance


def cells_of_two_runs():
    made = pd.to_datetime(["2026-01-02T23:00:00Z", "2026-03-04T05:00:00Z", None], utc=True)
    versions = {
        "versions.harness": "0.1.0",
        "versions.python": ["3.11.7", "3.12.1", None],
        "versions.numpy": "2.4.6",
    }
    versions |= {"versions.machine": "Linux x86_64"}
    return pd.DataFrame(
        {"status": ["finished", "finished", "not run"], "replicas": [20, 1000, NAN], "made": made} | versions
    )


def test_what_was_run_is_said_with_its_newest_day_and_all_its_versions():
    text = said(cells_of_two_runs(), "Who?", "python -m harness -m study=who")
    assert text == (
        "**Who?**\n\n2 cells (1 more not run or not applicable) · 1,020 replicas, 20 to 1,000 a cell · "
        "newest record 2026-03-04 · harness 0.1.0, Python 3.11.7 and 3.12.1, NumPy 2.4.6 on Linux x86_64 · "
        "`python -m harness -m study=who`"
    )


def test_as_many_replicas_in_every_cell_are_said_once():
    alike = cells_of_two_runs().assign(replicas=20)
    assert " · 40 replicas, 20 a cell · " in said(alike, "Who?", "make it")


def test_nothing_finished_and_no_such_study_are_errors(store: Store):
    with pytest.raises(InputError, match="nothing is finished"):
        said(cells_of_two_runs().iloc[2:], "Who?", "make it")
    with pytest.raises(InputError, match="unknown study 'who'"):
        about("who", store)


def test_the_command_is_that_of_the_form_that_was_run(store: Store):
    one = Cell.of({"name": "backprop"}, {"name": "xor"}, {"replicas": 1, "epochs": 1})
    attempt(one, store)
    store.write_study("who", "Who?", [one.id], small=True)
    assert "`python -m harness -m study=who small=true`" in about("who", store)
    store.write_study("who", "Who?", [one.id])
    assert "`python -m harness -m study=who`" in about("who", store)
    assert "`python -m harness.who`" in about("who", store, "python -m harness.who")


# Pairs


def test_paired_replicas_are_those_of_one_number():
    """The same times in another order: replica by replica they differ, and the pairs are found by number. No
    failure was seen, of three: one may yet come, on either side."""
    one = run("a", outcome=(S,) * 4, epochs=(10, 20, 40, 80))
    other = run("b", outcome=(S,) * 3, epochs=(20, 40, 80))
    f = frames(one, other)
    pair = beside(f.replicas, "xor-a", "xor-b")
    assert pair.replicas == 3
    assert pair.log_ratio.value == pytest.approx(np.log(0.5))
    assert pair.log_ratio.low < np.log(0.5) < pair.log_ratio.high
    assert beside(f.replicas.sample(frac=1, random_state=0), "xor-a", "xor-b") == pair


def test_prices_turn_updates_into_work():
    """Each epoch is two updates: 3 × and 1 × of the same times."""
    f = frames(
        run("a", outcome=(S,) * 3, epochs=(10, 20, 30)), run("b", outcome=(S,) * 3, epochs=(10, 20, 30))
    )
    assert beside(f.replicas, "xor-a", "xor-b", (300.0, 100.0)).log_ratio.value == pytest.approx(np.log(3))
    most = 1 - 0.025 ** (1 / 3)  # of three that solve all, by Clopper & Pearson: at the price of an update
    dear = np.log((20 + 100 * most / (1 - most)) / 20)
    low, high = beside(f.replicas, "xor-a", "xor-b", (300.0, 100.0)).log_ratio[1:]
    assert (low, high) == pytest.approx((np.log(3) - dear, np.log(3) + dear))


def test_work_is_that_of_updates_whatever_an_epoch_has_of_them():
    """Of a, ten updates an epoch, of b two, at one price: the same epochs are five times the work."""
    f = frames(
        run("a", outcome=(S,) * 3, epochs=(10, 20, 30)), run("b", outcome=(S,) * 3, epochs=(10, 20, 30))
    )
    f.replicas.loc[f.replicas["id"] == "xor-a", "updates"] *= 5
    prices = (100.0, 100.0)
    assert beside(f.replicas, "xor-a", "xor-b", prices).log_ratio.value == pytest.approx(np.log(5))


# Comparison


FATES = {
    "backprop": ((S,) * 40, (20,) * 20 + (30,) * 20),
    "genetic": ((S,) * 40, (2,) * 20 + (3,) * 20),
    "perceptron": ((U,) * 40, (100,) * 40),
    "shallow": ((S,) * 4 + (U,) * 36, (20,) * 4 + (100,) * 36),
    "spsa": ((S,) * 20 + (U,) * 20, (20,) * 20 + (100,) * 20),
}
FLOPS = {"genetic": 5000.0, "spsa": 21.0}


@pytest.fixture
def compared():
    some = [run(name, outcome=o, epochs=e, flops=FLOPS.get(name, 100.0)) for name, (o, e) in FATES.items()]
    return frames(*some, run("backprop", "xor (hidden=32)", outcome=(U,) * 40, epochs=(100,) * 40))


def test_who_solves_more_than_half_is_said_where_wilsons_interval_says_so(compared):
    (sentence,) = comparison.solvers(compared.cells)
    high = 100 * binomtest(0, 40).proportion_ci(method="wilson").high
    assert sentence == (
        "**xor**, 5 algorithms. Of its replicas solve:\n  - more than half: backprop and genetic\n"
        "  - fewer: shallow\n  - not decided: spsa\n"
        f"  - not one, at most {high:.1f} % of 40: perceptron"
    )


def test_six_in_ten_of_forty_are_not_said_to_be_more_than_half():
    """Wilson's interval of 24 of 40 begins below a half."""
    assert binomtest(24, 40).proportion_ci(method="wilson").low < 0.5
    some = frames(run("spsa", outcome=(S,) * 24 + (U,) * 16, epochs=(20,) * 24 + (100,) * 16))
    (sentence,) = comparison.solvers(some.cells)
    assert sentence == "**xor**, 1 algorithms. Of its replicas solve:\n  - not decided: spsa"


def test_the_cheapest_differs_between_currencies(compared):
    """An epoch is two updates here: 25 of backprop are 5,000 FLOPs, 2.5 genetic ones 25,000, spsa's 120
    expected ones 5,040."""
    (sentence,) = comparison.cheapest_said(comparison.cheapest(compared.cells, compared.replicas))
    task, epochs, flops, span, seconds = sentence.split("\n  - ")
    assert task == "**xor**. A success is cheapest:"
    assert epochs.startswith("in epochs genetic, 2.5 [2.")
    assert "overlapping" not in epochs
    for dear in (flops, span):
        assert "backprop, 5,000 [4," in dear
        assert dear.endswith("(overlapping: spsa)")
    assert seconds.startswith("in seconds genetic, 1.25 [1.")


def test_beside_backprop_every_decision_is_that_of_its_interval(compared):
    pairs = comparison.beside_backprop(compared.cells, compared.replicas)
    found = pairs.set_index("algorithm")
    assert list(found.index) == ["genetic", "perceptron", "shallow", "spsa"]
    assert (found["pairs"] == 40).all()
    assert np.exp(found["log_ratio"]["genetic"].value) == pytest.approx(2.5 * 5000 / (25 * 100))
    assert found["decided"].to_dict() == {
        "genetic": "more",
        "perceptron": "more",
        "shallow": "more",
        "spsa": "less",
    }
    # given up after 20 epochs, every other try of spsa is a success: 40 epochs of 2 × 21 beside 25 of 2 × 100
    assert np.exp(found["log_ratio"]["spsa"].value) == pytest.approx(40 * 21 / (25 * 100))
    assert found["log_ratio"]["perceptron"].value == INF
    (sentence,) = comparison.verdict(pairs)
    assert sentence == (
        "**xor**, work ÷ backprop's:\n  - less: spsa\n  - not decided: none\n"
        "  - more: genetic, perceptron and shallow"
    )
    (row,) = comparison.beside_texts(pairs[pairs["algorithm"] == "genetic"]).to_dict("records")
    assert row["work ÷ backprop's"] == "genetic"
    assert row["xor"].startswith("**5 [")
    assert row["xor"].endswith("], n = 40**"), "what is decided is in bold"
    (row,) = comparison.beside_texts(pairs[pairs["algorithm"] == "spsa"]).to_dict("records")
    assert row["xor"].startswith("**0.336 [")


def test_of_several_beside_backprop_each_interval_is_that_of_its_share_of_the_error():
    """Three others: level 1 − .05 / 3 each (Bonferroni), so that one of them misses in 5 of 100 cases at
    most."""
    rng = np.random.default_rng(0)
    names = ("backprop", "genetic", "shallow", "spsa")
    some = frames(*(run(name, outcome=(S,) * 30, epochs=rng.integers(10, 60, 30)) for name in names))
    found = comparison.beside_backprop(some.cells, some.replicas).set_index("algorithm")["log_ratio"]
    for name in names[1:]:
        sides = some.replicas, f"xor-{name}", "xor-backprop", (100.0, 100.0)
        strict, each = (
            Interval(*np.log(work_beside(*sides, level=level, resamples=comparison.RESTARTED).ratio))
            for level in (1 - 0.05 / 3, 0.95)
        )
        assert found[name] == strict
        assert strict.low < each.low < each.high < strict.high


def test_beside_backprop_is_beside_backprop_itself():
    """Not what is only called like it, though it comes first."""
    same = {"outcome": (S,) * 4, "epochs": (10, 20, 30, 40)}
    some = frames(run("checkpointed_backprop", flops=200.0, **same), run("backprop", flops=100.0, **same))
    found = comparison.beside_backprop(some.cells, some.replicas).set_index("algorithm")["log_ratio"]
    assert list(found.index) == ["checkpointed_backprop"]
    assert found["checkpointed_backprop"].value == pytest.approx(np.log(2))


def test_without_backprop_nothing_is_beside_it(compared):
    rest = compared.cells[compared.cells["algorithm_name"] != "backprop"]
    assert not len(comparison.beside_backprop(rest, compared.replicas))


def test_the_four_strategies_are_measured_and_what_was_not_run_is_no_row(compared):
    found = comparison.four_strategies(compared.cells, compared.replicas)
    assert list(found["strategy"]) == ["perceptron rule", "random search: genetic", "backpropagation"]
    ratios = dict(zip(found["strategy"], found["work to a success ÷ backprop's [95 %]"], strict=True))
    assert ratios["backpropagation"] == "1"
    assert ratios["random search: genetic"].startswith("5 [")
    assert ratios["perceptron rule"].startswith("∞ [")
    assert set(found["an update, in forward passes"]) == {"2"}


def test_an_order_by_update_need_not_be_that_by_success():
    some = {"perceptron": (1.0, (U,), (100,)), "backprop": (3.0, (S,), (50,)), "genetic": (400.0, (S,), (1,))}
    f = frames(
        *(
            run(n, outcome=o, epochs=e, update_forward_passes=p, flops=100 * p)
            for n, (p, o, e) in some.items()
        )
    )
    assert comparison.orders(f.cells) == [
        "**xor**, from little work to much. An update, by pattern: perceptron, backprop and genetic. A "
        "success: "
        "backprop and genetic (the same order among these); never perceptron."
    ]
    dear = f.cells.assign(ert_flops=[INF, 2.0, 1.0])
    assert "genetic and backprop (another order among these)" in comparison.orders(dear)[0]


# Ablations


def ablated(label, outcome=(S,) * 20, epochs=(20, 30) * 10, budget=100, **changed):
    settings = ablations.XOR | {name.replace("__", "."): value for name, value in changed.items()}
    settings.pop("task_name")
    return run("backprop", label=label, outcome=outcome, epochs=epochs, budget=budget, **settings)


MOMENTUM, HIDDEN, LR, SCALE = (
    "algorithm__optimiser__momentum",
    "task__hidden",
    "algorithm__optimiser__lr",
    "task__scale",
)


@pytest.fixture
def recipe():
    return frames(
        ablated("usual"),
        ablated("usual, short", outcome=(U,) * 20, epochs=(10,) * 20, budget=10),
        ablated("no momentum", epochs=(80, 90) * 10, **{MOMENTUM: 0.0}),
        ablated("wide", epochs=(2, 4) * 10, **{HIDDEN: 8}),
        ablated("zero", outcome=(U,) * 20, epochs=(10,) * 20, budget=10, task__init="zero", task__scale=None),
        ablated("small steps", epochs=(20, 30) * 5 + (30, 20) * 5, **{LR: 0.125}),
        ablated("another rate", epochs=(5,) * 20, **{LR: 2.0}),
        ablated("two things", epochs=(5,) * 20, **{LR: 2.0, HIDDEN: 8}),
    )


def test_one_thing_changed_is_compared_within_the_same_budget(recipe):
    found = ablations.worth(recipe.cells, recipe.replicas)
    assert [(row.what.what, row.value) for row in found.itertuples()] == [
        ("momentum α", 0.0), ("hidden units H", 8), ("initial weights", "zero"), ("rate η", 0.125),
    ]  # fmt: skip
    assert list(found["decided"]) == ["more", "less", "undecided", "undecided"]
    values = np.exp([interval.value for interval in found["log_ratio"]])
    assert values[[0, 1, 3]] == pytest.approx([85 / 25, 3 / 25, 1])
    assert np.isnan(values[2]), "within 10 epochs neither zero weights nor the recipe solve it"


def test_the_verdict_names_what_is_dearer_cheaper_open_and_never(recipe):
    dearer, cheaper, undecided, never = ablations.verdict(ablations.worth(recipe.cells, recipe.replicas))
    assert dearer.startswith("**Dearer** than the recipe, in epochs to a success:\n  - momentum α = 0 ×3.4 [")
    assert cheaper.startswith("**Cheaper** than the recipe:\n  - hidden units H = 8 ×0.12 [")
    assert "initial weights = zero ×– [0–∞]" in undecided
    assert "rate η = 0.125 (means for sums over four patterns) ×1 [" in undecided
    assert never == "**Not one replica solves it**: initial weights = zero, n = 20, at most 16.1 %."


def test_the_table_says_what_was_changed_for_what(recipe):
    shown = ablations.texts(ablations.worth(recipe.cells, recipe.replicas))
    assert shown["changed"][0] == "momentum α = 0 for 0.9"
    assert shown["solved [95 %]"][0].startswith("100.0 % [83.9–100.0] of 20")
    assert shown["÷ the recipe's [95 %]"][0].startswith("3.4 [")


def test_chauvins_line_is_within_the_interval_or_it_is_not():
    """At H = 2 the line says 247: times of 237 and 257 have it inside, times of 100 at H = 32, where it says
    115, do not."""
    f = frames(
        ablated("two", epochs=(237, 257) * 10, budget=1000, **{HIDDEN: 2}),
        ablated("many", outcome=(S,) * 19 + (U,), epochs=(100,) * 19 + (1000,), budget=1000, **{HIDDEN: 32}),
    )
    points = ablations.units(f.cells, f.replicas)
    assert list(points["line"]) == [247, 115]
    (sentence,) = ablations.chauvin(points)
    assert "at 2 of 2" in sentence or "at 1 of 2 numbers of hidden units (H = 2)" in sentence
    assert "at H = 32 the line says 115, ERT is 153 [100–" in sentence
    assert "(mean over the solved only: 100)" in sentence


def test_the_map_takes_the_budget_of_most_of_its_points():
    grid = [
        ablated(f"{lr} {s}", epochs=(int(10 / lr),) * 20, **{LR: lr, SCALE: s})
        for lr in (0.5, 1.0)
        for s in (0.5, 2.0)
    ]
    long = ablated("long", budget=1000)
    bad = ablated("bad", outcome=(D,) * 5 + (S,) * 15, epochs=(16,) * 20, **{LR: 4.0, SCALE: 2.0})
    f = frames(*grid, long, bad)
    some = ablations.map_cells(f.cells)
    assert len(some) == 5
    assert set(some["run.epochs"]) == {100}
    extremes, by_rate, by_scale, diverged = ablations.on_the_map(some)
    assert "Of 5 points fewest replicas fail at η = 0.5, scale 0.5 (0.0 % [0.0–16.1] of 20)" in extremes
    assert "most at η = 4, scale 2 (25.0 % [11.2–46.9] of 20)" in extremes
    assert by_rate == "Failed by rate η, over all points of it: 0.0 % at 0.5, 0.0 % at 1 and 25.0 % at 4."
    assert by_scale == "Failed by scale, over all points of it: 0.0 % at 0.5 and 8.3 % at 2."
    assert diverged == "5 of 100 replicas diverged, at η = 4, scale 2."


# The figure over one setting


def test_the_figure_over_a_setting_draws_rates_costs_and_what_is_never():
    f = frames(
        ablated("two", epochs=(237, 257) * 10, budget=1000),
        ablated("many", outcome=(U,) * 20, epochs=(1000,) * 20, budget=1000, **{HIDDEN: 32}),
    )
    figure = setting_figure(ablations.units(f.cells, f.replicas), "hidden units H", "Chauvin")
    rates, costs = figure.axes
    assert list(rates.lines[0].get_ydata()) == [100, 0]
    series, never, line = costs.lines
    assert series.get_ydata()[0] == pytest.approx(247)
    assert np.isnan(series.get_ydata()[1])
    assert list(never.get_xdata()) == [1]
    assert list(line.get_ydata()) == [247, 115]
    words = " ".join(" ".join(text.get_text() for text in figure.findobj(Text)).split())
    assert "n = 20 replicas" in words


def test_a_figure_of_nothing_says_so(recipe):
    with pytest.raises(InputError, match="no finished cell"):
        setting_figure(ablations.units(recipe.cells.iloc[:0], recipe.replicas), "H", "line")
    with pytest.raises(InputError, match="no column 'series'"):
        setting_figure(recipe.cells, "H")
