"""Frames held to what was put into the store, to pandas's own selection, and, read out of MLflow, to those of
the store."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest

from harness import results
from harness.cells.cell import Cell
from harness.cli.dashboard import HOST, free_port
from harness.core.errors import InputError
from harness.cost.sheet import sheet
from harness.experiment.run import run_cell
from harness.experiment.summary import Summary
from harness.results import table
from harness.store import mlflow_fetch as retrieval
from harness.store.mlflow_note import tracking_uri
from harness.store.mlflow_send import sync
from harness.store.store import FINISHED, Store
from harness.studies.attempt import attempt
from helpers.kept import STRICT, XOR, keep
from helpers.made_up import BUDGET, D, S, U

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

FRAMES: list[Callable[..., pd.DataFrame]] = [
    results.cells,
    results.replicas,
    results.curves,
    results.credit,
    results.cost,
]
SEVERAL = (results.replicas, results.curves, results.credit)
KINDS = ("contraction", "elementwise", "transcendental", "comparison", "reduction")
all_frames = pytest.mark.parametrize("frame", FRAMES, ids=lambda f: f.__name__)


class Both(NamedTuple):
    """A study of finished cells and one that is not applicable, in a store and in MLflow."""

    store: Store
    uri: str
    cells: list[Cell]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, database: Path) -> Both:
    store = Store.at(tmp_path_factory.mktemp("both") / "a store").prepare()
    shutil.copy(database, store.path / "mlflow.db")
    slow = {"name": "backprop", "optimiser": {"name": "gradient_descent", "lr": 0.125}}
    run: dict[str, Any] = {"replicas": 30, "epochs": 400}
    cells = [
        Cell.of({"name": "perceptron"}, XOR, run),  # which it cannot do
        Cell.of({"name": "perceptron"}, STRICT, run),
        Cell.of({"name": "backprop"}, XOR, run | {"probe": 4}),
        Cell.of({"name": "forward_gradient"}, XOR, {"replicas": 3, "epochs": 20, "probe": 2}),
        Cell.of(slow, XOR, run | {"batch": 1}),
    ]
    for cell in cells:
        assert attempt(cell, store)
    diverged = keep(store, "backprop", XOR | {"hidden": 5}, (S, U, D), (10, 100, 30))
    store.write_study("s", "", [cells[0].id, diverged, *(cell.id for cell in cells[1:])])
    store.write_study("other", "", [cells[3].id])
    assert sync(store, "s") == 6
    assert sync(store, "other") == 1
    return Both(store, tracking_uri(store, None), cells)


@pytest.fixture
def study(store: Store) -> Store:
    """Failures, divergence, an impossible, a broken and a missing cell."""
    store.write(impossible := Cell.of({"name": "perceptron"}, STRICT, {}), None)
    store.write_failure(
        broken := Cell.of({"name": "finite_differences"}, XOR, {}), "ValueError: no", "Traceback …"
    )
    with_lr = {"name": "backprop", "optimiser": {"name": "gradient_descent", "lr": 2.0}}
    ids = [
        keep(store, "backprop", XOR, (S, S, U, D), (10, 20, 100, 30)),
        keep(store, "backprop", STRICT, (S, S, S, S), (40, 10, 20, 30)),
        keep(store, with_lr, XOR, (U, U), (100, 100)),
        *(impossible.id, broken.id, "xor-shallow-0123456789ab"),
    ]
    store.write_study("made_up", "Who counts?", ids)
    return store


# What is in them


def test_frame_of_cells_says_what_was_kept(study: Store) -> None:
    frame = results.cells("made_up", study)
    rows = table.build(study, "made_up")
    for name in ("id", "task", "algorithm", "status", "reason"):
        assert frame[name].tolist() == [getattr(row, name) for row in rows]
    assert frame["id"].is_unique
    first = frame.iloc[0]
    assert (first["replicas"], first["solved"], first["ert_epochs"], first["epochs_q3"]) == (4, 2, 80, np.inf)
    assert (first["task_name"], first["algorithm_name"], first["algorithm"]) == (
        "xor",
        "backprop",
        "backprop (lr=0.5)",
    )
    assert (first["task.hidden"], first["algorithm.optimiser"], first["algorithm.optimiser.lr"]) == (
        2,
        "gradient_descent",
        0.5,
    )
    assert first["run.epochs"] == BUDGET
    assert first["versions.numpy"] == np.__version__
    assert abs(first["made"] - pd.Timestamp.now("UTC")) < pd.Timedelta("1h")
    assert frame["rate"].isna().tolist() == [row.status != FINISHED for row in rows]
    assert set(Summary.__dataclass_fields__) < set(frame.columns)


def test_frames_of_replicas_and_curves_have_a_row_for_each(study: Store) -> None:
    replicas, curves = results.replicas("made_up", study), results.curves("made_up", study)
    assert len(replicas) == 4 + 2 + 4
    assert list(replicas.columns[:8]) == [*results.KEYS, "budget_epochs", "replica", "outcome"]
    assert not replicas.duplicated(["id", "replica"]).any()
    assert not curves.duplicated(["id", "epoch"]).any()
    assert set(replicas["id"]) == set(curves["id"])
    solved = (
        replicas[replicas["task"] == "xor"]
        .groupby("algorithm")["outcome"]
        .apply(lambda fate: (fate == S).mean())
    )
    assert solved.to_dict() == {"backprop (lr=0.5)": 0.5, "backprop (lr=2)": 0.0}
    assert (replicas["budget_epochs"] == BUDGET).all()
    assert (curves.groupby("id")["epoch"].max() == curves.groupby("id")["budget_epochs"].first()).all()
    assert np.isinf(curves["loss_q95"]).any()


def test_frame_of_credit_is_what_the_probe_found(both: Both) -> None:
    frame = results.credit("s", both.store)
    assert frame["algorithm_name"].unique().tolist() == ["backprop", "forward_gradient"]
    cell = both.cells[3]
    expected = run_cell(cell.algorithm, cell.task, cell.settings).credit_columns()
    own = frame[frame["id"] == cell.id].reset_index(drop=True)
    pd.testing.assert_frame_equal(own[list(expected)], pd.DataFrame(expected), check_dtype=False)
    units = frame.groupby("quantity")["unit"].unique().map(list).to_dict()
    assert units["angle"] == units["newton"] == ["degrees"]
    assert units["ratio"] == units["signs"] == units["bias"] == units["snr"] == ["1"]


def test_frame_of_cost_is_what_was_counted(both: Both) -> None:
    frame = results.cost("s", both.store).set_index("id")
    for cell in both.cells[2:4]:
        row, counted = frame.loc[cell.id], sheet(cell)
        for phase in ("update", "predict", "forward"):
            ledger = getattr(counted, phase)
            assert row[f"{phase}_flops"] == ledger.work
            assert row[f"{phase}_contraction_flops"] == ledger.flops["contraction"]
            assert row[[f"{phase}_{kind}_flops" for kind in KINDS]].sum() == ledger.work
            assert (row[f"{phase}_span_operations"], row[f"{phase}_random_numbers"]) == (
                ledger.span,
                ledger.draws.total(),
            )
            assert (row[f"{phase}_read_bytes"], row[f"{phase}_written_bytes"]) == (
                ledger.bytes_read,
                ledger.bytes_written,
            )
        assert (row["weights"], row["state_bytes"], row["not_counted"]) == (
            counted.weights,
            counted.state_bytes,
            "",
        )
    uncounted = frame[frame["task"] == "xor (hidden=5)"].iloc[0]
    assert uncounted["not_counted"]
    assert np.isnan(uncounted["update_flops"])


def test_units_are_in_the_names(both: Both) -> None:
    """A column of numbers whose name has no unit would be read in the wrong one."""
    units = "flops|operations|bytes|seconds|epochs|updates|numbers|passes|adds|degrees"
    counts = "replicas|solved|unsolved|diverged|patterns|weights|depth|(hidden|network)_units"
    settling = "unsettled_mean|settling_steps_mean"
    ratios = "(learning_)?rate(_low|_high)?|(validation_|held_)?right_(median|mean)|work_over_backprop"
    tasks_own = "loss_median|held_rmse_median|epochs_(q1|median|q3)"
    for frame in (results.cells("s", both.store), results.cost("s", both.store)):
        numbers = [name for name in frame.select_dtypes("number").columns if "." not in name]
        assert len(numbers) > 25
        odd = [
            n
            for n in numbers
            if not pd.Series([n])
            .str.fullmatch(rf".*_?({units})|{counts}|{ratios}|{settling}|{tasks_own}")
            .all()
        ]
        assert odd == []


def test_kinds_of_columns(both: Both) -> None:
    """Counts are whole numbers and measures are not, so that a user can compare and index by them."""
    replicas = results.replicas("s", both.store)
    kinds = {
        name: replicas[name].dtype.kind
        for name in ("budget_epochs", "replica", "epochs", "updates", "seconds", "loss")
    }
    assert kinds == {
        "budget_epochs": "i",
        "replica": "i",
        "epochs": "i",
        "updates": "i",
        "seconds": "f",
        "loss": "f",
    }
    for frame in FRAMES:
        made = frame("s", both.store)
        assert all(pd.api.types.is_string_dtype(made[name]) for name in results.KEYS)
        assert made.index.equals(pd.RangeIndex(len(made)))
    cells = results.cells("s", both.store)
    assert all(pd.api.types.is_numeric_dtype(cells[name]) for name in Summary.__dataclass_fields__)
    assert str(cells["made"].dtype).endswith("UTC]")


# From MLflow


@all_frames
@pytest.mark.parametrize("study", ["s", "other", None])
def test_frames_out_of_mlflow_equal_those_of_the_store(
    both: Both, frame: Callable[..., pd.DataFrame], study: str | None
) -> None:
    local = frame(study, both.store)
    assert len(local)
    pd.testing.assert_frame_equal(frame(study, both.uri), local, check_exact=True)


def test_infinity_survives_mlflow(both: Both) -> None:
    cells = results.cells("s", both.uri).set_index("id")
    times = ["ert_epochs", "ert_flops", "epochs_median", "work_over_backprop"]
    assert cells.loc[both.cells[0].id, times].tolist() == [np.inf] * 4
    assert np.isinf(results.curves("s", both.uri)["loss_q95"]).any()


def test_records_out_of_mlflow_have_the_weights(both: Both) -> None:
    records = results.records("s", both.uri)
    ours = [record for record in both.store.records("s") if record.finished]
    assert sorted(record.id for record in records) == sorted(record.id for record in ours)
    (backprop,) = (r for r in records if r.id == both.cells[2].id)
    expected = both.store.read(backprop.id).weights
    assert backprop.weights.keys() == expected.keys()
    for name, weights in expected.items():
        np.testing.assert_array_equal(backprop.weights[name], weights)
    np.testing.assert_equal(vars(backprop.summary()), vars(both.store.read(backprop.id).summary()))


def test_a_study_defined_anew_is_the_new_one_in_mlflow_too(store: Store, database: Path) -> None:
    shutil.copy(database, store.path / "mlflow.db")
    ids = [keep(store, name) for name in ("backprop", "perceptron", "shallow")]
    for chosen in (ids[:2], [ids[2], ids[0]], ids[::-1]):
        store.write_study("s", "", chosen)
        sync(store, "s")
        assert results.cells("s", tracking_uri(store, None))["id"].tolist() == chosen


def test_two_stores_may_send_to_one_tracker(tmp_path: Path, database: Path) -> None:
    uri = f"sqlite:///{shutil.copy(database, tmp_path / 'mlflow.db')}"
    sent = set()
    for name, algorithms in (("one", ("backprop", "shallow")), ("two", ("shallow", "perceptron"))):
        store = Store.at(tmp_path / name).prepare()
        ids = [keep(store, algorithm) for algorithm in algorithms]
        store.write_study("s", "", ids)
        sync(store, "s", uri)
        sent |= set(ids)
    found = results.cells("s", uri)["id"].tolist()
    assert len(found) == 3
    assert set(found) == sent


def test_a_study_of_many_cells_is_found_whole(store: Store, database: Path) -> None:
    """More than a tag of the experiment holds, and then fewer."""
    shutil.copy(database, store.path / "mlflow.db")
    ids = [f"xor-backprop-{n:012x}" for n in range(230)]
    runs = {i: f"{n:032x}" for n, i in enumerate(ids)}
    from mlflow import MlflowClient

    from harness.store import mlflow_send as tracking

    client = MlflowClient(tracking_uri(store, None))
    experiment = tracking._experiment(client, store, "s", tracking_uri(store, None))
    for chosen in (ids[::-1], ids[:100], ids[50:51]):
        tracking._write_index(client, experiment, "me", {i: runs[i] for i in chosen})
        tags = client.get_experiment(experiment).tags
        assert list(retrieval._runs(tags)) == chosen
        assert max(map(len, tags.values())) < 20_000  # MLflow's limit


def test_a_download_is_whole_and_leaves_the_weights_until_they_are_asked_for(
    both: Both, tmp_path: Path
) -> None:
    record = both.store.read(both.cells[2].id)
    source, folder = record.path.as_uri(), tmp_path / "cache" / "run"
    retrieval._download(both.uri, source, folder, lambda name: name != retrieval.WEIGHTS)
    names = {path.name for path in record.path.iterdir()}
    assert {path.name for path in folder.iterdir()} == names - {"weights.npz"}
    far = retrieval.Downloaded(folder, download=lambda: retrieval._download_weights(both.uri, source, folder))
    np.testing.assert_array_equal(far.weights["input-hidden"], record.weights["input-hidden"])
    assert {path.name for path in folder.iterdir()} == names
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def test_a_tracker_that_is_no_use_is_one_sentence(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(InputError, match=r"no MLflow database at .*nothing\.db"):
        results.cells("s", f"sqlite:///{tmp_path}/nothing.db")
    assert not (tmp_path / "nothing.db").exists()
    with pytest.raises(InputError, match=r"nobody answers at http://127\.0\.0\.1:9 \(") as caught:
        results.cells("s", "http://127.0.0.1:9")  # the discard port: nobody listens
    assert "\n" not in str(caught.value)
    with pytest.raises(
        InputError, match=r"unknown study 'othr': allowed are other, s; did you mean 'other'\?"
    ):
        results.cells("othr", both.uri)
    moved = tmp_path / "moved"
    shutil.copytree(both.store.path, moved)
    both_artifacts = both.store.path / "artifacts"
    both_artifacts.rename(tmp_path / "away")
    try:
        with pytest.raises(InputError, match="it is not on this machine"):
            results.cells("s", f"sqlite:///{moved}/mlflow.db")
    finally:
        (tmp_path / "away").rename(both_artifacts)


@pytest.mark.slow
def test_frames_over_http_equal_those_of_the_store(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that keeps the artifacts itself: they are downloaded, once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    port = free_port(5000)
    uri = f"http://{HOST}:{port}"
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        HOST,
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    command += [
        "--backend-store-uri",
        f"sqlite:///{tmp_path}/server.db",
        "--artifacts-destination",
        str(tmp_path / "kept"),
    ]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with subprocess.Popen(
        command, env=os.environ | quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait_for(uri, server)
            assert sync(both.store, "s", uri) == 6
            for frame in FRAMES:
                pd.testing.assert_frame_equal(frame("s", uri), frame("s", both.store), check_exact=True)
            kept = list((tmp_path / "kept").rglob("replicas.parquet"))
            assert len(kept) == len(list((tmp_path / "cache").rglob("replicas.parquet"))) == 5
            assert not list((tmp_path / "cache").rglob("weights.npz"))
            for path in kept:
                path.unlink()
            assert len(results.replicas("s", uri)), "what was downloaded is not asked for again"
            (record,) = results.records("s", uri, algorithm="forward_gradient")
            expected = both.store.read(record.id).weights["input-hidden"]
            np.testing.assert_array_equal(record.weights["input-hidden"], expected)
            assert len(list((tmp_path / "cache").rglob("weights.npz"))) == 1
        finally:
            server.terminate()


def _wait_for(uri: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None
        try:
            with urlopen(f"{uri}/health"):
                return
        except URLError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


# Filters


@pytest.mark.parametrize(
    ("wanted", "own"),
    [
        ({"algorithm": "backprop"}, lambda f: f["algorithm_name"] == "backprop"),
        ({"algorithm": "backprop (lr=2)"}, lambda f: f["algorithm"] == "backprop (lr=2)"),
        (
            {"algorithm": ["shallow", "perceptron"], "task": "xor"},
            lambda f: f["algorithm_name"].isin(["shallow", "perceptron"]),
        ),
        (
            {"status": "finished", "algorithm_name": "backprop"},
            lambda f: f["algorithm"].str.match("backprop"),
        ),
        ({"where": {"algorithm.optimiser.lr": 0.5}}, lambda f: f["algorithm.optimiser.lr"] == 0.5),
        (
            {"where": {"algorithm.optimiser.lr": (2.0, 7)}, "status": {"finished"}},
            lambda f: f["algorithm.optimiser.lr"] == 2,
        ),
        ({"where": {"task.bound": None}}, lambda f: f["task.bound"].isna()),
        ({"solved": [2, 4]}, lambda f: f["solved"].isin([2, 4])),
        ({"where": {"run.seed": 5}}, lambda f: f["run.seed"] == 5),
    ],
)
def test_filters_of_cells_are_those_of_pandas(
    study: Store, wanted: dict[str, Any], own: Callable[[Any], Any]
) -> None:
    frame = results.cells("made_up", study)
    expected = frame[own(frame)].reset_index(drop=True)
    pd.testing.assert_frame_equal(results.cells("made_up", study, **wanted), expected)


@pytest.mark.parametrize("frame", SEVERAL, ids=lambda f: f.__name__)
def test_other_frames_are_filtered_by_settings_and_by_their_own_columns(
    both: Both, frame: Callable[..., pd.DataFrame]
) -> None:
    whole = frame("s", both.store)
    by_setting = frame("s", both.store, where={"run.probe": [2, 4]})
    pd.testing.assert_frame_equal(
        by_setting, whole[whole["id"].isin([c.id for c in both.cells[2:4]])].reset_index(drop=True)
    )
    column = {"replicas": "outcome", "curves": "epoch", "credit": "quantity"}[frame.__name__]
    value = whole[column].iloc[-1]
    kept = frame("s", both.store, task="xor", algorithm=["backprop", "forward_gradient"], **{column: value})
    among = (whole[column] == value) & whole["algorithm_name"].isin(["backprop", "forward_gradient"])
    assert 0 < len(kept) < len(whole)
    pd.testing.assert_frame_equal(kept, whole[among].reset_index(drop=True))


def test_a_filter_changes_no_number_and_no_label(study: Store) -> None:
    whole = results.cells("made_up", study)
    one = results.cells("made_up", study, where={"algorithm.optimiser.lr": 2.0})
    assert one["algorithm"].tolist() == ["backprop (lr=2)"]
    pd.testing.assert_frame_equal(one, whole[whole["id"].isin(one["id"])].reset_index(drop=True))


def test_records_are_filtered_too(both: Both) -> None:
    """`records(…, algorithm, where)` gives the cells that `cells` gives, whole, with their weights."""
    chosen = results.records("s", both.store, algorithm="backprop", where={"run.batch": 1})
    assert [record.id for record in chosen] == [both.cells[4].id]
    assert chosen[0].weights["input-hidden"].shape == (30, 2, 2)


# What is not there


@all_frames
def test_what_is_not_there_is_named_with_what_is_near(both: Both, frame: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(InputError, match=r"unknown study 'othr'.*did you mean 'other'"):
        frame("othr", both.store)
    with pytest.raises(InputError, match=r"unknown column 'run\.sed'.*did you mean 'run\.seed'"):
        frame("s", both.store, where={"run.sed": 1})
    with pytest.raises(InputError, match=r"unknown algorithm 'bakprop'.*did you mean 'backprop'"):
        frame("s", both.store, algorithm=["perceptron", "bakprop"])
    with pytest.raises(
        InputError, match=r"unknown store '\S*/a stor': allowed are \S*/a store; did you mean '\S*/a store'\?"
    ):
        frame("s", both.store.path.parent / "a stor")


def test_records_know_no_columns_of_other_frames(both: Both) -> None:
    with pytest.raises(InputError, match="unknown column 'outcome'"):
        results.records("s", both.store, outcome="solved")


@all_frames
def test_nothing_is_an_empty_frame(store: Store, frame: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    empty = frame(source=store)
    assert len(empty) == 0
    assert list(empty.columns[:5]) == list(results.KEYS)
    with pytest.raises(InputError, match="there is no store at"):
        frame(source=tmp_path / "nowhere" / "at" / "all")


def test_a_whole_store_is_what_is_on_disk(study: Store) -> None:
    assert len(results.cells(source=study)) == 4  # three finished, one not applicable
    assert len(results.replicas(source=study)) == 10


# From where


def test_a_store_is_found_by_its_path_from_anywhere(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = results.cells("s", both.store)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_STORE", raising=False)
    pd.testing.assert_frame_equal(results.cells("s", both.store.path), expected)
    pd.testing.assert_frame_equal(results.cells("s", str(both.store.path)), expected)
    with pytest.raises(InputError, match=r"there is no store at .*results"):
        results.cells("s")
    shutil.copytree(both.store.path, tmp_path / "results")
    pd.testing.assert_frame_equal(results.cells("s"), expected)
    monkeypatch.setenv("HARNESS_STORE", str(both.store.path))
    shutil.rmtree(tmp_path / "results")
    pd.testing.assert_frame_equal(results.cells("s"), expected)


def test_two_lines_in_an_empty_folder(both: Both, tmp_path: Path) -> None:
    code = """
        from harness import results
        import sys
        assert not {"pandas", "mlflow", "matplotlib", "pyarrow"} & set(sys.modules), "slow to import"
        print(len(results.replicas("s")))
    """
    env = {**os.environ, "HARNESS_STORE": str(both.store.path)}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(30 + 30 + 3 + 30 + 3)]
    assert done.stderr == ""
