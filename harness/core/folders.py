"""Where things are kept that are no results: configuration, and what the user's cache holds."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent


def configuration() -> Path:
    """The folder conf: beside the package in a clone, inside it in an installed wheel."""
    inside = _PACKAGE / "conf"
    return inside if inside.is_dir() else _PACKAGE.parent / "conf"


def user_cache(name: str) -> Path:
    """The harness's folder of that name in the user's cache (`XDG_CACHE_HOME`, else ~/.cache)."""
    return (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "credit-assignment-harness" / name
    )
