"""The command of a cell held to Hydra: what it types composes to the very cell, and any value is read as it
was written."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.cells.cell import Cell
from harness.cells.command import command, overrides, sweep_command, text
from harness.core.registry import algorithms, tasks
from harness.studies.compose import cells_of
from helpers.kept import STRICT, XOR


def every_cell() -> list[Cell]:
    cells = [
        Cell.of({"name": a}, {"name": t}, {"replicas": 7}) for a in algorithms() for t in ("xor", "encoder")
    ]
    cells += [Cell.of({"name": "backprop"}, {"name": t}, {"probe": 3}) for t in tasks() if t != "table"]
    adam = {"name": "backprop", "optimiser": {"name": "adam", "lr": 1e-5, "beta1": 0.5}}
    odd = {"seconds": 0.1, "batch": 3, "shuffle": False, "dtype": "float32", "seed": 12}
    return [
        *cells,
        Cell.of(adam, STRICT | {"scale": 1 / 3}, odd),
        Cell.of({"name": "perceptron"}, STRICT, {}),
    ]


def test_the_command_of_a_cell_composes_to_the_cell() -> None:
    cells = every_cell()
    typed = [overrides(json.loads(json.dumps(cell.settings_by_name()))) for cell in cells]
    assert [cell.id for cell in cells_of(*typed)[0]] == [cell.id for cell in cells]


def test_plug_ins_that_are_named_are_in_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Cell.of({"name": "backprop"}, XOR, {}).settings_by_name()
    monkeypatch.setenv("HARNESS_PLUGINS", "a rule.py,mypkg.rules")
    assert overrides(settings)[:3] == ["plugins=['a rule.py',mypkg.rules]", "task=xor", "task.scale=0.5"]


def test_a_rule_that_no_command_finds_is_said() -> None:
    meta = {"id": "xor-mine-0123456789ab", "algorithm": {"name": "mine"}, "task": XOR, "run": {}}
    with pytest.raises(ValueError, match="unknown algorithm 'mine'"):
        command(meta)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)


@example("${a.b}")
@example("a\\${b}")
@example("it's \\")
@example(["true", "NULL", "1e5", "nan", " x ", "", "a,b", "[1]", "{a:1}", "0x10", "a=b", "$", "\\'"])
@given(PLAIN | WORDS | st.lists(PLAIN | WORDS, max_size=3))
@settings(max_examples=300, deadline=None)
def test_any_plain_value_is_read_as_it_was_written(value: object) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    override = OverridesParser.create().parse_override(f"a={text(value)}")
    read = OmegaConf.to_container(OmegaConf.create({"a": override.value()}), resolve=True)
    assert read == {"a": value}
    assert [type(v) for v in read.values()] == [type(value)]  # type: ignore[union-attr]


def test_a_sweep_is_typed_again_without_what_decides_no_cell() -> None:
    typed = [
        "study=s",
        "store=/a b",
        "tracking.enabled=false",
        "figures=false",
        "plan=true",
        "+task.file='a b'",
    ]
    assert sweep_command(typed) == """python -m harness -m study=s '+task.file='"'"'a b'"'"''"""
