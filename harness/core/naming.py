"""One name, and one plain value, for one thing in code, configs, folders and records."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import numpy as np


def snake_case(name: str) -> str:
    """`FiniteDifferences` → `finite_differences`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def make_plain(settings: Any) -> None:
    """Turn NumPy scalars among the fields of a dataclass into Python's numbers, in place.

    A `np.float64` is a strong type: it would promote float32 arrays, and JSON does not know it.
    """
    for f in fields(settings):
        value = getattr(settings, f.name)
        if isinstance(value, np.generic):
            object.__setattr__(settings, f.name, value.item())
