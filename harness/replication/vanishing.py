"""Claims on the vanishing gradient: the logistic unit's slope,
Glorot & Bengio 2010, and ratios computed before.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.core.units import UNITS
from harness.replication.claim import COMPUTED, FOUND, Claim, Observation, nothing
from harness.replication.figure import Digits, Elsewhere, Measured, Order
from harness.replication.measures import exactly
from harness.replication.ratios import credit_left

BEFORE, GLOROT = "ratios of credit computed before", "Glorot & Bengio 2010"
DEPTHS = (2, 4, 6, 10)
PRINTED = {"uniform": (0.22, 5.0e-3, 1.4e-4, 4.1e-8), "glorot": (0.23, 1.2e-2, 8.2e-4, 1.95e-6)}
WORDS = {"uniform": "U(±1/√n)", "glorot": "Glorot's weights"}


def steepest() -> Measured:
    """The largest slope of the logistic unit, and its fourth and tenth powers."""
    kind = UNITS["sigmoid"]
    slopes = kind.pull(kind.of(np.linspace(-10, 10, 20001)), 1.0)
    most = float(slopes.max())
    return exactly(
        most, f"{most:.4g}; to the 4th {most**4:.2g}, to the 10th {most**10:.2g}", most, round(most**4, 4)
    )


def ratio(seen: Any) -> Measured:
    """The ratio over networks: the median and the central 95 %."""
    v = np.asarray(seen["ratio"], float)
    low, middle, high = (float(x) for x in np.quantile(v, (0.025, 0.5, 0.975), method="inverted_cdf"))
    text = f"median {middle:.2g}, 95 % of networks from {low:.2g} to {high:.2g}, n = {len(v)}"
    return Measured(middle, low, high, len(v), text, None, v, v)


BITS = (
    "Ours are given bits; on normal inputs, as wide as a layer, "
    "the printed ratios do come out. Theirs are not stated."
)


def _row(init: str, depth: int, value: float) -> Claim:
    seen = Observation(credit_left, {"init": init, "depth": depth, "replicas": 100}, {"replicas": 10})
    claim = f"{depth} hidden layers, {WORDS[init]}: credit of the first ÷ the last"
    note = BITS if init == "uniform" else ""
    return Claim(f"vanishing/{init}_{depth}", "13", claim, BEFORE, COMPUTED,
                 Order(value, 1, 1, f"{value:.3g}, one network"), ratio, (seen,), note)  # fmt: skip


CLAIMS = (
    Claim("vanishing/steepest", "13", "the logistic unit is steepest at 0, with ¼; ¼⁴ is about .0039",
          "the logistic function", FOUND, Digits((0.25, 0.0039), 1e-4, "¼; ¼⁴ = .0039"), steepest),
    Claim("glorot2010/saturation", "13",
          "random weights drive the top hidden layer of logistic units into saturation", GLOROT, FOUND,
          Elsewhere("it saturates, and escapes late or never", "their images of shapes are no task here"),
          nothing),
    *(_row(init, depth,
           value) for init, row in PRINTED.items() for depth, value in zip(DEPTHS, row, strict=True)),
)  # fmt: skip
