"""Held to what a record's key promises: the same data are the same cell, other data, from a file or a rule,
are another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from algorithms.backprop import Backprop
from harness.cells import data_fingerprint as module
from harness.cells.cell import Cell
from harness.cells.data_fingerprint import array_fingerprint, data_fingerprint
from harness.cells.settings import Settings, resolve
from harness.cli.app import attempt
from harness.core import registry
from harness.core.data import Data, Patterns, Usual
from harness.core.errors import InputError
from harness.core.network import Network
from harness.core.rand import Rand
from harness.core.task import Array, Task
from harness.store.store import Store
from harness.tasks.digits import Digits
from harness.tasks.family_tree import FamilyTree
from harness.tasks.mnist import Mnist, loaded
from harness.tasks.xor import Xor

MADE: dict[str, Any] = {
    "x": np.array([[0.0, 1.0], [1.0, 0.0]]),
    "wanted": np.array([[True], [False]]),
    "target": None,
}


@dataclass(frozen=True)
class Made(Task):
    """A task whose patterns are what MADE holds when somebody asks."""

    version: int = 0
    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.0, scale=0.5, epochs=3)

    def network(self) -> Network:
        return Network.chain(2, 1)

    def patterns(self) -> Patterns:
        return Patterns(MADE["x"], MADE["wanted"], ("a", "b"), MADE["target"])


@dataclass(frozen=True)
class OnFile(Made):
    """A task that reads its data from a file, and says of nothing that it does."""

    file: str = ""

    def data(self, rand: Rand, dtype: Any) -> Data:
        return super().data(rand, dtype)._replace(x=np.load(self.file).astype(dtype))


@dataclass(frozen=True)
class Mapped(OnFile):
    """The same from a memory map, which it says."""

    def source(self) -> tuple[Array, ...]:
        return (np.load(self.file, mmap_mode="r"),)


@dataclass(frozen=True)
class Listed(Made):
    """A task with a setting that cannot be hashed."""

    sizes: Any = field(default_factory=list)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """The fingerprint of a task made anew, with some of its arrays replaced."""

    def ask(task: Task | None = None, **arrays: Any) -> str:
        module._of_settings.cache_clear()
        with pytest.MonkeyPatch.context() as patch:
            for name, array in arrays.items():
                patch.setitem(MADE, name, array)
            return data_fingerprint(task or Made())

    yield ask
    module._of_settings.cache_clear()


# What is made by a rule


def test_a_changed_generator_has_another_fingerprint(made: Callable[..., str]) -> None:
    other = np.array([[0.0, 1.0], [1.0, np.nextafter(0, 1)]])
    found = [
        made(),
        made(x=other),
        made(x=MADE["x"].astype(np.float32)),
        made(wanted=~MADE["wanted"]),
        made(target=np.array([[0.5], [0.25]])),
        made(target=np.array([[0.5, 0.25]])),  # the same bytes in another shape
    ]
    assert len(set(found)) == len(found)
    assert made(x=MADE["x"].copy()) == found[0]
    assert made(x=np.asfortranarray(MADE["x"])) == found[0], "where a number lies in memory is no number"


def test_a_fingerprint_is_in_the_id_and_in_the_record(store: Store, made: Callable[..., str]) -> None:
    def cell() -> Cell:
        return Cell(*resolve(Backprop(), Made(), Settings(replicas=2, epochs=3)))

    first = cell()
    record = attempt(first, store)
    assert record is not None
    assert record.meta["versions"]["data"] == data_fingerprint(first.task)
    module._of_settings.cache_clear()
    assert cell().id == first.id
    module._of_settings.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MADE, "x", 2 * MADE["x"])
        assert cell().id != first.id
        assert first.id == record.id, "a cell is what it was when it was asked for"


def test_all_shipped_tasks_have_a_fingerprint_of_their_own_and_keep_it() -> None:
    tasks = [t() for name, t in registry.tasks().items() if name != "mnist"]
    found = [data_fingerprint(task) for task in tasks]
    module._of_settings.cache_clear()
    assert [data_fingerprint(task) for task in tasks] == found
    # negation, parity and symmetry are different questions about other inputs: none shares its data with
    # another
    assert len(set(found)) == len(found)


def test_patterns_of_equal_settings_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that four hundred cells on a task cost one: a family tree takes 9 ms to grow."""
    count = 0
    grow = FamilyTree.patterns

    def counted(self: FamilyTree) -> Patterns:
        nonlocal count
        count += 1
        return grow(self)

    tasks = [FamilyTree(), FamilyTree()]
    module._of_settings.cache_clear()
    monkeypatch.setattr(FamilyTree, "patterns", counted)
    for _ in range(5):
        data_fingerprint(tasks[0])
        data_fingerprint(tasks[1])
    assert count == 1


def test_a_setting_that_cannot_be_hashed_is_no_hindrance(made: Callable[..., str]) -> None:
    assert made(Listed(sizes=[1])) == made(Listed(sizes=[1])) == made()


def test_an_error_of_the_task_is_the_tasks(made: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(_: Task) -> Patterns:
        raise TypeError("a fault of its own")

    task = Made()
    monkeypatch.setattr(Made, "patterns", wrong)
    with pytest.raises(TypeError, match="a fault of its own"):
        made(task)


# What is read


def test_a_changed_file_is_another_cell(tmp_path: Path) -> None:
    """In another process, as the next command is; for a task that says what it reads (a file mapped) in this
    one too."""
    file = tmp_path / "x.npy"
    np.save(file, MADE["x"])
    found = [data_fingerprint(Mapped(file=str(file)))]
    np.save(file, MADE["x"])
    found.append(data_fingerprint(Mapped(file=str(file))))
    np.save(file, MADE["x"] + [[0, 0], [0, 1e-9]])
    found.append(data_fingerprint(Mapped(file=str(file))))
    assert found[0] == found[1] != found[2]

    np.save(file, MADE["x"])
    first = data_fingerprint(OnFile(file=str(file)))
    np.save(file, 2 * MADE["x"])
    module._of_settings.cache_clear()
    assert data_fingerprint(OnFile(file=str(file))) != first


def test_a_subclass_with_data_of_its_own_is_not_taken_for_what_it_is_made_of() -> None:
    """`source` speaks for the data of its own class: one that reads more, and does not say so, is known by
    its data."""

    @dataclass(frozen=True)
    class Halved(Digits):
        def data(self, rand: Rand, dtype: Any) -> Data:
            data = super().data(rand, dtype)
            return data._replace(x=data.x / 2)

    @dataclass(frozen=True)
    class Same(Digits):
        pass

    assert data_fingerprint(Halved()) != data_fingerprint(Digits())
    assert data_fingerprint(Same()) == data_fingerprint(Digits())


def test_an_array_is_hashed_in_blocks_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rand = np.random.default_rng(0)
    arrays = [rand.random(shape) for shape in ((1000,), (7, 300), (1, 2, 500), (3, 1), (0, 4), ())]
    arrays += [arrays[1].T, arrays[1][:, ::2], arrays[0] > 0.5]
    whole = [array_fingerprint(a) for a in arrays]
    assert len(set(whole)) == len(whole)
    monkeypatch.setattr(module, "BLOCK", 1000)
    assert [array_fingerprint(a) for a in arrays] == whole
    largest = 0
    contiguous = np.ascontiguousarray

    def watched(block: Any, kind: Any) -> Any:
        nonlocal largest
        largest = max(largest, block.nbytes)
        return contiguous(block, kind)

    monkeypatch.setattr(np, "ascontiguousarray", watched)
    np.save(tmp_path / "large.npy", rand.random((500, 2, 100)))
    array_fingerprint(np.load(tmp_path / "large.npy", mmap_mode="r"))
    assert 0 < largest <= 1000, "a memory map is read block by block, also where a row is larger than a block"


@pytest.mark.parametrize("kind", ["f4", "f8", "i2", "i8", "c16"])
def test_the_order_of_bytes_in_a_file_is_no_matter(kind: str) -> None:
    numbers = np.arange(-5, 7).reshape(3, 4)
    big, little = (array_fingerprint(numbers.astype(order + kind)) for order in "><")
    assert big == little
    assert big != array_fingerprint((numbers + 1).astype(">" + kind))


def test_what_nobody_can_write_to_is_hashed_once_and_what_somebody_can_is_not() -> None:
    array = np.zeros(10)
    first = array_fingerprint(array)
    array[0] = 1
    second = array_fingerprint(array)
    assert second != first
    array.setflags(write=False)
    assert array_fingerprint(array) == second
    assert array_fingerprint(array) == second
    key = id(array)
    assert key in module._hashed
    del array
    assert key not in module._hashed, "and forgotten with the array"


def test_python_objects_are_no_data() -> None:
    """The bytes of an array of objects are addresses: hashed, equal data would be other cells every time."""
    with pytest.raises(InputError, match="data must be numbers or bits"):
        array_fingerprint(np.array([1, None]))


# MNIST


@dataclass(frozen=True)
class FewOfMnist(Mnist):
    """The same code on a file of 40 images."""

    parts: ClassVar[tuple[int, int, int]] = (20, 10, 10)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where MNIST is kept, empty, on a machine without a network; what was loaded before is forgotten, as by
    a new process."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    loaded.cache_clear()
    yield tmp_path / "mnist_784.npz"
    loaded.cache_clear()


def keep(file: Path, *, pixel: int = 0, digit: int = 0) -> None:
    images, digits = np.zeros((40, 784), np.uint8), np.arange(40, dtype=np.uint8) % 10
    images[3, 5], digits[0] = pixel, digit
    np.savez_compressed(file, images=images, digits=digits)
    loaded.cache_clear()


def few() -> Cell:
    return Cell(*resolve(Backprop(), FewOfMnist(hidden=3), Settings(replicas=1, epochs=1)))


def test_a_changed_file_of_mnist_is_another_cell(file: Path, store: Store) -> None:
    keep(file)
    first = few()
    assert attempt(first, store) is not None
    keep(file)
    assert few().id == first.id
    assert store.has(few().id)
    ids = [first.id]
    for changed in ({"pixel": 1}, {"digit": 1}):
        keep(file, **changed)
        ids.append(few().id)
        assert not store.has(ids[-1]), "the old numbers are not served"
    assert len(set(ids)) == 3


def test_images_are_hashed_once_for_all_cells(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(file)
    assert few().id
    monkeypatch.setattr(module.np, "ascontiguousarray", lambda _: pytest.fail("hashed again"))
    assert few().id


def test_data_that_cannot_be_had_fail_their_own_cell_with_their_own_sentence(
    file: Path, store: Store
) -> None:
    cell = few()
    assert attempt(cell, store) is None
    reason = store.failures([cell.id])[cell.id]["reason"]
    assert reason.startswith("MNIST is not on this machine")
    assert reason.count("MNIST is not on this machine") == 1
    assert "\n" not in reason
    # the file has come while this cell was about to run: it is still the one that failed, and the next is
    # another
    keep(file)
    assert attempt(cell, store) is None
    assert attempt(few(), store) is not None
    assert not (store.path / "cells" / cell.id).exists()


def test_a_cell_that_is_not_run_asks_for_no_data(file: Path) -> None:
    cell = Cell(Backprop(), Mnist(), Settings(), not_applicable="it is not")
    assert cell.id.startswith("mnist-backprop-")
    assert cell.data == ""


def test_other_cells_of_a_study_are_run_where_the_data_of_one_cannot_be_had(
    file: Path, harness: Callable[..., tuple[int, str, str]], store: Store
) -> None:
    code, _, err = harness("-m", "task=mnist,xor", "run.replicas=2", "run.epochs=3", "hydra/launcher=basic")
    assert code == 1
    assert err.count("MNIST is not on this machine") == 1
    assert [record.meta["task"]["name"] for record in store.records("scratch")] == ["xor"]


def test_a_file_changed_between_two_commands_is_noticed(
    file: Path, harness: Callable[..., tuple[int, str, str]], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way, from the command line to what is printed."""
    monkeypatch.setattr(Mnist, "parts", FewOfMnist.parts)
    earlier = []
    for pixel in (0, 0, 9):
        keep(file, pixel=pixel)
        code, out, err = harness("task=mnist", "task.hidden=3", "run.replicas=1", "run.epochs=1")
        assert code == 0, err
        earlier.append("(made earlier)" in out)
    assert earlier == [False, True, False]
    assert len(store.records("scratch")) == 2


def test_equal_tasks_share_a_fingerprint_across_settings_that_change_no_pattern() -> None:
    assert data_fingerprint(Xor()) == data_fingerprint(Xor(hidden=8))
    assert data_fingerprint(Xor(target_on=0.9)) == data_fingerprint(Xor()), (
        "targets are settings, and in the key as such"
    )
