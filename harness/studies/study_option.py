"""What `study=…` sets, by type: a name and a question are text, whatever they look like; the rest are lists.

Without types `study.name=20260913` would be a number, and `study.name=null` nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore


@dataclass
class StudyOption:
    """The settings of a study; conf/study/scratch.yaml says what they are for."""

    name: str = "scratch"
    question: str = ""
    cells: list[Any] = field(default_factory=list)
    more: list[Any] = field(default_factory=list)
    common: list[Any] = field(default_factory=list)
    small_cells: list[Any] = field(default_factory=list)


def register() -> None:
    """Put the schema into Hydra's ConfigStore, once: a launcher's worker is handed its parent's."""
    store = ConfigStore.instance()
    if "study.yaml" not in store.repo.get("schema", {}):
        store.store(group="schema", name="study", node=StudyOption, provider="harness")
