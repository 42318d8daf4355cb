"""Evidence for claims: the cells and observations they need,
run where they are missing, and read from the store.

Cells are kept as any study's; an observation (what no record holds) as columns in
studies/replication/observed, under a name that its arguments and its code determine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np

from harness.cells.cell import Cell
from harness.cells.code_version import code_version
from harness.core.errors import ANYTHING, InputError
from harness.core.files import whole
from harness.replication.claim import Claim, Observation, Setting
from harness.store.definitions import Replaced
from harness.store.files import held, read_arrays
from harness.store.record import Record
from harness.store.store import Store
from harness.studies.attempt import attempt, expected_work
from harness.studies.compose import cells_of
from harness.studies.order import in_turn
from harness.studies.pool import Lost, cores, each

STUDY = "replication"
QUESTION = (
    "Which published figures come out again, which do not, "
    "and which were never printed where they are said to be?"
)
Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Look:
    """An observation with the arguments of its form, and the name it is kept under."""

    function: Callable[..., Columns]
    arguments: dict[str, Any]

    @property
    def id(self) -> str:
        """The function's name and a hash of all that determines its columns."""
        module, name = self.function.__module__, self.function.__name__
        text = json.dumps([self.arguments, code_version(module), np.__version__], sort_keys=True)
        return f"{module.rpartition('.')[2]}-{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def path(self, store: Store) -> Path:
        """Where its columns are kept."""
        return store.study_folder(STUDY) / "observed" / f"{self.id}.npz"


Job = Cell | Look


@dataclass(frozen=True)
class Agenda:
    """What each of some claims needs, in one of the two forms: a job for every setting and observation."""

    needs: dict[str, tuple[Job, ...]]
    """By the claim's id."""

    @classmethod
    def of(cls, claims: Iterable[Claim], small: bool = False) -> Agenda:
        """Composes every setting once. Raises `InputError` for a setting that cannot be."""
        some = tuple(claims)
        settings = {
            need.form(small): None for claim in some for need in claim.needs if isinstance(need, Setting)
        }
        composed = dict(zip(settings, cells_of(*settings)[0], strict=True)) if settings else {}

        def job(need: Setting | Observation) -> Job:
            return (
                Look(need.function, need.form(small))
                if isinstance(need, Observation)
                else composed[need.form(small)]
            )

        return cls({claim.id: tuple(map(job, claim.needs)) for claim in some})

    @property
    def jobs(self) -> dict[str, Job]:
        """All of them, once, by id."""
        return {job.id: job for jobs in self.needs.values() for job in jobs}

    @property
    def cells(self) -> list[str]:
        """Ids of the cells."""
        return [name for name, job in self.jobs.items() if isinstance(job, Cell)]

    def missing(self, store: Store) -> list[Job]:
        """What the store does not have: what is no cell first, then cells in the order of any study."""
        there = [job for job in self.jobs.values() if not has(store, job)]
        cells = [job for job in there if isinstance(job, Cell)]
        others = [job for job in there if not isinstance(job, Cell)]
        return [*others, *(cells[i] for i in in_turn([expected_work(cell) for cell in cells]))]

    def evidence(self, store: Store, claim: Claim) -> tuple[Any, ...] | None:
        """What a claim is measured from; None where some of it is missing."""
        if not all(has(store, job) for job in self.needs[claim.id]):
            return None
        return tuple(read(store, job) for job in self.needs[claim.id])


def has(store: Store, job: Job) -> bool:
    """Whether it was run."""
    return store.has(job.id) if isinstance(job, Cell) else is_zipfile(job.path(store))  # and not cut


def read(store: Store, job: Job) -> Record | Columns:
    """A cell's record, or an observation's columns."""
    if isinstance(job, Cell):
        return store.read(job.id)
    return held(job.path(store), read_arrays, mend="delete it, and the next run looks again")


def run(jobs: Sequence[Job], store: Store) -> list[str]:
    """Run some jobs on all cores; one sentence for each that failed.

    Finished ones are kept whatever happens.
    """
    done = each(partial(do, store), jobs, cores())
    said = [
        f"{job.id} was lost: {one.reason}" if isinstance(one, Lost) else one
        for job, one in zip(jobs, done, strict=True)
    ]
    return [sentence for sentence in said if sentence]


def do(store: Store, job: Job) -> str:
    """Run one job and keep what came of it; why it failed, or nothing."""
    if isinstance(job, Cell):
        attempt(job, store)
        return "" if store.has(job.id) else f"{job.id} failed: {store.failures([job.id])[job.id]['reason']}"
    try:
        keep(store, job, look(job))
    except ANYTHING as error:
        return f"{job.id} failed: {type(error).__name__}: {error}"
    return ""


def look(job: Look) -> Columns:
    """The columns of an observation, in one thread as cells are run."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        return job.function(**job.arguments)


def keep(store: Store, job: Look, columns: Columns) -> None:
    """Write them whole or not at all."""
    path = job.path(store)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as new:
        np.savez(new, allow_pickle=False, **columns)


def tell(store: Store, agenda: Agenda, whole: bool, small: bool) -> Replaced | None:
    """The cells make a study, of the `small` form or the full one: all of it, or some that join it.

    Returns what was replaced.
    """
    if whole:
        return store.write_study(STUDY, QUESTION, agenda.cells, small=small)
    for cell in agenda.cells:
        store.join_study(STUDY, QUESTION, cell)
    return None


def chosen(claims: Sequence[Claim], words: Sequence[str]) -> list[Claim]:
    """The claims whose id or section has one of the words in it; without words all.

    Raises `InputError` if a word finds none.
    """
    for word in words:
        if not any(_about(claim, word) for claim in claims):
            near = get_close_matches(
                word, [name for claim in claims for name in (claim.id, *claim.id.split("/"))], 1
            )
            groups = ", ".join(dict.fromkeys(claim.id.partition("/")[0] for claim in claims))
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"no claim has {word!r} in its id, nor as its section: ids begin with {groups}{hint}"
            )
    return [claim for claim in claims if not words or any(_about(claim, word) for word in words)]


def _about(claim: Claim, word: str) -> bool:
    return word.lower() in claim.id.lower() or claim.section == word or claim.section.startswith(f"{word}.")
