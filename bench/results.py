"""The frame of a thousand cells, read from a store and from MLflow's database:
first calls in new processes, in turn.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness.cells.cell import Cell
from harness.store.files import META, json_text, sealed
from harness.store.mlflow_note import tracking_uri
from harness.store.mlflow_send import sync
from harness.store.store import Store
from harness.studies.attempt import attempt

CELLS, REPLICAS = 1000, 100
CODE = """
import sys
from time import perf_counter
start = perf_counter()
import pandas, pyarrow.parquet
from harness import results
if ":" in sys.argv[1]:
    import mlflow
loaded = perf_counter()
assert len(results.cells("many", sys.argv[1])) == int(sys.argv[2])
print(loaded - start, perf_counter() - loaded)
"""


def lines(rounds: int = 5) -> Iterator[str]:
    """A table: seconds of `results.cells`, without and with loading the libraries;
    a few cells only if there is one round.
    """
    count = CELLS if rounds > 1 else 20
    yield (
        f"| cells of {REPLICAS} replicas, with a probe | results.cells, "
        "s | with loading of libraries, s | promised |"
    )
    yield "|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        store = many(Store.at(folder).prepare(), count)
        sources = {"from the store": folder, "from MLflow's database": tracking_uri(store, None)}
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in sources}
        for _ in range(rounds):
            for name, source in sources.items():
                seconds[name].append(first_call(source, count))
    for name, pairs in seconds.items():
        call, whole = statistics.median(b for _, b in pairs), statistics.median(a + b for a, b in pairs)
        yield f"| {count:,} {name} | {call:.1f} | {whole:.1f} | {'< 3 s' if count == CELLS else ''} |"


def first_call(source: str, count: int) -> tuple[float, float]:
    """Seconds of loading the libraries and of reading, in a new process."""
    command = [sys.executable, "-W", "ignore", "-c", CODE, source, str(count)]
    done = subprocess.run(command, env=os.environ, check=True, capture_output=True, text=True)
    loading, reading = map(float, done.stdout.split())
    return loading, reading


def many(store: Store, count: int) -> Store:
    """A study of `count` copies of one finished cell, sent to MLflow."""
    cell = Cell.of(
        {"name": "feedback_alignment"}, {"name": "xor"}, {"replicas": REPLICAS, "epochs": 100, "probe": 4}
    )
    record = attempt(cell, store)
    assert record is not None
    ids = [f"xor-feedback_alignment-{i:012x}" for i in range(count)]
    for i in ids:
        copy = Path(shutil.copytree(record.path, record.path.with_name(i)))
        (copy / META).write_text(json_text(sealed(record.meta | {"id": i}, copy)), encoding="utf-8")
    store.write_study("many", "", ids)
    assert sync(store, "many") == count
    return store
