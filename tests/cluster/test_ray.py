"""Held to a Ray that runs: two workers of this machine's, started for the study, and gone with it.

A study on it keeps the same bits as one of our own pool, loses no cell to a killed worker, and leaves no
process behind, whatever ends it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.store.store import Store
from helpers.processes import HEARING
from helpers.same_records import same_records

SMALL = ("run.seed=1,2", "algorithm=backprop,mean_field,perceptron", "run.replicas=20", "run.epochs=60")
LONG = ("run.seed=1,2,3,4", "run.replicas=4000", "run.epochs=4000", "task.criterion=error", "task.bound=1e-9")


@pytest.fixture(autouse=True)
def installed() -> None:
    if find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install -e '.[ray]'")


def command(store: Path, *given: str, launcher: str = "ray") -> list[str]:
    beside = ("tracking.enabled=false", "figures=false", f"store={store}", f"hydra/launcher={launcher}")
    cores = "hydra.launcher.num_cpus=2" if launcher == "ray" else "hydra.launcher.n_jobs=1"
    return [sys.executable, "-m", "harness", "-m", *beside, cores, *given]


def run(store: Path, *given: str, launcher: str = "ray") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(store, *given, launcher=launcher), capture_output=True, text=True, timeout=170, check=False
    )


def of_ray(store: Path) -> dict[int, str]:
    """The processes of a study and its Ray, by the environment that all of them have from it."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"HARNESS_TESTED={store}\0".encode() in (folder / "environ").read_bytes():
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


def until(there: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 120
    while not there():
        assert time.monotonic() < deadline, f"{what}: not within 120 s"
        time.sleep(0.1)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a study whose processes are known by their environment; what it leaves is ended."""
    store = tmp_path / "store"

    def start(*given: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            HEARING + command(store, *given), env=os.environ | {"HARNESS_TESTED": str(store)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    yield start
    for pid in of_ray(store):
        os.kill(pid, signal.SIGKILL)


def test_a_study_on_ray_keeps_the_bits_of_one_of_our_own_processes(tmp_path: Path) -> None:
    """And says no word of Ray's where errors are said."""
    done = run(tmp_path / "ray", *SMALL)
    assert (done.returncode, done.stderr) == (0, "")
    assert run(tmp_path / "pool", *SMALL, launcher="processes").returncode == 0
    same_records(Store.at(tmp_path / "ray"), Store.at(tmp_path / "pool"), 6)


def test_a_killed_worker_loses_no_cell(tmp_path: Path, started: Callable[..., subprocess.Popen[str]]) -> None:
    store = Store.at(tmp_path / "store")
    study = started(*LONG)
    until(lambda: store.path.is_dir() and store.cells(), "a first cell")
    before = store.cells()
    killed = [pid for pid, what in of_ray(store.path).items() if what.startswith("ray::_work")]
    assert killed
    os.kill(killed[0], signal.SIGKILL)
    _, err = study.communicate(timeout=150)
    assert (study.returncode, err) == (0, "")
    assert len(store.cells()) == 4
    assert set(before) < set(store.cells())


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["at work", "as Ray starts"])
def test_no_process_of_rays_outlives_the_study_by_five_seconds(
    tmp_path: Path, started: Callable[..., subprocess.Popen[str]], end: signal.Signals, when: str
) -> None:
    store = tmp_path / "store"
    study = started(*LONG)
    sign = "ray::_work" if when == "at work" else "dashboard/agent.py"
    until(lambda: any(sign in what for what in of_ray(store).values()), f"{sign} in a process")
    study.send_signal(end)
    _, err = study.communicate(timeout=30)
    assert study.returncode == (-signal.SIGKILL if end == signal.SIGKILL else 130)
    assert "Traceback" not in err
    deadline = time.monotonic() + 5
    while of_ray(store) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not of_ray(store)


def test_where_there_is_no_ray_at_an_address_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path / "store", *SMALL, "hydra.launcher.address=auto")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("harness: Ray at auto ran no jobs: ")
