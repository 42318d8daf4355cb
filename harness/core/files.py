"""Files that are there whole or not at all: written under another name, then renamed.

Whoever reads finds the old file or the new one; what a killed writer leaves behind begins with `UNFINISHED`.
What is in a folder that several processes work on may be gone before it is looked at: `ages` knows that.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNFINISHED = ".unfinished-"
HOUR = 3600  # seconds after which nobody is at work on an unfinished file any more


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write what is to stand at `path`: it gets there when the block ends without an error."""
    new = path.with_name(f"{UNFINISHED}{uuid.uuid4().hex}{path.suffix}")
    try:
        yield new
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's text in one step."""
    with whole(path) as new:
        new.write_text(text, encoding="utf-8")


def ages(folder: Path) -> dict[str, int]:
    """When each thing in a folder was last changed, in ns since 1970, by name; none without a folder.

    What another process takes away meanwhile is left out.
    """
    found: dict[str, int] = {}
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                found[entry.name] = entry.stat().st_mtime_ns
    return found


def by_age(folder: Path) -> list[str]:
    """Names of the things in a folder, the one that was changed last at the end."""
    found = ages(folder)
    return sorted(found, key=lambda name: (found[name], name))


def remove_leftovers(folder: Path) -> None:
    """Remove from a folder what writers that were killed have left unfinished."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        unfinished = [folder / entry.name for entry in entries if entry.name.startswith(UNFINISHED)]
        for path in unfinished:
            with suppress(
                OSError
            ):  # its writer, or another who tidies, was quicker; or it is somebody else's
                if time.time() - path.stat().st_mtime > HOUR:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
