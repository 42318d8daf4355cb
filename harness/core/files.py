"""Files that are there whole or not at all: written under another name, then renamed.

Whoever reads finds the old file or the new one; what a killed writer leaves behind begins with `UNFINISHED`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".unfinished-"


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write what is to stand at `path`: it gets there when the block ends without an error."""
    new = path.with_name(f"{UNFINISHED}{uuid.uuid4().hex}{path.suffix}")
    yield new
    new.replace(path)


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's text in one step."""
    with whole(path) as new:
        new.write_text(text, encoding="utf-8")
