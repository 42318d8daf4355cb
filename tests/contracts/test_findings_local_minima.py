"""Local minima in words, held to planted networks: a valley, a slope, a saddle and PDP's Fig. 5, and to pairs
counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from harness import plots
from harness.answers import escapes
from harness.answers import local_minima as lm
from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.experiment.run import run_cell
from harness.inspection import ends as minima
from harness.results.trained_networks import Networks
from harness.store.store import Store
from harness.tasks.xor import Xor
from helpers.made_up import D, S, U, cell, frames
from helpers.pages import check_page, said

FIG_5: dict[str, Any] = {  # PDP vol. 1 ch. 8: the printed weights
    "input-hidden": [[-2.0, 4.3], [9.2, 8.8]],
    "hidden-output": [[-4.5], [5.3]],
    "hidden": [[2.0, -0.1]],
    "output": [[-0.8]],
}
VALLEY: dict[str, Any] = {  # saturated: h₁ is off for 10 alone, h₂ for 00 alone; outputs 0, ½, 1, ½ and E = ¼
    "input-hidden": [[-60.0, 40.0], [80.0, 40.0]],
    "hidden-output": [[-20.0], [30.0]],
    "hidden": [[20.0, -20.0]],
    "output": [[-10.0]],
}
# deaf to the second input and to its hidden units: outputs ½, no slope, and down if both weights change
SADDLE: dict[str, Any] = {
    "input-hidden": [[2.0, 2.0], [0.0, 0.0]],
    "hidden-output": [[0.0], [0.0]],
    "hidden": [[0.0, 0.0]],
    "output": [[0.0]],
}
BLIND: dict[str, Any] = SADDLE | {"output": [[np.log(2)]]}  # every output ⅔: E = ½ (2 · 1/9 + 2 · 4/9)


def stuck(*weights: dict[str, Any], replicas: Any = None, error: Any = None) -> Networks:
    """Networks with these weights, as numbers `replicas`; their E is worked out unless given."""
    task = Xor()
    net = task.network()
    params = {
        key: np.array([np.array(w[key.name], float).reshape(shape) for w in weights])
        for key, shape in net.shapes.items()
    }
    numbers = np.arange(len(weights)) if replicas is None else np.array(replicas)
    found = Networks(task, net, params, {"replica": numbers}, 0)
    y = found.outputs()[..., 0]
    loss = 0.5 * ((y - [0, 1, 1, 0]) ** 2).sum(axis=-1) if error is None else error
    return Networks(task, net, params, {"replica": numbers, "loss": loss}, 0)


def about(
    name="η = 0.25", replicas=100, scale=1.0, hidden=2, printed=True, noisy=False, cell="a"
) -> lm.About:
    return lm.About(cell, name, lm.Start(scale, hidden), printed, noisy, replicas, 0)


def test_planted_ends_are_told_apart():
    """Of PDP's kind: the printed network, and the valley that it would have come to. At rest with 10,000
    epochs to go: the valley alone; the printed weights go on sliding, deaf ones are at a saddle, and with ⅔
    throughout ∂E/∂b = Σ (y − d) y (1 − y) > 0."""
    e = lm.ends(about(), stuck(FIG_5, VALLEY, SADDLE, BLIND), 25_000.0)
    assert e.pdp.tolist() == [True, True, False, False]
    assert e.rest.tolist() == [lm.SLIDING, lm.STILL, lm.SADDLE, lm.SLIDING]
    assert sorted(len(k.members) for k in e.kinds) == [2, 2]  # ½ and ⅔ are within a quarter of one another
    np.testing.assert_allclose(e.outputs[1], [0, 0.5, 1, 0.5], atol=1e-6)


@pytest.mark.parametrize(
    "row", [(0, 2 / 3, 2 / 3, 2 / 3), (1 / 3, 1 / 3, 1, 1 / 3), (0.5,) * 4, (0.0957, 0.4998, 0.8977, 0.66)]
)
def test_no_other_kind_passes_for_that_of_pdp(row):
    assert minima.distance(np.array([row]), np.array(minima.FIG_5))[0] > lm.NEAR


def test_mirror_images_of_that_of_pdp_pass():
    images = np.array([0.0, 0.5, 1.0, 0.5])[np.array(minima.XOR_MIRRORS)]
    assert (minima.distance(images, np.array(minima.FIG_5)) <= lm.NEAR).all()


def test_at_rest_by_hand():
    """With η T / (1 − α) = 10⁴ and E = ¼: a slope of 4 · 10⁻⁴ lowers E by .0016 (still), 6 · 10⁻⁴ by .0036,
    more than .0025; an eigenvalue of −.9 · 10⁻⁴ grows e^.9-fold (still), one of −1.1 · 10⁻⁴ more than e-fold;
    a positive one never counts."""
    slope = np.array([4e-4, 6e-4, 0.0, 0.0, 0.0, 6e-4])
    curvature = np.array([0.0, 0.0, -0.9e-4, -1.1e-4, 1.0, -1.0])
    found = lm.resting(slope, curvature, np.full(6, 0.25), 1e4)
    assert found.tolist() == [lm.STILL, lm.SLIDING, lm.STILL, lm.SADDLE, lm.STILL, lm.SLIDING]


def test_the_verdict_counts_and_decides_by_the_interval():
    """18 of 20 stuck of 200: 10 %, whose Wilson interval is above 1 %; and 18 of the 20 at Fig. 5, above one
    half."""
    many = lm.ends(about(replicas=200), stuck(*[VALLEY] * 18, SADDLE, SADDLE), 25_000.0)
    (text,) = lm.verdict([many])
    assert "10.0 % [6.6–14.9] of 200 replicas are stuck, more than the at most 1.0 %" in text
    assert "**PDP's Fig. 5 is among them**, and is where most end: 90.0 % [69.9–97.2] of 20" in text
    assert "the commonest others: (0.50, 0.50, 0.50, 0.50), 2\n" in text
    assert (
        "90.0 % [69.9–97.2] of 20 would hold still for as many epochs again; 0 slide on, 2 are at a saddle"
        in text
    )


def test_the_verdict_goes_the_other_way_too():
    few = lm.ends(about(replicas=5000), stuck(VALLEY, *[SADDLE] * 9), 25_000.0)
    (text,) = lm.verdict([few])
    assert "fewer than the at most 1.0 %" in text
    assert "**PDP's Fig. 5 is among them**, and is where fewer than half end" in text
    (text,) = lm.verdict([lm.ends(about(replicas=300), stuck(SADDLE, SADDLE), 25_000.0)])
    assert "not told apart from" in text
    assert "PDP's Fig. 5 is not among them: 0.0 %" in text


def test_with_nobody_stuck_there_is_nothing_to_look_at():
    none = lm.ends(about(replicas=2000), stuck(VALLEY).chosen(np.array([], int)), 25_000.0)
    (text,) = lm.verdict([none])
    assert "0.0 % [0.0–0.2] of 2,000 replicas are stuck, fewer than" in text
    assert text.endswith(":\n  - so there is no end to look at")
    assert lm.overview([none])["of these PDP's Fig. 5 [95 %]"].tolist() == ["– of 0"]
    assert not len(lm.kinds(none))


def test_other_cells_have_no_verdict_and_noisy_ones_no_rest():
    some = stuck(VALLEY)
    cells = [
        lm.ends(about(**kind), some, 1.0)
        for kind in ({"printed": False}, {"hidden": 3}, {"printed": False, "noisy": True})
    ]
    assert lm.verdict(cells) == []
    assert lm.overview(cells)["holding still [95 %]"].tolist()[1:] == [
        "100.0 % [20.7–100.0] of 1",
        "– (noisy)",
    ]


def test_kinds_are_counted_with_their_error():
    frame = lm.kinds(lm.ends(about(), stuck(VALLEY, VALLEY, VALLEY, SADDLE), 25_000.0))
    assert frame["outputs for 00, 01, 10, 11"].tolist() == [
        "0.00, 0.50, 1.00, 0.50",
        "0.50, 0.50, 0.50, 0.50",
    ]
    assert frame["E"].tolist() == ["0.250", "0.500"]
    assert [text.split(" [")[0] for text in frame["share of the stuck [95 %]"]] == ["75.0 %", "25.0 %"]
    assert frame["at rest?"].tolist() == ["3 still", "1 saddle"]
    assert frame["PDP's Fig. 5"].tolist() == ["yes", "no"]


# What gets them out


def pair(base: str, other: str) -> tuple[list[lm.Ends], pd.DataFrame]:
    """Two cells of so many letters S, U or D, a replica each, on the same weights."""
    fates = {"S": S, "U": U, "D": D}
    made = [
        cell(name, outcome=[fates[f] for f in letters], epochs=[10] * len(letters))
        for name, letters in (("a", base), ("b", other))
    ]
    found = []
    for name, letters in (("a", base), ("b", other)):
        numbers = [i for i, f in enumerate(letters) if f == "U"]
        networks = stuck(*[VALLEY] * max(len(numbers), 1), replicas=numbers or [0]).chosen(
            np.arange(len(numbers))
        )
        found.append(
            lm.ends(about(name, len(letters), printed=name == "a", cell=f"xor-{name}"), networks, 1.0)
        )
    return found, frames(*made).replicas


def test_escapes_are_counted_replica_by_replica():
    """Of four stuck three are solved, of six others one is not: in all 9 of 10 for 6 of 10, McNemar's of 3
    against 1."""
    ends, replicas = pair("UUUUSSSSSS", "SSSUUSSSSS")
    (row,) = escapes.of(ends, replicas).itertuples()
    assert (row.stuck, row.escaped, row.lost, row.pairs) == (4, 3, 1, 10)
    assert row.rate.value == pytest.approx(0.2)
    assert row.p == pytest.approx(binomtest(3, 4).pvalue)
    (text,) = escapes.verdict(escapes.of(ends, replicas))
    assert (
        "of the stuck at a 75.0 % [30.1–95.4] of 4 solve; of the 6 others 1 do not. "
        "Solved in all: **not decided**" in text
    )


@pytest.mark.parametrize(
    ("letters", "word"), [("S" * 30, "**more**, +50.0 %"), ("U" * 30, "**fewer**, −50.0 %")]
)
def test_what_changes_the_rate_is_decided_in_both_directions(letters, word):
    found = escapes.of(*pair("US" * 15, letters))
    (text,) = escapes.verdict(found)
    assert f"Solved in all: {word}" in text
    assert (
        escapes.texts(found)["of the others do not"]
        .tolist()[0]
        .startswith("0.0" if "S" in letters else "100.0")
    )


def test_replicas_are_paired_by_number_and_a_diverged_one_is_neither_stuck_nor_solved():
    ends, replicas = pair("UUDS", "SUUU")
    shuffled = replicas.sample(frac=1, random_state=1)
    (row,) = escapes.of(
        ends, shuffled[~((shuffled["id"] == "xor-b") & (shuffled["replica"] == 1))]
    ).itertuples()
    assert (row.stuck, row.escaped, row.lost, row.pairs) == (1, 1, 2, 3)


def test_only_cells_with_the_same_start_are_paired():
    ends, replicas = pair("US", "SU")
    other = [ends[0], ends[1]._replace(start=lm.Start(0.5, 2)), ends[1]._replace(start=lm.Start(1.0, 3))]
    assert not len(escapes.of(other, replicas))


@pytest.mark.parametrize(("n", "word"), [(1, "**fewer**"), (20, "**not told apart**"), (90, "**more**")])
def test_one_more_unit_is_compared_by_intervals_that_do_not_overlap(n, word):
    two, three = (lm.ends(about(hidden=h), stuck(*[VALLEY] * k), 1.0) for h, k in ((2, 22), (3, n)))
    (text,) = lm.wider([two, three])
    assert text.startswith(f"**3 hidden units** (±1): stuck are {n}.0 %")
    assert f": {word}. Of these 100.0 %" in text
    assert lm.wider([two, three._replace(start=lm.Start(0.5, 3))]) == []


# From a record


def test_a_record_is_read_with_its_stuck_replicas(store: Store):
    """At a budget of 400 epochs some of 60 replicas within ±1 are not done; they, and they alone, are the
    ends."""
    algorithm = {"name": "backprop", "optimiser": {"name": "gradient_descent", "lr": 0.25}}
    made = Cell.of(algorithm, {"name": "xor", "scale": 1.0}, {"replicas": 60, "epochs": 400})
    record = store.write(made, run_cell(made.algorithm, made.task, made.settings))
    e = lm.of(record)
    unsolved = record.replicas["outcome"] == U
    assert 0 < unsolved.sum() < 60
    np.testing.assert_array_equal(e.stuck.replicas["replica"], record.replicas["replica"][unsolved])
    assert (e.name, e.start, e.printed, e.noisy, e.replicas) == (
        "η = 0.25",
        lm.Start(1.0, 2),
        True,
        False,
        60,
    )
    error = 0.5 * ((e.outputs - [0, 1, 1, 0]) ** 2).sum(axis=-1)
    np.testing.assert_allclose(error, record.replicas["loss"][unsolved], rtol=1e-9)
    reach = 0.25 / 0.1 * 400
    np.testing.assert_array_equal(e.rest == lm.SLIDING, reach * e.slope**2 > 0.01 * error)


# The figure


def test_a_panel_a_kind_with_its_count_and_interval():
    e = lm.ends(about(), stuck(VALLEY, VALLEY, VALLEY, SADDLE), 1.0)
    figure = plots.ends_figure(e.outputs, e.kinds, 50, "made up", minima.FIG_5)
    check_page(figure)
    first, second = figure.axes
    np.testing.assert_allclose([bar.get_height() for bar in first.patches], [0, 0.5, 1, 0.5], atol=1e-6)
    np.testing.assert_allclose([bar.get_height() for bar in second.patches], 0.5)
    np.testing.assert_allclose(first.lines[0].get_ydata(), minima.FIG_5)
    assert not second.lines
    low, high = (100 * end for end in binomtest(3, 4).proportion_ci(method="wilson"))
    for words in (
        f"n = 3, E = 0.250 [{low:.1f}–{high:.1f} %]",
        "n = 4 stuck of 50 replicas",
        "printed in PDP",
    ):
        assert words in said(figure).replace("\N{NO-BREAK SPACE}", " ")


def test_rarer_kinds_are_counted_in_the_caption():
    rows = np.vstack([[0.0] * 4, [1.0] * 4, [0.5] * 4, [0, 0.5, 1, 0.5], [0, 1, 0, 1], [1, 0, 0, 1]])
    kinds = minima.kinds(rows, np.zeros(6))
    assert len(kinds) == 6
    figure = plots.ends_figure(rows, kinds, 6, "made up")
    check_page(figure)
    assert len(figure.axes) == 4
    assert "Not drawn: 2 of 2 rarer kinds" in said(figure)
    assert "printed" not in said(figure)


def test_nothing_stuck_is_nothing_to_draw():
    with pytest.raises(InputError, match="no network is stuck"):
        plots.ends_figure(np.zeros((0, 4)), [], 10, "made up")
