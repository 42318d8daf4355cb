"""Claims of Hinton 2022, The forward-forward algorithm, arXiv:2212.13345:
all of MNIST or CIFAR-10, beside which stand digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.replication.claim import FOUND, Claim, Setting, nothing
from harness.replication.figure import Elsewhere, Measured
from harness.replication.measures import mean

HINTON = "Hinton 2022, arXiv:2212.13345"
FEW = "run.replicas=2 run.epochs=1"
SHORT = "task.layers=2 task.share=1.0 run.batch=32 run.epochs=15 run.seed=1 run.replicas=4"
GOODNESS = Setting.of("experiment=hinton2022/digits run.epochs=15 run.replicas=4", FEW)
BACKPROP = Setting.of(
    "task=digits task.hidden=200 task.activation=relu algorithm=backprop algorithm/optimiser=adam "
    f"algorithm.optimiser.lr=0.003 {SHORT}",
    FEW,
)


def wrong(record: Any) -> Measured:
    """Mean per cent of the test of digits that is wrong."""
    return mean(
        100 * (1 - np.asarray(record.replicas["held_right"], float)),
        "% wrong on digits, 64-200-200, 15 sweeps",
    )


HOURS = (
    "four layers of 2,000 units on MNIST take hours: "
    "digits stand in, which speak neither for it nor against it"
)
CONVOLUTION = "no network here has local receptive fields"


def _mnist(name: str, claim: str, figure: str, needs: tuple[Setting, ...], reason: str = HOURS) -> Claim:
    return Claim(
        f"hinton2022/{name}",
        "5",
        claim,
        HINTON,
        FOUND,
        Elsewhere(figure, reason),
        wrong if needs else nothing,
        needs,
    )


CLAIMS = (
    _mnist("backprop", "backprop, blind to pixels' places", "about 1.4 % of MNIST wrong, 20 sweeps",
           (BACKPROP,)),
    _mnist("supervised", "forward-forward, label in the input", "1.36 % wrong, 60 sweeps", (GOODNESS,)),
    _mnist("supervised_fast", "the same at twice the rate", "1.46 % wrong, 40 sweeps", (GOODNESS,)),
    _mnist("jittered", "the same with shifts of up to two pixels", "0.64 % wrong, 500 sweeps", (),
           "no task here shifts images"),
    _mnist("unsupervised", "hybrid negatives, then a softmax", "1.37 % wrong, 100 sweeps", (),
           "no digits are mixed here"),
    _mnist("local", "hybrid negatives, local receptive fields", "1.16 % wrong, 60 sweeps", (), CONVOLUTION),
    _mnist("recurrent", "recurrent, from above and below", "1.31 % wrong, 60 sweeps", (),
           "forward-forward has no form here that settles"),
    _mnist("cifar", "CIFAR-10, two and three layers of local fields", "41 % wrong; backprop 37 and 39 %", (),
           CONVOLUTION),
)  # fmt: skip
