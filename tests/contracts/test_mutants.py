"""The list of planted faults held to the code that they are planted in, and docs/mutants.md to the list.

What catches each is found by `make mutants`, which takes minutes; that each still has a place to be planted
in is looked up here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import mutants
from bench.mutants import AREAS, MOST, PAGE, ROOT, Caught, Mutant, Wrong, fallen, page, planted, row
from harness.core import registry

ALL = planted()
LEAST = 60


def test_there_are_many_in_every_area_and_in_most_rules() -> None:
    assert len(ALL) >= LEAST
    assert {mutant.area for mutant in ALL} == set(AREAS)
    of_rules = [mutant.file for mutant in ALL if mutant.area == "rules"]
    homes = {cls.__module__.replace(".", "/") + ".py" for cls in registry.algorithms().values()}
    assert homes <= set(of_rules), "a rule in whose file nothing is planted"


def test_each_has_one_place() -> None:
    """A fault whose line is gone, or stands twice, is planted nowhere: the count would not say what it
    says."""
    for mutant in ALL:
        assert mutant.text(ROOT) != (ROOT / mutant.file).read_text(encoding="utf-8")
    assert len({(mutant.file, mutant.was, mutant.now) for mutant in ALL}) == len(ALL)
    assert len({row(mutant) for mutant in ALL}) == len(ALL), "rows of the page would be the same"


def test_the_tests_that_are_asked_are_there_and_are_no_snapshots() -> None:
    files = {Path(test.partition("::")[0]) for mutant in ALL for test in mutant.ask}
    assert [str(file) for file in files if not (ROOT / file).is_file()] == []
    assert not {file.name for file in files} & set(mutants.SNAPSHOTS)


def test_a_fault_without_a_place_is_one_sentence() -> None:
    gone = Mutant("cost", "harness/cost/ledger.py", "no such line", "", "nothing", ())
    with pytest.raises(Wrong, match=r"stands 0 times in .*mend bench/planted/cost.toml"):
        gone.text(ROOT)


@pytest.mark.parametrize(
    ("code", "said", "fell"),
    [
        (0, "3 passed", ""),
        (
            1,
            "F\nFAILED tests/laws/test_a.py::test_it[a b] - assert 0\n1 failed",
            "tests/laws/test_a.py::test_it[a",
        ),
        (2, "ERROR tests/laws/test_a.py - NameError\n1 error", "tests/laws/test_a.py"),
    ],
)
def test_the_first_test_that_falls_is_named(code: int, said: str, fell: str) -> None:
    assert fallen(code, said, "") == fell


def test_a_pytest_that_did_not_run_catches_nothing() -> None:
    with pytest.raises(Wrong, match="ended with 4, no test fell, and it said 'ERROR: not found: x'"):
        fallen(4, "no tests ran\n", "ERROR: not found: x\n")


def test_the_page_lists_these_faults_and_few_survivors() -> None:
    """`make mutants` writes it; a fault that is new, or gone, asks for it."""
    text = PAGE.read_text(encoding="utf-8")
    listed = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| area")]
    assert [line.rpartition("|")[0].rpartition("|")[0] + "|" for line in listed if "---" not in line] == [
        row(mutant) for mutant in ALL
    ]
    survivors = sum("**survives**" in line for line in listed)
    assert survivors <= MOST
    assert f"**{len(ALL)} planted, {len(ALL) - survivors} caught, {survivors} survive.**" in text


def test_a_survivor_is_told_with_its_reason() -> None:
    one = Mutant("cost", "harness/cost/ledger.py", "a", "b", "a fault", (), survives="It is a shade.")
    text = page([Caught(one, ""), Caught(one, "tests/derived/test_cost.py::test_it[a b]")])
    assert "**2 planted, 1 caught, 1 survive.**" in text
    assert "- harness/cost/ledger.py: a fault. It is a shade." in text
    assert "| a fault | test_cost.py: test_it |" in text
