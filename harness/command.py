"""Commands beside the application: from Hydra overrides to cells, and bad input in one sentence with exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from omegaconf import DictConfig

from harness.cell import Cell
from harness.errors import InputError


def cells_of(arguments: Sequence[str]) -> tuple[list[Cell], DictConfig]:
    """The cells that overrides and the sweeps in them describe, and the first one's whole configuration."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    from harness.app import cell_of
    from harness.conf import CONF
    from harness.study import expand

    with initialize_config_dir(CONF, version_base="1.3"):
        jobs = expand([list(arguments)], GlobalHydra.instance().config_loader())
        configs = [compose("config", overrides=job) for job in jobs]
    return [cell_of(each) for each in configs], configs[0]


@contextmanager
def one_sentence() -> Iterator[None]:
    """End with exit code 2 and one sentence where what was asked cannot be."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from harness.messages import sentence

    try:
        yield
    except (InputError, HydraException, OmegaConfBaseException) as error:
        print(f"harness: {error if isinstance(error, InputError) else sentence(error)}", file=sys.stderr)
        sys.exit(2)
