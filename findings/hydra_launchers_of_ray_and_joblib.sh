#!/usr/bin/env bash
# Hydra's launchers for Ray and for joblib cannot be installed side by side: hydra-ray-launcher 1.2.2 asks for cloudpickle below
# 3, joblib from 1.6 on for 3 or newer. An installer left to itself takes an older joblib, or says that there is no answer where
# versions are pinned.
# Seen with hydra-ray-launcher 1.2.2, hydra-joblib-launcher 1.2.0, joblib 1.6.0, CPython 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
pip() { "$folder/venv/bin/python" -m pip --disable-pip-version-check "$@"; }
pip --quiet install --no-deps hydra-joblib-launcher==1.2.0 joblib==1.6.0 hydra-ray-launcher==1.2.2
asks() { "$folder/venv/bin/python" -c 'import sys; from importlib.metadata import requires
print(*[each for each in requires(sys.argv[1]) if each.startswith("cloudpickle")])' "$1"; }
echo "hydra-ray-launcher asks for $(asks hydra-ray-launcher), joblib for $(asks joblib)"
if pip install --dry-run hydra-joblib-launcher==1.2.0 joblib==1.6.0 hydra-ray-launcher==1.2.2 > "$folder/log" 2>&1; then
    echo "they can be installed together now"; exit 1
fi
grep -q ResolutionImpossible "$folder/log" || { tail -n 5 "$folder/log"; echo "it failed for another reason"; exit 1; }
echo "as described: pip finds no cloudpickle that both would have"
