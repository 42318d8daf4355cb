"""Findings on alignment, transfer and sensitivity held to made-up frames whose answer is known, and their
figures to what they were given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness import plots
from harness.answers import alignment, credit_measures, sensitivity, transfer
from harness.core.errors import InputError
from helpers.made_up import S, U, cell, frames
from helpers.pages import check_page, said

INF, NAN = np.inf, np.nan


# Measures of a credit


def looks(name, quantity, medians, edge="total", task="xor", defined=None):
    """Rows of the frame of credit at epochs 0, 10 and 100."""
    n = defined or [20] * len(medians)
    rows = {"quantity": quantity, "edge": edge, "epoch": [0, 10, 100][: len(medians)], "defined": n}
    return pd.DataFrame(rows | {"q50": medians, "id": f"{task}-{name}", "task": task})


def test_the_measures_of_a_credit_without_noise():
    found = credit_measures.measures(
        pd.concat(
            [
                looks("fa", "angle", [80.0, 40, 10], defined=[20, 10, 9]),  # of 20 at least 10 make it late
                looks("fa", "angle", [90.0, 60, 50], "input-hidden"),
                looks("fa", "angle", [70.0, 70, 70], "hidden"),  # a bias is no edge
                looks("fa", "angle", [0.0, 0, 3], "hidden-output"),
            ]
        )
    )
    wanted = {
        "before": 80,
        "along": 40,
        "late": 40,
        "first": 60,
        "last": 0,
        "mean": 40,
        "noise": 0,
        "bias": NAN,
    }
    assert found == pytest.approx(wanted, nan_ok=True)


def test_the_measures_of_a_noisy_credit_and_of_one_that_has_no_direction():
    noisy = [looks("wp", "angle", [85.0, 85, 86]), looks("wp", "mean_angle", [20.0, 30, 40])]
    noisy += [looks("wp", "snr", [0.1, 0.25, 0.5]), looks("wp", "bias", [0.0, 0.2, 0.1])]
    found = credit_measures.measures(pd.concat(noisy))
    assert (found["along"], found["mean"], found["noise"], found["bias"]) == (85, 30, 4, 0.1)
    lost = credit_measures.measures(looks("wp", "snr", [0.0]).pipe(lambda r: pd.concat([noisy[0], r])))
    assert lost["noise"] == INF  # no signal was seen: the last of ranks
    zero = looks("shallow", "angle", [NAN], "input-hidden", defined=[0])
    found = credit_measures.measures(pd.concat([looks("shallow", "angle", [30.0]), zero]))
    assert found["along"] == 30
    assert np.isnan(found["first"])
    assert np.isnan(list(credit_measures.measures(None).values())).all()


# Alignment

RULES = ("backprop", "kp", "fa", "ss", "dfa", "wm", "np", "rl")


def table(angle, work, tasks=("xor", "encoder", "parity"), rules=RULES):
    """Points of rules on tasks, angle and work a function of the rule's and the task's number."""
    return pd.DataFrame(
        {"task": task, "rule": rule, "id": f"{task}-{rule}", "elsewhere": False}
        | {"epochs": work(i, t), "flops": work(i, t), "loss": work(i, t), "weights": 10.0 + t, "depth": 2.0}
        | dict.fromkeys(credit_measures.MEASURES, angle(i, t))
        for t, task in enumerate(tasks)
        for i, rule in enumerate(rules)
    )


def costs_of(found):
    """Costs without any noise over replicas."""
    rules, tasks = list(dict.fromkeys(found["rule"])), list(dict.fromkeys(found["task"]))
    work = found.pivot(index="rule", columns="task", values="flops").loc[rules, tasks].to_numpy()
    return transfer.Costs(rules, tasks, work, np.tile(work, (20, 1, 1)), [])


def test_a_law_is_said_to_hold_and_to_foretell():
    found = table(lambda i, t: 10.0 * i, lambda i, t: 10.0**t * (1 + i))
    pairs = alignment.associations(found)
    assert len(pairs) == 24
    first, second, third = alignment.said(found, pairs, alignment.exceptions(found, costs_of(found)))
    assert "epochs of a success rises with angle before training 1.00 [" in first
    assert "0 not decided" in first
    assert "by the angle along the run **yes** (epochs 1.00" in second
    assert "8 rules × 3 tasks" in second
    assert "on 3 of 3 tasks:\n" in third
    text = alignment.texts(pairs)
    assert text.iloc[0, -1] == "8 × 3, 24"
    assert text.iloc[0, 1].endswith(", 0.001")  # 2 of 8! ways are as good, either way round, times 24


def test_noise_is_no_law_and_who_breaks_one_is_named():
    """Angles rise with the rule, costs do not: the third is the cheapest, backprop never solves parity."""
    order = [4, 7, 1, 6, 3, 8, 2, 5]
    found = table(lambda i, t: 12.0 * i, lambda i, t: INF if (i, t) == (0, 2) else order[i] * 10.0**t)
    broken = alignment.exceptions(found, costs_of(found))
    first, second, third = alignment.said(found, alignment.associations(found), broken)
    assert "24 not decided" in first
    assert "yes" not in second
    assert "on 0 of 3 tasks" in third
    assert "on xor backprop is 4 [4–4], the cheapest fa at 24°" in third
    assert "never solving: backprop (parity)" in third
    assert "beyond and solving: dfa (3 tasks), wm (3 tasks)" in third


def test_cells_that_are_not_compared_are_counted_and_named():
    found = table(lambda i, t: 10.0 * i, lambda i, t: INF if i == 7 else 1.0 + i)
    found.loc[found["rule"] == "kp", list(credit_measures.MEASURES)] = NAN
    found.loc[(found["rule"] == "fa") & (found["task"] == "xor"), "first"] = NAN
    found.loc[found["rule"] == "ss", "elsewhere"] = True
    text = " ".join(alignment.undefined(found))
    assert "24 cells of 8 rules on 3 tasks; 3 of them never solve" in text
    assert "The angle is known of 18." in text
    assert "no angle at all: kp (3 tasks)" in text
    assert "of another loss than the task's: ss (3 tasks)" in text
    assert "whose credit is zero: fa (xor)" in text
    counted = {f.measure: (f.rules, f.cells) for f in alignment.associations(found)}
    assert counted["along"] == (6, 18)
    assert counted["first"] == (6, 17)


def test_points_are_read_from_frames_and_a_loss_of_ones_own_is_elsewhere():
    numbers = {"restart_epochs": 50.0, "restart_flops": 5e3, "loss_median": 0.1}
    made = frames(
        cell("backprop", "xor", (S,), (5,), **numbers, **{"ran.reference": None}),
        cell("backprop (lr=2)", "xor", (S,), (5,), **numbers, **{"ran.reference": None}),
        cell("mean_field", "xor", (S,), (5,), **numbers, **{"ran.reference": "its own"}),
    )
    sheet = pd.DataFrame({"id": ["xor-backprop"], "weights": [9.0], "depth": [2.0]})
    found = credit_measures.points(made.cells, looks("backprop", "angle", [1.0]), sheet)
    assert list(found["rule"]) == ["backprop", "mean_field"]  # the first of each
    assert list(found["elsewhere"]) == [False, True]
    assert found.loc[0, ["epochs", "flops", "weights", "before"]].tolist() == [50, 5000, 9, 1]


# Sensitivity


def rated(rule, task, times, rates=(0.01, 0.1, 1.0, 10.0), n=20):
    """A rule at some rates: n replicas that all take the same time, or none solves."""
    return [
        cell(
            f"{rule} (lr={rate})", task, (S if time < INF else U,) * n, (int(min(time, 10_000)),) * n,
            budget=10_000, **{"algorithm.optimiser.lr": rate},
        )
        for rate, time in zip(rates, times, strict=True)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def courses():
    """On XOR one is wide and one is narrow; on the encoder the best rates are others."""
    made = frames(
        *rated("backprop", "xor", (400, 100, 100, 400)),
        *rated("shallow", "xor", (10_000, 100, 10_000, INF)),
        *rated("genetic", "xor", (INF,) * 4),
        *rated("backprop", "encoder", (100, 300, 900, INF)),
        *rated("shallow", "encoder", (INF, 700, 100, 400)),
    )
    return sensitivity.courses(made.cells, made.replicas)


def test_decades_of_each_rule_on_each_task(courses):
    found = {(c.task, c.rule): c.found for c in courses}
    assert found["xor", "backprop"].decades.value == pytest.approx(2.0)  # 1, and half of one on either side
    assert found["xor", "shallow"].decades.value == pytest.approx(2 * np.log(2) / np.log(100))
    assert found["encoder", "backprop"].edge == "lowest"
    assert np.isnan(found["xor", "genetic"].best)


def test_sensitivity_in_words(courses):
    first, _, second, third = sensitivity.said(courses)
    assert first.startswith("**xor**, decades")
    assert "from 20 networks at each rate, of the 2 rules that solve it:\n" in first
    assert "  - less than one: shallow 0.301 [0.301–0.301]\n" in first
    assert "  - more than one: backprop 2 [2–2]\n" in first
    assert first.endswith("  - solved at no rate by genetic")
    assert "  - on xor, 2 [2–2] decades: more exactly shallow\n" in second
    # the encoder's best rates, .01 and 1, cost 4 and 100 times the least on XOR
    assert "from encoder to xor ×52 [too few], never for 0 of 2" in third
    assert "backprop on encoder (lowest)" in third
    texts = sensitivity.texts(courses).set_index("rule")
    assert texts.loc["backprop", "xor: best rate, epochs"] == "100 epochs at 0.1"
    assert texts.loc["genetic", "xor: decades"] == "–"
    assert texts.loc["genetic", "encoder: decades"] == "–"
    assert texts.loc["backprop", "encoder: decades"].startswith("> ")


def test_the_figure_of_rates_has_a_panel_a_rule_and_triangles_for_never(courses):
    figure = plots.rate_figure(sensitivity.points(courses))
    check_page(figure)
    assert [ax.get_title("left") for ax in figure.axes] == ["backprop", "shallow"]
    assert "At no rate any task: genetic." in said(figure)
    assert "n = 20 networks" in said(figure)
    triangles = [line for line in figure.axes[1].lines if line.get_marker() == "^" and len(line.get_xdata())]
    assert sorted(x for line in triangles for x in line.get_xdata()) == [0.01, 10.0]
    thick = next(line for line in figure.axes[0].lines if line.get_linewidth() == 4.0)
    there = np.isfinite(thick.get_ydata())
    assert np.log10(np.ptp(np.log10(thick.get_xdata()[there])) / 2) == pytest.approx(0, abs=0.02)
    assert thick.get_ydata()[there].max() <= 200 * (1 + 1e-6)


def test_a_figure_of_nothing_is_an_error(courses):
    nothing = sensitivity.points([c for c in courses if c.rule == "genetic"])
    with pytest.raises(InputError, match="no rule solves a task at any rate"):
        plots.rate_figure(nothing)


# Transfer


def worked(rule, task, time, flops=1.0, status="finished", n=8):
    solved = time < INF
    numbers = {"status": status, "epoch_flops": flops, "restart_flops": flops * time}
    return cell(rule, task, (S if solved else U,) * n, (int(time) if solved else 100,) * n, **numbers)


@pytest.fixture(scope="module")
def moved():
    """Six rules whose order on the encoder is that of XOR, and on parity the other way round."""
    made = []
    for i, rule in enumerate(("a", "b", "c", "d", "e", "f")):
        made += [worked(rule, "xor", 10 + i), worked(rule, "encoder", INF if i == 5 else 20 + i, 7.0)]
        made += [worked(rule, "parity", 90 - 10 * i)] if i else []
    cells, replicas = frames(*made).cells, frames(*made).replicas
    none = pd.DataFrame([{"id": "x", "task": "parity", "algorithm_name": "a", "status": "not applicable"}])
    return transfer.costs(pd.concat([cells, none], ignore_index=True), replicas)


def test_costs_of_rules_on_tasks(moved):
    assert (moved.rules, moved.tasks) == (["a", "b", "c", "d", "e", "f"], ["xor", "encoder", "parity"])
    assert moved.work[1].tolist() == [11, 147, 80]
    assert moved.work[5, 1] == INF
    assert np.isnan(moved.work[0, 2])
    assert moved.cannot == [("a", "parity")]


def test_transfer_in_words(moved):
    pairs = transfer.pairs(moved)
    assert {(p.one, p.other): p.tau.value for p in pairs} == pytest.approx(
        {("xor", "encoder"): 1, ("xor", "parity"): -1, ("encoder", "parity"): -1}
    )
    about = transfer.about(moved)
    assert "6 rules on 3 tasks, 17 costs; of them 1 are never reached" in about[0]
    assert "on parity a" in about[1]
    first, second, third = transfer.said(moved, pairs)
    assert "alike: xor and encoder 1.00 [1.00 to 1.00]" in first
    assert "the other way round: xor and parity −1.00" in first
    assert "5 rules × 3 tasks" in second
    assert "a, of xor and encoder, is among the first 3 on 0 of 0 others (no rank on 1)" in third
    assert "f, of parity, is among the first 3 on 0 of 2 others, and never solves encoder" in third
    ranks = transfer.champions_table(moved)
    assert ranks.loc[1, "xor"] == "6 [6–6] of 6"
    assert ranks.loc[0, "parity"] == "–"


def test_its_figures_show_every_pair_and_every_place(moved):
    squares = plots.agreement_figure(transfer.matrix(moved, transfer.pairs(moved)))
    check_page(squares)
    assert "−1.00" in said(squares)
    grid = squares.axes[0].images[0].get_array().filled(NAN)
    np.testing.assert_allclose(grid, [[1, NAN], [-1, -1]])
    lines = plots.ranks_figure(transfer.standings(moved))
    check_page(lines)
    never = [line for line in lines.axes[0].lines if line.get_marker() == "^" and len(line.get_xdata())]
    assert [
        (list(line.get_xdata()), list(line.get_ydata())) for line in never if line.get_markersize() == 6
    ] == [([1], [6])]


# Figures of alignment


def test_the_figures_of_alignment_show_what_they_were_given():
    found = table(lambda i, t: 12.0 * i, lambda i, t: INF if i == 7 else 10.0**t * (1 + i))
    figure = plots.association_figure(alignment.drawn(alignment.associations(found)))
    check_page(figure)
    assert "angle late 8 × 3" in said(figure)
    points = alignment.rules(found)
    assert points["cost"].tolist() == pytest.approx([1, 2, 3, 4, 5, 6, 7, INF])
    figure = plots.alignment_figure(points)
    check_page(figure)
    assert "rl 0/3" in said(figure)
    (never,) = [line for line in figure.axes[0].lines if line.get_marker() == "^"]
    assert list(never.get_xdata()) == [84]
