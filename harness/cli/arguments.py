"""Commands beside the application: bad input in one sentence, with exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness.core.errors import InputError


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
