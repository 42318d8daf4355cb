"""Held to docs/extend.md as somebody takes it who adds a rule of their own: its blocks are saved and run as
they stand, and so is what `python -m harness.new` writes, with the commands that it prints."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.cli import new
from harness.core.errors import InputError
from helpers.commands import Done, commands
from helpers.repository import ROOT

PAGE = (ROOT / "docs" / "extend.md").read_text(encoding="utf-8")
FILES = {
    match[1]: match[0]
    for text in re.findall(r"```python\n(.*?)```", PAGE, re.S)
    if (match := re.match(r"# (\S+\.py)\n", text) and (text, text.split()[1]))
}
CELLS = [text for text in re.findall(r"```python\n(.*?)```", PAGE, re.S) if not text.startswith("# ")]
LINES = [line for text in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in text.splitlines()]


def quick(line: str) -> str:
    """A command that keeps off MLflow, figures and other processes."""
    if not line.startswith("python -m harness "):
        return line
    added = " tracking.enabled=false"
    return (
        line + added + (" hydra/launcher=basic figures=false study.name=ring" if " -m task" in line else "")
    )


def save(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(FILES[name], encoding="utf-8")


def ran(folder: Path, word: str, **more: list[Path]) -> list[Done]:
    """What comes of the commands of the page in which a word is; every one of them does what it says."""
    lines = [quick(line) for line in LINES if re.search(word, line)]
    done = commands(folder, *lines, **more)
    assert [(each.command, each.code, each.said) for each in done if each.code or each.said] == []
    assert len(done) == len([line for line in lines if not line.startswith("export")]) > 0
    return done


def test_the_page_has_every_part_and_every_line_of_it_is_run() -> None:
    for part in ("CreditAlgorithm", "Task", "Optimiser", "Loss", "Edge", "Unit"):
        assert any(re.search(rf"\({part}\):|= {part}\(|import .*{part}", text) for text in FILES.values()), (
            part
        )
    assert [
        line
        for line in LINES
        if not re.search("half_way|rules|own/|late/|task=ring|task=table|with_jax|with_torch", line)
    ] == []


def test_a_file_in_algorithms_is_one_of_ours(tmp_path: Path) -> None:
    """A clone in which ours are, and one more."""
    (tmp_path / "algorithms").mkdir()
    for path in (ROOT / "algorithms").glob("*.py"):
        (tmp_path / "algorithms" / path.name).symlink_to(path)
    for name in ("harness", "conf", "hydra_plugins"):
        (tmp_path / name).symlink_to(ROOT / name)
    save(tmp_path, "algorithms/half_way.py")
    (done,) = ran(tmp_path, "half_way", path=[tmp_path])
    assert done.out.startswith("half_way on xor: 20 replicas")
    (tmp_path / "algorithms" / "faulty.py").write_text("import sys\nsys.exit()\n")
    (catalog,) = commands(tmp_path, "python -m harness.catalog", path=[tmp_path])
    assert catalog.said == ["harness: algorithms.faulty is left out: faulty.py, line 2: SystemExit"]
    assert "  half_way " in catalog.out
    assert "  backprop " in catalog.out


def test_a_plug_in_from_anywhere_does_all_that_ours_do(tmp_path: Path) -> None:
    save(tmp_path, "rules/ring.py", "rules/nesterov.py")
    file, folder, credit, catalog, sweep, check = ran(tmp_path, "rules|task=ring")
    assert file.out.startswith("backprop on ring: 20 replicas")
    assert "settings  nesterov, lr=0.2, mu=0.9" in folder.out
    # the loss, the unit and the edge agree with differences of the loss to nine digits in the weights' credit
    total = re.search(r"^total +\d+ +(\S+) +(\S+) +(\S+) +(\S+)", credit.out, re.M)
    assert total is not None
    assert float(total[1]) == 0
    assert float(total[4]) > 8
    assert "algorithm.optimiser.mu=0.9" in catalog.out
    assert "squared_error, cross_entropy, log_cosh" in catalog.out
    assert "shallow" in sweep.out
    assert check.out.startswith("backprop on ring: 54 checks, ")
    assert "# Checks of backprop" in (tmp_path / "checks.md").read_text(encoding="utf-8")


def test_a_task_in_time_is_a_plug_in_like_another(tmp_path: Path) -> None:
    """Solved by most networks; and its credit agrees with differences of the loss to nine digits."""
    save(tmp_path, "late/echo.py")
    run, credit = ran(tmp_path, "late/")
    assert run.out.startswith("backprop on echo: 20 replicas")
    total = re.search(r"^total +\d+ +(\S+) +(\S+) +(\S+) +(\S+)", credit.out, re.M)
    assert total is not None
    assert float(total[4]) > 8


def test_a_rule_declares_identities(tmp_path: Path) -> None:
    """They hold; and the check kit, which measures them, is told by the last line."""
    save(tmp_path, "own/fading.py")
    (measured,) = ran(tmp_path, "own/")
    assert "✓ nothing_fades (exact): the same bits" in measured.out
    assert measured.out.endswith("3 identities: 3 hold, 0 do not, 0 were not measured\n")


def test_a_table_is_a_task(tmp_path: Path) -> None:
    (done,) = ran(tmp_path, "task=table")
    assert done.out.startswith("backprop on table (hidden=(6, 4)): 4 replicas")


def test_a_class_of_a_notebook_cell_runs(tmp_path: Path) -> None:
    save(tmp_path, "rules/ring.py")
    for cells in ([CELLS[0]], CELLS):
        text = "\n".join(cells)
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", text],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("rounded on xor: 20 replicas")


@pytest.mark.slow
@pytest.mark.parametrize(("library", "folder"), [("jax", "with_jax"), ("torch", "with_torch")])
def test_another_library_inside_a_rule_finds_the_gradient(library: str, folder: str, tmp_path: Path) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed: the rule that uses it is shown, and not run")
    name = f"{folder}/{library}_gradient.py"
    save(tmp_path, name)
    run, credit = ran(tmp_path, folder)
    assert "not counted" in run.out
    total = re.search(r"^total +9 +(\S+) +1.00 +1.00 ", credit.out, re.M)
    assert total is not None
    assert float(total[1]) < 1e-6  # degrees: another library's rounding


@pytest.mark.slow
def test_what_new_writes_runs_as_it_is(tmp_path: Path) -> None:
    """The files and the commands beside them, as printed, in small."""
    small, sweep = (
        " run.replicas=4 run.epochs=20 tracking.enabled=false",
        " figures=false hydra/launcher=basic",
    )
    given: list[str] = []
    for kind in ("algorithm", "task", "optimiser"):
        first, *said = new.write([kind, f"my_{kind}"], tmp_path)
        assert first == f"my_{kind}.py is written, and runs as it is"
        written = (tmp_path / f"my_{kind}.py").read_text(encoding="utf-8")
        assert len(written.splitlines()) < 40
        assert f"class My{kind.capitalize()}(" in written
        given += ["python" + line.partition("python")[2] for line in said]
    assert len(given) == 9
    given = [line + (small if " harness " in line else "") for line in given]
    given = [
        line + (f"{sweep} study.name=my_{i}" if " -m plugins" in line else "") for i, line in enumerate(given)
    ]
    done = commands(tmp_path, *given)
    assert [(each.code, each.said) for each in done] == [(0, [])] * 9, done
    assert "my_algorithm on xor: 4 replicas" in done[0].out
    assert "my_algorithm on xor: 4 networks" in done[1].out
    assert "my_algorithm" in done[2].out
    assert "backprop on my_task" in done[3].out
    assert "settings  my_optimiser, lr=0.5, mu=0.9" in done[6].out
    assert "algorithm.optimiser.mu=0.9" in done[7].out


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "new takes one of algorithm, task, optimiser, and a name, .* but nothing was given"),
        ("algoritm my_rule", "unknown kind of plug-in 'algoritm': .*did you mean 'algorithm'"),
        ("algorithm backprop", "taken by algorithms.backprop.Backprop: give another"),
        ("task xor", "taken by harness.tasks.xor.Xor"),
        ("optimiser adam", "taken by harness.core.optimisers.Adam"),
        ("algorithm my-rule", "small letters, digits and _, .* but 'my-rule' was given"),
        ("algorithm ../my_rule", "but '../my_rule' was given"),
        ("algorithm class", "no word of Python's, but 'class' was given"),
        ("algorithm MyRule", "the class Myrule would be called 'myrule'"),
        ("algorithm rule_2", "give 'rule2'"),
        ("algorithm random", "'random' is the name of another module"),
        ("algorithm my_rule now", "but algorithm my_rule now was given"),
    ],
)
def test_new_refuses_in_one_sentence_and_writes_nothing(given: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        new.write(shlex.split(given), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_new_leaves_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "my_rule.py").write_text("mine")
    with pytest.raises(InputError, match=r"my_rule.py is there already, and is left as it is"):
        new.write(["task", "my_rule"], tmp_path)
    assert (tmp_path / "my_rule.py").read_text() == "mine"


def test_new_ends_with_code_2_and_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["harness.new", "algorithm"])
    main: Callable[[], None] = new.main
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
