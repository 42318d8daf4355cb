"""The pages of a study held to what went into its store, as Python's own parser of HTML reads it; to Hydra,
which composes the commands on them; and to a browser, where there is one."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import plots
from harness.cells.cell import Cell
from harness.cli.page import write_page
from harness.drawing.style import title_of
from harness.pages import curves, markup
from harness.results import table
from harness.store.mlflow_note import note_path, tracking_uri
from harness.store.store import Store
from harness.studies.compose import cells_of
from helpers.browser import seen_in
from helpers.kept import STRICT, XOR, keep, weights
from helpers.made_up import D, S, U

QUESTION = """Who <b>counts</b>, & "why" isn't it 'me' </script>?"""
REASON = """ValueError: 1 < 2 & "no" <script>alert('x')</script>"""
MISSING = "xor-shallow-0123456789ab"
VOID = ("meta", "input", "img", "wbr", "path", "rect", "polyline", "polygon")
FAST = {"name": "backprop", "optimiser": {"name": "gradient_descent", "lr": 2.0}}


class Seen(HTMLParser):
    """Links, pictures and texts of a page; every element that is opened is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.texts: dict[str, list[str]] = {}
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == [], path

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        self.tags.append(tag)
        self.links += [str(about[name]) for name in ("href", "src") if name in about]
        if tag == "img":
            self.pictures.append(about)
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self.open[-1:]:
            self.texts[tag][-1] += data

    @property
    def said(self) -> str:
        return " ".join(text for some in self.texts.values() for text in some)


@pytest.fixture
def study(store: Store) -> Store:
    """Cells that are finished, of two seeds, diverged, impossible, broken, and not there yet."""
    store.write(impossible := Cell.of({"name": "perceptron"}, STRICT, {}), None)
    broken = Cell.of({"name": "finite_differences"}, XOR, {})
    store.write_failure(broken, REASON, f"Traceback\n  {REASON}")
    ids = [
        keep(store, "backprop", XOR, (S, S, U, D), (10, 20, 100, 30), weights=weights((2, 2, 1), 4)),
        keep(store, FAST, XOR, (U, U), (100, 100)),
        *(keep(store, "shallow", XOR, (S, S, S, s), (50, 60, 70, 100), seed=i) for i, s in enumerate((S, U))),
        *(impossible.id, broken.id, MISSING),
    ]
    store.write_study("made_up", QUESTION, ids)
    return store


def written(store: Store, name: str = "made_up", **more: object) -> Path:
    return write_page(store, name, table.build(store, name), **{"figures": True, **more})  # type: ignore[arg-type]


def pages_in(index: Path) -> list[Path]:
    return [index, *sorted((index.parent / "cells").glob("*.html"))]


# What is on them


def test_where_there_are_too_many_cells_the_page_has_its_table_and_says_so(
    study: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page for each of ten thousand cells would take minutes: links to pages that are not there are none,
    and pages of an earlier, smaller form of the study are gone.
    """
    cells = study.study("made_up")["cells"]
    assert len(pages_in(written(study))) == 1 + len(cells)
    monkeypatch.setattr("harness.pages.study.MOST", len(cells) - 1)
    study.write_study("made_up", f"{QUESTION} Again?", cells)
    index = written(study)
    assert pages_in(index) == [index]
    seen = Seen(index)
    assert not [link for link in seen.links if link.startswith("cells/")]
    assert f"Its {len(cells)} cells have no pages of their own" in seen.said
    assert seen.texts["tr"]


def test_every_cell_has_a_page_and_every_link_leads_somewhere(study: Store) -> None:
    """Nothing comes from elsewhere: all is a file beside, and no page loads a style, a script or a letter.
    What leads into MLflow is the dashboard's to answer (test_dashboard.py)."""
    plots.write_figures(study, "made_up")
    table.write(table.build(study, "made_up"), study.study_folder("made_up"))
    index = written(study)
    cells = study.study("made_up")["cells"]
    assert sorted(path.stem for path in pages_in(index)[1:]) == sorted(cells)
    linked = set()
    for path in pages_in(index):
        seen = Seen(path)
        for target in seen.links:
            if target.startswith(f"{markup.SERVED}/studies/made_up/runs"):
                continue
            assert not urlsplit(target).scheme, target
            there = (path.parent / unquote(target)).resolve()
            assert there.is_file(), target
            assert index.parent in there.parents
            linked.add(there)
        assert "link" not in seen.tags
        assert "@import" not in seen.said
        assert "url(" not in seen.said
    assert {path.resolve() for path in pages_in(index)} <= linked, "a page that nobody finds"


def test_what_people_have_written_is_text(study: Store) -> None:
    index = written(study)
    front, broken = Seen(index), Seen(next(index.parent.glob("cells/xor-finite_differences-*.html")))
    assert QUESTION in front.texts["p"]
    assert (
        sum(REASON in sentence for sentence in front.texts["li"]) == 2
    )  # among the answers, and below the table
    assert f"Failed: {REASON}" in broken.texts["p"]
    assert any(REASON in block for block in broken.texts["code"]), "the traceback"
    assert front.tags.count("script") == 1
    assert "script" not in broken.tags
    assert "b" not in front.tags + broken.tags


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20))
@settings(max_examples=100, deadline=None)
def test_any_text_comes_out_of_a_page_as_it_went_in(any_text: str) -> None:
    class Read(HTMLParser):
        said, targets = "", []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in ("a", "td", "small", "p", "svg", "title", "pre", "code", "ul", "li", "wbr")
            self.targets = [
                *self.targets,
                *(value for name, value in attrs if name in ("href", "aria-label")),
            ]

        def handle_data(self, data: str) -> None:
            self.said += data

    for made, times in (
        (markup.link(any_text, any_text), 2),
        (markup.element("p", any_text), 1),
        (markup.Entry(any_text, any_text or "-").markup(), 2),
        (markup.code(any_text), 1),
        (markup.bullets([any_text]), 1),
        (curves.svg(any_text, 1, 1, ""), 2),
    ):
        read = Read()
        read.feed(made)
        read.close()
        found = [
            read.said.strip("\n").removesuffix("-") if not any_text else read.said.strip("\n"),
            *read.targets,
        ]
        assert "".join(found).replace("\n", "") == any_text * times


def test_a_row_has_the_numbers_of_its_cell_and_says_what_it_is_sorted_by(study: Store) -> None:
    page = written(study).read_text(encoding="utf-8")
    rows = page.split("<tbody>")[1].split("</tbody>")[0].strip().split("\n")
    assert len(rows) == 6, "two seeds are one row, as in the table"
    assert ">backprop (lr=0.5)</a></th>" in rows[0]
    for entry in (
        '<td data-v="4.0">4</td><td data-v="0.5">50.0<small>[15.0–85.0]</small></td>',
        '<td data-v="20.0">20<small>[10–∞]</small></td><td data-v="80.0">80<small>[',  # 160 epochs ÷ 2
        '<td data-v="1.0">1</td><td data-v="0.5">0.5</td>',
        '<td data-v="0.5">0.5</td><td class="word">momentum 0.9</td><td data-v="2.0">2</td>',
    ):
        assert entry in rows[0]
    assert '<td data-v="inf">∞<small>[∞–∞]</small></td><td data-v="inf">∞<small>[' in rows[1]
    assert "<summary>shallow, 2 seeds</summary>" in rows[2]
    assert [status in "".join(rows[3:]) for status in ("failed", "not run", "not applicable")] == [True] * 3
    assert "held out" not in page.split("<tbody>")[0], "nobody needs an empty column"


def test_the_figures_are_there_with_their_titles_to_be_read_aloud(study: Store) -> None:
    folder = study.study_folder("made_up")
    plots.write_figures(study, "made_up")
    pictures = Seen(written(study)).pictures
    names = ["survival.svg", "loss.svg", "ert.svg", "hinton_xor.svg"]
    assert [each["src"] for each in pictures] == names
    assert [each["alt"] for each in pictures] == [title_of(folder / name) for name in names]
    assert pictures[0]["alt"].startswith("xor: 1 of 4 settings solves it in every replica")
    assert not Seen(written(study, figures=False)).pictures, "figures of other cells are not shown"


def test_the_same_study_has_the_same_bytes_and_is_written_once(study: Store) -> None:
    folder = study.study_folder("made_up")
    kept = []
    for _ in range(2):
        plots.write_figures(study, "made_up")
        index = written(study)
        kept.append(
            {
                path: path.read_bytes()
                for path in [*pages_in(index), *folder.glob("*.svg"), *folder.glob("*.pdf")]
            }
        )
        before = [path.stat().st_ino for path in pages_in(index)]
        assert [path.stat().st_ino for path in pages_in(written(study))] == before
        for path in [*pages_in(index), *folder.glob("*.svg"), *folder.glob("*.pdf")]:
            path.unlink()
    assert kept[0] == kept[1]
    assert len(kept[0]) == 1 + 7 + 2 * 4


def test_the_page_of_a_study_at_work_follows_it(store: Store) -> None:
    """Its cells come one after another; one that is in the study no longer has no page there."""
    known = keep(store, "backprop")
    other = keep(store, "shallow")
    store.write_study("made_up", "", [known, MISSING])
    front = Seen(index := written(store))
    assert "1 cell is not run yet: shallow on xor." in front.texts["li"]
    assert "not run: not in the store yet" in (index.parent / "cells" / f"{MISSING}.html").read_text().lower()
    store.write_study("made_up", "", [known, other])
    front = Seen(written(store))
    assert "Of 2 cells all are finished: 2 replicas." in front.texts["li"]
    assert [path.stem for path in pages_in(index)[1:]] == sorted([known, other])
    store.write_study("empty", "", [])
    assert "Of 0 cells none is finished." in Seen(written(store, "empty")).texts["li"]


def test_a_cells_page_says_what_the_cell_is_and_what_became_of_it(study: Store) -> None:
    cell = study.study("made_up")["cells"][0]
    seen = Seen(written(study).parent / "cells" / f"{cell}.html")
    assert any(str(study.read(cell)) == block for block in seen.texts["code"])
    names = dict(zip(seen.texts["th"], seen.texts["td"], strict=False))
    assert "optimiser.lr" in names
    for figure in (
        "Replicas: 2 solved, 1 unsolved, 1 diverged",
        "Epochs to the criterion, from 10 to 20",
        "Loss during training",
    ):
        assert figure in seen.texts["title"]
    assert any(
        title.startswith("Weights with which backprop solved xor at epoch") for title in seen.texts["title"]
    )


def test_runs_are_linked_before_mlflow_is_told_of_them(study: Store) -> None:
    """A page is written before its runs are sent: its links are the dashboard's, which knows them by then."""
    cells = study.study("made_up")["cells"]
    index = written(study)
    runs = "http://127.0.0.1:5000/studies/made_up/runs"
    assert runs in Seen(index).links
    assert f"{runs}/{cells[0]}" in Seen(index.parent / "cells" / f"{cells[0]}.html").links
    assert "MLflow" not in Seen(index.parent / "cells" / f"{MISSING}.html").said
    before = index.read_bytes()
    note = note_path(study, "made_up", tracking_uri(study, None))
    note.parent.mkdir()
    note.write_text(json.dumps({"experiment": "7", "runs": {cells[0]: "abc"}, "left": []}))
    assert written(study).read_bytes() == before, "and it need not be written again"


def test_runs_on_a_server_of_ones_own_are_linked_there(study: Store) -> None:
    cell, uri = study.study("made_up")["cells"][0], "http://tracker.example:5000"
    note = note_path(study, "made_up", uri)
    note.parent.mkdir()
    note.write_text(json.dumps({"experiment": "7", "runs": {cell: "abc"}, "left": []}))
    index = written(study, tracker=uri)
    assert f"{uri}/#/experiments/7/runs" in Seen(index).links
    page = Seen(index.parent / "cells" / f"{cell}.html")
    assert f"{uri}/#/experiments/7/runs/abc" in page.links
    assert "harness.dashboard" not in page.said, "which does not serve it"


# Commands


def test_the_command_on_a_page_is_that_of_its_cell(study: Store) -> None:
    folder = written(study).parent / "cells"
    for cell in study.study("made_up")["cells"][:-1]:
        first = Seen(folder / f"{cell}.html").texts["code"][0]
        words = shlex.split(first)
        assert words[:3] == ["python", "-m", "harness"]
        assert [each.id for each in cells_of(words[3:])[0]] == [cell]


def test_a_sweep_says_where_its_page_is_and_the_command_on_it_makes_the_study_again(
    harness: Callable[..., tuple[int, str, str]], store: Store
) -> None:
    typed = (
        "-m",
        "hydra/launcher=basic",
        "algorithm=backprop,shallow",
        "run.replicas=2",
        "run.epochs=3",
        "figures=false",
    )
    code, out, _ = harness(*typed)
    assert code == 0
    (said,) = [line.removeprefix("page: ") for line in out.splitlines() if line.startswith("page: ")]
    index = store.study_folder("scratch") / "index.html"
    assert Path(said).resolve() == index
    made = Seen(index).texts["code"][0]
    assert made == "python -m harness -m algorithm=backprop,shallow run.replicas=2 run.epochs=3"
    before = index.stat().st_ino
    assert harness(*shlex.split(made)[3:], "figures=false")[0] == 0
    assert index.stat().st_ino == before, "nothing is new"


# Small figures


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_line_without_what_is_level_is_the_same_line(heights: list[float]) -> None:
    x, y = np.arange(len(heights), dtype=float), np.round(heights, 1)
    bends = np.array([tuple(map(float, point.split(","))) for point in curves._bends(x, y)])
    np.testing.assert_allclose(np.interp(x, *bends.T), y, atol=1e-9)


def test_a_curve_of_few_points_marks_each_of_them() -> None:
    """A line through a single point draws nothing: of a credit probed at epochs 0 and 17 an empty figure."""
    epochs, y = np.array([0, 17]), curves.upwards(0, 180, (0, 90, 180))
    drawn = curves.curve("Angle", epochs, [np.zeros(2)] * 3, y, "degrees", 100.0)
    assert re.findall(r'class="dot" d="([^"]*)"', drawn) == [
        f"M{curves.across(100.0).at(17):.1f} {y.at(0):.1f}h0"
    ]
    many = np.arange(1, 100)
    assert 'class="dot"' not in curves.curve("Angle", many, [np.zeros(99)] * 3, y, "degrees", 100.0)


def test_an_axis_ends_where_its_values_end_and_infinity_lies_on_the_edge() -> None:
    axis = curves.losses(np.array([0.01, 1.0, np.inf, 0.0]))
    assert axis.at([axis.low, axis.high]).tolist() == [axis.start, axis.end]
    assert axis.at([np.inf, 0.0]).tolist() == [axis.end, axis.start]
    assert np.isnan(axis.at([np.nan])).all()
    assert curves.across(100).at(10) == (curves.LEFT + curves.WIDE - curves.RIGHT) / 2
    assert all(axis.low <= mark <= axis.high for mark in axis.marks())


def test_the_area_of_a_square_is_as_large_as_its_weight() -> None:
    svg = curves.squares("w", [("hidden", [("input", np.array([[1.0, -0.25], [0.0, np.nan]]))])])
    white, black = (part.split('"')[0] for part in svg.split(' d="')[1:])
    sides = [float(path.split("h")[1].split("v")[0]) for path in (white, black)]
    assert sides[1] == pytest.approx(sides[0] / 2, abs=0.05)
    assert white.count("M") == black.count("M") == 1


# In a browser

PRESS = """
const rows = () => [...document.querySelectorAll("table.cells tbody tr")].filter(row => !row.hidden);
const names = () => rows().map(row => row.cells[0].querySelector("a, summary").textContent);
const heads = [...document.querySelectorAll("table.cells thead th")];
const head = name => heads.find(th => th.textContent === name);
const press = name => {
  head(name).querySelector("button").click();
  return [names(), head(name).getAttribute("aria-sort")];
};
const input = document.querySelector(".filter input");
const filter = words => {
  input.value = words;
  input.dispatchEvent(new Event("input"));
  return [names(), document.querySelector(".filter output").value];
};
return {
  start: names(), ert: press("ERT"), down: press("ERT"), n: press("n"), words: press("algorithm"),
  other: head("ERT").getAttribute("aria-sort"), some: filter("SHALLOW Xor"), all: filter(""),
  hidden: document.querySelector(".filter").hidden,
  fits: document.documentElement.scrollWidth <= document.documentElement.clientWidth,
};
"""


def test_in_a_browser_the_table_is_sorted_and_filtered(store: Store) -> None:
    """Numbers as numbers (9 before 80), what is never reached last both ways, ties as they stood."""

    def cell(rule: str, outcome: str, epochs: int) -> str:
        return keep(store, rule, XOR, (outcome,) * 2, (epochs,) * 2)

    made = [cell("feedback_alignment", U, 100), cell("backprop", S, 80), cell("weight_mirror", U, 100)]
    made += [cell("shallow", S, 9), cell("kolen_pollack", S, 80)]
    store.write_study("made_up", QUESTION, made)
    plots.write_figures(store, "made_up")
    table.write(table.build(store, "made_up"), store.study_folder("made_up"))
    index = written(store)
    seen, errors = seen_in(index, PRESS)
    assert errors == []
    start = ["feedback_alignment", "backprop", "weight_mirror", "shallow", "kolen_pollack"]
    up = ["shallow", "backprop", "kolen_pollack", "feedback_alignment", "weight_mirror"]
    down = ["backprop", "kolen_pollack", "shallow", "feedback_alignment", "weight_mirror"]
    assert seen["start"] == start
    assert seen["ert"] == [up, "ascending"]
    assert seen["down"] == [down, "descending"]
    assert seen["n"] == [down, "ascending"], "all have 2: nothing moves"
    assert seen["words"] == [sorted(start), "ascending"]
    assert seen["other"] == "none"
    assert seen["some"] == [["shallow"], "1 of 5 rows"]
    assert seen["all"] == [sorted(start), ""]
    assert not seen["hidden"]
    assert seen["fits"], "the page is wider than the window: only the table may be"
    cell_page = index.parent / "cells" / f"{made[0]}.html"
    assert seen_in(cell_page, "return document.querySelectorAll('svg').length") == (3, [])
