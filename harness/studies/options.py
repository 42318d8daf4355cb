"""Hydra options from dataclass fields: algorithms, tasks, optimisers and run settings, no YAML.

Every algorithm found becomes an option of the group `algorithm`, its fields the option's settings; a
credit algorithm's optimiser is the nested group `algorithm/optimiser`. Hydra asks for an option when it is
chosen (hydra_plugins/harness_options.py): of all that could be, only that one is made. Hydra's ConfigStore
would be copied whole for every composition.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import MISSING, field, fields, is_dataclass, make_dataclass
from functools import cache
from typing import Any

import omegaconf
from omegaconf import DictConfig, OmegaConf

from harness.cells.settings import Settings
from harness.core import plugins, registry
from harness.core.algorithm import Algorithm
from harness.core.naming import snake_case
from harness.core.setting import fitted


def groups() -> Mapping[str, Mapping[str, type]]:
    """The groups of options, by path, and in each what there is to choose from, by name."""
    return _groups(tuple(plugins.named()))


@cache
def _groups(_: tuple[str, ...]) -> dict[str, dict[str, type]]:
    found: dict[str, dict[str, type]] = {
        "algorithm": dict(registry.algorithms()),
        "task": dict(registry.tasks()),
        "schema": {"run": Settings},
    }
    for part in ("algorithm", "task"):
        for cls in list(found[part].values()):
            found |= {f"{part}/{setting}": choices for setting, choices in registry.nested(cls).items()}
    return found


def config(group: str, name: str) -> DictConfig:
    """The option `name` of a group, as Hydra composes with it; a copy that is the caller's."""
    return deepcopy(_config(groups()[group][name]))


@cache
def _config(cls: type) -> DictConfig:
    if cls is Settings:
        run = [(f.name, Any, field(default=f.default)) for f in fields(Settings)]
        return OmegaConf.structured(make_dataclass("RunOption", run))
    return OmegaConf.structured(_option(cls))


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
