"""Where in the source somebody is: the line that errors of the counted and the compiled reading name."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType, TracebackType

import numpy as np

# they read, and so does compiling/: they are not read
READERS = {"cost/arrays.py", "core/loops.py", "core/source.py"}
NUMPY = str(Path(np.__file__).parent)
PACKAGE = Path(__file__).parent.parent


def line_being_read() -> str:
    """' at file.py:line' of the innermost running line that is neither NumPy's nor a reader's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_back is not None and not _is_read(frame):
        frame = frame.f_back
    return "" if frame is None else f" at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def line_that_raised(error: BaseException) -> str:
    """The same for the place an exception came from."""
    found = ""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if _is_read(trace.tb_frame):
            found = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _is_read(frame: FrameType) -> bool:
    path = Path(frame.f_code.co_filename)
    if path.is_relative_to(PACKAGE):
        inside = path.relative_to(PACKAGE).as_posix()
        return not (inside in READERS or inside.startswith("compiling/"))
    return not (str(path).startswith(NUMPY) or "/jax/" in path.as_posix() or path.name.startswith("<"))
