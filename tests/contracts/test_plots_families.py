"""Figures of tasks and families held to made-up frames whose arrangement is known: what stands where, what is
black, what fades, and that names at the ends of lines lie on nothing."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from scipy.optimize import isotonic_regression

from harness import plots
from harness.drawing.facets import spread
from harness.drawing.letters import apart, folded, wide
from harness.drawing.style import BLACK, GOES_ON, plain, save
from harness.plots.families import FAMILIES
from helpers.made_up import D, S, U, cell, frames
from helpers.pages import check_page, said, shown

WAYS = FAMILIES["other ways back"][1]
PERTURBED = FAMILIES["perturbation"][1]
EVOLVED = FAMILIES["evolution"][1]


def study(**tasks):
    """Cells by task and rule; each rule's ten replicas end at other epochs."""
    return frames(
        *(
            cell(rule, task, (S,) * 8 + (U,) * 2, (*(5 + i + k for k in range(8)), 100, 100))
            for task, rules in tasks.items()
            for i, rule in enumerate(rules)
        )
    )


MADE = study(xor=["backprop", *WAYS, *PERTURBED, *EVOLVED], encoder=["backprop", *WAYS, "spsa", "mine"])


@pytest.fixture(scope="module", params=["survival", "loss"])
def figure(request):
    return (
        plots.survival_figure(MADE.replicas)
        if request.param == "survival"
        else plots.curve_figure(MADE.curves, MADE.replicas)
    )


def heights(figure):
    return {ax.get_label(): ax.get_position().y0 for ax in figure.axes}


def test_a_column_is_a_task_and_a_row_a_family_and_nothing_is_drawn_where_there_is_no_rule(figure):
    check_page(figure)
    found = {ax.get_label(): list(shown(ax)) for ax in figure.axes}
    assert found == {
        "xor, other ways back": [*WAYS, "backprop"],
        "encoder, other ways back": [*WAYS, "backprop"],
        "xor, perturbation": [*PERTURBED, "backprop"],
        "encoder, perturbation": ["spsa", "backprop"],
        "xor, evolution": [*EVOLVED, "backprop"],
        "encoder, others": ["mine", "backprop"],
    }
    place = {ax.get_label(): ax.get_position() for ax in figure.axes}
    for family in ("other ways back", "perturbation"):
        assert place[f"xor, {family}"].y0 == place[f"encoder, {family}"].y0
    assert len({place[name].x0 for name in place if name.startswith("xor")}) == 1
    for word in ("xor", "encoder", "evolution", "others"):
        assert word in said(figure)


def test_backprop_is_black_and_whole_in_every_panel_and_nothing_else_is(figure):
    for ax in figure.axes:
        black = [name for name, line in shown(ax).items() if to_hex(line.get_color()) == BLACK]
        assert black == ["backprop"]
        colours = [line.get_color() for line in shown(ax).values()]
        assert len(set(colours)) == len(colours)


def test_an_axis_of_epochs_is_shared_by_the_panels_of_a_task(figure):
    for task in ("xor", "encoder"):
        some = [ax for ax in figure.axes if ax.get_label().startswith(task)]
        assert len({ax.get_xlim() for ax in some}) == len({ax.get_ylim() for ax in some}) == 1
        assert [ax.get_xlabel() != "" for ax in some] == [False] * (len(some) - 1) + [True]


def test_there_is_one_legend_and_every_line_has_its_name_at_its_end(figure):
    assert len(figure.legends) == 1
    assert not any(ax.get_legend() for ax in figure.axes)
    for ax in figure.axes:
        names = [re.sub(r"\s", "", text.get_text()) for text in ax.texts]
        for name in shown(ax):
            assert sum(text.startswith(name) for text in names) >= 1
        assert all(text.get_position()[0] > 1 for text in ax.texts)


def test_a_task_of_few_rules_has_one_panel_after_the_others():
    made = frames(study(parity=["backprop", "spsa", "shallow"]), MADE)
    figure = plots.survival_figure(made.replicas)
    check_page(figure)
    (few,) = (ax for ax in figure.axes if ax.get_label().startswith("parity"))
    assert list(shown(few)) == ["spsa", "shallow", "backprop"]
    assert heights(figure)["parity"] == min(heights(figure).values())
    assert len(plots.survival_figure(study(xor=["backprop", *WAYS]).replicas).axes) == 1


def test_without_backprop_no_line_is_black():
    figure = plots.survival_figure(study(xor=[*WAYS, *EVOLVED]).replicas)
    check_page(figure)
    assert not any(line.get_color() == BLACK for ax in figure.axes for line in shown(ax).values())
    assert "backprop" not in said(figure)


def test_a_family_of_many_has_parts_with_backprop_and_the_rest_in_grey():
    mine = [f"rule {i}" for i in range(9)]
    figure = plots.survival_figure(study(xor=["backprop", *mine]).replicas)
    assert [list(shown(ax)) for ax in figure.axes] == [[*mine[:5], "backprop"], [*mine[5:], "backprop"]]
    assert [ax.get_label() for ax in figure.axes] == [f"xor, others, part {i} of 2" for i in (1, 2)]
    assert "Grey: the other algorithms" in said(figure)


# Fading


def parts(ax, name):
    """The line of a rule, and what goes on from it."""
    lines = list(ax.lines)
    i = lines.index(shown(ax)[name])
    return lines[i], [line for line in lines[i + 1 : i + 2] if line.get_label() == GOES_ON]


def test_a_curve_fades_where_fewer_than_ten_replicas_are_left():
    """Of fifteen replicas one solves the task at each of the epochs 11 to 25: nine are left from 16 on."""
    made = cell("backprop", outcome=(S,) * 15, epochs=tuple(range(11, 26)))
    figure = plots.survival_figure(made.replicas)
    strong, (faint,) = parts(figure.axes[0], "backprop")
    assert strong.get_xdata()[-1] == faint.get_xdata()[0] == 16
    assert strong.get_ydata()[-1] == faint.get_ydata()[0] == pytest.approx(9 / 15)
    assert faint.get_linewidth() < strong.get_linewidth()
    assert faint.get_color() == strong.get_color()
    assert said(figure).count("fewer than 10 replicas") == 2, "in the legend, and in the caption"


@pytest.mark.parametrize(
    ("outcome", "epochs", "whole"),
    [
        ((S,) * 9, (20,) * 9, False),  # never ten
        ((U,) * 10, (100,) * 10, True),
        ((D,) * 10, (5,) * 10, True),  # who diverged is there for good
        ((S, *(U,) * 10), (20, *(100,) * 10), True),
    ],
)
def test_a_curve_is_whole_with_ten_and_faint_throughout_with_nine(outcome, epochs, whole):
    line, more = parts(
        plots.survival_figure(cell("spsa", outcome=outcome, epochs=epochs).replicas).axes[0], "spsa"
    )
    assert not more
    assert (line.get_linewidth() > 1) == whole


# Names


SIZES = st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 0.5)), min_size=1, max_size=6)


@given(SIZES)
def test_names_are_spread_as_little_as_they_can_be(some):
    """Far from the ends middles, less what is below them, are SciPy's isotonic regression of those wanted."""
    wanted, tall = np.array(sorted(w for w, _ in some)), np.array([t for _, t in some])
    below = np.cumsum(tall) - tall / 2
    found = spread(wanted, tall, (-100.0, 100.0))
    np.testing.assert_allclose(found - below, isotonic_regression(wanted - below).x, atol=1e-9)
    inside = spread(wanted, tall, (0.0, 10.0))
    for middles in (found, inside):
        assert (np.diff(middles) >= (tall[1:] + tall[:-1]) / 2 - 1e-9).all()
    assert inside[0] - tall[0] / 2 >= -1e-9
    assert inside[-1] + tall[-1] / 2 <= 10 + 1e-9


def test_names_stay_within_the_panel_where_there_is_room():
    assert spread([0.0, 0.0], [0.2, 0.2], (0.0, 1.0)).tolist() == pytest.approx([0.1, 0.3])
    assert spread([1.0, 1.0], [0.2, 0.2], (0.0, 1.0)).tolist() == pytest.approx([0.7, 0.9])
    assert spread([0.5], [0.2], (0.0, 1.0)).tolist() == [0.5]


def test_long_names_are_broken_at_underscores_and_lose_no_letter():
    for text in ("direct_random_target_projection 1/300", "a_b", "x" * 60, "backprop (lr=0.1, momentum=0.9)"):
        lines = folded(text, 1.2, 7.0).split("\n")
        assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    assert folded("direct_feedback_alignment 99/100", 1.2, 7.0).split("\n") == [
        "direct_feedback_",
        "alignment 99/100",
    ]


@given(st.floats(0.1, 1e6), st.floats(4, 1e9), st.floats(1, 5))
def test_numbers_on_an_axis_do_not_touch(low, ratio, room):
    at = apart(low, ratio * low, room, 7.0)
    assert all(low <= x <= ratio * low for x in at)
    ends = [(room * np.log10(x / low) / np.log10(ratio), wide(plain(x), 7.0) / 2) for x in at]
    for (x, half), (other, its_half) in pairwise(ends):
        assert x + half < other - its_half


def test_the_same_frame_makes_the_same_bytes(tmp_path):
    for kind in ("png", "svg", "pdf"):
        one, other = (
            save(plots.survival_figure(MADE.replicas), tmp_path / f"{i}.{kind}", "x").read_bytes()
            for i in (1, 2)
        )
        assert one == other
