"""Two builds of the harness side by side: `python -m bench.beside FOLDER`, CPU time of this one ÷ that of the
one in FOLDER.

Every row is run in a process of its own for each build, in turn, so that a busy machine slows both alike. The
figure is the least of the one ÷ the least of the other, for whatever else a machine does only adds to it; the
range is that of the ratios of neighbours. A row is a whole `run`, with criterion
tests and bookkeeping, after one that warms caches (and compiles); a command is the second of its kind, with
Python's compiled files at hand as everywhere after the first. Only what both builds offer is asked for, so
FOLDER may be an older checkout.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent.parent
SLOWER = 1.05  # what is promised: no row above it

RUN = """
import sys, time
from threadpoolctl import threadpool_limits
from harness import run
import algorithms.{module} as rules
import harness.tasks.{task} as tasks
def make(epochs):
    settings = dict(replicas={replicas}, epochs=epochs, seed=0, backend="{backend}")
    run(rules.{rule}(), tasks.{Task}, **settings)
with threadpool_limits(1):
    make({epochs})
    start = time.process_time()
    make({epochs})
    print(time.process_time() - start)
"""
# fmt: off
ROWS = {
    "backprop, xor, R = 1,000": ("backprop", "Backprop", "xor", "Xor()", 1000, 1200, "numpy"),
    "backprop, xor, R = 10":
        ("backprop", "Backprop", "xor", "Xor(criterion='margin', bound=1e-6)", 10, 10000, "numpy"),
    "backprop, encoder, R = 1,000": ("backprop", "Backprop", "encoder", "Encoder()", 1000, 300, "numpy"),
    "backprop, symmetry, R = 1,000": ("backprop", "Backprop", "symmetry", "Symmetry()", 1000, 250, "numpy"),
    "backprop, family_tree, R = 100":
        ("backprop", "Backprop", "family_tree", "FamilyTree()", 100, 100, "numpy"),
    "backprop, digits, R = 4": ("backprop", "Backprop", "digits", "Digits()", 4, 60, "numpy"),
    "feedback_alignment, xor, R = 1,000":
        ("feedback_alignment", "FeedbackAlignment", "xor", "Xor()", 1000, 1000, "numpy"),
    "direct_feedback_alignment, encoder, R = 1,000":
        ("feedback_alignment", "DirectFeedbackAlignment", "encoder", "Encoder()", 1000, 300, "numpy"),
    "sign_symmetry, encoder, R = 1,000":
        ("sign_symmetry", "SignSymmetry", "encoder", "Encoder()", 1000, 300, "numpy"),
    "kolen_pollack, encoder, R = 1,000":
        ("weight_mirror", "KolenPollack", "encoder", "Encoder()", 1000, 300, "numpy"),
    "weight_mirror, encoder, R = 1,000":
        ("weight_mirror", "WeightMirror", "encoder", "Encoder()", 1000, 100, "numpy"),
    "boltzmann, encoder, R = 20": ("boltzmann", "Boltzmann", "encoder", "Encoder()", 20, 20, "numpy"),
    "finite_differences, encoder, R = 20":
        ("finite_differences", "FiniteDifferences", "encoder", "Encoder()", 20, 40, "numpy"),
    "weight_perturbation, xor, R = 200":
        ("weight_perturbation", "WeightPerturbation", "xor", "Xor()", 200, 1200, "numpy"),
    "node_perturbation, xor, R = 200":
        ("node_perturbation", "NodePerturbation", "xor", "Xor()", 200, 1200, "numpy"),
    "evolution_strategies, xor, R = 20":
        ("evolution_strategies", "EvolutionStrategies", "xor", "Xor()", 20, 400, "numpy"),
    "backprop compiled, xor, R = 1,000": ("backprop", "Backprop", "xor", "Xor()", 1000, 3000, "jax"),
    "backprop compiled, encoder, R = 100": ("backprop", "Backprop", "encoder", "Encoder()", 100, 3000, "jax"),
    "backprop compiled, symmetry, R = 100":
        ("backprop", "Backprop", "symmetry", "Symmetry()", 100, 3000, "jax"),
    "backprop compiled, family_tree, R = 32":
        ("backprop", "Backprop", "family_tree", "FamilyTree()", 32, 300, "jax"),
}
# fmt: on
GRID = ",".join(f"{0.05 * i:.2f}" for i in range(1, 21))
SWEEP = (
    *["-m", "harness", "-m", "task=xor", "run.epochs=1000"],
    f"algorithm.optimiser.lr={GRID}",
    f"task.scale={GRID}",
)
MANY = ["-m", "harness", "task=xor", "run.replicas=10000", "run.epochs=5000", "tracking.enabled=false"]
FIRST = ["-m", "harness", "-m", "study=first_light", "tracking.enabled=false"]
COMMANDS = {  # and how often
    "python -m harness task=xor run.replicas=10 tracking.enabled=false": (
        ("-m", "harness", "task=xor", "run.replicas=10", "run.epochs=50", "tracking.enabled=false"),
        7,
    ),
    "python -m harness.catalog": (("-m", "harness.catalog"), 7),
    "sweep: 20 × 20 cells of XOR, without MLflow": ((*SWEEP, "tracking.enabled=false"), 1),
    "sweep: 20 × 20 cells of XOR, with MLflow": (SWEEP, 1),
    "10,000 XOR networks to the end": (MANY, 3),
    "10,000 XOR networks to the end, compiled": ((*MANY, "run.backend=jax"), 3),
    "first light, without MLflow": (FIRST, 1),
}


def lines(other: Path, rounds: int = 7, only: str = "") -> Iterator[str]:
    """A table: a row for each piece of work whose name has `only` in it."""
    yield "| work | other build, s | this ÷ other (range) | promised |"
    yield "|---|---|---|---|"
    with tempfile.TemporaryDirectory() as scratch:
        builds = [Build.of(folder, Path(scratch)) for folder in (HERE, other)]
        for name in [*ROWS, *COMMANDS]:
            if only in name:
                times = COMMANDS[name][1] if name in COMMANDS else rounds
                pairs = [[build.seconds(name) for build in builds] for _ in range(times)]
                this, that = (min(column) for column in zip(*pairs, strict=True))
                ratios = [a / b for a, b in pairs]
                yield (
                    f"| {name} | {that:.2f} | **{this / that:.2f}** ({min(ratios):.2f}–{max(ratios):.2f}) "
                    f"| ≤ {SLOWER} |"
                )


class Build(NamedTuple):
    """A checkout, and where its processes keep what they compile."""

    folder: Path
    scratch: Path

    @classmethod
    def of(cls, folder: Path, scratch: Path) -> Build:
        """With Python's files compiled, and no other build that is installed in its way."""
        build = cls(folder, Path(tempfile.mkdtemp(dir=scratch)))
        others = f"p != {str(folder)!r} and os.path.isfile(os.path.join(p, 'harness', '__init__.py'))"
        line = f"import os, sys\n\nsys.path[:] = [p for p in sys.path if not ({others})]\n"
        (build.scratch / "sitecustomize.py").write_text(line, encoding="utf-8")
        for warm in ("task=xor run.replicas=2 run.epochs=2", "-m task=xor run.epochs=2 run.backend=jax"):
            build.run("-m", "harness", *warm.split())
        return build

    def run(self, *arguments: str) -> str:
        """What Python prints."""
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(self.scratch), str(self.folder)]),
            "PYTHONPYCACHEPREFIX": str(self.scratch / "compiled"),
            "HARNESS_STORE": tempfile.mkdtemp(dir=self.scratch),
        }
        for name in ("PYTHONDONTWRITEBYTECODE", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
            environment.pop(name, None)
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    def seconds(self, name: str) -> float:
        """CPU seconds of a row."""
        if name in ROWS:
            names = ("module", "rule", "task", "Task", "replicas", "epochs", "backend")
            return float(self.run("-c", RUN.format(**dict(zip(names, ROWS[name], strict=True)))).split()[-1])
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.run(*COMMANDS[name][0])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    if len(sys.argv) < 2 or not (Path(sys.argv[1]) / "harness").is_dir():
        sys.exit(
            "bench.beside takes the folder of another build: python -m bench.beside ../other [part of a "
            "row's name]"
        )
    for line in lines(Path(sys.argv[1]).resolve(), only=sys.argv[2] if len(sys.argv) > 2 else ""):
        print(line, flush=True)
