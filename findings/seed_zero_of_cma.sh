#!/usr/bin/env bash
# Seeds 0, 1, 2, … are three repeatable runs in most libraries. pycma takes 0 for "by the clock", and says so among its options; what
# calls it hands a seed on and does not. Optuna's PyCmaSampler(seed=0) and pymoo's minimize(…, CMAES(), seed=0) search
# elsewhere each time, silently, as Optuna's own CmaEsSampler(seed=0) does not; seed 1 repeats everywhere. And a seed belongs to
# nobody: pycma seeds NumPy's global generator where an optimiser is made, and draws from it when asked, so that of two optimisers
# made side by side the first draws what the second would draw alone, whatever its own seed was.
# Seen with cma 4.5.0, optuna 5.0.0, optuna-integration 5.0.0, cmaes 0.13.1, pymoo 0.6.2, numpy 2.4.6, CPython 3.11, Linux x86_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check install cma==4.5.0 optuna==5.0.0 optuna-integration==5.0.0 \
  cmaes==0.13.1 pymoo==0.6.2 numpy==2.4.6
cd "$folder"
cat > seen.py <<'P'
import cma
import numpy as np
import optuna
from optuna.samplers import CmaEsSampler
from optuna_integration import PyCmaSampler
from pymoo.algorithms.soo.nonconvex.cmaes import CMAES
from pymoo.optimize import minimize
from pymoo.problems import get_problem

optuna.logging.set_verbosity(optuna.logging.ERROR)
sphere = get_problem("sphere", n_var=3)


def optunas(sampler):
    def search(seed):
        study = optuna.create_study(sampler=sampler(seed=seed))
        study.optimize(lambda trial: sum(trial.suggest_float(f"w{i}", -1, 1) ** 2 for i in range(3)), n_trials=12)
        return study.trials[-1].params["w0"]

    return search


def pymoos(seed):
    return float(minimize(sphere, CMAES(), ("n_evals", 60), seed=seed, verbose=False).F[0])


searches = {"PyCmaSampler": optunas(PyCmaSampler), "pymoo": pymoos, "CmaEsSampler": optunas(CmaEsSampler)}
repeats = {}
for name, search in searches.items():
    for seed in (0, 1):
        once, again = search(seed), search(seed)
        repeats[name, seed] = once == again
        print(f"{name}, seed {seed}: {once:.6f} and {again:.6f}")
assert repeats == {(name, seed): seed == 1 or name == "CmaEsSampler" for name in searches for seed in (0, 1)}, repeats


def made(seed):
    return cma.CMAEvolutionStrategy([0.0] * 3, 0.5, {"verbose": -9, "seed": seed})


first_alone, second_alone = (np.array(made(seed).ask()) for seed in (1, 2))
first, second = made(1), made(2)
beside = np.array(first.ask())
print("seed 1 beside seed 2 draws what seed 1 draws alone:", bool((beside == first_alone).all()),
      "- what seed 2 draws alone:", bool((beside == second_alone).all()))
assert (beside == second_alone).all() and (beside != first_alone).any()
P
"$folder/venv/bin/python" -W ignore seen.py
echo "as described: seed 0 repeats nothing, and the last optimiser made seeds them all"
