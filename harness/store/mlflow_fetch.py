"""From MLflow back to records: what `harness.store.mlflow_send` sent, from wherever the tracker is.

A run's artifacts are the whole record, so nothing is lost on the way: MLflow's own metrics hold no infinity.
Artifacts that are files on this machine are opened in place. Others are downloaded once into the user's
cache, by run: a run never changes, while two of the same cell on two machines differ in their seconds.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from harness.core.errors import InputError, unknown
from harness.core.files import UNFINISHED
from harness.core.folders import user_cache
from harness.store.files import RECORD, Columns
from harness.store.mlflow_later import catch_up
from harness.store.mlflow_send import INDEX
from harness.store.mlflow_tracker import answering, in_words, quieten, troubles
from harness.store.names import CELL
from harness.store.record import Record

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

LINE = re.compile(rf"^({CELL}) ([0-9a-f]{{32}})$", re.MULTILINE)
WEIGHTS = "weights.npz"
DOWNLOADS = 16  # at a time


@dataclass(frozen=True)
class Downloaded(Record):
    """A record from far away; its weights, often most of it, stay there until somebody asks for them."""

    download: Callable[[], None] = field(kw_only=True)

    @cached_property
    def weights(self) -> Columns:
        """Final weights by parameter name, (R, rows, columns)."""
        self.download()
        return Record(self.path, self.mend).weights


def records_of(uri: str, study: str | None = None) -> dict[str, Record]:
    """Records by cell id: those of a study in its order, or (None) all that the tracker has, by id.

    Raises `InputError` if it cannot be reached or read, or has no such study.
    """
    catch_up(uri)
    answering(uri)
    quieten()
    from mlflow import MlflowClient

    try:
        experiments = _experiments(MlflowClient(uri), study)
        folders: dict[str, str] = {}
        for experiment in experiments:
            for cell, run in _runs(experiment.tags).items():
                folders.setdefault(cell, f"{experiment.artifact_location}/{run}/artifacts")
        ids = list(folders) if study is not None else sorted(folders)
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            records = pool.map(lambda i: _record(uri, i, folders[i]), ids)
            return dict(zip(ids, records, strict=True))
    except troubles() as error:
        raise in_words(uri, error) from error


def _experiments(client: MlflowClient, study: str | None) -> list[Experiment]:
    """The experiment of a study, or (None) of every study."""
    one = client.get_experiment_by_name(study) if study is not None else None
    if one and one.lifecycle_stage == "active" and _runs(one.tags):
        return [one]
    every = [experiment for experiment in client.search_experiments() if _runs(experiment.tags)]
    if study is not None:
        raise unknown("study", study, [experiment.name for experiment in every])
    return every


def _runs(tags: Mapping[str, str]) -> dict[str, str]:
    """Run ids by cell id, in the order of the study, from the tags that `harness.store.mlflow_send` wrote."""
    return {
        cell: run
        for tag in sorted(tags)
        if tag.startswith(f"{INDEX}.")
        for cell, run in LINE.findall(tags[tag])
    }


def _record(uri: str, cell_id: str, location: str) -> Record:
    parts = urlsplit(location)
    if parts.scheme in ("", "file"):
        folder = Path(url2pathname(parts.path) if parts.scheme else location)
        if not (folder / "cell.json").is_file():
            raise InputError(
                f"MLflow at {uri} says that the record of {cell_id} is at {folder}, but it is not on this "
                "machine (if it was deleted there, the next run of its study sends it again)"
            )
        return Record(folder, "delete its run in MLflow, and the next run of its study sends it again")
    run = location.split("/")[-2]  # as `LINE` has it: no tracker says where we write
    folder = user_cache("records") / run
    if not folder.is_dir():
        _download(uri, location, folder, lambda name: name != WEIGHTS)
    return Downloaded(
        folder,
        "delete its folder, and it is downloaded again",
        download=partial(_download_weights, uri, location, folder),
    )


def _download_weights(uri: str, location: str, folder: Path) -> None:
    if not (folder / WEIGHTS).is_file():
        _download(uri, location, folder, lambda name: name == WEIGHTS)


def _download(uri: str, location: str, folder: Path, wanted: Callable[[str], bool]) -> None:
    """Those artifacts that are wanted into a folder, which is there whole or not at all."""
    from mlflow.artifacts import download_artifacts, list_artifacts

    folder.parent.mkdir(parents=True, exist_ok=True)
    names = [file.path.rpartition("/")[2] for file in list_artifacts(artifact_uri=location, tracking_uri=uri)]
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder.parent) as new:
        for name in filter(wanted, set(names) & set(RECORD)):
            download_artifacts(artifact_uri=f"{location}/{name}", dst_path=new, tracking_uri=uri)
        if folder.is_dir():
            for path in Path(new).iterdir():
                path.replace(folder / path.name)
        else:
            Path(new).rename(folder)
