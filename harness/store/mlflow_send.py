"""From the local store to MLflow: flat runs, one a cell, sent in a few batched calls.

Records come first and stay; sending them is repeatable, and what is true is what the tracker says. A run
carries its cell's id as a tag and, last of all, the tag `complete`; a run of ours without it was cut off,
and is sent again, as is what was deleted there. One process of a store sends at a time. One MLflow
experiment a study, whose tags say which runs hold its cells, in its order: `harness.store.mlflow_fetch`
finds them there (searching a thousand runs takes MLflow seconds). Several stores may send the same cells to a
server at once, which has no lock that they share: each looks again when it is through, and of the runs of a
cell all keep the same one. Runs and experiments are called and
described by `harness.store.mlflow_words`, until a person calls them something else. A note in the store of
what was sent, and of how the database was left, spares importing MLflow where nothing is new.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.core.errors import InputError
from harness.core.files import write_atomically
from harness.store.files import Damaged, json_text
from harness.store.mlflow_database import is_server
from harness.store.mlflow_note import (
    Note,
    database_of,
    described,
    digest_of,
    left,
    news,
    note_path,
    served,
    tracking_uri,
)
from harness.store.mlflow_run import COMPLETE, NAME, NAMED, NOTE, SENDER, send_record, words_of
from harness.store.mlflow_tracker import (
    InUse,
    alone,
    answering,
    in_words,
    make_database,
    quieten,
    troubles,
)
from harness.store.mlflow_words import names
from harness.store.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient

INDEX = "mlflow.harness.cells"  # tags of an experiment: MLflow's pages do not show those that begin like this
DESCRIBED = "mlflow.harness.described"  # tag: the digest of the description that we wrote last
TABLE = "harness"  # key of the run table the dashboard opens with
COLUMNS = {
    **{"metrics.`solved/rate`": 100, "metrics.`solved/ert_epochs`": 140, "metrics.`solved/median`": 120},
    **{"metrics.`unsolved/replicas`": 140, "metrics.`diverged/replicas`": 140},
    **{"params.`replicas`": 90, "params.`epochs`": 90, "metrics.`time/s_per_1k`": 120},
}
"""The columns of the run table in their order, and how many pixels wide they are: who solves, at what price;
who does not; out of how many, within what budget; in what time."""
NAMES, CREATED = "attributes.`Run Name`", "runDateAndNestInfo"  # MLflow always shows them, before all others


class Sent(NamedTuple):
    """What came of sending a study."""

    cells: int
    """How many were sent."""
    said: tuple[str, ...] = ()
    """A sentence on each thing that was not."""
    in_use: bool = False
    """Whether it was not because another program was at the database, which may be over soon."""


def sync(store: Store, study: str, uri: str | None = None) -> int:
    """Send the finished cells of a study that the tracker does not have; how many.

    A tracker out of reach, in use or damaged loses nothing: it is said.
    """
    sent = send(store, study, tracking_uri(store, uri))
    for sentence in sent.said:
        print(f"harness: {sentence}", file=sys.stderr)
    return sent.cells


def send(store: Store, study: str, target: str) -> Sent:
    """`sync` to a tracker by its whole URI, which says nothing itself."""
    ids = news(store, study, target)
    if ids is None:
        return Sent(0)
    try:
        with alone(target, store.path):
            return _send_all(store, study, target, ids)
    except InputError as error:
        sentence = (
            "MLflow did not take the results, which are safe in the store "
            f"(the next run of the study sends them): {error}"
        )
        return Sent(0, (sentence,), isinstance(error, InUse))


def _send_all(store: Store, study: str, target: str, ids: Sequence[str]) -> Sent:
    """Send what the tracker does not have, write the index and the note.

    Raises `InputError` where the tracker is in trouble.
    """
    make_database(target)
    answering(target)
    quieten()
    from mlflow import MlflowClient

    runs: dict[str, str] = {}
    said: list[str] = []
    sent, sender = 0, _sender(store)
    try:
        client = MlflowClient(target)
        called = _names(store, ids)
        words, digest = described(store, study, target)
        told = _view(called.values()) | {NOTE: words, DESCRIBED: digest}
        experiment = _experiment(client, store, study, target)
        _tell(client, experiment, told)
        complete = _complete_runs(client, experiment, sender)
        for i in ids:
            record = store.read(i)  # kept no longer than it takes: there may be thousands
            said_of_it = partial(words_of, record, called.get(i, i), study, served=served(store, target))
            if i in complete:
                runs[i] = complete[i].info.run_id
                if i in called and complete[i].data.tags.get(SENDER) == sender:
                    _rename(client, complete[i], called[i], said_of_it)
            elif what := record.damage():
                said.append(f"the record of {i} is not sent: {what}; {record.mend}")
            else:
                runs[i] = send_record(client, experiment, study, sender, record, said_of_it())
                sent += 1
        if sent and database_of(target) is None:  # elsewhere nobody else was at it
            complete = _complete_runs(client, experiment, sender)
            runs = {i: complete[i].info.run_id if i in complete else run for i, run in runs.items()}
        _write_index(client, experiment, sender, runs)
        path = note_path(store, study, target)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json_text(asdict(Note(experiment, runs, left(target), digest))))
    except troubles() as error:
        raise in_words(target, error) from error
    return Sent(sent, tuple(said))


def _sender(store: Store) -> str:
    """This store's name at a tracker to which several may send."""
    return hashlib.sha256(f"{platform.node()} {store.path}".encode()).hexdigest()[:8]


def _names(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """What the runs are called, by cell; of damaged records nothing is known."""
    metas = []
    for i in ids:
        with suppress(Damaged):
            metas.append(store.read(i).meta)
    return names(metas)


def _rename(client: MlflowClient, run: Any, name: str, words: Callable[[], Mapping[str, str]]) -> None:
    """Call a run that is there what it is called among the cells that a study has now, and describe one that
    was sent before runs were described; a name or a description that a person gave stays.
    """
    tags, run_id = run.data.tags, run.info.run_id
    before = tags.get(NAMED, " ".join(tags.get("cell", "").split("-")[:2]))
    if tags.get(NAME) == before != name:
        client.update_run(run_id, name=name)
        client.set_tag(run_id, NAMED, name)
    if NAMED not in tags and NOTE not in tags:
        client.set_tag(run_id, NOTE, words()[NOTE])


def _view(names: Iterable[str]) -> dict[str, str]:
    """The tag with which MLflow shows a run table: the columns that matter, and names at full length."""
    wide = min(400, 60 + round(6.4 * max(map(len, names), default=0)))
    view = {
        "selectedColumns": list(COLUMNS),
        "columnOrder": [NAMES, CREATED, *COLUMNS],
        "columnWidths": {NAMES: wide, CREATED: 125} | COLUMNS,
        "orderByKey": f"tags.`{NAME}`",
        "orderByAsc": True,
        "runsHiddenMode": "SHOW_ALL",
    }
    return {f"mlflow.sharedViewState.{TABLE}": json.dumps(view)}


def _experiment(client: MlflowClient, store: Store, study: str, target: str) -> str:
    """The id of the study's experiment, made or brought back if need be."""
    from mlflow.exceptions import MlflowException

    known = client.get_experiment_by_name(study)
    if known is None:
        local = target.startswith("sqlite:") or is_server(target)  # they have no place of their own for files
        location = (store.path / "artifacts" / study).as_uri() if local else None
        try:
            client.create_experiment(study, artifact_location=location)
        except MlflowException:  # another store was quicker
            if client.get_experiment_by_name(study) is None:
                raise
        known = client.get_experiment_by_name(study)
    assert known is not None
    experiment = str(known.experiment_id)
    if known.lifecycle_stage != "active":
        client.restore_experiment(experiment)
    return experiment


def _tell(client: MlflowClient, experiment: str, told: Mapping[str, str]) -> None:
    """Set what tags of an experiment are not as they are to be told; what a person says of it stays."""
    tags = client.get_experiment(experiment).tags
    there = tags.get(NOTE, "")
    own = not there or digest_of(there) == tags.get(DESCRIBED)
    for tag, text in told.items():
        if tags.get(tag, "") != text and (own or tag not in (NOTE, DESCRIBED)):
            client.set_experiment_tag(experiment, tag, text)


def _complete_runs(client: MlflowClient, experiment: str, sender: str) -> dict[str, Any]:
    """The runs of cells already there in whole, by cell; those of ours that were cut off, and all but one of
    those that are there several times, are deleted.

    The one that stays has the least id: so whoever looks, and whenever, there is one that nobody deletes.
    """
    runs: list[Any] = []
    token = None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        runs += page
        token = page.token
        if not token:
            break
    complete: dict[str, Any] = {}
    instead: dict[str, str] = {}
    for run in sorted(runs, key=lambda run: str(run.info.run_id)):
        tags = run.data.tags
        if SENDER not in tags:
            continue  # a person's own
        if tags.get(COMPLETE) != "true":
            if tags[SENDER] == sender:
                client.delete_run(run.info.run_id)
        elif (kept := complete.setdefault(tags.get("cell", ""), run)) is not run:
            client.delete_run(run.info.run_id)
            instead[run.info.run_id] = kept.info.run_id
    if instead:
        _correct_index(client, experiment, instead)
    return complete


def _correct_index(client: MlflowClient, experiment: str, instead: Mapping[str, str]) -> None:
    """Have every store's lines of cells name the runs that stayed, instead of those that were deleted."""
    for tag, text in client.get_experiment(experiment).tags.items():
        if tag.startswith(f"{INDEX}."):
            lines = [line.split(" ") for line in text.splitlines()]
            corrected = "".join(f"{i} {instead.get(run, run)}\n" for i, run in lines)
            if corrected != text:
                client.set_experiment_tag(experiment, tag, corrected)


def _write_index(client: MlflowClient, experiment: str, sender: str, runs: Mapping[str, str]) -> None:
    """A line for each cell, its id and its run's, into tags of the experiment, a hundred lines each;
    every store has its own, so that several may send to one tracker.
    """
    lines = [f"{i} {run}\n" for i, run in runs.items()]
    parts = {
        f"{INDEX}.{sender}.{n:04d}": "".join(lines[100 * n : 100 * n + 100])
        for n in range(-(-len(lines) // 100))
    }
    known = client.get_experiment(experiment).tags
    for tag in known:
        if tag.startswith(f"{INDEX}.{sender}.") and tag not in parts:
            client.delete_experiment_tag(experiment, tag)
    for tag, text in parts.items():
        if known.get(tag) != text:
            client.set_experiment_tag(experiment, tag, text)
