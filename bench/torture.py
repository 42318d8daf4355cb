"""Studies that are killed again and again: is anything lost, done twice, or other than in a calm run?

    make torture                                          200 kills: some forty minutes of two cores
    python -m bench.torture --kind worker --kills 10      some of one kind

A study of forty cells, some in a shared batch, some with processes of their own, some long enough for
checkpoints, is run and killed at moments drawn from a seed, then run again by the same command. What is
killed: a worker; the command, which leaves its workers; everything at once, as when a machine goes down; a
job of SLURM; a worker of Ray. Kinds whose scheduler is not installed are left out, which is said. Exits with
1 if a cell was lost, done twice or has other bits, or a process was left behind.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.torture_scenes import Scene, processes, scene_of
from harness.store.store import Store

KILLS, LONGEST, PATIENCE = 200, 8.0, 5.0


@dataclass
class Tally:
    """What came of the kills of one kind."""

    kills: int = 0
    completed: int = 0
    """Studies that came to their end in between."""
    lost: int = 0
    twice: int = 0
    other: int = 0
    orphans: int = 0
    half_done: int = 0
    """Kills at which a checkpoint, or finished replicas of an unfinished cell, lay in the store."""

    @property
    def sound(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.twice or self.other or self.orphans)

    def row(self, kind: str) -> str:
        """A row of the table."""
        numbers = self.kills, self.half_done, self.completed, self.lost, self.twice, self.other, self.orphans
        return f"| {kind} | {' | '.join(map(str, numbers))} |"


def storm(kind: str, kills: int, scene: Scene, calm: Store, seed: int, longest: float = LONGEST) -> Tally:
    """Kill a study so many times, and hold what it leaves to a calm run's records."""
    rng, tally, number = np.random.default_rng(seed), Tally(), 0
    store = Store.at(scene.folder / f"{kind} 0")
    study, before = scene.start(store.path), dict[str, int]()
    while tally.kills < kills:
        while not (store.path / "studies" / "torture" / "study.json").is_file() and study.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, longest))
        if study.poll() is None and STRIKES[kind](study, store.path, rng):
            tally.kills += 1
            tally.half_done += any((store.path / "parts").glob("*/*.npz"))
            if kind in ("command", "machine"):
                study.wait()
                tally.orphans += left_behind(store.path)
        tally.twice += sum(before.get(i, at) != at for i, at in stamps(store).items())
        tally.lost += len(before.keys() - stamps(store).keys())
        before = stamps(store)
        if study.poll() is not None:
            if len(before) == len(calm.cells()):
                tally.other += unlike(store, calm)
                tally.completed, number = tally.completed + 1, number + 1
                store, before = Store.at(scene.folder / f"{kind} {number}"), {}
            study = scene.start(store.path)
    study.wait() if kind not in ("command", "machine") else None
    if study.poll() is None:
        os.killpg(study.pid, signal.SIGKILL)
        study.wait()
        left_behind(store.path)
    scene.run(store.path)
    tally.twice += sum(before.get(i, at) != at for i, at in stamps(store).items())
    tally.lost += len(set(calm.cells()) - set(store.cells()))
    tally.other += unlike(store, calm)
    return tally


def stamps(store: Store) -> dict[str, int]:
    """When each record was written."""
    return {i: (store.cell_folder(i) / "cell.json").stat().st_mtime_ns for i in store.cells()}


def unlike(store: Store, calm: Store) -> int:
    """How many records are damaged, or have other bits than in a calm run, times aside."""
    return sum(
        bool(store.read(i).damage()) or held(store, i) != held(calm, i) for i in store.cells() if calm.has(i)
    )


def held(store: Store, i: str) -> list[tuple[str, str, bytes]]:
    """The numbers of a record, and its words, but for seconds."""
    record = store.read(i)
    tables = {"replicas": record.replicas, "curves": record.curves, "weights": record.weights}
    return [
        (table, name, str(a.tolist()).encode() if a.dtype == object else a.tobytes())
        for table, columns in tables.items()
        for name, a in columns.items()
        if name != "seconds"
    ]


def left_behind(store: Path) -> int:
    """How many processes of a study there are after five seconds; they are killed then."""
    until = time.monotonic() + PATIENCE
    while (there := processes(store)) and time.monotonic() < until:
        time.sleep(0.1)
    for pid in there:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(there)


Strike = Callable[["subprocess.Popen[bytes]", Path, np.random.Generator], bool]


def _one_of(called: str) -> Strike:
    """Kills one process whose command line has this in it."""

    def strike(_: subprocess.Popen[bytes], store: Path, rng: np.random.Generator) -> bool:
        return _kill([pid for pid, line in processes(store).items() if called in line], rng)

    return strike


def _kill(pids: Sequence[int], rng: np.random.Generator) -> bool:
    with suppress(ProcessLookupError):
        if pids:
            os.kill(int(rng.choice(sorted(pids))), signal.SIGKILL)
            return True
    return False


def _command(study: subprocess.Popen[bytes], _: Path, __: np.random.Generator) -> bool:
    study.kill()
    return True


def _machine(_: subprocess.Popen[bytes], store: Path, __: np.random.Generator) -> bool:
    for pid in processes(store):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return True


STRIKES: dict[str, Strike] = {
    "worker": _one_of("spawn_main"),
    "command": _command,
    "machine": _machine,
    "slurm": _one_of("submitit"),
    "ray": _one_of("ray::"),
}
HEAD = """| killed | kills | work half done | studies completed | lost | done twice | other bits | orphans |
|---|---|---|---|---|---|---|---|"""
SHARES = {"worker": 0.3, "command": 0.25, "machine": 0.25, "slurm": 0.1, "ray": 0.1}


def main() -> None:
    """Torture, and print what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.torture", description="Studies killed again and again."
    )
    parser.add_argument("--kills", type=int, default=KILLS, help=f"of all kinds together ({KILLS})")
    parser.add_argument("--kind", choices=STRIKES, help="one kind alone")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and victims (0)")
    parser.add_argument("--small", action="store_true", help="a study of eight cells")
    given = parser.parse_args()
    shares = {given.kind: 1.0} if given.kind else SHARES
    print(HEAD, flush=True)
    sound = True
    with tempfile.TemporaryDirectory() as scratch:
        calm = Store.at(Path(scratch) / "calm")
        Scene(Path(scratch), given.small).run(calm.path)
        for kind, share in shares.items():
            with scene_of(kind, Path(scratch) / kind, given.small) as scene:
                if isinstance(scene, str):
                    print(f"| {kind} | none: {scene} | | | | | | |", flush=True)
                    continue
                tally = storm(kind, max(1, round(share * given.kills)), scene, calm, given.seed)
                print(tally.row(kind), flush=True)
                sound &= tally.sound
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
