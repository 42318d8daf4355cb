"""Many algorithms and tasks in one composition, under names of their own.

Hydra takes a twentieth of a second to compose a configuration, most of it for its own options. A study of 25
algorithms on four tasks chooses a hundred times, but among 29 options only. Hydra can place them all in one
configuration (`+algorithm@side.algorithm.spsa=spsa`), for about a hundredth of a second each; a choice is
then one configuration composed as always, with its algorithm and its task put in their places.

That is what Hydra would have composed as long as an option says nothing beyond its own place. So it is done
for our own options only (`harness://options`), and where it gives a choice that was composed as always back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict

from harness.studies.request import PARTS

PLACES = ("algorithm", "task")
ASIDE = "side"  # the key under which they are composed
OTHERS = (
    "store",
    "small",
    "plan",
    "figures",
    "plugins",
    "tracking",
    "study",
    "ruleset",
    "passes",
    "tuning",
    "run",
)  # which say nothing of either
WORTH = 4  # choices, beyond which it is faster

Choice = tuple[str, ...]


class Placed(NamedTuple):
    """What a choice is composed to."""

    parts: DictConfig
    """Of its cell, and perhaps more."""
    beside: DictConfig
    """What is asked for beside the cell: one configuration for all choices that say the same of that."""


def side_by_side(
    choices: Sequence[Sequence[Override]], loader: ConfigLoader, load: Callable[[list[str]], DictConfig]
) -> dict[Choice, Placed]:
    """Configurations of those choices that name no more than an algorithm and a task.

    Args:
        choices: overrides without values of cells, each choice once.
        loader: Hydra's, which is asked where an option comes from.
        load: composes a configuration from overrides.

    Returns:
        By choice, its lines; what is not among them is to be composed as always.
    """
    alike: dict[Choice, list[Sequence[Override]]] = {}
    for choice in choices:
        if len(_named(choice)) == sum(map(_names, choice)) and all(map(_plain, choice)):
            alike.setdefault(_lines(each for each in choice if not _names(each)), []).append(choice)
    made: dict[Choice, Placed] = {}
    for rest, some in alike.items():
        if len(some) > WORTH:
            made |= _composed(rest, some, loader, load)
    return made


def _composed(
    rest: Choice,
    choices: Sequence[Sequence[Override]],
    loader: ConfigLoader,
    load: Callable[[list[str]], DictConfig],
) -> dict[Choice, Placed]:
    """The same for choices with the same other overrides."""
    wanted = sorted({pair for choice in choices for pair in _named(choice).items()})
    if not all(_ours(place, name, loader) for place, name in wanted):
        return {}
    first = load(list(_lines(choices[0])))
    try:
        aside = load([*rest, *(f"+{place}@{ASIDE}.{place}.{name}={name}" for place, name in wanted)])[ASIDE]
    except HydraException:  # as always, it is said of the choice that it is about
        return {}
    if any(aside[place][name] != first[place] for place, name in _named(choices[0]).items()):
        return {}
    made = {_lines(choices[0]): Placed(first, first)}
    for choice in choices[1:]:
        named = _named(choice)
        if named.keys() == _named(choices[0]).keys():
            parts = _with(first, {place: aside[place][name] for place, name in named.items()})
            made[_lines(choice)] = Placed(parts, first)
    return made


def _with(config: DictConfig, parts: dict[str, DictConfig]) -> DictConfig:
    """The parts of a cell, some of them others than in the configuration, copied: nothing is shared."""
    kept = [key for key in PARTS if key in config and key not in parts]
    changed = OmegaConf.masked_copy(config, kept)
    with open_dict(changed):
        for place, part in parts.items():
            changed[place] = part
    return changed


def _named(choice: Iterable[Override]) -> dict[str, str]:
    return {each.key_or_group: str(each.value()) for each in choice if _names(each)}


def _names(override: Override) -> bool:
    return override.key_or_group in PLACES


def _plain(override: Override) -> bool:
    """Whether it changes what is there, and no algorithm's or task's inner part."""
    if override.type is not OverrideType.CHANGE or override.package is not None:
        return False
    if _names(override):
        return isinstance(override.value(), str)
    return str(override.key_or_group).partition(".")[0].partition("/")[0] in OTHERS


def _ours(place: str, name: str, loader: ConfigLoader) -> bool:
    """Whether the first source that has the option is ours."""
    path = f"{place}/{name}"
    return next((s.scheme() == "harness" for s in loader.get_sources() if s.is_config(path)), False)


def _lines(choice: Iterable[Override]) -> Choice:
    return tuple(str(each.input_line) for each in choice)
