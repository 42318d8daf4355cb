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
COMMANDS = {
    "python -m harness task=xor run.replicas=10 tracking.enabled=false": (
        *("-m", "harness", "task=xor", "run.replicas=10", "run.epochs=50", "tracking.enabled=false"),
    ),
    "python -m harness.catalog": ("-m", "harness.catalog"),
}


def lines(other: Path, rounds: int = 7, only: str = "") -> Iterator[str]:
    """A table: a row for each piece of work whose name has `only` in it."""
    yield "| work | other build, s | this ÷ other (range) | promised |"
    yield "|---|---|---|---|"
    for name in [*ROWS, *COMMANDS]:
        if only in name:
            pairs = [(seconds(name, HERE), seconds(name, other)) for _ in range(rounds)]
            this, that = (min(times) for times in zip(*pairs, strict=True))
            ratios = [a / b for a, b in pairs]
            yield (
                f"| {name} | {that:.2f} | **{this / that:.2f}** ({min(ratios):.2f}–{max(ratios):.2f}) "
                f"| ≤ {SLOWER} |"
            )


def seconds(name: str, folder: Path) -> float:
    """CPU seconds of a row by the build in `folder`, and by no other that is installed."""
    with tempfile.TemporaryDirectory() as beside:
        others = f"p != {str(folder)!r} and os.path.isfile(os.path.join(p, 'harness', '__init__.py'))"
        line = f"sys.path[:] = [p for p in sys.path if not ({others})]"
        (Path(beside) / "sitecustomize.py").write_text(f"import os, sys\n\n{line}\n", encoding="utf-8")
        return _seconds(name, folder, beside)


def _seconds(name: str, folder: Path, beside: str) -> float:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([beside, str(folder)]),
        "PYTHONPYCACHEPREFIX": f"{beside}/compiled",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if name in COMMANDS:
        command = [sys.executable, *COMMANDS[name]]
        for attempt in ("first", "second"):
            environment["HARNESS_STORE"] = f"{beside}/{attempt}"
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    names = ("module", "rule", "task", "Task", "replicas", "epochs", "backend")
    program = RUN.format(**dict(zip(names, ROWS[name], strict=True)))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    if len(sys.argv) < 2 or not (Path(sys.argv[1]) / "harness").is_dir():
        sys.exit(
            "bench.beside takes the folder of another build: python -m bench.beside ../other [part of a "
            "row's name]"
        )
    for line in lines(Path(sys.argv[1]).resolve(), only=sys.argv[2] if len(sys.argv) > 2 else ""):
        print(line, flush=True)
