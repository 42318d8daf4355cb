"""Claims on networks that settle: Scellier & Bengio 2017, Laborieux et al. 2021, Xie & Seung 2003,
O'Reilly 1996, Peterson & Anderson 1987; and one of a popular comparison of learning rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.replication.claim import FOUND, RECALLED, WRITE_UP, Claim, Observation, Setting, nothing
from harness.replication.figure import Elsewhere, Measured, Range, Side
from harness.replication.measures import bounds, mean, ratio, share, work_ratio
from harness.replication.resting import limits

SCELLIER, LABORIEUX = "Scellier & Bengio 2017", "Laborieux et al. 2021"
XIE, OREILLY, PETERSON = "Xie & Seung 2003", "O'Reilly 1996", "Peterson & Anderson 1987"
LIMITS = Observation(limits, {"replicas": 200}, {"replicas": 8})
FEW = "run.replicas=2 run.epochs=1"
DIGITS = Setting.of("experiment=scellier2017/digits", FEW)
PARITY = Setting.of(
    "task=parity task.bits=3 task.hidden=16 task.activation=tanh task.init=glorot "
    "algorithm=equilibrium_propagation algorithm.beta=0.2 algorithm.points=2 "
    "algorithm/optimiser=adam algorithm.optimiser.lr=0.003 run.batch=full run.epochs=2000 run.replicas=200"
)
GENEREC, MIDPOINT = (
    Setting.of(
        f"task=xor task.hidden=4 algorithm=generec {how} algorithm.optimiser.lr=0.1 "
        "algorithm.optimiser.momentum=0 run.epochs=5000 run.replicas=200",
        "run.replicas=8 run.epochs=300",
    )
    for how in ("", "algorithm.midpoint=true algorithm.symmetric=true")
)
SAMPLING, MEANS = (
    Setting.of(
        f"task=xor task.hidden=4 algorithm={rule} run.epochs=2000 run.replicas=100",
        "run.replicas=8 run.epochs=100",
    )
    for rule in ("boltzmann algorithm.noise_off=0 algorithm.noise_on=0", "mean_field")
)


def wrong(record: Any) -> Measured:
    """Mean per cent of the test of digits that is wrong."""
    return mean(100 * (1 - np.asarray(record.replicas["held_right"], float)), "% wrong on digits, 64-64-10")


def power(seen: Any, which: str) -> Measured:
    """The power by which it goes: the mean over networks."""
    return mean(seen[which], "is the power", 0.99)


def farthest(seen: Any) -> Measured:
    """Distances at the weakest feedback: their median; the ends of the interval are those of all networks."""
    v = np.asarray(seen["weak_feedback"], float)
    text = f"{v.min():.2g} to {v.max():.2g} of backprop's credit away at γ = .001, n = {len(v)}"
    return Measured(float(np.median(v)), float(v.min()), float(v.max()), len(v), text)


def solved(record: Any) -> Measured:
    """The share solved, with its 99 % interval."""
    return share(np.isfinite(bounds(record)[1]), "solved", 0.99)


HOURS = "layers of 500 units that settle on MNIST take hours: digits speak neither for it nor against it"
CLAIMS = (
    Claim("scellier2017/mnist", "8", "784-500-10 of hard units learns MNIST", SCELLIER, FOUND,
          Elsewhere("0.00 % of the training set and 2–3 % of the test set wrong", HOURS), wrong, (DIGITS,)),
    Claim("scellier2017/deep", "8", "and so do two and three hidden layers, settling for longer", SCELLIER,
          FOUND,
          Elsewhere("0.00 % and 2–3 % wrong; 100 and 500 free steps, 6 and 8 nudged",
                    "each layer has a rate of its own there, α from .4 to .002, and none has one here"),
          nothing),
    Claim("laborieux2021/one_sided", "8", "the bias of the one-sided estimate goes as β", LABORIEUX, RECALLED,
          Range(0.9, 1.1, "O(β): a power from .9 to 1.1"), lambda seen: power(seen, "one_sided"), (LIMITS,)),
    Claim("laborieux2021/centred", "8", "and that of the symmetric one as β²", LABORIEUX, RECALLED,
          Range(1.9, 2.1, "O(β²): a power from 1.9 to 2.1"), lambda seen: power(seen, "centred"), (LIMITS,)),
    Claim("laborieux2021/cifar", "8", "symmetric nudging learns CIFAR-10, one-sided fails", LABORIEUX, FOUND,
          Elsewhere("11.7 % wrong, one-sided 86 %", "no task of this project is CIFAR"), nothing),
    Claim("xie2003/limit", "11", "contrastive Hebbian learning with weak feedback is backprop", XIE, FOUND,
          Side(0.01, False, "the same as γ → 0: below 1 % away at γ = .001"), farthest, (LIMITS,)),
    Claim("xie2003/power", "11", "what is left of the difference goes with the feedback", XIE, FOUND,
          Range(0.9, 1.1, "O(γ): a power from .9 to 1.1"), lambda seen: power(seen, "gamma"), (LIMITS,)),
    Claim("oreilly1996/order", "11", "GeneRec is faster with midpoint and symmetry, as contrastive Hebbian",
          OREILLY, RECALLED, Side(1.0, True, "plain GeneRec takes longer"),
          lambda plain, both: ratio(plain, both, "times the epochs of midpoint and symmetric, XOR 2-4-1"),
          (GENEREC, MIDPOINT)),
    Claim("peterson1987/cheaper", "11", "mean-field learning is faster than sampling", PETERSON, FOUND,
          Side(1.0, True, "10 to 30 times; held to the order alone, since schedules and rates are ours"),
          lambda dear, cheap: work_ratio(dear, cheap, "times the FLOPs on XOR 2-4-1"), (SAMPLING, MEANS)),
    Claim("write_ups/equilibrium_propagation", "8",
          "equilibrium propagation fails to learn parity of 3 bits, and its failure is structural",
          "a popular comparison of learning rules", WRITE_UP,
          Side(0.5, False, "a failure: less than half of networks"), solved, (PARITY,),
          "Its network settles over its weights both ways, centred, until it is at rest."),
)  # fmt: skip
