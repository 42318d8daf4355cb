"""Findings on optimisers held to made-up frames whose answer is known, and their figure to what it was
given."""

from __future__ import annotations

import numpy as np
import pytest

from harness import plots
from harness.answers import optimisers
from harness.core.errors import InputError
from helpers.made_up import S, U, cell, frames
from helpers.pages import check_page, said

INF = np.inf
N, BUDGET = 16, 10_000
RATES = (0.1, 1.0, 10.0)


def rated(rule, task, optimiser, times, flops=1.0):
    """A rule at some rates: n replicas that all take the same time, or none solves."""
    return [
        cell(
            f"{rule} ({optimiser}, lr={rate})", task, (S if time < INF else U,) * N,
            (int(min(time, BUDGET)),) * N, budget=BUDGET,
            optimiser=optimiser, learning_rate=rate, epoch_flops=flops,
        )
        for rate, time in zip(RATES, times, strict=True)
    ]  # fmt: skip


PLAIN, MOMENTUM, ADAM = "gradient descent", "momentum 0.9", "Adam"


@pytest.fixture(scope="module")
def found():
    """On XOR momentum halves the cost of fa, a step of Adam costs four times as much, bp never needs
    another; wp is solved by Adam alone, rl by nobody. On the encoder Adam turns the order round."""
    made = frames(
        *rated("bp", "xor", PLAIN, (900, 100, 300)),
        *rated("bp", "xor", MOMENTUM, (100, 200, 900)),
        *rated("bp", "xor", ADAM, (INF, 100, 900), flops=4.0),
        *rated("fa", "xor", PLAIN, (900, 400, 800)),
        *rated("fa", "xor", MOMENTUM, (900, 200, 800)),
        *rated("fa", "xor", ADAM, (900, 200, 800), flops=4.0),
        *rated("wp", "xor", PLAIN, (INF, INF, INF)),
        *rated("wp", "xor", MOMENTUM, (INF, INF, INF)),
        *rated("wp", "xor", ADAM, (500, INF, INF), flops=4.0),
        *rated("rl", "xor", PLAIN, (INF, INF, INF)),
        *rated("rl", "xor", ADAM, (INF, INF, INF)),
        *rated("ga", "xor", "own", (10, 20, 30)),
        *(c for i in range(5) for c in rated(f"r{i}", "encoder", PLAIN, (900, 100 + 50 * i, 900))),
        *(c for i in range(5) for c in rated(f"r{i}", "encoder", ADAM, (900, 300 - 50 * i, 900))),
    )
    return optimisers.tried(made.cells, made.replicas)


def test_each_optimiser_of_a_rule_is_at_its_own_best_rate(found):
    known = {(t.task, t.rule, t.optimiser): t for t in found}
    assert len(found) == 3 * 3 + 2 + 10
    assert "ga" not in {t.rule for t in found}, "it takes its steps itself"
    assert (known["xor", "bp", PLAIN].cost.value, known["xor", "bp", PLAIN].best) == (100, 1.0)
    assert known["xor", "bp", PLAIN].edge == ""
    assert (known["xor", "bp", MOMENTUM].cost.value, known["xor", "bp", MOMENTUM].edge) == (100, "lowest")
    assert known["xor", "fa", ADAM].cost.value == 800
    assert known["xor", "rl", ADAM].cost.value == INF
    assert np.isnan(known["xor", "rl", ADAM].best)


def test_whom_an_optimiser_helps_in_words(found):
    pairs = optimisers.besides(found)
    ratio = {(p.task, p.rule, p.optimiser): p.ratio.value for p in pairs}
    assert ratio["xor", "bp", MOMENTUM] == 1
    assert ratio["xor", "fa", MOMENTUM] == pytest.approx(0.5)
    assert ratio["xor", "bp", ADAM] == pytest.approx(4)
    assert ratio["xor", "fa", ADAM] == pytest.approx(2)
    assert ratio["xor", "wp", ADAM] == 0
    assert np.isnan(ratio["xor", "rl", ADAM])
    text = optimisers.helps(found, pairs)
    assert f"from {N} networks at each of 3 rates" in text
    assert f"\n  - on xor {MOMENTUM}: less for fa ×0.5 [" in text
    assert f"\n  - on xor {MOMENTUM}: not decided for 1 of 2" in text
    assert f"\n  - on xor {MOMENTUM}: neither solves it for wp" in text
    assert "\n  - on xor Adam: less for wp ×0 [0–" in text
    assert "\n  - on xor Adam: more for bp ×4 [" in text
    assert "\n  - on xor Adam: neither solves it for rl" in text


def test_whether_the_order_stays_in_words(found):
    ranks = optimisers.orders(found)
    tau = {(r.task, r.one, r.other): (r.tau.value, r.rules) for r in ranks}
    assert tau["encoder", PLAIN, ADAM] == (-1, 5)
    # bp before fa before wp and, tied with it, rl; with Adam bp, fa, wp, rl: 5 pairs agree, one is tied
    assert tau["xor", PLAIN, ADAM] == (pytest.approx(5 / np.sqrt(5 * 6)), 4)
    text = optimisers.order(found, ranks)
    assert f"\n  - on encoder {PLAIN} and Adam −1.00 [" in text
    assert f"\n  - on encoder cheapest: r0 ({PLAIN}) and r4 (Adam)" in text
    assert f"Of {len(ranks)} pairs of optimisers" in text


def test_what_the_choice_is_worth_and_where_the_grid_ends(found):
    text = optimisers.worth(found)
    assert "on encoder ×1.67 [too few] (never for 0 of 5 rules)" in text  # 3, 5/3, 1, 5/3 and 3
    assert "on xor ×4 [too few] (never for 1 of 3 rules)" in text
    assert f"best at an end of the grid: bp on xor, {MOMENTUM} (lowest)" in text


def test_the_table_and_one_sentence_for_each_question(found):
    pairs = optimisers.besides(found)
    rows = optimisers.texts(found, pairs).set_index(["task", "rule"])
    assert rows.loc[("xor", "rl"), "Adam, MFLOP"] == "∞"
    assert rows.loc[("xor", "rl"), f"{MOMENTUM}, MFLOP"] == "–"
    assert rows.loc[("xor", "fa"), f"{MOMENTUM} ÷ plain"].startswith("0.5 [")
    assert rows.loc[("xor", "fa"), "Adam, MFLOP"].endswith(" at 1")
    sentences = optimisers.said(found, pairs, optimisers.orders(found))
    assert len(sentences) == 3
    assert all(sentence.startswith("**") for sentence in sentences)
    nothing = optimisers.said([], [], [])
    assert "there is nothing to compare" in nothing[0]
    assert "no rule solves anything" in nothing[2]


def test_the_figure_has_a_mark_for_each_and_triangles_for_never(found):
    figure = plots.optimiser_figure(optimisers.points(found))
    check_page(figure)
    assert [ax.get_title("left") for ax in figure.axes] == ["xor", "encoder"]
    first = figure.axes[0]
    names = [label.get_text() for label in first.get_yticklabels()]
    assert names[:3] == ["bp", "fa", "wp"]
    never = [line for line in first.lines if line.get_marker() == ">" and len(line.get_xdata())]
    assert {round(float(y)) for line in never for y in line.get_ydata()} == {
        names.index("wp"),
        names.index("rl"),
    }
    plain = next(line for line in first.lines if line.get_label() == PLAIN)
    assert sorted(plain.get_xdata()) == [100, 400]
    assert f"n = {N} networks at each rate" in said(figure)


def test_a_figure_of_nothing_is_an_error(found):
    nothing = optimisers.points([t for t in found if t.rule == "rl"])
    with pytest.raises(InputError, match="no rule solves a task with any optimiser"):
        plots.optimiser_figure(nothing)
