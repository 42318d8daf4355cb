"""The house has floors: a room imports rooms on lower floors only, so there is no circle of rooms.

Every import counts, those inside functions too; only what is there for type checkers alone does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from helpers.repository import ROOT

FLOORS: tuple[tuple[str, ...], ...] = (
    ("core",),
    ("algorithms", "tasks", "statistics", "cells"),
    ("training", "drawing"),
    ("compiling", "cost", "credit"),
    ("experiment", "tuning", "identities"),
    ("store", "checks"),
    ("results", "studies", "inspection"),
    ("replication",),
    ("plots",),
    ("answers", "pages"),
    ("cli",),
    ("doors",),
)
"""From the ground up, as in docs/design.md. Doors: the face `harness`, `python -m harness.…`, and Hydra's
plugins."""
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
NEVER = {"experiment": {"store"}, "store": {"plots"}}
NEVER |= {room: {"store"} for room in ("plots", "answers", "pages")}
"""Said aloud, floors or not: experiments know no files, a store no figures; figures, answers and pages take
frames, or what these are made of."""


def room_of(module: str) -> str | None:
    """The room a module is in; None for what is not ours."""
    parts = module.split(".")
    if parts[0] == "harness":
        inside = ROOT / "harness" / parts[1] if len(parts) > 1 else ROOT
        return parts[1] if inside.is_dir() and inside != ROOT and parts[-1] != "__main__" else "doors"
    return {"algorithms": "algorithms", "hydra_plugins": "doors"}.get(parts[0])


@cache
def imports(path: Path) -> tuple[str, ...]:
    """The modules that a file imports anywhere, but for type checkers. A package's own name, `import
    harness`, is no import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in [
        n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)
    ]:
        node.body = []
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name != "harness"]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively, which the hash of the code does not follow"
            within = node.module == "harness"
            found += [f"harness.{alias.name}" for alias in node.names] if within else [str(node.module)]
    return tuple(found)


def arrows() -> Iterator[tuple[str, str, str]]:
    """Room, what one of its files imports of another room, and that room."""
    for path in sorted(
        p for name in ("harness", "algorithms", "hydra_plugins") for p in (ROOT / name).rglob("*.py")
    ):
        own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
        for module in imports(path):
            other = room_of(module)
            if own and other and other != own:
                yield own, f"{path.relative_to(ROOT)} imports {module}", other


def test_every_room_has_a_floor_and_there_are_few() -> None:
    rooms = {p.name for p in (ROOT / "harness").iterdir() if (p / "__init__.py").is_file()}
    assert rooms | {"algorithms", "doors"} == set(FLOOR)
    assert len(FLOORS) <= 12


def test_a_room_imports_rooms_on_lower_floors_only() -> None:
    assert [
        said for own, said, other in arrows() if FLOOR[other] >= FLOOR[own] or other in NEVER.get(own, ())
    ] == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Inside a room, too, and for type checkers as well."""
    files = [p for name in ("harness", "algorithms", "hydra_plugins") for p in (ROOT / name).rglob("*.py")]
    modules = {
        ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in files
    }
    of: dict[str, set[str]] = {}
    for module, path in modules.items():
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= inner & modules.keys() or {str(node.module)}
                found |= {str(node.module)} if inner - modules.keys() else set()
        of[module] = (found & modules.keys()) - {module, "harness"}  # the face, which loads when asked
    TopologicalSorter(of).prepare()  # raises `CycleError`, which names the circle


def test_algorithms_and_tasks_import_only_the_core() -> None:
    assert [said for own, said, other in arrows() if own in ("algorithms", "tasks") and other != "core"] == []


def test_the_core_imports_numpy_and_nothing_else_that_is_installed() -> None:
    import sys

    found = {m.split(".")[0] for p in (ROOT / "harness" / "core").glob("*.py") for m in imports(p)}
    assert found - set(sys.stdlib_module_names) <= {"harness", "numpy"}
