"""The budget of a search for settings."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.setting import check, setting


@dataclass(frozen=True)
class Tuning:
    """The budget of a search, the same for every rule."""

    trials: int = setting(40, "Settings tried, the usual ones among them.", at_least=4, at_most=10**4)
    replicas: int = setting(20, "Networks of a setting that does well; half as many at first.", at_least=2)
    finalists: int = setting(4, "Settings of which one is chosen.", at_least=1)
    choosing: int = setting(50, "Networks of each finalist.", at_least=2)
    passes: float | None = setting(
        None,
        "Budget of a network in forward passes over all patterns; None is 30 for each epoch that is usual "
        "for the task, more than ten times what backprop spends in it.",
        above=0,
    )
    folder: str | None = setting(
        None, "Where what is found is written; None is `tuned` in the store, which ruleset=tuned looks into."
    )

    def __post_init__(self) -> None:
        check(self)
