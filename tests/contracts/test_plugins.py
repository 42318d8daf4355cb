"""Held to what docs/extend.md promises of plug-ins: one that is wrong is named in one sentence, and all
others go on; one that is right is used by every command, and its record follows its code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness import GradientDescent
from harness.cli.catalog import compiles
from harness.core import plugins, registry
from harness.core.errors import InputError
from harness.core.losses import LOSSES
from harness.core.units import UNITS
from harness.core.vetting import is_setting
from helpers.commands import Done, commands
from helpers.repository import ROOT

HEAD = '''
from __future__ import annotations
import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Optional
import numpy as np
from harness import Adam, Algorithm, CreditAlgorithm, Network, Optimiser, Patterns, Spec, Task, Traits, Usual
from harness import exact_gradient, setting
if TYPE_CHECKING:
    from fractions import Fraction

class Kind(enum.Enum):
    ONE = 1

@dataclass(frozen=True)
class _Base(CreditAlgorithm):
    traits: ClassVar[Traits] = Traits(True, True, local=False, phases=1, global_scalar=False)
    def credit(self, net, params, memory, batch, rand):
        return exact_gradient(net, params, batch)

@dataclass(frozen=True)
class Fine(_Base):
    """Is always found."""

'''
FIELDS = {  # a field of a rule: what is said of it
    "f: Callable[[float], float] = abs": "Rule.f: collections.abc.Callable[[float], float] is no type",
    "f: np.ndarray = None": "Rule.f: ndarray is no type of a setting",
    "f: np.ndarray = field(default_factory=lambda: np.ones(2))": "Rule.f: ndarray is no type of a setting",
    "f: list[int] = field(default_factory=list)": "Rule.f: list[int] is no type of a setting",
    "f: dict = field(default_factory=dict)": "Rule.f: dict is no type of a setting",
    "f: Any = field(default_factory=list)": "the default of Rule.f is [], which no command line can say",
    "f: Any = 1j": "the default of Rule.f is 1j, which no command line can say",
    "f: int | list[int] = 1": "Rule.f: int | list[int] is no type of a setting",
    "f: complex = 1j": "Rule.f: complex is no type of a setting",
    "f: Fraction = 1": "the types of Rule's settings cannot be read where it is defined",
    "f: Kind = Kind.ONE": "Rule.f: Kind is no type of a setting",
    "f: Path = Path('x')": "Rule.f: Path is no type of a setting",
    "f: Literal[1, 2] = 1": "Rule.f: Literal[1, 2] is no type of a setting",
    "f: tuple = ()": "Rule.f: tuple is no type of a setting",
    "name: str = 'x'": "Rule.name: a setting cannot be called 'name'",
    "f = 1.0": "Rule.f has no type, so that it is no setting: write f: float = 1.0",
    "f = np.sqrt(2)": "Rule.f has no type, so that it is no setting: write f: float = np.float64",
    "f = (1, 2)": "Rule.f has no type, so that it is no setting: write f: tuple[int, ...] = (1, 2)",
    "f: float = 'x'": "a default cannot be: Rule.f must be a finite number, but 'x' was given",
    "f: float = setting(-1.0, 'What.', above=0)": "Rule.f must be finite and greater than 0",
    "f: float = field(default_factory=lambda: 1 / 0)": "the default of Rule.f cannot be made: Zero",
    "f: float = field(default=1.0, init=False)": "Rule.f has init=False, so that nothing can set it",
    "f: Fine = field(default_factory=Fine)": "Rule.f: what has settings of its own must be of type Optimiser",
    "traits: ClassVar[Traits] = None": "Rule does not say what it needs of its network: give it traits",
}
BODIES = {  # a whole class: what is said of it
    "class Rule(_Base):\n    f: float = 1.0": "Rule has the setting 'f', but is no dataclass",
    "@dataclass(frozen=True)\nclass Rule(CreditAlgorithm):\n    f: float = 1.0": "Rule does not say",
    "@dataclass(frozen=True)\nclass Backprop(_Base):\n    pass": "taken by algorithms.backprop.Backprop",
    "@dataclass(frozen=True)\nclass Rule(Task):\n    f: complex = 1j": "Rule.f: complex is no type",
    "@dataclass(frozen=True)\nclass Rule(Optimiser):\n    f: complex = 1j": "Rule.f: complex is no type",
    "class Rulea(_Base):\n    pass\nclass RULEa(_Base):\n    pass": "'rulea' is taken by {}.Rulea",
    "class XOR(Task):\n    pass": "the name 'xor' is taken by harness.tasks.xor.Xor: give it another",
}
FILES = {  # a file that does not load: what is said of it
    "import sys\nsys.exit('bye')": "{}.py, line 2: SystemExit: bye",
    "x = 1\ndef (:": "SyntaxError: invalid syntax ({}.py, line 2)",
    "raise RuntimeError('not\\ntoday')": "{}.py, line 1: RuntimeError: not today",
    "import nothing_of_this_name": "{}.py, line 1: ModuleNotFoundError: No module named 'nothing_",
    HEAD
    + "@dataclass(frozen=True)\nclass Rule(_Base):\n    f = setting(1, 'What.')": "'f' is a field but has no",
    "from dataclasses import dataclass\nfrom harness import Task\n@dataclass\nclass A(Task):\n    pass": (
        "{}.py, line 3: TypeError: cannot inherit non-frozen dataclass from a frozen one"
    ),
}
RIGHT = {  # a field that simply works: its value
    "f: float = np.sqrt(2)": 2**0.5,
    "f: int = np.int64(3)": 3,
    "f: tuple[float, ...] = (np.float64(1), 2)": (1.0, 2.0),
    "f: float = field(default_factory=lambda: 2.0)": 2.0,
    "f: Literal['a', 'b'] = 'a'": "a",
    "f: Optional[float] = None": None,
    "f: ClassVar = [1]": [1],
}
_count = iter(range(10**6))


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Name a file of that text among the plug-ins, in a folder of its own; its module's name.

    What it registers, and where it is looked for, is forgotten after the test.
    """
    kept = [(known, dict(known)) for known in (UNITS, LOSSES, registry.OPTIMISERS, registry.homes)]
    before = list(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv(plugins.VARIABLE, "")

    def forget() -> None:
        for known in (registry.algorithms, registry.tasks, registry._found, registry.nested):
            known.cache_clear()

    def write(text: str, name: str = "") -> str:
        name = name or f"a_plug_in_{next(_count)}"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        plugins.name([str(tmp_path / f"{name}.py")])
        forget()
        registry.algorithms()
        return name

    yield write
    monkeypatch.undo()
    for known, then in kept:
        known.clear()
        known.update(then)
    for name in set(sys.modules) - set(before):
        if name.startswith("a_plug_in_"):
            del sys.modules[name]
    forget()
    registry.algorithms()


def rule(line: str) -> str:
    return f"{HEAD}@dataclass(frozen=True)\nclass Rule(_Base):\n    {line}\n"


@pytest.mark.parametrize("text", [*map(rule, FIELDS), *(HEAD + body for body in BODIES), *FILES])
def test_what_cannot_be_used_is_named_in_a_sentence_and_all_else_is_found(
    text: str, load: Callable[..., str]
) -> None:
    """Else one file takes every command down, or is not there and nobody says why."""
    said = {**{rule(k): v for k, v in FIELDS.items()}, **{HEAD + k: v for k, v in BODIES.items()}, **FILES}
    shipped = set(registry.algorithms()) | set(registry.tasks())
    name = load(text)
    ((what, why),) = registry.broken.items()
    assert name in what
    assert said[text].format(name) in why
    assert "\n" not in why
    assert shipped <= set(registry.algorithms()) | set(registry.tasks())
    if text not in FILES:
        assert "fine" in registry.algorithms()
        assert "rule" not in registry.algorithms()


@pytest.mark.parametrize("line", RIGHT)
def test_a_default_that_is_a_setting_in_another_guise_simply_works(
    line: str, load: Callable[..., str]
) -> None:
    load(rule(line))
    assert registry.broken == {}
    made = registry.build_algorithm({"name": "rule"})
    assert getattr(made, "f") == RIGHT[line]  # noqa: B009  # a class that mypy cannot know
    assert type(getattr(made, "f")) is type(RIGHT[line])  # noqa: B009


def test_units_and_losses_keep_their_names_from_others(load: Callable[..., str]) -> None:
    """A plug-in's `sigmoid` in the place of ours would change every record without a word."""
    sigmoid, squared = UNITS["sigmoid"], LOSSES["squared_error"]
    text = (
        "import numpy as np\nfrom harness import Unit, Loss\n"
        "sigmoid = Unit(np.tanh, lambda y, b: b, 0.0, 1.0)\n_private = Unit(np.tanh, np.multiply, 0.0, 1.0)\n"
        "a_kind_of_unit = Unit(np.tanh, lambda y, b: b, 0.0, 1.0)\nclass SquaredError(Loss):\n    pass\n"
    )
    name = load(text)
    assert UNITS["sigmoid"] is sigmoid
    assert LOSSES["squared_error"] is squared
    assert registry.homes["a_kind_of_unit"] == name
    assert "_private" not in UNITS
    assert set(registry.broken) == {f"{name}.sigmoid", f"{name}.SquaredError"}
    other = load(
        "import numpy as np\nfrom harness import Unit\na_kind_of_unit = Unit(np.sin, lambda y, b: b, 0, 1)\n"
    )
    assert registry.broken[f"{other}.a_kind_of_unit"].startswith(
        f"the name 'a_kind_of_unit' is taken by {name}"
    )


def test_modules_of_a_package_that_begin_with_an_underscore_are_what_the_others_share(
    load: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in a folder: what is only in them is no plug-in, and one that does not load harms none."""
    package = tmp_path / "on_the_path" / "a_package_that_shares"
    (package / "_inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "_shared.py").write_text(
        HEAD + "@dataclass(frozen=True)\nclass OnlyShared(_Base):\n    pass\n"
    )
    (package / "_inner" / "__init__.py").write_text("raise ValueError('nobody asked for this')\n")
    (package / "_apart.py").write_text("raise ValueError('nor for this')\n")
    (package / "a_rule.py").write_text(
        "from dataclasses import dataclass\nfrom a_package_that_shares._shared import OnlyShared\n"
        "@dataclass(frozen=True)\nclass OutOfShared(OnlyShared):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(package.parent))
    plugins.name([package.name])
    load("x = 1")
    assert registry.broken == {}
    assert "out_of_shared" in registry.algorithms()
    assert not {"only_shared", "fine"} & set(registry.algorithms())


def test_a_task_may_name_a_loss_of_a_later_module(load: Callable[..., str]) -> None:
    load(HEAD + "@dataclass(frozen=True)\nclass SomeTask(Task):\n    loss: str = 'loss_of_later'\n")
    load("from harness import Loss\nclass LossOfLater(Loss):\n    pass\n")
    assert registry.broken == {}
    assert "some_task" in registry.tasks()


def test_two_files_that_define_the_same_class(load: Callable[..., str]) -> None:
    first, second = load(rule("pass")), load(rule("pass").replace("Fine", "Fine2"))
    assert registry.broken == {f"{second}.Rule": f"the name 'rule' is taken by {first}.Rule: give it another"}


def test_a_file_with_the_name_of_another_module_is_told_to_be_renamed(load: Callable[..., str]) -> None:
    for name in ("random", "numpy", "algorithms"):
        load("x = 1", name)
    assert [why.partition(",")[0] for why in registry.broken.values()] == [
        f"{name!r} is the name of another module" for name in ("random", "numpy", "algorithms")
    ]


def test_a_plug_in_that_fails_is_forgotten_and_may_be_mended(
    load: Callable[..., str], tmp_path: Path
) -> None:
    """In a session that goes on: the second try is not held to the first."""
    file = tmp_path / "a_plug_in_mended.py"
    with pytest.raises(InputError, match=r"'.*a_plug_in_mended\.py' does not load: there is no such file"):
        registry.add_plugins(str(file))
    assert plugins.named() == []
    file.write_text(rule("pass"))
    assert registry.add_plugins(str(file)) == [str(file)]
    assert "rule" in registry.algorithms()
    with pytest.raises(InputError, match="has no commas"):
        registry.add_plugins("a,b")


def test_an_empty_folder_and_a_name_of_nothing(load: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="there is no file of Python in this folder"):
        registry.add_plugins(str(tmp_path / "empty"))
    for name in ("nothing_of_this_name", "nothing_of_this_name.rules"):
        with pytest.raises(InputError, match=f"there is no file, folder or module {name!r}"):
            registry.add_plugins(name)


def test_an_installed_plug_in_that_does_not_load_is_named_with_its_package(
    load: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("rules", "nothing_of_this_name", plugins.GROUP)
    monkeypatch.setattr(plugins, "points", lambda: [point])
    load(rule("pass"))
    ((what, why),) = registry.broken.items()
    assert what.startswith("plug-in 'rules' of ")
    assert why == "there is no file, folder or module 'nothing_of_this_name'"
    assert "rule" in registry.algorithms()


def test_every_shipped_setting_is_one_that_plug_ins_may_have() -> None:
    """The rule that plug-ins are held to is no stricter than what we do ourselves."""
    assert registry.broken == {}
    assert is_setting(GradientDescent)
    assert len(registry.algorithms()) > 20


# in commands
# ----------------------------------------------------------------------------------------------------------


EXAMPLE = ROOT / "examples" / "plugin" / "src" / "harness_example"
SMALL = "run.replicas=4 run.epochs=5 tracking.enabled=false figures=false"


def record(done: Done) -> str:
    """The last line: which record, and whether it was made earlier."""
    assert done.code == 0, done
    return done.out.splitlines()[-1]


def test_every_command_takes_plug_ins_and_a_record_follows_their_code(tmp_path: Path) -> None:
    """In a folder that has an algorithms/ and a conf/ of its own, which would end everything."""
    rules = tmp_path / "rules"
    shutil.copytree(EXAMPLE, rules, ignore=shutil.ignore_patterns("__*"))
    for name, text in (("algorithms/__init__.py", "raise SystemExit(7)"), ("conf/config.yaml", "x: 1")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    cell = "plugins=[rules] algorithm=dropped_transport algorithm/optimiser=rms_step task=majority"
    chosen = "plugins=[rules] task=majority"
    sweep = f"python -m harness -m plugins=[rules] task=majority {SMALL} figures=false"
    given = {
        "run": f"python -m harness {cell} {SMALL}",
        "again": f"python -m harness {cell} {SMALL}",
        "cost": f"python -m harness.cost {chosen} algorithm=dropped_transport",
        "credit": f"python -m harness.credit {chosen} algorithm=dropped_transport draws=50",
        "catalog": "python -m harness.catalog plugins=[rules]",
        "jax": f"python -m harness {cell} {SMALL} run.backend=jax",
        "joblib": f"{sweep} algorithm=dropped_transport run.seed=1 hydra/launcher=joblib study.name=first",
        "processes": f"{sweep} 'algorithm=glob(dr*)' run.seed=2 hydra.launcher.n_jobs=1 study.name=second",
        "many": f"python -m harness {cell} {SMALL} run.replicas=80 run.processes=2 run.seed=3",
    }
    came = dict(zip(given, commands(tmp_path, *given.values()), strict=True))
    assert [(name, each.code, each.said) for name, each in came.items() if each.code or each.said] == []
    assert "(made earlier)" in record(came["again"])
    assert "dropped_transport on majority" in came["cost"].out
    assert "dropped_transport on majority: 50 draws" in came["credit"].out
    for name in ("dropped_transport", "majority", "rms_step", "log_cosh"):
        assert f"  {name} " in came["catalog"].out
    assert "softsign" in came["catalog"].out
    assert all(len(line) < 160 for line in came["catalog"].out.splitlines())
    assert "backend   jax" in came["jax"].out
    for name in ("joblib", "processes"):
        assert "dropped_transport  " in came[name].out
    assert "80 replicas" in came["many"].out


def test_help_lists_plug_ins_and_says_what_their_settings_are(tmp_path: Path) -> None:
    chosen = f"plugins=[{EXAMPLE}] algorithm=dropped_transport task=majority"
    (said,) = commands(tmp_path, f"python -m harness {chosen} --help")
    assert re.search("^algorithm: .*dropped_transport", said.out, re.M)
    assert re.search("^task: .*majority", said.out, re.M)
    assert "algorithm.share=0.3" in said.out


def test_what_changes_in_a_plug_in_or_beside_it_makes_another_record(tmp_path: Path) -> None:
    """Else old numbers are served for a new rule. In new processes: what is loaded stays."""
    rules = tmp_path / "rules"
    shutil.copytree(EXAMPLE, rules, ignore=shutil.ignore_patterns("__*"))
    (rules / "beside.py").write_text("SHARE = 0.3\n")
    file = rules / "dropped_transport.py"
    text = file.read_text(encoding="utf-8").replace("setting(0.3", "setting(SHARE")
    file.write_text(text.replace("import numpy as np", "import numpy as np\nfrom beside import SHARE"))
    edits = [
        ("units.py", '"""A kind', '"""Some kind', "same"),
        ("units.py", "1.0 + np.abs", "1.5 + np.abs", "other"),
        ("losses.py", "np.tanh(y - target)", "np.tanh(y - target) + 0.0", "other"),
        ("rms_step.py", "1e-8", "1e-7", "other"),
        ("beside.py", "SHARE = 0.3", "SHARE = 0.3\nMORE = 1", "other"),
    ]  # fmt: skip
    seen: list[str] = [names_of(rules)]
    for name, old, new, outcome in edits:
        text = (rules / name).read_text(encoding="utf-8")
        assert old in text
        (rules / name).write_text(text.replace(old, new))
        now = names_of(rules)
        assert (now == seen[-1]) == (outcome == "same"), name
        seen.append(now)
    assert len(set(seen)) == len(edits)


NAMES = """
import sys
from harness.cells.cell import Cell
from harness.core import registry
registry.add_plugins(sys.argv[1])
rule = {"name": "dropped_transport", "optimiser": {"name": "rms_step"}}
print(Cell.of(rule, {"name": "majority"}, {"replicas": 4}).id)
"""


def names_of(rules: Path) -> str:
    """What the record of a cell of these plug-ins would be called, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", NAMES, str(rules)],
        env=os.environ | {"PYTHONPATH": str(ROOT), plugins.VARIABLE: ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


RAISES = (
    HEAD
    + """
@dataclass(frozen=True)
class InInit(_Base):
    def init(self, net, params, rand):
        raise ValueError("in init")

@dataclass(frozen=True)
class InAppliesTo(_Base):
    def applies_to(self, task):
        return 1 / 0

@dataclass(frozen=True)
class Complex(_Base):
    f: complex = 1j
"""
)


def test_a_plug_in_that_is_broken_is_said_and_ends_only_what_asks_for_it(tmp_path: Path) -> None:
    """In a folder that has an algorithms.py of its own, which would end everything."""
    (tmp_path / "algorithms.py").write_text("raise SystemExit(7)")
    (tmp_path / "raises.py").write_text(RAISES)
    (tmp_path / "broken.py").write_text("def (:")
    small = "task=xor run.replicas=2 run.epochs=3 tracking.enabled=false"
    named, unknown, missing, mixed, init, credit, applies = commands(
        tmp_path,
        f"python -m harness {small} plugins=broken.py",
        f"python -m harness {small} plugins=[raises.py] algorithm=complex",
        f"python -m harness.credit {small} plugins=[nothing.py]",
        f"python -m harness {small} 'plugins=[1]'",
        f"python -m harness {small} plugins=[raises.py] algorithm=in_init",
        f"python -m harness.credit {small} algorithm=in_init,backprop",
        f"python -m harness {small} algorithm=in_applies_to",
    )
    assert (named.code, named.said) == (2, [f"harness: the plug-in 'broken.py' does not load: {SYNTAX}"])
    left_out = "harness: raises.Complex is left out: Complex.f: complex is no type of a setting"
    assert unknown.code == 2
    assert unknown.said[0].startswith(left_out)
    first, *_ = registry.algorithms()
    assert unknown.said[1].startswith(f"harness: unknown algorithm 'complex': allowed are {first}, ")
    assert (missing.code, missing.said[-1]) == (
        2,
        "harness: the plug-in 'nothing.py' does not load: there is no such file",
    )
    assert mixed.code == 2
    assert mixed.said[-1].startswith(
        "harness: plugins are files, folders or names of modules, but 1 was given"
    )
    assert init.code == 1
    assert "InInit.init raises ValueError: in init (raises.py:" in init.said[-1]
    assert credit.code == 1
    assert "ValueError: in init" in credit.said[-1]
    assert "backprop on xor" in credit.out
    assert (applies.code, applies.said[-1][:59]) == (
        2,
        "harness: in_applies_to on xor is no cell: ZeroDivisionError",
    )
    assert applies.said[-1].endswith(f"at raises.py:{1 + RAISES[: RAISES.index('1 / 0')].count(chr(10))}")
    went_on, swept, cost = commands(
        tmp_path,
        f"python -m harness {small}",
        f"python -m harness -m {small} algorithm=in_applies_to,fine,in_init figures=false",
        f"python -m harness.cost {small} algorithm=fine",
        HARNESS_PLUGINS="broken.py,raises.py",
    )
    assert (went_on.code, went_on.said[0]) == (0, f"harness: broken.py is left out: {SYNTAX}")
    assert went_on.said[1].startswith(left_out)
    assert swept.code == 1, "two cells failed, and the third has its record"
    failed = [line.split(" ")[1:3] for line in swept.said if " failed: " in line]
    assert [(cell.split("-")[1], word) for cell, word in failed] == [
        ("in_applies_to", "failed:"),
        ("in_init", "failed:"),
    ]
    assert "\nfine " in swept.out
    assert (cost.code, cost.said) == (0, went_on.said)


def test_a_rule_that_raises_does_not_end_the_list_of_what_compiles(
    load: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(RAISES)
    some = {
        name: cls
        for name, cls in registry.algorithms().items()
        if name in ("in_init", "in_applies_to", "fine")
    }
    monkeypatch.setattr(registry, "algorithms", lambda: some)
    reasons = compiles()
    assert reasons["fine"] == ("xor", "")
    assert reasons["in_init"][1].startswith("its code raises ValueError: in init at a_plug_in")
    assert reasons["in_applies_to"][1].startswith("in_applies_to on xor is no cell: ZeroDivisionError: ")


def test_a_rule_for_one_kind_of_unit_is_looked_at_with_units_of_that_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RFLO is for leaky units, which are no task's usual ones."""
    some = {"rflo": registry.algorithms()["rflo"]}
    monkeypatch.setattr(registry, "algorithms", lambda: some)
    assert compiles() == {"rflo": ("add_task, units=leaky", "")}


SYNTAX = "SyntaxError: invalid syntax (broken.py, line 1)"
