"""Titles of the figures of notebooks held to made-up frames whose answer is known, as those of a study."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness import plots
from harness.credit.vanishing import Left
from harness.inspection.ends import Kind
from harness.inspection.similarity import compare
from harness.plots.vanishing import vanishing_figure
from harness.replication.verdict import NOT_REPRODUCED, REPRODUCED
from harness.statistics import Interval
from helpers.made_up import credit
from helpers.pages import title

NEVER = np.inf


# Credit


def test_whose_credit_is_nearest_the_gradient_late():
    """Of the last look a tenth of the replicas is left: the one before counts."""
    some = [
        credit("spsa", {"total": (90, 40, 10)}, defined=(20, 20, 2)),
        credit("shallow", {"total": (90, 60, 70)}, defined=(20, 20, 20)),
    ]
    assert title(plots.credit_figure(pd.concat(some))) == (
        "xor: late in training credit is nearest the exact gradient (all weights) for spsa (40°, of 2 rules)"
    )
    assert title(plots.credit_figure(some[1])).endswith("for shallow (70°)")


def test_what_a_layer_leaves_of_credit():
    def left(rate):
        return [Left(depth, np.full(4, rate**depth), 1) for depth in (1, 2, 3)]

    three = {"a": left(0.5), "backprop": left(0.25), "b": left(2.0)}
    assert title(vanishing_figure("", three, False)) == (
        "Credit that a further layer leaves: ×0.25 of backprop's, the least; ×2 of b's, the most"
    )
    assert (
        title(vanishing_figure("", {"a": left(0.5)}, False))
        == "Credit that a further layer leaves: ×0.5 of a's"
    )
    assert title(vanishing_figure("", {"a": left(0.5)[1:2]}, False)) == (
        "With 2 hidden layers the first one's credit is ×0.25 of the last's by a"
    )


def test_what_goes_with_cost():
    row = {"measure": "angle", "outcome": "epochs", "rho": 0.2, "low": -0.1, "high": 0.5, "n": "9 × 3"}
    other = row | {"outcome": "loss", "rho": -0.6, "low": -0.8, "high": -0.1}
    assert title(plots.association_figure(pd.DataFrame([row, other]))) == (
        "Angle goes most with loss, ρ = −0.60; 1 of 2 intervals excludes 0"
    )
    assert title(plots.association_figure(pd.DataFrame([row]))).endswith("none of 1 interval excludes 0")
    nothing = pd.DataFrame([row]).assign(rho=np.nan, low=np.nan, high=np.nan)
    assert title(plots.association_figure(nothing)) == "No correlation is defined"


def test_where_the_cheapest_rule_points():
    rules = pd.DataFrame(
        {
            "rule": ["a", "b", "c"],
            "angle": [10.0, 95.0, 80.0],
            "cost": [1.0, NEVER, NEVER],
            "solved": 3,
            "tasks": 3,
        }
    )
    assert title(plots.alignment_figure(rules)) == (
        "The cheapest rule, a, is at 10°; most tasks are solved by 1 of 2 below 90° and none of 1 from 90° on"
    )
    assert title(plots.alignment_figure(rules[1:])) == "None of 2 rules has a cost on most of its tasks"


# Tasks and ranks


def test_how_many_pairs_of_tasks_agree():
    row = {"one": "xor", "other": "encoder", "tau": 0.5, "low": 0.1, "high": 0.8, "n": 12}
    other = row | {"other": "parity", "tau": -0.5, "low": -0.9, "high": -0.1}
    third = row | {"one": "encoder", "other": "parity", "tau": np.nan, "low": np.nan, "high": np.nan}
    assert title(plots.agreement_figure(pd.DataFrame([row]))) == (
        "1 of 1 pair of tasks ranks rules alike by the whole interval; most xor and encoder, τ = 0.50"
    )
    assert title(plots.agreement_figure(pd.DataFrame([row, other, third]))) == (
        "1 of 2 pairs of tasks ranks rules alike by the whole interval, 1 rank them contrarily; "
        "most xor and encoder, τ = 0.50"
    )
    assert title(plots.agreement_figure(pd.DataFrame([third]))).startswith("No pair of tasks")


def test_who_has_the_best_mean_rank_of_those_on_all_tasks():
    rows = [
        {"rule": rule, "task": task, "rank": rank, "never": False}
        for rule, ranks in {"a": (1.0, 3.0), "b": (3.0, 2.0), "best on one": (0.5,)}.items()
        for task, rank in zip(("xor", "encoder"), ranks, strict=False)
    ]
    assert title(plots.ranks_figure(pd.DataFrame(rows))) == (
        "Of 2 rules on 2 tasks a has the best mean rank, 2.0, b the worst, 2.5"
    )


# Others


def test_who_is_on_a_pareto_front():
    frame = pd.DataFrame(
        {
            "algorithm": ["a", "b", "c"],
            "x": [1.0, 2.0, 3.0],
            "y": [3.0, 1.0, 2.0],
            "replicas": 5,
            "low": 1.0,
            "high": 3.0,
        }
    )
    ends = {"low": "low", "high": "high", "interval": "95 %", "title": "Memory"}
    assert (
        title(plots.pareto_figure(frame, "x", "y", **ends))
        == "Memory: a and b of 3 are beaten by none in both"
    )
    assert (
        title(plots.pareto_figure(frame[:1], "x", "y", **ends)) == "Memory: a of 1 is beaten by none in both"
    )


def test_the_weights_of_symmetry():
    assert title(plots.ratio_figure({"backprop": np.array([[1, 2, 4.0], [1, 2.1, 4.2], [1, 2.2, 4.1]])})) == (
        "In the median unit the weights are as 1 : 2.10 : 4.10 by backprop"
    )
    many = {f"rule {i}": np.array([[1, 2.0 + i, 4.0]]) for i in range(5)}
    assert title(plots.ratio_figure(many)).endswith("as 1 : 2 : 4, within 10 %, with 1 of 5 algorithms")


def test_the_ends_of_stuck_networks_and_claims():
    kind = Kind(np.array([0, 0.5, 0.5, 0]), np.arange(3), 0.25)
    assert title(plots.ends_figure(np.tile([0, 0.5, 0.5, 0], (4, 1)), [kind], 9, "η = .5")) == (
        "η = .5: 75.0 % of 4 stuck networks come to the same end, E = 0.250"
    )
    claims = pd.DataFrame({"source": "PDP", "verdict": [REPRODUCED, REPRODUCED, NOT_REPRODUCED]})
    assert title(plots.verdict_figure(claims)) == f"Of 3 published claims: 2 {REPRODUCED}, 1 {NOT_REPRODUCED}"


def test_which_representations_are_alike():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 20, 4))
    found = compare({"a": a, "b": b, "c": a + 1e-3 * b})
    said = title(plots.similarity_figure(found, "Hidden", ""))
    assert said.startswith("Hidden: most alike are a and c, CKA ")
    assert ", least " in said


def test_nets_are_told_apart_by_intervals_that_do_not_meet():
    def net(**means):
        return {rule: (np.array([m]), Interval(m, m - 0.01, m + 0.01)) for rule, m in means.items()}

    wrong = {"shared": net(a=0.1, b=0.2, c=0.3), "full": net(a=0.2, b=0.205, c=0.1)}
    assert title(plots.layout_figure(wrong)) == (
        "shared is wrong on fewer test images than full with 1 of 3 rules, on more with 1"
    )
    assert title(plots.layout_figure({"full": net(a=0.2, b=0.1)})) == (
        "The fewest test images are wrong by full with b, 10.0 %"
    )
