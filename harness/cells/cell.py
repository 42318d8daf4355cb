"""A cell: one algorithm on one task under one setting, and the name that everything in it determines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np

from harness.cells import room
from harness.cells.code_version import code_version
from harness.cells.data_fingerprint import data_fingerprint
from harness.cells.settings import Settings, resolve
from harness.core import registry
from harness.core.algorithm import Algorithm
from harness.core.errors import ANYTHING, InputError, NotApplicable, unknown
from harness.core.source import line_that_raised
from harness.core.task import Task


@dataclass(frozen=True)
class Cell:
    """All that determines a result; settings are resolved, nothing is left to what is usual."""

    algorithm: Algorithm
    task: Task
    settings: Settings
    not_applicable: str = ""
    """Why the algorithm cannot do the task; such a cell is recorded, not run."""
    broken: str = ""
    """What a plug-in's code raised when it was asked whether it can; such a cell fails, and no other with it.
    """

    @classmethod
    def of(cls, algorithm: Mapping[str, Any], task: Mapping[str, Any], run: Mapping[str, Any]) -> Cell:
        """A cell from plain settings, as configs and records hold them.

        Raises `InputError` for what cannot be.
        """
        known = Settings.__dataclass_fields__
        for name in run:
            if name not in known:
                raise unknown("setting of run", name, known)
        try:
            parts = registry.build_algorithm(algorithm), registry.build_task(task)
        except InputError:
            raise
        except ANYTHING as error:  # a plug-in's code
            raise InputError(_no_cell(algorithm.get("name"), task.get("name"), error)) from error
        return cls.made(*parts, Settings(**run))

    @classmethod
    def made(cls, algorithm: Algorithm, task: Task, settings: Settings) -> Cell:
        """A cell of these parts, its settings resolved.

        Raises `InputError` for settings that cannot be.
        """
        try:
            return cls(*resolve(algorithm, task, settings))
        except NotApplicable as reason:
            return cls(algorithm, task, settings, not_applicable=str(reason))
        except InputError:
            raise
        except ANYTHING as error:  # a plug-in's code
            return cls(algorithm, task, settings, broken=_no_cell(algorithm.name, task.name, error))

    def check(self) -> None:
        """Raise `InputError`, with the reason, if it cannot be run."""
        if self.not_applicable or self.broken:
            raise InputError(self.not_applicable or self.broken)

    def text(self) -> str:
        """All of it in one line: the form in which a cell goes from process to process.

        Raises `InputError` for a setting that is not finite.
        """
        return _json(self._parts())

    @classmethod
    def parse(cls, text: str) -> Cell:
        """The inverse of `text`."""
        return cls.of(**json.loads(text))

    def settings_by_name(self) -> dict[str, Any]:
        """Name and settings of algorithm, task and run in plain values; what decides no bit is left out."""
        parts = self._parts()
        del parts["run"]["processes"]
        return parts

    def _parts(self) -> dict[str, Any]:
        named = registry.settings_of
        return {"algorithm": named(self.algorithm), "task": named(self.task), "run": asdict(self.settings)}

    @cached_property
    def data(self) -> str | BaseException:
        """The fingerprint of the task's data, or what kept us from them;
        empty where nothing is run on them.
        """
        if self.not_applicable or self.broken:
            return ""
        try:
            room.refuse(
                room.start_bytes(self.algorithm, self.task, self.settings.dtype, 1),
                f"one network for {self.task.name}",
            )
            return data_fingerprint(self.task)
        except ANYTHING as error:  # a study goes on with its other cells; whoever runs this one raises it
            return error

    def versions(self) -> dict[str, str]:
        """What else determines the bits: the code, the data, NumPy and what it is compiled with."""
        return dict(self._versions)

    @cached_property
    def _versions(self) -> dict[str, str]:
        modules: list[str | type] = ["harness.experiment.run"]
        if self.settings.probe:
            modules.append("harness.credit.probe")
        compilers: dict[str, str] = {}
        if self.settings.backend != "numpy":
            modules.append("harness.compiling.driver")
            compilers = {name: version(name) for name in ("jax", "jaxlib") if find_spec(name)}
        if not (self.not_applicable or self.broken):
            modules += _parts_of(self.task)
        code = code_version(*_classes(self.algorithm), *_classes(self.task), *modules)
        data = self.data if isinstance(self.data, str) else "none"
        return {"code": code, "data": data, "numpy": np.__version__, **compilers}

    @cached_property
    def id(self) -> str:
        """Task, algorithm and a hash of everything that determines the result: the name of its record."""
        return self._name(self.settings_by_name())

    @cached_property
    def kin(self) -> str:
        """The id that it would have with one replica: the same for all that differ in their number alone."""
        named = self.settings_by_name()
        return self._name(named | {"run": named["run"] | {"replicas": 1}})

    def _name(self, settings: Mapping[str, Any]) -> str:
        digest = hashlib.sha256(_json(settings, **self._versions).encode()).hexdigest()[:12]
        return f"{self.task.name}-{self.algorithm.name}-{digest}"


def _no_cell(algorithm: object, task: object, error: BaseException) -> str:
    return f"{algorithm} on {task} is no cell: {type(error).__name__}: {error}{line_that_raised(error)}"


def _json(settings: Mapping[str, Any], **more: str) -> str:
    try:
        return json.dumps({**settings, **more}, sort_keys=True, allow_nan=False)
    except ValueError as error:
        raise InputError(f"every setting must be finite, but {settings} was given") from error


def _classes(part: Any) -> list[type]:
    """The class of an algorithm or task, and of its settings
    that are parts themselves, such as an optimiser.
    """
    inside = (getattr(part, f.name) for f in fields(part))
    return [type(part), *(cls for value in inside if is_dataclass(value) for cls in _classes(value))]


def _parts_of(task: Task) -> list[str | type]:
    """What a plug-in adds to a network: modules of its units, classes of edges and of the loss."""
    net = task.network()
    classes = {type(task.objective), *(type(edge) for edge in net.edges)}
    units = {group.activation for group in net.groups}
    strange = (cls for cls in classes if not cls.__module__.startswith("harness."))
    return [*sorted(registry.homes[name] for name in units if name in registry.homes), *strange]
