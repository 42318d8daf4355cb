"""Summaries and the table of a study, held to made-up columns whose answers are known by hand."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from harness import results
from harness.cells.cell import Cell
from harness.cells.words import flat
from harness.core.errors import InputError
from harness.experiment.run import run_cell
from harness.experiment.summary import Summary, summarise
from harness.results import table
from harness.results.latex import escaped, to_latex
from harness.store.files import FILES, META, SEAL, json_text, sealed
from harness.training.trainer import Trained
from helpers.kept import STRICT, XOR, keep
from helpers.made_up import D, S, U


@pytest.fixture
def study(store):
    """Two tasks entangled; failures, divergence, an impossible, a broken and a missing cell."""
    with_lr = {"name": "backprop", "optimiser": {"name": "gradient_descent", "lr": 2.0}}
    impossible = Cell.of({"name": "perceptron"}, STRICT, {})
    store.write(impossible, None)
    broken = Cell.of({"name": "finite_differences"}, XOR, {})
    store.write_failure(broken, "ValueError: a | in the reason", "Traceback …")
    ids = [
        keep(store, "backprop", XOR, (S, S, U, D), (10, 20, 100, 30)),
        keep(store, "backprop", STRICT, (S, S, S, S), (40, 10, 20, 30), held=(0.0, 0.5, 1.0, 1.0)),
        keep(store, with_lr, XOR, (U, U), (100, 100)),
        impossible.id,
        broken.id,
        "xor-shallow-0123456789ab",
    ]
    store.write_study("made_up", "Who counts?", ids)
    return store


def by_name(rows):
    return {(row.task, row.algorithm): row for row in rows}


TASK = "xor (target_off=0.1, target_on=0.9, criterion=margin, bound=0.05)"


# Summaries


def test_summary_by_hand(study):
    first, second = (record.summary() for record in study.records("made_up")[:2])
    assert (first.replicas, first.solved, first.unsolved, first.diverged) == (4, 2, 1, 1)
    assert (first.rate, first.epochs_q1, first.epochs_median, first.epochs_q3) == (0.5, 10, 20, np.inf)
    assert (first.ert_epochs, first.ert_updates) == (160 / 2, 160 / 2)
    np.testing.assert_allclose(
        [first.seconds, first.ert_seconds, first.seconds_per_1000_replica_epochs], [0.32, 0.16, 2.0]
    )
    assert (first.loss_median, first.right_median) == (
        0.1,
        0.75,
    )  # of .1 .1 .5 ∞, and of 1 1 .75 .75: one replica's value each
    assert np.isnan(first.held_right_mean)
    assert (second.rate, second.epochs_q1, second.epochs_median, second.epochs_q3) == (1.0, 10, 20, 30)
    assert (second.ert_epochs, second.held_right_mean) == (25, 0.625)


def test_numbers_over_all_differ_from_numbers_over_the_solved():
    """Planted survivor bias: the summary of the whole cell is not that of its solved half, and it is the
    right one."""
    columns = {
        "outcome": np.array([S] * 4 + [U] * 3 + [D] * 3, object),
        "epochs": np.array([10, 20, 30, 40, 100, 100, 100, 5, 5, 5]),
        "updates": np.arange(10),
        "seconds": np.ones(10),
        "loss": np.array([0.1] * 4 + [0.5] * 3 + [np.nan, 7.0, np.inf]),
        "right": np.array([1.0] * 4 + [0.5] * 6),
        "held_right": np.full(10, np.nan),
    }
    whole, survivors = summarise(columns), summarise({name: values[:4] for name, values in columns.items()})
    assert (survivors.rate, survivors.epochs_median, survivors.ert_epochs, survivors.loss_median) == (
        1.0,
        20,
        25,
        0.1,
    )
    assert (whole.rate, whole.epochs_q1, whole.epochs_median) == (0.4, 30, np.inf)
    assert (whole.ert_epochs, whole.ert_seconds, whole.loss_median) == (415 / 4, 10 / 4, 0.5)


def test_costs_to_the_criterion_by_hand():
    """20 updates a success, each of 60 FLOPs, which are 3 forward passes of the task's network and 2
    predictions of a rule that has a network of its own."""
    columns = {"outcome": [S, S, U], "epochs": [5, 10, 5], "updates": [10, 20, 10]}
    columns |= {name: [0.0] * 3 for name in ("seconds", "loss", "right", "held_right")}
    counted = {"update.work": 60, "forward.work": 20, "predict.work": 30, "update.span": 7}
    s = summarise(
        {name: np.array(values) for name, values in columns.items()},
        counted | {"update.random": 4, "peak_bytes": 100},
    )
    assert (s.update_flops, s.update_forward_passes, s.update_span_operations) == (60, 3, 7)
    assert (s.ert_flops, s.ert_forward_passes, s.ert_span_operations) == (1200, 60, 140)
    assert (s.ert_random_numbers, s.peak_bytes) == (80, 100)


def test_words_for_a_result_and_for_its_record_are_the_same(store):
    cell = Cell.of({"name": "backprop"}, XOR | {"hidden": 3}, {"replicas": 5, "epochs": 2000, "seed": 7})
    result = run_cell(cell.algorithm, cell.task, cell.settings)
    text = str(result)
    assert str(store.write(cell, result)) == text
    s = summarise(result.columns())
    assert text.startswith("backprop on xor (hidden=3): 5 replicas, seed 7\n")
    assert "gradient_descent, lr=0.5, momentum=0.9, full batch, budget 2,000 epochs" in text
    assert (
        f"{s.solved} of 5 = {100 * s.rate:.1f} % [{100 * s.rate_low:.1f}–{100 * s.rate_high:.1f}], 95 % "
        "Wilson" in text
    )


def test_words_say_why_replicas_failed(study):
    words = [str(record) for record in study.records("made_up")]
    assert (
        "failed    1 unsolved (budget of epochs spent), 1 diverged (output activity not finite)" in words[0]
    )
    assert "median 20 [10–∞]" in words[0]
    assert "failed" not in words[1]
    assert "held-out patterns right: mean 62.5 %" in words[1]
    assert "expected running time ∞" in words[2]
    assert words[3].startswith("perceptron on xor: not applicable\n")


# The table


def test_rows_stand_by_task_in_the_studys_order_with_what_they_differ_in(study):
    rows = table.build(study, "made_up")
    plain, other = "backprop (lr=0.5)", "backprop (lr=2)"
    assert [(row.task, row.algorithm) for row in rows] == [
        ("xor", plain),
        ("xor", other),
        ("xor", "finite_differences"),
        ("xor", "shallow"),
        (TASK, "backprop"),
        (TASK, "perceptron (no hidden units)"),
    ]
    assert [row.status for row in rows] == [
        "finished",
        "finished",
        "failed",
        "not run",
        "finished",
        "not applicable",
    ]
    assert [row.summary is None for row in rows] == [row.status != "finished" for row in rows]
    assert rows[2].reason == "ValueError: a | in the reason"
    assert "never meet the criterion" in rows[5].reason


@pytest.mark.parametrize(
    ("part", "one", "other", "names"),
    [
        ("run", {"seed": 0, "epochs": 9}, {"seed": 1, "epochs": 9}, ["backprop", "backprop (seed=1)"]),
        (
            "run",
            {"seed": 1, "batch": "full"},
            {"seed": 2, "batch": 1},
            ["backprop (seed=1, batch=full)", "backprop (seed=2, batch=1)"],
        ),
        ("versions", {"code": "aa"}, {"code": "bb"}, ["backprop (code=aa)", "backprop (code=bb)"]),
    ],
)
def test_cells_of_one_algorithm_are_told_apart(part, one, other, names):
    settings = {"task": XOR, "algorithm": {"name": "backprop"}, "run": {"seed": 0}}
    assert [
        label.algorithm for label in table.labels([settings | {part: one}, settings | {part: other}])
    ] == names


def test_settings_under_a_nested_name_are_flat():
    nested = {"name": "backprop", "optimiser": {"name": "adam", "lr": 0.1}, "noise": None}
    assert flat(nested) == {"optimiser": "adam", "optimiser.lr": 0.1, "noise": None}


def test_csv_gives_back_every_number(study):
    rows = table.build(study, "made_up")
    read = list(csv.DictReader(io.StringIO(table.to_csv(rows))))
    assert len(read) == len(rows)
    for row, line in zip(rows, read, strict=True):
        assert [line[name] for name in ("id", "task", "algorithm", "status", "reason")] == [
            *(row.id, row.task, row.algorithm, row.status, row.reason)
        ]
        for name in Summary.__dataclass_fields__:
            value = getattr(row.summary, name) if row.summary else np.nan
            assert line[name] == "" if np.isnan(value) else float(line[name]) == value
    assert read[1]["epochs_median"] == "inf"


def test_latex_has_every_row_with_its_numbers_and_what_is_special_escaped(study):
    """Every line of a tabular has nine &, but those that one cell spans; braces close; nothing is left that
    LaTeX would take for its own."""
    rows = table.build(study, "made_up")
    text = to_latex(table.by_task(rows), "made_up")
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(body) == len(rows) + 2
    for line in body:
        spans = 4 * line.count("multicolumn")
        assert line.replace(r"\&", "").count("&") + spans == 9, line
        assert line.count("{") == line.count("}")
    settings, numbers = "0.5 & momentum 0.9 & 2", r"4 & 50.0 [15.0, 85.0] & 20 [10, $\infty$] & 50 & 20"
    assert rf"backprop (lr=0.5) & {settings} & {numbers} &  \\" in body
    assert r"finite\_differences & 0.5 & momentum 0.9 & 2 &  & \multicolumn{5}{l}{failed} \\" in body
    assert escaped("50 % of a_b & {c} ∞") == r"50 \% of a\_b \& \{c\} $\infty$"


def test_markdown_has_every_row_every_reason_and_the_caption(study):
    rows = table.build(study, "made_up")
    text = table.to_markdown(rows, "made_up", "Who counts?")
    assert text.startswith(
        "# made_up\n\nWho counts?\n\n## xor\n\n"
        "| algorithm | rate | optimiser | units | n | solved % [95 %] | epochs [quartiles] | budget |"
    )
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == len(rows) + 2 * 2
    for part in text.split("## ")[
        1:
    ]:  # a table is as wide in every row, and has no column that is empty in all
        table_lines = [
            line.replace("\\|", "")[1:-1].split("|") for line in part.splitlines() if line.startswith("|")
        ]
        assert len({len(line) for line in table_lines}) == 1
        assert all(any(cell.strip() for cell in column) for column in zip(*table_lines[2:], strict=True))
    # restarts by hand: replicas 0 and 2 are cut where 1 and 3 have their best cutoff, at 20, and these at 10
    said = "0.5 | momentum 0.9 | 2"
    numbers = "4 | 50.0 [15.0–85.0] | 20 [10–∞] | 100 | 80 | 50 | 20 | 2 | 1"
    assert f"| backprop (lr=0.5) | {said} | {numbers} |" in lines
    assert (
        "| backprop (lr=2) | 2 | momentum 0.9 | 2 | 2 | 0.0 [0.0–65.8] | ∞ [∞–∞] | 100 | ∞ | ∞ |  | 2 |  |"
        in lines
    )
    # 0 and 2 at 10 (of two cutoffs that cost the same the smaller), 1 and 3 at 40
    numbers = "4 | 100.0 [51.0–100.0] | 20 [10–30] | 100 | 25 | 30 | 40 | 2 | 62.5"
    assert f"| backprop | {said} | {numbers} |" in lines
    for reason in (
        "finite_differences failed: ValueError: a | in the reason",
        "shallow not run",
        "perceptron does not apply to xor",
    ):
        assert reason in text
    for meaning in ("n: replicas", "95 % Wilson interval", "right-censored", "failures included"):
        assert meaning in text


@pytest.mark.parametrize("width", [80, 100, 140])
def test_terminal_shows_all_within_its_width(study, width):
    screen = io.StringIO()
    table.show(
        table.build(study, "made_up"),
        Console(file=screen, width=width, force_terminal=True, color_system=None),
    )
    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for shown in (
        "50.0 [15.0–85.0]",
        "20 [10–∞]",
        "not applicable",
        "failed",
        "not run",
        "never meet the criterion",
        "All n replicas count",
    ):
        assert shown in text


def test_a_narrow_window_breaks_no_word_and_says_what_found_no_room(store):
    store.write_study("one", "", [keep(store, "sequential_weight_perturbation")])
    screens = {}
    for width in (100, 200):
        screen = io.StringIO()
        table.show(
            table.build(store, "one"),
            Console(file=screen, width=width, force_terminal=True, color_system=None),
        )
        screens[width] = screen.getvalue()
    first = [line.split()[0] for line in screens[100].splitlines() if line.strip()]
    parts = [word for word in first if word in "sequential_weight_perturbation"]
    assert "".join(parts) == "sequential_weight_perturbation"
    assert all(part.endswith("_") for part in parts[:-1])
    head, end = screens[100].split("──")[0], screens[100].splitlines()[-1]
    assert "Too wide for this window" in end
    assert "seconds" in end
    assert "seconds" not in head
    assert "Too wide" not in screens[200]


def test_an_empty_column_is_not_shown(store):
    store.write_study("one", "", [keep(store, "backprop")])
    screen = io.StringIO()
    table.show(table.build(store, "one"), Console(file=screen, width=100))
    head = screen.getvalue().split("──")[0]
    assert "solved %" in head
    assert "held" not in head
    assert "diverged" not in head


def test_files_are_written_whole(study):
    """CSV, Markdown and LaTeX are there with all that was to be in them, and no half-written file beside."""
    folder = study.path / "studies" / "made_up"
    rows = table.build(study, "made_up")
    paths = table.write(rows, folder, "Who counts?")
    assert paths == [folder / "table.csv", folder / "table.md", folder / "table.tex"]
    assert [path.read_text(encoding="utf-8") for path in paths] == [
        table.to_csv(rows),
        table.to_markdown(rows, "made_up", "Who counts?"),
        to_latex(table.by_task(rows), "made_up"),
    ]
    assert sorted(path.name for path in folder.iterdir()) == [
        "study.json",
        "table.csv",
        "table.md",
        "table.tex",
    ]


def test_an_unknown_study_is_named(study):
    with pytest.raises(InputError, match=r"unknown study 'madeup'.*did you mean 'made_up'"):
        table.build(study, "madeup")


# Credit


def test_the_angle_of_a_cell_is_the_median_over_epochs_where_there_was_one():
    columns = {
        "quantity": np.array(["angle", "angle", "angle", "angle", "ratio"]),
        "edge": np.array(["total", "total", "total", "input-hidden", "total"]),
        "defined": np.array([4, 2, 0, 4, 4]),
        "q50": np.array([10.0, 40.0, np.nan, 90.0, 1.0]),
    }
    replicas = Trained.empty(range(2), 3)
    replicas.outcome[:], replicas.loss[:], replicas.right[:], replicas.held_rmse[:] = (
        (S, D),
        0.5,
        1.0,
        (2.0, 0.1),
    )
    named = {
        n: getattr(replicas, n)
        for n in ("outcome", "epochs", "updates", "seconds", "loss", "right", "held_rmse", "held_right")
    }
    found = summarise(named, {}, columns)
    assert found.angle_degrees == 25.0
    assert found.held_rmse_median == 2.0  # of 2 and, diverged, ∞: one replica's value
    assert np.isnan(summarise(named).angle_degrees)


def test_seeds_of_one_setting_are_one_row_of_all_replicas_and_each_a_record(store):
    """The row is the summary of the replicas laid one after another, and the probe's of their quantiles."""
    cells = [
        Cell.of({"name": name}, XOR, {"replicas": 4, "epochs": epochs, "seed": seed, "probe": 3})
        for name, seed, epochs in [
            ("backprop", 5, 300),
            ("shallow", 5, 300),
            ("backprop", 6, 300),
            ("backprop", 7, 300),
            ("backprop", 7, 200),
        ]
    ]
    for cell in cells:
        store.write(cell, run_cell(cell.algorithm, cell.task, cell.settings))
    store.write_study("seeds", "?", [cell.id for cell in cells])
    rows = table.build(store, "seeds")
    assert [row.algorithm for row in rows] == [
        "backprop (epochs=300), 3 seeds",
        "shallow",
        "backprop (epochs=200)",
    ]
    alike = [store.read(cells[i].id) for i in (0, 2, 3)]
    assert rows[0].id.split(" ") == [record.id for record in alike]
    columns = {name: np.concatenate([r.replicas[name] for r in alike]) for name in alike[0].replicas}
    expected, found = summarise(columns, alike[0].cost), rows[0].summary
    assert found.replicas == 12
    # as text, for NaN is not NaN
    assert repr(replace(found, angle_degrees=0.0)) == repr(replace(expected, angle_degrees=0.0))
    total = np.concatenate([r.probes["angle/total"] for r in alike])
    halves = [
        np.quantile(at[~np.isnan(at)], 0.5, method="inverted_cdf") for at in total.T if (at == at).any()
    ]
    assert found.angle_degrees == pytest.approx(np.median(halves))
    frame = results.cells("seeds", store)
    assert sorted(frame["run.seed"]) == [5, 5, 6, 7, 7]
    assert set(frame["replicas"]) == {4}


def test_one_seed_is_in_no_pool_twice(store):
    """Records of one seed, made with two versions of NumPy, are two cells of one set of networks."""
    cell = Cell.of({"name": "backprop"}, XOR, {"replicas": 4, "epochs": 20})
    record = store.write(cell, run_cell(cell.algorithm, cell.task, cell.settings))
    later = store.cell_folder(record.id[:-1] + ("0" if record.id[-1] != "0" else "1"))
    shutil.copytree(record.path, later)
    meta = json.loads((later / META).read_text())
    meta |= {"id": later.name, "versions": meta["versions"] | {"numpy": "1.0"}}
    plain = {name: value for name, value in meta.items() if name not in (FILES, SEAL)}
    (later / META).write_text(json_text(sealed(plain, later)))
    store.write_study("two", "?", [record.id, later.name])
    rows = table.build(store, "two")
    assert [row.summary.replicas for row in rows] == [4, 4]
    assert len({row.algorithm for row in rows}) == 2


def test_the_same_reason_is_told_once(store):
    ids = [Cell.of({"name": "perceptron"}, STRICT, {"seed": seed}) for seed in (1, 2)]
    for cell in ids:
        store.write(cell, None)
    store.write_study("not", "?", [cell.id for cell in ids])
    text = table.to_markdown(table.build(store, "not"), "not")
    assert text.count(ids[0].not_applicable) == 1
