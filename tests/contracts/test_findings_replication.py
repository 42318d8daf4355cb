"""The words on the replication, and its figure, held to made-up verdicts."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.answers import replication
from harness.core.errors import InputError
from harness.plots import verdict_figure
from harness.replication.evidence import Agenda, tell
from harness.store.store import Store
from helpers.pages import check_page, said

VERDICTS = ["reproduced", "reproduced", "not reproduced", "not testable", "no such figure in the source"]


@pytest.fixture
def rows():
    frame = pd.DataFrame({"claim": [f"claim {i}" for i in range(5)], "verdict": VERDICTS})
    frame["source"] = ["Paper", "Paper", "Paper", "Book", "write-ups"]
    frame["trust"] = ["found", "recalled", "found", "found", "write-up"]
    return frame.assign(published="10 epochs", measured="20 epochs, n = 50", because="p = 1e-5. Known why.")


def test_verdicts_are_counted_and_who_could_be_tested_is_told_from_who_could_not(rows):
    first, *by_trust = replication.counts(rows)
    assert first == (
        "**Of 5 claims** 2 reproduced, 1 not reproduced, 1 no such figure in the source and 1 not testable. "
        "Of the 3 that could have failed 2 hold."
    )
    assert by_trust[0] == (
        "read in the source or a faithful copy, 3: 1 reproduced, 1 not reproduced and 1 not testable."
    )
    assert len(by_trust) == 3
    assert replication.counts(rows.iloc[3:4])[0] == "**Of 1 claims** 1 not testable. None could have failed."


def test_a_figure_that_differs_stands_beside_ours_and_none_is_said_to_where_none_does(rows):
    assert replication.differ(rows) == [
        "**Paper** (found), claim 2:\n  - published 10 epochs\n  - measured 20 epochs, n = 50\n"
        "  - p = 1e-5. Known why."
    ]
    assert replication.differ(rows.iloc[:2]) == ["No figure is contradicted by what was measured."]


def test_a_figure_that_was_never_printed_is_named_with_what_is_measured_if_anything_is(rows):
    assert replication.absent(rows) == [
        "*claim 4*:\n  - p = 1e-5. Known why.\n  - measured: 20 epochs, n = 50"
    ]
    assert replication.absent(rows.assign(measured="–")) == ["*claim 4*:\n  - p = 1e-5. Known why."]
    assert replication.absent(rows.iloc[:4]) == ["Every figure stands where it is said to stand."]


def test_every_claim_is_in_the_table(rows):
    table = replication.texts(rows)
    assert table["claim"].tolist() == [
        f"claim {i} ({s}, {t})" for i, s, t in zip(range(5), rows["source"], rows["trust"], strict=True)
    ]
    assert table["verdict"].tolist() == [f"**{v}**" for v in VERDICTS]


def test_the_table_is_that_of_the_form_that_was_run(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(replication, "rows_of", lambda store, small: "small" if small else "full")
    with pytest.raises(InputError, match="unknown study 'replication'"):
        replication.rows(store)
    for small, form in ((True, "small"), (False, "full")):
        tell(store, Agenda({}), whole=True, small=small)
        assert replication.rows(store) == form


def test_the_bars_of_the_verdicts_are_their_counts(rows):
    figure = verdict_figure(rows)
    (ax,) = figure.axes
    bars = {str(b.get_label()).split("   ")[0]: [p.get_width() for p in b.patches] for b in ax.containers}
    assert bars == {
        "reproduced": [2, 0, 0],
        "not reproduced": [1, 0, 0],
        "no such figure in the source": [0, 0, 1],
        "not testable": [0, 1, 0],
    }
    check_page(figure)
    assert "n = 5 claims of 3 sources" in said(figure)
    with pytest.raises(InputError, match="no claim to draw"):
        verdict_figure(rows.iloc[:0])
