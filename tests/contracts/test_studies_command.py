"""`python -m harness.studies` held to what its `--help` says: what each command changes and what it leaves,
one sentence and exit code 2 for bad input, and tables that fit 80 columns."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cells.cell import Cell
from harness.cli.studies import main
from harness.cli.studies_typed import COMMANDS, parsed
from harness.core.errors import InputError
from harness.store.files import json_text
from harness.store.store import Store
from harness.studies.attempt import attempt
from helpers.kept import XOR, keep
from helpers.made_up import S, U

Call = Callable[..., tuple[int, str, str]]
RULE = '''"""Odd: a rule of a test's own.

    Δw = −η ∂E/∂w
"""

from dataclasses import dataclass

from algorithms.backprop import Backprop


@dataclass(frozen=True)
class OddRule(Backprop):
    """Backprop, once it is mended."""

    def feedback(self, net, params, memory):
        {body}
'''


@pytest.fixture
def studies(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """`python -m harness.studies …` in this process, with the test's store: exit code, output, errors."""
    monkeypatch.setenv("HARNESS_STORE", str(store.path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def here(cells: list[Cell], at: Store, _: int) -> dict[str, str]:
        for cell in cells:
            attempt(cell, at)
        return {}

    monkeypatch.setattr("harness.cli.studies.run_jobs", here)

    def call(*typed: str) -> tuple[int, str, str]:
        code = 0
        try:
            main(typed)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        out, err = capsys.readouterr()
        if typed[:1] in (("list",), ("show",), ("compare",)):
            assert all(len(line) <= 80 for line in out.splitlines())
        return code, out, err

    return call


@pytest.fixture
def two(store: Store) -> tuple[str, str, str]:
    """Studies a and b, which have a cell in common; the ids of a's own, of that, and of b's own."""
    own, both, other = (
        keep(store, name, XOR, fates, epochs)
        for name, fates, epochs in (
            ("backprop", (S, S), (10, 12)),
            ("shallow", (U, S), (100, 9)),
            ("spsa", (U,), (100,)),
        )
    )
    store.write_study("a", "Who?", [own, both])
    store.write_study("b", "Whose?", [both, other])
    return own, both, other


def failing(store: Store, name: str = "perceptron", **run: object) -> Cell:
    cell = Cell.of({"name": name}, XOR, {"replicas": 2, "epochs": 3, **run})
    store.write_failure(cell, "ValueError: it was [bold]odd[/bold]", "Traceback …")
    return cell


# looking


def test_list_counts_what_became_of_cells(store: Store, studies: Call, two: tuple[str, str, str]) -> None:
    store.write_study("a", "Who?", [*two[:2], failing(store).id, "xor-spsa-0123456789ab"])
    os.utime(store.study_folder("b") / "study.json", (0, 0))
    code, out, err = studies("list")
    assert (code, err) == (0, "")
    header, _, first, second = (line.split() for line in out.splitlines())
    assert header == ["study", "cells", "finished", "failed", "not", "run", "replicas", "worked", "on"]
    assert first[:6] == ["a", "4", "2", "1", "1", "4"]
    assert second[:4] == ["b", "2", "2", "3"]
    assert studies()[1] == out


def test_list_says_which_definition_cannot_be_read_and_lists_the_others(
    store: Store, studies: Call, two: tuple[str, str, str]
) -> None:
    (store.study_folder("b") / "study.json").write_text("{", encoding="utf-8")
    code, out, err = studies("list")
    assert code == 0
    assert "a " in out
    assert "study.json is damaged" in err


def test_an_empty_store_says_what_runs_a_study(studies: Call) -> None:
    assert "has no studies yet: python -m harness -m study=…" in studies("list")[1]


def test_show_says_of_each_cell_what_became_of_it_and_why(
    store: Store, studies: Call, two: tuple[str, str, str]
) -> None:
    failed, missing = failing(store), "xor-kolen_pollack-0123456789ab"
    store.write_study("a", "Who?", [*two[:2], failed.id, missing])
    code, out, _ = studies("show", "a")
    assert code == 0
    assert "4 cells: 2 finished, 1 failed, 1 not run; 4 replicas" in out
    said = {line.split()[-1]: line for line in out.splitlines()}
    for i, word in zip(
        (*two[:2], failed.id, missing), ("finished", "finished", "failed", "not run"), strict=True
    ):
        assert word in said[i[-12:]]
    assert "ValueError: it was [bold]odd[/bold]" in out  # as it was raised
    assert "expected: " in out
    assert "retry a" in out


def note(store: Store, cell: str, pid: int, age: float = 0) -> None:
    """What a process leaves in the store that is at a cell (`harness.store.running`)."""
    from harness.store import running

    host, began = running._host(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    path = store.path / "running" / f"{host}-{pid}-{32 * '0'}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json_text({"cells": [cell], "host": host, "pid": pid, "began": began}), encoding="utf-8")
    os.utime(path, (time.time() - age,) * 2)


def test_what_runs_is_running_and_what_its_process_died_at_is_lost(
    store: Store, studies: Call, two: tuple[str, str, str]
) -> None:
    missing = "xor-kolen_pollack-0123456789ab"
    store.write_study("a", "Who?", [*two[:2], missing])
    note(store, missing, os.getpid())
    assert "1 running" in studies("show", "a")[1]
    note(store, missing, os.getpid(), age=1000)
    out = studies("show", "a")[1]
    assert "1 lost" in out
    assert "its process is gone" in out


def test_a_damaged_record_is_shown_as_such(store: Store, studies: Call, two: tuple[str, str, str]) -> None:
    path = store.cell_folder(two[0]) / "cell.json"
    path.write_text(path.read_text(encoding="utf-8").replace("finished", "finishes"), encoding="utf-8")
    code, out, _ = studies("show", "a")
    assert code == 0
    assert "1 damaged" in out


# changing


def test_forget_leaves_records_and_other_studies(
    store: Store, studies: Call, two: tuple[str, str, str]
) -> None:
    assert studies("forget", "a")[1] == "a is forgotten, its 2 records stay\n"
    assert store.studies() == ["b"]
    assert store.cells() == sorted(two)


def test_forget_with_records_takes_those_that_no_other_study_has(
    store: Store, studies: Call, two: tuple[str, str, str]
) -> None:
    failed = failing(store)
    store.write_study("a", "Who?", [*two[:2], failed.id])
    for i in (failed.id, two[1]):
        (store.path / "parts" / i).mkdir(parents=True)
    said = "a is forgotten, and 1 record with it; 1 record stays, which other studies have, too\n"
    assert studies("forget", "a", "--records")[1] == said
    assert store.cells() == sorted(two[1:])
    assert store.failures([failed.id]) == {}
    assert [p.name for p in (store.path / "parts").iterdir()] == [two[1]]
    assert not list((store.path / "kin").rglob(two[0]))
    assert [p.name for p in (store.path / "studies").iterdir()] == ["b"]


def test_records_are_kept_where_nobody_knows_whose_they_are(
    store: Store, studies: Call, two: tuple[str, str, str]
) -> None:
    (store.study_folder("b") / "study.json").write_text("{", encoding="utf-8")
    code, _, err = studies("forget", "a", "--records")
    assert code == 2
    assert "is damaged" in err
    assert store.cells() == sorted(two)
    assert "a" in store.studies()
    assert studies("forget", "b")[0] == 0  # what cannot be read can be forgotten
    assert store.studies() == ["a"]


def test_what_is_being_worked_on_is_not_taken_away(
    store: Store, studies: Call, two: tuple[str, str, str]
) -> None:
    missing = "xor-kolen_pollack-0123456789ab"
    store.write_study("a", "Who?", [*two[:2], missing])
    note(store, missing, os.getpid())
    for command in (("forget", "a"), ("rename", "a", "c")):
        code, _, err = studies(*command)
        assert code == 2
        assert f"being worked on: {missing} runs in process {os.getpid()}" in err
    assert sorted(store.studies()) == ["a", "b"]


def test_rename_keeps_all_but_what_was_said_under_the_old_name(
    store: Store, studies: Call, two: tuple[str, str, str]
) -> None:
    (store.study_folder("a") / "sent").mkdir()
    (store.study_folder("a") / "sent" / "x.json").write_text("{}", encoding="utf-8")
    before = store.study("a")
    code, out, err = studies("rename", "a", "c")
    assert (code, err) == (0, "")
    assert "a is called c now" in out
    assert sorted(store.studies()) == ["b", "c"]
    assert store.study("c") == before | {"name": "c"}
    assert json.loads((store.study_folder("c") / "study.json").read_text(encoding="utf-8"))["name"] == "c"
    assert not (store.study_folder("c") / "sent").exists()
    assert (store.study_folder("c") / "table.md").read_text(encoding="utf-8").startswith("# c")


def test_retry_runs_failed_cells_and_no_others(
    store: Store, studies: Call, two: tuple[str, str, str]
) -> None:
    cell, other = failing(store), failing(store, "delta_rule")
    store.write_study("a", "Who?", [*two[:2], cell.id, other.id])
    code, out, err = studies("retry", "a", "perceptron")
    assert (code, err) == (0, "")
    assert "1 of 1 cell finished; 1 cell of the study without a record" in out
    assert store.has(cell.id)
    assert not store.has(other.id)
    assert store.failures([cell.id, other.id]).keys() == {other.id}
    assert studies("retry", "a")[0] == 0
    assert store.has(other.id)
    assert "nothing of a to run again" in studies("retry", "a")[1]


def test_a_mended_rule_takes_the_place_of_the_one_that_failed(
    store: Store, studies: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own, for a plug-in is read once."""
    from helpers.commands import commands

    rule = tmp_path / "odd_rule.py"
    rule.write_text(RULE.format(body="raise RuntimeError('not yet')"), encoding="utf-8")
    sweep = "algorithm=backprop,odd_rule task=xor run.replicas=2 run.epochs=3 plugins=odd_rule.py"
    extra = "study.name=a tracking.enabled=false figures=false run.unchecked=true"
    (done,) = commands(tmp_path, f"python -m harness -m {sweep} {extra}", HARNESS_STORE=str(store.path))
    assert done.code == 1, done
    (failed,) = store.failures(store.study("a")["cells"])
    first, without = commands(
        tmp_path,
        "python -m harness.studies retry a plugins=odd_rule.py",
        "python -m harness.studies show a",
        HARNESS_STORE=str(store.path),
    )
    assert first.code == 1
    assert any("not yet" in line for line in first.said)
    assert "1 failed" in without.out
    rule.write_text(RULE.format(body="return {key: params[key] for key in params}"), encoding="utf-8")
    bare, mended = commands(
        tmp_path,
        "python -m harness.studies retry a",
        "python -m harness.studies retry a plugins=odd_rule.py",
        HARNESS_STORE=str(store.path),
    )
    assert bare.code == 1
    assert "there is no algorithm odd_rule here" in bare.said[0]
    assert mended.code == 0, mended
    assert f"takes the place of {failed}" in mended.said[0]
    ids = store.study("a")["cells"]
    assert len(ids) == 2
    assert failed not in ids
    assert all(store.has(i) for i in ids)
    assert store.failures([failed]) == {}


def test_what_was_never_begun_is_left_to_the_command_of_its_study(store: Store, studies: Call) -> None:
    """Its settings were to be looked up: run as they are noted it would be another cell."""
    from dataclasses import replace

    cell = replace(
        Cell.of({"name": "backprop"}, XOR, {"replicas": 2, "epochs": 3}), broken="there are none yet"
    )
    store.write_failure(cell, cell.broken, "")
    store.write_study("a", "Who?", [cell.id])
    code, _, err = studies("retry", "a")
    assert code == 1
    assert "cannot be run again as it is: there are none yet" in err
    assert store.cells() == []


# handing over


def test_a_study_goes_from_store_to_store_as_a_file(
    store: Store, studies: Call, two: tuple[str, str, str], tmp_path: Path
) -> None:
    code, out, _ = studies("export", "a")
    assert code == 0
    assert out.startswith("a.study.zip: a, 2 records, ")
    code, out, _ = studies("import", "a.study.zip", "store=other", "--as", "theirs")
    assert code == 0
    assert out.startswith("theirs: 2 records taken in\n")
    assert Store.at(tmp_path / "other").study("theirs")["cells"] == list(two[:2])
    assert "2 that were here already" in studies("import", "a.study.zip", "--store", "other")[1]
    assert "a.study.zip" in studies("export", "a", "sub.zip")[1].replace("sub.zip", "a.study.zip")


def test_a_file_is_looked_at_and_not_changed(studies: Call, two: tuple[str, str, str]) -> None:
    studies("export", "a")
    assert studies("list", "store=a.study.zip")[1].splitlines()[2].split()[:3] == ["a", "2", "2"]
    for command in (("forget", "a"), ("rename", "a", "c"), ("retry", "a")):
        code, _, err = studies(*command, "store=a.study.zip")
        assert code == 2
        assert "only read" in err


def test_compare_takes_names_files_folders_and_stores(
    store: Store, studies: Call, two: tuple[str, str, str]
) -> None:
    studies("export", "a")
    studies("import", "a.study.zip", "store=other")
    same = "; 2 of 2 that both finished the same bits; none is in one alone."
    for side in ("a", "a.study.zip", "store=other", "other/studies/a"):
        code, out, err = studies("compare", "a", side)
        assert (code, err) == (0, "")
        assert " ".join(out.split()).endswith(same)
        assert studies("compare", side, "a")[0] == 0
    out = studies("compare", "a", "b")[1]
    assert f"only in A: xor · backprop ({two[0][-12:]})" in out
    assert f"only in B: xor · spsa ({two[2][-12:]})" in out
    assert " ".join(out.split()).endswith("1 only in A, 1 only in B.")


# bad input

BAD = {
    "no such command": (["lst"], ["unknown command of studies 'lst'", "did you mean 'list'?"]),
    "no such study": (["show", "c"], ["unknown study 'c'", "a, b"]),
    "no study": (["show"], ["NAME", "--help"]),
    "a name that is none": (["rename", "a", "../c"], ["a study's name must be", "'../c'"]),
    "a name that is taken": (["rename", "a", "b"], ["there is a study of that name"]),
    "an unknown option": (["forget", "a", "--record"], ["--record", "--help"]),
    "no failed cell of that name": (["retry", "a", "spsa"], ["unknown failed cell of a 'spsa'"]),
    "a store that is not there": (["list", "store=nowhere"], ["unknown store", "nowhere"]),
    "a file that is not there": (["import", "none.zip"], ["there is no file none.zip"]),
    "a file that is none": (["import", "text.zip"], ["text.zip is no study's file"]),
    "a study that leads out": (["export", "../../x"], ["a study's name must be"]),
    "a file into nowhere": (["export", "a", "nowhere/a.zip"], ["could not be written to nowhere/a.zip"]),
    "a name to import by": (["import", "text.zip", "--as", "a/b"], ["a study's name must be"]),
    "one side": (["compare", "a"], ["B", "--help"]),
    "two stores": (["compare", "store=store", "store=store"], ["needs the name of a study"]),
    "three sides": (["compare", "a", "b", "c"], ["c", "--help"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_sentence_and_changes_nothing(
    case: str, store: Store, studies: Call, two: tuple[str, str, str], tmp_path: Path
) -> None:
    typed, said = BAD[case]
    (tmp_path / "text.zip").write_text("no zip", encoding="utf-8")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    code, out, err = studies(*typed)
    assert (code, out) == (2, "")
    assert err.startswith("harness: ")
    assert err.count("\n") == 1
    for word in said:
        assert word in err
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_says_what_a_command_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parsed([command, "--help"] if command else ["--help"])
    assert end.value.code == 0
    out = " ".join(capsys.readouterr().out.split())
    for text in [COMMANDS[command]] if command else COMMANDS.values():
        assert text[1:] in out


def test_a_setting_may_stand_anywhere() -> None:
    ways = (
        ["show", "a", "store=x"],
        ["store=x", "show", "a"],
        ["show", "--store", "x", "a"],
        ["--store=x", "show", "a"],
    )
    assert {(parsed(way).command, parsed(way).name, parsed(way).store) for way in ways} == {
        ("show", "a", "x")
    }
    with pytest.raises(InputError, match="unknown command"):
        parsed(["store=x", "shw", "a"])
