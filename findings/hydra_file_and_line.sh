#!/usr/bin/env bash
# A value means one thing in Hydra's config file and another on Hydra's command line. The file is YAML 1.1, where digits in
# colons are a number to the base 60; the line has a grammar of its own, without that. An 8:3:8 encoder is the number 28988 in
# the file and the text "8:3:8" on the line; 784:30:10 is 2824210 in the file, and 784:100:10 text, because 100 is beyond 59. A seed
# 010 is 8 in the file and text on the line, `on` is true and text. Sweeps change sides: under `hydra.sweeper.params` a
# single 8:3:8 was read by YAML first, and the job gets 28988; with a second choice beside it both are text.
# Seen with hydra-core 1.3.8, omegaconf 2.3.1, PyYAML 6.0.3, CPython 3.11, Linux x86_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check install hydra-core==1.3.8 omegaconf==2.3.1 PyYAML==6.0.3
cd "$folder"
mkdir conf
cat > app.py <<'P'
import json

import hydra
from omegaconf import OmegaConf


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config):
    print(json.dumps(OmegaConf.to_container(config)))


main()
P
python="$folder/venv/bin/python"

expect() { # what was seen, what should be
  echo "$1"
  [ "$1" = "$2" ] || { echo "changed: expected $2" >&2; exit 1; }
}

printf 'shape: 8:3:8\nlarge: 784:30:10\nlarger: 784:100:10\nseed: 010\ngate: on\nrate: 1e-4\n' > conf/config.yaml
expect "$("$python" app.py)" \
  '{"shape": 28988, "large": 2824210, "larger": "784:100:10", "seed": 8, "gate": true, "rate": 0.0001}'
expect "$("$python" app.py shape=8:3:8 large=784:30:10 larger=784:100:10 seed=010 gate=on rate=1e-4)" \
  '{"shape": "8:3:8", "large": "784:30:10", "larger": "784:100:10", "seed": "010", "gate": "on", "rate": 0.0001}'

sweep() { # the choices of a sweep, as its config has them
  printf 'shape: null\nhydra: {mode: MULTIRUN, sweeper: {params: {shape: %s}}, run: {dir: out}, sweep: {dir: out}}\n' "$1" > conf/config.yaml
  "$python" app.py hydra/job_logging=none hydra/hydra_logging=none
}
expect "$(sweep '8:3:8')" '{"shape": 28988}'
expect "$(sweep '"8:3:8,4:2:4"')" '{"shape": "8:3:8"}
{"shape": "4:2:4"}'
echo "as described: the same letters, another value in the file than on the line"
