#!/usr/bin/env bash
# Which BLAS did a run use? With wheels from the package index there are two in one process: NumPy's and SciPy's, of different
# versions. threadpoolctl lists what is loaded in the order of the loader, not of use: SciPy's comes first when a script
# imports both at its top, NumPy's when it asked once before. A record that notes the first entry notes a library that none
# of its `a @ b` went through. Seen with numpy 2.4.6, scipy 1.17.1, threadpoolctl 3.8.0, CPython 3.11, Linux x86_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check install numpy==2.4.6 scipy==1.17.1 threadpoolctl==3.8.0
cd "$folder"
cat > seen.py <<'P'
import numpy as np
import scipy.linalg.blas as blas
from threadpoolctl import threadpool_info

found = [(info["filepath"].split("/")[-2], info["version"]) for info in threadpool_info() if info["user_api"] == "blas"]
for library, version in found:
    print(f"{library}: OpenBLAS {version}")
rng = np.random.default_rng(0)
a, b = rng.normal(size=(7, 64)), rng.normal(size=(64, 10))
print("a @ b and scipy's dgemm have the same bits:", bool((a @ b == blas.dgemm(1.0, a, b)).all()))
libraries, versions = zip(*found)
assert set(libraries) == {"numpy.libs", "scipy.libs"}, f"no longer two: {found}"
assert len(set(versions)) == 2, f"no longer different: {found}"
assert libraries[0] == "scipy.libs", f"NumPy's is listed first now: {found}"
P
"$folder/venv/bin/python" seen.py
echo "as described: two libraries, and SciPy's first"
