"""What small runs of every algorithm and task come to, to the last bit: the cells, and what is kept of each.

`python tests/helpers/recorded_bits.py` runs all of them and writes `recorded_bits.json` beside this file, a
cell a line. A later build has to come to the same bits (`tests/laws/test_recorded_bits.py`): record again
only where bits are meant to change. They also depend on NumPy, on the kernels that it and BLAS choose for a
processor, and on the C library's functions: the record says which. The task mnist is left out: its files are
not in the tree.
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from harness.core.recurrent import KINDS
from harness.core.registry import build_algorithm, build_task
from harness.experiment.run import run

RECORD = Path(__file__).with_suffix(".json")
NUMBERS = ("epochs", "loss", "right", "loss_curve")
ASIDE = ("validation_rmse", "validation_right", "held_rmse", "held_right")  # where a task sets patterns aside
BACK = " back"  # how names of feedback weights end, which may come to lie in memory in another way
USUAL = {"replicas": 4, "epochs": 10, "seed": 1}  # of runs, unless a cell says otherwise

Values = dict[str, Any]


def cell(
    algorithm: str,
    task: str,
    of: Values | None = None,
    settings: Values | None = None,
    optimiser: Values | None = None,
    **how: Any,
) -> Values:
    """A cell in plain values: settings `of` the task, of the algorithm and optimiser, and how it is run."""
    named: Values = {"algorithm": algorithm, "settings": settings or {}}
    given: Values = {"optimiser": optimiser} if optimiser else {}
    return named | given | {"task": task, "task_settings": of or {}, "run": USUAL | how}


ONE_HIDDEN_LAYER = ("boltzmann", "mean_field", "restricted_boltzmann")
ALL_LAYERS = (
    *("backprop", "checkpointed_backprop", "direct_feedback_alignment", "direct_random_target_projection"),
    *("feedback_alignment", "forward_gradient", "kolen_pollack", "node_perturbation", "sign_symmetry"),
    *("weight_mirror", "weight_perturbation"),
)
OTHERS = (
    *("delta_rule", "evolution_strategies", "finite_differences", "forward_forward", "genetic", "perceptron"),
    *("random_feature_perceptron", "reinforce", "sequential_weight_perturbation", "shallow", "spsa"),
)
ALGORITHMS = (*ONE_HIDDEN_LAYER, *ALL_LAYERS, *OTHERS)
SMALL: dict[str, Values] = {"genetic": {"population": 20}, "random_feature_perceptron": {"a_units": 24}}
WAYS = (("full", "float64"), ("full", "float32"), (3, "float64"), (1, "float32"))
AT_REST = ("contrastive_hebbian", "equilibrium_propagation", "generec", "predictive_coding")
FORWARD = ("eggroll", "local_losses", "mono_forward", "noprop", "pepita", "signal_propagation")
SINCE = (*AT_REST, *FORWARD, "accumulated_backprop", "decision_tree", "target_propagation")
IN_TIME: Values = {"lag": 2, "length": 6, "sequences": 8, "hidden": 4}
DEEP = [{"width": 6, "residual": r, "norm": n} for r in (False, True) for n in (False, True)]
SLOW = {"name": "gradient_descent", "lr": 0.05}
OPTIMISERS = (
    {"name": "gradient_descent", "lr": 0.3, "momentum": 0.0},
    {"name": "gradient_descent", "lr": 0.1, "momentum": 0.5, "decay": 0.01},
    {"name": "gradient_descent", "lr": 0.5, "early_sweeps": 4, "early_lr": 0.1, "early_momentum": 0.2},
    {"name": "adam", "lr": 0.05},
    {"name": "sign_step"},
)
EARLY = {"replicas": 40, "epochs": 400}  # some replicas solve early and leave the batch, the others go on
CELLS = [
    *(cell(a, "xor", {"hidden": 3}, SMALL.get(a), batch=b, dtype=d) for a in ALGORITHMS for b, d in WAYS),
    *(cell(a, "encoder", {"size": 6, "hidden": 5}, SMALL.get(a)) for a in ALGORITHMS),
    *(cell(a, "parity", {"layers": 2}, SMALL.get(a), batch=6) for a in (*ALL_LAYERS, *OTHERS)),
    *(cell(a, "family_tree", epochs=3, batch=30) for a in ALL_LAYERS),
    *(cell(a, "deep_chain", of, optimiser=SLOW) for a in ALL_LAYERS for of in DEEP),
    *(cell("backprop", "encoder", optimiser=o, dtype=d) for o in OPTIMISERS for d in ("float64", "float32")),
    # the tasks, and what they can be asked for
    cell("backprop", "addition"),
    cell("backprop", "addition", {"shortcut": False, "lateral": True}, batch=5, shuffle=False),
    cell("backprop", "deep_chain", {"rule": "majority", "activation": "tanh", "residual": True}, batch=3),
    cell("backprop", "digits", {"hidden": 20, "layers": 2}, epochs=2),
    cell("backprop", "digits", {"hidden": 20, "activation": "relu", "init": "he"}, epochs=2, dtype="float32"),
    cell("backprop", "family_tree", epochs=30),
    cell("backprop", "family_tree", {"held": 10, "margin": 0.2, "target_off": 0.0}, batch=8, dtype="float32"),
    cell("backprop", "family_tree", {"activation": "tanh"}, batch=1, epochs=3),
    cell("backprop", "linear_map", {"size": 60}),
    cell("backprop", "linear_perceptron", {"size": 30}, dtype="float32"),
    cell("backprop", "negation", {"shortcut": False, "scale": 1.0}, batch=4),
    cell("backprop", "parity", {"bits": 5, "layers": 3, "hidden": 7}, batch=10, dtype="float32"),
    cell("backprop", "parity", {"bits": 10}, replicas=60, epochs=3),  # two chunks of replicas
    cell("backprop", "symmetry", {"bits": 5, "init": "glorot"}, epochs=30),
    cell("backprop", "traffic", epochs=2),
    cell("backprop", "traffic", {"horizon": 2, "window": 3, "margin": 0.1}, batch=100, dtype="float32"),
    cell("backprop", "xor", {"hidden": 1, "shortcut": True, "target_off": 0.1, "target_on": 0.9}, batch=2),
    cell("backprop", "xor", {"hidden": 3, "activation": "relu", "init": "he"}),
    cell("backprop", "xor", {"activation": "heaviside"}),
    cell("backprop", "xor", {"init": "zero"}),
    # criteria, and replicas that leave the batch
    cell("backprop", "xor", **EARLY),
    cell("backprop", "xor", {"criterion": "margin", "bound": 0.4}, dtype="float32", **EARLY),
    cell("backprop", "xor", {"criterion": "error", "bound": 0.1}, batch=1, **EARLY),
    cell("backprop", "xor", {"margin": 0.3, "hidden": 4}, batch=3, **EARLY),
    cell("backprop", "xor", {"share": 0.75}, probe=5, **EARLY),
    cell("backprop", "encoder", {"size": 4, "hidden": 2, "criterion": "largest"}, **EARLY),
    cell("backprop", "family_tree", {"share": 0.03}, replicas=12, epochs=40),
    cell("backprop", "linear_perceptron", {"criterion": "margin", "bound": 1.2}, replicas=12, epochs=30),
    cell("kolen_pollack", "xor", **EARLY),
    cell("weight_perturbation", "xor", {"hidden": 4}, batch=2, probe=5, probe_draws=3, **EARLY),
    # the options of the rules
    cell("boltzmann", "encoder", {"hidden": 5}, {"architecture": "encoder"}, epochs=3),
    cell("boltzmann", "encoder", {"size": 3, "hidden": 2}, {"architecture": "full", "rule": "gradient"}),
    cell("boltzmann", "xor", {"hidden": 1, "shortcut": True}, {"presentations": 3, "noise_on": 0.0}),
    cell("boltzmann", "encoder", {"size": 9, "hidden": 8}, {"times": [1, 2], "temperatures": [15.0, 10.0]}),
    cell("checkpointed_backprop", "addition", {"lateral": True}, {"segment": 2}),
    cell("checkpointed_backprop", "deep_chain", {"depth": 5, "norm": True, "residual": True}, {"segment": 3}),
    cell("delta_rule", "linear_perceptron", {"size": 20}, {"lr": 0.02}),
    cell("delta_rule", "xor", {}, {"lr": 3.0}),  # diverges
    cell("direct_feedback_alignment", "addition", {"lateral": True}, {"spread": 1.0}),
    cell("direct_random_target_projection", "addition", {"lateral": True}, {"spread": 0.1}),
    cell("evolution_strategies", "encoder", {"size": 4}, {"shaping": True, "pairs": 6, "sigma": 0.3}),
    cell("feedback_alignment", "linear_map", {"size": 40}, {"spread": 0.25}),
    cell("finite_differences", "singleton", {}, {"scheme": "forward"}),
    cell("finite_differences", "singleton", {}, {"scheme": "complex"}),
    cell("finite_differences", "parity", {"bits": 8}, {"step": 0.001}, epochs=3),  # weights in several blocks
    cell("forward_forward", "encoder", {"size": 4, "hidden": 6}, {"layers": 3, "threshold": 0.5}),
    cell("forward_forward", "encoder", {"size": 4, "hidden": 6}, {"layers": 2, "readout": "softmax"}),
    cell("forward_forward", "parity", {"layers": 2, "hidden": 5}, {"readout": "softmax"}),
    cell("forward_gradient", "addition", {"lateral": True}, {"direction": "sign", "draws": 3}, SLOW),
    cell("genetic", "addition", {}, {"crossover": "crossover_weights", "mutation": "biased_mutate_weights"}),
    cell("genetic", "negation", {}, {"elite": 0, "parent_scalar": 1, "mutation": "unbiased_mutate_weights"}),
    cell("kolen_pollack", "addition", {"lateral": True}, {"decay": 0.01, "spread": 1.0}),
    cell("mean_field", "addition", {}, {"lr": 0.1, "times": [2, 3], "temperatures": [3.0, 1.0]}),
    cell("node_perturbation", "linear_perceptron", {"size": 20}, {"antithetic": True, "draws": 3}),
    cell("node_perturbation", "traffic", {"criterion": "margin", "bound": 0.5}, {"sigma": 0.01}, epochs=2),
    cell("perceptron", "addition", {}, {"lr": 0.5}),
    cell("random_feature_perceptron", "parity", {}, {"a_units": 30, "connections": 2}),
    cell("reinforce", "parity", {"layers": 2}, {"gamma": 0.5, "draws": 2}, SLOW),
    cell("restricted_boltzmann", "encoder", {"size": 5}, {"k": 3, "one_hot": True}),
    cell("restricted_boltzmann", "encoder", {"size": 12, "hidden": 6}, {"lr": 0.1}),
    cell("sequential_weight_perturbation", "singleton", {}, {"sigma": 0.01}),
    cell("shallow", "digits", {"hidden": 12}, epochs=1),
    cell("sign_symmetry", "parity", {"layers": 3}, {"magnitude": "frozen", "scale": 0.5}),
    cell("sign_symmetry", "parity", {"layers": 3}, {"magnitude": "batchwise"}),
    cell("spsa", "encoder", {"size": 4}, {"a": 2.0, "A": 5.0, "c": 0.1, "draws": 2}),
    cell("weight_mirror", "parity", {"layers": 2}, {"mirror_decay": 0.1, "sigma": 0.5, "noise_patterns": 5}),
    cell("weight_perturbation", "linear_perceptron", {"size": 20}, {"antithetic": True, "draws": 2}),
    cell("weight_perturbation", "symmetry", {}, {"direction": "sign", "draws": 4, "sigma": 0.01}, SLOW),
    # rules that settle, that go forward only, and controls
    *(cell(a, "xor", {"hidden": 3}, batch=b) for a in SINCE for b in ("full", 3)),
    *(cell(a, "encoder", {"size": 4, "hidden": 3}, dtype="float32") for a in SINCE),
    cell("hopfield", "recall"),
    *(cell(a, "symmetry", epochs=3) for a in ("hand_made", "rule_base")),
    # networks in time
    *(cell("backprop", "delayed_xor", {**IN_TIME, "units": units}) for units in KINDS),
    *(cell(a, "delayed_xor", IN_TIME) for a in ("eprop", "feedback_alignment", "rtrl", "snap", "uoro")),
    cell("bptt", "delayed_xor", {**IN_TIME, "asked": 2}, {"window": 3, "every": 2}, batch=5),
    cell("rflo", "delayed_xor", {**IN_TIME, "units": "leaky"}, dtype="float32"),
    cell("backprop", "traffic_history", {"window": 4, "units": "attention"}, epochs=1),
    # the probe
    cell("backprop", "deep_chain", {"depth": 2, "residual": True, "norm": True}, probe=4),
    *(cell(a, "xor", probe=3, probe_draws=3) for a in (*ONE_HIDDEN_LAYER, "genetic", "reinforce", "spsa")),
    cell("feedback_alignment", "parity", {"layers": 2}, probe=4),
    cell("weight_perturbation", "addition", optimiser=SLOW, probe=3, probe_draws=3),
]


def name(cell: Values) -> str:
    """Algorithm and task, each with its settings, and how it is run where that is not usual."""
    how = dict(sorted(cell["run"].items() - USUAL.items()))
    parts = *(cell.get(p) for p in ("algorithm", "settings", "optimiser", "task", "task_settings")), how
    words = (p if isinstance(p, str) else ",".join(f"{k}={v}" for k, v in p.items()) for p in parts if p)
    return " ".join(words)


def digest(array: np.ndarray) -> str:
    """16 hex digits of an array's type, shape and bits, rows first."""
    return hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode() + array.tobytes()).hexdigest()[:16]


def bits(cell: Values) -> dict[str, str]:
    """What a cell comes to: digests of final weights and of results, replicas one after another, by name."""
    optimiser = {"optimiser": cell["optimiser"]} if "optimiser" in cell else {}
    algorithm = build_algorithm({"name": cell["algorithm"], **cell["settings"], **optimiser})
    task = build_task({"name": cell["task"], **cell["task_settings"]})
    trained = run(algorithm, task, **cell["run"]).trained
    arrays = {f"weights {n}": a for n, a in trained.weights.items() if not n.endswith(BACK)}
    arrays |= {"outcome": trained.outcome.astype("U8")} | {n: getattr(trained, n) for n in NUMBERS}
    arrays |= {n: a for n in ASIDE if not np.isnan(a := getattr(trained, n)).all()}
    arrays |= {f"credit {n}": a for n, a in trained.credit.items()}
    return {n: digest(a) for n, a in arrays.items()}


def depends_on() -> dict[str, str]:
    """What else than the code decides bits, as it is here."""
    loaded = [lib for lib in threadpool_info() if lib["user_api"] == "blas"]  # NumPy's; SciPy brings its own
    blas = min(loaded, key=lambda lib: "numpy.libs" not in lib["filepath"], default={})
    simd = np.show_config("dicts")["SIMD Extensions"]
    return {
        "numpy": np.__version__,
        "blas": " ".join(str(blas.get(part)) for part in ("internal_api", "version", "architecture")),
        "simd": " ".join([*simd["baseline"], *simd.get("found", ())]),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
    }


if __name__ == "__main__":
    cells = ",\n".join(json.dumps(cell | {"came": bits(cell)}) for cell in CELLS)
    text = f'{{"depends_on": {json.dumps(depends_on())},\n"cells": [\n{cells}\n]}}\n'
    RECORD.write_text(text, encoding="utf-8")
    print(f"{len(CELLS)} cells in {RECORD}")
