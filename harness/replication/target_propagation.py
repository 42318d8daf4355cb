"""Claims on target propagation: Lee et al. 2015, Bartunov et al. 2018, of MNIST and larger sets, beside which
digits stand; Meulemans et al. 2020; and one of a popular comparison of learning rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.replication.aiming import aims
from harness.replication.claim import FOUND, RECALLED, WRITE_UP, Claim, Observation, Setting, nothing
from harness.replication.figure import Elsewhere, Measured, Side
from harness.replication.measures import bounds, mean, share

LEE, BARTUNOV = "Lee et al. 2015, arXiv:1412.7525", "Bartunov et al. 2018, arXiv:1807.04587"
MEULEMANS = "Meulemans et al. 2020, arXiv:2006.14331"
FEW = "run.replicas=2 run.epochs=1"
DEEP, DTP, SDTP = (
    Setting.of(f"experiment={name}", FEW)
    for name in ("lee2015/digits", "bartunov2018/digits_dtp", "bartunov2018/digits_sdtp")
)
ALIKE = (
    "task=digits task.hidden=64 task.layers=2 task.activation=tanh task.loss=cross_entropy task.share=1 "
    "algorithm/optimiser=adam algorithm.optimiser.lr=0.003 "
    "run.batch=32 run.epochs=30 run.dtype=float32 run.seed=2 run.replicas=16"
)
BACKPROP, ALIGNED, DIRECT = (
    Setting.of(f"{ALIKE} algorithm={rule}", FEW)
    for rule in ("backprop", "feedback_alignment", "direct_feedback_alignment")
)
PLAIN, DIFFERENCE, STRAIGHT = (
    Observation(aims, {"variant": variant, "replicas": 50, "steps": 2000}, {"replicas": 8, "steps": 100})
    for variant in ("dtp", "drl", "ddtp_linear")
)
PARITY = Setting.of(
    "task=parity task.bits=3 task.hidden=16 task.activation=tanh algorithm=target_propagation "
    "algorithm/optimiser=adam algorithm.optimiser.lr=0.003 run.batch=full run.epochs=2000 run.replicas=200"
)


def wrong(record: Any) -> Measured:
    """Mean per cent of the test of digits that is wrong."""
    return mean(100 * missed(record), "% wrong on digits, 30 sweeps")


def more_wrong(record: Any, backprop: Any) -> Measured:
    """How much more of the test is wrong than by backprop, replica by replica."""
    return mean(
        100 * (missed(record) - missed(backprop)), "% more of digits wrong than by backprop, 30 sweeps"
    )


def missed(record: Any) -> Any:
    """The share of the test that is wrong (R,)."""
    return 1 - np.asarray(record.replicas["held_right"], float)


def nearer(plain: Any, other: Any) -> Measured:
    """By how many degrees targets are nearer to those of Gauss–Newton than by plain reconstruction."""
    gap = np.asarray(plain["angle"], float) - np.asarray(other["angle"], float)
    text = f" nearer: {np.mean(other['angle']):.0f}° in the place of {np.mean(plain['angle']):.0f}°"
    return mean(gap, f"degrees{text}", 0.99)


def solved(record: Any) -> Measured:
    """The share solved, with its 99 % interval."""
    return share(np.isfinite(bounds(record)[1]), "solved", 0.99)


HOURS = "networks on MNIST take hours: digits stand in, which speak neither for it nor against it"
TURNS = "here feedback learns first, and forward weights over what it found"


def _mnist(name: str, claim: str, figure: str, needs: tuple[Setting, ...], reason: str = HOURS) -> Claim:
    measure = {0: nothing, 1: wrong, 2: more_wrong}[len(needs)]
    return Claim(
        f"bartunov2018/{name}", "7", claim, BARTUNOV, FOUND, Elsewhere(figure, reason), measure, needs
    )


CLAIMS = (
    Claim("lee2015/mnist", "7", "through seven hidden layers it is nearly as good as backprop", LEE, RECALLED,
          Elsewhere("1.94 % of MNIST wrong, backprop 1.86 %", HOURS), wrong, (DEEP,)),
    _mnist("backprop", "backprop, fully connected", "1.48 % of MNIST wrong", (BACKPROP,)),
    _mnist("dtp", "difference target propagation, taking turns", "1.83 % wrong, .35 % more than backprop",
           (DTP, BACKPROP)),
    _mnist("sdtp", "the same without the gradient at the top", "2.28 % wrong, .80 % more than backprop",
           (SDTP, BACKPROP)),
    _mnist("feedback_alignment", "feedback alignment", "1.85 % wrong, .37 % more than backprop",
           (ALIGNED, BACKPROP)),
    _mnist("direct_feedback_alignment", "direct feedback alignment",
           "2.75 % wrong, 1.27 % more than backprop", (DIRECT, BACKPROP)),
    _mnist("parallel", "all weights at the same time", "2.86 % wrong; simplified 3.52 %", (), TURNS),
    _mnist("auxiliary", "simplified, with an auxiliary output", "1.86 % wrong", (),
           "no output here has units that no target is for"),
    _mnist("local", "locally connected layers", "1.46 % wrong, simplified 1.90 %, backprop 1.17 %", ()),
    _mnist("cifar", "it falls behind on CIFAR-10", "39.47 % wrong, backprop 32.41 %, locally connected", (),
           "no task of this project is CIFAR"),
    _mnist("imagenet", "it does not scale to ImageNet", "98.34 % wrong, backprop 71.43 %", (),
           "no task of this project is ImageNet"),
    Claim("meulemans2020/difference", "7",
          "where layers cannot be undone, learning from differences aims nearer to Gauss–Newton than DTP",
          MEULEMANS, FOUND, Side(0.0, True, "a smaller angle to the Gauss–Newton target"), nearer,
          (PLAIN, DIFFERENCE)),
    Claim("meulemans2020/direct", "7", "and so do targets straight from the output", MEULEMANS, FOUND,
          Side(0.0, True, "a smaller angle to the Gauss–Newton target"), nearer, (PLAIN, STRAIGHT)),
    Claim("write_ups/target_propagation", "7",
          "target propagation fails to learn parity of 3 bits, and its failure is structural",
          "a popular comparison of learning rules", WRITE_UP,
          Side(0.5, False, "a failure: less than half of networks"), solved, (PARITY,),
          "Targets by differences: plain ones (variant tp) do fail here, since one output does not tell "
          "what 16 hidden units were."),
)  # fmt: skip
