"""Commands beside the application: from Hydra overrides to cells, and bad input in one sentence with exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from omegaconf import DictConfig

from harness.cells.cell import Cell
from harness.core.errors import InputError


def cells_of(*blocks: Sequence[str]) -> tuple[list[Cell], DictConfig]:
    """The cells that blocks of overrides and the sweeps in them describe, and the first one's whole configuration."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    from harness.cli.conf import CONF, VERSION_BASE
    from harness.studies.compose import compose_cells, expand

    with initialize_config_dir(CONF, **VERSION_BASE):
        loader = GlobalHydra.instance().config_loader()
        return compose_cells(expand(blocks, loader), loader, lambda options: compose("config", overrides=options))


@contextmanager
def one_sentence() -> Iterator[None]:
    """End with exit code 2 and one sentence where what was asked cannot be."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    from harness.cli.messages import sentence

    try:
        yield
    except (InputError, HydraException, OmegaConfBaseException, YAMLError) as error:
        print(f"harness: {error if isinstance(error, InputError) else sentence(error)}", file=sys.stderr)
        sys.exit(2)
