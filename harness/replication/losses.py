"""Claims of an independent program: XOR by squared error and by cross-entropy,
all else the same (run before, not printed).
"""

from __future__ import annotations

from harness.replication.claim import COMPUTED, Claim, Setting
from harness.replication.figure import Rate, Side, quantile_of
from harness.replication.measures import failures, gap, rate, ratio, times

OTHER = "an independent program, XOR, sigmoid units, ±1, η = .5, α = .9"
SQUARED, CROSS = (
    Setting.of(
        f"task=xor task.loss={loss} task.scale=1 algorithm=backprop run.replicas=2000",
        "run.replicas=40 run.epochs=600",
    )
    for loss in ("squared_error", "cross_entropy")
)
NOTE = (
    "How many networks it was is not said: figures to a tenth of a per cent are taken for those of 1,000. "
    "A median is read as that of all networks, failures at ∞; of those solved alone it would be another."
)
CLAIMS = (
    Claim("losses/squared_rate", "1.5", "XOR by squared error is solved by 83.0 %", OTHER, COMPUTED,
          Rate(830, 1000), rate, (SQUARED,), NOTE),
    Claim("losses/squared_epochs", "1.5", "XOR by squared error takes a median of 161 epochs", OTHER,
          COMPUTED, quantile_of(0.5, 161, 1000, "epochs", "median"), times, (SQUARED,), NOTE),
    Claim("losses/cross_rate", "1.5", "XOR by cross-entropy is solved by 73.4 %", OTHER, COMPUTED,
          Rate(734, 1000), rate, (CROSS,), NOTE),
    Claim("losses/cross_epochs", "1.5", "XOR by cross-entropy takes a median of 74 epochs", OTHER, COMPUTED,
          quantile_of(0.5, 74, 1000, "epochs", "median"), times, (CROSS,), NOTE),
    Claim("losses/sooner", "1.5", "cross-entropy is sooner than squared error: the ratio of medians", OTHER,
          COMPUTED, Side(1.0, False, "sooner"), lambda a, b: ratio(a, b, "times as many epochs"),
          (CROSS, SQUARED)),
    Claim("losses/stuck", "1.5", "cross-entropy is more often stuck than squared error", OTHER, COMPUTED,
          Side(0.0, True, "more failures"), lambda a, b: gap(failures(a), failures(b), "not solved"),
          (CROSS, SQUARED)),
)  # fmt: skip
