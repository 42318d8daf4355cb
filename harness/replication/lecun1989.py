"""Claim of LeCun et al. 1989, Backpropagation applied
to handwritten zip code recognition, Neural Computation 1:541-551.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.replication.claim import WRITE_UP, Claim, Setting
from harness.replication.figure import Measured, Side
from harness.replication.measures import mean

SOURCE = "Neural Computation 1:541-551"
ALIKE = (
    "task=digits task.loss=cross_entropy task.activation=tanh task.share=1 algorithm=backprop "
    "algorithm/optimiser=adam run.batch=32 run.epochs=30 run.dtype=float32 run.seed=2 run.replicas=20"
)
SMALL = "run.replicas=2 run.epochs=2"
SHARED = Setting.of(f"{ALIKE} task.layout=shared task.hidden=30 algorithm.optimiser.lr=0.01", SMALL)
FULL = Setting.of(f"{ALIKE} task.layout=full algorithm.optimiser.lr=0.03", SMALL)


def more_wrong(full: Any, shared: Any) -> Measured:
    """Test images wrong by full connections, less those by shared kernels, replica by replica."""
    wrong = [1 - np.asarray(record.replicas["held_right"], float) for record in (full, shared)]
    return mean(wrong[0] - wrong[1], "more of the test images wrong by full connections", 0.99)


CLAIMS = (
    Claim("lecun1989/weight_sharing", "1.5",
          "a net of shared kernels has fewer test errors than a full one of as many weights", SOURCE,
          WRITE_UP, Side(0.0, True, "5.0 % against 8.1 % of the test images wrong"), more_wrong,
          (FULL, SHARED),
          "On 8 × 8 digits, scaled down: 4,844 and 4,810 weights, "
          "rates chosen on validation images of another seed."),
)  # fmt: skip
