"""Our own packages of algorithms and tasks, whatever the folder that a command runs in has of these names.

Python looks there first: a folder `algorithms`, or a file algorithms.py, would stand in the place of ours.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parents[2]
SHIPPED = {"algorithms": HERE / "algorithms", "harness.tasks": HERE / "harness" / "tasks"}


def package(name: str) -> ModuleType:
    """A package of ours. Another of that name is not run; if it was imported before, ours joins it."""
    folder = SHIPPED[name]
    if name not in sys.modules:
        spec = spec_from_file_location(name, folder / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    module = sys.modules[name]
    places = list(getattr(module, "__path__", ()))
    if str(folder) not in places:
        module.__path__ = [str(folder), *places]
    return module
