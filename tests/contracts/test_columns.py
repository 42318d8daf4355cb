"""What a table says of settings, and of how exactly a rate must be set: held to made-up cells whose answers
are known by hand."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from harness import results
from harness.cells.cell import Cell
from harness.pages.entries import entries
from harness.results import table
from harness.results.asked import learning_rate, optimiser, without_rate
from harness.results.columns import HEADER, row_texts
from harness.results.decades import with_decades
from harness.results.latex import to_latex
from harness.store.store import Store
from helpers.kept import STRICT, XOR, keep
from helpers.made_up import BUDGET, S, U

DECADES = HEADER.index("decades\nwithin 2×")
OPTIMISER, UNITS = HEADER.index("optimiser"), HEADER.index("units")
GRID = (0.01, 0.1, 1.0, 10.0)


def descent(momentum=None, lr=0.5, name="backprop"):
    return {"name": name, "optimiser": {"name": "gradient_descent", "lr": lr, "momentum": momentum}}


# Settings


@pytest.mark.parametrize(
    ("algorithm", "words"),
    [
        (descent(0.0), "gradient descent"),
        (descent(0.9), "momentum 0.9"),
        (descent(0.502), "momentum 0.502"),
        (descent(None), ""),
        ({"name": "backprop", "optimiser": {"name": "adam", "lr": 0.1}}, "Adam"),
        ({"name": "backprop", "optimiser": {"name": "sign_step", "lr": 0.1}}, "sign step"),
        ({"name": "perceptron", "lr": 1.0}, "own"),
        ({"name": "spsa", "a": 1.0}, "own"),
    ],
)
def test_what_takes_the_steps_in_words(algorithm, words):
    assert optimiser(algorithm) == words


def test_the_rate_of_a_rule_whatever_it_is_called_and_the_rest_without_it():
    for algorithm, rate, rest in (
        (descent(0.9, lr=2.0), 2.0, {"name": "gradient_descent", "momentum": 0.9}),
        ({"name": "spsa", "a": 3.0, "c": 1.0}, 3.0, None),
        ({"name": "perceptron", "lr": 0.25}, 0.25, None),
        ({"name": "genetic", "sigma": 0.25}, np.nan, None),
    ):
        np.testing.assert_equal(learning_rate(algorithm), rate)
        without = without_rate(algorithm)
        assert without["name"] == algorithm["name"]
        assert without.get("optimiser") == rest
        assert rate not in without.values()


@pytest.fixture
def study(store):
    adam = {"name": "backprop", "optimiser": {"name": "adam", "lr": 0.25}}
    ids = [
        keep(store, descent(0.9, 0.5)),
        keep(store, descent(0.0, 2.0), XOR | {"hidden": 5}),
        keep(store, adam, XOR | {"hidden": 5}),
        keep(store, {"name": "random_feature_perceptron", "lr": 3.0}),
        Cell.of({"name": "perceptron"}, STRICT, {}).id,
    ]
    store.write(Cell.of({"name": "perceptron"}, STRICT, {}), None)
    store.write_study("made_up", "?", ids)
    return store


def test_rate_optimiser_and_units_stand_in_every_form_of_the_table(study):
    rows = table.build(study, "made_up")
    by_hand = {
        "backprop": ("0.5", "momentum 0.9", "2"),
        "random_feature_perceptron (512 units)": ("3", "own", "512"),
        "backprop (gradient_descent, lr=2)": ("2", "gradient descent", "5"),
        "backprop (adam, lr=0.25)": ("0.25", "Adam", "5"),
        "perceptron (no hidden units)": ("1", "own", "0"),
    }
    assert {row.algorithm: tuple(row_texts(row)[1:4]) for row in rows} == by_hand
    assert [row.algorithm for row in rows] == list(by_hand)
    raw = [(float(rate), words, float(units)) for rate, words, units in by_hand.values()]
    for row, told in zip(rows, by_hand.values(), strict=True):
        shown = entries(row, None)
        assert tuple(shown[name].text for name in ("rate", "optimiser", "units")) == told
    read = list(csv.DictReader(io.StringIO(table.to_csv(rows))))
    names = ("learning_rate", "optimiser", "hidden_units")
    assert [tuple(line[name] for name in names) for line in read] == [tuple(map(str, each)) for each in raw]
    frame = results.cells("made_up", study)[list(names)]
    assert list(frame.itertuples(index=False, name=None)) == raw
    text = to_latex(table.by_task(rows), "made_up")
    assert r"rule & rate & optimiser & units & $n$ &" in text
    assert r"random\_feature\_perceptron (512 units) & 3 & own & 512 & 1 &" in text
    assert "& decades" not in text, "a rate that was not varied has none"


def test_no_two_columns_of_the_csv_have_one_name(study):
    """A reader by name would see one of them."""
    header = table.to_csv(table.build(study, "made_up")).splitlines()[0].split(",")
    assert len(set(header)) == len(header)
    assert {"learning_rate", "rate"} <= set(header), "the rule's, and the share that is solved"


# Decades


def course(store, name, times, task=XOR, momentum=0.9, grid=GRID, n=20):
    """Cells of a rule over its rate, all of whose replicas take as long; what does not solve is ∞."""
    return [
        keep(store, descent(momentum, rate, name), task, ((S if time < BUDGET else U),) * n, (time,) * n)
        for rate, time in zip(grid, times, strict=True)
    ]


def test_decades_stand_in_all_rows_of_a_rule_whose_rate_was_varied_and_in_no_others(store):
    """Costs 80, 20, 20, 80 over four decades' ends: one decade at the bottom, half of one on either side."""
    ids = course(store, "backprop", (80, 20, 20, 80))
    ids += course(store, "shallow", (BUDGET, 20, BUDGET, BUDGET))
    ids += course(store, "sign_symmetry", (BUDGET,) * 4)
    store.write_study("rates", "?", ids)
    rows = {row.id: row for row in table.build(store, "rates")}
    found = [rows[i].decades for i in ids]
    assert found[:4] == pytest.approx([2.0] * 4)
    assert (rows[ids[0]].decades_low, rows[ids[0]].decades_high) == pytest.approx((2.0, 2.0))
    assert found[4:8] == [0.0] * 4
    assert rows[ids[4]].decades_high > 0
    assert np.isnan(found[8:]).all(), "no rate solves it"
    assert [row_texts(rows[i])[DECADES] for i in (ids[0], ids[8])] == ["2 [2–2]", ""]
    shown = entries(rows[ids[0]], None)["decades within 2×"]
    assert (shown.text, shown.small) == ("2", "[2–2]")
    assert "| 2 [2–2] |" in table.to_markdown(list(rows.values()), "rates")
    text = to_latex(table.by_task(list(rows.values())), "rates")
    assert r"& work & decades \\" in text
    assert r"& 2 [2–2] \\".replace("–", "--") in text


def test_of_a_grid_over_rates_and_something_else_no_decades_are_told(store):
    """A rule has two courses there, and the question is another: 400 cells need not wait for it."""
    ids = course(store, "backprop", (80, 20, 20, 80)) + course(
        store, "backprop", (80, 20, 20, 80), momentum=0.25
    )
    store.write_study("grid", "?", ids)
    assert np.isnan([row.decades for row in table.build(store, "grid")]).all()


@pytest.mark.parametrize("what", ["momentum", "networks", "task", "two rates", "another question"])
def test_rates_of_cells_that_differ_in_more_and_too_few_rates_are_no_course(store, what):
    times, grid = (20,), [(0.1,), (1.0,), (10.0,)]
    ids = {
        "momentum": lambda: [
            course(store, "backprop", times, momentum=m, grid=g)
            for m, g in zip((0, 0.5, 0.9), grid, strict=True)
        ],
        "networks": lambda: [
            course(store, "backprop", times, n=n, grid=g) for n, g in zip((2, 3, 4), grid, strict=True)
        ],
        "task": lambda: [
            course(store, "backprop", times, XOR | {"hidden": h}, grid=g)
            for h, g in zip((3, 4, 5), grid, strict=True)
        ],
        "two rates": lambda: [course(store, "backprop", (80, 20), grid=GRID[:2])],
        "another question": lambda: [
            course(store, "backprop", (80, 20, 20, 80)),
            course(store, "shallow", times, grid=(0.1,)),
        ],
    }[what]()
    store.write_study("mixed", "?", [i for some in ids for i in some])
    assert all(np.isnan(row.decades) for row in table.build(store, "mixed"))


def test_tuned_rows_have_the_decades_of_the_study_of_rates_where_the_store_has_it(store: Store):
    tuned = course(store, "backprop", (20,), momentum=0.5, grid=(7.0,))
    tuned += course(store, "shallow", (20,), momentum=0.5, grid=(7.0,))
    tuned += course(store, "backprop", (20,), XOR | {"hidden": 4}, momentum=0.5, grid=(7.0,))
    records = {i: store.read(i) for i in tuned}
    rows = table.rows_from(tuned, records, {})
    bought = [replace(row, tuning_flops=1e9) for row in rows]
    assert all(np.isnan(row.decades) for row in with_decades(bought, records, store)), "there is none"
    store.write_study("sensitivity", "?", course(store, "backprop", (80, 20, 20, 80)))
    found = {row.id: row.decades for row in with_decades(bought, records, store)}
    assert found[tuned[0]] == pytest.approx(2.0)
    assert np.isnan([found[i] for i in tuned[1:]]).all(), "another rule; another task"
    assert all(np.isnan(row.decades) for row in with_decades(rows, records, store)), "they are not tuned"
    failed = replace(bought[0], id="xor-backprop-0123456789ab", status="failed", summary=None)
    assert np.isnan(with_decades([failed], {}, store)[0].decades), "a cell that failed has no record"


def test_a_table_that_says_the_same_is_not_written_again(study, tmp_path):
    rows = table.build(study, "made_up")
    paths = table.write(rows, tmp_path)
    before = [path.stat().st_ino for path in paths]  # a file that is written anew is another
    assert [path.stat().st_ino for path in table.write(rows, tmp_path)] == before
    now = table.write([replace(row, decades=1.5, decades_low=1, decades_high=2) for row in rows], tmp_path)
    assert [path.stat().st_ino for path in now] != before
