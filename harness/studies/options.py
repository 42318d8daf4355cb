"""Hydra options from dataclass fields: algorithms, tasks, optimisers and run settings, no YAML.

Every algorithm found becomes an option of the group `algorithm`, its fields the option's settings; a
credit algorithm's optimiser is the nested group `algorithm/optimiser`. An option exists once, in the
ConfigStore, so that `glob(*)` sees each name once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, field, fields, is_dataclass, make_dataclass
from functools import cache
from typing import Any

import omegaconf
from hydra.core.config_store import ConfigStore

from harness.cells.settings import Settings
from harness.core import registry
from harness.core.algorithm import Algorithm
from harness.core.naming import snake_case
from harness.core.setting import fitted
from harness.studies.named import load_plugins


def prepare(overrides: Iterable[str]) -> None:
    """Have an option for everything there is, the plug-ins named by `plugins=…` among the overrides included.

    Args:
        overrides: a command line's; those that are not about plug-ins are not looked at.

    Raises:
        InputError: for a plug-in that does not load, with the reason.
    """
    register(tuple(load_plugins(overrides)))


@cache
def register(plugins: tuple[str, ...]) -> None:
    """Put an option for everything in the registry into Hydra's ConfigStore; once for the same plug-ins."""
    groups: dict[str, dict[str, type]] = {
        "algorithm": dict(registry.algorithms()),
        "task": dict(registry.tasks()),
    }
    for part, classes in list(groups.items()):
        for cls in classes.values():
            groups |= {f"{part}/{setting}": choices for setting, choices in registry.nested(cls).items()}
    for group, classes in groups.items():
        for name, cls in classes.items():
            _store(group, name, _option(cls))
    run = make_dataclass("RunOption", [(f.name, Any, field(default=f.default)) for f in fields(Settings)])
    _store("schema", "run", run)


def _store(group: str, name: str, node: type) -> None:
    """Store an option, in place of one of that name:
    a launcher's worker is handed its parent's before it imports its own.
    """
    store = ConfigStore.instance()
    known = store.repo
    for part in group.split("/"):
        known = known.get(part, {})
    known.pop(f"{name}.yaml", None)  # Hydra 1.4 warns of a second
    store.store(group=group, name=name, node=node, provider="harness")


def _option(cls: type) -> type:
    """A dataclass of the same settings with their defaults, and the name;
    of an algorithm also `rate` (`registry.with_rate`).

    All of them are of type Any: what the setting is checks them (`harness.core.setting`), in its own words,
    and OmegaConf, which would take 7 for True, has no say in it.
    """
    settings: list[Any] = [("name", str, field(default=snake_case(cls.__name__)))]
    defaults: list[Any] = []
    if issubclass(cls, Algorithm) and "rate" not in cls.__dataclass_fields__:
        settings.append(("rate", Any, field(default=None)))
    for f in fields(cls):
        value = (
            f.default
            if f.default is not MISSING
            else f.default_factory()
            if f.default_factory is not MISSING
            else omegaconf.MISSING
        )
        if is_dataclass(value):  # such as an optimiser: an option of a group of its own
            defaults.append({f.name: snake_case(type(value).__name__)})
            settings.append((f.name, Any, field(default=omegaconf.MISSING)))
        else:
            plain = value if value is omegaconf.MISSING else fitted(cls, f.name, value)
            settings.append((f.name, Any, field(default=plain)))
    if defaults:
        settings.insert(0, ("defaults", list[Any], field(default_factory=lambda: ["_self_", *defaults])))
    return make_dataclass(f"{cls.__name__}Option", settings)
