"""Findings on shifted traffic held to made-up networks whose order is planted, and to a few real ones."""

from __future__ import annotations

import numpy as np
import pytest

from harness import plots
from harness.answers import shift
from harness.answers.conclusions import LONGEST
from harness.answers.conclusions.shift import conclusions
from harness.answers.shift import MEASURES, WITHIN, Kept, Read
from harness.core.errors import InputError
from harness.core.rand import NOISE, Rand
from harness.inspection import shifted
from harness.results.trained_networks import Networks
from harness.tasks.traffic import Traffic
from helpers.pages import check_page, title

N = 30


def planted(sign=1, rules=5):
    """Within a rule the sharper lose more (or less); rules differ in nothing but their level."""
    rng = np.random.default_rng(0)
    kept = []
    for i in range(rules):
        sharp = np.exp(rng.normal(size=N)) + 1
        lost = {"level": sign * sharp / 10 + 0.1 * i, "season": rng.normal(size=N)}
        before = 0.1 + 0.01 * rng.random(N)
        kept.append(Kept(f"rule{i}", before, lost, dict.fromkeys(MEASURES, sharp), 0.2, i % 2))
    return kept


@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_order_is_found_within_rules_and_noise_is_not(sign):
    found = shift.associations(planted(sign))
    assert len(found) == 2 * 2 * 2
    level = [f for f in found if f.shift == "level" and f.over == WITHIN]
    assert [f.rho.value for f in level] == pytest.approx([sign, sign])
    better, worse, undecided = shift.decided(found, WITHIN)
    assert [len(better), len(worse), len(undecided)] == ([2, 0, 2] if sign > 0 else [0, 2, 2])
    assert found[0].n == 5 * N


def test_shift_in_words():
    kept = planted()
    found = shift.associations(kept)
    said = "\n".join(shift.said(Read(kept, ["delta_rule"]), found))
    assert "largest eigenvalue, level: 1.00 [" in said
    assert "n = 150 networks of 5 rules" in said
    assert "reaches ± 20 % of it at most" in said
    assert "Networks that diverged have no minimum, and are left out: rule1 1 and rule3 1." in said
    assert said.endswith("not those of the task's network: delta_rule.")
    within, across, costs = conclusions(kept, found)
    assert "Within rules, sometimes: in 2 of 4 pairs of sharpness and change they do, in 0 sharp" in within
    assert "Across rules, given the NRMSE before, " in across
    assert "(n = 30 networks × 5 rules)" in within
    assert "the NRMSE" not in costs[:5]
    assert "(level)" in costs
    assert max(map(len, (within, across, costs))) <= LONGEST


def test_of_nothing_nothing_is_said_or_drawn():
    assert shift.associations([]) == []
    assert shift.said(Read([], []), []) == ["No trained network was looked at."]
    assert conclusions([], [])[0].startswith("Nothing is concluded: ")
    with pytest.raises(InputError, match="nothing to draw"):
        shift.drawn([])


def test_the_figure_has_a_panel_for_each_change_and_the_table_a_row_for_each_rule():
    kept = planted()
    figure = plots.shift_figure(shift.drawn(kept))
    check_page(figure)
    assert len(figure.axes) == 2
    assert title(figure).startswith("Where rule")
    assert len(shift.texts(kept)) == 5


def test_networks_on_traffic_have_a_sharpness_and_lose_what_the_shifted_weeks_say():
    task, rand = Traffic(hidden=3, layers=1), Rand(0, [0, 1, 2], NOISE)
    net = task.network()
    params = {key: rand.uniform(*shape) - 0.5 for key, shape in net.shapes.items()}
    nets = Networks(task, net, params, {"replica": np.arange(3)}, 0)
    some = shift.measured("backprop", nets, 1)
    assert (some.rule, some.diverged, some.before.shape) == ("backprop", 1, (3,))
    assert list(some.lost) == [s.name for s in shifted.USUAL]
    assert (some.sharp["largest"] > 0).all()
    x, target = shifted.held_out(task, shifted.USUAL[1])
    now = np.sqrt(((net.respond(params, x) - target) ** 2).mean(axis=(1, 2)))
    assert some.lost[shifted.USUAL[1].name] == pytest.approx(now - some.before)
