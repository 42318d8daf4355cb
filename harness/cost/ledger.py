"""What is counted, and how it is called.

Conventions, printed with every sheet:

    contraction      `@`, einsum of two: 2 × multiply-adds (a product and a sum each)
    element-wise     1 per element of the result; sign, maximum, rounding and `where` included
    transcendental   1 per element: exp, log, tanh, sqrt, powers other than squares
    comparison       1 per element: comparisons and logic
    reduction        n − 1 per result of n numbers (a mean one more)
    effective        multiply-adds of contractions in which neither factor is exactly 0
    bytes moved      into a cache that keeps what was touched last: operands and results, one after another,
                     whose bytes with all that was touched since do not fit, and first touches
    span             operations on the longest chain in which each needs the one before; moving data is free.
                     A contraction or reduction is one step, or, in the other reading, ⌈log2 n⌉ of
                     them (+1 for products)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.core.errors import InputError
from harness.cost.movement import Trace

KINDS = {
    name: kind
    for kind, names in {
        "element-wise": "add subtract multiply divide true_divide negative positive absolute fabs square "
        "reciprocal maximum minimum fmax fmin sign floor ceil rint "
        "trunc floor_divide remainder fmod clip conjugate",
        "transcendental": "exp exp2 expm1 log log2 log10 log1p sqrt cbrt sin cos tan arcsin arccos arctan "
        "arctan2 sinh cosh tanh arcsinh arccosh arctanh power float_power hypot logaddexp logaddexp2",
        "comparison": "greater greater_equal less less_equal equal not_equal logical_and logical_or "
        "logical_xor logical_not bitwise_and bitwise_or bitwise_xor invert isfinite isnan isinf signbit",
    }.items()
    for name in names.split()
}


class CostError(InputError):
    """Something was done to a tracked array that cannot be counted; the message names it and the line."""


@dataclass
class Ledger:
    """What was done, added up."""

    flops: Counter[str] = field(default_factory=Counter)
    """Operations by kind."""
    multiply_adds: int = 0
    """Of contractions alone, as flop counters of tensor libraries have it."""
    effective_multiply_adds: int = 0
    """Those in which neither factor is exactly 0 (`harness.cost.effective`)."""
    draws: Counter[str] = field(default_factory=Counter)
    """Random numbers by kind."""
    branches: int = field(default=0, repr=False)
    """How often the code asked whether something is true of counted numbers."""
    bytes_read: int = 0
    bytes_written: int = 0
    trace: Trace | None = field(default=None, repr=False, compare=False)
    """Which arrays operations touched, in order; None unless asked for: it takes as long as a count."""
    span: int = 0
    """The longest chain of dependent operations."""
    log_span: int = 0
    """The same, with contractions and reductions of n numbers taken as ⌈log2 n⌉ steps."""

    @property
    def work(self) -> int:
        """All operations."""
        return self.flops.total()

    def note(self, kind: str, flops: int, read: int, written: int, span: int, log_span: int) -> None:
        """Enter an operation: its kind and number, bytes read and written, and the chains that it ends."""
        self.flops[kind] += flops
        self.bytes_read += read
        self.bytes_written += written
        self.span, self.log_span = max(self.span, span), max(self.log_span, log_span)
