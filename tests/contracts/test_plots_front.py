"""The front picture held to made-up frames: which rules, in which order, where never stands."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from harness.core.errors import InputError
from harness.drawing.style import logarithmic, styled
from harness.plots.families import FAMILIES, family_of
from harness.plots.front import Mark, front_figure, in_order
from harness.statistics import Interval
from helpers.pages import check_page, said

INF = np.inf


def mark(value: float) -> Mark:
    return Mark(Interval(value, value / 2, 2 * value), 5, 10)


def frames(costs: dict[str, dict[str, list[int]]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replicas and cells: by task and rule the epochs of all replicas, of a budget of 100."""
    replicas, cells = [], []
    for task, rules in costs.items():
        for rule, epochs in rules.items():
            about = {"id": f"{task}-{rule}", "task": task, "algorithm": rule, "algorithm_name": rule}
            cells.append(
                {
                    **about,
                    "epoch_flops": 1000.0,
                    "hidden_units": 512 if "random" in rule else 2,
                    "network_units": 2,
                }
            )
            for spent in epochs:
                outcome = "solved" if spent < 100 else "unsolved"
                replicas.append({**about, "epochs": spent, "outcome": outcome, "budget_epochs": 100})
    return pd.DataFrame(replicas), pd.DataFrame(cells)


def test_rules_stand_by_their_cost_beside_the_best_and_by_how_many_tasks_they_solve() -> None:
    """Ratios to the least by hand: a 1 and 4, geometric mean 2; b 3 and 1, √3; c solves one task alone."""
    marks = {
        "one": {"a": mark(10), "b": mark(30), "c": mark(11), "d": mark(INF)},
        "two": {"a": mark(40), "b": mark(10), "c": mark(INF)},
    }
    assert in_order(marks) == ["b", "a", "c", "d"]


def test_long_names_of_tasks_are_read_apart() -> None:
    """Tasks in unusual forms, as those of the study `time` are: nothing is clipped, and nothing overlaps."""
    forms = [f"delayed_xor (units=state_space, sequences=16, lag={i}, length=16, asked=8)" for i in range(4)]
    rules = ("backprop", "direct_random_target_projection")
    figure = front_figure(*frames({form: {rule: [10, 20, 30] for rule in rules} for form in forms}))
    check_page(figure)
    words = said(figure).replace(" ", "")  # one too long for a line is broken
    assert all(form.replace(" ", "") in words for form in forms)


def test_a_row_a_rule_a_column_a_task_and_never_at_the_edge() -> None:
    costs = {
        "xor": {"backprop": [10, 20, 10, 20], "random_feature_perceptron": [2, 2, 2, 2], "mine": [100] * 4},
        "encoder": {"backprop": [30, 30, 30, 30]},
    }
    figure = front_figure(*frames(costs))
    first, second = figure.axes
    names = [label.get_text() for label in first.get_yticklabels()]
    assert names == ["backprop", "random_feature_perceptron (512 units)", "mine"]
    assert (first.get_title(), second.get_title()) == ("", "")
    assert (first.get_title(loc="left"), second.get_title(loc="left")) == ("xor", "encoder")
    points = {line.get_ydata()[0]: line for line in first.lines if line.get_marker() == "o"}
    assert points[1].get_xdata()[0] == 2 * 1000
    assert set(points) == {0, 1}
    (never,) = [line for line in first.lines if line.get_marker() == ">"]
    assert never.get_ydata()[0] == 2
    assert [line.get_xdata()[0] for line in second.lines if line.get_marker() == "o"] == [30 * 1000]


def test_every_rule_that_comes_with_the_harness_has_a_family() -> None:
    from harness.core import registry

    named = [rule for _, rules in FAMILIES.values() for rule in rules]
    assert len(named) == len(set(named))
    assert set(named) == set(registry.algorithms())
    assert family_of("a rule of mine")[0] == "others"


def test_what_is_left_out_is_counted_and_a_success_may_cost_nothing() -> None:
    costs = {task: {"backprop": [10, 20], "shallow": [0, 0]} for task in ("a", "b", "c", "d", "e")}
    figure = front_figure(*frames(costs))
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["a", "b", "c", "d"]
    said = " ".join(" ".join(text.get_text().split()) for text in figure.texts)
    assert "2 cells are not shown" in said
    figure.canvas.draw()


def test_nothing_counted_is_one_sentence() -> None:
    replicas, cells = frames({"xor": {"backprop": [10, 20]}})
    with pytest.raises(InputError, match="no cell was counted in FLOPs"):
        front_figure(replicas, cells.assign(epoch_flops=np.nan))


@pytest.mark.parametrize(("low", "high"), [(6e8, 1e10), (1, 250), (0.01, 1), (2e5, 3e6), (1, 1e9)])
@pytest.mark.parametrize("inches", [1.3, 2.0, 6.0])
def test_numbers_on_an_axis_do_not_overlap(low: float, high: float, inches: float) -> None:
    """At the size of letters that a page has, and there is a number at all."""
    with styled():
        figure = Figure(figsize=(inches, 1))
        ax = figure.add_axes((0, 0.5, 1, 0.5))
        logarithmic(ax, "x", low, high)
        figure.canvas.draw()
        ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        boxes = [label.get_window_extent() for at, label in ticks if low <= at <= high and label.get_text()]
    assert boxes
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
