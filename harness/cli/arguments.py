"""What all commands do with what they are given: find plug-ins, and answer bad input in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from harness.core.errors import InputError


def prepare(overrides: Iterable[str]) -> None:
    """Have an option for everything there is, and say on stderr what had to be left out.

    Args:
        overrides: a command line's, with its plug-ins (`plugins=…`) among them.

    Raises:
        InputError: for a plug-in that is named there and does not load.
    """
    from harness.core import registry
    from harness.studies import options

    options.prepare(overrides)
    for what, why in registry.broken.items():
        print(f"harness: {what} is left out: {why}", file=sys.stderr)


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
