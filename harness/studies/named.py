"""Plug-ins that a command line names: `plugins=[rule.py,mypkg.rules]`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.core import registry
from harness.core.errors import InputError


def load_plugins(overrides: Iterable[str]) -> list[str]:
    """Load the plug-ins that are named, those of HARNESS_PLUGINS and installed ones included.

    Args:
        overrides: a command line's; those that are not about plug-ins are not looked at.

    Returns:
        All plug-ins that are named by now.

    Raises:
        InputError: for a plug-in that does not load, with the reason.
    """
    named = [each for each in overrides if each.partition("=")[0].lstrip("+") == "plugins"]
    given: list[str] = []
    if named:
        # here: the catalog needs no Hydra
        from hydra.core.override_parser.overrides_parser import OverridesParser

        for override in OverridesParser.create().parse_overrides(named):
            value = override.value()
            given += value if isinstance(value, list) else [value]
        for each in given:
            if not isinstance(each, str):
                raise InputError(f"plugins are files, folders or names of modules, but {each!r} was given")
    return registry.add_plugins(*given)


def whole_names() -> list[str]:
    """All plug-ins that are named by now, files and folders by their whole paths: for processes that are
    started elsewhere.
    """
    return [
        str(Path(each).expanduser().absolute()) if Path(each).expanduser().exists() else each
        for each in registry.add_plugins()
    ]
