"""Claims of Ackley, Hinton & Sejnowski 1985,
Cognitive Science 9:147-169: Boltzmann machines learn encoders.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from harness.replication.claim import FOUND, Claim, Observation, Setting, nothing
from harness.replication.codes import cycles_to_codes
from harness.replication.figure import Elsewhere, Measured, Order, Rate, middle_of, quantile_of
from harness.replication.measures import of_times, rate, share

ACKLEY, OTHERS = (
    "Ackley, Hinton & Sejnowski 1985",
    "an independent reproduction of Ackley, Hinton & Sejnowski 1985",
)
FEW = {"replicas": 12, "cycles": 200}
SMALL = Observation(
    cycles_to_codes, {"size": 4, "hidden": 2, "noise_on": 0.05, "replicas": 250, "cycles": 2000}, FEW
)
SPARE = Observation(
    cycles_to_codes, {"size": 4, "hidden": 3, "noise_on": 0.05, "replicas": 200, "cycles": 2000}, FEW
)
LARGE = Observation(
    cycles_to_codes,
    {"size": 8, "hidden": 3, "noise_on": 0.02, "replicas": 60, "cycles": 4000},
    {"replicas": 8, "cycles": 200},
)
RESTRICTED = Setting.of(
    "task=encoder task.criterion=largest algorithm=restricted_boltzmann run.replicas=40 run.epochs=2000",
    "run.replicas=4 run.epochs=100",
)
LATE = (
    "After some hundred cycles the sampled chains no longer mix, "
    "and what does not mix is not unlearnt (docs/findings.md)."
)


def cycles(seen: Any, what: str) -> Measured:
    """Cycles until the codes `what` were found."""
    most = np.asarray(seen[what], float)
    return of_times(np.where(np.isfinite(most), most, float(seen["cycles"])), most, "cycles")


def found(seen: Any, what: str, within: int) -> Measured:
    """Networks that have found them; who was not watched for `within` cycles may have by then."""
    measured = share(np.isfinite(seen[what]), f"in {int(seen['cycles']):,} cycles")
    return replace(measured, most=np.ones(measured.n) if int(seen["cycles"]) < within else measured.most)


def in_time(record: Any) -> Measured:
    """The share solved in 2,000 cycles."""
    return rate(record, 2000)


def _claims(
    name: str, of: str, runs: int, solved: int, what: str, seen: Observation, **orders: Order
) -> list[Claim]:
    """The rate, and each printed order statistic of the cycles."""
    within = int(seen.arguments["cycles"])
    rows = [Claim(f"ackley1985/{name}_rate", "2", f"{of}: how many runs", ACKLEY, FOUND, Rate(solved, runs),
                  lambda columns: found(columns, what, within), (seen,), LATE)]  # fmt: skip
    rows += [Claim(f"ackley1985/{name}_{which}", "2", f"{of}: {which}", ACKLEY, FOUND, order,
                   lambda columns: cycles(columns, what), (seen,), LATE)
             for which, order in orders.items()]  # fmt: skip
    return rows


CLAIMS = (
    *_claims("4_2_4", "4-2-4 finds four codes", 250, 250, "different_4", SMALL,
             median=middle_of(110, 250, 250, "cycles"),
             longest=quantile_of(1.0, 1810, 250, "cycles", "at most")),
    *_claims("4_3_4", "4-3-4 finds codes two bits apart", 200, 200, "apart", SPARE,
             median=middle_of(270, 200, 200, "cycles"),
             longest=quantile_of(1.0, 1090, 200, "cycles", "at most")),
    *_claims("8_3_8_seven", "8-3-8 finds seven codes", 20, 20, "different_7", LARGE,
             median=middle_of(210, 20, 20, "cycles")),
    *_claims("8_3_8", "8-3-8 finds all eight codes in 4,000 cycles", 20, 16, "different_8", LARGE,
             median=middle_of(1570, 16, 20, "cycles")),
    Claim("ackley1985/40_10_40", "2", "40-10-40 completes 98.6 % of its patterns", ACKLEY, FOUND,
          Elsewhere("98.6 %, one run", "hidden units connected from cycle 300 on "
                    "and noise that ends at 800 are no setting here"), nothing),
    Claim("others/8_3_8_contrastive", "2", "8-3-8 by contrastive divergence", OTHERS, FOUND, Rate(16, 20),
          in_time, (RESTRICTED,), "Their machine and criterion are not stated."),
)  # fmt: skip
