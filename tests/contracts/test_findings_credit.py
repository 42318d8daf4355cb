"""Findings on credit, cost, depth and memory held to frames whose answer is known, and their intervals to
scipy's binomial."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from harness.answers import credit_and_cost, memory_accuracy, middle, update_costs, vanishing
from harness.answers.provenance import frames as frames_of
from harness.answers.provenance import sources
from harness.core.errors import InputError
from harness.credit.vanishing import Left
from harness.plots import credit_figure
from harness.statistics import Interval
from harness.store.store import Store
from helpers.made_up import S, U, cell, frames

INF, NAN = np.inf, np.nan


# Medians


@pytest.mark.parametrize("n", [1, 5, 6, 17, 50, 1000])
def test_below_is_scipys_binomial(n):
    for k in {0, 1, n // 3, n // 2, n}:
        assert middle.below(n, k) == pytest.approx(binom.cdf(k - 1, n, 0.5), abs=1e-12)


@pytest.mark.parametrize(("n", "rank"), [(6, 1), (8, 1), (9, 2), (20, 6), (100, 40)])
def test_an_interval_of_values_is_the_shortest_between_order_statistics(n, rank):
    """Ranks as tabulated for the sign test at 95 % (Conover 1999, table A3)."""
    values = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    assert middle.of_values(values) == ((n + 1) / 2, rank, n + 1 - rank)


def test_too_few_values_have_a_median_without_ends():
    """Of 5 all lie on one side of the median in 1 of 16 samples: more than 5 %."""
    assert middle.of_values(range(5)) == (2.0, -INF, INF)
    assert middle.of_values([NAN, 3.0, NAN]) == (3.0, -INF, INF)
    assert np.isnan(middle.of_values([]).value)


def row(values, **more):
    """A row of a credit frame."""
    there = np.asarray(values, float)
    return (
        {"defined": len(there)}
        | {f"q{q:02d}": np.quantile(there, q / 100) if len(there) else NAN for q in (5, 25, 50, 75, 95)}
        | more
    )


@pytest.mark.parametrize("n", [6, *(pytest.param(n, marks=pytest.mark.slow) for n in (12, 20, 50))])
def test_an_interval_of_quantiles_covers_the_median_as_often_as_it_says(n):
    """2,000 samples of a lopsided distribution (median ln 2), level 95 %; fewer than 1,859 hits come by
    chance once in 10,000."""
    rng = np.random.default_rng(n)
    found = [middle.of_quantiles(pd.Series(row(rng.exponential(size=n)))) for _ in range(2000)]
    assert sum(i.low <= np.log(2) <= i.high for i in found) >= binom.ppf(1e-4, 2000, 0.95)


def test_quantiles_reach_no_further_in_than_the_level_allows():
    """Between quartiles lie at least 95 % from n = 20 on, between 5 and 95 % from 9 on; of fewer nothing is
    said."""
    ends = {n: middle.of_quantiles(pd.Series(row(np.arange(n)))) for n in (8, 9, 19, 20)}
    assert [ends[8].low, ends[9].low, ends[19].low, ends[20].low] == pytest.approx([-INF, 0.4, 0.9, 4.75])
    strict = middle.of_quantiles(pd.Series(row(np.arange(20))), level=0.99)
    assert strict.low == pytest.approx(0.95)


def test_sides_are_those_of_the_whole_interval():
    assert [middle.beside(Interval(5, low, high), 5.0) for low, high in ((1, 4), (6, 9), (4, 6), (5, 9))] == [
        "less",
        "more",
        "undecided",
        "undecided",
    ]
    assert middle.beside(Interval(5, 4, 6), Interval(8, 7, 9)) == "less"
    assert middle.beside(Interval(5, 4, 7), Interval(8, 7, 9)) == "undecided"
    assert middle.median(Interval(3.0, -INF, INF)) == "3 [too few]"


# Credit


def looks(algorithm, task="xor", edge="total", quantity="angle", **at):
    """Rows of one cell: at `e<epoch>` the values of its replicas."""
    about = {
        "id": f"{task}-{algorithm}",
        "task": task,
        "algorithm": algorithm,
        "quantity": quantity,
        "edge": edge,
    }
    return pd.DataFrame([row(values, epoch=int(name[1:]), **about) for name, values in at.items()])


def around(centre, n=40, width=1.0):
    return centre + width * np.linspace(-1, 1, n)


@pytest.fixture
def credit():
    exact = looks("backprop", e0=np.zeros(40), e99=np.zeros(30))
    turns = looks(
        "feedback_alignment", e0=around(91, width=20), e9=around(60), e99=around(40, 20), e999=around(170, 19)
    )
    strays = looks("sign_symmetry", e0=around(20), e99=around(120))
    still = looks("kolen_pollack", e0=around(80, width=30), e99=around(80, width=30))
    edges = [f.assign(edge="input-hidden") for f in (exact, turns, strays, still)]
    nobody = looks("shallow", edge="input-hidden", e0=[], e99=[])
    return pd.concat([*edges, nobody, exact, turns, strays, still], ignore_index=True)


def test_late_is_the_last_look_with_half_of_the_replicas_in_training(credit):
    (found,) = [s for s in credit_and_cost.seen(credit, "angle") if s.algorithm == "feedback_alignment"]
    assert (found.first.epoch, found.first.n, found.late.epoch, found.late.n) == (0, 40, 99, 20)
    assert found.late.middle.value == pytest.approx(40)


def test_who_points_within_90_degrees_is_said_where_the_interval_says_so(credit):
    (sentence,) = credit_and_cost.within(credit)
    assert sentence == (
        "**xor**, angle of all weights:\n  - the gradient itself: backprop\n"
        "  - before training (n = 40), within 90°: sign_symmetry\n"
        "  - before training (n = 40), not decided: feedback_alignment and kolen_pollack\n"
        "  - late (n = 20 to 40), within 90°: feedback_alignment\n"
        "  - late (n = 20 to 40), beyond 90°: sign_symmetry\n"
        "  - late (n = 20 to 40), not decided: kolen_pollack"
    )


def test_who_turns_towards_the_gradient_is_said_of_the_first_hidden_group(credit):
    (sentence,) = credit_and_cost.turned(credit)
    edge, towards, away, rest = sentence.split("\n  - ")
    assert edge == "**xor**, input-hidden:"
    assert towards.startswith("**towards** the gradient turns feedback_alignment 91 [")
    assert towards.endswith("° at epoch 99 (n = 40 → 20)")
    assert away.startswith("**away** from it sign_symmetry 20 [")
    assert rest == "not decided: kolen_pollack"


def test_the_figure_of_turning_leaves_out_noise_and_the_gradient_itself(credit):
    noisy = [
        looks("spsa", edge="input-hidden", e0=around(80)),
        looks("spsa", quantity="snr", e0=around(0.1, width=0.01)),
    ]
    shown = credit_and_cost.feedback(pd.concat([credit, *noisy], ignore_index=True))
    assert set(shown["algorithm"]) == {"feedback_alignment", "sign_symmetry", "kolen_pollack", "shallow"}
    assert set(shown["edge"]) == {"input-hidden"}


def test_the_intervals_of_many_algorithms_are_wider():
    """Two looks each: of 1 the level is 97.5 %, of 12 it is 99.8 %, beyond the quartiles of 30."""
    one = [looks("a", e0=around(50, 30))]
    many = one + [looks(f"b{i}", e0=around(50, 30)) for i in range(11)]
    narrow, wide = (credit_and_cost.seen(pd.concat(some), "angle")[0].first.middle for some in (one, many))
    assert (narrow.low, wide.low) == (pytest.approx(49.5), pytest.approx(49.1))


def noisy_frame(snr, bias, late_bias):
    parts = [
        looks("rule", quantity="snr", e0=snr, e9=snr),
        looks("rule", quantity="bias", e0=bias, e9=late_bias),
    ]
    return pd.concat([looks("rule", e0=around(80)), *parts], ignore_index=True)


@pytest.mark.parametrize(
    ("snr", "side"),
    [
        (around(0.3, width=0.1), "above"),
        (around(0.05, width=0.01), "below"),
        (around(0.1, width=0.09), "not told apart from it"),
    ],
)
def test_signal_to_noise_is_set_beside_the_formula(snr, side):
    cost = pd.DataFrame({"task": ["xor"], "algorithm": ["rule"], "weights": [9.0]})
    found = credit_and_cost.noise(noisy_frame(snr, np.zeros(40), np.zeros(40)), cost)
    assert found["formula"].tolist() == [0.1]
    assert credit_and_cost.noisy(found)[0] == (
        f"**xor**, signal-to-noise before training beside 1/(d + 1) = 0.1 of 9 weights: {side}: rule."
    )
    (text,) = credit_and_cost.noise_texts(found).to_dict("records")
    assert (text["1/(d + 1)"], text["n"]) == ("0.1", "40")


def test_a_bias_is_seen_where_its_interval_is_above_zero_at_one_of_both_looks():
    cost = pd.DataFrame({"task": ["xor"], "algorithm": ["rule"], "weights": [9.0]})
    clipped = np.maximum(around(0.0), 0)  # what no bias looks like: half of the estimates are 0
    no, late = (
        credit_and_cost.noisy(credit_and_cost.noise(noisy_frame(around(1), clipped, b), cost))[1]
        for b in (clipped, around(2))
    )
    assert no == "**xor**, bias |E g − ∇| ÷ |∇|. Seen: none. Not seen: rule."
    assert re.search(r"Seen: rule \S+ \[0–\S+\] before training, 2 \[\S+\] late\. Not seen: none\.$", late)


@pytest.mark.parametrize(
    ("angle", "word"), [(30.0, "nearer to it"), (80.0, "farther"), (60.0, "not decided")]
)
def test_who_is_nearer_to_the_gauss_newton_step_than_the_gradient(angle, word):
    parts = [
        looks("backprop", e0=np.zeros(40)),
        looks("backprop", quantity="newton", e0=around(85), e9=around(60, width=5)),
    ]
    parts += [
        looks("rule", e0=around(80)),
        looks("rule", quantity="newton", e0=around(88), e9=around(angle, width=5)),
    ]
    frame = pd.concat(parts, ignore_index=True)
    (sentence,) = credit_and_cost.newton(frame)
    assert "The gradient (backprop) lies 85 [" in sentence
    assert sentence.endswith(f"(epoch 9, n = 40). Late:\n  - {word}: rule")
    texts = credit_and_cost.angle_texts(frame).set_index("credit")
    assert texts.loc["rule", "to the Gauss–Newton step"].startswith("88 [")
    assert texts.loc["rule", "into the first hidden group"] == "–"


# Cost


def costs(**rows):
    """By algorithm: FLOPs (a forward pass is 100), span, peak in kB, random numbers."""
    names = ["update_flops", "update_span_operations", "peak_bytes", "update_random_numbers"]
    frame = pd.DataFrame(
        [dict(zip(names, values, strict=True)) | {"algorithm": name} for name, values in rows.items()]
    )
    return frame.assign(
        task="xor", not_counted="", forward_flops=100.0, peak_bytes=1000.0 * frame["peak_bytes"]
    )


def test_costs_of_an_update_are_set_beside_backprops_count_by_count():
    cost = costs(
        backprop=(300.0, 20.0, 10.0, 0.0), light=(150.0, 20.0, 9.5, 0.0), heavy=(301.0, 40.0, 5.0, 7.0)
    )
    (sentence,) = update_costs.cheaper(cost)
    assert sentence == (
        "**xor**, an update beside backprop's:\n"
        "  - **work, in forward passes**, 3: less light ×0.5; as much heavy\n"
        "  - **span, in operations**, 20: as much light; more heavy ×2\n"
        "  - **peak kB**, 10: less heavy ×0.5; as much light"
    )
    table = update_costs.texts(pd.concat([cost, costs(light=(200.0, 9.0, 1.0, 0.0)).assign(task="encoder")]))
    assert table.set_index("algorithm").loc["light"].tolist() == ["1.5 · 2", "20 · 9", "9.5 · 1", "0 · 0"]
    assert table.set_index("algorithm").loc["heavy", "random numbers"] == "7 · –"


def test_many_dearer_ones_are_a_number_and_its_ends_and_what_was_not_counted_is_left_out():
    others = {f"rule{i}": (300.0 * i, 20.0, 10.0, 0.0) for i in range(2, 7)}
    cost = costs(backprop=(300.0, 20.0, 10.0, 0.0), **others)
    cost.loc[cost["algorithm"] == "rule6", "not_counted"] = "it escapes"
    (sentence,) = update_costs.cheaper(cost)
    assert "3: more 4 others, from rule2 ×2 to rule5 ×5\n" in sentence
    assert update_costs.cheaper(cost[cost["algorithm"] != "backprop"]) == []


# Depth


def chain(factor, depths=(2, 4, 6), replicas=50, seed=0):
    """Credit that each layer multiplies by `factor`, up to a few per cent of chance."""
    rng = np.random.default_rng(seed)
    return [Left(d, factor ** (d - 1) * np.exp(rng.normal(0, 0.05, replicas)), 1) for d in depths]


@pytest.mark.parametrize("factor", [0.14, 0.5, 1.7])
def test_the_factor_of_a_layer_is_that_of_the_chain(factor):
    found = vanishing.layer_factor(chain(factor))
    assert found.low < factor < found.high
    assert found.value == pytest.approx(factor, rel=0.02)


def test_who_vanishes_shrinks_keeps_and_grows():
    found = {
        "deep": chain(0.14),
        "slow": chain(0.5),
        "kept": chain(1.0),
        "grown": chain(1.7),
        "none": [Left(2, np.full(9, NAN), 1)] * 2,
    }
    starts = [
        "**Vanishes** at least as fast as ¼ a layer: deep ×",
        "**Shrinks**, by less than that: slow ×",
        "**Grows**: grown ×",
    ]
    starts += [
        "**Is kept**, as far as can be told (1 is in the interval): kept ×",
        "**Not decided**: none ×–",
    ]
    said = vanishing.left_over(found)
    assert [s.startswith(start) for s, start in zip(said, starts, strict=True)] == [True] * 5
    assert "through 6 layers, n = 50" in said[0]


def test_credit_before_training_is_computed_for_every_way_and_falls_as_the_bound_says():
    """|δ| shrinks by ¼ ‖W‖₂ a layer, and ‖W‖₂ < 2 of 50 × 50 weights within ±1/√50, whose norm tends to
    2/√3."""
    found = vanishing.before_training((2, 5), replicas=8)
    assert list(found) == list(vanishing.WAYS)
    assert (found["backprop"][1].ratio < found["backprop"][0].ratio / 8).all()
    assert (found["backprop with shortcuts"][1].ratio > 10 * found["backprop"][1].ratio).all()


def layers(rule, solved, activation="sigmoid", residual=False, epochs=10, flops=100.0):
    """Cells of one rule, 30 replicas each, by depth → how many solve."""
    return [
        cell(
            rule,
            f"deep_chain (depth={d})",
            (S,) * k + (U,) * (30 - k),
            (epochs * d,) * k + (100,) * (30 - k),
            flops=flops * d,
            **{"task.depth": d, "task.activation": activation, "task.residual": residual, "task.norm": False},
        )
        for d, k in solved.items()
    ]


@pytest.fixture
def deep():
    some = (
        layers("backprop", {1: 30, 2: 30, 4: 0})
        + layers("dfa", {1: 30, 2: 30, 4: 30})
        + layers("shallow", {1: 0, 2: 2, 4: 14})
    )
    return frames(*some, *layers("own", {2: 16, 4: 16}))


def test_through_how_many_layers_each_rule_learns(deep):
    points = vanishing.points(deep.cells, deep.replicas)
    everywhere, some, nowhere = vanishing.learnt(points)
    assert everywhere.endswith("**at every depth that was run**:\n  - dfa, at 4 100.0 % [88.6–100.0] of 30")
    assert (
        "**up to a depth**:\n  - backprop to 2, 100.0 % [88.6–100.0] of 30; fewer than half at 4, 0.0 % "
        "[0.0–11.4] of 30" in some
    )
    assert "**at none**:\n  - shallow, not decided at some, best 46.7 %" in nowhere
    assert "own, not decided at some, best 53.3 %" in nowhere


def test_who_escapes_is_said_only_where_backprop_fails(deep):
    points = vanishing.points(deep.cells, deep.replicas)
    (sentence,) = vanishing.escapes(points)
    assert sentence.endswith("Of these learn there more than half: dfa; fewer than half: none.")
    (no_need,) = vanishing.escapes(points[points["x"] < 4])
    assert no_need.endswith("it learns, and there is nothing to escape from.")
    (open_,) = vanishing.escapes(points, "own")
    assert open_.endswith("whether it learns is not decided.")
    assert vanishing.escapes(points, "nobody")[0].startswith("nobody was not run")


def test_the_price_of_depth_is_work_to_a_success(deep):
    """Four layers beside one: four times the epochs, each of four times the work."""
    points = vanishing.points(deep.cells, deep.replicas)
    priced, alone = vanishing.price(points, deep.replicas)
    for rule, ratio in (("dfa", 16), ("backprop", 4)):
        # all of 30 solve, and a failure that nobody saw would cost a budget: wide ends, which hold it
        low, high = map(float, re.search(rf"{rule} ×{ratio} \[(\S+)–(\S+)\] \(", priced).groups())  # type: ignore[union-attr]
        assert low < ratio < high
    assert "(4 hidden layers beside 1, n = 30; an update alone ×4)" in priced
    assert alone == "Not learnt by most at two depths, and so without such a price: shallow and own."
    table = vanishing.at_depth(points).set_index("rule")
    least = 0.025 ** (1 / 30)  # Clopper & Pearson: 30 of 30 have at least this rate
    unseen = 100 * (1 - least) / least  # failures that may be there cost a budget of 100 each
    assert table.loc["dfa"].tolist() == [
        f"30 of 30, {ert} [{ert}–{ert + unseen:.3g}]" for ert in (10, 20, 40)
    ]
    assert table.loc["own", "1 layer"] == "–"


def test_what_is_added_to_the_chain_names_its_own_series():
    f = frames(*layers("backprop", {2: 30}), *layers("backprop", {2: 30}, "tanh", True))
    del f.cells["task.norm"]  # of records before there was one
    assert vanishing.points(f.cells, f.replicas)["series"].tolist() == [
        "backprop",
        "backprop with tanh and shortcuts",
    ]


# Memory


def accuracy(algorithm, wrong, peak, hidden=16):
    f = cell(
        algorithm,
        "digits",
        (U,) * 4,
        (100,) * 4,
        **{"algorithm.optimiser.lr": 0.01, "task.hidden": hidden, "task.layers": 1},
    )
    f.cells["id"] = f.replicas["id"] = f"digits-{algorithm}-{hidden}"
    f.cells[["status", "peak_bytes", "update_forward_passes"]] = ["finished", 1000.0 * peak, 2.0]
    right = 1 - (wrong + np.array([-0.01, 0.0, 0.0, 0.01]))
    return f._replace(replicas=f.replicas.assign(held_right=right, validation_right=right))


@pytest.mark.parametrize(
    ("peak", "verdict"), [(50.0, "beats it with 50 kB, 0.50 of it"), (150.0, "does not beat it with 150 kB")]
)
def test_memory_beaten_or_not(peak, verdict):
    """The sentence follows the peaks: said to be beaten where memory is not, the finding would be wrong."""
    f = frames(accuracy("backprop", 0.1, 100.0), accuracy("feedback_alignment", 0.1, peak))
    points = memory_accuracy.points(f.cells, f.replicas)
    (sentence,) = memory_accuracy.answers(points)
    assert verdict in sentence
    first = memory_accuracy.texts(points).iloc[0]
    assert first["error [95 %]"].startswith("10 [")
    assert first["n"] == 4
    assert (
        memory_accuracy.figure(points, "digits").get_axes()[0].get_ylabel()
        == "per cent of the test images wrong"
    )


def test_without_backprop_nothing_is_answered():
    f = accuracy("feedback_alignment", 0.1, 50.0)
    (sentence,) = memory_accuracy.answers(memory_accuracy.points(f.cells, f.replicas))
    assert (
        sentence
        == "On digits nothing is answered: there is no finite error of backprop on digits to compare with."
    )


# What is not there


def test_a_study_that_was_not_run_is_a_sentence_with_its_command(store: Store):
    command = "`python -m harness -m study=vanishing`"
    said = f"The study vanishing is not in this store, and nothing is said of it: {command}."
    assert sources("vanishing", source=store) == [said]
    cells, replicas = frames_of("vanishing", store)
    points = vanishing.points(cells, replicas)
    assert vanishing.said(points, replicas) == [said]
    assert not len(vanishing.at_depth(points))
    none = memory_accuracy.points(cells, replicas)
    assert memory_accuracy.answers(none) == [said.replace("vanishing", "memory_accuracy")]
    assert not len(memory_accuracy.texts(none))
    assert "memory_accuracy is not in this store" in memory_accuracy.figure(none, "digits").data


def test_no_look_no_finding():
    """Cells whose credit was never looked at give no sentence, rather than one on nothing."""
    nobody = looks("shallow", e0=[], e9=[])
    assert credit_and_cost.seen(nobody, "angle") == []
    assert credit_and_cost.within(nobody) == credit_and_cost.newton(nobody) == []
    with pytest.raises(InputError, match="no credit was compared"):
        credit_figure(credit_and_cost.feedback(nobody))
