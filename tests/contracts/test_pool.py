"""Held to what a pool promises: every job is done once, in whatever process; only a job whose worker was
killed is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from harness.cells.cell import Cell
from harness.core.registry import algorithms, tasks
from harness.store.store import Store
from harness.studies.attempt import attempt_text
from harness.studies.pool import Lost, each
from helpers.processes import HEARING, alive, children


def square(x: int) -> int:
    return x * x


def square_or_die(x: int) -> int:
    if x == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if x == 3:
        raise ValueError("three")
    return x * x


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_results_come_in_the_order_of_the_jobs(workers: int) -> None:
    assert each(square, range(5), workers) == [0, 1, 4, 9, 16]


def test_without_jobs_nothing_is_started() -> None:
    assert each(square, [], 2) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_worker_loses_its_job_and_no_other(workers: int) -> None:
    lost = {2: Lost("its worker was killed by SIGKILL"), 3: Lost("ValueError: three")}
    assert each(square_or_die, range(6), workers) == [lost.get(x, x * x) for x in range(6)]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="there is no /proc to see processes in")
@pytest.mark.parametrize(
    ("end", "at_once"),
    [
        *(
            pytest.param(s, False, marks=pytest.mark.slow)
            for s in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
        ),
        (signal.SIGKILL, True),
    ],
)
def test_whatever_ends_a_sweep_ends_its_workers_and_theirs(
    store: Store, end: signal.Signals, at_once: bool
) -> None:
    """Its workers are killed at once with it, or find out by themselves; theirs always have to."""
    command = [
        sys.executable,
        "-m",
        "harness",
        "-m",
        "run.seed=1,2,3",
        "run.replicas=4000",
        "run.epochs=1000000",
    ]
    command += [
        "run.processes=2",
        "tracking.enabled=false",
        "hydra.launcher.n_jobs=2",
        "task.criterion=error",
        "task.bound=1e-9",
    ]
    environment = os.environ | {"HARNESS_STORE": str(store.path)}
    sweep = subprocess.Popen(HEARING + command, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while (
        len(below := children(sweep.pid)) < 6 and time.monotonic() < deadline
    ):  # two workers, each with two processes
        time.sleep(0.1)
    assert len(below) >= 6, below
    workers = [pid for pid in below if children(pid)] if at_once else []
    for pid in (*workers, sweep.pid):
        os.kill(pid, end)
    _, said = sweep.communicate(timeout=30)
    assert sweep.returncode == (-signal.SIGKILL if end == signal.SIGKILL else 130)
    assert "Traceback" not in said
    if end != signal.SIGKILL:
        assert "interrupted: 0 of 3 cells are kept, and the same command does the other 3" in said
    assert gone(below)


def gone(pids: list[int], within: float = 5) -> bool:
    """Whether processes are gone within five seconds."""
    until = time.monotonic() + within
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(alive, pids))


POOL = """
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from harness.studies.pool import each

def wait_without_end(_):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(time.sleep, [1000, 1000]))

if __name__ == "__main__":
    print(each(wait_without_end, range(2), 1))
"""
"""Two jobs, each with two processes of its own, as a cell of two processes has them."""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="there is no /proc to see processes in")
def test_what_a_killed_worker_had_started_ends_with_it(tmp_path: Path) -> None:
    """The other job is begun by the next worker, and when that is killed, too, nothing is left."""
    (script := tmp_path / "two_jobs.py").write_text(POOL, encoding="utf-8")
    pool = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    killed: list[int] = []
    try:
        for _ in range(2):
            found = dict[int, list[int]]()
            deadline = time.monotonic() + 60
            while not found and time.monotonic() < deadline:
                time.sleep(0.05)
                below = {pid: children(pid) for pid in children(pool.pid) if pid not in killed}
                found = {pid: own for pid, own in below.items() if len(own) >= 2}
            assert found, "else nothing would be tested"
            worker, own = next(iter(found.items()))
            time.sleep(1)  # they are at work, and no longer waiting for their parent's first word
            killed += [worker, *own]
            os.kill(worker, signal.SIGKILL)
            assert gone([worker, *own])
        said, _ = pool.communicate(timeout=60)
    finally:
        for pid in filter(alive, [*killed, pool.pid]):
            os.kill(pid, signal.SIGKILL)
    assert said.count("its worker was killed by SIGKILL") == 2


TENDED = """
import subprocess, sys
from harness.studies.pool import tended
if __name__ == "__main__":
    with tended(subprocess.call, ["sleep", "1000"]) as process:
        process.join(None if sys.argv[1:] else 0.5)
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="there is no /proc to see processes in")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, None])
def test_what_is_tended_ends_with_whoever_tends_it(end: signal.Signals | None) -> None:
    """A server that the dashboard has started would stay; None: the block ends."""
    command = [sys.executable, "-c", TENDED, *(["for ever"] if end else [])]
    process = subprocess.Popen(command)
    deadline, below = time.monotonic() + 60, []
    while process.poll() is None and time.monotonic() < deadline:
        below = sorted({*below, *children(process.pid)})
        if end and any(Path(f"/proc/{p}/comm").read_text() == "sleep\n" for p in children(process.pid)):
            process.send_signal(end)
            process.wait(timeout=60)
        time.sleep(0.02)
    assert process.returncode == (-end if end else 0)
    assert below
    assert gone(below)


def every_cell() -> list[Cell]:
    cells = [Cell.of({"name": a}, {"name": t}, {}) for a in algorithms() for t in ("xor", "encoder")]
    cells += [Cell.of({"name": "backprop"}, {"name": t}, {"probe": 3, "processes": 2}) for t in tasks()]
    adam = {"name": "backprop", "optimiser": {"name": "adam", "lr": 0.1}}
    return [*cells, Cell.of(adam, {"name": "xor", "scale": 1 / 3}, {"seconds": 0.1, "batch": 3})]


def test_a_cell_comes_out_of_its_text_as_it_went_in() -> None:
    for cell in every_cell():
        again = Cell.parse(cell.text())
        assert "\n" not in cell.text()
        assert again.text() == cell.text()
        assert (again.id, again.settings, again.not_applicable) == (
            cell.id,
            cell.settings,
            cell.not_applicable,
        )


def test_a_cell_run_from_its_text_is_the_record_of_the_cell(store: Store) -> None:
    cells = [
        Cell.of({"name": "backprop"}, {"name": "xor"}, {"replicas": 3, "epochs": 5, "seed": s})
        for s in range(3)
    ]
    assert each(partial(attempt_text, str(store.path)), [cell.text() for cell in cells], 2) == [None] * 3
    assert all(store.has(cell.id) for cell in cells)
