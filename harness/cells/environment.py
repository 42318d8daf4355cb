"""Where a result was made: the versions and the machine
that a record notes, and that its key does not hold.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

import harness


@cache
def environment() -> dict[str, str]:
    """The versions a result was made with, and the code that NumPy runs on this machine's processor.

    `blas` is NumPy's library of linear algebra, its version and the kernel that it chose for this processor:
    it decides in which order products are summed. `simd` is the highest level of vector instructions that
    NumPy found for its own loops: it decides the last bits of functions such as exp.
    """
    return {
        "harness": harness.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "blas": _blas(),
        "simd": _simd(),
    }


def made_elsewhere(versions: Mapping[str, str]) -> str:
    """A clause on a record, by its `versions`,
    that was made with another kernel or vector level than this process has.

    Empty where they are the same, and for older records, which do not know theirs.
    """
    here = environment()
    differing = [part for part in ("blas", "simd") if versions.get(part, here[part]) != here[part]]
    if not differing:
        return ""
    there, now = (" and ".join(where[part] for part in differing) for where in (versions, here))
    return f"{there}, not {now} as here: run here, the last bits may be others"


def _blas() -> str:
    """`openblas 0.3.31 Haswell`: the library that NumPy itself has loaded, for SciPy brings another."""
    from threadpoolctl import threadpool_info

    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    if not found:  # a library that threadpoolctl does not know, such as macOS's Accelerate
        about = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{about['name']} {about['version']}"
    beside = Path(np.__file__).parent.parent
    own = [
        library
        for library in found
        if Path(library["filepath"]).parent in (beside / "numpy.libs", beside / "numpy" / ".dylibs")
    ]
    library = (own or found)[0]
    return " ".join(
        str(library.get(part) or "") for part in ("internal_api", "version", "architecture")
    ).strip()


def _simd() -> str:
    """`X86_V3`: the last, and highest, of the processor's features
    that NumPy found; its baseline if it found none.
    """
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    return str((extensions.get("found") or extensions.get("baseline") or ["none"])[-1])
