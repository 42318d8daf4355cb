"""The three sentences that a study comes to, held to made-up frames whose answer is known, to their length
with the longest names, and to silence where there is nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.linalg import norm

from harness.answers import ablations as ablation
from harness.answers import alignment as aligned
from harness.answers import blame_by_lag, credit_errors, growth_in_time, history, settling_steps
from harness.answers import comparison as compared
from harness.answers import local_minima as minima
from harness.answers import optimisers as optimised
from harness.answers import sensitivity as rated
from harness.answers import settling as settled
from harness.answers import time as timed
from harness.answers import transfer as moved
from harness.answers.conclusions import (
    LONGEST,
    ablations,
    alignment,
    comparison,
    credit_and_cost,
    fitting,
    local_minima,
    optimisers,
    replication,
    representations,
    sensitivity,
    settling,
    shared_weights,
    time,
    transfer,
    tuned,
)
from harness.answers.credit_measures import MEASURES
from harness.answers.shared_weights import Reported
from harness.answers.t_c import Kernels
from harness.answers.vanishing import COLUMNS
from harness.credit.vanishing import Left
from harness.inspection.kernels import BAR
from harness.statistics import Interval, Sensitivity
from helpers.made_up import S, U, cell, credit, frames

INF, NAN = np.inf, np.nan
RULE, TASK = "direct_random_target_projection", "family_tree (target_off=0, target_on=1, margin=0.2)"


def test_as_many_are_named_as_there_is_room_for():
    assert fitting(lambda most: "x" * 100 * most) == "x" * 300
    assert fitting(lambda most: "x" * 150 * most) == "x" * 300
    assert fitting(lambda most: "x" * 350 * most) == "x" * 350
    assert len("- [Credit and cost]: ") + LONGEST <= 400, "a line of the abstract"


# Tuned

BESIDES = [
    tuned.Beside("cheap", "xor", 200, Interval(0.25, 0.2, 0.3), True),
    tuned.Beside("twin", "xor", 200, Interval(1.5, 0.9, 2.0), True),
    tuned.Beside("dear", "xor", 100, Interval(40.0, 30.0, 50.0), True),
    tuned.Beside("never", "xor", 200, Interval(INF, 60.0, INF), False),
]
TUNED = pd.DataFrame(
    {
        "task": ["xor"] * 3,
        "algorithm_name": ["backprop", "cheap", "never"],
        "ert_epochs": [1000.0, 50.0, INF],
        "restart_epochs": [10.0, 25.0, INF],
        "solved": [180, 200, 0],
    }
)


def test_of_tuned_rules_each_is_on_its_side_by_its_whole_interval():
    sides, prices, restarts = tuned.conclusions(TUNED, BESIDES)
    assert sides == (
        "With each rule at its own best settings, a success takes less work than backprop's in 1 of 4 "
        "pairs of rule and task (cheap on xor ×0.25 [0.2–0.3]), more in 2 (1 of these never solve it), "
        "and 1 are not decided (n = 100 to 200 networks; of the intervals one misses, 5 % at most)."
    )
    assert prices.endswith("times backprop's work: 1.5 [too few] on xor (3 rules).")
    assert restarts.endswith(", by 51 [too few] on xor (2 rules; backprop's from 1,000 to 10).")


def test_work_beside_backprops_is_that_of_the_pairs_with_restarts():
    """Half of the epochs, each of ten times the FLOPs: five times the work, in every pair."""
    made = [
        cell("backprop", epochs=(20,) * 40, outcome=(S,) * 40, update_flops=100.0),
        cell("dear", epochs=(10,) * 40, outcome=(S,) * 40, update_flops=1000.0),
        cell("alone", "encoder", epochs=(10,), update_flops=1.0),
    ]
    (one,) = tuned.beside_backprop(frames(*made).cells, frames(*made).replicas)
    assert (one.rule, one.task, one.pairs, one.solved) == ("dear", "xor", 40, True)
    assert one.ratio.value == pytest.approx(5)
    assert 1 < one.ratio.low <= 5 <= one.ratio.high


# Comparison


def beside(word, value, name="genetic", task="xor", n=40):
    low, high = {"less": (0.5, 0.9), "more": (1.1, 2.0), "undecided": (0.5, 2.0)}[word]
    interval = Interval(*np.log([value, low * value, high * value]))
    return {"task": task, "algorithm": name, "pairs": n, "log_ratio": interval, "decided": word}


def test_of_algorithms_the_cheapest_are_named_and_all_are_counted():
    rows = [beside("less", 0.5, "b"), beside("less", 0.1, "a"), beside("more", 4.0)]
    pairs = pd.DataFrame([*rows, beside("undecided", 1.0, n=10)])
    made = frames(
        cell("backprop", "xor", (S,) * 40, (10,) * 40),
        cell("genetic", "xor", (U,) * 40, (10,) * 40),
        cell("backprop", "encoder", (S,) * 20 + (U,) * 20, (10,) * 40),
        cell("spsa", "encoder", (S,) * 40, (10,) * 40),
    )
    ert = Interval(1.0, 0.5, 2.0)
    found = [compared.Cheapest(t, "flops", "a", ert, close) for t, close in (("xor", ["b"]), ("encoder", []))]
    work, solvers, cheapest = comparison.conclusions(made.cells, pairs, found)
    assert work == (
        "A success takes less work than backprop's in 2 of 4 pairs of algorithm and task (a on xor ×0.1 "
        "[0.05–0.09] and b on xor ×0.5 [0.25–0.45]), more in 1, and 1 are not decided (n = 10 to 40 "
        "networks; of the intervals of a task one misses, 5 % at most)."
    )
    assert (
        "are solved on 1 of 2 tasks by backprop and 1 of 1 tasks by spsa; on no task by 1 (genetic)"
        in solvers
    )
    assert cheapest.endswith("intervals, are in FLOPs a (2 of 2).")


# Sensitivity


def course(rule, task, decades, best=0.1, costs=(4.0, 1.0, INF), rates=(0.01, 0.1, 1.0)):
    found = Sensitivity(Interval(*decades), best, np.array(costs), "", False)
    return rated.Course(task, rule, rates, 20, found)


def test_of_rates_the_median_rule_the_other_rules_and_other_tasks_are_told():
    some = [
        course("backprop", "xor", (1.0, 0.8, 1.2)),
        course("wide", "xor", (3.0, 2.0, 4.0)),
        course("narrow", "xor", (0.2, 0.1, 0.3)),
        course("backprop", "encoder", (1.0, 0.8, 1.2), 1.0, (INF, 5.0, 1.0)),
        course("never", "encoder", (NAN, 0.0, INF), NAN, (INF, INF, INF)),
    ]
    width, others, elsewhere = sensitivity.conclusions(some)
    assert ": 1 [too few] on xor (3 rules) and 1 [too few] on encoder (1 rules) (n = 20 networks" in width
    assert "Of 2 pairs of rule and task" in others
    assert (
        "less exactly than backprop's in 1 (wide on xor), more exactly in 1 (narrow on xor), and 0 are"
        in others
    )
    # at the encoder's best rate XOR is never solved, at XOR's the encoder for five times the least
    assert "never solves a task that it can in 50.0 % [" in elsewhere
    assert "5 [too few] times the least (n = 1 rules, 2 cases)" in elsewhere


# Optimisers


def run_with(rule, task, optimiser, cost, rates=(0.1, 1.0, 10.0)):
    time = Interval(*(cost * end for end in (1.0, 0.9, 1.1)))
    found = SimpleNamespace(time=time, best=1, side=SimpleNamespace(time=np.zeros(20)))
    return optimised.Tried(task, rule, optimiser, rates, (), 1.0, 100.0, found)


def test_of_optimisers_the_farthest_are_named_and_all_are_counted():
    costs = {"bp": (10.0, 20.0), "fa": (10.0, 5.0), "wp": (10.0, 10.0), "rl": (10.0, INF)}
    some = [
        run_with(rule, "xor", name, cost)
        for rule, each in costs.items()
        for name, cost in zip(("gradient descent", "Adam"), each, strict=True)
    ]
    ratios = {"bp": (2.0, 1.5, 2.5), "fa": (0.5, 0.4, 0.7), "wp": (1.0, 0.5, 2.0), "rl": (NAN,) * 3}
    pairs = [optimised.Beside("xor", rule, "Adam", Interval(*ratio)) for rule, ratio in ratios.items()]
    ranks = [
        optimised.Order("xor", "gradient descent", "Adam", Interval(0.4, -0.2, 0.9), 4),
        optimised.Order("encoder", "gradient descent", "Adam", Interval(0.8, 0.5, 1.0), 5),
    ]
    helps, order, worth = optimisers.conclusions(some, pairs, ranks)
    assert helps == (
        "Of 3 pairs of an optimiser with plain steps, each at its own best rate, a success takes less work "
        "in 1 (Adam for fa on xor ×0.5 [0.4–0.7]), more in 1 (Adam for bp on xor ×2 [1.5–2.5]), and 1 are "
        "not decided (n = 20 networks at each rate; of the intervals of a task one misses, 5 % at most)."
    )
    assert "alike, by the whole interval, in 1 of 2 pairs" in order
    assert "least alike are gradient descent and Adam on xor" in order
    assert order.endswith("(n = 4 rules).")
    assert "2 [too few] on xor (n = 3 rules, and 1 never solve it with one of them)." in worth


# Alignment


def association(measure, outcome, rho):
    return aligned.Found(measure, outcome, Interval(*rho), 0.5, 90, 15, 9)


def points(angle, tasks=("xor", "encoder", "parity"), rules=8):
    """Cells whose every measure of credit is `angle(rule)`, and whose cost rises with the rule's number."""
    return pd.DataFrame(
        {"task": task, "rule": f"r{i}", "id": f"{task}-{i}", "elsewhere": False, "weights": 9.0, "depth": 2.0}
        | dict.fromkeys(("epochs", "flops", "loss"), 10.0**t * (1 + i))
        | dict.fromkeys(MEASURES, angle(i))
        for t, task in enumerate(tasks)
        for i in range(rules)
    )


def test_of_angles_the_decided_are_counted_and_the_law_and_its_breakers_are_told():
    pairs = [
        association("before", "epochs", (0.3, -0.5, 0.9)),
        association("late", "epochs", (0.6, 0.2, 0.9)),
        association("late", "loss", (-0.7, -0.9, -0.2)),
    ]
    cells = pd.DataFrame({"rule": ["a", "b", "a"]})
    broken = aligned.Exceptions(9, ["on xor"], cells, cells.iloc[:1])
    together, foretold, who = alignment.conclusions(points(lambda i: 10.0 * i), pairs, broken)
    assert together == (
        "Of 3 rank correlations within tasks of a measure of credit with a cost, 2 are decided by their "
        "whole interval, of which one misses, 5 % at most (angle late and final loss −0.70 [−0.90 to "
        "−0.20] and angle late and epochs of a success 0.60 [0.20 to 0.90]); the angle before training "
        "and epochs have 0.30 [−0.50 to 0.90] (n = 15 rules × 9 tasks)."
    )
    assert "R² [95 %] is 1.00 [" in foretold
    assert "(n = 8 rules × 3 tasks)" in foretold
    assert (
        "on 8 of 9 tasks; 3 cells point within 45° of the gradient and never solve their task (a 2 and b 1)"
        in who
    )
    assert who.endswith(", and 1 point elsewhere and do (a 1).")


# Transfer


def costs(*columns):
    """Of rules (rows) on tasks, without noise."""
    work = np.array(columns, float).T
    rules, tasks = [f"r{i}" for i in range(len(work))], [f"t{j}" for j in range(work.shape[1])]
    return moved.Costs(rules, tasks, work, np.tile(work, (20, 1, 1)), [])


def test_of_tasks_it_is_told_whether_they_agree():
    of = costs(range(1, 8), range(11, 18), [6, 5, 4, 3, 2, 1, INF])
    whole, ends, champions = transfer.conclusions(of, moved.pairs(of))
    assert "Kendall's W = " in whole
    assert "7 rules × 3 tasks; of 3 pairs of tasks τ is above 0 in 1" in whole
    assert ends.startswith("Most alike are t0 and t1, τ = 1.00 [")
    # r0 is the cheapest of two, and sixth on the third; r5 of the third, and sixth on the two
    assert champions.endswith("in 0 of the 3 cases where it has one there, and never solves it in 0.")
    alike = costs(range(1, 8), range(11, 18), range(3, 10))
    whole, _ = transfer.conclusions(alike, moved.pairs(alike))
    assert whole.startswith(
        "All tasks together rank rules alike, Kendall's W = 1.00, p < 0.001, 7 rules × 3 tasks;"
    )
    assert len(transfer.conclusions(costs(range(1, 5)), [])) == 1


# Replication


def test_of_claims_those_that_could_have_failed_are_told_from_the_others():
    rows = pd.DataFrame({"verdict": ["reproduced"] * 3 + ["not reproduced", "not testable"]})
    rows = rows.assign(source="Paper", trust="found", claim="a claim")
    absent = rows.iloc[:2].assign(verdict="no such figure in the source", trust="write-up", claim="6,587")
    first, failed, never = replication.conclusions(pd.concat([rows, absent]))
    assert first.startswith(
        "Of 7 published figures 4 were tested so that they could have failed, and 75.0 % [30.1–95.4]"
    )
    assert "1 are contradicted" in first
    assert failed == "Contradicted are figures of 1 sources: Paper (1)."
    assert never == (
        "Of the figures that write-ups attribute to a source 100.0 % [34.2–100.0] of 2 are not in it: "
        "*6,587* and *6,587*."
    )
    assert replication.conclusions(rows.iloc[4:]) == [
        "Of 1 published figures none was tested so that it could have failed."
    ]


# Local minima


def ends(scale=1.0, hidden=2, n=100, stuck=20, pdp=15, still=18):
    rest = np.array([minima.STILL] * still + [minima.SADDLE] * (stuck - still))
    kind = np.arange(stuck) < pdp
    none: Any = np.zeros(stuck)
    start = minima.Start(scale, hidden)
    return minima.Ends("a", "η = 0.25", start, True, False, n, 0, none, none, [], kind, none, none, rest)


def test_of_the_stuck_their_number_their_end_and_their_escape_are_told():
    pairs = pd.DataFrame(
        {
            "rate": [Interval(0.1, 0.05, 0.2), Interval(-0.1, -0.2, -0.05), Interval(0.0, -0.1, 0.1)],
            "pairs": [80, 100, 9],
        }
    )
    cells = [ends(0.5, stuck=10, pdp=9, still=9), ends(), ends(hidden=3, stuck=0, pdp=0, still=0)]
    stuck, where, out = local_minima.conclusions(cells, pairs)
    assert stuck == (
        "On XOR at η = 0.25 20.0 % [13.3–28.9] of 100 starts within ±1 and 10.0 % [5.5–17.4] of 100 "
        "starts within ±0.5 are stuck: more than the at most 1.0 % of PDP's account."
    )
    assert where.startswith(
        "Of those stuck within ±1 75.0 % [53.1–88.8] of 20 answer as PDP's Fig. 5, and 90.0 % ["
    )
    assert out.startswith(
        "3 hidden units leave 0.0 % [0.0–3.7] of 100 stuck, two 20.0 % [13.3–28.9] of 100; of 3 other"
    )
    assert "1 solve more replicas and 1 fewer" in out
    assert out.endswith("(n = 9 to 100 pairs).")
    assert len(local_minima.conclusions([ends(stuck=0, pdp=0, still=0)], pairs.iloc[:0])) == 1


# Ablations


def changed(what, setting, value, ratio, word, task="xor", pairs=200):
    one = ablation.Ablation(what, setting)
    interval = Interval(*(np.log(r) if r else -INF for r in ratio))
    about = {"what": one, "task": task, "value": value, "usual": 0.9, "pairs": pairs}
    return about | {"log_ratio": interval, "decided": word, "cell": None, "ert": None}


def test_of_changes_the_largest_are_named_and_all_are_counted():
    momentum = "algorithm.optimiser.momentum"
    rows = [
        changed("momentum α", momentum, 0.0, (2.5, 2.0, 3.0), "more"),
        changed("momentum α", momentum, 0.0, (8.0, 6.0, 9.0), "more", "encoder", 100),
        changed("initial weights", "task.init", "zero", (INF, 5.0, INF), "more"),
        changed("hidden units H", "task.hidden", 32, (0.1, 0.05, 0.2), "less"),
        changed("lower target", "task.target_off", 0.1, (1.0, 0.9, 1.1), "undecided"),
    ]
    points = pd.DataFrame(
        {"algorithm.optimiser.lr": [0.1, 4.0], "task.scale": [0.1, 0.5], "rate": [0.0, 1.0]}
    )
    points = points.assign(rate_low=[0.0, 0.9], rate_high=[0.1, 1.0], replicas=50, diverged=[0, 3])
    changes, without, where = ablations.conclusions(pd.DataFrame(rows), points)
    assert changes == (
        "Of 5 changes of the 1986 recipe, one at a time, 3 make a success dearer in epochs (momentum α = "
        "0 (encoder) ×8 [6–9], momentum α = 0 ×2.5 [2–3] and initial weights = zero ×∞ [5–∞]), 1 cheaper "
        "(hidden units H = 32 ×0.1 [0.05–0.2]), and 1 are not decided by their 95 % interval (n = 100 to "
        "200 pairs)."
    )
    assert without == (
        "Without momentum a success takes 2.5 [2–3] times the epochs on xor (n = 200 pairs) and 8 [6–9] "
        "times the epochs on encoder (n = 100 pairs) [95 %]."
    )
    assert where == (
        "Of 2 rates and scales of initial weights fewest replicas fail at η = 4, scale 0.5 (0.0 % "
        "[0.0–10.0] of 50), most at η = 0.1, scale 0.1 (100.0 % [90.0–100.0] of 50); 3 of 100 replicas "
        "diverged."
    )


# Credit and cost


def chains(deepest, **solved):
    """Points of `vanishing`: 30 replicas of each series at the deepest chain."""
    made = []
    for name, k in solved.items():
        (row,) = cell(name, "deep_chain", (S,) * k + (U,) * (30 - k), (10,) * 30).cells.itertuples(
            index=False
        )
        made.append((name, deepest, 30, row.rate, row.rate_low, row.rate_high, NAN, NAN, NAN, row))
    return pd.DataFrame(made, columns=COLUMNS)


def memories(task, free):
    """Points of `memory`: backprop in 100 kB, a rule as accurate in `free` kB, or one that is not."""
    both = {"task": task, "network": "16×1", "replicas": 8, "validation": 0.1, "lr": 0.1}
    rows = [both | {"algorithm": "backprop", "label": "backprop 16×1", "error": 0.1, "peak_bytes": 1e5}]
    error, kb = (0.1, free) if free else (0.5, 1)
    rows.append(both | {"algorithm": "spsa", "label": "spsa 16×1", "error": error, "peak_bytes": 1e3 * kb})
    frame = pd.DataFrame(rows)
    return frame.assign(error_low=frame["error"] - 0.01, error_high=frame["error"] + 0.01)


def test_of_credit_its_angles_its_depth_and_its_memory_are_told():
    looks = pd.concat(
        [
            credit("backprop", {"total": (0.0, 0.0, 0.0)}).assign(q05=0.0, q25=0.0, q75=0.0, q95=0.0),
            credit("near", {"total": (80.0, 40.0, 40.0)}),
            credit("far", {"total": (80.0, 140.0, 140.0)}),
            credit("across", {"total": (80.0, 90.0, 90.0)}),
        ]
    )
    left = {
        "backprop": [Left(d, np.full(9, 0.2**d), 1) for d in (2, 4)],
        "feedback_alignment": [Left(d, np.ones(9), 1) for d in (2, 4)],
    }
    points = pd.concat([memories("digits", 250), memories("traffic", 0)])
    depth, angles, memory = credit_and_cost.conclusions(looks, left, chains(6, backprop=0, dfa=30), points)
    assert "of 3 credits that are not the gradient itself 1 lie within 90°" in angles
    assert "1 (far on xor) beyond, and 1 are not decided (n = 20;" in angles
    assert "backprop ×0.2 [0.2–0.2] and feedback_alignment ×1 [1–1] (bound of backprop ×0.25, n = 9)" in depth
    assert depth.endswith(
        "6 hidden layers backprop solves 0.0 % [0.0–11.4] of 30, and 1 of 2 ways more than half."
    )
    assert memory.endswith(
        ", takes, of its least memory, ×2.50 on digits (spsa 16×1, n = 8); there is none on traffic (n = 8)."
    )


# Shared weights


def test_of_shared_weights_sharing_kernels_and_the_loss_are_told():
    few, many = np.linspace(0.01, 0.02, 20), np.linspace(0.05, 0.08, 20)
    nets = [
        Reported(rule, layout, 4810, 0.1, False, wrong)
        for rule, wrongs in (("backprop", (many, few)), ("shallow", (few, many)), ("alone", (few,)))
        for layout, wrong in zip(("shared", "full"), wrongs, strict=False)
    ]
    noise = np.eye(3) * [5.0, -7.0, 1.0]
    trained = [Kernels("Adam", np.stack([BAR, BAR]), 4), Kernels("descent", np.stack([BAR, noise]), 4)]
    assert abs((BAR * noise).sum()) < 0.9 * norm(BAR) * norm(noise)

    def of(loss, solved):
        made = cell(
            "backprop", "xor", (S,) * solved + (U,) * (40 - solved), (10,) * solved + (100,) * (40 - solved)
        )
        rows = made.cells.assign(id=loss, **{"task.loss": loss, "algorithm.optimiser.lr": 0.5})
        return made._replace(cells=rows, replicas=made.replicas.assign(id=loss))

    f = frames(of("squared_error", 40), of("cross_entropy", 20))
    digits, kernels, losses = shared_weights.conclusions(nets, trained, f.cells, f.replicas)
    assert "wrong by 1 of 2 rules, fewer by 1, by whole 95 % intervals: backprop +5.0 % [" in digits
    assert digits.endswith("(n = 20 pairs).")
    assert (
        "from 50.0 % [9.5–90.5] of 2 by descent to 100.0 % [34.2–100.0] of 2 by Adam, over 2 ways" in kernels
    )
    assert "1 pairs of cells: it solves more replicas in 0, fewer in 1," in losses
    assert losses.endswith("fewer epochs in 0, more in 1, by whole 95 % intervals (n = 40 pairs).")


# Settling


def falls(rule, setting, power, points=1):
    """A credit whose error falls by a power of its setting, in every network alike."""
    values = np.array([0.01, 0.1, 1.0])
    errors = np.broadcast_to(0.01 * values**power, (12, 3))
    settings = {"points": points} if setting == "beta" else {}
    nowhere = np.full((12, 3), NAN)
    return credit_errors.Course(rule, "parity", setting, settings, values, errors, "the loss", nowhere)


def grows(rule, size, power, unsettled=0.0):
    """Steps that grow by a power of a size, in every network alike."""
    values = np.array([1, 2, 4])
    steps, shares = (np.broadcast_to(x, (12, 3)) for x in (3.0 * values**power, unsettled))
    return settling_steps.Course(rule, 1, size, "16 units", 200, values, steps, shares)


def costs_of(rule, task, ratio, solved=30):
    return settled.Cost(task, rule, solved, 30, 100.0, Interval(*ratio), NAN, "", NAN)


def test_of_settling_powers_costs_and_steps_are_told_by_whole_intervals():
    errors = [falls("ep", "beta", 1.0), falls("ep", "beta", 2.0, 2), falls("chl", "gamma", 2.0)]
    costs = [
        costs_of("backprop", "xor", (NAN, NAN, NAN)),
        costs_of("ep", "xor", (0.5, 0.4, 0.6)),
        costs_of("chl", "xor", (4.0, 3.0, 5.0)),
        costs_of("pc", "xor", (1.0, 0.5, 2.0)),
        costs_of("tp", "xor", (INF, 9.0, INF), 0),
        costs_of("shallow", "xor", (INF, 9.0, INF), 0),  # a control, like the next
        costs_of("feedback_alignment", "xor", (0.1, 0.1, 0.1)),
    ]
    sizes = [grows("ep", "depth", 1.0), grows("chl", "depth", -0.5, 0.25), grows("ep", "width", 0.5)]
    powers, cost, steps = settling.conclusions(errors, costs, sizes)
    assert "to within 0.1 by the whole interval, in 2 of 3 ways: γ^2.00 [2.00 to 2.00] for chl," in powers
    assert "stated 1, β^1.00 [1.00 to 1.00] for ep, points=1, stated 1 and β^2.00 [" in powers
    assert "(n = 12 networks;" in powers
    assert cost == (
        "Tuned alike, a success by settling or aiming takes less work than backprop's in 1 of 4 pairs of "
        "rule and task (ep on xor ×0.5 [0.4–0.6]), more in 2 (1 of these never solve it; least chl on xor ×4 "
        "[3–5]), and 1 are not decided (n = 30 networks; of the intervals one misses, 5 % at most)."
    )
    most = "at most as L^1.00 [1.00 to 1.00] (ep, before training) and H^0.50 [0.50 to 0.50] (ep, before"
    assert most in steps
    assert "at least as L^−0.50 [−0.50 to −0.50] (chl, before training); at most 25.0 % [" in steps
    assert steps.endswith(" of the phases do not come to rest (n = 12 networks).")


# Time


def reach(rule, units, lag, tried=8):
    return timed.Reach(units, rule, lag, tried, 20, 20, Interval(10.0, 9.0, 11.0), 0)


def blame_of(units, rate):
    """What is left falls by one factor a step, in every network alike."""
    return blame_by_lag.Left(units, np.broadcast_to(rate ** np.arange(6), (12, 6)))


def memory_of(rule, size, power):
    return growth_in_time.Growth(rule, "memory", size, Interval(*power), 1, 1.0, 2.0)


def forecast_of(units, *errors):
    """Errors at 1, 3 and 12 hours, known to a hundredth."""
    return history.Course(units, (1, 3, 12), 20, tuple(Interval(e, 0.99 * e, 1.01 * e) for e in errors))


def test_of_time_lags_blame_and_history_are_told_with_their_rivals():
    lags = [
        reach("backprop", "tanh", 4), reach("eprop, symmetric", "tanh", 2), reach("uoro", "tanh", 1),
        reach("bptt, window=1", "tanh", 1), reach("backprop", "lstm", 8),
    ]  # fmt: skip
    left = [blame_of("sigmoid", 0.25), blame_of("lstm", 0.9), blame_of("tanh", 0.5)]
    grown = [memory_of("bptt", "T", (1.0, 0.9, 1.1)), memory_of("rtrl", "n", (3.0, 2.9, 3.1))]
    some = [forecast_of("tanh", 0.3, 0.2, 0.2), forecast_of("lstm", 0.3, 0.25, 0.1)]
    far, blame, needed = time.conclusions(lags, left, grown, some)
    assert far == (
        "More than half of the networks learn delayed exclusive or by backprop through time to a lag of 4 "
        "with tanh (2 by eprop, symmetric and 1 by the control) and 8 with lstm; 8 was tried (control: blame "
        "goes no step back; n = 20 networks, Wilson's interval)."
    )
    assert blame == (
        "Before training a step back leaves of blame ×0.25 [0.25–0.25] with sigmoid units to ×0.9 [0.9–0.9] "
        "with lstm units (n = 12 networks); memory grows as T^1.00 [0.90 to 1.10] by bptt and n^3.00 "
        "[2.90 to 3.10] by rtrl."
    )
    assert needed == (
        "A traffic model needs 12 hours of history, the longest tried (lstm, error 0.1 [0.099–0.101]) and "
        "tanh units trained by backprop through time get 3 hours of history (0.2 [0.198–0.202]); lower by "
        "whole intervals are lstm at 12 hours (n = 20 networks)."
    )
    first = [forecast_of("tanh", 0.3, 0.2, 0.2), forecast_of("lstm", 0.1, 0.2, 0.2)]
    assert time.conclusions([], [], [], first)[0].endswith("are lstm at 1 hour (n = 20 networks).")
    ends = [forecast_of("tanh", 0.3, 0.2, 0.2), forecast_of("lstm", 0.1, 0.2, 0.1)]
    assert time.conclusions([], [], [], ends)[0].endswith("are lstm at 1 and 12 hours (n = 20 networks).")


# Length, and nothing


def test_no_conclusion_is_longer_than_its_limit_with_the_longest_names_there_are():
    ratio = Interval(0.01234, 0.01233, 0.01235)
    names = [f"{RULE[:-1]}{i}" for i in range(9)]
    besides = [tuned.Beside(name, f"{TASK[:-1]}{i})", 1000, ratio, True) for i, name in enumerate(names)]
    solving = pd.DataFrame(
        {"task": [b.task for b in besides], "algorithm_name": "backprop", "ert_epochs": 12_345_678.0}
    ).assign(restart_epochs=1234.5, solved=1)
    said = tuned.conclusions(solving, besides)
    pairs = pd.DataFrame([beside("less", 0.01234, name, TASK, 1000) for name in names])
    made = frames(*(cell(name, TASK, outcome, (10,) * 40) for name in names for outcome in ((S,) * 40,)))
    cheap = [compared.Cheapest(TASK, c, names[0], ratio, names[1:]) for c in compared.CURRENCIES]
    said += comparison.conclusions(made.cells.assign(task=TASK, task_name=TASK), pairs, cheap)
    wide = [course(name, task, (4.123, 4.122, 4.124)) for name in names for task in (TASK, TASK + "!", "xor")]
    base = [course("backprop", task, (1.123, 1.122, 1.124)) for task in (TASK, TASK + "!", "xor")]
    said += sensitivity.conclusions([*base, *wide])
    rows = [
        changed("patterns an update", "run.batch", n, (0.1234, 0.1233, 0.1235), "less", "symmetry")
        for n in range(9)
    ]
    rows += [row | {"decided": "more"} for row in rows]
    said += ablations.conclusions(pd.DataFrame(rows), pd.DataFrame())
    cells = pd.DataFrame({"rule": [name for name in names for _ in range(9)]})
    strong = [association(m, "epochs", (0.9, 0.8, 1.0)) for m in MEASURES]
    said += alignment.conclusions(points(lambda i: 1.0), strong, aligned.Exceptions(99, [], cells, cells))
    long = [falls(name, "beta", 1.0, 64) for name in names]
    dear = [costs_of(name, TASK, side) for name in names for side in ((0.01234,) * 3, (1234.5,) * 3)]
    more = [grows(f"{name}, gamma=0.123", size, 1.234) for name in names for size in ("depth", "width")]
    said += settling.conclusions(long, dear, more)
    kinds = ("state_space", "attention", "sigmoid", "diagonal")
    rules = ("backprop", "eprop, symmetric", "bptt, window=1")
    far = [reach(rule, units, 12, 12) for units in kinds for rule in rules]
    left = [blame_of(units, 0.1234) for units in kinds]
    grown = [memory_of(r, s, (-1.23, -1.24, -1.22)) for r in growth_in_time.STATED for s in ("T", "n")]
    wide = [forecast_of(units, 0.1234, 0.1122, 0.1001) for units in kinds]
    said += time.conclusions(far, left, grown, [*wide, forecast_of("tanh", 0.9123, 0.8123, 0.7123)])
    assert len(said) == 3 + 3 + 3 + 1 + 3 + 3 + 3
    assert [text for text in said if len(text) > LONGEST] == []


NOT_LOOKED_AT = credit("shallow", {"total": (1.0,) * 3}, defined=(0,) * 3)
NONE = pd.DataFrame(columns=["task", "id", "replicas", "solved"])


@pytest.mark.parametrize(
    "said",
    [
        lambda: tuned.conclusions(NONE, tuned.beside_backprop(NONE, NONE)),
        lambda: comparison.conclusions(NONE.assign(task_name=[], algorithm_name=[]), pd.DataFrame(), []),
        lambda: sensitivity.conclusions([course("shallow", "xor", (NAN, 0.0, INF), NAN, (INF,) * 3)]),
        lambda: alignment.conclusions(points(lambda i: NAN), [], aligned.Exceptions(0, [], NONE, NONE)),
        lambda: transfer.conclusions(costs([1.0], [NAN]), []),
        lambda: local_minima.conclusions([], pd.DataFrame()),
        lambda: ablations.conclusions(pd.DataFrame(columns=["decided"]), pd.DataFrame()),
        lambda: representations.conclusions([], [], [], []),
        lambda: credit_and_cost.conclusions(NOT_LOOKED_AT, {}, NONE, NONE),
        lambda: shared_weights.conclusions([], [], NONE, NONE),
        lambda: optimisers.conclusions([], [], []),
        lambda: settling.conclusions([], [], []),
        lambda: time.conclusions([], [], [], []),
    ],
    ids=[
        "tuned", "comparison", "sensitivity", "alignment", "transfer", "local_minima", "ablations",
        "representations", "credit_and_cost", "shared_weights",
        "optimisers", "settling", "time",
    ],
)  # fmt: skip
def test_of_nothing_one_sentence_says_that_nothing_is_concluded(said):
    (sentence,) = said()
    assert sentence.startswith("Nothing is concluded: ")
