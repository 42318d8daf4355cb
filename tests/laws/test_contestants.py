"""The benchmark's loops by hand held to the harness: the same weights, and the same networks solved at the
same epochs, or the table would compare different work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algorithms.backprop import Backprop
from bench.contest import Contestant, Start
from harness.core.optimisers import GradientDescent
from harness.core.outcomes import SOLVED
from harness.experiment.run import run

REPLICAS = 10  # no multiple of a vector's lanes
CASES = {  # settings of the task, rate, momentum, epochs: some networks are solved, some are not
    "xor": ({}, 0.5, 0.9, 250),
    "encoder": ({}, 0.25, 0.9, 1450),
    "symmetry": ({"bits": 4}, 0.3, 0.9, 400),
    "family_tree": ({"share": 0.05}, 0.1, 0.5, 360),
}


def contestant(which: str, start: Start, folder: Path) -> Contestant:
    if which == "c":
        from bench import kernel

        if (why := kernel.missing(start)) is not None:
            pytest.skip(f"no kernel in C, {why}")
        return kernel.prepared(start, folder)
    pytest.importorskip("jax", reason="JAX is not installed: there is nothing to write by hand in")
    from bench import handwritten

    ways: dict[str, Any] = {"first": handwritten.replicas_first, "last": handwritten.replicas_last}
    return ways[which](start)  # type: ignore[no-any-return]


SLOW = ("family_tree", "symmetry")  # to compile, by hand and by us


@pytest.mark.parametrize(
    ("name", "which"),
    [
        pytest.param(name, which, marks=[pytest.mark.slow] * (name in SLOW))
        for name in CASES
        for which in ("c", "first", "last")
    ],
)
def test_a_loop_by_hand_solves_the_same_networks_at_the_same_epochs(
    name: str, which: str, tmp_path: Path
) -> None:
    settings, lr, momentum, epochs = CASES[name]
    start = Start.of(name, REPLICAS, lr, momentum, seed=1, **settings)
    weights, ended = contestant(which, start, tmp_path)(epochs)
    rule = Backprop(GradientDescent(lr=lr, momentum=momentum, decay=0.0))
    ours = run(rule, start.task, replicas=REPLICAS, epochs=epochs, seed=1, progress=False).trained
    solved = (ours.outcome == SOLVED) & (ours.epochs < epochs)  # by hand nobody looks after the last update
    assert 2 <= solved.sum() < REPLICAS, "nothing to tell apart"
    np.testing.assert_array_equal(ended, np.where(solved, ours.epochs, -1))
    for key, w in weights.items():
        np.testing.assert_allclose(w, ours.weights[getattr(key, "name", key)], rtol=1e-6, atol=1e-8)
