"""This build held to the bits of an earlier one: dense networks keep them, whatever becomes of the code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from helpers.recorded_bits import CELLS, RECORD, bits, depends_on, name

RECORDED = json.loads(RECORD.read_text(encoding="utf-8"))
THERE, HERE = RECORDED["depends_on"], depends_on()


@pytest.mark.skipif(THERE != HERE, reason=f"bits were recorded with {THERE}, and here there is {HERE}")
@pytest.mark.parametrize("cell", RECORDED["cells"], ids=name)
def test_a_cell_comes_to_the_recorded_bits(cell: dict[str, Any]) -> None:
    recorded, came = cell["came"], bits(cell)
    names = [*recorded, *(n for n in came if n not in recorded)]
    other = [f"{n} ({recorded.get(n)} → {came.get(n)})" for n in names if recorded.get(n) != came.get(n)]
    assert not other, f"{name(cell)} has other bits than recorded in {', '.join(other)}"


def test_the_record_is_of_the_cells_listed_each_once() -> None:
    recorded = [{part: value for part, value in cell.items() if part != "came"} for cell in RECORDED["cells"]]
    assert recorded == CELLS, "tests/helpers/recorded_bits.py lists other cells than were recorded"
    assert len(set(map(name, CELLS))) == len(CELLS)
