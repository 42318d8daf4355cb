"""Hydra's source of the options that come from classes: `harness://options`.

What there is to choose from is `harness.studies.options`. The source is put into the search path of our own
configuration only, by a plug-in: named as `hydra.searchpath` in conf/config.yaml its options could be chosen,
but Hydra's `glob(*)` and `--help` would not see them.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra.core.config_search_path import ConfigSearchPath


class OptionPath(SearchPathPlugin):
    """Puts our options beside our configuration, and into no other application's."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add them if the application is ours."""
        from harness.studies.conf import CONF

        if any((each.path or "").removeprefix("file://") == CONF for each in search_path.get_path()):
            search_path.append(provider="harness", path="harness://options")


class OptionSource(ConfigSource):
    """The groups `algorithm`, `task`, `algorithm/optimiser` and the like, and the schema of `run`."""

    @staticmethod
    def scheme() -> str:
        """`harness`."""
        return "harness"

    def available(self) -> bool:
        """Always: the options are ours."""
        return True

    def load_config(self, config_path: str) -> ConfigResult:
        """The option at a path such as `algorithm/backprop`."""
        from harness.studies import options

        group, name = _parts(config_path)
        return ConfigResult(self.provider, self.full_path(), options.config(group, name), {"package": None})

    def is_group(self, config_path: str) -> bool:
        """Whether options lie below a path."""
        path = config_path.strip("/")
        return not path or any(f"{group}/".startswith(f"{path}/") for group in _groups())

    def is_config(self, config_path: str) -> bool:
        """Whether a path is an option."""
        group, name = _parts(config_path)
        return name in _groups().get(group, {})

    def list(self, config_path: str, results_filter: ObjectType | None) -> builtins.list[str]:
        """Names of the groups and options right below a path, sorted."""
        path, below = config_path.strip("/"), set[str]()
        if results_filter in (None, ObjectType.CONFIG):
            below |= set(_groups().get(path, {}))
        if results_filter in (None, ObjectType.GROUP):
            start = f"{path}/" if path else ""
            inside = (group.removeprefix(start) for group in _groups() if group.startswith(start))
            below |= {group.partition("/")[0] for group in inside}
        return sorted(below)


def _groups() -> Mapping[str, Mapping[str, type]]:
    from harness.studies import options  # here: Hydra imports its plugins before it is told what to do

    return options.groups()


def _parts(config_path: str) -> tuple[str, str]:
    group, _, name = config_path.strip("/").removesuffix(".yaml").rpartition("/")
    return group, name
