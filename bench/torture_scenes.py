"""The study of the torture (`bench.torture`), and where it runs: on our own pool, on a SLURM, on a Ray."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from harness.store.parts import SETTING

ROOT = Path(__file__).parent.parent
TOKEN = "HARNESS_TORTURED"
STUDY = """
name: torture
question: Is anything lost?
cells:
  - [task=xor, algorithm=backprop, "algorithm.optimiser.lr=range(1,13)", run.replicas=30, run.epochs=2000]
  - [task=xor, algorithm=weight_perturbation, "run.seed=range(12)", run.replicas=40, run.epochs=400]
  - [task=encoder, algorithm=feedback_alignment, "run.seed=range(10)", run.replicas=20, run.epochs=300]
  - - task=xor
    - algorithm=node_perturbation,spsa
    - run.seed=1,2
    - run.processes=2
    - run.replicas=2000
    - run.epochs=150
  - [task=xor, algorithm=boltzmann, "run.seed=1,2", run.replicas=40, run.epochs=60]
small_cells:
  - [task=xor, algorithm=backprop, "algorithm.optimiser.lr=1,2,3", run.replicas=30, run.epochs=2000]
  - [task=xor, algorithm=weight_perturbation, "run.seed=range(4)", run.replicas=40, run.epochs=1500]
  - [task=xor, algorithm=node_perturbation, run.processes=2, run.replicas=500, run.epochs=150]
"""


@dataclass
class Scene:
    """Where a study of the torture runs."""

    folder: Path
    small: bool = False
    launcher: tuple[str, ...] = ("hydra.launcher.n_jobs=2",)
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, store: Path) -> list[str]:
        """The command of the study, in a store."""
        (self.folder / "study").mkdir(parents=True, exist_ok=True)
        (self.folder / "study" / "torture.yaml").write_text(STUDY, encoding="utf-8")
        given = [
            f"store={store}",
            "tracking.enabled=false",
            "figures=false",
            f"small={str(self.small).lower()}",
        ]
        where = [sys.executable, "-W", "ignore", "-m", "harness", "--config-dir", str(self.folder), "-m"]
        return [*where, "study=torture", *given, *self.launcher]

    def run(self, store: Path) -> None:
        """The study to its end, however often that takes: a lost cell is run by the next command."""
        for _ in range(4):
            done = subprocess.run(
                self.command(store),
                cwd=self.folder,
                env=self.env(store),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                return
        raise RuntimeError(f"the study does not come to its end: {done.stderr[-2000:]}")

    def start(self, store: Path) -> subprocess.Popen[bytes]:
        """The study, begun."""
        return subprocess.Popen(
            self.command(store), cwd=self.folder, env=self.env(store), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def env(self, store: Path) -> dict[str, str]:
        """Its environment, by which its processes are known."""
        return os.environ | self.environment | {SETTING: "0.1", TOKEN: str(store), "PYTHONPATH": str(ROOT)}


def processes(store: Path) -> dict[int, str]:
    """The processes of the studies in a store, whoever's children they are, with their command lines."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{TOKEN}={store}\0".encode() in (folder / "environ").read_bytes():
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
    return found


@contextmanager
def scene_of(kind: str, folder: Path, small: bool) -> Iterator[Scene | str]:
    """Where a kind is tortured, or why it cannot be."""
    if kind == "ray":
        ray = ("hydra/launcher=ray", "hydra.launcher.num_cpus=2", "jobs.minutes=0.05")
        yield (
            Scene(folder, small, ray) if find_spec("ray") else "ray is not installed: pip install -e '.[ray]'"
        )
    elif kind != "slurm":
        yield Scene(folder, small)
    elif not find_spec("submitit"):
        yield "submitit is not installed"
    else:
        script, own = ROOT / "tests" / "cluster" / "slurm.sh", tempfile.mkdtemp()
        began = subprocess.run(
            [script, "start", own, "2", str(os.getpid())], capture_output=True, text=True, check=False
        )
        if began.returncode:
            yield began.stderr.strip()
            return
        name, _, value = began.stdout.strip().partition("=")
        slurm = ("hydra/launcher=submitit_slurm", "hydra.launcher.array_parallelism=2", "jobs.minutes=0.05")
        try:
            yield Scene(folder, small, slurm, {name: value})
        finally:
            subprocess.run([script, "stop", own], check=True)
