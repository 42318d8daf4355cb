"""Multiply-adds that are not by zero: what would be left to do where zeros are skipped.

Of a product of matrices (A B)_ij = Σ_k A_ik B_kj a term is *effective* where neither factor is exactly 0
(Albericio et al. 2016, "Cnvlutin: ineffectual-neuron-free deep neural network computing", ISCA). Silent ReLU
units, inputs of 0 and 1 and masks make terms that are not. For each k the effective terms are the non-zero
A_ik times the non-zero B_kj, so that counting takes no product of matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def effective_terms(terms: int, a: Any, b: Any, subscripts: str = "") -> int:
    """How many terms of a product have no zero in them.

    Args:
        terms: all of them, the multiply-adds. Each element of an operand is in as many as any other, so that
            they are told at once where the other operand has no zero, which is nearly always.
        a, b: the operands.
        subscripts: named axes of `np.einsum` of the two, such as "ik,kj"; "" for `a @ b`, of stacks of
            matrices (…, I, K) and (…, K, J), or vectors.
    """
    some, others = int(np.count_nonzero(a)), int(np.count_nonzero(b))
    if terms == 0 or some == 0 or others == 0:
        return 0
    if others == b.size:
        return terms // a.size * some
    if some == a.size:
        return terms // b.size * others
    return _named(subscripts, a != 0, b != 0) if subscripts else _stacked(a != 0, b != 0)


def _stacked(x: Any, y: Any) -> int:
    columns = x.sum(axis=-2) if x.ndim > 1 else x
    rows = y.sum(axis=-1) if y.ndim > 1 else y
    return int((columns * rows).sum())


def _named(subscripts: str, x: Any, y: Any) -> int:
    left, right = subscripts.replace(" ", "").split("->")[0].split(",")
    shared = "".join(dict.fromkeys(name for name in left if name in right))
    columns = np.einsum(f"{left}->{shared}", x.astype(np.int64))
    return int((columns * np.einsum(f"{right}->{shared}", y.astype(np.int64))).sum())
