"""Representations in words, held to planted networks: 1 : 2 : 4 or not, bits or values between, a unit for a
feature or none."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from harness import plots
from harness.answers import likeness, shares
from harness.answers import representations as found
from harness.answers.conclusions.representations import conclusions
from harness.answers.learners import Learners, learners, learnt, nobody, picture
from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.core.task import Task
from harness.experiment.run import run_cell
from harness.inspection import hidden_units as rep
from harness.results.trained_networks import Networks
from harness.store.store import Store
from harness.tasks.encoder import Encoder
from harness.tasks.family_tree import PEOPLE, FamilyTree
from harness.tasks.symmetry import Symmetry
from helpers.pages import check_page, said, shown

TABLE_5 = np.array(  # PDP vol. 1 ch. 8: codes of the 8-3-8 encoder
    [[0.5, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1], [0, 1, 1], [0.5, 0, 1], [1, 0, 0.5], [0, 0, 0.5]]
)
BITS = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)], float)


def networks(task: Task, replicas: int, seed: int = 0, **columns: Any) -> Networks:
    """Random networks of a task, whose weights may then be planted."""
    net, rng = task.network(), np.random.default_rng(seed)
    params = {key: rng.normal(size=(replicas, *shape)) for key, shape in net.shapes.items()}
    return Networks(task, net, params, {"replica": np.arange(replicas)} | columns, 0)


def planted(some: Networks, **weights: Any) -> Networks:
    """The same with some weights set, by name with _ for -."""
    named = {name.replace("_to_", "-"): w for name, w in weights.items()}
    for key in some.params:
        if key.name in named:
            some.params[key][:] = named.pop(key.name)
    assert not named
    return some


def of(name: str, some: Networks, solved: Any = None, control: bool = False) -> Learners:
    return Learners(
        name, some, np.ones(len(some), bool) if solved is None else np.array(solved, bool), control
    )


# Symmetry


def mirrored(*sizes: float, replicas: int = 1) -> Networks:
    """Networks whose two units weigh three pairs with these sizes, antisymmetric, and are each other's
    opposite."""
    w = np.array([*sizes, *(-s for s in reversed(sizes))])
    return planted(networks(Symmetry(), replicas), input_to_hidden=np.stack([w, -w], axis=1))


def test_the_solution_of_1986_is_found_in_every_replica():
    (text,) = found.symmetry([of("a", mirrored(1.05, -4, 2.1, replicas=30))])
    assert "30 replicas solved" in text
    assert "1 : 2 : 4 within 10 % in 100.0 % [88.6–100.0] of 30: more than half" in text
    assert (
        "over all units the second pair is 2.00 [2.00–2.00] times the smallest, the largest 3.81 [3.81–3.81]"
        in text
    )
    assert "both are antisymmetric in 100.0 %" in text
    assert "opposite signs in 100.0 % [88.6–100.0] of 30 (cosine: median −1.000)" in text


def test_other_solutions_are_not_it():
    """2.3 is not within 10 % of 2; a unit whose weights are symmetric, and a second that is the same, are
    neither of the two."""
    (text,) = found.symmetry([of("a", mirrored(1, 2.3, 4, replicas=30))])
    assert "1 : 2 : 4 within 10 % in 0.0 % [0.0–11.4] of 30: fewer than half" in text
    assert "both are antisymmetric in 100.0 %" in text
    same = planted(networks(Symmetry(), 30), input_to_hidden=np.array([[1, 2, 4, 4, 2, 1]] * 2).T)
    (text,) = found.symmetry([of("a", same)])
    assert "within 10 % in 100.0 %" in text
    assert "both are antisymmetric in 0.0 %" in text
    assert "opposite signs in 0.0 % [0.0–11.4] of 30 (cosine: median 1.000)" in text


def test_one_unit_of_two_is_not_both_and_the_unsolved_are_left_out():
    some = mirrored(1, 2, 4, replicas=10)
    (edge,) = [e for e in some.net.edges if e.target.name == "hidden"]
    some.params[edge][:4, [0, 5], 1] *= 0.3  # the second unit of four of them
    (text,) = found.symmetry([of("a", some)])
    assert "in 60.0 % [31.3–83.2] of 10: whether more than half is not decided" in text
    (text,) = found.symmetry([of("a", some, [False] * 4 + [True] * 6)])
    assert "60.0 % [31.3–83.2] of 10 replicas solved" in text
    assert "in 100.0 % [61.0–100.0] of 6: more than half" in text
    assert found.ratios([of("a", some, [True] * 4 + [False] * 6)])["a"].shape == (8, 3)


def test_who_never_solved_it_is_named_and_a_control_is_not():
    cells = [of("a", mirrored(1, 2, 4)), of("b", mirrored(1, 2, 4, replicas=10), [False] * 10)]
    assert found.symmetry(cells)[1:] == [
        "Not one replica solved it, and there is nothing to look at: b (0.0 % [0.0–27.8] of 10)."
    ]
    assert list(found.ratios(cells)) == ["a"]
    assert [t.name for t in learnt(cells)] == ["a"]
    assert nobody([of("c", mirrored(1, 2, 4), [False], control=True)]) == []


def test_ratios_are_drawn_as_shares_of_all_units():
    ratios = {
        "a": np.array([[1, 2.0, 4.0], [1, 2.0, 4.0], [1, 3.0, 50.0], [np.nan] * 3]),
        "none": np.full((2, 3), np.nan),
    }
    figure = plots.ratio_figure(ratios)
    check_page(figure)
    (ax,) = figure.axes
    assert "a, n = 3 units" in said(figure)
    assert "second pair ÷ smallest median 2.00" in said(figure).replace("\N{NO-BREAK SPACE}", " ")
    low, high = ax.get_xlim()
    assert low < 2 < 4 < high < 50
    assert sorted({line.get_xdata()[0] for line in ax.lines}) == [2.0, 4.0]
    assert shown(ax) == {}
    tops = [patch.get_xy()[:, 1].max() for patch in ax.patches]
    np.testing.assert_allclose(tops, [200 / 3, 200 / 3])
    furthest = ax.patches[1].get_xy()
    assert furthest[furthest[:, 1] > 30][:, 0].max() == pytest.approx(high)  # 50 is in the last bin
    with pytest.raises(InputError, match="no unit has a ratio"):
        plots.ratio_figure({"none": ratios["none"]})


# Encoder


def coding(codes: Any, replicas: int = 20) -> Networks:
    """Networks whose hidden units have these codes (8, 3)."""
    held = np.clip(codes, 1e-4, 1 - 1e-4)
    return planted(networks(Encoder(), replicas), input_to_hidden=np.log(held / (1 - held)), hidden=0.0)


def test_bits_are_told_from_values_between():
    texts = found.encoder([of("bits", coding(BITS)), of("between", coding(TABLE_5 - 0.01))])
    assert (
        "**bits**: some value lies between .2 and .8 in 0.0 % [0.0–16.1] of 20 solved replicas, fewer than "
        "half" in texts[0]
    )
    assert "in 0.0 % [0.0–16.1] of 20, fewer than half." in texts[0]
    assert (
        "**between**: some value lies between .2 and .8 in 100.0 % [83.9–100.0] of 20 solved replicas, more "
        "than half" in texts[1]
    )
    assert "in 100.0 % [83.9–100.0] of 20, more than half." in texts[1]


def test_a_value_between_is_not_always_needed():
    """.6 reads as on: the codes are distinct without it."""
    (text,) = found.encoder([of("a", coding(np.where(BITS > 0.5, 0.6, 0.0)))])
    assert "in 100.0 % [83.9–100.0] of 20 solved replicas, more than half; it is needed" in text
    assert "in 0.0 % [0.0–16.1] of 20, fewer than half." in text


def test_codes_are_counted():
    """Table 5 read as bits, its .5 as off: seven codes, and 4 of 24 values between."""
    some = coding(np.stack([BITS, TABLE_5 - 0.01]), replicas=2)
    frame = found.codes([of("a", some), of("b", some, [True, False]), of("c", some, [False, False])])
    assert frame["algorithm"].tolist() == ["a", "b"]
    assert frame["all codes differ as bits [95 %]"].tolist() == [
        "50.0 % [9.5–90.5] of 2",
        "100.0 % [20.7–100.0] of 1",
    ]
    assert frame["codes that differ as bits, mean [95 %]"][0] == "7.50 [7.00–8.00] of 8"
    assert frame["values in between, mean [95 %]"][0] == "8.3 % [0.0–16.7]"


# Family tree


def people(replicas: int, **features: float) -> Networks:
    """Family trees with random codes of people, but for a unit a feature (named) whose weights are its value
    times so much."""
    some = networks(FamilyTree(), replicas, held_right=np.zeros(replicas))
    (edge,) = [e for e in some.net.edges if e.target.name == "person1_code"]
    for unit, (name, size) in enumerate(features.items()):
        known = [0.5 if value is None else value for value in rep.features()[name]]
        some.params[edge][:, :, unit] = size * (np.array(known) - np.mean(known))
    return some


def test_planted_units_are_found_and_only_they():
    """Random codes separate at p ≤ .01 in 1 of 100; of 40, 4 or more would be 1 in 1,000, and for either of
    two, 1 in 500."""
    rows = {s.feature: s for s in found.separating([of("a", people(40, nationality=3.0))])}
    assert rows["nationality"].some == 40
    assert rows["nationality"].ratio == pytest.approx(1.0)
    assert rows["nationality"].word == "more"
    assert max(rows[name].some for name in ("generation", "branch")) < 4
    rows = {s.feature: s for s in found.separating([of("a", people(3, generation=3.0, branch=-3.0))], 199)}
    assert [rows[name].some for name in ("generation", "branch")] == [3, 3]


def test_random_codes_separate_as_often_as_chance_has_it():
    """Of 400 replicas 4 are expected for each of three features, with standard deviation √(400 · .01 + (400 ·
    .003)²) = 2.3: the level of 999 permutations, the same for all replicas, is itself .010 ± .003. So more
    than 14, or none of any: below 10⁻³."""
    rows = found.separating([of("shallow", people(400), [False] * 400, control=True)])
    assert [s.replicas for s in rows] == [400] * 3
    assert all(s.some <= 14 for s in rows)
    assert sum(s.some for s in rows) > 0


@pytest.mark.parametrize(("some", "n", "word"), [(4, 40, "more"), (1, 100, "undecided"), (0, 1000, "fewer")])
def test_beside_chance_by_the_whole_interval(some, n, word):
    t = of("a", people(1))
    s = found.Separating(t, "branch", n, some, 0.3)
    assert s.word == word
    (text,) = found.separation_verdict([s])
    words = {
        "more": "More replicas than chance has: branch",
        "undecided": "Not told apart from chance: ",
        "fewer": "Fewer: ",
    }
    assert words[word] in text


def test_only_solved_replicas_have_a_say_but_for_the_control():
    some = people(6, nationality=3.0)
    cells = [
        of("a", some, [True] * 2 + [False] * 4),
        of("b", some, [False] * 6),
        of("shallow", some, [False] * 6, control=True),
    ]
    rows = found.separating(cells, 99)
    assert [(s.t.name, s.replicas) for s in rows[::3]] == [("a", 2), ("shallow", 6)]
    frame = found.separation_texts(rows)
    assert frame["algorithm"].tolist() == ["a", "shallow (control: random codes)"]
    assert frame["η², nationality"].tolist() == ["1.00", "1.00"]
    assert frame["nationality [95 %]"][0] == "100.0 % [34.2–100.0] of 2"
    assert "shallow, the control" in found.separation_verdict(rows)[1]


def test_a_persons_code_is_the_activity_for_that_person():
    some = people(2, nationality=3.0)
    (edge,) = [e for e in some.net.edges if e.target.name == "person1_code"]
    (group,) = [g for g in some.net.groups if g.name == "person1_code"]
    expected = 1 / (1 + np.exp(-(some.params[edge] + some.params[group])))
    assert expected.shape == (2, len(PEOPLE), 6)
    np.testing.assert_allclose(found.person_code(some), expected)


# What was held out


def right(name: str, shares_right: Any, solved: Any = None, control: bool = False) -> Learners:
    values = np.array(shares_right, float)
    return of(name, networks(FamilyTree(), len(values), held_right=values), solved, control)


def test_held_out_pairs_are_counted_over_the_splits():
    cells = [
        right("backprop", [1, 0.5, 0.5, 0], [True, True, True, False]),
        right("shallow", [0] * 4, [False] * 4, control=True),
    ]
    frame = found.held_out(cells)
    assert frame["algorithm"].tolist() == ["backprop", "shallow (control)"]
    assert frame["held-out right, of the solved [95 %]"].tolist() == ["66.7 % [50.0–100.0]", "–"]
    assert frame["of all"].tolist() == ["50.0 % [12.5–87.5]", "0.0 % [0.0–49.0]"]
    assert frame["all held-out right, of the solved [95 %]"].tolist() == ["33.3 % [6.1–79.2] of 3", "– of 0"]


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ([0.75] * 20, "**more** right, +50.0 %"),
        ([0.0] * 20, "**fewer** right, −25.0 %"),
        ([0, 0.5] * 10, "**not decided** whether"),
    ],
)
def test_algorithms_are_compared_on_the_same_splits(other, word):
    texts = found.generalisation(
        [right("a", other), right("backprop", [0.25] * 20), right("shallow", [0] * 20, [False] * 20, True)]
    )
    assert len(texts) == 3
    assert texts[2].startswith("a beside backprop, on the 20 splits that both solved: ")
    assert word in texts[2]


def test_only_splits_that_both_solved_are_compared():
    one, other = right("a", [1, 1, 0, 0], [1, 1, 0, 1]), right("backprop", [0, 0, 1, 1], [1, 1, 1, 0])
    texts = found.generalisation([other, one, right("never", [0, 0], [0, 0])])
    assert "on the 2 splits that both solved: **more** right, +100.0 %" in texts[2]
    assert texts[3].startswith("Not one replica solved it")


# Its three sentences


def test_the_conclusions_are_of_those_that_solved_and_backprop_comes_first():
    """One of ten networks is not 1 : 2 : 4; Table 5 needs its values between, bits do not."""
    some = mirrored(1, 2, 4, replicas=10)
    (edge,) = [e for e in some.net.edges if e.target.name == "hidden"]
    some.params[edge][:1, [0, 5], 1] *= 0.3
    symmetry = [of("kp", mirrored(1, 1, 1)), of("backprop", some)]
    encoder = [of("backprop", coding(BITS)), of("fa", coding(TABLE_5 - 0.01))]
    tree = [
        right("never", [0] * 4, [False] * 4),
        right("backprop", [0.25, 0.5, 0.5, 0], [True] * 3 + [False]),
    ]
    features = [
        found.Separating(tree[1], "branch", 3, 3, 0.9),
        found.Separating(tree[0], "branch", 4, 1, 0.1),
    ]
    first, second, third = conclusions(symmetry, encoder, tree, features)
    assert first == (
        "Of the networks that solved symmetry both hidden units are 1 : 2 : 4, within 10 %, in "
        "90.0 % [59.6–98.2] of 10 (backprop) and 0.0 % [0.0–79.3] of 1 (kp)."
    )
    assert "are 0.0 % [0.0–16.1] of 20 (backprop, fewer than half) and 100.0 %" in second
    assert "separates branch in 100.0 % [43.9–100.0] of 3 replicas" in third
    assert "of the held-out pairs 41.7 % [25.0–50.0] are right (n = 3 splits)" in third


# Likeness


def test_networks_of_one_solution_are_alike_and_random_ones_are_not():
    """Twenty networks on the weights of one, a tenth of noise on them, in two cells; random ones are the
    control."""
    base = networks(FamilyTree(), 1, seed=5)
    cells = []
    for seed, name in enumerate(("a", "b")):
        some = networks(FamilyTree(), 10, seed=seed)
        params = {key: 3 * base.params[key] + 0.1 * w for key, w in some.params.items()}
        cells.append(of(name, Networks(some.task, some.net, params, some.replicas, 0)))
    cells.append(of("shallow", networks(FamilyTree(), 40, seed=7), [False] * 40, control=True))
    cells.append(of("never", networks(FamilyTree(), 3, seed=8), [False] * 3))
    alike = likeness.of(cells)
    assert alike.names == ("a", "b", "shallow")
    assert alike.pairs[2, 2] == likeness.COMPARED * (likeness.COMPARED - 1) / 2
    assert alike.mean[0, 1] > 0.9 > 0.6 > alike.mean[0, 2]
    texts = likeness.verdict(alike)
    assert "pairs of replicas): a and b, " in texts[0]
    assert "least: " in texts[0]
    assert "shallow" in texts[0].split("least: ")[1]
    assert "Replicas of one algorithm with each other: a 0.9" in texts[1] or "a 1.0" in texts[1]
    assert likeness.verdict(likeness.of(cells[:1])) == ["There are no two algorithms to compare."]


# From records


def test_records_become_cells_with_their_names(store: Store):
    """Of ten encoders in 900 epochs some are solved (n at the usual rate, median 600); in two epochs none,
    nor by the control."""
    records = []
    for name, task, epochs in (
        ("backprop", {"name": "encoder"}, 2),
        ("backprop", {"name": "encoder", "hidden": 4}, 900),
        ("shallow", {"name": "encoder"}, 2),
        ("backprop", {"name": "family_tree", "target_off": 0.0, "target_on": 1.0, "margin": 0.2}, 1),
        ("backprop", {"name": "family_tree", "target_off": 0.0, "target_on": 1.0, "margin": 0.3}, 1),
    ):
        made = Cell.of({"name": name}, task, {"replicas": 10, "epochs": epochs})
        records.append(store.write(made, run_cell(made.algorithm, made.task, made.settings)))
    some = learners(records, "encoder")
    assert [t.name for t in some] == ["backprop", "backprop (hidden=4)", "shallow"]
    assert [t.control for t in some] == [False, False, True]
    assert some[1].solved.any()
    assert [len(t.looked_at) for t in some] == [0, int(some[1].solved.sum()), 10]
    assert picture(records, "encoder") is records[1]
    assert picture(records, "family_tree") is None
    assert learners(records, "family_tree")[0].name == "backprop, adapted recipe"
    assert learners(records, "family_tree")[1].name.startswith("backprop (target_off=0")
    assert learners(records, "symmetry") == []


# Shares


def test_shares_have_wilsons_interval():
    low, high = (100 * end for end in binomtest(19, 20).proportion_ci(method="wilson"))
    assert shares.share(19, 20) == f"95.0 % [{low:.1f}–{high:.1f}] of 20"
    assert shares.share(0, 0) == "– of 0"


@pytest.mark.parametrize(
    ("some", "word"),
    [(20, "more than half"), (0, "fewer than half"), (10, "whether more than half is not decided")],
)
def test_half_by_the_whole_interval(some, word):
    """A share is called more or fewer than half only if all of its interval is; else not decided."""
    assert shares.half(some, 20) == word


def test_the_interval_of_a_mean_covers_it():
    """Means of 40 shares in quarters, truth .5 by symmetry: of 300 trials at 95 % at least 270 cover; fewer:
    odds below 10⁻³."""
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(300):
        _, low, high = shares.mean(rng.integers(0, 5, 40) / 4, seed=trial, resamples=400)
        hits += low <= 0.5 <= high
    assert 270 <= hits < 300


def test_the_same_in_all_replicas_is_not_certainty():
    low, high = (float(end) for end in binomtest(0, 8).proportion_ci(method="wilson"))
    assert shares.mean([0.0] * 8) == pytest.approx((0.0, low, high))
    assert np.isnan(shares.mean([]).value)
    assert shares.mean([])[1:] == (0.0, 1.0)
    assert shares.percents(shares.mean([])) == "– [0.0–100.0]"


def test_the_same_difference_in_all_pairs_is_not_certainty():
    """Tango's interval where no pair differs, ± z² / (n + z²), about what all of eight differ by."""
    z = NormalDist().inv_cdf(0.975)
    reach = z**2 / (8 + z**2)
    assert shares.difference([0.75] * 8, [0.5] * 8) == pytest.approx((0.25, 0.25 - reach, 0.25 + reach))


def test_the_order_of_replicas_does_not_matter():
    values = np.random.default_rng(2).random(15)
    assert shares.mean(values) == shares.mean(values[::-1])
    assert shares.difference(values, 0 * values) == pytest.approx(shares.mean(values))


def test_one_pair_says_nothing_of_a_difference():
    assert shares.difference([1.0], [0.25]) == (0.75, -1.0, 1.0)
    assert shares.points(shares.difference([1.0], [0.25])) == "+75.0 % [−100.0 to +100.0]"
    assert np.isnan(shares.difference([], []).value)
