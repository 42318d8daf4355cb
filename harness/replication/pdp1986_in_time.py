"""Claims of Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 354-361: recurrent networks."""

from __future__ import annotations

from typing import Any

from harness.replication.claim import WRITE_UP, Claim, Setting
from harness.replication.figure import Measured, Order, Side, one_run
from harness.replication.measures import bounds, share, times
from harness.replication.nature1986 import right_share
from harness.replication.pdp1986 import PDP

SWEEPS = 200
REGISTER = {
    size: Setting.of(f"experiment=pdp1986/shift_register task.size={size}", "run.replicas=12")
    for size in (3, 5)
}
COMPLETION = Setting.of("experiment=pdp1986/sequence_completion", "run.replicas=12")


def soon(record: Any) -> Measured:
    """The share of networks that have learnt it in fewer than 200 sweeps."""
    return share(bounds(record)[1] < SWEEPS, f"in fewer than {SWEEPS} sweeps", 0.99)


def held(record: Any) -> Measured:
    """Held-out sequences right at all four digits."""
    return right_share(record, "held_right", "held-out sequences right")


CLAIMS = (
    *(Claim(f"pdp1986/shift_register_{size}", "1.3",
            f"a shift register of {size} units takes fewer than 200 sweeps in most runs", PDP, WRITE_UP,
            Side(0.5, True, "more than half of runs in fewer than 200 sweeps"), soon, (setting,))
      for size, setting in REGISTER.items()),
    Claim("pdp1986/sequence_completion", "1.3", "20 of 25 sequences by 30 hidden units in 260 sweeps", PDP,
          WRITE_UP, one_run(260, "sweeps"), times, (COMPLETION,)),
    Claim("pdp1986/sequence_completion_held_out", "1.3",
          "the five held-out sequences are right but for one digit, a tie", PDP, WRITE_UP,
          Order(0.8, 1, 1, "4 of 5 right and one tied at a digit, one run"), held, (COMPLETION,)),
)  # fmt: skip
