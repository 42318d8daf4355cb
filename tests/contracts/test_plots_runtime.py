"""Targets and runtime profiles held to counts by hand: who reached what, when, and in what share of draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness import plots, results
from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.core.outcomes import fates
from harness.store.store import Store
from harness.studies.attempt import attempt
from helpers.pages import said

TARGETS = ("loss ÷ 2", "solved")
INF = np.inf


@pytest.fixture
def kept(store: Store) -> Store:
    """A store with XOR by two rules, of which one never solves it."""
    cells = [
        Cell.of({"name": name}, {"name": "xor"}, {"replicas": 12, "epochs": 300})
        for name in ("backprop", "perceptron")
    ]
    for cell in cells:
        attempt(cell, store)
    store.write_study("two", "", [cell.id for cell in cells])
    return store


def test_targets_are_those_of_the_histories(kept: Store) -> None:
    """The loss before training in the median over both rules, and for each replica the first epoch of its
    curve at which it is below; solved ones are through all.
    """
    records = kept.records("two")
    start = np.median(np.concatenate([record.histories["loss"][:, 0] for record in records]))
    frame = results.targets("two", kept)
    assert len(frame) == 2 * 12 * 4
    for record in records:
        own = frame[frame["id"] == record.id].pivot(index="replica", columns="target", values="reached")
        solved = fates(record.replicas).solved
        epochs = np.asarray(record.replicas["epochs"], float)
        assert own["solved"].tolist() == np.where(solved, epochs, INF).tolist()
        for divisor in (2, 5, 10):
            for i, losses in enumerate(record.histories["loss"]):
                below = [
                    e
                    for e, loss in zip(record.curves["epoch"], losses, strict=True)
                    if loss <= start / divisor
                ]
                first = min([*below, INF])
                expected = min(first, epochs[i]) if first < INF else INF
                expected = min(expected, epochs[i]) if solved[i] else expected
                assert own[f"loss ÷ {divisor}"][i] == expected
    ladder = frame.pivot(index=["id", "replica"], columns="target", values="reached")
    assert (ladder["loss ÷ 2"] <= ladder["loss ÷ 5"]).all()
    assert (ladder["loss ÷ 10"] <= ladder["solved"]).all()
    assert (frame["reached"] <= frame["spent"])[np.isfinite(frame["reached"])].all()


def made_up(rules: dict[str, tuple[float, float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Targets and cells: of each rule when all of its 20 replicas reach the two targets, of 1,000 epochs."""
    rows = [
        {"id": rule, "task": "xor", "algorithm": rule, "algorithm_name": rule, "replica": i,
         "target": target, "reached": when, "spent": 1000.0}
        for rule, both in rules.items()
        for target, when in zip(TARGETS, both, strict=True)
        for i in range(20)
    ]  # fmt: skip
    return pd.DataFrame(rows), pd.DataFrame({"id": [*rules], "epoch_flops": 50.0})


def test_a_profile_steps_where_targets_are_reached() -> None:
    """Half of two targets from 10 epochs of 50 FLOPs on, both from 100 on; one is never reached by a rule."""
    figure = plots.runtime_figure(*made_up({"backprop": (10.0, 100.0), "slow": (200.0, INF)}))
    lines = {
        line.get_label(): line for ax in figure.axes for line in ax.lines if "%" in str(line.get_label())
    }
    both, half = lines["backprop   100\u00a0%"], lines["slow   50\u00a0%"]
    at = {
        name: [float(np.interp(x, *line.get_data())) for x in (300, 2000, 20_000)]
        for name, line in (("both", both), ("half", half))
    }
    assert at == {"both": [0.0, 0.5, 1.0], "half": [0.0, 0.0, 0.5]}
    assert "xor: most targets are reached in the end by backprop (100.0 %)" in said(figure).replace("\n", " ")


def test_nothing_counted_is_one_sentence() -> None:
    targets, cells = made_up({"backprop": (10.0, 100.0)})
    with pytest.raises(InputError, match="no cell was counted in FLOPs"):
        plots.runtime_figure(targets, cells.assign(epoch_flops=np.nan))
