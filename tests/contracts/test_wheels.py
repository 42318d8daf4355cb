"""Held to what `pip install` gives: the harness and the example of a plug-in, built as wheels and installed
into an empty folder, run from another empty folder as the pages say."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

from helpers.commands import commands
from helpers.repository import ROOT

EXAMPLE = ROOT / "examples" / "plugin"


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    quiet = os.environ | {"PIP_ROOT_USER_ACTION": "ignore", "PIP_NO_INPUT": "1"}
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Built as they stand, with what is here: nothing is fetched."""
    if find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed, which builds wheels: pip install -e '.[test]'")
    folder = tmp_path_factory.mktemp("wheels")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, ROOT, EXAMPLE)
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    pip("install", "--no-deps", "--no-index", "--no-compile", "--target", folder, *wheels)
    return folder


def test_the_wheel_has_all_that_a_clone_runs_on(wheels: list[Path]) -> None:
    """Files that are no modules are easily forgotten."""
    names = {name for wheel in wheels for name in ZipFile(wheel).namelist()}
    for room, inside in (("conf", "harness/conf"), ("algorithms", "algorithms"), ("harness", "harness")):
        wanted = [
            path for path in (ROOT / room).rglob("*") if path.is_file() and "__pycache__" not in path.parts
        ]
        assert wanted
        assert {f"{inside}/{path.relative_to(ROOT / room).as_posix()}" for path in wanted} <= names
    assert not {name for name in names if name.startswith(("tests/", "examples/", "docs/"))}


def test_what_is_installed_runs_from_an_empty_folder(site: Path, tmp_path: Path) -> None:
    small = "run.replicas=4 run.epochs=5 tracking.enabled=false"
    catalog, rule, new, mine = commands(
        tmp_path,
        "python -m harness.catalog",
        f"python -m harness algorithm=dropped_transport algorithm/optimiser=rms_step task=majority {small}",
        "python -m harness.new algorithm my_rule",
        f"python -m harness plugins=my_rule.py algorithm=my_rule task=xor {small}",
        path=[site],
    )
    for name in ("backprop", "xor", "first_light", "dropped_transport", "majority", "rms_step", "log_cosh"):
        assert f"  {name} " in catalog.out
    for each in (catalog, rule, new, mine):
        assert (each.code, each.said) == (0, [])
    assert "dropped_transport on majority: 4 replicas" in rule.out
    assert "my_rule on xor: 4 replicas" in mine.out


def test_the_example_passes_its_own_tests(site: Path) -> None:
    check = "import harness, harness_example, sys; print(harness.__file__, harness_example.__file__)"
    env = os.environ | {"PYTHONPATH": str(site), "HARNESS_PLUGINS": "", "PYTHONDONTWRITEBYTECODE": "1"}
    where = subprocess.run(
        [sys.executable, "-c", check], cwd=site, env=env, capture_output=True, text=True, check=True
    ).stdout.split()
    assert [Path(each).parent.parent for each in where] == [site, site]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(EXAMPLE)],
        cwd=site,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout
