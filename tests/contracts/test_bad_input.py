"""Held to the promise on bad input: one sentence (what is wrong, what was given, what is allowed, the nearest
name), exit code 2, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.store.store import FORMAT, Store

Harness = Callable[..., tuple[int, str, str]]

CASES = {
    "unknown task": (["task=xr"], ["unknown task 'xr'", "family_tree", "did you mean 'xor'?"]),
    "unknown algorithm": (
        ["algorithm=backprob"],
        ["unknown algorithm 'backprob'", "perceptron", "did you mean 'backprop'?"],
    ),
    "unknown optimiser": (["algorithm/optimiser=adm"], ["'adm'", "gradient_descent", "did you mean 'adam'?"]),
    "unknown preset": (
        ["experiment=pdp1986/xor_shortcutt"],
        ["'pdp1986/xor_shortcutt'", "did you mean 'pdp1986/xor_shortcut'?"],
    ),
    "unknown group": (["tsk=xor"], ["unknown setting 'tsk'", "did you mean 'task'?"]),
    "unknown run setting": (
        ["run.epoch=3"],
        ["setting of run", "'epoch'", "replicas", "did you mean 'epochs'?"],
    ),
    "unknown task setting": (["task.hiden=3"], ["setting of task", "'hiden'", "did you mean 'hidden'?"]),
    "unknown optimiser setting": (["algorithm.optimiser.lrr=1"], ["'lrr'", "momentum", "did you mean 'lr'?"]),
    "wrong type": (["run.epochs=abc"], ["epochs must be a whole number", "at least 1", "'abc' was given"]),
    "fraction for a count": (["task.hidden=2.5"], ["hidden must be a whole number", "2.5 was given"]),
    "zero replicas": (["run.replicas=0"], ["replicas must be", "at least 1", "0 was given"]),
    "negative rate": (["algorithm.optimiser.lr=-1"], ["lr must be", "greater than 0", "-1 was given"]),
    "infinite rate": (["algorithm.optimiser.lr=inf"], ["lr must be finite", "inf was given"]),
    "rate that is no number": (["algorithm.optimiser.lr=nan"], ["lr must be", "nan was given"]),
    "momentum of one": (["algorithm.optimiser.momentum=1"], ["momentum", "below 1", "1 was given"]),
    "half a sweep": (
        ["algorithm.optimiser.early_sweeps=1.5"],
        ["early_sweeps must be a whole number", "1.5 was given"],
    ),
    "half a schedule": (
        ["algorithm.optimiser.early_sweeps=5"],
        ["early_sweeps, early_lr and early_momentum go together", "5"],
    ),
    "sequences of no steps": (
        ["task=delayed_xor", "task.length=0"],
        ["length must be a whole number", "at least 1", "0 was given"],
    ),
    "lag beyond the length": (
        ["task=delayed_xor", "task.lag=10"],
        ["lag must be below the length", "lag=10 and length=10 were given"],
    ),
    "no such kind of hidden unit": (["task=copy", "task.units=lstn"], ["'lstn'", "diagonal", "lstm"]),
    "a task in time for a rule without": (
        ["task=copy", "algorithm=perceptron"],
        ["perceptron does not apply to copy", "no way through time"],
    ),
    "a gate that is not built": (["task=delayed_xor", "task.units=gru"], ["unknown units 'gru'", "lstm"]),
    "a way back through time for a task without": (
        ["algorithm=bptt", "task=xor"],
        ["bptt does not apply to xor", "no time steps", "it is backprop", "algorithm=backprop"],
    ),
    "influence over time for a task without": (
        ["algorithm=rtrl", "task=xor"],
        ["rtrl does not apply to xor", "no time steps"],
    ),
    "a window of no steps": (
        ["algorithm=bptt", "task=delayed_xor", "algorithm.window=0"],
        ["window must be a whole number", "at least 1", "0 was given"],
    ),
    "losses between windows": (
        ["algorithm=bptt", "task=delayed_xor", "algorithm.every=3", "algorithm.window=2"],
        ["every must be at most the window of 2 steps", "losses would be lost", "3 was given"],
    ),
    "traces that leak where no unit does": (
        ["algorithm=rflo", "task=delayed_xor", "task.units=tanh"],
        ["rflo does not apply to delayed_xor", "no unit of delayed_xor leaks"],
    ),
    "features that the task does not declare": (
        ["algorithm=hand_made", "algorithm.features=nonsense", "task=digits"],
        ["hand_made does not apply to digits", "'nonsense'", "blocks_and_gradients, block_means"],
    ),
    "features of a task that declares none": (
        ["algorithm=hand_made", "task=xor"],
        ["hand_made does not apply to xor", "xor declares none"],
    ),
    "rules that nobody wrote": (
        ["algorithm=rule_base", "task=digits"],
        ["rule_base does not apply to digits", "nobody wrote any for digits"],
    ),
    "a label for what has many": (
        ["algorithm=noprop", "task=addition"],
        ["noprop does not apply to addition", "one label"],
    ),
    "criterion without its bound": (
        ["task.criterion=margin"],
        ["criterion 'margin' needs a bound", "None was given"],
    ),
    "criterion that no target can meet": (
        ["task.target_off=-1"],
        ["no output can meet", "target_off=-1.0", "between 0 and 1"],
    ),
    "bound that no output can meet": (
        ["task.criterion=error", "task.bound=0"],
        ["no output can meet", "bound=0.0"],
    ),
    "targets the wrong way round": (
        ["task.target_off=1", "task.target_on=0"],
        ["target_off must be below target_on", "target_off=1.0 and target_on=0.0"],
    ),
    "scale that would be ignored": (
        ["task.init=glorot", "task.scale=1"],
        ["scale=1.0 would be ignored", "init=glorot"],
    ),
    "unknown initial weights": (["task.init=glorott"], ["'glorott'", "did you mean 'glorot'?"]),
    "batch beyond the patterns": (["run.batch=9"], ["batch", "4 training patterns", "9 was given"]),
    "batch of a wrong kind": (
        ["run.batch=some"],
        ["batch must be full or a whole number", "'some' was given"],
    ),
    "order that would be ignored": (["run.shuffle=false"], ["shuffle=False would be ignored", "batch=full"]),
    "optimiser that would be ignored": (
        ["algorithm=perceptron", "algorithm/optimiser=adam"],
        ["algorithm/optimiser would be ignored"],
    ),
    "optimiser setting that would be ignored": (
        ["algorithm=perceptron", "algorithm.optimiser.lr=1"],
        ["'optimiser'", "allowed are lr"],
    ),
    "momentum for an optimiser without": (
        ["algorithm/optimiser=adam", "algorithm.optimiser.momentum=.9"],
        ["'momentum'", "beta1"],
    ),
    "unknown precision": (["run.dtype=float16"], ["unknown dtype 'float16'", "float32, float64"]),
    "algorithm that does not apply": (
        [
            "algorithm=perceptron",
            "task.criterion=margin",
            "task.target_off=.2",
            "task.target_on=.8",
            "task.bound=.1",
        ],
        ["perceptron does not apply to xor", "0 or 1"],
    ),
    "study without -m": (["study=first_light"], ["first_light", "-m study=first_light"]),
    "small form of no study": (
        ["task=xor", "small=true"],
        ["small=true would be ignored", "-m study=… small=true"],
    ),
    "unknown study": (
        ["-m", "study=first_ligth"],
        ["unknown study 'first_ligth'", "did you mean 'first_light'?"],
    ),
    "typo in one choice of a sweep": (
        ["-m", "task=xor,symetry"],
        ["unknown task 'symetry'", "did you mean 'symmetry'?"],
    ),
    "bad value in one job of a sweep": (["-m", "run.replicas=5,0"], ["replicas must be", "0 was given"]),
    "sweep without -m": (["task=xor,symmetry"], ["several values", "add -m"]),
    "not an override": (["run.replicas=[1"], ["[1"]),
    "a number for yes or no": (["task.shortcut=7"], ["shortcut must be True or False", "7 was given"]),
    "a word for yes or no": (["run.shuffle=maybe"], ["shuffle must be True or False", "'maybe' was given"]),
    "negative bound": (
        ["task.criterion=error", "task.bound=-1"],
        ["bound must be", "at least 0", "-1 was given"],
    ),
    "a rate and the rule's own": (
        ["algorithm.rate=0.1", "algorithm.optimiser.lr=0.2"],
        ["rate is optimiser.lr of backprop", "rate=0.1 and optimiser.lr=0.2"],
    ),
    "a rate where there is none": (
        ["algorithm=genetic", "algorithm.rate=0.1"],
        ["genetic has no rate", "rate=0.1"],
    ),
    "a rate that is none": (
        ["algorithm=spsa", "algorithm.rate=0"],
        ["rate must be", "greater than 0", "0 was given"],
    ),
    "a network beyond memory": (
        ["task.hidden=1000000000"],
        ["backprop on xor with replicas=100 would take", "TB", "this machine has"],
    ),
    "replicas beyond memory": (["run.replicas=1000000000000"], ["replicas=1000000000000", "TB"]),
    "replicas beyond counting": (["run.replicas=10000000000000000000000"], ["replicas", "below 2^63"]),
    "a population beyond memory": (
        ["algorithm=genetic", "algorithm.population=1000000000"],
        ["genetic on xor", "would take"],
    ),
    "a sweep beyond memory": (["-m", "task.hidden=2,1000000000"], ["would take", "this machine has"]),
    "a budget without end": (["run.epochs=1000000000000000000000"], ["epochs", "at most"]),
    "a probe without end": (["run.probe=1000000000000"], ["probe", "at most 1000"]),
    "a depth without end": (["task=deep_chain", "task.depth=1000000"], ["depth", "at most 1000"]),
    "a sweep without end": (["-m", "run.seed=range(1,100000000000)"], ["100,000 cells", "99,999,999,999"]),
    "a range that stands": (["-m", "run.seed=range(1,2,0)"], ["step that is not 0", "range(1,2,0)"]),
    "a margin that nothing errs by": (["task.margin=5"], ["margin must be below 0.5", "5.0 was given"]),
    "a bound that anything meets": (
        ["task.criterion=error", "task.bound=5"],
        ["bound=5.0 is met by outputs that are all in the middle"],
    ),
    "a distance from the wrong side": (
        ["task.criterion=margin", "task.bound=0.8"],
        ["bound must be at most 0.5", "0.8 was given"],
    ),
    "a setting that nothing reads": (["+lr=0.1"], ["unknown setting 'lr'"]),
    "a setting forced in": (["++lr=0.1"], ["unknown setting 'lr'"]),
    "a setting of a study that nothing reads": (["+study.foo=1"], ["setting of study", "'foo'", "cells"]),
    "an option put elsewhere": (["+task@foo=xor"], ["unknown setting 'foo'"]),
    "a word for whether to track": (["tracking.enabled=maybe"], ["tracking.enabled must be True or False"]),
    "a number for small": (["small=7"], ["small must be True or False", "7 was given"]),
    "a word for figures": (["figures=maybe"], ["figures must be True or False", "'maybe' was given"]),
    "no store": (["store=null"], ["store must be a word", "None was given"]),
    "no run": (["run=null"], ["run must have settings", "None was given"]),
    "no study": (["study=null"], ["study is chosen by name", "study=null"]),
    "no algorithm": (["algorithm=null"], ["algorithm is chosen by name", "algorithm=null"]),
    "no tracking": (["tracking=5"], ["tracking must have settings", "5 was given"]),
    "a list for a task": (["task=[1]"], ["task is chosen by name", "task=[1]"]),
    "a number for an optimiser": (["algorithm.optimiser=5"], ["optimiser", "5 was given"]),
    "a number in a study": (["-m", "study.common=[5]"], ["study.common", "5 was given"]),
    "a number for cells": (["-m", "study.cells=5"], ["study.cells must be a list", "5 was given"]),
    "a number among cells": (["-m", "study.cells=[[5]]"], ["each entry of study.cells", "[5] was given"]),
    "a list for a question": (["study.question=[1]"], ["study.question must be a word", "[1] was given"]),
    "a study called nothing": (["study.name=null"], ["study.name must be a word", "None was given"]),
    "a study called by a fraction": (["study.name=1e-4"], ["study.name must be a word", "0.0001 was given"]),
    "a glob of nothing": (["-m", "algorithm=glob(nothing*)"], ["algorithm=glob(nothing*) gives no value"]),
    "a reference to nothing": (["run.epochs=${nope}"], ["run.epochs", "'nope' not found"]),
    "a circle": (["run.replicas=${run.replicas}"], ["run.replicas", "Recursive"]),
    "a value left open": (["run.epochs=???"], ["run.epochs was left open"]),
    "a part of Hydra's left open": (["hydra.run=???"], ["hydra.run was left open"]),
    "figures left open": (["figures=???"], ["figures was left open"]),
    "a task taken away": (["~task"], ["~task would take away"]),
    "a setting taken away": (["~tracking.uri"], ["~tracking.uri would take away"]),
    "a name set by itself": (["algorithm.name=shallow"], ["choose algorithm=…"]),
    "a sign that the grammar has": (["study.name=a#b"], ["'study.name=a#b' cannot be read", "in quotes"]),
    "two equals": (["study.name=lr=1e-5"], ["'study.name=lr=1e-5' cannot be read", "in quotes"]),
    "other letters": (["study.name=größe"], ["'study.name=größe' cannot be read", "in quotes"]),
    "a comma at the end": (["run.epochs=3,"], ["'run.epochs=3,' cannot be read"]),
    "no equals": (["run.epochs"], ["'run.epochs' has no value", "name=value"]),
    "no name": (["=3"], ["'=3' has no name", "name=value"]),
    "nothing": ([""], ["'' has no value"]),
    "a flag that is none": (["--nope"], ["--nope", "--hydra-help"]),
    "a package's launcher to install": (["-m", "hydra/launcher=rq"], ["pip install hydra-rq-launcher"]),
    "a file of cells for one run": (["cells=x.txt"], ["cells=x.txt would be ignored"]),
    "a file of cells for a sweep": (["-m", "cells=x.txt"], ["cells=x.txt would be ignored"]),
    "jobs of no length": (
        ["-m", "jobs.minutes=0"],
        ["jobs.minutes must be", "greater than 0", "0 was given"],
    ),
    "a sweeper to install": (["-m", "hydra/sweeper=optuna"], ["pip install hydra-optuna-sweeper"]),
    "a preset for another task": (
        ["experiment=pdp1986/xor_shortcut", "task=encoder"],
        ["pdp1986/xor_shortcut", "does not go with what else was chosen"],
    ),
    "no nudge": (
        ["algorithm=equilibrium_propagation", "algorithm.beta=0"],
        ["beta is 0", "nothing is learnt", "other than 0"],
    ),
    "no way back": (
        ["algorithm=contrastive_hebbian", "algorithm.gamma=0"],
        ["gamma must be above 0 and at most 1", "0 was given"],
    ),
    "no step towards rest": (
        ["algorithm=generec", "algorithm.epsilon=0"],
        ["epsilon must be above 0 and at most 1", "0 was given"],
    ),
    "a step beyond": (
        ["algorithm=generec", "algorithm.epsilon=1.5"],
        ["epsilon must be", "at most 1", "1.5 was given"],
    ),
    "too few steps for the tolerance": (
        ["algorithm=equilibrium_propagation", "algorithm.epsilon=0.1", "algorithm.steps=20"],
        ["steps=20 are too few for the tolerance", "epsilon=0.1", "tolerance=0"],
    ),
    "too few steps for the depth": (
        [
            *("algorithm=contrastive_hebbian", "task=deep_chain", "task.depth=9"),
            *("algorithm.tolerance=0", "algorithm.steps_taught=3"),
        ],
        ["steps_taught=3 are too few for the network of deep_chain", "to reach the first layer"],
    ),
    "units without a settling form": (
        ["algorithm=equilibrium_propagation", "task=encoder", "task.loss=cross_entropy"],
        ["equilibrium_propagation does not apply to encoder", "have no settling form", "hard_sigmoid"],
    ),
    "shortcuts without an energy": (
        ["algorithm=generec", "task=deep_chain", "task.residual=true"],
        ["generec does not apply to deep_chain", "no energy for the identity shortcuts"],
    ),
    "normalisation without an energy": (
        ["algorithm=generec", "task=deep_chain", "task.norm=true"],
        ["generec does not apply to deep_chain", "no energy for the normalisation"],
    ),
    "complex points for rectified units": (
        ["algorithm=equilibrium_propagation", "algorithm.points=4", "task.activation=relu"],
        ["4 points need complex activity", "relu units have none"],
    ),
    "complex points for a margin": (
        ["algorithm=equilibrium_propagation", "algorithm.points=3", "task.margin=0.1"],
        ["3 points need a complex loss", "xor has none"],
    ),
    "a way of teaching that is none": (
        ["algorithm=equilibrium_propagation", "algorithm.teach=clamped"],
        ["'clamped'", "nudge", "did you mean 'clamp'?"],
    ),
    "a share of no two losses": (
        ["algorithm=local_losses", "algorithm.loss=pred", "algorithm.beta=0.5"],
        ["beta=0.5 would be ignored", "belongs to loss predsim", "pred was given"],
    ),
    "a local loss that is none": (
        ["algorithm=local_losses", "algorithm.loss=predsym"],
        ["'predsym'", "sim", "did you mean 'predsim'?"],
    ),
    "no modulation": (
        ["algorithm=pepita", "algorithm.spread=0"],
        ["spread must be", "greater than 0", "0 was given"],
    ),
    "labels that are none": (
        ["algorithm=signal_propagation", "task=addition"],
        ["signal_propagation does not apply to addition", "any number of outputs on"],
    ),
    "signals in the middle": (
        ["algorithm=signal_propagation", "task=family_tree"],
        ["signal_propagation does not apply to family_tree"],
    ),
    "store that is a file": (["store=/dev/null/store"], ["/dev/null/store", "cannot be written", "store="]),
}


@pytest.mark.parametrize("case", CASES)
def test_one_sentence_exit_code_2_and_nothing_written(case: str, harness: Harness, store: Store) -> None:
    arguments, expected = CASES[case]
    before = sorted(p for p in store.path.rglob("*"))
    code, out, err = harness(*arguments, tracking=True)
    assert code == 2, (out, err)
    assert out == ""
    assert err.startswith("harness: ")
    assert err.count("\n") == 1, f"more than one line: {err}"
    assert "Traceback" not in err
    for part in expected:
        assert part in err
    assert sorted(p for p in store.path.rglob("*")) == before


def test_a_study_that_is_not_yaml_is_one_sentence_with_its_line(harness: Harness, tmp_path: Path) -> None:
    (tmp_path / "conf" / "study").mkdir(parents=True)
    (tmp_path / "conf" / "study" / "mine.yaml").write_text(
        "name: mine\nquestion: Is 1 : 2 right?\ncells: []\n"
    )
    code, _, err = harness(f"--config-dir={tmp_path / 'conf'}", "-m", "study=mine")
    assert code == 2
    assert "mine.yaml is not YAML, line 2: mapping values are not allowed" in err
    assert err.count("\n") == 1


def test_a_store_of_a_newer_format_is_refused_and_left_alone(harness: Harness, store: Store) -> None:
    (store.path / "format").write_text(f"{FORMAT + 1}\n")
    before = sorted(store.path.rglob("*"))
    code, _, err = harness("task=xor")
    assert code == 2
    assert f"format '{FORMAT + 1}'" in err
    assert f"up to {FORMAT}" in err
    assert sorted(store.path.rglob("*")) == before


def test_a_full_disk_is_one_sentence_and_nothing_half_written(
    harness: Harness, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.store.files.np.savez", full)
    code, _, err = harness("task=xor", "run.replicas=2", "run.epochs=5")
    assert code == 2
    assert "No space left on device" in err
    assert err.count("\n") == 1
    assert list((store.path / "cells").iterdir()) == []
    assert list((store.path / "failed").iterdir()) == [], "the cell's code did not fail"


def test_a_full_disk_loses_only_what_does_not_fit_in_a_sweep(
    harness: Harness, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.store import files

    plain, calls = files.np.savez, []

    def full_at_first(*args: object, **named: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        plain(*args, **named)

    monkeypatch.setattr("harness.store.files.np.savez", full_at_first)
    code, _, err = harness("-m", "hydra/launcher=basic", "run.seed=1,2", "run.replicas=2", "run.epochs=5")
    assert code == 1
    assert "was lost" in err
    assert len(store.records("scratch")) == 1


def test_a_wrong_option_makes_no_store(harness: Harness, store: Store, tmp_path: Path) -> None:
    code, _, _ = harness("task=xor", "run.replicas=0", f"store={tmp_path / 'other'}")
    assert code == 2
    assert not (tmp_path / "other").exists()


def test_a_diverging_network_is_data_without_a_warning(harness: Harness) -> None:
    code, out, err = harness("task=xor", "algorithm.optimiser.lr=1e300", "run.replicas=20", "run.epochs=50")
    assert code == 0
    assert "diverged" in out
    assert "Warning" not in err
