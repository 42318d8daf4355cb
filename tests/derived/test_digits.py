"""Held to their source and to hand-made figures: real images, what is learnt from, decided on and reported at
the end."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from algorithms.backprop import Backprop
from harness import results
from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.core import registry
from harness.core.data import Data, Spec
from harness.core.errors import InputError
from harness.core.rand import SPLIT, Rand
from harness.core.task import Task
from harness.cost.sheet import sheet
from harness.experiment.chunks import chunk_size
from harness.experiment.result import Result
from harness.experiment.run import run
from harness.experiment.summary import summarise
from harness.plots import curve_figure, hinton_figure, survival_figure
from harness.results.table import build, to_csv
from harness.store.mlflow_run import _metrics
from harness.store.store import Store
from harness.tasks.digits import Digits, bundled
from harness.tasks.mnist import Mnist, folder, loaded
from harness.tasks.symmetry import Symmetry
from harness.tasks.xor import Xor


def data_of(task: Task, replicas: int = 2, seed: int = 0, dtype: str = "float64") -> Data:
    return task.data(Rand(seed, range(replicas), SPLIT), dtype)


def parts_of(data: Data) -> list[Data]:
    assert data.validation is not None
    assert data.held is not None
    return [data, data.validation, data.held]


@cache
def usual() -> Result:
    """64-64-10, η = .1, 16 images an update."""
    return run(Backprop(), Digits(), replicas=12, epochs=40)


def outputs(result: Result, x: Any) -> Any:
    net = result.task.network()
    return net.forward({k: result.trained.weights[k.name] for k in net.shapes}, x)[net.output]


# What is learnt from, decided on, reported


def test_the_split_is_disjoint_covers_all_and_never_changes() -> None:
    train, validation, test = Digits().split()
    assert [len(part) for part in (train, validation, test)] == [1197, 300, 300]
    assert sorted(np.concatenate([train, validation, test])) == list(range(1797))
    # written down once: another NumPy must give the same, or figures of different machines are of different
    # images
    assert (train[:2].tolist(), validation[:2].tolist(), test[:2].tolist()) == (
        [62, 1128],
        [69, 1150],
        [1790, 82],
    )
    digits = bundled()[1]
    for part in (train, validation, test):
        assert np.bincount(digits[part]).min() > 0.06 * len(
            part
        )  # every digit, and images of every tenth of the file
        assert np.bincount(part // 180, minlength=10).min() > 0.05 * len(part)


def test_every_replica_and_every_seed_has_the_same_images() -> None:
    for a, b in zip(parts_of(data_of(Digits())), parts_of(data_of(Digits(), 7, seed=5)), strict=True):
        assert len(a.x) == 1  # shared
        np.testing.assert_array_equal(a.x, b.x)
        np.testing.assert_array_equal(a.wanted, b.wanted)


def test_images_are_those_of_the_source_with_one_output_for_their_digit() -> None:
    from sklearn.datasets import load_digits

    source = load_digits()
    digit_of = {row.tobytes(): digit for row, digit in zip(source.data, source.target, strict=True)}
    assert len(digit_of) == 1797  # no two images are the same
    for part in parts_of(data_of(Digits(target_off=0.1, target_on=0.9))):
        assert (part.x.min(), part.x.max()) == (0, 1)
        assert [digit_of[row.tobytes()] for row in 16 * part.x[0]] == part.wanted[0].argmax(axis=1).tolist()
        assert (part.wanted.sum(axis=-1) == 1).all()
        np.testing.assert_array_equal(part.target, np.where(part.wanted, 0.9, 0.1))
    for part in parts_of(data_of(Digits(), dtype="float32")):
        assert {part.x.dtype, part.target.dtype} == {np.dtype("float32")}


def test_the_figures_beside_the_task_are_those_of_scikit_learn_on_this_split() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    data, _, test = parts_of(data_of(Digits()))
    for model, entry in ((KNeighborsClassifier(1), 0), (LogisticRegression(max_iter=2000), 1)):
        right = model.fit(data.x[0], data.wanted[0].argmax(1)).score(test.x[0], test.wanted[0].argmax(1))
        assert f"{100 * right:.1f} %" in Digits.published[entry].figure


def test_shares_right_at_the_end_are_those_of_the_final_weights() -> None:
    t = usual().trained
    for part, shares in zip(
        parts_of(data_of(Digits())), (t.right, t.validation_right, t.held_right), strict=True
    ):
        np.testing.assert_array_equal(
            shares, (outputs(usual(), part.x).argmax(-1) == part.wanted.argmax(-1)).mean(-1)
        )


def test_backprop_learns_digits_at_the_usual_settings() -> None:
    """n = 12: all reach 95 % of the validation images within 40 sweeps, and with it about as much of the
    test."""
    t = usual().trained
    assert usual().solved.all()
    assert (t.validation_right >= 0.95).all()
    assert t.held_right.mean() >= 0.92


def test_a_sweep_less_is_not_enough() -> None:
    i, epochs = 3, int(usual().trained.epochs[3])
    before = run(Backprop(), Digits(), replicas=12, epochs=epochs - 1, only=[i])
    assert before.trained.outcome[0] == "unsolved"
    assert before.trained.validation_right[0] < 0.95


@dataclass(frozen=True)
class Mislabelled(Digits):
    """Digits whose `part` (held, validation) has the labels of other images."""

    part: str = "held"

    def data(self, rand: Rand, dtype: Any) -> Data:
        data = super().data(rand, dtype)
        one: Data = getattr(data, self.part)
        return data._replace(
            **{
                self.part: one._replace(
                    wanted=np.roll(one.wanted, 1, axis=-2), target=np.roll(one.target, 1, axis=-2)
                )
            }
        )


def test_nothing_is_decided_on_the_test_and_everything_on_validation() -> None:
    other = run(Backprop(), Mislabelled(), replicas=12, epochs=40).trained
    for name in ("epochs", "outcome", "right", "validation_right", "loss"):
        np.testing.assert_array_equal(getattr(other, name), getattr(usual().trained, name))
    assert (other.held_right < 0.3).all()
    other = run(Backprop(), Mislabelled(part="validation"), replicas=2, epochs=15).trained
    assert (other.outcome == "unsolved").all()
    assert (other.right > 0.95).all()


def test_compiled_digits_are_the_same() -> None:
    compiled = run(Backprop(), Digits(), replicas=4, epochs=40, backend="jax")
    assert compiled.trained.ran["backend"] == "jax"
    for name in ("epochs", "right", "validation_right", "held_right"):
        np.testing.assert_array_equal(getattr(compiled.trained, name), getattr(usual().trained, name)[:4])


# The house around it


def test_layers_of_a_width_are_the_network() -> None:
    net = Digits(hidden=20, layers=3, activation="relu").network()
    assert [g.size for g in net.groups] == [64, 20, 20, 20, 10]
    assert {g.activation for g in net.hidden} == {"relu"}
    assert [[g.size for g in t.network().groups] for t in (Digits(), Mnist())] == [
        [64, 64, 10],
        [784, 100, 10],
    ]


def test_a_chunk_fits_the_memory_and_is_as_it_was_where_that_is_no_question() -> None:
    settings = Settings()
    assert chunk_size(Digits(), settings) == 32
    assert chunk_size(Xor(), settings) == 4096
    assert chunk_size(Symmetry(), settings) == 5 * 2**20 // (64 * 9 * 8)
    for task in (Mnist(), Mnist(hidden=2000, layers=4)):
        size = chunk_size(task, settings)
        assert size == 1 or size * 50_000 * sum(g.size for g in task.network().groups) * 8 <= 2**30
        assert size < 32
        assert chunk_size(task, Settings(dtype="float32")) in (size, 2 * size, 2 * size + 1)


def test_record_summary_table_metrics_and_figures_have_all_three_shares(
    harness: Callable[..., tuple[int, str, str]], store: Store
) -> None:
    code, out, err = harness("task=digits", "run.replicas=3", "run.epochs=12")
    assert code == 0, err
    (record,) = store.records("scratch")
    means = {name: float(record.replicas[name].mean()) for name in ("validation_right", "held_right")}
    validation, held = (f"patterns right: mean {100 * mean:.1f} %" for mean in means.values())
    assert f"validation {validation}; held-out {held}" in out
    assert "batches of 16" in out
    summary = record.summary()
    assert (summary.validation_right_mean, summary.held_right_mean) == (
        means["validation_right"],
        means["held_right"],
    )
    assert ("right/validation", means["validation_right"], 0) in list(_metrics(record, summary))
    assert f"{means['validation_right']}" in to_csv(build(store, "scratch"))
    replicas, curves = results.replicas("scratch", store), results.curves("scratch", store)
    for figure in (survival_figure(replicas), curve_figure(curves, replicas), hinton_figure(record)):
        assert figure.axes
    assert record.cost["patterns"] == 16
    before = {
        name: column for name, column in record.replicas.items() if name != "validation_right"
    }  # an older record
    assert np.isnan(summarise(before).validation_right_mean)
    assert "validation" not in str(run(Backprop(), Xor(), replicas=2, epochs=2))


def test_an_update_of_backprop_costs_its_closed_form() -> None:
    """Multiply-adds: forward and both outer products 2 W each, and the way back over the upper layer; n = 16
    images."""
    ledger = sheet(Cell.of({"name": "backprop"}, {"name": "digits"}, {})).update
    below, above = 64 * 64, 64 * 10
    assert ledger.multiply_adds == 16 * (2 * (below + above) + above)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hidden": 0}, ["hidden", "0", "at least 1"]),
        ({"layers": 0}, ["layers", "0", "at least 1"]),
        ({"activation": "rely"}, ["activation", "'rely'", "did you mean 'relu'"]),
        ({"bound": 0.1}, ["largest", "no bound", "0.1"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("cls", [Digits, Mnist])
def test_a_bad_setting_gets_one_sentence(cls: Any, given: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        cls(**given)
    assert "\n" not in str(error.value)
    assert [word for word in words if word not in str(error.value)] == []


# MNIST


@dataclass(frozen=True)
class FewOfMnist(Mnist):
    """The same code on a file of 400 images."""

    parts: ClassVar[tuple[int, int, int]] = (240, 60, 100)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of data, empty, on a machine without a network."""

    def refuse(*_: object, **__: object) -> None:
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def as_openml_sends_it(place: Path, images: Any, digits: Any) -> None:
    """Those images in the folder that scikit-learn keeps what openml.org sends in, in the same format: JSON
    and ARFF."""

    def put(path: str, content: bytes) -> None:
        file = place / "openml" / "openml.org" / f"{path}.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(content))

    columns = [
        *((f"pixel{i + 1}", "numeric", "false") for i in range(images.shape[1])),
        ("class", "nominal", "true"),
    ]
    values = {"numeric": "REAL", "nominal": "{0,1,2,3,4,5,6,7,8,9}"}
    lines = ["@RELATION mnist_784", *(f"@ATTRIBUTE {name} {values[kind]}" for name, kind, _ in columns)]
    rows = [",".join([*map(str, image), str(digit)]) for image, digit in zip(images, digits, strict=True)]
    arff = "\n".join([*lines, "@DATA", *rows, ""]).encode()
    about = {
        "id": "554",
        "name": "mnist_784",
        "version": "1",
        "description": "",
        "format": "ARFF",
        "status": "active",
    }
    about |= {
        "url": "https://api.openml.org/data/v1/download/52667/mnist_784.arff",
        "md5_checksum": hashlib.md5(arff).hexdigest(),
    }
    flags = {"is_ignore": "false", "is_row_identifier": "false", "number_of_missing_values": "0"}
    features = [
        {"index": str(i), "name": n, "data_type": kind, "is_target": target, **flags}
        for i, (n, kind, target) in enumerate(columns)
    ]
    answers: dict[str, Any] = {
        "list/data_name/mnist_784/limit/2/data_version/1": {
            "data": {"dataset": [{"did": 554, "name": "mnist_784"}]}
        },
        "554": {"data_set_description": about},
        "features/554": {"data_features": {"feature": features}},
        "qualities/554": {
            "data_qualities": {"quality": [{"name": "NumberOfInstances", "value": f"{len(images)}.0"}]}
        },
    }
    for path, answer in answers.items():
        put(f"api/v1/json/data/{path}", json.dumps(answer).encode())
    put("data/v1/download/52667/mnist_784.arff", arff)


def drawn(n: int) -> tuple[Any, Any]:
    """n images of ten kinds: a bright row of pixels for each digit, in noise."""
    rand = np.random.default_rng(1)
    digits = rand.integers(0, 10, n)
    images = rand.integers(0, 100, (n, 28, 28))
    images[np.arange(n), 2 * digits + 4] = rand.integers(150, 256, (n, 28))
    return images.reshape(n, 784).astype(np.uint8), digits.astype(np.uint8)


def test_mnist_is_read_by_scikit_learn_split_by_its_own_order_and_learnt(offline: Path) -> None:
    images, digits = drawn(400)
    as_openml_sends_it(offline, images, digits)
    task = FewOfMnist()
    train, validation, test = task.split()
    assert sorted(np.concatenate([train, validation])) == list(range(300))
    assert test.tolist() == list(range(300, 400))  # the last ones, as everywhere
    for part, rows in zip(parts_of(data_of(task)), (train, validation, test), strict=True):
        np.testing.assert_array_equal(part.x[0], images[rows] / 255)
        np.testing.assert_array_equal(part.wanted[0].argmax(1), digits[rows])
    assert run(Backprop(), task, replicas=2, epochs=20).solved.all()
    (offline / "openml").rename(offline / "elsewhere")
    loaded.cache_clear()  # as in another process: now from our own file
    again = task.images()
    np.testing.assert_array_equal(again[0], images)
    np.testing.assert_array_equal(again[1], digits)
    assert {a.dtype for a in again} == {np.dtype("uint8")}  # a byte a pixel, until a run asks for its numbers


def test_without_a_network_one_sentence_says_what_goes_where(
    offline: Path, harness: Callable[..., tuple[int, str, str]], store: Store
) -> None:
    code, _, err = harness("task=mnist", "run.replicas=1")
    assert (code, err) == (
        1,
        "",
    )  # no traceback: what the program leaves with is the sentence, noted in the store
    (note,) = (json.loads(file.read_text()) for file in (store.path / "failed").iterdir())
    assert "\n" not in note["reason"]
    for word in ("openml.org", "no network in this test", "mnist_784.npz", str(offline)):
        assert word in note["reason"]


def test_a_file_of_other_images_or_of_something_else_is_named(offline: Path) -> None:
    offline.mkdir()
    file = offline / "mnist_784.npz"
    np.savez(file, images=np.zeros((3, 784), np.uint8), digits=np.zeros(3, np.uint8))
    with pytest.raises(
        InputError, match=r"mnist_784.npz should hold 70,000 images of 784 pixels.*\(3, 784\)"
    ):
        Mnist().images()
    file.write_text("no images")
    with pytest.raises(InputError, match=r"mnist_784.npz cannot be read"):
        Mnist().images()


def test_naming_mnist_reads_nothing(offline: Path) -> None:
    """Every algorithm's cell, the size of its network and of its chunks, without a file and without a
    network.

    What it is kept under holds the images, and asks for them.
    """
    for name in registry.algorithms():
        assert Cell.of({"name": name}, {"name": "mnist"}, {}).task.name == "mnist"
    task = Mnist()
    assert task.spec() == Spec(patterns=50_000, kind="labels", binary=False)
    assert not offline.exists()


def test_data_is_kept_where_the_user_says_or_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    assert folder() == tmp_path
    monkeypatch.delenv("HARNESS_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder() == tmp_path / "credit-assignment-harness" / "data"
