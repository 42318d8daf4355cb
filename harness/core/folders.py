"""Where things that are no results are kept."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache(name: str) -> Path:
    """The harness's folder of that name in the user's cache (`XDG_CACHE_HOME`, else ~/.cache)."""
    return (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "credit-assignment-harness" / name
    )
