"""What is said of the study `tuned`, on made-up cells: each rule on its side of backprop, failures last."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.answers import tuned

CELLS = pd.DataFrame(
    {
        "task": ["xor"] * 5,
        "algorithm_name": ["backprop", "twin", "dear", "never", "cheap"],
        "work_over_backprop": [1.0, 1.5, 40.0, np.inf, 0.25],
        "restart_flops": [100.0, 150.0, 4000.0, np.inf, 25.0],
        "restart_epochs": [10.0, 15.0, 40.0, np.inf, 5.0],
        "ert_epochs": [100.0, 150.0, 40.0, np.inf, 5.0],
        "cutoff_epochs": [12.0, 20.0, 50.0, np.inf, 6.0],
        "rate": [0.9, 0.8, 0.5, 0.0, 1.0],
        "replicas": [200] * 5,
        "solved": [180, 160, 100, 0, 200],
    }
)


def test_every_rule_stands_on_its_side_of_backprop() -> None:
    assert tuned.said(CELLS) == [
        "**xor** is solved, by estimates, for less than 1/2 of backprop's work by cheap ×0.25; for 1/2 to 2 "
        "times backprop's work by twin ×1.5; for more by dear ×40; by no replica of never.",
        "There a success costs backprop 100 epochs if nobody gives up, and 10 if every try ends after 12; in "
        "the median of the 4 rules that solve it 5.5 times as much.",
    ]


def test_an_estimate_a_little_below_1_is_not_said_to_be_less_work() -> None:
    near = CELLS.assign(work_over_backprop=[1.0, 0.92, 40.0, np.inf, 0.25])
    assert "for 1/2 to 2 times backprop's work by twin ×0.92;" in tuned.said(near)[0]


def test_of_many_dearer_rules_the_first_and_the_last_are_named() -> None:
    more = pd.concat(
        [CELLS]
        + [CELLS[2:3].assign(algorithm_name=f"r{k}", work_over_backprop=40.0 + k) for k in range(1, 6)]
    )
    assert "for more by 6 rules, from dear ×40 to r5 ×45;" in tuned.said(more)[0]


def test_the_table_has_the_cheapest_first_and_never_last() -> None:
    table = tuned.texts(CELLS)
    assert table["rule"].tolist() == ["cheap", "backprop", "twin", "dear", "never"]
    assert table["epochs a success"].tolist()[-1] == "∞"
    assert table["given up after"].tolist()[-1] == "–"
    assert table["solved"].tolist()[0] == "100.0 % of 200"


def test_of_what_does_not_apply_nothing_is_said() -> None:
    """Its cell has no replicas, and no numbers."""
    without = CELLS[:1].assign(algorithm_name="elsewhere", replicas=0, solved=np.nan, rate=np.nan)
    assert tuned.said(pd.concat([CELLS, without])) == tuned.said(CELLS)
    assert len(tuned.texts(pd.concat([CELLS, without]))) == len(CELLS)
