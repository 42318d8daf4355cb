"""Checks of what an algorithm says of itself: settings that exist, refuse nonsense, matter and survive."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from itertools import product
from typing import Any

from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.checks.subject import Subject, unequal
from harness.checks.verdicts import Idle
from harness.core import registry
from harness.core.algorithm import Algorithm
from harness.core.errors import InputError
from harness.core.setting import described
from harness.core.tree import leaves
from harness.core.vetting import fault
from harness.cost.sheet import cost_of
from harness.training.preflight import Broken, place

PEAK = 0.02  # of the bytes at the peak: less is no difference


def settings_are_settings(s: Subject) -> None:
    """Is it a dataclass whose settings a command line can say?"""
    if wrong := fault(type(s.algorithm)):  # type: ignore[arg-type]  # a class can be hashed
        raise Broken(f"{wrong} ({place(s.algorithm)})")


def settings_are_said(s: Subject) -> None:
    """Has every setting a sentence that --help prints?"""
    for each in _own(s):
        if not each.sentence:
            raise Broken(
                f"{each.name} has no sentence for --help: "
                f'write {each.name}: … = setting({each.default!r}, "what it is") ({place(s.algorithm)})'
            )


def nonsense_is_refused(s: Subject) -> None:
    """Does it refuse NaN and infinity, and what is out of a setting's range?"""
    numbers = [each for each in _own(s) if type(each.default) in (int, float)]
    if not numbers:
        raise Idle("it has no setting that is a number")
    for each in numbers:
        for given in (math.nan, math.inf, "ten"):
            try:
                replace(s.algorithm, **{each.name: given})
            except InputError:
                continue
            raise Broken(
                f"{each.name}={given!r} is taken: a __post_init__ of one's own "
                f"begins with super().__post_init__() ({place(s.algorithm)})"
            )


def settings_survive_a_record(s: Subject) -> None:
    """Is it the same algorithm when it is made again from what a record keeps?"""
    kept = registry.settings_of(s.algorithm)
    kept.pop("name")
    again = replace(
        s.algorithm,
        **{name: v for name, v in kept.items() if not is_dataclass(getattr(s.algorithm, name))},
    )
    if again != s.algorithm:
        raise Broken(f"made again from {kept} it is another algorithm ({place(s.algorithm)})")


def settings_matter(s: Subject) -> None:
    """Does another value of each setting change some bit of an update or a prediction, or what they cost?"""
    asked, beside = 0, _with_other_words(s)
    bases = [_came(s, one) for one in beside]
    for each in _own(s):
        tried = 0
        for (one, base), other in product(zip(beside, bases, strict=True), _others(each.default, each.range)):
            moved = _came(s, one, **{each.name: other}) if base else None
            if moved is None or base is None:
                continue
            tried += 1
            if not _same_form(base[0], moved[0]) or unequal(base[0], moved[0]) or _dearer(base[1], moved[1]):
                break
        else:
            if tried:
                values = f"{len(_others(each.default, each.range))} other values than {each.default!r}"
                raise Broken(
                    f"{each.name} changes no bit of three updates and a prediction on {s.task.name}: "
                    f"{values} were tried ({place(s.algorithm)})"
                )
        asked += tried
    if not asked:
        raise Idle("it has no setting of its own with another value to try")


def _with_other_words(s: Subject) -> list[Algorithm]:
    """The algorithm, with each other word that a setting can be, and with numbers where None is usual: some
    settings matter only beside one."""
    words = [
        (each.name, word)
        for each in _own(s)
        if each.default is None or isinstance(each.default, str)
        for word in _others(each.default, each.range)
    ]
    return [s.algorithm, *(made for name, word in words if (made := _with(s.algorithm, name, word)))]


def _with(algorithm: Algorithm, name: str, value: Any) -> Algorithm | None:
    try:
        return replace(algorithm, **{name: value})
    except InputError:
        return None


def _came(s: Subject, algorithm: Algorithm, **other: Any) -> tuple[Any, Mapping[str, Any]] | None:
    """State after three updates with what it predicts, and their cost, with another value of a setting; None
    if it cannot be.
    """
    try:
        changed = replace(algorithm, **other)
        rule = s.resolved(changed, s.task)[0]
        at, state = s.updates(s.begin(rule=rule), 3, rule=rule)
        return {**state, "predicted": rule.predict(at.net, state, at.data.x)}, _cost(s, changed)
    except (InputError, Idle):
        return None


def _dearer(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether costs differ; bytes are measured, and are others each time by a few."""
    peaks = [cost.get("peak_bytes", 0) for cost in (one, other)]
    counted = [{name: n for name, n in cost.items() if name != "peak_bytes"} for cost in (one, other)]
    return counted[0] != counted[1] or abs(peaks[0] - peaks[1]) > PEAK * max(peaks)


def traits_are_said(s: Subject) -> None:
    """Does it say what it needs of its network?"""
    if not hasattr(s.algorithm, "traits"):
        raise Broken(f"it has no traits = Traits(…) ({place(s.algorithm)})")


def source_is_said(s: Subject) -> None:
    """Does it say its paper, its equations and what its tests hold it to?"""
    for name in ("paper", "equations", "oracle"):
        if not getattr(s.algorithm, name):
            raise Broken(f"{name} is empty: a line of it stands in every table ({place(s.algorithm)})")


def name_is_its_own(s: Subject) -> None:
    """Is there no other algorithm of its name?"""
    other = registry.algorithms().get(s.algorithm.name)
    if other is not None and (other.__module__, other.__qualname__) != (
        type(s.algorithm).__module__,
        type(s.algorithm).__qualname__,
    ):
        raise Broken(f"{s.algorithm.name} is the name of {other.__module__}.{other.__qualname__}, too")


def refusal_is_a_sentence(s: Subject) -> None:
    """Does it take every task there is, or say in one sentence why not?"""
    for name, task in registry.tasks().items():
        if name == "mnist":  # its files are not everywhere
            continue
        try:
            said: Any = s.algorithm.refusal(task())
        except InputError as error:
            said = str(error)
        if said is not None and (not isinstance(said, str) or not said or "\n" in said):
            raise Broken(
                f"of {name} it says {said!r}, but None or one sentence was expected ({place(s.algorithm)})"
            )


def _own(s: Subject) -> list[Any]:
    return [each for each in described(type(s.algorithm)) if not is_dataclass(each.default)]


def _cost(s: Subject, algorithm: Algorithm) -> Mapping[str, Any]:
    return cost_of(Cell(*resolve(algorithm, s.task, Settings(replicas=4))))


def _others(default: Any, allowed: str) -> list[Any]:
    """Other values of a setting, likely ones first."""
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, str) and allowed.startswith("one of "):
        return [word for word in allowed.removeprefix("one of ").split(", ") if word != default]
    if isinstance(default, int):
        return [default + 1, default * 2 + 1, max(0, default - 1)]
    if isinstance(default, float):
        return [default * 0.5, default + 0.25, default * 2.0, 0.5]
    return [1, 2, 3, 0.5] if default is None else []


def _same_form(a: Any, b: Any) -> bool:
    one, other = (tuple((name, x.shape) for name, x in leaves(state)) for state in (a, b))
    return one == other


CHECKS: tuple[Callable[[Subject], None], ...] = (
    settings_are_settings,
    settings_are_said,
    nonsense_is_refused,
    settings_survive_a_record,
    settings_matter,
    traits_are_said,
    source_is_said,
    name_is_its_own,
    refusal_is_a_sentence,
)
