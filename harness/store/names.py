"""Names that become files and folders: of studies, which users give, and of cells, which the harness makes.

Whatever a name comes from (the command line, Python, a study.json of somebody else), the store turns it
into a path by `Store.study_folder` or `Store.cell_folder` alone, and they ask here first: no name leads
anywhere else.
"""

from __future__ import annotations

import re

from harness.core.errors import InputError

LENGTH = 100
STUDY = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{LENGTH - 1}}}")
CELL = r"\w{1,80}-\w{1,80}-[0-9a-f]{12}"
"""Task, algorithm, and a hash of all that decides a bit."""


def study_name(given: object) -> str:
    """A study's name as it was given.

    Args:
        given: 1 to 100 of the letters a–z and A–Z, digits, dots, underscores and hyphens, the first neither a
            dot nor a hyphen.

    Raises:
        InputError: for anything else.
    """
    if is_study_name(given):
        return str(given)
    raise InputError(
        f"a study's name must be 1 to {LENGTH} letters (a–z, A–Z), digits, underscores, dots or hyphens, "
        f"the first no dot or hyphen, but {shown(given)} was given"
    )


def is_study_name(given: object) -> bool:
    """Whether a study can be called that."""
    return isinstance(given, str) and STUDY.fullmatch(given) is not None


def is_cell_id(given: object) -> bool:
    """Whether it is what a cell can be called: task-algorithm-hash."""
    return isinstance(given, str) and re.fullmatch(CELL, given) is not None


def cell_id(given: object) -> str:
    """A cell's id as it was given; raises `InputError` if no cell can be called that."""
    if is_cell_id(given):
        return str(given)
    raise InputError(
        f"a cell's id is task-algorithm-hash, such as xor-backprop-0123456789ab, but {shown(given)} was given"
    )


def shown(given: object) -> str:
    """What was given, on one line, its beginning if it is long."""
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}…"
