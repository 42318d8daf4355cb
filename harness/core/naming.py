"""One name for one thing in code, configs, folders and records."""

from __future__ import annotations

import re


def snake_case(name: str) -> str:
    """`FiniteDifferences` → `finite_differences`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
