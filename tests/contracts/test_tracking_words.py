"""What MLflow is told in words, held to its client: names that tell runs apart whatever was sent before,
descriptions that say what the records do, and what a person wrote there stays."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cells.labels import titles
from harness.store import mlflow_send, said
from harness.store.mlflow_note import news, tracking_uri
from harness.store.mlflow_run import NAMED, NOTE
from harness.store.mlflow_send import sync
from harness.store.mlflow_words import of_study
from harness.store.store import Store
from harness.studies.compose import cells_of
from helpers.kept import STRICT, XOR, keep
from helpers.made_up import D, S, U

# MLflow's own imports and database sessions warn; what we do with it does not
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def descent(**settings: float) -> dict[str, Any]:
    return {"name": "backprop", "optimiser": {"name": "gradient_descent", **settings}}


@pytest.fixture
def ids(store: Store, database: Path) -> list[str]:
    """A study of three cells in a store with an empty database; they differ in two settings."""
    shutil.copy(database, store.path / "mlflow.db")
    made = [keep(store, descent(lr=0.3, momentum=0.9), XOR, (S, S, U, D), (10, 20, 100, 5))]
    made += [keep(store, descent(lr=0.3, momentum=0.0)), keep(store, "shallow", {"name": "xor", "hidden": 3})]
    store.write_study("s", "Who <b>learns</b> it, if 1 < 2?", made)
    return made


def client(store: Store) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri(store, None))


def runs(store: Store) -> dict[str, Any]:
    """By cell."""
    found = client(store).search_runs([client(store).get_experiment_by_name("s").experiment_id])
    return {run.data.tags["cell"]: run for run in found}


def names(store: Store) -> dict[str, str]:
    return {cell: run.info.run_name for cell, run in runs(store).items()}


def description(store: Store) -> str:
    return str(client(store).get_experiment_by_name("s").tags.get(NOTE))


# Names


def test_runs_are_called_what_tells_them_apart(store: Store, ids: list[str]) -> None:
    sync(store, "s")
    called = ["xor · backprop · lr=0.3 · momentum=0.9", "xor · backprop · lr=0.3", "xor (hidden=3) · shallow"]
    assert names(store) == dict(
        zip(ids, ["xor · backprop · momentum=0.9", "xor · backprop", called[2]], strict=True)
    )
    more = keep(store, descent(lr=0.9, momentum=0.9))
    store.write_study("s", "", [*ids, more])
    sync(store, "s")
    last = "xor · backprop · lr=0.9 · momentum=0.9"
    assert names(store) == dict(zip([*ids, more], [*called, last], strict=True)), "as if sent at once"


def test_what_a_person_calls_a_run_or_says_of_it_stays(store: Store, ids: list[str]) -> None:
    sync(store, "s")
    run = runs(store)[ids[0]].info.run_id
    client(store).update_run(run, name="the good one")
    client(store).set_tag(run, NOTE, "my own words")
    store.write_study("s", "", [*ids, keep(store, descent(lr=0.9, momentum=0.9))])
    sync(store, "s")
    assert names(store)[ids[0]] == "the good one"
    assert names(store)[ids[1]] == "xor · backprop · lr=0.3", "the others are called anew"
    assert runs(store)[ids[0]].data.tags[NOTE] == "my own words"


def test_runs_that_an_earlier_version_sent_are_called_and_described_as_all_are(
    store: Store, ids: list[str]
) -> None:
    sync(store, "s")
    fresh = {cell: (run.info.run_name, run.data.tags[NOTE]) for cell, run in runs(store).items()}
    for cell, run in runs(store).items():
        client(store).update_run(run.info.run_id, name=" ".join(cell.split("-")[:2]))
        for tag in (NAMED, NOTE):
            client(store).delete_tag(run.info.run_id, tag)
    shutil.rmtree(store.study_folder("s") / "sent")
    assert sync(store, "s") == 0, "nothing is sent twice"
    assert {cell: (run.info.run_name, run.data.tags[NOTE]) for cell, run in runs(store).items()} == fresh


SETTINGS = st.fixed_dictionaries(
    {
        "lr": st.sampled_from([None, 0.0, 0.1]),
        "momentum": st.sampled_from([0.0, 0.9]),
        "batch": st.sampled_from([0, 1]),
    }
)


@given(st.lists(st.tuples(SETTINGS, st.sampled_from(["xor", "encoder"]), st.sampled_from("ab")), max_size=8))
def test_no_two_runs_of_a_study_have_the_same_name(cells: list[tuple[dict[str, Any], str, str]]) -> None:
    """Though what is off goes without saying, and cells may differ in their data alone."""
    metas = [
        {
            "id": f"{task}-backprop-{i:012x}",
            "task": {"name": task},
            "algorithm": {"name": "backprop", "lr": own["lr"], "momentum": own["momentum"]},
            "run": {"batch": own["batch"]},
            "versions": {"code": code},
        }
        for i, (own, task, code) in enumerate(cells)
    ]
    said_of_them = titles(metas)
    assert len({*said_of_them}) == len(metas)
    assert all(
        title.startswith(f"{meta['task']['name']} · backprop")
        for title, meta in zip(said_of_them, metas, strict=True)
    )


# Descriptions


def test_a_run_says_what_came_of_it_and_how_it_is_run_again(store: Store, ids: list[str]) -> None:
    impossible = cells_of(
        [f"task={STRICT['name']}", "algorithm=perceptron", "task.criterion=margin", "task.bound=0.1"]
    )[0][0]
    store.write(impossible, None)
    store.write_study("s", "", [*ids, impossible.id])
    sync(store, "s")
    tags = {cell: run.data.tags for cell, run in runs(store).items()}
    told = tags[ids[0]][NOTE]
    # of four two are solved, by the 10th and 20th epoch; 135 epochs in all
    assert told.startswith(
        "backprop on xor, 4 replicas, seed 0: 2 solved (50.0 % [15.0–85.0]), 1 unsolved, 1 diverged; "
    )
    assert "20 [10–∞] epochs to the criterion in the median, expected running time 68 epochs." in told
    assert f"(/studies/s/cells/{ids[0]}.html)" in told
    assert tags[impossible.id][NOTE].startswith("perceptron on xor (")
    assert ": not applicable: " in tags[impossible.id][NOTE]
    for cell, own in tags.items():
        (line,) = [line for line in own[NOTE].splitlines() if line.startswith("python -m harness ")]
        assert [each.id for each in cells_of(shlex.split(line)[3:])[0]] == [cell]


def test_an_experiment_says_question_answers_and_command_and_again_when_they_change(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said.keep(
        store, "s", said.Said(("It is <i>solved</i> by all.", "Or not."), "python -m harness -m study=s")
    )
    sync(store, "s")
    told = description(store)
    assert told.startswith(
        "Who &lt;b>learns&lt;/b> it, if 1 < 2?\n\n- It is &lt;i>solved&lt;/i> by all.\n- Or not.\n"
    )
    assert "(/studies/s/index.html)" in told
    assert told.endswith("```sh\npython -m harness -m study=s\n```")
    said.keep(store, "s", said.Said(("By none.",), ""))
    assert news(store, "s", tracking_uri(store, None)) == ids
    assert sync(store, "s") == 0
    assert "- By none." in description(store)
    assert "Or not" not in description(store)
    assert len(runs(store)) == 3
    monkeypatch.setattr(mlflow_send, "_send_all", None)
    assert sync(store, "s") == 0, "what is known there is not sent again"


def test_what_a_person_says_of_an_experiment_stays(store: Store, ids: list[str]) -> None:
    sync(store, "s")
    experiment = client(store).get_experiment_by_name("s").experiment_id
    client(store).set_experiment_tag(experiment, NOTE, "my own words")
    said.keep(store, "s", said.Said(("By all.",)))
    sync(store, "s")
    assert description(store) == "my own words"


def test_answers_of_other_cells_are_not_told(store: Store, ids: list[str]) -> None:
    said.keep(store, "s", said.Said(("Of 3 cells all are finished.",), "python -m harness -m study=s"))
    assert "Of 3 cells" in of_study(store, "s", served=True)
    store.join_study("s", "", keep(store, "perceptron"))
    told = of_study(store, "s", served=True)
    assert "Of 3 cells" not in told
    assert "study=s" in told
    (store.study_folder("s") / said.FILE).write_text("{")
    assert of_study(store, "s", served=False) == "Who &lt;b>learns&lt;/b> it, if 1 < 2?", (
        "a server has no pages"
    )


def test_a_sweep_keeps_what_its_page_says_for_mlflow(
    harness: Callable[..., tuple[int, str, str]], store: Store, database: Path
) -> None:
    shutil.copy(database, store.path / "mlflow.db")
    typed = ("-m", "hydra/launcher=basic", "algorithm=backprop,shallow", "run.replicas=2", "run.epochs=3")
    code, _, err = harness(*typed, "figures=false", "study.name=s", "tracking.wait=true", tracking=True)
    assert (code, err) == (0, "")
    assert "- Of 2 cells all are finished: 4 replicas." in description(store)
    (line,) = [line for line in description(store).splitlines() if line.startswith("python -m harness -m ")]
    assert "algorithm=backprop,shallow" in line
