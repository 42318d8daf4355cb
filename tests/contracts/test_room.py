"""What has no room in memory is refused before anything is made, held to sizes worked out by hand."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from algorithms.backprop import Backprop
from algorithms.genetic import Genetic
from algorithms.rtrl import Rtrl
from harness import run
from harness.cells import room
from harness.cells.cell import Cell
from harness.cells.room import in_units, machine, start_bytes
from harness.core.errors import InputError
from harness.cost.sheet import sheet
from harness.credit.gradient_check import check
from harness.credit.vanishing import left
from harness.store.store import Store
from harness.studies.attempt import attempt
from harness.tasks.deep_chain import DeepChain
from harness.tasks.delayed_xor import DelayedXor
from harness.tasks.xor import Xor

HUGE = 10**9


def test_a_start_holds_patterns_weights_and_state() -> None:
    """XOR 2-2-1: 9 weights, 4 patterns of 2 inputs and 1 output; 8 or 4 bytes a number."""
    assert start_bytes(Backprop(), Xor(), "float64", 10) == 8 * (10 * 9 + 4 * 3)
    assert start_bytes(Backprop(), Xor(), "float32", 10) == 4 * (10 * 9 + 4 * 3)
    assert start_bytes(Genetic(population=150), Xor(), "float64", 10) == 8 * (10 * 150 * 9 + 4 * 3)


def test_influence_is_that_of_every_weight_on_every_unit_that_remembers() -> None:
    """Delayed exclusive or, n units of one input that feed back on themselves, one output: n² + 3 n + 1."""
    for n in (8, 400):
        net = DelayedXor(hidden=n).network()
        assert Rtrl().held(net) == (n * n + 3 * n + 1) * n


def test_memory_that_runs_out_in_a_run_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 20.3 GiB")

    monkeypatch.setattr("harness.studies.attempt.run_cell", full)
    cell, store = Cell.of({"name": "backprop"}, {"name": "xor"}, {}), Store.at(tmp_path).prepare()
    assert attempt(cell, store) is None
    failure = store.failures([cell.id])[cell.id]
    assert failure["reason"] == (
        "there was not enough memory (Unable to allocate 20.3 GiB): choose fewer replicas, patterns or units"
    )
    assert failure["traceback"] == ""


def test_sizes_that_no_float_holds_are_counted_exactly() -> None:
    wide = DeepChain(width=2**62, depth=3)
    weights = 3 * 2**62 + 2**62 + 2 * (2**124 + 2**62) + 2**62 + 1
    assert start_bytes(Backprop(), wide, "float64", 2**62) == 8 * (2**62 * weights + 8 * 4)


@pytest.mark.parametrize(
    ("what", "settings"),
    [
        (lambda: run(Backprop(), Xor(hidden=HUGE), replicas=2, epochs=2), "96 GB"),
        (lambda: run(Backprop(), Xor(), replicas=10**12, epochs=2), "TB"),
        (lambda: run(Genetic(population=HUGE), Xor(), replicas=2, epochs=2), "144 GB"),
        (lambda: sheet(Cell.of({"name": "backprop"}, {"name": "xor", "hidden": HUGE}, {})), "32 GB"),
        (lambda: check(Cell.of({"name": "backprop"}, {"name": "xor", "hidden": HUGE}, {})), "128 GB"),
        (lambda: left(Cell.of({"name": "backprop"}, {"name": "deep_chain", "width": HUGE}, {})), "TB"),
    ],
    ids=["run", "replicas", "population", "cost", "credit", "vanishing"],
)
def test_what_has_no_room_is_refused_and_nothing_is_made(
    what: Callable[[], object], settings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine of 1 GB; what is refused would take many times as much, of which 100 MB must not be.

    XOR's network has 4 H + 1 weights, 32 GB of them; a run starts one network of two and keeps both."""
    monkeypatch.setattr(room, "machine", lambda: 10**9)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="would take") as refused:
            what()
        assert tracemalloc.get_traced_memory()[1] < 10**8
    finally:
        tracemalloc.stop()
    assert settings in str(refused.value)
    assert "this machine has 1 GB" in str(refused.value)


def test_what_has_room_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least that is refused is more than this needs: a bound that is too high would refuse what fits."""
    monkeypatch.setattr(room, "machine", lambda: 2**20)
    tracemalloc.start()
    try:
        run(Backprop(), Xor(), replicas=500, epochs=2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    monkeypatch.setattr(room, "machine", lambda: peak)
    run(Backprop(), Xor(), replicas=500, epochs=2)


def test_a_limit_on_the_process_counts() -> None:
    """The least of the machine's memory and a limit on addresses, set before Python starts."""
    if not Path("/proc/self").exists():
        pytest.skip("limits on addresses are Linux's")
    code = "from harness.cells.room import machine; print(machine())"
    limited = subprocess.run(
        ["sh", "-c", f'ulimit -v 3000000; "{sys.executable}" -c "{code}"'],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
    )
    assert int(limited.stdout) == min(machine(), 3_000_000 * 1024)


def test_a_limit_on_the_container_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Limits of a made-up group and of the one around it: the least holds, and `max` is none."""
    (tmp_path / "ours" / "inner").mkdir(parents=True)
    (tmp_path / "ours" / "memory.max").write_text("123456789\n")
    (tmp_path / "ours" / "inner" / "memory.max").write_text("max\n")
    monkeypatch.setattr(room, "CGROUP", tmp_path)
    text = Path.read_text

    def read(path: Path, *args: object, **named: object) -> str:
        return "0::/ours/inner\n" if str(path) == "/proc/self/cgroup" else text(path, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", read)
    assert machine() == 123456789


def test_bytes_are_said_in_words() -> None:
    assert [in_units(n) for n in (999, 12_345, 3 * 10**9, 5 * 10**15)] == [
        "999 bytes",
        "12 kB",
        "3 GB",
        "5,000 TB",
    ]
    assert in_units(10**40) == "10^28 TB"
