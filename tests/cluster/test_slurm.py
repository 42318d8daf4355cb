"""Held to a SLURM that runs: one machine's, with a controller, a daemon and a key of its own (slurm.sh).

A study on it keeps the same bits as one of our own pool, loses no cell and runs none twice, whatever becomes
of its jobs; what SLURM refuses is one sentence.
"""

from __future__ import annotations

import os
import shutil
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

SCRIPT = Path(__file__).parent / "slurm.sh"
SEEDS = "run.seed=1,2,3,4"
SMALL = ("run.seed=1,2", "algorithm=backprop,mean_field,perceptron", "run.replicas=20", "run.epochs=60")
LONG = (SEEDS, "run.replicas=4000", "run.epochs=4000", "task.criterion=error", "task.bound=1e-9")
"""Cells of some seconds, each a batch by itself."""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which SLURM's commands reach it."""
    if find_spec("submitit") is None:
        pytest.skip("submitit is not installed: pip install -e '.[slurm]'")
    folder = tmp_path_factory.mktemp("slurm")
    started = subprocess.run(
        [SCRIPT, "start", folder, "2", str(os.getpid())], capture_output=True, text=True, check=False
    )
    if started.returncode == 3:
        pytest.skip(started.stderr.strip())
    assert started.returncode == 0, started.stderr
    name, _, value = started.stdout.strip().partition("=")
    yield os.environ | {name: value}
    subprocess.run([SCRIPT, "stop", folder], check=True)


class Sweep:
    """A study on SLURM, in a folder of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.store = Store.at(folder / "store")
        self.started: list[subprocess.Popen[str]] = []

    def command(self, *given: str) -> list[str]:
        launcher = (
            () if any("hydra/launcher" in each for each in given) else ("hydra/launcher=submitit_slurm",)
        )
        beside = ("tracking.enabled=false", "figures=false", f"store={self.store.path}")
        return [sys.executable, "-m", "harness", "-m", *beside, *launcher, *given]

    def run(self, *given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*given), cwd=self.folder, env=self.environment, capture_output=True, text=True,
            timeout=170, check=False,
        )  # fmt: skip

    def start(self, *given: str) -> subprocess.Popen[str]:
        self.started.append(
            subprocess.Popen(
                HEARING + self.command(*given), cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        return self.started[-1]

    def ask(self, *command: str) -> str:
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    def queue(self, states: str = "PENDING,RUNNING,COMPLETING") -> list[str]:
        return self.ask("squeue", "--noheader", "--array", f"--states={states}", "--format=%i").split()

    def until(self, there: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 90
        while not there():
            assert time.monotonic() < deadline, f"{what}: not within 90 s"
            time.sleep(0.1)

    def pids(self, job: str) -> list[int]:
        """The Python processes of a job."""
        listed = self.ask("scontrol", "listpids", job).splitlines()[1:]
        pids = [int(line.split()[0]) for line in listed if int(line.split()[0]) > 0]
        return [pid for pid in pids if "python" in Path(f"/proc/{pid}/comm").read_text()]

    def kept(self) -> dict[str, int]:
        """When each record was written."""
        return {i: (self.store.cell_folder(i) / "cell.json").stat().st_mtime_ns for i in self.store.cells()}

    def begun(self) -> int:
        """How often submitit has begun a job."""
        logs = self.folder.glob(".submitit/*/*_log.out")
        return sum(log.read_text().count("Starting with") for log in logs)


@pytest.fixture
def sweep(tmp_path: Path, slurm: dict[str, str]) -> Iterator[Sweep]:
    one = Sweep(tmp_path, slurm)
    yield one
    for left in one.started:
        left.kill()
        left.communicate()
    subprocess.run(["scancel", "--user=root"], env=slurm, check=False)


def test_a_study_on_slurm_keeps_the_bits_of_one_of_our_own_processes(sweep: Sweep, tmp_path: Path) -> None:
    """In several jobs, at most two of them at a time."""
    done = sweep.run(*SMALL, "jobs.minutes=1e-7", "hydra.launcher.array_parallelism=2")
    assert (done.returncode, done.stderr) == (0, "")
    assert sweep.begun() == 6, "not a job for each batch"
    (tmp_path / "pool").mkdir()
    pool = Sweep(tmp_path / "pool", sweep.environment)
    assert pool.run(*SMALL, "hydra/launcher=processes").returncode == 0
    same_records(sweep.store, pool.store, 6)
    assert not list((sweep.store.path / "jobs").glob("*/*")), "jobs that are over are noted still"
    # the table's seconds aside, the study says what it says of any other
    again = sweep.run(*SMALL)
    assert again.stdout == done.stdout
    assert sweep.begun() == len(list(sweep.folder.glob(".submitit/*/*_log.out"))), "nothing was sent again"


def test_no_more_jobs_run_at_a_time_than_the_cap_says(sweep: Sweep) -> None:
    running = sweep.start(*SMALL, "jobs.minutes=1e-7", "hydra.launcher.array_parallelism=1")
    most = 0
    while running.poll() is None:
        most = max(most, len(sweep.queue("RUNNING")))
        time.sleep(0.05)
    running.communicate()
    assert running.returncode == 0
    assert most == 1
    assert sweep.begun() == 6, "not a job for each batch"


@pytest.mark.parametrize("way", ["signal", "requeue"])
def test_a_job_that_is_preempted_goes_on_and_does_nothing_twice(sweep: Sweep, way: str) -> None:
    """By the signal that comes before a job's machine is taken away, and by an operator's requeue. SLURM lets
    a job that is queued again wait for two minutes: here it is told not to."""
    running = sweep.start(*LONG, "jobs.minutes=60")
    sweep.until(lambda: len(sweep.store.cells()) == 1, "a first cell")
    time.sleep(0.5)  # into the next one
    (job,) = sweep.queue()
    before = sweep.kept()
    if way == "signal":
        sweep.ask("scancel", "--signal=USR2", job)
    else:
        sweep.ask("scontrol", "requeue", job)
    sweep.until(lambda: sweep.queue("PENDING") == [job], "the job, queued again")
    assert sweep.store.failures(sweep.store.study("scratch")["cells"]) == {}, "a signal is no cell's failure"
    sweep.ask("scontrol", "update", f"jobid={job}", "StartTime=now")
    _, err = running.communicate(timeout=120)
    assert (running.returncode, err) == (0, "")
    after = sweep.kept()
    assert len(after) == 4
    assert {i: after[i] for i in before} == before, "a finished cell was run again"
    assert sweep.begun() == 2


def test_a_job_that_is_killed_loses_no_cell_that_was_finished(sweep: Sweep) -> None:
    running = sweep.start(*LONG, "jobs.minutes=60")
    sweep.until(lambda: len(sweep.store.cells()) == 1, "a first cell")
    before = sweep.kept()
    (job,) = sweep.queue()
    work = sweep.pids(job)
    assert work
    for pid in work:
        os.kill(pid, signal.SIGKILL)
    _, err = running.communicate(timeout=120)
    assert (running.returncode, err) == (0, ""), "what it left was not run by another job"
    after = sweep.kept()
    assert len(after) == 4
    assert {i: after[i] for i in before} == before
    assert sweep.begun() == 2


def test_a_cell_that_kills_its_job_is_lost_and_no_other(sweep: Sweep) -> None:
    plugin = sweep.folder / "deadly.py"
    plugin.write_text(
        "import os, signal\n"
        "from dataclasses import dataclass\n"
        "from algorithms.backprop import Backprop\n"
        "@dataclass(frozen=True)\n"
        "class Deadly(Backprop):\n"
        "    '''Dies.'''\n"
        "    def credit(self, *_):\n"
        "        if os.environ.get('SLURM_JOB_ID'):\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = sweep.run(
        "plugins=[deadly.py]", "algorithm=backprop,deadly,perceptron", "run.replicas=4", "run.epochs=5",
        "jobs.minutes=60",
    )  # fmt: skip
    assert done.returncode == 1
    (told,) = [line for line in done.stderr.splitlines() if "lost" in line]
    assert "xor-deadly-" in told
    assert "of SLURM ended as FAILED" in told
    assert len(sweep.store.cells()) == 2


def test_ctrl_c_leaves_the_jobs_and_the_same_command_waits_for_them(sweep: Sweep) -> None:
    running = sweep.start(*LONG, "jobs.minutes=60")
    sweep.until(lambda: len(sweep.store.cells()) == 1, "a first cell")
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert running.returncode == 130
    (job,) = sweep.queue()
    assert "Traceback" not in err
    assert "the jobs run on, and the same command waits for them" in err
    assert f"scancel {job}" in err
    done = sweep.run(*LONG, "jobs.minutes=60")
    assert done.returncode == 0, done.stderr
    assert f"in jobs of an earlier command, which run on and are waited for: {job}" in done.stderr
    assert len(sweep.store.cells()) == 4
    assert sweep.begun() == 1, "a cell was run twice"


def test_a_job_that_was_cancelled_is_told_and_not_sent_again(sweep: Sweep) -> None:
    running = sweep.start(*LONG, "jobs.minutes=60")
    sweep.until(lambda: len(sweep.store.cells()) == 1, "a first cell")
    (job,) = sweep.queue()
    sweep.ask("scancel", job)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 1
    lost = [line for line in err.splitlines() if f"was lost: job {job} of SLURM was cancelled" in line]
    assert len(lost) == 4 - len(sweep.store.cells()) > 0, err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("hydra.launcher.partition=nope",), "nvalid partition"),
        (("hydra.launcher.mem_gb=9000000",), "Requested node configuration is not available"),
    ],
)
def test_what_slurm_refuses_is_one_sentence_and_nothing_is_lost(
    sweep: Sweep, given: tuple[str, ...], said: str
) -> None:
    done = sweep.run(*SMALL, *given)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("harness: SLURM did not take the jobs: ")
    assert said in line
    assert sweep.queue() == []


def test_what_slurm_takes_and_will_not_run_is_told(sweep: Sweep) -> None:
    """A limit of a partition's is no error to a SLURM that is not told to enforce it: the job waits."""
    running = sweep.start(*SMALL, "hydra.launcher.partition=short", "hydra.launcher.timeout_min=5")
    assert running.stderr is not None
    assert "but says of it: Partition" in running.stderr.readline()
    (job,) = sweep.queue()
    sweep.ask("scancel", job)
    running.communicate(timeout=60)
    assert running.returncode == 1


def test_where_there_is_no_slurm_it_says_so(sweep: Sweep) -> None:
    sweep.environment = sweep.environment | {"PATH": str(Path(sys.executable).parent)}
    assert shutil.which("srun", path=sweep.environment["PATH"]) is None
    done = sweep.run(*SMALL)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "harness: hydra/launcher=submitit_slurm needs SLURM's own commands, and there is no srun here: "
        "start the study where sbatch works"
    )
