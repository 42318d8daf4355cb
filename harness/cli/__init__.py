"""The command line, and all that talks to a person at a prompt. Imported by nobody but Hydra's sweeper.

Ctrl-C is one line from here on, wherever it comes, in the midst of the imports too.
"""

import gc
import sys
from types import TracebackType

_before = sys.excepthook


def _interrupted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("harness: interrupted", file=sys.stderr)
    else:
        _before(kind, error, trace)


sys.excepthook = _interrupted

# What imports and Hydra make stays: to look through it for garbage as often as Python does takes a tenth of
# the time to a first result.
gc.set_threshold(100_000)
