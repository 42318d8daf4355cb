"""Jobs of cells on SLURM, handed over by submitit: one array, a few hundred of it at a time.

The launcher of Hydra's own (`hydra/launcher=submitit_slurm`) says what a job asks for: partition, time,
memory. What becomes of jobs is seen here, in the queue, and in the store: submitit would ask `sacct`, which
not every cluster has, and, of a job that died, wait ten minutes. A job that is told to go, because its time
is over or others come before it, is queued again by submitit, and goes on with what it has not finished.

Jobs outlive whoever sent them. Their numbers are kept in `<store>/jobs/slurm`, so the same command, given
again, waits for those that still run instead of running their cells twice.
"""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cells.cell import Cell
from harness.core import registry
from harness.core.errors import InputError
from harness.core.files import by_age, write_atomically
from harness.store.store import Store
from harness.studies.apart import End, run_apart
from harness.studies.named import whole_names
from harness.studies.packing import packs, run_text

PENDING, COMPLETED, CANCELLED = "PENDING", "COMPLETED", "CANCELLED"
DIED = ("BOOT_FAIL", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT")
OVER = (COMPLETED, CANCELLED, *DIED)
"""States that a job does not leave; one that is queued again is PENDING."""
SOON = ("None", "Priority", "Resources", "BeginTime", "JobArrayTaskLimit")
"""Why a job may not run yet that will."""
PAUSES = (0.5, 10.0)  # seconds between two looks at the queue: at first, and for jobs of hours


@dataclass(frozen=True)
class Work:
    """What submitit calls where a job runs."""

    store: str
    plugins: tuple[str, ...]

    def __call__(self, text: str) -> None:
        registry.add_plugins(*self.plugins)
        run_text(self.store, text)

    def checkpoint(self, text: str) -> Any:
        """What is queued in place of a job that must go: the same, for what it has finished is in the
        store.
        """
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, text)


def run_on_slurm(
    cells: Sequence[Cell], store: Store, minutes: float, settings: Mapping[str, Any]
) -> dict[str, str]:
    """Run cells as jobs of SLURM, and wait for them and for those of an earlier command that are still there.

    Args:
        cells: those without a record.
        store: where records are kept, on a disk that all machines share.
        minutes: of a job (`harness.studies.packing.packs`).
        settings: of Hydra's launcher `submitit_slurm`, by name.

    Returns:
        By id, why a cell has no record; those whose code failed are noted in the store.

    Raises:
        InputError: in SLURM's words, for what it does not take.
    """
    earlier = under_way(store, {cell.id for cell in cells})
    theirs = {i for ids in earlier.values() for i in ids}

    def launch(texts: list[str]) -> list[End]:
        return _wait(_send(texts, store, settings), store)

    if earlier:
        _say(
            f"{len(theirs)} of the cells are in jobs of an earlier command, which run on and are waited for: "
            f"{' '.join(sorted(earlier))}"
        )
    lost = run_apart(packs([c for c in cells if c.id not in theirs], store, minutes), store, launch)
    if earlier:
        _wait(dict.fromkeys(earlier), store)
        left = [cell for cell in cells if cell.id in theirs and not store.has(cell.id)]
        lost |= run_apart(packs(left, store, minutes), store, launch)
    return lost


def under_way(store: Store, wanted: set[str]) -> dict[str, list[str]]:
    """The cells, among those that are wanted, of each job of an earlier command that is not over."""
    notes = _notes(store)
    states = _states(by_age(notes)) if notes.is_dir() else {}
    found = {}
    for job in by_age(notes):
        if states is not None and states.get(job, COMPLETED).partition(" ")[0] in OVER:
            (notes / job).unlink(missing_ok=True)
            continue
        ids = [i for i in (notes / job).read_text(encoding="utf-8").split() if i in wanted]
        if ids:
            found[job] = ids
    return found


def _send(texts: Sequence[str], store: Store, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Queue jobs, as Hydra's launcher does; submitit's jobs by their ids."""
    import submitit
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    given = dict(settings)
    made = {"folder": given.pop("submitit_folder"), "slurm_max_num_timeout": given.pop("max_num_timeout")}
    try:
        executor = submitit.AutoExecutor(cluster="slurm", **made)
        shared = executor._valid_parameters()  # by all executors of submitit's; others are SLURM's
        executor.update_parameters(**{n if n in shared else f"slurm_{n}": v for n, v in given.items()})
        work = Work(str(store.path), tuple(whole_names()))
        with redirect_stderr(io.StringIO()):  # where submitit prints what its error says
            jobs = executor.map_array(work, texts)
    except (FailedJobError, FailedSubmissionError) as error:
        raise InputError(f"SLURM did not take the jobs: {_last_line(error)}") from error
    except RuntimeError as error:
        if "srun" not in str(error):
            raise
        raise InputError(
            "hydra/launcher=submitit_slurm needs SLURM's own commands, and there is no srun here: start the "
            "study where sbatch works"
        ) from error
    sent = {job.job_id: job for job in jobs}
    notes = _notes(store)
    notes.mkdir(parents=True, exist_ok=True)
    for job, text in zip(sent, texts, strict=True):
        write_atomically(notes / job, "\n".join(Cell.parse(line).id for line in text.split("\n") if line))
    return sent


def _wait(jobs: Mapping[str, Any], store: Store) -> list[End]:
    """How jobs ended, when all have."""
    waiting, ends = dict(jobs), dict[str, End]()
    began, answers, told = time.monotonic(), True, set(SOON)
    try:
        while waiting:
            states = _states(waiting)
            if (states is not None) != answers:
                answers = not answers
                _say("SLURM answers again" if answers else "SLURM does not answer: waiting for it")
            for job in list(waiting):
                if states is None:
                    break
                state, _, why = states.get(job, COMPLETED).partition(" ")
                if state == PENDING and why not in told:
                    told.add(why)
                    _say(f"SLURM has taken job {job}, but says of it: {why}")
                if state in OVER:
                    ends[job] = _end(job, state if job in states else "", waiting.pop(job))
                    (_notes(store) / job).unlink(missing_ok=True)
            if waiting:
                time.sleep(min(PAUSES[1], PAUSES[0] + (time.monotonic() - began) / 20))
    except KeyboardInterrupt:
        numbers = sorted({job.partition("_")[0] for job in waiting})
        _say(
            f"the jobs run on, and the same command waits for them; to end them: scancel {' '.join(numbers)}"
        )
        raise
    store.cells()  # a listing has a network's file system look again
    return [ends[job] for job in jobs]


def _states(jobs: Iterable[str]) -> dict[str, str] | None:
    """The state of each job that the queue still knows, and why it is not another; None where it does not
    answer.
    """
    numbers = sorted({job.partition("_")[0] for job in jobs})
    found: dict[str, str] = {}
    for number in numbers:  # each by itself: SLURM refuses a list with one that it no longer knows
        command = ["squeue", "--noheader", "--array", "--states=all", "--format=%i %T %r", f"--jobs={number}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return {}
        if done.returncode and "Invalid job id" not in done.stderr:
            return None
        found |= dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    return found


def _end(job: str, state: str, submitted: Any) -> End:
    """What became of a job that is over."""
    if submitted is not None and submitted.paths.result_pickle.exists():  # it came to its end, or to an error
        error = submitted.exception()
        return End(f"job {job} of SLURM ended with {_last_line(error)}" if error else "")
    if state == COMPLETED and submitted is None:  # an earlier command's
        return End()
    if state == CANCELLED:
        return End(f"job {job} of SLURM was cancelled", again=False)
    return End(f"job {job} of SLURM ended as {state or 'none that the queue knows'}")


def _notes(store: Store) -> Path:
    """Where a file for each job that was sent has the ids of its cells."""
    return store.path / "jobs" / "slurm"


def _last_line(error: object) -> str:
    """The last line of what was said, without whose line it is."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" -")]
    return lines[-1].removeprefix("sbatch: ").removeprefix("error: ") if lines else type(error).__name__


def _say(sentence: str) -> None:
    print(f"harness: {sentence}", file=sys.stderr)
