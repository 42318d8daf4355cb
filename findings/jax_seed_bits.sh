#!/usr/bin/env bash
# Seeds made by hashing what a run is ("cell 17" to 64 bits) are as good as distinct, and JAX's keys of them are not: unless 64-bit
# types are switched on, `jax.random.key` keeps the lower 32 bits of a seed and says nothing. Of the 200,000 seeds of sha256, none
# equal, six pairs get the same key, and draw the same weights. JAX_ENABLE_X64 brings the upper half back, which is another
# stream for the same seed: the switch for precision is one for random numbers too. `fold_in` raises OverflowError for such a
# Python int, and drops the upper half of the same number from NumPy, with either setting.
# Seen with jax and jaxlib 0.10.2, numpy 2.4.6, CPython 3.11, Linux x86_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check install jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cd "$folder"
cat > seen.py <<'P'
import hashlib
import sys

import jax
import numpy as np

wide = sys.argv[1] == "1"


def seed_of(cell):  # 63 bits: JAX takes no Python int beyond
    return int.from_bytes(hashlib.sha256(f"cell {cell}".encode()).digest()[:8], "big") >> 1


def weights(seed):
    return np.asarray(jax.random.normal(jax.random.key(seed), (1000,), np.float32))


seeds = [seed_of(cell) for cell in range(200_000)]
assert len(set(seeds)) == len(seeds)
first, pairs = {}, []
for cell, seed in enumerate(seeds):
    if first.setdefault(seed % 2**32, cell) != cell:
        pairs.append((first[seed % 2**32], cell))
same = sum(bool((weights(seeds[i]) == weights(seeds[j])).all()) for i, j in pairs)
print(f"64-bit types {'on' if wide else 'off'}: {same} pairs of different seeds draw the same weights, such as cells {pairs[0]}")
assert len(pairs) == 6 and same == (0 if wide else 6)

key, long = jax.random.key(0), 5 + 2**32
try:
    jax.random.fold_in(key, long)
except OverflowError as error:
    print("fold_in of a Python int:", error)
else:
    raise AssertionError("fold_in takes a long Python int now")
assert jax.random.fold_in(key, np.int64(long)) == jax.random.fold_in(key, 5), "fold_in keeps what NumPy's int64 holds now"
P
JAX_PLATFORMS=cpu JAX_ENABLE_X64=0 "$folder/venv/bin/python" -W error seen.py 0
JAX_PLATFORMS=cpu JAX_ENABLE_X64=1 "$folder/venv/bin/python" -W error seen.py 1
echo "as described: half a seed, in silence"
