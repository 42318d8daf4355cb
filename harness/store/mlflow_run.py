"""A record as an MLflow run: settings as parameters, numbers as metrics, files as artifacts."""

from __future__ import annotations

import calendar
import math
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.cells.words import flat
from harness.experiment.summary import Summary
from harness.store.files import TIME_FORMAT
from harness.store.mlflow_words import of_run
from harness.store.record import Record

if TYPE_CHECKING:
    from mlflow import MlflowClient

METRICS = {
    "solved/rate": "rate",
    "solved/low": "rate_low",
    "solved/high": "rate_high",
    "solved/ert_epochs": "ert_epochs",
    "solved/median": "epochs_median",
    "solved/replicas": "solved",
    "unsolved/replicas": "unsolved",
    "diverged/replicas": "diverged",
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
    "settling/unsettled": "unsettled_mean",
    "settling/steps": "settling_steps_mean",
}
CURVES = {
    "loss/median": "loss_q50",
    "loss/q25": "loss_q25",
    "loss/q75": "loss_q75",
    "right/median": "right_q50",
}
POINTS = 50  # of a curve that MLflow shows: it takes a tenth of a millisecond for each; artifacts have all
BATCH = 1000  # points, settings and tags that a call may carry
SENDER = "sender"  # tag: the store that a run came from
COMPLETE = "complete"  # tag, the last thing that is written of a run
NAME, NOTE = "mlflow.runName", "mlflow.note.content"  # tags: what MLflow calls a run, and says of it
NAMED = "mlflow.harness.name"  # tag: what we called a run, which a person may call something else


def send_record(
    client: MlflowClient,
    experiment: str,
    study: str,
    sender: str,
    record: Record,
    words: Mapping[str, str],
) -> str:
    """A record as a new run of an experiment, called and described by `words` (`words_of`); its id.

    Four calls, each of which is a transaction of MLflow's or several. Its artifacts are there, and its end,
    before its numbers; what says that it is complete is in the last call, of which MLflow writes tags last.
    """
    from mlflow.entities import Metric, Param, RunTag

    meta = record.meta
    tags = {
        "cell": record.id,
        "study": study,
        SENDER: sender,
        "status": meta["status"],
        "code": meta["versions"]["code"],
        **words,
    }
    if meta["reason"]:
        tags["reason"] = meta["reason"]
    summary = record.summary() if record.finished else None
    end = calendar.timegm(time.strptime(meta["made"], TIME_FORMAT)) * 1000
    # so that MLflow's duration is the training's
    start = end - (round(summary.seconds * 1000) if summary else 0)
    made = client.create_run(experiment, start_time=start, tags=tags).info
    run = str(made.run_id)
    params = [Param(name, str(value)[:6000]) for name, value in _params(meta)]
    metrics = (
        [Metric(name, value, end, step) for name, value, step in _metrics(record, summary)] if summary else []
    )
    last = [RunTag("made", meta["made"]), RunTag(COMPLETE, "true")]
    client.log_artifacts(run, str(record.path))
    client.set_terminated(run, "FINISHED", end_time=end)
    room = max(0, BATCH - len(params) - len(last))
    for start in range(room, len(metrics), BATCH):
        client.log_batch(run, metrics=metrics[start : start + BATCH])
    client.log_batch(run, metrics=metrics[:room], params=params, tags=last)
    return run


def words_of(record: Record, name: str, study: str, *, served: bool) -> dict[str, str]:
    """The tags by which MLflow calls and describes a run; `served`: as in `of_run`."""
    summary = record.summary() if record.finished else None
    return {NAME: name, NAMED: name, NOTE: of_run(record.meta, summary, study, served=served)}


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


def _shown(curve: NDArray[Any]) -> list[int]:
    """Which points of a curve are shown, both ends among them: where it is level, only where that begins and
    ends.
    """
    some = np.round(np.linspace(0, len(curve) - 1, min(len(curve), POINTS))).astype(int)
    same = np.array_equal
    level = [same(curve[i], curve[j], equal_nan=True) for i, j in pairwise(some)]
    inner = [i for i, *both in zip(some[1:-1], level, level[1:], strict=False) if not all(both)]
    return [int(i) for i in dict.fromkeys([some[0], *inner, some[-1]])]


def _metrics(record: Record, summary: Summary) -> Iterator[tuple[str, float, int]]:
    """Name, value, epoch; values that are not finite are left out (MLflow reads +inf back as 1.8e308).

    But a loss that ran off to infinity is NaN: without it MLflow's latest loss would be one of before.
    """
    points = [(name, float(getattr(summary, field)), 0) for name, field in METRICS.items()]
    epochs = record.curves["epoch"]
    for name, column in CURVES.items():
        curve = record.curves[column]
        points += [(name, float(curve[i]), int(epochs[i])) for i in _shown(curve)]
    points = [
        (name, math.nan if name.startswith("loss/") and not math.isfinite(value) else value, step)
        for name, value, step in points
    ]
    if record.credit:
        c = record.credit
        for i, (quantity, edge, epoch) in enumerate(zip(c["quantity"], c["edge"], c["epoch"], strict=True)):
            quartiles = {"": "q50"} | ({"_q25": "q25", "_q75": "q75"} if quantity == "angle" else {})
            points += [
                (f"credit/{quantity}{end}/{edge}", float(c[column][i]), int(epoch))
                for end, column in quartiles.items()
            ]
    yield from (point for point in points if math.isfinite(point[1]) or point[0].startswith("loss/"))
