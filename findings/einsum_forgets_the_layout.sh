#!/usr/bin/env bash
# np.einsum(order="K"), its default, keeps the memory layout of its operands, unless an axis of length 1 is about. Of two
# operands whose first axis is the last in memory, the result has its first axis last in memory, too; with one weight
# instead of six the same line gives a result in C order. Shapes and values are right either way. But a sum over the
# result goes another way through memory, and has other last bits: who relies on a layout for the order of sums must ask.
# Seen with numpy 2.4.6, CPython 3.11, Linux x86_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check install numpy==2.4.6
"$folder/venv/bin/python" - <<'P'
import numpy as np


def last(a):
    """The same array with its first axis last in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 0, -1)), -1, 0)


draw = np.random.default_rng(0)
kept = {}
for inputs, outputs in ((2, 3), (1, 1)):
    shared = draw.normal(size=(1, 4, inputs))
    weights = last(draw.normal(size=(5, inputs, outputs)))
    result = np.einsum("...ni,...ik->...nk", shared, weights, order="K")
    assert np.allclose(result, shared @ weights)
    kept[inputs, outputs] = result.strides[0] == result.itemsize
    print(f"{inputs} x {outputs} weights: strides {result.strides}, first axis last in memory: {kept[inputs, outputs]}")
assert kept == {(2, 3): True, (1, 1): False}
P
echo "as described: the layout is kept but for axes of length 1"
