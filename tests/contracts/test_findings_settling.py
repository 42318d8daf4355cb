"""Findings on settling held to made-up records whose powers and factors are planted, and their figures to
what they were given."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import plots
from harness.answers import credit_errors, near_gradient, settling, settling_steps
from harness.core.errors import InputError
from harness.credit.compare import align
from helpers.made_up import S, U, cell, frames
from helpers.pages import check_page, said, shown, title

N = 12
DRAWN = np.random.default_rng(0)
SCATTER = np.exp(DRAWN.normal(0, 1, N))  # each network's own factor: a power must not see it
FREE = "the loss at rest"


# The error of a credit


@given(st.integers(0, 2**32 - 1), st.floats(1e-8, 1e3))
def test_the_error_is_the_length_of_the_difference_over_that_of_the_gradient(seed, apart):
    rng = np.random.default_rng(seed)
    gradient, change = rng.normal(size=(2, 3, 7))
    found = align(gradient + apart * change, gradient)
    probes = {"ratio/total": found.ratio[:, None], "angle/total": found.angle[:, None]}
    expected = apart * np.linalg.norm(change, axis=-1) / np.linalg.norm(gradient, axis=-1)
    assert credit_errors.error(probes) == pytest.approx(expected, rel=1e-6, abs=1e-15)


def test_no_credit_is_off_by_the_whole_gradient_and_no_gradient_by_nothing_known():
    probes = {"ratio/total": np.array([[0.0], [np.nan]]), "angle/total": np.full((2, 1), np.nan)}
    assert credit_errors.error(probes) == pytest.approx([1.0, np.nan], nan_ok=True)


def probed(rule, errors, reference="", to_backprop=None, task="parity", **settings):
    """A record whose credit is as long as the gradient times 1 + its error, and points along it."""
    looks = {"ratio/total": 1 + np.asarray(errors)[:, None], "angle/total": np.zeros((len(errors), 1))}
    if to_backprop is not None:
        looks["backprop/total"] = np.asarray(to_backprop, float)[:, None]
    return SimpleNamespace(
        meta={
            "algorithm": {"name": rule, "optimiser": {"name": "adam", "lr": 0.1}, **settings},
            "task": {"name": task},
            "ran": {"reference": reference} if reference else {},
        },
        probes=looks,
    )


BETAS = (0.01, 0.03, 0.1, 1.0, 10.0)


def by_beta(points, power, scale=1.0, floor=0.0):
    """errors c scale β^power, but never below a floor"""
    return [
        probed(
            "ep", np.maximum(0.01 * scale * SCATTER * beta**power, floor), FREE, np.full(N, 20.0),
            beta=beta, points=points, tolerance=0.0, steps=100, steps_taught=100,
        )
        for beta in BETAS
    ]  # fmt: skip


def by_steps(rate=0.5, left=1e-5, rule="ep", **settings):
    return [
        probed(
            rule, np.maximum(SCATTER * rate**steps, left * SCATTER), FREE,
            steps=steps, steps_taught=steps, tolerance=0.0, **settings,
        )
        for steps in (2, 4, 8, 12, 16, 32, 64)
    ]  # fmt: skip


def test_the_planted_power_is_found_and_points_beyond_the_fit_do_not_count():
    (one,) = credit_errors.courses(by_beta(1, 1.0))
    (four,) = credit_errors.courses(by_beta(4, 4.0, floor=1e-10))
    assert credit_errors.power(one) == pytest.approx((1.0, 1.0, 1.0))
    assert credit_errors.power(four) == pytest.approx((4.0, 4.0, 4.0))
    assert credit_errors.fitted(four).tolist() == [False, True, True, True, False]
    assert (one.stated, four.stated) == (1.0, 4.0)
    assert all(credit_errors.agrees(c, credit_errors.power(c)) for c in (one, four))
    assert (one.name, four.name) == ("ep, points=1", "ep, points=4")
    (few,) = credit_errors.courses(by_beta(2, 8.0))
    assert credit_errors.fitted(few).sum() == 1
    assert np.isnan(credit_errors.power(few).value)
    assert "ep, points=2: too few values of β to fit" in near_gradient.said([few])[0]


def test_the_planted_factor_of_a_step_and_the_first_number_that_is_enough():
    (course,) = credit_errors.courses(by_steps(beta=0.01, points=1))
    assert credit_errors.power(course) == pytest.approx((0.5, 0.5, 0.5))
    assert credit_errors.enough(course) == 16, "2⁻¹⁶ is below 2e-5, 2⁻¹² is not"
    assert course.name == "ep, points=1, beta=0.01"
    assert np.isnan(course.stated)


def test_a_course_is_of_cells_that_differ_in_one_setting_and_has_three_values():
    some = [*by_beta(1, 1.0), *by_beta(2, 2.0), *by_steps(beta=0.01, points=1)]
    found = credit_errors.courses(some)
    assert [(c.setting, len(c.values)) for c in found] == [("beta", 5), ("beta", 5), ("steps", 8)]
    assert found[2].values.tolist() == [2, 4, 8, 12, 16, 32, 64, 100], "that of the nudge has as many steps"
    assert credit_errors.courses(some[:2]) == []
    other = [probed("ep", SCATTER, beta=0.5, points=1, tolerance=1e-3, steps=100, steps_taught=100)]
    assert len(credit_errors.courses([*by_beta(1, 1.0), *other])[0].values) == 5, "another tolerance"
    unprobed = SimpleNamespace(meta=some[0].meta, probes={})
    assert credit_errors.courses([unprobed] * 5) == []


def test_how_near_in_words():
    some = [
        *by_beta(1, 1.0),
        *by_beta(2, 2.0, scale=3.0),  # less than one point's below β = 1/3
        *(probed("chl", 0.01 * SCATTER * g**1.5, gamma=g) for g in (0.01, 0.1, 1.0)),
        *by_steps(rule="pc", energy_weight=0.1),
    ]
    courses = credit_errors.courses(some)
    powers, nudges, steps, gradients = near_gradient.said(courses)
    assert f"the median slope over {N} networks" in powers
    assert "\n  - ep, points=1: β to the power 1.00 [1.00 to 1.00], stated 1, from 0.01 to 1" in powers
    assert "ep, points=2: β to the power 2.00 [2.00 to 2.00], stated 2, from" in powers
    assert "chl: γ to the power 1.50 [1.50 to 1.50], stated 1, **beyond** (±0.1), from" in powers
    assert nudges.endswith("2 points: β = 1, an error of " + nudges.split("an error of ")[1])
    assert nudges.endswith("×3 [3–3]")
    assert "\n  - pc, energy_weight=0.1: 16, with" in steps
    assert steps.endswith("till then a step multiplies it by 0.5 [0.5–0.5]")
    assert f"of {FREE}, for ep and pc" in gradients
    assert "20 [20–20]° from backprop's gradient" in gradients
    assert f"of {credit_errors.LOSS}, for chl" in gradients
    near = near_gradient.said(credit_errors.courses([*by_beta(1, 1.0), *by_beta(2, 2.0, scale=1e-4)]))
    assert near[1].endswith("2 points: at no β to 10")
    assert near_gradient.said([]) == ["No credit was looked at over the values of a setting."]


def test_a_wide_interval_decides_nothing():
    tilt = np.linspace(0.8, 1.2, N)  # each network has a power of its own
    some = [probed("chl", 0.01 * g**tilt, gamma=g) for g in (0.01, 0.1, 1.0)]
    (course,) = credit_errors.courses(some)
    power = credit_errors.power(course)
    assert power.value == pytest.approx(1.0)
    assert (power.low, power.high) == pytest.approx((tilt[2], tilt[9])), "ranks 3 and 10 of 12"
    assert not credit_errors.agrees(course, power)
    assert "**not decided** (±0.1)" in near_gradient.said([course])[0]


def test_the_table_of_errors_and_their_figure():
    courses = credit_errors.courses([*by_beta(1, 1.0), *by_beta(4, 4.0), *by_steps(beta=0.01, points=1)])
    table = near_gradient.texts(courses)
    assert list(table.columns[:4]) == ["credit", "setting", "power [95 % of all]", "stated"]
    assert list(table.columns[4:]) == ["0.01", "0.1", "1", "10"], "tenths: not .03"
    assert table["credit"].tolist() == ["ep, points=1", "ep, points=4"]
    middle = 0.01 * float(np.median(SCATTER))
    assert float(table["1"][0]) == pytest.approx(middle, rel=0.01)
    figure = plots.error_figure(near_gradient.points(courses))
    check_page(figure)
    assert title(figure) == (
        "The error of a credit falls as the power that theory states, to within 0.1, in 2 of 2 lines"
    )
    first, steps = figure.axes
    assert "∝ β^4.00 [4.00–4.00], stated 4" in said(figure)
    assert "× 0.50 [0.50–0.50] a step" in said(figure)
    line = shown(first)["ep, points=4"]
    assert line.get_xdata().tolist() == list(BETAS)
    assert line.get_ydata() == pytest.approx(middle * np.array(BETAS) ** 4)
    assert list(shown(steps)) == ["ep, points=1, beta=0.01"]
    far = plots.error_figure(near_gradient.points(credit_errors.courses(by_beta(2, 3.0))))
    assert title(far).endswith("in 0 of 1 line")
    unfitted = credit_errors.courses(by_steps(beta=0.01, points=1))
    assert title(plots.error_figure(near_gradient.points(unfitted))) == "No error has a power to fit"
    with pytest.raises(InputError, match="nothing to draw"):
        near_gradient.points([])
    with pytest.raises(InputError, match="there is no error to draw"):
        plots.error_figure(near_gradient.points(courses)[:0])


# Steps


def chain(depth, width, steps, unsettled=0.0, epochs=1, **settings):
    n = len(SCATTER)
    return SimpleNamespace(
        meta={
            "algorithm": {"name": "ep", "steps": 200, **settings},
            "task": {"name": "deep_chain", "depth": depth, "width": width, "scale": 1 / np.sqrt(width)},
            "run": {"epochs": epochs, "probe": 0},
        },
        replicas={
            "settling_steps": np.broadcast_to(steps, n),
            "unsettled": np.broadcast_to(unsettled, n),
        },
    )


def grown():
    """Steps ∝ L² and ∝ √H; a quarter of the phases of half of the networks of 4 layers find no rest."""
    deep = [chain(d, 16, 2 * SCATTER * d**2, 0.25 * (np.arange(N) % 2) * (d == 4)) for d in (1, 2, 4)]
    wide = [chain(2, w, 2 * SCATTER * w**0.5) for w in (4, 64)]
    later = [chain(d, 16, 5.0 / d**0.5, epochs=50, gamma=0.1) for d in (1, 2, 4)]
    return [*deep, *wide, *later]


def test_the_planted_exponents_of_depth_and_width():
    deep, later, wide = settling_steps.courses(grown())
    assert (deep.name, later.name) == ("ep, before training", "ep, gamma=0.1, in 50 epochs")
    assert settling_steps.exponent(deep) == pytest.approx((2.0, 2.0, 2.0))
    assert settling_steps.exponent(later) == pytest.approx((-0.5, -0.5, -0.5))
    assert (deep.fixed, wide.fixed) == ("16 units in each hidden layer", "2 hidden layers")
    assert wide.values.tolist() == [4, 16, 64], "initial weights go with the width, and do not part them"
    probed = [
        SimpleNamespace(meta=r.meta | {"run": {"epochs": 1, "probe": 1}}, replicas=r.replicas)
        for r in grown()
    ]
    assert settling_steps.courses(probed) == [], "of another part of the study"


def test_steps_in_words_and_tables():
    courses = settling_steps.courses(grown())
    depth, width, restless = settling_steps.said(courses)
    assert f"With 16 units in each hidden layer, the median over {N} networks" in depth
    later = "ep, gamma=0.1, in 50 epochs: 5 [5–5] at 1, 2.5 [2.5–2.5] at 4; L to the power −0.50 ["
    assert later in depth
    assert "at 4; L to the power 2.00 [2.00 to 2.00]" in depth
    assert "ep, before training: " in width
    assert "the cap of 200 steps" in restless
    assert "ep, before training: at most 12.5 % [" in restless
    assert ", of 4 hidden layers" in restless
    assert "not one of ep, gamma=0.1, in 50 epochs (0.0 % [0.0–24.2] of 12)" in restless
    tables = settling_steps.tables(courses)
    assert [list(t.columns[1:]) for t in tables] == [["1", "2", "4"], ["4", "16", "64"]]
    assert tables[0]["1"][1] == "5 [5–5]; 0.0 % [0.0–24.2]"
    assert settling_steps.said([]) == ["No network was settled at several sizes."]
    assert settling_steps.tables([]) == []


def test_the_figure_of_steps_has_a_line_for_each_and_says_who_grows_most():
    figure = plots.steps_figure(settling_steps.points(settling_steps.courses(grown())))
    check_page(figure)
    assert title(figure).startswith("The steps of a phase grow at most as L^2.00 with hidden layers and H^")
    assert shown(figure.axes[0])["ep, before training"].get_ydata() == pytest.approx(
        2 * np.median(SCATTER) * np.array([1, 4, 16])
    )
    assert "at most 12.5 % of those of a point" in said(figure)
    with pytest.raises(InputError, match="nothing to draw"):
        settling_steps.points([])


# Cost


def tuned():
    """Half of backprop's epochs at ten times its price: five times the work. Others are of other parts."""
    all_of, here = (20,) * 40, {"run.probe": 0.0}
    taken = {"settling_steps_mean": 7.5, "unsettled_mean": 0.25}
    caps = {"algorithm.steps": 20.0, "algorithm.steps_taught": 10.0}
    made = frames(
        cell("backprop", "xor", (S,) * 40, all_of, update_flops=100.0, restart_epochs=20.0, **here),
        cell(
            "ep", "xor", (S,) * 40, (10,) * 40, update_flops=1000.0, restart_epochs=10.0,
            **here, **taken, **caps,
        ),
        cell("shallow", "xor", (U,) * 40, all_of, update_flops=50.0, restart_epochs=np.inf, **here),
        cell("ep (beta=1)", "parity (layers=2)", **{"run.probe": 1.0}),
        cell("ep (lr=.1)", "deep_chain (depth=3)", **here),
    )  # fmt: skip
    cells = settling.learning(made.cells)
    return cells, settling.of_learning(made.replicas, cells)


def test_costs_are_of_the_cells_that_learn_beside_backprops():
    cells, replicas = tuned()
    assert cells["algorithm"].tolist() == ["backprop", "ep", "shallow"]
    assert set(replicas["task"]) == {"xor"}
    base, ep, shallow = settling.costs(cells, replicas)
    assert np.isnan(base.ratio.value)
    assert ep.ratio.value == pytest.approx(5)
    assert (ep.solved, ep.n, ep.epochs) == (40, 40, 10)
    assert (ep.steps, ep.caps, ep.unsettled) == (7.5, "20 and 10", 0.25)
    assert shallow.ratio.value == np.inf
    assert np.isnan(shallow.steps)


def test_costs_in_words_and_their_table():
    cells, replicas = tuned()
    costs = settling.costs(cells, replicas)
    xor, taken = settling.said(costs)
    assert "**xor**, work of a success beside backprop's; it solves 100.0 % [91.2–100.0] of 40:" in xor
    assert "\n  - more: ep ×5 [" in xor
    assert "\n  - never solved by shallow (0.0 % [0.0–8.8] of 40)" in xor
    assert "ep, of at most 20 and 10: 7.5 on xor (25.0 % not at rest)" in taken
    table = settling.texts(costs).set_index("rule")
    assert table.index.tolist() == ["ep", "backprop", "shallow"], "the cheapest in epochs first"
    assert table["work ÷ backprop's [95 % of all]"]["backprop"] == "1"
    assert table["steps of a phase"].tolist() == ["7.5 of 20 and 10", "–", "–"]
    alone = settling.said([c for c in costs if c.rule == "ep"])
    assert "which was not run" in alone[0]
    assert settling.said([]) == []
