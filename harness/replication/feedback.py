"""Claims on feedback alignment and its relatives:
Lillicrap et al. 2016, Nøkland 2016, Akrout et al. 2019, Xiao et al. 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.replication.claim import COMPUTED, FOUND, RECALLED, Claim, Observation, nothing
from harness.replication.figure import Elsewhere, Measured, Order, Range, Side, once
from harness.replication.measures import mean, share
from harness.replication.turning import angles

LILLICRAP, OWN = "Lillicrap et al. 2016", "the linear task of Lillicrap et al. 2016, run before"
TURNING = Observation(angles, {"replicas": 200}, {"replicas": 8})


def angle(seen: Any, sweep: int) -> Measured:
    """The mean angle after a sweep of 1,000 samples."""
    return mean(seen["angle"][sweep], "degrees", 0.99)


def largest(seen: Any) -> Measured:
    """The angles of all networks at the end:
    the ends of the interval are those of the networks themselves.
    """
    v = np.asarray(seen["angle"][-1], float)
    text = f"{v.min():.0f}° to {v.max():.0f}° after 2,000 samples, n = {len(v)}"
    return Measured(float(np.median(v)), float(v.min()), float(v.max()), len(v), text)


def unexplained(seen: Any, sweep: int) -> Measured:
    """The mean share of the squared targets that is not met."""
    return mean(seen["unexplained"][sweep], "of the squared targets", 0.99)


AT_START = (
    "B and −B are as likely: the mean cosine at the start "
    "is 0 whatever the network, and the angle is about 90°."
)
ELSEWHERE = "no task of this project is ImageNet"
CLAIMS = (
    Claim("lillicrap2016/below_90", "4", "it learns while the angle to backprop's credit is below 90°",
          LILLICRAP, FOUND, Side(90.0, False, "below 90°"), largest, (TURNING,)),
    Claim("lillicrap2016/well_under_45", "4", "the angle falls to well under 45° on the linear task",
          LILLICRAP, RECALLED, Side(45.0, False, "below 45°"), lambda seen: angle(seen, -1), (TURNING,)),
    Claim("linear/angle_at_start", "4", "the angle at the start", OWN, COMPUTED,
          Range(94, 97, "94 to 97 degrees"), lambda seen: angle(seen, 0), (TURNING,), AT_START),
    Claim("linear/angle_at_1000", "4", "the angle after 1,000 samples", OWN, COMPUTED,
          Range(28, 37, "28 to 37 degrees"), lambda seen: angle(seen, 1), (TURNING,)),
    Claim("linear/error_at_1000", "4", "the normalised squared error after 1,000 samples", OWN, COMPUTED,
          Order(0.03, 1, 1, ".03, one run"),
          lambda seen: unexplained(seen, 1), (TURNING,)),
    Claim("linear/error_at_2000", "4", "and after 2,000 is below .001", OWN, COMPUTED, once("below .001"),
          lambda seen: share(seen["unexplained"][2] < 0.001, "networks below .001"), (TURNING,)),
    Claim("nokland2016/dropout", "4", "direct feedback alignment has 1.45 % of MNIST wrong, with dropout",
          "Nøkland 2016", FOUND,
          Elsewhere("1.45 % of MNIST", "no algorithm here has dropout, and its network takes hours"),
          nothing),
    Claim("akrout2019/imagenet", "4", "weight mirror and Kolen-Pollack nearly match backprop",
          "Akrout et al. 2019", FOUND, Elsewhere("near backprop on ImageNet", ELSEWHERE), nothing),
    Claim("xiao2018/imagenet", "4", "sign-symmetry is near backprop", "Xiao et al. 2018", FOUND,
          Elsewhere("near backprop on ImageNet", ELSEWHERE), nothing),
)  # fmt: skip
