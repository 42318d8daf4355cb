"""Claim of Sarkar et al. 2025, Evolution strategies at the hyperscale, arXiv:2511.16652:
throughput of training beside that of inference.

Throughput is counted work here: FLOPs of a prediction of a pattern ÷ those of an update for every member and
pattern. All members see the same patterns, so that EGGROLL shares the first layer's product among them, which
inference by as many networks would not. Random numbers are no FLOPs, and are told beside it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from harness.replication.claim import RECALLED, Claim, Observation
from harness.replication.counted import throughput
from harness.replication.figure import Elsewhere, Measured, Side
from harness.replication.measures import exactly

SARKAR = "Sarkar et al. 2025, arXiv:2511.16652"
SEEN = Observation(throughput, {"sizes": (1, 4, 8), "n": 16})


def shares(seen: Any, rule: str) -> Measured:
    """Training ÷ inference throughput of a rule, with the most hidden layers; with fewer in words."""
    each = ", ".join(f"{x:.2f} with {n}" for x, n in zip(seen[rule], seen["layers"], strict=True))
    drawn = f"{seen[f'{rule}_draws'][-1]:,.0f} random numbers a member"
    return exactly(float(seen[rule][-1]), f"{each} hidden layers of 64; {drawn} with {seen['layers'][-1]}")


def beside(seen: Any) -> Measured:
    """EGGROLL's ÷ that of evolution strategies, with the most hidden layers."""
    eggroll, plain = (shares(seen, rule) for rule in ("eggroll", "evolution_strategies"))
    ratio = eggroll.value / plain.value
    return exactly(ratio, f"{ratio:.3g} times; EGGROLL {eggroll.text}; evolution strategies {plain.text}")


OTHER = "a throughput of billions of weights on a GPU; FLOPs on digits stand beside it"
CLAIMS = (
    Claim("sarkar2025/throughput", "10", "EGGROLL trains at up to 91 % of the throughput of inference",
          SARKAR, RECALLED, Elsewhere("up to 91 %", OTHER), partial(shares, rule="eggroll"), (SEEN,)),
    Claim("sarkar2025/evolution_strategies", "10", "and evolution strategies at .41 % of it", SARKAR,
          RECALLED, Elsewhere("0.41 %", OTHER), partial(shares, rule="evolution_strategies"), (SEEN,)),
    Claim("sarkar2025/order", "10", "EGGROLL's share of the throughput of inference is the larger one",
          SARKAR, RECALLED, Side(1.0, True, "91 % against 0.41 %"), beside, (SEEN,)),
)  # fmt: skip
