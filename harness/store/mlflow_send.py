"""From the local store to MLflow: flat runs, one a cell, sent in a few batched calls.

Records come first and stay; sending them is repeatable. A run carries its cell's id as a tag and, last of
all, the tag `complete`; a run without it was cut off, and is sent again. What was sent is noted in the
store, so that nothing new means not even importing MLflow. One MLflow experiment a study, whose tags say
which runs hold its cells, in its order: `harness.store.mlflow_fetch` finds them there (searching a thousand
runs takes MLflow seconds).
"""

from __future__ import annotations

import calendar
import hashlib
import json
import logging
import math
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cells.words import flat
from harness.core.files import write_atomically
from harness.experiment.summary import Summary
from harness.store.record import TIME_FORMAT, Record, Store

if TYPE_CHECKING:
    from mlflow import MlflowClient

INDEX = "mlflow.harness.cells"  # tags of an experiment: MLflow's pages do not show those that begin like this
TABLE = "harness"  # key of the run table the dashboard opens with
COLUMNS = [
    *(f"metrics.`{m}`" for m in ("solved/rate", "solved/median", "solved/ert_epochs", "time/s_per_1k")),
    *(f"params.`{p}`" for p in ("task", "algorithm", "replicas")),
]
METRICS = {
    "solved/rate": "rate",
    "solved/low": "rate_low",
    "solved/high": "rate_high",
    "solved/ert_epochs": "ert_epochs",
    "solved/median": "epochs_median",
    "time/s_per_1k": "seconds_per_1000_replica_epochs",
    "cost/ert_flops": "ert_flops",
    "cost/ert_passes": "ert_forward_passes",
    "cost/ert_span_operations": "ert_span_operations",
    "cost/ert_random": "ert_random_numbers",
    "cost/passes": "update_forward_passes",
    "cost/peak_bytes": "peak_bytes",
    "loss/final": "loss_median",
    "right/validation": "validation_right_mean",
    "right/held_out": "held_right_mean",
}
CURVES = {
    "loss/median": "loss_q50",
    "loss/q25": "loss_q25",
    "loss/q75": "loss_q75",
    "right/median": "right_q50",
}
BATCH = 1000  # points a call over REST may carry


def tracking_uri(store: Store, uri: str | None) -> str:
    """The tracking URI in force: the given one, or a database inside the store."""
    return uri or f"sqlite:///{store.path / 'mlflow.db'}"


def sync(store: Store, study: str, uri: str | None = None) -> int:
    """Send the finished cells of a study that were not sent yet; how many.

    A tracker out of reach loses nothing: it is said.
    """
    target = tracking_uri(store, uri)
    notes = sent_notes(store, study, target)
    ids = [i for i in store.study(study)["cells"] if store.has(i)]
    pending = [i for i in ids if not _noted(notes / i)]
    if not pending and _index(notes, ids) == _noted(notes / "index"):
        return 0
    quieten()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient(target)
        experiment = _experiment(client, store, study, target)
        complete = _complete_runs(client, experiment) if pending else {}
        notes.mkdir(parents=True, exist_ok=True)
        write_atomically(notes / "experiment", experiment)
        for i in pending:
            run = complete[i] if i in complete else _send(client, experiment, study, store.read(i))
            (notes / i).write_text(run, encoding="utf-8")
        _write_index(client, experiment, store, index := _index(notes, ids))
        write_atomically(notes / "index", index)
    except (MlflowException, OSError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        print(
            f"harness: MLflow at {target} did not take the results ({reason}); they are safe in the store, "
            "and the next run of the study sends them",
            file=sys.stderr,
        )
        return 0
    return len(pending)


def quieten() -> None:
    """Before MLflow is imported: notice in seconds, not minutes,
    that a server is down; report nothing to anybody.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    logging.getLogger("alembic").setLevel(logging.WARNING)


def sent_notes(store: Store, study: str, target: str) -> Path:
    """The folder that notes what was sent to a tracking URI (forgotten when its database is gone)."""
    key = hashlib.sha256(target.encode()).hexdigest()[:12]
    notes = store.path / "studies" / study / "sent" / key
    database = target.removeprefix("sqlite:///")
    if database != target and not Path(database).exists() and notes.is_dir():
        for note in notes.iterdir():
            note.unlink()
    return notes


def _experiment(client: MlflowClient, store: Store, study: str, target: str) -> str:
    """The id of the study's experiment, made if need be, with a run table worth opening."""
    found = client.get_experiment_by_name(study)
    if found is None:
        local = target.startswith("sqlite:")
        made = client.create_experiment(
            study, artifact_location=(store.path / "artifacts" / study).as_uri() if local else None
        )
    experiment = str(found.experiment_id if found else made)
    view = {
        "selectedColumns": COLUMNS,
        "orderByKey": "params.`task`",
        "orderByAsc": True,
        "runsHiddenMode": "SHOW_ALL",
    }
    client.set_experiment_tag(experiment, f"mlflow.sharedViewState.{TABLE}", json.dumps(view))
    return experiment


def _complete_runs(client: MlflowClient, experiment: str) -> dict[str, str]:
    """The runs of cells already there in whole, by cell; runs that were cut off are deleted."""
    runs: list[Any] = []
    token = None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        runs += page
        token = page.token
        if not token:
            break
    complete: dict[str, str] = {}
    for run in runs:
        if run.data.tags.get("complete") == "true":
            complete[run.data.tags.get("cell", "")] = run.info.run_id
        elif "cell" in run.data.tags:
            client.delete_run(run.info.run_id)
    return complete


def _noted(note: Path) -> str:
    return note.read_text(encoding="utf-8") if note.is_file() else ""


def _index(notes: Path, ids: Sequence[str]) -> str:
    """A line for each cell that was sent: its id and its run's."""
    return "".join(f"{i} {run}\n" for i in ids if (run := _noted(notes / i)))


def _write_index(client: MlflowClient, experiment: str, store: Store, index: str) -> None:
    """Into tags of the experiment, a hundred lines each;
    every store has its own, so that several may send to one tracker.
    """
    sender = hashlib.sha256(f"{platform.node()} {store.path}".encode()).hexdigest()[:8]
    lines = index.splitlines(keepends=True)
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


def _send(client: MlflowClient, experiment: str, study: str, record: Record) -> str:
    """A record as a new run; its id."""
    from mlflow.entities import Metric, Param, RunTag

    meta = record.meta
    tags = {
        "cell": record.id,
        "study": study,
        "status": meta["status"],
        "code": meta["versions"]["code"],
        "mlflow.runName": f"{meta['task']['name']} {meta['algorithm']['name']}",
    }
    if meta["reason"]:
        tags["reason"] = meta["reason"]
    summary = record.summary() if record.finished else None
    end = calendar.timegm(time.strptime(meta["made"], TIME_FORMAT)) * 1000
    # so that MLflow's duration is the training's
    start = end - (round(summary.seconds * 1000) if summary else 0)
    run = str(client.create_run(experiment, start_time=start, tags=tags).info.run_id)
    params = [Param(name, str(value)[:6000]) for name, value in _params(meta)]
    metrics = (
        [Metric(name, value, end, step) for name, value, step in _metrics(record, summary)] if summary else []
    )
    client.log_batch(run, params=params, tags=[RunTag("made", meta["made"])])
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run, metrics=metrics[start : start + BATCH])
    client.log_artifacts(run, str(record.path))
    client.set_tag(run, "complete", "true")
    client.set_terminated(run, "FINISHED", end_time=end)
    return run


def _params(meta: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`algorithm`, `task` and run settings by their short names,
    the settings of the other two by their path.
    """
    for part in ("algorithm", "task"):
        yield part, meta[part]["name"]
        yield from ((f"{part}.{name}", value) for name, value in flat(meta[part]).items())
    yield from meta["run"].items()
    if "backend" in meta.get("ran", {}):
        yield "ran_on", meta["ran"]["backend"]


def _metrics(record: Record, summary: Summary) -> Iterator[tuple[str, float, int]]:
    """Name, value, epoch; values that are not finite are left out (MLflow reads +inf back as 1.8e308)."""
    points = [(name, float(getattr(summary, field)), 0) for name, field in METRICS.items()]
    for name, column in CURVES.items():
        points += [
            (name, float(value), int(epoch))
            for epoch, value in zip(record.curves["epoch"], record.curves[column], strict=True)
        ]
    if record.credit:
        c = record.credit
        for i, (quantity, edge, epoch) in enumerate(zip(c["quantity"], c["edge"], c["epoch"], strict=True)):
            quartiles = {"": "q50"} | ({"_q25": "q25", "_q75": "q75"} if quantity == "angle" else {})
            points += [
                (f"credit/{quantity}{end}/{edge}", float(c[column][i]), int(epoch))
                for end, column in quartiles.items()
            ]
    yield from (point for point in points if math.isfinite(point[1]))
