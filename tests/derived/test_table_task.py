"""The task table held to files whose numbers are known: what is read, split, scaled, coded and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness import InputError, run
from harness.cells.cell import Cell
from harness.core.rand import SPLIT, Rand
from harness.tasks.table import Table


@pytest.fixture
def frame() -> pd.DataFrame:
    x = np.arange(40.0)
    return pd.DataFrame(
        {
            "a": x,
            "word": ["red", "blue"] * 20,
            "twice": 2 * x,
            "class": (x >= 20).astype(int),
            "name": ["u", "v"] * 20,
        }
    )


def test_csv_parquet_and_npz_are_the_same_table(tmp_path: Path, frame: pd.DataFrame) -> None:
    numbers = frame[["a", "twice", "class"]]
    numbers.to_csv(tmp_path / "t.csv", index=False)
    numbers.to_parquet(tmp_path / "t.parquet")
    np.savez(tmp_path / "t.npz", a=numbers["a"], twice=numbers["twice"], **{"class": numbers["class"]})
    x = [
        Table(file=str(tmp_path / f"t.{kind}")).data(Rand(0, [0], SPLIT), float).x
        for kind in ("csv", "parquet", "npz")
    ]
    assert x[0].tobytes() == x[1].tobytes() == x[2].tobytes()


def test_parts_are_disjoint_and_whole_and_another_split_has_other_rows() -> None:
    for split in (0, 1):
        assert sorted(np.concatenate(Table(split=split).parts)) == list(range(150))
    assert [len(rows) for rows in Table().parts] == [90, 30, 30]
    assert Table().parts[0].tolist() != Table(split=1).parts[0].tolist()


def test_inputs_are_in_standard_deviations_of_the_training_rows_alone() -> None:
    data = Table().data(Rand(0, [0], SPLIT), float)
    np.testing.assert_allclose(data.x[0].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.x[0].std(axis=0), 1)
    assert data.validation is not None
    assert abs(data.validation.x[0].mean(axis=0)).max() > 1e-3
    raw = Table(standardise=False).data(Rand(0, [0], SPLIT), float)
    assert raw.x[0].min() == 0.1  # the narrowest petal


def test_words_are_a_unit_each_and_classes_an_output_each(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(tmp_path / "t.csv", index=False)
    task = Table(file=str(tmp_path / "t.csv"), targets=("class",), inputs=("a", "word"), hidden=(3, 2))
    assert [g.size for g in task.network().groups] == [3, 3, 2, 2]
    assert task.encoded.classes == ("0", "1")
    assert task.encoded.x[0].tolist() == [0.0, 0.0, 1.0]  # a, blue, red


def test_a_linear_target_is_learnt_by_a_line(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(tmp_path / "t.csv", index=False)
    task = Table(
        file=str(tmp_path / "t.csv"),
        targets=("twice",),
        inputs=("a",),
        criterion="error",
        bound=1e-3,
        hidden=(),
    )
    assert run("backprop", task, replicas=3, epochs=200).solved.all()


def test_iris_is_learnt() -> None:
    assert run("backprop", Table(), replicas=5).solved.all()


def test_a_table_of_fewer_rows_than_the_usual_batch_is_learnt_by_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("a,b\n" + "0,x\n1,y\n" * 9, encoding="utf-8")
    task = Table(file=str(tmp_path / "few.csv"))
    assert task.spec().patterns == 10 < (task.usual.batch or 0)
    cell = Cell.of({"name": "backprop"}, {"name": "table", "file": task.file}, {"replicas": 2})
    assert cell.settings.batch == "full"
    with pytest.raises(InputError, match="batch must be at most the 10 training patterns"):
        Cell.of({"name": "backprop"}, {"name": "table", "file": task.file}, {"batch": 16})


def test_another_file_is_another_cell(tmp_path: Path, frame: pd.DataFrame) -> None:
    file = tmp_path / "t.csv"
    ids = []
    for scale in (1.0, 1.5):
        frame.assign(a=scale * frame["a"] ** 2).to_csv(file, index=False)
        ids.append(
            Cell.of({"name": "backprop"}, {"name": "table", "file": str(file), "targets": ["class"]}, {}).id
        )
    assert ids[0] != ids[1]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"file": "nowhere.csv"}, "file 'nowhere.csv' of the table cannot be read"),
        ({"targets": ("specie",)}, "did you mean 'species'"),
        ({"targets": ("species",), "inputs": ("species",)}, "among the inputs and the targets"),
        ({"criterion": "error", "bound": 1.0}, "are classes"),
        ({"targets": ("petal_width",)}, "are numbers"),
        ({"validation": 0.6, "test": 0.6}, "leave a part without any"),
        ({"kind": "words"}, "allowed are auto, classes, numbers"),
    ],
)
def test_what_is_no_table_is_one_sentence(settings: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as said:
        Table(**settings)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n,3\n4,5\n", "'a' of t.csv has 1 cells that are no finite number"),
        ("a,b\nx,2\n,3\nx,5\n", "'a' of t.csv has 1 empty cells"),
        ("a,b\n1,2\n", "no table of two rows or more"),
        ("a,b\n1,2\n3,2\n", "holds one class only"),
        ("", "is no table"),
    ],
)
def test_a_file_with_gaps_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=sentence) as said:
        Table(file=str(tmp_path / "t.csv"))
    assert "\n" not in str(said.value)
