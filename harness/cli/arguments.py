"""What every command does with plug-ins, bad input, Ctrl-C and a reader who has gone: one sentence, one code.

Codes: 2 for bad input, 130 for Ctrl-C, 141 for a reader that closed the pipe (`… | head -1`), as a shell says
of programs that end so.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from harness.core.errors import InputError


def prepare(overrides: Iterable[str]) -> None:
    """Load plug-ins, and say on stderr which of them, or what in them, had to be left out.

    Args:
        overrides: a command line's, with its plug-ins (`plugins=…`) among them.

    Raises:
        InputError: for a plug-in that is named there and does not load.
    """
    from harness.core import registry
    from harness.studies.named import load_plugins

    load_plugins(overrides)
    for what, why in registry.broken.items():
        print(f"harness: {what} is left out: {why}", file=sys.stderr)


@contextmanager
def one_sentence(traceback: bool = False) -> Iterator[None]:
    """End with exit code 2 and one sentence where what was asked cannot be; `traceback` raises it instead."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us, who wants to hear nothing
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as the process lives
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _say_no_more()
        sys.exit(141)
    except KeyboardInterrupt as end:  # whoever was interrupted may know more
        complain(str(end) or "interrupted; finished cells are kept, and the same command does the rest")
        sys.exit(130)
    except Exception as error:
        if _unprinted(error) and not traceback:
            _say_no_more()
            complain(f"what was to be printed could not be written ({error}); finished cells are kept")
            sys.exit(1)
        text = sentence_of(error)
        if traceback or not text:
            raise
        complain(text)
        sys.exit(2)


def _unprinted(error: Exception) -> bool:
    """Whether a stream did not take what was printed: a disk is full, which no file's name comes with."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
    return isinstance(error, OSError) and error.errno in full and error.filename is None


def _say_no_more() -> None:
    """What is still in the buffer goes nowhere, or the interpreter would complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def sentence_of(error: Exception) -> str:
    """What to say of an error; nothing of one that is no fault of what was typed."""
    if isinstance(error, InputError):
        return str(error)
    from hydra.errors import HydraException  # here: the catalog needs none of it
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    if not isinstance(error, HydraException | OmegaConfBaseException | YAMLError):
        return ""
    from harness.cli.messages import sentence

    return sentence(error)


def complain(text: str) -> None:
    """Say it where errors are said, in one line."""
    print(f"harness: {' '.join(text.split())}", file=sys.stderr)
