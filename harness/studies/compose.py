"""From Hydra overrides to cells: sweeps expanded, and each choice of options composed once.

Hydra takes a tenth of a second to compose a configuration, a study of hundreds of cells a minute. But most
cells of a study differ in values alone (`algorithm.optimiser.lr=.1`), which Hydra sets last, on the finished
configuration. So do we, by its own function, on a copy of what was composed once for all cells that choose
the same options (`algorithm=…`, `task=…`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from harness.cells.cell import Cell
from harness.studies import options, study_option
from harness.studies.conf import CONF, VERSION_BASE

study_option.register()
options.register()  # at import: without them there is nothing to compose
PARTS = ("algorithm", "task", "run")  # of a configuration, that a cell is made of


def expand(blocks: Sequence[Sequence[str]], loader: ConfigLoader) -> list[list[str]]:
    """The jobs of a study: all combinations of the sweeps
    in each block of overrides, one block after another.
    """
    parser = OverridesParser.create(config_loader=loader)
    parsed = [parser.parse_overrides(list(block)) for block in blocks]
    return [job for overrides in parsed for job in BasicSweeper.split_arguments(overrides, None)[0]]


def compose_cells(
    jobs: Sequence[Sequence[str]], loader: ConfigLoader, load: Callable[[list[str]], DictConfig]
) -> tuple[list[Cell], DictConfig]:
    """The cells that jobs (lists of overrides without sweeps) describe,
    and the whole configuration of the first's options.

    `load` composes a configuration from overrides. Raises what Hydra raises for overrides that cannot be, and
    `InputError`.
    """
    parser = OverridesParser.create(config_loader=loader)
    composed: dict[tuple[str, ...], DictConfig] = {}
    cells = []
    for job in jobs:
        overrides = parser.parse_overrides(list(job))
        values = [each for each in overrides if _is_value(each)]
        choice = tuple(str(each.input_line) for each in overrides if not _is_value(each))
        if choice not in composed:
            composed[choice] = load(list(choice))
        config = OmegaConf.masked_copy(composed[choice], list(PARTS))
        OmegaConf.set_struct(config, True)
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        cells.append(cell_of(config))
    return cells, next(iter(composed.values()))


def cells_of(*blocks: Sequence[str]) -> tuple[list[Cell], DictConfig]:
    """The cells that blocks of overrides and the sweeps in them describe,
    and the first one's whole configuration.

    For all that is not itself a Hydra application.
    """
    with initialize_config_dir(CONF, **VERSION_BASE):
        loader = GlobalHydra.instance().config_loader()
        return compose_cells(
            expand(blocks, loader), loader, lambda chosen: compose("config", overrides=chosen)
        )


def cell_of(cfg: DictConfig) -> Cell:
    """The cell that a composed configuration describes."""
    parts = (OmegaConf.to_container(cfg[name], resolve=True, throw_on_missing=True) for name in PARTS)
    return Cell.of(*(dict(part) for part in parts))  # type: ignore[arg-type]  # all three are mappings


def _is_value(override: Override) -> bool:
    """Whether it sets a value inside a part that cells are made of:
    options are chosen by names without dots.
    """
    part, dot, _ = str(override.key_or_group).partition(".")
    return bool(dot) and part in PARTS and override.package is None
