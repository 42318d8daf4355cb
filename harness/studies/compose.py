"""From Hydra overrides to cells: sweeps expanded, and each choice of options composed once.

Hydra takes a tenth of a second to compose a configuration, a study of hundreds of cells a minute. But most
cells of a study differ in values alone (`algorithm.optimiser.lr=.1`), which Hydra sets last, on the finished
configuration. So do we, by its own function, on a copy of what was composed once for all cells that choose
the same options (`algorithm=…`, `task=…`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf

from harness.cells.cell import Cell
from harness.core.errors import InputError, NotReady
from harness.studies.conf import CONF, VERSION_BASE
from harness.studies.named import load_plugins
from harness.studies.overrides import jobs as counted
from harness.studies.overrides import read
from harness.studies.request import PARTS, Request, cell_parts
from harness.studies.rulesets import ruled
from harness.studies.side_by_side import Placed, side_by_side


def expand(blocks: Sequence[Sequence[str]], loader: ConfigLoader) -> list[list[str]]:
    """The jobs of a study: all combinations of the sweeps
    in each block of overrides, one block after another.

    Raises `InputError` for overrides that cannot be.
    """
    parsed = [read(block, loader) for block in blocks]
    for overrides in parsed:
        counted(overrides)
    return [job for overrides in parsed for job in BasicSweeper.split_arguments(overrides, None)[0]]


def compose_cells(
    jobs: Sequence[Sequence[str]],
    loader: ConfigLoader,
    load: Callable[[list[str]], DictConfig],
    *,
    spare: bool = False,
) -> tuple[list[Cell], Request]:
    """The cells that jobs (lists of overrides without sweeps) describe,
    and what the first one's options ask for beside.

    `load` composes a configuration from overrides. With `spare` a cell that is not ready (`NotReady`) is
    broken, and spares the others, if there are any. Raises what Hydra raises for overrides that cannot be,
    and `InputError`.
    """
    if not jobs:
        raise InputError("a study needs cells, but none was given")
    known = {text: read([text], loader)[0] for text in dict.fromkeys(chain.from_iterable(jobs))}
    parsed = [[known[text] for text in job] for job in jobs]
    chosen = [[each for each in overrides if not _is_value(each)] for overrides in parsed]
    lines = [tuple(str(each.input_line) for each in choice) for choice in chosen]
    composed = side_by_side(list(dict(zip(lines, chosen, strict=True)).values()), loader, load)
    requests: dict[int, Request] = {}  # by the configuration, all of which are kept
    cells: list[Cell] = []
    lost: list[NotReady] = []
    config, set_before = DictConfig({}), None
    for overrides, choice in zip(parsed, lines, strict=True):
        values = [each for each in overrides if _is_value(each)]
        if choice not in composed:
            whole = load(list(choice))
            composed[choice] = Placed(whole, whole)
        parts, beside = composed[choice]
        if id(beside) not in requests:
            requests[id(beside)] = Request.of(beside)
        # what sets the same values anew needs no new copy of the rest
        sets = (choice, *((each.type, each.key_or_group) for each in values))
        if sets != set_before or not all(each.type is OverrideType.CHANGE for each in values):
            config = OmegaConf.masked_copy(parts, list(PARTS))
            OmegaConf.set_struct(config, True)
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        set_before = sets
        asked, named = requests[id(beside)], [str(each.key_or_group) for each in overrides]
        cell = cell_of(config)
        try:
            cells.append(ruled(cell, asked, named))
        except NotReady as error:
            if not spare:
                raise
            cells.append(replace(cell, broken=str(error)))
            lost.append(error)
    if len(lost) == len(cells):
        raise lost[0]
    return cells, requests[id(composed[lines[0]].beside)]


def cells_of(*blocks: Sequence[str]) -> tuple[list[Cell], Request]:
    """The cells that blocks of overrides and the sweeps in them describe,
    and what the first one asks for beside.

    For all that is not itself a Hydra application.
    """
    load_plugins(each for block in blocks for each in block)
    with initialize_config_dir(CONF, **VERSION_BASE):
        loader = GlobalHydra.instance().config_loader()
        return compose_cells(
            expand(blocks, loader), loader, lambda chosen: compose("config", overrides=chosen)
        )


def cell_of(cfg: DictConfig) -> Cell:
    """The cell that a composed configuration describes."""
    return Cell.of(*cell_parts(cfg))


def _is_value(override: Override) -> bool:
    """Whether it sets a value inside a part that cells are made of:
    options are chosen by names without dots.
    """
    part, dot, _ = str(override.key_or_group).partition(".")
    return bool(dot) and part in PARTS and override.package is None
