"""What a command asks for beside its cells: where they are kept, which study they belong to, what follows.

The keys of conf/config.yaml that no cell is made of, typed as all settings are (`harness.core.setting`), so
that bad values get the same sentences. A key that nothing reads is refused: `+lr=0.1` would be ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from omegaconf import DictConfig, OmegaConf

from harness.core.errors import InputError, unknown
from harness.core.setting import fitted, setting
from harness.store.mlflow_note import refuse_passwords
from harness.tuning.budget import Tuning

PARTS = ("algorithm", "task", "run")  # of a configuration, that a cell is made of
USUAL, TUNED, PUBLISHED = RULESETS = ("usual", "tuned", "published")


@dataclass(frozen=True)
class Tracking:
    """Whether, and where, MLflow hears of it."""

    enabled: bool = setting(True, "Send finished cells to MLflow.")
    uri: str | None = setting(None, "MLflow's tracking URI; None is a database inside the store.")
    wait: bool = setting(False, "End when MLflow has heard, instead of having it told in the background.")

    def __post_init__(self) -> None:
        refuse_passwords(self.uri)


@dataclass(frozen=True)
class Study:
    """A study, as conf/study/*.yaml describe them."""

    name: str = setting("scratch", "Its name.")
    question: str = setting("", "What it asks.")
    common: tuple[str, ...] = setting((), "Overrides that hold for every entry.")
    cells: tuple[Any, ...] = setting((), "Each entry is a list of overrides and sweeps in them.")
    small_cells: tuple[Any, ...] = setting((), "The entries of its small form.")
    more: tuple[Any, ...] = setting((), "More entries, of a study that extends another.")

    def __post_init__(self) -> None:
        for name in ("cells", "small_cells", "more"):
            for entry in getattr(self, name):
                if not isinstance(entry, list) or not all(isinstance(each, str) for each in entry):
                    raise InputError(
                        f"each entry of study.{name} must be a list of overrides, but {entry!r} was given"
                    )


@dataclass(frozen=True)
class Jobs:
    """How cells are packed into jobs, for launchers but the usual one."""

    minutes: float = setting(
        30.0, "Length of a job for launchers that use other processes or machines.", above=0
    )


@dataclass(frozen=True)
class Request:
    """The whole of a configuration but for its cells."""

    tracking: Tracking
    study: Study
    tuning: Tuning
    jobs: Jobs
    store: str = setting("results", "Where finished cells are kept.")
    small: bool = setting(False, "Run the small form of a study.")
    plan: bool = setting(False, "Say what a sweep would run, and run nothing.")
    ruleset: str = setting(
        USUAL,
        "Settings that are left open: as they are usual for a task, tuned (`python -m harness.tune`), or as "
        "they were published for the algorithm on the task (where that has one preset).",
        one_of=RULESETS,
    )
    passes: float | None = setting(
        None,
        "Budget of each network in forward passes over all patterns, the same for every rule (an epoch of "
        "backprop takes two to three); None is run.epochs.",
        above=0,
    )
    figures: bool = setting(True, "Draw the figures of a study.")
    cells: str | None = setting(None, "A file of cells, written by a sweep for a job of its launcher's.")
    plugins: Any = setting((), "Files, folders or modules with what is yours.")

    @classmethod
    def of(cls, cfg: DictConfig) -> Request:
        """What a composed configuration asks for. Raises `InputError` for what it cannot."""
        known = [f.name for f in fields(cls)]
        given = list(cfg)  # a key left open (???) is not "in" it
        for name in given:
            if name not in (*known, *PARTS, "hydra"):
                raise unknown("setting", str(name), [*known, *PARTS])
        return _built(cls, {name: _plain(cfg, name) for name in known if name in given}, "")


INNER = {"tracking": Tracking, "study": Study, "tuning": Tuning, "jobs": Jobs}


def cell_parts(cfg: DictConfig) -> Iterator[dict[str, Any]]:
    """The plain settings that a cell is made of, in the order of `PARTS`. Raises `InputError` for others."""
    given = list(cfg)
    for name in PARTS:
        part = _plain(cfg, name) if name in given else None
        if not isinstance(part, dict):
            way = "run.replicas=…" if name == "run" else f"{name}=… by name"
            raise InputError(f"{name} must have settings, but {part!r} was given: set {way}")
        yield part


def _plain(cfg: DictConfig, name: Any) -> Any:
    value = cfg[name]
    if not OmegaConf.is_config(value):
        return value
    return OmegaConf.to_container(value, resolve=True, throw_on_missing=True)


def _built(cls: type, values: Any, prefix: str) -> Any:
    """A dataclass of settings from plain values; messages call them by their dotted names."""
    known = {f.name: f for f in fields(cls)}
    if not isinstance(values, dict):
        raise InputError(
            f"{prefix.rstrip('.')} must have settings, such as {prefix}{next(iter(known))}=…, "
            f"but {values!r} was given"
        )
    for name in values:
        if name not in known:
            raise unknown(f"setting of {prefix.rstrip('.')}", str(name), known)
    built = {}
    for name in known:
        inner = INNER.get(name) if cls is Request else None
        if inner:
            built[name] = _built(inner, values.get(name), f"{name}.")
        elif name in values:
            value = values[name]
            if cls is Study and name in ("name", "question") and type(value) is int:
                value = str(value)  # a date, say, which Hydra takes for a number
            built[name] = fitted(cls, name, value, prefix + name)
    return cls(**built)
