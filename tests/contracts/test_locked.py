"""A file system that keeps no locks, as some network ones: what needs a lock says so in one sentence, and
writes nothing; what needs none goes on."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from harness.core.errors import InputError
from harness.store.locked import locked
from harness.store.mlflow_later import ask, deliver, requests
from harness.store.mlflow_later import main as sending
from harness.store.mlflow_tracker import alone
from harness.store.store import Store
from helpers.kept import keep

WITHOUT = [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP]


@pytest.fixture(params=WITHOUT, ids=[errno.errorcode[number] for number in WITHOUT])
def lockless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(request.param, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("lockless")
def test_whoever_needs_a_lock_hears_that_there_are_none(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    for needs in (lambda: locked(tmp_path / "lock"), lambda: alone(uri, tmp_path)):
        with pytest.raises(InputError, match="keeps no locks") as said, needs():
            raise AssertionError("the block was entered")
        assert str(tmp_path) in str(said.value)
        assert "tracking.enabled=false" in str(said.value)
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.usefixtures("lockless")
def test_a_record_is_kept_all_the_same_and_the_sender_leaves_word(store: Store) -> None:
    """Of two studies that wait one says it; whoever sends at the prompt hears it there."""
    for study in ("s", "t"):
        store.write_study(study, "", [keep(store, "backprop")])
        ask(store, study, None)
    with pytest.raises(InputError, match="keeps no locks"):
        deliver(store)
    sending(str(store.path))
    whys = [request.why for request in requests(store).values()]
    assert sorted(bool(why) for why in whys) == [False, True]
    assert "keeps no locks" in max(whys)
    assert len(store.records("s")) == 1


def test_a_lock_that_is_held_is_waited_for_or_not_and_falls_with_the_block(tmp_path: Path) -> None:
    with locked(tmp_path / "lock") as mine:
        assert mine
        with locked(tmp_path / "lock", wait=False) as second:
            assert not second
    with locked(tmp_path / "lock", wait=False) as again:
        assert again
