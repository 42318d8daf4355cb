"""Digits by maps held to formulas and the complex step; what is said of studies, to planted records."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from algorithms.backprop import Backprop
from harness import plots
from harness.answers import losses, shared_weights, t_c
from harness.core.algorithm import Batch
from harness.core.differences import differences
from harness.core.errors import InputError
from harness.core.exact_gradient import exact_gradient
from harness.core.optimisers import Adam
from harness.experiment.run import run
from harness.inspection.kernels import BAR, CENTRE, DIAGONAL
from harness.replication.lecun1989 import more_wrong
from harness.tasks.digits import Digits
from harness.tasks.mnist import Mnist
from helpers.made_up import cell, frames
from helpers.pages import check_page, said

Array = Any
LENET: dict[str, Any] = {"loss": "cross_entropy", "activation": "tanh"}


# Digits by maps


@pytest.mark.parametrize(("maps", "hidden"), [(8, 30), (4, 26), (1, 1)])
def test_weights_are_as_many_as_the_formula_says(maps: int, hidden: int) -> None:
    """Kernels of 9 with a bias for each map, M and M of them, 16 places each in the second layer, H units,
    ten outputs."""
    behind = (16 * maps + 1) * hidden + (hidden + 1) * 10
    shared = (9 + 1) * maps + (9 * maps + 1) * maps + behind
    local = (16 * 9 + 1) * maps + (16 * 9 * maps + 1) * maps + behind
    sizes = [Digits(layout=layout, maps=maps, hidden=hidden).network().size for layout in ("shared", "local")]
    assert sizes == [shared, local]


def test_the_nets_of_the_study_have_as_many_weights_as_each_other() -> None:
    full, shared, local = (
        Digits(**LENET, layout=layout, hidden=hidden, maps=maps).network()
        for layout, hidden, maps in (("full", 64, None), ("shared", 30, 8), ("local", 26, 4))
    )
    assert full.size == 64 * 64 + 64 + 64 * 10 + 10 == 4810
    assert (shared.size, local.size) == (4844, 4848)
    assert max(shared.size, local.size) < 1.02 * full.size
    assert [g.shape for g in shared.groups] == [(8, 8, 1), (4, 4, 8), (4, 4, 8), (30,), (10,)]
    assert shared.output.activation == "softmax"


def test_maps_of_a_larger_image_follow_its_size() -> None:
    net = Mnist(layout="shared", maps=3, layers=2).network()
    assert [g.shape for g in net.groups] == [(28, 28, 1), (14, 14, 3), (14, 14, 3), (100,), (100,), (10,)]


@pytest.mark.parametrize("layout", ["shared", "local"])
def test_their_gradient_is_the_complex_step(layout: str) -> None:
    task = Digits(**LENET, layout=layout, maps=2, hidden=3)
    net, rng = task.network(), np.random.default_rng(0)
    params = {key: 0.5 * rng.normal(size=(1, *shape)) for key, shape in net.shapes.items()}
    wanted = np.eye(10)[rng.integers(0, 10, (1, 3))] > 0
    batch = Batch(rng.random((1, 3, 64)), wanted.astype(float), wanted, np.zeros(()), task.objective)
    exact = differences(net, params, batch, "complex", 1e-20).gradient
    for key, found in exact_gradient(net, params, batch).gradient.items():
        np.testing.assert_allclose(found, exact[key], rtol=1e-9, atol=1e-11)


def test_maps_belong_to_layouts_that_have_some() -> None:
    with pytest.raises(InputError, match="maps=4 would be ignored"):
        Digits(maps=4)
    with pytest.raises(InputError, match="layout"):
        Digits(layout="convolutional")
    with pytest.raises(InputError, match="maps must be a whole number, at least 1"):
        Digits(layout="shared", maps=0)
    assert Digits(layout="shared").resolved() == Digits(layout="shared", maps=8)
    assert Digits().resolved() == Digits()


def test_a_shared_net_learns_digits() -> None:
    """n = 1: 80 % of the validation images within four sweeps; chance has 10 %."""
    task = Digits(**LENET, layout="shared", hidden=30, share=1.0)
    t = run(Backprop(Adam(lr=0.01)), task, replicas=1, epochs=4, batch=32, dtype="float32").trained
    assert (t.validation_right > 0.8).all()


# Digits in words


def read(layout: str, lr: float, seed: int, wrong: float, rule: str = "backprop", n: int = 20) -> Any:
    """A record whose replicas have a share of validation and test images wrong, give or take a little."""
    hidden = {"full": 64, "shared": 30, "local": 26}[layout]
    maps = {"full": None, "shared": 8, "local": 4}[layout]
    meta = {
        "task": {"name": "digits", **LENET, "layout": layout, "hidden": hidden, "maps": maps},
        "algorithm": {"name": rule, "optimiser": {"name": "adam", "lr": lr}},
        "run": {"seed": seed},
    }
    right = 1 - wrong - 0.001 * ((np.arange(n) + (layout == "shared")) % 3 - 1)  # no two pairs differ alike
    return SimpleNamespace(meta=meta, replicas={"validation_right": right, "held_right": right})


PLANTED = [
    *(read("full", lr, 1, wrong) for lr, wrong in ((0.001, 0.08), (0.01, 0.06), (0.1, 0.2))),
    *(read("shared", lr, 1, wrong) for lr, wrong in ((0.001, 0.08), (0.01, 0.05), (0.1, 0.03))),
    read("full", 0.01, 2, 0.07), read("full", 0.001, 2, 0.01), read("shared", 0.1, 2, 0.04),
]  # fmt: skip


def test_the_rate_is_chosen_on_one_seed_and_told_of_the_other() -> None:
    full, shared = shared_weights.reported(PLANTED)
    assert (full.lr, full.at_the_end, full.parameters) == (0.01, False, 4810)
    assert (shared.lr, shared.at_the_end, shared.parameters) == (0.1, True, 4844)
    assert (full.wrong.mean(), shared.wrong.mean()) == pytest.approx((0.07, 0.04), abs=1e-3)
    table = shared_weights.errors([full, shared])
    assert table["rate, shared"].tolist() == ["0.1 (the last tried)"]
    assert table["wrong, full connections, 4,810 weights [95 %]"].str.startswith("7.0 % [").all()


def test_a_rule_whose_chosen_rate_was_not_run_again_is_left_out() -> None:
    assert shared_weights.reported(PLANTED[:6]) == []
    assert shared_weights.verdicts([]) == ["Nothing of seed 2 was run at the rates that seed 1 chose."]
    assert shared_weights.summary([]) == "No rule was run on both nets."


def test_who_is_better_is_said_by_the_whole_interval() -> None:
    found = shared_weights.reported(PLANTED)
    assert shared_weights.summary(found) == "Does shared beat full at equal parameters? Better by backprop."
    (text,) = shared_weights.verdicts(found)
    assert "shared kernels beside full connections, **fewer wrong**, −3.0 % [" in text
    assert "(pairs of replicas: 20)" in text
    swapped = [r._replace(layout={"full": "shared", "shared": "full"}[r.layout]) for r in found]
    assert shared_weights.summary(swapped) == "Does shared beat full at equal parameters? Worse by backprop."
    same = [found[0], found[0]._replace(layout="shared", wrong=found[0].wrong[::-1])]
    assert "Not decided by backprop" in shared_weights.summary(same)
    measured = more_wrong(PLANTED[-3], PLANTED[-1])
    assert measured.value == pytest.approx(0.03, abs=1e-3)
    assert measured.low > 0


def test_both_nets_are_drawn_for_every_rule() -> None:
    found = shared_weights.reported(PLANTED)
    figure = plots.layout_figure(shared_weights.wrong(found))
    check_page(figure)
    assert "shared kernels, 4,844 weights n = 20" in said(figure).replace("\N{NO-BREAK SPACE}", " ")
    with pytest.raises(InputError, match="no net"):
        plots.layout_figure({})


# T or C in words


def letters(kernels: Array, solved: Any, **task: Any) -> Any:
    """A record of T-C networks with these kernels (R, 3, 3)."""
    usual = {
        "criterion": "side",
        "bound": None,
        "shared": True,
        "features": 1,
        "retina": 7,
        "positions": "all",
    }
    meta = {
        "task": {"name": "t_c"} | usual | task,
        "algorithm": {"name": "backprop", "optimiser": {"name": "adam", "lr": 0.03}},
    }
    columns = {
        "outcome": np.where(solved, "solved", "unsolved"),
        "held_right": np.linspace(0.4, 0.6, len(kernels)),
    }
    return SimpleNamespace(
        meta=meta, replicas=columns, weights={"input-hidden": np.reshape(kernels, (-1, 9, 1))}
    )


KERNELS = np.stack(
    [*[CENTRE] * 4, *[-BAR.T] * 3, *[DIAGONAL] * 2, np.arange(9.0).reshape(3, 3) - 4, np.ones((3, 3))]
)


def test_kinds_are_counted_among_the_solved() -> None:
    some = t_c.kernels([letters(KERNELS, [True] * 10 + [False]), letters(KERNELS, [True] * 11, retina=9)])
    assert [cell.name for cell in some] == ["Adam at .03"]
    (row,) = t_c.counted(some).to_dict("records")
    assert row["solved [95 %]"].startswith("90.9 %")
    counts = [row[f"{kind} [95 %]"] for kind in ("centre", "bar", "diagonal", "compactness", "other")]
    assert [text.split()[0] for text in counts] == ["40.0", "30.0", "20.0", "0.0", "10.0"]
    (text,) = t_c.said(some)
    assert text.startswith("**Adam at .03**, 90.9 % [")
    assert (
        "90.0 % [59.6–98.2] of 10 kernels are within a cosine of 0.9 of one of the four: centre 40.0 %"
        in text
    )
    assert text.endswith("not one is compactness.")
    assert t_c.said([]) == ["No replica of backprop solved the task: there is no kernel to look at."]


def test_a_kernel_figure_shows_every_kind_with_its_share() -> None:
    some = t_c.kernels(
        [letters(KERNELS, [True] * 11), letters(KERNELS[:4], [True] * 4, criterion="margin", bound=0.2)]
    )
    figure = plots.kernel_figure({cell.name: cell.learnt for cell in some})
    words = said(figure).replace("\N{NO-BREAK SPACE}", " ")
    assert "Adam at .03, to within .2, n = 4" in " ".join(words.split())
    assert "36.4 % [" in words
    assert "none" in words
    with pytest.raises(InputError, match="no kernel"):
        plots.kernel_figure({"nobody": np.zeros((0, 3, 3))})


def test_what_is_known_of_other_positions_is_said_of_the_solved() -> None:
    held = [
        letters(KERNELS, [True] * 11, retina=9, positions="middle", shared=shared) for shared in (True, False)
    ]
    one, other = t_c.sharing([letters(KERNELS, [True] * 11), *held])
    assert one.startswith("**one shared kernel**, the middle position learnt: 100.0 % [")
    assert "of letters in the other positions these have 50.0 % [" in other
    assert other.endswith("right, n = 11.")


def test_rules_stand_in_a_row_with_their_rates() -> None:
    rows = [("backprop", 0.01, 5), ("backprop", 0.1, 10), ("shallow", 0.1, 0)]
    made = pd.DataFrame(rows, columns=["algorithm_name", "algorithm.optimiser.lr", "solved"])
    made = made.assign(
        replicas=10, **{"task.retina": 7, "algorithm.optimiser": "adam", "task.criterion": "side"}
    )
    table = t_c.rules(made)
    assert table["solved at .1 [95 %]"].str.split(" ").str[0].tolist() == ["100.0", "0.0"]
    assert table["solved at .01 [95 %]"].tolist()[1] == "–"


# Losses in words


def test_losses_are_compared_pair_by_pair_at_one_rate_and_at_four_times_it() -> None:
    def of(loss: str, lr: float, epochs: int, solved: int) -> Any:
        outcome = ["solved"] * solved + ["unsolved"] * (40 - solved)
        made = cell(
            "backprop",
            f"xor ({loss}, {lr})",
            outcome,
            [epochs + i % 3 for i in range(solved)] + [100] * (40 - solved),
        )
        rows = made.cells.assign(
            id=f"{loss}-{lr}", epochs_median=float(epochs), **{"task.loss": loss, losses.LR: lr}
        )
        return made._replace(cells=rows, replicas=made.replicas.assign(id=f"{loss}-{lr}"))

    made = frames(
        of("squared_error", 0.5, 40, 40), of("cross_entropy", 0.5, 10, 20), of("squared_error", 2.0, 10, 20)
    )
    (text,) = losses.said(made.cells, made.replicas)
    assert text.startswith("**xor**, rate 0.5: cross-entropy solves **fewer**, −50.0 % [")
    assert "a success is dearer in epochs" in text
    (four,) = losses.at_four_times(made.cells, made.replicas)
    assert (
        "cross-entropy at 0.5 beside squared error at 2: it solves not decidedly more or fewer, +0.0 %"
        in four
    )
    table = losses.table(made.cells)
    assert table["loss"].tolist() == ["squared error", "cross-entropy", "squared error"]
    assert table["median epochs"].tolist() == ["40", "10", "10"]
