"""Claims on predictive coding: Whittington & Bogacz 2017, Song et al. 2020, Rosenbaum 2022, Pinchetti et al.
2025; and one of a popular comparison of learning rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.replication.approaching import distances
from harness.replication.claim import FOUND, RECALLED, WRITE_UP, Claim, Observation, Setting, nothing
from harness.replication.figure import Elsewhere, Measured, Side
from harness.replication.measures import bounds, exactly, share

WHITTINGTON, SONG, ROSENBAUM = "Whittington & Bogacz 2017", "Song et al. 2020", "Rosenbaum 2022"
AT_START = Observation(distances, {"replicas": 200}, {"replicas": 8})
PARITY = Setting.of(
    "task=parity task.bits=3 task.hidden=16 task.activation=tanh algorithm=predictive_coding "
    "algorithm.steps=20 algorithm/optimiser=adam algorithm.optimiser.lr=0.003 "
    "run.batch=full run.epochs=2000 run.replicas=200"
)


def farthest(seen: Any, rule: str) -> Measured:
    """The distances of a rule's credit to backprop's: their median, and the ends of the interval are those of
    the networks themselves.
    """
    v = np.asarray(seen[rule], float)
    text = f"{v.min():.2g} to {v.max():.2g} of backprop's credit away, n = {len(v)}"
    return Measured(float(np.median(v)), float(v.min()), float(v.max()), len(v), text)


def work(seen: Any) -> Measured:
    """The work of an update in backprop's."""
    ratio = float(seen["work"][0])
    return exactly(ratio, f"{ratio:.2f} times backprop's FLOPs on a chain of four layers", ratio)


def solved(record: Any) -> Measured:
    """The share solved, with its 99 % interval."""
    return share(np.isfinite(bounds(record)[1]), "solved", 0.99)


NONE = Side(1e-12, False, "none")
CLAIMS = (
    Claim("whittington2017/mnist", "9", "784-600-600-10 has 1.7 to 1.8 % of MNIST wrong, as backprop",
          WHITTINGTON, FOUND,
          Elsewhere("0.00 % of the training and 1.7–1.8 % of the validation set wrong",
                    "20 steps of inference in layers of 600 units on MNIST take hours"), nothing),
    Claim("whittington2017/weak", "9", "its distance to backprop vanishes as the output's variance 1/λ grows",
          WHITTINGTON, FOUND, Side(0.01, False, "none in the limit: below 1 % at λ = .001"),
          lambda seen: farthest(seen, "weak"), (AT_START,)),
    Claim("song2020/exact", "9", "the distance of Z-IL to backprop", SONG, FOUND, NONE,
          lambda seen: farthest(seen, "z_il"), (AT_START,)),
    Claim("song2020/cost", "9", "an update of Z-IL takes as long as backprop's", SONG, FOUND,
          Elsewhere("3.81 ms, backprop 3.72",
                    "milliseconds are of a machine and a program, and here work is counted"),
          work, (AT_START,)),
    Claim("rosenbaum2022/fixed", "9", "the distance of fixed predictions to backprop, γ = 1, steps ≥ depth",
          ROSENBAUM, RECALLED, NONE, lambda seen: farthest(seen, "fixed_prediction"), (AT_START,)),
    Claim("rosenbaum2022/free", "9", "without them it is only an approximation", ROSENBAUM, RECALLED,
          Side(0.001, True, "more than .001 away"), lambda seen: farthest(seen, "settled"), (AT_START,)),
    Claim("pinchetti2025/deeper", "9", "it is as good as backprop up to VGG-7, and falls behind beyond",
          "Pinchetti et al. 2025", FOUND,
          Elsewhere("behind backprop in deeper networks", "no task of this project is CIFAR"), nothing),
    Claim("write_ups/predictive_coding", "9",
          "predictive coding fails to learn parity of 3 bits, and its failure is structural",
          "a popular comparison of learning rules", WRITE_UP,
          Side(0.5, False, "a failure: less than half of networks"), solved, (PARITY,),
          "A network that predicts its input from the hidden layer is another model: this one has the input "
          "below and the output above."),
)  # fmt: skip
