# Needs Python >= 3.11, git and make; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Python keeps what it compiles, and not in the tree, whatever the shell says: tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/compiled

# The newest Python that runs: of those on the path (a name that pyenv puts there need not), then of pyenv's own.
NEXT_PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 \
	$$(ls -r "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.1[2-9].*/bin/python 2>/dev/null); \
	do $$p -c '' 2>/dev/null && echo $$p && break; done)
NEXT := .venv-next/bin
CLUSTER := .venv-cluster/bin

.PHONY: tuned compare dashboard quick test suite test-slow fuzz stress torture test-cluster mutants test-next check bench coverage docs site studies notebooks results lock clean

compare: .venv/installed  ## the study first light: table, figures, and the dashboard's command
	$(BIN)/python -m harness -m study=first_light

dashboard: .venv/installed
	$(BIN)/python -m harness.dashboard

# What every change is held to before it is committed: what each rule, edge and stream keeps, the recorded bits, and the fast
# core of what is derived. It leaves out what needs a second process, Hydra or a compiler (command line, studies, plots,
# code version, the compiled reading), most of what is drawn by chance, and all that trains a network for long.
QUICK := $(addprefix tests/laws/test_,conformance.py edges.py rand.py recorded_bits.py rooms.py sharing.py specs.py through_time.py) \
	$(addprefix tests/derived/test_,cost.py gradients.py mean_field.py minima.py optimisers.py \
	similarity.py task_kinds.py weight_mirror.py) \
	tests/published/test_published_weights.py tests/contracts/test_record.py

quick: .venv/installed-test  ## within a minute on two cores: laws, derivations and printed weights
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow" -k "not compiled and not command" $(QUICK)

test: .venv/installed-test  ## ruff, mypy and all tests but the full forms, side by side: much of both is waiting
	@$(MAKE) --no-print-directory --jobs 2 check suite

suite: .venv/installed-test
	$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not slow"

test-slow: .venv/installed-test  ## the full form of the tests that make test runs in small
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow

fuzz: .venv/installed-test  ## 1,500 mutated command lines: each runs, or is refused in one sentence
	$(BIN)/python -m pytest -q -p no:xdist -m slow tests/contracts/test_command_lines.py

stress: .venv/installed-test  ## a study told to MLflow killed 60 times, and 200 cells into a store of 10,000: some minutes
	$(BIN)/python -m pytest -q tests/contracts/test_stress.py

torture: .venv-cluster/installed  ## 200 kills of studies (workers, commands, machines, jobs of SLURM, workers of Ray): some forty minutes
	$(CLUSTER)/python -m bench.torture

test-cluster: .venv-cluster/installed  ## what needs SLURM (apt-get install slurm-wlm munge, and root), Ray, or PostgreSQL (apt-get install postgresql): some minutes
	$(CLUSTER)/python -m pytest -q -p no:xdist tests/cluster

mutants: .venv/installed-test  ## one-line faults, one at a time: does a test fall? some twenty minutes on one core (some: only=cost)
	$(BIN)/python -m bench.mutants --only "$(only)" --wider "$(QUICK)"

test-next: .venv-next/installed  ## the tests with the newest of everything: another Python, no constraints, Hydra before its release
	$(NEXT)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

check: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed-test  ## ratios, measured side by side in one run on one core
	$(BIN)/python -m bench

coverage: .venv/installed-test  ## how often each interval holds the truth, into docs/statistics.md: some ten minutes on one core
	$(BIN)/python -m bench.coverage

docs: compare bench  ## run first light, every rule at its best, and the benchmark, and put what they say into README and docs/
	$(BIN)/python -m harness -m study=tuned
	$(BIN)/python docs/update.py
	$(BIN)/python docs/reference.py
	$(BIN)/python docs/identities.py

site: .venv/installed-test  ## the documentation as a site to be read without a network: site/index.html (a broken link fails)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

STUDIES := tuned comparison ablations local_minima representations credit_and_cost memory_accuracy vanishing t_c shared_weights losses \
	alignment sensitivity optimisers transfer settling time pruning shift
TUNE := $(BIN)/python -m harness.tune tuning.folder=conf/tuned
SMALLER := tuning.trials=20 tuning.replicas=10 tuning.choosing=20
FEWER := tuning.trials=16 tuning.replicas=4 tuning.choosing=5
IN_TIME := task=delayed_xor task.length=16 task.asked=8 tuning.trials=16 tuning.replicas=10 tuning.choosing=20
ADDING := task=add_task tuning.trials=8 tuning.replicas=8 tuning.choosing=10 tuning.passes=400
BEHIND_MAPS := backprop,shallow,feedback_alignment,direct_feedback_alignment,direct_random_target_projection,sign_symmetry,$\
	kolen_pollack,weight_mirror,weight_perturbation,forward_gradient,node_perturbation,reinforce,spsa

tuned: .venv/installed-test  ## search settings for every rule on every task, into conf/tuned: two hours of one core
	$(TUNE) task=xor,encoder 'algorithm=glob(*)'
	$(TUNE) task=symmetry,parity,negation,addition,singleton 'algorithm=glob(*)' $(SMALLER) tuning.passes=30000
	$(TUNE) task=digits,traffic 'algorithm=glob(*,exclude=[finite_differences,sequential_weight_perturbation,genetic,decision_tree])' $(FEWER) tuning.passes=150
	$(TUNE) task=digits task.layout=shared task.hidden=30 task.activation=tanh algorithm=$(BEHIND_MAPS) $(FEWER) tuning.passes=60
	$(TUNE) task=family_tree algorithm=backprop,kolen_pollack,feedback_alignment,shallow,perceptron,checkpointed_backprop,decision_tree,rule_base $(FEWER) tuning.passes=6000
	for lag in 4 1; do tune="$(TUNE) $(IN_TIME) task.lag=$$lag tuning.passes=$$((lag == 1 ? 2400 : 800))"; for units in tanh leaky lstm; do \
		$$tune task.units=$$units algorithm=backprop,feedback_alignment,uoro,eprop || exit 1; \
		$$tune task.units=$$units algorithm=eprop algorithm.feedback=random || exit 1; \
		for window in 1 4; do $$tune task.units=$$units algorithm=bptt algorithm.window=$$window || exit 1; done; done; \
		$$tune task.units=leaky algorithm=rflo || exit 1; \
		$$tune task.units=state_space algorithm=backprop,eprop || exit 1; done
	$(TUNE) $(ADDING) algorithm=backprop,feedback_alignment,uoro,eprop
	$(TUNE) $(ADDING) algorithm=eprop algorithm.feedback=random
	for window in 1 4; do $(TUNE) $(ADDING) algorithm=bptt algorithm.window=$$window || exit 1; done

studies: .venv/installed  ## run all studies, replication included: what is finished is not run again
	for study in $(STUDIES); do $(BIN)/python -m harness -m study=$$study || exit 1; done
	$(BIN)/python -m harness.replicate

notebooks: .venv/installed-test  ## execute analysis/*.py into .ipynb on the records there are (some: only="comparison ablations")
	$(BIN)/python analysis/execute.py $(only)

results: notebooks  ## and put what the notebooks found into docs/results.md and docs/results/
	$(BIN)/python docs/results.py

lock: .venv-cluster/installed  ## write the versions in use, of all extras, to constraints.txt (it names no host)
	$(CLUSTER)/python -m pip freeze --exclude-editable | grep -E '^[A-Za-z0-9_.-]+==[^ ]+$$' > constraints.txt

clean:
	rm -rf .venv .venv-next .venv-cluster results build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, but $$($(PYTHON) --version) was found: give one by make PYTHON=…"; exit 2; }
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) install --no-compile -c constraints.txt -e .
	@touch $@

.venv/installed-test: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) install --no-compile -c constraints.txt -e '.[test]'
	@touch $@ .venv/installed

.venv-next/installed: pyproject.toml
	@test -n "$(NEXT_PYTHON)" || { echo "Python 3.12 or newer is needed, and none was found: give one by make test-next NEXT_PYTHON=…"; exit 2; }
	$(NEXT_PYTHON) -m venv --clear .venv-next
	$(NEXT)/python -m pip --disable-pip-version-check --quiet install --no-compile -e '.[test]' 'hydra-core>=1.4.0rc1'
	@touch $@

.venv-cluster/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-cluster
	$(CLUSTER)/python -m pip --disable-pip-version-check --quiet install --no-compile -c constraints.txt -e '.[test,slurm,ray]'
	@touch $@
