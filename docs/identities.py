"""Measure every identity that is shipped, and put what came of it into docs/identities.md.

Run by `make docs`, and after a change of a row: `python docs/identities.py`.
"""

from __future__ import annotations

from pathlib import Path

from harness.core.files import write_atomically
from harness.identities.page import page

if __name__ == "__main__":
    write_atomically(Path(__file__).parent / "identities.md", page())
