"""Held to what a changed line means: it changes the id of the cells that it takes part in, and of no others;
words do not."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import linecache
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from algorithms.backprop import Backprop
from harness.cells import code_version as versions
from harness.cells import reading
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.cells.syntax import lasting, meaning
from harness.core.errors import InputError
from harness.tasks.xor import Xor
from helpers.repository import ROOT

XOR: dict[str, Any] = {"name": "xor"}
RULE = '''
    """A rule."""
    from dataclasses import dataclass
    from algorithms.backprop import Backprop
    {imports}

    @dataclass(frozen=True)
    class Rule(Backprop):
        """Its words."""
        def remember(self, net, params, rand):
            return {value}
'''


# What is shipped

AS_IT_IS: dict[str, Any] = {}


@pytest.fixture
def id_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The id of a cell whose modules of some names have other source; what is not changed is read once."""
    source = versions._source

    def ask(
        change: Callable[[str], str],
        *modules: str,
        algorithm: str = "backprop",
        task: str = "xor",
        **run: Any,
    ) -> str:
        known = {name: piece for name, piece in AS_IT_IS.items() if name not in modules}
        monkeypatch.setattr(versions, "_known", known if modules else AS_IT_IS)
        monkeypatch.setattr(
            versions, "_source", lambda spec: (change if spec.name in modules else str)(str(source(spec)))
        )
        return Cell.of({"name": algorithm}, {"name": task}, {"replicas": 5, "epochs": 40, **run}).id

    return ask


@pytest.mark.parametrize(
    ("module", "cell"),
    [
        ("algorithms.backprop", {}),
        ("algorithms.backprop", {"algorithm": "checkpointed_backprop"}),  # which is made of it
        ("algorithms._boltzmann_machine", {"algorithm": "mean_field"}),
        ("harness.tasks.xor", {}),
        ("harness.tasks.digits", {"task": "digits"}),
        ("harness.tasks.deep_chain", {"task": "deep_chain"}),
        ("harness.experiment.run", {}),
        ("harness.training.trainer", {}),
        ("harness.core.network", {}),
        ("harness.core.kernels", {}),
        ("harness.core.rand", {}),
        ("harness.core.optimisers", {}),
        ("harness.core.task", {}),
        ("harness.credit.probe", {"probe": 3}),
        ("harness.credit.reference", {"probe": 3}),
        ("harness.compiling.driver", {"backend": "jax"}),
        ("harness.compiling.program", {"backend": "auto"}),
    ],
)
def test_a_changed_line_of_what_takes_part_is_another_cell_and_new_words_are_not(
    module: str, cell: dict[str, Any], id_with: Callable[..., str]
) -> None:
    as_it_is = id_with(str, **cell)
    assert id_with(lambda source: source + "\n\nz = 3\n", module, **cell) != as_it_is
    assert (
        id_with(lambda source: '"""New words."""\n' + source + "\n# better said\n", module, **cell)
        == as_it_is
    )


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("±spread.", "±spread, once and for all.", True),
        ("setting(0.5", "setting(0.25", False),
        ("above=0", "at_least=0", False),
    ],
)
def test_another_sentence_on_a_setting_recomputes_nothing(
    old: str, new: str, same: bool, id_with: Callable[..., str]
) -> None:
    module = "algorithms.feedback_alignment"
    given = {"algorithm": "feedback_alignment"}
    assert (
        id_with(lambda source: source.replace(old, new), module, **given) == id_with(str, **given)
    ) is same


@pytest.mark.parametrize(
    "module",
    [
        "harness.credit.probe",
        "harness.compiling.driver",
        "harness.tasks.symmetry",
        "algorithms.perceptron",
        "harness.store.record",
        "harness.store.store",
        "harness.results.table",
        "harness.store.mlflow_send",
        "harness.cli.app",
        "harness.experiment.summary",
    ],
)
def test_a_changed_line_elsewhere_recomputes_nothing(module: str, id_with: Callable[..., str]) -> None:
    assert id_with(lambda source: source + "\n\nz = 3\n", module) == id_with(str)


# What others bring


def cell(rule: type) -> Cell:
    return Cell(*resolve(rule(), Xor(), Settings(replicas=2, epochs=3)))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to import from, and nothing stays imported."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(place: Path, **files: str) -> None:
    for name, text in files.items():
        file = place / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))


def imported(module: str, name: str = "Rule") -> type:
    """A class of a module that is read anew, and all that lies beside it with it."""
    importlib.invalidate_caches()
    for known in [
        m
        for m in sys.modules
        if m.partition(".")[0] in (module.partition(".")[0], "beside", "numbers_of_mine")
    ]:
        del sys.modules[known]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sys, "dont_write_bytecode", True
        )  # files of one second and size would be taken for one another
        thing = getattr(importlib.import_module(module), name)
    assert isinstance(thing, type)
    return thing


IMPORTS = {
    "absolute": "from mypkg.helpers import spread",
    "as a module": "import mypkg.helpers; spread = mypkg.helpers.spread",
    "relative": "from .helpers import spread",
    "of the package": "from . import helpers; spread = helpers.spread",
    "all of it": "from .helpers import *",
    "two steps": "from .between import spread",
    "from below": "from .deep.er import spread",
}


@pytest.mark.parametrize("imports", IMPORTS.values(), ids=IMPORTS)
def test_a_package_is_followed_through_its_own_modules(imports: str, place: Path) -> None:
    (place / "mypkg" / "deep").mkdir(parents=True)
    write(
        place,
        mypkg__init="",
        mypkg__rules=RULE.format(imports=imports, value="spread"),
        mypkg__helpers="from .constants import HALF\nspread = HALF\n",
        mypkg__constants="HALF = 0.5\n",
        mypkg__between="from .helpers import spread\n",
        mypkg__deep__er="from ..helpers import spread\n",
        mypkg__other="z = 1\n",
        elsewhere="z = 1\n",
    )
    (place / "mypkg" / "init.py").rename(place / "mypkg" / "__init__.py")
    (place / "mypkg" / "deep" / "__init__.py").write_text("")
    base = cell(imported("mypkg.rules")).id
    assert cell(imported("mypkg.rules")).id == base
    write(place, mypkg__other="z = 2\n", elsewhere="z = 2\n")
    assert cell(imported("mypkg.rules")).id == base, "nobody imports these"
    write(place, mypkg__helpers='"""Words."""\nfrom .constants import HALF  # a half\nspread = HALF\n')
    assert cell(imported("mypkg.rules")).id == base
    write(place, mypkg__constants="HALF = 0.25\n")
    second = cell(imported("mypkg.rules")).id
    assert second != base
    (place / "mypkg" / "__init__.py").write_text("import os\n")
    assert cell(imported("mypkg.rules")).id not in (base, second), "the package itself runs first"


def test_imports_inside_a_function_of_a_plug_in_count(place: Path) -> None:
    rule = RULE.format(imports="", value="__import__('sys') and self.late()") + (
        "    def late(self):\n            from beside import spread\n            return spread\n"
    )
    write(place, my_rule=rule, beside="spread = 1\n")
    base = cell(imported("my_rule")).id
    write(place, beside="spread = 2\n")
    assert cell(imported("my_rule")).id != base


def from_path(file: Path, *, known: bool) -> type:
    """The rule of a file that is loaded by its path, as a name that `sys.modules` knows or does not."""
    spec = importlib.util.spec_from_file_location("loaded_by_path", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.pop("beside", None)
    if known:
        sys.modules["loaded_by_path"] = module
    importlib.invalidate_caches()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        spec.loader.exec_module(module)
    return module.Rule  # type: ignore[no-any-return]


@pytest.mark.parametrize("known", [True, False])
def test_a_single_file_is_followed_to_what_lies_beside_it(known: bool, place: Path) -> None:
    write(
        place,
        my_rule=RULE.format(imports="import beside", value="beside.spread"),
        beside="spread = 1\n",
        other="z = 1\n",
    )
    base = cell(from_path(place / "my_rule.py", known=known)).id
    write(place, other="z = 2\n")
    assert cell(from_path(place / "my_rule.py", known=known)).id == base
    write(place, beside="spread = 2\n")
    second = cell(from_path(place / "my_rule.py", known=known)).id
    assert second != base
    write(place, my_rule=RULE.format(imports="import beside", value="2 * beside.spread"))
    assert cell(from_path(place / "my_rule.py", known=known)).id not in (base, second)


def test_a_task_and_an_optimiser_of_somebody_else_count(place: Path) -> None:
    task = """
        from dataclasses import dataclass
        from harness.tasks.xor import Xor
        @dataclass(frozen=True)
        class Mine(Xor):
            def right(self, y, data):
                return super().right(y, data){end}
    """
    optimiser = """
        from dataclasses import dataclass
        from harness.core.optimisers import GradientDescent
        @dataclass(frozen=True)
        class Steps(GradientDescent):
            {body}
    """
    write(place, my_task=task.format(end=""), my_steps=optimiser.format(body="pass"))

    def ask() -> str:
        parts = (
            Backprop(imported("my_steps", "Steps")(lr=0.1)),
            imported("my_task", "Mine")(),
            Settings(replicas=2, epochs=3),
        )
        return Cell(*resolve(*parts)).id

    found = [ask(), ask()]
    write(place, my_task=task.format(end=" & True"))
    found.append(ask())
    write(place, my_steps=optimiser.format(body="_z = 1"))
    found.append(ask())
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_a_running_process_is_known_by_what_it_loaded(place: Path) -> None:
    """A rule that is edited while it runs is still the old rule; loaded again, it is the new one."""
    write(place, my_rule=RULE.format(imports="", value="1"))
    rule = imported("my_rule")
    base = cell(rule).id
    write(place, my_rule=RULE.format(imports="", value="2"))
    assert cell(rule).id == base
    assert cell(imported("my_rule")).id != base


def test_a_script_is_the_same_in_the_processes_it_starts(tmp_path: Path) -> None:
    script = """
        from dataclasses import dataclass
        from multiprocessing import get_context
        from algorithms.backprop import Backprop
        from harness.cells.cell import Cell
        from harness.cells.settings import Settings
        from harness.cells.settings import resolve
        from harness.tasks.xor import Xor
        import beside

        @dataclass(frozen=True)
        class Rule(Backprop):
            spread: float = beside.spread

        def ask(_):
            return Cell(*resolve(Rule(spread=1.0), Xor(), Settings(replicas=2, epochs=3))).id

        if __name__ == "__main__":
            with get_context("spawn").Pool(1) as pool:
                print(ask(0), *pool.map(ask, [0]))
    """
    write(tmp_path, script=script, beside="spread = 1.0\n")

    def ask() -> list[str]:
        call = [sys.executable, str(tmp_path / "script.py")]
        done = subprocess.run(call, capture_output=True, text=True, check=True, cwd=tmp_path)
        return done.stdout.split()

    here, there = ask()
    assert here == there
    write(tmp_path, beside="spread = 2.0\n")
    assert ask() != [here, there]


# What was read before


def test_what_is_remembered_of_a_source_is_what_reading_it_gives(tmp_path: Path) -> None:
    """Of every source of the harness, written down by one process and read by the next."""
    first = reading.Memory.of(tmp_path / "folder" / "memory.json")
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "harness").rglob("*.py")]
    ways = [(package, lazily) for package in ("", "a.b") for lazily in (False, True)]
    some = [(source, *way) for source in sources[::9] for way in ways]
    for source, package, lazily in some:
        first.read(source, package, lazily=lazily)
    first.keep()
    then = reading.Memory.of(tmp_path / "folder" / "memory.json")
    assert len(then.known) == len(some)
    for source, package, lazily in some:
        assert then.read(source, package, lazily=lazily) == reading.read(source, package, lazily=lazily)
    assert not then.new, "nothing was read again"


def test_another_reader_remembers_nothing_of_this_one(tmp_path: Path) -> None:
    """Another Python, or another idea of what a source means."""
    before = reading.Memory.of(tmp_path / "memory.json")
    before.read("x = 1", "", lazily=True)
    before.keep()
    other = replace(reading.Memory.of(tmp_path / "memory.json"), how="otherwise")
    other.read("x = 1", "", lazily=True)
    assert other.new


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"key": 5}', '{"key": ["digest", 5]}'])
def test_a_memory_that_cannot_be_read_remembers_nothing_and_is_made_anew(tmp_path: Path, text: str) -> None:
    file = tmp_path / "memory.json"
    file.write_text(text)
    memory = reading.Memory.of(file)
    assert memory.known == {}
    said = memory.read("import os", "", lazily=True)
    assert said.imports == ("os",)
    memory.keep()
    assert list(reading.Memory.of(file).known.values()) == [said]


def test_a_disk_that_does_not_take_what_is_remembered_is_no_loss(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for file in (tmp_path / "file" / "memory.json", None):
        memory = reading.Memory.of(file)
        memory.read("x = 1", "", lazily=True)
        memory.keep()


# Where there is no file


class Notebook:
    """Cells run one after another in a `__main__` without a file, their lines known as IPython makes them
    known."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.module, self.count, self.patch = ModuleType("__main__"), 0, monkeypatch
        monkeypatch.setitem(sys.modules, "__main__", self.module)

    def run(self, text: str, *, known: bool = True) -> Any:
        self.count += 1
        name, text = f"/tmp/ipykernel_1/{self.count}.py", textwrap.dedent(text)
        if known:
            self.patch.setitem(linecache.cache, name, (len(text), None, text.splitlines(keepends=True), name))
        exec(compile(text, name, "exec"), vars(self.module))
        return vars(self.module).get("Rule")


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    return Notebook(monkeypatch)


def test_a_rule_from_a_notebook_is_known_by_its_source_and_what_that_refers_to(notebook: Notebook) -> None:
    rule = RULE.format(imports="import math", value="helped(SPREAD)")
    notebook.run(
        "import numpy as np\nSPREAD = 1.0\nOTHER = 1.0\ndef helped(x):\n    return np.tanh(x) * HALF\nHALF = "
        "0.5\n"
    )
    base = cell(notebook.run(rule)).id
    notebook.run("OTHER = 2.0\nprint")
    assert cell(notebook.run(rule.replace("Its words", "Other words"))).id == base
    notebook.run("SPREAD = 2.0")
    second = cell(notebook.run(rule)).id
    notebook.run("def helped(x):\n    return np.tanh(2 * x) * HALF\n")
    third = cell(notebook.run(rule)).id
    notebook.run("HALF = 0.25")
    fourth = cell(notebook.run(rule)).id
    fifth = cell(notebook.run(rule.replace("helped(SPREAD)", "2 * helped(SPREAD)"))).id
    assert len({base, second, third, fourth, fifth}) == 5


def test_a_notebook_is_followed_to_the_modules_beside_it(
    notebook: Notebook, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    found = []
    for spread in (1, 1, 2):
        write(place, beside=f"spread = {spread}\n")
        importlib.invalidate_caches()
        sys.modules.pop("beside", None)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        found.append(cell(notebook.run(RULE.format(imports="import beside", value="beside.spread"))).id)
    assert found[0] == found[1] != found[2]


def test_a_rule_whose_source_cannot_be_read_gets_one_sentence(notebook: Notebook) -> None:
    rule = notebook.run(RULE.format(imports="", value="1"), known=False)
    with pytest.raises(InputError, match=r"^Rule has no source that can be read.*define it in a file"):
        _ = cell(rule).id


@dataclass(frozen=True)
class Here(Backprop):
    """A rule in a file of tests."""


def test_a_file_of_tests_is_a_file() -> None:
    assert cell(Here).id == cell(Here).id != cell(Backprop).id


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("# why", "# a better reason"), True),
        (("What it is.", "What it is, in other words."), True),
        (("Old words.", "New words, more of them."), True),
        (("above=0", "at_least=0"), False),
        (("setting(1", "setting(2"), False),
    ],
)
def test_words_on_a_setting_change_no_meaning_and_its_range_does(change: tuple[str, str], same: bool) -> None:
    source = '"""Old words."""\ny = 1  # why\nx: int = setting(1, "What it is.", above=0)\n'
    assert (meaning(ast.parse(source)) == meaning(ast.parse(source.replace(*change)))) is same


def test_what_lasts_of_a_source_is_the_same_in_every_python() -> None:
    """A source with what newer versions of Python have more fields for; 3.11 and 3.13 made the hash.

    Comments, docstrings and sentences of settings are no part of it; a number is.
    """
    source = '''"""Words."""
from dataclasses import dataclass

@dataclass(frozen=True)
class Rule(Base):
    """More words."""
    rate: float = setting(0.5, "A sentence.", above=0)  # a comment
    def step(self, x, /, *rest, by=1, **more):
        return [f"{x!r:>{by}}" for x in rest if x] or (lambda: None)
'''
    assert lasting(source)[:12] == "3ee344d7a582"
    assert lasting(source.replace("A sentence.", "Another.").replace("More words", "x")) == lasting(source)
    assert lasting(source.replace("0.5", "0.25")) != lasting(source)
