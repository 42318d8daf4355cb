"""Claims of Spyra & Dzwinel 2025, Energy-efficient deep learning without backpropagation, arXiv:2511.01061:
Mono-Forward (Gong, Li & Abdulla 2025, arXiv:2501.09238) beside tuned backprop, with multilayer perceptrons.

Time is work here: FLOPs counted from the code. Both rules are tuned on the same budget: of the same ten rates
and momenta, the first round of `python -m harness.tune`, the one whose ten networks (of other seeds) took the
fewest epochs for a success on two hidden layers. It is the same for both. With one hidden layer the two rules
are the same. That layers of Mono-Forward need not wait for each other is not in the count.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.replication.claim import FOUND, Claim, Observation, Setting, nothing
from harness.replication.counted import costs
from harness.replication.figure import Elsewhere, Measured, Side
from harness.replication.measures import exactly, mean, work_ratio

SPYRA = "Spyra & Dzwinel 2025, arXiv:2511.01061"
ALIKE = "task=digits task.layers=2 task.loss=cross_entropy task.activation=relu run.seed=1"
BEST = "algorithm.optimiser.lr=0.0138 algorithm.optimiser.momentum=0.538"
RULES = ("mono_forward", "backprop")
FEW = "run.replicas=2 run.epochs=2"
SOLVED = tuple(
    Setting.of(f"{ALIKE} algorithm={rule} {BEST} run.replicas=100 run.epochs=60", "run.replicas=4")
    for rule in RULES
)
LAST = tuple(
    Setting.of(f"{ALIKE} algorithm={rule} {BEST} task.share=1.0 run.replicas=20 run.epochs=15", FEW)
    for rule in RULES
)
AN_UPDATE = Observation(costs, {"rules": RULES, "sizes": (2, 4, 8), "n": 16})
NOTE = "On 8 × 8 digits with two hidden layers of 64 units, by gradient descent; theirs are larger images."


def work_of_an_update(seen: Any) -> Measured:
    """FLOPs of an update of Mono-Forward ÷ of backprop, with two hidden layers; with more, in words."""
    ratios = seen["work"][0] / seen["work"][1]
    each = ", ".join(f"{r:.3f} with {n}" for r, n in zip(ratios, seen["layers"], strict=True))
    return exactly(float(ratios[0]), f"FLOPs of an update ÷ backprop's: {each} hidden layers of 64")


def to_a_success(mono: Any, backprop: Any) -> Measured:
    """Expected FLOPs to 95 % of the validation images right, Mono-Forward ÷ backprop."""
    return work_ratio(mono, backprop, "times backprop's FLOPs to a success on digits")


def more_right(mono: Any, backprop: Any) -> Measured:
    """Test images right by Mono-Forward, less those by backprop, replica by replica."""
    right = [np.asarray(record.replicas["held_right"], float) for record in (mono, backprop)]
    return mean(right[0] - right[1], "more of the test images right by Mono-Forward", 0.99)


CLAIMS = (
    Claim("spyra2025/energy", "5", "Mono-Forward takes up to 41 % less energy than tuned backprop", SPYRA,
          FOUND, Elsewhere("up to 41 % less energy", "no power meter: nothing here measures joules"),
          nothing),
    Claim("spyra2025/time_of_an_update", "5",
          "Mono-Forward is faster than backprop, by up to 34 %: the work of an update", SPYRA, FOUND,
          Side(1.0, False, "up to 34 % less time"), work_of_an_update, (AN_UPDATE,)),
    Claim("spyra2025/time", "5",
          "Mono-Forward is faster than tuned backprop, by up to 34 %: the work to a success", SPYRA, FOUND,
          Side(1.0, False, "up to 34 % less time"), to_a_success, SOLVED, NOTE),
    Claim("spyra2025/accuracy", "5", "Mono-Forward has more test images right than tuned backprop", SPYRA,
          FOUND, Side(0.0, True, "consistently more right"), more_right, LAST, NOTE),
)  # fmt: skip
